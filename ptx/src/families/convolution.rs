//! The layers of networks on grids, in f32. Fields are planes of cells, one for each channel: `[channels, cells]`.

use super::stencil::Box;
use crate::memory::Number;
use crate::{Address, Error, Gpu, Launch, Memory, Result};
use std::sync::Arc;

crate::kernel::kernels! { "convolution":
    /// y ← w ∗ x + b.
    fn apply_f32(
        extent: Box, depth: u32, inputs: u32, outputs: u32, chunk: u32, x: Address<f32>, w: Address<f32>, b: Address<f32>,
        positive: u32, add: u32, y: Address<f32>
    );
    /// y ← Σ w x + b over the channels.
    fn read_f32(cells: u64, channels: u32, x: Address<f32>, w: Address<f32>, b: f32, y: Address<f32>);
    /// To the coarse grid: means.
    fn average_f32(fine: Box, x: Address<f32>, y: Address<f32>);
    /// Added to the fine grid: the value of the coarse cell around.
    fn nearest_f32(fine: Box, x: Address<f32>, y: Address<f32>);
    /// To the fine grid, linearly.
    fn linear_f32(fine: Box, x: Address<f32>, y: Address<f32>);
    /// y ← own y + factor K x, with a kernel for every cell.
    fn local_f32(extent: Box, depth: u32, kernels: Address<f32>, x: Address<f32>, factor: f32, own: f32, y: Address<f32>);
    /// x ← r/norm.
    fn enter_f32(r: Address<f64>, norm: f64, x: Address<f32>, n: u64);
    /// d ← norm x.
    fn leave_f32(x: Address<f32>, norm: f64, d: Address<f64>, n: u64);
}

/// Threads of a block.
const THREADS: u32 = 256;
/// Of a convolution, whose threads keep many numbers.
const FEW: u32 = 128;
/// Output channels that a thread adds up, and cells beside one another.
const OUTPUTS: usize = 16;
const CELLS: usize = 4;
/// Input channels whose weights are in shared memory at a time: 27 KiB.
const CHUNK: usize = 16;

/// A grid: 9 cells around each in 2-D, 27 in 3-D.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    extent: Box,
    depth: u32,
}

fn check(expected: usize, got: usize) -> Result<()> {
    if expected == got { Ok(()) } else { Err(Error::Length { expected, got }) }
}

impl Grid {
    /// Of n cells along x, y, z, in 2 or 3 dimensions.
    pub fn new(n: [u32; 3], dim: usize) -> Self {
        Self { extent: Box { n, periodic: 0 }, depth: if dim == 2 { 1 } else { 3 } }
    }

    /// How many cells it has.
    pub fn cells(self) -> usize {
        self.extent.cells()
    }

    /// The grid with half as many cells along each side, rounded up.
    pub fn halved(self) -> Self {
        let n = self.extent.n.map(|n| n.div_ceil(2));
        Self { extent: Box { n, ..self.extent }, ..self }
    }

    fn taps(self) -> usize {
        9 * self.depth as usize
    }

    fn covering(self, channels: usize) -> Launch {
        let mut launch = Launch::covering(self.cells(), THREADS);
        launch.grid[1] = channels as u32;
        launch
    }
}

/// A convolution: its weights, ordered as the kernel reads them.
#[derive(Debug)]
pub struct Convolution {
    inputs: usize,
    outputs: usize,
    taps: usize,
    w: Memory<f32>,
    b: Memory<f32>,
}

impl Convolution {
    /// From weights `[taps, inputs, outputs]` and offsets `[outputs]`.
    ///
    /// # Errors
    /// [`Error::Length`]; as [`Memory::new`].
    pub fn new(gpu: &Arc<Gpu>, inputs: usize, outputs: usize, w: &[f32], b: &[f32]) -> Result<Self> {
        let taps = w.len() / (inputs * outputs).max(1);
        check(inputs * outputs * if taps == 9 { 9 } else { 27 }, w.len())?;
        check(outputs, b.len())?;
        let blocks = outputs.div_ceil(OUTPUTS);
        let mut ordered = vec![0.0; blocks * OUTPUTS * inputs * taps];
        for (place, value) in ordered.iter_mut().enumerate() {
            let (o, rest) = (place % OUTPUTS, place / OUTPUTS);
            let (tap, rest) = (rest % taps, rest / taps);
            let (input, block) = (rest % inputs, rest / inputs);
            let output = block * OUTPUTS + o;
            if output < outputs {
                *value = w[(tap * inputs + input) * outputs + output];
            }
        }
        let mut offsets = b.to_vec();
        offsets.resize(blocks * OUTPUTS, 0.0);
        let (w, b) = (Memory::from_slice(gpu, &ordered)?, Memory::from_slice(gpu, &offsets)?);
        Ok(Self { inputs, outputs, taps, w, b })
    }

