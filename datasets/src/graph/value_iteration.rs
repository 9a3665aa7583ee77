//! `value-iteration`: random decision processes and the values of their states.
//!
//! States are nodes; an edge i → j with reward r means that state j may be valued through i:
//! V(j) = maxᵢ (rᵢⱼ + γ V(i)) over the edges into j. The values are iterated from 0, all at once, until no one moves by the
//! tolerance. Sources of a state's edges are other states, without repetition. Beside it are the simple answers a solver has to
//! beat: [`mean_error`], [`greedy_accuracy`], [`look_ahead_accuracy`].
//!
//! # Reference
//! J. Park, J. Choo, J. Park, *Convergent Graph Solvers*, ICLR 2022, arXiv:2106.01680. Departure: there, sources of edges
//! may repeat and the percentage error is relative to the prediction.

use super::production;
use super::{Column, Graph, Schema};
use crate::maker::{Cost, Maker, Outcome, Recipe, Setting, Watch};
use crate::random::Stream;
use crate::{Error, Result};
use std::ops::RangeInclusive;
use std::path::Path;

pub(crate) const MAKER: Maker = Maker {
    name: "value-iteration",
    summary: "random decision processes: reward on each edge, value of each state to be found",
    samples: Some((4096, "graphs")),
    settings: &[
        Setting { name: "states", default: "20..49", what: "states of a graph, a range or one number" },
        Setting { name: "actions", default: "5..9", what: "edges into each state of a graph" },
        Setting { name: "discount", default: "0.9", what: "the factor γ of the next value" },
        Setting {
            name: "tolerance",
            default: "1e-3",
            what: "the iteration ends when no value moves by more",
        },
        Setting { name: "sweeps", default: "200", what: "at most this many sweeps" },
        production::PRECISION,
    ],
    cost,
    make,
};

/// What a random decision process is like.
#[derive(Clone, Debug, PartialEq)]
pub struct Processes {
    /// States of a graph.
    pub states: RangeInclusive<usize>,
    /// Edges into each state.
    pub actions: RangeInclusive<usize>,
    /// γ, below 1.
    pub discount: f64,
    /// The iteration ends when no value moves by more.
    pub tolerance: f64,
    /// At most this many sweeps.
    pub sweeps: usize,
}

impl Default for Processes {
    /// 20–49 states, 5–9 edges into each, γ = 0.9, to 1e-3 in at most 200 sweeps.
    fn default() -> Self {
        Self { states: 20..=49, actions: 5..=9, discount: 0.9, tolerance: 1e-3, sweeps: 200 }
    }
}

/// One feature on each node, which is 1; the reward on each edge; the value of each node as the target.
pub fn schema() -> Schema {
    let column = |name| vec![Column::new(name, "1", 1.0)];
    Schema { node: [column("one"), column("value")], edge: [column("reward"), vec![]], ..Schema::default() }
}

impl Processes {
    /// Process number `i` of a seed. Edges are sorted by target, then by source.
    ///
    /// ```
    /// use resolvent_datasets::graph::value_iteration::{Processes, bellman_residual};
    /// let processes = Processes::default();
    /// let graph = processes.graph(1, 0)?;
    /// assert!((20..=49).contains(&graph.nodes));
    /// assert!(bellman_residual(&graph, processes.discount) < processes.tolerance);
    /// # Ok::<(), resolvent_datasets::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotConverged`] when the sweeps do not reach the tolerance.
    pub fn graph(&self, seed: u64, i: usize) -> Result<Graph<f64>> {
        let numbers = Stream::new(seed ^ (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15), "value iteration");
        let mut drawn = 0;
        let mut uniform = || {
            drawn += 1;
            numbers.uniform(drawn)
        };
        let mut among = |range: &RangeInclusive<usize>| {
            let choices = range.end() - range.start() + 1;
            range.start() + ((uniform() * choices as f64) as usize).min(choices - 1)
        };
        let (n, k) = (among(&self.states), among(&self.actions));
        let mut edges = Vec::with_capacity(n * k);
        for j in 0..n {
            // Floyd's sample without replacement, of the n − 1 others.
            let mut sources: Vec<usize> = Vec::with_capacity(k);
            for top in n - 1 - k.min(n - 1)..n - 1 {
                let t = among(&(0..=top));
                sources.push(if sources.contains(&t) { top } else { t });
            }
            sources.sort_unstable();
            edges.extend(sources.iter().map(|s| [(s + usize::from(*s >= j)) as u32, j as u32]));
        }
        let mut graph = Graph::zeros(n, edges, &schema());
        graph.node.features.fill(1.0);
        graph.edge.features.iter_mut().for_each(|r| *r = 2.0 * uniform() - 1.0);
        let mut v = vec![0.0; n];
        let mut moved = f64::INFINITY;
        for _ in 0..self.sweeps {
            let next = backup(&graph, self.discount, &v);
            moved = v.iter().zip(&next).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
            v = next;
            if moved < self.tolerance {
                graph.node.targets.column_mut(0).assign(&ndarray::ArrayView1::from(&v));
                return Ok(graph);
            }
        }
        Err(Error::NotConverged {
            what: "value iteration",
            residual: moved,
            target: self.tolerance,
            mend: "allow more sweeps, or a larger tolerance",
        })
    }
}

