//! The Laplacian among solids and air, one byte a cell.

use super::floating::{Floating, Joints, Run};
use super::poisson::{axes, extent};
use super::rows::{Extent, Row, Rows};
use crate::error::check_len;
use crate::grid::{Boundaries, Grid, check_boundaries};
use crate::{Error, Result, Scalar};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// What a cell is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cell {
    /// Carries an unknown.
    Fluid = 0,
    /// A wall: no flux through its faces.
    Solid = 1,
    /// The value is prescribed at its centre, one cell away from a neighbouring fluid centre.
    Air = 2,
}

/// −Δ on the fluid cells of a box, scaled by h²: the operator of a pressure projection. Faces between fluid cells have
/// conductance 1, faces to solids 0; air and Dirichlet sides add to the diagonal.
///
/// It takes one byte a cell: the diagonal, 0 where a cell takes no part (solid, air, or walled in on all sides).
/// Vectors have an entry for every cell of the box; the rows of cells that take no part are zero, so those cells are in
/// the null space, and what a vector holds there is not read (`apply_dot` sums x·y over all cells, so there it must be
/// finite).
///
/// Symmetric; positive definite on its fluid cells when each connected part of them touches air or a Dirichlet side, else
/// constants on each part that does not are in the null space too.
#[derive(Clone, Debug)]
pub struct FlagLaplacian {
    grid: Grid,
    sides: Boundaries,
    active: usize,
    floating: Arc<Floating>,
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub single: Flags<f32>,
    pub double: Flags<f64>,
    pub scratch: Mutex<Vec<f64>>,
}

impl FlagLaplacian {
    /// From what each cell is filled with, `cells: [grid.cells()]`.
    ///
    /// # Errors
    /// [`Error::Length`]; [`Error::Parameter`] when the conductance of a Dirichlet side (1/distance) is not a whole
    /// number up to 16 (use [`FaceLaplacian`](crate::FaceLaplacian) there).
    pub fn new(grid: Grid, cells: &[Cell], sides: Boundaries) -> Result<Self> {
        check_len("cells", grid.cells(), cells.len())?;
        check_boundaries(grid, &sides)?;
        let mut ends = [[0u8; 2]; 3];
        for d in 0..grid.dim() {
            for (end, side) in sides[d].into_iter().enumerate() {
                let g = side.conductance();
                if g.fract() != 0.0 || g > 16.0 {
                    return Err(Error::Parameter {
                        name: "1/distance",
                        value: g,
                        needs: "flags need a whole number up to 16; use FaceLaplacian for other distances",
                    });
                }
                ends[axes(grid)[d]][end] = g as u8;
            }
        }
        let extent = extent(grid, &sides);
        let mut diagonal = vec![0u8; cells.len()];
        let nx = extent.n[0];
        diagonal.par_chunks_mut(nx).enumerate().for_each(|(row, d)| fill(extent, ends, cells, row, d));
        Ok(Self::from_bytes(grid, diagonal, ends, sides))
    }

    /// From diagonals, 0 where a cell takes no part, and the conductances on the sides, by axis of the box of rows.
    pub(crate) fn from_bytes(grid: Grid, diagonal: Vec<u8>, ends: [[u8; 2]; 3], sides: Boundaries) -> Self {
        let extent = extent(grid, &sides);
        let nx = extent.n[0];
        let active = diagonal.par_iter().filter(|d| **d > 0).count();
        let diagonal: Arc<[u8]> = diagonal.into();
        let inner = Inner {
            single: Flags {
                extent,
                diagonal: diagonal.clone(),
                ends,
                zeros: vec![0.0; nx],
                none: vec![0; nx],
            },
            double: Flags { extent, diagonal, ends, zeros: vec![0.0; nx], none: vec![0; nx] },
            scratch: Mutex::new(vec![0.0; extent.n[2]]),
        };
        let floating = Arc::new(Floating::find(&inner.double));
        Self { grid, sides, active, floating, inner: Arc::new(inner) }
    }

