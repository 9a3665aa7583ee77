//! Real periodic functions of two variables as Fourier coefficients, dealiased.

use super::line::Line;
use rayon::prelude::*;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex64;
use rustfft::{Fft, FftPlanner};
use std::f64::consts::TAU;
use std::sync::Arc;

/// Values on n × n points, x slowest, and coefficients of e^{2πi(kx + ly)/L} with |k| ≤ K and 0 ≤ l ≤ K, the others being
/// conjugates: rows of one l, each with k = 0…K, −K…−1. K < n/(p + 1) for products of p factors, as in [`Line`].
pub(super) struct Plane {
    n: usize,
    /// K.
    top: usize,
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    columns_forward: Arc<dyn Fft<f64>>,
    columns_inverse: Arc<dyn Fft<f64>>,
    /// `[K + 1][n]`: transformed along y only, x fastest.
    half: Vec<Complex64>,
}

impl Plane {
    /// `n` × `n` points, for products of `degree` factors.
    pub fn new(n: usize, degree: usize) -> Self {
        let (mut real, mut complex) = (RealFftPlanner::new(), FftPlanner::new());
        let top = Line::kept(n, degree);
        Self {
            n,
            top,
            forward: real.plan_fft_forward(n),
            inverse: real.plan_fft_inverse(n),
            columns_forward: complex.plan_fft_forward(n),
            columns_inverse: complex.plan_fft_inverse(n),
            half: vec![Complex64::ZERO; (top + 1) * n],
        }
    }

    /// Points in each direction.
    pub fn n(&self) -> usize {
        self.n
    }

    /// The largest wave number kept.
    pub fn top(&self) -> usize {
        self.top
    }

    /// Coefficients, (K + 1)(2K + 1).
    pub const fn modes(top: usize) -> usize {
        (top + 1) * (2 * top + 1)
    }

    /// The pairs (k, l) of the coefficients with |k|, l ≤ `top`, in their order.
    pub fn pairs(top: usize) -> impl Iterator<Item = (i64, i64)> {
        let k = move |at: usize| if at <= top { at as i64 } else { at as i64 - 2 * top as i64 - 1 };
        (0..=top as i64).flat_map(move |l| (0..=2 * top).map(move |at| (k(at), l)))
    }

    /// Wave numbers 2π(k, l)/`length` of the coefficients.
    pub fn wave_numbers(&self, length: f64) -> Vec<[f64; 2]> {
        let scale = TAU / length;
        Self::pairs(self.top).map(|(k, l)| [scale * k as f64, scale * l as f64]).collect()
    }

    /// `values: [n][n]` of the coefficients `v`.
    pub fn values(&mut self, v: &[Complex64], values: &mut [f64]) {
        let Self { n, top, inverse, columns_inverse, half, .. } = self;
        let (n, top) = (*n, *top);
        half.par_chunks_mut(n).zip(v.par_chunks(2 * top + 1)).for_each_init(
            || vec![Complex64::ZERO; columns_inverse.get_inplace_scratch_len()],
            |scratch, (row, v)| {
                row[..=top].copy_from_slice(&v[..=top]);
                row[top + 1..n - top].fill(Complex64::ZERO);
                row[n - top..].copy_from_slice(&v[top + 1..]);
                columns_inverse.process_with_scratch(row, scratch);
            },
        );
        values.par_chunks_mut(n).enumerate().for_each_init(
            || (vec![Complex64::ZERO; n / 2 + 1], vec![Complex64::ZERO; inverse.get_scratch_len()]),
            |(spectrum, scratch), (x, row)| {
                spectrum.iter_mut().zip(half.chunks_exact(n)).for_each(|(s, h)| *s = h[x]);
                spectrum[top + 1..].fill(Complex64::ZERO);
                // The inverse of a row whose constant is real up to rounding.
                spectrum[0].im = 0.0;
                let done = inverse.process_with_scratch(spectrum, row, scratch);
                debug_assert!(done.is_ok());
            },
        );
    }

