//! From the text files to a set of graphs.

use super::files::{Files, Limits};
use super::table::{Table, table};
use super::{on_line, one};
use crate::error::allocate;
use crate::graph::{Column, Columns, GraphSet, Schema};
use crate::{Error, Result};
use ndarray::Array2;
use resolvent::Scalar;
use std::collections::BTreeSet;
use std::path::Path;

/// Reads the set of a name, or the only one, from a folder or an archive (`.zip`, `.whl`). Classes are numbered from 0 in the
/// order of their labels, which the meta entry `classes` lists. Edges keep their order within a graph.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// use resolvent_datasets::graph::tu::{Limits, read};
/// for (file, text) in [("A", "1, 2\n2, 1\n"), ("graph_indicator", "1\n1\n2\n"), ("graph_labels", "1\n-1\n")] {
///     std::fs::write(folder.path().join(format!("TINY_{file}.txt")), text)?;
/// }
/// let set = read::<f32>(folder.path(), None, Limits::default())?;
/// assert_eq!((set.get(0).edges.len(), set.get(1).nodes, set.labels), (2, 1, Some(vec![1, 0])));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Open`]; [`Error::Malformed`] with file and line; [`Error::Memory`].
pub fn read<T: Scalar>(from: &Path, name: Option<&str>, limits: Limits) -> Result<GraphSet<T>> {
    let mut files = Files::open(from, name, limits)?;
    let set = files.name().to_owned();
    let missing = |ending: &str| {
        Error::malformed(from, format!("`{set}{ending}`"), "it is not there", "copy the whole folder")
    };
    let whole = |_: &i64| true;
    let mut integers = |ending: &str, columns: usize| match files.read(ending)? {
        Some((path, bytes)) => table::<i64>(&path, &bytes, columns, "whole number", whole).map(Some),
        None => Ok(None),
    };
    let ending = "_graph_indicator.txt";
    let indicator = integers(ending, 1)?.ok_or_else(|| missing(ending))?;
    let ending = "_A.txt";
    let pairs = integers(ending, 2)?.ok_or_else(|| missing(ending))?;
    let graph_labels = integers("_graph_labels.txt", 1)?;
    let node_labels = integers("_node_labels.txt", 0)?;
    let edge_labels = integers("_edge_labels.txt", 0)?;
    let mut reals = |ending: &str| match files.read(ending)? {
        Some((path, bytes)) => table::<f64>(&path, &bytes, 0, "finite number", |v| v.is_finite()).map(Some),
        None => Ok(None),
    };
    let node_attributes = reals("_node_attributes.txt")?;
    let edge_attributes = reals("_edge_attributes.txt")?;
    let graph_attributes = reals("_graph_attributes.txt")?;

    let nodes = indicator.rows();
    let last = indicator.values.last().copied().unwrap_or(0);
    let most = [&graph_labels].into_iter().flatten().map(Table::rows).max().unwrap_or(nodes).max(nodes);
    let mut node_offsets = vec![0];
    for (at, graph) in indicator.values.iter().enumerate() {
        // Graphs without a node are passed over; their count is bounded by the labels.
        if *graph < node_offsets.len() as i64 || *graph > most as i64 {
            let what = format!("node {} belongs to graph {graph}", at + 1);
            let mend = "graphs count from 1, and nodes are sorted by graph";
            return Err(on_line(&indicator.path, at + 1, what, mend));
        }
        while (node_offsets.len() as i64) < *graph {
            node_offsets.push(at);
        }
        if at + 1 == nodes || indicator.values[at + 1] != *graph {
            node_offsets.push(at + 1);
        }
    }
    let graphs = graph_labels.as_ref().map_or(last as usize, Table::rows).max(last as usize);
    node_offsets.resize(graphs + 1, nodes);
    for labels in [&graph_labels].into_iter().flatten() {
        labels.expect(graphs, "graph")?;
    }

    // Edges sorted by graph, in their order within each.
    let mut graph_of = Vec::with_capacity(pairs.rows());
    for at in 0..pairs.rows() {
        let row = pairs.row(at);
        if let Some(node) = row.iter().find(|v| !(1..=nodes as i64).contains(v)) {
            let mend = format!("nodes count from 1 to {nodes}, as `_graph_indicator.txt` has lines");
            return Err(on_line(&pairs.path, at + 1, format!("there is no node {node}"), mend));
        }
        let [a, b] = [row[0], row[1]].map(|v| indicator.values[v as usize - 1]);
        if a != b {
            let what = format!("it joins a node of graph {a} with one of graph {b}");
            return Err(on_line(&pairs.path, at + 1, what, "edges stay within a graph"));
        }
        graph_of.push(a as usize - 1);
    }
    let mut order: Vec<usize> = (0..pairs.rows()).collect();
    order.sort_by_key(|at| graph_of[*at]);
    let mut edge_offsets = vec![0; graphs + 1];
    graph_of.iter().for_each(|g| edge_offsets[g + 1] += 1);
    (0..graphs).for_each(|g| edge_offsets[g + 1] += edge_offsets[g]);
    let local = |at: &usize| {
        let start = node_offsets[graph_of[*at]] as i64 + 1;
        [pairs.row(*at)[0], pairs.row(*at)[1]].map(|v| (v - start) as u32)
    };
    let edges: Vec<[u32; 2]> = order.iter().map(local).collect();

    let nodes_in_order: Vec<usize> = (0..nodes).collect();
    let (mut node, node_columns) = features(&nodes_in_order, node_labels, node_attributes, "node", limits)?;
    let (edge, edge_columns) = features(&order, edge_labels, edge_attributes, "edge", limits)?;
    let mut schema =
        Schema { node: [node_columns, vec![]], edge: [edge_columns, vec![]], graph: [vec![], vec![]] };
    if schema.node[0].is_empty() {
        schema.node[0] = vec![Column::new("one", "1", 1.0)];
        node = Array2::from_elem((nodes, 1), one());
    }
    let all: Vec<usize> = (0..graphs).collect();
    let (targets, target_columns) = features(&all, None, graph_attributes, "graph", limits)?;
    schema.graph[1] = target_columns;

    let mut meta = vec![("set".to_owned(), set.clone())];
    let labels = graph_labels.map(|labels| {
        let classes: Vec<i64> = labels.values.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        meta.push(("classes".into(), classes.iter().map(i64::to_string).collect::<Vec<_>>().join(",")));
        let class = |v: &i64| classes.binary_search(v).unwrap_or(0) as u32;
        labels.values.iter().map(class).collect()
    });
    let empty = |rows| Array2::zeros((rows, 0));
    Ok(GraphSet {
        schema,
        node_offsets,
        edge_offsets,
        node: Columns { features: node, targets: empty(nodes) },
        edge: Columns { features: edge, targets: empty(edges.len()) },
        graph: Columns { features: empty(graphs), targets },
        edges,
        labels,
        folds: None,
        meta,
    })
}

