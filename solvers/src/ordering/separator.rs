//! A few nodes that cut a graph in two parts of about the same size.
//!
//! A level of a search from the edge is the start; moves of single nodes between it and the parts make it smaller (C. M.
//! Fiduccia, R. M. Mattheyses, *A linear-time heuristic for improving network partitions*, Proc. 19th Design Automation
//! Conference (1982), 175–181, 10.1109/DAC.1982.1585498; for separators of nodes: C. Ashcraft, J. W. H. Liu, 1997,
//! 10.1137/S0895479895283830).

use super::graph::{Graph, peripheral};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Where a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Low,
    High,
    Cut,
}

/// Rounds of moves, at most.
const ROUNDS: usize = 6;
/// Moves that make the separator no smaller before a round ends.
const PATIENCE: usize = 120;
/// The largest part, of all nodes.
const LARGEST: f64 = 0.6;

/// The side of every node of a graph that hangs together. No node of one side is a neighbour of one of the other.
pub(super) fn separate(graph: &Graph) -> Vec<Side> {
    let n = graph.len();
    let (_, levels) = peripheral(graph, 0, &mut vec![false; n]);
    // The level with the middle node, neither the first nor the last.
    let middle = levels.starts.partition_point(|s| *s <= n / 2) - 1;
    let middle = middle
        .clamp(1.min(levels.depth() - 1), levels.depth().saturating_sub(2).max(1).min(levels.depth() - 1));
    let mut side = vec![Side::High; n];
    levels.order[..levels.starts[middle]].iter().for_each(|v| side[*v as usize] = Side::Low);
    let cut = &levels.order[levels.starts[middle]..levels.starts[middle + 1]];
    cut.iter().for_each(|v| side[*v as usize] = Side::Cut);
    // What no node beyond touches need not be in it.
    for v in cut {
        if graph.of(*v).iter().all(|w| side[*w as usize] != Side::High) {
            side[*v as usize] = Side::Low;
        }
    }
    let mut state = State::new(graph, side);
    for _ in 0..ROUNDS {
        if !state.round() {
            break;
        }
    }
    state.side
}

struct State<'a> {
    graph: &'a Graph<'a>,
    side: Vec<Side>,
    /// Nodes of the two parts and of the separator.
    sizes: [usize; 3],
    most: usize,
}

/// A node of the separator that may move to a side: what that adds to the separator less one, and a stamp.
type Move = Reverse<(isize, u32, bool)>;

impl<'a> State<'a> {
    fn new(graph: &'a Graph<'a>, side: Vec<Side>) -> Self {
        let count = |of: Side| side.iter().filter(|s| **s == of).count();
        let sizes = [count(Side::Low), count(Side::High), count(Side::Cut)];
        let largest = sizes[0].max(sizes[1]);
        let most = largest.max((LARGEST * side.len() as f64) as usize);
        Self { graph, side, sizes, most }
    }

    /// What the separator grows by when a node goes to the low or the high side.
    fn cost(&self, v: u32, high: bool) -> isize {
        let other = if high { Side::Low } else { Side::High };
        self.graph.of(v).iter().filter(|w| self.side[**w as usize] == other).count() as isize - 1
    }

    fn put(&mut self, v: u32, to: Side) -> Side {
        let from = std::mem::replace(&mut self.side[v as usize], to);
        self.sizes[from as usize] -= 1;
        self.sizes[to as usize] += 1;
        from
    }

    /// Moves nodes, each once, as long as that may help; whether the separator became smaller, or the parts more even.
    fn round(&mut self) -> bool {
        let mut queue: BinaryHeap<Move> = BinaryHeap::new();
        let mut moved = vec![false; self.side.len()];
        let offer = |state: &Self, queue: &mut BinaryHeap<Move>, v: u32| {
            for high in [false, true] {
                queue.push(Reverse((state.cost(v, high), v, high)));
            }
        };
        (0..self.side.len() as u32)
            .filter(|v| self.side[*v as usize] == Side::Cut)
            .for_each(|v| offer(self, &mut queue, v));
        let worth = |s: &Self| (s.sizes[2], s.sizes[0].abs_diff(s.sizes[1]));
        let start = worth(self);
        let (mut best, mut undo, mut kept) = (start, Vec::new(), 0);
        let mut idle = 0;
        while let Some(Reverse((cost, v, high))) = queue.pop() {
            if idle > PATIENCE || self.side[v as usize] != Side::Cut || moved[v as usize] {
                if idle > PATIENCE {
                    break;
                }
                continue;
            }
            let now = self.cost(v, high);
            if now != cost {
                queue.push(Reverse((now, v, high)));
                continue;
            }
            let (to, other) = if high { (Side::High, Side::Low) } else { (Side::Low, Side::High) };
            if self.sizes[to as usize] + 1 > self.most {
                continue;
            }
            moved[v as usize] = true;
            undo.push((v, self.put(v, to)));
            let graph = self.graph;
            for w in graph.of(v) {
                if self.side[*w as usize] == other {
                    undo.push((*w, self.put(*w, Side::Cut)));
                    offer(self, &mut queue, *w);
                }
            }
            idle += 1;
            if worth(self) < best {
                (best, kept, idle) = (worth(self), undo.len(), 0);
            }
        }
        for (v, from) in undo.drain(kept..).rev() {
            self.put(v, from);
        }
        best < start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Boundary, Grid, Poisson, Stencil};

    #[test]
    fn a_grid_is_cut_along_a_line() {
        let grid = Grid::new_2d(60, 20).unwrap();
        let a = Stencil::from(Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3]).unwrap()).to_csr().unwrap().0;
        let graph = Graph::new(&a).unwrap();
        let side = separate(&graph);
        let count = |of: Side| side.iter().filter(|s| **s == of).count();
        assert!(count(Side::Cut) <= 24, "{}", count(Side::Cut));
        assert!(count(Side::Low).min(count(Side::High)) > 400);
        for v in 0..graph.len() as u32 {
            for w in graph.of(v) {
                let pair = (side[v as usize], side[*w as usize]);
                assert!(pair != (Side::Low, Side::High) && pair != (Side::High, Side::Low));
            }
        }
    }
}
