//! Runs a loop compiled for the vector unit this processor has.
//!
//! The same source is compiled twice, for the baseline and for AVX2, and chosen at run time. Multiplication and
//! addition are never contracted, so both give the same bits.

/// A loop and what it works on. `run` must be `#[inline(always)]`, with everything it calls, or it is compiled for the
/// baseline alone.
pub(crate) trait Kernel {
    type Output;
    fn run(self) -> Self::Output;
}

/// Runs `kernel` with the widest vectors the processor has.
#[inline]
pub(crate) fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has the feature.
        return unsafe { avx2(kernel) };
    }
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}
