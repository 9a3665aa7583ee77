//! Graphs: their data, the sets that are made here, and the files they lie in.
//!
//! A [`Graph`] is a list of directed edges with features and targets on its nodes, its edges and itself; a [`GraphSet`] holds
//! many, one after the other. The page `docs/graph-schema.md` has the layout of the file and h5py code.
//!
//! | set | what a graph is | what is to be found |
//! |---|---|---|
//! | [`value_iteration`] | a random decision process | the value of each state |
//! | [`pore_network`] | pores and throats of a random rock | the pressure of each pore |
//! | [`tu`] | a molecule, a protein, a social circle … of a folder in TU format | the class of the graph |

mod check;
pub mod delaunay;
mod file;
pub mod folds;
pub mod pore_network;
mod production;
mod set;
pub mod tu;
pub mod value_iteration;

pub use check::{ColumnSummary, Summary};
pub(crate) use file::SCHEMA;
pub use set::GraphSet;

use crate::{Error, Result};
use ndarray::Array2;
use resolvent::Scalar;

/// Features and targets of one kind of thing: a row for each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns<T> {
    /// What is known: `[rows × features]`.
    pub features: Array2<T>,
    /// What is to be found: `[rows × targets]`.
    pub targets: Array2<T>,
}

/// A directed graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph<T> {
    /// How many nodes.
    pub nodes: usize,
    /// Source and target of each edge, from 0.
    pub edges: Vec<[u32; 2]>,
    /// On the nodes.
    pub node: Columns<T>,
    /// On the edges.
    pub edge: Columns<T>,
    /// On the graph: one row.
    pub graph: Columns<T>,
}

/// A column of features or targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The unit of value × scale.
    pub unit: String,
    /// What a stored value is multiplied with to have that unit.
    pub scale: f64,
}

impl Column {
    /// A column; `unit` is `"1"` for a pure number.
    pub fn new(name: &str, unit: &str, scale: f64) -> Self {
        Self { name: name.into(), unit: unit.into(), scale }
    }
}

/// The columns of a set: of features and of targets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// On the nodes.
    pub node: [Vec<Column>; 2],
    /// On the edges.
    pub edge: [Vec<Column>; 2],
    /// On the graphs.
    pub graph: [Vec<Column>; 2],
}

impl Schema {
    /// Nodes, edges and graphs, with their names.
    pub(crate) fn levels(&self) -> [(&'static str, &[Vec<Column>; 2]); 3] {
        [("node", &self.node), ("edge", &self.edge), ("graph", &self.graph)]
    }
}

impl<T: Scalar> Columns<T> {
    /// `rows` rows of zeros.
    pub fn zeros(rows: usize, columns: &[Vec<Column>; 2]) -> Self {
        let [features, targets] = columns.each_ref().map(|c| Array2::zeros((rows, c.len())));
        Self { features, targets }
    }

    /// The features, then the targets.
    pub(crate) fn both(&self) -> [&Array2<T>; 2] {
        [&self.features, &self.targets]
    }
}

impl<T: Scalar> Graph<T> {
    /// A graph whose features and targets are 0.
    pub fn zeros(nodes: usize, edges: Vec<[u32; 2]>, schema: &Schema) -> Self {
        Self {
            nodes,
            node: Columns::zeros(nodes, &schema.node),
            edge: Columns::zeros(edges.len(), &schema.edge),
            graph: Columns::zeros(1, &schema.graph),
            edges,
        }
    }

    /// On nodes, on edges, on the graph.
    pub(crate) fn levels(&self) -> [&Columns<T>; 3] {
        [&self.node, &self.edge, &self.graph]
    }

    /// Whether it fits a schema, and its edges its nodes.
    ///
    /// # Errors
    /// [`Error::Edge`]; [`Error::Length`].
    pub fn check(&self, schema: &Schema) -> Result<()> {
        let outside = |at: &[u32; 2]| at.iter().any(|v| *v as usize >= self.nodes);
        if let Some(edge) = self.edges.iter().position(outside) {
            let [source, target] = self.edges[edge];
            let node = source.max(target);
            return Err(Error::Edge { edge, node, nodes: self.nodes });
        }
        let rows = [self.nodes, self.edges.len(), 1];
        for ((columns, rows), (level, names)) in self.levels().into_iter().zip(rows).zip(schema.levels()) {
            for ((array, names), kind) in columns.both().into_iter().zip(names).zip(["features", "targets"]) {
                if array.dim() != (rows, names.len()) {
                    let expected = rows * names.len();
                    return Err(Error::Length {
                        what: format!("{level} {kind}"),
                        expected,
                        got: array.len(),
                    });
                }
            }
        }
        Ok(())
    }
}
