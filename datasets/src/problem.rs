//! One member of a family: its operator and its right-hand sides.

use crate::error::allocate;
use crate::family::{Case, Family, Parts};
use crate::field::bump;
use crate::flow::{CurlNoise, Motion, divergence};
use crate::manufactured::Manufactured;
use crate::random::Stream;
use crate::rhs::RhsKind;
use crate::scene::centre;
use crate::system::LinearSystem;
use crate::{Error, Result};
use rayon::prelude::*;
use resolvent::{Boundaries, Cell, Grid, Stencil};

/// A Poisson problem on a grid of n^d cells of side h = 1/n. Vectors have an entry for every cell of the grid, zero in
/// cells that carry no unknown.
///
/// ```
/// use resolvent::{Cg, Host, Map, Multigrid, MultigridOptions, Status, Stop};
/// use resolvent_datasets::{Family, Parameters, RhsKind};
/// let problem = Family::named("box")?.problem(Parameters::new(16))?;
/// let (a, b) = (problem.stencil(), problem.rhs(RhsKind::Manufactured)?);
/// let (space, m) = (Host::<f64>::new(), Multigrid::<f32>::new(a, MultigridOptions::default())?);
/// let mut x = vec![0.0; a.shape().cols];
/// let report = Cg::new(&space, b.len(), Stop::default())?.solve(&space, a, Some(&m), &b, &mut x)?;
/// assert_eq!(report.status, Status::Converged);
/// let exact = problem.exact()?.expect("box has a stated solution");
/// let error = x.iter().zip(&exact).map(|(x, u)| (x - u).abs()).fold(0.0, f64::max);
/// assert!(error < 2.0 * problem.h() * problem.h());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Problem {
    family: &'static Family,
    case: Case,
    stencil: Stencil,
    sides: Boundaries,
    cells: Option<Vec<Cell>>,
    motion: Option<Box<Motion>>,
    solution: Option<Manufactured>,
}

impl Problem {
    pub(crate) fn new(family: &'static Family, case: Case, parts: Parts) -> Self {
        let Parts { stencil, sides, cells, motion, solution } = parts;
        Self { family, case, stencil, sides, cells, motion, solution }
    }

