//! Sets of graphs in HDF5, as the page `docs/graph-schema.md` states.

mod read;
mod write;

pub(crate) use write::{Counts, Precision, Writer};

/// The value of the root attribute `schema`.
pub(crate) const SCHEMA: &str = "resolvent-graphs";
/// The value of the root attribute `schema_version`.
pub(crate) const VERSION: i64 = 1;
