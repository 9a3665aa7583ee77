//! Maximal sets of nodes no two of which are within two edges of each other.
//!
//! B. Kelley, S. Rajamanickam, *Parallel, portable algorithms for distance-2 maximal independent set and graph
//! coarsening*, IPDPS 2022, 10.1109/IPDPS53621.2022.00035: every round draws a priority for each undecided node from a
//! hash of the node and the round, and takes those that no node within two edges beats. Every step is a pass over nodes
//! that write to themselves alone, so the set is the same for any number of threads.

use super::strength::Graph;
use crate::stencil::rows::Shared;
use rayon::prelude::*;

const IN: u64 = 0;
const OUT: u64 = u64::MAX;

/// A well-mixed function of a node and a round (the finaliser of SplitMix64).
fn hash(node: u32, round: u32) -> u64 {
    let mut h = (u64::from(round) << 32 | u64::from(node)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    h = (h ^ (h >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    h ^ (h >> 31)
}

/// Nodes a piece of work takes.
const NODES: usize = 2048;

/// A maximal independent set at distance two in the part of a graph whose nodes satisfy `member`, ascending.
pub(super) fn distance_two(graph: &Graph, member: impl Fn(u32) -> bool + Sync) -> Vec<u32> {
    let n = graph.offsets.len() - 1;
    let mut undecided: Vec<u32> =
        (0..n as u32).into_par_iter().with_min_len(NODES).filter(|v| member(*v)).collect();
    let mut open = undecided.clone();
    let mut state = vec![OUT; n];
    let mut least = vec![OUT; n];
    let mut round = 0;
    while !undecided.is_empty() {
        let (s, m) = (Shared::new(&mut state), Shared::new(&mut least));
        undecided.par_iter().with_min_len(NODES).for_each(|&v| {
            let priority = hash(v, round) & 0xffff_ffff_0000_0000 | u64::from(v);
            // SAFETY: every node writes to itself alone, here and below, and what is read nobody writes in that pass.
            unsafe { s.get_mut(v as usize, 1)[0] = priority.clamp(IN + 1, OUT - 1) };
        });
        open.par_iter().with_min_len(NODES).for_each(|&v| {
            let of = |w: u32| unsafe { s.get(w as usize, 1)[0] }; // SAFETY: as above.
            let lowest = graph.row(v as usize).0.iter().filter(|w| member(**w)).map(|w| of(*w)).min();
            let lowest = lowest.unwrap_or(OUT).min(of(v));
            // SAFETY: as above.
            unsafe { m.get_mut(v as usize, 1)[0] = if lowest == IN { OUT } else { lowest } };
        });
        undecided.par_iter().with_min_len(NODES).for_each(|&v| {
            let of = |w: u32| unsafe { m.get(w as usize, 1)[0] }; // SAFETY: as above.
            // SAFETY: as above.
            let own = unsafe { &mut s.get_mut(v as usize, 1)[0] };
            let (mut out, mut all) = (of(v) == OUT, of(v) == *own);
            for &w in graph.row(v as usize).0.iter().filter(|w| member(**w)) {
                let lowest = of(w);
                out |= lowest == OUT;
                all &= lowest == *own;
            }
            if out {
                *own = OUT;
            } else if all {
                *own = IN;
            }
        });
        let keep = |v: &u32| !matches!(state[*v as usize], IN | OUT);
        undecided = undecided.par_iter().with_min_len(NODES).copied().filter(keep).collect();
        open = open.par_iter().with_min_len(NODES).copied().filter(|v| least[*v as usize] != OUT).collect();
        round += 1;
    }
    (0..n as u32).into_par_iter().with_min_len(NODES).filter(|v| state[*v as usize] == IN).collect()
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
            for skip in [u32::MAX, 3, 2] {
                let member = |v: u32| !v.is_multiple_of(skip) || skip == u32::MAX;
                let set = distance_two(&graph, member);
                let mut part = graph.clone();
                // The graph without the nodes that take no part.
                part = Sparse::build(nx * ny, nx * ny, |_: &mut (), i, c, v| {
                    for w in part.row(i).0.iter().filter(|w| member(**w) && member(i as u32)) {
                        c.push(*w);
                        v.push(());
                    }
                })
                .unwrap();
                let is_in = |v: &u32| set.binary_search(v).is_ok();
                for v in (0..(nx * ny) as u32).filter(|v| member(*v)) {
                    assert_eq!(near(&part, v).iter().any(is_in), !is_in(&v), "{v} of {nx} x {ny}");
                }
            }
        }
    }

    #[test]
    fn a_set_is_one_for_any_number_of_threads() {
        let graph = grid(300, 217);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| distance_two(&graph, |_| true))
        };
        let one = with(1);
        assert!([2, 4, 8].into_iter().all(|t| with(t) == one));
    }
}
