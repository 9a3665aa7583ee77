//! The V-cycle on a device.

use super::MultigridOptions;
use super::hierarchy::{Coefficients, Interpolation, Level, build};
use super::weights::Separable;
use crate::device::cycle::{Cycle, Workspace, preconditioner};
use crate::device::stencil::{cells, constant, faces, flags};
use crate::device::{Device, DeviceBuffer};
use crate::stencil::rows::{Row, Rows};
use crate::{Error, Map, Properties, Result, Scalar, Shape, Space, Stencil};
use resolvent_ptx::Memory;
use resolvent_ptx::families::multigrid::{self as kernels, Level as Pieces};
use resolvent_ptx::families::vector;
use std::sync::Mutex;

/// The cycle of [`Multigrid`](crate::Multigrid) on a device, with the hierarchy that is built on the host: `DeviceMultigrid<f32>` on
/// `Device<f64>` reads and writes f64 and works in f32.
///
/// It does what the host does but for the order in which residuals are added up on their way to a coarser grid, so that the two
/// agree to rounding. Bytes a cell of the finest level, constant coefficients in f32 and 3-D: 49, of which the first two half-sweeps
/// take 8, the restriction 8, interpolation 8 and the last two half-sweeps 24.
#[derive(Debug)]
pub struct DeviceMultigrid<T: Scalar> {
    shape: Shape,
    properties: Properties,
    levels: Vec<DeviceLevel<T>>,
    /// Of the coarsest level, `[n, n]`.
    inverse: Memory<f64>,
    work: Mutex<Workspace<Vectors<T>>>,
}

/// A level and what is done on it.
#[derive(Debug)]
struct DeviceLevel<T: Scalar> {
    pieces: Pieces<T>,
    /// How far each half-sweep relaxes.
    sweep: Vec<T>,
    polynomial: Option<[f64; 3]>,
}

/// f, e and the sum of the terms of a polynomial, of each level and of the coarsest.
type Vectors<T> = Vec<[DeviceBuffer<T>; 3]>;

impl<T: Scalar> DeviceMultigrid<T> {
    /// Builds the hierarchy on the host, and copies it.
    ///
    /// # Errors
    /// As [`Multigrid::new`](crate::Multigrid::new); [`Error::Unsuited`] for 2-D grids with rough coefficients, whose levels have
    /// nine points, and for a band; [`Error::Device`].
    pub fn new(space: &Device<T>, a: &Stencil, options: MultigridOptions) -> Result<Self> {
        let (host, last) = build::<T>(a, &options)?;
        let levels = host.iter().map(|level| copy(space, level)).collect::<Result<Vec<_>>>()?;
        let extents = host.iter().map(|l| (l.halving.fine.cells(), l.polynomial.is_some()));
        let vectors = extents
            .chain([(last.extent.cells(), false)])
            .map(|(n, sum)| Ok([space.zeros(n)?, space.zeros(n)?, space.zeros(if sum { n } else { 0 })?]));
        let work = Workspace { vectors: vectors.collect::<Result<_>>()?, scale: 1.0 };
        Ok(Self {
            shape: a.shape(),
            properties: a.properties(),
            levels,
            inverse: Memory::from_slice(space.gpu(), last.direct.inverse())?,
            work: Mutex::new(work),
        })
    }

    /// e ← p(BA)B f on level `depth`, the first of `vectors`, where B is a cycle from there on.
    fn solve(&self, depth: usize, vectors: &mut [[DeviceBuffer<T>; 3]]) -> Result<()> {
        let Some(level) = self.levels.get(depth) else {
            let [f, e, _] = &mut vectors[0];
            return Ok(kernels::direct(&self.inverse, f, e)?);
        };
        let Some(terms) = level.polynomial else { return self.visit(depth, vectors) };
        for (power, factor) in terms.map(T::of).into_iter().enumerate() {
            self.visit(depth, vectors)?;
            let [f, e, sum] = &mut vectors[0];
            vector::axpby(factor, e, T::of(if power == 0 { 0.0 } else { 1.0 }), sum)?;
            if power + 1 < terms.len() {
                level.pieces.operator().apply(true, e, f, None)?;
            }
        }
        let [_, e, sum] = &mut vectors[0];
        std::mem::swap(e, sum);
        Ok(())
    }

