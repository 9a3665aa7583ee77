//! Weights that let late times wait for early ones.

use crate::residual::Term;
use crate::simd::Real;
use crate::{Error, Propagator, Result};

/// The equation's points are cut by time into slabs, and those of slab i count with wᵢ = exp(−ε Σ_{k<i} L_k), where L_k is the
/// mean square residual of slab k: a slab is learnt once those before it are. Weights are made of the residuals at the points
/// of the step itself, which costs an evaluation without gradient more.
///
/// # Reference
/// S. Wang, S. Sankaran, P. Perdikaris, Respecting causality for training physics-informed neural networks, Computer Methods in
/// Applied Mechanics and Engineering 421 (2024), doi:10.1016/j.cma.2024.116813.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Causal {
    /// The coordinate that is time.
    pub axis: usize,
    /// First and last time.
    pub range: [f64; 2],
    /// Slabs.
    pub slabs: usize,
    /// ε.
    pub tolerance: f64,
}

/// The weight of every point, and room to make them.
#[derive(Clone, Debug, Default)]
pub(super) struct Weighted<T> {
    pub points: Vec<T>,
    residuals: Vec<T>,
    slabs: Vec<usize>,
}

impl Causal {
    /// `Ok` when it can be used.
    ///
    /// # Errors
    /// [`Error::Training`].
    pub fn check(&self, dim: usize) -> Result<()> {
        let refuse = |what: String, mend: &str| Err(Error::Training { what, mend: mend.into() });
        if self.axis >= dim {
            return refuse("causal weights without a time".into(), "give the domain a coordinate `t`");
        }
        if self.slabs == 0 || self.slabs > 10_000 {
            return refuse(format!("causal: slabs is {}", self.slabs), "use 1 to 10,000");
        }
        if !(self.tolerance.is_finite() && self.tolerance >= 0.0) {
            return refuse(format!("causal: epsilon is {}", self.tolerance), "it must not be negative");
        }
        Ok(())
    }

    /// The weight of every point of the term.
    pub(super) fn weigh<T: Real>(
        &self,
        propagator: &mut Propagator<T>,
        parameters: &[T],
        term: Term<'_, T>,
        weighted: &mut Weighted<T>,
    ) -> Result<()> {
        let dim = propagator.network().architecture().dim;
        let n = term.points.len() / dim;
        let equations = term.residual.equations();
        let Weighted { points, residuals, slabs } = weighted;
        residuals.clear();
        residuals.resize(equations * n, T::of(0.0));
        propagator.residuals(parameters, term, residuals)?;
        let times = &term.points[self.axis * n..][..n];
        slabs.clear();
        slabs.extend(times.iter().map(|t| self.slab(t.f64())));
        let of = self.weights(slabs, |p| (0..equations).map(|e| residuals[e * n + p].f64().powi(2)).sum());
        points.clear();
        points.extend(slabs.iter().map(|s| T::of(of[*s])));
        Ok(())
    }

    fn slab(&self, t: f64) -> usize {
        let share = (t - self.range[0]) / (self.range[1] - self.range[0]);
        ((share * self.slabs as f64) as usize).min(self.slabs - 1)
    }

    /// wᵢ of every slab, from the square residual of each point.
    fn weights(&self, slabs: &[usize], square: impl Fn(usize) -> f64) -> Vec<f64> {
        let (mut sums, mut counts) = (vec![0.0; self.slabs], vec![0.0; self.slabs]);
        for (p, &slab) in slabs.iter().enumerate() {
            sums[slab] += square(p);
            counts[slab] += 1.0;
        }
        let mut before = 0.0;
        sums.iter()
            .zip(&counts)
            .map(|(sum, count)| {
                let weight = (-self.tolerance * before).exp();
                before += if *count > 0.0 { sum / count } else { 0.0 };
                weight
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_those_of_the_formula_by_hand() {
        let causal = Causal { axis: 0, range: [0.0, 2.0], slabs: 4, tolerance: 0.5 };
        let times = [0.0, 0.4, 0.6, 1.9, 2.0];
        let slabs: Vec<usize> = times.iter().map(|t| causal.slab(*t)).collect();
        assert_eq!(slabs, [0, 0, 1, 3, 3]);
        let squares = [1.0, 3.0, 5.0, 7.0, 9.0];
        let w = causal.weights(&slabs, |p| squares[p]);
        let expected = [1.0, (-0.5f64 * 2.0).exp(), (-0.5f64 * 7.0).exp(), (-0.5f64 * 7.0).exp()];
        assert!(w.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{w:?}");
    }

    #[test]
    fn impossible_ones_are_refused() {
        let causal = Causal { axis: 0, range: [0.0, 1.0], slabs: 4, tolerance: 1.0 };
        assert!(causal.check(1).is_ok());
        for wrong in [
            Causal { axis: 1, ..causal },
            Causal { slabs: 0, ..causal },
            Causal { tolerance: f64::NAN, ..causal },
        ] {
            assert!(matches!(wrong.check(1), Err(Error::Training { .. })));
        }
    }
}
