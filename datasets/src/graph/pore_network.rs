//! `pore-network`: pores and throats of a random rock, and the pressure of a fluid that creeps through it.
//!
//! Points, uniform in a cube of 1 mm, are the centres of pores; the edges of their Delaunay tetrahedralisation are throats.
//! Pore diameters are lognormal(ln 10 µm, 0.1), at most 0.9 of the smallest distance between two pores; a throat is as wide as its
//! narrower pore and as long as the distance of the centres less the two radii. Its conductance is that of Hagen and Poiseuille,
//! πr⁴/(8μl) with μ = 10⁻⁵ Pa·s. Pores within a tenth of the side from the face y = 0 have the pressure 101,325 Pa,
//! those as near to the opposite face have 0 (where there is none, the nearest one has); in every other pore the flows add up to
//! nothing, which is a weighted graph Laplacian that our own solver solves.
//!
//! Both directions of each throat are stored. A column's `scale` turns what is stored into SI units: coordinates and lengths
//! are in sides of the cube, diameters in 10 µm, conductances in that of a throat of 10 µm by 100 µm, pressures in 101,325 Pa.
//!
//! # Reference
//! J. Park, J. Choo, J. Park, *Convergent Graph Solvers*, ICLR 2022, arXiv:2106.01680.

use super::delaunay::Delaunay;
use super::production;
use super::{Column, Graph, Schema};
use crate::maker::{Cost, Maker, Outcome, Recipe, Setting, Watch};
use crate::random::Stream;
use crate::{Error, Result};
use resolvent::direct::SparseCholesky;
use resolvent::{Amg, AmgOptions, Cg, Csr, Host, Operator, Properties, Status, Stop};
use std::f64::consts::PI;
use std::ops::RangeInclusive;
use std::path::Path;

/// Side of the cube, m.
const SIDE: f64 = 1e-3;
/// Median diameter of a pore, m.
const DIAMETER: f64 = 1e-5;
/// Standard deviation of its logarithm.
const SPREAD: f64 = 0.1;
/// Viscosity, Pa·s.
const VISCOSITY: f64 = 1e-5;
/// Pressure at the inlet, Pa.
const PRESSURE: f64 = 101_325.0;
/// Depth of the layers whose pressure is given, in sides.
const LAYER: f64 = 0.1;
/// Up to this many unknowns are factorised; more are iterated.
const FACTORISED: usize = 5000;

pub(crate) const MAKER: Maker = Maker {
    name: "pore-network",
    summary: "random rocks: pores and throats with diameters and conductances, pressures to be found",
    samples: Some((1000, "networks")),
    settings: &[
        Setting { name: "pores", default: "50..200", what: "pores of a network, a range or one number" },
        production::PRECISION,
    ],
    cost,
    make,
};

/// Conductance of a throat of radius `r` and length `l`, both in m: in m³/(Pa·s).
fn conductance(r: f64, l: f64) -> f64 {
    PI * r.powi(4) / (8.0 * VISCOSITY * l)
}

/// Node features x, y, z, whether the pressure is given, and the given pressure (else 0); edge features diameter, length and
/// conductance; target pressure.
pub fn schema() -> Schema {
    let length = |name| Column::new(name, "m", SIDE);
    let pressure = |name| Column::new(name, "Pa", PRESSURE);
    Schema {
        node: [
            vec![
                length("x"),
                length("y"),
                length("z"),
                Column::new("boundary", "1", 1.0),
                pressure("given_pressure"),
            ],
            vec![pressure("pressure")],
        ],
        edge: [
            vec![
                Column::new("diameter", "m", DIAMETER),
                length("length"),
                Column::new("conductance", "m^3/(Pa s)", conductance(0.5 * DIAMETER, 0.1 * SIDE)),
            ],
            vec![],
        ],
        ..Schema::default()
    }
}

