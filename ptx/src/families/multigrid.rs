//! The pieces of a V-cycle on structured grids.

use super::stencil::{Box, Coefficients, Kind, Operator};
use super::vector::{self, Partial};
use crate::kernel::{Argument, Parameter};
use crate::{Address, Error, Gpu, Launch, Memory, Real, Result};

crate::kernel::kernels! { "multigrid":
    /// e ← a red and a black half-sweep from 0, with constant coefficients.
    fn constant_begin<T>(a: Coefficients<T>, red: T, black: T, f: Address<T>, e: Address<T>);
    /// A half-sweep.
    fn constant_relax<T>(a: Coefficients<T>, colour: u32, omega: T, f: Address<T>, e: Address<T>);
    /// coarse ← Pᵀ(f − Ae).
    fn constant_restrict<T>(a: Coefficients<T>, w: Weights<T>, f: Address<T>, e: Address<T>, coarse: Address<T>);
    /// The same among flags.
    fn flags_begin<T>(a: Coefficients<T>, red: T, black: T, f: Address<T>, e: Address<T>);
    /// A half-sweep.
    fn flags_relax<T>(a: Coefficients<T>, colour: u32, omega: T, f: Address<T>, e: Address<T>);
    /// coarse ← Pᵀ(f − Ae).
    fn flags_restrict<T>(a: Coefficients<T>, w: Weights<T>, f: Address<T>, e: Address<T>, coarse: Address<T>);
    /// The same with a conductance on every face.
    fn faces_begin<T>(a: Coefficients<T>, red: T, black: T, f: Address<T>, e: Address<T>);
    /// A half-sweep.
    fn faces_relax<T>(a: Coefficients<T>, colour: u32, omega: T, f: Address<T>, e: Address<T>);
    /// coarse ← Pᵀ(f − Ae).
    fn faces_restrict<T>(a: Coefficients<T>, w: Weights<T>, f: Address<T>, e: Address<T>, coarse: Address<T>);
    /// e ← e + P coarse.
    fn prolong<T>(fine: Box, w: Weights<T>, coarse: Address<T>, e: Address<T>);
    /// e ← A⁻¹f by the inverse.
    fn direct<T>(inverse: Address<f64>, n: u32, f: Address<T>, e: Address<T>);
    /// f ← scale r.
    fn load<T>(r: Address<f64>, scale: f64, f: Address<T>, n: u64);
    /// z ← scale e and r·z by chunks.
    fn store<T>(
        e: Address<T>, scale: f64, r: Address<f64>, z: Address<f64>, n: u64, size: u64, chunks: u32, sums: Address<f64>
    );
}

/// Weights as kernels take them; those of another kind are null.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Weights<T> {
    packed: Address<u8>,
    beta: [Address<T>; 3],
    alpha: [Address<T>; 3],
    coarse: Box,
    halve: u32,
}

impl<T: Real> Argument for Weights<T> {
    const PARAMETER: Parameter = Parameter::of::<Self>();
}

/// The weights of an interpolation, on a device.
#[derive(Debug)]
pub enum Interpolation<T: Real> {
    /// `[β_x, β_y, β_z, α]` of each fine cell, 252 for 1.
    Packed(Memory<u8>),
    /// As functions of one coordinate: an entry for each fine cell along that dimension.
    Separable {
        /// What the other coarse cell gives.
        beta: [Memory<T>; 3],
        /// What the sum is multiplied by.
        alpha: [Memory<T>; 3],
    },
}

/// A level of a hierarchy on a device: its operator, and the interpolation from the next coarser one.
#[derive(Debug)]
pub struct Level<T: Real> {
    operator: Operator<T>,
    interpolation: Interpolation<T>,
    coarse: Box,
    halve: [bool; 3],
}

/// Threads of a block, one for each cell of a tile.
const THREADS: u32 = 256;

