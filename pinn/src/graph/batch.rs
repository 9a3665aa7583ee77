//! Graphs behind one another, as a network takes them.

use super::form::Form;
use crate::Result;
use resolvent::graph::Graphs;
use resolvent::learn::Index;
use resolvent_datasets::graph::Graph;

/// A piece has about so many edges: with 64 columns of f32 they are 192 KiB, and some of them stay in the second-level cache.
const PIECE: usize = 768;

/// Some graphs with what is known of them and what is to be found, in f32 and by rows.
pub(super) struct Batch {
    pub graphs: Graphs,
    /// The number of each graph among those that may return.
    pub numbers: Vec<usize>,
    /// Where its systems start, `[nodes, heads]`, and then where they came to rest; empty for b.
    pub start: Vec<f32>,
    /// `[nodes, node features]`.
    pub node: Vec<f32>,
    /// `[edges, edge features]`.
    pub edge: Vec<f32>,
    pub wanted: Wanted,
}

/// What is to be found.
pub(super) enum Wanted {
    /// A number on every node.
    Nodes(Vec<f32>),
    /// A class of every graph.
    Classes(Index),
}

impl Batch {
    /// Of graphs and their classes, in pieces of whole graphs that follow one another.
    pub fn pieces(graphs: &[&Graph<f64>], labels: &[u32], classes: usize, form: &Form) -> Result<Vec<Self>> {
        let (mut pieces, mut first, mut edges) = (vec![], 0, 0);
        for (i, graph) in graphs.iter().enumerate() {
            edges += graph.edges.len().max(graph.nodes);
            if edges >= PIECE || i + 1 == graphs.len() {
                let labels = labels.get(first..=i).unwrap_or(&[]);
                let piece = Self::new(&graphs[first..=i], labels, classes, form)?;
                pieces.push(Self { numbers: (first..=i).collect(), ..piece });
                (first, edges) = (i + 1, 0);
            }
        }
        Ok(pieces)
    }

    /// Of graphs and their classes; `classes` is how many there are, 0 when numbers on nodes are to be found.
    pub fn new(graphs: &[&Graph<f64>], labels: &[u32], classes: usize, form: &Form) -> Result<Self> {
        let counts: Vec<usize> = graphs.iter().map(|g| g.nodes).collect();
        let (mut edges, mut first) = (vec![], 0u32);
        let (mut node, mut edge, mut targets) = (vec![], vec![], vec![]);
        for graph in graphs {
            edges.extend(graph.edges.iter().map(|[i, j]| [first + i, first + j]));
            first += graph.nodes as u32;
            form.nodes(graph, &mut node);
            form.edges(graph, &mut edge);
            if classes == 0 {
                targets.extend(graph.node.targets.column(0).iter().map(|v| *v as f32));
            }
        }
        let wanted = match classes {
            0 => Wanted::Nodes(targets),
            _ => Wanted::Classes(Index::new(labels.to_vec(), classes)?),
        };
        let (numbers, graphs) = ((0..counts.len()).collect(), Graphs::new(&counts, &edges)?);
        Ok(Self { graphs, numbers, start: vec![], node, edge, wanted })
    }
}
