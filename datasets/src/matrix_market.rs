//! Matrix Market files: matrices and vectors as text.
//!
//! Read: `coordinate` and `array`; `real`, `integer` and `pattern` (every entry 1); `general`, `symmetric` and
//! `skew-symmetric`. A symmetric file stores its lower triangle; entries at the same place are added, as scipy does.
//! Complex and hermitian matrices are refused. An error names the line. A file that is cut off is refused, unless it
//! ends within the digits of its last number, which text cannot tell from another number.
//!
//! Written: numbers with the fewest digits that read back to the same bits; a symmetric matrix as its lower triangle.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("a.mtx");
//! use resolvent_datasets::matrix_market;
//! std::fs::write(&path, "%%MatrixMarket matrix coordinate real symmetric\n2 2 3\n1 1 2\n2 1 -1\n2 2 2\n")?;
//! let a = matrix_market::read_matrix(&path)?;
//! assert_eq!((a.get(0, 1), a.get(1, 0)), (-1.0, -1.0));
//! matrix_market::write_vector(&folder.path().join("b.mtx"), &[1.0, 0.5])?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Reference
//! R. F. Boisvert, R. Pozo, K. A. Remington, "The Matrix Market exchange formats: initial design", NISTIR 5935 (1996),
//! doi:10.6028/NIST.IR.5935.

mod header;
mod lines;
mod read;
mod write;

pub use read::{read_columns, read_matrix, read_vector};
pub use write::{write_matrix, write_vector};
