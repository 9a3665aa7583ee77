//! Sparse matrices recognised as structured operators.

use super::Stencil;
use super::faces::{FaceLaplacian, Faces};
use super::flags::FlagLaplacian;
use super::poisson::{Poisson, axes, extent};
use super::rows::Extent;
use crate::error::check_len;
use crate::grid::{Boundaries, Boundary, Grid};
use crate::{Csr, Error, Result};

/// Relative to the diagonal: what is rounding and not a coefficient.
const ROUNDING: f64 = 1e-12;

impl Stencil {
    /// The structured operator whose unknowns sit in `cells` (ascending, one for each row) and whose matrix is `a`: constant
    /// coefficients where they are, flags where every coupling is −1, diagonals are whole numbers and each side prescribes
    /// the same for all its cells, else faces with sinks. Sides are not periodic.
    ///
    /// # Errors
    /// [`Error::Length`]; [`Error::Structure`] naming the first row that is no 5- or 7-point row with couplings ≤ 0, a
    /// symmetric partner and a diagonal that at least makes up for them.
    pub fn from_csr(grid: Grid, a: &Csr<f64>, cells: &[u32]) -> Result<Self> {
        check_len("cells", a.rows(), cells.len())?;
        check_len("the matrix's columns", a.rows(), a.cols())?;
        if let Some(row) = (0..cells.len())
            .find(|&r| cells[r] as usize >= grid.cells() || (r > 0 && cells[r] <= cells[r - 1]))
        {
            return Err(Error::Structure {
                row,
                why: "its cell is outside the grid or not above the one before",
            });
        }
        let read = Read::new(grid, a, cells)?;
        if let Some(poisson) = read.poisson()? {
            return Ok(poisson.into());
        }
        if let Some(flags) = read.flags() {
            return Ok(flags.into());
        }
        Ok(read.faces().into())
    }
}

/// Couplings and diagonals, cell by cell.
struct Read {
    grid: Grid,
    extent: Extent,
    /// The coupling of each cell to the one above along each axis.
    up: [Vec<f64>; 3],
    diagonal: Vec<f64>,
}

impl Read {
    fn new(grid: Grid, a: &Csr<f64>, cells: &[u32]) -> Result<Self> {
        let extent = extent(grid, &[[Boundary::Neumann; 2]; 3]);
        let [nx, ny, _] = extent.n;
        let stride = [1, nx, nx * ny];
        let mut up = [const { Vec::new() }; 3];
        for v in &mut up {
            *v = vec![0.0; grid.cells()];
        }
        let mut diagonal = vec![0.0; grid.cells()];
        for (row, &cell) in cells.iter().enumerate() {
            let cell = cell as usize;
            let at = [cell % nx, cell / nx % ny, cell / (nx * ny)];
            let (columns, values) = a.row(row);
            for (&column, &value) in columns.iter().zip(values) {
                let other = cells[column as usize] as usize;
                if other == cell {
                    diagonal[cell] = value;
                    continue;
                }
                let axis = (0..3).rev().find(|&d| other.abs_diff(cell) == stride[d] && extent.n[d] > 1);
                let Some(axis) =
                    axis.filter(|&d| if other > cell { at[d] + 1 < extent.n[d] } else { at[d] > 0 })
                else {
                    return Err(Error::Structure { row, why: "it couples cells that do not share a face" });
                };
                if value > 0.0 {
                    return Err(Error::Structure { row, why: "a coupling is positive" });
                }
                if other > cell {
                    up[axis][cell] = -value;
                } else if (up[axis][other] + value).abs() > ROUNDING * value.abs() {
                    return Err(Error::Structure { row, why: "a coupling differs from its mirror image" });
                }
            }
            if diagonal[cell] <= 0.0 {
                return Err(Error::Structure { row, why: "its diagonal is not positive" });
            }
        }
        let read = Self { grid, extent, up, diagonal };
        for (row, &cell) in cells.iter().enumerate() {
            if read.excess(cell as usize) < 0.0 {
                return Err(Error::Structure { row, why: "its couplings outweigh its diagonal" });
            }
            let couplings = (0..3).flat_map(|d| read.pair(d, cell as usize)).filter(|g| *g != 0.0).count();
            if a.row(row).0.len() > couplings + 1 + a.row(row).1.iter().filter(|v| **v == 0.0).count() {
                return Err(Error::Structure { row, why: "a coupling has no mirror image" });
            }
        }
        Ok(read)
    }

    fn at(&self, cell: usize) -> [usize; 3] {
        let [nx, ny, _] = self.extent.n;
        [cell % nx, cell / nx % ny, cell / (nx * ny)]
    }

    /// The couplings of a cell below and above along an axis.
    fn pair(&self, axis: usize, cell: usize) -> [f64; 2] {
        let stride = [1, self.extent.n[0], self.extent.n[0] * self.extent.n[1]][axis];
        let low = if self.at(cell)[axis] > 0 { self.up[axis][cell - stride] } else { 0.0 };
        [low, self.up[axis][cell]]
    }

    /// What the diagonal has beyond the couplings, without rounding.
    fn excess(&self, cell: usize) -> f64 {
        let sum: f64 = (0..3).map(|d| self.pair(d, cell).iter().sum::<f64>()).sum();
        let excess = self.diagonal[cell] - sum;
        if excess.abs() <= ROUNDING * self.diagonal[cell] { 0.0 } else { excess }
    }

