//! Vectors in the memory of the processor, worked on by the threads of the current rayon pool.
//!
//! Reductions split a vector into blocks whose bounds depend on its length alone and add the blocks in order, so a
//! result has the same bits for any number of threads. Within a block sixteen running sums are kept; that is what
//! lets the compiler use vector registers of any width without changing the result.

pub mod buffer;
pub(crate) mod fused;
pub(crate) mod reduce;
pub(crate) mod simd;

pub use simd::prefetch;

use crate::error::check_len;
use crate::{Result, Scalar, Segments, Space};
use buffer::Buffer;
use rayon::prelude::*;
use reduce::{blocks, lanes};
use simd::{Kernel, dispatch};
use std::marker::PhantomData;
use std::ops::Range;

/// The processor's memory. A slice is `[T]`; work is shared among the threads of the rayon pool it is called from.
///
/// ```
/// use resolvent::{Host, Space};
/// let space = Host::<f64>::new();
/// let mut y = vec![1.0, 2.0, 3.0];
/// space.axpby(2.0, &[1.0, 1.0, 1.0], 1.0, &mut y)?;
/// assert_eq!(y, [3.0, 4.0, 5.0]);
/// assert_eq!(space.dot(&y, &y)?, 50.0);
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Host<T>(PhantomData<T>);

impl<T> Host<T> {
    /// The host.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// Runs `f` on corresponding blocks of the vectors, one block at a time on each thread.
macro_rules! each_block {
    ($y:expr, $x:expr, |$yb:ident, $xb:ident| $body:expr) => {{
        let size = blocks($y.len());
        if $y.len() <= reduce::SERIAL {
            let ($yb, $xb) = (&mut *$y, &*$x);
            $body
        } else {
            $y.par_chunks_mut(size).zip($x.par_chunks(size)).for_each(|($yb, $xb)| $body)
        }
    }};
}

impl<T: Scalar> Space for Host<T> {
    type Scalar = T;
    type Slice = [T];
    type Buf = Buffer<T>;
    type Value = f64;

    fn value(&self, v: f64) -> Result<f64> {
        Ok(v)
    }

    fn set(&self, v: f64, value: &mut f64) -> Result<()> {
        *value = v;
        Ok(())
    }

    fn read<const N: usize>(&self, values: [&f64; N]) -> Result<[f64; N]> {
        Ok(values.map(|v| *v))
    }

    fn len(&self, v: &[T]) -> usize {
        v.len()
    }

    fn zeros(&self, n: usize) -> Result<Buffer<T>> {
        Buffer::zeros(n)
    }

    fn upload(&self, src: &[T], dst: &mut [T]) -> Result<()> {
        self.copy(src, dst)
    }

    fn download(&self, src: &[T], dst: &mut [T]) -> Result<()> {
        self.copy(src, dst)
    }

    fn copy(&self, x: &[T], y: &mut [T]) -> Result<()> {
        check_len("y", x.len(), y.len())?;
        each_block!(y, x, |yb, xb| yb.copy_from_slice(xb));
        Ok(())
    }

    fn fill(&self, a: T, y: &mut [T]) -> Result<()> {
        let size = blocks(y.len());
        y.par_chunks_mut(size).for_each(|y| y.fill(a));
        Ok(())
    }

    fn axpby(&self, a: T, x: &[T], b: T, y: &mut [T]) -> Result<()> {
        check_len("y", x.len(), y.len())?;
        each_block!(y, x, |yb, xb| dispatch(Axpby { a, x: xb, b, y: yb }));
        Ok(())
    }

    fn multiply(&self, a: T, d: &[T], x: &[T], b: T, y: &mut [T]) -> Result<()> {
        check_len("x", d.len(), x.len())?;
        check_len("y", d.len(), y.len())?;
        let size = blocks(y.len());
        y.par_chunks_mut(size)
            .zip(d.par_chunks(size).zip(x.par_chunks(size)))
            .for_each(|(y, (d, x))| dispatch(Multiply { a, d, x, b, y }));
        Ok(())
    }

