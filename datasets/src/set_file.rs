//! Files of sets: what is in them, and what is wrong with them.

use crate::graph::{self, GraphSet};
use crate::inspect::{Finding, Severity};
use crate::system_file::Source;
use crate::{Error, Format, Result, operators};
use serde::Serialize;
use std::fmt;
use std::path::Path;

/// What a file of a set holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Summary {
    /// A set of graphs.
    Graphs(graph::check::Summary),
    /// A set of operators.
    Operators(operators::Summary),
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Graphs(s) => s.fmt(f),
            Self::Operators(s) => s.fmt(f),
        }
    }
}

/// The root attribute `schema` of an HDF5 file.
fn schema(path: &Path) -> Result<Option<String>> {
    if !matches!(Format::of(path), Ok(Format::Hdf5)) {
        return Ok(None);
    }
    let source = Source::open(path)?;
    source.text(source.root(), "schema")
}

/// What a file holds; `None` when it is not one of a set.
///
/// # Errors
/// [`Error::Open`]; [`Error::Malformed`].
pub fn inspect(path: &Path) -> Result<Option<Summary>> {
    match schema(path)?.as_deref() {
        Some(graph::SCHEMA) => Ok(Some(Summary::Graphs(GraphSet::<f64>::read(path)?.summary()))),
        Some(operators::SCHEMA) => Ok(Some(Summary::Operators(operators::summary(path)?))),
        _ => Ok(None),
    }
}

/// Reads a file and lists what is wrong with it; nothing found is an empty list, `None` that it is not one of a set. A file
/// that is malformed is one finding.
///
/// # Errors
/// Only when the file cannot be read at all: [`Error::Open`], [`Error::Memory`].
pub fn check(path: &Path) -> Result<Option<Vec<Finding>>> {
    let found = match schema(path) {
        Ok(Some(s)) if s == graph::SCHEMA => GraphSet::<f64>::read(path).map(|s| s.check()),
        Ok(Some(s)) if s == operators::SCHEMA => operators::check(path),
        Ok(_) => return Ok(None),
        Err(e) => Err(e),
    };
    match found {
        Ok(found) => Ok(Some(found)),
        Err(e @ Error::Malformed { .. }) => {
            Ok(Some(vec![Finding { severity: Severity::Problem, text: e.to_string() }]))
        }
        Err(e) => Err(e),
    }
}
