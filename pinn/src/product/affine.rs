//! C = A B + b, with A packed.

use super::Rows;
use crate::simd::{Kernel, Real, Vector};

/// The rows of panel `p` of `panels`.
#[inline(always)]
fn bounds(rows: usize, panels: usize, p: usize) -> (usize, usize) {
    (rows * p / panels, rows * (p + 1) / panels)
}

/// Copies a matrix into the order in which [`affine`] reads it: panels of rows, each by columns. `entry(i, k)` is at
/// `a[i · row + k · column]`.
pub struct Pack<'a, T> {
    pub a: &'a [T],
    pub row: usize,
    pub column: usize,
    pub rows: usize,
    pub depth: usize,
    /// `rows · depth` numbers.
    pub packed: &'a mut [T],
}

impl<T: Real> Kernel<T> for Pack<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let panels = self.rows.div_ceil(V::ROWS);
        for p in 0..panels {
            let (first, last) = bounds(self.rows, panels, p);
            let m = last - first;
            let to = &mut self.packed[first * self.depth..last * self.depth];
            for (k, to) in to.chunks_exact_mut(m).enumerate() {
                for (i, to) in to.iter_mut().enumerate() {
                    *to = self.a[(first + i) * self.row + k * self.column];
                }
            }
        }
    }
}

/// C = A B, plus `bias` in the first `biased` columns. Multiplies and adds `2 · rows · depth · columns` times; a block of
/// two registers of columns stays in the nearest cache while every panel of A passes by.
pub struct Affine<'a, T> {
    /// From [`Pack`].
    pub a: &'a [T],
    pub bias: &'a [T],
    pub biased: usize,
    /// `depth` rows.
    pub b: Rows<T>,
    pub c: Rows<T>,
    /// A multiple of the grain.
    pub columns: usize,
}

/// # Safety
/// `columns` numbers in every row of `b` and `c`, which do not overlap; lengths as stated.
pub(crate) unsafe fn affine<T: Real>(product: Affine<T>) {
    debug_assert_eq!(product.a.len(), product.b.count * product.c.count);
    debug_assert!(product.columns.is_multiple_of(T::GRAIN) && product.biased.is_multiple_of(T::GRAIN));
    debug_assert!(product.biased == 0 || product.bias.len() == product.c.count);
    T::affine(product);
}

impl<T: Real> Kernel<T> for Affine<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let (rows, depth) = (self.c.count, self.b.count);
        let panels = rows.div_ceil(V::ROWS);
        for column in (0..self.columns).step_by(2 * V::LANES) {
            for p in 0..panels {
                let (first, last) = bounds(rows, panels, p);
                // SAFETY: the promise of `affine`; panel p starts at first · depth.
                unsafe {
                    let a = self.a.as_ptr().add(first * depth);
                    let bias =
                        if column < self.biased { self.bias[first..].as_ptr() } else { std::ptr::null() };
                    let (b, c) = (self.b.start.add(column), self.c.row(first).add(column));
                    let strides = (self.b.stride, self.c.stride);
                    macro_rules! panel {
                        ($($m:literal)*) => {
                            match last - first {
                                $($m => if $m <= V::ROWS { block::<T, V, $m>(depth, a, bias, b, c, strides) },)*
                                _ => unreachable!("a panel has 1 to {} rows", V::ROWS),
                            }
                        };
                    }
                    panel!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
                }
            }
        }
    }
}

/// `M` rows and two registers of columns.
#[inline(always)]
unsafe fn block<T: Real, V: Vector<T>, const M: usize>(
    depth: usize,
    mut a: *const T,
    bias: *const T,
    mut b: *const T,
    c: *mut T,
    (b_stride, c_stride): (usize, usize),
) {
    // SAFETY: the promise of `affine`.
    unsafe {
        let mut sums = [[V::splat(T::of(0.0)); 2]; M];
        if !bias.is_null() {
            for i in 0..M {
                sums[i] = [V::splat(*bias.add(i)); 2];
            }
        }
        for _ in 0..depth {
            let (left, right) = (V::load(b), V::load(b.add(V::LANES)));
            for i in 0..M {
                let v = V::splat(*a.add(i));
                sums[i] = [v.mul_add(left, sums[i][0]), v.mul_add(right, sums[i][1])];
            }
            a = a.add(M);
            b = b.add(b_stride);
        }
        for i in 0..M {
            let c = c.add(i * c_stride);
            sums[i][0].store(c);
            sums[i][1].store(c.add(V::LANES));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Real>(rows: usize, depth: usize, grains: usize, tolerance: f64) {
        let columns = grains * T::GRAIN;
        let stride = columns + 3;
        let entry = |i: usize| T::of(((i * 37) % 101) as f64 / 50.0 - 1.0);
        let a: Vec<T> = (0..rows * depth).map(entry).collect();
        let mut b: Vec<T> = (0..depth * stride).map(|i| entry(i + 5)).collect();
        let mut c = vec![T::of(f64::NAN); rows * stride];
        let bias: Vec<T> = (0..rows).map(entry).collect();
        let mut packed = vec![T::of(0.0); rows * depth];
        T::pack(Pack { a: &a, row: depth, column: 1, rows, depth, packed: &mut packed });
        let (cb, cc) = (
            Rows { start: b.as_mut_ptr(), stride, count: depth },
            Rows { start: c.as_mut_ptr(), stride, count: rows },
        );
        // SAFETY: both have rows of `columns` numbers.
        unsafe { affine(Affine { a: &packed, bias: &bias, biased: T::GRAIN, b: cb, c: cc, columns }) };
        for i in 0..rows {
            for j in 0..columns {
                let mut sum: f64 = (0..depth).map(|k| a[i * depth + k].f64() * b[k * stride + j].f64()).sum();
                if j < T::GRAIN {
                    sum += bias[i].f64();
                }
                let got = c[i * stride + j].f64();
                assert!((got - sum).abs() <= tolerance * depth as f64, "{rows} × {depth}, ({i}, {j})");
            }
        }
    }

    #[test]
    fn products_match_plain_loops_at_every_height_of_a_panel() {
        for rows in (1..=30).chain([50, 128]) {
            check::<f32>(rows, 1 + rows % 7, 2, 1e-6);
            check::<f64>(rows, 1 + rows % 5, 3, 1e-14);
        }
        check::<f64>(3, 0, 1, 0.0);
    }
}
