//! A few pieces of a dataset in memory, and their points in a random order.
//!
//! A piece is cut into cells of consecutive points, at most 2¹⁸ of them: so many fit into a cache. One random permutation
//! serves all cells of a window, each from a random start. The values of a cell are put into the order of the permutation
//! when its piece is read: they are gathered from the cache and written one after the other. Points are then taken from
//! the cells in turns, 16 or fewer at a time, each cell giving in each round its share; what a cell gives to a batch lies
//! together, and is put between that of the others in the cache.

use super::places::{Frame, Places, RUN, Run};
use super::points::shuffle;
use super::{Batch, Real};
use crate::Result;
use crate::random::Stream;
use resolvent::host::prefetch;
use std::ops::Range;

/// Points that a permutation orders.
const CELL: usize = 1 << 18;
/// Points that are taken together: their places in a batch fit into the nearest cache.
const BLOCK: usize = 1 << 11;

/// Some pieces, their values in a random order.
#[derive(Default)]
pub(super) struct Window<T> {
    cells: Vec<Cell>,
    /// Where each piece starts, `[pieces × axes]`, and how many axes there are.
    corners: Vec<u32>,
    axes: usize,
    /// The first of the longest cells, then of those of each other length. The first entries stand at the end again, so
    /// that a run may start anywhere.
    orders: Vec<Vec<u32>>,
    places: Vec<Places>,
    /// Places of windows before, whose memory is used again.
    spare: Vec<Places>,
    /// `[points × values]` of each cell, in its order.
    values: Vec<T>,
    /// In how many rounds the cells give their points.
    rounds: u32,
    /// The cell whose turn it is, and what was taken of its run.
    turn: usize,
    of_run: usize,
    left: usize,
    /// Runs that are taken together, of one cell after the other.
    runs: Vec<Run>,
    /// Room for one piece.
    piece: Vec<T>,
}

/// Consecutive points of a piece.
struct Cell {
    /// Its piece.
    tile: usize,
    /// Its places, among those of the window.
    places: usize,
    /// The first of its values, counted in points.
    values: usize,
    /// The next point in the order, of so many.
    at: u32,
    len: u32,
    /// Points of each run, and what is left of the length when all runs have so many: now and then a run has one more.
    each: u32,
    extra: u32,
    spare: u32,
}

impl<T: Real> Window<T> {
    /// Takes in some pieces, number `at` of all windows; `read` puts the points of a piece into a buffer.
    pub fn fill(
        &mut self,
        tiles: &[&[Range<usize>]],
        width: usize,
        frame: &Frame<T>,
        (seed, at): (u64, u64),
        mut read: impl FnMut(&[Range<usize>], &mut [T]) -> Result<()>,
    ) -> Result<()> {
        let size = |tile: &[Range<usize>]| tile.iter().map(ExactSizeIterator::len).product::<usize>();
        self.left = tiles.iter().map(|t| size(t)).sum();
        (self.turn, self.of_run) = (0, 0);
        self.cells.clear();
        self.corners.clear();
        self.axes = tiles.first().map_or(0, |t| t.len());
        self.spare.append(&mut self.places);
        let lengths: Vec<Vec<usize>> = tiles.iter().map(|t| cells(size(t))).collect();
        let longest = lengths.iter().flatten().copied().max().unwrap_or(0);
        self.rounds = longest.div_ceil(RUN).max(1) as u32;
        let repeated = lengths.iter().flatten().map(|n| RUN.min(*n)).sum::<usize>();
        grow("a window of points", &mut self.values, (self.left + repeated) * width)?;
        let mut whole: Vec<u32> = (0..longest as u32).collect();
        shuffle(&mut whole, Stream::new(seed, "points"), at);
        whole.extend_from_within(..RUN.min(longest));
        self.orders.clear();
        self.orders.push(whole);
        let turns = Stream::new(seed, "turns");
        let mut values = 0;
        for (number, (tile, lengths)) in tiles.iter().zip(&lengths).enumerate() {
            self.corners.extend(tile.iter().map(|r| r.start as u32));
            grow("a piece", &mut self.piece, size(tile) * width)?;
            read(tile, &mut self.piece[..size(tile) * width])?;
            let mut first = 0;
            for n in lengths {
                let order = self.order(*n, longest);
                let places = self.places(tile, first, order, frame)?;
                let order = &self.orders[order];
                let to = &mut self.values[values * width..(values + order.len()) * width];
                arrange(order, &self.piece[first * width..(first + n) * width], to, width);
                let random = turns.integer(at << 32 | self.cells.len() as u64);
                let turn = ((u128::from(random) * *n as u128) >> 64) as u32;
                let (each, extra) = (*n as u32 / self.rounds, *n as u32 % self.rounds);
                let (at, len, spare) = (turn, *n as u32, extra);
                self.cells.push(Cell { tile: number, places, values, at, len, each, extra, spare });
                values += order.len();
                first += n;
            }
        }
        Ok(())
    }

