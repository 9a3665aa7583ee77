//! Whichever preconditioner.

use super::{Matrix, Method, Precision, Preconditioner};
use crate::amg::Complexity;
use crate::ordering::{bandwidth, reverse_cuthill_mckee};
use crate::precond::{
    Chebyshev, ChebyshevOptions, IncompleteCholesky, IncompleteLu, IncompleteOptions, Jacobi, spai0,
};
use crate::{
    Amg, AmgOptions, Csr, Equilibration, Error, Host, LinearOperator, Multigrid, MultigridOptions, Result,
    Stencil, Tuning,
};

/// A preconditioner, and the levels of an algebraic hierarchy.
pub(super) type Built = (Option<Box<dyn LinearOperator<Host<f64>>>>, Option<Complexity>);

impl Preconditioner {
    /// The preconditioner of a matrix for a method; `Auto` is none. `tuning` takes the place of the numbers that were learned.
    pub(super) fn build(
        self,
        precision: Precision,
        method: Method,
        a: &Matrix,
        tuning: Option<Tuning>,
    ) -> Result<Built> {
        let space = Host::<f64>::new();
        let m: Box<dyn LinearOperator<Host<f64>>> = match (self, a) {
            (Self::Auto | Self::None, _) => return Ok((None, None)),
            (Self::Jacobi, _) => Box::new(Jacobi::new(&space, &a.diagonal())?),
            (Self::Chebyshev, _) => {
                Box::new(Chebyshev::new(&space, a.clone(), &a.diagonal(), ChebyshevOptions::default())?)
            }
            (Self::IncompleteCholesky, _) => incomplete(a, IncompleteOptions::default())?,
            (Self::ThresholdCholesky, _) => incomplete(a, IncompleteOptions::with_threshold(THRESHOLD))?,
            (Self::IncompleteLu, Matrix::Sparse(a)) => Box::new(IncompleteLu::<f64>::new(a)?),
            (Self::IncompleteLu, Matrix::Singular(a)) => Box::new(IncompleteLu::<f64>::new(a.inner())?),
            (Self::Spai0, Matrix::Sparse(a)) => Box::new(spai0(&space, a)?),
            (Self::Spai0, Matrix::Singular(a)) => Box::new(spai0(&space, a.inner())?),
            // Beside the matrix, and not in its place.
            (Self::Equilibration, Matrix::Sparse(_) | Matrix::Singular(_)) if method == Method::Lsqr => {
                return Ok((None, None));
            }
            (Self::Equilibration, Matrix::Sparse(a)) => {
                Box::new(Equilibration::of_norms(&space, a)?.preconditioner(&space)?)
            }
            (Self::Equilibration, Matrix::Singular(a)) => {
                Box::new(Equilibration::of_norms(&space, a.inner())?.preconditioner(&space)?)
            }
            (Self::IncompleteLu | Self::Spai0 | Self::Equilibration, Matrix::Structured(_)) => {
                return Err(Error::Unsuited {
                    what: "this preconditioner",
                    needs: "a stored matrix, which a problem on a grid is not",
                    mend: "choose multigrid, mic or jacobi",
                });
            }
            (Self::Multigrid, Matrix::Structured(a)) => geometric(precision, a, MultigridOptions::default())?,
            (Self::Learned, Matrix::Structured(a)) => {
                let options = match tuning {
                    Some(tuning) => MultigridOptions::tuned(tuning),
                    None => MultigridOptions::learned(a.grid().dim())?,
                };
                geometric(precision, a, options)?
            }
            (Self::Multigrid | Self::Learned, _) => {
                return Err(Error::Unsuited {
                    what: "geometric multigrid",
                    needs: "a grid Laplacian: a problem family, or a system file with `grid`",
                    mend: "choose amg, or store the grid with the system",
                });
            }
            (Self::Amg, Matrix::Sparse(a)) => return algebraic(precision, method, a),
            (Self::Amg, Matrix::Singular(a)) => return algebraic(precision, method, a.inner()),
            (Self::Amg, Matrix::Structured(_)) => {
                return Err(Error::Unsuited {
                    what: "algebraic multigrid",
                    needs: "a stored matrix, which a problem on a grid is not",
                    mend: "choose multigrid",
                });
            }
        };
        Ok((Some(m), None))
    }
}

fn geometric(
    precision: Precision,
    a: &Stencil,
    options: MultigridOptions,
) -> Result<Box<dyn LinearOperator<Host<f64>>>> {
    Ok(match precision {
        Precision::Mixed => Box::new(Multigrid::<f32>::new(a, options)?),
        Precision::F64 => Box::new(Multigrid::<f64>::new(a, options)?),
    })
}

/// What fill must exceed to be kept.
const THRESHOLD: f64 = 5e-3;

fn incomplete(a: &Matrix, options: IncompleteOptions) -> Result<Box<dyn LinearOperator<Host<f64>>>> {
    Ok(Box::new(match a {
        Matrix::Structured(s) => {
            let (matrix, cells) = s.to_csr()?;
            IncompleteCholesky::<f64>::on_cells(&matrix, &cells, s.grid().cells(), options)?
        }
        Matrix::Sparse(a) => narrowed(a, options)?,
        Matrix::Singular(a) => narrowed(a.inner(), options)?,
    }))
}

/// The factorisation in the reverse Cuthill–McKee order where that brings entries much nearer to the diagonal, which they
/// are not in a mesh numbered at random.
fn narrowed(a: &Csr<f64>, options: IncompleteOptions) -> Result<IncompleteCholesky<f64>> {
    let order = reverse_cuthill_mckee(a)?;
    let place = order.place();
    let distance = |row: usize| {
        a.row(row).0.iter().map(|c| place[row].abs_diff(place[*c as usize]) as usize).max().unwrap_or(0)
    };
    let narrow = (0..a.rows()).map(distance).max().unwrap_or(0);
    if 4 * narrow < bandwidth(a) {
        IncompleteCholesky::with_order(a, &order, options)
    } else {
        IncompleteCholesky::new(a, options)
    }
}

/// Plain aggregation under a K-cycle for the methods that take a preconditioner that is not linear, and smoothed
/// aggregation for the others.
fn algebraic(precision: Precision, method: Method, a: &Csr<f64>) -> Result<Built> {
    let flexible = matches!(method, Method::FlexibleCg | Method::FlexibleGmres);
    let options = if flexible { AmgOptions::plain() } else { AmgOptions::default() };
    Ok(match precision {
        Precision::Mixed => {
            let m = Amg::<f32>::new(a, options)?;
            let complexity = m.complexity();
            (Some(Box::new(m)), Some(complexity))
        }
        Precision::F64 => {
            let m = Amg::<f64>::new(a, options)?;
            let complexity = m.complexity();
            (Some(Box::new(m)), Some(complexity))
        }
    })
}
