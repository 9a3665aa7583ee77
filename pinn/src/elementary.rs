//! Elementary functions of registers, to a few units in the last place.
//!
//! All of them carry a NaN through. Polynomials are Chebyshev's or Taylor's on intervals short enough for the type's precision.

// Constants are written as published, with more digits than they keep.
#![allow(clippy::excessive_precision)]

use crate::simd::{Real, Vector};

/// Whether `T` is `f32`.
#[inline(always)]
fn single<T: Real>() -> bool {
    T::EPSILON > 1e-10
}

/// `c[0] + c[1] x + c[2] x² + …`
#[inline(always)]
fn polynomial<T: Real, V: Vector<T>, const N: usize>(x: V, c: [f64; N]) -> V {
    let mut y = V::splat(T::of(c[N - 1]));
    for i in (0..N - 1).rev() {
        y = y.mul_add(x, V::splat(T::of(c[i])));
    }
    y
}

/// exp x = 2ⁿ (1 + p): returns 2ⁿ and p, which is exp r − 1 for |r| ≤ ln 2 / 2. `x` must lie where 2ⁿ is normal.
#[inline(always)]
fn exponent<T: Real, V: Vector<T>>(x: V) -> (V, V) {
    let n = (x * V::splat(T::of(std::f64::consts::LOG2_E))).round();
    let r = if single::<T>() {
        let r = n.neg_mul_add(V::splat(T::of(0.693359375)), x);
        n.neg_mul_add(V::splat(T::of(-2.12194440e-4)), r)
    } else {
        let r = n.neg_mul_add(V::splat(T::of(6.93147180369123816490e-1)), x);
        n.neg_mul_add(V::splat(T::of(1.90821492927058770002e-10)), r)
    };
    let tail = if single::<T>() { polynomial(r, EXPONENT_SINGLE) } else { polynomial(r, EXPONENT) };
    (n.exp2i(), (r * r).mul_add(tail, r))
}

/// (exp r − 1 − r)/r² for |r| ≤ ln 2 / 2: its Chebyshev series, cut off. The error of exp r is at most 1.1e-8 of it.
const EXPONENT_SINGLE: [f64; 5] = [
    0.5000000013462226,
    0.16666577003124375,
    0.04166646497604677,
    0.008363175571447102,
    0.0013933643531452813,
];

/// The same, to 1.7e-17.
const EXPONENT: [f64; 10] = [
    0.5000000000000001,
    0.1666666666666667,
    0.04166666666662416,
    0.008333333333326141,
    0.0013888888917198605,
    0.00019841269874802192,
    2.480152131985326e-05,
    2.7557255423854303e-06,
    2.7620076928678543e-07,
    2.5105207075274745e-08,
];

/// exp(−x) for x ≥ 0.
#[inline(always)]
pub(crate) fn decay<T: Real, V: Vector<T>>(x: V) -> V {
    let least = V::splat(T::of(if single::<T>() { 87.0 } else { 708.0 }));
    let (s, p) = exponent(-least.min(x));
    s.mul_add(p, s)
}

/// exp x, as the square of exp(x / 2), which has the whole range of the type between 0 and ∞.
#[inline(always)]
pub(crate) fn exp<T: Real, V: Vector<T>>(x: V) -> V {
    let most = V::splat(T::of(if single::<T>() { 87.0 } else { 708.0 }));
    let (s, p) = exponent((-most).max(most.min(x * V::splat(T::of(0.5)))));
    let root = s.mul_add(p, s);
    root * root
}

/// tanh x = −e / (2 + e) with e = exp(−2|x|) − 1, which keeps its digits near 0.
#[inline(always)]
pub(crate) fn tanh<T: Real, V: Vector<T>>(x: V) -> V {
    let limit = V::splat(T::of(if single::<T>() { 10.0 } else { 20.0 }));
    let (s, p) = exponent(limit.min(x.abs()) * V::splat(T::of(-2.0)));
    let e = s.mul_add(p, s - V::splat(T::of(1.0)));
    (e / (e + V::splat(T::of(2.0)))).copysign(x)
}

/// The logistic function 1 / (1 + exp(−x)), and exp(−|x|).
#[inline(always)]
pub(crate) fn logistic<T: Real, V: Vector<T>>(x: V) -> (V, V) {
    let one = V::splat(T::of(1.0));
    let e = decay(x.abs());
    (x.if_below(V::splat(T::of(0.0)), e, one) / (one + e), e)
}

/// ln(1 + e) for 0 ≤ e ≤ 1: 2 artanh(u), u = e / (2 + e) ≤ 1/3.
#[inline(always)]
pub(crate) fn log1p<T: Real, V: Vector<T>>(e: V) -> V {
    let u = e / (e + V::splat(T::of(2.0)));
    let q = u * u;
    let series = if single::<T>() {
        polynomial::<T, V, 8>(q, std::array::from_fn(|i| 2.0 / (2 * i + 1) as f64))
    } else {
        polynomial::<T, V, 17>(q, std::array::from_fn(|i| 2.0 / (2 * i + 1) as f64))
    };
    u * series
}

