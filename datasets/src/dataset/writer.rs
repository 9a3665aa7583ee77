//! Writing a dataset piece by piece.

use super::partial::Partial;
use super::skeleton::lay_out;
use super::{Description, Precision, Real, Region, checksum};
use crate::system_file::label;
use crate::{Checksum, Error, Result};
use hdf5::{Dataset, Hyperslab, SliceOrIndex};
use ndarray::ArrayViewD;
use std::path::Path;

/// Writes a dataset in our schema, region by region, to a file beside the final one.
///
/// Interrupted after a [`commit`](Self::commit), that file stays as `NAME.part`, and [`resume`](Self::resume) goes on with
/// it; dropped before, it is removed.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("wave.h5");
/// use resolvent_datasets::dataset::{Axis, Description, Field, Precision, Writer};
/// let (t, x) = ([0.0, 0.5], [0.0, 0.25, 0.5, 0.75]);
/// let description = Description {
///     axes: vec![Axis::time(&t), Axis::space("x", &x)],
///     fields: vec![Field::new("u", Precision::F64, &["t", "x"])],
///     ..Description::new("wave")
/// };
/// let mut writer = Writer::resume(&path, &description)?;
/// for step in writer.done()..2 {
///     let u = x.map(|x| f64::sin(x - t[step]));
///     writer.write("u", &[step..step + 1, 0..4], &u)?;
///     writer.commit(step + 1)?;
/// }
/// writer.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Writer {
    // Before the file: the library closes it only when nothing in it is open.
    fields: Vec<Target>,
    partial: Partial,
    description: Description,
    done: usize,
    fingerprint: u64,
}

/// A field being written.
struct Target {
    dataset: Dataset,
    shape: Vec<usize>,
    /// How many numbers were written.
    written: u64,
    checksum: u64,
}

impl Writer {
    /// Starts a file; whatever an interrupted run left beside `path` is replaced.
    ///
    /// # Errors
    /// [`Error::Description`] for a description that contradicts itself; [`Error::Write`].
    pub fn create(path: &Path, description: &Description) -> Result<Self> {
        description.check()?;
        let partial = Partial::create(path)?;
        let datasets = lay_out(partial.root()?, description).map_err(|e| partial.error(&e))?;
        let mut fields = Vec::new();
        for (dataset, f) in datasets.into_iter().zip(&description.fields) {
            fields.push(Target { dataset, shape: description.shape(f)?, written: 0, checksum: 0 });
        }
        let fingerprint = fingerprint(description);
        Ok(Self { fields, partial, description: description.clone(), done: 0, fingerprint })
    }

