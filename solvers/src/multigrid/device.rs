//! The V-cycle on a device.

use super::MultigridOptions;
use super::hierarchy::{Coefficients, Interpolation, Level, build};
use super::weights::Separable;
use crate::device::stencil::{cells, constant, faces, flags};
use crate::device::{Device, DeviceBuffer, Number};
use crate::error::check_len;
use crate::host::reduce;
use crate::operator::check_apply;
use crate::stencil::rows::{Row, Rows};
use crate::{Error, LinearOperator, Map, Operator, Properties, Result, Scalar, Shape, Space, Stencil};
use num_traits::Float;
use resolvent_ptx::Memory;
use resolvent_ptx::families::multigrid::{self as kernels, Level as Pieces};
use resolvent_ptx::families::vector;
use std::sync::{Mutex, PoisonError};

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
    work: Mutex<Work<T>>,
}

/// A level and what is done on it.
#[derive(Debug)]
struct DeviceLevel<T: Scalar> {
    pieces: Pieces<T>,
    /// How far each half-sweep relaxes.
    sweep: Vec<T>,
    polynomial: Option<[f64; 3]>,
}

#[derive(Debug)]
struct Work<T: Scalar> {
    /// f, e and the sum of the terms of a polynomial, of each level and of the coarsest.
    vectors: Vec<[DeviceBuffer<T>; 3]>,
    /// What a right-hand side is multiplied by, to be within the range of `T`.
    scale: f64,
}

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
        let vectors = extents.chain([(last.extent.cells(), false)]).map(|(n, sum)| {
            Ok([space.zeros(n)?, space.zeros(n)?, space.zeros(if sum { n } else { 0 })?])
        });
        let work = Work { vectors: vectors.collect::<Result<_>>()?, scale: 1.0 };
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
        let Some(terms) = level.polynomial else { return self.cycle(depth, vectors) };
        for (power, factor) in terms.map(T::of).into_iter().enumerate() {
            self.cycle(depth, vectors)?;
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
    fn cycle(&self, depth: usize, vectors: &mut [[DeviceBuffer<T>; 3]]) -> Result<()> {
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
        Err(Error::Unsuited { what: "multigrid on a GPU", needs, mend: "solve on the processor, or with --precond jacobi" })
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
    let coarse = cells(level.halving.coarse);
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

/// How a right-hand side comes to the finest level, and its result from there.
trait Ends<T: Scalar>: Space {
    /// f ← scale r.
    fn load(&self, r: &Self::Slice, scale: f64, f: &mut Memory<T>) -> Result<()>;
    /// z ← e/scale; out ← r·z.
    fn store(
        &self,
        e: &Memory<T>,
        scale: f64,
        r: &Self::Slice,
        z: &mut Self::Slice,
        out: &mut Self::Value,
    ) -> Result<()>;
    /// max |r|.
    fn largest(&self, r: &Self::Slice) -> Result<f64>;
}

impl<T: Scalar> Ends<T> for Device<f64> {
    fn load(&self, r: &Memory<f64>, scale: f64, f: &mut Memory<T>) -> Result<()> {
        Ok(kernels::load(r, scale, f)?)
    }
    fn store(
        &self,
        e: &Memory<T>,
        scale: f64,
        r: &Memory<f64>,
        z: &mut Memory<f64>,
        out: &mut Number,
    ) -> Result<()> {
        let (size, mut partial) = (reduce::blocks(r.len()), self.partial(r.len())?);
        Ok(kernels::store(self.gpu(), e, 1.0 / scale, r, z, size, &mut partial, out.address())?)
    }
    fn largest(&self, r: &Memory<f64>) -> Result<f64> {
        self.largest_of(r)
    }
}

impl Ends<f32> for Device<f32> {
    fn load(&self, r: &Memory<f32>, scale: f64, f: &mut Memory<f32>) -> Result<()> {
        self.axpby(scale as f32, r, 0.0, f)
    }
    fn store(
        &self,
        e: &Memory<f32>,
        scale: f64,
        r: &Memory<f32>,
        z: &mut Memory<f32>,
        out: &mut Number,
    ) -> Result<()> {
        self.axpby((1.0 / scale) as f32, e, 0.0, z)?;
        self.dot_to(r, z, out)
    }
    fn largest(&self, r: &Memory<f32>) -> Result<f64> {
        self.largest_of(r)
    }
}

impl<T: Scalar> DeviceMultigrid<T> {
    fn run<S: Ends<T>>(&self, space: &S, r: &S::Slice, z: &mut S::Slice, out: &mut S::Value) -> Result<()> {
        let Work { vectors, scale } = &mut *self.work.lock().unwrap_or_else(PoisonError::into_inner);
        space.load(r, *scale, &mut vectors[0][0])?;
        self.solve(0, vectors)?;
        space.store(&vectors[0][1], *scale, r, z, out)
    }

    /// As `run`, with another scale when the product shows that r is outside the range of `T`.
    fn run_now<S: Ends<T>>(&self, space: &S, r: &S::Slice, z: &mut S::Slice) -> Result<f64> {
        check_len("x", self.shape.cols, space.len(r))?;
        check_len("y", self.shape.rows, space.len(z))?;
        let mut out = space.value(0.0)?;
        self.run(space, r, z, &mut out)?;
        let [product] = space.read([&out])?;
        if product.is_finite() && (1e-60..1e60).contains(&product) {
            return Ok(product);
        }
        let largest = space.largest(r)?;
        if largest == 0.0 || !largest.is_finite() {
            return Ok(product);
        }
        let scale = (1.0 / largest).min(0.5 * S::Scalar::max_value().f64());
        self.work.lock().unwrap_or_else(PoisonError::into_inner).scale = scale;
        self.run(space, r, z, &mut out)?;
        Ok(space.read([&out])?[0])
    }
}

macro_rules! preconditioner {
    ($work:ty, $space:ty) => {
        impl Operator<Device<$space>> for DeviceMultigrid<$work> {
            fn apply(
                &self,
                space: &Device<$space>,
                x: &Memory<$space>,
                y: &mut Memory<$space>,
            ) -> Result<()> {
                self.run_now(space, x, y).map(drop)
            }
        }
        impl LinearOperator<Device<$space>> for DeviceMultigrid<$work> {
            fn apply_dot(
                &self,
                space: &Device<$space>,
                x: &Memory<$space>,
                y: &mut Memory<$space>,
            ) -> Result<f64> {
                self.run_now(space, x, y)
            }
            /// Without a look at the product: where that is no positive number, `apply_dot` finds another scale.
            fn apply_dot_to(
                &self,
                space: &Device<$space>,
                x: &Memory<$space>,
                y: &mut Memory<$space>,
                out: &mut Number,
            ) -> Result<()> {
                check_apply(space, self.shape, x, y)?;
                self.run(space, x, y, out)
            }
        }
    };
}
preconditioner!(f32, f32);
preconditioner!(f32, f64);
preconditioner!(f64, f64);