    /// e ← B f on level `depth`.
    fn visit(&self, depth: usize, vectors: &mut [[DeviceBuffer<T>; 3]]) -> Result<()> {
        let DeviceLevel { pieces, sweep, .. } = &self.levels[depth];
        let colour = |half: usize| (half % 2) as u32;
        let (fine, coarse) = vectors.split_at_mut(1);
        let [f, e, _] = &mut fine[0];
        pieces.begin([sweep[0], sweep[1]], f, e)?;
        for (half, omega) in sweep.iter().enumerate().skip(2) {
            pieces.relax(colour(half), *omega, f, e)?;
        }
        pieces.restrict(f, e, &mut coarse[0][0])?;
        self.solve(depth + 1, coarse)?;
        pieces.prolong(&coarse[0][1], e)?;
        for (half, omega) in sweep.iter().enumerate().rev() {
            pieces.relax(colour(half), *omega, f, e)?;
        }
        Ok(())
    }
}

/// A level of the host's hierarchy on a device.
fn copy<T: Scalar>(space: &Device<T>, level: &Level<T>) -> Result<DeviceLevel<T>> {
    let unsuited = |needs| {
        Err(Error::Unsuited {
            what: "multigrid on a GPU",
            needs,
            mend: "solve on the processor, or with --precond jacobi",
        })
    };
    if level.band.is_some() {
        return unsuited("a hierarchy without a band");
    }
    let separable = |w: &Separable<T>| -> Result<_> {
        let copy = |v: &[Vec<T>; 3]| -> Result<[Memory<T>; 3]> {
            let [x, y, z] = v;
            let of = |v: &Vec<T>| Memory::from_slice(space.gpu(), v);
            Ok([of(x)?, of(y)?, of(z)?])
        };
        Ok(kernels::Interpolation::Separable { beta: copy(&w.beta)?, alpha: copy(&w.alpha)? })
    };
    let operator = match &level.coefficients {
        Coefficients::Constant(a) => constant(space, a)?,
        Coefficients::Flags(a) => flags(space, Rows::<T>::extent(a), &a.diagonal)?,
        Coefficients::Faces(a) => {
            let [nx, ny, nz] = a.extent.n;
            let rows = (0..ny * nz).map(|r| a.row(r % ny, r / ny));
            // SAFETY: i < nx.
            let inverses: Vec<T> = rows.flat_map(|row| (0..nx).map(move |i| unsafe { row.inv(i) })).collect();
            faces(space, a, Some(&inverses))?
        }
        Coefficients::Nine(_) => return unsuited("an operator of five or seven points on every level"),
    };
    let interpolation = match &level.interpolation {
        Interpolation::Split(split) => separable(split.weights())?,
        Interpolation::Separable(w) => separable(w)?,
        Interpolation::Packed(w) => {
            kernels::Interpolation::Packed(Memory::from_slice(space.gpu(), w.bytes.as_flattened())?)
        }
        Interpolation::Planar(..) => return unsuited("an operator of five or seven points on every level"),
    };
    // Along x, a ring of one coarse cell gives to itself what it would give to its neighbour.
    let mut coarse = level.halving.coarse;
    coarse.periodic[0] = level.halving.fine.periodic[0];
    let coarse = cells(coarse);
    Ok(DeviceLevel {
        pieces: Pieces::new(operator, interpolation, coarse, level.halving.halve)?,
        sweep: level.sweep.omegas().to_vec(),
        polynomial: level.polynomial,
    })
}

impl<T: Scalar> Map for DeviceMultigrid<T> {
    fn shape(&self) -> Shape {
        self.shape
    }
    fn properties(&self) -> Properties {
        self.properties
    }
}

impl<T: Scalar> Cycle<T> for DeviceMultigrid<T> {
    type Vectors = Vectors<T>;

    fn size(&self) -> Shape {
        self.shape
    }
    fn work(&self) -> &Mutex<Workspace<Vectors<T>>> {
        &self.work
    }
    fn ends(vectors: &mut Vectors<T>) -> (&mut Memory<T>, &mut Memory<T>) {
        let [f, e, _] = &mut vectors[0];
        (f, e)
    }
    fn cycle(&self, vectors: &mut Vectors<T>) -> Result<()> {
        self.solve(0, vectors)
    }
}

preconditioner!(DeviceMultigrid: f32 => f32, f32 => f64, f64 => f64);
