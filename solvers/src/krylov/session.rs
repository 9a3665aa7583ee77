//! What every iteration does besides its recurrence: the first residual, when to stop, and whether that is true.

use crate::error::check_len;
use crate::{
    Error, LinearOperator, Progress, Properties, Report, Result, Scalar, Shape, Space, Status, Stop,
};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Steps whose residuals are kept room for; more are recorded at the cost of an allocation.
const HISTORY: usize = 100_000;

/// A residual history with room for a whole solve.
pub(super) fn history(stop: &Stop) -> Vec<f64> {
    Vec::with_capacity(stop.max_steps.min(HISTORY) + 1)
}

/// The caller's callback.
pub(super) type Watch<'a> = &'a mut dyn FnMut(&Progress) -> ControlFlow<()>;

/// What a method, named, needs of its operator.
#[derive(Clone, Copy)]
pub(super) enum Needs {
    /// Symmetric and at least semidefinite.
    Positive(&'static str),
    /// Symmetric.
    Symmetric(&'static str),
    /// As many rows as columns.
    Square,
    /// Nothing: any shape, and the part of b outside the range may stay.
    Nothing,
}

impl Needs {
    pub fn check(self, a: Properties, shape: Shape) -> Result<()> {
        match self {
            Self::Positive(method) if !a.admits_cg() => {
                return Err(Error::Property {
                    method,
                    needs: "symmetric and positive definite or semidefinite",
                });
            }
            Self::Symmetric(method) if !a.symmetric => {
                return Err(Error::Property { method, needs: "symmetric" });
            }
            Self::Nothing => return Ok(()),
            _ => {}
        }
        check_len("the operator's columns", shape.rows, shape.cols)
    }
}

/// A report of a method that is asked nothing and falls back on nothing.
pub(super) fn report(
    status: Status,
    steps: usize,
    [residual, true_residual]: [f64; 2],
    target: f64,
    elapsed: Duration,
) -> Report {
    Report { status, steps, residual, true_residual, target, elapsed, fallbacks: 0, asked: 0, dropped: None }
}

/// Checks that a preconditioner claims to be symmetric and positive.
///
/// # Errors
/// [`Error::Property`].
pub(super) fn check_preconditioner<S: Space>(
    method: &'static str,
    m: Option<&dyn LinearOperator<S>>,
) -> Result<()> {
    if m.is_some_and(|m| !m.properties().admits_cg()) {
        return Err(Error::Property { method, needs: "symmetric and positive definite as a preconditioner" });
    }
    Ok(())
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
    /// Whether the operator may have a null space that `project` knows.
    singular: bool,
    /// The true residual when it was last recomputed.
    pub last_true: f64,
}

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
        let (properties, shape) = (a.properties(), a.shape());
        needs.check(properties, shape)?;
        if let Some(m) = m {
            check_len("the preconditioner's rows", shape.cols, m.rows)?;
            check_len("the preconditioner's columns", shape.rows, m.cols)?;
        }
        check_len("b", shape.rows, space.len(b))?;
        check_len("x", shape.cols, space.len(x))?;
        check_len("the workspace", shape.rows, space.len(r))?;
        let one = S::Scalar::of(1.0);
        let b_norm = space.norm(b)?;
        let target = stop.atol.max(stop.rtol * b_norm);
        let over = |status, residual| {
            let elapsed = started.elapsed();
            report(status, 0, [residual; 2], target, elapsed)
        };
        if !b_norm.is_finite() || !space.norm(x)?.is_finite() {
            return Ok(Err(over(Status::NonFinite, f64::NAN)));
        }
        let known = properties.symmetric && properties.positivity < crate::Positivity::Definite;
        let singular = known && !matches!(needs, Needs::Nothing);
        if b_norm == 0.0 {
            space.fill(S::Scalar::of(0.0), x)?;
            return Ok(Err(over(Status::Converged, 0.0)));
        }
        if singular {
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
        let mut session =
            Self { space, a, b, stop, target, claim, started, singular, last_true: f64::INFINITY };
        let norm = session.recompute(x, r)?;
        session.last_true = f64::INFINITY;
        if !norm.is_finite() {
            return Ok(Err(over(Status::NonFinite, norm)));
        }
        Ok(Ok((session, norm)))
    }

    /// r ← b − Ax; returns ‖r‖.
    pub fn recompute(&mut self, x: &S::Slice, r: &mut S::Slice) -> Result<f64> {
        self.a.apply(self.space, x, r)?;
        self.space.axpby(S::Scalar::of(1.0), self.b, S::Scalar::of(-1.0), r)?;
        self.last_true = self.space.norm(r)?;
        Ok(self.last_true)
    }

    /// Turns to another right-hand side of the same length, its target, and its true residual when last recomputed.
    pub fn set_side(&mut self, b: &'a S::Slice, target: f64, last_true: f64) {
        (self.b, self.target, self.last_true) = (b, target, last_true);
    }

    /// Removes the null space's part, which rounding lets grow.
    pub fn project(&self, v: &mut S::Slice) -> Result<()> {
        if self.singular { self.a.project(self.space, v) } else { Ok(()) }
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
            match self.verify(x, r)? {
                Ok(norm) => *residual = norm,
                Err(status) => return Ok(Turn::End(status)),
            }
            turn = Turn::Afresh;
        }
        Ok(self.interrupted(step, *residual, watch).map_or(turn, Turn::End))
    }