/// maxᵢ (rᵢⱼ + γ V(i)) for every state j.
fn backup(graph: &Graph<f64>, discount: f64, v: &[f64]) -> Vec<f64> {
    let mut next = vec![f64::NEG_INFINITY; v.len()];
    for ([i, j], r) in graph.edges.iter().zip(&graph.edge.features) {
        let value = r + discount * v[*i as usize];
        next[*j as usize] = next[*j as usize].max(value);
    }
    next
}

/// The edge each state takes under the values `v`: `[states]`, the first of equals.
pub fn policy(graph: &Graph<f64>, discount: f64, v: &[f64]) -> Vec<usize> {
    let mut best = vec![(f64::NEG_INFINITY, 0); graph.nodes];
    for (edge, ([i, j], r)) in graph.edges.iter().zip(&graph.edge.features).enumerate() {
        let value = r + discount * v[*i as usize];
        if value > best[*j as usize].0 {
            best[*j as usize] = (value, edge);
        }
    }
    best.into_iter().map(|(_, edge)| edge).collect()
}

/// The part of the states where the policy of the values `v` is that of the stored ones.
pub fn policy_accuracy(graph: &Graph<f64>, discount: f64, v: &[f64]) -> f64 {
    let (found, true_one) = (policy(graph, discount, v), policy(graph, discount, &values(graph)));
    found.iter().zip(&true_one).filter(|(a, b)| a == b).count() as f64 / graph.nodes as f64
}

/// The stored values: `[states]`.
pub fn values(graph: &Graph<f64>) -> Vec<f64> {
    graph.node.targets.column(0).to_vec()
}

/// The largest |V(j) − maxᵢ (rᵢⱼ + γ V(i))| of the stored values.
pub fn bellman_residual(graph: &Graph<f64>, discount: f64) -> f64 {
    let v = values(graph);
    backup(graph, discount, &v).iter().zip(&v).fold(0.0, |m, (a, b)| m.max((a - b).abs()))
}

/// The mean of |V̂ − V| / |V| over the states, for predicted values V̂.
pub fn relative_error(graph: &Graph<f64>, predicted: &[f64]) -> f64 {
    let v = values(graph);
    predicted.iter().zip(&v).map(|(p, v)| ((p - v) / v).abs()).sum::<f64>() / graph.nodes as f64
}

/// Baseline: the relative error of always predicting the mean of the graph's true values.
pub fn mean_error(graph: &Graph<f64>) -> f64 {
    let mean = values(graph).iter().sum::<f64>() / graph.nodes as f64;
    relative_error(graph, &vec![mean; graph.nodes])
}

/// Baseline: the policy accuracy of choosing the largest reward.
pub fn greedy_accuracy(graph: &Graph<f64>, discount: f64) -> f64 {
    policy_accuracy(graph, discount, &vec![0.0; graph.nodes])
}

/// Baseline: the policy accuracy of looking one step ahead, that is of the values after one sweep from 0.
pub fn look_ahead_accuracy(graph: &Graph<f64>, discount: f64) -> f64 {
    let v = backup(graph, discount, &vec![0.0; graph.nodes]);
    policy_accuracy(graph, discount, &v)
}

fn processes(recipe: &Recipe) -> Result<Processes> {
    let states = recipe.range("states", "a range within 2..100000 is needed, such as 20..49", 2..=100_000)?;
    let actions = recipe.range("actions", "a range within 1..10000 is needed, such as 5..9", 1..=10_000)?;
    if *actions.end() >= *states.start() {
        return Err(recipe.refuse("actions", "a state has fewer edges than there are other states; use less"));
    }
    let positive = |v: &f64| v.is_finite() && *v > 0.0;
    Ok(Processes {
        states,
        actions,
        discount: recipe.number("discount", "a number in 0..1 is needed", |v| (0.0..1.0).contains(v))?,
        tolerance: recipe.number("tolerance", "a positive number is needed", positive)?,
        sweeps: recipe.number("sweeps", "a whole number from 1 is needed", |v| *v > 0)?,
    })
}

