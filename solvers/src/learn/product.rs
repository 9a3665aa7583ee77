//! Products of row-major matrices, by `faer`, cut so that the bits do not depend on the number of threads.
//!
//! Rows of a result are shared in blocks of a fixed length; a sum over many rows is made group by group, and the groups,
//! whose bounds depend on the number of rows alone, are added in order.

use crate::Scalar;
use crate::host::simd::{Kernel, dispatch};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

/// Rows worked on at a time: with 64 columns of f32 a block is 64 KiB, which stays in the second-level cache.
pub(super) const ROWS: usize = 256;
/// A product of fewer multiplications is not worth a second thread.
const SHARED: usize = 1 << 19;
/// The most groups a sum over rows is cut into.
const GROUPS: usize = 16;

/// Entries that a thread takes of an elementwise loop.
pub(super) const ENTRIES: usize = 1 << 14;

/// Whether a product of this many multiplications is shared among threads.
pub(super) fn shared(rows: usize, inner: usize, cols: usize) -> bool {
    rows.saturating_mul(inner).saturating_mul(cols) >= SHARED && rayon::current_num_threads() > 1
}

fn matrix<T>(v: &[T], cols: usize) -> MatRef<'_, T> {
    MatRef::from_row_major_slice(v, v.len().checked_div(cols).unwrap_or(0), cols)
}

fn matrix_mut<T>(v: &mut [T], cols: usize) -> MatMut<'_, T> {
    let rows = v.len().checked_div(cols).unwrap_or(0);
    MatMut::from_row_major_slice_mut(v, rows, cols)
}

fn accum(add: bool) -> Accum {
    if add { Accum::Add } else { Accum::Replace }
}

/// y ← x w (+ y) on one thread: x `[n, inner]`, w `[inner, cols]`, y `[n, cols]`.
pub(super) fn multiply<T: Scalar>(x: &[T], w: &[T], inner: usize, cols: usize, add: bool, y: &mut [T]) {
    if y.is_empty() {
        return;
    }
    if inner == 0 {
        if !add {
            y.fill(T::of(0.0));
        }
        return;
    }
    matmul(matrix_mut(y, cols), accum(add), matrix(x, inner), matrix(w, cols), T::of(1.0), Par::Seq);
}

/// y ← g wᵀ (+ y): g `[n, cols]`, w `[inner, cols]`, y `[n, inner]`; blocks of rows are shared among threads.
pub(super) fn multiply_transposed<T: Scalar>(
    g: &[T],
    w: &[T],
    inner: usize,
    cols: usize,
    add: bool,
    y: &mut [T],
) {
    if y.is_empty() {
        return;
    }
    if cols == 0 {
        if !add {
            y.fill(T::of(0.0));
        }
        return;
    }
    let block = |g: &[T], y: &mut [T]| {
        let w = matrix(w, cols).transpose();
        matmul(matrix_mut(y, inner), accum(add), matrix(g, cols), w, T::of(1.0), Par::Seq);
    };
    if shared(y.len() / inner, inner, cols) {
        y.par_chunks_mut(ROWS * inner).zip(g.par_chunks(ROWS * cols)).for_each(|(y, g)| block(g, y));
    } else {
        y.chunks_mut(ROWS * inner).zip(g.chunks(ROWS * cols)).for_each(|(y, g)| block(g, y));
    }
}

/// The length of a group of rows: a function of their number alone, and a multiple of [`ROWS`].
pub(super) fn group(rows: usize) -> usize {
    rows.div_ceil(GROUPS).next_multiple_of(ROWS).max(ROWS)
}

/// w ← w + xᵀ g: x `[n, inner]`, g `[n, cols]`, w `[inner, cols]`. `partial` holds the groups' sums.
pub(super) fn add_gram<T: Scalar>(
    x: &[T],
    g: &[T],
    inner: usize,
    cols: usize,
    partial: &mut Vec<T>,
    w: &mut [T],
) {
    let (size, rows) = (inner * cols, g.len().checked_div(cols).unwrap_or(0));
    if size == 0 || rows == 0 {
        return;
    }
    let length = group(rows);
    let sum = |x: &[T], g: &[T], w: &mut [T]| {
        for (i, (x, g)) in x.chunks(ROWS * inner).zip(g.chunks(ROWS * cols)).enumerate() {
            let x = matrix(x, inner).transpose();
            matmul(matrix_mut(w, cols), accum(i > 0), x, matrix(g, cols), T::of(1.0), Par::Seq);
        }
    };
    partial.resize(rows.div_ceil(length) * size, T::of(0.0));
    if shared(rows, inner, cols) {
        let groups = x.par_chunks(length * inner).zip(g.par_chunks(length * cols));
        partial.par_chunks_mut(size).zip(groups).for_each(|(w, (x, g))| sum(x, g, w));
    } else {
        let groups = x.chunks(length * inner).zip(g.chunks(length * cols));
        partial.chunks_mut(size).zip(groups).for_each(|(w, (x, g))| sum(x, g, w));
    }
    add_groups(partial, w);
}