    /// Recomputes r where the recurrence claims convergence: the status it ends with, or ‖r‖ to start again from.
    pub fn verify(&mut self, x: &S::Slice, r: &mut S::Slice) -> Result<Result<f64, Status>> {
        let before = self.last_true;
        let norm = self.recompute(x, r)?;
        Ok(if norm <= self.target {
            Err(Status::Converged)
        } else if norm.is_finite() && norm < 0.5 * before {
            Ok(norm)
        } else {
            Err(Status::Stagnated)
        })
    }

    /// ‖Aᵀr‖ / (‖A‖ ‖r‖) below this says that r cannot be made smaller: √ε, since beyond that an inconsistent system makes x
    /// grow before it is told. A condition number above 1/√ε counts as singular therewith.
    pub fn flat(&self) -> f64 {
        S::Scalar::EPSILON.sqrt()
    }

    /// Why the residual in `r` no longer falls: no x makes it smaller, or only this iteration does not. `r` and `g` are
    /// overwritten. ‖A‖ is bounded from below by two products; an operator without a transpose cannot tell.
    pub fn why_stagnated(&self, r: &mut S::Slice, g: &mut S::Slice) -> Result<Status> {
        let space = self.space;
        let outside = space.norm(r)?;
        match self.a.apply_transpose(space, r, g) {
            Err(Error::NoTranspose(_)) => return Ok(Status::Stagnated),
            other => other?,
        }
        let slope = space.norm(g)? / outside;
        self.a.apply_transpose(space, self.b, g)?;
        let image = space.norm(g)?;
        self.a.apply(space, g, r)?;
        let size = if image > 0.0 { space.norm(r)? / image } else { 0.0 };
        // What a recurrence says of itself is confirmed up to its rounding.
        Ok(if slope <= 10.0 * self.flat() * size || (slope == 0.0 && outside > 0.0) {
            Status::Inconsistent { outside }
        } else {
            Status::Stagnated
        })
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
        &mut self,
        mut status: Status,
        steps: usize,
        residual: f64,
        x: &mut S::Slice,
        r: &mut S::Slice,
    ) -> Result<Report> {
        // A turn that says `Converged` has just recomputed it; a projection moves x.
        let true_residual = if status == Status::Converged && !self.singular {
            self.last_true
        } else {
            self.project(x)?;
            self.recompute(x, r)?
        };
        let within = true_residual <= self.target;
        if status == Status::Converged && !within {
            status = if true_residual.is_finite() { Status::Stagnated } else { Status::NonFinite };
        } else if within && !matches!(status, Status::Interrupted | Status::LeastSquares { .. }) {
            status = Status::Converged;
        }
        let elapsed = self.started.elapsed();
        Ok(report(status, steps, [residual, true_residual], self.target, elapsed))
    }
}
