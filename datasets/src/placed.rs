//! A system as its operator works on it: on the whole grid where there is one.

use crate::error::allocate;
use crate::random::Stream;
use crate::{Error, LinearSystem, Problem, Result, RhsKind};
use resolvent::{Grid, Host, LinearOperator, Map, Matrix, Stencil};

/// A matrix with its right-hand side, laid out as its operator wants vectors: an entry for every cell of the grid when the
/// matrix was recognised as a grid Laplacian, else one for every row.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The matrix.
    pub matrix: Matrix,
    /// b, of the matrix's length.
    pub rhs: Option<Vec<f64>>,
    /// The grid, and the cell of each row: `[unknowns]`.
    pub grid: Option<(Grid, Vec<u32>)>,
    /// Why the grid of a system could not be used, if it could not.
    pub remark: Option<String>,
}

impl LinearSystem {
    /// Lays the system out for solving. A matrix on a grid that is no grid Laplacian is taken as it is, with a remark.
    ///
    /// # Errors
    /// [`Error::Solver`] for a matrix that is not square; [`Error::Memory`].
    pub fn place(self) -> Result<Placed> {
        let Self { matrix, rhs, grid, .. } = self;
        if matrix.rows() != matrix.cols() {
            let needs = "a square matrix, which this one is not";
            let mend = "use a system with as many equations as unknowns, or its normal equations AᵀAx = Aᵀb";
            return Err(resolvent::Error::Unsuited { what: "a solve", needs, mend }.into());
        }
        let mut remark = None;
        if let Some((shape, cells)) = grid.as_ref() {
            match Stencil::from_csr(*shape, &matrix, cells) {
                Ok(stencil) => {
                    let rhs = rhs.map(|b| scatter(*shape, cells, &b)).transpose()?;
                    return Ok(Placed { matrix: stencil.into(), rhs, grid, remark });
                }
                Err(e) => remark = Some(format!("the grid is not used: {e}")),
            }
        }
        Ok(Placed { matrix: Matrix::from_sparse(matrix), rhs, grid, remark })
    }
}

impl Placed {
    /// A member of a family with a right-hand side; no matrix is assembled.
    ///
    /// # Errors
    /// As [`Problem::rhs`].
    pub fn from_problem(problem: &Problem, kind: RhsKind) -> Result<Self> {
        let rhs = Some(problem.rhs(kind)?);
        let stencil = problem.stencil();
        let active = stencil.active();
        let cells = if active == problem.grid().cells() {
            (0..active as u32).collect()
        } else {
            (0..problem.grid().cells() as u32).filter(|c| stencil.is_active(*c as usize)).collect()
        };
        let grid = Some((problem.grid(), cells));
        Ok(Self { matrix: stencil.clone().into(), rhs, grid, remark: None })
    }

    /// Whether vectors have an entry for every cell of the grid.
    pub fn is_structured(&self) -> bool {
        matches!(self.matrix, Matrix::Structured(_))
    }

    /// The entries of a vector that are unknowns, in the order of the rows.
    pub fn gather(&self, v: &[f64]) -> Vec<f64> {
        match &self.grid {
            Some((_, cells)) if self.is_structured() => cells.iter().map(|c| v[*c as usize]).collect(),
            _ => v.to_vec(),
        }
    }

    /// A vector of the operator's length from one of the rows'.
    ///
    /// # Errors
    /// [`Error::Length`] when it is not as long as the rows; [`Error::Memory`].
    pub fn scatter(&self, v: Vec<f64>) -> Result<Vec<f64>> {
        let expected = self.matrix.unknowns();
        if v.len() != expected {
            return Err(Error::Length { what: "a vector of the unknowns".into(), expected, got: v.len() });
        }
        match &self.grid {
            Some((grid, cells)) if self.is_structured() => scatter(*grid, cells, &v),
            _ => Ok(v),
        }
    }

    /// A seeded right-hand side of independent normals, in the range of the matrix.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn noise(&self, seed: u64) -> Result<Vec<f64>> {
        let mut b = allocate("a right-hand side", self.matrix.shape().rows, 0.0)?;
        let stream = Stream::new(seed, "right-hand side");
        b.iter_mut().enumerate().for_each(|(i, b)| *b = stream.normal(i as u64));
        self.matrix.project(&Host::new(), &mut b)?;
        Ok(b)
    }
}

fn scatter(grid: Grid, cells: &[u32], v: &[f64]) -> Result<Vec<f64>> {
    let mut full = allocate("a field", grid.cells(), 0.0)?;
    cells.iter().zip(v).for_each(|(cell, v)| full[*cell as usize] = *v);
    Ok(full)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Family, Parameters};

    #[test]
    fn a_system_on_a_grid_is_the_operator_it_came_from() {
        let problem = Family::named("spheres").unwrap().problem(Parameters::new(9).seed(4)).unwrap();
        let direct = Placed::from_problem(&problem, RhsKind::Noise).unwrap();
        let placed = problem.system(RhsKind::Noise).unwrap().place().unwrap();
        assert!(placed.is_structured() && placed.remark.is_none());
        assert_eq!(placed.rhs, direct.rhs);
        let b = placed.rhs.clone().unwrap();
        assert_eq!(placed.scatter(placed.gather(&b)).unwrap(), b);
        assert!(matches!(placed.scatter(vec![0.0; 3]), Err(Error::Length { .. })));
        assert_eq!(placed.gather(&b).len(), problem.stencil().active());
    }

    #[test]
    fn another_matrix_on_a_grid_is_taken_as_it_is() {
        let entries: Vec<(u32, u32, f64)> =
            (0..6).map(|i| (i, i, 2.0)).chain([(0, 5, -1.0), (5, 0, -1.0)]).collect();
        let mut system = LinearSystem::from(resolvent::Csr::from_triplets(6, 6, &entries).unwrap());
        system.grid = Some((Grid::new_2d(3, 2).unwrap(), (0..6).collect()));
        let placed = system.place().unwrap();
        assert!(!placed.is_structured() && placed.remark.is_some());
        assert_eq!(placed.noise(1).unwrap().len(), 6);
        let wide = LinearSystem::from(resolvent::Csr::from_triplets(1, 2, &[(0, 0, 1.0)]).unwrap());
        assert!(matches!(wide.place(), Err(Error::Solver(resolvent::Error::Unsuited { .. }))));
    }
}
