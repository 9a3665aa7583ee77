//! The linear solve behind a derivative, and what may stand in its place.

use super::{Derivative, Equation, ImplicitOptions, Linear, Parametric};
use crate::{
    Bicgstab, Cg, Error, FixedPoint, Gmres, IdentityMinus, LinearOperator, Lsqr, Map, Minres, Operator,
    Report, Result, Scalar, Shape, Shifted, Space, Status,
};
use std::time::Duration;

/// A solver with its workspace.
pub(super) struct LinearSolver<S: Space> {
    method: Method<S>,
    ridge: f64,
}

enum Method<S: Space> {
    Cg(Cg<S>),
    Minres(Minres<S>),
    Gmres(Box<Gmres<S>>),
    Bicgstab(Bicgstab<S>),
    Lsqr(Lsqr<S>),
    None,
}

impl<S: Space> LinearSolver<S> {
    pub fn new(space: &S, n: usize, options: &ImplicitOptions) -> Result<Self> {
        let stop = options.stop;
        let Derivative::Solve { linear, ridge } = options.derivative else {
            return Ok(Self { method: Method::None, ridge: 0.0 });
        };
        let method = match linear {
            Linear::Cg => Method::Cg(Cg::new(space, n, stop)?),
            Linear::Minres => Method::Minres(Minres::new(space, n, stop)?),
            Linear::Gmres { restart } => Method::Gmres(Gmres::with_restart(space, n, stop, restart)?.into()),
            Linear::Bicgstab => Method::Bicgstab(Bicgstab::new(space, n, stop)?),
            Linear::Lsqr => Method::Lsqr(Lsqr::with_damping(space, Shape::square(n), stop, ridge)?),
        };
        Ok(Self { method, ridge })
    }

    /// x ← (A + ridge)⁻¹ b with A the Jacobian J of a root, or I − J of a fixed point.
    pub fn solve(
        &mut self,
        space: &S,
        equation: Equation,
        jacobian: &dyn LinearOperator<S>,
        m: Option<&dyn LinearOperator<S>>,
        b: &S::Slice,
        x: &mut S::Slice,
    ) -> Result<Report> {
        let ridge = if matches!(self.method, Method::Lsqr(_)) { 0.0 } else { self.ridge };
        match equation {
            Equation::Root => self.run(space, &Shifted::new(jacobian, ridge)?, m, b, x),
            Equation::FixedPoint => {
                self.run(space, &Shifted::new(IdentityMinus::new(jacobian)?, ridge)?, m, b, x)
            }
        }
    }

    fn run(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn LinearOperator<S>>,
        b: &S::Slice,
        x: &mut S::Slice,
    ) -> Result<Report> {
        match &mut self.method {
            Method::Cg(s) => s.solve(space, a, m, b, x),
            Method::Minres(s) => s.solve(space, a, m, b, x),
            Method::Gmres(s) => s.solve(space, a, m, b, x),
            Method::Bicgstab(s) => s.solve(space, a, m, b, x),
            Method::Lsqr(s) => s.solve(space, a, b, x),
            Method::None => Ok(finished(0)),
        }
    }
}

/// The report of a fixed number of steps.
fn finished(steps: usize) -> Report {
    Report {
        status: Status::MaxSteps,
        steps,
        residual: f64::NAN,
        true_residual: f64::NAN,
        target: f64::NAN,
        elapsed: Duration::ZERO,
        fallbacks: 0,
        asked: 0,
        dropped: None,
    }
}

/// y ← β Σₖ ((1 − β) I + β J)ᵏ b over `steps` terms.
pub(super) fn damped<S: Space>(
    space: &S,
    jacobian: &dyn LinearOperator<S>,
    b: &S::Slice,
    steps: usize,
    damping: f64,
    y: &mut S::Slice,
) -> Result<Report> {
    let (of, n) = (S::Scalar::of, space.len(b));
    let mut image = space.zeros(n)?;
    space.fill(of(0.0), y)?;
    for _ in 0..steps {
        // y ← (1 − β) y + β (J y + b).
        jacobian.apply(space, y, &mut image)?;
        space.axpby(of(1.0), b, of(1.0), &mut image)?;
        space.axpby(of(damping), &image, of(1.0 - damping), y)?;
    }
    Ok(finished(steps))
}

/// The gradient of `steps` plain steps from 0.
pub(super) fn unrolled<S: Space>(
    space: &S,
    map: &dyn Parametric<S>,
    theta: &S::Slice,
    cotangent: &S::Slice,
    steps: usize,
    gradient: &mut S::Slice,
) -> Result<Report> {
    let (of, n) = (S::Scalar::of, map.unknowns());
    let mut states = vec![space.zeros(n)?];
    for k in 1..steps {
        let mut next = space.zeros(n)?;
        map.evaluate(space, &states[k - 1], theta, &mut next)?;
        states.push(next);
    }
    let (mut v, mut before, mut part) = (space.zeros(n)?, space.zeros(n)?, space.zeros(map.parameters())?);
    space.copy(cotangent, &mut v)?;
    space.fill(of(0.0), gradient)?;
    for x in states.iter().take(steps).rev() {
        map.sensitivity(space, x, theta)?.apply_transpose(space, &v, &mut part)?;
        space.axpby(of(1.0), &part, of(1.0), gradient)?;
        map.jacobian(space, x, theta)?.apply_transpose(space, &v, &mut before)?;
        std::mem::swap(&mut v, &mut before);
    }
    Ok(finished(steps))
}

/// T(x, θ) + s v at one θ.
struct Nudge<'a, S: Space> {
    map: &'a dyn Parametric<S>,
    theta: &'a S::Slice,
    v: &'a S::Slice,
    s: f64,
}

impl<S: Space> Map for Nudge<'_, S> {
    fn shape(&self) -> Shape {
        Shape::square(self.map.unknowns())
    }
}

impl<S: Space> Operator<S> for Nudge<'_, S> {
    fn apply(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        self.map.evaluate(space, x, self.theta, y)?;
        space.axpby(S::Scalar::of(self.s), self.v, S::Scalar::of(1.0), y)
    }
}

/// y ← (x₊ − x₋) / 2β with x± = T(x±, θ) ± β v; `at` is x, θ and v.
pub(super) fn nudged<S: Space>(
    space: &S,
    map: &dyn Parametric<S>,
    jacobian: &dyn LinearOperator<S>,
    at: (&S::Slice, &S::Slice, &S::Slice),
    strength: f64,
    solver: &mut FixedPoint<S>,
    y: &mut S::Slice,
) -> Result<Report> {
    if !jacobian.properties().symmetric {
        return Err(Error::Property { method: "equilibrium propagation", needs: "symmetric, as a Jacobian" });
    }
    let (x, theta, v) = at;
    let of = S::Scalar::of;
    let mut other = space.zeros(space.len(x))?;
    space.copy(x, y)?;
    space.copy(x, &mut other)?;
    let first = solver.solve(space, &Nudge { map, theta, v, s: strength }, y)?;
    let second = solver.solve(space, &Nudge { map, theta, v, s: -strength }, &mut other)?;
    space.axpby(of(-0.5 / strength), &other, of(0.5 / strength), y)?;
    let worse = if first.status == Status::Converged { second } else { first };
    Ok(Report { steps: first.steps + second.steps, ..worse })
}
