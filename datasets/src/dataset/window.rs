//! A few pieces of a dataset in memory, and their points in a random order.
//!
//! A piece is cut into cells of consecutive points, at most 2¹⁸ of them: so many fit into a cache. One random permutation
//! serves all cells of a window, each from a random start; every 16 places or fewer the next cell has its turn, and each
//! cell gives in each round its share of points. So both memory and random numbers are used where they lie: per point one
//! number of the permutation, one value from a cell in the cache, and 1/16 of a row of [`Run`]s.

use super::points::shuffle;
use super::{Batch, Real, Role};
use crate::Result;
use crate::random::Stream;
use std::ops::Range;

/// Points that a permutation orders.
const CELL: usize = 1 << 18;
/// Points of a cell that follow each other.
const RUN: usize = 16;
/// Pieces have fewer points.
const LARGEST_BITS: u32 = 25;

/// Some pieces, their values in a random order.
#[derive(Default)]
pub(super) struct Window<T> {
    tiles: Vec<Tile>,
    cells: Vec<Cell>,
    /// The first of all cells that are not cut short, then of each that is.
    orders: Vec<Vec<u32>>,
    runs: Vec<Run>,
    /// `[points × values]`, in the order in which they are drawn.
    values: Vec<T>,
    /// The run that is next, what was taken of it, and of all points.
    run: usize,
    of_run: usize,
    taken: usize,
    len: usize,
    /// Room for one piece, and for what is next in each round.
    piece: Vec<T>,
    starts: Vec<u32>,
}

/// The coordinates of an axis.
pub(super) struct Table<T> {
    pub role: Role,
    pub columns: Vec<Vec<T>>,
}

/// The axes of a piece.
struct Tile(Vec<Side>);

/// An axis of a piece.
struct Side {
    start: u32,
    len: Divisor,
    /// Whether the axes before it have one entry each, so that nothing is left to divide.
    outermost: bool,
}

/// Consecutive points of a piece.
struct Cell {
    tile: u32,
    first: u32,
    order: u32,
}

/// Points of a cell that are drawn one after the other: where in the order of its cell, and how many.
#[derive(Clone, Copy, Default)]
struct Run {
    cell: u32,
    at: u32,
    len: u32,
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

impl<T: Real> Window<T> {
    /// Takes in some pieces, number `at` of all windows; `read` puts the points of a piece into a buffer.
    pub fn fill(
        &mut self,
        tiles: &[&[Range<usize>]],
        width: usize,
        (seed, at): (u64, u64),
        mut read: impl FnMut(&[Range<usize>], &mut [T]) -> Result<()>,
    ) -> Result<()> {
        let size = |tile: &[Range<usize>]| tile.iter().map(ExactSizeIterator::len).product::<usize>();
        self.len = tiles.iter().map(|t| size(t)).sum();
        (self.run, self.of_run, self.taken) = (0, 0, 0);
        self.tiles.clear();
        self.cells.clear();
        let lengths: Vec<Vec<usize>> = tiles.iter().map(|t| cells(size(t))).collect();
        let count: usize = lengths.iter().map(Vec::len).sum();
        let longest = lengths.iter().flatten().copied().max().unwrap_or(0);
        let rounds = longest.div_ceil(RUN).max(1);
        grow("a window of points", &mut self.values, self.len * width)?;
        grow("a window of points", &mut self.runs, rounds * count)?;
        self.runs.truncate(rounds * count);
        // How many points come before each round, and then before each cell's turn in it.
        self.starts.clear();
        self.starts.resize(rounds, 0);
        let alike = lengths.iter().flatten().filter(|n| **n == longest).count();
        let others = lengths.iter().flatten().filter(|n| **n != longest).map(|n| (*n, 1));
        for (n, times) in others.chain([(longest, alike as u32)]) {
            let mut before = 0;
            for (start, share) in self.starts.iter_mut().zip(shares(n, rounds)) {
                *start += before * times;
                before += share as u32;
            }
        }
        let mut whole: Vec<u32> = (0..longest as u32).collect();
        shuffle(&mut whole, Stream::new(seed, "points"), at);
        whole.extend_from_within(..RUN.min(longest));
        self.orders.clear();
        self.orders.push(whole);
        let turns = Stream::new(seed, "turns");
        for (number, (tile, lengths)) in tiles.iter().zip(&lengths).enumerate() {
            self.tiles.push(Tile::new(tile));
            grow("a piece", &mut self.piece, size(tile) * width)?;
            read(tile, &mut self.piece[..size(tile) * width])?;
            let mut first = 0;
            for n in lengths {
                let order = self.order(*n, longest);
                let random = turns.integer(at << 32 | self.cells.len() as u64);
                let turn = ((u128::from(random) * *n as u128) >> 64) as usize;
                let cell = Cell { tile: number as u32, first: first as u32, order };
                self.scatter(cell, *n, turn, (first, rounds, count), width);
                first += n;
            }
        }
        Ok(())
    }

