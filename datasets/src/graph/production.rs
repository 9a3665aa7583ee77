//! Sets whose graphs are made one by one: in parallel, kept beside the file until all are there.

use super::file::{Counts, Precision, Writer};
use super::{Columns, Graph, GraphSet, Schema};
use crate::maker::{Cost, Made, Outcome, Recipe, Setting, Step, Watch};
use crate::partial::{Partial, beside};
use crate::{Error, Result};
use rayon::prelude::*;
use std::path::Path;

/// Graphs made between two looks at the progress, and written at a time.
const BLOCK: usize = 64;

/// How numbers are stored.
pub(super) const PRECISION: Setting =
    Setting { name: "precision", default: "f64", what: "of the stored features and targets: f64 or f32" };

pub(super) fn precision(recipe: &Recipe) -> Result<Precision> {
    match recipe.text("precision") {
        "f64" => Ok(Precision::F64),
        "f32" => Ok(Precision::F32),
        _ => Err(recipe.refuse("precision", "f64 or f32 is needed")),
    }
}

/// What graphs of about so many nodes and edges take.
pub(super) fn cost(recipe: &Recipe, nodes: usize, edges: usize, schema: &Schema) -> Result<Cost> {
    let width = precision(recipe)?.bytes() as u64;
    let columns = |c: &[Vec<super::Column>; 2]| (c[0].len() + c[1].len()) as u64;
    let numbers = |width: u64| {
        nodes as u64 * columns(&schema.node) * width
            + edges as u64 * (8 + columns(&schema.edge) * width)
            + columns(&schema.graph) * width
            + 16
    };
    let samples = recipe.samples() as u64;
    Ok(Cost {
        // A block being made, and a block being written.
        memory: (16 << 20) + 4 * BLOCK as u64 * numbers(8),
        file: samples.saturating_mul(numbers(width)),
        beside: samples.saturating_mul(numbers(8)),
        mend: "ask for fewer samples or smaller graphs",
    })
}

/// Makes all graphs, then the file. The bytes do not depend on the number of threads, nor on interruptions.
pub(super) fn run(
    recipe: &Recipe,
    path: &Path,
    watch: &mut Watch,
    schema: &Schema,
    make: impl Fn(usize) -> Result<Graph<f64>> + Sync,
) -> Result<Outcome> {
    let (total, command) = (recipe.samples(), recipe.command());
    let mut partial = Partial::open(beside(path, ".partial"), &command)?;
    let resumed = partial.records;
    while partial.records < total {
        let first = partial.records;
        if watch(Step { phase: "making graphs", done: first, total }).is_break() {
            partial.flush()?;
            return Ok(Outcome::Interrupted { partial: partial.path().into() });
        }
        let made: Vec<Vec<u8>> = (first..total.min(first + BLOCK))
            .into_par_iter()
            .map(|i| make(i).map(|g| encode(&g)))
            .collect::<Result<_>>()?;
        made.iter().try_for_each(|bytes| partial.push(bytes))?;
    }
    let kept = partial.path().to_owned();
    let damaged = || Error::malformed(&kept, "a record", "it is damaged", "remove the file");
    let mut counts = Counts::default();
    let mut records = partial.records()?;
    while let Some(bytes) = records.next()? {
        let g = decode(bytes, schema).ok_or_else(damaged)?;
        counts.add(&g);
    }
    let mut meta: Vec<(String, String)> = [
        ("set", recipe.maker().name.to_owned()),
        ("command", command.clone()),
        ("seed", recipe.seed().to_string()),
    ]
    .map(|(k, v)| (k.to_owned(), v))
    .into();
    meta.extend(recipe.settings().map(|(k, v)| (k.to_owned(), v.to_owned())));
    let mut writer = Writer::create(path, counts, schema, precision(recipe)?, &meta)?;
    let mut records = partial.records()?;
    let mut done = 0;
    loop {
        let mut block = GraphSet::new(schema.clone());
        while block.len() < BLOCK
            && let Some(bytes) = records.next()?
        {
            block.push(&decode(bytes, schema).ok_or_else(damaged)?)?;
        }
        if block.is_empty() {
            break;
        }
        writer.append(&block)?;
        done += block.len();
        // The graphs are all there: writing them is short, and is not stopped.
        let _ = watch(Step { phase: "writing", done, total });
    }
    let bytes = writer.finish()?;
    partial.remove()?;
    Ok(Outcome::Made(Made { samples: total, bytes, resumed, remark: None }))
}

/// Counts, edges, then every array, row by row; little-endian.
fn encode(graph: &Graph<f64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend((graph.nodes as u64).to_le_bytes());
    bytes.extend((graph.edges.len() as u64).to_le_bytes());
    graph.edges.iter().flatten().for_each(|v| bytes.extend(v.to_le_bytes()));
    for columns in graph.levels() {
        for array in columns.both() {
            array.iter().for_each(|v| bytes.extend(v.to_le_bytes()));
        }
    }
    bytes
}

/// The graph of a record; `None` when it is none.
fn decode(bytes: &[u8], schema: &Schema) -> Option<Graph<f64>> {
    let mut words =
        bytes.get(..16)?.chunks_exact(8).map(|w| u64::from_le_bytes(w.try_into().unwrap_or([0; 8])));
    let (nodes, edges) = (words.next()? as usize, words.next()? as usize);
    let mut rest = bytes.get(16..)?;
    let mut take = |n: usize| {
        let (head, tail) = rest.split_at_checked(n)?;
        rest = tail;
        Some(head)
    };
    let word = |w: &[u8]| u32::from_le_bytes([w[0], w[1], w[2], w[3]]);
    let pairs = take(edges.checked_mul(8)?)?;
    let pairs = pairs.chunks_exact(8).map(|p| [word(&p[..4]), word(&p[4..])]).collect();
    // Nothing larger than the record itself is allocated.
    let columns: usize = schema.levels().iter().flat_map(|(_, c)| c.iter()).map(Vec::len).sum();
    if nodes > bytes.len() && columns > 0 {
        return None;
    }
    let mut graph = Graph::zeros(nodes, pairs, schema);
    let mut fill = |columns: &mut Columns<f64>| {
        for array in [&mut columns.features, &mut columns.targets] {
            let values = take(array.len().checked_mul(8)?)?;
            for (v, w) in array.iter_mut().zip(values.chunks_exact(8)) {
                *v = f64::from_le_bytes(w.try_into().ok()?);
            }
        }
        Some(())
    };
    fill(&mut graph.node)?;
    fill(&mut graph.edge)?;
    fill(&mut graph.graph)?;
    Some(graph)
}
