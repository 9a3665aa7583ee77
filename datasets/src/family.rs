//! The registry of Poisson problem families. A family is one file in `family/` and one row in [`FAMILIES`].
//!
//! Every family is a scene: a function of position and seed, sampled at the centres of n^d cells of side h = 1/n, so
//! that a finer grid shows the same scene. The last dimension points up. Operators are scaled by h².

mod aniso;
mod channels;
mod dam;
mod dirichlet_box;
mod gyroid;
mod neumann;
mod smoke;
mod spheres;

use crate::flow::Motion;
use crate::manufactured::Manufactured;
use crate::problem::Problem;
use crate::rhs::RhsKind;
use crate::scene::close_pockets;
use crate::{Error, Result};
use resolvent::{Boundaries, Boundary, Cell, FlagLaplacian, Grid, Stencil};

/// Every family, in the order of their listing.
pub static FAMILIES: [Family; 8] = [
    dirichlet_box::FAMILY,
    neumann::FAMILY,
    smoke::FAMILY,
    gyroid::FAMILY,
    dam::FAMILY,
    spheres::FAMILY,
    channels::FAMILY,
    aniso::FAMILY,
];

/// A family of problems.
#[derive(Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// The dimensions it exists in, the default first.
    pub dims: &'static [usize],
    /// Whether the scene depends on the frame.
    pub moves: bool,
    /// The right-hand sides it has, the default first.
    pub rhs: &'static [RhsKind],
    pub(crate) build: fn(&Case) -> Result<Parts>,
}

/// Which member of a family.
///
/// ```
/// use resolvent_datasets::{Family, Parameters, RhsKind};
/// let problem = Family::named("spheres")?.problem(Parameters::new(16).seed(3))?;
/// let b = problem.rhs(RhsKind::Noise)?;
/// assert_eq!(b.len(), 16 * 16 * 16);
/// # Ok::<(), resolvent_datasets::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    n: usize,
    dim: Option<usize>,
    seed: u64,
    frame: u32,
}

impl Parameters {
    /// n cells along each side, in the family's default dimension, seed 0, frame 0.
    pub const fn new(n: usize) -> Self {
        Self { n, dim: None, seed: 0, frame: 0 }
    }
    /// In 2-D or 3-D.
    pub const fn dim(self, dim: usize) -> Self {
        Self { dim: Some(dim), ..self }
    }
    /// With another seed.
    pub const fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }
    /// At frame t of a scene that moves.
    pub const fn frame(self, frame: u32) -> Self {
        Self { frame, ..self }
    }
}

/// Checked parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub grid: Grid,
    pub n: usize,
    pub dim: usize,
    pub seed: u64,
    pub frame: u32,
    family: &'static str,
}

/// What a family makes.
pub(crate) struct Parts {
    pub stencil: Stencil,
    pub sides: Boundaries,
    /// When not all cells are fluid.
    pub cells: Option<Vec<Cell>>,
    pub motion: Option<Box<Motion>>,
    pub solution: Option<Manufactured>,
}

impl Family {
    /// The family of a name.
    ///
    /// ```
    /// use resolvent_datasets::Family;
    /// assert_eq!(Family::named("dam")?.dims, [3, 2]);
    /// assert!(Family::named("damn").unwrap_err().to_string().contains("did you mean `dam`?"));
    /// # Ok::<(), resolvent_datasets::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Unknown`], which lists the known ones and the nearest.
    pub fn named(name: &str) -> Result<&'static Self> {
        FAMILIES
            .iter()
            .find(|f| f.name == name)
            .ok_or_else(|| Error::unknown("problem family", name, &FAMILIES.each_ref().map(|f| f.name)))
    }

    /// A member of the family. Everything is checked before anything large is allocated.
    ///
    /// # Errors
    /// [`Error::Size`] for n < 2 or more cells than 32 bits count; [`Error::Dimension`]; [`Error::Frame`];
    /// [`Error::Empty`] for a scene without fluid; [`Error::Memory`].
    pub fn problem(&'static self, parameters: Parameters) -> Result<Problem> {
        let case = self.case(parameters)?;
        Ok(Problem::new(self, case, (self.build)(&case)?))
    }

    /// Whether the family has such a member, without making it.
    ///
    /// # Errors
    /// As [`problem`](Self::problem), but for [`Error::Empty`] and [`Error::Memory`].
    pub fn check(&self, parameters: Parameters) -> Result<()> {
        self.case(parameters).map(drop)
    }

    fn case(&self, Parameters { n, dim, seed, frame }: Parameters) -> Result<Case> {
        let dim = dim.unwrap_or(self.dims[0]);
        if !self.dims.contains(&dim) {
            let dims = if self.dims.len() > 1 { "2-D and 3-D" } else { ["2-D", "3-D"][self.dims[0] - 2] };
            return Err(Error::Dimension { family: self.name, dim, dims });
        }
        if n < 2 {
            return Err(Error::Size { n, why: "a side needs at least two cells" });
        }
        if n.checked_pow(dim as u32).is_none_or(|cells| cells > u32::MAX as usize) {
            let why = if dim == 2 {
                "n² cells are more than a 32-bit index counts; use n ≤ 65535"
            } else {
                "n³ cells are more than a 32-bit index counts; use n ≤ 1625"
            };
            return Err(Error::Size { n, why });
        }
        if frame != 0 && !self.moves {
            return Err(Error::Frame { family: self.name, frame });
        }
        let grid = if dim == 2 { Grid::new_2d(n, n)? } else { Grid::new_3d(n, n, n)? };
        Ok(Case { grid, n, dim, seed, frame, family: self.name })
    }
}

impl Case {
    /// The side of a cell.
    pub fn h(&self) -> f64 {
        1.0 / self.n as f64
    }

    /// Walls on all sides but the top, beyond which the value is prescribed at the next centre, as in air.
    pub fn open_top(&self) -> Boundaries {
        let mut sides = [[Boundary::Neumann; 2]; 3];
        sides[self.dim - 1][1] = Boundary::DIRICHLET_NODE;
        sides
    }

    /// The flag operator of a scene after its pockets are closed.
    pub fn among_solids(&self, mut cells: Vec<Cell>, sides: Boundaries) -> Result<Parts> {
        if close_pockets(self.grid, &sides, &mut cells)? == 0 {
            return Err(Error::Empty { family: self.family, n: self.n, seed: self.seed });
        }
        let stencil = FlagLaplacian::new(self.grid, &cells, sides)?.into();
        Ok(Parts { stencil, sides, cells: Some(cells), motion: None, solution: None })
    }
}
