//! Aggregates of strongly coupled nodes, each the support of a coarse one.
//!
//! The nodes of a distance-2 independent set with their neighbours; the rest join the neighbour they are coupled to most.
//! A node without a strong coupling stays outside when its diagonal dominates its row, since a sweep of the smoother solves
//! it, and joins otherwise. For the sets see [`independent`](super::independent); the paper cited there makes more
//! aggregates of the nodes left over, which costs entries on every level and saves no steps.

use super::independent::distance_two;
use super::sparse::Entries;
use super::strength::Graph;
use crate::stencil::rows::Shared;
use rayon::prelude::*;

/// No aggregate.
pub(super) const NONE: u32 = u32::MAX;

/// A row whose couplings sum to less than this share of its diagonal needs no coarse correction.
const DOMINANT: f64 = 0.2;

/// The aggregate of every node, or [`NONE`].
pub(super) struct Aggregates {
    pub of: Vec<u32>,
    pub count: usize,
}

/// Aggregates the nodes, of `block` unknowns each, of a matrix.
pub(super) fn aggregate(a: &impl Entries, graph: &Graph, block: usize) -> Aggregates {
    let n = graph.offsets.len() - 1;
    let mut root_of = vec![NONE; n];
    let roots = distance_two(graph, |v| !graph.row(v as usize).0.is_empty());
    claim(graph, &roots, &mut root_of);
    join(&mut root_of, |v, root_of| most_coupled(a, block, v, root_of, Some(graph.row(v as usize).0)));
    join(&mut root_of, |v, root_of| {
        if dominant(a, block, v) { NONE } else { most_coupled(a, block, v, root_of, None) }
    });

    // Numbered in the order of their roots, so that near aggregates have near numbers.
    let mut number = vec![NONE; n];
    roots.iter().enumerate().for_each(|(k, r)| number[*r as usize] = k as u32);
    root_of.par_iter_mut().filter(|r| **r != NONE).for_each(|r| *r = number[*r as usize]);
    Aggregates { of: root_of, count: roots.len() }
}

/// Gives the roots and their free neighbours to the roots. No node is near two of them.
fn claim(graph: &Graph, roots: &[u32], root_of: &mut [u32]) {
    let shared = Shared::new(root_of);
    roots.par_iter().for_each(|&r| {
        for &v in graph.row(r as usize).0.iter().chain([&r]) {
            // SAFETY: roots are further than two edges apart among the free nodes, so no two of them reach the same one;
            // nodes taken before are read alone.
            unsafe {
                if shared.get(v as usize, 1)[0] == NONE {
                    shared.get_mut(v as usize, 1)[0] = r;
                }
            }
        }
    });
}

/// Every free node takes the root that `choose` finds for it in what stood before.
fn join(root_of: &mut [u32], choose: impl Fn(usize, &[u32]) -> u32 + Sync) {
    let free: Vec<u32> = (0..root_of.len() as u32).filter(|v| root_of[*v as usize] == NONE).collect();
    let chosen: Vec<u32> = free.par_iter().map(|v| choose(*v as usize, root_of)).collect();
    free.iter().zip(chosen).for_each(|(v, r)| root_of[*v as usize] = r);
}

/// The root whose nodes a node is coupled to most, among `neighbours` if given.
fn most_coupled(
    a: &impl Entries,
    block: usize,
    node: usize,
    root_of: &[u32],
    neighbours: Option<&[u32]>,
) -> u32 {
    let mut sums: Vec<(u32, f64)> = Vec::new();
    for i in node * block..(node + 1) * block {
        let (c, v) = a.row(i);
        for (&c, &v) in c.iter().zip(v) {
            let other = c / block as u32;
            let root = root_of[other as usize];
            if root == NONE || neighbours.is_some_and(|n| !n.contains(&other)) {
                continue;
            }
            match sums.iter_mut().find(|s| s.0 == root) {
                Some(s) => s.1 += v.abs(),
                None => sums.push((root, v.abs())),
            }
        }
    }
    // The first of equals, so that the choice does not depend on the order of evaluation.
    sums.iter().fold((NONE, 0.0), |best, s| if s.1 > best.1 { *s } else { best }).0
}

fn dominant(a: &impl Entries, block: usize, node: usize) -> bool {
    (node * block..(node + 1) * block).all(|i| {
        let (c, v) = a.row(i);
        let (mut diagonal, mut other) = (0.0, 0.0);
        for (&c, &v) in c.iter().zip(v) {
            let sum = if c as usize == i { &mut diagonal } else { &mut other };
            *sum += v.abs();
        }
        other <= DOMINANT * diagonal
    })
}
