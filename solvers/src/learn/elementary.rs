//! The exponential and its kin, written so that a loop over them becomes vector instructions.
//!
//! e^x = 2^k e^r with k = round(x / ln 2) and |r| ≤ ln 2 / 2; e^r − 1 is its Taylor polynomial, of degree 7 in f32 and 13 in
//! f64, whose remainder is below rounding. Only additions, multiplications, one division and integer shifts are used, none of
//! them contracted, so the bits are the same on every processor. The largest errors over the whole range, in units of the
//! last place, are tested: 2 for the exponential, 4 for the others.

/// Functions of one number; each is `#[inline(always)]` and free of branches.
pub trait Elementary: Copy {
    /// e^x: 0 below the smallest normal number, and capped near the largest finite one.
    fn exponential(self) -> Self;
    /// The hyperbolic tangent, exact in relative terms near 0.
    fn hyperbolic_tangent(self) -> Self;
    /// 1 / (1 + e^−x).
    fn logistic(self) -> Self;
    /// ln(1 + e^x).
    fn softplus(self) -> Self;
}

macro_rules! elementary {
    (
        $t:ident, $u:ident, bits $bits:literal, bias $bias:literal, magic $magic:literal, log2 $log2:expr,
        high $high:expr, low $low:literal, range $least:literal to $most:literal, flat $flat:literal,
        taylor [$($taylor:literal),*], atanh [$($atanh:literal),*]
    ) => {
        impl Elementary for $t {
            #[inline(always)]
            fn exponential(self) -> $t {
                let x = if self > $most { $most } else { self };
                let tiny = x < $least;
                let (scale, q) = $u::parts(if tiny { $least } else { x });
                if tiny { 0.0 } else { scale + scale * q }
            }
            #[inline(always)]
            fn hyperbolic_tangent(self) -> $t {
                let x = 2.0 * self.abs();
                let (scale, q) = $u::parts(if x > $flat { $flat } else { x });
                // e^2|x| − 1 of two terms that are not negative.
                let e = scale * q + (scale - 1.0);
                (e / (e + 2.0)).copysign(self)
            }
            #[inline(always)]
            fn logistic(self) -> $t {
                let e = (-self.abs()).exponential();
                (if self < 0.0 { e } else { 1.0 }) / (1.0 + e)
            }
            #[inline(always)]
            fn softplus(self) -> $t {
                // ln(1 + t) = 2 artanh(t / (2 + t)), whose argument is at most 1/3.
                let t = (-self.abs()).exponential();
                let s = t / (2.0 + t);
                let square = s * s;
                let mut sum: $t = 0.0;
                $( sum = sum * square + 2.0 / $atanh; )*
                (if self > 0.0 { self } else { 0.0 }) + s * sum
            }
        }

        /// 2^k and e^r − 1 of x = k ln 2 + r.
        struct $u;
        impl $u {
            #[inline(always)]
            fn parts(x: $t) -> ($t, $t) {
                // Adding 1.5 · 2^m leaves the rounded integer in the last bits.
                let shifted = x * $log2 + $magic;
                let k = shifted - $magic;
                let r = (x - k * $high) - k * $low;
                let scale = $t::from_bits(shifted.to_bits().wrapping_add($bias) << $bits);
                let mut sum: $t = 0.0;
                $( sum = sum * r + 1.0 / $taylor; )*
                (scale, r + r * r * sum)
            }
        }
    };
}

elementary!(
    f32, Single, bits 23, bias 127, magic 12_582_912.0, log2 std::f32::consts::LOG2_E,
    high 355.0 / 512.0, low -2.121_944_4e-4, range -87.0 to 88.0, flat 20.0,
    taylor [5040.0, 720.0, 120.0, 24.0, 6.0, 2.0],
    atanh [15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0]
);
elementary!(
    f64, Double, bits 52, bias 1023, magic 6_755_399_441_055_744.0, log2 std::f64::consts::LOG2_E,
    high 0.693_147_180_369_123_8, low 1.908_214_929_270_587_7e-10, range -708.0 to 709.0, flat 44.0,
    taylor [
        6_227_020_800.0, 479_001_600.0, 39_916_800.0, 3_628_800.0, 362_880.0, 40_320.0, 5040.0, 720.0, 120.0, 24.0, 6.0,
        2.0
    ],
    atanh [
        35.0, 33.0, 31.0, 29.0, 27.0, 25.0, 23.0, 21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0
    ]
);

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest |f(x) − exact(x)| in units of the last place of the exact value, over x = i / 64.
    fn worst(f: impl Fn(f64) -> f64, exact: impl Fn(f64) -> f64, reach: i32, epsilon: f64) -> f64 {
        let error = |i: i32| {
            let x = f64::from(i) / 64.0 + 1e-3;
            let e = exact(x);
            (f(x) - e).abs() / (e.abs() * epsilon)
        };
        (-reach..reach).map(error).fold(0.0, f64::max)
    }

    #[test]
    fn double_precision_is_right_to_a_few_places() {
        let u = f64::EPSILON;
        assert!(worst(f64::exponential, f64::exp, 45_000, u) < 2.0);
        assert!(worst(f64::hyperbolic_tangent, f64::tanh, 3000, u) < 4.0);
        assert!(worst(f64::logistic, |x| 1.0 / (1.0 + (-x).exp()), 40_000, u) < 4.0);
        assert!(worst(f64::softplus, |x| x.max(0.0) + (-x.abs()).exp().ln_1p(), 40_000, u) < 4.0);
    }

    #[test]
    fn single_precision_is_right_to_a_few_places() {
        let u = f64::from(f32::EPSILON);
        let single = |f: fn(f32) -> f32| move |x: f64| f64::from(f(x as f32));
        let rounded = |f: fn(f64) -> f64| move |x: f64| f(f64::from(x as f32));
        assert!(worst(single(f32::exponential), rounded(f64::exp), 5500, u) < 2.0);
        assert!(worst(single(f32::hyperbolic_tangent), rounded(f64::tanh), 3000, u) < 4.0);
        assert!(worst(single(f32::logistic), rounded(|x| 1.0 / (1.0 + (-x).exp())), 5500, u) < 4.0);
        let softplus = rounded(|x| x.max(0.0) + (-x.abs()).exp().ln_1p());
        assert!(worst(single(f32::softplus), softplus, 5500, u) < 4.0);
    }

    #[test]
    fn ends_and_what_is_not_a_number() {
        assert_eq!((f32::NEG_INFINITY.exponential(), f64::NEG_INFINITY.exponential()), (0.0, 0.0));
        assert!(f32::INFINITY.exponential() > 1e38 && f64::INFINITY.exponential() > 1e307);
        assert_eq!((f64::INFINITY.hyperbolic_tangent(), f32::MIN.hyperbolic_tangent()), (1.0, -1.0));
        assert_eq!((f64::INFINITY.logistic(), f64::NEG_INFINITY.logistic()), (1.0, 0.0));
        assert_eq!((f64::MAX.softplus(), f64::MIN.softplus()), (f64::MAX, 0.0));
        assert_eq!(1e-30f32.hyperbolic_tangent(), 1e-30);
        assert!((-0.0f64).hyperbolic_tangent().is_sign_negative());
        for f in [f64::exponential, f64::hyperbolic_tangent, f64::logistic, f64::softplus] {
            assert!(f(f64::NAN).is_nan());
        }
        for f in [f32::exponential, f32::hyperbolic_tangent, f32::logistic, f32::softplus] {
            assert!(f(f32::NAN).is_nan());
        }
    }
}
