//! The loops over one row of one colour.

use crate::Scalar;

/// Cells worked on at once: whole vectors of either scalar type.
pub(super) const LANES: usize = 16;

/// out[i] ← f(i), [`LANES`] at a time. The last step repeats cells that are done rather than go one by one.
#[inline(always)]
fn each<T: Scalar>(out: &mut [T], f: impl Fn(usize) -> T) {
    let n = out.len();
    let step = |out: &mut [T], first: usize| {
        let values: [T; LANES] = std::array::from_fn(|lane| f(first + lane));
        out[first..first + LANES].copy_from_slice(&values);
    };
    let mut first = 0;
    while first + LANES <= n {
        step(out, first);
        first += LANES;
    }
    if first < n && n >= LANES {
        step(out, n - LANES);
    } else {
        (first..n).for_each(|i| out[i] = f(i));
    }
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
        [self.x, self.y, self.z].iter().flatten().map(|row| row.len()).fold(usize::MAX, usize::min)
    }
    /// Σ c e over the neighbours of cell `i`.
    ///
    /// # Safety
    /// `i` lies inside every row.
    #[inline(always)]
    unsafe fn off(&self, i: usize) -> T {
        // SAFETY: the caller's.
        let pair = |[a, b]: [&[T]; 2]| unsafe { at(a, i) + at(b, i) };
        self.c[0] * pair(self.x) + self.c[1] * pair(self.y) + self.c[2] * pair(self.z)
    }
}

/// e ← (f + off)/d.
#[inline(always)]
pub(super) fn relax<T: Scalar>(f: &[T], near: &Near<T>, inverse: &[T], e: &mut [T]) {
    let n = e.len();
    assert!(f.len() >= n && inverse.len() >= n && near.shortest() >= n);
    // SAFETY: no row is shorter than e.
    each(e, |i| unsafe { (at(f, i) + near.off(i)) * at(inverse, i) });
}

/// e ← f/d.
#[inline(always)]
pub(super) fn scale<T: Scalar>(f: &[T], inverse: &[T], e: &mut [T]) {
    let n = e.len();
    assert!(f.len() >= n && inverse.len() >= n);
    // SAFETY: no row is shorter than e.
    each(e, |i| unsafe { at(f, i) * at(inverse, i) });
}

/// r ← α off: what a relaxed cell's residual is after its neighbours were relaxed.
#[inline(always)]
pub(super) fn residual<T: Scalar>(near: &Near<T>, alpha: T, alphas: &[T], r: &mut [T]) {
    let n = r.len();
    assert!(alphas.len() >= n && near.shortest() >= n);
    // SAFETY: no row is shorter than r.
    each(r, |i| unsafe { near.off(i) * (alpha * at(alphas, i)) });
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
    each(e, |i| unsafe {
        let [own, x, y, z] = coarse.map(|row| at(row, i));
        let sum = (weights[0] * own + weights[1] * x) + (weights[2] * y + weights[3] * z);
        at(f, i) * at(inverse, i) + (alpha * at(alphas, i)) * sum
    });
}

/// to ← to + Σ w r over rows of residuals.
#[inline(always)]
pub(super) fn gather<T: Scalar, const N: usize>(weights: [T; N], rows: [&[T]; N], to: &mut [T]) {
    assert!(to.len().is_multiple_of(LANES) && rows.iter().all(|row| row.len() >= to.len()));
    for (step, to) in to.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let old = *to;
        *to = std::array::from_fn(|lane| {
            let i = step * LANES + lane;
            let mut sum = old[lane];
            for r in 0..N {
                // SAFETY: no row is shorter.
                sum += weights[r] * unsafe { at(rows[r], i) };
            }
            sum
        });
    }
}

/// Deals a row out to its two colours, red first at the even cells unless `odd` is 1; scaled before it is rounded to `T`.
#[inline(always)]
pub(super) fn deal<T: Scalar, U: Scalar>(
    from: &[U],
    scale: U,
    odd: usize,
    red: &mut [T],
    black: &mut [T],
) {
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
