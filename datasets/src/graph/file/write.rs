//! Writing: sizes first, then rows, block by block.

use super::{SCHEMA, VERSION};
use crate::draft::Draft;
use crate::foreign::reason;
use crate::graph::{Column, Columns, Graph, GraphSet, Schema};
use crate::own_file::OwnFile;
use crate::system_file::{label, timeless_group};
use crate::{Checksum, Error, Result};
use hdf5::{Dataset, Group, H5Type};
use ndarray::{ArrayView2, s};
use resolvent::Scalar;
use std::path::Path;

/// How features and targets are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    F32,
    F64,
}

impl Precision {
    /// Of a number.
    pub fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// How many rows there will be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub graphs: usize,
    pub nodes: usize,
    pub edges: usize,
}

impl Counts {
    /// One more graph.
    pub fn add<T>(&mut self, graph: &Graph<T>) {
        self.graphs += 1;
        self.nodes += graph.nodes;
        self.edges += graph.edges.len();
    }
}

/// A dataset that is being filled, and the checksum of what it holds.
struct Filled {
    dataset: Dataset,
    sum: Checksum,
    rows: usize,
}

/// A file that is being filled; it appears under its name when it is complete.
pub(crate) struct Writer {
    draft: Draft,
    file: OwnFile,
    path: std::path::PathBuf,
    precision: Precision,
    counts: Counts,
    node_offsets: Filled,
    edge_offsets: Filled,
    edges: Filled,
    /// Features and targets on nodes, edges and graphs, where there are columns.
    arrays: Vec<Option<Filled>>,
    nodes: usize,
    seen: usize,
}

impl Writer {
    /// Creates every dataset.
    pub fn create(
        path: &Path,
        counts: Counts,
        schema: &Schema,
        precision: Precision,
        meta: &[(String, String)],
    ) -> Result<Self> {
        let (draft, writer) = Draft::create(path)?;
        drop(writer);
        let failed = |e: hdf5::Error| Error::write(path, std::io::Error::other(reason(&e)));
        let file = OwnFile::create(draft.place()).map_err(failed)?;
        let rows = [counts.nodes, counts.edges, counts.graphs];
        let create = || {
            label(&file, "schema", SCHEMA)?;
            file.new_attr::<i64>().create("schema_version")?.write_scalar(&VERSION)?;
            let about = timeless_group(&file, "meta")?;
            meta.iter().try_for_each(|(name, value)| label(&about, name, value))?;
            let fixed = [
                filled::<i64>(&file, "node_offsets", &[counts.graphs + 1])?,
                filled::<i64>(&file, "edge_offsets", &[counts.graphs + 1])?,
                filled::<i32>(&file, "edges", &[counts.edges, 2])?,
            ];
            let mut arrays = Vec::new();
            for ((level, kinds), rows) in schema.levels().into_iter().zip(rows) {
                for (columns, kind) in kinds.iter().zip(["features", "targets"]) {
                    let name = format!("{level}_{kind}");
                    let shape = [rows, columns.len()];
                    arrays.push(match (columns.is_empty(), precision) {
                        (true, _) => None,
                        (_, Precision::F32) => Some(filled::<f32>(&file, &name, &shape)?),
                        (_, Precision::F64) => Some(filled::<f64>(&file, &name, &shape)?),
                    });
                    if let Some(Some(array)) = arrays.last() {
                        describe(&array.dataset, columns)?;
                    }
                }
            }
            Ok((fixed, arrays))
        };
        let ([node_offsets, edge_offsets, edges], arrays) = create().map_err(failed)?;
        let mut writer = Self {
            draft,
            path: path.into(),
            precision,
            counts,
            node_offsets,
            edge_offsets,
            edges,
            arrays,
            nodes: 0,
            seen: 0,
            file,
        };
        writer.put(|w| {
            w.node_offsets.push(&[0i64], |v, s| s.bytes(&v.to_le_bytes()))?;
            w.edge_offsets.push(&[0i64], |v, s| s.bytes(&v.to_le_bytes()))
        })?;
        Ok(writer)
    }

    fn put(&mut self, write: impl FnOnce(&mut Self) -> hdf5::Result<()>) -> Result<()> {
        let done = write(self);
        done.map_err(|e| Error::write(&self.path, std::io::Error::other(reason(&e))))
    }

