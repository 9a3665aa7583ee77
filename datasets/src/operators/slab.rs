//! A file of rows whose place is known from the start: HDF5 makes it, and the rows are then written where they belong. An
//! interrupted file says how many rows it has, and is gone on with; its bytes are those of a file made at once.
//!
//! The dataset `written` holds how many rows are there, then the FNV-1a of the bytes of each dataset of rows.

use super::{SCHEMA, VERSION};
use crate::draft::Draft;
use crate::foreign::{Source, reason};
use crate::own_file::OwnFile;
use crate::partial::{beside, of_another};
use crate::system_file::{Array, label, timeless_group};
use crate::{Checksum, Error, Result};
use hdf5::plist::dataset_create::{AllocTime, FillTime};
use hdf5::{Dataset, Group};
use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The numbers of a dataset of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    U8,
    F32,
    F64,
}

/// A dataset of rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    pub name: &'static str,
    pub number: Number,
    pub columns: usize,
}

/// What the file holds beside its rows.
pub(super) struct Contents<'a> {
    pub kind: &'static str,
    pub command: &'a str,
    pub meta: &'a [(String, String)],
    pub rows: usize,
    pub datasets: &'a [Rows],
}

/// A file that is being filled.
pub(super) struct Slab {
    file: fs::File,
    target: PathBuf,
    partial: PathBuf,
    /// Where each dataset of rows starts, and the bytes of a row.
    places: Vec<(u64, u64)>,
    written: u64,
    sums: Vec<Checksum>,
    /// Rows that are there.
    pub done: usize,
}

impl Slab {
    /// Goes on with what an earlier request of this command left, or starts anew; `more` adds what is known already.
    pub fn open(
        path: &Path,
        contents: &Contents,
        more: impl FnOnce(&Group) -> hdf5::Result<()>,
    ) -> Result<Self> {
        let partial = beside(path, ".partial");
        if !partial.exists() {
            let (draft, writer) = Draft::create(&partial)?;
            drop(writer);
            let failed = |e: hdf5::Error| Error::write(path, std::io::Error::other(reason(&e)));
            create(draft.place(), contents, more).map_err(failed)?;
            draft.finish()?;
        }
        let source = Source::open(&partial)?;
        let other = || of_another(&partial);
        if source.find("meta")?.is_none()
            || source.text("meta", "command")?.as_deref() != Some(contents.command)
        {
            return Err(other());
        }
        let offset = |name: &str| source.dataset(name)?.and_then(|d| d.offset()).ok_or_else(other);
        let mut places = Vec::new();
        for rows in contents.datasets {
            places.push((offset(rows.name)?, (rows.columns * rows.number.bytes()) as u64));
        }
        let state = Array::open(&source, "written")?.ok_or_else(other)?;
        let numbers = state.read_rows::<u64>(0..state.rows())?;
        let written = offset("written")?;
        if numbers.len() != places.len() + 1 || numbers[0] > contents.rows as u64 {
            return Err(other());
        }
        drop(state);
        drop(source);
        let file = OpenOptions::new().read(true).write(true).open(&partial);
        let file = file.map_err(|e| Error::write(&partial, e))?;
        let sums = numbers[1..].iter().map(|s| Checksum::going_on(*s)).collect();
        Ok(Self { file, target: path.into(), partial, places, written, sums, done: numbers[0] as usize })
    }

    /// Where it is until it is complete.
    pub fn partial(&self) -> &Path {
        &self.partial
    }

    /// Adds rows to every dataset, then says that they are there.
    pub fn push(&mut self, count: usize, bytes: &[&[u8]]) -> Result<()> {
        debug_assert_eq!(bytes.len(), self.places.len());
        let (done, file) = (self.done, &mut self.file);
        let mut state = ((done + count) as u64).to_le_bytes().to_vec();
        let mut write = || {
            for (((start, width), bytes), sum) in self.places.iter().zip(bytes).zip(&mut self.sums) {
                debug_assert_eq!(bytes.len() as u64, width * count as u64);
                file.seek(SeekFrom::Start(start + width * done as u64))?;
                file.write_all(bytes)?;
                sum.bytes(bytes);
                state.extend(sum.value().to_le_bytes());
            }
            file.seek(SeekFrom::Start(self.written))?;
            file.write_all(&state)
        };
        write().map_err(|e| Error::write(&self.partial, e))?;
        self.done += count;
        Ok(())
    }

    /// Gives the complete file its name; returns its size in bytes.
    pub fn finish(self) -> Result<u64> {
        let Self { file, target, partial, .. } = self;
        let failed = |e| Error::write(&target, e);
        file.sync_all().map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        drop(file);
        fs::rename(&partial, &target).map_err(failed)?;
        Ok(bytes)
    }
}

impl Number {
    pub fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

fn create(
    place: &Path,
    contents: &Contents,
    more: impl FnOnce(&Group) -> hdf5::Result<()>,
) -> hdf5::Result<()> {
    let file = OwnFile::create(place)?;
    label(&file, "schema", SCHEMA)?;
    file.new_attr::<i64>().create("schema_version")?.write_scalar(&VERSION)?;
    label(&file, "kind", contents.kind)?;
    let meta = timeless_group(&file, "meta")?;
    label(&meta, "command", contents.command)?;
    contents.meta.iter().try_for_each(|(name, value)| label(&meta, name, value))?;
    more(&file)?;
    let state = vec![0u64; contents.datasets.len() + 1];
    let mut state = state;
    state[1..].fill(Checksum::new().value());
    file.new_dataset::<u64>().obj_track_times(false).shape(state.len()).create("written")?.write(&state)?;
    for rows in contents.datasets {
        let shape = [contents.rows, rows.columns];
        match rows.number {
            Number::U8 => reserved::<u8>(&file, rows.name, shape)?,
            Number::F32 => reserved::<f32>(&file, rows.name, shape)?,
            Number::F64 => reserved::<f64>(&file, rows.name, shape)?,
        };
    }
    file.flush()?;
    file.close()
}

/// A dataset that has its place in the file, and nothing in it yet.
fn reserved<T: hdf5::H5Type>(group: &Group, name: &str, shape: [usize; 2]) -> hdf5::Result<Dataset> {
    group
        .new_dataset::<T>()
        .obj_track_times(false)
        .alloc_time(Some(AllocTime::Early))
        .fill_time(FillTime::Never)
        .no_chunk()
        .shape(shape)
        .create(name)
}
