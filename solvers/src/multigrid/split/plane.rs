//! The few planes of one colour that a thread keeps.

use super::row::LANES;
use crate::Scalar;
use crate::stencil::rows::Shared;

/// A row of one colour: `half` cells, then as many as fill the last step; the cells beyond its two ends lie around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub half: usize,
    pub wide: usize,
}

/// Single rows a tile works in.
pub(super) const ROWS: usize = 4;

impl Line {
    pub fn new(half: usize) -> Self {
        Self { half, wide: half.next_multiple_of(LANES) }
    }
    /// From one row to the next: whole cache lines.
    pub fn stride(self) -> usize {
        self.wide + LANES
    }
    /// From one plane of rows to the next. Not a multiple of a page, or the rows (j, k ± 1) would push each other out of
    /// the first-level cache.
    pub fn plane(self, rows: usize) -> usize {
        (rows * self.stride()).next_multiple_of(1024) + self.stride()
    }
}

/// Rows of one colour.
#[derive(Clone, Copy)]
pub(super) struct Plane<'a, T> {
    cells: Shared<'a, T>,
    first: usize,
    line: Line,
}

impl<'a, T: Scalar> Plane<'a, T> {
    /// `wide` cells of row `j` from cell `shift` on, which is −1, 0 or 1.
    ///
    /// # Safety
    /// Nobody writes to the row.
    #[inline(always)]
    pub unsafe fn row(self, j: usize, shift: isize) -> &'a [T] {
        let start = self.first + j * self.line.stride() + LANES;
        // SAFETY: the caller's; the row lies inside with at least one cell before and after.
        unsafe { self.cells.get(start.wrapping_add_signed(shift), self.line.wide) }
    }

    /// The `wide` cells of row `j`, to be written to.
    ///
    /// # Safety
    /// No other reference to the row is alive.
    #[inline(always)]
    pub unsafe fn row_mut(self, j: usize) -> &'a mut [T] {
        // SAFETY: the caller's.
        unsafe { self.cells.get_mut(self.first + j * self.line.stride() + LANES, self.line.wide) }
    }

    /// Sets the cells before and after row `j`: its own last and first one when x closes on itself, else what `beyond`
    /// makes of its first and last one.
    ///
    /// # Safety
    /// No other reference to the row is alive.
    #[inline(always)]
    pub unsafe fn close(self, j: usize, periodic: bool, beyond: impl Fn(T) -> T) {
        let (start, half) = (self.first + j * self.line.stride() + LANES, self.line.half);
        // SAFETY: the caller's; both cells lie between this row and its neighbours' own.
        unsafe {
            let (first, last) = (self.cells.get(start, 1)[0], self.cells.get(start + half - 1, 1)[0]);
            let (before, after) = if periodic { (last, first) } else { (beyond(first), beyond(last)) };
            self.cells.get_mut(start - 1, 1)[0] = before;
            self.cells.get_mut(start + half, 1)[0] = after;
        }
    }
}

/// The last `PLANES` of an endless stack.
#[derive(Clone, Copy)]
pub(super) struct Ring<'a, T, const PLANES: usize> {
    bottom: Plane<'a, T>,
    size: usize,
}

impl<'a, T: Scalar, const PLANES: usize> Ring<'a, T, PLANES> {
    #[inline(always)]
    pub fn plane(self, k: isize) -> Plane<'a, T> {
        let first = self.bottom.first + k.rem_euclid(PLANES as isize) as usize * self.size;
        Plane { first, ..self.bottom }
    }
}

/// Hands out a tile's scratch.
pub(super) struct Room<'a, T> {
    cells: Shared<'a, T>,
    line: Line,
    next: usize,
}

impl<'a, T: Scalar> Room<'a, T> {
    pub fn new(cells: Shared<'a, T>, line: Line) -> Self {
        Self { cells, line, next: 0 }
    }
    pub fn ring<const PLANES: usize>(&mut self, rows: usize) -> Ring<'a, T, PLANES> {
        let bottom = Plane { cells: self.cells, first: self.next, line: self.line };
        let size = self.line.plane(rows);
        self.next += PLANES * size;
        Ring { bottom, size }
    }
    /// A plane of a single row.
    pub fn row(&mut self) -> Plane<'a, T> {
        let plane = Plane { cells: self.cells, first: self.next, line: self.line };
        self.next += self.line.stride();
        plane
    }
}