    /// Adds graphs behind those before.
    pub fn append<T: Scalar>(&mut self, set: &GraphSet<T>) -> Result<()> {
        set.check_shape()?;
        self.put(|w| {
            let (nodes, edges) = (w.nodes as i64, w.edges.rows as i64);
            let behind = |offsets: &[usize], start: i64| {
                offsets[1..].iter().map(|o| start + *o as i64).collect::<Vec<_>>()
            };
            w.node_offsets.push(&behind(&set.node_offsets, nodes), |v, s| s.bytes(&v.to_le_bytes()))?;
            w.edge_offsets.push(&behind(&set.edge_offsets, edges), |v, s| s.bytes(&v.to_le_bytes()))?;
            let pairs: Vec<[i32; 2]> = set.edges.iter().map(|e| e.map(|v| v as i32)).collect();
            w.edges.push_rows(ArrayView2::from(&pairs[..]), |v, s| s.bytes(&v.to_le_bytes()))?;
            let all: Vec<_> = set.levels().into_iter().flat_map(Columns::both).collect();
            for (filled, array) in w.arrays.iter_mut().zip(all) {
                let Some(filled) = filled else { continue };
                match w.precision {
                    Precision::F32 => {
                        let rows = array.mapv(|v| v.f64() as f32);
                        filled.push_rows(rows.view(), |v, s| s.bytes(&v.to_le_bytes()))?;
                    }
                    Precision::F64 => {
                        let rows = array.mapv(Scalar::f64);
                        filled.push_rows(rows.view(), |v, s| s.bytes(&v.to_le_bytes()))?;
                    }
                }
            }
            w.nodes += *set.node_offsets.last().unwrap_or(&0);
            w.seen += set.len();
            Ok(())
        })
    }

    /// Adds a number for each graph: its class or its fold.
    pub fn numbers(&mut self, name: &str, numbers: &[u32]) -> Result<()> {
        self.put(|w| {
            let mut filled = filled::<i64>(&w.file, name, &[numbers.len()])?;
            let numbers: Vec<i64> = numbers.iter().map(|v| i64::from(*v)).collect();
            filled.push(&numbers, |v, s| s.bytes(&v.to_le_bytes()))?;
            filled.seal()
        })
    }

    /// Gives the file its name; returns its size in bytes.
    pub fn finish(mut self) -> Result<u64> {
        let expected = self.counts.graphs;
        if self.seen != expected {
            return Err(Error::Length { what: "graphs".into(), expected, got: self.seen });
        }
        self.put(|w| {
            let fixed = [&w.node_offsets, &w.edge_offsets, &w.edges];
            fixed.into_iter().chain(w.arrays.iter().flatten()).try_for_each(Filled::seal)?;
            w.file.flush()
        })?;
        let Self { draft, file, path, node_offsets, edge_offsets, edges, arrays, .. } = self;
        drop((node_offsets, edge_offsets, edges, arrays));
        file.close().map_err(|e| Error::write(&path, std::io::Error::other(reason(&e))))?;
        draft.finish()?;
        std::fs::metadata(&path).map(|m| m.len()).map_err(|e| Error::open(&path, e))
    }
}

fn filled<T: H5Type>(group: &Group, name: &str, shape: &[usize]) -> hdf5::Result<Filled> {
    // Times would make two files of the same content differ.
    let dataset = group.new_dataset::<T>().obj_track_times(false).shape(shape.to_vec()).create(name)?;
    Ok(Filled { dataset, sum: Checksum::new(), rows: 0 })
}

/// Names, units and scales of columns.
fn describe(dataset: &Dataset, columns: &[Column]) -> hdf5::Result<()> {
    let text = |f: fn(&Column) -> &str| columns.iter().map(f).collect::<Vec<_>>().join(",");
    label(dataset, "columns", &text(|c| &c.name))?;
    label(dataset, "units", &text(|c| &c.unit))?;
    let scale: Vec<f64> = columns.iter().map(|c| c.scale).collect();
    dataset.new_attr::<f64>().shape(scale.len()).create("scale")?.write_raw(&scale)
}

impl Filled {
    fn push<T: H5Type>(&mut self, values: &[T], add: impl Fn(&T, &mut Checksum)) -> hdf5::Result<()> {
        values.iter().for_each(|v| add(v, &mut self.sum));
        self.dataset.write_slice(values, self.rows..self.rows + values.len())?;
        self.rows += values.len();
        Ok(())
    }

    fn push_rows<T: H5Type>(
        &mut self,
        rows: ArrayView2<T>,
        add: impl Fn(&T, &mut Checksum),
    ) -> hdf5::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        rows.iter().for_each(|v| add(v, &mut self.sum));
        self.dataset.write_slice(rows, s![self.rows..self.rows + rows.nrows(), ..])?;
        self.rows += rows.nrows();
        Ok(())
    }

    /// States the checksum.
    fn seal(&self) -> hdf5::Result<()> {
        label(&self.dataset, "checksum", &format!("fnv1a64:{:016x}", self.sum.value()))
    }
}

impl<T: Scalar> GraphSet<T> {
    /// Writes the set, in its own precision: beside the file, and renamed.
    ///
    /// # Errors
    /// [`Error::Edge`] and [`Error::Length`] when its parts do not fit each other; [`Error::Write`].
    pub fn write(&self, path: &Path) -> Result<u64> {
        self.check_shape()?;
        let counts =
            Counts { graphs: self.len(), nodes: self.node_offsets[self.len()], edges: self.edges.len() };
        let precision = if T::NAME == "f32" { Precision::F32 } else { Precision::F64 };
        let mut writer = Writer::create(path, counts, &self.schema, precision, &self.meta)?;
        writer.append(self)?;
        for (name, numbers) in [("graph_labels", &self.labels), ("folds", &self.folds)] {
            if let Some(numbers) = numbers {
                writer.numbers(name, numbers)?;
            }
        }
        writer.finish()
    }
}