    /// The cells.
    pub fn grid(&self) -> Grid {
        self.grid
    }
    /// What happens on the sides.
    pub fn sides(&self) -> &Boundaries {
        &self.sides
    }
    /// How many cells carry an unknown.
    pub fn active(&self) -> usize {
        self.active
    }
    /// Whether somewhere fluid cells that touch each other touch no prescribed value.
    pub fn is_singular(&self) -> bool {
        *self.floating != Floating::Nowhere
    }
    pub(crate) fn floating(&self) -> &Floating {
        &self.floating
    }
    /// The diagonal, one byte a cell; 0 where a cell takes no part.
    pub fn diagonal_bytes(&self) -> &[u8] {
        &self.inner.double.diagonal
    }
}

/// The diagonal of one row of cells.
fn fill(extent: Extent, ends: [[u8; 2]; 3], cells: &[Cell], row: usize, d: &mut [u8]) {
    let [nx, ny, _] = extent.n;
    let (j, k) = (row % ny, row / ny);
    for i in 0..nx {
        if cells[row * nx + i] != Cell::Fluid {
            continue;
        }
        let at = [i, j, k];
        for axis in 0..3 {
            for (end, up) in [(0, false), (1, true)] {
                let beyond = extent.next(axis, at[axis], up).map(|next| {
                    let mut there = at;
                    there[axis] = next;
                    cells[there[0] + nx * (there[1] + ny * there[2])]
                });
                d[i] += match beyond {
                    Some(Cell::Solid) => 0,
                    Some(Cell::Fluid | Cell::Air) => 1,
                    None => ends[axis][end],
                };
            }
        }
    }
}

/// One byte a cell.
#[derive(Clone, Debug)]
pub(crate) struct Flags<T> {
    extent: Extent,
    pub diagonal: Arc<[u8]>,
    /// Conductances to the prescribed values at both ends of each dimension.
    pub ends: [[u8; 2]; 3],
    zeros: Vec<T>,
    none: Vec<u8>,
}

impl<T: Scalar> Flags<T> {
    /// The same cells for vectors of another precision; the bytes are shared.
    pub fn cast<U: Scalar>(&self) -> Flags<U> {
        Flags {
            extent: self.extent,
            diagonal: self.diagonal.clone(),
            ends: self.ends,
            zeros: vec![U::of(0.0); self.zeros.len()],
            none: self.none.clone(),
        }
    }
}

impl<T: Scalar> Joints for Flags<T> {
    fn extent(&self) -> Extent {
        self.extent
    }

    fn runs(&self, j: usize, k: usize) -> Vec<Run> {
        let guarded = Guarded(self);
        let GuardedRow { c, across } = Rows::<T>::row(&guarded, j, k);
        let ends = if self.extent.periodic[0] { [c[c.len() - 1], c[0]] } else { [0; 2] };
        // A larger diagonal than there are neighbours that take part is due to a prescribed value.
        let grounded = |i: usize| {
            let x =
                [if i > 0 { c[i - 1] } else { ends[0] }, if i + 1 < c.len() { c[i + 1] } else { ends[1] }];
            let beside = across.map(|row| row[i]).into_iter().chain(x);
            c[i] > beside.map(|d| u8::from(d > 0)).sum()
        };
        let (mut runs, mut first) = (Vec::new(), 0);
        for part in c.split(|d| *d == 0) {
            let cells = first..first + part.len();
            first = cells.end + 1;
            if !part.is_empty() {
                runs.push(Run { grounded: cells.clone().any(grounded), cells });
            }
        }
        runs
    }

    fn closes(&self, _j: usize, _k: usize) -> bool {
        true
    }

    fn opens(&self, _axis: usize, _at: [usize; 2], _cells: Range<usize>) -> bool {
        true
    }
}

