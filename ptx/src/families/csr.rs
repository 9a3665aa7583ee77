//! Products of matrices stored by rows with vectors.

use crate::{Address, Error, Gpu, Launch, Memory, Real, Result};
use std::sync::Arc;

crate::kernel::kernels! { "csr":
    /// y ← a A x + b z.
    fn product<T>(
        offsets: Address<u32>, columns: Address<u32>, values: Address<T>, rows: u32, width: u32, a: T, x: Address<T>, b: T,
        z: Address<T>, y: Address<T>
    );
    /// A step of a Chebyshev polynomial.
    fn relax<T>(
        keep: T, take: T, inverse: Address<T>, r: Address<T>, fresh: u32, d: Address<T>, x: Address<T>, n: u64
    );
}

/// A matrix stored by rows, on a device.
#[derive(Debug)]
pub struct Csr<T: Real> {
    cols: usize,
    offsets: Memory<u32>,
    columns: Memory<u32>,
    values: Memory<T>,
    /// Threads for each row: as many as its entries ask for.
    width: u32,
}

/// Threads of a block.
const THREADS: u32 = 256;

impl<T: Real> Csr<T> {
    /// Of offsets, one more than there are rows, and of columns less than `cols`, which is checked.
    ///
    /// # Errors
    /// [`Error::Length`] for what does not fit together; as [`Memory::new`].
    pub fn new(gpu: &Arc<Gpu>, cols: usize, offsets: &[u32], columns: &[u32], values: &[T]) -> Result<Self> {
        let entries = *offsets.last().ok_or(Error::Length { expected: 1, got: 0 })? as usize;
        for (expected, got) in [(entries, columns.len()), (entries, values.len())] {
            if expected != got {
                return Err(Error::Length { expected, got });
            }
        }
        let beyond = columns.iter().find(|c| **c as usize >= cols);
        if let Some(got) = beyond.map(|c| *c as usize).or_else(|| (!offsets.is_sorted()).then_some(0)) {
            return Err(Error::Length { expected: cols, got });
        }
        let mean = entries / (offsets.len() - 1).max(1);
        Ok(Self {
            cols,
            offsets: Memory::from_slice(gpu, offsets)?,
            columns: Memory::from_slice(gpu, columns)?,
            values: Memory::from_slice(gpu, values)?,
            width: (mean.next_power_of_two() as u32 / 2).clamp(1, 32),
        })
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    /// y ← Ax.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Driver`].
    pub fn apply(&self, x: &Memory<T>, y: &mut Memory<T>) -> Result<()> {
        self.launch(T::ONE, x, T::ZERO, Address::NULL, y)
    }

    /// y ← y + Ax.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn add(&self, x: &Memory<T>, y: &mut Memory<T>) -> Result<()> {
        self.launch(T::ONE, x, T::ONE, y.address(), y)
    }

    /// r ← f − Ax.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn residual(&self, f: &Memory<T>, x: &Memory<T>, r: &mut Memory<T>) -> Result<()> {
        if f.len() != self.rows() {
            return Err(Error::Length { expected: self.rows(), got: f.len() });
        }
        self.launch(T::MINUS_ONE, x, T::ONE, f.address(), r)
    }

    fn launch(&self, a: T, x: &Memory<T>, b: T, z: Address<T>, y: &mut Memory<T>) -> Result<()> {
        let rows = self.rows();
        for (expected, got) in [(self.cols, x.len()), (rows, y.len())] {
            if expected != got {
                return Err(Error::Length { expected, got });
            }
        }
        let (o, c, v) = (self.offsets.address(), self.columns.address(), self.values.address());
        let (covering, gpu) = (Launch::covering(rows * self.width as usize, THREADS), y.gpu());
        let (rows, x, y) = (rows as u32, x.address(), y.address());
        // SAFETY: the structure was checked, and the vectors fit it.
        unsafe { launch::product(gpu, covering, o, c, v, rows, self.width, a, x, b, z, y) }
    }
}

/// d ← keep d + take r∘inverse, x ← x + d; where `fresh`, both from zero.
///
/// # Errors
/// [`Error::Length`], [`Error::Driver`].
pub fn relax<T: Real>(
    [keep, take]: [T; 2],
    inverse: &Memory<T>,
    r: &Memory<T>,
    fresh: bool,
    d: &mut Memory<T>,
    x: &mut Memory<T>,
) -> Result<()> {
    let n = x.len();
    for v in [inverse, r, d] {
        if v.len() != n {
            return Err(Error::Length { expected: n, got: v.len() });
        }
    }
    let (covering, gpu, fresh) = (Launch::covering(n, THREADS), x.gpu(), u32::from(fresh));
    let (inverse, r, d, x) = (inverse.address(), r.address(), d.address(), x.address());
    // SAFETY: every vector has n entries.
    unsafe { launch::relax(gpu, covering, keep, take, inverse, r, fresh, d, x, n as u64) }
}
