//! Real periodic functions of one variable as Fourier coefficients, dealiased.

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex64;
use std::f64::consts::TAU;
use std::sync::Arc;

/// Coefficients 0 to K of e^{2πikx/L}, and values at n points jL/n. The others are conjugates; K < n/(p + 1), so that
/// products of p factors have no aliases among those kept: the 2/3 rule for p = 2, 1/2 for p = 3.
///
/// # Reference
/// S. A. Orszag, "On the elimination of aliasing in finite-difference schemes by filtering high-wavenumber components",
/// J. Atmos. Sci. 28 (1971), 1074, 10.1175/1520-0469(1971)028<1074:OTEOAI>2.0.CO;2.
pub(super) struct Line {
    n: usize,
    modes: usize,
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    spectrum: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl Line {
    /// `n` points, for products of `degree` factors.
    pub fn new(n: usize, degree: usize) -> Self {
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(n), planner.plan_fft_inverse(n));
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        let spectrum = vec![Complex64::ZERO; n / 2 + 1];
        Self {
            n,
            modes: Self::kept(n, degree) + 1,
            forward,
            inverse,
            spectrum,
            scratch: vec![Complex64::ZERO; scratch],
        }
    }

    /// The largest wave number kept on `n` points.
    pub const fn kept(n: usize, degree: usize) -> usize {
        (n - 1) / (degree + 1)
    }

    /// Points.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Coefficients, K + 1.
    pub fn modes(&self) -> usize {
        self.modes
    }

    /// Wave numbers 2πk/`length` of the coefficients.
    pub fn wave_numbers(&self, length: f64) -> impl Iterator<Item = f64> + use<> {
        (0..self.modes).map(move |k| TAU * k as f64 / length)
    }

    /// `values: [n]` of the coefficients `v: [modes]`.
    pub fn values(&mut self, v: &[Complex64], values: &mut [f64]) {
        self.spectrum[..self.modes].copy_from_slice(v);
        self.spectrum[0].im = 0.0;
        self.spectrum[self.modes..].fill(Complex64::ZERO);
        // The lengths are those of the plan.
        let done = self.inverse.process_with_scratch(&mut self.spectrum, values, &mut self.scratch);
        debug_assert!(done.is_ok());
    }

    /// The coefficients `v: [modes]` of `values: [n]`, which are used up.
    pub fn coefficients(&mut self, values: &mut [f64], v: &mut [Complex64]) {
        let done = self.forward.process_with_scratch(values, &mut self.spectrum, &mut self.scratch);
        debug_assert!(done.is_ok());
        let scale = 1.0 / self.n as f64;
        v.iter_mut().zip(&self.spectrum).for_each(|(v, s)| *v = s * scale);
    }
}

/// ‖a − b‖ and ‖a‖ in L², squared, of functions with coefficients `a` and `b`, those that are absent being zero.
pub(super) fn distance(a: &[Complex64], b: &[Complex64]) -> (f64, f64) {
    let (mut difference, mut size) = (0.0, 0.0);
    for k in 0..a.len().max(b.len()) {
        let at = |v: &[Complex64]| v.get(k).copied().unwrap_or(Complex64::ZERO);
        let weight = if k == 0 { 1.0 } else { 2.0 };
        difference += weight * (at(a) - at(b)).norm_sqr();
        size += weight * at(a).norm_sqr();
    }
    (difference, size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_kept_modes_have_no_aliases() {
        for (n, degree) in [(32, 2), (48, 2), (32, 3), (36, 3)] {
            let mut line = Line::new(n, degree);
            let top = line.modes() - 1;
            let mut v = vec![Complex64::ZERO; line.modes()];
            v[top] = Complex64::new(0.25, -0.5);
            let mut values = vec![0.0; n];
            line.values(&v, &mut values);
            values.iter_mut().for_each(|u| *u = u.powi(degree as i32));
            let mut product = v.clone();
            line.coefficients(&mut values, &mut product);
            // (a e^{iK} + ā e^{−iK})^p within 0…K.
            let square = v[top].norm_sqr();
            let expected = if degree == 2 { (0, square * 2.0) } else { (top, square * 3.0) };
            for (k, p) in product.iter().enumerate() {
                let wanted = match expected {
                    (at, c) if at == k && degree == 2 => Complex64::from(c),
                    (at, c) if at == k => v[top] * c,
                    _ => Complex64::ZERO,
                };
                assert!((p - wanted).norm() < 1e-15, "n {n}, degree {degree}, k {k}: {p} {wanted}");
            }
        }
    }

    #[test]
    fn the_distance_is_that_of_the_functions() {
        let mut line = Line::new(64, 2);
        let (mut a, mut b) = (vec![0.0; 64], vec![0.0; 64]);
        for j in 0..64 {
            let x = TAU * j as f64 / 64.0;
            a[j] = 1.0 + x.sin() + (3.0 * x).cos();
            b[j] = x.sin() * 0.5;
        }
        let direct: f64 = a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / 64.0;
        let (mut v, mut w) = (vec![Complex64::ZERO; line.modes()], vec![Complex64::ZERO; line.modes()]);
        line.coefficients(&mut a, &mut v);
        line.coefficients(&mut b, &mut w);
        w.truncate(5);
        let (difference, size) = distance(&v, &w);
        assert!((difference - direct).abs() < 1e-14 && (size - 2.0).abs() < 1e-14);
    }
}
