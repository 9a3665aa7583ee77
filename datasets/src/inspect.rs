//! What is in a file, and what is wrong with it.

use crate::dataset::{Dataset, Survey};
use crate::foreign::{MemberKind, Source};
use crate::graph::{self, GraphSet};
use crate::system_file::Array;
use crate::{Format, LinearSystem, Result, operators};
use serde::Serialize;
use std::fmt;
use std::path::Path;

/// What a file of a system holds. Displayed, it is a short table; serialised, an object.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// `hdf5`, `matrix_market` or `exchange`.
    pub format: &'static str,
    /// In bytes.
    pub file_size: u64,
    /// Rows of the matrix.
    pub rows: usize,
    /// Columns of the matrix.
    pub cols: usize,
    /// Stored entries.
    pub nonzeros: usize,
    /// Whether every entry equals its mirror image.
    pub symmetric: bool,
    /// Whether there is a right-hand side.
    pub rhs: bool,
    /// Whether there is a known solution.
    pub solution: bool,
    /// Cells along x, y(, z), when the unknowns lie on a grid.
    pub grid: Option<Vec<usize>>,
    /// Where it comes from.
    pub meta: Vec<(String, String)>,
    /// Of an HDF5 file.
    pub datasets: Vec<DatasetSummary>,
}

/// A dataset of an HDF5 file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DatasetSummary {
    /// Its path in the file.
    pub name: String,
    /// How many numbers it holds.
    pub len: usize,
    /// Their type.
    pub kind: String,
}

/// Reads a file and says what is in it.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("box.h5");
/// use resolvent_datasets::{Parameters, check, inspect, make};
/// make("box", Parameters::new(4), None, &path)?;
/// let summary = inspect(&path)?;
/// assert_eq!((summary.rows, summary.grid), (64, Some(vec![4, 4, 4])));
/// assert!(check(&path)?.is_empty(), "nothing is wrong with it");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`LinearSystem::read`].
pub fn inspect(path: &Path) -> Result<Summary> {
    let system = LinearSystem::read(path)?;
    let file_size = std::fs::metadata(path).map_err(|e| crate::Error::open(path, e))?.len();
    let format = Format::of(path)?;
    let (datasets, format) = match format {
        Format::Hdf5 => (datasets(path)?, "hdf5"),
        Format::MatrixMarket => (Vec::new(), "matrix_market"),
        Format::Exchange | Format::Vtk => (Vec::new(), "exchange"),
    };
    Ok(Summary {
        format,
        file_size,
        rows: system.matrix.rows(),
        cols: system.matrix.cols(),
        nonzeros: system.matrix.nonzeros(),
        symmetric: system.matrix.is_symmetric(0.0),
        rhs: system.rhs.is_some(),
        solution: system.solution.is_some(),
        grid: system.grid.map(|(g, _)| g.n()[..g.dim()].to_vec()),
        meta: system.meta,
        datasets,
    })
}

/// Every dataset of numbers in the root group and in `grid`.
fn datasets(path: &Path) -> Result<Vec<DatasetSummary>> {
    let source = Source::open(path)?;
    let mut found = Vec::new();
    for group in ["", "grid"] {
        if source.find(group)? != Some(MemberKind::Group) {
            continue;
        }
        for member in source.members(group)? {
            let name = if group.is_empty() { member.name } else { format!("{group}/{}", member.name) };
            // A dataset of something else than numbers is not of the schema.
            if member.kind == MemberKind::Dataset
                && let Ok(Some(array)) = Array::open(&source, &name)
            {
                found.push(DatasetSummary { name, len: array.len, kind: array.kind().to_string() });
            }
        }
    }
    Ok(found)
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yes = |is: bool| if is { "yes" } else { "no" };
        writeln!(f, "format    {}, {} bytes", self.format, self.file_size)?;
        writeln!(f, "matrix    {} × {}, {} entries", self.rows, self.cols, self.nonzeros)?;
        writeln!(f, "symmetric {}", yes(self.symmetric))?;
        writeln!(f, "b         {}", yes(self.rhs))?;
        writeln!(f, "x         {}", yes(self.solution))?;
        if let Some(n) = &self.grid {
            writeln!(f, "grid      {}", n.iter().map(usize::to_string).collect::<Vec<_>>().join(" × "))?;
        }
        self.meta.iter().try_for_each(|(name, value)| writeln!(f, "{name:<9} {value}"))?;
        self.datasets.iter().try_for_each(|d| writeln!(f, "dataset   {}: {} × {}", d.name, d.len, d.kind))
    }
}

/// What a file holds. Displayed, it is a short table; serialised, an object.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Contents {
    /// A linear system.
    System(Summary),
    /// Fields on grids or points.
    Dataset(Survey),
    /// A set of graphs.
    Graphs(graph::Summary),
    /// A set of operators.
    Operators(operators::Summary),
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(summary) => summary.fmt(f),
            Self::Dataset(survey) => survey.fmt(f),
            Self::Graphs(summary) => summary.fmt(f),
            Self::Operators(summary) => summary.fmt(f),
        }
    }
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A linear system.
    System,
    /// Fields on grids or points.
    Dataset,
    /// A set of graphs.
    Graphs,
    /// A set of operators.
    Operators,
}

