//! Where the numbers of a field come from.

use super::{Region, ValuesMut};
use crate::{Error, Result, foreign};
use std::ops::Range;

/// The numbers of one field, wherever they lie.
pub(crate) trait Numbers: Send + Sync {
    /// Reads a region, which is inside the shape, into `out`, which has its length.
    fn read(&self, region: &Region, out: ValuesMut<'_>) -> Result<()>;
}

/// A dataset of an HDF5 file, some of whose axes of one entry are not those of the field.
pub(crate) struct Stored {
    pub dataset: foreign::Dataset,
    /// Positions in the dataset of the axes that the field does not have.
    pub dropped: Vec<usize>,
}

impl Numbers for Stored {
    fn read(&self, region: &Region, out: ValuesMut<'_>) -> Result<()> {
        read(&self.dataset, &widened(region, &self.dropped), out)
    }
}

/// One dataset for each trajectory.
pub(crate) struct Stacked {
    pub datasets: Vec<foreign::Dataset>,
    /// As in [`Stored`].
    pub dropped: Vec<usize>,
}

impl Numbers for Stacked {
    fn read(&self, region: &Region, mut out: ValuesMut<'_>) -> Result<()> {
        let (trajectories, inner) = (region[0].clone(), widened(&region[1..], &self.dropped));
        let each: usize = inner.iter().map(ExactSizeIterator::len).product();
        for (at, dataset) in self.datasets[trajectories].iter().enumerate() {
            read(dataset, &inner, out.part(at * each..(at + 1) * each))?;
        }
        Ok(())
    }
}

/// Numbers in memory, in C order.
pub(crate) struct Held {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

impl Numbers for Held {
    fn read(&self, region: &Region, mut out: ValuesMut<'_>) -> Result<()> {
        rows(&self.shape, region, |from, to, len| {
            match out.part(to..to + len) {
                ValuesMut::F64(out) => out.copy_from_slice(&self.values[from..from + len]),
                ValuesMut::F32(out) => {
                    out.iter_mut().zip(&self.values[from..from + len]).for_each(|(o, v)| *o = *v as f32);
                }
            }
            Ok(())
        })
    }
}

fn read(dataset: &foreign::Dataset, region: &Region, out: ValuesMut<'_>) -> Result<()> {
    match out {
        ValuesMut::F32(out) => dataset.read(region, out),
        ValuesMut::F64(out) => dataset.read(region, out),
    }
}

fn widened(region: &Region, dropped: &[usize]) -> Vec<Range<usize>> {
    let mut region = region.to_vec();
    dropped.iter().for_each(|at| region.insert(*at, 0..1));
    region
}

/// Calls `row` with the place in the whole, the place in the region, and the length of each row of a region.
pub(crate) fn rows(
    shape: &[usize],
    region: &Region,
    mut row: impl FnMut(usize, usize, usize) -> Result<()>,
) -> Result<()> {
    let Some((last, outer)) = region.split_last() else { return row(0, 0, 1) };
    if region.iter().any(Range::is_empty) {
        return Ok(());
    }
    let mut at: Vec<usize> = outer.iter().map(|r| r.start).collect();
    let mut to = 0;
    loop {
        let index = at.iter().zip(shape).fold(0, |i, (a, n)| i * n + a);
        row(index * shape[shape.len() - 1] + last.start, to, last.len())?;
        to += last.len();
        let mut d = at.len();
        loop {
            if d == 0 {
                return Ok(());
            }
            d -= 1;
            at[d] += 1;
            if at[d] < outer[d].end {
                break;
            }
            at[d] = outer[d].start;
        }
    }
}

/// The product of sides, or an error that names what they are of.
pub(crate) fn size(shape: &[usize], path: &std::path::Path, place: &str) -> Result<usize> {
    shape.iter().try_fold(1usize, |p, n| p.checked_mul(*n)).filter(|n| *n < usize::MAX / 16).ok_or_else(
        || Error::malformed(path, place, format!("its sides are {shape:?}"), "copy or write the file again"),
    )
}
