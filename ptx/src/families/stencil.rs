//! Products of structured operators with vectors. Results have the bits of the host's.

use crate::kernel::{Argument, Parameter};
use crate::{Address, Error, Gpu, Launch, Memory, Real, Result};

crate::kernel::kernels! { "stencil":
    /// y ← Ax and row sums of x·y, with constant coefficients.
    fn constant<T>(a: Coefficients<T>, beside: u32, x: Address<T>, y: Address<T>, sums: Address<f64>);
    /// The same among flags, for x that is 0 in cells that take no part.
    fn flags<T>(a: Coefficients<T>, beside: u32, x: Address<T>, y: Address<T>, sums: Address<f64>);
    /// The same for any x.
    fn guarded<T>(a: Coefficients<T>, beside: u32, x: Address<T>, y: Address<T>, sums: Address<f64>);
    /// The same with a conductance on every face.
    fn faces<T>(a: Coefficients<T>, beside: u32, x: Address<T>, y: Address<T>, sums: Address<f64>);
    /// p′ ← z + βp, q ← Ap′ and row sums of p′·q, with constant coefficients.
    fn constant_update<T>(
        a: Coefficients<T>, beside: u32, z: Address<T>, beta: Address<f64>, p: Address<T>, updated: Address<T>, q: Address<T>,
        sums: Address<f64>
    );
    /// The same among flags.
    fn flags_update<T>(
        a: Coefficients<T>, beside: u32, z: Address<T>, beta: Address<f64>, p: Address<T>, updated: Address<T>, q: Address<T>,
        sums: Address<f64>
    );
    /// The same with a conductance on every face.
    fn faces_update<T>(
        a: Coefficients<T>, beside: u32, z: Address<T>, beta: Address<f64>, p: Address<T>, updated: Address<T>, q: Address<T>,
        sums: Address<f64>
    );
    /// The sum of row sums.
    fn finish<T>(sums: Address<f64>, ny: u32, nz: u32, total: Address<f64>);
    /// v ← v − less in cells that take part, 0 in others.
    fn constant_clean<T>(a: Coefficients<T>, less: T, v: Address<T>);
    /// The same among flags.
    fn flags_clean<T>(a: Coefficients<T>, less: T, v: Address<T>);
    /// The same with a conductance on every face.
    fn faces_clean<T>(a: Coefficients<T>, less: T, v: Address<T>);
}

/// A box of cells, x fastest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Box {
    /// Cells along x, y, z.
    pub n: [u32; 3],
    /// Bit d where dimension d closes on itself.
    pub periodic: u32,
}

impl Box {
    /// How many cells it has.
    pub fn cells(self) -> usize {
        self.n.iter().map(|n| *n as usize).product()
    }
}

impl Argument for Box {
    const PARAMETER: Parameter = Parameter::of::<Self>();
}

/// The coefficients of an operator, as kernels take them; those of another kind are null.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Coefficients<T> {
    pub(crate) diagonals: Address<T>,
    pub(crate) inverses: Address<T>,
    pub(crate) flags: Address<u8>,
    pub(crate) faces: [Address<T>; 3],
    pub(crate) sink: Address<T>,
    pub(crate) c: [T; 3],
    pub(crate) n: Box,
}

impl<T: Real> Argument for Coefficients<T> {
    const PARAMETER: Parameter = Parameter::of::<Self>();
}

/// What an operator is made of, on a device.
#[derive(Debug)]
pub enum Kind<T: Real> {
    /// One conductance along each dimension; the diagonal of each cell of a row and its inverse, for the 16 kinds of row.
    Constant {
        /// Conductances of inner faces.
        c: [T; 3],
        /// `[16 nx]`.
        diagonals: Memory<T>,
        /// `[16 nx]`.
        inverses: Memory<T>,
    },
    /// The diagonal of each cell, 0 where it takes no part.
    Flags(Memory<u8>),
    /// A conductance on every face, x fastest; no memory at all along an absent dimension.
    Faces {
        /// `[(nx+1) ny nz]`, `[nx (ny+1) nz]`, `[nx ny (nz+1)]`.
        faces: [Memory<T>; 3],
        /// What each cell loses, if any does.
        sink: Option<Memory<T>>,
        /// 1/diagonal of each cell, 0 where it takes no part; only relaxation needs it.
        inverses: Option<Memory<T>>,
    },
}

