//! MATLAB 7.3: an HDF5 file with one dataset for each variable, its axes reversed.

use super::matlab::{Variable, assemble};
use super::{Layout, Opened, Reader, precision, storage};
use crate::Result;
use crate::dataset::numbers::Stored;
use crate::foreign::{MemberKind, Source};
use std::sync::Arc;

pub(super) const LAYOUT: Layout = Layout {
    name: "matlab 7.3",
    summary: "MATLAB 7.3, an HDF5 file",
    reader: Reader::Hdf5 { recognises, open },
};

fn variables(source: &Source) -> Result<Vec<String>> {
    let members = source.members("")?.into_iter();
    Ok(members.filter(|m| m.kind == MemberKind::Dataset).map(|m| m.name).collect())
}

fn recognises(source: &Source) -> Result<bool> {
    for name in variables(source)? {
        if source.attribute_names(&name)?.iter().any(|n| n == "MATLAB_class") {
            return Ok(true);
        }
    }
    Ok(false)
}

fn open(source: &Source) -> Result<Opened> {
    let mut found = Vec::new();
    for name in variables(source)? {
        let class = source.text(&name, "MATLAB_class")?.unwrap_or_default();
        if class == "char" || class == "cell" || class == "logical" {
            continue;
        }
        let Some(dataset) = source.dataset(&name)? else { continue };
        if !dataset.kind().is_number() {
            continue;
        }
        found.push(Variable {
            shape: dataset.shape().to_vec(),
            precision: precision(&dataset),
            storage: storage(&dataset),
            numbers: Arc::new(Stored { dataset, dropped: Vec::new() }),
            name,
        });
    }
    assemble(source.path(), found)
}
