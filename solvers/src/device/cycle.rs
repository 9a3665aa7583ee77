//! A cycle in precision `T` as a preconditioner of vectors of `T` or f64: how a right-hand side comes to its finest level and
//! the result back, and a scale where the right-hand side is outside the range of `T`.

use super::{Device, Number};
use crate::error::check_len;
use crate::host::reduce;
use crate::{Result, Scalar, Shape, Space};
use num_traits::Float;
use resolvent_ptx::Memory;
use resolvent_ptx::families::multigrid as kernels;
use std::sync::{Mutex, PoisonError};

/// What a cycle works in.
#[derive(Debug)]
pub(crate) struct Workspace<V> {
    /// The vectors of all levels.
    pub vectors: V,
    /// What a right-hand side is multiplied by.
    pub scale: f64,
}

/// A cycle.
pub(crate) trait Cycle<T: Scalar>: Send + Sync {
    /// The vectors of all levels.
    type Vectors: Send;
    /// Its rows and columns.
    fn size(&self) -> Shape;
    /// What it works in.
    fn work(&self) -> &Mutex<Workspace<Self::Vectors>>;
    /// The right-hand side of the finest level, and where the result will be.
    fn ends(vectors: &mut Self::Vectors) -> (&mut Memory<T>, &mut Memory<T>);
    /// Makes the result of the right-hand side.
    fn cycle(&self, vectors: &mut Self::Vectors) -> Result<()>;
}

/// Vectors that a cycle in `T` takes.
pub(crate) trait Ends<T: Scalar>: Space {
    /// f ← scale r.
    fn load(&self, r: &Self::Slice, scale: f64, f: &mut Memory<T>) -> Result<()>;
    /// z ← e/scale; out ← r·z.
    fn store(
        &self,
        e: &Memory<T>,
        scale: f64,
        r: &Self::Slice,
        z: &mut Self::Slice,
        out: &mut Self::Value,
    ) -> Result<()>;
    /// max |r|.
    fn largest(&self, r: &Self::Slice) -> Result<f64>;
}

impl<T: Scalar> Ends<T> for Device<f64> {
    fn load(&self, r: &Memory<f64>, scale: f64, f: &mut Memory<T>) -> Result<()> {
        Ok(kernels::load(r, scale, f)?)
    }
    fn store(
        &self,
        e: &Memory<T>,
        scale: f64,
        r: &Memory<f64>,
        z: &mut Memory<f64>,
        out: &mut Number,
    ) -> Result<()> {
        let (size, mut partial) = (reduce::blocks(r.len()), self.partial(r.len())?);
        Ok(kernels::store(self.gpu(), e, 1.0 / scale, r, z, size, &mut partial, out.address())?)
    }
    fn largest(&self, r: &Memory<f64>) -> Result<f64> {
        self.largest_of(r)
    }
}

impl Ends<f32> for Device<f32> {
    fn load(&self, r: &Memory<f32>, scale: f64, f: &mut Memory<f32>) -> Result<()> {
        self.axpby(scale as f32, r, 0.0, f)
    }
    fn store(
        &self,
        e: &Memory<f32>,
        scale: f64,
        r: &Memory<f32>,
        z: &mut Memory<f32>,
        out: &mut Number,
    ) -> Result<()> {
        self.axpby((1.0 / scale) as f32, e, 0.0, z)?;
        self.dot_to(r, z, out)
    }
    fn largest(&self, r: &Memory<f32>) -> Result<f64> {
        self.largest_of(r)
    }
}

/// z ← M r; out ← r·z. The product is not looked at.
pub(crate) fn run<T: Scalar, S: Ends<T>, C: Cycle<T>>(
    cycle: &C,
    space: &S,
    r: &S::Slice,
    z: &mut S::Slice,
    out: &mut S::Value,
) -> Result<()> {
    check_len("x", cycle.size().cols, space.len(r))?;
    check_len("y", cycle.size().rows, space.len(z))?;
    let Workspace { vectors, scale } = &mut *cycle.work().lock().unwrap_or_else(PoisonError::into_inner);
    space.load(r, *scale, C::ends(vectors).0)?;
    cycle.cycle(vectors)?;
    space.store(C::ends(vectors).1, *scale, r, z, out)
}

/// As [`run`], and with another scale from now on when the product shows that r is outside the range of `T`.
pub(crate) fn run_now<T: Scalar, S: Ends<T>, C: Cycle<T>>(
    cycle: &C,
    space: &S,
    r: &S::Slice,
    z: &mut S::Slice,
) -> Result<f64> {
    let mut out = space.value(0.0)?;
    run(cycle, space, r, z, &mut out)?;
    let [product] = space.read([&out])?;
    if product.is_finite() && (1e-60..1e60).contains(&product.abs()) {
        return Ok(product);
    }
    let largest = space.largest(r)?;
    if largest == 0.0 || !largest.is_finite() {
        return Ok(product);
    }
    let scale = (1.0 / largest).min(0.5 * S::Scalar::max_value().f64());
    cycle.work().lock().unwrap_or_else(PoisonError::into_inner).scale = scale;
    run(cycle, space, r, z, &mut out)?;
    Ok(space.read([&out])?[0])
}

/// The operator traits of a cycle in one precision on vectors of another.
macro_rules! preconditioner {
    ($cycle:ident: $($work:ty => $space:ty),+) => {$(
        impl $crate::Operator<$crate::Device<$space>> for $cycle<$work> {
            fn apply(
                &self,
                space: &$crate::Device<$space>,
                x: &resolvent_ptx::Memory<$space>,
                y: &mut resolvent_ptx::Memory<$space>,
            ) -> $crate::Result<()> {
                $crate::device::cycle::run_now(self, space, x, y).map(drop)
            }
        }
        impl $crate::LinearOperator<$crate::Device<$space>> for $cycle<$work> {
            fn apply_dot(
                &self,
                space: &$crate::Device<$space>,
                x: &resolvent_ptx::Memory<$space>,
                y: &mut resolvent_ptx::Memory<$space>,
            ) -> $crate::Result<f64> {
                $crate::device::cycle::run_now(self, space, x, y)
            }
            /// Without a look at the product: where that is no positive number, `apply_dot` finds another scale.
            fn apply_dot_to(
                &self,
                space: &$crate::Device<$space>,
                x: &resolvent_ptx::Memory<$space>,
                y: &mut resolvent_ptx::Memory<$space>,
                out: &mut $crate::device::Number,
            ) -> $crate::Result<()> {
                $crate::device::cycle::run(self, space, x, y, out)
            }
        }
    )+};
}
pub(crate) use preconditioner;
