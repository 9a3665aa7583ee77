//! A plan made ready for one matrix.

use super::{Matrix, Method, Plan, Precision, Preconditioner};
use crate::precond::{Chebyshev, ChebyshevOptions, IncompleteCholesky, IncompleteOptions, Jacobi};
use crate::{
    Cg, Error, FlexibleCg, Host, LinearOperator, Map, Multigrid, MultigridOptions, Progress, Report, Result,
    Stop,
};
use std::ops::ControlFlow;

/// An iteration with its workspace and its preconditioner: `set_up` makes and allocates, `solve` does not.
pub struct Solver {
    plan: Plan,
    iteration: Iteration,
    preconditioner: Option<Box<dyn LinearOperator<Host<f64>>>>,
}

enum Iteration {
    Cg(Cg<Host<f64>>),
    Flexible(FlexibleCg<Host<f64>>),
}

impl Plan {
    /// Makes the preconditioner of a matrix and the workspace of the iteration.
    ///
    /// # Errors
    /// [`Error::Unsuited`] for a matrix that conjugate gradients cannot solve, or multigrid without a grid;
    /// [`Error::Pivot`] from a factorisation; [`Error::Memory`].
    pub fn set_up(self, a: &Matrix, stop: Stop) -> Result<Solver> {
        if !a.properties().admits_cg() {
            return Err(Error::Unsuited {
                what: "the method of conjugate gradients",
                needs: "a symmetric matrix with a positive diagonal, which this one is not",
                mend: "solve AᵀAx = Aᵀb through `Gram`, or flip the sign of a negative definite system",
            });
        }
        let (preconditioner, m) = self.preconditioner.build(self.precision, a)?;
        let method = if self.method == Method::Auto { Method::Cg } else { self.method };
        let (space, n) = (Host::new(), a.shape().rows);
        let iteration = match (method, &m) {
            (Method::FlexibleCg, _) => Iteration::Flexible(FlexibleCg::new(&space, n, stop)?),
            (_, None) => Iteration::Cg(Cg::unpreconditioned(&space, n, stop)?),
            (_, Some(_)) => Iteration::Cg(Cg::new(&space, n, stop)?),
        };
        Ok(Solver { plan: Self { method, preconditioner, ..self }, iteration, preconditioner: m })
    }
}

impl Solver {
    /// The plan, with every `Auto` resolved.
    pub fn plan(&self) -> Plan {
        self.plan
    }

    /// Solves Ax = b from the starting point in `x`; `watch` is called before each step and may stop.
    ///
    /// # Errors
    /// As [`Cg::solve`].
    pub fn solve(
        &mut self,
        a: &Matrix,
        b: &[f64],
        x: &mut [f64],
        watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let (space, m) = (Host::new(), self.preconditioner.as_deref());
        match &mut self.iteration {
            Iteration::Cg(cg) => cg.solve_watched(&space, a.operator(), m, b, x, watch),
            Iteration::Flexible(fcg) => {
                fcg.solve_watched(&space, a.operator(), m.map(|m| m as _), b, x, watch)
            }
        }
    }

    /// ‖r‖₂ before every step of the last solve, and at its end.
    pub fn history(&self) -> &[f64] {
        match &self.iteration {
            Iteration::Cg(cg) => cg.history(),
            Iteration::Flexible(fcg) => fcg.history(),
        }
    }
}

type Built = (Preconditioner, Option<Box<dyn LinearOperator<Host<f64>>>>);

impl Preconditioner {
    /// The preconditioner of a matrix, and which it is.
    fn build(self, precision: Precision, a: &Matrix) -> Result<Built> {
        let space = Host::<f64>::new();
        let m: Box<dyn LinearOperator<Host<f64>>> = match (self, a) {
            (Self::Auto, Matrix::Structured(_)) => return Self::Multigrid.build(precision, a),
            (Self::Auto, _) => {
                return match Self::IncompleteCholesky.build(precision, a) {
                    Err(Error::Pivot { .. }) => Self::Jacobi.build(precision, a),
                    other => other,
                };
            }
            (Self::None, _) => return Ok((self, None)),
            (Self::Jacobi, _) => Box::new(Jacobi::new(&space, &a.diagonal())?),
            (Self::Chebyshev, _) => {
                Box::new(Chebyshev::new(&space, a.clone(), &a.diagonal(), ChebyshevOptions::default())?)
            }
            (Self::IncompleteCholesky, Matrix::Structured(s)) => {
                let (matrix, cells) = s.to_csr()?;
                let options = IncompleteOptions::default();
                Box::new(IncompleteCholesky::<f64>::on_cells(&matrix, &cells, s.grid().cells(), options)?)
            }
            (Self::IncompleteCholesky, Matrix::Sparse(a)) => {
                Box::new(IncompleteCholesky::<f64>::new(a, IncompleteOptions::default())?)
            }
            (Self::IncompleteCholesky, Matrix::Singular(a)) => {
                Box::new(IncompleteCholesky::<f64>::new(a.inner(), IncompleteOptions::default())?)
            }
            (Self::Multigrid, Matrix::Structured(a)) => match precision {
                Precision::Mixed => Box::new(Multigrid::<f32>::new(a, MultigridOptions::default())?),
                Precision::F64 => Box::new(Multigrid::<f64>::new(a, MultigridOptions::default())?),
            },
            (Self::Multigrid, _) => {
                return Err(Error::Unsuited {
                    what: "geometric multigrid",
                    needs: "a grid Laplacian: a problem family, or a system file with `grid`",
                    mend: "choose mic or jacobi, or store the grid with the system",
                });
            }
        };
        Ok((self, Some(m)))
    }
}