/// Network number `i` of a seed.
///
/// ```
/// use resolvent_datasets::graph::pore_network::{flow_residual, network};
/// let rock = network(1, 0, 50..=200)?;
/// assert!(rock.node.targets.iter().all(|p| (0.0..=1.0).contains(p)));
/// assert!(flow_residual(&rock) < 1e-12);
/// # Ok::<(), resolvent_datasets::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotConverged`] and [`Error::Solver`] when the pressures of a large network cannot be found.
pub fn network(seed: u64, i: usize, pores: RangeInclusive<usize>) -> Result<Graph<f64>> {
    let numbers = Stream::new(seed ^ (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15), "pore network");
    let sizes = Stream::new(seed ^ (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15), "pore network: diameters");
    let choices = pores.end() - pores.start() + 1;
    let n = pores.start() + ((numbers.uniform(0) * choices as f64) as usize).min(choices - 1);
    let points: Vec<[f64; 3]> =
        (0..n as u64).map(|p| std::array::from_fn(|d| numbers.uniform(1 + 3 * p + d as u64))).collect();
    let throats = Delaunay::new(&points)?.edges();
    let distance = |[a, b]: &[u32; 2]| {
        let (a, b) = (points[*a as usize], points[*b as usize]);
        SIDE * (0..3).map(|d| (a[d] - b[d]) * (a[d] - b[d])).sum::<f64>().sqrt()
    };
    // The nearest two points are joined by an edge of every Delaunay tetrahedralisation.
    let smallest = throats.iter().map(distance).fold(f64::INFINITY, f64::min);
    let diameters: Vec<f64> =
        (0..n as u64).map(|p| (DIAMETER * libm::exp(SPREAD * sizes.normal(p))).min(0.9 * smallest)).collect();
    let edges = throats.iter().flat_map(|[a, b]| [[*a, *b], [*b, *a]]).collect();
    let mut graph = Graph::zeros(n, edges, &schema());
    let scale: Vec<f64> = schema().edge[0].iter().map(|c| c.scale).collect();
    for (at, [a, b]) in throats.iter().enumerate() {
        let (da, db) = (diameters[*a as usize], diameters[*b as usize]);
        let (diameter, length) = (da.min(db), distance(&[*a, *b]) - 0.5 * (da + db));
        let values = [diameter, length, conductance(0.5 * diameter, length)];
        for (c, v) in values.into_iter().enumerate() {
            graph.edge.features[(2 * at, c)] = v / scale[c];
            graph.edge.features[(2 * at + 1, c)] = v / scale[c];
        }
    }
    let given = boundary(&points);
    for (p, point) in points.iter().enumerate() {
        (0..3).for_each(|d| graph.node.features[(p, d)] = point[d]);
        graph.node.features[(p, 3)] = f64::from(u8::from(given[p].is_some()));
        graph.node.features[(p, 4)] = given[p].unwrap_or(0.0);
    }
    let pressures = pressures(&graph, &given)?;
    graph.node.targets.column_mut(0).assign(&ndarray::ArrayView1::from(&pressures));
    Ok(graph)
}

/// The given pressure of each pore, over that of the inlet.
fn boundary(points: &[[f64; 3]]) -> Vec<Option<f64>> {
    let ends = |sign: f64| points.iter().map(|p| sign * p[1]).fold(f64::INFINITY, f64::min);
    let (first, last) = (ends(1.0).max(LAYER), (-ends(-1.0)).min(1.0 - LAYER));
    let given = |p: &[f64; 3]| match p[1] {
        y if y <= first => Some(1.0),
        y if y >= last => Some(0.0),
        _ => None,
    };
    points.iter().map(given).collect()
}

/// The pressures by our own linear solver, found anew from conductances and what is given: `[pores]`.
///
/// # Errors
/// [`Error::Length`] for a graph of other features; [`Error::NotConverged`] and [`Error::Solver`].
pub fn solved_pressure(graph: &Graph<f64>) -> Result<Vec<f64>> {
    graph.check(&schema())?;
    let rows = graph.node.features.rows().into_iter();
    let given: Vec<Option<f64>> = rows.map(|r| (r[3] != 0.0).then_some(r[4])).collect();
    pressures(graph, &given)
}

