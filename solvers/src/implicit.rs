//! Derivatives of what solves an equation: of roots F(x, θ) = 0 and of fixed points x = T(x, θ), with respect to θ.
//!
//! Where x is determined by θ, the equation tells its derivative: for a root ∂ₓF dx = −∂_θF dθ, for a fixed point
//! (I − ∂ₓT) dx = ∂_θT dθ. One linear solve gives the derivative in a direction, one with the transpose the gradient of a number that
//! depends on x, whatever way x was found and however long that took. [`Implicit`] does both for any [`Parametric`]
//! map, through any solver of this crate; its error is at most in proportion to that of x.
//!
//! Other ways to a gradient of a fixed point are offered under the same type, to compare with: [`Derivative`].
//!
//! # Reference
//! M. Blondel and others, Efficient and modular implicit differentiation, NeurIPS (2022), arXiv:2105.15183.

mod adjoint;
mod options;

pub use options::{Derivative, ImplicitOptions, Linear};

use crate::error::check_len;
use crate::{FixedPoint, LinearOperator, Report, Result, Scalar, Space, Transpose};
use adjoint::LinearSolver;

/// A map F(x, θ) of `[unknowns]` and `[parameters]` to `[unknowns]` that knows its derivatives.
pub trait Parametric<S: Space>: Send + Sync {
    /// The length of x and of F(x, θ).
    fn unknowns(&self) -> usize;
    /// The length of θ.
    fn parameters(&self) -> usize;
    /// y ← F(x, θ).
    ///
    /// # Errors
    /// What keeps it from being evaluated.
    fn evaluate(&self, space: &S, x: &S::Slice, theta: &S::Slice, y: &mut S::Slice) -> Result<()>;
    /// ∂F/∂x at (x, θ): `[unknowns, unknowns]`, with its transpose. What it claims of itself decides which solvers may be used.
    ///
    /// # Errors
    /// What keeps it from being made.
    fn jacobian<'a>(
        &'a self,
        space: &'a S,
        x: &'a S::Slice,
        theta: &'a S::Slice,
    ) -> Result<Box<dyn LinearOperator<S> + 'a>>;
    /// ∂F/∂θ at (x, θ): `[unknowns, parameters]`, with its transpose.
    ///
    /// # Errors
    /// What keeps it from being made.
    fn sensitivity<'a>(
        &'a self,
        space: &'a S,
        x: &'a S::Slice,
        theta: &'a S::Slice,
    ) -> Result<Box<dyn LinearOperator<S> + 'a>>;
}

/// What x solves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Equation {
    /// F(x, θ) = 0.
    Root,
    /// x = F(x, θ).
    FixedPoint,
}

/// Differentiates solutions; `new` allocates what a linear solve needs.
///
/// ```
/// use resolvent::implicit::{Equation, Implicit, ImplicitOptions, Parametric};
/// use resolvent::{Diagonal, Host, LinearOperator, Result};
///
/// /// The square root of every θ: x² − θ = 0.
/// struct Roots(usize);
/// impl Parametric<Host<f64>> for Roots {
///     fn unknowns(&self) -> usize { self.0 }
///     fn parameters(&self) -> usize { self.0 }
///     fn evaluate(&self, _: &Host<f64>, x: &[f64], theta: &[f64], y: &mut [f64]) -> Result<()> {
///         (0..self.0).for_each(|i| y[i] = x[i] * x[i] - theta[i]);
///         Ok(())
///     }
///     fn jacobian<'a>(
///         &'a self, space: &'a Host<f64>, x: &'a [f64], _: &'a [f64],
///     ) -> Result<Box<dyn LinearOperator<Host<f64>> + 'a>> {
///         let twice: Vec<f64> = x.iter().map(|x| 2.0 * x).collect();
///         Ok(Box::new(Diagonal::new(space, &twice)?))
///     }
///     fn sensitivity<'a>(
///         &'a self, space: &'a Host<f64>, _: &'a [f64], _: &'a [f64],
///     ) -> Result<Box<dyn LinearOperator<Host<f64>> + 'a>> {
///         Ok(Box::new(Diagonal::new(space, &vec![-1.0; self.0])?))
///     }
/// }
///
/// let (space, theta, x) = (Host::<f64>::new(), [4.0, 9.0], [2.0, 3.0]);
/// let mut implicit = Implicit::new(&space, Equation::Root, 2, ImplicitOptions::default())?;
/// // The gradient of x₀ + x₁ is 1 / (2√θ).
/// let mut gradient = [0.0; 2];
/// implicit.reverse(&space, &Roots(2), &x, &theta, &[1.0, 1.0], None, &mut gradient)?;
/// assert!((gradient[0] - 0.25).abs() < 1e-8 && (gradient[1] - 1.0 / 6.0).abs() < 1e-8);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Implicit<S: Space> {
    equation: Equation,
    options: ImplicitOptions,
    solver: LinearSolver<S>,
    right: S::Buf,
    solution: S::Buf,
    /// Whether `solution` is that of an earlier reverse derivative.
    solved: bool,
}

