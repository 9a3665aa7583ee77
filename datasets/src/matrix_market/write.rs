//! Writing.

use crate::{Result, draft};
use resolvent::Csr;
use std::io::Write;
use std::path::Path;

/// Writes a matrix: its lower triangle when every stored entry has a mirror image of the same bits, else all of it, so
/// that it reads back as it was.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write).
pub fn write_matrix(path: &Path, matrix: &Csr<f64>) -> Result<()> {
    let symmetric = is_mirrored(matrix);
    let stored = |row: usize, col: u32| !symmetric || col as usize <= row;
    let entries: usize =
        (0..matrix.rows()).map(|r| matrix.row(r).0.iter().filter(|c| stored(r, **c)).count()).sum();
    draft::write(path, |w| {
        let symmetry = if symmetric { "symmetric" } else { "general" };
        writeln!(w, "%%MatrixMarket matrix coordinate real {symmetry}")?;
        writeln!(w, "{} {} {entries}", matrix.rows(), matrix.cols())?;
        for row in 0..matrix.rows() {
            let (columns, values) = matrix.row(row);
            for (col, value) in columns.iter().zip(values).filter(|(c, _)| stored(row, **c)) {
                writeln!(w, "{} {} {value:e}", row + 1, col + 1)?;
            }
        }
        Ok(())
    })
}

/// Writes a vector as an array of one column.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write).
pub fn write_vector(path: &Path, vector: &[f64]) -> Result<()> {
    draft::write(path, |w| {
        writeln!(w, "%%MatrixMarket matrix array real general\n{} 1", vector.len())?;
        vector.iter().try_for_each(|value| writeln!(w, "{value:e}"))
    })
}

/// Whether every stored entry has a stored mirror image of the same bits; a zero that stands alone, or has the other sign,
/// has none.
fn is_mirrored(matrix: &Csr<f64>) -> bool {
    let has = |row: usize, col: u32, value: f64| {
        let (columns, values) = matrix.row(row);
        columns.binary_search(&col).is_ok_and(|at| values[at].to_bits() == value.to_bits())
    };
    matrix.rows() == matrix.cols()
        && (0..matrix.rows()).all(|row| {
            let (columns, values) = matrix.row(row);
            columns.iter().zip(values).all(|(col, value)| has(*col as usize, row as u32, *value))
        })
}
