//! How a solution is differentiated.

use super::Equation;
use crate::{Error, FixedPointOptions, Result, Stop};

/// How a solution is differentiated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImplicitOptions {
    /// The way.
    pub derivative: Derivative,
    /// When the linear solve ends.
    pub stop: Stop,
    /// Whether a reverse derivative starts from the solution of the last one.
    pub warm: bool,
}

impl Default for ImplicitOptions {
    /// GMRES without a ridge, to 1e-10 of the right-hand side.
    fn default() -> Self {
        let derivative = Derivative::Solve { linear: Linear::Gmres { restart: 60 }, ridge: 0.0 };
        Self { derivative, stop: Stop::rtol(1e-10), warm: false }
    }
}

/// A way to a derivative.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Derivative {
    /// One linear solve with the Jacobian: exact as far as x and the solve are.
    Solve {
        /// The solver.
        linear: Linear,
        /// What is added to the diagonal, for a Jacobian that is nearly singular; the damping of [`Linear::Lsqr`].
        ridge: f64,
    },
    /// That of `steps` damped steps from the fixed point, x ← x + β (T(x) − x): a partial sum of Neumann's series, at the cost of as
    /// many products. Short of the truth by ‖(1 − β) I + β T′‖ to the power of `steps`.
    ///
    /// # Reference
    /// Z. Geng, X.-Y. Zhang, S. Bai, Y. Wang, Z. Lin, On training implicit models, NeurIPS (2021), arXiv:2111.05177.
    Damped {
        /// Their number.
        steps: usize,
        /// β, above 0 and at most 1.
        damping: f64,
    },
    /// That of `steps` plain steps from x = 0, all of which are kept: what differentiating the loop itself gives. Reverse only.
    Unrolled {
        /// Their number.
        steps: usize,
    },
    /// From the fixed points of T(x) ± β times the cotangent: (x₊ − x₋) / 2β, with an error of β². For maps whose Jacobian is symmetric,
    /// such as x − τ∇E(x). Reverse only.
    ///
    /// # Reference
    /// B. Scellier, Y. Bengio, Equilibrium propagation, Front. Comput. Neurosci. 11 (2017), doi:10.3389/fncom.2017.00024; A.
    /// Laborieux and others, Scaling equilibrium propagation to deep ConvNets, Front. Neurosci. 15 (2021),
    /// doi:10.3389/fnins.2021.633674.
    Nudged {
        /// β, above 0.
        strength: f64,
        /// How the two fixed points are found.
        options: FixedPointOptions,
    },
}

/// A linear solver for derivatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Linear {
    /// Conjugate gradients, where the operator claims to be symmetric and positive.
    Cg,
    /// MINRES, where it claims to be symmetric.
    Minres,
    /// GMRES.
    Gmres {
        /// Steps between restarts.
        restart: usize,
    },
    /// BiCGSTAB.
    Bicgstab,
    /// LSQR: conjugate gradients on the normal equations, for a Jacobian that may be singular. It takes no preconditioner.
    Lsqr,
}

impl ImplicitOptions {
    /// Those of a solver, without a ridge.
    pub fn linear(linear: Linear) -> Self {
        Self { derivative: Derivative::Solve { linear, ridge: 0.0 }, ..Self::default() }
    }

    /// Those of another way.
    pub fn derivative(derivative: Derivative) -> Self {
        Self { derivative, ..Self::default() }
    }

    /// `Ok` when they can be used for an equation.
    ///
    /// # Errors
    /// [`Error::Parameter`].
    pub fn check(&self, equation: Equation) -> Result<()> {
        self.stop.check()?;
        let refuse = |name, value, needs| Err(Error::Parameter { name, value, needs });
        match self.derivative {
            Derivative::Solve { ridge, .. } if !(ridge >= 0.0 && ridge.is_finite()) => {
                refuse("ridge", ridge, "it must be finite and not negative")
            }
            Derivative::Solve { .. } => Ok(()),
            _ if equation == Equation::Root => refuse(
                "derivative",
                0.0,
                "a root is differentiated by a linear solve: use `Derivative::Solve`",
            ),
            Derivative::Damped { damping, .. } if !(damping > 0.0 && damping <= 1.0) => {
                refuse("damping", damping, "it must be above 0 and at most 1")
            }
            Derivative::Nudged { strength, .. } if !(strength > 0.0 && strength.is_finite()) => {
                refuse("strength", strength, "it must be finite and above 0")
            }
            Derivative::Nudged { options, .. } => options.check(),
            _ => Ok(()),
        }
    }
}

/// Said where only the reverse derivative exists.
pub(super) fn no_forward() -> Error {
    let needs = "it has a reverse derivative only: use `Derivative::Solve` or `Derivative::Damped`";
    Error::Parameter { name: "derivative", value: 0.0, needs }
}
