//! How a fixed point is looked for.

use crate::{Error, Result, Stop};

/// How a fixed point is looked for, and when that ends: a system has converged when ‖T(x) − x‖ ≤ max(`rtol` ‖x‖, `atol`). One
/// whose solution is 0 needs an `atol`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FixedPointOptions {
    /// The method.
    pub iteration: Iteration,
    /// When it ends. Affine methods measure against ‖T(0)‖ in place of ‖x‖.
    pub stop: Stop,
}

/// A method for fixed points.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Iteration {
    /// x ← x + β (T(x) − x).
    Picard {
        /// β, above 0 and at most 2; 1 is the plain iteration.
        damping: f64,
    },
    /// The combination of the last steps whose residual would be least.
    Anderson(Anderson),
    /// Steps of a Jacobian learnt from the last ones, inverted; it starts anew when the window is full.
    Broyden {
        /// The most steps it is learnt from.
        window: usize,
    },
    /// GMRES on (I − A)x = T(0), for affine maps.
    Gmres {
        /// Steps between restarts.
        restart: usize,
    },
    /// BiCGSTAB on the same, in less memory.
    Bicgstab,
}

/// Anderson's acceleration of the second type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Anderson {
    /// The most differences combined.
    pub window: usize,
    /// β: the part of the combined residual that is added, above 0.
    pub damping: f64,
    /// What is added to the diagonal of the small least-squares system, relative to its largest entry. The rounding unit is
    /// added in any case.
    pub ridge: f64,
    /// Steps after which the differences are forgotten; `None` for never.
    pub restart: Option<usize>,
}

impl Default for Anderson {
    /// Five differences, undamped.
    fn default() -> Self {
        Self { window: 5, damping: 1.0, ridge: 1e-10, restart: None }
    }
}

impl Default for Iteration {
    fn default() -> Self {
        Self::Anderson(Anderson::default())
    }
}

impl Iteration {
    /// x ← T(x).
    pub const PICARD: Self = Self::Picard { damping: 1.0 };
}

impl FixedPointOptions {
    /// The default method with another relative tolerance.
    pub fn rtol(rtol: f64) -> Self {
        Self { stop: Stop::rtol(rtol), ..Self::default() }
    }

    /// With another method.
    pub fn iteration(self, iteration: Iteration) -> Self {
        Self { iteration, ..self }
    }

    /// `Ok` when it can be used.
    ///
    /// # Errors
    /// [`Error::Parameter`].
    pub fn check(&self) -> Result<()> {
        self.stop.check()?;
        let refuse = |name, value, needs| Err(Error::Parameter { name, value, needs });
        let least_one = "use at least 1";
        match self.iteration {
            Iteration::Picard { damping } if !(damping > 0.0 && damping <= 2.0) => {
                refuse("damping", damping, "it must be above 0 and at most 2")
            }
            Iteration::Anderson(Anderson { damping, .. }) if !(damping > 0.0 && damping.is_finite()) => {
                refuse("damping", damping, "it must be finite and above 0")
            }
            Iteration::Anderson(Anderson { ridge, .. }) if !(ridge >= 0.0 && ridge.is_finite()) => {
                refuse("ridge", ridge, "it must be finite and not negative")
            }
            Iteration::Anderson(Anderson { restart: Some(0), .. }) => refuse("restart", 0.0, least_one),
            Iteration::Anderson(Anderson { window: 0, .. }) | Iteration::Broyden { window: 0 } => {
                refuse("window", 0.0, least_one)
            }
            Iteration::Gmres { restart: 0 } => refuse("restart", 0.0, least_one),
            _ => Ok(()),
        }
    }
}
