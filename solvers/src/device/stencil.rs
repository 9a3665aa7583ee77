//! Structured operators on a device.

use super::{Device, DeviceBuffer, Number};
use crate::error::check_len;
use crate::operator::check_apply;
use crate::stencil::faces::Faces;
use crate::stencil::floating::Floating;
use crate::stencil::poisson::Constant;
use crate::stencil::rows::{Extent, Rows};
use crate::{LinearOperator, Map, Operator, Properties, Result, Scalar, Shape, Space, Stencil};
use resolvent_ptx::Memory;
use resolvent_ptx::families::stencil::{Box as Cells, Kind, Operator as Kernels};
use std::sync::{Mutex, PoisonError};

/// A [`Stencil`] whose coefficients are on a device, in precision `T`. Products have the bits of the host's.
///
/// Traffic of a product with its dot, bytes an unknown in f64: 16 and what the coefficients take; 32 with the update of a step
/// of conjugate gradients, for which a vector of its own is kept.
#[derive(Debug)]
pub struct DeviceStencil<T: Scalar> {
    shape: Shape,
    properties: Properties,
    kernels: Kernels<T>,
    /// Cells that take part, and where constants on them are the null space.
    active: usize,
    floating: Floating,
    work: Mutex<Work<T>>,
}

/// What a product needs besides its operands.
#[derive(Debug)]
struct Work<T: Scalar> {
    /// The next p.
    updated: DeviceBuffer<T>,
    sums: Memory<f64>,
}

/// A box, as kernels take it.
pub(crate) fn cells(extent: Extent) -> Cells {
    let periodic = (0..3).filter(|d| extent.periodic[*d]).map(|d| 1 << d).sum();
    Cells { n: extent.n.map(|n| n as u32), periodic }
}

/// Copies constant coefficients to a device.
pub(crate) fn constant<T: Scalar>(space: &Device<T>, a: &Constant<T>) -> Result<Kernels<T>> {
    let kind = Kind::Constant {
        c: a.c.map(T::of),
        diagonals: Memory::from_slice(space.gpu(), a.diagonals())?,
        inverses: Memory::from_slice(space.gpu(), a.inverses())?,
    };
    Ok(Kernels::new(cells(Rows::<T>::extent(a)), kind)?)
}

/// Copies flags to a device.
pub(crate) fn flags<T: Scalar>(space: &Device<T>, extent: Extent, diagonal: &[u8]) -> Result<Kernels<T>> {
    let kind = Kind::Flags(Memory::from_slice(space.gpu(), diagonal)?);
    Ok(Kernels::new(cells(extent), kind)?)
}

/// Copies the conductances of faces to a device, and 1/diagonal where that is needed.
pub(crate) fn faces<T: Scalar>(
    space: &Device<T>,
    a: &Faces<T>,
    inverses: Option<&[T]>,
) -> Result<Kernels<T>> {
    let [x, y, z] = &a.g;
    let copy = |g: &Vec<T>| Memory::from_slice(space.gpu(), g);
    let kind = Kind::Faces {
        faces: [copy(x)?, copy(y)?, copy(z)?],
        sink: a.sink.as_ref().map(copy).transpose()?,
        inverses: inverses.map(|v| Memory::from_slice(space.gpu(), v)).transpose()?,
    };
    Ok(Kernels::new(cells(a.extent), kind)?)
}

