//! A second place where vectors live: one entry after the other, on one thread.

use resolvent::error::check_len;
use resolvent::{Result, Scalar};
use std::marker::PhantomData;

/// Vectors as `Vec<T>`, every verb one loop. A solver that runs here speaks to vectors through the verbs alone: its
/// slices are `Vec<T>`, not `[T]`, so what only works on `Host` does not compile.
#[derive(Clone, Copy, Debug, Default)]
pub struct Space<T>(PhantomData<T>);

impl<T> Space<T> {
    /// The plain space.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// A vector of its own type, which dereferences to `Vec<T>`.
#[derive(Clone, Debug)]
pub struct Owned<T>(Vec<T>);

impl<T> std::ops::Deref for Owned<T> {
    type Target = Vec<T>;
    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}
impl<T> std::ops::DerefMut for Owned<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

/// A number of this space.
#[derive(Debug)]
pub struct Number(f64);

// A slice of this space is a `Vec<T>`, as its trait says.
#[allow(clippy::ptr_arg)]
impl<T: Scalar> resolvent::Space for Space<T> {
    type Scalar = T;
    type Slice = Vec<T>;
    type Buf = Owned<T>;
    /// A number that cannot be read but through the space.
    type Value = Number;

    fn value(&self, v: f64) -> Result<Number> {
        Ok(Number(v))
    }

    fn set(&self, v: f64, value: &mut Number) -> Result<()> {
        value.0 = v;
        Ok(())
    }

    fn read<const N: usize>(&self, values: [&Number; N]) -> Result<[f64; N]> {
        Ok(values.map(|v| v.0))
    }

    fn len(&self, v: &Vec<T>) -> usize {
        v.len()
    }

    fn zeros(&self, n: usize) -> Result<Owned<T>> {
        Ok(Owned(vec![T::of(0.0); n]))
    }

    fn upload(&self, src: &[T], dst: &mut Vec<T>) -> Result<()> {
        check_len("dst", src.len(), dst.len())?;
        dst.copy_from_slice(src);
        Ok(())
    }

    fn download(&self, src: &Vec<T>, dst: &mut [T]) -> Result<()> {
        check_len("dst", src.len(), dst.len())?;
        dst.copy_from_slice(src);
        Ok(())
    }

    fn copy(&self, x: &Vec<T>, y: &mut Vec<T>) -> Result<()> {
        self.upload(x, y)
    }

    fn fill(&self, a: T, y: &mut Vec<T>) -> Result<()> {
        for v in y.iter_mut() {
            *v = a;
        }
        Ok(())
    }

    fn axpby(&self, a: T, x: &Vec<T>, b: T, y: &mut Vec<T>) -> Result<()> {
        check_len("y", x.len(), y.len())?;
        for i in 0..x.len() {
            y[i] = if b == T::of(0.0) { a * x[i] } else { a * x[i] + b * y[i] };
        }
        Ok(())
    }

    fn multiply(&self, a: T, d: &Vec<T>, x: &Vec<T>, b: T, y: &mut Vec<T>) -> Result<()> {
        check_len("x", d.len(), x.len())?;
        check_len("y", d.len(), y.len())?;
        for i in 0..d.len() {
            y[i] = if b == T::of(0.0) { a * d[i] * x[i] } else { a * d[i] * x[i] + b * y[i] };
        }
        Ok(())
    }

    fn scale(&self, a: T, y: &mut Vec<T>) -> Result<()> {
        y.iter_mut().for_each(|v| *v *= a);
        Ok(())
    }

    fn dot(&self, x: &Vec<T>, y: &Vec<T>) -> Result<f64> {
        check_len("y", x.len(), y.len())?;
        Ok(super::dot(x, y))
    }

    fn norm(&self, x: &Vec<T>) -> Result<f64> {
        Ok(super::norm(x))
    }

    fn sum(&self, x: &Vec<T>) -> Result<f64> {
        Ok(x.iter().map(|v| v.f64()).sum())
    }

    fn shift(&self, a: T, y: &mut Vec<T>) -> Result<()> {
        for v in y.iter_mut() {
            *v += a;
        }
        Ok(())
    }
}
