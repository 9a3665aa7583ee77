//! Least squares by Golub–Kahan bidiagonalisation.
//!
//! C. C. Paige, M. A. Saunders, *LSQR: an algorithm for sparse linear equations and sparse least squares*, ACM Trans. Math.
//! Softw. 8 (1982), 43–71, 10.1145/355984.355989. For any shape; analytically conjugate gradients on AᵀAx = Aᵀb, without
//! squaring the condition. Departure: both residuals are recomputed at the end.
//!
//! Storage: u of the length of b; v and w of that of x, and one of each for products. Traffic of a step in f64 beside A
//! and Aᵀ: 64 bytes a row and 88 a column, two reductions.

use super::session::{Watch, history};
use crate::error::check_len;
use crate::{LinearOperator, Progress, Report, Result, Scalar, Shape, Space, Status, Stop};
use std::ops::ControlFlow;
use std::time::Instant;

/// LSQR with its workspace: min ‖Ax − b‖² + damping² ‖x − x₀‖² for any shape. `new` allocates, `solve` does not.
///
/// ```
/// use resolvent::{Csr, Host, Lsqr, Shape, Status, Stop};
/// // A line through three points.
/// let a = Csr::from_triplets(3, 2, &[(0, 0, 1.0), (1, 0, 1.0), (2, 0, 1.0), (1, 1, 1.0), (2, 1, 2.0)])?;
/// let (space, mut x) = (Host::<f64>::new(), [0.0; 2]);
/// let mut lsqr = Lsqr::new(&space, Shape { rows: 3, cols: 2 }, Stop::default())?;
/// let report = lsqr.solve(&space, &a, &[0.0, 1.0, 1.0], &mut x)?;
/// assert!(matches!(report.status, Status::LeastSquares { .. }));
/// assert!((x[0] - 1.0 / 6.0).abs() < 1e-8 && (x[1] - 0.5).abs() < 1e-8);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Lsqr<S: Space> {
    stop: Stop,
    damping: f64,
    u: S::Buf,
    image: S::Buf,
    v: S::Buf,
    w: S::Buf,
    gradient: S::Buf,
    history: Vec<f64>,
}

impl<S: Space> Lsqr<S> {
    /// A workspace for operators of a shape. It ends when ‖b − Ax‖ is within the target of `stop`, or when ‖Aᵀr‖ is within
    /// `rtol` of ‖A‖ ‖r‖.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory); [`Error::Parameter`](crate::Error::Parameter) for a bad tolerance.
    pub fn new(space: &S, shape: Shape, stop: Stop) -> Result<Self> {
        Self::damped(space, shape, stop, 0.0)
    }

    /// With Tikhonov's term damping² ‖x − x₀‖², x₀ being the starting point.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::Parameter`](crate::Error::Parameter) for a damping that is negative or not finite.
    pub fn damped(space: &S, shape: Shape, stop: Stop, damping: f64) -> Result<Self> {
        stop.check()?;
        if !(damping.is_finite() && damping >= 0.0) {
            let needs = "must be finite and at least 0";
            return Err(crate::Error::Parameter { name: "damping", value: damping, needs });
        }
        Ok(Self {
            stop,
            damping,
            u: space.zeros(shape.rows)?,
            image: space.zeros(shape.rows)?,
            v: space.zeros(shape.cols)?,
            w: space.zeros(shape.cols)?,
            gradient: space.zeros(shape.cols)?,
            history: history(&stop),
        })
    }

    /// ‖r‖₂ before every step of the last solve, and at its end; with damping, of the extended system.
    pub fn history(&self) -> &[f64] {
        &self.history
    }

