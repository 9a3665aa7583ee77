//! Registers of 64 bytes: AVX-512 F.

use super::{Register, register};
use std::arch::x86_64::*;

register!(
    F32x16, f32, __m512, lanes 16, sums 24, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps,
    _mm512_add_ps, _mm512_max_ps, _mm512_setzero_ps
);
register!(
    F64x8, f64, __m512d, lanes 8, sums 24, _mm512_set1_pd, _mm512_loadu_pd, _mm512_storeu_pd, _mm512_fmadd_pd,
    _mm512_add_pd, _mm512_max_pd, _mm512_setzero_pd
);
