//! A dataset of a foreign file: its shape and type, and boxes of its numbers or strings.

use super::message::{Answer, Kind, Layout, Request, Type};
use super::region::{Tiles, run_length, runs};
use super::source::Shared;
use super::worker::HALF;
use crate::{Error, Result};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Runs of so many bytes are read from the file without the worker.
pub(super) const DIRECT: u64 = 2048;

/// A checked dataset: what it claims fits the file, its data are in the file, and it reads with the filters that are known.
///
/// Clones share the file; a file is read by one thread at a time, except for contiguous data and chunks that are not packed,
/// which any number read at once. Several threads that unpack chunks each open the file themselves.
#[derive(Clone, Debug)]
pub struct Dataset {
    pub(super) file: Arc<Shared>,
    pub(super) path: String,
    pub(super) layout: Layout,
    pub(super) shape: Vec<usize>,
    /// Where its chunks lie, once that was asked.
    pub(super) places: Arc<OnceLock<Vec<u64>>>,
}

/// A number a dataset is read as; what is in the file is converted, and clipped where it does not fit.
pub trait Number: Copy + Default + sealed::Number {}

mod sealed {
    use super::Kind;

    /// Any bits are a number.
    pub trait Number {
        const KIND: Kind;
    }
}

macro_rules! numbers {
    ($($t:ident $kind:ident),*) => {
        $(impl sealed::Number for $t { const KIND: Kind = Kind::$kind; } impl Number for $t {})*
    };
}
numbers!(f32 F32, f64 F64, u8 U8, u16 U16, u64 U64, i32 I32, i64 I64);

impl Dataset {
    /// Its path from the root group, without a `/` in front.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its sides; empty for a single number.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its type in the file.
    pub fn kind(&self) -> &Type {
        &self.layout.kind
    }

    /// The sides of a chunk, when it is stored in chunks.
    pub fn chunk(&self) -> Option<Vec<usize>> {
        Some(self.layout.chunk.as_ref()?.iter().map(|n| *n as usize).collect())
    }

    /// The names of its filters, in the order they were applied: `gzip(4)`, `shuffle`, `lzf`, `fletcher32`.
    pub fn filters(&self) -> &[String] {
        &self.layout.filters
    }

    /// Bytes it takes in the file.
    pub fn stored(&self) -> u64 {
        self.layout.stored
    }

    /// The byte of the file where its numbers start, when they lie there one after the other as they are.
    pub fn offset(&self) -> Option<u64> {
        self.layout.offset
    }

    /// Reads a box, one range for each axis, into `out` in row-major order.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the box is not inside the shape, the data are no numbers, or they cannot be read;
    /// [`Error::Length`] when `out` has another length than the box; [`Error::Open`].
    pub fn read<T: Number>(&self, region: &[Range<usize>], out: &mut [T]) -> Result<()> {
        if !self.layout.kind.is_number() && self.layout.kind != Type::Boolean {
            return Err(self.error(format!("its type is {}", self.layout.kind), "store integers or floats"));
        }
        let (region, entries) = self.checked(region)?;
        if entries != out.len() {
            return Err(Error::Length { what: "the buffer".into(), expected: entries, got: out.len() });
        }
        // SAFETY: the bytes of numbers, for which any bits are valid (`Number` is sealed).
        let bytes =
            unsafe { std::slice::from_raw_parts_mut(out.as_mut_ptr().cast::<u8>(), size_of_val(out)) };
        if entries == 0 {
            return Ok(());
        }
        let whole: Vec<Range<u64>> = self.layout.shape.iter().map(|n| 0..*n).collect();
        let size = size_of::<T>() as u64;
        match self.layout.offset {
            Some(offset)
                if self.layout.native == Some(T::KIND) && run_length(&whole, &region) * size >= DIRECT =>
            {
                runs(&whole, &region, |at, from, length| {
                    let at = offset + at as u64 * size;
                    let (from, length) = (from * size as usize, length * size as usize);
                    self.file.read_at(at, &mut bytes[from..from + length])
                })
            }
            _ if self.read_chunks(&region, T::KIND, bytes)? => Ok(()),
            _ => self.read_tiles(&region, T::KIND, bytes),
        }
    }

    /// Reads all of it, in row-major order.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`Error::Memory`].
    pub fn read_all<T: Number>(&self) -> Result<Vec<T>> {
        let mut all = crate::error::allocate("a dataset", self.len(), T::default())?;
        let region: Vec<Range<usize>> = self.shape.iter().map(|n| 0..*n).collect();
        self.read(&region, &mut all)?;
        Ok(all)
    }

    /// Reads the strings of a box, one range for each axis, in row-major order; 8 MB of text at most.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the box is not inside the shape, the data are no strings, or they cannot be read.
    pub fn texts(&self, region: &[Range<usize>]) -> Result<Vec<String>> {
        let (region, entries) = self.checked(region)?;
        if entries == 0 {
            return Ok(Vec::new());
        }
        let request =
            Request::Texts { path: self.path.clone(), start: starts(&region), count: sides(&region) };
        match self.file.ask(&request)? {
            Answer::Texts(texts) if texts.len() == entries => Ok(texts),
            _ => Err(self.file.nonsense(&request)),
        }
    }

    /// An error in this dataset.
    pub fn error(&self, what: impl Into<String>, mend: impl Into<String>) -> Error {
        Error::malformed(&self.file.path, format!("dataset `{}`", self.path), what, mend)
    }

    fn checked(&self, region: &[Range<usize>]) -> Result<(Vec<Range<u64>>, usize)> {
        let inside = |(r, n): (&Range<usize>, &usize)| r.start <= r.end && r.end <= *n;
        if region.len() != self.shape.len() || !region.iter().zip(&self.shape).all(inside) {
            let what = format!("its shape is {:?}, and {region:?} is not inside it", self.shape);
            return Err(self.error(what, "ask for a box inside it"));
        }
        // No overflow: the shape has none.
        let entries = region.iter().map(Range::len).product();
        Ok((region.iter().map(|r| r.start as u64..r.end as u64).collect(), entries))
    }

    /// Through the worker, which fills one half of the window while the other is copied out.
    fn read_tiles(&self, region: &[Range<u64>], number: Kind, bytes: &mut [u8]) -> Result<()> {
        let size = number.size();
        let ones = vec![1; region.len()];
        let cell = self.layout.chunk.as_deref().unwrap_or(&ones);
        let tiles = Tiles::new(region, cell, (HALF / size) as u64);
        let request = |tile: &[Range<u64>], half| Request::Numbers {
            path: self.path.clone(),
            start: starts(tile),
            count: sides(tile),
            number,
            half,
        };
        self.file.stream(tiles, request, |worker, half, tile, got| {
            let entries: u64 = sides(tile).iter().product();
            if got != entries as usize * size {
                return false;
            }
            let copied: Result<(), ()> = runs(region, tile, |to, from, length| {
                worker.copy(half, from * size, &mut bytes[to * size..(to + length) * size]);
                Ok(())
            });
            copied.is_ok()
        })
    }
}

fn starts(region: &[Range<u64>]) -> Vec<u64> {
    region.iter().map(|r| r.start).collect()
}

fn sides(region: &[Range<u64>]) -> Vec<u64> {
    region.iter().map(|r| r.end - r.start).collect()
}
