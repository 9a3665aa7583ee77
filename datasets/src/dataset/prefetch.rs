//! Memory that is asked for before it is needed.

use std::ops::Range;

/// Asks for entries of a vector, as far as there are any: worth it where many short streams are read in turns.
#[inline]
pub(super) fn prefetch<T>(data: &[T], range: Range<usize>) {
    #[cfg(target_arch = "x86_64")]
    for at in (range.start..range.end.min(data.len())).step_by(64 / size_of::<T>()) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: inside the vector, and a hint reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(data.as_ptr().add(at).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (data, range);
}
