//! Sets made of operators: sequences of pressure projections, and training samples for learned directions.
//!
//! The page `docs/operator-schema.md` has the layout of the files and h5py code.

mod check;
pub mod directions;
pub mod projection;
mod slab;

pub use check::{Summary, check, summary};

/// The value of the root attribute `schema`.
pub(crate) const SCHEMA: &str = "resolvent-operators";
/// The value of the root attribute `schema_version`.
const VERSION: i64 = 1;
