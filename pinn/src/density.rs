//! How the gradients of a loss are distributed over the parameters of each layer.

use crate::network::{Network, Role};
use crate::nullable;
use crate::simd::Real;
use serde::{Deserialize, Serialize};

/// Bins of a histogram.
const BINS: usize = 60;

/// Histograms of gradients at one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Density {
    /// The step.
    pub step: u64,
    /// One for each weight matrix.
    pub layers: Vec<LayerDensity>,
}

/// Histograms of the gradients of every term by the weights of one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerDensity {
    /// Its name.
    pub layer: String,
    /// −range to range is what the bins divide: a part of 0.99 of each term lies within.
    #[serde(deserialize_with = "nullable::read")]
    pub range: f64,
    /// Terms × bins: the part of the gradients of λᵢLᵢ in each bin, divided by its width.
    #[serde(deserialize_with = "nullable::read")]
    pub terms: Vec<Vec<f64>>,
}

impl Density {
    /// Of gradients `[terms, parameters]` of Lᵢ with their weights λᵢ.
    pub fn of<T: Real>(network: &Network, step: u64, gradients: &[T], weights: &[f64]) -> Self {
        let n = gradients.len() / weights.len().max(1);
        let layers = network.blocks().iter().filter(|b| b.role == Role::Weight).map(|block| {
            let rows: Vec<Vec<f64>> = gradients
                .chunks_exact(n.max(1))
                .zip(weights)
                .map(|(row, w)| row[block.range.clone()].iter().map(|g| w * g.f64()).collect())
                .collect();
            let range = rows.iter().map(|r| quantile(r)).fold(f64::MIN_POSITIVE, f64::max);
            let terms = rows.iter().map(|r| histogram(r, range)).collect();
            LayerDensity { layer: block.name.trim_end_matches(".weight").into(), range, terms }
        });
        Self { step, layers: layers.collect() }
    }
}

/// What 99% of |v| are below.
fn quantile(v: &[f64]) -> f64 {
    let mut sizes: Vec<f64> = v.iter().map(|v| v.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.get((sizes.len() * 99) / 100).copied().unwrap_or(0.0)
}

fn histogram(v: &[f64], range: f64) -> Vec<f64> {
    let mut counts = vec![0.0; BINS];
    let width = 2.0 * range / BINS as f64;
    for v in v {
        let bin = ((v + range) / width).floor();
        if bin >= 0.0 && (bin as usize) < BINS {
            counts[bin as usize] += 1.0;
        }
    }
    counts.iter().map(|c| c / (v.len().max(1) as f64 * width)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Architecture;

    #[test]
    fn densities_integrate_to_the_part_within_their_range() {
        let network = Network::new(Architecture::dense(2, &[30, 30], 1)).unwrap();
        let n = network.parameters();
        let gradients: Vec<f64> =
            (0..2 * n).map(|i| (i as f64 * 0.37).sin() * if i < n { 1.0 } else { 0.01 }).collect();
        let density = Density::of(&network, 7, &gradients, &[1.0, 50.0]);
        assert_eq!((density.step, density.layers.len()), (7, 3));
        assert_eq!(density.layers[1].layer, "hidden_1");
        for layer in &density.layers {
            let width = 2.0 * layer.range / BINS as f64;
            for term in &layer.terms {
                let mass = term.iter().sum::<f64>() * width;
                assert!((0.95..=1.0 + 1e-12).contains(&mass), "{} {mass}", layer.layer);
            }
            // The second term is half as wide: 0.01 · 50.
            let spread = |t: &[f64]| t.iter().filter(|d| **d > 0.0).count();
            assert!(spread(&layer.terms[1]) < spread(&layer.terms[0]));
        }
    }
}