    /// The order of the cells of `n` points.
    fn order(&mut self, n: usize, longest: usize) -> usize {
        let len = n + RUN.min(n);
        self.orders.iter().position(|o| o.len() == len).unwrap_or_else(|| {
            let whole = self.orders[0][..longest].iter().copied();
            let mut order: Vec<u32> = whole.filter(|i| *i < n as u32).collect();
            order.extend_from_within(..len - n);
            self.orders.push(order);
            self.orders.len() - 1
        })
    }

    /// The places of a cell whose first point is number `first` of its piece.
    fn places(
        &mut self,
        tile: &[Range<usize>],
        first: usize,
        order: usize,
        frame: &Frame<T>,
    ) -> Result<usize> {
        if let Some(known) = self.places.iter().position(|p| p.are(order, first, tile)) {
            return Ok(known);
        }
        let mut places = self.spare.pop().unwrap_or_default();
        places.fill((order, first), tile, &self.orders[order], frame)?;
        self.places.push(places);
        Ok(self.places.len() - 1)
    }

    /// Points that were not taken yet.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Takes the next `n` points and forgets them.
    pub fn skip(&mut self, n: usize) {
        (0..n).step_by(BLOCK).for_each(|done| self.advance(BLOCK.min(n - done), 0));
    }

    /// Goes on by `n` points and notes their runs, which go to the places of a batch from `to` on.
    fn advance(&mut self, n: usize, to: usize) {
        self.runs.clear();
        let mut done = 0;
        while done < n {
            let cell = &mut self.cells[self.turn];
            let run = (cell.each + u32::from(cell.spare >= self.rounds)) as usize;
            let len = (n - done).min(run - self.of_run);
            self.runs.push(Run { at: cell.at as usize, to: to + done, len });
            cell.at += len as u32;
            cell.at -= if cell.at >= cell.len { cell.len } else { 0 };
            done += len;
            self.of_run += len;
            if self.of_run == run {
                cell.spare -= if cell.spare >= self.rounds { self.rounds } else { 0 };
                cell.spare += cell.extra;
                self.of_run = 0;
                self.turn = if self.turn + 1 == self.cells.len() { 0 } else { self.turn + 1 };
            }
        }
        self.left -= n;
    }

    /// Takes the next `n` points to the places of a batch from `to` on.
    pub fn take(&mut self, n: usize, width: usize, frame: &Frame<T>, batch: &mut Batch<T>, to: usize) {
        if frame.trajectory.is_none() {
            batch.trajectories[to..to + n].fill(0);
        }
        for done in (0..n).step_by(BLOCK) {
            let (count, first) = (self.cells.len(), self.turn);
            self.advance(BLOCK.min(n - done), to + done);
            for turn in 0..count.min(self.runs.len()) {
                let cell = &self.cells[(first + turn) % count];
                let runs = self.runs[turn..].iter().step_by(count);
                let values = &self.values[cell.values * width..];
                // What the next block will want of this cell: a stream is too short for the processor to see it coming.
                let next = cell.at as usize * width;
                prefetch(values, next, (BLOCK / count + RUN) * width);
                for run in runs.clone() {
                    let from = &values[run.at * width..(run.at + run.len) * width];
                    copy(from, &mut batch.values[run.to * width..(run.to + run.len) * width]);
                }
                let starts = &self.corners[cell.tile * self.axes..(cell.tile + 1) * self.axes];
                self.places[cell.places].locate(runs, starts, frame, batch);
            }
        }
    }
}

/// Puts the points of a cell into its order.
fn arrange<T: Real>(order: &[u32], from: &[T], to: &mut [T], width: usize) {
    if width == 1 {
        to.iter_mut().zip(order).for_each(|(to, i)| *to = from[*i as usize]);
        return;
    }
    for (to, i) in to.chunks_exact_mut(width).zip(order) {
        to.copy_from_slice(&from[*i as usize * width..(*i as usize + 1) * width]);
    }
}

/// Copies a run, which mostly has a length that the compiler knows.
#[inline]
fn copy<T: Real>(from: &[T], to: &mut [T]) {
    if let (Ok(from), Ok(to)) = (<&[T; RUN]>::try_from(from), <&mut [T; RUN]>::try_from(&mut *to)) {
        *to = *from;
    } else {
        to.copy_from_slice(from);
    }
}

/// The lengths of the cells of a piece.
fn cells(points: usize) -> Vec<usize> {
    (0..points).step_by(CELL).map(|at| CELL.min(points - at)).collect()
}

