//! Writing.

use super::{BLOCK, SCHEMA, VERSION};
use crate::draft::Draft;
use crate::foreign::reason;
use crate::own_file::OwnFile;
use crate::{Error, LinearSystem, Result};
use hdf5::types::VarLenUnicode;
use hdf5::{Group, H5Type};
use resolvent::Grid;
use std::path::Path;

/// Writes a system, uncompressed.
///
/// # Errors
/// [`Error::Length`] when a vector or the cells do not fit the matrix; [`Error::Write`].
pub fn write(path: &Path, system: &LinearSystem) -> Result<()> {
    let a = &system.matrix;
    let lengths = [
        ("b", a.rows(), system.rhs.as_ref().map(Vec::len)),
        ("x", a.cols(), system.solution.as_ref().map(Vec::len)),
        ("cells", a.rows(), system.grid.as_ref().map(|g| g.1.len())),
    ];
    for (what, expected, got) in lengths {
        if let Some(got) = got.filter(|got| *got != expected) {
            return Err(Error::Length { what: what.into(), expected, got });
        }
    }
    create(path, |root| {
        label(root, "resolvent_schema", SCHEMA)?;
        root.new_attr::<i64>().create("version")?.write_scalar(&VERSION)?;
        store(root, "shape", &[a.rows(), a.cols()], |v| v as i64)?;
        store(root, "indptr", &a.offsets().to_vec(), |v| v as i64)?;
        if a.cols() <= i32::MAX as usize {
            store(root, "indices", a.columns(), |v| v as i32)?;
        } else {
            store(root, "indices", a.columns(), i64::from)?;
        }
        store(root, "data", a.values(), |v| v)?;
        for (name, vector) in [("b", &system.rhs), ("x", &system.solution)] {
            if let Some(vector) = vector {
                store(root, name, vector, |v| v)?;
            }
        }
        if let Some((grid, cells)) = &system.grid {
            store_grid(root, *grid, cells)?;
        }
        if !system.meta.is_empty() {
            let meta = timeless_group(root, "meta")?;
            system.meta.iter().try_for_each(|(name, value)| label(&meta, name, value))?;
        }
        Ok(())
    })
}

/// Writes a solution alone: dataset `x` and, when given, `grid`.
///
/// # Errors
/// [`Error::Write`].
pub fn write_solution(path: &Path, x: &[f64], grid: Option<(Grid, &[u32])>) -> Result<()> {
    create(path, |root| {
        label(root, "resolvent_schema", "solution")?;
        root.new_attr::<i64>().create("version")?.write_scalar(&VERSION)?;
        store(root, "x", x, |v| v)?;
        grid.map_or(Ok(()), |(grid, cells)| store_grid(root, grid, cells))
    })
}

fn create(path: &Path, content: impl FnOnce(&Group) -> hdf5::Result<()>) -> Result<()> {
    let (draft, writer) = Draft::create(path)?;
    // HDF5 opens the file by its name.
    drop(writer);
    let write = || {
        let file = OwnFile::create(draft.place())?;
        content(&file)?;
        file.flush()?;
        file.close()
    };
    write().map_err(|e| Error::write(path, std::io::Error::other(reason(&e))))?;
    draft.finish()
}

fn store_grid(root: &Group, grid: Grid, cells: &[u32]) -> hdf5::Result<()> {
    let group = timeless_group(root, "grid")?;
    store(&group, "n", &grid.n()[..grid.dim()], |v| v as i64)?;
    store(&group, "cells", cells, i64::from)
}

/// A new group without times.
pub(crate) fn timeless_group(group: &Group, name: &str) -> hdf5::Result<Group> {
    group.create_group_builder().with_gcpl(|p| p.obj_track_times(false)).create(name)
}

/// A string attribute.
pub(crate) fn label(group: &hdf5::Location, name: &str, value: &str) -> hdf5::Result<()> {
    let text: VarLenUnicode = value.parse().map_err(|_| hdf5::Error::from("a label holds a zero byte"))?;
    group.new_attr::<VarLenUnicode>().create(name)?.write_scalar(&text)
}

/// One dataset, converted and written in blocks.
fn store<T: Copy, V: H5Type>(
    group: &Group,
    name: &str,
    all: &[T],
    convert: impl Fn(T) -> V,
) -> hdf5::Result<()> {
    let dataset = group.new_dataset::<V>().shape(all.len()).create(name)?;
    let mut start = 0;
    for block in all.chunks(BLOCK) {
        let converted: Vec<V> = block.iter().map(|v| convert(*v)).collect();
        dataset.write_slice(&converted, start..start + converted.len())?;
        start += converted.len();
    }
    Ok(())
}
