//! How a solve ended.

use std::fmt;
use std::time::Duration;

/// How a solve ended. Displaying it says what to try next.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Status {
    /// The true residual, recomputed as b − Ax, is within the target.
    Converged,
    /// The budget of steps was spent first.
    MaxSteps,
    /// The budget of time was spent first.
    MaxTime,
    /// A direction with pᵀAp ≤ 0 was met.
    NotPositiveDefinite {
        /// pᵀAp.
        curvature: f64,
    },
    /// The preconditioner gave rᵀMr ≤ 0.
    IndefinitePreconditioner {
        /// rᵀMr.
        product: f64,
    },
    /// The true residual stopped falling above the target.
    Stagnated,
    /// A NaN or an infinity appeared, in the input or on the way.
    NonFinite,
    /// The operator is singular and b has a part outside its range.
    Inconsistent {
        /// ‖b − Pb‖₂, the part no x can reach.
        outside: f64,
    },
    /// x minimises ‖b − Ax‖₂, which is above the target: no x solves the system.
    LeastSquares {
        /// ‖Aᵀr‖ / (‖A‖ ‖r‖), 0 at a minimum.
        gradient: f64,
    },
    /// Two vectors of the recurrence became orthogonal, and starting again did not help.
    Breakdown {
        /// The cosine of the angle between them.
        cosine: f64,
    },
    /// A fixed point was looked for with a map that does not contract there.
    Expanding {
        /// By how much the residual grew over its first.
        growth: f64,
    },
    /// The caller's `watch` asked to stop.
    Interrupted,
}

impl Status {
    /// The variant's name in snake case, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::MaxSteps => "max_steps",
            Self::MaxTime => "max_time",
            Self::NotPositiveDefinite { .. } => "not_positive_definite",
            Self::IndefinitePreconditioner { .. } => "indefinite_preconditioner",
            Self::Stagnated => "stagnated",
            Self::NonFinite => "non_finite",
            Self::Inconsistent { .. } => "inconsistent",
            Self::LeastSquares { .. } => "least_squares",
            Self::Breakdown { .. } => "breakdown",
            Self::Expanding { .. } => "expanding",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether x is what was asked for: a solution, or, from a method for least squares, a minimiser.
    pub fn is_solved(self) -> bool {
        matches!(self, Self::Converged | Self::LeastSquares { .. })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Converged => write!(f, "converged"),
            Self::MaxSteps => write!(
                f,
                "not converged: the budget of steps is spent; try a stronger preconditioner or raise max_steps"
            ),
            Self::MaxTime => write!(
                f,
                "not converged: the budget of time is spent; try a stronger preconditioner or raise max_time"
            ),
            Self::NotPositiveDefinite { curvature } => write!(
                f,
                "the operator is not positive definite (pᵀAp = {curvature:e}); flip its sign if it is negative definite, else use a method for indefinite systems"
            ),
            Self::IndefinitePreconditioner { product } => write!(
                f,
                "the preconditioner is not positive definite (rᵀMr = {product:e}); use another, or flexible CG if it is nonlinear"
            ),
            Self::Stagnated => write!(
                f,
                "the true residual stopped falling; the target is below what this precision can reach, the system is singular, or the method's memory is too short: raise rtol, use f64, or raise the restart length"
            ),
            Self::NonFinite => write!(
                f,
                "a NaN or an infinity appeared; check the matrix, b and the starting x for entries that are not finite"
            ),
            Self::Inconsistent { outside } => write!(
                f,
                "the operator is singular and b has a part of norm {outside:e} outside its range, so no x solves it; subtract that part (for pure Neumann boundaries: the mean of b)"
            ),
            Self::LeastSquares { gradient } => write!(
                f,
                "x minimises ‖b − Ax‖, which is above the target (‖Aᵀr‖ = {gradient:e} ‖A‖ ‖r‖): no x solves the system, or A is nearly singular; lower rtol to make sure"
            ),
            Self::Breakdown { cosine } => write!(
                f,
                "the recurrence broke down (two of its vectors have the cosine {cosine:e}) and starting again did not help; use GMRES, or a preconditioner"
            ),
            Self::Expanding { growth } => write!(
                f,
                "the map does not contract (its residual is {growth:e} times the first); damp it, or use Anderson's or Broyden's method, or GMRES if it is affine; x holds the best iterate"
            ),
            Self::Interrupted => write!(f, "interrupted by the caller; x holds the last iterate"),
        }
    }
}

/// What a solve did. The residual of every step is in the solver's `history`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use = "a solve may end without converging: look at `status`"]
pub struct Report {
    /// How it ended.
    pub status: Status,
    /// Steps taken, each one product with A; two for BiCGSTAB, and one each with A and Aᵀ for LSQR.
    pub steps: usize,
    /// ‖r‖₂ of the recurrence at the end.
    pub residual: f64,
    /// ‖b − Ax‖₂, recomputed at the end.
    pub true_residual: f64,
    /// What the true residual must not exceed: max(rtol ‖b‖, atol).
    pub target: f64,
    /// Wall time of the solve, set-up not counted.
    pub elapsed: Duration,
    /// How often a learned or flexible direction was replaced by a safe one.
    pub fallbacks: usize,
    /// Steps in which a [`Hybrid`](crate::Hybrid) asked for a direction besides the preconditioner's.
    pub asked: usize,
    /// The step after which it gave that up, since it did not pay.
    pub dropped: Option<usize>,
}

/// What a `watch` callback sees before each step.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Steps taken so far.
    pub step: usize,
    /// ‖r‖₂ of the recurrence.
    pub residual: f64,
    /// The target it must reach.
    pub target: f64,
}
