//! Weights from the statistics of gradients.

use super::Average;
use crate::network::{Network, Role};
use crate::simd::Real;
use std::ops::Range;

/// λ̂ᵢ = max|∇L₀| / mean|∇Lᵢ|, with L₀ the loss of the equation.
///
/// What the paper says and what its published program does differ in three places, and its tables come from the program:
///
/// | | the text ([`as_written`](Self::as_written)) | the program ([`published`](Self::published)) |
/// |:--|:--|:--|
/// | the part of the old weight kept | 1 − α = 0.1 | 0.9 |
/// | below the line | ∇Lᵢ | ∇(λᵢLᵢ) |
/// | over | all parameters | the weights of the layers, gates left out: the largest of their maxima, the mean of their means |
///
/// With ∇(λL) below the line λ settles at the root of what the text's would. The program of the driven cavity looks at each
/// layer by itself ([`Extent::EachLayer`]).
///
/// # Reference
/// S. Wang, Y. Teng, P. Perdikaris, Understanding and mitigating gradient flow pathologies in physics-informed neural
/// networks, SIAM Journal on Scientific Computing 43 (2021), doi:10.1137/20M1318043.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradientStatistics {
    /// How often, and how much of the old weight stays.
    pub average: Average,
    /// What is above the line.
    pub numerator: Numerator,
    /// What is below the line.
    pub denominator: Denominator,
    /// The parameters looked at.
    pub extent: Extent,
}

/// The statistic of |∇L₀|.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numerator {
    /// The largest.
    Max,
    /// The mean.
    Mean,
}

/// The gradient whose mean is below the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denominator {
    /// ∇Lᵢ.
    Plain,
    /// ∇(λᵢLᵢ).
    Weighted,
}

/// The parameters that statistics are taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The weight matrices of hidden and output layers, each counting the same.
    Weights,
    /// The same matrices, each for itself: λ̂ is the largest of their ratios, as in the published program of the driven cavity.
    EachLayer,
    /// All parameters of the network alike.
    All,
}

impl GradientStatistics {
    /// As the published program computes it, which made the paper's tables.
    pub fn published() -> Self {
        Self {
            average: Average { every: 10, keep: 0.9 },
            numerator: Numerator::Max,
            denominator: Denominator::Weighted,
            extent: Extent::Weights,
        }
    }

    /// As the paper's text has it.
    pub fn as_written() -> Self {
        Self {
            average: Average { every: 10, keep: 0.1 },
            numerator: Numerator::Max,
            denominator: Denominator::Plain,
            extent: Extent::All,
        }
    }

    /// λ̂ of one term.
    pub(super) fn wanted<T: Real>(&self, network: &Network, equation: &[T], term: &[T], old: f64) -> f64 {
        let factor = if self.denominator == Denominator::Weighted { old } else { 1.0 };
        let ratio = |(largest, mean): (f64, f64), below: (f64, f64)| {
            let above = if self.numerator == Numerator::Max { largest } else { mean };
            above / (factor * below.1)
        };
        let layers = network.blocks().iter();
        let layers = layers.filter(|b| b.role == Role::Weight && !b.name.starts_with("gate_"));
        let ranges = layers.map(|b| b.range.clone());
        match self.extent {
            Extent::All => {
                ratio(measure(&equation[..network.parameters()]), measure(&term[..network.parameters()]))
            }
            Extent::Weights => {
                let ranges: Vec<_> = ranges.collect();
                ratio(joined(equation, &ranges), joined(term, &ranges))
            }
            Extent::EachLayer => ranges
                .map(|r| ratio(measure(&equation[r.clone()]), measure(&term[r])))
                .filter(|r| r.is_finite())
                .fold(0.0, f64::max),
        }
    }
}

/// The largest and the mean of |g|.
fn measure<T: Real>(g: &[T]) -> (f64, f64) {
    let (max, sum) = g.iter().fold((0.0f64, 0.0), |(max, sum), v| {
        let size = v.f64().abs();
        (max.max(size), sum + size)
    });
    (max, sum / g.len() as f64)
}

/// The largest of the maxima and the mean of the means.
fn joined<T: Real>(g: &[T], ranges: &[Range<usize>]) -> (f64, f64) {
    let (mut max, mut sum) = (0.0f64, 0.0);
    for range in ranges {
        let (largest, mean) = measure(&g[range.clone()]);
        (max, sum) = (max.max(largest), sum + mean);
    }
    (max, sum / ranges.len() as f64)
}
