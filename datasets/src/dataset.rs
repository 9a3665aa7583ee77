//! Datasets: fields on grids or point clouds, over time and trajectories, with their parameters.
//!
//! A [`Description`] says what a dataset holds; a [`Writer`] writes it piece by piece. The page `docs/data-schema.md` has
//! the layout of the file, and h5py code to read and to write it.

mod checksum;
mod description;
mod partial;
mod skeleton;
mod values;
mod writer;

pub use description::{
    Axis, Coordinate, Description, Field, Parameter, ParameterValue, Precision, Provenance, Role, Storage,
};
pub use values::{Real, ValuesMut};
pub use writer::Writer;

/// The value of the root attribute `schema`.
pub(crate) const SCHEMA: &str = "resolvent-data";
/// The value of the root attribute `schema_version`.
pub(crate) const VERSION: i64 = 1;

/// A box of indices: one range for each axis of a field, in its order.
pub type Region = [std::ops::Range<usize>];
