//! Reading, with suspicion.

use super::{SCHEMA, VERSION};
use crate::foreign::{Source, Type};
use crate::graph::{Column, Columns, GraphSet, Schema};
use crate::system_file::{Array, meta};
use crate::{Checksum, Error, Result};
use ndarray::Array2;
use resolvent::Scalar;
use std::path::Path;

/// Every dataset beside the offsets, in the order of the schema.
const ARRAYS: [[&str; 2]; 3] = [
    ["node_features", "node_targets"],
    ["edge_features", "edge_targets"],
    ["graph_features", "graph_targets"],
];

/// The most columns of features or targets.
const COLUMNS: usize = 1 << 16;

impl<T: Scalar> GraphSet<T> {
    /// Reads a set; features and targets are rounded to `T`.
    ///
    /// # Errors
    /// [`Error::Open`]; [`Error::Malformed`] names the dataset and the mend; [`Error::Memory`].
    pub fn read(path: &Path) -> Result<Self> {
        let source = Source::open(path)?;
        let bad = |place: &str, what: String, mend: &str| Error::malformed(path, place, what, mend);
        match source.text("", "schema")?.as_deref() {
            Some(SCHEMA) => {}
            other => {
                let what = format!("it is `{}`", other.unwrap_or("absent"));
                return Err(bad(
                    "attribute `schema`",
                    what,
                    "set it to `resolvent-graphs`, or use another file",
                ));
            }
        }
        match source.integers("", "schema_version")?.as_deref() {
            Some([VERSION]) => {}
            other => {
                let what = format!("it is {:?}", other.unwrap_or(&[]));
                return Err(bad("attribute `schema_version`", what, "this build reads version 1"));
            }
        }
        let absent = |name: &str| bad(&format!("dataset `{name}`"), "it is absent".into(), "add it");
        let offsets = |name: &str| {
            let array = Array::open(&source, name)?.ok_or_else(|| absent(name))?;
            let mend = "offsets start at 0 and never decrease";
            let mut before = 0;
            let offsets = array.integers("offsets", mend, |v| {
                let good = v >= before && (v as u64) < u64::from(u32::MAX);
                before = v;
                good.then_some(v as usize)
            })?;
            match offsets.first() {
                Some(0) => Ok((array, offsets)),
                _ => Err(array.error("it does not start at 0", mend)),
            }
        };
        let (_, node_offsets) = offsets("node_offsets")?;
        let (array, edge_offsets) = offsets("edge_offsets")?;
        array.expect(node_offsets.len(), "one number more than graphs, as `node_offsets` has")?;
        let graphs = node_offsets.len() - 1;
        let (nodes, edges) = (node_offsets[graphs], edge_offsets[graphs]);

        let array = Array::rows_of(&source, "edges", 2)?.ok_or_else(|| absent("edges"))?;
        array.expect(2 * edges, "a row of source and target for each edge that `edge_offsets` counts")?;
        let (mut at, mut graph) = (0usize, 0usize);
        let mend = "sources and targets are numbers of nodes within their graph, from 0";
        let flat = array.integers("edges", mend, |v| {
            while at / 2 >= edge_offsets[graph + 1] {
                graph += 1;
            }
            at += 1;
            let size = node_offsets[graph + 1] - node_offsets[graph];
            (v >= 0 && (v as u64) < size as u64).then_some(v as u32)
        })?;
        verify(&source, "edges", &array, flat.iter().map(|v| f64::from(*v)))?;
        let edges: Vec<[u32; 2]> = flat.chunks_exact(2).map(|p| [p[0], p[1]]).collect();

        let mut schema = Schema::default();
        let rows = [nodes, edges.len(), graphs];
        let mut levels: [Columns<T>; 3] = Default::default();
        let all = [&mut schema.node, &mut schema.edge, &mut schema.graph];
        for (((names, rows), columns), level) in ARRAYS.iter().zip(rows).zip(all).zip(&mut levels) {
            let [features, targets] = [&mut level.features, &mut level.targets];
            for ((name, columns), out) in names.iter().zip(columns).zip([features, targets]) {
                *out = Array2::zeros((rows, 0));
                let Some(array) = Array::rows_of(&source, name, 0)? else { continue };
                if array.rows() != rows {
                    let what = format!("it has {} rows instead of {rows}", array.rows());
                    return Err(array.error(what, "give it one for each node, edge or graph"));
                }
                if array.columns() > COLUMNS {
                    let what = format!("it has {} columns", array.columns());
                    return Err(array.error(what, format!("store at most {COLUMNS}")));
                }
                *columns = described(&source, name, &array)?;
                let values = array.reals()?;
                verify(&source, name, &array, values.iter().copied())?;
                let values = values.into_iter().map(T::of).collect();
                *out = Array2::from_shape_vec((rows, columns.len()), values)
                    .map_err(|e| array.error(e.to_string(), "give it two dimensions"))?;
            }
        }
        let [node, edge, graph] = levels;
        let numbers = |name: &str| {
            let Some(array) = Array::open(&source, name)? else { return Ok(None) };
            array.expect(graphs, "one number for each graph")?;
            let mend = "numbers from 0 are needed";
            array.integers("numbers", mend, |v| u32::try_from(v).ok()).map(Some)
        };
        Ok(Self {
            labels: numbers("graph_labels")?,
            folds: numbers("folds")?,
            meta: meta(&source)?,
            schema,
            node_offsets,
            edge_offsets,
            edges,
            node,
            edge,
            graph,
        })
    }
}

