//! Maximal sets of nodes no two of which are within two edges of each other.
//!
//! B. Kelley, S. Rajamanickam, *Parallel, portable algorithms for distance-2 maximal independent set and graph
//! coarsening*, IPDPS 2022, 10.1109/IPDPS53621.2022.00035: in every round those nodes are taken that no other within two
//! edges beats in priority. Departures: the priorities are a permutation drawn once, so that 32 bits suffice, none tie and
//! the set is that of a greedy search in their order, whatever the number of threads; and the nodes near one taken are
//! struck out at once, which saves a round over nearly all nodes.

use super::strength::Graph;
use rayon::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The priority of a node that is decided.
const OUT: u32 = u32::MAX;

/// Nodes a piece of work takes.
const NODES: usize = 2048;

/// A permutation of the numbers below the next power of two, well mixed: shifts to the right and odd factors.
#[derive(Clone, Copy)]
struct Permutation {
    bits: u32,
}

impl Permutation {
    /// Of n nodes, fewer than 2³¹.
    fn new(n: usize) -> Self {
        Self { bits: n.next_power_of_two().trailing_zeros().max(2) }
    }

    #[inline(always)]
    fn of(self, node: u32) -> u32 {
        let (mask, shift) = ((1 << self.bits) - 1, self.bits.div_ceil(2));
        let mut h = (node ^ 0x9e37_79b9) & mask;
        for factor in [0x85eb_ca6b, 0xc2b2_ae35, 0x27d4_eb2f] {
            h ^= h >> shift;
            h = h.wrapping_mul(factor) & mask;
        }
        h ^ (h >> shift)
    }
}

/// A maximal independent set at distance two among the nodes of a symmetric graph that have a neighbour, ascending.
pub(super) fn distance_two(graph: &Graph) -> Vec<u32> {
    let n = graph.offsets.len() - 1;
    let near = |v: u32| graph.row(v as usize).0;
    let priorities = Permutation::new(n);
    let atomic = |value: u32| AtomicU32::new(value);
    let nodes = || (0..n as u32).into_par_iter().with_min_len(NODES);
    // What a node draws until it is decided, and the least of it and its neighbours.
    let priority: Vec<AtomicU32> =
        nodes().map(|v| atomic(if near(v).is_empty() { OUT } else { priorities.of(v) })).collect();
    let least: Vec<AtomicU32> = nodes().map(|_| atomic(OUT)).collect();
    let of = |v: u32| priority[v as usize].load(Relaxed);
    let least_of = |v: u32| least[v as usize].load(Relaxed);
    let mut undecided: Vec<u32> = nodes().filter(|v| of(*v) != OUT).collect();
    let mut open = undecided.clone();
    let mut roots = Vec::new();
    while !undecided.is_empty() {
        open.par_iter().with_min_len(NODES).for_each(|&v| {
            let lowest = near(v).iter().fold(of(v), |lowest, w| lowest.min(of(*w)));
            least[v as usize].store(lowest, Relaxed);
        });
        let first = |v: &u32| {
            let own = of(*v);
            near(*v).iter().fold(least_of(*v) == own, |all, w| all & (least_of(*w) == own))
        };
        let taken: Vec<u32> = undecided.par_iter().with_min_len(NODES).copied().filter(first).collect();
        taken.par_iter().with_min_len(64).for_each(|&v| {
            priority[v as usize].store(OUT, Relaxed);
            for &w in near(v) {
                near(w).iter().for_each(|u| priority[*u as usize].store(OUT, Relaxed));
                priority[w as usize].store(OUT, Relaxed);
            }
        });
        roots.extend(taken);
        undecided = undecided.par_iter().with_min_len(NODES).copied().filter(|v| of(*v) != OUT).collect();
        open = open.par_iter().with_min_len(NODES).copied().filter(|v| least_of(*v) != OUT).collect();
    }
    roots.par_sort_unstable();
    roots
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amg::sparse::Sparse;

    fn grid(nx: usize, ny: usize) -> Graph {
        Sparse::build(nx * ny, nx * ny, |_: &mut (), i, c, v| {
            let (x, y) = (i % nx, i / nx);
            let mut push = |on: bool, j: usize| {
                if on {
                    c.push(j as u32);
                    v.push(());
                }
            };
            push(y > 0, i.wrapping_sub(nx));
            push(x > 0, i.wrapping_sub(1));
            push(x + 1 < nx, i + 1);
            push(y + 1 < ny, i + nx);
        })
        .unwrap()
    }

    fn near(graph: &Graph, v: u32) -> Vec<u32> {
        let mut all: Vec<u32> = graph.row(v as usize).0.to_vec();
        for w in graph.row(v as usize).0 {
            all.extend_from_slice(graph.row(*w as usize).0);
        }
        all.retain(|w| *w != v);
        all
    }

    #[test]
    fn sets_are_independent_and_maximal() {
        for (nx, ny) in [(1, 1), (1, 50), (37, 23), (120, 61)] {
            let graph = grid(nx, ny);
            let set = distance_two(&graph);
            let is_in = |v: &u32| set.binary_search(v).is_ok();
            for v in (0..(nx * ny) as u32).filter(|v| !graph.row(*v as usize).0.is_empty()) {
                assert_eq!(near(&graph, v).iter().any(is_in), !is_in(&v), "{v} of {nx} x {ny}");
            }
        }
    }

    #[test]
    fn priorities_are_permutations() {
        for n in [1, 5, 64, 1000, 4096, 100_000] {
            let p = Permutation::new(n);
            let mut all: Vec<u32> = (0..n as u32).map(|v| p.of(v)).collect();
            all.sort_unstable();
            all.dedup();
            assert!(all.len() == n && all[n - 1] < OUT);
        }
    }

    #[test]
    fn a_set_is_one_for_any_number_of_threads() {
        let graph = grid(300, 217);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| distance_two(&graph))
        };
        let one = with(1);
        assert!([2, 4, 8].into_iter().all(|t| with(t) == one));
    }
}
