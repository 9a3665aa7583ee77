//! Sweeps over the nodes of a graph.
//!
//! Heads lie innermost and are padded to a multiple of [`LANES`], so that an edge is a product of short vectors. Nodes are
//! relaxed in order, each with the newest values of its block of [`BLOCK`] nodes and with those of the sweep before of all
//! others: the same numbers for any number of threads, and where a graph is one block, Gauss and Seidel's iteration. Bytes of
//! a sweep in f32, an edge and head: 4 of the weight, 4 of the value at its end, which mostly stays in cache.

use super::Side;
use crate::Scalar;
use crate::host::simd::{Kernel, dispatch};
use crate::learn::Activation;
use rayon::prelude::*;
use std::ops::Range;

/// Heads worked on side by side.
pub(super) const LANES: usize = 8;
/// Nodes whose changes are summed up in the vectors' own precision.
const NODES: usize = 32;
/// Nodes of a block.
pub(super) const BLOCK: usize = 16_384;

/// What is done with the sum at a node.
#[derive(Clone, Copy)]
pub(super) enum Outer<'a, T> {
    /// φ(b + γ Σ).
    Activation(Activation),
    /// d ∘ (b + γ Σ), with d at every node and head.
    Factor(&'a [T]),
}

/// x ← outer(b + γ A x), on a batch.
#[derive(Clone, Copy)]
pub(super) struct System<'a, T> {
    pub side: &'a Side,
    /// Weights in the order of `side`, `[edges, padded]`.
    pub weights: &'a [T],
    /// `[nodes, padded]`.
    pub b: &'a [T],
    pub outer: Outer<'a, T>,
    pub gamma: f64,
    pub padded: usize,
}

/// What a sweep changed.
#[derive(Clone, Copy, Default)]
pub(super) struct Change {
    /// ‖Δx‖².
    pub change: f64,
    /// ‖x‖² afterwards.
    pub size: f64,
}

impl Change {
    /// Adds what lanes have summed up, which then begin anew.
    #[inline(always)]
    fn take<T: Scalar>(&mut self, change: &mut [T; LANES], size: &mut [T; LANES]) {
        for k in 0..LANES {
            self.change += change[k].f64();
            self.size += size[k].f64();
        }
        (*change, *size) = ([T::of(0.0); LANES], [T::of(0.0); LANES]);
    }
}

impl<T: Scalar> System<'_, T> {
    /// One sweep over the nodes of a graph, whose values are `x`. `old` is as long where there are several blocks.
    pub fn sweep(&self, nodes: Range<usize>, x: &mut [T], old: &mut [T]) -> Change {
        let width = self.padded;
        let first = nodes.start;
        if nodes.len() <= BLOCK {
            return dispatch(Sweep { system: self, graph: first, first, x, old: &[] });
        }
        old.par_chunks_mut(BLOCK * width)
            .zip(x.par_chunks(BLOCK * width))
            .for_each(|(old, x)| old.copy_from_slice(x));
        let old = &*old;
        let blocks = x
            .par_chunks_mut(BLOCK * width)
            .enumerate()
            .map(|(i, x)| dispatch(Sweep { system: self, graph: first, first: first + i * BLOCK, x, old }));
        let changes: Vec<Change> = blocks.collect();
        changes.iter().fold(Change::default(), |sum, c| Change {
            change: sum.change + c.change,
            size: sum.size + c.size,
        })
    }
}

/// A sweep over one block.
struct Sweep<'a, T> {
    system: &'a System<'a, T>,
    /// The first node of the graph, and of the block.
    graph: usize,
    first: usize,
    x: &'a mut [T],
    /// The values of the whole graph before; empty where the block is all of it.
    old: &'a [T],
}

impl<T: Scalar> Kernel for Sweep<'_, T> {
    type Output = Change;

    #[inline(always)]
    fn run(self) -> Change {
        let Self { system, graph, first, x, old } = self;
        let System { side, weights, b, outer, gamma, padded } = *system;
        let (gamma, offsets) = (T::of(gamma), side.index.offsets());
        let nodes = x.len() / padded.max(1);
        let mut total = Change::default();
        // Sums of squares of every lane over some nodes, in the vectors' own precision.
        let (mut change, mut size) = ([T::of(0.0); LANES], [T::of(0.0); LANES]);
        for i in 0..nodes {
            if i % NODES == 0 {
                total.take(&mut change, &mut size);
            }
            let node = first + i;
            let places = offsets[node] as usize..offsets[node + 1] as usize;
            for lane in (0..padded).step_by(LANES) {
                let mut sum = [T::of(0.0); LANES];
                for place in places.clone() {
                    let end = side.ends[place] as usize;
                    let w: &[T; LANES] = row(weights, place * padded + lane);
                    let inside = end.wrapping_sub(first);
                    let v: &[T; LANES] = if inside < nodes {
                        row(x, inside * padded + lane)
                    } else {
                        row(old, (end - graph) * padded + lane)
                    };
                    for k in 0..LANES {
                        sum[k] += w[k] * v[k];
                    }
                }
                let at = node * padded + lane;
                let b: &[T; LANES] = row(b, at);
                let mut new = [T::of(0.0); LANES];
                for k in 0..LANES {
                    new[k] = b[k] + gamma * sum[k];
                }
                match outer {
                    Outer::Activation(Activation::Identity) => {}
                    Outer::Activation(a) => new.iter_mut().for_each(|v| *v = a.value(*v)),
                    Outer::Factor(d) => {
                        let d: &[T; LANES] = row(d, at);
                        (0..LANES).for_each(|k| new[k] *= d[k]);
                    }
                }
                let place = i * padded + lane;
                let x = &mut x[place..place + LANES];
                for k in 0..LANES {
                    let d = new[k] - x[k];
                    change[k] += d * d;
                    size[k] += new[k] * new[k];
                }
                x.copy_from_slice(&new);
            }
        }
        total.take(&mut change, &mut size);
        total
    }
}

/// [`LANES`] entries from `at` on.
#[inline(always)]
fn row<T>(v: &[T], at: usize) -> &[T; LANES] {
    match v[at..].first_chunk() {
        Some(row) => row,
        None => unreachable!("rows are padded"),
    }
}

/// Rows of `heads` entries, in the order of `numbers` when given, as rows of `padded` with zeros behind.
pub(super) fn pad<T: Scalar>(
    rows: &[T],
    numbers: Option<&[u32]>,
    heads: usize,
    padded: usize,
    out: &mut [T],
) {
    const ROWS: usize = 1024;
    out.par_chunks_mut(ROWS * padded).enumerate().for_each(|(c, out)| {
        for (i, out) in out.chunks_mut(padded).enumerate() {
            let place = c * ROWS + i;
            let from = numbers.map_or(place, |n| n[place] as usize);
            let (kept, rest) = out.split_at_mut(heads);
            kept.copy_from_slice(&rows[from * heads..][..heads]);
            rest.fill(T::of(0.0));
        }
    });
}
