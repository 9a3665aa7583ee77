//! Verbs on vectors. Results have the bits of the host's loops; a sum stays on the device, at an [`Address`].

use crate::{Address, Error, Gpu, Launch, Memory, Real, Result};
use std::sync::Arc;

crate::kernel::kernels! { "vector":
    /// y ← a.
    fn fill<T>(a: T, y: Address<T>, n: u64);
    /// y ← a x + b y.
    fn axpby<T>(a: T, x: Address<T>, b: T, y: Address<T>, n: u64);
    /// p ← z + βp.
    fn xpby<T>(z: Address<T>, beta: Address<f64>, p: Address<T>, n: u64);
    /// y ← a d∘x + b y.
    fn multiply<T>(a: T, d: Address<T>, x: Address<T>, b: T, y: Address<T>, n: u64);
    /// y ← a y.
    fn scale<T>(a: T, y: Address<T>, n: u64);
    /// y ← y + a.
    fn shift<T>(a: T, y: Address<T>, n: u64);
    /// x·y by chunks.
    fn dot<T>(x: Address<T>, y: Address<T>, n: u64, size: u64, chunks: u32, sums: Address<f64>);
    /// y ← d∘x and x·y by chunks.
    fn multiply_dot<T>(d: Address<T>, x: Address<T>, y: Address<T>, n: u64, size: u64, chunks: u32, sums: Address<f64>);
    /// x ← x + α p, r ← r − α q and r·r by chunks.
    fn step<T>(
        alpha: Address<f64>, p: Address<T>, q: Address<T>, x: Address<T>, r: Address<T>, n: u64, size: u64, chunks: u32,
        sums: Address<f64>
    );
    /// Σ x, or Σ (x/scale)², by blocks.
    fn sum<T>(x: Address<T>, scale: f64, n: u64, size: u64, blocks: u32, sums: Address<f64>);
    /// max |x| by blocks of 256.
    fn largest<T>(x: Address<T>, n: u64, largest: Address<f64>);
    /// The end of a sum.
    fn finish<T>(sums: Address<f64>, count: u32, each: u32, total: Address<f64>);
    /// a/b where that is a positive number, else 0.
    fn ratio<T>(a: Address<f64>, b: Address<f64>, quotient: Address<f64>);
    /// x·y by segments.
    fn segment_dot<T>(bounds: Address<u64>, segments: u32, x: Address<T>, y: Address<T>, dots: Address<f64>);
    /// y ← y + a x by segments.
    fn segment_axpy<T>(bounds: Address<u64>, a: Address<f64>, x: Address<T>, y: Address<T>);
    /// y ← x by segments.
    fn segment_copy<T>(bounds: Address<u64>, marks: Address<u32>, x: Address<T>, y: Address<T>);
}

/// Threads of a block where each has one entry.
const THREADS: u32 = 256;
/// Threads that add up a chunk, and entries of a chunk.
const LANES: u32 = 16;
const CHUNK: usize = 1024;

/// Where sums of parts go before they are added up: as many as the longest vector of a device space needs.
#[derive(Debug)]
pub struct Partial(Memory<f64>);

impl Partial {
    /// Room for the sums of a vector of `n` entries in blocks of `size`.
    ///
    /// # Errors
    /// As [`Memory::new`].
    pub fn new(gpu: &Arc<Gpu>, n: usize, size: usize) -> Result<Self> {
        Self::of(gpu, chunks(n, size).max(n.div_ceil(THREADS as usize)))
    }

    /// Room for `count` sums.
    ///
    /// # Errors
    /// As [`Memory::new`].
    pub fn of(gpu: &Arc<Gpu>, count: usize) -> Result<Self> {
        Memory::new(gpu, count.max(1)).map(Self)
    }

    /// How many sums it has room for.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Where they are.
    pub fn address(&self) -> Address<f64> {
        self.0.address()
    }

    pub(crate) fn room(&self, count: usize) -> Result<()> {
        if count <= self.0.len() { Ok(()) } else { Err(Error::Length { expected: self.0.len(), got: count }) }
    }
}

