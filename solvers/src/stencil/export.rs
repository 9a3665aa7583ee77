//! Structured operators as sparse matrices.

use super::Stencil;
use super::rows::{Row, Rows};
use crate::{Csr, Result};
use rayon::prelude::*;

/// Binds `$rows` to the coefficients of a stencil in f64.
macro_rules! with_rows {
    ($stencil:expr, |$rows:ident| $body:expr) => {
        match $stencil {
            Stencil::Poisson(a) => {
                let $rows = &a.inner.double;
                $body
            }
            Stencil::Flags(a) => {
                let $rows = &a.inner.double;
                $body
            }
            Stencil::Faces(a) => {
                let $rows = &*a.faces;
                $body
            }
        }
    };
}

impl Stencil {
    /// The matrix on the cells that carry an unknown, and the cell of each of its rows. Symmetric by construction and
    /// marked so; definite unless [`is_singular`](Self::is_singular).
    ///
    /// # Errors
    /// As [`Csr::new`]; none is expected.
    pub fn to_csr(&self) -> Result<(Csr<f64>, Vec<u32>)> {
        let (matrix, cells) = with_rows!(self, |rows| export(rows))?;
        let properties =
            if self.is_singular() { crate::Properties::SYMMETRIC } else { crate::Properties::SPD };
        Ok((matrix.assume(properties), cells))
    }

    /// The diagonal, `[grid.cells()]`; 0 in cells that take no part.
    pub fn diagonal(&self) -> Vec<f64> {
        with_rows!(self, |rows| diagonal(rows))
    }

    /// Whether a cell carries an unknown.
    pub fn is_active(&self, cell: usize) -> bool {
        let [nx, ny, _] = with_rows!(self, |rows| Rows::<f64>::extent(rows)).n;
        // SAFETY: the remainder is less than nx; rows outside the box are caught by the row's own slicing.
        with_rows!(self, |rows| unsafe {
            Row::<f64>::diag(rows.row(cell / nx % ny, cell / (nx * ny)), cell % nx) > 0.0
        })
    }

    /// Stored entries of the matrix, without making it.
    pub fn nonzeros(&self) -> usize {
        with_rows!(self, |rows| {
            let [_, ny, nz] = Rows::<f64>::extent(rows).n;
            (0..ny * nz).into_par_iter().map(|r| row_entries(rows, r % ny, r / ny, |_| ())).sum()
        })
    }
}

fn diagonal<R: Rows<f64>>(rows: &R) -> Vec<f64> {
    let e = rows.extent();
    let [nx, ny, _] = e.n;
    let mut d = vec![0.0; e.cells()];
    d.par_chunks_mut(nx).enumerate().for_each(|(r, d)| {
        let row = rows.row(r % ny, r / ny);
        for (i, d) in d.iter_mut().enumerate() {
            // SAFETY: i < nx.
            *d = unsafe { row.diag(i) };
        }
    });
    d
}

/// Calls `put` with the entries (cell, cell of the column, value) of one row of cells, columns ascending; counts them.
fn row_entries<R: Rows<f64>>(
    rows: &R,
    j: usize,
    k: usize,
    mut put: impl FnMut((usize, usize, f64)),
) -> usize {
    let e = rows.extent();
    let row = rows.row(j, k);
    let mut count = 0;
    for i in 0..e.n[0] {
        // SAFETY: i < nx.
        let d = unsafe { row.diag(i) };
        if d <= 0.0 {
            continue;
        }
        let (at, cell) = ([i, j, k], i + e.start(j, k));
        let mut entries = [(usize::MAX, 0.0); 7];
        entries[6] = (cell, d);
        for q in 0..6 {
            let Some(next) = e.next(q / 2, at[q / 2], q % 2 == 1) else { continue };
            let mut there = at;
            there[q / 2] = next;
            let mut unit = [0.0; 6];
            unit[q] = 1.0;
            // SAFETY: i < nx, and the neighbour lies in the box.
            let (g, active) =
                unsafe { (row.off(i, unit), rows.row(there[1], there[2]).diag(there[0]) > 0.0) };
            if active && g != 0.0 {
                entries[q] = (there[0] + e.start(there[1], there[2]), -g);
            }
        }
        entries.sort_unstable_by_key(|e| e.0);
        // Two cells on a ring are neighbours twice.
        for q in 0..7 {
            let (column, value) = entries[q];
            if column == usize::MAX {
                break;
            }
            if q < 6 && entries[q + 1].0 == column {
                entries[q + 1].1 += value;
                continue;
            }
            count += 1;
            put((cell, column, value));
        }
    }
    count
}

fn export<R: Rows<f64>>(rows: &R) -> Result<(Csr<f64>, Vec<u32>)> {
    let e = rows.extent();
    let [_, ny, nz] = e.n;
    let diagonal = diagonal(rows);
    let cells: Vec<u32> = (0..e.cells()).filter(|&c| diagonal[c] > 0.0).map(|c| c as u32).collect();
    let mut number = vec![u32::MAX; e.cells()];
    cells.iter().enumerate().for_each(|(r, &c)| number[c as usize] = r as u32);
    let pieces: Vec<(Vec<usize>, Vec<u32>, Vec<f64>)> = (0..ny * nz)
        .into_par_iter()
        .map(|r| {
            let (mut ends, mut columns, mut values) = (Vec::new(), Vec::new(), Vec::new());
            let mut last = usize::MAX;
            row_entries(rows, r % ny, r / ny, |(cell, column, value)| {
                if cell != last {
                    ends.push(0);
                    last = cell;
                }
                columns.push(number[column]);
                values.push(value);
                *ends.last_mut().expect("just pushed") = columns.len();
            });
            (ends, columns, values)
        })
        .collect();
    let total = pieces.iter().map(|p| p.1.len()).sum();
    let (mut offsets, mut columns, mut values) =
        (Vec::with_capacity(cells.len() + 1), Vec::with_capacity(total), Vec::with_capacity(total));
    offsets.push(0);
    for (ends, c, v) in pieces {
        let base = columns.len();
        offsets.extend(ends.into_iter().map(|end| base + end));
        columns.extend(c);
        values.extend(v);
    }
    Ok((Csr::new(cells.len(), cells.len(), offsets, columns, values)?, cells))
}