    fn multiply_dot(&self, d: &[T], x: &[T], y: &mut [T]) -> Result<f64> {
        let n = d.len();
        check_len("x", n, x.len())?;
        check_len("y", n, y.len())?;
        let size = blocks(n);
        let mut partial = [0.0; reduce::MAX_BLOCKS];
        y.par_chunks_mut(size)
            .zip(d.par_chunks(size).zip(x.par_chunks(size)))
            .zip(partial.par_iter_mut())
            .for_each(|((y, (d, x)), sum)| *sum = dispatch(MultiplyDot { d, x, y }));
        Ok(partial.iter().sum())
    }

    fn scale(&self, a: T, y: &mut [T]) -> Result<()> {
        let scaled = |y: &mut [T]| y.iter_mut().for_each(|v| *v *= a);
        if y.len() <= reduce::SERIAL {
            scaled(y);
        } else {
            y.par_chunks_mut(blocks(y.len())).for_each(scaled);
        }
        Ok(())
    }

    fn dot(&self, x: &[T], y: &[T]) -> Result<f64> {
        check_len("y", x.len(), y.len())?;
        Ok(reduce::sum_blocks(x.len(), |range| dispatch(Dot { x: &x[range.clone()], y: &y[range] })))
    }

    /// Right at any scale: where squares leave the range of `T`, entries are divided by the largest one first.
    fn norm(&self, x: &[T]) -> Result<f64> {
        let square = self.dot(x, x)?;
        if square.is_nan() || (square.is_finite() && square >= reduce::least_square::<T>(x.len())) {
            return Ok(square.sqrt());
        }
        let largest = x.par_iter().with_min_len(4096).map(|v| v.f64().abs()).reduce(|| 0.0, f64::max);
        if largest == 0.0 || !largest.is_finite() {
            return Ok(largest);
        }
        let scaled = reduce::sum_blocks(x.len(), |range| {
            lanes(x[range].iter().map(|v| (v.f64() / largest) * (v.f64() / largest)))
        });
        Ok(largest * scaled.sqrt())
    }

    fn sum(&self, x: &[T]) -> Result<f64> {
        Ok(reduce::sum_blocks(x.len(), |range| lanes(x[range].iter().map(|v| v.f64()))))
    }

    fn shift(&self, a: T, y: &mut [T]) -> Result<()> {
        let size = blocks(y.len());
        y.par_chunks_mut(size).for_each(|y| y.iter_mut().for_each(|v| *v += a));
        Ok(())
    }

    fn step(&self, a: T, p: &[T], q: &[T], x: &mut [T], r: &mut [T]) -> Result<f64> {
        let n = p.len();
        check_len("q", n, q.len())?;
        check_len("x", n, x.len())?;
        check_len("r", n, r.len())?;
        let size = blocks(n);
        let mut partial = [0.0; reduce::MAX_BLOCKS];
        x.par_chunks_mut(size)
            .zip(r.par_chunks_mut(size))
            .zip(p.par_chunks(size).zip(q.par_chunks(size)))
            .zip(partial.par_iter_mut())
            .for_each(|(((x, r), (p, q)), sum)| *sum = dispatch(Step { a, p, q, x, r }));
        Ok(partial.iter().sum())
    }

    /// 8 (1 + 1/8) bytes an unknown and vector in f64; the bits are those of `dot`.
    fn dots(&self, basis: &[Buffer<T>], x: &[T], out: &mut [f64]) -> Result<()> {
        check_len("the products", basis.len(), out.len())?;
        for v in basis {
            check_len("a basis vector", x.len(), v.len())?;
        }
        let size = blocks(x.len());
        for (basis, out) in basis.chunks(GROUP).zip(out.chunks_mut(GROUP)) {
            let mut partial = [[0.0; GROUP]; reduce::MAX_BLOCKS];
            if x.len() <= size {
                partial[0] = dispatch(Dots { basis, first: 0, x });
            } else {
                x.par_chunks(size).zip(partial.par_iter_mut()).enumerate().for_each(|(i, (x, sums))| {
                    *sums = dispatch(Dots { basis, first: i * size, x });
                });
            }
            for (i, out) in out.iter_mut().enumerate() {
                *out = partial.iter().map(|p| p[i]).sum();
            }
        }
        Ok(())
    }

    /// 8 bytes an unknown and vector, and 16 an unknown, in f64; the bits are those of `axpby` in turn.
    fn combine(&self, s: f64, a: &[f64], basis: &[Buffer<T>], y: &mut [T]) -> Result<()> {
        check_len("the coefficients", basis.len(), a.len())?;
        for v in basis {
            check_len("a basis vector", y.len(), v.len())?;
        }
        let size = blocks(y.len());
        if y.len() <= size {
            dispatch(Combine { s, a, basis, first: 0, y });
        } else {
            y.par_chunks_mut(size).enumerate().for_each(|(i, y)| {
                dispatch(Combine { s, a, basis, first: i * size, y });
            });
        }
        Ok(())
    }