impl<T: Real> Level<T> {
    /// Of an operator and the interpolation from a box whose dimensions are halved as told.
    ///
    /// # Errors
    /// [`Error::Length`] for weights that do not fit, or an operator on faces without inverses.
    pub fn new(
        operator: Operator<T>,
        interpolation: Interpolation<T>,
        coarse: Box,
        halve: [bool; 3],
    ) -> Result<Self> {
        let fine = operator.extent();
        let check = |expected: usize, got: usize| {
            if expected == got { Ok(()) } else { Err(Error::Length { expected, got }) }
        };
        match &interpolation {
            Interpolation::Packed(bytes) => check(4 * fine.cells(), bytes.len())?,
            Interpolation::Separable { beta, alpha } => {
                for d in 0..3 {
                    check(fine.n[d] as usize, beta[d].len())?;
                    check(fine.n[d] as usize, alpha[d].len())?;
                }
            }
        }
        if let Kind::Faces { inverses: None, .. } = operator.kind() {
            check(fine.cells(), 0)?;
        }
        for d in 0..3 {
            check(if halve[d] { fine.n[d].div_ceil(2) } else { fine.n[d] } as usize, coarse.n[d] as usize)?;
        }
        Ok(Self { operator, interpolation, coarse, halve })
    }

    /// Its operator.
    pub fn operator(&self) -> &Operator<T> {
        &self.operator
    }

    fn weights(&self) -> Weights<T> {
        let null = Address::NULL;
        let halve = (0..3).filter(|d| self.halve[*d]).map(|d| 1 << d).sum();
        let mut w =
            Weights { packed: Address::NULL, beta: [null; 3], alpha: [null; 3], coarse: self.coarse, halve };
        match &self.interpolation {
            Interpolation::Packed(bytes) => w.packed = bytes.address(),
            Interpolation::Separable { beta, alpha } => {
                w.beta = std::array::from_fn(|d| beta[d].address());
                w.alpha = std::array::from_fn(|d| alpha[d].address());
            }
        }
        w
    }

    fn check(&self, fine: &[usize], coarse: &[usize]) -> Result<()> {
        for (expected, lengths) in [(self.operator.extent().cells(), fine), (self.coarse.cells(), coarse)] {
            if let Some(got) = lengths.iter().find(|n| **n != expected) {
                return Err(Error::Length { expected, got: *got });
            }
        }
        Ok(())
    }

    /// e ← what a red and then a black half-sweep make of 0, relaxed that far.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Driver`]; so for all below.
    pub fn begin(&self, [red, black]: [T; 2], f: &Memory<T>, e: &mut Memory<T>) -> Result<()> {
        self.check(&[f.len(), e.len()], &[])?;
        let (a, launch, gpu) = (self.operator.coefficients(), covering(self.operator.extent(), 1), e.gpu());
        let (f, e) = (f.address(), e.address());
        // SAFETY: vectors have an entry for every cell; so for all below.
        unsafe {
            match self.operator.kind() {
                Kind::Constant { .. } => launch::constant_begin(gpu, launch, a, red, black, f, e),
                Kind::Flags(_) => launch::flags_begin(gpu, launch, a, red, black, f, e),
                Kind::Faces { .. } => launch::faces_begin(gpu, launch, a, red, black, f, e),
            }
        }
    }

    /// e ← e + ω((f + off(e))/d − e) on the cells of a colour, red 0 or black 1.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn relax(&self, colour: u32, omega: T, f: &Memory<T>, e: &mut Memory<T>) -> Result<()> {
        self.check(&[f.len(), e.len()], &[])?;
        let (a, launch, gpu) = (self.operator.coefficients(), covering(self.operator.extent(), 2), e.gpu());
        let (f, e) = (f.address(), e.address());
        // SAFETY: as above.
        unsafe {
            match self.operator.kind() {
                Kind::Constant { .. } => launch::constant_relax(gpu, launch, a, colour, omega, f, e),
                Kind::Flags(_) => launch::flags_relax(gpu, launch, a, colour, omega, f, e),
                Kind::Faces { .. } => launch::faces_relax(gpu, launch, a, colour, omega, f, e),
            }
        }
    }

    /// coarse ← Pᵀ(f − Ae).
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn restrict(&self, f: &Memory<T>, e: &Memory<T>, coarse: &mut Memory<T>) -> Result<()> {
        self.check(&[f.len(), e.len()], &[coarse.len()])?;
        let mut launch = covering(self.coarse, 1);
        let fine = (0..3).map(|d| if self.halve[d] { 2 * launch.block[d] + 2 } else { launch.block[d] });
        launch.shared = fine.product::<u32>() * size_of::<T>() as u32;
        let (a, w, gpu) = (self.operator.coefficients(), self.weights(), coarse.gpu());
        let (f, e, coarse) = (f.address(), e.address(), coarse.address());
        // SAFETY: as above, and shared memory for a tile of fine cells.
        unsafe {
            match self.operator.kind() {
                Kind::Constant { .. } => launch::constant_restrict(gpu, launch, a, w, f, e, coarse),
                Kind::Flags(_) => launch::flags_restrict(gpu, launch, a, w, f, e, coarse),
                Kind::Faces { .. } => launch::faces_restrict(gpu, launch, a, w, f, e, coarse),
            }
        }
    }

    /// e ← e + P coarse.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn prolong(&self, coarse: &Memory<T>, e: &mut Memory<T>) -> Result<()> {
        self.check(&[e.len()], &[coarse.len()])?;
        let fine = self.operator.extent();
        let (launch, w, gpu) = (covering(fine, 1), self.weights(), e.gpu());
        // SAFETY: as above.
        unsafe { launch::prolong(gpu, launch, fine, w, coarse.address(), e.address()) }
    }
}

