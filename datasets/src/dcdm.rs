//! The systems that were published with the deep conjugate direction method: `matrixA_FRAME.bin` and `div_v_star_FRAME.bin`.
//!
//! A matrix, little endian: 32-bit rows, columns, entries n, row starts m and inner starts; n values, of 32 or 64 bits, which
//! the length of the file tells; m 32-bit starts of rows, whose end is not stored; n 32-bit columns. Rows are the N³ cells of a
//! cube, the empty ones among them solid: they carry no unknown and are left out. A right-hand side: 64-bit count, then as many
//! 64-bit numbers, one for each cell.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("matrixA_1.bin");
//! // One cell of a cube of one.
//! let mut bytes: Vec<u8> = [1i32, 1, 1, 1, 1].iter().flat_map(|v| v.to_le_bytes()).collect();
//! bytes.extend(6f64.to_le_bytes());
//! bytes.extend([0i32, 0].iter().flat_map(|v| v.to_le_bytes()));
//! std::fs::write(&path, bytes)?;
//! let system = resolvent_datasets::dcdm::read(&path)?;
//! assert_eq!((system.matrix.get(0, 0), system.grid.unwrap().1), (6.0, vec![0]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Reference
//! A. Kaneda, O. Akar, J. Chen, V. Kala, D. Hyde, J. Teran, *A deep conjugate direction method for iteratively solving linear
//! systems*, ICML 2023, arXiv 2205.10763.

use crate::{Error, LinearSystem, Result};
use resolvent::{Csr, Grid};
use std::path::Path;

/// Bytes of the header of a matrix.
const HEADER: usize = 20;
/// What to do about a file that is none.
const MEND: &str = "use a file of the published data set as it was unpacked";

/// Reads a matrix, with the cube its rows lie on.
///
/// # Errors
/// [`Error::Open`]; [`Error::Malformed`] naming the part.
pub fn read(path: &Path) -> Result<LinearSystem> {
    let bytes = std::fs::read(path).map_err(|e| Error::open(path, e))?;
    let bad = |place: &str, what: String| Error::malformed(path, place, what, MEND);
    let header = integers(bytes.get(..HEADER).ok_or_else(|| bad("header", "the file ends in it".into()))?);
    let [rows, columns, entries, starts] = [0, 1, 2, 3].map(|i: usize| header[i] as usize);
    if header.iter().any(|v| *v < 0) || rows == 0 || rows != columns || starts != rows {
        return Err(bad("header", format!("{header:?} are no sizes of a square matrix")));
    }
    let width = [4, 8].into_iter().find(|w| HEADER + entries * (w + 4) + 4 * starts == bytes.len());
    let Some(width) = width else {
        let what = format!("the file has {} bytes, which {entries} entries do not fill", bytes.len());
        return Err(bad("header", what));
    };
    let (values, rest) = bytes[HEADER..].split_at(width * entries);
    let (starts, columns) = rest.split_at(4 * starts);
    let values: Vec<f64> = if width == 8 {
        reals(values)
    } else {
        values.as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect()
    };
    let (mut offsets, columns) = (integers(starts), integers(columns));
    offsets.push(entries as i32);
    if let Some(row) = (0..rows).find(|r| offsets[*r] < 0 || offsets[*r] > offsets[*r + 1]) {
        return Err(bad("row starts", format!("that of row {row} is not between its neighbours")));
    }
    // Rows without an entry carry no unknown.
    let cells: Vec<u32> = (0..rows).filter(|r| offsets[*r] < offsets[r + 1]).map(|r| r as u32).collect();
    let mut place = vec![u32::MAX; rows];
    cells.iter().enumerate().for_each(|(i, c)| place[*c as usize] = i as u32);
    let mut kept = Vec::with_capacity(entries);
    for (i, cell) in cells.iter().enumerate() {
        let row = *cell as usize;
        for e in offsets[row] as usize..offsets[row + 1] as usize {
            let column = usize::try_from(columns[e]).ok().and_then(|c| place.get(c)).copied();
            match column {
                Some(u32::MAX) if values[e] == 0.0 => {}
                Some(column) if column < u32::MAX => kept.push((i as u32, column, values[e])),
                _ => {
                    let what =
                        format!("entry {e} of row {row} is in column {}, which has no row", columns[e]);
                    return Err(bad("columns", what));
                }
            }
        }
    }
    if cells.is_empty() {
        return Err(bad("row starts", "no row has an entry".into()));
    }
    let matrix =
        Csr::from_triplets(cells.len(), cells.len(), &kept).map_err(|e| bad("values", e.to_string()))?;
    let side = (rows as f64).cbrt().round() as usize;
    let grid = (side * side * side == rows).then(|| Grid::new_3d(side, side, side)).transpose()?;
    let grid = grid.map(|grid| (grid, cells));
    // Values of 32 bits are symmetric to their rounding.
    let matrix = matrix.checked_symmetric(if width == 8 { 1e-14 } else { 1e-6 });
    Ok(LinearSystem { grid, ..matrix.into() })
}

/// Reads a vector: one number for each cell.
///
/// # Errors
/// As [`read`].
pub fn read_vector(path: &Path) -> Result<Vec<f64>> {
    let bytes = std::fs::read(path).map_err(|e| Error::open(path, e))?;
    let bad = |what: String| Error::malformed(path, "byte 0", what, MEND);
    let (count, rest) = bytes.split_first_chunk::<8>().ok_or_else(|| bad("it is too short".into()))?;
    if u64::from_le_bytes(*count).checked_mul(8) != Some(rest.len() as u64) {
        let what = format!("it says {} numbers, and {} bytes follow", u64::from_le_bytes(*count), rest.len());
        return Err(bad(what));
    }
    let values = reals(rest);
    match values.iter().position(|v| !v.is_finite()) {
        Some(i) => Err(Error::malformed(path, format!("entry {i}"), format!("it is {}", values[i]), MEND)),
        None => Ok(values),
    }
}

fn integers(bytes: &[u8]) -> Vec<i32> {
    bytes.as_chunks::<4>().0.iter().map(|b| i32::from_le_bytes(*b)).collect()
}

fn reals(bytes: &[u8]) -> Vec<f64> {
    bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect()
}
