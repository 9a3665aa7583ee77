//! The algebraic cycle on a device.

use super::coarsest::Coarsest;
use super::cycle::Level;
use super::transfer::Transfer;
use super::{Amg, AmgOptions, Cycle as Kind, Smoother};
use crate::device::cycle::{Cycle, Workspace, preconditioner};
use crate::device::{Device, DeviceBuffer};
use crate::{Csr, Error, Map, Properties, Result, Scalar, Shape, Space};
use resolvent_ptx::Memory;
use resolvent_ptx::families::csr::{self as kernels, Csr as Kernels};
use resolvent_ptx::families::multigrid::direct;
use std::sync::Mutex;

/// The V-cycle of [`Amg`] under a Chebyshev smoother, on a device; the hierarchy is built on the host. `DeviceAmg<f32>` on
/// `Device<f64>` reads and writes f64 and works in f32.
///
/// It does what the host does and agrees with it to rounding. Traffic on a level, for a smoother of degree d: 2d products with the
/// matrix, two with the interpolation, 12 bytes an entry in f64.
#[derive(Debug)]
pub struct DeviceAmg<T: Scalar> {
    n: usize,
    properties: Properties,
    levels: Vec<DeviceLevel<T>>,
    /// Of the coarsest level, `[n, n]`.
    inverse: Memory<f64>,
    sweeps: usize,
    work: Mutex<Workspace<Vec<Vectors<T>>>>,
}

/// A level that is not the coarsest.
#[derive(Debug)]
struct DeviceLevel<T: Scalar> {
    a: Kernels<T>,
    p: Kernels<T>,
    transposed: Kernels<T>,
    inverse: Memory<T>,
    /// What each step of the smoother keeps of its direction, and takes of the residual.
    steps: Vec<[T; 2]>,
}

/// The vectors of a level.
#[derive(Debug)]
pub(crate) struct Vectors<T: Scalar> {
    f: DeviceBuffer<T>,
    x: DeviceBuffer<T>,
    r: DeviceBuffer<T>,
    d: DeviceBuffer<T>,
}

impl AmgOptions {
    /// What runs on a device: smoothed aggregation under a V-cycle with a Chebyshev smoother of degree 2, whose steps are products.
    pub fn for_device() -> Self {
        Self { smoother: Smoother::Chebyshev { degree: 2 }, ..Self::default() }
    }
}

impl<T: Scalar> DeviceAmg<T> {
    /// Builds the hierarchy on the host, and copies it.
    ///
    /// # Errors
    /// As [`Amg::new`]; [`Error::Unsuited`] for a matrix that cannot be coarsened, another smoother than Chebyshev's or another
    /// cycle than V; [`Error::Device`].
    pub fn new(space: &Device<T>, a: &Csr<f64>, options: AmgOptions) -> Result<Self> {
        let unsuited = |needs| {
            let mend = "take `AmgOptions::for_device`, or work on the processor";
            Err(Error::Unsuited { what: "algebraic multigrid on a GPU", needs, mend })
        };
        let (Smoother::Chebyshev { degree }, Kind::V) = (options.smoother, options.cycle) else {
            return unsuited("a Chebyshev smoother and a V-cycle");
        };
        let host = Amg::<T>::new(a, options)?;
        let Coarsest::Dense(inverse) = &host.coarsest else {
            return unsuited("a matrix whose couplings are strong enough to be aggregated");
        };
        let inverse: Vec<f64> = inverse.iter().map(|v| v.f64()).collect();
        let levels = host.levels.iter().map(|l| copy(space, l, degree)).collect::<Result<Vec<_>>>()?;
        let sizes = host.sizes.iter().map(|s| s.rows).enumerate();
        let vectors = sizes.map(|(l, n)| {
            let inner = if l < levels.len() { n } else { 0 };
            let [f, x, r, d] = [n, n, inner, inner].map(|n| space.zeros(n));
            Ok(Vectors { f: f?, x: x?, r: r?, d: d? })
        });
        let work = Workspace { vectors: vectors.collect::<Result<_>>()?, scale: 1.0 };
        Ok(Self {
            n: host.n,
            properties: host.properties,
            inverse: Memory::from_slice(space.gpu(), &inverse)?,
            levels,
            sweeps: options.sweeps,
            work: Mutex::new(work),
        })
    }

