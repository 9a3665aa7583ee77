//! Conditions on integrals.

use crate::objective::Integral;
use crate::residual::Term;
use crate::simd::Real;
use crate::{Propagator, Result};

impl<T: Real> Integral<T> {
    /// Σ (Σ w r − c)² over the equations, and its gradient.
    pub(super) fn gradient(
        &self,
        propagator: &mut Propagator<T>,
        parameters: &[T],
        term: Term<'_, T>,
        gradient: &mut [T],
    ) -> Result<f64> {
        let n = self.weights.len();
        let mut residuals = vec![T::of(0.0); term.residual.equations() * n];
        propagator.residuals(parameters, term, &mut residuals)?;
        let mut loss = 0.0;
        for row in residuals.chunks_exact_mut(n.max(1)) {
            let sum: f64 = row.iter().zip(&self.weights).map(|(r, w)| r.f64() * w.f64()).sum();
            let rest = sum - self.value;
            loss += rest * rest;
            row.iter_mut().zip(&self.weights).for_each(|(r, w)| *r = T::of(2.0 * rest) * *w);
        }
        propagator.pull_back(parameters, term, &residuals, gradient)?;
        Ok(loss)
    }
}
