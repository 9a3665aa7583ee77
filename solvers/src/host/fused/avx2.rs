//! Registers of 32 bytes: AVX2 with FMA.

use super::{Register, register};
use std::arch::x86_64::*;

register!(
    F32x8, f32, __m256, lanes 8, sums 12, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps,
    _mm256_add_ps, _mm256_max_ps, _mm256_setzero_ps
);
register!(
    F64x4, f64, __m256d, lanes 4, sums 12, _mm256_set1_pd, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_fmadd_pd,
    _mm256_add_pd, _mm256_max_pd, _mm256_setzero_pd
);