    /// x ← M f on level `l`, the first of `vectors`.
    fn visit(&self, l: usize, vectors: &mut [Vectors<T>]) -> Result<()> {
        let (fine, coarse) = vectors.split_at_mut(1);
        let Vectors { f, x, r, d } = &mut fine[0];
        let Some(level) = self.levels.get(l) else {
            return Ok(direct(&self.inverse, f, x)?);
        };
        let sweep = |fresh: bool, x: &mut Memory<T>, r: &mut Memory<T>, d: &mut Memory<T>| {
            for (number, step) in level.steps.iter().enumerate() {
                let first = fresh && number == 0;
                if !first {
                    level.a.residual(f, x, r)?;
                }
                kernels::relax(*step, &level.inverse, if first { &**f } else { r }, first, d, x)?;
            }
            Ok::<_, resolvent_ptx::Error>(())
        };
        for s in 0..self.sweeps {
            sweep(s == 0, x, r, d)?;
        }
        level.a.residual(f, x, r)?;
        level.transposed.apply(r, &mut coarse[0].f)?;
        self.visit(l + 1, coarse)?;
        level.p.add(&coarse[0].x, x)?;
        for _ in 0..self.sweeps {
            sweep(false, x, r, d)?;
        }
        Ok(())
    }
}

/// A level of the host's hierarchy on a device.
fn copy<T: Scalar>(space: &Device<T>, level: &Level<T>, degree: usize) -> Result<DeviceLevel<T>> {
    let upload = |a: &Csr<T>| -> Result<Kernels<T>> {
        let Some(offsets) = a.offsets().short() else {
            return Err(Error::Unsuited {
                what: "algebraic multigrid on a GPU",
                needs: "levels of fewer than 2³² entries",
                mend: "work on the processor",
            });
        };
        Ok(Kernels::new(space.gpu(), a.cols(), offsets, a.columns(), a.values())?)
    };
    let n = level.a.rows();
    let p = match &level.p {
        Transfer::Constant { of, count } => {
            let entries = of.iter().enumerate().filter(|(_, c)| **c != super::aggregate::NONE);
            let entries: Vec<_> = entries.map(|(i, c)| (i as u32, *c, T::of(1.0))).collect();
            Csr::from_triplets(n, *count, &entries)?
        }
        // Its rows need not be in order.
        Transfer::Sparse(p) => {
            let row = |i: usize| {
                let (c, v) = p.row(i);
                c.iter().zip(v).map(move |(c, v)| (i as u32, *c, *v))
            };
            Csr::from_triplets(n, p.cols, &(0..n).flat_map(row).collect::<Vec<_>>())?
        }
    };
    let inverse: Vec<T> = (0..n).map(|i| level.a.inverse(i)).collect();
    Ok(DeviceLevel {
        a: upload(&level.a.to_csr()?)?,
        p: upload(&p)?,
        transposed: upload(&p.transpose())?,
        inverse: Memory::from_slice(space.gpu(), &inverse)?,
        steps: level.factors(degree).map(|s| s.map(T::of)).collect(),
    })
}

impl<T: Scalar> Map for DeviceAmg<T> {
    fn shape(&self) -> Shape {
        Shape::square(self.n)
    }
    fn properties(&self) -> Properties {
        self.properties
    }
}

impl<T: Scalar> Cycle<T> for DeviceAmg<T> {
    type Vectors = Vec<Vectors<T>>;

    fn size(&self) -> Shape {
        Shape::square(self.n)
    }
    fn work(&self) -> &Mutex<Workspace<Vec<Vectors<T>>>> {
        &self.work
    }
    fn ends(vectors: &mut Vec<Vectors<T>>) -> (&mut Memory<T>, &mut Memory<T>) {
        let Vectors { f, x, .. } = &mut vectors[0];
        (f, x)
    }
    fn cycle(&self, vectors: &mut Vec<Vectors<T>>) -> Result<()> {
        self.visit(0, vectors)
    }
}

preconditioner!(DeviceAmg: f32 => f32, f32 => f64, f64 => f64);