impl<S: Space> Implicit<S> {
    /// For `n` unknowns.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for options that cannot be, also for a derivative of a root by another way than
    /// a linear solve; [`Error::Memory`](crate::Error::Memory).
    pub fn new(space: &S, equation: Equation, n: usize, options: ImplicitOptions) -> Result<Self> {
        options.check(equation)?;
        let solver = LinearSolver::new(space, n, &options)?;
        let (right, solution) = (space.zeros(n)?, space.zeros(n)?);
        Ok(Self { equation, options, solver, right, solution, solved: false })
    }

    /// The gradient with respect to θ of a number whose gradient with respect to x is `cotangent: [unknowns]`, into
    /// `gradient: [parameters]`. `m` ≈ (∂ₓF)⁻¹, or (I − ∂ₓT)⁻¹, when given; its transpose is applied. With
    /// [`ImplicitOptions::warm`] the solve starts from the last one.
    ///
    /// The report is that of the linear solve: one that did not converge leaves a gradient as good as its residual.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length); [`Error::NoTranspose`](crate::Error::NoTranspose);
    /// [`Error::Property`](crate::Error::Property) when the Jacobian does not claim what the solver needs.
    #[allow(clippy::too_many_arguments, reason = "each is one vector of the formula")]
    pub fn reverse(
        &mut self,
        space: &S,
        map: &dyn Parametric<S>,
        x: &S::Slice,
        theta: &S::Slice,
        cotangent: &S::Slice,
        m: Option<&dyn LinearOperator<S>>,
        gradient: &mut S::Slice,
    ) -> Result<Report> {
        self.check(space, map, x, theta)?;
        check_len("the cotangent", map.unknowns(), space.len(cotangent))?;
        check_len("the gradient", map.parameters(), space.len(gradient))?;
        let zero = S::Scalar::of(0.0);
        if !(self.options.warm && self.solved) {
            space.fill(zero, &mut self.solution)?;
        }
        if let Derivative::Unrolled { steps } = self.options.derivative {
            return adjoint::unrolled(space, map, theta, cotangent, steps, gradient);
        }
        let report = {
            let jacobian = map.jacobian(space, x, theta)?;
            match self.options.derivative {
                Derivative::Nudged { strength, options } => {
                    let mut solver = FixedPoint::new(space, map.unknowns(), options)?;
                    adjoint::nudged(
                        space,
                        map,
                        &*jacobian,
                        (x, theta, cotangent),
                        strength,
                        &mut solver,
                        &mut self.solution,
                    )?
                }
                Derivative::Damped { steps, damping } => {
                    let transposed = Transpose(&*jacobian);
                    adjoint::damped(space, &transposed, cotangent, steps, damping, &mut self.solution)?
                }
                _ => {
                    space.copy(cotangent, &mut self.right)?;
                    let transposed = Transpose(&*jacobian);
                    let m = m.map(Transpose);
                    let m = m.as_ref().map(|m| m as &dyn LinearOperator<S>);
                    self.solver.solve(
                        space,
                        self.equation,
                        &transposed,
                        m,
                        &self.right,
                        &mut self.solution,
                    )?
                }
            }
        };
        self.solved = true;
        map.sensitivity(space, x, theta)?.apply_transpose(space, &self.solution, gradient)?;
        self.sign(space, gradient)?;
        Ok(report)
    }

    /// The derivative of x when θ moves along `tangent: [parameters]`, into `change: [unknowns]`.
    ///
    /// # Errors
    /// As [`reverse`](Self::reverse); [`Error::Parameter`](crate::Error::Parameter) when the derivative asked for has no forward
    /// form.
    #[allow(clippy::too_many_arguments, reason = "each is one vector of the formula")]
    pub fn forward(
        &mut self,
        space: &S,
        map: &dyn Parametric<S>,
        x: &S::Slice,
        theta: &S::Slice,
        tangent: &S::Slice,
        m: Option<&dyn LinearOperator<S>>,
        change: &mut S::Slice,
    ) -> Result<Report> {
        self.check(space, map, x, theta)?;
        check_len("the tangent", map.parameters(), space.len(tangent))?;
        check_len("the change", map.unknowns(), space.len(change))?;
        space.fill(S::Scalar::of(0.0), change)?;
        map.sensitivity(space, x, theta)?.apply(space, tangent, &mut self.right)?;
        let jacobian = map.jacobian(space, x, theta)?;
        let report = match self.options.derivative {
            Derivative::Solve { .. } => {
                self.solver.solve(space, self.equation, &*jacobian, m, &self.right, change)?
            }
            Derivative::Damped { steps, damping } => {
                adjoint::damped(space, &*jacobian, &self.right, steps, damping, change)?
            }
            _ => return Err(options::no_forward()),
        };
        self.sign(space, change)?;
        Ok(report)
    }

    /// Roots turn the sign.
    fn sign(&self, space: &S, v: &mut S::Slice) -> Result<()> {
        if self.equation == Equation::Root { space.scale(S::Scalar::of(-1.0), v) } else { Ok(()) }
    }

    fn check(&self, space: &S, map: &dyn Parametric<S>, x: &S::Slice, theta: &S::Slice) -> Result<()> {
        check_len("the unknowns", space.len(&self.right), map.unknowns())?;
        check_len("x", map.unknowns(), space.len(x))?;
        check_len("θ", map.parameters(), space.len(theta))
    }
}

#[cfg(test)]
mod tests;
