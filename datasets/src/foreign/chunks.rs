//! Chunks that are stored as they are: where they lie, and boxes read from the file without the worker.

use super::Dataset;
use super::dataset::DIRECT;
use super::message::{Answer, Kind, Request};
use super::region::runs;
use crate::Result;
use std::ops::Range;

/// The place of a chunk that is not in the file: all of its numbers are the fill value.
pub(super) const NOWHERE: u64 = u64::MAX;
/// Places of more chunks are not kept.
pub(super) const MOST: u64 = 1 << 17;

impl Dataset {
    /// Reads a box of chunks that are not packed and whose type is the caller's; `false`, and nothing read, where they are
    /// packed, of another type, in short runs, or not all in the file.
    pub(super) fn read_chunks(&self, region: &[Range<u64>], number: Kind, bytes: &mut [u8]) -> Result<bool> {
        let Some(chunk) = self.layout.chunk.as_deref() else { return Ok(false) };
        if self.layout.native != Some(number) || !self.layout.filters.is_empty() || region.is_empty() {
            return Ok(false);
        }
        let size = number.size();
        let sides: Vec<u64> = region.iter().zip(chunk).map(|(r, c)| (r.end - r.start).min(*c)).collect();
        let first = (0..sides.len()).rev().find(|d| sides[*d] < chunk[*d]).unwrap_or(0);
        if sides[first..].iter().product::<u64>() * (size as u64) < DIRECT {
            return Ok(false);
        }
        let grid: Vec<u64> = self.layout.shape.iter().zip(chunk).map(|(n, c)| n.div_ceil(*c)).collect();
        let places = self.places(&grid)?;
        let cells: Vec<Range<u64>> =
            region.iter().zip(chunk).map(|(r, c)| r.start / c..r.end.div_ceil(*c)).collect();
        let whole = chunk.iter().product::<u64>() * size as u64;
        let inside = |place: u64| place.checked_add(whole).is_some_and(|end| end <= self.file.length);
        let place = |cell: &[u64]| {
            let number = cell.iter().zip(&grid).fold(0, |n, (i, side)| n * side + i);
            places.get(number as usize).copied().unwrap_or(NOWHERE)
        };
        let mut all = true;
        each(&cells, |cell| {
            all &= inside(place(cell));
            Ok(())
        })?;
        if !all {
            return Ok(false);
        }
        let mut scratch = Vec::new();
        each(&cells, |cell| {
            let chunk: Vec<_> = cell.iter().zip(chunk).map(|(i, c)| i * c..(i + 1) * c).collect();
            let part: Vec<_> =
                chunk.iter().zip(region).map(|(c, r)| c.start.max(r.start)..c.end.min(r.end)).collect();
            let start = place(cell);
            let read = |to: &mut [u8]| {
                runs(&chunk, &part, |at, from, length| {
                    let to = &mut to[from * size..(from + length) * size];
                    self.file.read_at(start + (at * size) as u64, to)
                })
            };
            if part == region {
                return read(bytes);
            }
            let entries: u64 = part.iter().map(|r| r.end - r.start).product();
            let length = entries as usize * size;
            if scratch.len() < length {
                scratch = crate::error::allocate("a chunk", length, 0u8)?;
            }
            read(&mut scratch[..length])?;
            runs(region, &part, |to, from, length| {
                bytes[to * size..(to + length) * size]
                    .copy_from_slice(&scratch[from * size..(from + length) * size]);
                Ok(())
            })
        })?;
        Ok(true)
    }

    /// Where each chunk lies, in row-major order of the grid they make; nothing for too many.
    fn places(&self, grid: &[u64]) -> Result<&[u64]> {
        if let Some(places) = self.places.get() {
            return Ok(places);
        }
        let mut found = Vec::new();
        if super::limits::product(grid).is_some_and(|n| n <= MOST) {
            let request = Request::Chunks { path: self.path.clone() };
            match self.file.ask(&request)? {
                Answer::Chunks(places) => found = places,
                _ => return Err(self.file.nonsense(&request)),
            }
        }
        Ok(self.places.get_or_init(|| found))
    }
}

/// Calls `visit` with each index in a box, the last axis fastest.
fn each(cells: &[Range<u64>], mut visit: impl FnMut(&[u64]) -> Result<()>) -> Result<()> {
    let mut index: Vec<u64> = cells.iter().map(|r| r.start).collect();
    loop {
        visit(&index)?;
        let Some(axis) = (0..index.len()).rev().find(|d| index[*d] + 1 < cells[*d].end) else {
            return Ok(());
        };
        index[axis] += 1;
        (axis + 1..index.len()).for_each(|d| index[d] = cells[d].start);
    }
}