/// How many chunks the blocks of a vector are cut into.
pub fn chunks(n: usize, size: usize) -> usize {
    n / size * size.div_ceil(CHUNK) + (n % size).div_ceil(CHUNK)
}

fn same<T: Real>(n: usize, others: &[&Memory<T>]) -> Result<()> {
    match others.iter().find(|v| v.len() != n) {
        Some(v) => Err(Error::Length { expected: n, got: v.len() }),
        None => Ok(()),
    }
}

/// y ← a in every entry of the first `n` at `y`.
pub(crate) fn fill<T: Real>(gpu: &Gpu, a: T, y: Address<T>, n: usize) -> Result<()> {
    // SAFETY: the memory behind `y` has `n` entries, as both callers know.
    unsafe { launch::fill(gpu, Launch::covering(n, THREADS), a, y, n as u64) }
}

/// y ← a in every entry.
///
/// # Errors
/// [`Error::Driver`]; so for all below.
pub fn set<T: Real>(a: T, y: &mut Memory<T>) -> Result<()> {
    fill(y.gpu(), a, y.address(), y.len())
}

/// y ← a x + b y; `b = 0` overwrites.
///
/// # Errors
/// [`Error::Length`] for vectors of different lengths; so for all below.
pub fn axpby<T: Real>(a: T, x: &Memory<T>, b: T, y: &mut Memory<T>) -> Result<()> {
    let n = y.len();
    same(n, &[x])?;
    // SAFETY: every vector has n entries; so for all below.
    unsafe { launch::axpby(y.gpu(), Launch::covering(n, THREADS), a, x.address(), b, y.address(), n as u64) }
}

/// p ← z + βp; `β = 0` overwrites.
///
/// # Errors
/// As [`axpby`].
pub fn xpby<T: Real>(z: &Memory<T>, beta: Address<f64>, p: &mut Memory<T>) -> Result<()> {
    let n = p.len();
    same(n, &[z])?;
    // SAFETY: as above.
    unsafe { launch::xpby(p.gpu(), Launch::covering(n, THREADS), z.address(), beta, p.address(), n as u64) }
}

/// y ← a d∘x + b y; `b = 0` overwrites.
///
/// # Errors
/// As [`axpby`].
pub fn multiply<T: Real>(a: T, d: &Memory<T>, x: &Memory<T>, b: T, y: &mut Memory<T>) -> Result<()> {
    let n = y.len();
    same(n, &[d, x])?;
    let (d, x, covering) = (d.address(), x.address(), Launch::covering(n, THREADS));
    // SAFETY: as above.
    unsafe { launch::multiply(y.gpu(), covering, a, d, x, b, y.address(), n as u64) }
}

/// y ← a y.
///
/// # Errors
/// [`Error::Driver`].
pub fn scale<T: Real>(a: T, y: &mut Memory<T>) -> Result<()> {
    let n = y.len();
    // SAFETY: as above.
    unsafe { launch::scale(y.gpu(), Launch::covering(n, THREADS), a, y.address(), n as u64) }
}

/// y ← y + a in every entry.
///
/// # Errors
/// [`Error::Driver`].
pub fn shift<T: Real>(a: T, y: &mut Memory<T>) -> Result<()> {
    let n = y.len();
    // SAFETY: as above.
    unsafe { launch::shift(y.gpu(), Launch::covering(n, THREADS), a, y.address(), n as u64) }
}

/// One half of a warp for each of `count` sums.
pub(crate) fn halves(count: usize) -> Launch {
    Launch::covering(count * LANES as usize, THREADS)
}

/// total ← x·y, in blocks of `size` entries.
///
/// # Errors
/// As [`axpby`]; [`Error::Length`] when `partial` has not room enough; so for the other sums.
pub fn dot<T: Real>(
    x: &Memory<T>,
    y: &Memory<T>,
    size: usize,
    partial: &mut Partial,
    total: Address<f64>,
) -> Result<()> {
    let (n, count) = (x.len(), chunks(x.len(), size));
    same(n, &[y])?;
    partial.room(count)?;
    let (n, width, count) = (n as u64, size as u64, count as u32);
    let (x, y, gpu) = (x.address(), y.address(), x.gpu());
    // SAFETY: as above, and a sum for each chunk.
    unsafe { launch::dot(gpu, halves(count as usize), x, y, n, width, count, partial.address()) }?;
    finish::<T>(gpu, partial, count, size, total)
}

