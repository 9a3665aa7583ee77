//! Interpolation that follows the operator.

use super::operator::Planar;
use crate::Scalar;
use rayon::prelude::*;

/// Weights of the points around each coarse one. Coarse point (I, K) is the fine point (2I + 1, 2K + 1); block (I, K) holds
/// the fine points (2I, 2I + 1) × (2K, 2K + 1) as far as they exist, so there may be one more block than coarse points.
#[derive(Clone, Debug)]
pub(crate) struct Interpolation<T> {
    pub fine: [usize; 2],
    pub coarse: [usize; 2],
    /// Blocks along x; the arrays below have one entry a block.
    pub blocks: [usize; 2],
    /// The point left of the coarse one, from the coarse points west and east of it.
    pub west: [Vec<T>; 2],
    /// The point below the coarse one, from the coarse points south and north of it.
    pub south: [Vec<T>; 2],
    /// The point left below, from south-west, south-east, north-west and north-east.
    pub corner: [Vec<T>; 4],
}

impl<T: Scalar> Interpolation<T> {
    pub fn new<A: Planar<T>>(a: &A) -> Self {
        let fine = a.size();
        let coarse = fine.map(|n| n / 2);
        let blocks = fine.map(|n| n.div_ceil(2));
        let count = blocks[0] * blocks[1];
        let zeros = || vec![T::of(0.0); count];
        let (mut west, mut south) = ([zeros(), zeros()], [zeros(), zeros()]);
        // Along lines of coarse points: couplings across are lumped, so that constants are kept.
        let share = |low: f64, high: f64, diagonal: f64| {
            let d = if diagonal > 0.0 { diagonal } else { low + high };
            if d > 0.0 { [low / d, high / d] } else { [0.0; 2] }
        };
        let lines: Vec<[[f64; 2]; 2]> = (0..count)
            .into_par_iter()
            .map(|b| {
                let (x, z) = (2 * (b % blocks[0]), 2 * (b / blocks[0]));
                let mut w = [[0.0; 2]; 2];
                if z + 1 < fine[1] {
                    let c = a.couplings(x, z + 1);
                    w[0] = share(c[0] + c[3] + c[6], c[2] + c[5] + c[8], c[4] - c[1] - c[7]);
                }
                if x + 1 < fine[0] {
                    let c = a.couplings(x + 1, z);
                    w[1] = share(c[0] + c[1] + c[2], c[6] + c[7] + c[8], c[4] - c[3] - c[5]);
                }
                w
            })
            .collect();
        for (b, [w, s]) in lines.iter().enumerate() {
            for d in 0..2 {
                west[d][b] = T::of(w[d]);
                south[d][b] = T::of(s[d]);
            }
        }
        let corners: Vec<[f64; 4]> = (0..count)
            .into_par_iter()
            .map(|b| {
                let (i, k) = (b % blocks[0], b / blocks[0]);
                let c = a.couplings(2 * i, 2 * k);
                if c[4] <= 0.0 {
                    return [0.0; 4];
                }
                let line = |exists: bool, b: usize, d: usize| if exists { lines[b][d] } else { [0.0; 2] };
                // Left and right are points below coarse ones; below and above, points left of coarse ones.
                let left = line(i > 0, b.wrapping_sub(1), 1);
                let right = line(2 * i + 1 < fine[0], b, 1);
                let below = line(k > 0, b.wrapping_sub(blocks[0]), 0);
                let above = line(2 * k + 1 < fine[1], b, 0);
                [
                    c[0] + c[3] * left[0] + c[1] * below[0],
                    c[2] + c[5] * right[0] + c[1] * below[1],
                    c[6] + c[3] * left[1] + c[7] * above[0],
                    c[8] + c[5] * right[1] + c[7] * above[1],
                ]
                .map(|v| v / c[4])
            })
            .collect();
        let corner = std::array::from_fn(|q| corners.iter().map(|w| T::of(w[q])).collect());
        Self { fine, coarse, blocks, west, south, corner }
    }

    /// The weights of coarse point (i, k) at the fine points around it, row by row from south-west to north-east; 0 where
    /// there is none.
    pub fn basis(&self, i: usize, k: usize) -> [f64; 9] {
        let nb = self.blocks[0];
        let at = |v: &[T], i: usize, k: usize| {
            if i < nb && k < self.blocks[1] { v[i + nb * k].f64() } else { 0.0 }
        };
        [
            at(&self.corner[3], i, k),
            at(&self.south[1], i, k),
            at(&self.corner[2], i + 1, k),
            at(&self.west[1], i, k),
            1.0,
            at(&self.west[0], i + 1, k),
            at(&self.corner[1], i, k + 1),
            at(&self.south[0], i, k + 1),
            at(&self.corner[0], i + 1, k + 1),
        ]
    }