    /// Solves from the starting point in `x`.
    ///
    /// # Errors
    /// As [`solve_watched`](Self::solve_watched).
    pub fn solve(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        b: &S::Slice,
        x: &mut S::Slice,
    ) -> Result<Report> {
        self.solve_watched(space, a, b, x, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`solve`](Self::solve); `watch` is called before each step and may stop.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length); [`Error::NoTranspose`](crate::Error::NoTranspose). Not converging is no
    /// error.
    pub fn solve_watched(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        b: &S::Slice,
        x: &mut S::Slice,
        watch: Watch,
    ) -> Result<Report> {
        let started = Instant::now();
        let Self { stop, damping, u, image, v, w, gradient, history } = self;
        history.clear();
        let shape = a.shape();
        check_len("b", shape.rows, space.len(b))?;
        check_len("x", shape.cols, space.len(x))?;
        check_len("the workspace's rows", shape.rows, space.len(u))?;
        check_len("the workspace's columns", shape.cols, space.len(v))?;
        let of = S::Scalar::of;
        let one = of(1.0);
        let b_norm = space.norm(b)?;
        let target = stop.atol.max(stop.rtol * b_norm);
        let report = |status, steps, residual, true_residual| Report {
            status,
            steps,
            residual,
            true_residual,
            target,
            elapsed: started.elapsed(),
            fallbacks: 0,
        };
        if !b_norm.is_finite() || !space.norm(x)?.is_finite() {
            return Ok(report(Status::NonFinite, 0, f64::NAN, f64::NAN));
        }
        // β u = b − Ax, α v = Aᵀu.
        a.apply(space, x, u)?;
        space.axpby(one, b, of(-1.0), u)?;
        let mut beta = space.norm(u)?;
        if !beta.is_finite() {
            return Ok(report(Status::NonFinite, 0, beta, beta));
        }
        if beta <= target {
            history.push(beta);
            return Ok(report(Status::Converged, 0, beta, beta));
        }
        space.scale(of(1.0 / beta), u)?;
        a.apply_transpose(space, u, v)?;
        let mut alpha = space.norm(v)?;
        if alpha > 0.0 {
            space.scale(of(1.0 / alpha), v)?;
        }
        space.copy(v, w)?;
        let (mut phibar, mut rhobar) = (beta, alpha);
        let (mut size, mut step) = (0.0f64, 0);
        let mut residual = beta;
        // Of the damping, outside the residual of the system itself.
        let mut outside = 0.0f64;
        let mut relative = 1.0;
        let status = loop {
            history.push(residual);
            if !(residual.is_finite() && alpha.is_finite()) {
                break Status::NonFinite;
            }
            if residual <= target {
                break Status::Converged;
            }
            if alpha == 0.0 || relative <= stop.rtol {
                break Status::LeastSquares { gradient: relative };
            }
            if step >= stop.max_steps {
                break Status::MaxSteps;
            }
            if stop.max_time.is_some_and(|limit| started.elapsed() >= limit) {
                break Status::MaxTime;
            }
            if watch(&Progress { step, residual, target }).is_break() {
                break Status::Interrupted;
            }
            a.apply(space, v, image)?;
            space.axpby(of(-alpha), u, one, image)?;
            std::mem::swap(u, image);
            beta = space.norm(u)?;
            size = size.hypot(alpha).hypot(beta).hypot(*damping);
            if beta > 0.0 {
                space.scale(of(1.0 / beta), u)?;
                a.apply_transpose(space, u, gradient)?;
                space.axpby(of(-beta), v, one, gradient)?;
                std::mem::swap(v, gradient);
                alpha = space.norm(v)?;
                if alpha > 0.0 {
                    space.scale(of(1.0 / alpha), v)?;
                }
            } else {
                alpha = 0.0;
            }
            step += 1;
            // The damping is rotated away first.
            let damped = rhobar.hypot(*damping);
            outside = outside.hypot(*damping / damped * phibar);
            phibar *= rhobar / damped;
            let rho = damped.hypot(beta);
            let (c, s) = (damped / rho, beta / rho);
            let theta = s * alpha;
            rhobar = -c * alpha;
            let phi = c * phibar;
            phibar *= s;
            space.axpby(of(phi / rho), w, one, x)?;
            space.axpby(one, v, of(-theta / rho), w)?;
            residual = phibar.hypot(outside);
            relative = if residual > 0.0 { alpha * (s * phi).abs() / (size * residual) } else { 0.0 };
        };
        a.apply(space, x, image)?;
        space.axpby(one, b, of(-1.0), image)?;
        let true_residual = space.norm(image)?;
        let status = match status {
            Status::NonFinite | Status::Interrupted => status,
            _ if true_residual <= target => Status::Converged,
            Status::Converged if *damping == 0.0 => Status::Stagnated,
            other => other,
        };
        Ok(report(status, step, residual, true_residual))
    }
}
