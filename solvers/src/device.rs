//! Vectors in the memory of an NVIDIA GPU, and operators on them.
//!
//! A solver written for a [`Space`] runs here as it does on the host, and to the same bits as far as verbs, stencils and what is
//! made of them go: sums have the host's order. Nothing moves between host and device but by `upload`, `download` and `read`;
//! [`Device::counts`] tells how much did.
//!
//! ```
//! # resolvent_emulator::install();
//! use resolvent::{Boundary, Cg, Device, DeviceStencil, Grid, Poisson, Space, Status, Stencil, Stop};
//! let space = Device::<f64>::open(0)?; // an error where there is no GPU
//! let grid = Grid::new_3d(8, 8, 8)?;
//! let a = Stencil::from(Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3])?);
//! let a = DeviceStencil::new(&space, &a)?;
//! let (mut b, mut x) = (space.zeros(512)?, space.zeros(512)?);
//! space.upload(&[1.0; 512], &mut b)?;
//! let report = Cg::unpreconditioned(&space, 512, Stop::rtol(1e-8))?.solve(&space, &a, None, &b, &mut x)?;
//! assert_eq!(report.status, Status::Converged);
//! # Ok::<(), resolvent::Error>(())
//! ```

pub(crate) mod cycle;
mod number;
pub(crate) mod stencil;

pub use crate::amg::device::DeviceAmg;
pub use crate::csr::device::DeviceCsr;
pub use crate::multigrid::device::DeviceMultigrid;
pub use number::Number;
pub use stencil::DeviceStencil;

use crate::error::check_len;
use crate::host::reduce;
use crate::{Result, Scalar, Segments, Space};
use number::Slots;
use resolvent_ptx::families::vector::{self, Bounds, Partial};
use resolvent_ptx::{Counts, Gpu, Memory};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The memory of a GPU. Cloning shares: clones work in one order on one stream.
#[derive(Clone, Debug)]
pub struct Device<T> {
    gpu: Arc<Gpu>,
    slots: Arc<Slots>,
    /// Where sums of parts go; as many as the longest vector needs.
    partial: Arc<Mutex<Partial>>,
    scalar: PhantomData<T>,
}

/// An owned vector on a device.
#[derive(Debug)]
pub struct DeviceBuffer<T: Scalar>(Memory<T>);

impl<T: Scalar> Deref for DeviceBuffer<T> {
    type Target = Memory<T>;
    fn deref(&self) -> &Memory<T> {
        &self.0
    }
}
impl<T: Scalar> DerefMut for DeviceBuffer<T> {
    fn deref_mut(&mut self) -> &mut Memory<T> {
        &mut self.0
    }
}

impl<T: Scalar> Device<T> {
    /// The GPU of that number, counted from 0.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) without a driver or a GPU.
    pub fn open(ordinal: u32) -> Result<Self> {
        Self::on(&Gpu::open(ordinal)?)
    }

    /// An open GPU.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device).
    pub fn on(gpu: &Arc<Gpu>) -> Result<Self> {
        let partial = Partial::of(gpu, reduce::MAX_BLOCKS)?;
        Ok(Self {
            gpu: gpu.clone(),
            slots: Arc::new(Slots::new(gpu)?),
            partial: Arc::new(Mutex::new(partial)),
            scalar: PhantomData,
        })
    }

    /// The same memory for vectors of another precision.
    pub fn cast<U: Scalar>(&self) -> Device<U> {
        let Self { gpu, slots, partial, .. } = self.clone();
        Device { gpu, slots, partial, scalar: PhantomData }
    }

    /// The GPU.
    pub fn gpu(&self) -> &Arc<Gpu> {
        &self.gpu
    }

    /// What went between host and device since it was opened.
    pub fn counts(&self) -> Counts {
        self.gpu.counts()
    }

    /// Room for the sums of a vector of `n` entries, made beforehand by `zeros`.
    pub(crate) fn partial(&self, n: usize) -> Result<MutexGuard<'_, Partial>> {
        let mut partial = self.partial.lock().unwrap_or_else(PoisonError::into_inner);
        let size = reduce::blocks(n);
        let count = vector::chunks(n, size).max(n.div_ceil(256));
        if partial.count() < count {
            *partial = Partial::of(&self.gpu, count)?;
        }
        Ok(partial)
    }

    /// What `sum` leaves in a number, read at once.
    pub(crate) fn now(&self, sum: impl FnOnce(&mut Number) -> Result<()>) -> Result<f64> {
        let mut number = self.value(0.0)?;
        sum(&mut number)?;
        Ok(self.read([&number])?[0])
    }

    /// max |x|, NaN passed over.
    pub(crate) fn largest_of(&self, x: &Memory<T>) -> Result<f64> {
        let mut partial = self.partial(x.len())?;
        let count = vector::largest(x, &mut partial)?;
        Ok(partial.download(count)?.into_iter().fold(0.0, f64::max))
    }

    /// Σ x, or Σ (x/scale)² where `scale` is not 0.
    fn sum_of(&self, x: &Memory<T>, scale: f64) -> Result<f64> {
        let mut partial = self.partial(x.len())?;
        self.now(|out| Ok(vector::sum(x, scale, reduce::blocks(x.len()), &mut partial, out.address())?))
    }
}

