//! Conjugate gradients.
//!
//! M. R. Hestenes, E. Stiefel, *Methods of conjugate gradients for solving linear systems*, J. Res. Natl. Bur. Stand. 49
//! (1952), 409–436, 10.6028/jres.049.044. Departures: when the recurrence claims convergence the residual is recomputed,
//! and the iteration starts again from the true one while that helps; a semidefinite operator is solved in its range.
//!
//! Storage: r, p, q, and z with a preconditioner. Traffic of a step without one, in f64: p ← r + βp and q ← Ap with p·q in
//! one pass (32 bytes an unknown on a stencil), x and r with r·r in another (48): 80 bytes, two reductions.

use super::session::{Session, Verdict, Watch, history};
use crate::error::check_len;
use crate::{Error, LinearOperator, Report, Result, Scalar, Space, Status, Stop};
use std::ops::ControlFlow;

/// Preconditioned conjugate gradients with its workspace: `new` allocates, `solve` does not.
///
/// ```
/// use resolvent::{Cg, Csr, Host, Properties, Status, Stop};
/// let a = Csr::from_triplets(2, 2, &[(0, 0, 4.0), (0, 1, 1.0), (1, 0, 1.0), (1, 1, 3.0)])?.assume(Properties::SPD);
/// let space = Host::<f64>::new();
/// let mut x = [0.0; 2];
/// let report = Cg::new(&space, 2, Stop::rtol(1e-12))?.solve(&space, &a, None, &[1.0, 2.0], &mut x)?;
/// assert_eq!(report.status, Status::Converged);
/// assert!((x[0] - 1.0 / 11.0).abs() < 1e-12 && (x[1] - 7.0 / 11.0).abs() < 1e-12);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Cg<S: Space> {
    stop: Stop,
    r: S::Buf,
    p: S::Buf,
    q: S::Buf,
    z: Option<S::Buf>,
    history: Vec<f64>,
}

impl<S: Space> Cg<S> {
    /// A workspace for `n` unknowns, with or without a preconditioner.
    ///
    /// # Errors
    /// [`Error::Memory`]; [`Error::Parameter`] for a tolerance that is negative or not finite.
    pub fn new(space: &S, n: usize, stop: Stop) -> Result<Self> {
        let z = Some(space.zeros(n)?);
        Ok(Self { z, ..Self::unpreconditioned(space, n, stop)? })
    }

    /// A workspace of one vector less, for solves without a preconditioner.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn unpreconditioned(space: &S, n: usize, stop: Stop) -> Result<Self> {
        stop.check()?;
        let history = history(&stop);
        Ok(Self { stop, r: space.zeros(n)?, p: space.zeros(n)?, q: space.zeros(n)?, z: None, history })
    }

    /// ‖r‖₂ of the recurrence before every step of the last solve, and at its end.
    pub fn history(&self) -> &[f64] {
        &self.history
    }

    /// Solves Ax = b from the starting point in `x`, with `m` ≈ A⁻¹ when given.
    ///
    /// With a semidefinite `a`, `x` ends orthogonal to its null space.
    ///
    /// # Errors
    /// [`Error::Property`] when `a` or `m` does not claim to be symmetric and at least semidefinite; [`Error::Length`].
    /// Not converging is no error: look at the report's `status`.
    pub fn solve(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn LinearOperator<S>>,
        b: &S::Slice,
        x: &mut S::Slice,
    ) -> Result<Report> {
        self.solve_watched(space, a, m, b, x, &mut |_| ControlFlow::Continue(()))
    }

    /// Solves for several right-hand sides in turn, with one set-up of `m`.
    ///
    /// # Errors
    /// As [`solve`](Self::solve); [`Error::Length`] when the numbers of right-hand sides and solutions differ.
    pub fn solve_many(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn LinearOperator<S>>,
        bs: &[&S::Slice],
        xs: &mut [&mut S::Slice],
    ) -> Result<Vec<Report>> {
        check_len("the list of solutions", bs.len(), xs.len())?;
        bs.iter().zip(xs).map(|(b, x)| self.solve(space, a, m, b, x)).collect()
    }

    /// As [`solve`](Self::solve); `watch` is called before each step and may stop.
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    pub fn solve_watched(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn LinearOperator<S>>,
        b: &S::Slice,
        x: &mut S::Slice,
        watch: Watch,
    ) -> Result<Report> {
        self.history.clear();
        if m.is_some_and(|m| !m.properties().admits_cg()) {
            let needs = "symmetric and positive definite as a preconditioner";
            return Err(Error::Property { method: "Cg", needs });
        }
        if let Some(m) = m {
            check_len("the preconditioner's rows", a.shape().rows, m.shape().rows)?;
            check_len("the preconditioner's columns", a.shape().rows, m.shape().cols)?;
        }
        let Self { stop, r, p, q, z, history } = self;
        let (mut session, mut residual) = match Session::begin("Cg", space, a, b, x, r, q, stop)? {
            Ok(begun) => begun,
            Err(report) => return Ok(report),
        };
        if m.is_some() && z.is_none() {
            *z = Some(space.zeros(space.len(r))?);
        }
        let mut step = 0;
        // r·z of the step before; 0 starts afresh.
        let mut rho_before = 0.0;
        let status = loop {
            history.push(residual);
            if residual <= session.claim {
                match session.verify(x, r, q)? {
                    Verdict::Done => break Status::Converged,
                    Verdict::Stagnated => break Status::Stagnated,
                    Verdict::Restart(norm) => {
                        residual = norm;
                        rho_before = 0.0;
                    }
                }
            }
            if let Some(status) = session.interrupted(step, residual, watch) {
                break status;
            }
            let (z, rho): (&S::Slice, f64) = match (m, z.as_mut()) {
                (Some(m), Some(z)) => {
                    let rho = m.apply_dot(space, r, z)?;
                    (z, rho)
                }
                _ => (r, residual * residual),
            };
            if !rho.is_finite() {
                break Status::NonFinite;
            }
            if rho <= 0.0 {
                break Status::IndefinitePreconditioner { product: rho };
            }
            let beta = if rho_before == 0.0 { 0.0 } else { rho / rho_before };
            let curvature = a.update_apply_dot(space, z, S::Scalar::of(beta), p, q)?;
            if !curvature.is_finite() {
                break Status::NonFinite;
            }
            let alpha = rho / curvature;
            if curvature <= 0.0 || !S::Scalar::of(alpha).f64().is_finite() {
                break Status::NotPositiveDefinite { curvature };
            }
            residual = space.step(S::Scalar::of(alpha), p, q, x, r)?.sqrt();
            step += 1;
            rho_before = rho;
            if !residual.is_finite() {
                history.push(residual);
                break Status::NonFinite;
            }
        };
        session.finish(status, step, residual, x, r, q)
    }
}
