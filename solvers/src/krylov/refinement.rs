//! Iterative refinement: x ← x + M (b − Ax).
//!
//! J. H. Wilkinson, *Rounding Errors in Algebraic Processes* (1963); N. J. Higham, *Accuracy and Stability of Numerical
//! Algorithms* (2002), chapter 12, 10.1137/1.9780898718027. With a factorisation as M one or two steps reach what the
//! precision of the residual allows; with a multigrid cycle it is the stationary iteration.
//!
//! Storage: r, z. Traffic of a step in f64 beside A and M: 40 bytes an unknown, one reduction.

use super::session::{Needs, Session, Watch, history};
use crate::{LinearOperator, Operator, Report, Result, Scalar, Space, Status, Stop};
use std::ops::ControlFlow;

/// Iterative refinement with its workspace: `new` allocates, `solve` does not.
///
/// ```
/// use resolvent::{Csr, Host, Refinement, Status, Stop, direct::SparseLu};
/// let a = Csr::from_triplets(2, 2, &[(0, 0, 1e-9), (0, 1, 2.0), (1, 0, 4.0), (1, 1, 2.0)])?;
/// let (space, factor, mut x) = (Host::<f64>::new(), SparseLu::new(&a)?, [0.0; 2]);
/// let mut refinement = Refinement::new(&space, 2, Stop::rtol(1e-14))?;
/// let report = refinement.solve(&space, &a, Some(&factor), &[2.0, 6.0], &mut x)?;
/// assert_eq!(report.status, Status::Converged);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Refinement<S: Space> {
    stop: Stop,
    r: S::Buf,
    z: S::Buf,
    history: Vec<f64>,
}

impl<S: Space> Refinement<S> {
    /// A workspace for `n` unknowns.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory); [`Error::Parameter`](crate::Error::Parameter) for a bad tolerance.
    pub fn new(space: &S, n: usize, stop: Stop) -> Result<Self> {
        stop.check()?;
        let history = history(&stop);
        Ok(Self { stop, r: space.zeros(n)?, z: space.zeros(n)?, history })
    }

    /// ‖r‖₂ before every step of the last solve, and at its end.
    pub fn history(&self) -> &[f64] {
        &self.history
    }

    /// Solves Ax = b from the starting point in `x`, with `m` ≈ A⁻¹ when given.
    ///
    /// # Errors
    /// As [`solve_watched`](Self::solve_watched).
    pub fn solve(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn Operator<S>>,
        b: &S::Slice,
        x: &mut S::Slice,
    ) -> Result<Report> {
        self.solve_watched(space, a, m, b, x, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`solve`](Self::solve); `watch` is called before each step and may stop. Without `m` this is Richardson's
    /// iteration. It ends as stagnated when a step leaves the residual as large as it was.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length); what the operators return. Not converging is no error.
    pub fn solve_watched(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn Operator<S>>,
        b: &S::Slice,
        x: &mut S::Slice,
        watch: Watch,
    ) -> Result<Report> {
        self.history.clear();
        let Self { stop, r, z, history } = self;
        let begun = Session::begin(Needs::Square, space, a, m.map(|m| m.shape()), b, x, r, stop)?;
        let (mut session, mut residual) = match begun {
            Ok(begun) => begun,
            Err(report) => return Ok(report),
        };
        let (mut step, mut before) = (0, f64::INFINITY);
        let status = loop {
            history.push(residual);
            if !residual.is_finite() {
                break Status::NonFinite;
            }
            if residual <= session.target {
                session.last_true = residual;
                break Status::Converged;
            }
            if residual >= before {
                break Status::Stagnated;
            }
            if let Some(status) = session.interrupted(step, residual, watch) {
                break status;
            }
            match m {
                Some(m) => {
                    m.apply(space, r, z)?;
                    space.axpby(S::Scalar::of(1.0), z, S::Scalar::of(1.0), x)?;
                }
                None => space.axpby(S::Scalar::of(1.0), r, S::Scalar::of(1.0), x)?,
            }
            session.project(x)?;
            (before, residual) = (residual, session.recompute(x, r)?);
            step += 1;
        };
        session.finish(status, step, residual, x, r)
    }
}