impl<T: Scalar> Space for Device<T> {
    type Scalar = T;
    type Slice = Memory<T>;
    type Buf = DeviceBuffer<T>;
    type Value = Number;

    fn value(&self, v: f64) -> Result<Number> {
        let mut number = self.slots.take()?;
        self.set(v, &mut number)?;
        Ok(number)
    }

    fn set(&self, v: f64, value: &mut Number) -> Result<()> {
        Ok(value.set(v)?)
    }

    fn read<const N: usize>(&self, values: [&Number; N]) -> Result<[f64; N]> {
        Ok(self.slots.read(values)?)
    }

    fn ratio_to(&self, a: &Number, b: &Number, out: &mut Number) -> Result<()> {
        // SAFETY: numbers have an address each.
        Ok(unsafe { vector::ratio::<T>(&self.gpu, a.address(), b.address(), out.address()) }?)
    }

    fn len(&self, v: &Memory<T>) -> usize {
        v.len()
    }

    fn zeros(&self, n: usize) -> Result<DeviceBuffer<T>> {
        drop(self.partial(n)?);
        Ok(DeviceBuffer(Memory::zeros(&self.gpu, n)?))
    }

    fn upload(&self, src: &[T], dst: &mut Memory<T>) -> Result<()> {
        check_len("dst", src.len(), dst.len())?;
        Ok(dst.upload(src)?)
    }

    fn download(&self, src: &Memory<T>, dst: &mut [T]) -> Result<()> {
        check_len("dst", src.len(), dst.len())?;
        Ok(src.download(dst)?)
    }

    fn copy(&self, x: &Memory<T>, y: &mut Memory<T>) -> Result<()> {
        check_len("y", x.len(), y.len())?;
        Ok(y.copy_from(x)?)
    }

    fn fill(&self, a: T, y: &mut Memory<T>) -> Result<()> {
        Ok(vector::set(a, y)?)
    }

    fn axpby(&self, a: T, x: &Memory<T>, b: T, y: &mut Memory<T>) -> Result<()> {
        check_len("y", x.len(), y.len())?;
        Ok(vector::axpby(a, x, b, y)?)
    }

    fn multiply(&self, a: T, d: &Memory<T>, x: &Memory<T>, b: T, y: &mut Memory<T>) -> Result<()> {
        check_len("x", d.len(), x.len())?;
        check_len("y", d.len(), y.len())?;
        Ok(vector::multiply(a, d, x, b, y)?)
    }

    fn multiply_dot(&self, d: &Memory<T>, x: &Memory<T>, y: &mut Memory<T>) -> Result<f64> {
        self.now(|out| self.multiply_dot_to(d, x, y, out))
    }

    fn multiply_dot_to(
        &self,
        d: &Memory<T>,
        x: &Memory<T>,
        y: &mut Memory<T>,
        out: &mut Number,
    ) -> Result<()> {
        check_len("x", d.len(), x.len())?;
        check_len("y", d.len(), y.len())?;
        let mut partial = self.partial(x.len())?;
        Ok(vector::multiply_dot(d, x, y, reduce::blocks(x.len()), &mut partial, out.address())?)
    }

    fn xpby_to(&self, z: &Memory<T>, beta: &Number, p: &mut Memory<T>) -> Result<()> {
        check_len("z", p.len(), z.len())?;
        Ok(vector::xpby(z, beta.address(), p)?)
    }

    fn scale(&self, a: T, y: &mut Memory<T>) -> Result<()> {
        Ok(vector::scale(a, y)?)
    }

    fn dot(&self, x: &Memory<T>, y: &Memory<T>) -> Result<f64> {
        self.now(|out| self.dot_to(x, y, out))
    }

    fn dot_to(&self, x: &Memory<T>, y: &Memory<T>, out: &mut Number) -> Result<()> {
        check_len("y", x.len(), y.len())?;
        let mut partial = self.partial(x.len())?;
        Ok(vector::dot(x, y, reduce::blocks(x.len()), &mut partial, out.address())?)
    }