/// A structured operator on a device.
#[derive(Debug)]
pub struct Operator<T: Real> {
    extent: Box,
    kind: Kind<T>,
}

/// Threads of a block, and rows it works on.
const THREADS: u32 = 256;
const ROWS: u32 = 16;

impl<T: Real> Operator<T> {
    /// Of these coefficients on a box of cells.
    ///
    /// # Errors
    /// [`Error::Length`] for coefficients that do not fit the box.
    pub fn new(extent: Box, kind: Kind<T>) -> Result<Self> {
        let check = |expected: usize, got: usize| {
            if expected == got { Ok(()) } else { Err(Error::Length { expected, got }) }
        };
        let cells = extent.cells();
        match &kind {
            Kind::Constant { diagonals, inverses, .. } => {
                check(16 * extent.n[0] as usize, diagonals.len())?;
                check(16 * extent.n[0] as usize, inverses.len())?;
            }
            Kind::Flags(flags) => check(cells, flags.len())?,
            Kind::Faces { faces, sink, inverses } => {
                for (d, g) in faces.iter().enumerate().filter(|(_, g)| !g.is_empty()) {
                    let n = extent.n[d] as usize;
                    check(cells / n.max(1) * (n + 1), g.len())?;
                }
                for each in [sink, inverses].into_iter().flatten() {
                    check(cells, each.len())?;
                }
            }
        }
        Ok(Self { extent, kind })
    }

    /// The cells.
    pub fn extent(&self) -> Box {
        self.extent
    }

    /// What it is made of.
    pub fn kind(&self) -> &Kind<T> {
        &self.kind
    }

    /// As kernels take them.
    pub(crate) fn coefficients(&self) -> Coefficients<T> {
        let null = Address::NULL;
        let mut all = Coefficients {
            diagonals: null,
            inverses: null,
            flags: Address::NULL,
            faces: [null; 3],
            sink: null,
            c: [T::ZERO; 3],
            n: self.extent,
        };
        match &self.kind {
            Kind::Constant { c, diagonals, inverses } => {
                (all.c, all.diagonals, all.inverses) = (*c, diagonals.address(), inverses.address());
            }
            Kind::Flags(flags) => all.flags = flags.address(),
            Kind::Faces { faces, sink, inverses } => {
                all.faces = std::array::from_fn(|d| faces[d].address());
                all.sink = sink.as_ref().map_or(null, Memory::address);
                all.inverses = inverses.as_ref().map_or(null, Memory::address);
            }
        }
        all
    }

    /// How many row sums a product leaves.
    pub fn row_sums(&self) -> usize {
        self.extent.n[1] as usize * self.extent.n[2] as usize
    }

    /// Blocks of [`ROWS`] rows that lie beside one another, and how many of them beside along y.
    fn rows(&self) -> (Launch, u32) {
        let [_, ny, nz] = self.extent.n;
        let beside = if ny >= 4 { 4 } else { 1 };
        let blocks = ny.div_ceil(beside) * nz.div_ceil(ROWS / beside);
        (Launch { grid: [blocks, 1, 1], block: [THREADS, 1, 1], shared: 0 }, beside)
    }

    fn check(&self, vectors: &[usize], sums: Option<&Memory<f64>>) -> Result<()> {
        let expected = self.extent.cells();
        if let Some(got) = vectors.iter().find(|n| **n != expected) {
            return Err(Error::Length { expected, got: *got });
        }
        match sums {
            Some(sums) if sums.len() < self.row_sums() => {
                Err(Error::Length { expected: self.row_sums(), got: sums.len() })
            }
            _ => Ok(()),
        }
    }

