//! Exponential time differencing of fourth order for u' = Lu + N(u) with a diagonal L.
//!
//! The linear part is integrated exactly, so stiff diffusion costs no small steps. The coefficients are differences that cancel
//! for small hL; they are means over a circle around hL instead, which is exact for analytic functions up to rounding.
//!
//! # Reference
//! S. M. Cox, P. C. Matthews, "Exponential time differencing for stiff systems", J. Comput. Phys. 176 (2002), 430–455,
//! 10.1006/jcph.2002.6995.
//! A.-K. Kassam, L. N. Trefethen, "Fourth-order time-stepping for stiff PDEs", SIAM J. Sci. Comput. 26 (2005),
//! 1214–1233, 10.1137/S1064827502410633.

use rayon::prelude::*;
use rustfft::num_complex::Complex64;
use std::f64::consts::TAU;
use std::ops::Mul;

/// Points on the circle. The functions are entire, so the mean over M points errs by about 1/M!, below rounding from 20 on.
const POINTS: usize = 64;
/// Below this many entries a stage is not shared among threads.
const SHARED: usize = 1 << 15;

/// What L is made of: real numbers for diffusion, complex ones for dispersion.
pub(super) trait Factor: Copy + Send + Sync {
    /// L as a complex number.
    fn complex(self) -> Complex64;
    /// A function of L that is real where L is.
    fn of(value: Complex64) -> Self;
    /// The product.
    fn times(self, v: Complex64) -> Complex64;
}

impl Factor for f64 {
    fn complex(self) -> Complex64 {
        Complex64::new(self, 0.0)
    }
    fn of(value: Complex64) -> Self {
        value.re
    }
    #[inline]
    fn times(self, v: Complex64) -> Complex64 {
        v * self
    }
}

impl Factor for Complex64 {
    fn complex(self) -> Complex64 {
        self
    }
    fn of(value: Complex64) -> Self {
        value
    }
    #[inline]
    fn times(self, v: Complex64) -> Complex64 {
        v.mul(self)
    }
}

/// N, in the space where L is diagonal.
pub(super) trait Nonlinear: Send {
    /// out ← N(v), both `[modes]`.
    fn apply(&mut self, v: &[Complex64], out: &mut [Complex64]);
}

/// The coefficients of one entry of L: e^{hL}, e^{hL/2}, Q, f₁, f₂, f₃.
type Row<F> = [F; 6];

/// A solution on its way, with the workspace of its steps.
pub(super) struct Etdrk4<F, N> {
    rows: Vec<Row<F>>,
    nonlinear: N,
    /// The solution, `[modes]`.
    pub v: Vec<Complex64>,
    /// a, then b, then c of the paper: the point where N is evaluated next.
    point: Vec<Complex64>,
    /// N at v, a, b and c.
    n: [Vec<Complex64>; 4],
    a: Vec<Complex64>,
}

impl<F: Factor, N: Nonlinear> Etdrk4<F, N> {
    /// Steps of length `h` from `v`.
    pub fn new(h: f64, linear: &[F], nonlinear: N, v: Vec<Complex64>) -> Self {
        let rows = linear.par_iter().map(|l| row(h, *l)).collect();
        let zeros = || vec![Complex64::ZERO; v.len()];
        Self { rows, nonlinear, point: zeros(), n: [zeros(), zeros(), zeros(), zeros()], a: zeros(), v }
    }

    /// Bytes of memory a mode takes: six coefficients and seven vectors.
    pub const fn bytes_per_mode() -> usize {
        6 * size_of::<F>() + 7 * size_of::<Complex64>()
    }

    /// One step: four evaluations of N and four passes over the modes.
    pub fn step(&mut self) {
        let Self { rows, nonlinear, v, point, n: [nv, na, nb, nc], a } = self;
        nonlinear.apply(v, nv);
        each(point, |i, p| *p = rows[i][1].times(v[i]) + rows[i][2].times(nv[i]));
        a.copy_from_slice(point);
        nonlinear.apply(point, na);
        each(point, |i, p| *p = rows[i][1].times(v[i]) + rows[i][2].times(na[i]));
        nonlinear.apply(point, nb);
        each(point, |i, p| *p = rows[i][1].times(a[i]) + rows[i][2].times(nb[i] * 2.0 - nv[i]));
        nonlinear.apply(point, nc);
        each(v, |i, v| {
            let [e, _, _, f1, f2, f3] = rows[i];
            *v = e.times(*v) + f1.times(nv[i]) + f2.times((na[i] + nb[i]) * 2.0) + f3.times(nc[i]);
        });
    }
}

