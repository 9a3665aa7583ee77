//! Owned host vectors, aligned to cache lines and, when large, to huge pages.

use crate::{Error, Result, Scalar};
use rayon::prelude::*;
use std::alloc::{Layout, alloc, dealloc};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

const LINE: usize = 64;
const HUGE: usize = 2 << 20;

/// An owned vector of `T`. Large ones ask the system for huge pages, which saves most of the address translation that
/// a stencil's many streams need; their pages are first touched by the threads of the current pool.
pub struct Buffer<T> {
    ptr: NonNull<T>,
    len: usize,
    layout: Layout,
}

// SAFETY: a buffer owns its memory as `Vec` does.
unsafe impl<T: Send> Send for Buffer<T> {}
// SAFETY: a shared buffer only hands out `&[T]`.
unsafe impl<T: Sync> Sync for Buffer<T> {}

impl<T: Scalar> Buffer<T> {
    /// `len` zeros.
    ///
    /// # Errors
    /// [`Error::Memory`] when the system has no room for them.
    pub fn zeros(len: usize) -> Result<Self> {
        let bytes = len.checked_mul(size_of::<T>()).ok_or(Error::Memory { bytes: usize::MAX })?;
        let align = if bytes >= 2 * HUGE { HUGE } else { LINE };
        let layout = Layout::from_size_align(bytes.max(1), align).map_err(|_| Error::Memory { bytes })?;
        // SAFETY: the layout has a size above 0.
        let ptr = NonNull::new(unsafe { alloc(layout) }.cast::<T>()).ok_or(Error::Memory { bytes })?;
        #[cfg(target_os = "linux")]
        if align == HUGE {
            // SAFETY: the range was just allocated and starts on a page. The advice may be refused without harm.
            unsafe { libc::madvise(ptr.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
        }
        let zero = |first: usize, count: usize| {
            // SAFETY: `first + count <= len`, and all-zero bytes are the number 0 of either scalar type.
            unsafe { std::ptr::write_bytes(ptr.as_ptr().add(first), 0, count) };
        };
        if align == HUGE {
            let piece = HUGE / size_of::<T>();
            let base = Base(&zero);
            (0..len.div_ceil(piece))
                .into_par_iter()
                .for_each(|i| base.call(i * piece, piece.min(len - i * piece)));
        } else {
            zero(0, len);
        }
        Ok(Self { ptr, len, layout })
    }
}

/// A vector of `n` default values, which must be zeros, whose pages nobody has touched yet and which, when large, asks for
/// huge ones.
pub(crate) fn untouched<T: Copy + Default>(n: usize) -> Vec<T> {
    #[allow(unused_mut)]
    let mut v = vec![T::default(); n];
    #[cfg(target_os = "linux")]
    {
        let (start, bytes) = (v.as_mut_ptr() as usize, n * size_of::<T>());
        if bytes >= 2 * HUGE {
            let first = start.next_multiple_of(4096);
            // SAFETY: the pages lie inside the vector. The advice may be refused without harm.
            unsafe { libc::madvise(first as *mut _, (start + bytes - first) & !4095, libc::MADV_HUGEPAGE) };
        }
    }
    v
}

/// The same entries, in huge pages when there are many: worth a copy for what is read again and again.
pub(crate) fn settle<T: Copy + Default + Send + Sync>(v: Vec<T>) -> Vec<T> {
    const MANY: usize = 32 << 20;
    if size_of_val(&v[..]) < MANY || cfg!(not(target_os = "linux")) {
        return v;
    }
    let mut settled = untouched::<T>(v.len());
    settled
        .par_chunks_mut(1 << 16)
        .zip(v.par_chunks(1 << 16))
        .for_each(|(to, from)| to.copy_from_slice(from));
    settled
}

/// Lets threads share a closure over a raw pointer whose calls touch separate ranges.
struct Base<'a, F>(&'a F);
// SAFETY: every call writes a range of its own.
unsafe impl<F> Sync for Base<'_, F> {}
impl<F: Fn(usize, usize)> Base<'_, F> {
    fn call(&self, first: usize, count: usize) {
        (self.0)(first, count);
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: `len` initialised entries are owned by `self`.
        unsafe { std::slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as for `deref`, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.ptr.as_ptr(), self.len) }
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout, and scalars need no drop of their own.
        unsafe { dealloc(self.ptr.as_ptr().cast(), self.layout) };
    }
}

impl<T: fmt::Debug> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_and_zero() {
        for len in [0, 1, 1000, 3 << 19] {
            let b = Buffer::<f64>::zeros(len).unwrap();
            assert_eq!(b.as_ptr() as usize % LINE, 0);
            assert!(b.len() == len && b.iter().all(|v| *v == 0.0));
        }
    }

    #[test]
    fn impossible_sizes_are_refused() {
        assert!(matches!(Buffer::<f64>::zeros(usize::MAX / 16), Err(Error::Memory { .. })));
        assert!(matches!(Buffer::<f64>::zeros(usize::MAX / 2), Err(Error::Memory { .. })));
    }
}
