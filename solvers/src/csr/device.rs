//! Sparse matrices on a device.

use super::Csr;
use crate::device::{Device, Number};
use crate::operator::check_apply;
use crate::{Error, LinearOperator, Map, Operator, Properties, Result, Scalar, Shape, Space};
use resolvent_ptx::Memory;
use resolvent_ptx::families::csr::Csr as Kernels;

/// A [`Csr`] whose entries are on a device. A row is added up by several threads: its sum differs from the host's by rounding.
///
/// Bytes of a product in f64: 12 an entry, 4 a row, and the vectors.
#[derive(Debug)]
pub struct DeviceCsr<T: Scalar> {
    shape: Shape,
    properties: Properties,
    kernels: Kernels<T>,
}

impl<T: Scalar> DeviceCsr<T> {
    /// Copies a matrix to the device.
    ///
    /// # Errors
    /// [`Error::Device`]; [`Error::Unsuited`] for more than 2³² entries.
    pub fn new(space: &Device<T>, a: &Csr<T>) -> Result<Self> {
        let Some(offsets) = a.offsets().short() else {
            return Err(Error::Unsuited {
                what: "a GPU",
                needs: "a matrix of fewer than 2³² entries",
                mend: "solve on the processor",
            });
        };
        let kernels = Kernels::new(space.gpu(), a.cols(), offsets, a.columns(), a.values())?;
        Ok(Self { shape: a.shape(), properties: a.properties(), kernels })
    }
}

impl<T: Scalar> Map for DeviceCsr<T> {
    fn shape(&self) -> Shape {
        self.shape
    }
    fn properties(&self) -> Properties {
        self.properties
    }
}

impl<T: Scalar> Operator<Device<T>> for DeviceCsr<T> {
    fn apply(&self, space: &Device<T>, x: &Memory<T>, y: &mut Memory<T>) -> Result<()> {
        check_apply(space, self.shape, x, y)?;
        Ok(self.kernels.apply(x, y)?)
    }
}

impl<T: Scalar> LinearOperator<Device<T>> for DeviceCsr<T> {
    fn apply_dot_to(
        &self,
        space: &Device<T>,
        x: &Memory<T>,
        y: &mut Memory<T>,
        out: &mut Number,
    ) -> Result<()> {
        self.apply(space, x, y)?;
        space.dot_to(x, y, out)
    }

    fn update_apply_dot_to(
        &self,
        space: &Device<T>,
        z: &Memory<T>,
        beta: &Number,
        p: &mut Memory<T>,
        q: &mut Memory<T>,
        out: &mut Number,
    ) -> Result<()> {
        space.xpby_to(z, beta, p)?;
        self.apply_dot_to(space, p, q, out)
    }
}