    /// y ← Ax, and the row sums of x·y when asked. Where `clean`, x holds 0 in cells that take no part.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Driver`]; so for all below.
    pub fn apply(
        &self,
        clean: bool,
        x: &Memory<T>,
        y: &mut Memory<T>,
        sums: Option<&mut Memory<f64>>,
    ) -> Result<()> {
        self.check(&[x.len(), y.len()], sums.as_deref())?;
        let ((launch, beside), a, gpu) = (self.rows(), self.coefficients(), y.gpu());
        let sums = sums.map_or(Address::NULL, |s| s.address());
        let (x, y) = (x.address(), y.address());
        // SAFETY: vectors have an entry for every cell, and there is a sum for every row.
        unsafe {
            match &self.kind {
                Kind::Constant { .. } => launch::constant(gpu, launch, a, beside, x, y, sums),
                Kind::Flags(_) if clean => launch::flags(gpu, launch, a, beside, x, y, sums),
                Kind::Flags(_) => launch::guarded(gpu, launch, a, beside, x, y, sums),
                Kind::Faces { .. } => launch::faces(gpu, launch, a, beside, x, y, sums),
            }
        }
    }

    /// updated ← z + βp, q ← A updated, and the row sums of updated·q. What z and p hold in cells that take no part is not used.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn update_apply(
        &self,
        z: &Memory<T>,
        beta: Address<f64>,
        p: &Memory<T>,
        updated: &mut Memory<T>,
        q: &mut Memory<T>,
        sums: &mut Memory<f64>,
    ) -> Result<()> {
        self.check(&[z.len(), p.len(), updated.len(), q.len()], Some(sums))?;
        let ((launch, beside), a, gpu) = (self.rows(), self.coefficients(), q.gpu());
        let [z, p, updated, q] = [z, p, &*updated, &*q].map(Memory::address);
        let sums = sums.address();
        // SAFETY: as above.
        unsafe {
            match &self.kind {
                Kind::Constant { .. } => {
                    launch::constant_update(gpu, launch, a, beside, z, beta, p, updated, q, sums)
                }
                Kind::Flags(_) => launch::flags_update(gpu, launch, a, beside, z, beta, p, updated, q, sums),
                Kind::Faces { .. } => {
                    launch::faces_update(gpu, launch, a, beside, z, beta, p, updated, q, sums)
                }
            }
        }
    }

    /// v ← v − less in cells that take part, 0 in others.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn clean(&self, less: T, v: &mut Memory<T>) -> Result<()> {
        self.check(&[v.len()], None)?;
        let (launch, a, gpu) = (Launch::covering(v.len(), THREADS), self.coefficients(), v.gpu());
        // SAFETY: as above.
        unsafe {
            match &self.kind {
                Kind::Constant { .. } => launch::constant_clean(gpu, launch, a, less, v.address()),
                Kind::Flags(_) => launch::flags_clean(gpu, launch, a, less, v.address()),
                Kind::Faces { .. } => launch::faces_clean(gpu, launch, a, less, v.address()),
            }
        }
    }

    /// total ← what the row sums add up to.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn finish(&self, sums: &Memory<f64>, total: Address<f64>) -> Result<()> {
        self.check(&[], Some(sums))?;
        finish::<T>(sums.gpu(), self.extent, sums.address(), total)
    }
}

/// total ← what the row sums of a box add up to.
pub(crate) fn finish<T: Real>(gpu: &Gpu, extent: Box, sums: Address<f64>, total: Address<f64>) -> Result<()> {
    let [_, ny, nz] = extent.n;
    let threads = nz.next_multiple_of(32).min(1024);
    // SAFETY: there is a sum for every row, and room for one number at `total`.
    unsafe { launch::finish::<T>(gpu, Launch::single(threads), sums, ny, nz, total) }
}