/// Makes a buffer at least so long.
fn grow<V: Clone + Default>(what: &'static str, buffer: &mut Vec<V>, len: usize) -> Result<()> {
    if buffer.len() < len {
        *buffer = Vec::new();
        *buffer = crate::error::allocate(what, len, V::default())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::places::Column;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pieces_of_several_cells() {
        // Three cells, cut anywhere in a row; the last two pieces are alike.
        let tiles = [[0..3, 0..700, 0..300], [3..4, 0..100, 0..1000], [4..5, 0..100, 0..1000]];
        let columns = (0..3).map(|axis| Column { axis, values: (0..1000).map(|i| i as f32).collect() });
        let frame = Frame { columns: columns.collect(), trajectory: Some(0) };
        let borrowed: Vec<&[Range<usize>]> = tiles.iter().map(|t| &t[..]).collect();
        let mut window = Window::default();
        let number = |i: usize, j: usize, k: usize| ((i * 1000 + j) * 1000 + k) as f32;
        let read = |tile: &[Range<usize>], out: &mut [f32]| {
            let ([i, j], k) = ([0, 1].map(|d| tile[d].clone()), tile[2].len());
            let all = i.flat_map(|i| j.clone().flat_map(move |j| (0..k).map(move |k| number(i, j, k))));
            out.iter_mut().zip(all).for_each(|(to, v)| *to = v);
            Ok(())
        };
        window.fill(&borrowed, 1, &frame, (3, 5), read).unwrap();
        assert_eq!(window.places.len(), 4, "pieces that are alike share places");
        let n = window.left();
        let mut batch =
            Batch { coordinates: vec![0.0; 3 * n], values: vec![0.0; n], trajectories: vec![9; n] };
        window.take(n, 1, &frame, &mut batch, 0);
        for (at, v) in batch.coordinates.chunks(3).zip(&batch.values) {
            assert_eq!(number(at[0] as usize, at[1] as usize, at[2] as usize), *v);
        }
        assert!(batch.trajectories.iter().zip(batch.coordinates.chunks(3)).all(|(t, at)| *t as f32 == at[0]));
        batch.values.sort_by(f32::total_cmp);
        batch.values.dedup();
        assert_eq!(batch.values.len(), n);
    }

    proptest! {
        #[test]
        fn each_point_comes_once_with_its_value_and_place(
            sides in prop::collection::vec((0usize..5, 1usize..9), 1..4),
            others in prop::collection::vec(1usize..40, 0..4),
            width in 1usize..3,
            batch in 1usize..50,
            several in any::<bool>(),
        ) {
            // Pieces one after the other along the first axis.
            let mut start = 0;
            let mut tiles = Vec::new();
            for n in others.iter().copied().chain([sides[0].1]) {
                let mut tile: Vec<_> = sides.iter().map(|(s, n)| *s..s + n).collect();
                tile[0] = start..start + n;
                start += n;
                tiles.push(tile);
            }
            let column = |(axis, (s, n)): (usize, &(usize, usize))| Column {
                axis,
                values: (0..start.max(s + n)).map(|i| i as f64).collect(),
            };
            let columns = sides.iter().enumerate().map(column).collect();
            let frame = Frame { columns, trajectory: several.then_some(0) };
            let borrowed: Vec<&[Range<usize>]> = tiles.iter().map(Vec::as_slice).collect();
            let mut window = Window::default();
            window.fill(&borrowed, width, &frame, (3, 5), |tile, out| {
                let mut index: Vec<usize> = tile.iter().map(|r| r.start).collect();
                for point in out.chunks_exact_mut(width) {
                    point.fill(index.iter().fold(0.0, |v, i| 100.0 * v + *i as f64));
                    for d in (0..index.len()).rev() {
                        index[d] += 1;
                        if index[d] < tile[d].end { break }
                        index[d] = tile[d].start;
                    }
                }
                Ok(())
            }).unwrap();
            let all = window.left();
            let mut seen = Vec::new();
            while window.left() > 0 {
                let n = batch.min(window.left());
                let mut b = Batch {
                    coordinates: vec![0.0; n * sides.len()],
                    values: vec![0.0; n * width],
                    trajectories: vec![1; n],
                };
                window.take(n, width, &frame, &mut b, 0);
                for (at, v) in b.coordinates.chunks(sides.len()).zip(b.values.chunks(width)) {
                    let expected = at.iter().fold(0.0, |v, i| 100.0 * v + i);
                    prop_assert!(v.iter().all(|v| *v == expected), "{:?} at {:?}", v, at);
                    seen.push(expected as u64);
                }
                let firsts = b.coordinates.chunks(sides.len()).map(|at| if several { at[0] as u32 } else { 0 });
                prop_assert_eq!(b.trajectories, firsts.collect::<Vec<_>>());
            }
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), all);
        }
    }
}
