//! Aggregates of strongly coupled nodes, each the support of a coarse one.
//!
//! The nodes of a distance-2 independent set with their neighbours; the rest join the neighbour they are coupled to most.
//! A node without a strong coupling stays outside when its diagonal dominates its row, since a sweep of the smoother solves
//! it, and joins otherwise. For the sets see [`independent`](super::independent); the paper cited there makes more
//! aggregates of the nodes left over, which costs entries on every level and saves no steps.

use super::independent::distance_two;
use super::sparse::{Entries, Sparse};
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
    let mut of = vec![NONE; n];
    let roots = distance_two(graph);
    let shared = Shared::new(&mut of);
    // Numbered in the order of their roots, so that near aggregates have near numbers.
    roots.par_iter().enumerate().with_min_len(512).for_each(|(number, &root)| {
        for &v in graph.row(root as usize).0.iter().chain([&root]) {
            // SAFETY: roots are further than two edges apart, so no two of them reach the same node.
            unsafe { shared.get_mut(v as usize, 1)[0] = number as u32 };
        }
    });
    join(&mut of, |sums, v, of| most_coupled(a, block, v, of, Some(graph.row(v).0), sums));
    join(
        &mut of,
        |sums, v, of| {
            if dominant(a, block, v) { NONE } else { most_coupled(a, block, v, of, None, sums) }
        },
    );
    Aggregates { of, count: roots.len() }
}

/// An aggregate and how strongly a node is coupled to it.
type Coupling = (u32, f64);

/// Every free node takes the aggregate that `choose` finds for it in what stood before.
fn join(of: &mut [u32], choose: impl Fn(&mut Vec<Coupling>, usize, &[u32]) -> u32 + Sync) {
    let nodes = (0..of.len() as u32).into_par_iter().with_min_len(2048);
    let chosen: Vec<(u32, u32)> = nodes
        .filter(|v| of[*v as usize] == NONE)
        .map_init(Vec::new, |sums, v| (v, choose(sums, v as usize, of)))
        .collect();
    let shared = Shared::new(of);
    // SAFETY: nodes differ.
    chosen.par_iter().with_min_len(2048).for_each(|&(v, a)| unsafe { shared.get_mut(v as usize, 1)[0] = a });
}

/// The aggregate whose nodes a node is coupled to most, among its strong neighbours if given, which are listed in the order
/// of the matrix. The first of equals.
fn most_coupled(
    a: &impl Entries,
    block: usize,
    node: usize,
    of: &[u32],
    strong: Option<&[u32]>,
    sums: &mut Vec<Coupling>,
) -> u32 {
    sums.clear();
    for i in node * block..(node + 1) * block {
        let (c, v) = a.row(i);
        let mut next = 0;
        for (&c, &v) in c.iter().zip(v) {
            let other = c / block as u32;
            if let Some(strong) = strong {
                let listed = if block == 1 { strong.get(next) == Some(&c) } else { strong.contains(&other) };
                if !listed {
                    continue;
                }
                next += 1;
            }
            let aggregate = of[other as usize];
            if aggregate == NONE {
                continue;
            }
            match sums.iter_mut().find(|s| s.0 == aggregate) {
                Some(s) => s.1 += v.abs(),
                None => sums.push((aggregate, v.abs())),
            }
        }
    }
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

/// The nodes of every aggregate, given the aggregate of every node.
pub(super) fn members(of: &[u32], count: usize) -> Sparse<()> {
    let mut offsets = vec![0u32; of.len() + 1];
    for (i, a) in of.iter().enumerate() {
        offsets[i + 1] = offsets[i] + u32::from(*a != NONE);
    }
    let columns: Vec<u32> = of.iter().copied().filter(|a| *a != NONE).collect();
    let values = vec![(); columns.len()];
    Sparse { cols: count, offsets, columns, values }.transpose()
}
