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

/// Asks for `count` entries from `first` on, as far as there are any, before they are needed: worth it where the
/// processor's own prefetching is put off by other streams.
#[inline(always)]
pub fn prefetch<T>(data: &[T], first: usize, count: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let end = first.saturating_add(count).min(data.len());
        let mut next = first;
        while next < end {
            // SAFETY: inside the vector, and a hint reads nothing.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(data.as_ptr().add(next).cast()) };
            next += 64 / size_of::<T>();
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (data, first, count);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}