    /// The sides of the box that a cell touches.
    fn touched(&self, cell: usize) -> impl Iterator<Item = (usize, usize)> {
        let (at, n) = (self.at(cell), self.extent.n);
        (0..3).filter(move |&d| n[d] > 1).flat_map(move |d| {
            [(d, 0, at[d] == 0), (d, 1, at[d] + 1 == n[d])].into_iter().filter(|s| s.2).map(|s| (s.0, s.1))
        })
    }

    /// The conductance to a prescribed value on each side, if every cell that touches that side alone has the same.
    fn ends(&self) -> Option<[[f64; 2]; 3]> {
        let mut ends = [[None; 2]; 3];
        for cell in 0..self.diagonal.len() {
            if self.diagonal[cell] == 0.0 {
                continue;
            }
            let mut touched = self.touched(cell);
            if let (Some((d, end)), None) = (touched.next(), touched.next()) {
                let excess = self.excess(cell);
                let known: &mut Option<f64> = &mut ends[d][end];
                match *known {
                    Some(e) if (e - excess).abs() > ROUNDING * self.diagonal[cell] => return None,
                    Some(_) => {}
                    None => *known = Some(excess),
                }
            }
        }
        Some(ends.map(|pair| pair.map(|e| e.unwrap_or(0.0))))
    }

    fn sides(&self, ends: [[f64; 2]; 3], c: [f64; 3]) -> Boundaries {
        let mut sides = [[Boundary::Neumann; 2]; 3];
        for d in 0..self.grid.dim() {
            let axis = axes(self.grid)[d];
            for end in 0..2 {
                if ends[axis][end] > 0.0 {
                    sides[d][end] = Boundary::Dirichlet { distance: c[axis] / ends[axis][end] };
                }
            }
        }
        sides
    }

    fn poisson(&self) -> Result<Option<Poisson>> {
        if self.diagonal.contains(&0.0)
            || self.extent.n.iter().zip([0, 1, 2]).any(|(n, d)| *n < 3 && (d != 1 || self.grid.dim() == 3))
        {
            return Ok(None);
        }
        let Some(ends) = self.ends() else { return Ok(None) };
        let mut c = [1.0; 3];
        for d in 0..3 {
            if self.extent.n[d] > 1 {
                c[d] = self.up[d][0];
            }
        }
        for cell in 0..self.diagonal.len() {
            let (at, tolerance) = (self.at(cell), ROUNDING * self.diagonal[cell]);
            for d in (0..3).filter(|&d| at[d] + 1 < self.extent.n[d]) {
                if (self.up[d][cell] - c[d]).abs() > tolerance || c[d] == 0.0 {
                    return Ok(None);
                }
            }
            let expected: f64 = self.touched(cell).map(|(d, end)| ends[d][end]).sum();
            if (self.excess(cell) - expected).abs() > 10.0 * tolerance {
                return Ok(None);
            }
        }
        let mut conductance = [1.0; 3];
        for d in 0..self.grid.dim() {
            conductance[d] = c[axes(self.grid)[d]];
        }
        Poisson::anisotropic(self.grid, self.sides(ends, c), conductance).map(Some)
    }

    fn flags(&self) -> Option<FlagLaplacian> {
        for cell in 0..self.diagonal.len() {
            let d = self.diagonal[cell];
            if d.fract() != 0.0 || d > 255.0 {
                return None;
            }
            let at = self.at(cell);
            for axis in (0..3).filter(|&a| at[a] + 1 < self.extent.n[a]) {
                let stride = [1, self.extent.n[0], self.extent.n[0] * self.extent.n[1]][axis];
                let both = d > 0.0 && self.diagonal[cell + stride] > 0.0;
                if self.up[axis][cell] != f64::from(u8::from(both)) {
                    return None;
                }
            }
        }
        let ends = self.ends()?.map(|p| p.map(|e| e as u8));
        // Where a corner has less than its sides together, the rest is no side's.
        let short = (0..self.diagonal.len()).any(|cell| {
            let sides: f64 = self.touched(cell).map(|(d, end)| f64::from(ends[d][end])).sum();
            self.diagonal[cell] > 0.0 && self.excess(cell) < sides
        });
        let ends = if short { [[0; 2]; 3] } else { ends };
        let bytes = self.diagonal.iter().map(|d| *d as u8).collect();
        let sides = self.sides(ends.map(|p| p.map(f64::from)), [1.0; 3]);
        Some(FlagLaplacian::from_bytes(self.grid, bytes, ends, sides))
    }

    fn faces(&self) -> FaceLaplacian<f64> {
        let mut outer = [const { Vec::new() }; 3];
        for v in &mut outer {
            *v = vec![[0.0; 2]; self.diagonal.len()];
        }
        let mut sink = vec![0.0; self.diagonal.len()];
        for cell in 0..self.diagonal.len() {
            let excess = self.excess(cell);
            let sides = self.touched(cell).count();
            if sides == 0 {
                sink[cell] = excess;
            }
            for (d, end) in self.touched(cell) {
                outer[d][cell][end] = excess / sides as f64;
            }
        }
        let mut faces = Faces::from_fn(self.extent, self.grid.dim(), |axis, low, high| match (low, high) {
            (Some(a), Some(_)) => self.up[axis][a],
            (None, Some(b)) => outer[axis][b][0],
            (Some(a), None) => outer[axis][a][1],
            (None, None) => 0.0,
        });
        faces.sink = sink.iter().any(|s| *s > 0.0).then_some(sink);
        FaceLaplacian::from_faces(self.grid, faces)
    }
}