    /// The coefficients `v` of `values: [n][n]`, which are used up.
    pub fn coefficients(&mut self, values: &mut [f64], v: &mut [Complex64]) {
        let Self { n, top, forward, columns_forward, half, .. } = self;
        let (n, top, scale) = (*n, *top, 1.0 / (*n * *n) as f64);
        // Rows first, each kept up to K in place of its values: 2(K + 1) ≤ n numbers.
        values.par_chunks_mut(n).for_each_init(
            || (vec![Complex64::ZERO; n / 2 + 1], vec![Complex64::ZERO; forward.get_scratch_len()]),
            |(spectrum, scratch), row| {
                let done = forward.process_with_scratch(row, spectrum, scratch);
                debug_assert!(done.is_ok());
                row.chunks_exact_mut(2).zip(&spectrum[..=top]).for_each(|(r, s)| {
                    r.copy_from_slice(&[s.re, s.im]);
                });
            },
        );
        let rows: &[f64] = values;
        half.par_chunks_mut(n).zip(v.par_chunks_mut(2 * top + 1)).enumerate().for_each_init(
            || vec![Complex64::ZERO; columns_forward.get_inplace_scratch_len()],
            |scratch, (l, (column, v))| {
                column.iter_mut().zip(rows.chunks_exact(n)).for_each(|(c, row)| {
                    *c = Complex64::new(row[2 * l] * scale, row[2 * l + 1] * scale);
                });
                columns_forward.process_with_scratch(column, scratch);
                v[..=top].copy_from_slice(&column[..=top]);
                v[top + 1..].copy_from_slice(&column[n - top..]);
            },
        );
    }
}

/// ‖a − b‖ and ‖a‖ in L², squared, of functions with coefficients up to `a_top` and `b_top` ≤ `a_top`.
pub(super) fn distance(a: &[Complex64], a_top: usize, b: &[Complex64], b_top: usize) -> (f64, f64) {
    let (mut difference, mut size) = (0.0, 0.0);
    let (width, near) = (2 * b_top + 1, b_top as i64);
    for (a, (k, l)) in a.iter().zip(Plane::pairs(a_top)) {
        let inside = k.abs() <= near && l <= near;
        let at = l as usize * width + k.rem_euclid(width as i64) as usize;
        let b = if inside { b[at] } else { Complex64::ZERO };
        let weight = if l == 0 { 1.0 } else { 2.0 };
        difference += weight * (a - b).norm_sqr();
        size += weight * a.norm_sqr();
    }
    (difference, size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(x: f64, y: f64) -> f64 {
        0.5 + (2.0 * x - y).cos() - 0.3 * (3.0 * y).sin() + 0.7 * (x + 2.0 * y).sin() * x.cos()
    }

    fn sample(n: usize) -> Vec<f64> {
        let at = |j: usize| TAU * j as f64 / n as f64;
        (0..n * n).map(|i| function(at(i / n), at(i % n))).collect()
    }

    #[test]
    fn a_trigonometric_polynomial_survives_both_ways() {
        for (n, degree) in [(16, 2), (18, 2), (20, 3), (15, 2)] {
            let mut plane = Plane::new(n, degree);
            let mut v = vec![Complex64::ZERO; Plane::modes(plane.top())];
            let mut back = vec![0.0; n * n];
            plane.coefficients(&mut sample(n), &mut v);
            plane.values(&v, &mut back);
            for (a, b) in back.iter().zip(sample(n)) {
                assert!((a - b).abs() < 1e-14, "n {n}: {a} {b}");
            }
            let at = Plane::pairs(plane.top()).position(|p| p == (-2, 1)).unwrap();
            assert!((v[at] - 0.5).norm() < 1e-15, "cos(2x − y)");
        }
    }

    #[test]
    fn distances_do_not_depend_on_the_truncation() {
        let of = |n: usize| {
            let mut plane = Plane::new(n, 2);
            let mut v = vec![Complex64::ZERO; Plane::modes(plane.top())];
            plane.coefficients(&mut sample(n), &mut v);
            (v, plane.top())
        };
        let ((a, a_top), (mut b, b_top)) = (of(32), of(16));
        let (difference, size) = distance(&a, a_top, &b, b_top);
        let mean = sample(32).iter().map(|v| v * v).sum::<f64>() / 1024.0;
        assert!(difference < 1e-28 && (size - mean).abs() < 1e-14);
        b[1] += 0.5;
        b[2 * b_top] += 0.5;
        assert!((distance(&a, a_top, &b, b_top).0 - 0.5).abs() < 1e-14);
    }
}