/// y ← d∘x; total ← x·y.
///
/// # Errors
/// As [`dot`].
pub fn multiply_dot<T: Real>(
    d: &Memory<T>,
    x: &Memory<T>,
    y: &mut Memory<T>,
    size: usize,
    partial: &mut Partial,
    total: Address<f64>,
) -> Result<()> {
    let (n, count) = (x.len(), chunks(x.len(), size));
    same(n, &[d, y])?;
    partial.room(count)?;
    let (n, width, count) = (n as u64, size as u64, count as u32);
    let (d, x, y, gpu) = (d.address(), x.address(), y.address(), y.gpu());
    // SAFETY: as in `dot`.
    unsafe {
        launch::multiply_dot(gpu, halves(count as usize), d, x, y, n, width, count, partial.address())
    }?;
    finish::<T>(gpu, partial, count, size, total)
}

/// x ← x + α p, r ← r − α q; total ← r·r. With α = 0 nothing is written.
///
/// # Errors
/// As [`dot`].
#[allow(clippy::too_many_arguments)]
pub fn step<T: Real>(
    alpha: Address<f64>,
    p: &Memory<T>,
    q: &Memory<T>,
    x: &mut Memory<T>,
    r: &mut Memory<T>,
    size: usize,
    partial: &mut Partial,
    total: Address<f64>,
) -> Result<()> {
    let (n, count) = (x.len(), chunks(x.len(), size));
    same(n, &[p, q, r])?;
    partial.room(count)?;
    let (n, width, count) = (n as u64, size as u64, count as u32);
    let ([p, q, x, r], gpu) = ([p, q, &*x, &*r].map(Memory::address), r.gpu());
    let sums = partial.address();
    // SAFETY: as in `dot`.
    unsafe { launch::step(gpu, halves(count as usize), alpha, p, q, x, r, n, width, count, sums) }?;
    finish::<T>(gpu, partial, count, size, total)
}

/// total ← Σ x, or Σ (x/scale)² where `scale` is not 0.
///
/// # Errors
/// As [`dot`].
pub fn sum<T: Real>(
    x: &Memory<T>,
    scale: f64,
    size: usize,
    partial: &mut Partial,
    total: Address<f64>,
) -> Result<()> {
    let (n, count) = (x.len(), x.len().div_ceil(size));
    partial.room(count)?;
    let (gpu, width, blocks) = (x.gpu(), size as u64, count as u32);
    // SAFETY: as in `dot`.
    unsafe {
        launch::sum(gpu, halves(count), x.address(), scale, n as u64, width, blocks, partial.address())
    }?;
    finish_blocks::<T>(gpu, partial, blocks, 1, total)
}

/// The largest |x| of each block of 256 entries into `partial`, and how many those are.
///
/// # Errors
/// As [`dot`].
pub fn largest<T: Real>(x: &Memory<T>, partial: &mut Partial) -> Result<usize> {
    let (n, count) = (x.len(), x.len().div_ceil(THREADS as usize));
    partial.room(count)?;
    // SAFETY: as in `dot`.
    unsafe {
        launch::largest(x.gpu(), Launch::covering(n, THREADS), x.address(), n as u64, partial.address())
    }?;
    Ok(count)
}

impl Partial {
    /// Copies the first of the sums to the host.
    ///
    /// # Errors
    /// [`Error::Driver`].
    pub fn download(&self, count: usize) -> Result<Vec<f64>> {
        let mut all = vec![0.0; self.0.len()];
        self.0.download(&mut all)?;
        all.truncate(count);
        Ok(all)
    }
}

/// Adds up the chunks of each block, then the blocks.
pub(crate) fn finish<T: Real>(
    gpu: &Gpu,
    partial: &Partial,
    count: u32,
    size: usize,
    total: Address<f64>,
) -> Result<()> {
    finish_blocks::<T>(gpu, partial, count, size.div_ceil(CHUNK) as u32, total)
}

