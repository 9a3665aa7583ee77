//! Many graphs, one after the other.

use super::{Columns, Graph, Schema};
use crate::{Error, Result};
use ndarray::{Array2, s};
use resolvent::Scalar;

/// A set of graphs that share their columns, laid out one after the other.
///
/// ```
/// use resolvent_datasets::graph::{Column, Graph, GraphSet, Schema};
/// let schema = Schema { node: [vec![Column::new("height", "m", 1.0)], vec![]], ..Schema::default() };
/// let mut set = GraphSet::<f64>::new(schema.clone());
/// let mut graph = Graph::zeros(3, vec![[0, 1], [1, 2]], &schema);
/// graph.node.features[(2, 0)] = 1.5;
/// set.push(&graph)?;
/// assert_eq!((set.len(), set.get(0)), (1, graph));
/// # Ok::<(), resolvent_datasets::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct GraphSet<T> {
    /// Names, units and scales of all columns.
    pub schema: Schema,
    /// Where the nodes of each graph start: `[graphs + 1]`.
    pub node_offsets: Vec<usize>,
    /// Where its edges start: `[graphs + 1]`.
    pub edge_offsets: Vec<usize>,
    /// Source and target of every edge, from 0 within its graph.
    pub edges: Vec<[u32; 2]>,
    /// On all nodes.
    pub node: Columns<T>,
    /// On all edges.
    pub edge: Columns<T>,
    /// On all graphs.
    pub graph: Columns<T>,
    /// The class of each graph from 0, where there are classes.
    pub labels: Option<Vec<u32>>,
    /// The fold of each graph from 0, where there are folds.
    pub folds: Option<Vec<u32>>,
    /// Where it comes from: names and values.
    pub meta: Vec<(String, String)>,
}

impl<T: Scalar> GraphSet<T> {
    /// No graphs yet.
    pub fn new(schema: Schema) -> Self {
        Self {
            node_offsets: vec![0],
            edge_offsets: vec![0],
            edges: Vec::new(),
            node: Columns::zeros(0, &schema.node),
            edge: Columns::zeros(0, &schema.edge),
            graph: Columns::zeros(0, &schema.graph),
            labels: None,
            folds: None,
            meta: Vec::new(),
            schema,
        }
    }

