//! Numbers of cycles that were learned, for 2 and 3 dimensions.
//!
//! Each file in the folder `learned` was written by the command
//!
//! ```sh
//! resolvent train solvers/src/multigrid/learned/3d.toml
//! ```
//!
//! in a few minutes on two cores, from geometries of at most 32³ cells drawn at random; the same seed gives the same bits.

use super::MultigridOptions;
use super::tuning::Tuning;
use crate::learn::Checkpoint;
use crate::{Error, Result};
use std::path::Path;

/// The files, by dimension.
const FILES: [(usize, &str, &[u8]); 2] = [
    (2, "learned/2d.safetensors", include_bytes!("learned/2d.safetensors")),
    (3, "learned/3d.safetensors", include_bytes!("learned/3d.safetensors")),
];

impl Tuning {
    /// What was learned for grids of `dim` dimensions with solids and air.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a dimension that is not 2 or 3.
    pub fn learned(dim: usize) -> Result<Self> {
        let Some((_, name, bytes)) = FILES.iter().find(|file| file.0 == dim) else {
            let needs = "cycles were learned for 2 and 3 dimensions";
            return Err(Error::Parameter { name: "dim", value: dim as f64, needs });
        };
        Self::take(Checkpoint::from_bytes(Path::new(name), bytes)?, dim)
    }
}

impl MultigridOptions {
    /// The learned cycle for grids of `dim` dimensions.
    ///
    /// ```
    /// use resolvent::{Boundary, Cell, Cg, FlagLaplacian, Grid, Host, Multigrid, MultigridOptions, Status, Stencil, Stop};
    /// let grid = Grid::new_3d(20, 20, 20)?;
    /// let solid = |at: [usize; 3]| at[0].abs_diff(10) < 3 && at[1].abs_diff(8) < 4;
    /// let cells: Vec<Cell> =
    ///     (0..grid.cells()).map(|c| if solid(grid.cell(c)) { Cell::Solid } else { Cell::Fluid }).collect();
    /// let a = Stencil::from(FlagLaplacian::new(grid, &cells, [[Boundary::DIRICHLET; 2]; 3])?);
    /// let m = Multigrid::<f32>::new(&a, MultigridOptions::learned(3)?)?;
    /// let (space, mut x) = (Host::<f64>::new(), vec![0.0; grid.cells()]);
    /// let b: Vec<f64> = (0..grid.cells()).map(|c| if a.is_active(c) { 1.0 } else { 0.0 }).collect();
    /// let report = Cg::new(&space, b.len(), Stop::rtol(1e-6))?.solve(&space, &a, Some(&m), &b, &mut x)?;
    /// assert!(report.status == Status::Converged && report.steps <= 6);
    /// # Ok::<(), resolvent::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Tuning::learned`].
    pub fn learned(dim: usize) -> Result<Self> {
        Ok(Self::tuned(Tuning::learned(dim)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_numbers_for_2_and_3_dimensions_and_no_others() {
        for dim in [2, 3] {
            assert_ne!(Tuning::learned(dim).unwrap(), Tuning::CLASSICAL);
            let bytes = FILES[dim - 2].2;
            let other = Tuning::take(Checkpoint::from_bytes(Path::new("2d"), bytes).unwrap(), 5 - dim);
            assert!(matches!(other, Err(Error::Checkpoint { .. })));
        }
        assert!(matches!(Tuning::learned(1), Err(Error::Parameter { .. })));
    }
}
