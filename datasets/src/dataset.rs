//! Datasets: fields on grids or point clouds, over time and trajectories, with their parameters.
//!
//! A [`Dataset`] is read from a file of any layout in [`LAYOUTS`]: PDEBench, The Well, MATLAB, our own schema. It hands out
//! [regions](Dataset::read), random [points](Points) and random [snapshots](Snapshots); nothing but what is asked for is in
//! memory. A [`Writer`] writes our schema piece by piece; `docs/data-schema.md` has the layout of the file, and h5py code to
//! read and to write it.

mod checksum;
mod convert;
mod description;
mod layout;
mod numbers;
mod partial;
mod places;
mod plane;
mod points;
mod reader;
mod skeleton;
mod snapshots;
mod survey;
mod tiles;
mod values;
mod window;
mod writer;

pub use convert::Conversion;
pub use description::{
    Axis, Coordinate, Description, Field, Parameter, ParameterValue, Precision, Provenance, Role, Storage,
};
pub use layout::{LAYOUTS, Layout};
pub use plane::Plane;
pub use points::{Batch, Points};
pub use reader::Dataset;
pub use snapshots::{Snapshot, Snapshots};
pub use survey::{AxisSurvey, FieldSurvey, Survey};
pub use tiles::Selection;
pub use values::{Real, ValuesMut};
pub use writer::Writer;

/// The value of the root attribute `schema`.
pub(crate) const SCHEMA: &str = "resolvent-data";
/// The value of the root attribute `schema_version`.
pub(crate) const VERSION: i64 = 1;

/// A box of indices: one range for each axis of a field, in its order.
pub type Region = [std::ops::Range<usize>];