    /// How many graphs.
    pub fn len(&self) -> usize {
        self.node_offsets.len() - 1
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a graph.
    ///
    /// # Errors
    /// [`Error::Edge`] and [`Error::Length`] when it does not fit the schema.
    pub fn push(&mut self, graph: &Graph<T>) -> Result<()> {
        graph.check(&self.schema)?;
        self.node_offsets.push(self.node_offsets[self.len()] + graph.nodes);
        self.edge_offsets.push(self.edges.len() + graph.edges.len());
        self.edges.extend(&graph.edges);
        for (all, one) in [&mut self.node, &mut self.edge, &mut self.graph].into_iter().zip(graph.levels()) {
            for (all, one) in [(&mut all.features, &one.features), (&mut all.targets, &one.targets)] {
                all.append(ndarray::Axis(0), one.view()).map_err(|_| Error::Length {
                    what: "a graph".into(),
                    expected: all.ncols(),
                    got: one.ncols(),
                })?;
            }
        }
        Ok(())
    }

    /// Graph number `i`.
    ///
    /// # Panics
    /// When there is no such graph.
    pub fn get(&self, i: usize) -> Graph<T> {
        let (nodes, edges) = (self.node_offsets[i]..self.node_offsets[i + 1], self.edges_of(i));
        let part = |of: &Columns<T>, rows: std::ops::Range<usize>| {
            let cut = |a: &Array2<T>| a.slice(s![rows.clone(), ..]).to_owned();
            Columns { features: cut(&of.features), targets: cut(&of.targets) }
        };
        Graph {
            nodes: nodes.len(),
            edges: self.edges[edges.clone()].to_vec(),
            node: part(&self.node, nodes),
            edge: part(&self.edge, edges),
            graph: part(&self.graph, i..i + 1),
        }
    }

    /// Where the edges of graph number `i` are.
    ///
    /// # Panics
    /// When there is no such graph.
    pub fn edges_of(&self, i: usize) -> std::ops::Range<usize> {
        self.edge_offsets[i]..self.edge_offsets[i + 1]
    }

    /// On nodes, on edges, on graphs.
    pub(crate) fn levels(&self) -> [&Columns<T>; 3] {
        [&self.node, &self.edge, &self.graph]
    }

    /// Whether offsets, edges, columns, labels and folds fit each other.
    ///
    /// # Errors
    /// [`Error::Length`] and [`Error::Edge`].
    pub fn check_shape(&self) -> Result<()> {
        let graphs = self.len();
        let expect = |what: &str, expected: usize, got: usize| {
            if expected == got { Ok(()) } else { Err(Error::Length { what: what.into(), expected, got }) }
        };
        expect("edge offsets", graphs + 1, self.edge_offsets.len())?;
        expect("edges", self.edge_offsets[graphs], self.edges.len())?;
        let rows = [self.node_offsets[graphs], self.edges.len(), graphs];
        for ((columns, rows), (level, names)) in self.levels().into_iter().zip(rows).zip(self.schema.levels())
        {
            for ((array, names), kind) in columns.both().into_iter().zip(names).zip(["features", "targets"]) {
                expect(&format!("rows of {level} {kind}"), rows, array.nrows())?;
                expect(&format!("columns of {level} {kind}"), names.len(), array.ncols())?;
            }
        }
        for (what, numbers) in [("labels", &self.labels), ("folds", &self.folds)] {
            numbers.as_ref().map_or(Ok(()), |n| expect(what, graphs, n.len()))?;
        }
        for offsets in [&self.node_offsets, &self.edge_offsets] {
            if let Some(i) = (0..graphs).find(|i| offsets[*i] > offsets[i + 1]) {
                return expect("a graph", offsets[i], offsets[i + 1]);
            }
        }
        for i in 0..graphs {
            let nodes = self.node_offsets[i + 1] - self.node_offsets[i];
            let outside = |e: &[u32; 2]| e.iter().any(|v| *v as usize >= nodes);
            if let Some(at) = self.edges[self.edges_of(i)].iter().position(outside) {
                let edge = self.edge_offsets[i] + at;
                let node = self.edges[edge][0].max(self.edges[edge][1]);
                return Err(Error::Edge { edge, node, nodes });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Column;

    #[test]
    fn graphs_come_back_and_others_are_refused() {
        let columns = |n: usize| (0..n).map(|i| Column::new(&format!("c{i}"), "1", 1.0)).collect::<Vec<_>>();
        let schema = Schema {
            node: [columns(2), columns(1)],
            edge: [columns(1), vec![]],
            graph: [vec![], columns(3)],
        };
        let mut set = GraphSet::<f32>::new(schema.clone());
        let graphs: Vec<Graph<f32>> = (0..4usize)
            .map(|n| {
                let mut g = Graph::zeros(n, (1..n as u32).map(|i| [0, i]).collect(), &schema);
                g.node.features.iter_mut().enumerate().for_each(|(i, v)| *v = (10 * n + i) as f32);
                g.graph.targets[(0, 2)] = n as f32;
                g
            })
            .collect();
        graphs.iter().for_each(|g| set.push(g).unwrap());
        assert!(graphs.iter().enumerate().all(|(i, g)| set.get(i) == *g));
        set.check_shape().unwrap();
        let outside = Graph { edges: vec![[0, 3]], ..graphs[3].clone() };
        assert!(matches!(set.push(&outside), Err(Error::Edge { edge: 0, node: 3, nodes: 3 })));
        let short = Graph { nodes: 4, ..graphs[3].clone() };
        assert!(matches!(set.push(&short), Err(Error::Length { .. })));
        assert_eq!(set.len(), 4);
        set.labels = Some(vec![0]);
        assert!(matches!(set.check_shape(), Err(Error::Length { expected: 4, got: 1, .. })));
        set.labels = None;
        set.edges[2] = [9, 0];
        assert!(matches!(set.check_shape(), Err(Error::Edge { edge: 2, node: 9, nodes: 3 })));
    }
}
