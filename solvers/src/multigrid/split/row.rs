//! The loops over one row of one colour.

use crate::Scalar;

/// Cells worked on at once: whole vectors of either scalar type.
pub(super) const LANES: usize = 16;

/// `out[i] ← value` for every i, [`LANES`] at a time; the last step repeats cells that are done rather than go one by one.
/// A macro because closures are not sure to be compiled with the features of the function they are called in. All of a
/// step is read before it is written, so that no check is needed whether rows overlap.
macro_rules! each {
    ($out:expr, |$i:ident| $value:expr) => {{
        let out = $out;
        let n = out.len();
        if n < LANES {
            for $i in 0..n {
                out[$i] = $value;
            }
        } else {
            let mut next = 0;
            while next < n {
                let first = next.min(n - LANES);
                let mut values = [T::of(0.0); LANES];
                for lane in 0..LANES {
                    let $i = first + lane;
                    values[lane] = $value;
                }
                out[first..first + LANES].copy_from_slice(&values);
                next += LANES;
            }
        }
    }};
}

/// A row's cell `i`, unchecked.
///
/// # Safety
/// `i` lies inside the row.
#[inline(always)]
unsafe fn at<T: Scalar>(row: &[T], i: usize) -> T {
    debug_assert!(i < row.len());
    // SAFETY: the caller's.
    unsafe { *row.get_unchecked(i) }
}

/// The neighbours of the cells of a row along x, y and z, and the conductances to them.
#[derive(Clone, Copy)]
pub(super) struct Near<'a, T> {
    pub c: [T; 3],
    pub x: [&'a [T]; 2],
    pub y: [&'a [T]; 2],
    pub z: [&'a [T]; 2],
}

impl<T: Scalar> Near<'_, T> {
    #[inline(always)]
    fn shortest(&self) -> usize {
        let along = self.x[0].len().min(self.x[1].len());
        along.min(self.y[0].len()).min(self.y[1].len()).min(self.z[0].len()).min(self.z[1].len())
    }
    /// Σ c e over the neighbours of cell `i`.
    ///
    /// # Safety
    /// `i` lies inside every row.
    #[inline(always)]
    unsafe fn off(&self, i: usize) -> T {
        let ([x, y, z], c) = ([self.x, self.y, self.z], self.c);
        // SAFETY: the caller's.
        unsafe {
            c[0] * (at(x[0], i) + at(x[1], i))
                + c[1] * (at(y[0], i) + at(y[1], i))
                + c[2] * (at(z[0], i) + at(z[1], i))
        }
    }
}

/// e ← (f + off)/d.
#[inline(always)]
pub(super) fn relax<T: Scalar>(f: &[T], near: &Near<T>, inverse: &[T], e: &mut [T]) {
    let n = e.len();
    assert!(f.len() >= n && inverse.len() >= n && near.shortest() >= n);
    // SAFETY: no row is shorter than e.
    each!(e, |i| unsafe { (at(f, i) + near.off(i)) * at(inverse, i) });
}

/// e ← f/d.
#[inline(always)]
pub(super) fn scale<T: Scalar>(f: &[T], inverse: &[T], e: &mut [T]) {
    let n = e.len();
    assert!(f.len() >= n && inverse.len() >= n);
    // SAFETY: no row is shorter than e.
    each!(e, |i| unsafe { at(f, i) * at(inverse, i) });
}

/// r ← α off: what a relaxed cell's residual is after its neighbours were relaxed.
#[inline(always)]
pub(super) fn residual<T: Scalar>(near: &Near<T>, alpha: T, alphas: &[T], r: &mut [T]) {
    let n = r.len();
    assert!(alphas.len() >= n && near.shortest() >= n);
    // SAFETY: no row is shorter than r.
    each!(r, |i| unsafe { near.off(i) * (alpha * at(alphas, i)) });
}

/// e ← f/d + α Σ w c over four rows of coarse cells.
#[inline(always)]
pub(super) fn correct<T: Scalar>(
    f: &[T],
    inverse: &[T],
    (weights, coarse): ([T; 4], [&[T]; 4]),
    (alpha, alphas): (T, &[T]),
    e: &mut [T],
) {
    let n = e.len();
    assert!(f.len() >= n && inverse.len() >= n && alphas.len() >= n);
    assert!(coarse.iter().all(|row| row.len() >= n));
    // SAFETY: no row is shorter than e.
    each!(e, |i| unsafe {
        let along = weights[0] * at(coarse[0], i) + weights[1] * at(coarse[1], i);
        let across = weights[2] * at(coarse[2], i) + weights[3] * at(coarse[3], i);
        at(f, i) * at(inverse, i) + (alpha * at(alphas, i)) * (along + across)
    });
}

/// to ← to + Σ w r over rows of residuals.
#[inline(always)]
pub(super) fn gather<T: Scalar, const N: usize>(weights: [T; N], rows: [&[T]; N], to: &mut [T]) {
    assert!(to.len().is_multiple_of(LANES) && rows.iter().all(|row| row.len() >= to.len()));
    for (step, to) in to.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let mut sums = *to;
        for r in 0..N {
            let row = &rows[r][step * LANES..][..LANES];
            for lane in 0..LANES {
                sums[lane] += weights[r] * row[lane];
            }
        }
        *to = sums;
    }
}

/// Deals a row out to its two colours, red first at the even cells unless `odd` is 1; scaled before it is rounded to `T`.
#[inline(always)]
pub(super) fn deal<T: Scalar, U: Scalar>(from: &[U], scale: U, odd: usize, red: &mut [T], black: &mut [T]) {
    let (even, odd) = if odd == 0 { (red, black) } else { (black, red) };
    let pairs = from.as_chunks::<2>().0;
    let n = pairs.len();
    let (even, odd) = (&mut even[..n], &mut odd[..n]);
    for i in 0..n {
        even[i] = T::of((pairs[i][0] * scale).f64());
        odd[i] = T::of((pairs[i][1] * scale).f64());
    }
}

/// The other way round; scaled after it is given the type `U`.
#[inline(always)]
pub(super) fn merge<T: Scalar, U: Scalar>(red: &[T], black: &[T], odd: usize, scale: U, to: &mut [U]) {
    let (even, odd) = if odd == 0 { (red, black) } else { (black, red) };
    let pairs = to.as_chunks_mut::<2>().0;
    let n = pairs.len();
    let (even, odd) = (&even[..n], &odd[..n]);
    for i in 0..n {
        pairs[i] = [U::of(even[i].f64()) * scale, U::of(odd[i].f64()) * scale];
    }
}
