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
    if let Some([bx, by, bz, a]) = w.uniform()
        && n.is_multiple_of(2)
    {
        // Weights across are the same for the whole row: mix the coarse rows before they are spread.
        let (o, y, z) = (&own[half..half + pairs], &y[half..half + pairs], &z[half..half + pairs]);
        let mixed = &mut strips.own[..pairs];
        for i in 0..pairs {
            mixed[i] = a * (o[i] + by * (y[i] - o[i]) + bz * (z[i] - o[i]));
        }
        let at = |i: Option<usize>| i.map_or(zero, |i| own[i]);
        let low = at(if half > 0 { Some(half - 1) } else { wrap.then_some(nc - 1) });
        let high = at(if half + pairs < nc { Some(half + pairs) } else { wrap.then_some(0) });
        let b = a * bx;
        // The ends of the row have weights of their own.
        let ends = |i: usize, neighbour: T, o: T, mixed: T| {
            // SAFETY: the caller's.
            let [bx, _, _, end] = unsafe { w.at(i) };
            if i == 0 || i + 1 == 2 * nc {
                let scale = if a == zero { zero } else { end / a };
                mixed * scale + end * bx * (neighbour - o)
            } else {
                mixed + b * (neighbour - o)
            }
        };
        e[0] += ends(first, low, o[0], mixed[0]);
        if pairs > 1 {
            e[1] += mixed[0] + b * (o[1] - o[0]);
            e[n - 2] += mixed[pairs - 1] + b * (o[pairs - 2] - o[pairs - 1]);
        }
        // Both cells of a pair at once, so that they are loaded and stored side by side.
        let inner = pairs.saturating_sub(2);
        let inside = &mut e[2.min(n)..][..2 * inner];
        for (i, pair) in inside.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            // SAFETY: i + 2 < pairs, the length of all.
            let (low, own, high, mixed) = unsafe {
                (
                    *o.get_unchecked(i),
                    *o.get_unchecked(i + 1),
                    *o.get_unchecked(i + 2),
                    *mixed.get_unchecked(i + 1),
                )
            };
            *pair = [pair[0] + (mixed + b * (low - own)), pair[1] + (mixed + b * (high - own))];
        }
        e[n - 1] += ends(first + n - 1, high, o[pairs - 1], mixed[pairs - 1]);
        return;
    }
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
    if halve
        && n.is_multiple_of(2)
        && let Some(weights) = w.uniform()
    {
        // SAFETY: the caller's.
        return unsafe { restrict_uniform(w, weights, first, r, own, y, z, wrap, &mut strips.own) };
    }
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

/// [`restrict`] for weights that are the same along the row but at its ends.
#[allow(clippy::too_many_arguments)]
#[inline(always)]
unsafe fn restrict_uniform<T: Scalar>(
    w: impl WeightRow<T>,
    [bx, by, bz, a]: [T; 4],
    first: usize,
    r: &[T],
    own: &mut [T],
    y: Option<&mut [T]>,
    z: Option<&mut [T]>,
    wrap: bool,
    sums: &mut Strip<T>,
) {
    let (n, nc, half) = (r.len(), own.len(), first / 2);
    let pairs = n / 2;
    let sums = &mut sums[..pairs];
    for (sum, pair) in sums.iter_mut().zip(r.as_chunks::<2>().0) {
        *sum = a * (pair[0] + pair[1]);
    }
    // The ends of the row have weights of their own: what their cell gives along x, and what its pair loses by α.
    let end = |i: usize, v: T| {
        // SAFETY: the caller's.
        let [bx, _, _, end] = unsafe { w.at(i) };
        (end * bx * v, (a - end) * v)
    };
    let (first_gives, first_loses) = if first == 0 { end(0, r[0]) } else { (a * bx * r[0], T::of(0.0)) };
    let last = first + n == 2 * nc;
    let (last_gives, last_loses) =
        if last { end(first + n - 1, r[n - 1]) } else { (a * bx * r[n - 1], T::of(0.0)) };
    sums[0] -= first_loses;
    sums[pairs - 1] -= last_loses;
    let b = a * bx;
    let stay = T::of(1.0) - bx - by - bz;
    let o = &mut own[half..half + pairs];
    o[0] += stay * sums[0];
    if pairs > 1 {
        o[0] += b * r[2];
        o[pairs - 1] += stay * sums[pairs - 1] + b * r[n - 3];
    }
    // A coarse cell with what its two neighbours' nearer cells give.
    for i in 1..pairs.max(1) - 1 {
        // SAFETY: 0 < i < pairs − 1, and r is twice as long.
        unsafe {
            let given = *r.get_unchecked(2 * i - 1) + *r.get_unchecked(2 * i + 2);
            *o.get_unchecked_mut(i) += stay * *sums.get_unchecked(i) + b * given;
        }
    }
    // What an end does not give along x stays with its own coarse cell.
    if first == 0 {
        o[0] += bx * (a * r[0] - first_loses) - first_gives;
    }
    if last {
        o[pairs - 1] += bx * (a * r[n - 1] - last_loses) - last_gives;
    }
    if half > 0 {
        own[half - 1] += first_gives;
    } else if wrap {
        own[nc - 1] += first_gives;
    }
    if !last {
        own[half + pairs] += last_gives;
    } else if wrap {
        own[0] += last_gives;
    }
    if let Some(y) = y {
        y[half..half + pairs].iter_mut().zip(sums.iter()).for_each(|(y, &s)| *y += by * s);
    }
    if let Some(z) = z {
        z[half..half + pairs].iter_mut().zip(sums.iter()).for_each(|(z, &s)| *z += bz * s);
    }
}

#[inline(always)]
fn sum_pairs<T: Scalar>(to: &mut [T], s: &Strip<T>) {
    for (t, s) in to.iter_mut().zip(s.chunks_exact(2)) {
        *t += s[0] + s[1];
    }
}