    /// The family it is of.
    pub fn family(&self) -> &'static Family {
        self.family
    }
    /// Cells along each side.
    pub fn n(&self) -> usize {
        self.case.n
    }
    /// 2 or 3.
    pub fn dim(&self) -> usize {
        self.case.dim
    }
    /// The seed of the scene and of the right-hand sides.
    pub fn seed(&self) -> u64 {
        self.case.seed
    }
    /// The frame of a scene that moves.
    pub fn frame(&self) -> u32 {
        self.case.frame
    }
    /// The grid.
    pub fn grid(&self) -> Grid {
        self.case.grid
    }
    /// The side of a cell, 1/n.
    pub fn h(&self) -> f64 {
        self.case.h()
    }
    /// The operator, scaled by h².
    pub fn stencil(&self) -> &Stencil {
        &self.stencil
    }
    /// What happens on the sides of the grid.
    pub fn sides(&self) -> &Boundaries {
        &self.sides
    }
    /// What the cells are filled with, pockets closed; `None` when all are fluid.
    pub fn cells(&self) -> Option<&[Cell]> {
        self.cells.as_deref()
    }

    /// The stated solution at the cell centres, `[grid.cells()]`, where the family has one: what
    /// [`RhsKind::Manufactured`] leads to, up to the error of discretisation, O(h²).
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn exact(&self) -> Result<Option<Vec<f64>>> {
        self.solution.map(|u| u.at_centres(self.grid(), self.h())).transpose()
    }

    /// A right-hand side, `[grid.cells()]`, scaled by h² like the operator. Mean-free when the operator is singular.
    ///
    /// # Errors
    /// [`Error::RightHandSide`] when the family does not have this kind; [`Error::Memory`].
    pub fn rhs(&self, kind: RhsKind) -> Result<Vec<f64>> {
        self.rhs_number(kind, 0)
    }

    /// One of a series of right-hand sides in the same scene, number 0 being [`rhs`](Self::rhs). Noise and flow are drawn
    /// anew for each; the other kinds have a single member, which every number gives.
    ///
    /// # Errors
    /// As [`rhs`](Self::rhs).
    pub fn rhs_number(&self, kind: RhsKind, number: u64) -> Result<Vec<f64>> {
        let seed = self.seed() ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        if !self.family.rhs.contains(&kind) {
            let known = self.family.rhs.iter().map(|k| k.name()).collect::<Vec<_>>().join(", ");
            return Err(Error::RightHandSide { family: self.family.name, kind: kind.name(), known });
        }
        let (grid, h, dim) = (self.grid(), self.h(), self.dim());
        let mut b = match (kind, &self.solution) {
            (RhsKind::Manufactured, Some(u)) => u.right_hand_side(grid, h, &self.sides)?,
            (RhsKind::Flow, _) => {
                let fluid;
                let cells = match &self.cells {
                    Some(cells) => cells,
                    None => {
                        fluid = allocate("the cells of a scene", grid.cells(), Cell::Fluid)?;
                        &fluid
                    }
                };
                divergence(grid, cells, &self.sides, &CurlNoise::new(seed, dim), self.motion.as_deref())?
            }
            (RhsKind::Smooth, _) => self.sample(|index| h * h * bump(centre(grid, h, index), dim))?,
            _ => {
                let stream = Stream::new(seed, "right-hand side");
                self.sample(|index| stream.normal(index as u64))?
            }
        };
        if self.stencil.is_singular() {
            self.remove_mean(&mut b);
        }
        Ok(b)
    }

    /// The system of a right-hand side: the matrix, and of every vector the entries that are unknowns.
    ///
    /// # Errors
    /// As [`rhs`](Self::rhs).
    pub fn system(&self, kind: RhsKind) -> Result<LinearSystem> {
        let b = self.rhs(kind)?;
        let (matrix, cells) = self.stencil.to_csr()?;
        let gather = |v: Vec<f64>| cells.iter().map(|c| v[*c as usize]).collect::<Vec<f64>>();
        let exact = if kind == RhsKind::Manufactured { self.exact()? } else { None };
        let mut meta = vec![
            ("family".to_owned(), self.family.name.to_owned()),
            ("n".to_owned(), self.n().to_string()),
            ("dim".to_owned(), self.dim().to_string()),
            ("seed".to_owned(), self.seed().to_string()),
            ("rhs".to_owned(), kind.name().to_owned()),
        ];
        if self.family.moves {
            meta.push(("frame".to_owned(), self.frame().to_string()));
        }
        Ok(LinearSystem {
            rhs: Some(gather(b)),
            solution: exact.map(gather),
            grid: Some((self.grid(), cells.clone())),
            matrix,
            meta,
        })
    }

    fn is_fluid(&self, index: usize) -> bool {
        self.cells.as_ref().is_none_or(|cells| cells[index] == Cell::Fluid)
    }

    fn sample(&self, f: impl Fn(usize) -> f64 + Sync) -> Result<Vec<f64>> {
        let mut b = allocate("a right-hand side", self.grid().cells(), 0.0)?;
        b.par_iter_mut()
            .enumerate()
            .filter(|(index, _)| self.is_fluid(*index))
            .for_each(|(index, b)| *b = f(index));
        Ok(b)
    }

    /// Sums in index order, so that the result has the same bits everywhere.
    fn remove_mean(&self, b: &mut [f64]) {
        let (mut sum, mut count) = (0.0, 0usize);
        for (index, v) in b.iter().enumerate() {
            if self.is_fluid(index) {
                sum += v;
                count += 1;
            }
        }
        let mean = sum / count as f64;
        b.par_iter_mut().enumerate().filter(|(index, _)| self.is_fluid(*index)).for_each(|(_, b)| *b -= mean);
    }
}
