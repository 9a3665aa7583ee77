//! Where points of a piece lie: an index along the axis of each coordinate, in the order in which the points are drawn.
//!
//! Cells of one shape share them, so most pieces of a window cost no division at all.

use super::{Batch, Real};
use crate::Result;
use std::ops::Range;

/// Points of a cell that follow each other, at most.
pub(super) const RUN: usize = 16;
/// Points whose indices are found together.
const BLOCK: usize = 64;
/// Pieces have fewer points.
const LARGEST_BITS: u32 = 25;

/// The coordinates that points have.
pub(super) struct Frame<T> {
    pub columns: Vec<Column<T>>,
    /// The axis of trajectories.
    pub trajectory: Option<usize>,
}

/// A coordinate: its values along an axis.
pub(super) struct Column<T> {
    pub axis: usize,
    pub values: Vec<T>,
}

/// Points of a cell that follow each other: where in its order, to which places of a batch, and how many.
pub(super) struct Run {
    pub at: usize,
    pub to: usize,
    pub len: usize,
}

/// The points of a cell, in their order.
#[derive(Default)]
pub(super) struct Places {
    /// The cell they are of: which order, its first point in the piece, and the sides of the piece.
    cell: (usize, usize),
    sides: Vec<usize>,
    /// `[points × columns]`, from the start of the piece.
    indices: Vec<u32>,
    /// `[points]`; nothing where the piece is of one trajectory.
    trajectories: Vec<u32>,
}

impl Places {
    /// The points of a cell in the order `order`, which is number `cell.0` of all orders; `cell.1` is its first in the piece.
    pub fn fill<T>(
        &mut self,
        cell: (usize, usize),
        piece: &[Range<usize>],
        order: &[u32],
        frame: &Frame<T>,
    ) -> Result<()> {
        self.cell = cell;
        self.sides.clear();
        self.sides.extend(piece.iter().map(ExactSizeIterator::len));
        let columns = frame.columns.len();
        let trajectory = frame.trajectory.filter(|a| self.sides[*a] > 1);
        resize(&mut self.indices, order.len() * columns)?;
        resize(&mut self.trajectories, trajectory.map_or(0, |_| order.len()))?;
        let sides: Vec<Divisor> = self.sides.iter().map(|n| Divisor::new(*n)).collect();
        for (block, order) in order.chunks(BLOCK).enumerate() {
            let first = block * BLOCK;
            let indices = &mut self.indices[first * columns..(first + order.len()) * columns];
            let (mut rest, mut along) = ([0; BLOCK], [0; BLOCK]);
            rest.iter_mut().zip(order).for_each(|(r, i)| *r = cell.1 as u32 + i);
            for (axis, side) in sides.iter().enumerate().rev() {
                for (i, r) in along.iter_mut().zip(&mut rest) {
                    let q = side.divide(*r);
                    (*i, *r) = (*r - q * side.by, q);
                }
                for (c, _) in frame.columns.iter().enumerate().filter(|(_, c)| c.axis == axis) {
                    indices.iter_mut().skip(c).step_by(columns).zip(along).for_each(|(to, i)| *to = i);
                }
                if trajectory == Some(axis) {
                    self.trajectories[first..first + order.len()].copy_from_slice(&along[..order.len()]);
                }
            }
        }
        Ok(())
    }

    /// Whether they are those of a cell.
    pub fn are(&self, order: usize, first: usize, piece: &[Range<usize>]) -> bool {
        self.cell == (order, first) && self.sides.iter().zip(piece).all(|(side, r)| *side == r.len())
    }