    fn segment_dot(&self, segments: &Segments, x: &[T], y: &[T], out: &mut [f64]) -> Result<()> {
        check_len("the segments", x.len(), segments.len())?;
        check_len("y", x.len(), y.len())?;
        check_len("the products", segments.count(), out.len())?;
        let within = |s: usize| {
            let (x, y) = (&x[segments.range(s)], &y[segments.range(s)]);
            reduce::sum_blocks(x.len(), |range| dispatch(Dot { x: &x[range.clone()], y: &y[range] }))
        };
        if x.len() <= blocks(x.len()) {
            out.iter_mut().enumerate().for_each(|(s, out)| *out = within(s));
        } else {
            out.par_iter_mut().enumerate().for_each(|(s, out)| *out = within(s));
        }
        Ok(())
    }

    fn segment_axpy(&self, segments: &Segments, a: &[f64], x: &[T], y: &mut [T]) -> Result<()> {
        check_len("x", segments.len(), x.len())?;
        check_len("y", segments.len(), y.len())?;
        check_len("the coefficients", segments.count(), a.len())?;
        each_segment(segments, 0..a.len(), y, &|s, y| {
            if a[s] != 0.0 {
                dispatch(Axpby { a: T::of(a[s]), x: &x[segments.range(s)], b: T::of(1.0), y });
            }
        });
        Ok(())
    }

    fn segment_copy(&self, segments: &Segments, which: &[bool], x: &[T], y: &mut [T]) -> Result<()> {
        check_len("x", segments.len(), x.len())?;
        check_len("y", segments.len(), y.len())?;
        check_len("the choice", segments.count(), which.len())?;
        each_segment(segments, 0..which.len(), y, &|s, y| {
            if which[s] {
                y.copy_from_slice(&x[segments.range(s)]);
            }
        });
        Ok(())
    }
}

/// Runs `f(segment, its part of y)` for the given segments, whose entries `y` are.
fn each_segment<T: Send>(
    segments: &Segments,
    which: Range<usize>,
    y: &mut [T],
    f: &(impl Fn(usize, &mut [T]) + Sync),
) {
    if which.len() < 2 || y.len() <= blocks(y.len()) {
        let mut rest = y;
        for s in which {
            let (part, behind) = std::mem::take(&mut rest).split_at_mut(segments.range(s).len());
            f(s, part);
            rest = behind;
        }
        return;
    }
    let middle = which.start + which.len() / 2;
    let (low, high) = y.split_at_mut(segments.range(middle).start - segments.range(which.start).start);
    rayon::join(
        || each_segment(segments, which.start..middle, low, f),
        || each_segment(segments, middle..which.end, high, f),
    );
}

/// Products made in one pass over a vector.
const GROUP: usize = 8;

/// The products of up to [`GROUP`] vectors, from entry `first` on, with x.
struct Dots<'a, T> {
    basis: &'a [Buffer<T>],
    first: usize,
    x: &'a [T],
}

impl<T: Scalar> Kernel for Dots<'_, T> {
    type Output = [f64; GROUP];
    #[inline(always)]
    fn run(self) -> [f64; GROUP] {
        let Self { basis, first, x } = self;
        let mut sums = [0.0; GROUP];
        for (i, x) in x.chunks(1024).enumerate() {
            let first = first + 1024 * i;
            for (sum, v) in sums.iter_mut().zip(basis) {
                *sum += reduce::dot(&v[first..first + x.len()], x);
            }
        }
        sums
    }
}

/// y + s Σ a v, the vectors from entry `first` on.
struct Combine<'a, T> {
    s: f64,
    a: &'a [f64],
    basis: &'a [Buffer<T>],
    first: usize,
    y: &'a mut [T],
}

impl<T: Scalar> Kernel for Combine<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { s, a, basis, first, y } = self;
        for (i, y) in y.chunks_mut(1024).enumerate() {
            let first = first + 1024 * i;
            for (v, a) in basis.iter().zip(a) {
                let (a, v) = (T::of(s * a), &v[first..first + y.len()]);
                y.iter_mut().zip(v).for_each(|(y, &v)| *y += a * v);
            }
        }
    }
}