    /// The order of a cell of `n` points.
    fn order(&mut self, n: usize, longest: usize) -> u32 {
        if n == longest {
            return 0;
        }
        let mut order: Vec<u32> =
            self.orders[0][..longest].iter().copied().filter(|i| *i < n as u32).collect();
        order.extend_from_within(..RUN.min(n));
        self.orders.push(order);
        self.orders.len() as u32 - 1
    }

    /// Puts the values of a cell to their places.
    fn scatter(
        &mut self,
        cell: Cell,
        n: usize,
        turn: usize,
        (first, rounds, count): (usize, usize, usize),
        width: usize,
    ) {
        let number = self.cells.len();
        let order = &self.orders[cell.order as usize];
        let values = &self.piece[first * width..(first + n) * width];
        let mut at = turn;
        for (round, (start, len)) in self.starts.iter_mut().zip(shares(n, rounds)).enumerate() {
            let to = &mut self.values[*start as usize * width..(*start as usize + len) * width];
            let from = &order[at..at + len];
            if width > 1 {
                for (to, i) in to.chunks_exact_mut(width).zip(from) {
                    to.copy_from_slice(&values[*i as usize * width..(*i as usize + 1) * width]);
                }
            } else if let (Ok(to), Ok(from)) =
                (<&mut [T; RUN]>::try_from(&mut *to), <&[u32; RUN]>::try_from(from))
            {
                // A length known to the compiler: no loop is left.
                to.iter_mut().zip(from).for_each(|(to, i)| *to = values[*i as usize]);
            } else {
                to.iter_mut().zip(from).for_each(|(to, i)| *to = values[*i as usize]);
            }
            self.runs[round * count + number] = Run { cell: number as u32, at: at as u32, len: len as u32 };
            *start += len as u32;
            at += len;
            if at >= n {
                at -= n;
            }
        }
        self.cells.push(cell);
    }

    /// Points that were not taken yet.
    pub fn left(&self) -> usize {
        self.len - self.taken
    }

    /// Takes the next `n` points and forgets them.
    pub fn skip(&mut self, n: usize) {
        let mut missing = n;
        while missing > 0 {
            let len = missing.min(self.runs[self.run].len as usize - self.of_run);
            self.pass(len);
            missing -= len;
        }
        self.taken += n;
    }

    fn pass(&mut self, len: usize) {
        self.of_run += len;
        if self.of_run == self.runs[self.run].len as usize {
            (self.run, self.of_run) = (self.run + 1, 0);
        }
    }

    /// Takes the next `n` points to the places of a batch from `to` on.
    pub fn take(&mut self, n: usize, width: usize, axes: &[Table<T>], batch: &mut Batch<T>, to: usize) {
        let from = self.taken * width..(self.taken + n) * width;
        batch.values[to * width..(to + n) * width].copy_from_slice(&self.values[from]);
        let columns = axes.iter().map(|a| a.columns.len()).sum::<usize>();
        if axes.iter().all(|a| a.role != Role::Trajectory) {
            batch.trajectories[to..to + n].fill(0);
        }
        let mut done = 0;
        while done < n {
            let run = self.runs[self.run];
            let len = (n - done).min(run.len as usize - self.of_run);
            if len > 0 {
                let cell = &self.cells[run.cell as usize];
                let at = run.at as usize + self.of_run;
                let numbers = &self.orders[cell.order as usize][at..at + len];
                let places = to + done..to + done + len;
                let coordinates = &mut batch.coordinates[places.start * columns..places.end * columns];
                let tile = &self.tiles[cell.tile as usize];
                let trajectories = &mut batch.trajectories[places];
                tile.locate(numbers, cell.first, axes, columns, coordinates, trajectories);
            }
            self.pass(len);
            done += len;
        }
        self.taken += n;
    }
}

impl Tile {
    fn new(tile: &[Range<usize>]) -> Self {
        let mut outermost = true;
        let side = |r: &Range<usize>| {
            let side = Side { start: r.start as u32, len: Divisor::new(r.len()), outermost };
            outermost &= r.len() == 1;
            side
        };
        Self(tile.iter().map(side).collect())
    }