    /// y ← w ∗ x + b, `positive`: negative numbers replaced by 0; `add`: what y held is added after that.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Driver`]; so for all below.
    pub fn apply(
        &self,
        grid: Grid,
        x: &Memory<f32>,
        positive: bool,
        add: bool,
        y: &mut Memory<f32>,
    ) -> Result<()> {
        check(grid.taps(), self.taps)?;
        check(grid.cells() * self.inputs, x.len())?;
        check(grid.cells() * self.outputs, y.len())?;
        let [nx, ny, nz] = grid.extent.n.map(|n| n as usize);
        let mut launch = Launch::covering(nx.div_ceil(CELLS) * ny * nz, FEW);
        launch.grid[2] = self.outputs.div_ceil(OUTPUTS) as u32;
        let chunk = self.inputs.min(CHUNK);
        launch.shared = (chunk * self.taps * OUTPUTS * size_of::<f32>()) as u32;
        let (x, w, b) = (x.address(), self.w.address(), self.b.address());
        let (inputs, outputs, chunk) = (self.inputs as u32, self.outputs as u32, chunk as u32);
        let (positive, add, gpu) = (u32::from(positive), u32::from(add), y.gpu());
        // SAFETY: fields have a plane for every channel, weights were ordered for the kernel, and shared memory holds a chunk.
        unsafe {
            launch::apply_f32(
                gpu,
                launch,
                grid.extent,
                grid.depth,
                inputs,
                outputs,
                chunk,
                x,
                w,
                b,
                positive,
                add,
                y.address(),
            )
        }
    }
}

/// y ← Σ w x + b over the channels x has.
///
/// # Errors
/// As [`Convolution::apply`].
pub fn read(x: &Memory<f32>, w: &Memory<f32>, b: f32, y: &mut Memory<f32>) -> Result<()> {
    let cells = y.len();
    check(cells * w.len(), x.len())?;
    let (launch, gpu) = (Launch::covering(cells, THREADS), y.gpu());
    let (x, channels) = (x.address(), w.len() as u32);
    // SAFETY: the lengths were checked; so for all below.
    unsafe { launch::read_f32(gpu, launch, cells as u64, channels, x, w.address(), b, y.address()) }
}

/// coarse ← means of the fine cells of `fine`, channel by channel.
///
/// # Errors
/// As [`Convolution::apply`].
pub fn average(fine: Grid, x: &Memory<f32>, coarse: &mut Memory<f32>) -> Result<()> {
    let channels = x.len() / fine.cells().max(1);
    check(fine.cells() * channels, x.len())?;
    check(fine.halved().cells() * channels, coarse.len())?;
    let gpu = coarse.gpu();
    // SAFETY: as above.
    unsafe {
        let launch = fine.halved().covering(channels);
        launch::average_f32(gpu, launch, fine.extent, x.address(), coarse.address())
    }
}

/// y ← y + the value of the coarse cell around, channel by channel.
///
/// # Errors
/// As [`Convolution::apply`].
pub fn nearest(fine: Grid, coarse: &Memory<f32>, y: &mut Memory<f32>) -> Result<()> {
    let channels = y.len() / fine.cells().max(1);
    check(fine.cells() * channels, y.len())?;
    check(fine.halved().cells() * channels, coarse.len())?;
    let (gpu, coarse) = (y.gpu(), coarse.address());
    // SAFETY: as above.
    unsafe { launch::nearest_f32(gpu, fine.covering(channels), fine.extent, coarse, y.address()) }
}

/// y ← between the centres of coarse cells linearly; one channel.
///
/// # Errors
/// As [`Convolution::apply`].
pub fn linear(fine: Grid, coarse: &Memory<f32>, y: &mut Memory<f32>) -> Result<()> {
    check(fine.cells(), y.len())?;
    check(fine.halved().cells(), coarse.len())?;
    let (gpu, coarse) = (y.gpu(), coarse.address());
    // SAFETY: as above.
    unsafe { launch::linear_f32(gpu, fine.covering(1), fine.extent, coarse, y.address()) }
}

/// y ← own y + factor K x with a kernel for every cell, `[taps, cells]`; where `own` is 0, what y held is not read.
///
/// # Errors
/// As [`Convolution::apply`].
pub fn local(
    grid: Grid,
    kernels: &Memory<f32>,
    x: &Memory<f32>,
    factor: f32,
    own: f32,
    y: &mut Memory<f32>,
) -> Result<()> {
    check(grid.cells() * grid.taps(), kernels.len())?;
    check(grid.cells(), x.len())?;
    check(grid.cells(), y.len())?;
    let (gpu, k, x) = (y.gpu(), kernels.address(), x.address());
    // SAFETY: as above.
    unsafe {
        launch::local_f32(gpu, grid.covering(1), grid.extent, grid.depth, k, x, factor, own, y.address())
    }
}

fn same<A: Number, B: Number>(a: &Memory<A>, b: &Memory<B>) -> Result<u64> {
    check(a.len(), b.len()).map(|()| a.len() as u64)
}

/// x ← r/norm.
///
/// # Errors
/// As [`Convolution::apply`].
pub fn enter(r: &Memory<f64>, norm: f64, x: &mut Memory<f32>) -> Result<()> {
    let (n, gpu) = (same(r, x)?, x.gpu());
    // SAFETY: as above.
    unsafe {
        launch::enter_f32(gpu, Launch::covering(n as usize, THREADS), r.address(), norm, x.address(), n)
    }
}

/// d ← norm x.
///
/// # Errors
/// As [`Convolution::apply`].
pub fn leave(x: &Memory<f32>, norm: f64, d: &mut Memory<f64>) -> Result<()> {
    let (n, gpu) = (same(x, d)?, d.gpu());
    // SAFETY: as above.
    unsafe {
        launch::leave_f32(gpu, Launch::covering(n as usize, THREADS), x.address(), norm, d.address(), n)
    }
}
