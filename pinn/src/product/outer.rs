//! Inner products of rows, summed over tiles: the gradient of a layer's weights.

use super::Rows;
use crate::simd::{Kernel, Real, Vector};

/// S += X Gᵀ over the columns of a tile, where S is kept by blocks of [`Vector::BLOCK`], each a run of sums. A block is a
/// register of running sums for each of its entries, added across lanes by a transposition once a tile.
pub struct Outer<'a, T> {
    pub x: Rows<T>,
    pub g: Rows<T>,
    pub columns: usize,
    /// [`length`] numbers.
    pub sums: &'a mut [T],
}

/// # Safety
/// `columns` numbers in every row, a multiple of the grain.
pub(crate) unsafe fn outer<T: Real>(product: Outer<T>) {
    debug_assert_eq!(product.sums.len(), length::<T>(product.x.count, product.g.count));
    T::outer(product);
}

/// How long the blocked sums of an `x × g` gradient are.
pub(crate) fn length<T: Real>(x: usize, g: usize) -> usize {
    let block = block_of::<T>();
    x.div_ceil(block[0]) * g.div_ceil(block[1]) * block[0] * block[1]
}

fn block_of<T: Real>() -> [usize; 2] {
    struct Block;
    impl<T> Kernel<T> for Block {
        type Output = [usize; 2];
        #[inline(always)]
        fn run<V: Vector<T>>(self) -> [usize; 2] {
            V::BLOCK
        }
    }
    T::dispatch(Block)
}

/// Writes blocked sums as a matrix `[x, g]`, row by row, times `factor`.
pub(crate) fn unblock<T: Real>(sums: &[T], x: usize, g: usize, factor: T, to: &mut [T]) {
    let [height, width] = block_of::<T>();
    let size = height * width;
    let blocks = sums.chunks_exact(g.div_ceil(width) * size);
    for (blocks, rows) in blocks.zip(to[..x * g].chunks_mut(height * g)) {
        for (r, row) in rows.chunks_exact_mut(g).enumerate() {
            for (block, to) in blocks.chunks_exact(size).zip(row.chunks_mut(width)) {
                to.iter_mut().zip(&block[r * width..]).for_each(|(to, v)| *to = factor * *v);
            }
        }
    }
}

