//! Stabilised biconjugate gradients.
//!
//! H. A. van der Vorst, *Bi-CGSTAB: a fast and smoothly converging variant of Bi-CG for the solution of nonsymmetric linear
//! systems*, SIAM J. Sci. Stat. Comput. 13 (1992), 631–644, 10.1137/0913035. Preconditioned from the right. Departures: when
//! the recurrence breaks down, or claims a convergence that the recomputed residual denies, it starts afresh with the true
//! residual as shadow, while that helps.
//!
//! Storage: r, its shadow, p, v, t, and two more with a preconditioner. A step is two products. Traffic of a step in f64
//! beside A and M: 200 bytes an unknown, five reductions.

use super::session::{Needs, Session, Turn, Watch, history, solve_square};
use crate::{LinearOperator, Report, Result, Scalar, Space, Status, Stop};

/// Stabilised biconjugate gradients with its workspace, for any square operator: `new` allocates, `solve` does not.
///
/// ```
/// use resolvent::{BiCgStab, Csr, Host, Status, Stop};
/// let a = Csr::from_triplets(2, 2, &[(0, 0, 3.0), (0, 1, 1.0), (1, 0, -1.0), (1, 1, 2.0)])?;
/// let (space, mut x) = (Host::<f64>::new(), [0.0; 2]);
/// let report = BiCgStab::new(&space, 2, Stop::default())?.solve(&space, &a, None, &[4.0, 1.0], &mut x)?;
/// assert_eq!(report.status, Status::Converged);
/// assert!((x[0] - 1.0).abs() < 1e-8 && (x[1] - 1.0).abs() < 1e-8);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct BiCgStab<S: Space> {
    stop: Stop,
    r: S::Buf,
    shadow: S::Buf,
    p: S::Buf,
    v: S::Buf,
    t: S::Buf,
    /// Mp and Ms.
    preconditioned: [S::Buf; 2],
    history: Vec<f64>,
}

solve_square!(BiCgStab, LinearOperator);

/// Cosines below this are a breakdown.
const BREAKDOWN: f64 = 1e-14;
/// Fresh starts without a residual lower than before.
const FRUITLESS: usize = 3;

impl<S: Space> BiCgStab<S> {
    /// A workspace for `n` unknowns.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory); [`Error::Parameter`](crate::Error::Parameter) for a bad tolerance.
    pub fn new(space: &S, n: usize, stop: Stop) -> Result<Self> {
        stop.check()?;
        let zeros = || space.zeros(n);
        Ok(Self {
            stop,
            r: zeros()?,
            shadow: zeros()?,
            p: zeros()?,
            v: zeros()?,
            t: zeros()?,
            preconditioned: [zeros()?, zeros()?],
            history: history(&stop),
        })
    }

    /// As [`solve`](Self::solve); `watch` is called before each step and may stop.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length); what the operators return. Not converging is no error.
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
        let Self { stop, r, shadow, p, v, t, preconditioned: [mp, ms], history } = self;
        let begun = Session::begin("BiCgStab", Needs::Square, space, a, m.map(|m| m.shape()), b, x, r, stop)?;
        let (mut session, mut residual) = match begun {
            Ok(begun) => begun,
            Err(report) => return Ok(report),
        };
        let one = S::Scalar::of(1.0);
        let of = S::Scalar::of;
        let (mut step, mut fresh) = (0, true);
        let (mut rho_before, mut alpha, mut omega) = (1.0, 1.0, 1.0);
        let (mut lowest, mut fruitless, mut shadow_norm) = (f64::INFINITY, 0, residual);
        let status = loop {
            match session.turn(step, &mut residual, x, r, history, watch)? {
                Turn::End(status) => break status,
                Turn::Afresh => fresh = true,
                Turn::Step => {}
            }
            let mut rho = space.dot(shadow, r)?;
            if !fresh && rho.abs() <= BREAKDOWN * shadow_norm * residual {
                session.residual(x, r)?;
                residual = space.norm(r)?;
                fresh = true;
            }
            if fresh {
                fruitless = if residual < 0.9 * lowest { 0 } else { fruitless + 1 };
                lowest = lowest.min(residual);
                if fruitless > FRUITLESS {
                    break Status::Breakdown;
                }
                space.copy(r, shadow)?;
                space.copy(r, p)?;
                (shadow_norm, rho) = (residual, residual * residual);
            } else {
                let beta = (rho / rho_before) * (alpha / omega);
                space.axpby(of(-omega), v, one, p)?;
                space.axpby(one, r, of(beta), p)?;
            }
            let search: &S::Slice = match m {
                Some(m) => {
                    m.apply(space, p, mp)?;
                    mp
                }
                None => p,
            };
            a.apply(space, search, v)?;
            session.project(v)?;
            let along = space.dot(shadow, v)?;
            alpha = rho / along;
            step += 1;
            if !along.is_finite() {
                break Status::NonFinite;
            }
            if along.abs() <= BREAKDOWN * shadow_norm * space.norm(v)? {
                fresh = true;
                fruitless += 1;
                if fruitless > FRUITLESS {
                    break Status::Breakdown;
                }
                continue;
            }
            space.axpby(of(alpha), search, one, x)?;
            space.axpby(of(-alpha), v, one, r)?;
            let half = space.norm(r)?;
            if half <= session.claim {
                (residual, fresh) = (half, true);
                continue;
            }
            let correction: &S::Slice = match m {
                Some(m) => {
                    m.apply(space, r, ms)?;
                    ms
                }
                None => {
                    space.copy(r, ms)?;
                    ms
                }
            };
            a.apply(space, correction, t)?;
            session.project(t)?;
            let (ts, tt) = (space.dot(t, r)?, space.dot(t, t)?);
            omega = if tt > 0.0 { ts / tt } else { 0.0 };
            residual = space.step(of(omega), correction, t, x, r)?.sqrt();
            rho_before = rho;
            if !residual.is_finite() {
                history.push(residual);
                break Status::NonFinite;
            }
            // Nothing was minimised: the directions to come would repeat themselves.
            fresh = ts.abs() <= BREAKDOWN * tt.sqrt() * half;
        };
        session.finish(status, step, residual, x, r)
    }
}