/// The pressures where the flows of every other pore add up to nothing.
fn pressures(graph: &Graph<f64>, given: &[Option<f64>]) -> Result<Vec<f64>> {
    let mut unknown = vec![u32::MAX; graph.nodes];
    let mut count = 0;
    for (u, _) in unknown.iter_mut().zip(given).filter(|(_, g)| g.is_none()) {
        *u = count;
        count += 1;
    }
    let mut p: Vec<f64> = given.iter().map(|g| g.unwrap_or(0.0)).collect();
    if count == 0 {
        return Ok(p);
    }
    let mut entries = Vec::with_capacity(2 * graph.edges.len());
    let mut b = vec![0.0; count as usize];
    for ([from, to], g) in graph.edges.iter().zip(graph.edge.features.column(2)) {
        let (i, j) = (unknown[*to as usize], unknown[*from as usize]);
        if i == u32::MAX {
            continue;
        }
        entries.push((i, i, *g));
        if j == u32::MAX { b[i as usize] += g * p[*from as usize] } else { entries.push((i, j, -g)) }
    }
    let a = Csr::from_triplets(b.len(), b.len(), &entries)?.assume(Properties::SPD);
    let (space, mut x) = (Host::<f64>::new(), vec![0.0; b.len()]);
    if b.len() <= FACTORISED {
        SparseCholesky::new(&a)?.apply(&space, &b, &mut x)?;
    } else {
        let stop = Stop { rtol: 1e-12, ..Stop::default() };
        let m = Amg::<f64>::new(&a, AmgOptions::default())?;
        let report = Cg::new(&space, b.len(), stop)?.solve(&space, &a, Some(&m), &b, &mut x)?;
        if report.status != Status::Converged {
            return Err(Error::NotConverged {
                what: "the pressure of a pore network",
                residual: report.true_residual,
                target: report.target,
                mend: "ask for fewer pores",
            });
        }
    }
    for (p, u) in p.iter_mut().zip(&unknown).filter(|(_, u)| **u != u32::MAX) {
        // Rounding may leave a pore next to the inlet above it.
        *p = x[*u as usize].clamp(0.0, 1.0);
    }
    Ok(p)
}

/// The largest |Σ g (p_j − p_i)| / Σ g |p_j − p_i| over pores whose pressure is not given: what does not flow on, of
/// what flows in and out.
pub fn flow_residual(graph: &Graph<f64>) -> f64 {
    let p = graph.node.targets.column(0);
    let mut sums = vec![(0.0, 0.0); graph.nodes];
    for ([from, to], g) in graph.edges.iter().zip(graph.edge.features.column(2)) {
        let flow = g * (p[*from as usize] - p[*to as usize]);
        sums[*to as usize].0 += flow;
        sums[*to as usize].1 += flow.abs();
    }
    let inner = (0..graph.nodes).filter(|i| graph.node.features[(*i, 3)] == 0.0);
    inner.map(|i| sums[i].0.abs() / sums[i].1.max(f64::MIN_POSITIVE)).fold(0.0, f64::max)
}

/// Baseline: p = 1 − y, what a homogeneous rock would have: `[pores]`.
pub fn linear_pressure(graph: &Graph<f64>) -> Vec<f64> {
    graph.node.features.column(1).iter().map(|y| 1.0 - y).collect()
}

/// The mean of (p̂ − p)² over the pores whose pressure is not given.
pub fn mean_square_error(graph: &Graph<f64>, predicted: &[f64]) -> f64 {
    let inner = (0..graph.nodes).filter(|i| graph.node.features[(*i, 3)] == 0.0);
    let (sum, count) = inner.fold((0.0, 0usize), |(s, n), i| {
        let d = predicted[i] - graph.node.targets[(i, 0)];
        (s + d * d, n + 1)
    });
    sum / count.max(1) as f64
}

fn pores(recipe: &Recipe) -> Result<RangeInclusive<usize>> {
    recipe.range("pores", "a range within 8..1000000 is needed, such as 50..200", 8..=1_000_000)
}

fn cost(recipe: &Recipe) -> Result<Cost> {
    let pores = pores(recipe)?;
    let n = (pores.start() + pores.end()) / 2;
    // A point has 15.5 neighbours, fewer near the hull.
    production::cost(recipe, n, 14 * n, &schema())
}