/// sin x and cos x. Beyond 8000 (f32) or 10⁸ (f64) the standard library's are taken, one number at a time.
#[inline(always)]
pub(crate) fn sin_cos<T: Real, V: Vector<T>>(x: V) -> (V, V) {
    let c = |v: f64| V::splat(T::of(v));
    if !x.abs().all_below(c(if single::<T>() { 8000.0 } else { 1e8 })) {
        return sin_cos_far(x);
    }
    let q = (x * c(std::f64::consts::FRAC_2_PI)).round();
    let parts = if single::<T>() {
        [1.5703125, 4.837512969970703125e-4, 7.54978995489188e-8]
    } else {
        [1.570_796_251_296_997_1, 7.549_789_415_861_596e-8, 5.390_302_529_957_765e-15]
    };
    let mut r = x;
    for part in parts {
        r = q.neg_mul_add(c(part), r);
    }
    let r2 = r * r;
    let (s, k) = if single::<T>() {
        (
            polynomial(r2, [-1.0 / 6.0, 1.0 / 120.0, -1.0 / 5040.0, 1.0 / 362880.0]),
            polynomial(r2, [1.0 / 24.0, -1.0 / 720.0, 1.0 / 40320.0, -1.0 / 3628800.0]),
        )
    } else {
        (
            polynomial(
                r2,
                [
                    -1.0 / 6.0,
                    1.0 / 120.0,
                    -1.0 / 5040.0,
                    1.0 / 362880.0,
                    -1.0 / 39916800.0,
                    1.0 / 6227020800.0,
                    -1.0 / 1307674368000.0,
                    1.0 / 355687428096000.0,
                ],
            ),
            polynomial(
                r2,
                [
                    1.0 / 24.0,
                    -1.0 / 720.0,
                    1.0 / 40320.0,
                    -1.0 / 3628800.0,
                    1.0 / 479001600.0,
                    -1.0 / 87178291200.0,
                    1.0 / 20922789888000.0,
                ],
            ),
        )
    };
    let sin = (r * r2).mul_add(s, r);
    let cos = (r2 * r2).mul_add(k, r2.neg_mul_add(c(0.5), c(1.0)));
    // The quadrant q mod 4, as −2, −1, 0, 1 or 2.
    let j = (q * c(0.25)).round().neg_mul_add(c(4.0), q);
    let odd = (j.abs() - c(1.0)).abs();
    let (a, b) = (odd.if_below(c(0.5), cos, sin), odd.if_below(c(0.5), sin, cos));
    // sin is negative in quadrants −1 and ±2, cos in 1 and ±2.
    let far = j.abs();
    let sin = j.if_below(c(-0.5), -a, far.if_below(c(1.5), a, -a));
    let cos = c(0.5).if_below(j, -b, j.if_below(c(-1.5), -b, b));
    (sin, cos)
}

#[cold]
#[inline(never)]
fn sin_cos_far<T: Real, V: Vector<T>>(x: V) -> (V, V) {
    let (mut s, mut c) = ([T::of(0.0); 16], [T::of(0.0); 16]);
    // SAFETY: no register holds more than 16 numbers.
    unsafe {
        x.store(s.as_mut_ptr());
        for i in 0..V::LANES {
            (s[i], c[i]) = s[i].sin_cos();
        }
        (V::load(s.as_ptr()), V::load(c.as_ptr()))
    }
}

/// Φ(x), the normal distribution function, and its density exp(−x²/2) / √(2π).
///
/// erfc(y) = exp(−y²) f(t) / (1 + 2y) for y ≥ 0, with f the polynomial in t = (y − c) / (y + c) that meets it at Chebyshev's
/// points.
#[inline(always)]
pub(crate) fn normal<T: Real, V: Vector<T>>(x: V) -> (V, V) {
    let k = |v: f64| V::splat(T::of(v));
    let least = k(if single::<T>() { 13.0 } else { 37.0 });
    let y = least.min(x.abs()) * k(std::f64::consts::FRAC_1_SQRT_2);
    let e = decay(y * y);
    let f = if single::<T>() {
        let t = (y - k(2.5)) / (y + k(2.5));
        polynomial(t, SCALED_ERFC_SINGLE)
    } else {
        let t = (y - k(3.0)) / (y + k(3.0));
        polynomial(t, SCALED_ERFC)
    };
    let tail = k(0.5) * e * f / y.mul_add(k(2.0), k(1.0));
    let zero = k(0.0);
    let p = x.if_below(zero, tail, k(1.0) - tail);
    (p, e * k(0.398_942_280_401_432_7))
}

