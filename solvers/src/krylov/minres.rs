//! Minimal residuals for symmetric operators.
//!
//! C. C. Paige, M. A. Saunders, *Solution of sparse indefinite systems of linear equations*, SIAM J. Numer. Anal. 12 (1975),
//! 617–629, 10.1137/0712047. Departures: the residual vector is carried along (r ← s² r − φ c v), so that with a
//! preconditioner too the history is ‖r‖₂ and not ‖r‖_M; it is recomputed when it claims convergence, and the process starts
//! again from it while that helps. A system that is singular and inconsistent ends with
//! [`Status::LeastSquares`] when ‖Ar‖ has become nothing beside ‖A‖ ‖r‖; x is then a solution of least squares, but not
//! the shortest one, which MINRES-QLP (S.-C. T. Choi, C. C. Paige, M. A. Saunders 2011, 10.1137/100787921) would find.
//!
//! Storage: r, three Lanczos vectors, three directions, and z with a preconditioner. Traffic of a step in f64 beside A and
//! M: 216 bytes an unknown, three reductions.

use super::session::{Needs, Session, Turn, Watch, history, solve_square};
use crate::{Error, LinearOperator, Report, Result, Scalar, Space, Status, Stop};

/// MINRES with its workspace, for symmetric operators of any sign: `new` allocates, `solve` does not.
///
/// ```
/// use resolvent::{Csr, Host, Minres, Properties, Status, Stop};
/// let a = Csr::from_triplets(2, 2, &[(0, 0, 1.0), (0, 1, 2.0), (1, 0, 2.0), (1, 1, -1.0)])?;
/// let a = a.assume(Properties::SYMMETRIC);
/// let (space, mut x) = (Host::<f64>::new(), [0.0; 2]);
/// let report = Minres::new(&space, 2, Stop::default())?.solve(&space, &a, None, &[3.0, 1.0], &mut x)?;
/// assert_eq!(report.status, Status::Converged);
/// assert!((x[0] - 1.0).abs() < 1e-8 && (x[1] - 1.0).abs() < 1e-8);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Minres<S: Space> {
    stop: Stop,
    r: S::Buf,
    /// The Lanczos vectors before and now, times their β.
    lanczos: [S::Buf; 2],
    /// The next one, and A times the current one before.
    next: S::Buf,
    /// Preconditioned and normalised.
    v: S::Buf,
    directions: [S::Buf; 3],
    history: Vec<f64>,
}

solve_square!(Minres, LinearOperator);

/// r is taken to be orthogonal to the range when ‖Ar‖ is at most this, or rtol if smaller, of ‖A‖ ‖r‖: rounding lets it
/// grow again soon after.
const ORTHOGONAL: f64 = 1e-8;

impl<S: Space> Minres<S> {
    /// A workspace for `n` unknowns.
    ///
    /// # Errors
    /// [`Error::Memory`]; [`Error::Parameter`] for a tolerance that is negative or not finite.
    pub fn new(space: &S, n: usize, stop: Stop) -> Result<Self> {
        stop.check()?;
        let zeros = || space.zeros(n);
        Ok(Self {
            stop,
            r: zeros()?,
            lanczos: [zeros()?, zeros()?],
            next: zeros()?,
            v: zeros()?,
            directions: [zeros()?, zeros()?, zeros()?],
            history: history(&stop),
        })
    }