fn make(recipe: &Recipe, path: &Path, watch: &mut Watch) -> Result<Outcome> {
    let (pores, seed) = (pores(recipe)?, recipe.seed());
    production::run(recipe, path, watch, &schema(), |i| network(seed, i, pores.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_what_the_physics_says() {
        let (mut linear, mut constant) = (0.0, 0.0);
        for i in 0..40 {
            let g = network(3, i, 50..=200).unwrap();
            g.check(&schema()).unwrap();
            assert!((50..=200).contains(&g.nodes));
            assert!(flow_residual(&g) < 1e-11, "{:e}", flow_residual(&g));
            assert_eq!(solved_pressure(&g).unwrap(), g.node.targets.column(0).to_vec());
            let sizes =
                Stream::new(3 ^ (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15), "pore network: diameters");
            let place = |p: usize| [0, 1, 2].map(|d| SIDE * g.node.features[(p, d)]);
            let distance = |a: usize, b: usize| {
                place(a).iter().zip(place(b)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
            };
            // Over all pairs, not those of the tetrahedra alone.
            let pairs = (0..g.nodes).flat_map(|a| (0..a).map(move |b| (a, b)));
            let smallest = pairs.map(|(a, b)| distance(a, b)).fold(f64::INFINITY, f64::min);
            let pore = |p: u32| (1e-5 * (0.1 * sizes.normal(u64::from(p))).exp()).min(0.9 * smallest);
            for (e, pair) in g.edges.chunks(2).enumerate() {
                assert_eq!(pair[0], [pair[1][1], pair[1][0]]);
                assert_eq!(g.edge.features.row(2 * e), g.edge.features.row(2 * e + 1));
                // In SI units, from what is stored.
                let [d, l, c] = [(0, 1e-5), (1, 1e-3)]
                    .map(|(c, s)| s * g.edge.features[(2 * e, c)])
                    .into_iter()
                    .chain([g.edge.features[(2 * e, 2)] * schema().edge[0][2].scale])
                    .collect::<Vec<_>>()[..]
                else {
                    panic!()
                };
                let [a, b] = pair[0];
                assert!((d / pore(a).min(pore(b)) - 1.0).abs() < 1e-12);
                let apart = distance(a as usize, b as usize) - 0.5 * (pore(a) + pore(b));
                assert!(l > 0.0 && (l - apart).abs() < 1e-12 * SIDE, "{l} {apart}");
                assert!((c / (PI * (d / 2.0).powi(4) / (8e-5 * l)) - 1.0).abs() < 1e-12);
            }
            // The layers are a tenth deep, or deep enough for one pore.
            let heights = g.node.features.column(1);
            let inlet = heights.iter().fold(1.0f64, |m, y| m.min(*y)).max(0.1);
            let outlet = heights.iter().fold(0.0f64, |m, y| m.max(*y)).min(0.9);
            for p in 0..g.nodes {
                let (y, given) = (g.node.features[(p, 1)], g.node.features[(p, 3)] == 1.0);
                assert_eq!(given, y <= inlet || y >= outlet, "network {i}");
                if given {
                    assert_eq!(g.node.targets[(p, 0)], f64::from(u8::from(y <= inlet)));
                    assert_eq!(g.node.features[(p, 4)], g.node.targets[(p, 0)]);
                } else {
                    // The discrete maximum principle.
                    assert!((0.0..=1.0).contains(&g.node.targets[(p, 0)]) && g.node.features[(p, 4)] == 0.0);
                }
            }
            linear += mean_square_error(&g, &linear_pressure(&g));
            constant += mean_square_error(&g, &vec![0.5; g.nodes]);
        }
        // A line leaves 0.29 of what the mean leaves.
        assert!(linear < 0.35 * constant, "a line is most of the answer: {linear} {constant}");
        assert_eq!(network(3, 7, 50..=200).unwrap(), network(3, 7, 50..=200).unwrap());
    }

    #[test]
    fn a_few_pores_have_an_inlet_and_an_outlet() {
        for i in 0..50 {
            let g = network(4, i, 8..=9).unwrap();
            let p: Vec<f64> = g.node.targets.column(0).to_vec();
            assert!(p.contains(&1.0) && p.contains(&0.0));
        }
    }

    #[test]
    fn iterated_pressures_are_the_factorised_ones() {
        let g = network(5, 0, 6500..=6500).unwrap();
        assert!(flow_residual(&g) < 1e-6, "{:e}", flow_residual(&g));
    }
}