    /// Puts the coordinates and trajectories of some runs to their places in a batch; `starts` says where the piece starts
    /// along each axis.
    pub fn locate<'a, T: Real>(
        &self,
        runs: impl Iterator<Item = &'a Run> + Clone,
        starts: &[u32],
        frame: &Frame<T>,
        batch: &mut Batch<T>,
    ) {
        let to = &mut batch.coordinates;
        match frame.columns.len() {
            1 => gather::<T, 1>(&self.indices, runs.clone(), starts, frame, to),
            2 => gather::<T, 2>(&self.indices, runs.clone(), starts, frame, to),
            3 => gather::<T, 3>(&self.indices, runs.clone(), starts, frame, to),
            4 => gather::<T, 4>(&self.indices, runs.clone(), starts, frame, to),
            columns => {
                for (c, column) in frame.columns.iter().enumerate() {
                    let values = &column.values[starts[column.axis] as usize..];
                    for run in runs.clone() {
                        let from = self.indices[run.at * columns..].iter().skip(c).step_by(columns);
                        let to = to[run.to * columns..].iter_mut().skip(c).step_by(columns);
                        to.zip(from).take(run.len).for_each(|(to, i)| *to = values[*i as usize]);
                    }
                }
            }
        }
        let Some(axis) = frame.trajectory else { return };
        for run in runs {
            let to = &mut batch.trajectories[run.to..run.to + run.len];
            match self.trajectories.get(run.at..run.at + run.len) {
                Some(from) => to.iter_mut().zip(from).for_each(|(to, i)| *to = starts[axis] + i),
                None => to.fill(starts[axis]),
            }
        }
    }
}

/// Puts the entries of columns at some indices to `points`; both are `[points × COLUMNS]`.
#[inline]
fn gather<'a, T: Real, const COLUMNS: usize>(
    indices: &[u32],
    runs: impl Iterator<Item = &'a Run>,
    starts: &[u32],
    frame: &Frame<T>,
    points: &mut [T],
) {
    let Ok(columns) = <&[Column<T>; COLUMNS]>::try_from(&*frame.columns) else { return };
    let columns = columns.each_ref().map(|c| &c.values[starts[c.axis] as usize..]);
    let point = |i: &[u32; COLUMNS]| -> [T; COLUMNS] { std::array::from_fn(|c| columns[c][i[c] as usize]) };
    let (indices, points) = (indices.as_chunks::<COLUMNS>().0, points.as_chunks_mut::<COLUMNS>().0);
    for run in runs {
        let indices = &indices[run.at..run.at + run.len];
        let points = &mut points[run.to..run.to + run.len];
        if let (Ok(indices), Ok(points)) =
            (<&[_; RUN]>::try_from(indices), <&mut [_; RUN]>::try_from(&mut *points))
        {
            // A length known to the compiler: no loop is left.
            points.iter_mut().zip(indices).for_each(|(p, i)| *p = point(i));
        } else {
            points.iter_mut().zip(indices).for_each(|(p, i)| *p = point(i));
        }
    }
}

/// Gives a vector a length, keeping its memory where there is enough.
fn resize(numbers: &mut Vec<u32>, len: usize) -> Result<()> {
    if numbers.capacity() < len {
        *numbers = Vec::new();
        *numbers = crate::error::allocate("the places of points", len, 0)?;
    }
    numbers.resize(len, 0);
    Ok(())
}

/// Division by a number, as a product and a shift, exact below 2²⁵ (T. Granlund, P. L. Montgomery, 1994,
/// doi:10.1145/773473.178249).
#[derive(Clone, Copy)]
struct Divisor {
    by: u32,
    factor: u32,
    shift: u32,
}

impl Divisor {
    fn new(by: usize) -> Self {
        debug_assert!(by > 0 && by < 1 << LARGEST_BITS);
        let shift = LARGEST_BITS + usize::BITS - (by - 1).leading_zeros();
        Self { by: by as u32, factor: (1u64 << shift).div_ceil(by as u64) as u32, shift }
    }

    #[inline]
    fn divide(self, n: u32) -> u32 {
        ((u64::from(n) * u64::from(self.factor)) >> self.shift) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_is_exact() {
        for by in (1..2000).chain([4095, 4096, 4097, (1 << 24) - 1, 1 << 24]) {
            let d = Divisor::new(by);
            let near =
                (0..(1 << 24) / by).step_by(1 + (1 << 14) / by).flat_map(|q| [q * by, q * by + by - 1]);
            for n in near.chain([(1 << 24) - 1]) {
                assert_eq!(d.divide(n as u32) as usize, n / by, "{n} / {by}");
            }
        }
    }
}
