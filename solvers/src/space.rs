//! Where vectors live, and the verbs solvers may use on them.

mod segments;

pub use segments::Segments;

use crate::error::check_len;
use crate::{Result, Scalar};
use std::ops::DerefMut;

/// A place where vectors live, and the verbs solvers may use on them. Solvers never index a vector.
///
/// All lengths must agree; an implementation checks this and answers [`Error::Length`](crate::Error::Length).
/// Reductions are deterministic: the same data give the same bits for any number of threads.
pub trait Space: Send + Sync {
    /// The type of one entry.
    type Scalar: Scalar;
    /// A borrowed vector: `[T]` on the host, a device slice on a GPU.
    type Slice: ?Sized + Send + Sync;
    /// An owned vector.
    type Buf: DerefMut<Target = Self::Slice> + Send + Sync;
    /// A number that stays where the vectors are until it is read: `f64` on the host, a place in its memory on a GPU, where a
    /// loop that reads once a step waits once a step.
    type Value: Send + Sync;

    /// How many entries `v` has.
    fn len(&self, v: &Self::Slice) -> usize;
    /// A new vector of `n` zeros.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory) when it does not fit.
    fn zeros(&self, n: usize) -> Result<Self::Buf>;
    /// Copies from host memory.
    fn upload(&self, src: &[Self::Scalar], dst: &mut Self::Slice) -> Result<()>;
    /// Copies to host memory.
    fn download(&self, src: &Self::Slice, dst: &mut [Self::Scalar]) -> Result<()>;
    /// y ← x.
    fn copy(&self, x: &Self::Slice, y: &mut Self::Slice) -> Result<()>;
    /// y ← a in every entry.
    fn fill(&self, a: Self::Scalar, y: &mut Self::Slice) -> Result<()>;
    /// y ← a x + b y. `b = 0` overwrites: what `y` held, NaN included, is not read.
    fn axpby(&self, a: Self::Scalar, x: &Self::Slice, b: Self::Scalar, y: &mut Self::Slice) -> Result<()>;
    /// y ← a d∘x + b y, entry by entry; `b = 0` overwrites.
    fn multiply(
        &self,
        a: Self::Scalar,
        d: &Self::Slice,
        x: &Self::Slice,
        b: Self::Scalar,
        y: &mut Self::Slice,
    ) -> Result<()>;
    /// y ← d∘x, entry by entry; returns x·y. One pass where the space can: 24 bytes an unknown in f64.
    fn multiply_dot(&self, d: &Self::Slice, x: &Self::Slice, y: &mut Self::Slice) -> Result<f64> {
        self.multiply(num_traits::one(), d, x, num_traits::zero(), y)?;
        self.dot(x, y)
    }
    /// y ← a y.
    fn scale(&self, a: Self::Scalar, y: &mut Self::Slice) -> Result<()>;
    /// x·y, accumulated in f64.
    fn dot(&self, x: &Self::Slice, y: &Self::Slice) -> Result<f64>;
    /// The sum of the entries, accumulated in f64.
    fn sum(&self, x: &Self::Slice) -> Result<f64>;
    /// y ← y + a in every entry.
    fn shift(&self, a: Self::Scalar, y: &mut Self::Slice) -> Result<()>;
    /// ‖x‖₂.
    fn norm(&self, x: &Self::Slice) -> Result<f64> {
        Ok(self.dot(x, x)?.sqrt())
    }
    /// x ← x + a p, r ← r − a q; returns r·r. One pass where the space can: 48 bytes an unknown in f64.
    fn step(
        &self,
        a: Self::Scalar,
        p: &Self::Slice,
        q: &Self::Slice,
        x: &mut Self::Slice,
        r: &mut Self::Slice,
    ) -> Result<f64> {
        let one = num_traits::one();
        self.axpby(a, p, one, x)?;
        self.axpby(-a, q, one, r)?;
        self.dot(r, r)
    }
    /// A new number.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    fn value(&self, v: f64) -> Result<Self::Value>;
    /// value ← v.
    fn set(&self, v: f64, value: &mut Self::Value) -> Result<()>;
    /// What the numbers are, all at once.
    fn read<const N: usize>(&self, values: [&Self::Value; N]) -> Result<[f64; N]>;
    /// out ← a/b where a and b are positive and the quotient is a finite number of the vectors' precision, else 0.
    fn ratio_to(&self, a: &Self::Value, b: &Self::Value, out: &mut Self::Value) -> Result<()> {
        let [a, b] = self.read([a, b])?;
        let ratio = a / b;
        let usable = a > 0.0 && b > 0.0 && Self::Scalar::of(ratio).f64().is_finite();
        self.set(if usable { ratio } else { 0.0 }, out)
    }
    /// out ← x·y.
    fn dot_to(&self, x: &Self::Slice, y: &Self::Slice, out: &mut Self::Value) -> Result<()> {
        self.set(self.dot(x, y)?, out)
    }
    /// p ← z + βp; `β = 0` overwrites.
    fn xpby_to(&self, z: &Self::Slice, beta: &Self::Value, p: &mut Self::Slice) -> Result<()> {
        let [beta] = self.read([beta])?;
        self.axpby(num_traits::one(), z, Self::Scalar::of(beta), p)
    }
    /// y ← d∘x, out ← x·y.
    fn multiply_dot_to(
        &self,
        d: &Self::Slice,
        x: &Self::Slice,
        y: &mut Self::Slice,
        out: &mut Self::Value,
    ) -> Result<()> {
        self.set(self.multiply_dot(d, x, y)?, out)
    }
    /// As [`step`](Self::step), out ← r·r. With a = 0 neither x nor r is written.
    fn step_to(
        &self,
        a: &Self::Value,
        p: &Self::Slice,
        q: &Self::Slice,
        x: &mut Self::Slice,
        r: &mut Self::Slice,
        out: &mut Self::Value,
    ) -> Result<()> {
        let [a] = self.read([a])?;
        let square = if a == 0.0 { self.dot(r, r)? } else { self.step(Self::Scalar::of(a), p, q, x, r)? };
        self.set(square, out)
    }
    /// The products of every vector of a basis with x, for Gram–Schmidt: x is read once for several, where the space can.
    fn dots(&self, basis: &[Self::Buf], x: &Self::Slice, out: &mut [f64]) -> Result<()> {
        check_len("the products", basis.len(), out.len())?;
        for (v, out) in basis.iter().zip(out) {
            *out = self.dot(v, x)?;
        }
        Ok(())
    }
    /// y ← y + s Σ a v over a basis v: y is read and written once for all, where the space can.
    fn combine(&self, s: f64, a: &[f64], basis: &[Self::Buf], y: &mut Self::Slice) -> Result<()> {
        check_len("the coefficients", basis.len(), a.len())?;
        for (v, a) in basis.iter().zip(a) {
            self.axpby(Self::Scalar::of(s * a), v, num_traits::one(), y)?;
        }
        Ok(())
    }
    /// x·y within every segment. A space that does not divide vectors takes one segment only.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length).
    fn segment_dot(
        &self,
        segments: &Segments,
        x: &Self::Slice,
        y: &Self::Slice,
        out: &mut [f64],
    ) -> Result<()> {
        one_segment(segments, self.len(x))?;
        check_len("the products", 1, out.len())?;
        out[0] = self.dot(x, y)?;
        Ok(())
    }
    /// y ← y + a x within the segments whose a is not 0.
    ///
    /// # Errors
    /// As [`segment_dot`](Self::segment_dot).
    fn segment_axpy(
        &self,
        segments: &Segments,
        a: &[f64],
        x: &Self::Slice,
        y: &mut Self::Slice,
    ) -> Result<()> {
        one_segment(segments, self.len(x))?;
        check_len("the coefficients", 1, a.len())?;
        if a[0] == 0.0 { Ok(()) } else { self.axpby(Self::Scalar::of(a[0]), x, num_traits::one(), y) }
    }
    /// y ← x within the segments that are asked for.
    ///
    /// # Errors
    /// As [`segment_dot`](Self::segment_dot).
    fn segment_copy(
        &self,
        segments: &Segments,
        which: &[bool],
        x: &Self::Slice,
        y: &mut Self::Slice,
    ) -> Result<()> {
        one_segment(segments, self.len(x))?;
        check_len("the choice", 1, which.len())?;
        if which[0] { self.copy(x, y) } else { Ok(()) }
    }
}

/// `Ok` for one segment that is the whole vector.
fn one_segment(segments: &Segments, n: usize) -> Result<()> {
    check_len("the segments", n, segments.len())?;
    check_len("the segments of this space", 1, segments.count())
}
