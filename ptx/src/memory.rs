//! Memory on a device.

use crate::{Error, Gpu, Real, Result};
use cust::error::CudaResult;
use cust::memory::{AsyncCopyDestination, DeviceBuffer};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// Room for `len` numbers on a device. It is freed with the value, and keeps its device open.
pub struct Memory<T: Number> {
    gpu: Arc<Gpu>,
    /// Absent for a length of 0.
    buffer: Option<DeviceBuffer<T>>,
    len: usize,
}

/// What memory on a device may hold.
pub trait Number: cust::memory::DeviceCopy + Send + Sync + fmt::Debug + 'static {}
impl<T: cust::memory::DeviceCopy + Send + Sync + fmt::Debug + 'static> Number for T {}

/// Where memory of a device begins, as kernels take it.
#[repr(transparent)]
pub struct Address<T>(u64, PhantomData<*const T>);

impl<T> Clone for Address<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Address<T> {}

impl<T> Address<T> {
    /// No memory; for arguments that a kernel does not read.
    pub const NULL: Self = Self(0, PhantomData);

    /// The address `count` numbers further on.
    pub fn offset(self, count: usize) -> Self {
        Self(self.0 + (count * size_of::<T>()) as u64, PhantomData)
    }
}

impl<T: Number> Memory<T> {
    /// Memory for `len` numbers whose values are not known.
    ///
    /// # Errors
    /// [`Error::Memory`] when the device has not as much; [`Error::Driver`].
    pub fn new(gpu: &Arc<Gpu>, len: usize) -> Result<Self> {
        gpu.enter()?;
        let buffer = if len == 0 {
            None
        } else {
            let bytes = len.saturating_mul(size_of::<T>());
            let free = gpu.free_memory()?;
            if bytes > free {
                return Err(Error::Memory { bytes, free });
            }
            // SAFETY: nothing reads it on the host before something wrote it; a kernel that does reads some number.
            let allocated = unsafe { DeviceBuffer::uninitialized(len) };
            Some(allocated.map_err(|e| match crate::driver::last_code() {
                2 => Error::Memory { bytes, free },
                _ => failed("allocating memory", e),
            })?)
        };
        Ok(Self { gpu: gpu.clone(), buffer, len })
    }

    /// Memory that holds what `values` holds.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_slice(gpu: &Arc<Gpu>, values: &[T]) -> Result<Self> {
        let mut memory = Self::new(gpu, values.len())?;
        memory.upload(values)?;
        Ok(memory)
    }

    /// How many numbers it has room for.
    pub fn len(&self) -> usize {
        self.len
    }
    /// Whether it has room for none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// The device it is on.
    pub fn gpu(&self) -> &Arc<Gpu> {
        &self.gpu
    }
    /// Where it begins.
    pub fn address(&self) -> Address<T> {
        Address(self.buffer.as_ref().map_or(0, |b| b.as_device_ptr().as_raw()), PhantomData)
    }

    /// Copies from the host, and waits until that is done.
    ///
    /// # Errors
    /// [`Error::Length`]; [`Error::Driver`], for work given before too.
    pub fn upload(&mut self, values: &[T]) -> Result<()> {
        check(self.len, values.len())?;
        self.gpu.enter()?;
        if let Some(buffer) = &mut self.buffer {
            // SAFETY: `synchronize` comes before `values` can go away.
            let copied = unsafe { buffer.async_copy_from(values, self.gpu.stream()) };
            copied.map_err(|e| failed("copying to the device", e))?;
            self.gpu.count(|c| &c.up, size_of_val(values) as u64);
            self.gpu.synchronize()?;
        }
        Ok(())
    }

    /// Copies all to the host, once all work given before is done.
    ///
    /// # Errors
    /// As [`upload`](Self::upload).
    pub fn download(&self, values: &mut [T]) -> Result<()> {
        check(values.len(), self.len)?;
        self.download_from(0, values)
    }

    /// Copies the numbers from `first` on to the host, once all work given before is done.
    ///
    /// # Errors
    /// As [`upload`](Self::upload).
    pub fn download_from(&self, first: usize, values: &mut [T]) -> Result<()> {
        let end = first + values.len();
        if end > self.len {
            return Err(Error::Length { expected: self.len, got: end });
        }
        self.gpu.enter()?;
        if let Some(buffer) = &self.buffer {
            let bytes = size_of_val(values) as u64;
            // SAFETY: `synchronize` comes before `values` can go away.
            let copied = unsafe { buffer.index(first..end).async_copy_to(values, self.gpu.stream()) };
            copied.map_err(|e| failed("copying from the device", e))?;
            self.gpu.count(|c| &c.down, bytes);
            self.gpu.synchronize()?;
        }
        Ok(())
    }

    /// Copies within the device.
    ///
    /// # Errors
    /// [`Error::Length`]; [`Error::Driver`].
    pub fn copy_from(&mut self, other: &Self) -> Result<()> {
        check(self.len, other.len)?;
        self.gpu.enter()?;
        if let (Some(to), Some(from)) = (&mut self.buffer, &other.buffer) {
            // SAFETY: both live on one stream, which orders what is done with them.
            let copied: CudaResult<()> = unsafe { to.async_copy_from(from, self.gpu.stream()) };
            copied.map_err(|e| failed("copying on the device", e))?;
        }
        Ok(())
    }
}

impl<T: Real> Memory<T> {
    /// The number at `index` ← v, without waiting. For memory that is shared: work on a device is done in the order it is given.
    ///
    /// # Errors
    /// [`Error::Length`] past the end; [`Error::Driver`].
    pub fn set_at(&self, index: usize, v: T) -> Result<()> {
        if index >= self.len {
            return Err(Error::Length { expected: self.len, got: index + 1 });
        }
        crate::families::vector::fill(&self.gpu, v, self.address().offset(index), 1)
    }

    /// Memory for `len` zeros.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn zeros(gpu: &Arc<Gpu>, len: usize) -> Result<Self> {
        let memory = Self::new(gpu, len)?;
        crate::families::vector::fill(gpu, T::ZERO, memory.address(), len)?;
        Ok(memory)
    }
}

impl<T: Number> Drop for Memory<T> {
    fn drop(&mut self) {
        // The thread may be another than the one that allocated. Memory of a lost device cannot be freed, and need not.
        if self.gpu.enter().is_ok()
            && let Some(buffer) = self.buffer.take()
        {
            let _ = DeviceBuffer::drop(buffer);
        }
    }
}

impl<T: Number> fmt::Debug for Memory<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory of {} on {:?}", self.len, self.gpu)
    }
}

fn check(expected: usize, got: usize) -> Result<()> {
    if expected == got { Ok(()) } else { Err(Error::Length { expected, got }) }
}

/// The error of a call that `cust` made.
pub(crate) fn failed(call: &'static str, error: cust::error::CudaError) -> Error {
    let code = match error as i32 {
        // What `cust` does not know is told by the driver itself.
        999 => crate::driver::last_code(),
        code => code,
    };
    Error::Driver { call, code, text: error.to_string() }
}
