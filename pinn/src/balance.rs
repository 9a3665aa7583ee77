//! How the terms of a loss are weighed against each other: L = Σ λᵢ Lᵢ.
//!
//! Terms of different kinds have gradients of different size, and the largest decides where a step goes. Each rule here looks
//! at the gradients of the single terms, or at their tangent kernels, every few steps and moves the weights λ towards what
//! it finds: λ ← k λ + (1 − k) λ̂. Term 0 is the equation.

mod statistics;
mod tangent;

pub use statistics::{Denominator, Extent, GradientStatistics, Numerator};
pub(crate) use tangent::traces;

use crate::network::Network;
use crate::simd::Real;
use crate::{Error, Result};

/// The rule by which weights change.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Balance {
    /// They do not.
    Fixed,
    /// λ̂ᵢ from the largest gradient of the equation and the mean of that of term i.
    GradientStatistics(GradientStatistics),
    /// λ̂ᵢ = Σⱼ ‖∇Lⱼ‖ / ‖∇Lᵢ‖, which gives all terms gradients of one norm.
    ///
    /// # Reference
    /// S. Wang, S. Sankaran, H. Wang, P. Perdikaris, An expert's guide to training physics-informed neural networks (2023),
    /// arXiv:2308.08468.
    GradientNorm(Average),
    /// λ̂ᵢ = tr K / tr Kᵢ with Kᵢ = Jᵢ Jᵢᵀ / Nᵢ the tangent kernel of term i and K that of all. Traces are those of at most
    /// [`KERNEL_POINTS`] points of each term, evenly chosen.
    ///
    /// # Reference
    /// S. Wang, X. Yu, P. Perdikaris, When and why PINNs fail to train: a neural tangent kernel perspective, Journal of
    /// Computational Physics 449 (2022), doi:10.1016/j.jcp.2021.110768.
    TangentKernel(Average),
}

/// The points of a term whose tangent kernel is looked at.
pub const KERNEL_POINTS: usize = 64;

/// How weights follow what is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Average {
    /// Steps between two looks.
    pub every: u64,
    /// The part k of the old weight that is kept.
    pub keep: f64,
}

impl Balance {
    /// Whether weights are looked at in a step.
    pub fn is_due(&self, step: u64) -> bool {
        self.average().is_some_and(|a| step.is_multiple_of(a.every))
    }

    fn average(&self) -> Option<Average> {
        match self {
            Self::Fixed => None,
            Self::GradientStatistics(s) => Some(s.average),
            Self::GradientNorm(a) | Self::TangentKernel(a) => Some(*a),
        }
    }

    /// `Ok` when it can be used.
    ///
    /// # Errors
    /// [`Error::Training`] for `every` 0, or a `keep` outside 0 to 1 or 1 itself.
    pub fn check(&self) -> Result<()> {
        let Some(a) = self.average() else { return Ok(()) };
        if a.every == 0 {
            return Err(Error::Training {
                what: "balance: every is 0".into(),
                mend: "use at least 1".into(),
            });
        }
        if !(0.0..1.0).contains(&a.keep) {
            let what = format!("balance: keep is {}", a.keep);
            return Err(Error::Training { what, mend: "it must be at least 0 and below 1".into() });
        }
        Ok(())
    }

    /// Moves `lambda` towards what the gradients of the terms tell. `gradients: [terms, parameters]` are those of Lᵢ, without λ.
    /// A term without a gradient keeps its weight.
    pub(crate) fn follow<T: Real>(&self, network: &Network, gradients: &[T], lambda: &mut [f64]) {
        let n = gradients.len() / lambda.len().max(1);
        let rows: Vec<&[T]> = gradients.chunks_exact(n.max(1)).collect();
        match self {
            Self::Fixed | Self::TangentKernel(_) => {}
            Self::GradientStatistics(s) => {
                let wanted: Vec<f64> = rows[1..]
                    .iter()
                    .zip(&lambda[1..])
                    .map(|(row, old)| s.wanted(network, rows[0], row, *old))
                    .collect();
                blend(s.average, &wanted, &mut lambda[1..]);
            }
            Self::GradientNorm(a) => {
                let norms: Vec<f64> = rows.iter().map(|r| norm(r)).collect();
                let all: f64 = norms.iter().sum();
                let wanted: Vec<f64> = norms.iter().map(|norm| all / norm).collect();
                blend(*a, &wanted, lambda);
            }
        }
    }

    /// Moves `lambda` towards what the traces of tangent kernels tell.
    pub(crate) fn follow_traces(&self, traces: &[f64], lambda: &mut [f64]) {
        if let Self::TangentKernel(a) = self {
            let all: f64 = traces.iter().sum();
            let wanted: Vec<f64> = traces.iter().map(|t| all / t).collect();
            blend(*a, &wanted, lambda);
        }
    }
}

fn norm<T: Real>(v: &[T]) -> f64 {
    v.iter().map(|v| v.f64() * v.f64()).sum::<f64>().sqrt()
}