/// f for c = 5/2, to 3e-9 of its value.
const SCALED_ERFC_SINGLE: [f64; 13] = [
    1.2648381843668615,
    -0.1223568022570704,
    -0.09902453917984233,
    0.15763102409827226,
    -0.1029670655130527,
    0.0327518875081088,
    0.0009319368484531109,
    -0.0043501175404633,
    0.0004919319828835963,
    0.0005753617421822536,
    -8.934046040347981e-05,
    -6.177248840669501e-05,
    8.475609207269406e-06,
];

/// f for c = 3, to 8e-18 of its value.
const SCALED_ERFC: [f64; 25] = [
    1.2530080582697296,
    -0.13562110612458117,
    -0.04756229435345087,
    0.1296451587027606,
    -0.11927366341530699,
    0.06830802734397848,
    -0.023770514918645888,
    0.002529391816066239,
    0.0018886903591561553,
    -0.0007798322721083991,
    -0.00010515979981501177,
    0.00012509935235563107,
    4.949484992570595e-06,
    -2.0100567931289227e-05,
    -7.315105164159062e-07,
    3.472414602875686e-06,
    3.5683839153992204e-07,
    -6.166496077604353e-07,
    -1.4160064940265987e-07,
    1.0187000600072885e-07,
    4.180784698845582e-08,
    -1.3326364813003834e-08,
    -8.500397929772615e-09,
    9.885798831139365e-10,
    8.864219016427092e-10,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Kernel;

    /// The functions at every x: tanh, logistic, ln(1 + exp(−|x|)), sin, cos, Φ and its density, exp.
    struct All<'a, T>(&'a [T]);

    impl<T: Real> Kernel<T> for All<'_, T> {
        type Output = Vec<[f64; 8]>;
        #[inline(always)]
        fn run<V: Vector<T>>(self) -> Self::Output {
            let mut out = vec![];
            for &x in self.0 {
                let v = V::splat(x);
                let (l, e) = logistic(v);
                let (s, c) = sin_cos(v);
                let (p, d) = normal(v);
                let first = |v: V| {
                    let mut lanes = [T::of(0.0); 16];
                    // SAFETY: no register holds more than 16 numbers.
                    unsafe { v.store(lanes.as_mut_ptr()) };
                    lanes[0].f64()
                };
                out.push([tanh(v), l, log1p(e), s, c, p, d, exp(v)].map(first));
            }
            out
        }
    }

    fn agree<T: Real>(x: &[T], ulps: f64) {
        for (x, got) in x.iter().zip(T::dispatch(All(x))) {
            let x = x.f64();
            let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let normal = 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2);
            let expected = [
                x.tanh(),
                1.0 / (1.0 + (-x).exp()),
                (-x.abs()).exp().ln_1p(),
                x.sin(),
                x.cos(),
                normal,
                density,
                x.exp(),
            ];
            for (i, (g, e)) in got.into_iter().zip(expected).enumerate() {
                // A rounding of x² in the exponent of Φ and its density.
                let slack = if i == 5 || i == 6 { 1.0 + x * x } else { 1.0 };
                let tiny = 1e-30 + if i == 3 || i == 4 { 1e-3 * T::EPSILON * x.abs() } else { 0.0 };
                let close = (g - e).abs() <= ulps * slack * T::EPSILON * e.abs() + tiny;
                assert!(close, "function {i} at {x}: {g:e} is not {e:e}");
            }
        }
    }

    #[test]
    fn functions_agree_with_the_standard_library_to_a_few_units_in_the_last_place() {
        let x: Vec<f64> = (-4000..4000).map(|i| i as f64 * 3.1234567e-3).collect();
        agree(&x, 4.0);
        let near: Vec<f64> = (0..60).flat_map(|i| [1.7 * 0.5f64.powi(i), -1.3 * 0.5f64.powi(i)]).collect();
        agree(&near, 4.0);
        agree(&x.iter().map(|x| *x as f32).collect::<Vec<_>>(), 4.0);
        agree(&near.iter().map(|x| *x as f32).collect::<Vec<_>>(), 4.0);
    }

    #[test]
    fn large_arguments_saturate_and_turn_and_a_nan_stays_one() {
        let out = f64::dispatch(All(&[1e300, -1e300, 3e9, f64::NAN]));
        assert_eq!((out[0][0], out[0][1], out[0][5], out[0][7]), (1.0, 1.0, 1.0, f64::INFINITY));
        assert_eq!((out[1][0], out[1][7]), (-1.0, 0.0));
        assert!(out[1][1] < 1e-300 && out[1][5] < 1e-290);
        assert_eq!((out[2][3], out[2][4]), (3e9f64.sin(), 3e9f64.cos()));
        assert!(out[3].iter().all(|v| v.is_nan()), "{:?}", out[3]);
        let out = f32::dispatch(All(&[f32::NAN, 50.0]));
        assert!(out[0].iter().all(|v| v.is_nan()) && out[1][0] == 1.0);
    }
}
