//! Residuals that are made of several points.

use crate::residual::Term;
use crate::simd::Real;
use crate::{Propagator, Result};

/// How the values of a residual at several points make one that must vanish.
#[derive(Clone, Debug, PartialEq)]
pub enum Coupling<T> {
    /// ∫ r dx − c for each equation: L = factor · (Σ w r − c)².
    Integral {
        /// The weights w of the points, which are always the same.
        weights: Vec<T>,
        /// c.
        value: f64,
    },
    /// r at a point of the first half less r at the same place of the second half, such as values on opposite faces of a period:
    /// L = factor / N Σ (r(xᵢ) − r(xᵢ₊ₙ))² for 2N points.
    Pairs,
}

impl<T: Real> Coupling<T> {
    /// How many are made of `n` points, for each equation.
    pub(crate) fn count(&self, n: usize) -> usize {
        match self {
            Self::Integral { .. } => n.min(1),
            Self::Pairs => n / 2,
        }
    }

    /// The points that number `i` is made of, with their coefficients.
    pub(crate) fn parts(&self, i: usize, n: usize) -> Vec<(usize, T)> {
        match self {
            Self::Integral { weights, .. } => weights.iter().copied().enumerate().collect(),
            Self::Pairs => vec![(i, T::of(1.0)), (i + n / 2, T::of(-1.0))],
        }
    }

    /// The loss at the values of one equation, which become its derivatives by them.
    fn loss(&self, row: &mut [T]) -> f64 {
        match self {
            Self::Integral { weights, value } => {
                let sum: f64 = row.iter().zip(weights).map(|(r, w)| r.f64() * w.f64()).sum();
                let rest = sum - value;
                row.iter_mut().zip(weights).for_each(|(r, w)| *r = T::of(2.0 * rest) * *w);
                rest * rest
            }
            Self::Pairs => {
                let n = row.len() / 2;
                let scale = T::of(2.0 / n as f64);
                let (first, second) = row.split_at_mut(n);
                let mut sum = 0.0;
                for (a, b) in first.iter_mut().zip(second) {
                    let rest = *a - *b;
                    sum += rest.f64() * rest.f64();
                    (*a, *b) = (scale * rest, -scale * rest);
                }
                sum / n as f64
            }
        }
    }
}

/// The loss of each term and its gradient, `[terms, parameters]`; those with a coupling are made of it. `values` is room.
pub(crate) fn gradients<T: Real>(
    propagator: &mut Propagator<T>,
    parameters: &[T],
    terms: &[(Term<'_, T>, Option<&Coupling<T>>)],
    values: &mut Vec<T>,
    losses: &mut [f64],
    gradients: &mut [T],
) -> Result<()> {
    let mut plain: Vec<Term<'_, T>> = terms.iter().map(|t| t.0).collect();
    for (term, _) in plain.iter_mut().zip(terms).filter(|(_, t)| t.1.is_some()) {
        // What is coupled has no points in the common sweep.
        (term.points, term.data, term.weights) = (&[], &[], None);
    }
    propagator.gradients(parameters, &plain, losses, gradients)?;
    let dim = propagator.network().architecture().dim;
    let rows = gradients.chunks_exact_mut(parameters.len().max(1));
    for ((row, loss), (term, coupling)) in rows.zip(losses).zip(terms) {
        let Some(coupling) = coupling else { continue };
        let n = term.points.len() / dim;
        values.clear();
        values.resize(term.residual.equations() * n, T::of(0.0));
        propagator.residuals(parameters, *term, values)?;
        *loss = values.chunks_exact_mut(n.max(1)).map(|row| coupling.loss(row)).sum();
        propagator.pull_back(parameters, *term, values, row)?;
    }
    Ok(())
}
