//! Graphs, and systems at rest on them.
//!
//! Every head k of a graph has its own weights on the edges and its own constants on the nodes; what a head comes to rest at is
//! x = φ(γ A x + b), with A at (i, j) the weight of the edge from i to j. Rows of A whose weights are not negative and sum to at
//! most 1 make that a contraction by γ, whatever the graph: a convergent graph solver.
//!
//! # Reference
//! J. Park, J. Choo, J. Park, Convergent graph solvers, ICLR (2022), arXiv:2106.01680.

mod equilibrium;
mod sweep;

pub use equilibrium::{Equilibrium, EquilibriumOptions};

use crate::{Error, Result};
use std::ops::Range;
use std::sync::Arc;

/// A batch of directed graphs, their nodes and edges behind one another. Edges may repeat and end where they start; nodes may
/// have none, and graphs no node. Cloning shares.
///
/// ```
/// use resolvent::graph::Graphs;
/// // A triangle, and two nodes with one edge.
/// let graphs = Graphs::new(&[3, 2], &[[0, 1], [1, 2], [2, 0], [3, 4]])?;
/// assert_eq!((graphs.count(), graphs.nodes(), graphs.edges()), (2, 5, 4));
/// assert_eq!(graphs.out_degree(3), 1);
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Graphs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// First nodes of the graphs, and the number of nodes.
    starts: Vec<u32>,
    edges: Vec<[u32; 2]>,
    forward: Side,
    reverse: Side,
}

/// The edges at every node, in one direction.
#[derive(Debug)]
pub(crate) struct Side {
    /// Where those of a node start in the next two.
    pub offsets: Vec<u32>,
    /// The other end of each.
    pub ends: Vec<u32>,
    /// Its number among the edges.
    pub numbers: Vec<u32>,
}

impl Side {
    /// By end `from` of every edge, in their order.
    fn new(nodes: usize, edges: &[[u32; 2]], from: usize) -> Self {
        let mut offsets = vec![0u32; nodes + 1];
        edges.iter().for_each(|e| offsets[e[from] as usize + 1] += 1);
        (0..nodes).for_each(|i| offsets[i + 1] += offsets[i]);
        let mut next = offsets.clone();
        let (mut ends, mut numbers) = (vec![0; edges.len()], vec![0; edges.len()]);
        for (number, edge) in edges.iter().enumerate() {
            let place = &mut next[edge[from] as usize];
            ends[*place as usize] = edge[1 - from];
            numbers[*place as usize] = number as u32;
            *place += 1;
        }
        Self { offsets, ends, numbers }
    }

    /// The places of the edges of some nodes.
    pub fn places(&self, nodes: Range<usize>) -> Range<usize> {
        self.offsets[nodes.start] as usize..self.offsets[nodes.end] as usize
    }
}

impl Graphs {
    /// Of graphs with these numbers of nodes and edges (source, target) between nodes of the batch.
    ///
    /// # Errors
    /// [`Error::Value`] for an edge that leads out of its graph; [`Error::Parameter`] for more than 2³² − 1 nodes or edges.
    pub fn new(nodes: &[usize], edges: &[[u32; 2]]) -> Result<Self> {
        let mut starts = vec![0u32];
        let total = nodes.iter().try_fold(0usize, |sum, n| {
            let sum = sum.checked_add(*n).filter(|s| *s < u32::MAX as usize)?;
            starts.push(sum as u32);
            Some(sum)
        });
        let many = |value: f64| Error::Parameter {
            name: "nodes and edges of graphs",
            value,
            needs: "use fewer than 2³² − 1 of each",
        };
        let total = total.ok_or_else(|| many(f64::INFINITY))?;
        if edges.len() >= u32::MAX as usize {
            return Err(many(edges.len() as f64));
        }
        let graph = |node: u32| starts.partition_point(|s| *s <= node);
        let outside = |e: &[u32; 2]| e.iter().any(|v| *v as usize >= total) || graph(e[0]) != graph(e[1]);
        if let Some(index) = edges.iter().position(outside) {
            let value = edges[index].iter().copied().max().map_or(0.0, f64::from);
            return Err(Error::Value {
                what: "the edges of graphs",
                index,
                value,
                needs: "both ends of an edge must be nodes of one graph, counted from 0 over the batch",
            });
        }
        let (forward, reverse) = (Side::new(total, edges, 0), Side::new(total, edges, 1));
        Ok(Self(Arc::new(Inner { starts, edges: edges.to_vec(), forward, reverse })))
    }

    /// The number of graphs.
    pub fn count(&self) -> usize {
        self.0.starts.len() - 1
    }

    /// The number of nodes of all.
    pub fn nodes(&self) -> usize {
        *self.0.starts.last().unwrap_or(&0) as usize
    }

    /// The number of edges of all.
    pub fn edges(&self) -> usize {
        self.0.edges.len()
    }

    /// Source and target of every edge.
    pub fn ends(&self) -> &[[u32; 2]] {
        &self.0.edges
    }

    /// The nodes of a graph.
    ///
    /// # Panics
    /// When there is no such graph.
    pub fn range(&self, graph: usize) -> Range<usize> {
        self.0.starts[graph] as usize..self.0.starts[graph + 1] as usize
    }

    /// How many edges start at a node.
    ///
    /// # Panics
    /// When there is no such node.
    pub fn out_degree(&self, node: usize) -> usize {
        self.0.forward.places(node..node + 1).len()
    }

    pub(crate) fn forward(&self) -> &Side {
        &self.0.forward
    }

    pub(crate) fn reverse(&self) -> &Side {
        &self.0.reverse
    }
}

#[cfg(test)]
mod tests;
