//! Graphs, and systems at rest on them.
//!
//! Every head k of a graph has its own weights on the edges and its own constants on the nodes; what a head comes to rest at is
//! x = φ(γ A x + b), with A at (i, j) the weight of the edge from i to j. Rows of A whose weights are not negative and sum to at
//! most 1 make that a contraction by γ, whatever the graph: a convergent graph solver. A [`Monotone`] system has one x for any weights.
//!
//! # Reference
//! J. Park, J. Choo, J. Park, Convergent graph solvers, ICLR (2022), arXiv:2106.01680.

mod equilibrium;
mod monotone;
mod network;
mod sweep;
mod transition;

pub use equilibrium::{Equilibrium, EquilibriumOptions};
pub use monotone::Monotone;
pub use network::{GraphArchitecture, GraphNetwork, Recorded};
pub use transition::Transition;

use crate::learn::Index;
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
    members: Index,
}

/// The edges at every node, in one direction.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    /// The node of every edge.
    pub index: Index,
    /// The other end of each edge, in the order of the index.
    pub ends: Vec<u32>,
}

impl Side {
    /// By end `from` of every edge, in their order.
    fn new(nodes: usize, edges: &[[u32; 2]], from: usize) -> Result<Self> {
        let index = Index::new(edges.iter().map(|e| e[from]).collect(), nodes)?;
        let ends = index.order().iter().map(|e| edges[*e as usize][1 - from]).collect();
        Ok(Self { index, ends })
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
        let (forward, reverse) = (Side::new(total, edges, 0)?, Side::new(total, edges, 1)?);
        let of = |node: u32| starts.partition_point(|s| *s <= node) as u32 - 1;
        let members = Index::new((0..total as u32).map(of).collect(), nodes.len())?;
        Ok(Self(Arc::new(Inner { starts, edges: edges.to_vec(), forward, reverse, members })))
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

    /// The same with every edge from its target to its source, in the same order.
    pub fn reversed(&self) -> Self {
        let inner = &self.0;
        Self(Arc::new(Inner {
            starts: inner.starts.clone(),
            edges: inner.edges.iter().map(|[i, j]| [*j, *i]).collect(),
            forward: inner.reverse.clone(),
            reverse: inner.forward.clone(),
            members: inner.members.clone(),
        }))
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
        self.0.forward.index.members(node).len()
    }

    /// The source of every edge.
    pub fn sources(&self) -> &Index {
        &self.0.forward.index
    }

    /// The target of every edge.
    pub fn targets(&self) -> &Index {
        &self.0.reverse.index
    }

    /// The graph of every node.
    pub fn members(&self) -> &Index {
        &self.0.members
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