impl<T: Real> Kernel<T> for Outer<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let [height, width] = V::BLOCK;
        let across = self.g.count.div_ceil(width);
        // A few rows of G stay in the nearest cache while X passes by.
        let group = 8 / width;
        for first in (0..across).step_by(group) {
            for i in (0..self.x.count).step_by(height) {
                for q in first..across.min(first + group) {
                    let j = q * width;
                    let (m, n) = (height.min(self.x.count - i), width.min(self.g.count - j));
                    // SAFETY: the promise of `outer`; the block lies within the sums.
                    unsafe {
                        let (x, g) = (self.x.row(i), self.g.row(j));
                        let strides = (self.x.stride, self.g.stride);
                        let sums = self.sums.as_mut_ptr().add((i / height * across + q) * height * width);
                        macro_rules! sizes {
                            ($($m:literal $n:literal),*) => {
                                match (m, n) {
                                    $(($m, $n) => if $n <= V::BLOCK[1] {
                                        block::<T, V, $m, $n>(self.columns, x, g, strides, sums)
                                    },)*
                                    _ => unreachable!("a block has 1 to 4 rows and columns"),
                                }
                            };
                        }
                        sizes!(1 1, 1 2, 1 3, 1 4, 2 1, 2 2, 2 3, 2 4, 3 1, 3 2, 3 3, 3 4, 4 1, 4 2, 4 3, 4 4);
                    }
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn block<T: Real, V: Vector<T>, const M: usize, const N: usize>(
    columns: usize,
    x: *const T,
    g: *const T,
    (x_stride, g_stride): (usize, usize),
    sums: *mut T,
) {
    // SAFETY: the promise of `outer`.
    unsafe {
        let mut acc = [[V::splat(T::of(0.0)); N]; M];
        for column in (0..columns).step_by(V::LANES) {
            let mut right = [V::splat(T::of(0.0)); N];
            for j in 0..N {
                right[j] = V::load(g.add(j * g_stride + column));
            }
            for i in 0..M {
                let left = V::load(x.add(i * x_stride + column));
                for j in 0..N {
                    acc[i][j] = left.mul_add(right[j], acc[i][j]);
                }
            }
        }
        let mut flat = [V::splat(T::of(0.0)); 16];
        for i in 0..M {
            for j in 0..N {
                flat[i * V::BLOCK[1] + j] = acc[i][j];
            }
        }
        let mut first = 0;
        while first < V::BLOCK[0] * V::BLOCK[1] {
            let sum = V::sums(&flat[first..first + V::LANES]);
            (V::load(sums.add(first)) + sum).store(sums.add(first));
            first += V::LANES;
        }
    }
}

/// `out[r] +=` the sum of the first `columns` numbers of row r.
pub struct RowSums<'a, T> {
    pub g: Rows<T>,
    pub columns: usize,
    pub out: &'a mut [T],
}

impl<T: Real> Kernel<T> for RowSums<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        for (r, out) in self.out.iter_mut().enumerate() {
            // SAFETY: every row has `columns` numbers, a multiple of the grain.
            unsafe {
                let row = self.g.row(r);
                let mut flat = [V::splat(T::of(0.0)); 16];
                for column in (0..self.columns).step_by(2 * V::LANES) {
                    flat[0] = flat[0] + V::load(row.add(column));
                    flat[1] = flat[1] + V::load(row.add(column + V::LANES));
                }
                flat[0] = flat[0] + flat[1];
                flat[1] = V::splat(T::of(0.0));
                let mut lanes = [T::of(0.0); 16];
                V::sums(&flat[..V::LANES]).store(lanes.as_mut_ptr());
                *out += lanes[0];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Real>(m: usize, n: usize, grains: usize, tolerance: f64) {
        let columns = grains * T::GRAIN;
        let stride = columns + 5;
        let entry = |i: usize| T::of(((i * 37) % 101) as f64 / 50.0 - 1.0);
        let mut x: Vec<T> = (0..m * stride).map(entry).collect();
        let mut g: Vec<T> = (0..n * stride).map(|i| entry(i + 7)).collect();
        let mut sums = vec![T::of(0.0); length::<T>(m, n)];
        let (rx, rg) = (
            Rows { start: x.as_mut_ptr(), stride, count: m },
            Rows { start: g.as_mut_ptr(), stride, count: n },
        );
        for _ in 0..2 {
            // SAFETY: both have rows of `columns` numbers.
            unsafe { outer(Outer { x: rx, g: rg, columns, sums: &mut sums }) };
        }
        let mut all = vec![T::of(f64::NAN); m * n];
        unblock(&sums, m, n, T::of(0.5), &mut all);
        for (at, v) in all.iter().enumerate() {
            let (i, j) = (at / n, at % n);
            let sum: f64 = (0..columns).map(|c| x[i * stride + c].f64() * g[j * stride + c].f64()).sum();
            assert!((v.f64() - sum).abs() <= tolerance * columns as f64, "{m} × {n}, ({i}, {j})");
        }
        let mut rows = vec![T::of(1.0); m];
        T::row_sums(RowSums { g: rx, columns, out: &mut rows });
        for (i, v) in rows.iter().enumerate() {
            let sum: f64 = (0..columns).map(|c| x[i * stride + c].f64()).sum();
            assert!((v.f64() - 1.0 - sum).abs() <= tolerance * columns as f64);
        }
    }

    #[test]
    fn gradients_match_plain_loops_at_ragged_sizes() {
        for (m, n) in [(1, 1), (2, 3), (4, 4), (5, 9), (7, 2), (50, 13), (3, 50)] {
            check::<f32>(m, n, 2, 1e-6);
            check::<f64>(m, n, 3, 1e-15);
        }
    }
}
