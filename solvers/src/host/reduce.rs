//! Sums that do not depend on the number of threads.

use crate::Scalar;
use rayon::prelude::*;
use std::ops::Range;

/// A vector is cut into at most this many blocks; their sums fit on the stack.
pub(crate) const MAX_BLOCKS: usize = 256;
/// No block is shorter: one is worth a thread's while.
const MIN_BLOCK: usize = 4096;
/// Vectors no longer than this stay on the thread that works on them: to wake another one takes longer than to pass over them.
pub(crate) const SERIAL: usize = 8 * MIN_BLOCK;
/// Running sums kept side by side.
const LANES: usize = 16;

/// The block length for a vector of `n` entries: a function of `n` alone.
pub(crate) fn blocks(n: usize) -> usize {
    n.div_ceil(MAX_BLOCKS).next_multiple_of(64).max(MIN_BLOCK)
}

/// A sum of `n` squares below this has lost more than rounding to those that fell below the smallest number.
pub(crate) fn least_square<T: Scalar>(n: usize) -> f64 {
    n as f64 * T::min_positive_value().f64() / T::EPSILON
}

/// Adds what `block` gives for each block of `0..n`, in order.
pub(crate) fn sum_blocks(n: usize, block: impl Fn(Range<usize>) -> f64 + Sync) -> f64 {
    let size = blocks(n);
    if n <= size {
        return block(0..n);
    }
    let count = n.div_ceil(size);
    let of = |i: usize| block(i * size..n.min((i + 1) * size));
    if n <= SERIAL {
        return (0..count).map(of).sum();
    }
    let mut partial = [0.0; MAX_BLOCKS];
    partial[..count].par_iter_mut().enumerate().for_each(|(i, sum)| *sum = of(i));
    partial.iter().sum()
}

/// The sum of an iterator over [`LANES`] running sums.
#[inline(always)]
pub(crate) fn lanes(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let mut acc = [0.0; LANES];
    for (i, v) in values.enumerate() {
        acc[i % LANES] += v;
    }
    fold(acc)
}

/// x·y over [`LANES`] running sums in the vectors' own precision, folded in f64 every 1024 entries.
#[inline(always)]
pub(crate) fn dot<T: Scalar>(x: &[T], y: &[T]) -> f64 {
    let mut sum = 0.0;
    for (x, y) in x.chunks(1024).zip(y.chunks(1024)) {
        let mut acc = [T::of(0.0); LANES];
        let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
        let tail: f64 = xs.remainder().iter().zip(ys.remainder()).map(|(&a, &b)| (a * b).f64()).sum();
        for (x, y) in xs.zip(ys) {
            for l in 0..LANES {
                acc[l] += x[l] * y[l];
            }
        }
        sum += fold(acc.map(Scalar::f64)) + tail;
    }
    sum
}

#[inline(always)]
fn fold(mut acc: [f64; LANES]) -> f64 {
    let mut width = LANES / 2;
    while width > 0 {
        for l in 0..width {
            acc[l] += acc[l + width];
        }
        width /= 2;
    }
    acc[0]
}