/// Labels as columns of 0 and 1, then attributes; the rows in an order.
fn features<T: Scalar>(
    order: &[usize],
    labels: Option<Table<i64>>,
    attributes: Option<Table<f64>>,
    what: &str,
    limits: Limits,
) -> Result<(Array2<T>, Vec<Column>)> {
    let mut columns = Vec::new();
    // Of each column of labels, the values it takes and where their columns start.
    let mut taken: Vec<(usize, Vec<i64>)> = Vec::new();
    if let Some(labels) = &labels {
        labels.expect(order.len(), what)?;
        for c in 0..labels.columns {
            let values: BTreeSet<i64> = (0..labels.rows()).map(|r| labels.row(r)[c]).collect();
            taken.push((columns.len(), values.iter().copied().collect()));
            if columns.len() + values.len() > limits.columns {
                let text = format!("labels take more than {} values", limits.columns);
                return Err(on_line(&labels.path, 1, text, "store them as attributes"));
            }
            let name = |v: &i64| if c == 0 { format!("label={v}") } else { format!("label{}={v}", c + 1) };
            columns.extend(values.iter().map(|v| Column::new(&name(v), "1", 1.0)));
        }
    }
    let start = columns.len();
    if let Some(attributes) = &attributes {
        attributes.expect(order.len(), what)?;
        columns
            .extend((0..attributes.columns).map(|c| Column::new(&format!("attribute{}", c + 1), "1", 1.0)));
    }
    let numbers = order.len().saturating_mul(columns.len());
    if numbers > limits.numbers {
        let bytes = numbers.saturating_mul(size_of::<T>());
        return Err(Error::Memory { what: "the features of a set of graphs", bytes });
    }
    let mut all = allocate("the features of a set of graphs", numbers, T::of(0.0))?;
    let width = columns.len();
    for (out, at) in all.chunks_mut(width.max(1)).zip(order) {
        if let Some(labels) = &labels {
            for (v, (start, values)) in labels.row(*at).iter().zip(&taken) {
                if let Ok(place) = values.binary_search(v) {
                    out[start + place] = one();
                }
            }
        }
        if let Some(attributes) = &attributes {
            out[start..].iter_mut().zip(attributes.row(*at)).for_each(|(o, v)| *o = T::of(*v));
        }
    }
    let array = Array2::from_shape_vec((order.len(), width), all);
    let array = array.map_err(|_| Error::Length { what: what.into(), expected: numbers, got: 0 })?;
    Ok((array, columns))
}