/// Adds up `count` sums, `each` at a time, then these, of which there are at most 256.
///
/// # Errors
/// [`Error::Driver`].
fn finish_blocks<T: Real>(
    gpu: &Gpu,
    partial: &Partial,
    count: u32,
    each: u32,
    total: Address<f64>,
) -> Result<()> {
    debug_assert!(count.div_ceil(each) <= THREADS);
    // SAFETY: there are `count` sums, and room for one number at `total`.
    unsafe { launch::finish::<T>(gpu, Launch::single(THREADS), partial.address(), count, each, total) }
}

/// quotient ← a/b where all are positive and the quotient is a finite `T`, else 0.
///
/// # Safety
/// There is a number at each address.
///
/// # Errors
/// [`Error::Driver`].
pub unsafe fn ratio<T: Real>(
    gpu: &Gpu,
    a: Address<f64>,
    b: Address<f64>,
    quotient: Address<f64>,
) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { launch::ratio::<T>(gpu, Launch::single(1), a, b, quotient) }
}

/// Segments of a vector on a device.
#[derive(Debug)]
pub struct Bounds(Memory<u64>);

impl Bounds {
    /// From where each begins, and where the last one ends.
    ///
    /// # Errors
    /// [`Error::Length`] when there is no bound at all; as [`Memory::new`].
    pub fn new(gpu: &Arc<Gpu>, bounds: &[u64]) -> Result<Self> {
        debug_assert!(bounds.is_sorted());
        if bounds.is_empty() {
            return Err(Error::Length { expected: 1, got: 0 });
        }
        Memory::from_slice(gpu, bounds).map(Self)
    }

    fn count(&self) -> u32 {
        (self.0.len() - 1) as u32
    }

    fn blocks(&self) -> Launch {
        Launch { grid: [self.count(), 1, 1], block: [THREADS, 1, 1], shared: 0 }
    }
}

/// dots ← x·y within every segment.
///
/// # Errors
/// As [`axpby`].
pub fn segment_dot<T: Real>(
    bounds: &Bounds,
    x: &Memory<T>,
    y: &Memory<T>,
    dots: &mut Memory<f64>,
) -> Result<()> {
    same(x.len(), &[y])?;
    if dots.len() != bounds.count() as usize {
        return Err(Error::Length { expected: bounds.count() as usize, got: dots.len() });
    }
    let (segments, gpu) = (bounds.count(), x.gpu());
    let (x, y, dots) = (x.address(), y.address(), dots.address());
    // SAFETY: the segments lie within the vectors, as the caller's of `Bounds::new` do.
    unsafe { launch::segment_dot(gpu, halves(segments as usize), bounds.0.address(), segments, x, y, dots) }
}

/// y ← y + a x within the segments whose a is not 0.
///
/// # Errors
/// As [`axpby`].
pub fn segment_axpy<T: Real>(
    bounds: &Bounds,
    a: &Memory<f64>,
    x: &Memory<T>,
    y: &mut Memory<T>,
) -> Result<()> {
    same(x.len(), &[y])?;
    if a.len() != bounds.count() as usize {
        return Err(Error::Length { expected: bounds.count() as usize, got: a.len() });
    }
    let (a, x, gpu) = (a.address(), x.address(), y.gpu());
    // SAFETY: as in `segment_dot`.
    unsafe { launch::segment_axpy(gpu, bounds.blocks(), bounds.0.address(), a, x, y.address()) }
}

/// y ← x within the segments whose mark is not 0.
///
/// # Errors
/// As [`axpby`].
pub fn segment_copy<T: Real>(
    bounds: &Bounds,
    marks: &Memory<u32>,
    x: &Memory<T>,
    y: &mut Memory<T>,
) -> Result<()> {
    same(x.len(), &[y])?;
    if marks.len() != bounds.count() as usize {
        return Err(Error::Length { expected: bounds.count() as usize, got: marks.len() });
    }
    let (marks, x, gpu) = (marks.address(), x.address(), y.gpu());
    // SAFETY: as in `segment_dot`.
    unsafe { launch::segment_copy(gpu, bounds.blocks(), bounds.0.address(), marks, x, y.address()) }
}
