//! When an iteration may end.

use crate::{Error, Result};
use std::time::Duration;

/// When an iteration may end: ‖r‖ ≤ max(`rtol` ‖b‖, `atol`), or a budget is spent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stop {
    /// Relative to ‖b‖₂.
    pub rtol: f64,
    /// Absolute, in the units of b.
    pub atol: f64,
    /// At most this many steps.
    pub max_steps: usize,
    /// At most this long, when given.
    pub max_time: Option<Duration>,
}

impl Default for Stop {
    /// ‖r‖ ≤ 1e-8 ‖b‖ within 1000 steps.
    fn default() -> Self {
        Self { rtol: 1e-8, atol: 0.0, max_steps: 1000, max_time: None }
    }
}

impl Stop {
    /// The default with another relative tolerance.
    pub fn rtol(rtol: f64) -> Self {
        Self { rtol, ..Self::default() }
    }

    /// Checks that the tolerances are finite and not negative.
    ///
    /// # Errors
    /// [`Error::Parameter`].
    pub fn check(&self) -> Result<()> {
        for (name, value) in [("rtol", self.rtol), ("atol", self.atol)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(Error::Parameter { name, value, needs: "a finite tolerance ≥ 0 is needed" });
            }
        }
        Ok(())
    }
}
