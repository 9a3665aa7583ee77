//! What every iteration does besides its recurrence: the first residual, when to stop, and whether that is true.

use crate::error::check_len;
use crate::{Error, LinearOperator, Progress, Report, Result, Scalar, Shape, Space, Status, Stop};
use std::ops::ControlFlow;
use std::time::Instant;

/// Steps whose residuals are kept room for; more are recorded at the cost of an allocation.
const HISTORY: usize = 100_000;

/// A residual history with room for a whole solve.
pub(super) fn history(stop: &Stop) -> Vec<f64> {
    Vec::with_capacity(stop.max_steps.min(HISTORY) + 1)
}

/// The caller's callback.
pub(super) type Watch<'a> = &'a mut dyn FnMut(&Progress) -> ControlFlow<()>;

/// What a method asks of an operator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Symmetric, positive definite or semidefinite.
    Definite,
    /// Symmetric.
    Symmetric,
    /// Nothing but to be square.
    Square,
}

/// What an iteration works on.
pub(super) struct Session<'a, S: Space> {
    pub space: &'a S,
    pub a: &'a dyn LinearOperator<S>,
    pub b: &'a S::Slice,
    pub stop: &'a Stop,
    pub target: f64,
    /// The recurrence claims to have converged below this: the target, or what rounding makes of b.
    pub claim: f64,
    started: Instant,
    semidefinite: bool,
    /// The true residual when it was last recomputed.
    last_true: f64,
}

/// `solve` and `history` of a method that has `solve_watched` with the arguments of a square system.
macro_rules! solve_square {
    ($method:ident, $m:ident) => {
        impl<S: Space> $method<S> {
            /// ‖r‖₂ before every step of the last solve, and at its end.
            pub fn history(&self) -> &[f64] {
                &self.history
            }

            /// Solves Ax = b from the starting point in `x`, preconditioned by `m` ≈ A⁻¹ when given.
            ///
            /// # Errors
            /// As [`solve_watched`](Self::solve_watched).
            pub fn solve(
                &mut self,
                space: &S,
                a: &dyn crate::LinearOperator<S>,
                m: Option<&dyn crate::$m<S>>,
                b: &S::Slice,
                x: &mut S::Slice,
            ) -> crate::Result<crate::Report> {
                self.solve_watched(space, a, m, b, x, &mut |_| std::ops::ControlFlow::Continue(()))
            }
        }
    };
}
pub(super) use solve_square;

/// What comes next.
pub(super) enum Turn {
    /// A step.
    Step,
    /// A step that starts again from the recomputed residual.
    Afresh,
    /// Nothing: the solve is over.
    End(Status),
}

impl<'a, S: Space> Session<'a, S> {
    /// Checks the input and sets r ← b − Ax, with ‖r‖.
    ///
    /// # Errors
    /// When the solve cannot run; a [`Report`] in the `Err` arm of the inner result when it is over already.
    #[allow(clippy::too_many_arguments)]
    pub fn begin(
        method: &'static str,
        needs: Needs,
        space: &'a S,
        a: &'a dyn LinearOperator<S>,
        m: Option<Shape>,
        b: &'a S::Slice,
        x: &mut S::Slice,
        r: &mut S::Slice,
        stop: &'a Stop,
    ) -> Result<Result<(Self, f64), Report>> {
        let started = Instant::now();
        let claims = a.properties();
        match needs {
            Needs::Definite if !claims.admits_cg() => {
                return Err(Error::Property {
                    method,
                    needs: "symmetric and positive definite or semidefinite",
                });
            }
            Needs::Symmetric if !claims.symmetric => {
                return Err(Error::Property { method, needs: "symmetric" });
            }
            _ => {}
        }
        let n = a.shape().rows;
        check_len("the operator's columns", n, a.shape().cols)?;
        if let Some(m) = m {
            check_len("the preconditioner's rows", n, m.rows)?;
            check_len("the preconditioner's columns", n, m.cols)?;
        }
        check_len("b", n, space.len(b))?;
        check_len("x", n, space.len(x))?;
        check_len("the workspace", n, space.len(r))?;
        let one = S::Scalar::of(1.0);
        let b_norm = space.norm(b)?;
        let target = stop.atol.max(stop.rtol * b_norm);
        let over = |status, residual| {
            let elapsed = started.elapsed();
            Report { status, steps: 0, residual, true_residual: residual, target, elapsed, fallbacks: 0 }
        };
        if !b_norm.is_finite() || !space.norm(x)?.is_finite() {
            return Ok(Err(over(Status::NonFinite, f64::NAN)));
        }
        let semidefinite = claims.symmetric && claims.positivity == crate::Positivity::Semidefinite;
        if b_norm == 0.0 {
            space.fill(S::Scalar::of(0.0), x)?;
            return Ok(Err(over(Status::Converged, 0.0)));
        }
        if semidefinite {
            space.copy(b, r)?;
            a.project(space, r)?;
            space.axpby(-one, b, one, r)?;
            let outside = space.norm(r)?;
            if outside > target {
                return Ok(Err(over(Status::Inconsistent { outside }, b_norm)));
            }
            a.project(space, x)?;
        }
        let claim = target.max(0.01 * S::Scalar::EPSILON * b_norm);
        let session =
            Self { space, a, b, stop, target, claim, started, semidefinite, last_true: f64::INFINITY };
        session.residual(x, r)?;
        let norm = space.norm(r)?;
        if !norm.is_finite() {
            return Ok(Err(over(Status::NonFinite, norm)));
        }
        Ok(Ok((session, norm)))
    }