    /// As [`solve`](Self::solve); `watch` is called before each step and may stop.
    ///
    /// # Errors
    /// [`Error::Property`] unless `a` claims to be symmetric and `m` positive definite; [`Error::Length`]. Not converging
    /// is no error.
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
            return Err(Error::Property { method: "Minres", needs });
        }
        let Self { stop, r, lanczos: [old, now], next, v, directions: [w2, w1, w], history } = self;
        let begun =
            Session::begin("Minres", Needs::Symmetric, space, a, m.map(|m| m.shape()), b, x, r, stop)?;
        let (mut session, mut residual) = match begun {
            Ok(begun) => begun,
            Err(report) => return Ok(report),
        };
        let of = S::Scalar::of;
        let (zero, one) = (of(0.0), of(1.0));
        let mut step = 0;
        let mut fresh = true;
        // The scalars of the recurrence, in the letters of Paige and Saunders' program.
        let (mut beta, mut old_beta) = (0.0, 0.0);
        let (mut dbar, mut epsilon, mut phibar) = (0.0, 0.0, 0.0);
        let (mut cs, mut sn) = (-1.0, 0.0);
        // ‖A‖ in the Frobenius norm of the tridiagonal matrix.
        let mut size = 0.0f64;
        let status = loop {
            match session.turn(step, &mut residual, x, r, history, watch)? {
                Turn::End(status) => break status,
                Turn::Afresh => fresh = true,
                Turn::Step => {}
            }
            if fresh {
                space.copy(r, now)?;
                let product = match m {
                    Some(m) => m.apply_dot(space, now, v)?,
                    None => {
                        space.copy(now, v)?;
                        residual * residual
                    }
                };
                if product <= 0.0 {
                    break Status::IndefinitePreconditioner { product };
                }
                beta = product.sqrt();
                (old_beta, dbar, epsilon, phibar) = (0.0, 0.0, 0.0, beta);
                (cs, sn, fresh) = (-1.0, 0.0, false);
                space.fill(zero, old)?;
                space.fill(zero, w)?;
                space.fill(zero, w1)?;
            }
            // v ← M now / β, the next Lanczos vector, and its coefficients.
            space.scale(of(1.0 / beta), v)?;
            let alpha = a.apply_dot(space, v, next)?;
            step += 1;
            if !alpha.is_finite() {
                break Status::NonFinite;
            }
            if old_beta > 0.0 {
                space.axpby(of(-beta / old_beta), old, one, next)?;
            }
            space.axpby(of(-alpha / beta), now, one, next)?;
            session.project(next)?;
            std::mem::swap(old, now);
            std::mem::swap(now, next);
            // The direction of this step needs v before it is overwritten.
            std::mem::swap(w2, w1);
            std::mem::swap(w1, w);
            let oldeps = epsilon;
            let delta = cs * dbar + sn * alpha;
            let gbar = sn * dbar - cs * alpha;
            space.copy(v, w)?;
            space.axpby(of(-oldeps), w2, one, w)?;
            space.axpby(of(-delta), w1, one, w)?;
            let product = match m {
                Some(m) => m.apply_dot(space, now, v)?,
                None => {
                    space.copy(now, v)?;
                    space.dot(now, now)?
                }
            };
            if !product.is_finite() {
                break Status::NonFinite;
            }
            if product < 0.0 {
                break Status::IndefinitePreconditioner { product };
            }
            (old_beta, beta) = (beta, product.sqrt());
            size = size.hypot(alpha).hypot(beta).hypot(old_beta);
            epsilon = sn * beta;
            dbar = -cs * beta;
            let root = gbar.hypot(dbar);
            // ‖Ar‖ of the residual before this step.
            let gradient = root / size;
            if gradient <= session.stop.rtol.min(ORTHOGONAL).max(100.0 * S::Scalar::EPSILON) {
                break Status::LeastSquares { gradient };
            }
            let gamma = gbar.hypot(beta).max(S::Scalar::EPSILON * size);
            (cs, sn) = (gbar / gamma, beta / gamma);
            let phi = cs * phibar;
            phibar *= sn;
            space.scale(of(1.0 / gamma), w)?;
            space.axpby(of(phi), w, one, x)?;
            let exhausted = beta <= S::Scalar::EPSILON * size;
            let along = if exhausted { 0.0 } else { -phibar * cs / beta };
            space.axpby(of(along), now, of(sn * sn), r)?;
            residual = space.norm(r)?;
            if !residual.is_finite() {
                history.push(residual);
                break Status::NonFinite;
            }
            if exhausted {
                session.residual(x, r)?;
                let true_residual = space.norm(r)?;
                fresh = true;
                if true_residual > session.target && true_residual > 0.5 * history[history.len() - 1] {
                    residual = true_residual;
                    break Status::Stagnated;
                }
                residual = true_residual;
            }
        };
        session.finish(status, step, residual, x, r)
    }
}
