//! Datasets of one dimension or of rows: their checks, and reading them in blocks.

use super::BLOCK;
use super::source::{Source, damaged, reason};
use crate::{Error, Result};
use hdf5::filters::Filter;
use hdf5::plist::dataset_create::Layout;
use hdf5::types::TypeDescriptor;
use hdf5::{Dataset, Group, H5Type};

/// The most that deflate can shrink, about 1032 : 1, with some room for headers.
const SHRINK: u64 = 1100;

/// A dataset of numbers, or of rows of numbers, whose bytes are in this file.
pub(crate) struct Array<'a> {
    source: &'a Source,
    dataset: Dataset,
    /// As messages name it.
    pub place: String,
    /// How many numbers it has.
    pub len: usize,
    /// How many each row has; `None` for one dimension.
    width: Option<usize>,
    /// Their type.
    pub kind: TypeDescriptor,
    /// How many are read at a time: whole chunks, so that each is unpacked once.
    step: usize,
}

impl<'a> Array<'a> {
    /// `width` asks for rows of so many numbers, 0 for any number of them.
    pub(super) fn open(source: &'a Source, group: &Group, name: &str, width: Option<usize>) -> Result<Self> {
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
        let (len, width) = match (&shape[..], width) {
            ([len], None) => (*len, None),
            ([rows, columns], Some(width)) if width == 0 || width == *columns => {
                let Some(len) = rows.checked_mul(*columns) else {
                    return bad(format!("it promises {rows} × {columns} numbers"), "write the file again");
                };
                (len, Some(*columns))
            }
            ([_, columns], Some(width)) => {
                return bad(format!("its rows have {columns} numbers"), &format!("give each {width}"));
            }
            (_, None) => {
                return bad(format!("it has {} dimensions", shape.len()), "store it with one dimension");
            }
            (_, Some(_)) => return bad(format!("it has {} dimensions", shape.len()), "store it with two"),
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
        Ok(Self { source, dataset, place, len, width, kind, step })
    }

    /// How many numbers a row has; 1 for one dimension.
    pub fn columns(&self) -> usize {
        self.width.unwrap_or(1)
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.len / self.columns().max(1)
    }

    /// The dataset, for its attributes.
    pub fn location(&self) -> &hdf5::Location {
        &self.dataset
    }

    /// Numbers of some rows, one row after the other.
    pub fn read_rows<V: H5Type>(&self, rows: std::ops::Range<usize>) -> Result<Vec<V>> {
        let block = match self.width {
            None => self.dataset.read_slice_1d::<V, _>(rows).map(|a| a.into_raw_vec_and_offset().0),
            Some(_) => {
                let block = self.dataset.read_slice_2d::<V, _>(ndarray::s![rows, ..]);
                block.map(|a| a.into_raw_vec_and_offset().0)
            }
        };
        block.map_err(|e| damaged(&self.source.path, &self.place, &e))
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
        accept: impl FnMut(i64) -> Option<T>,
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
        mut accept: impl FnMut(V) -> Option<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        let bytes = self.len.saturating_mul(size_of::<T>());
        all.try_reserve_exact(self.len).map_err(|_| Error::Memory { what, bytes })?;
        let (columns, rows) = (self.columns().max(1), self.rows());
        let step = (self.step / columns).max(1);
        for start in (0..rows).step_by(step) {
            let block = self.read_rows::<V>(start..rows.min(start.saturating_add(step)))?;
            for (at, value) in block.iter().enumerate() {
                match accept(*value) {
                    Some(v) => all.push(v),
                    None => {
                        return Err(self.error(format!("number {} is {value}", start * columns + at), mend));
                    }
                }
            }
        }
        Ok(all)
    }
}
