//! Reading.

use super::header::{Header, Layout, Symmetry};
use super::lines::Lines;
use crate::{Error, Result};
use resolvent::Csr;
use std::path::Path;

/// A file may promise this many empty rows or columns; above it, entries must fill them.
const MANY: usize = 1 << 20;
/// A file may promise this many zeros of right-hand sides; above it, one entry in a thousand must be there.
const ZEROS: usize = 1 << 24;

/// Reads a matrix. It claims to be symmetric when the file says so or every entry equals its mirror image.
///
/// # Errors
/// [`Error::Open`]; [`Error::Malformed`] naming the line; [`Error::Memory`].
pub fn read_matrix(path: &Path) -> Result<Csr<f64>> {
    let bytes = std::fs::read(path).map_err(|e| Error::open(path, e))?;
    let mut lines = Lines::new(path, &bytes);
    let header = Header::read(&mut lines)?;
    // A symmetric file fills up to two rows with an entry.
    let larger = header.rows.max(header.cols);
    if larger > MANY && larger / 2 > header.entries {
        return Err(lines.error(
            format!(
                "{} entries leave most of a {} × {} matrix empty",
                header.entries, header.rows, header.cols
            ),
            "mend the size line, or remove the empty rows and columns",
        ));
    }
    let mirrored = if header.symmetry == Symmetry::General { 1 } else { 2 };
    let mut triplets: Vec<(u32, u32, f64)> = Vec::new();
    let bytes_needed = header.entries.saturating_mul(mirrored * size_of::<(u32, u32, f64)>());
    triplets
        .try_reserve_exact(header.entries * mirrored)
        .map_err(|_| Error::Memory { what: "the entries of a matrix", bytes: bytes_needed })?;
    entries(&mut lines, &header, |row, col, value| {
        triplets.push((row, col, value));
        if row != col {
            match header.symmetry {
                Symmetry::General => {}
                Symmetry::Symmetric => triplets.push((col, row, value)),
                Symmetry::Skew => triplets.push((col, row, -value)),
            }
        }
    })?;
    if header.layout == Layout::Array {
        triplets.retain(|e| e.2 != 0.0);
    }
    let matrix = Csr::from_triplets(header.rows, header.cols, &triplets).map_err(|e| {
        Error::malformed(
            path,
            "entries at the same place",
            format!("their sum is wrong: {e}"),
            "store each entry once",
        )
    })?;
    Ok(matrix.checked_symmetric(0.0))
}

/// Reads the columns of a file as dense vectors: a file of right-hand sides.
///
/// # Errors
/// As [`read_matrix`].
pub fn read_columns(path: &Path) -> Result<Vec<Vec<f64>>> {
    let bytes = std::fs::read(path).map_err(|e| Error::open(path, e))?;
    let mut lines = Lines::new(path, &bytes);
    let header = Header::read(&mut lines)?;
    if header.symmetry != Symmetry::General {
        return Err(
            lines.error("the columns of a symmetric matrix are no right-hand sides", "write them as general")
        );
    }
    // A short file could promise columns by the million, or zeros by the billion.
    let many_columns = header.cols > MANY && header.cols / 2 > header.entries;
    if many_columns
        || header.rows.saturating_mul(header.cols) > header.entries.saturating_mul(1024).max(ZEROS)
    {
        return Err(lines.error(
            format!("{} entries are too few for {} columns of {}", header.entries, header.cols, header.rows),
            "write dense right-hand sides as an array",
        ));
    }
    let mut columns = (0..header.cols)
        .map(|_| crate::error::allocate("a right-hand side", header.rows, 0.0))
        .collect::<Result<Vec<_>>>()?;
    let mut overflow = None;
    entries(&mut lines, &header, |row, col, value| {
        let sum = &mut columns[col as usize][row as usize];
        *sum += value;
        if !sum.is_finite() && overflow.is_none() {
            overflow = Some((row + 1, col + 1));
        }
    })?;
    if let Some((row, col)) = overflow {
        return Err(Error::malformed(
            path,
            "entries at the same place",
            format!("their sum is too large at ({row}, {col})"),
            "store each entry once",
        ));
    }
    Ok(columns)
}

/// Reads one vector: a file with one column, or one row.
///
/// # Errors
/// As [`read_matrix`], and [`Error::Malformed`] for more than one column.
pub fn read_vector(path: &Path) -> Result<Vec<f64>> {
    let mut columns = read_columns(path)?;
    if columns.len() > 1 {
        if columns.iter().all(|c| c.len() == 1) {
            return Ok(columns.concat());
        }
        let what = format!("there are {} columns where one vector is wanted", columns.len());
        return Err(Error::malformed(path, "size line", what, "keep one column"));
    }
    Ok(columns.swap_remove(0))
}

/// Every stored entry in order: row and column from 0, and the value.
fn entries(lines: &mut Lines, header: &Header, mut each: impl FnMut(u32, u32, f64)) -> Result<()> {
    let (rows, cols) = (header.rows, header.cols);
    // For an array, where the next value goes.
    let first = |col: usize| match header.symmetry {
        Symmetry::General => 0,
        Symmetry::Symmetric => col,
        Symmetry::Skew => col + 1,
    };
    let mut place = (first(0), 0);
    for count in 0..header.entries {
        let Some(line) = lines.data() else {
            return Err(lines.error(
                format!("the file ends after {count} of {} entries", header.entries),
                "copy it again: it may be cut off",
            ));
        };
        match (header.layout, header.pattern) {
            (Layout::Coordinate, true) => {
                let [row, col] = lines.words(line, "row column")?;
                let (row, col) = position(lines, header, row, col)?;
                each(row, col, 1.0);
            }
            (Layout::Coordinate, false) => {
                let [row, col, value] = lines.words(line, "row column value")?;
                let (row, col) = position(lines, header, row, col)?;
                each(row, col, lines.real(value)?);
            }
            (Layout::Array, _) => {
                let [value] = lines.words(line, "value")?;
                let value = lines.real(value)?;
                each(place.0 as u32, place.1 as u32, value);
                place.0 += 1;
                while place.0 >= rows && place.1 + 1 < cols {
                    place = (first(place.1 + 1), place.1 + 1);
                }
            }
        }
    }
    if lines.data().is_some() {
        return Err(lines.error(
            format!("the file goes on after its {} entries", header.entries),
            "mend the count in the size line, or remove the rest",
        ));
    }
    Ok(())
}

fn position(lines: &Lines, header: &Header, row: &str, col: &str) -> Result<(u32, u32)> {
    let (row, col) = (lines.index(row, header.rows, "row")?, lines.index(col, header.cols, "column")?);
    let outside = match header.symmetry {
        Symmetry::General => false,
        Symmetry::Symmetric => row < col,
        Symmetry::Skew => row <= col,
    };
    if outside {
        let on = if row == col { "on" } else { "above" };
        return Err(lines.error(
            format!("entry ({}, {}) lies {on} the diagonal of a symmetric matrix", row + 1, col + 1),
            "store each pair once, below the diagonal, or write `general` in the first line",
        ));
    }
    Ok((row, col))
}