    /// Goes on with the file that an interrupted run of the same description left beside `path`, from its last
    /// [`commit`](Self::commit); starts anew when there is none, or another.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn resume(path: &Path, description: &Description) -> Result<Self> {
        description.check()?;
        let fingerprint = fingerprint(description);
        let Some((partial, progress)) = Partial::reopen(path, fingerprint)? else {
            return Self::create(path, description);
        };
        let datasets: hdf5::Result<Vec<Dataset>> = description
            .fields
            .iter()
            .map(|f| {
                partial
                    .root()
                    .map_err(|e| hdf5::Error::from(e.to_string()))?
                    .dataset(&format!("fields/{}", f.name))
            })
            .collect();
        let (Ok(datasets), Some((&done, state))) = (datasets, progress[1..].split_first()) else {
            return Self::create(path, description);
        };
        let mut fields = Vec::new();
        for ((dataset, f), state) in
            datasets.into_iter().zip(&description.fields).zip(state.as_chunks::<2>().0)
        {
            fields.push(Target {
                dataset,
                shape: description.shape(f)?,
                written: state[0],
                checksum: state[1],
            });
        }
        Ok(Self { fields, partial, description: description.clone(), done: done as usize, fingerprint })
    }

    /// What is being written.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Steps that were [committed](Self::commit): where to go on.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Writes a region of a field, `values` in C order. Each number of the dataset is to be written once.
    ///
    /// # Errors
    /// [`Error::NoField`], [`Error::Region`], [`Error::Length`]; [`Error::Write`].
    pub fn write<T: Real>(&mut self, field: &str, region: &Region, values: &[T]) -> Result<()> {
        let f = self.description.field(field)?;
        let expected = self.description.check_region(f, region)?;
        if values.len() != expected {
            let what = format!("the region of field `{field}`");
            return Err(Error::Length { what, expected, got: values.len() });
        }
        let at = self.description.fields.iter().position(|g| g.name == field).unwrap_or(0);
        let target = &mut self.fields[at];
        let stored = match (T::PRECISION, f.precision) {
            (Precision::F64, Precision::F32) => {
                target.store(region, &values.iter().map(|v| v.f64() as f32).collect::<Vec<_>>())
            }
            (Precision::F32, Precision::F64) => {
                target.store(region, &values.iter().map(|v| v.f64()).collect::<Vec<_>>())
            }
            _ => target.store(region, values),
        };
        stored.map_err(|e| self.partial.error(&e))
    }

    /// States an accuracy that was not known when the file was begun; to be called once, of a description without one.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn state_accuracy(&mut self, accuracy: f64) -> Result<()> {
        let state = |root: &hdf5::File| {
            root.group("provenance")?.new_attr::<f64>().create("accuracy")?.write_scalar(&accuracy)
        };
        state(self.partial.root()?).map_err(|e| self.partial.error(&e))
    }

    /// Puts everything written so far on disk, as `done` steps: an interrupted run goes on from there.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn commit(&mut self, done: usize) -> Result<()> {
        let mut progress = vec![self.fingerprint, done as u64];
        progress.extend(self.fields.iter().flat_map(|f| [f.written, f.checksum]));
        self.partial.commit(&progress)?;
        self.done = done;
        Ok(())
    }

    /// Completes the file under its final name; returns its checksum.
    ///
    /// # Errors
    /// [`Error::Incomplete`] when numbers of a field were not written, or written twice; [`Error::Write`].
    pub fn finish(mut self) -> Result<u64> {
        for (f, target) in self.description.fields.iter().zip(&self.fields) {
            let size = target.shape.iter().product::<usize>() as u64;
            if target.written != size {
                return Err(Error::Incomplete { field: f.name.clone(), written: target.written, size });
            }
        }
        let root = self.partial.root()?.clone();
        let sum = self.sign(&root).map_err(|e| self.partial.error(&e))?;
        drop(root);
        self.fields.clear();
        self.partial.finish()?;
        Ok(sum)
    }

    /// Stores the checksum of every array, and the one over all.
    fn sign(&self, root: &hdf5::Group) -> hdf5::Result<u64> {
        let mut all = checksum::arrays(&self.description);
        for (f, target) in self.description.fields.iter().zip(&self.fields) {
            all.push((format!("fields/{}", f.name), target.checksum));
        }
        for (name, sum) in &all {
            label(&*root.dataset(name)?, "checksum", &checksum::text(*sum))?;
        }
        let sum = checksum::of_file(all);
        label(&*root.group("provenance")?, "checksum", &checksum::text(sum))?;
        Ok(sum)
    }
}

impl Target {
    fn store<T: Real>(&mut self, region: &Region, values: &[T]) -> hdf5::Result<()> {
        if values.is_empty() {
            return Ok(());
        }
        if self.shape.is_empty() {
            self.dataset.write_scalar(&values[0])?;
        } else {
            let shape: Vec<usize> = region.iter().map(ExactSizeIterator::len).collect();
            let slab = Hyperslab::from(region.iter().cloned().map(SliceOrIndex::from).collect::<Vec<_>>());
            let view = ArrayViewD::from_shape(shape, values).map_err(|e| e.to_string())?;
            self.dataset.write_slice(view, slab)?;
        }
        self.written += values.len() as u64;
        self.checksum = self.checksum.wrapping_add(checksum::of_region(&self.shape, region, values));
        Ok(())
    }
}

/// What an unfinished file must agree on with the one that goes on with it.
fn fingerprint(description: &Description) -> u64 {
    Checksum::of_bytes(format!("{description:?}").as_bytes())
}