    /// e ← e + P x on fine row `z`.
    #[inline(always)]
    pub fn prolong(&self, x: &[T], z: usize, e: &mut [T]) {
        let [cx, cz] = self.coarse;
        let nb = self.blocks[0];
        let k = z / 2;
        let row = |v: &Vec<T>| k * nb..(k * nb + nb).min(v.len());
        if z % 2 == 1 {
            let x = &x[k * cx..(k + 1) * cx];
            let (w, o) = (&self.west[0][row(&self.west[0])], &self.west[1][row(&self.west[1])]);
            spread(e, x, None, o, w);
            return;
        }
        for (up, exists) in [(0, k > 0), (1, k < cz)] {
            if !exists {
                continue;
            }
            let from = k + up - 1;
            let x = &x[from * cx..(from + 1) * cx];
            let s = &self.south[up][row(&self.south[up])];
            let (w, o) = (
                &self.corner[2 * up][row(&self.corner[2 * up])],
                &self.corner[2 * up + 1][row(&self.south[up])],
            );
            spread(e, x, Some(s), o, w);
        }
    }

    /// out ← row `k` of Pᵀr, from the fine rows 2k, 2k + 1 and, if there is one, 2k + 2.
    #[inline(always)]
    pub fn restrict(&self, [low, mid, high]: [Option<&[T]>; 3], k: usize, out: &mut [T]) {
        let nb = self.blocks[0];
        let cx = self.coarse[0];
        let row = |v: &Vec<T>, k: usize| k * nb..(k * nb + nb).min(v.len());
        let mut add = |r: &[T], centre_of: Option<&[T]>, w: &[T], o: &[T]| {
            // `o` weighs the point to the left for its own block, `w` that to the right from the next block.
            let one = T::of(1.0);
            let inner = nb - 1;
            for i in 0..inner {
                // SAFETY: i < cx, i + 1 < nb and 2i + 2 < nx, the lengths of all.
                unsafe {
                    let centre = *r.get_unchecked(2 * i + 1);
                    let centre = centre * centre_weight(centre_of, i, one);
                    let own = *o.get_unchecked(i) * *r.get_unchecked(2 * i);
                    let next = *w.get_unchecked(i + 1) * *r.get_unchecked(2 * i + 2);
                    let out = out.get_unchecked_mut(i);
                    *out = *out + centre + own + next;
                }
            }
            for i in inner..cx {
                let centre = centre_of.map_or(one, |s| s[i]);
                out[i] = out[i] + centre * r[2 * i + 1] + o[i] * r[2 * i];
            }
        };
        if let Some(r) = mid {
            let (w, o) = (&self.west[0], &self.west[1]);
            add(r, None, &w[row(w, k)], &o[row(o, k)]);
        }
        if let Some(r) = low {
            let (s, w, o) = (&self.south[1], &self.corner[2], &self.corner[3]);
            add(r, Some(&s[row(s, k)]), &w[row(w, k)], &o[row(o, k)]);
        }
        if let Some(r) = high {
            let (s, w, o) = (&self.south[0], &self.corner[0], &self.corner[1]);
            add(r, Some(&s[row(s, k + 1)]), &w[row(w, k + 1)], &o[row(o, k + 1)]);
        }
    }
}

/// The weight of a coarse point at the fine point that it is, or, where they are given, at the one below or above.
///
/// # Safety
/// `i` is less than the number of weights.
#[inline(always)]
unsafe fn centre_weight<T: Scalar>(weights: Option<&[T]>, i: usize, one: T) -> T {
    // SAFETY: the caller's.
    weights.map_or(one, |s| unsafe { *s.get_unchecked(i) })
}

/// e ← e + what a row `x` of coarse points gives to a row of fine ones: `centre` (1 when absent) to the points beside the
/// coarse ones, `own` to the points left of them, `next` to the points right of them, from the next block. Both points of a
/// block at once, so that they are loaded and stored side by side.
#[inline(always)]
fn spread<T: Scalar>(e: &mut [T], x: &[T], centre: Option<&[T]>, own: &[T], next: &[T]) {
    let (cx, one) = (x.len(), T::of(1.0));
    let Some(&first) = x.first() else { return };
    let weight = |i: usize| centre.map_or(one, |s| s[i]);
    e[0] += own[0] * first;
    e[1] += weight(0) * first;
    for (i, pair) in e[2..2 * cx].as_chunks_mut::<2>().0.iter_mut().enumerate() {
        // SAFETY: i + 1 < cx, and there is a weight for each.
        unsafe {
            let (low, x) = (*x.get_unchecked(i), *x.get_unchecked(i + 1));
            let centre = centre_weight(centre, i + 1, one);
            let left = *own.get_unchecked(i + 1) * x + *next.get_unchecked(i + 1) * low;
            *pair = [pair[0] + left, pair[1] + centre * x];
        }
    }
    if let Some(&w) = next.get(cx) {
        e[2 * cx] += w * x[cx - 1];
    }
}
