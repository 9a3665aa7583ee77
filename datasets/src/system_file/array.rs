//! One-dimensional datasets: their checks, and reading them in blocks.

use super::BLOCK;
use crate::foreign::{Dataset, Number, Source, Type};
use crate::{Error, Result};

/// A dataset with one dimension of numbers.
pub(crate) struct Array {
    dataset: Dataset,
    /// How many numbers it has.
    pub len: usize,
    /// How many are read at a time: whole chunks, so that each is unpacked once.
    step: usize,
}

impl Array {
    /// Checks a dataset; `None` when there is none.
    pub fn open(source: &Source, path: &str) -> Result<Option<Self>> {
        let Some(dataset) = source.dataset(path)? else { return Ok(None) };
        if !dataset.kind().is_number() {
            return Err(dataset.error(format!("its type is {}", dataset.kind()), "store integers or floats"));
        }
        let [len] = *dataset.shape() else {
            let what = format!("it has {} dimensions", dataset.shape().len());
            return Err(dataset.error(what, "store it with one dimension"));
        };
        let chunk = dataset.chunk().map_or(1, |chunk| chunk[0]);
        let step = (BLOCK / chunk).max(1) * chunk;
        Ok(Some(Self { dataset, len, step }))
    }

    /// Their type in the file.
    pub fn kind(&self) -> &Type {
        self.dataset.kind()
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
        accept: impl Fn(i64) -> Option<T>,
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
        accept: impl Fn(V) -> Option<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        let bytes = self.len.saturating_mul(size_of::<T>());
        all.try_reserve_exact(self.len).map_err(|_| Error::Memory { what, bytes })?;
        let mut block = vec![V::default(); self.len.min(self.step)];
        for start in (0..self.len).step_by(self.step) {
            let end = self.len.min(start.saturating_add(self.step));
            let block = &mut block[..end - start];
            self.dataset.read(&[start..end], block)?;
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
