//! What is in a file of operators, and what is wrong with it.

use super::{SCHEMA, VERSION};
use crate::foreign::{Source, Type};
use crate::inspect::{Finding, Severity};
use crate::system_file::{Array, meta};
use crate::{Checksum, Error, Result};
use serde::Serialize;
use std::fmt;
use std::path::Path;

/// What a file of operators holds. Displayed, it is a short table; serialised, an object.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// `resolvent-operators`.
    pub format: &'static str,
    /// `projection` or `directions`.
    pub kind: String,
    /// Cells along each dimension, the slowest first.
    pub shape: Vec<i64>,
    /// Frames or samples.
    pub rows: usize,
    /// Where it comes from.
    pub meta: Vec<(String, String)>,
}

/// Refuses another file.
pub(super) fn expect(source: &Source, kind: &str) -> Result<()> {
    for (name, value) in [("schema", SCHEMA), ("kind", kind)] {
        let found = source.text("", name)?;
        if found.as_deref() != Some(value) {
            let what = format!("it is `{}`", found.as_deref().unwrap_or("absent"));
            let mend = format!("use a file with `{value}`, such as `resolvent data make {kind}` makes");
            return Err(Error::malformed(source.path(), format!("attribute `{name}`"), what, mend));
        }
    }
    if source.integers("", "schema_version")?.as_deref() != Some(&[VERSION]) {
        let what = "it is not 1";
        let mend = "this build reads version 1";
        return Err(Error::malformed(source.path(), "attribute `schema_version`", what, mend));
    }
    Ok(())
}

/// The datasets of rows of a kind, in the order of their checksums.
fn names(kind: &str) -> &'static [&'static str] {
    if kind == "projection" { &["cells", "rhs"] } else { &["samples"] }
}

/// Reads what a file says of itself.
///
/// # Errors
/// [`Error::Open`]; [`Error::Malformed`].
pub fn summary(path: &Path) -> Result<Summary> {
    let source = Source::open(path)?;
    let kind = source.text("", "kind")?.unwrap_or_default();
    expect(&source, if kind == "projection" { "projection" } else { "directions" })?;
    let rows = Array::rows_of(&source, names(&kind)[0], 0)?.map_or(0, |a| a.rows());
    Ok(Summary {
        format: SCHEMA,
        shape: source.integers("", "shape")?.unwrap_or_default(),
        rows,
        meta: meta(&source)?,
        kind,
    })
}

/// Reads everything: numbers are finite, flags are flags, and the checksums are those stated.
///
/// # Errors
/// As [`summary`].
pub fn check(path: &Path) -> Result<Vec<Finding>> {
    let summary = summary(path)?;
    let source = Source::open(path)?;
    let mut found = Vec::new();
    let problem = |text: String| Finding { severity: Severity::Problem, text };
    let written = match Array::open(&source, "written")? {
        Some(array) => array.read_rows::<u64>(0..array.rows())?,
        None => Vec::new(),
    };
    if written.first().is_some_and(|n| *n != summary.rows as u64) {
        return Ok(vec![problem(format!(
            "{} of {} rows are written: it is unfinished",
            written[0], summary.rows
        ))]);
    }
    for (at, name) in names(&summary.kind).iter().enumerate() {
        let Some(array) = Array::rows_of(&source, name, 0)? else {
            found.push(problem(format!("dataset `{name}` is absent")));
            continue;
        };
        let (mut sum, mut bad) = (Checksum::new(), None);
        let step = ((1 << 20) / array.columns().max(1)).max(1);
        for start in (0..array.rows()).step_by(step) {
            let row = block(&array, start..array.rows().min(start + step), &mut sum)?;
            bad = bad.or(row);
        }
        if let Some(row) = bad {
            found.push(problem(format!("dataset `{name}`, row {row}: a number is not finite, or no flag")));
        }
        if written.get(at + 1).is_some_and(|s| *s != sum.value()) {
            let text = format!("dataset `{name}` has not the checksum that is stated; copy or make it again");
            found.push(problem(text));
        }
    }
    Ok(found)
}

/// The first row that is no good; adds the bytes to the checksum.
fn block(array: &Array, rows: std::ops::Range<usize>, sum: &mut Checksum) -> Result<Option<usize>> {
    let (first, width) = (rows.start, array.columns().max(1));
    let bad = match array.kind() {
        Type::Unsigned(1) => {
            let values = array.read_rows::<u8>(rows)?;
            sum.bytes(&values);
            values.iter().position(|v| *v > 2)
        }
        Type::Float(4) => {
            let values = array.read_rows::<f32>(rows)?;
            values.iter().for_each(|v| sum.bytes(&v.to_le_bytes()));
            values.iter().position(|v| !v.is_finite())
        }
        _ => {
            let values = array.read_rows::<f64>(rows)?;
            values.iter().for_each(|v| sum.bytes(&v.to_le_bytes()));
            values.iter().position(|v| !v.is_finite())
        }
    };
    Ok(bad.map(|at| first + at / width))
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "format    {}, {}", self.format, self.kind)?;
        let what = if self.kind == "projection" { "frames" } else { "samples" };
        writeln!(f, "{what:<9} {}", self.rows)?;
        writeln!(f, "grid      {}", self.shape.iter().map(i64::to_string).collect::<Vec<_>>().join(" × "))?;
        self.meta.iter().try_for_each(|(name, value)| writeln!(f, "{name:<9} {value}"))
    }
}
