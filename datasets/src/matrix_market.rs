//! Matrix Market files: matrices and vectors as text.
//!
//! Read: `coordinate` and `array`; `real`, `integer` and `pattern` (every entry 1); `general`, `symmetric` and
//! `skew-symmetric`. A symmetric file stores its lower triangle; entries at the same place are added, as scipy does.
//! Complex and hermitian matrices are refused. An error names the line.
//!
//! Written: numbers with the fewest digits that read back to the same bits; a symmetric matrix as its lower triangle.
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
