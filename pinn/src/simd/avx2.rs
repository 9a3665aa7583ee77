//! Registers of 32 bytes: AVX2 with FMA.

use super::{Vector, operators};
use std::arch::x86_64::*;

/// 8 numbers of f32.
#[derive(Clone, Copy)]
pub struct F32x8(__m256);

operators!(F32x8, _mm256_add_ps, _mm256_sub_ps, _mm256_mul_ps, _mm256_div_ps, _mm256_setzero_ps);

impl Vector<f32> for F32x8 {
    const LANES: usize = 8;
    const ROWS: usize = 6;
    const BLOCK: [usize; 2] = [4, 2];

    #[inline(always)]
    fn splat(v: f32) -> Self {
        // SAFETY: registers exist only where the processor has the instructions; so for all below.
        Self(unsafe { _mm256_set1_ps(v) })
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { _mm256_loadu_ps(p) })
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { _mm256_storeu_ps(p, self.0) }
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm256_fmadd_ps(self.0, a.0, b.0) })
    }
    #[inline(always)]
    fn neg_mul_add(self, a: Self, b: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm256_fnmadd_ps(self.0, a.0, b.0) })
    }
    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0) })
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm256_min_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm256_max_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe {
            let mask = _mm256_set1_ps(-0.0);
            _mm256_or_ps(_mm256_and_ps(mask, sign.0), _mm256_andnot_ps(mask, self.0))
        })
    }
    #[inline(always)]
    fn round(self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0) })
    }
    #[inline(always)]
    fn exp2i(self) -> Self {
        // n + 1.5 · 2^(23) has n in its last bits, which are moved to the exponent of 1.
        // SAFETY: see `splat`.
        Self(unsafe {
            let shifted = _mm256_castps_si256(_mm256_add_ps(self.0, _mm256_set1_ps(12_582_912.0)));
            let one = _mm256_castps_si256(_mm256_set1_ps(1.0));
            _mm256_castsi256_ps(_mm256_add_epi32(_mm256_slli_epi32::<23>(shifted), one))
        })
    }
    #[inline(always)]
    fn if_below(self, bound: Self, x: Self, y: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm256_blendv_ps(y.0, x.0, _mm256_cmp_ps::<_CMP_LT_OQ>(self.0, bound.0)) })
    }
    #[inline(always)]
    fn all_below(self, bound: Self) -> bool {
        // SAFETY: see `splat`.
        unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(self.0, bound.0)) == 0xFF }
    }
    #[inline(always)]
    fn sums(v: &[Self]) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe {
            let mut four = [_mm256_setzero_ps(); 4];
            for j in 0..4 {
                let (a, b) = (v[j].0, v[4 + j].0);
                four[j] =
                    _mm256_add_ps(_mm256_permute2f128_ps::<0x20>(a, b), _mm256_permute2f128_ps::<0x31>(a, b));
            }
            let [p, q, r, s] = four;
            let pq = _mm256_castps_pd(_mm256_add_ps(_mm256_unpacklo_ps(p, q), _mm256_unpackhi_ps(p, q)));
            let rs = _mm256_castps_pd(_mm256_add_ps(_mm256_unpacklo_ps(r, s), _mm256_unpackhi_ps(r, s)));
            _mm256_add_ps(
                _mm256_castpd_ps(_mm256_unpacklo_pd(pq, rs)),
                _mm256_castpd_ps(_mm256_unpackhi_pd(pq, rs)),
            )
        })
    }
}

/// 4 numbers of f64.
#[derive(Clone, Copy)]
pub struct F64x4(__m256d);

operators!(F64x4, _mm256_add_pd, _mm256_sub_pd, _mm256_mul_pd, _mm256_div_pd, _mm256_setzero_pd);

impl Vector<f64> for F64x4 {
    const LANES: usize = 4;
    const ROWS: usize = 6;
    const BLOCK: [usize; 2] = [4, 2];

    #[inline(always)]
    fn splat(v: f64) -> Self {
        // SAFETY: registers exist only where the processor has the instructions; so for all below.
        Self(unsafe { _mm256_set1_pd(v) })
    }
    #[inline(always)]
    unsafe fn load(p: *const f64) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { _mm256_loadu_pd(p) })
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f64) {
        // SAFETY: the caller's promise.
        unsafe { _mm256_storeu_pd(p, self.0) }
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm256_fmadd_pd(self.0, a.0, b.0) })
    }
    #[inline(always)]
    fn neg_mul_add(self, a: Self, b: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm256_fnmadd_pd(self.0, a.0, b.0) })
    }
    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm256_andnot_pd(_mm256_set1_pd(-0.0), self.0) })
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm256_min_pd(self.0, other.0) })
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm256_max_pd(self.0, other.0) })
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe {
            let mask = _mm256_set1_pd(-0.0);
            _mm256_or_pd(_mm256_and_pd(mask, sign.0), _mm256_andnot_pd(mask, self.0))
        })
    }
    #[inline(always)]
    fn round(self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm256_round_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0) })
    }
    #[inline(always)]
    fn exp2i(self) -> Self {
        // n + 1.5 · 2^(52) has n in its last bits, which are moved to the exponent of 1.
        // SAFETY: see `splat`.
        Self(unsafe {
            let shifted = _mm256_castpd_si256(_mm256_add_pd(self.0, _mm256_set1_pd(6_755_399_441_055_744.0)));
            let one = _mm256_castpd_si256(_mm256_set1_pd(1.0));
            _mm256_castsi256_pd(_mm256_add_epi64(_mm256_slli_epi64::<52>(shifted), one))
        })
    }
    #[inline(always)]
    fn if_below(self, bound: Self, x: Self, y: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm256_blendv_pd(y.0, x.0, _mm256_cmp_pd::<_CMP_LT_OQ>(self.0, bound.0)) })
    }
    #[inline(always)]
    fn all_below(self, bound: Self) -> bool {
        // SAFETY: see `splat`.
        unsafe { _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_LT_OQ>(self.0, bound.0)) == 0xF }
    }
    #[inline(always)]
    fn sums(v: &[Self]) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe {
            let mut two = [_mm256_setzero_pd(); 2];
            for j in 0..2 {
                let (a, b) = (v[j].0, v[2 + j].0);
                two[j] =
                    _mm256_add_pd(_mm256_permute2f128_pd::<0x20>(a, b), _mm256_permute2f128_pd::<0x31>(a, b));
            }
            let [p, q] = two;
            _mm256_add_pd(_mm256_unpacklo_pd(p, q), _mm256_unpackhi_pd(p, q))
        })
    }
}
