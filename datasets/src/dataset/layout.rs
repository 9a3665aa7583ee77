//! The layouts of files, and how each becomes a dataset.
//!
//! # Adding a layout
//!
//! One file in `src/dataset/layout/` with a constant `LAYOUT`, and one row in [`LAYOUTS`]: the first that recognises a file
//! opens it.

mod comma_separated;
mod level5;
mod level73;
mod matlab;
mod own;
mod pdebench;
mod pdebench_groups;
mod python_array;
mod the_well;

use super::numbers::{Numbers, Stored};
use super::{Coordinate, Description, Field, Parameter, ParameterValue, Precision, Storage};
use crate::foreign::{self, Attribute, Source, Value};
use crate::{Error, Result};
use std::path::Path;
use std::sync::Arc;

/// A way to lay a dataset out in a file.
pub struct Layout {
    /// What `inspect` calls it.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    reader: Reader,
}

enum Reader {
    Hdf5 { recognises: fn(&Source) -> Result<bool>, open: fn(&Source) -> Result<Opened> },
    Plain { recognises: fn(&Path, &[u8]) -> bool, open: fn(&Path) -> Result<Opened> },
}

/// Every layout.
pub static LAYOUTS: [Layout; 8] = [
    own::LAYOUT,
    the_well::LAYOUT,
    pdebench::LAYOUT,
    pdebench_groups::LAYOUT,
    level73::LAYOUT,
    level5::LAYOUT,
    python_array::LAYOUT,
    comma_separated::LAYOUT,
];

/// A file as a dataset.
pub(crate) struct Opened {
    pub description: Description,
    /// One for each field.
    pub numbers: Vec<Arc<dyn Numbers>>,
    /// What a reader should know.
    pub remarks: Vec<String>,
}

impl Opened {
    fn new(name: &str) -> Self {
        let mut description = Description::new(name);
        description.provenance.created_by = None;
        Self { description, numbers: Vec::new(), remarks: Vec::new() }
    }

    /// Of a file that does not say what it is called.
    fn of(path: &Path) -> Self {
        Self::new(&path.file_stem().unwrap_or_default().to_string_lossy())
    }

    fn push(&mut self, field: Field, numbers: impl Numbers + 'static) {
        self.description.fields.push(field);
        self.numbers.push(Arc::new(numbers));
    }

    /// A dataset as a field that has all of its axes but `dropped`.
    fn push_stored(&mut self, name: &str, dataset: foreign::Dataset, axes: Vec<String>, dropped: Vec<usize>) {
        let mut storage = storage(&dataset);
        if let Some(chunk) = &mut storage.chunk {
            dropped.iter().rev().for_each(|at| {
                chunk.remove(*at);
            });
        }
        let field = Field { name: name.into(), precision: precision(&dataset), axes, storage };
        self.push(field, Stored { dataset, dropped });
    }

    /// Numeric attributes become parameters, texts become notes.
    fn push_attributes(&mut self, source: &Source, object: &str) -> Result<()> {
        for name in source.attribute_names(object)? {
            if let Some(attribute) = source.attribute(object, &name)? {
                self.push_attribute(&name, attribute);
            }
        }
        Ok(())
    }

    fn push_attribute(&mut self, name: &str, Attribute { value, .. }: Attribute) {
        let numbers = match value {
            Value::Integers(v) => v.into_iter().map(|v| v as f64).collect(),
            Value::Floats(v) => v,
            Value::Booleans(v) => v.into_iter().map(|v| f64::from(u8::from(v))).collect(),
            Value::Texts(texts) => {
                return self.description.provenance.notes.push((name.into(), texts.join(", ")));
            }
            Value::Other(_) => return,
        };
        let value = match numbers[..] {
            [v] => ParameterValue::Global(v),
            _ if numbers.len() == self.description.trajectories() => ParameterValue::PerTrajectory(numbers),
            _ => {
                return self
                    .remarks
                    .push(format!("attribute `{name}` has {} numbers and is not used", numbers.len()));
            }
        };
        self.description.parameters.push(Parameter { name: name.into(), value });
    }
}

/// What is recognised in a file.
pub(super) fn open(path: &Path) -> Result<(&'static Layout, Opened)> {
    let head = head(path)?;
    for layout in &LAYOUTS {
        if let Reader::Plain { recognises, open } = layout.reader
            && recognises(path, &head)
        {
            return Ok((layout, open(path)?));
        }
    }
    let source = Source::open(path)?;
    for layout in &LAYOUTS {
        if let Reader::Hdf5 { recognises, open } = layout.reader
            && recognises(&source)?
        {
            return Ok((layout, open(&source)?));
        }
    }
    let names: Vec<String> = source.members("")?.into_iter().map(|m| format!("`{}`", m.name)).collect();
    let what = format!("it is none of the layouts known here; it has {}", names.join(", "));
    let mend = "write it as docs/data-schema.md shows; known are PDEBench, The Well, MATLAB and our own";
    Err(Error::malformed(path, "the root group", what, mend))
}

/// The first bytes.
fn head(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let mut head = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| Error::open(path, e))?;
    file.take(4096).read_to_end(&mut head).map_err(|e| Error::open(path, e))?;
    Ok(head)
}

/// Numbers of 16 bits are read as 32, integers as 64.
fn precision(dataset: &foreign::Dataset) -> Precision {
    match dataset.kind() {
        foreign::Type::Float(size) if *size <= 4 => Precision::F32,
        _ => Precision::F64,
    }
}

fn storage(dataset: &foreign::Dataset) -> Storage {
    let filters = dataset.filters();
    let level = |f: &String| f.strip_prefix("gzip(").and_then(|f| f.trim_end_matches(')').parse().ok());
    Storage {
        chunk: dataset.chunk(),
        gzip: filters.iter().find_map(level),
        shuffle: filters.iter().any(|f| f == "shuffle"),
    }
}

/// A one-dimensional dataset of positions.
fn coordinate(source: &Source, path: &str, name: &str) -> Result<Option<Coordinate>> {
    let Some(dataset) = source.dataset(path)? else { return Ok(None) };
    if dataset.shape().len() != 1 {
        let what = format!("its shape is {:?}", dataset.shape());
        return Err(dataset.error(what, "store the positions along one axis, with one dimension"));
    }
    Ok(Some(Coordinate { name: name.into(), values: dataset.read_all()? }))
}

/// Refuses a dataset whose shape is not that of its axes.
fn expect(dataset: &foreign::Dataset, shape: &[usize], why: &str) -> Result<()> {
    if dataset.shape() == shape {
        return Ok(());
    }
    let what = format!("its shape is {:?} instead of {shape:?}", dataset.shape());
    Err(dataset.error(what, format!("give it {why}")))
}
