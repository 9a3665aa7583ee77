//! The network of directions that comes with the library, for 3 dimensions.
//!
//! The file in the folder `learned` was written by
//!
//! ```sh
//! resolvent train residuals.toml --out runs/directions
//! resolvent train energies.toml --resume runs/directions --changed
//! ```
//!
//! with the two configurations beside it; `docs/learned-directions.md` has the commands that make their data.

use super::Model;
use crate::learn::Checkpoint;
use crate::{Error, Result};
use std::path::Path;

/// The file.
const FILE: (&str, &[u8]) = ("learned/3d.safetensors", include_bytes!("learned/3d.safetensors"));

impl Model {
    /// The linear network that was trained for grids of `dim` dimensions, with and without solids and air.
    ///
    /// ```
    /// use resolvent::direction::Model;
    /// use resolvent::{Boundary, FlexibleCg, Grid, Host, Poisson, Status, Stop};
    /// let grid = Grid::new_3d(20, 20, 20)?;
    /// let a = Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3])?;
    /// let proposal = Model::learned(3)?.on(&a.clone().into())?;
    /// let (space, b, mut x) = (Host::<f64>::new(), vec![1.0; 8000], vec![0.0; 8000]);
    /// let mut solver = FlexibleCg::with_memory(&space, 8000, Stop::rtol(1e-4), 2)?;
    /// let report = solver.solve(&space, &a, Some(&proposal), &b, &mut x)?;
    /// assert!(report.status == Status::Converged && report.steps < 20);
    /// # Ok::<(), resolvent::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Unsuited`] for another dimension than 3.
    pub fn learned(dim: usize) -> Result<Self> {
        if dim != 3 {
            return Err(Error::Unsuited {
                what: "the network of directions that comes with the library",
                needs: "a grid in 3-D",
                mend: "give a network for these, `--model FILE.safetensors` on the command line: `resolvent train` makes it",
            });
        }
        Self::take(Checkpoint::from_bytes(Path::new(FILE.0), FILE.1)?)
    }
}