/// The diagonals of one row; neighbours that take no part must hold 0.
#[derive(Clone, Copy)]
pub(crate) struct FlagRow<'a> {
    d: &'a [u8],
}

impl<T: Scalar> Row<T> for FlagRow<'_> {
    #[inline(always)]
    unsafe fn off(self, i: usize, x: [T; 6]) -> T {
        let sum = (x[0] + x[1]) + (x[2] + x[3]) + (x[4] + x[5]);
        // SAFETY: the caller's.
        unsafe { self.mask(i, sum) }
    }
    #[inline(always)]
    unsafe fn diag(self, i: usize) -> T {
        // SAFETY: i < nx.
        T::of(f64::from(unsafe { *self.d.get_unchecked(i) }))
    }
    #[inline(always)]
    unsafe fn mask(self, i: usize, v: T) -> T {
        // SAFETY: i < nx.
        if unsafe { *self.d.get_unchecked(i) } > 0 { v } else { T::of(0.0) }
    }
}

impl<T: Scalar> Rows<T> for Flags<T> {
    type Row<'a> = FlagRow<'a>;
    #[inline(always)]
    fn extent(&self) -> Extent {
        self.extent
    }
    #[inline(always)]
    fn row(&self, j: usize, k: usize) -> FlagRow<'_> {
        let start = self.extent.start(j, k);
        FlagRow { d: &self.diagonal[start..start + self.extent.n[0]] }
    }
    #[inline(always)]
    fn zeros(&self) -> &[T] {
        &self.zeros
    }
}

/// The same operator for vectors that may hold anything in cells that take no part.
pub(crate) struct Guarded<'a, T>(pub &'a Flags<T>);

/// The diagonals of a row and of its neighbours.
#[derive(Clone, Copy)]
pub(crate) struct GuardedRow<'a> {
    c: &'a [u8],
    across: [&'a [u8]; 4],
}

impl<T: Scalar> Row<T> for GuardedRow<'_> {
    #[inline(always)]
    unsafe fn off(self, i: usize, x: [T; 6]) -> T {
        let keep = |d: u8, v: T| if d > 0 { v } else { T::of(0.0) };
        let n = self.c.len();
        let mut sum = keep(self.c[if i > 0 { i - 1 } else { n - 1 }], x[0]);
        sum += keep(self.c[if i + 1 < n { i + 1 } else { 0 }], x[1]);
        for a in 0..4 {
            sum += keep(self.across[a][i], x[2 + a]);
        }
        keep(self.c[i], sum)
    }
    #[inline(always)]
    unsafe fn diag(self, i: usize) -> T {
        T::of(f64::from(self.c[i]))
    }
    #[inline(always)]
    unsafe fn centre(self, i: usize, x: T) -> T {
        let d = self.c[i];
        if d > 0 { T::of(f64::from(d)) * x } else { T::of(0.0) }
    }
}

impl<T: Scalar> Rows<T> for Guarded<'_, T> {
    type Row<'a>
        = GuardedRow<'a>
    where
        Self: 'a;
    #[inline(always)]
    fn extent(&self) -> Extent {
        self.0.extent
    }
    #[inline(always)]
    fn row(&self, j: usize, k: usize) -> GuardedRow<'_> {
        let e = self.0.extent;
        let row = |j: Option<usize>, k: Option<usize>| match (j, k) {
            (Some(j), Some(k)) => &self.0.diagonal[e.start(j, k)..e.start(j, k) + e.n[0]],
            _ => &self.0.none[..],
        };
        GuardedRow {
            c: row(Some(j), Some(k)),
            across: [
                row(e.next(1, j, false), Some(k)),
                row(e.next(1, j, true), Some(k)),
                row(Some(j), e.next(2, k, false)),
                row(Some(j), e.next(2, k, true)),
            ],
        }
    }
    #[inline(always)]
    fn zeros(&self) -> &[T] {
        &self.0.zeros
    }
}