struct Axpby<'a, T> {
    a: T,
    x: &'a [T],
    b: T,
    y: &'a mut [T],
}

impl<T: Scalar> Kernel for Axpby<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { a, x, b, y } = self;
        if b == T::of(0.0) {
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = a * x);
        } else if b == T::of(1.0) {
            y.iter_mut().zip(x).for_each(|(y, &x)| *y += a * x);
        } else {
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = a * x + b * *y);
        }
    }
}

struct Multiply<'a, T> {
    a: T,
    d: &'a [T],
    x: &'a [T],
    b: T,
    y: &'a mut [T],
}

impl<T: Scalar> Kernel for Multiply<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { a, d, x, b, y } = self;
        let pairs = y.iter_mut().zip(d.iter().zip(x));
        if b == T::of(0.0) {
            pairs.for_each(|(y, (&d, &x))| *y = a * d * x);
        } else {
            pairs.for_each(|(y, (&d, &x))| *y = a * d * x + b * *y);
        }
    }
}

struct MultiplyDot<'a, T> {
    d: &'a [T],
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Scalar> Kernel for MultiplyDot<'_, T> {
    type Output = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        let Self { d, x, y } = self;
        // Short pieces stay in the first-level cache between the product and the sum.
        let mut sum = 0.0;
        for ((d, x), y) in d.chunks(1024).zip(x.chunks(1024)).zip(y.chunks_mut(1024)) {
            y.iter_mut().zip(d.iter().zip(x)).for_each(|(y, (&d, &x))| *y = d * x);
            sum += reduce::dot(x, y);
        }
        sum
    }
}

struct Dot<'a, T> {
    x: &'a [T],
    y: &'a [T],
}

impl<T: Scalar> Kernel for Dot<'_, T> {
    type Output = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        reduce::dot(self.x, self.y)
    }
}

/// 48 bytes an unknown in f64: p and q read, x and r read and written.
struct Step<'a, T> {
    a: T,
    p: &'a [T],
    q: &'a [T],
    x: &'a mut [T],
    r: &'a mut [T],
}