fn cost(recipe: &Recipe) -> Result<Cost> {
    let p = processes(recipe)?;
    let (n, k) = ((p.states.start() + p.states.end()) / 2, (p.actions.start() + p.actions.end()) / 2);
    production::cost(recipe, n, n * k, &schema())
}

fn make(recipe: &Recipe, path: &Path, watch: &mut Watch) -> Result<Outcome> {
    let (processes, seed) = (processes(recipe)?, recipe.seed());
    production::run(recipe, path, watch, &schema(), |i| processes.graph(seed, i))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphs_have_the_counts_and_values_they_are_asked_for() {
        let p = Processes::default();
        for i in 0..200 {
            let g = p.graph(5, i).unwrap();
            g.check(&schema()).unwrap();
            let k = g.edges.len() / g.nodes;
            assert!((20..=49).contains(&g.nodes) && (5..=9).contains(&k) && k * g.nodes == g.edges.len());
            for (at, [s, t]) in g.edges.iter().enumerate() {
                assert!(s != t && *t as usize == at / k);
                assert!(at % k == 0 || g.edges[at - 1][0] < *s, "sources do not repeat");
            }
            assert!(g.edge.features.iter().all(|r| r.abs() < 1.0));
            assert!(bellman_residual(&g, 0.9) <= 0.9e-3);
            // The fixed point, by many more sweeps: the error of the stopped one is at most γ tol / (1 − γ).
            let tight = Processes { tolerance: 1e-12, sweeps: 1000, ..p.clone() }.graph(5, i).unwrap();
            assert_eq!((&tight.edges, &tight.edge), (&g.edges, &g.edge));
            let far = values(&g).iter().zip(values(&tight)).fold(0.0f64, |m, (a, b)| m.max((a - b).abs()));
            assert!(far <= 0.9e-2, "{far}");
        }
        assert_eq!(p.graph(5, 3).unwrap(), p.graph(5, 3).unwrap());
        assert_ne!(p.graph(5, 3).unwrap(), p.graph(6, 3).unwrap());
        assert_ne!(p.graph(5, 3).unwrap(), p.graph(5, 4).unwrap());
    }

    #[test]
    fn every_source_is_equally_likely() {
        let p = Processes { states: 10..=10, actions: 3..=3, ..Processes::default() };
        let mut counts = [0u32; 10];
        for i in 0..3000 {
            p.graph(1, i)
                .unwrap()
                .edges
                .iter()
                .filter(|e| e[1] == 4)
                .for_each(|e| counts[e[0] as usize] += 1);
        }
        // 3000 · 3/9 each, five standard deviations.
        assert_eq!(counts[4], 0);
        assert!(counts.iter().enumerate().all(|(s, c)| s == 4 || c.abs_diff(1000) < 130), "{counts:?}");
    }

    #[test]
    fn simple_answers_are_as_good_as_they_are_known_to_be() {
        // Known: 1.2–3.9 %, 0.65–0.70 and 0.76–0.82 for 20–100 states and 5, 10, 15 actions.
        for k in [5, 10, 15] {
            let p = Processes { states: 20..=100, actions: k..=k, ..Processes::default() };
            let n = 100;
            let mut sums = [0.0; 3];
            for i in 0..n {
                let g = p.graph(2, i).unwrap();
                let found = [mean_error(&g), greedy_accuracy(&g, 0.9), look_ahead_accuracy(&g, 0.9)];
                sums.iter_mut().zip(found).for_each(|(s, f)| *s += f / n as f64);
            }
            println!("{k} actions: {sums:?}");
            assert!((0.01..0.05).contains(&sums[0]), "{sums:?}");
            assert!((0.62..0.73).contains(&sums[1]), "{sums:?}");
            assert!((0.74..0.84).contains(&sums[2]), "{sums:?}");
        }
    }

    #[test]
    fn too_few_sweeps_are_an_error() {
        let e = Processes { sweeps: 3, ..Processes::default() }.graph(0, 0).unwrap_err();
        assert!(matches!(e, Error::NotConverged { .. }), "{e}");
    }
}