/// A thread for every `each` cells of a row, in blocks of [`THREADS`] that lie as close as the box allows.
fn covering(extent: Box, each: u32) -> Launch {
    let [nx, ny, nz] = [extent.n[0].div_ceil(each), extent.n[1], extent.n[2]];
    let block = match (ny, nz) {
        (1, 1) => [THREADS, 1, 1],
        (1, _) => [16, 1, 16],
        (_, 1) => [16, 16, 1],
        _ => [16, 4, 4],
    };
    let grid = [nx.div_ceil(block[0]), ny.div_ceil(block[1]), nz.div_ceil(block[2])];
    Launch { grid, block, shared: 0 }
}

/// e ← A⁻¹f by the inverse, `[n, n]` and symmetric.
///
/// # Errors
/// [`Error::Length`], [`Error::Driver`]; so for all below.
pub fn direct<T: Real>(inverse: &Memory<f64>, f: &Memory<T>, e: &mut Memory<T>) -> Result<()> {
    let n = f.len();
    for (expected, got) in [(n * n, inverse.len()), (n, e.len())] {
        if expected != got {
            return Err(Error::Length { expected, got });
        }
    }
    let (inverse, f, gpu) = (inverse.address(), f.address(), e.gpu());
    // SAFETY: the lengths were checked; so for all below.
    unsafe { launch::direct(gpu, Launch::covering(n, 32), inverse, n as u32, f, e.address()) }
}

/// f ← scale r.
///
/// # Errors
/// As [`direct`].
pub fn load<T: Real>(r: &Memory<f64>, scale: f64, f: &mut Memory<T>) -> Result<()> {
    let n = r.len();
    if f.len() != n {
        return Err(Error::Length { expected: n, got: f.len() });
    }
    let gpu = f.gpu();
    // SAFETY: as above.
    unsafe { launch::load(gpu, Launch::covering(n, THREADS), r.address(), scale, f.address(), n as u64) }
}

/// z ← scale e; total ← r·z, in blocks of `size` entries.
///
/// # Errors
/// As [`direct`].
#[allow(clippy::too_many_arguments)]
pub fn store<T: Real>(
    gpu: &Gpu,
    e: &Memory<T>,
    scale: f64,
    r: &Memory<f64>,
    z: &mut Memory<f64>,
    size: usize,
    partial: &mut Partial,
    total: Address<f64>,
) -> Result<()> {
    let (n, count) = (r.len(), vector::chunks(r.len(), size));
    for (expected, got) in [(n, e.len()), (n, z.len())] {
        if expected != got {
            return Err(Error::Length { expected, got });
        }
    }
    partial.room(count)?;
    let (sums, chunks) = (partial.address(), count as u32);
    let (e, r, z) = (e.address(), r.address(), z.address());
    // SAFETY: as above, and a sum for each chunk.
    unsafe {
        launch::store(gpu, vector::halves(count), e, scale, r, z, n as u64, size as u64, chunks, sums)
    }?;
    vector::finish::<T>(gpu, partial, chunks, size, total)
}
