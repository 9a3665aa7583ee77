//! Structured grids of cells and what happens on their faces.

use crate::{Error, Result};

/// What happens on one side of the box.
///
/// The unknowns are at cell centres; `distance` is from the last centre to where the value is prescribed, in cells:
/// ½ for a finite-volume cell whose face carries the value, 1 where the next node does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Boundary {
    /// The value is prescribed (its contribution is in the right-hand side).
    Dirichlet {
        /// Cells from the last centre to the prescribed value.
        distance: f64,
    },
    /// The flux is prescribed.
    Neumann,
    /// The opposite side is the neighbour; both sides of the dimension must say so.
    Periodic,
}

impl Boundary {
    /// The value is prescribed on the face of the last cell, half a cell away.
    pub const DIRICHLET: Self = Self::Dirichlet { distance: 0.5 };
    /// The value is prescribed at the next node, one cell away (vertex-centred grids).
    pub const DIRICHLET_NODE: Self = Self::Dirichlet { distance: 1.0 };

    /// The conductance to the prescribed value, where an inner face has 1.
    pub(crate) fn conductance(self) -> f64 {
        match self {
            Self::Dirichlet { distance } => 1.0 / distance,
            Self::Neumann | Self::Periodic => 0.0,
        }
    }
}

/// The boundary of a box: `[[x low, x high], [y low, y high], [z low, z high]]`. In 2-D the last pair is not used.
pub type Boundaries = [[Boundary; 2]; 3];

/// A box of cells, 2-D or 3-D. Cell (i, j, k) has index `i + nx (j + ny k)`: x runs fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    n: [usize; 3],
    dim: usize,
}

impl Grid {
    /// nx × ny cells.
    ///
    /// # Errors
    /// [`Error::Grid`] when a side is 0 or the cells cannot be counted in 32 bits.
    pub fn new_2d(nx: usize, ny: usize) -> Result<Self> {
        Self::checked([nx, ny, 1], 2)
    }

    /// nx × ny × nz cells.
    ///
    /// # Errors
    /// [`Error::Grid`] when a side is 0 or the cells cannot be counted in 32 bits.
    pub fn new_3d(nx: usize, ny: usize, nz: usize) -> Result<Self> {
        Self::checked([nx, ny, nz], 3)
    }

    fn checked(n: [usize; 3], dim: usize) -> Result<Self> {
        if n.contains(&0) {
            return Err(Error::Grid { n, why: "every side needs at least one cell" });
        }
        let cells = n[0].checked_mul(n[1]).and_then(|c| c.checked_mul(n[2]));
        match cells {
            Some(c) if c <= u32::MAX as usize => Ok(Self { n, dim }),
            _ => Err(Error::Grid { n, why: "more cells than a 32-bit index counts; use a coarser grid" }),
        }
    }

    /// Cells along x, y, z (z is 1 in 2-D).
    pub fn n(self) -> [usize; 3] {
        self.n
    }
    /// 2 or 3.
    pub fn dim(self) -> usize {
        self.dim
    }
    /// How many cells there are.
    pub fn cells(self) -> usize {
        self.n[0] * self.n[1] * self.n[2]
    }
    /// The grid with half as many cells along each side: ⌈n/2⌉, of which an odd side's last covers one cell instead of two.
    pub fn halved(self) -> Self {
        Self { n: self.n.map(|n| n.div_ceil(2)), ..self }
    }
    /// The index of cell (i, j, k).
    pub fn index(self, [i, j, k]: [usize; 3]) -> usize {
        i + self.n[0] * (j + self.n[1] * k)
    }
    /// The cell of an index.
    pub fn cell(self, index: usize) -> [usize; 3] {
        [index % self.n[0], index / self.n[0] % self.n[1], index / (self.n[0] * self.n[1])]
    }
}

/// Checks that distances are positive and periodic sides come in pairs.
///
/// # Errors
/// [`Error::Parameter`].
pub(crate) fn check_boundaries(grid: Grid, sides: &Boundaries) -> Result<()> {
    for pair in &sides[..grid.dim()] {
        for side in pair {
            if let Boundary::Dirichlet { distance } = *side
                && !(distance.is_finite() && distance > 0.0)
            {
                return Err(Error::Parameter {
                    name: "distance",
                    value: distance,
                    needs: "a positive distance in cells",
                });
            }
        }
        if (pair[0] == Boundary::Periodic) != (pair[1] == Boundary::Periodic) {
            return Err(Error::Parameter {
                name: "boundary",
                value: f64::NAN,
                needs: "both sides of a dimension must be periodic, or neither",
            });
        }
    }
    Ok(())
}
