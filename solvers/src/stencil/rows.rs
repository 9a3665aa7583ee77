//! What every structured operator is made of: rows of cells along x and their coefficients.
//!
//! Rows lie in a box of `[nx, ny, nz]` cells. A 2-D grid of nx × ny cells is the box `[nx, 1, ny]`, so that its rows are
//! planes of the slowest dimension and the same loops serve both.

use crate::Scalar;

/// The coefficients of one row.
///
/// # Safety
/// Every method may read without a bounds check: `i` must be less than the row's length.
pub(crate) trait Row<T: Scalar>: Copy {
    /// Σ g x over the six neighbours of cell `i`, which hold w, e (x ∓ 1), s, n (y ∓ 1), b, t (z ∓ 1); 0 in a cell
    /// that takes no part.
    unsafe fn off(self, i: usize, x: [T; 6]) -> T;
    /// The diagonal entry of cell `i`; 0 in a cell that takes no part.
    unsafe fn diag(self, i: usize) -> T;
    /// 1 / diagonal, or 0 in a cell that takes no part.
    #[inline(always)]
    unsafe fn inv(self, i: usize) -> T {
        // SAFETY: the caller's.
        let d = unsafe { self.diag(i) };
        let zero = T::of(0.0);
        if d > zero { T::of(1.0) / d } else { zero }
    }
    /// Diagonal times `x`, the value in cell `i`.
    #[inline(always)]
    unsafe fn centre(self, i: usize, x: T) -> T {
        // SAFETY: the caller's.
        unsafe { self.diag(i) * x }
    }
    /// `v`, or 0 in a cell that takes no part but whose neighbours would read it.
    #[inline(always)]
    unsafe fn mask(self, _i: usize, v: T) -> T {
        v
    }
}

/// The coefficients of a structured operator, row by row.
pub(crate) trait Rows<T: Scalar>: Sync {
    /// The coefficients of one row.
    type Row<'a>: Row<T>
    where
        Self: 'a;
    /// The box.
    fn extent(&self) -> Extent;
    /// The row at (j, k).
    fn row(&self, j: usize, k: usize) -> Self::Row<'_>;
    /// At least nx zeros: what lies beyond a side that is not periodic.
    fn zeros(&self) -> &[T];
}

/// The shape of a box of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Cells along x, y, z.
    pub n: [usize; 3],
    /// Which dimensions close on themselves.
    pub periodic: [bool; 3],
}

impl Extent {
    pub fn cells(self) -> usize {
        self.n.iter().product()
    }
    /// The first index of row (j, k).
    #[inline(always)]
    pub fn start(self, j: usize, k: usize) -> usize {
        self.n[0] * (j + self.n[1] * k)
    }
    /// The neighbour of `i` one step down (`up` false) or up along `axis`, if there is one.
    #[inline(always)]
    pub fn next(self, axis: usize, i: usize, up: bool) -> Option<usize> {
        let n = self.n[axis];
        match (up, self.periodic[axis]) {
            (false, _) if i > 0 => Some(i - 1),
            (true, _) if i + 1 < n => Some(i + 1),
            (false, true) => Some(n - 1),
            (true, true) => Some(0),
            _ => None,
        }
    }
}

/// A vector that several threads work on, each on rows of its own.
pub(crate) struct Shared<'a, T> {
    ptr: *mut T,
    len: usize,
    _life: std::marker::PhantomData<&'a mut [T]>,
}

impl<T> Clone for Shared<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Shared<'_, T> {}
// SAFETY: access is through unsafe methods whose callers keep ranges apart.
unsafe impl<T: Send> Send for Shared<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    pub fn new(v: &'a mut [T]) -> Self {
        Self { ptr: v.as_mut_ptr(), len: v.len(), _life: std::marker::PhantomData }
    }

    /// A vector that nobody writes to.
    pub fn read_only(v: &'a [T]) -> Self {
        Self { ptr: v.as_ptr().cast_mut(), len: v.len(), _life: std::marker::PhantomData }
    }

    /// # Safety
    /// No other thread writes to `first..first + count`, which lies inside.
    #[inline(always)]
    pub unsafe fn get(&self, first: usize, count: usize) -> &'a [T] {
        debug_assert!(first + count <= self.len);
        // SAFETY: inside the vector, and the caller keeps writers away.
        unsafe { std::slice::from_raw_parts(self.ptr.add(first), count) }
    }

    /// # Safety
    /// No other reference to `first..first + count`, which lies inside, is alive.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn get_mut(&self, first: usize, count: usize) -> &'a mut [T] {
        debug_assert!(first + count <= self.len);
        // SAFETY: inside the vector, and the caller keeps others away.
        unsafe { std::slice::from_raw_parts_mut(self.ptr.add(first), count) }
    }
}

