//! Points where the residual is large.

use crate::Result;
use resolvent::learn::Random;

/// Residual-based adaptive distribution (RAD): of many candidates some are kept at random, without replacement, the i-th with
/// weight |rᵢ|ᵏ / mean |r|ᵏ + c.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResidualAdaptive {
    /// k.
    pub exponent: f64,
    /// c.
    pub offset: f64,
}

impl Default for ResidualAdaptive {
    /// k = 1, c = 1.
    fn default() -> Self {
        Self { exponent: 1.0, offset: 1.0 }
    }
}

impl ResidualAdaptive {
    /// The indices of `n` candidates, in rising order.
    ///
    /// # Errors
    /// [`Error::Sampling`](crate::Error::Sampling) for fewer candidates than `n`, or a residual that is not finite.
    pub fn select(&self, _residuals: &[f64], _n: usize, _random: &mut Random) -> Result<Vec<usize>> {
        todo!()
    }
}

/// The indices of the `n` candidates of the greatest |r|, in rising order: what the greedy refinement RAR-G adds.
///
/// # Errors
/// As [`ResidualAdaptive::select`].
pub fn greatest(_residuals: &[f64], _n: usize) -> Result<Vec<usize>> {
    todo!()
}
