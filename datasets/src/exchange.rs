//! The binary file that other solvers are compared by: one matrix, two right-hand sides, and the cell of each unknown.
//!
//! Little endian: the magic `PSYSv1\0\0`; 64-bit n, entries, dimensions, nx, ny, nz, whether cells follow, 0; 32-bit
//! offsets `[n + 1]`; padding to 8 bytes; 32-bit columns; padding; 64-bit values, noise `[n]`, smooth `[n]`; 32-bit cells
//! `[n]`, x + nx (y + ny z).
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("one.psys");
//! use resolvent::Csr;
//! use resolvent_datasets::exchange::{self, Exchange};
//! let matrix = Csr::from_triplets(1, 1, &[(0, 0, 4.0)])?;
//! exchange::write(&path, &Exchange { matrix, noise: vec![1.0], smooth: vec![2.0], grid: None })?;
//! assert_eq!(exchange::read(&path)?.smooth, [2.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::{Error, Result, draft};
use resolvent::{Csr, Grid};
use std::io::{Read, Write};
use std::path::Path;

const MAGIC: &[u8; 8] = b"PSYSv1\0\0";
const HEADER: usize = 72;

/// What the file holds.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The matrix.
    pub matrix: Csr<f64>,
    /// Independent normals.
    pub noise: Vec<f64>,
    /// A smooth right-hand side.
    pub smooth: Vec<f64>,
    /// The grid, and the cell of each unknown.
    pub grid: Option<(Grid, Vec<u32>)>,
}

/// Whether a file begins as an exchange file does; one that cannot be read does not.
pub(crate) fn is_one(path: &Path) -> bool {
    let mut start = [0; 8];
    std::fs::File::open(path).and_then(|mut f| f.read_exact(&mut start)).is_ok() && start == *MAGIC
}

/// Reads an exchange file.
///
/// # Errors
/// [`Error::Open`]; [`Error::Malformed`] naming the part.
pub fn read(path: &Path) -> Result<Exchange> {
    let bytes = std::fs::read(path).map_err(|e| Error::open(path, e))?;
    let bad = |place: &str, what: String| {
        Error::malformed(path, place, what, "make the file again: it may be cut off or of another format")
    };
    if bytes.len() < HEADER || &bytes[..8] != MAGIC {
        return Err(bad("byte 0", "this is not a PSYSv1 file".into()));
    }
    let header: [i64; 8] =
        std::array::from_fn(|i| i64::from_le_bytes(std::array::from_fn(|b| bytes[8 * (i + 1) + b])));
    let count = |at: usize, name: &str| {
        usize::try_from(header[at])
            .ok()
            .filter(|c| *c <= bytes.len())
            .ok_or_else(|| bad("header", format!("{name} is {}, more than the file can hold", header[at])))
    };
    let (n, entries) = (count(0, "the number of unknowns")?, count(1, "the number of entries")?);
    if n == 0 {
        return Err(bad("header", "there are no unknowns".into()));
    }
    let mut at = HEADER;
    let mut take = |name: &str, count: usize, width: usize| -> Result<&[u8]> {
        let end = at + count * width;
        let part = bytes.get(at..end).ok_or_else(|| {
            bad(name, format!("the file ends at byte {} before this array does at {end}", bytes.len()))
        })?;
        at = end.next_multiple_of(8);
        Ok(part)
    };
    let integers = |part: &[u8]| -> Vec<i32> {
        part.as_chunks::<4>().0.iter().map(|b| i32::from_le_bytes(*b)).collect()
    };
    let reals = |part: &[u8]| -> Vec<f64> {
        part.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect()
    };
    let offsets = integers(take("offsets", n + 1, 4)?);
    let columns = integers(take("columns", entries, 4)?);
    let values = reals(take("values", entries, 8)?);
    let noise = reals(take("noise", n, 8)?);
    let smooth = reals(take("smooth", n, 8)?);
    for (name, vector) in [("noise", &noise), ("smooth", &smooth)] {
        if let Some(i) = vector.iter().position(|v| !v.is_finite()) {
            return Err(bad(name, format!("entry {i} is {}", vector[i])));
        }
    }
    let grid = if header[6] == 0 {
        None
    } else {
        let sides = [count(3, "nx")?, count(4, "ny")?, count(5, "nz")?];
        let grid = match header[2] {
            2 => Grid::new_2d(sides[0], sides[1]),
            3 => Grid::new_3d(sides[0], sides[1], sides[2]),
            other => return Err(bad("header", format!("the grid has {other} dimensions instead of 2 or 3"))),
        };
        let grid = grid.map_err(|e| bad("header", e.to_string()))?;
        let cells = integers(take("cells", n, 4)?);
        if let Some(i) = cells.iter().position(|c| usize::try_from(*c).map_or(true, |c| c >= grid.cells())) {
            return Err(bad("cells", format!("entry {i} is {}, outside the grid", cells[i])));
        }
        Some((grid, cells.into_iter().map(|c| c as u32).collect()))
    };
    // A negative number becomes larger than any count, and the matrix refuses it.
    let offsets = offsets.into_iter().map(|o| usize::try_from(o).unwrap_or(usize::MAX)).collect::<Vec<_>>();
    if let Some(row) = offsets.iter().position(|o| *o > entries) {
        return Err(bad("offsets", format!("entry {row} is outside the {entries} entries")));
    }
    let columns = columns.into_iter().map(|c| c as u32).collect();
    let matrix = Csr::new(n, n, offsets, columns, values).map_err(|e| bad("matrix", e.to_string()))?;
    Ok(Exchange { matrix: matrix.checked_symmetric(0.0), noise, smooth, grid })
}

/// Writes an exchange file.
///
/// # Errors
/// [`Error::Length`] when a vector does not fit the matrix or a number does not fit 32 bits; [`Error::Write`].
pub fn write(path: &Path, system: &Exchange) -> Result<()> {
    let (a, n) = (&system.matrix, system.matrix.rows());
    let cells = system.grid.as_ref().map(|(_, cells)| cells);
    let lengths = [
        ("the columns of the matrix", n, a.cols()),
        ("noise", n, system.noise.len()),
        ("smooth", n, system.smooth.len()),
        ("cells", n, cells.map_or(n, Vec::len)),
        ("the matrix of an exchange file", a.nonzeros().min(i32::MAX as usize), a.nonzeros()),
    ];
    for (what, expected, got) in lengths {
        if expected != got {
            return Err(Error::Length { what: what.into(), expected, got });
        }
    }
    let (dim, sides) = system.grid.as_ref().map_or((0, [0; 3]), |(g, _)| (g.dim(), g.n()));
    draft::write(path, |w| {
        w.write_all(MAGIC)?;
        for v in [n, a.nonzeros(), dim, sides[0], sides[1], sides[2], usize::from(cells.is_some()), 0] {
            w.write_all(&(v as i64).to_le_bytes())?;
        }
        let pad = |count: usize| &[0u8; 4][..count % 2 * 4];
        a.offsets().iter().try_for_each(|v| w.write_all(&(v as i32).to_le_bytes()))?;
        w.write_all(pad(n + 1))?;
        a.columns().iter().try_for_each(|v| w.write_all(&v.to_le_bytes()))?;
        w.write_all(pad(a.nonzeros()))?;
        for reals in [a.values(), &system.noise, &system.smooth] {
            reals.iter().try_for_each(|v| w.write_all(&v.to_le_bytes()))?;
        }
        cells.into_iter().flatten().try_for_each(|v| w.write_all(&v.to_le_bytes()))
    })
}