impl<T: Scalar> DeviceStencil<T> {
    /// Copies the coefficients of `a` to the device.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device).
    pub fn new(space: &Device<T>, a: &Stencil) -> Result<Self> {
        let (kernels, floating) = match a {
            Stencil::Poisson(a) => {
                let inner = &a.inner.double;
                let extent = Rows::<f64>::extent(inner);
                let floats = if a.is_singular() { Floating::Everywhere } else { Floating::Nowhere };
                (constant(space, &Constant::new(extent, inner.c, inner.ends))?, floats)
            }
            Stencil::Flags(a) => {
                let extent = Rows::<f64>::extent(&a.inner.double);
                (flags(space, extent, a.diagonal_bytes())?, a.floating().clone())
            }
            Stencil::Faces(a) => (faces(space, &a.faces.cast(), None)?, a.floating().clone()),
        };
        let shape = a.shape();
        let work =
            Work { updated: space.zeros(shape.rows)?, sums: Memory::new(space.gpu(), kernels.row_sums())? };
        Ok(Self {
            shape,
            properties: a.properties(),
            kernels,
            active: a.active(),
            floating,
            work: Mutex::new(work),
        })
    }
}

impl<T: Scalar> Map for DeviceStencil<T> {
    fn shape(&self) -> Shape {
        self.shape
    }
    fn properties(&self) -> Properties {
        self.properties
    }
}

impl<T: Scalar> Operator<Device<T>> for DeviceStencil<T> {
    fn apply(&self, space: &Device<T>, x: &Memory<T>, y: &mut Memory<T>) -> Result<()> {
        check_apply(space, self.shape, x, y)?;
        Ok(self.kernels.apply(false, x, y, None)?)
    }
}

impl<T: Scalar> LinearOperator<Device<T>> for DeviceStencil<T> {
    fn apply_dot(&self, space: &Device<T>, x: &Memory<T>, y: &mut Memory<T>) -> Result<f64> {
        space.now(|out| self.apply_dot_to(space, x, y, out))
    }

    fn apply_dot_to(
        &self,
        space: &Device<T>,
        x: &Memory<T>,
        y: &mut Memory<T>,
        out: &mut Number,
    ) -> Result<()> {
        check_apply(space, self.shape, x, y)?;
        let Work { sums, .. } = &mut *self.work.lock().unwrap_or_else(PoisonError::into_inner);
        self.kernels.apply(false, x, y, Some(sums))?;
        Ok(self.kernels.finish(sums, out.address())?)
    }

    fn update_apply_dot(
        &self,
        space: &Device<T>,
        z: &Memory<T>,
        beta: T,
        p: &mut Memory<T>,
        q: &mut Memory<T>,
    ) -> Result<f64> {
        let beta = space.value(beta.f64())?;
        space.now(|out| self.update_apply_dot_to(space, z, &beta, p, q, out))
    }

    /// p is exchanged for a vector that the operator keeps, since neighbours read the old one while the new one is written.
    fn update_apply_dot_to(
        &self,
        space: &Device<T>,
        z: &Memory<T>,
        beta: &Number,
        p: &mut Memory<T>,
        q: &mut Memory<T>,
        out: &mut Number,
    ) -> Result<()> {
        check_len("z", p.len(), z.len())?;
        check_apply(space, self.shape, p, q)?;
        let Work { updated, sums } = &mut *self.work.lock().unwrap_or_else(PoisonError::into_inner);
        self.kernels.update_apply(z, beta.address(), p, updated, q, sums)?;
        std::mem::swap(p, &mut **updated);
        Ok(self.kernels.finish(sums, out.address())?)
    }

    /// An operator with several parts that float is projected on the host: two copies of `v`.
    fn project(&self, space: &Device<T>, v: &mut Memory<T>) -> Result<()> {
        check_len("v", self.shape.rows, v.len())?;
        let full = self.active == self.shape.rows;
        if !full {
            self.kernels.clean(T::of(0.0), v)?;
        }
        match &self.floating {
            Floating::Everywhere if self.active > 0 => {
                let mean = T::of(space.sum(v)? / self.active as f64);
                if full { space.shift(-mean, v) } else { Ok(self.kernels.clean(mean, v)?) }
            }
            Floating::Parts { .. } => {
                let mut host = vec![T::of(0.0); v.len()];
                v.download(&mut host)?;
                self.floating.center(&mut host);
                Ok(v.upload(&host)?)
            }
            _ => Ok(()),
        }
    }
}