    /// r ← b − Ax.
    pub fn residual(&self, x: &S::Slice, r: &mut S::Slice) -> Result<()> {
        self.a.apply(self.space, x, r)?;
        self.space.axpby(S::Scalar::of(1.0), self.b, S::Scalar::of(-1.0), r)
    }

    /// Removes the null space's part, which rounding lets grow.
    pub fn project(&self, v: &mut S::Slice) -> Result<()> {
        if self.semidefinite { self.a.project(self.space, v) } else { Ok(()) }
    }

    /// What comes before every step: the residual is recorded, recomputed into `r` once the recurrence claims to be within
    /// the target, and the budgets and the caller are asked.
    pub fn turn(
        &mut self,
        step: usize,
        residual: &mut f64,
        x: &S::Slice,
        r: &mut S::Slice,
        history: &mut Vec<f64>,
        watch: Watch,
    ) -> Result<Turn> {
        history.push(*residual);
        let mut turn = Turn::Step;
        if *residual <= self.claim {
            self.residual(x, r)?;
            let (norm, before) = (self.space.norm(r)?, self.last_true);
            self.last_true = norm;
            if norm <= self.target {
                return Ok(Turn::End(Status::Converged));
            }
            if !(norm.is_finite() && norm < 0.5 * before) {
                return Ok(Turn::End(Status::Stagnated));
            }
            *residual = norm;
            turn = Turn::Afresh;
        }
        Ok(self.interrupted(step, *residual, watch).map_or(turn, Turn::End))
    }

    /// Takes `norm` as the residual that was just recomputed: [`finish`](Self::finish) does not do it again.
    pub fn accept(&mut self, norm: f64) {
        self.last_true = norm;
    }

    /// A reason to stop before the next step, if there is one.
    pub fn interrupted(&self, step: usize, residual: f64, watch: Watch) -> Option<Status> {
        if step >= self.stop.max_steps {
            return Some(Status::MaxSteps);
        }
        if self.stop.max_time.is_some_and(|limit| self.started.elapsed() >= limit) {
            return Some(Status::MaxTime);
        }
        watch(&Progress { step, residual, target: self.target }).is_break().then_some(Status::Interrupted)
    }

    /// Ends the solve: the true residual, and a status that agrees with it.
    pub fn finish(
        &self,
        mut status: Status,
        steps: usize,
        residual: f64,
        x: &mut S::Slice,
        r: &mut S::Slice,
    ) -> Result<Report> {
        // A turn that says `Converged` has just recomputed it; a projection moves x.
        let true_residual = if status == Status::Converged && !self.semidefinite {
            self.last_true
        } else {
            self.project(x)?;
            self.residual(x, r)?;
            self.space.norm(r)?
        };
        let within = true_residual <= self.target;
        if status == Status::Converged && !within {
            status = if true_residual.is_finite() { Status::Stagnated } else { Status::NonFinite };
        } else if within && status != Status::Interrupted {
            status = Status::Converged;
        }
        let elapsed = self.started.elapsed();
        Ok(Report { status, steps, residual, true_residual, target: self.target, elapsed, fallbacks: 0 })
    }
}