    /// The coordinates `[points × columns]` and the trajectories of some of its points, at most [`RUN`].
    fn locate<T: Real>(
        &self,
        numbers: &[u32],
        first: u32,
        axes: &[Table<T>],
        columns: usize,
        coordinates: &mut [T],
        trajectories: &mut [u32],
    ) {
        let len = numbers.len();
        let mut rest = [0u32; RUN];
        rest.iter_mut().zip(numbers).for_each(|(r, i)| *r = first + i);
        let mut column = columns;
        for (axis, side) in axes.iter().zip(&self.0).rev() {
            let mut index = [side.start; RUN];
            if side.outermost {
                index.iter_mut().zip(&mut rest).for_each(|(i, r)| *i += std::mem::take(r));
            } else if side.len.by > 1 {
                for (i, r) in index.iter_mut().zip(&mut rest) {
                    let q = side.len.divide(*r);
                    *i += *r - q * side.len.by;
                    *r = q;
                }
            }
            column -= axis.columns.len();
            for (c, table) in axis.columns.iter().enumerate() {
                match columns {
                    1 => place::<T, 1>(coordinates, column + c, table, &index),
                    2 => place::<T, 2>(coordinates, column + c, table, &index),
                    3 => place::<T, 3>(coordinates, column + c, table, &index),
                    4 => place::<T, 4>(coordinates, column + c, table, &index),
                    _ => {
                        let to = coordinates[column + c..].iter_mut().step_by(columns);
                        to.zip(index).for_each(|(to, i)| *to = table[i as usize]);
                    }
                }
            }
            if axis.role == Role::Trajectory {
                trajectories.copy_from_slice(&index[..len]);
            }
        }
    }
}

/// Puts the entries of a table at some indices into column `c` of so many points as there are.
#[inline]
fn place<T: Real, const COLUMNS: usize>(points: &mut [T], c: usize, table: &[T], index: &[u32; RUN]) {
    let points = points.as_chunks_mut::<COLUMNS>().0;
    if let Ok(points) = <&mut [[T; COLUMNS]; RUN]>::try_from(&mut *points) {
        points.iter_mut().zip(index).for_each(|(p, i)| p[c] = table[*i as usize]);
    } else {
        points.iter_mut().zip(index).for_each(|(p, i)| p[c] = table[*i as usize]);
    }
}

/// `n` points in so many rounds: how many in each, which differ by one at most.
fn shares(n: usize, rounds: usize) -> impl Iterator<Item = usize> {
    let (each, extra) = (n / rounds, n % rounds);
    let mut spare = 0;
    (0..rounds).map(move |_| {
        spare += extra;
        let more = spare >= rounds;
        spare -= if more { rounds } else { 0 };
        each + usize::from(more)
    })
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
    use super::*;
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn each_point_comes_once_with_its_value_and_place(
            sides in prop::collection::vec((0usize..5, 1usize..9), 1..4),
            others in prop::collection::vec(1usize..40, 0..4),
            width in 1usize..3,
            batch in 1usize..50,
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
            let axes: Vec<Table<f64>> = sides.iter().map(|(s, n)| Table {
                role: Role::Space,
                columns: vec![(0..start.max(s + n)).map(|i| i as f64).collect()],
            }).collect();
            let borrowed: Vec<&[Range<usize>]> = tiles.iter().map(Vec::as_slice).collect();
            let mut window = Window::default();
            window.fill(&borrowed, width, (3, 5), |tile, out| {
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
                window.take(n, width, &axes, &mut b, 0);
                for (at, v) in b.coordinates.chunks(sides.len()).zip(b.values.chunks(width)) {
                    let expected = at.iter().fold(0.0, |v, i| 100.0 * v + i);
                    prop_assert!(v.iter().all(|v| *v == expected), "{:?} at {:?}", v, at);
                    seen.push(expected as u64);
                }
                prop_assert_eq!(b.trajectories, vec![0; n]);
            }
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), all);
        }
    }
}