impl<T: Scalar> Kernel for Step<'_, T> {
    type Output = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        let Self { a, p, q, x, r } = self;
        // Short pieces stay in the first-level cache between the update and the sum.
        let mut sum = 0.0;
        for (((p, q), x), r) in
            p.chunks(1024).zip(q.chunks(1024)).zip(x.chunks_mut(1024)).zip(r.chunks_mut(1024))
        {
            x.iter_mut().zip(p).for_each(|(x, &p)| *x += a * p);
            r.iter_mut().zip(q).for_each(|(r, &q)| *r -= a * q);
            sum += reduce::dot(r, r);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    fn data(n: usize, seed: u64) -> Vec<f64> {
        let mut s = seed;
        (0..n)
            .map(|_| {
                s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (s >> 11) as f64 / (1u64 << 53) as f64 - 0.5
            })
            .collect()
    }

    #[test]
    fn reductions_have_the_same_bits_for_any_number_of_threads() {
        for n in [0, 1, 4095, 4097, 1_000_003] {
            let (x, y) = (data(n, 1), data(n, 2));
            let run = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let space = Host::<f64>::new();
                    let (mut u, mut r) = (x.clone(), y.clone());
                    let step = space.step(0.3, &y, &x, &mut u, &mut r).unwrap();
                    (
                        space.dot(&x, &y).unwrap().to_bits(),
                        space.sum(&x).unwrap().to_bits(),
                        step.to_bits(),
                        u,
                        r,
                    )
                })
            };
            let one = run(1);
            for threads in [2, 4, 8] {
                assert_eq!(one, run(threads), "{n} entries, {threads} threads");
            }
        }
    }

    #[test]
    fn a_norm_is_right_at_any_scale() {
        let v = data(10_007, 6);
        let expected = v.iter().map(|v| v * v).sum::<f64>().sqrt();
        for power in [-1000, -520, -200, 0, 200, 520, 1000] {
            let scale = 2f64.powi(power);
            let scaled: Vec<f64> = v.iter().map(|v| v * scale).collect();
            let norm = Host::<f64>::new().norm(&scaled).unwrap() / scale;
            assert!((norm / expected - 1.0).abs() < 1e-13, "2^{power}: {norm} instead of {expected}");
        }
        for power in [-100, -70, -40, 40, 70, 120] {
            let scale = 2f64.powi(power);
            let scaled: Vec<f32> = v.iter().map(|v| (v * scale) as f32).collect();
            let norm = Host::<f32>::new().norm(&scaled).unwrap() / scale;
            assert!((norm / expected - 1.0).abs() < 1e-6, "2^{power}: {norm} instead of {expected}");
        }
        let space = Host::<f64>::new();
        assert_eq!(space.norm(&[]).unwrap(), 0.0);
        assert_eq!(space.norm(&[0.0; 3]).unwrap(), 0.0);
        assert_eq!(space.norm(&[1.0, f64::NEG_INFINITY]).unwrap(), f64::INFINITY);
        assert!(space.norm(&[1e300, f64::NAN]).unwrap().is_nan());
    }

    #[test]
    fn several_at_once_have_the_bits_of_one_by_one() {
        let space = Host::<f64>::new();
        for n in [0, 1, 1023, 4097, 100_003] {
            let basis: Vec<Buffer<f64>> = (0..11)
                .map(|i| {
                    let mut v = space.zeros(n).unwrap();
                    v.copy_from_slice(&data(n, i));
                    v
                })
                .collect();
            let (x, mut out) = (data(n, 20), [f64::NAN; 11]);
            space.dots(&basis, &x, &mut out).unwrap();
            let coefficients: Vec<f64> = (0..11).map(|i| i as f64 - 4.5).collect();
            let (mut y, mut z) = (x.clone(), x.clone());
            space.combine(-1.5, &coefficients, &basis, &mut y).unwrap();
            for (i, v) in basis.iter().enumerate() {
                assert_eq!(out[i].to_bits(), space.dot(v, &x).unwrap().to_bits(), "{n} {i}");
                space.axpby(-1.5 * coefficients[i], v, 1.0, &mut z).unwrap();
            }
            assert_eq!(y, z);
            assert!(matches!(space.dots(&basis, &x, &mut out[1..]), Err(Error::Length { .. })));
            assert!(matches!(space.combine(1.0, &[1.0], &basis, &mut y), Err(Error::Length { .. })));
        }
    }

    #[test]
    fn verbs_match_plain_loops() {
        let n = 10_007;
        let space = Host::<f64>::new();
        let (x, d, y0) = (data(n, 3), data(n, 4), data(n, 5));
        let mut y = y0.clone();
        space.axpby(1.5, &x, -0.25, &mut y).unwrap();
        assert!((0..n).all(|i| (y[i] - (1.5 * x[i] - 0.25 * y0[i])).abs() < 1e-15));
        let mut y = vec![f64::NAN; n];
        space.axpby(1.5, &x, 0.0, &mut y).unwrap();
        assert!((0..n).all(|i| y[i] == 1.5 * x[i]));
        let mut y = y0.clone();
        space.multiply(2.0, &d, &x, 1.0, &mut y).unwrap();
        assert!((0..n).all(|i| (y[i] - (2.0 * d[i] * x[i] + y0[i])).abs() < 1e-15));
        let mut w = vec![f64::NAN; n];
        let dot = space.multiply_dot(&d, &x, &mut w).unwrap();
        assert!((0..n).all(|i| w[i] == d[i] * x[i]));
        assert!((dot - (0..n).map(|i| x[i] * w[i]).sum::<f64>()).abs() < 1e-10);
        space.scale(-3.0, &mut y).unwrap();
        assert!((0..n).all(|i| (y[i] + 3.0 * (2.0 * d[i] * x[i] + y0[i])).abs() < 1e-14));
        let (mut u, mut r) = (x.clone(), y0.clone());
        let rr = space.step(0.7, &d, &x, &mut u, &mut r).unwrap();
        assert!((0..n).all(
            |i| (u[i] - (x[i] + 0.7 * d[i])).abs() < 1e-15 && (r[i] - (y0[i] - 0.7 * x[i])).abs() < 1e-15
        ));
        assert!((rr - r.iter().map(|v| v * v).sum::<f64>()).abs() < 1e-10);
        assert!(matches!(space.dot(&x, &x[1..]), Err(Error::Length { expected: 10_007, got: 10_006, .. })));
    }
}