impl Kind {
    /// Finds out, from its extension, and for HDF5 from its attributes and the names in its root group.
    ///
    /// # Errors
    /// [`Error::Open`](crate::Error::Open); [`Error::Malformed`](crate::Error::Malformed) for a damaged HDF5 file;
    /// [`Error::Format`](crate::Error::Format) for an extension that is not known.
    pub fn of(path: &Path) -> Result<Self> {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("").to_ascii_lowercase();
        if matches!(extension.as_str(), "mat" | "npy" | "csv") {
            return Ok(Self::Dataset);
        }
        if Format::of(path)? != Format::Hdf5 {
            return Ok(Self::System);
        }
        let source = Source::open(path)?;
        let attributes = source.attribute_names("")?;
        let marked = |name: &str| attributes.iter().any(|n| n == name);
        if marked("schema") {
            // What is no text, its reader judges.
            match source.text("", "schema").ok().flatten().as_deref() {
                Some(graph::SCHEMA) => return Ok(Self::Graphs),
                Some(operators::SCHEMA) => return Ok(Self::Operators),
                _ => {}
            }
        }
        let of_a_system = |name: &str| ["indptr", "indices", "data", "b"].contains(&name);
        let system = marked("resolvent_schema") || source.members("")?.iter().any(|m| of_a_system(&m.name));
        Ok(if system { Self::System } else { Self::Dataset })
    }

    /// What it is good for when nothing is wrong with it, as a clause.
    pub fn sound(self) -> &'static str {
        match self {
            Self::System => "the system can be solved",
            Self::Dataset => "the data can be trained on",
            Self::Graphs | Self::Operators => "the set can be used",
        }
    }
}

/// Finds out what a file is and says what is in it.
///
/// # Errors
/// As [`Kind::of`] and the readers of each kind.
pub fn contents(path: &Path) -> Result<Contents> {
    Ok(match Kind::of(path)? {
        Kind::System => Contents::System(inspect(path)?),
        Kind::Dataset => Contents::Dataset(Dataset::open(path)?.survey()?),
        Kind::Graphs => Contents::Graphs(GraphSet::<f64>::read(path)?.summary()),
        Kind::Operators => Contents::Operators(operators::summary(path)?),
    })
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The system cannot be solved, the data not be trained on, or the set not be used, as they are.
    Problem,
    /// Worth knowing.
    Note,
}

/// Something [`check`] found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// One sentence.
    pub text: String,
}

/// Reads a file and lists what is wrong with it; nothing found is an empty list. A file that is malformed is one finding.
///
/// # Errors
/// Only when the file cannot be read at all: [`Error::Open`](crate::Error::Open), [`Error::Memory`](crate::Error::Memory),
/// [`Error::Format`](crate::Error::Format).
pub fn check(path: &Path) -> Result<Vec<Finding>> {
    let found = Kind::of(path).and_then(|kind| match kind {
        Kind::System => LinearSystem::read(path).map(|system| system.check()),
        Kind::Dataset => Dataset::open(path)?.check(),
        Kind::Graphs => GraphSet::<f64>::read(path).map(|set| set.check()),
        Kind::Operators => operators::check(path),
    });
    match found {
        Err(e @ crate::Error::Malformed { .. }) => {
            Ok(vec![Finding { severity: Severity::Problem, text: e.to_string() }])
        }
        found => found,
    }
}

impl LinearSystem {
    /// What stands in the way of solving it: nothing found is an empty list.
    pub fn check(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut say = |severity, text: String| found.push(Finding { severity, text });
        let a = &self.matrix;
        if a.rows() != a.cols() {
            say(Severity::Problem, format!("the matrix is not square: {} × {}", a.rows(), a.cols()));
            return found;
        }
        let zero = |r: &usize| a.row(*r).1.iter().all(|v| *v == 0.0);
        let mut rows = (0..a.rows()).filter(zero);
        if let Some(first) = rows.next() {
            say(
                Severity::Problem,
                format!(
                    "{} rows are empty or zero, row {first} first: the matrix is singular",
                    1 + rows.count()
                ),
            );
        }
        let symmetric = a.is_symmetric(0.0);
        if !symmetric {
            let text = if a.is_symmetric(1e-12) {
                "the matrix is symmetric up to rounding only, not to the last bit"
            } else {
                "the matrix is not symmetric: conjugate gradients do not apply"
            };
            say(Severity::Note, text.into());
        }
        let diagonal = a.diagonal();
        if let Some(row) = diagonal.iter().position(|d| *d <= 0.0) {
            let text =
                format!("diagonal entry {row} is {:e}: the matrix is not positive definite", diagonal[row]);
            say(Severity::Note, text);
        }
        // Rows that sum to nothing: constants are in the null space.
        let sums = |r: usize| {
            let (mut sum, mut size) = (0.0, 0.0);
            a.row(r).1.iter().for_each(|v| (sum, size) = (sum + v, size + f64::abs(*v)));
            (sum, size)
        };
        let singular = (0..a.rows()).map(sums).all(|(sum, size)| sum.abs() <= 1e-12 * size);
        match &self.rhs {
            None => say(Severity::Note, "there is no right-hand side".into()),
            // Of a matrix that is not symmetric, the range may hold constants all the same.
            Some(b) if singular && symmetric => {
                let (sum, size) = b.iter().fold((0.0, 0.0), |(s, m), v| (s + v, m + f64::abs(*v)));
                if sum.abs() > 1e-8 * size {
                    let mean = sum / b.len() as f64;
                    let text = format!("b has the mean {mean:e}, but no x reaches it; subtract it");
                    say(Severity::Problem, text);
                }
            }
            Some(_) => {}
        }
        if singular {
            say(Severity::Note, "every row sums to zero: constants are in the null space".into());
        }
        found
    }
}
