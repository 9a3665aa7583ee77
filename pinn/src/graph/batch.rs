//! Graphs behind one another, as a network takes them.

use crate::Result;
use resolvent::graph::Graphs;
use resolvent::learn::Index;
use resolvent_datasets::graph::{Columns, Graph};

/// The least size of a feature whose logarithm is taken.
const LEAST: f64 = 1e-6;

/// How features are given to a network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// Whether those of edges come with their logarithms.
    pub logarithms: bool,
}

impl Form {
    /// How many there are of a graph's node and of its edge.
    pub fn widths(self, graph: &Graph<f64>) -> [usize; 2] {
        self.widths_of([graph.node.features.ncols(), graph.edge.features.ncols()])
    }

    /// How many there are of so many columns.
    pub fn widths_of(self, [node, edge]: [usize; 2]) -> [usize; 2] {
        [node.max(1), if self.logarithms { 2 * edge } else { edge }.max(1)]
    }
}

/// Some graphs with what is known of them and what is to be found, in f32 and by rows.
pub(super) struct Batch {
    pub graphs: Graphs,
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
    /// Of graphs and their classes; `classes` is how many there are, 0 when numbers on nodes are to be found.
    pub fn new(graphs: &[&Graph<f64>], labels: &[u32], classes: usize, form: Form) -> Result<Self> {
        let counts: Vec<usize> = graphs.iter().map(|g| g.nodes).collect();
        let (mut edges, mut first) = (vec![], 0u32);
        let (mut node, mut edge, mut targets) = (vec![], vec![], vec![]);
        for graph in graphs {
            edges.extend(graph.edges.iter().map(|[i, j]| [first + i, first + j]));
            first += graph.nodes as u32;
            features(&graph.node, graph.nodes, false, &mut node);
            features(&graph.edge, graph.edges.len(), form.logarithms, &mut edge);
            if classes == 0 {
                targets.extend(graph.node.targets.column(0).iter().map(|v| *v as f32));
            }
        }
        let wanted = match classes {
            0 => Wanted::Nodes(targets),
            _ => Wanted::Classes(Index::new(labels.to_vec(), classes)?),
        };
        Ok(Self { graphs: Graphs::new(&counts, &edges)?, node, edge, wanted })
    }
}

/// Adds rows of features; where there is none, there is one that is 1.
fn features(columns: &Columns<f64>, rows: usize, logarithms: bool, out: &mut Vec<f32>) {
    if columns.features.ncols() == 0 {
        out.extend(std::iter::repeat_n(1.0f32, rows));
        return;
    }
    for row in columns.features.rows() {
        out.extend(row.iter().map(|v| *v as f32));
        if logarithms {
            out.extend(row.iter().map(|v| libm::log(v.abs().max(LEAST)) as f32));
        }
    }
}