/// Names, units and scales: absent ones are numbered, pure and 1.
fn described(source: &Source, name: &str, array: &Array) -> Result<Vec<Column>> {
    let n = array.columns();
    let words = |attribute: &str, otherwise: &dyn Fn(usize) -> String| {
        let words: Vec<String> = match source.text(name, attribute)? {
            Some(text) => text.split(',').map(str::to_owned).collect(),
            None => (0..n).map(otherwise).collect(),
        };
        if words.len() != n {
            let what = format!("attribute `{attribute}` names {} of {n} columns", words.len());
            return Err(array.error(what, "name every column once, separated by commas"));
        }
        Ok(words)
    };
    let names = words("columns", &|i| format!("{name}_{i}"))?;
    let units = words("units", &|_| "1".into())?;
    let scale = source.reals(name, "scale")?.unwrap_or_else(|| vec![1.0; n]);
    if scale.len() != n {
        let what = format!("attribute `scale` has {} numbers for {n} columns", scale.len());
        return Err(array.error(what, "store one for each"));
    }
    Ok(names
        .into_iter()
        .zip(units)
        .zip(scale)
        .map(|((name, unit), scale)| Column { name, unit, scale })
        .collect())
}

/// Compares the stated checksum, if there is one, with that of what was read.
fn verify(source: &Source, name: &str, array: &Array, values: impl Iterator<Item = f64>) -> Result<()> {
    let Some(stated) = source.text(name, "checksum")? else { return Ok(()) };
    let mut sum = Checksum::new();
    match array.kind() {
        Type::Float(4) => values.for_each(|v| sum.bytes(&(v as f32).to_le_bytes())),
        Type::Float(8) => values.for_each(|v| sum.bytes(&v.to_le_bytes())),
        Type::Integer(4) => values.for_each(|v| sum.bytes(&(v as i32).to_le_bytes())),
        // Written by another program in a type of its own.
        _ => return Ok(()),
    }
    let found = format!("fnv1a64:{:016x}", sum.value());
    if found == stated {
        return Ok(());
    }
    let what = format!("`{name}` has the checksum {found}, but {stated} is stated");
    Err(array.error(what, "copy or make the file again, or drop the attribute `checksum` after a change"))
}
