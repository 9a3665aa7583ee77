//! Registers of 64 bytes: AVX-512 F and DQ.

use super::{Vector, operators};
use std::arch::x86_64::*;

/// 16 numbers of f32.
#[derive(Clone, Copy)]
pub struct F32x16(__m512);

operators!(F32x16, _mm512_add_ps, _mm512_sub_ps, _mm512_mul_ps, _mm512_div_ps, _mm512_setzero_ps);

impl Vector<f32> for F32x16 {
    const LANES: usize = 16;
    const ROWS: usize = 14;
    const BLOCK: [usize; 2] = [4, 4];

    #[inline(always)]
    fn splat(v: f32) -> Self {
        // SAFETY: registers exist only where the processor has the instructions; so for all below.
        Self(unsafe { _mm512_set1_ps(v) })
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { _mm512_loadu_ps(p) })
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { _mm512_storeu_ps(p, self.0) }
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm512_fmadd_ps(self.0, a.0, b.0) })
    }
    #[inline(always)]
    fn neg_mul_add(self, a: Self, b: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm512_fnmadd_ps(self.0, a.0, b.0) })
    }
    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm512_abs_ps(self.0) })
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm512_min_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm512_max_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe {
            let mask = _mm512_set1_ps(-0.0);
            _mm512_or_ps(_mm512_and_ps(mask, sign.0), _mm512_andnot_ps(mask, self.0))
        })
    }
    #[inline(always)]
    fn round(self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0) })
    }
    #[inline(always)]
    fn exp2i(self) -> Self {
        // n + 1.5 · 2^(23) has n in its last bits, which are moved to the exponent of 1.
        // SAFETY: see `splat`.
        Self(unsafe {
            let shifted = _mm512_castps_si512(_mm512_add_ps(self.0, _mm512_set1_ps(12_582_912.0)));
            let one = _mm512_castps_si512(_mm512_set1_ps(1.0));
            _mm512_castsi512_ps(_mm512_add_epi32(_mm512_slli_epi32::<23>(shifted), one))
        })
    }
    #[inline(always)]
    fn if_below(self, bound: Self, x: Self, y: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, bound.0), y.0, x.0) })
    }
    #[inline(always)]
    fn all_below(self, bound: Self) -> bool {
        // SAFETY: see `splat`.
        unsafe { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, bound.0) == 0xFFFF }
    }
    #[inline(always)]
    fn sums(v: &[Self]) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe {
            // Each step adds the halves of two vectors side by side: halves of registers, then of halves, then of lanes.
            let mut four = [_mm512_setzero_ps(); 4];
            for j in 0..4 {
                let (a, b, c, d) = (v[j].0, v[4 + j].0, v[8 + j].0, v[12 + j].0);
                let ab =
                    _mm512_add_ps(_mm512_shuffle_f32x4::<0x44>(a, b), _mm512_shuffle_f32x4::<0xEE>(a, b));
                let cd =
                    _mm512_add_ps(_mm512_shuffle_f32x4::<0x44>(c, d), _mm512_shuffle_f32x4::<0xEE>(c, d));
                four[j] =
                    _mm512_add_ps(_mm512_shuffle_f32x4::<0x88>(ab, cd), _mm512_shuffle_f32x4::<0xDD>(ab, cd));
            }
            let [p, q, r, s] = four;
            let pq = _mm512_castps_pd(_mm512_add_ps(_mm512_unpacklo_ps(p, q), _mm512_unpackhi_ps(p, q)));
            let rs = _mm512_castps_pd(_mm512_add_ps(_mm512_unpacklo_ps(r, s), _mm512_unpackhi_ps(r, s)));
            _mm512_add_ps(
                _mm512_castpd_ps(_mm512_unpacklo_pd(pq, rs)),
                _mm512_castpd_ps(_mm512_unpackhi_pd(pq, rs)),
            )
        })
    }
}

/// 8 numbers of f64.
#[derive(Clone, Copy)]
pub struct F64x8(__m512d);

operators!(F64x8, _mm512_add_pd, _mm512_sub_pd, _mm512_mul_pd, _mm512_div_pd, _mm512_setzero_pd);

impl Vector<f64> for F64x8 {
    const LANES: usize = 8;
    const ROWS: usize = 14;
    const BLOCK: [usize; 2] = [4, 4];

    #[inline(always)]
    fn splat(v: f64) -> Self {
        // SAFETY: registers exist only where the processor has the instructions; so for all below.
        Self(unsafe { _mm512_set1_pd(v) })
    }
    #[inline(always)]
    unsafe fn load(p: *const f64) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { _mm512_loadu_pd(p) })
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f64) {
        // SAFETY: the caller's promise.
        unsafe { _mm512_storeu_pd(p, self.0) }
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm512_fmadd_pd(self.0, a.0, b.0) })
    }
    #[inline(always)]
    fn neg_mul_add(self, a: Self, b: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm512_fnmadd_pd(self.0, a.0, b.0) })
    }
    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm512_abs_pd(self.0) })
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm512_min_pd(self.0, other.0) })
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm512_max_pd(self.0, other.0) })
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe {
            let mask = _mm512_set1_pd(-0.0);
            _mm512_or_pd(_mm512_and_pd(mask, sign.0), _mm512_andnot_pd(mask, self.0))
        })
    }
    #[inline(always)]
    fn round(self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm512_roundscale_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0) })
    }
    #[inline(always)]
    fn exp2i(self) -> Self {
        // n + 1.5 · 2^(52) has n in its last bits, which are moved to the exponent of 1.
        // SAFETY: see `splat`.
        Self(unsafe {
            let shifted = _mm512_castpd_si512(_mm512_add_pd(self.0, _mm512_set1_pd(6_755_399_441_055_744.0)));
            let one = _mm512_castpd_si512(_mm512_set1_pd(1.0));
            _mm512_castsi512_pd(_mm512_add_epi64(_mm512_slli_epi64::<52>(shifted), one))
        })
    }
    #[inline(always)]
    fn if_below(self, bound: Self, x: Self, y: Self) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe { _mm512_mask_blend_pd(_mm512_cmp_pd_mask::<_CMP_LT_OQ>(self.0, bound.0), y.0, x.0) })
    }
    #[inline(always)]
    fn all_below(self, bound: Self) -> bool {
        // SAFETY: see `splat`.
        unsafe { _mm512_cmp_pd_mask::<_CMP_LT_OQ>(self.0, bound.0) == 0xFF }
    }
    #[inline(always)]
    fn sums(v: &[Self]) -> Self {
        // SAFETY: see `splat`.
        Self(unsafe {
            let mut two = [_mm512_setzero_pd(); 2];
            for j in 0..2 {
                let (a, b, c, d) = (v[j].0, v[2 + j].0, v[4 + j].0, v[6 + j].0);
                let ab =
                    _mm512_add_pd(_mm512_shuffle_f64x2::<0x44>(a, b), _mm512_shuffle_f64x2::<0xEE>(a, b));
                let cd =
                    _mm512_add_pd(_mm512_shuffle_f64x2::<0x44>(c, d), _mm512_shuffle_f64x2::<0xEE>(c, d));
                two[j] =
                    _mm512_add_pd(_mm512_shuffle_f64x2::<0x88>(ab, cd), _mm512_shuffle_f64x2::<0xDD>(ab, cd));
            }
            let [p, q] = two;
            _mm512_add_pd(_mm512_unpacklo_pd(p, q), _mm512_unpackhi_pd(p, q))
        })
    }
}
