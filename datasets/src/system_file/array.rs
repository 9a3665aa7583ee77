//! One-dimensional datasets: their checks, and reading them in blocks.

use super::BLOCK;
use super::source::{Source, damaged, reason};
use crate::{Error, Result};
use hdf5::filters::Filter;
use hdf5::plist::dataset_create::Layout;
use hdf5::types::TypeDescriptor;
use hdf5::{Dataset, Group, H5Type};

/// The most that deflate can shrink, about 1032 : 1, with some room for headers.
const SHRINK: u64 = 1100;

/// A dataset with one dimension of numbers, whose bytes are in this file.
pub(crate) struct Array<'a> {
    source: &'a Source,
    dataset: Dataset,
    /// As messages name it.
    pub place: String,
    /// How many numbers it has.
    pub len: usize,
    /// Their type.
    pub kind: TypeDescriptor,
    /// How many are read at a time: whole chunks, so that each is unpacked once.
    step: usize,
}

impl<'a> Array<'a> {
    pub(super) fn open(source: &'a Source, group: &Group, name: &str) -> Result<Self> {
        let full = format!("{}/{name}", group.name().trim_end_matches('/'));
        let place = format!("dataset `{}`", full.trim_start_matches('/'));
        let bad = |what: String, mend: &str| Err(Error::malformed(&source.path, place.clone(), what, mend));
        let dataset = match group.dataset(name) {
            Ok(dataset) => dataset,
            Err(e) => {
                return bad(format!("it cannot be opened ({})", reason(&e)), "make it a dataset of numbers");
            }
        };
        let kind = match dataset.dtype().and_then(|t| t.to_descriptor()) {
            Ok(k @ (TypeDescriptor::Integer(_) | TypeDescriptor::Unsigned(_) | TypeDescriptor::Float(_))) => {
                k
            }
            Ok(other) => return bad(format!("its type is {other}"), "store integers or floats"),
            Err(e) => {
                return bad(format!("its type cannot be read ({})", reason(&e)), "store integers or floats");
            }
        };
        let shape = dataset.get_shape().map_err(|e| damaged(&source.path, &place, &e))?;
        let [len] = shape[..] else {
            return bad(format!("it has {} dimensions", shape.len()), "store it with one dimension");
        };
        let properties = dataset.create_plist().map_err(|e| damaged(&source.path, &place, &e))?;
        let unclear = |e: hdf5::Error| damaged(&source.path, &place, &e);
        if properties.get_layout().map_err(unclear)? == Layout::Virtual {
            return bad("it is a virtual dataset".into(), "store its data in this file");
        }
        if !properties.get_external().map_err(unclear)?.is_empty() {
            return bad("its data lie in another file".into(), "store its data in this file");
        }
        let known =
            |f: &Filter| matches!(f, Filter::Deflate(_) | Filter::Shuffle | Filter::Fletcher32 | Filter::LZF);
        let filters = match properties.get_filters() {
            Ok(filters) => filters,
            Err(e) => {
                return bad(
                    format!("its filters cannot be read ({})", reason(&e)),
                    "store it with gzip or lzf",
                );
            }
        };
        if let Some(filter) = filters.iter().find(|f| !known(f)) {
            return bad(
                format!("its filter {filter:?} is not known here"),
                "store it with gzip, lzf, or uncompressed",
            );
        }
        let stored = dataset.storage_size();
        if stored > source.length {
            return bad(
                format!("it claims {stored} bytes of a file of {}", source.length),
                "write the file again: it may be cut off or damaged",
            );
        }
        let most = if filters.is_empty() { stored } else { stored.saturating_mul(SHRINK) };
        let bytes = (len as u64).checked_mul(kind.size() as u64);
        if bytes.is_none_or(|bytes| bytes > most) {
            return bad(
                format!("it promises {len} numbers, but the file stores {stored} bytes for it"),
                "write the file again: it may be cut off or damaged",
            );
        }
        // HDF5 reads a chunk as a whole, however much of it is in the dataset.
        let chunk =
            properties.get_chunk().map_err(unclear)?.map_or(1, |c| c.iter().product::<usize>()).max(1);
        let bytes = (chunk as u64).checked_mul(kind.size() as u64);
        if len > 0 && bytes.is_none_or(|bytes| bytes > most) {
            return bad(
                format!("its chunks have {chunk} numbers, but the file stores {stored} bytes for it"),
                "write it with smaller chunks, or write the file again if it is damaged",
            );
        }
        let step = (BLOCK / chunk).max(1) * chunk;
        Ok(Self { source, dataset, place, len, kind, step })
    }

    /// An error in this dataset.
    pub fn error(&self, what: impl Into<String>, mend: impl Into<String>) -> Error {
        Error::malformed(&self.source.path, self.place.clone(), what, mend)
    }

    /// Refuses another length.
    pub fn expect(&self, len: usize, why: &str) -> Result<()> {
        if self.len == len {
            return Ok(());
        }
        Err(self.error(format!("it has {} numbers instead of {len}", self.len), format!("give it {why}")))
    }

    /// Finite floats.
    pub fn reals(&self) -> Result<Vec<f64>> {
        self.blocks("finite numbers", "every value must be a finite number", |v: f64| {
            v.is_finite().then_some(v)
        })
    }

    /// Integers that `accept` takes.
    pub fn integers<T>(
        &self,
        what: &'static str,
        mend: &str,
        accept: impl Fn(i64) -> Option<T>,
    ) -> Result<Vec<T>> {
        if matches!(self.kind, TypeDescriptor::Float(_)) {
            return Err(self.error("it holds floats", format!("store integers: {mend}")));
        }
        self.blocks(what, mend, accept)
    }

    fn blocks<V: H5Type + std::fmt::Display + Copy, T>(
        &self,
        what: &'static str,
        mend: &str,
        accept: impl Fn(V) -> Option<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        let bytes = self.len.saturating_mul(size_of::<T>());
        all.try_reserve_exact(self.len).map_err(|_| Error::Memory { what, bytes })?;
        for start in (0..self.len).step_by(self.step) {
            let end = self.len.min(start.saturating_add(self.step));
            let block = self.dataset.read_slice_1d::<V, _>(start..end);
            let block = block.map_err(|e| damaged(&self.source.path, &self.place, &e))?;
            for (at, value) in block.iter().enumerate() {
                match accept(*value) {
                    Some(v) => all.push(v),
                    None => return Err(self.error(format!("number {} is {value}", start + at), mend)),
                }
            }
        }
        Ok(all)
    }
}
