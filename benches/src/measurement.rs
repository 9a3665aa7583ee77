//! One method on one problem, as it was measured.

use crate::Spread;
use serde::{Deserialize, Serialize};

/// One method on one problem. A method that failed has a row too: its `status` says how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The family, or the file of a system.
    pub problem: String,
    /// 2 or 3; 0 for a system without a grid.
    pub dim: usize,
    /// Cells along each side; rows of a system that is of no family.
    pub n: usize,
    /// Of the scene and the right-hand sides.
    pub seed: u64,
    /// The kind of right-hand side.
    pub rhs_kind: String,
    /// Cells that carry an unknown.
    pub unknowns: usize,
    /// Entries of the matrix.
    pub nonzeros: usize,
    /// The method's name.
    pub method: String,
    /// Threads that worked.
    pub threads: usize,
    /// Where: `cpu`, or the name of a GPU.
    #[serde(default = "processor")]
    pub device: String,
    /// The relative residual asked for.
    pub rtol: f64,
    /// How a solve ended: the name of a [`Status`](resolvent::Status), or `error`.
    pub status: String,
    /// What an error or an unhappy status says.
    pub advice: Option<String>,
    /// Steps of a solve.
    pub steps: usize,
    /// The true residual over the norm of b, recomputed in f64; the largest of all right-hand sides.
    pub true_residual: Option<f64>,
    /// Seconds to set up.
    pub setup: Spread,
    /// Seconds of a solve with one right-hand side.
    pub solve: Spread,
    /// How many right-hand sides were solved with one set-up.
    pub right_hand_sides: usize,
    /// Seconds of set-up and all of them.
    pub total: Spread,
    /// How often all this was repeated.
    pub repeats: usize,
    /// The most memory allocated at once beyond the operator, b and x, in bytes an unknown, where allocations are counted.
    pub bytes_per_unknown: Option<f64>,
    /// When the residual of the iteration first fell below 1e-4, 1e-6 and 1e-8 of b.
    pub reached: Vec<Reached>,
    /// Seconds and relative residual before every step of a solve, and at its end; thinned when long.
    pub history: Vec<(f64, f64)>,
}

/// Where everything was measured before there was a choice.
fn processor() -> String {
    "cpu".into()
}

/// When a relative residual was first reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reached {
    /// The relative residual.
    pub rtol: f64,
    /// Steps until then.
    pub steps: usize,
    /// Seconds of solve until then, without set-up.
    pub seconds: f64,
}

impl Measurement {
    /// Whether the method did what it was asked for.
    pub fn converged(&self) -> bool {
        self.status == "converged"
    }

    /// Unknowns a second, set-up and all right-hand sides counted.
    pub fn rate(&self) -> f64 {
        (self.unknowns * self.right_hand_sides) as f64 / self.total.median
    }

    /// Whether another measurement is of the same thing.
    pub fn same_case(&self, other: &Self) -> bool {
        let key = |m: &Self| {
            let numbers = (m.dim, m.n, m.seed, m.threads, m.right_hand_sides, m.rtol.to_bits());
            (m.problem.clone(), m.method.clone(), m.rhs_kind.clone(), m.device.clone(), numbers)
        };
        key(self) == key(other)
    }
}

/// The relative residuals a comparison is scored at.
pub const SCORED: [f64; 3] = [1e-4, 1e-6, 1e-8];

/// When each of [`SCORED`] was first reached.
pub fn reached(history: &[(f64, f64)]) -> Vec<Reached> {
    let first = |rtol: f64| {
        let steps = history.iter().position(|(_, r)| *r <= rtol)?;
        Some(Reached { rtol, steps, seconds: history[steps].0 })
    };
    SCORED.into_iter().filter_map(first).collect()
}

/// At most about `most` entries of a history, the first and the last among them.
pub fn thinned(history: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    let stride = history.len().div_ceil(most.max(1)).max(1);
    let mut kept: Vec<_> = history.iter().copied().step_by(stride).collect();
    // Keeps its end.
    if let (Some(last), false) = (history.last(), history.len() % stride == 1 || stride == 1) {
        kept.push(*last);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residuals_are_reached_once() {
        let history = [(0.0, 1.0), (0.1, 1e-3), (0.2, 1e-5), (0.3, 2e-5), (0.4, 1e-7)];
        let r = reached(&history);
        assert_eq!(r.iter().map(|r| (r.steps, r.seconds)).collect::<Vec<_>>(), [(2, 0.2), (4, 0.4)]);
    }

    #[test]
    fn a_thinned_history_keeps_its_ends() {
        for len in 1..40 {
            let history: Vec<_> = (0..len).map(|i| (i as f64, 1.0)).collect();
            for most in [1, 2, 7, 40] {
                let kept = thinned(&history, most);
                assert!(
                    kept.len() <= most + 1 && kept[0] == history[0] && kept.last() == history.last(),
                    "{len} {most}"
                );
                assert!(kept.windows(2).all(|w| w[0].0 < w[1].0));
            }
        }
    }
}