/// s ← s + the sum of the rows of g `[n, cols]`; `partial` holds the groups' sums.
pub(super) fn add_columns<T: Scalar>(g: &[T], cols: usize, partial: &mut Vec<T>, s: &mut [T]) {
    if g.is_empty() {
        return;
    }
    let length = group(g.len() / cols);
    let sum = |g: &[T], s: &mut [T]| dispatch(AddRows { g, s });
    partial.resize((g.len() / cols).div_ceil(length) * cols, T::of(0.0));
    if g.len() > 4 * ENTRIES {
        partial.par_chunks_mut(cols).zip(g.par_chunks(length * cols)).for_each(|(s, g)| sum(g, s));
    } else {
        partial.chunks_mut(cols).zip(g.chunks(length * cols)).for_each(|(s, g)| sum(g, s));
    }
    add_groups(partial, s);
}

/// s ← the sum of the rows of g, which are as long.
struct AddRows<'a, T> {
    g: &'a [T],
    s: &'a mut [T],
}

impl<T: Scalar> Kernel for AddRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { g, s } = self;
        let cols = s.len();
        s.fill(T::of(0.0));
        for g in g.chunks(cols) {
            let g = &g[..cols];
            for c in 0..cols {
                s[c] += g[c];
            }
        }
    }
}

fn add_groups<T: Scalar>(partial: &[T], sum: &mut [T]) {
    for partial in partial.chunks(sum.len()) {
        sum.iter_mut().zip(partial).for_each(|(s, &p)| *s += p);
    }
}

/// Runs `work(first row, rows)` on blocks of the rows of `y`, `[n, cols]`, which do not depend on each other.
pub(crate) fn each_rows<T: Send>(y: &mut [T], cols: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    if y.is_empty() {
        return;
    }
    let rows = (ENTRIES / cols).max(1);
    if y.len() <= 2 * ENTRIES {
        work(0, y);
    } else {
        y.par_chunks_mut(rows * cols).enumerate().for_each(|(i, y)| work(i * rows, y));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krylov::test::noise;

    #[test]
    fn products_match_plain_loops_at_ragged_sizes() {
        for (n, inner, cols) in [(0, 3, 2), (1, 1, 1), (5, 0, 3), (5, 3, 0), (300, 17, 65), (1000, 64, 33)] {
            let (x, w, g) = (noise(n * inner, 1), noise(inner * cols, 2), noise(n * cols, 3));
            let near = |a: f64, b: f64| (a - b).abs() < 1e-12 * (1.0 + (n + inner + cols) as f64);
            let mut y = vec![1.0; n * cols];
            multiply(&x, &w, inner, cols, false, &mut y);
            for i in 0..n {
                for j in 0..cols {
                    let sum: f64 = (0..inner).map(|k| x[i * inner + k] * w[k * cols + j]).sum();
                    assert!(near(y[i * cols + j], sum));
                }
            }
            let mut back = vec![1.0; n * inner];
            multiply_transposed(&g, &w, inner, cols, true, &mut back);
            for i in 0..n {
                for k in 0..inner {
                    let sum: f64 = (0..cols).map(|j| g[i * cols + j] * w[k * cols + j]).sum();
                    assert!(near(back[i * inner + k], 1.0 + sum));
                }
            }
            let (mut gram, mut sums, mut partial) = (vec![1.0; inner * cols], vec![1.0; cols], vec![]);
            add_gram(&x, &g, inner, cols, &mut partial, &mut gram);
            if cols > 0 {
                add_columns(&g, cols, &mut partial, &mut sums);
            }
            for j in 0..cols {
                for k in 0..inner {
                    let sum: f64 = (0..n).map(|i| x[i * inner + k] * g[i * cols + j]).sum();
                    assert!(near(gram[k * cols + j], 1.0 + sum));
                }
                assert!(near(sums[j], 1.0 + (0..n).map(|i| g[i * cols + j]).sum::<f64>()));
            }
        }
    }
}
