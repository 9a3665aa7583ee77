//! Rows of fine cells against rows of coarse cells: restriction and prolongation, in blocks that stay in the first-level
//! cache.

use super::weights::WeightRow;
use crate::Scalar;

/// Cells of a row worked on at a time; even, so that no pair is split.
pub(crate) const BLOCK: usize = 512;

/// A stack buffer for one block.
pub(crate) type Strip<T> = [T; BLOCK];

/// The stack buffers of a transfer: what concerns the fine row's own coarse row, and those along x, y and z.
pub(crate) struct Strips<T> {
    own: Strip<T>,
    x: Strip<T>,
    y: Strip<T>,
    z: Strip<T>,
}

impl<T: Scalar> Strips<T> {
    #[inline(always)]
    pub fn new() -> Self {
        let zero = [T::of(0.0); BLOCK];
        Self { own: zero, x: zero, y: zero, z: zero }
    }
}

/// e ← e + P x on the fine cells `first..first + e.len()` of a row (`first` even when x is coarsened).
///
/// `own`, `y`, `z` are the coarse rows of the fine row itself and of its neighbours across; `halve` tells whether the
/// coarse rows have half as many cells; `wrap` whether x closes on itself.
///
/// # Safety
/// The fine cells lie inside the row of `w`.
#[inline(always)]
pub(crate) unsafe fn prolong<T: Scalar>(
    w: impl WeightRow<T>,
    first: usize,
    [own, y, z]: [&[T]; 3],
    halve: bool,
    wrap: bool,
    e: &mut [T],
    strips: &mut Strips<T>,
) {
    let n = e.len();
    if !halve {
        for i in 0..n {
            let c = first + i;
            // SAFETY: the caller's.
            let [_, by, bz, a] = unsafe { w.at(c) };
            let o = own[c];
            e[i] += a * (o + by * (y[c] - o) + bz * (z[c] - o));
        }
        return;
    }
    let zero = T::of(0.0);
    let half = first / 2;
    let pairs = n.div_ceil(2);
    let nc = own.len();
    let Strips { own: so, x: sx, y: sy, z: sz } = strips;
    let (o, y, z) = (&own[half..half + pairs], &y[half..half + pairs], &z[half..half + pairs]);
    for (s, c) in [(&mut *so, o), (&mut *sy, y), (&mut *sz, z)] {
        for (s, &v) in s.chunks_exact_mut(2).zip(c) {
            s[0] = v;
            s[1] = v;
        }
    }
    // The coarse neighbour along x: below for even cells, above for odd ones.
    let low = if half > 0 {
        own[half - 1]
    } else if wrap {
        own[nc - 1]
    } else {
        zero
    };
    let high = if half + pairs < nc {
        own[half + pairs]
    } else if wrap {
        own[0]
    } else {
        zero
    };
    sx[0] = low;
    sx[2 * pairs - 1] = high;
    for (p, &v) in o[..pairs - 1].iter().enumerate() {
        sx[2 * p + 2] = v;
    }
    for (p, &v) in o[1..].iter().enumerate() {
        sx[2 * p + 1] = v;
    }
    let (so, sx, sy, sz) = (&so[..n], &sx[..n], &sy[..n], &sz[..n]);
    for i in 0..n {
        // SAFETY: the caller's.
        let [bx, by, bz, a] = unsafe { w.at(first + i) };
        let v = so[i];
        e[i] += a * (v + bx * (sx[i] - v) + by * (sy[i] - v) + bz * (sz[i] - v));
    }
}

/// Adds Pᵀr of the fine cells `first..first + r.len()` to the coarse rows `own`, `y` and `z`; `y` or `z` is absent where the
/// fine row has no coarse neighbour across. Arguments as for [`prolong`].
///
/// # Safety
/// The fine cells lie inside the row of `w`.
#[allow(clippy::too_many_arguments)]
#[inline(always)]
pub(crate) unsafe fn restrict<T: Scalar>(
    w: impl WeightRow<T>,
    first: usize,
    r: &[T],
    own: &mut [T],
    y: Option<&mut [T]>,
    z: Option<&mut [T]>,
    halve: bool,
    wrap: bool,
    strips: &mut Strips<T>,
) {
    let n = r.len();
    let Strips { own: so, x: sx, y: sy, z: sz } = strips;
    {
        let (so, sx, sy, sz) = (&mut so[..n], &mut sx[..n], &mut sy[..n], &mut sz[..n]);
        for i in 0..n {
            // SAFETY: the caller's.
            let [bx, by, bz, a] = unsafe { w.at(first + i) };
            let v = a * r[i];
            let (x, y, z) = (bx * v, by * v, bz * v);
            sx[i] = x;
            sy[i] = y;
            sz[i] = z;
            so[i] = v - x - y - z;
        }
    }
    if n % 2 == 1 {
        // The last pair lacks its second cell.
        (so[n], sx[n], sy[n], sz[n]) = (T::of(0.0), T::of(0.0), T::of(0.0), T::of(0.0));
    }
    if !halve {
        let add = |to: &mut [T], s: &Strip<T>| {
            for (t, &s) in to[first..first + n].iter_mut().zip(s) {
                *t += s;
            }
        };
        add(own, so);
        if let Some(y) = y {
            add(y, sy);
        }
        if let Some(z) = z {
            add(z, sz);
        }
        return;
    }
    let half = first / 2;
    let pairs = n.div_ceil(2);
    let nc = own.len();
    sum_pairs(&mut own[half..half + pairs], so);
    if let Some(y) = y {
        sum_pairs(&mut y[half..half + pairs], sy);
    }
    if let Some(z) = z {
        sum_pairs(&mut z[half..half + pairs], sz);
    }
    // Even cells give to the coarse cell below, odd ones to that above.
    if half > 0 {
        own[half - 1] += sx[0];
    } else if wrap {
        own[nc - 1] += sx[0];
    }
    for p in 1..pairs {
        own[half + p - 1] += sx[2 * p];
    }
    for p in 0..pairs - 1 {
        own[half + p + 1] += sx[2 * p + 1];
    }
    if half + pairs < nc {
        own[half + pairs] += sx[2 * pairs - 1];
    } else if wrap {
        own[0] += sx[2 * pairs - 1];
    }
}

#[inline(always)]
fn sum_pairs<T: Scalar>(to: &mut [T], s: &Strip<T>) {
    for (t, s) in to.iter_mut().zip(s.chunks_exact(2)) {
        *t += s[0] + s[1];
    }
}