/// A row and its four neighbours across, with what lies beyond its two ends.
#[derive(Clone, Copy)]
pub(crate) struct Near<'a, T> {
    c: &'a [T],
    /// Rows at y − 1, y + 1, z − 1, z + 1.
    across: [&'a [T]; 4],
    ends: [T; 2],
}

/// Cells of a row that are worked on at once.
const WIDE: usize = 16;

impl<'a, T: Scalar> Near<'a, T> {
    /// The surroundings of row (j, k) of `x`.
    ///
    /// # Safety
    /// No thread writes to these rows.
    #[inline(always)]
    pub unsafe fn new(extent: Extent, zeros: &'a [T], x: Shared<'a, T>, j: usize, k: usize) -> Self {
        let nx = extent.n[0];
        let row = |j: Option<usize>, k: Option<usize>| match (j, k) {
            // SAFETY: the caller's.
            (Some(j), Some(k)) => unsafe { x.get(extent.start(j, k), nx) },
            _ => &zeros[..nx],
        };
        let c = row(Some(j), Some(k));
        let across = [
            row(extent.next(1, j, false), Some(k)),
            row(extent.next(1, j, true), Some(k)),
            row(Some(j), extent.next(2, k, false)),
            row(Some(j), extent.next(2, k, true)),
        ];
        let zero = T::of(0.0);
        let ends = if extent.periodic[0] { [c[nx - 1], c[0]] } else { [zero, zero] };
        Self { c, across, ends }
    }

    /// out ← Σ g x over the neighbours of each of the cells `first..first + out.len()`.
    ///
    /// # Safety
    /// They lie inside this row and `row`.
    #[inline(always)]
    pub unsafe fn off(&self, row: impl Row<T>, first: usize, out: &mut [T]) {
        let (n, count) = (self.c.len(), out.len());
        debug_assert!(first + count <= n);
        let across = |i: usize, w: T, e: T| {
            let [s, t, b, u] = self.across;
            // SAFETY: the rows across have n entries, and i < n.
            unsafe {
                let x = [
                    w,
                    e,
                    *s.get_unchecked(i),
                    *t.get_unchecked(i),
                    *b.get_unchecked(i),
                    *u.get_unchecked(i),
                ];
                row.off(i, x)
            }
        };
        let west = if first > 0 { self.c[first - 1] } else { self.ends[0] };
        let last = first + count - 1;
        let east = if last + 1 < n { self.c[last + 1] } else { self.ends[1] };
        out[0] = across(first, west, if count > 1 { self.c[first + 1] } else { east });
        let mut inner = |o: usize| {
            let i = first + o;
            // SAFETY: 0 < o < count − 1, so 0 < i < n − 1. A checked index would leave the last cells to a scalar loop.
            unsafe {
                let v = across(i, *self.c.get_unchecked(i - 1), *self.c.get_unchecked(i + 1));
                *out.get_unchecked_mut(o) = v;
            }
        };
        let inside = count.saturating_sub(2);
        let whole = inside / WIDE * WIDE;
        for o in 1..1 + whole {
            inner(o);
        }
        if whole < inside && inside >= WIDE {
            // The last few once more with some that are done: one wide step instead of many narrow ones.
            let start = 1 + inside - WIDE;
            for o in 0..WIDE {
                inner(start + o);
            }
        } else {
            for o in 1 + whole..1 + inside {
                inner(o);
            }
        }
        if count > 1 {
            out[count - 1] = across(last, self.c[last - 1], east);
        }
    }

    /// Σ g x over the neighbours of cell `i`.
    ///
    /// # Safety
    /// It lies inside this row and `row`.
    #[inline(always)]
    pub unsafe fn at(&self, row: impl Row<T>, i: usize) -> T {
        let n = self.c.len();
        let [s, t, b, u] = self.across;
        debug_assert!(i < n);
        let west = if i > 0 { self.c[i - 1] } else { self.ends[0] };
        let east = if i + 1 < n { self.c[i + 1] } else { self.ends[1] };
        // SAFETY: the caller's; the rows across have n entries.
        unsafe {
            let x = [
                west,
                east,
                *s.get_unchecked(i),
                *t.get_unchecked(i),
                *b.get_unchecked(i),
                *u.get_unchecked(i),
            ];
            row.off(i, x)
        }
    }

    /// The row itself.
    #[inline(always)]
    pub fn centre(&self) -> &'a [T] {
        self.c
    }
}
