//! Datasets of one dimension or of rows: their checks, and reading them in blocks.

use super::BLOCK;
use crate::foreign::{Dataset, Number, Source, Type};
use crate::{Error, Result};
use std::ops::Range;

/// A dataset of numbers, or of rows of numbers.
pub(crate) struct Array {
    dataset: Dataset,
    /// How many numbers it has.
    pub len: usize,
    /// How many each row has; `None` for one dimension.
    width: Option<usize>,
    /// How many are read at a time: whole chunks, so that each is unpacked once.
    step: usize,
}

impl Array {
    /// Checks a dataset of one dimension; `None` when there is none.
    pub fn open(source: &Source, path: &str) -> Result<Option<Self>> {
        Self::checked(source, path, None)
    }

    /// Checks a dataset of rows, each of `width` numbers, or of any number of them if 0; `None` when there is none.
    pub fn rows_of(source: &Source, path: &str, width: usize) -> Result<Option<Self>> {
        Self::checked(source, path, Some(width))
    }

    fn checked(source: &Source, path: &str, width: Option<usize>) -> Result<Option<Self>> {
        let Some(dataset) = source.dataset(path)? else { return Ok(None) };
        if !dataset.kind().is_number() {
            return Err(dataset.error(format!("its type is {}", dataset.kind()), "store integers or floats"));
        }
        let dimensions = || format!("it has {} dimensions", dataset.shape().len());
        let width = match (dataset.shape(), width) {
            ([_], None) => None,
            ([_, 0], Some(_)) => return Err(dataset.error("its rows have no numbers", "leave it out")),
            ([_, columns], Some(width)) if width == 0 || width == *columns => Some(*columns),
            ([_, columns], Some(width)) => {
                let what = format!("its rows have {columns} numbers");
                return Err(dataset.error(what, format!("give each {width}")));
            }
            (_, None) => return Err(dataset.error(dimensions(), "store it with one dimension")),
            (_, Some(_)) => return Err(dataset.error(dimensions(), "store it with two")),
        };
        let chunk = dataset.chunk().map_or(1, |chunk| chunk.iter().product());
        let step = (BLOCK / chunk).max(1) * chunk;
        Ok(Some(Self { len: dataset.len(), dataset, width, step }))
    }

    /// Their type in the file.
    pub fn kind(&self) -> &Type {
        self.dataset.kind()
    }

    /// How many numbers a row has; 1 for one dimension.
    pub fn columns(&self) -> usize {
        self.width.unwrap_or(1)
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.dataset.shape()[0]
    }

    /// Numbers of some rows, one row after the other.
    pub fn read_rows<V: Number>(&self, rows: Range<usize>) -> Result<Vec<V>> {
        let mut block =
            crate::error::allocate("rows of a dataset", rows.len() * self.columns(), V::default())?;
        self.read_into(rows, &mut block)?;
        Ok(block)
    }

    fn read_into<V: Number>(&self, rows: Range<usize>, out: &mut [V]) -> Result<()> {
        match self.width {
            None => self.dataset.read(&[rows], out),
            Some(width) => self.dataset.read(&[rows, 0..width], out),
        }
    }

    /// An error in this dataset.
    pub fn error(&self, what: impl Into<String>, mend: impl Into<String>) -> Error {
        self.dataset.error(what, mend)
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
        if matches!(self.kind(), Type::Float(_)) {
            return Err(self.error("it holds floats", format!("store integers: {mend}")));
        }
        self.blocks(what, mend, accept)
    }

    fn blocks<V: Number + std::fmt::Display, T>(
        &self,
        what: &'static str,
        mend: &str,
        mut accept: impl FnMut(V) -> Option<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        let bytes = self.len.saturating_mul(size_of::<T>());
        all.try_reserve_exact(self.len).map_err(|_| Error::Memory { what, bytes })?;
        if self.len == 0 {
            return Ok(all);
        }
        let (columns, rows) = (self.columns(), self.rows());
        let step = (self.step / columns).clamp(1, rows);
        let mut block = crate::error::allocate(what, step * columns, V::default())?;
        for start in (0..rows).step_by(step) {
            let end = rows.min(start + step);
            let block = &mut block[..(end - start) * columns];
            self.read_into(start..end, block)?;
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