fn each(v: &mut [Complex64], f: impl Fn(usize, &mut Complex64) + Sync) {
    if v.len() < SHARED {
        v.iter_mut().enumerate().for_each(|(i, v)| f(i, v));
    } else {
        v.par_iter_mut().enumerate().for_each(|(i, v)| f(i, v));
    }
}

fn row<F: Factor>(h: f64, l: F) -> Row<F> {
    let z = l.complex() * h;
    let mut sums = [Complex64::ZERO; 4];
    for point in 0..POINTS {
        // Points come in conjugate pairs, so that real L keeps real coefficients.
        let angle = TAU * (point as f64 + 0.5) / POINTS as f64;
        let r = z + Complex64::new(libm::cos(angle), libm::sin(angle));
        let (half, full) = (exp(r * 0.5), exp(r));
        let (square, cube) = (r * r, r * r * r);
        sums[0] += (half - 1.0) / r;
        sums[1] += (-4.0 - r + full * (4.0 - r * 3.0 + square)) / cube;
        sums[2] += (2.0 + r + full * (r - 2.0)) / cube;
        sums[3] += (-4.0 - r * 3.0 - square + full * (4.0 - r)) / cube;
    }
    let [q, f1, f2, f3] = sums.map(|s| F::of(s * (h / POINTS as f64)));
    [F::of(exp(z)), F::of(exp(z * 0.5)), q, f1, f2, f3]
}

fn exp(z: Complex64) -> Complex64 {
    Complex64::new(libm::cos(z.im), libm::sin(z.im)) * libm::exp(z.re)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// u' = λu + u², with the solution λ u₀ e^{λt} / (λ + u₀ − u₀ e^{λt}).
    struct Square;
    impl Nonlinear for Square {
        fn apply(&mut self, v: &[Complex64], out: &mut [Complex64]) {
            v.iter().zip(out).for_each(|(v, o)| *o = v * v);
        }
    }

    #[test]
    fn the_order_is_four_for_stiff_and_oscillating_equations() {
        for l in [Complex64::new(-1.0, 0.0), Complex64::new(-30.0, 0.0), Complex64::new(0.0, 20.0)] {
            let u0 = Complex64::new(0.5, 0.1);
            let e = exp(l);
            let exact = l * u0 * e / (l + u0 - u0 * e);
            let error = |steps: usize| {
                let mut solver = Etdrk4::new(1.0 / steps as f64, &[l], Square, vec![u0]);
                (0..steps).for_each(|_| solver.step());
                (solver.v[0] - exact).norm()
            };
            let (coarse, fine) = (error(40), error(80));
            let order = (coarse / fine).log2();
            assert!((order - 4.0).abs() < 0.35, "{l}: order {order}, errors {coarse:e} {fine:e}");
        }
    }

    #[test]
    fn coefficients_are_those_of_the_series_at_zero_and_of_the_formula_far_away() {
        let [e, half, q, f1, f2, f3] = row(0.1, 0.0);
        assert_eq!((e, half), (1.0, 1.0));
        for (got, wanted) in [(q, 0.05), (f1, 0.1 / 6.0), (f2, 0.1 / 6.0), (f3, 0.1 / 6.0)] {
            assert!((got - wanted).abs() < 1e-16, "{got} {wanted}");
        }
        let z = -50.0f64;
        let f1 = (-4.0 - z + z.exp() * (4.0 - 3.0 * z + z * z)) / z.powi(3);
        assert!((row(1.0, z)[3] - f1).abs() < 1e-15 * f1.abs());
        let oscillating: Row<Complex64> = row(1.0, Complex64::new(0.0, 0.3));
        assert!((oscillating[0].norm() - 1.0).abs() < 1e-15);
    }
}