/// λ ← k λ + (1 − k) λ̂ where λ̂ is a positive number.
fn blend(a: Average, wanted: &[f64], lambda: &mut [f64]) {
    for (lambda, wanted) in lambda.iter_mut().zip(wanted) {
        if wanted.is_finite() && *wanted > 0.0 {
            *lambda = a.keep * *lambda + (1.0 - a.keep) * wanted;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Architecture;

    fn network() -> Network {
        Network::new(Architecture { gated: true, ..Architecture::dense(1, &[2, 2], 1) }).unwrap()
    }

    /// Gradients of two terms whose entries are their own numbers, signs alternating.
    fn gradients(n: usize) -> Vec<f64> {
        let sign = |i: usize| if i.is_multiple_of(2) { 1.0 } else { -1.0 };
        (0..n).map(|i| sign(i) * i as f64).chain((0..n).map(|i| -0.5 * sign(i) * (1 + i) as f64)).collect()
    }

    #[test]
    fn weights_are_those_of_the_formulas_by_hand() {
        let network = network();
        let n = network.parameters();
        let g = gradients(n);
        // Gates 0 to 7: 2 + 2 twice. hidden_0 8..10 and 10..12, hidden_1 12..16 and 16..18, output 18..20 and 20.
        assert_eq!((n, network.blocks()[4].name.as_str()), (21, "hidden_0.weight"));
        let layer = |range: std::ops::Range<usize>| {
            let len = range.len() as f64;
            range.map(|i| 0.5 * (1 + i) as f64).sum::<f64>() / len
        };
        let published = GradientStatistics::published();
        let mean = (layer(8..10) + layer(12..16) + layer(18..20)) / 3.0;
        let mut lambda = [1.0, 2.0];
        Balance::GradientStatistics(published).follow(&network, &g, &mut lambda);
        let expected = 0.9 * 2.0 + 0.1 * 19.0 / (2.0 * mean);
        assert!(lambda[0] == 1.0 && (lambda[1] - expected).abs() < 1e-14, "{lambda:?} {expected}");
        // The text: all parameters, the gradient of L alone, a tenth of the old value.
        let text = GradientStatistics::as_written();
        let mut lambda = [1.0, 2.0];
        Balance::GradientStatistics(text).follow(&network, &g, &mut lambda);
        let expected = 0.1 * 2.0 + 0.9 * 20.0 / layer(0..21);
        assert!((lambda[1] - expected).abs() < 1e-13, "{lambda:?} {expected}");
        // Each layer for itself: the one whose gradient is the least beside its largest decides.
        let each = GradientStatistics { extent: Extent::EachLayer, ..text };
        let mut lambda = [1.0, 2.0];
        Balance::GradientStatistics(each).follow(&network, &g, &mut lambda);
        let largest = [(9.0, 8..10), (15.0, 12..16), (19.0, 18..20)].map(|(max, range)| max / layer(range));
        let expected = 0.1 * 2.0 + 0.9 * largest.into_iter().fold(0.0, f64::max);
        assert!((lambda[1] - expected).abs() < 1e-13, "{lambda:?} {expected}");
        // The mean of both.
        let mean = GradientStatistics { numerator: Numerator::Mean, ..text };
        let mut lambda = [1.0, 2.0];
        Balance::GradientStatistics(mean).follow(&network, &g, &mut lambda);
        let expected = 0.1 * 2.0 + 0.9 * 10.0 / layer(0..21);
        assert!((lambda[1] - expected).abs() < 1e-13, "{lambda:?} {expected}");
        let average = Average { every: 1, keep: 0.0 };
        let mut lambda = [1.0, 1.0];
        Balance::GradientNorm(average).follow(&network, &g, &mut lambda);
        let norms = [norm(&g[..n]), norm(&g[n..])];
        assert!((lambda[0] * norms[0] - lambda[1] * norms[1]).abs() < 1e-12);
        assert!((lambda[0] - (norms[0] + norms[1]) / norms[0]).abs() < 1e-14);
        Balance::TangentKernel(average).follow_traces(&[1.0, 3.0], &mut lambda);
        assert_eq!(lambda, [4.0, 4.0 / 3.0]);
    }

    #[test]
    fn a_term_that_has_vanished_keeps_its_weight() {
        let network = network();
        let n = network.parameters();
        let mut g = gradients(n);
        g[n..].fill(0.0);
        for balance in [
            Balance::GradientStatistics(GradientStatistics::published()),
            Balance::GradientNorm(Average { every: 1, keep: 0.5 }),
        ] {
            let mut lambda = [1.0, 3.0];
            balance.follow(&network, &g, &mut lambda);
            assert_eq!(lambda[1], 3.0);
        }
    }

    #[test]
    fn impossible_averages_are_refused() {
        let refused = |every, keep| {
            let balance = Balance::GradientNorm(Average { every, keep });
            matches!(balance.check(), Err(Error::Training { .. }))
        };
        assert!(refused(0, 0.5) && refused(1, 1.0) && refused(1, -0.1) && refused(1, f64::NAN));
        assert!(!refused(1, 0.0) && Balance::Fixed.check().is_ok());
        assert!(!Balance::Fixed.is_due(0));
        assert!(Balance::GradientNorm(Average { every: 10, keep: 0.0 }).is_due(20));
    }
}