    /// Right at any scale, as on the host.
    fn norm(&self, x: &Memory<T>) -> Result<f64> {
        let square = self.dot(x, x)?;
        if square.is_nan() || (square.is_finite() && square >= reduce::least_square::<T>(x.len())) {
            return Ok(square.sqrt());
        }
        let largest = self.largest_of(x)?;
        if largest == 0.0 || !largest.is_finite() {
            return Ok(largest);
        }
        Ok(largest * self.sum_of(x, largest)?.sqrt())
    }

    fn sum(&self, x: &Memory<T>) -> Result<f64> {
        self.sum_of(x, 0.0)
    }

    fn shift(&self, a: T, y: &mut Memory<T>) -> Result<()> {
        Ok(vector::shift(a, y)?)
    }

    fn step(&self, a: T, p: &Memory<T>, q: &Memory<T>, x: &mut Memory<T>, r: &mut Memory<T>) -> Result<f64> {
        let a = self.value(a.f64())?;
        self.now(|out| self.step_to(&a, p, q, x, r, out))
    }

    fn step_to(
        &self,
        a: &Number,
        p: &Memory<T>,
        q: &Memory<T>,
        x: &mut Memory<T>,
        r: &mut Memory<T>,
        out: &mut Number,
    ) -> Result<()> {
        let n = p.len();
        check_len("q", n, q.len())?;
        check_len("x", n, x.len())?;
        check_len("r", n, r.len())?;
        let mut partial = self.partial(n)?;
        Ok(vector::step(a.address(), p, q, x, r, reduce::blocks(n), &mut partial, out.address())?)
    }

    /// One wait for all of them.
    fn dots(&self, basis: &[DeviceBuffer<T>], x: &Memory<T>, out: &mut [f64]) -> Result<()> {
        check_len("the products", basis.len(), out.len())?;
        const GROUP: usize = 32;
        let size = reduce::blocks(x.len());
        for (basis, out) in basis.chunks(GROUP).zip(out.chunks_mut(GROUP)) {
            let mut numbers = Vec::with_capacity(GROUP);
            for v in basis {
                check_len("a basis vector", x.len(), v.len())?;
                let number = self.slots.take()?;
                vector::dot(v, x, size, &mut *self.partial(x.len())?, number.address())?;
                numbers.push(number);
            }
            self.slots.read_all(&numbers, out)?;
        }
        Ok(())
    }

    fn segment_dot(&self, segments: &Segments, x: &Memory<T>, y: &Memory<T>, out: &mut [f64]) -> Result<()> {
        check_len("the segments", x.len(), segments.len())?;
        check_len("y", x.len(), y.len())?;
        check_len("the products", segments.count(), out.len())?;
        if let [out] = out {
            *out = self.dot(x, y)?;
            return Ok(());
        }
        let mut dots = Memory::new(&self.gpu, segments.count())?;
        vector::segment_dot(&self.bounds(segments)?, x, y, &mut dots)?;
        Ok(dots.download(out)?)
    }

    fn segment_axpy(&self, segments: &Segments, a: &[f64], x: &Memory<T>, y: &mut Memory<T>) -> Result<()> {
        check_len("x", segments.len(), x.len())?;
        check_len("y", segments.len(), y.len())?;
        check_len("the coefficients", segments.count(), a.len())?;
        let a = Memory::from_slice(&self.gpu, a)?;
        Ok(vector::segment_axpy(&self.bounds(segments)?, &a, x, y)?)
    }

    fn segment_copy(
        &self,
        segments: &Segments,
        which: &[bool],
        x: &Memory<T>,
        y: &mut Memory<T>,
    ) -> Result<()> {
        check_len("x", segments.len(), x.len())?;
        check_len("y", segments.len(), y.len())?;
        check_len("the choice", segments.count(), which.len())?;
        let marks: Vec<u32> = which.iter().map(|w| u32::from(*w)).collect();
        let marks = Memory::from_slice(&self.gpu, &marks)?;
        Ok(vector::segment_copy(&self.bounds(segments)?, &marks, x, y)?)
    }
}

impl<T: Scalar> Device<T> {
    fn bounds(&self, segments: &Segments) -> Result<Bounds> {
        let ends = (0..segments.count()).map(|s| segments.range(s).end as u64);
        let bounds: Vec<u64> = std::iter::once(0).chain(ends).collect();
        Ok(Bounds::new(&self.gpu, &bounds)?)
    }
}
