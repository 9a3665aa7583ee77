//! Linear systems in HDF5, readable and writable from Python in a line or two.
//!
//! | name | kind | shape | what |
//! |---|---|---|---|
//! | `resolvent_schema` | attribute of `/` | | `"system"`; may be absent |
//! | `version` | attribute of `/` | | 1; may be absent |
//! | `indptr` | 64-bit integers | rows + 1 | where each row starts in the next two |
//! | `indices` | 32-bit integers | entries | the column of each entry |
//! | `data` | 64-bit floats | entries | its value |
//! | `shape` | 64-bit integers, a dataset or an attribute | 2 | rows and columns; absent: square |
//! | `b` | 64-bit floats | rows | the right-hand side; may be absent |
//! | `x` | 64-bit floats | columns | a known solution; may be absent |
//! | `grid/n` | 64-bit integers | 2 or 3 | cells along x, y(, z); the group may be absent |
//! | `grid/cells` | 64-bit integers | rows | the cell x + nx (y + ny z) of each unknown |
//! | `meta` | group | | its string attributes say where the system comes from; may be absent |
//!
//! `indptr`, `indices` and `data` are those of `scipy.sparse.csr_matrix`. Integers may have any width and floats 32 bits;
//! rows may be unsorted; entries at the same place are added. Data may be compressed with gzip or lzf. Links out of the
//! file, virtual datasets and external storage are refused, and every size is checked against the file's length before
//! memory is given to it.
//!
//! ```python
//! a = scipy.sparse.csr_matrix(a)
//! with h5py.File("system.h5", "w") as f:
//!     f["indptr"], f["indices"], f["data"], f["b"] = a.indptr, a.indices, a.data, b
//! ```

mod array;
mod read;
mod write;

pub(crate) use array::Array;
pub(crate) use read::meta;
pub use read::{read, read_solution};
pub(crate) use write::{label, timeless_group};
pub use write::{write, write_solution};

/// The version of the HDF5 library this build carries.
pub fn library_version() -> String {
    let (major, minor, micro) = hdf5::library_version();
    format!("{major}.{minor}.{micro}")
}

/// The value of the attribute `resolvent_schema`.
const SCHEMA: &str = "system";
/// The value of the attribute `version`.
const VERSION: i64 = 1;
/// How many numbers are moved between memory and file at a time.
const BLOCK: usize = 1 << 18;
