//! Geometric multigrid on structured grids: a symmetric V-cycle, to precondition conjugate gradients.
//!
//! One red–black Gauss–Seidel sweep before and one after each coarse correction; 5- and 7-point operators on every level
//! by finite-volume upscaling; simplex interpolation that knows solids, prescribed values and jumps, and its
//! transpose; only the strongly coupled dimensions are coarsened; a direct solve at the bottom.
//! The cycle usually runs in f32 inside an f64 iteration, which costs no steps and halves the traffic.

mod coarsen;
mod coarsest;
mod level;
mod planar;
mod split;
mod transfer;
mod weights;

use crate::error::check_len;
use crate::host::buffer::Buffer;
use crate::operator::check_apply;
use crate::stencil::Stencil;
use crate::stencil::faces::Faces;
use crate::stencil::flags::Flags;
use crate::stencil::poisson::Constant;
use crate::stencil::rows::{Extent, Rows, Shared};
use crate::{Error, Grid, Host, LinearOperator, Map, Operator, Properties, Result, Scalar, Shape};
use coarsen::Estimate;
use coarsest::Coarsest;
use level::{Ascend, Descend, Halving};
use planar::cycle::Plane;
use planar::operator::{Nine, Planar};
use split::Split;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use weights::{Packed, Separable, Weights};

/// How a hierarchy is built.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct MultigridOptions {
    /// A dimension is coarsened when its mean conductance is at least this share of the largest one.
    pub strong: f64,
    /// A level of at most this many cells is solved directly.
    pub direct_cells: usize,
}

impl Default for MultigridOptions {
    fn default() -> Self {
        Self { strong: 0.4, direct_cells: 300 }
    }
}

/// A symmetric positive definite V(1,1)-cycle as an operator r ↦ z ≈ A⁻¹r, in precision `T`.
///
/// On `Host<T>` it works in `T` throughout; `Multigrid<f32>` on `Host<f64>` reads and writes f64 and works in f32. Vectors
/// have one entry a cell; cells that take no part get 0. Memory beyond the operator, bytes a cell in f32 and 3-D: about
/// 2 on constant coefficients, 19 on flags, 29 with face coefficients.
///
/// # Reference
/// R. Wienands, W. Joppich, *Practical Fourier Analysis for Multigrid Methods* (2004), 10.1201/9781420034998, for the
/// smoother; [`coarsen`](self) for what is done between levels.
pub struct Multigrid<T: Scalar> {
    shape: Shape,
    grid: Grid,
    properties: Properties,
    levels: Vec<Level<T>>,
    last: Box<Bottom>,
    work: Mutex<Work<T>>,
    options: MultigridOptions,
}

/// The coefficients of a level.
enum Coefficients<T> {
    Constant(Constant<T>),
    Flags(Flags<T>),
    Faces(Faces<T>),
    Nine(Nine<T>),
}

/// The interpolation to a level.
enum Interpolation<T> {
    /// With everything else that the level needs.
    Split(Box<Split<T>>),
    Separable(Separable<T>),
    Packed(Packed),
    /// With the inverse diagonal.
    Planar(planar::interpolation::Interpolation<T>, Vec<T>),
}

struct Level<T> {
    coefficients: Coefficients<T>,
    interpolation: Interpolation<T>,
    halving: Halving,
}

struct Bottom {
    extent: Extent,
    direct: Coarsest,
}

/// What a cycle writes to: the vectors of each level, what the tiles of a split level work in, and the sums r·z of each
/// plane.
struct Work<T> {
    levels: Vec<Workspace<T>>,
    scratch: Buffer<T>,
    partial: Vec<f64>,
}

/// The vectors of a level. `below` and `above` are sums for the next coarser one; on a planar level `below` is the residual.
struct Workspace<T> {
    f: Buffer<T>,
    e: Buffer<T>,
    below: Buffer<T>,
    above: Buffer<T>,
}

/// Binds `$rows` to the coefficients, whichever they are.
macro_rules! with_rows {
    ($c:expr, |$rows:ident| $body:expr) => {
        match $c {
            Coefficients::Constant($rows) => $body,
            Coefficients::Flags($rows) => $body,
            Coefficients::Faces($rows) => $body,
            Coefficients::Nine(_) => unreachable!("planar levels have no rows of six neighbours"),
        }
    };
}

impl<T: Scalar> Coefficients<T> {
    fn extent(&self) -> Extent {
        match self {
            Self::Nine(a) => a.extent(),
            other => with_rows!(other, |rows| Rows::<T>::extent(rows)),
        }
    }

    fn of(a: &Stencil) -> Self {
        match a {
            Stencil::Poisson(a) => {
                let c = &a.inner.double;
                Self::Constant(Constant::new(c.extent(), c.c, c.ends))
            }
            Stencil::Flags(a) => Self::Flags(a.inner.double.cast()),
            Stencil::Faces(a) => Self::Faces(a.faces.cast()),
        }
    }

    /// The next coarser coefficients and the interpolation to this level, unless this is the coarsest one.
    fn coarsen(
        &self,
        options: &MultigridOptions,
        estimate: Estimate,
    ) -> Option<(Self, Interpolation<T>, Halving)> {
        let extent = self.extent();
        if extent.cells() <= options.direct_cells {
            return None;
        }
        if let Self::Nine(a) = self {
            return Self::planar(a, extent);
        }
        let mean = match self {
            Self::Constant(a) => std::array::from_fn(|d| if extent.n[d] > 1 { a.c[d] } else { 0.0 }),
            Self::Flags(_) => extent.n.map(|n| if n > 1 { 1.0 } else { 0.0 }),
            Self::Faces(a) => coarsen::means(a),
            Self::Nine(_) => unreachable!("taken care of above"),
        };
        let strongest = (0..3).filter(|d| extent.n[*d] > 1).map(|d| mean[d]).fold(0.0, f64::max);
        let halve: [bool; 3] = std::array::from_fn(|d| {
            extent.n[d] > 1 && mean[d] > 0.0 && mean[d] >= options.strong * strongest
        });
        // Two colours need an even ring on this level and on the next.
        let odd_ring = (0..3).any(|d| extent.periodic[d] && extent.n[d] % 2 == 1);
        if odd_ring || halve == [false; 3] {
            return None;
        }
        if let Self::Faces(a) = self
            && halve == [true, false, true]
            && extent.periodic == [false; 3]
            && a.g[1].is_empty()
        {
            return Self::planar(a, extent);
        }
        let halving = Halving::new(extent, halve);
        let even = (0..3).all(|d| !halve[d] || extent.n[d].is_multiple_of(2));
        Some(match self {
            Self::Constant(a) if even && halve[0] => (
                Self::Constant(coarsen::constant(a, halving)),
                Interpolation::Split(Box::new(Split::new(a, halving))),
                halving,
            ),
            Self::Constant(a) if even => (
                Self::Constant(coarsen::constant(a, halving)),
                Interpolation::Separable(Separable::new(extent, halve, a.c, a.ends)),
                halving,
            ),
            Self::Constant(a) => Self::upscaled(a, halving, mean, estimate),
            Self::Flags(a) => Self::upscaled(a, halving, mean, estimate),
            Self::Faces(a) => Self::upscaled(a, halving, mean, estimate),
            Self::Nine(_) => unreachable!("taken care of above"),
        })
    }

    fn planar<A: Planar<T>>(a: &A, fine: Extent) -> Option<(Self, Interpolation<T>, Halving)> {
        if a.size().contains(&1) {
            return None;
        }
        let interpolation = planar::interpolation::Interpolation::new(a);
        let coarse = planar::galerkin::galerkin(a, &interpolation);
        let halving = Halving { fine, coarse: coarse.extent(), halve: [true, false, true] };
        let inverse = planar::operator::inverse(a);
        Some((Self::Nine(coarse), Interpolation::Planar(interpolation, inverse), halving))
    }

    fn upscaled<G: coarsen::Conductances>(
        g: &G,
        halving: Halving,
        mean: [f64; 3],
        estimate: Estimate,
    ) -> (Self, Interpolation<T>, Halving) {
        let (faces, packed) = coarsen::upscale(g, halving, mean, estimate);
        (Self::Faces(faces), Interpolation::Packed(packed), halving)
    }
}

impl<T: Scalar> Work<T> {
    fn new(levels: &[Level<T>], last: &Bottom) -> Result<Self> {
        let mut vectors = Vec::with_capacity(levels.len() + 1);
        let bottom = last.extent.cells();
        for [f, e, below, above] in Workspace::sizes(levels).chain([[bottom, bottom, 0, 0]]) {
            vectors.push(Workspace {
                f: Buffer::zeros(f)?,
                e: Buffer::zeros(e)?,
                below: Buffer::zeros(below)?,
                above: Buffer::zeros(above)?,
            });
        }
        let scratch = levels.iter().filter_map(Level::split).map(Split::scratch).max();
        let planes = levels.first().map_or(1, |l| l.halving.fine.n[2]);
        Ok(Self {
            levels: vectors,
            scratch: Buffer::zeros(scratch.unwrap_or(0))?,
            partial: vec![0.0; planes],
        })
    }
}

impl<T: Scalar> Workspace<T> {
    /// The lengths of f, e, below and above on each level. A split level at the top reads and writes the caller's vectors.
    fn sizes(levels: &[Level<T>]) -> impl Iterator<Item = [usize; 4]> {
        levels.iter().enumerate().map(|(l, level)| {
            let h = level.halving;
            let (fine, sums) = (h.fine.cells(), if h.halve[2] { h.coarse.cells() } else { 0 });
            match level.interpolation {
                Interpolation::Split(_) if l == 0 => [0; 4],
                Interpolation::Split(_) => [fine, fine, 0, 0],
                Interpolation::Planar(..) => [fine, fine, fine, 0],
                Interpolation::Separable(_) | Interpolation::Packed(_) => [fine, fine, sums, sums],
            }
        })
    }
}

type Hierarchy<T> = (Vec<Level<T>>, Box<Bottom>);

fn build<T: Scalar>(a: &Stencil, options: &MultigridOptions) -> Result<Hierarchy<T>> {
    let mut levels = Vec::new();
    let mut coefficients = Coefficients::<T>::of(a);
    let estimate = if matches!(a, Stencil::Faces(_)) { Estimate::Mean } else { Estimate::Largest };
    while let Some((coarse, interpolation, halving)) = coefficients.coarsen(options, estimate) {
        levels.push(Level { coefficients, interpolation, halving });
        coefficients = coarse;
    }
    let extent = coefficients.extent();
    if extent.cells() > 10 * options.direct_cells.max(300) {
        return Err(Error::Grid {
            n: extent.n,
            why: "is the coarsest level, too large for a direct solve; periodic sides need a number of cells divisible by a power of two",
        });
    }
    let direct = match &coefficients {
        Coefficients::Nine(a) => Coarsest::new(planar::operator::dense(a))?,
        other => with_rows!(other, |rows| Coarsest::new(coarsest::assemble::<T, _>(rows)))?,
    };
    Ok((levels, Box::new(Bottom { extent, direct })))
}

impl<T: Scalar> Multigrid<T> {
    /// Builds the hierarchy and its workspace.
    ///
    /// # Errors
    /// [`Error::Grid`] when a periodic dimension cannot be halved often enough; [`Error::Memory`].
    pub fn new(a: &Stencil, options: MultigridOptions) -> Result<Self> {
        let (levels, last) = build(a, &options)?;
        let work = Mutex::new(Work::new(&levels, &last)?);
        Ok(Self { shape: a.shape(), grid: a.grid(), properties: a.properties(), levels, last, work, options })
    }

    /// Takes new coefficients on the same grid; vectors are kept as long as the same dimensions are coarsened.
    ///
    /// # Errors
    /// [`Error::Grid`] when the grid differs; else as [`new`](Self::new).
    pub fn update_values(&mut self, a: &Stencil) -> Result<()> {
        if a.grid() != self.grid {
            return Err(Error::Grid {
                n: a.grid().n(),
                why: "is not the grid this hierarchy was made for; make a new one",
            });
        }
        let (levels, last) = build(a, &self.options)?;
        let sizes = |levels: &[Level<T>]| Workspace::sizes(levels).collect::<Vec<_>>();
        if sizes(&levels) != sizes(&self.levels) || last.extent != self.last.extent {
            self.work = Mutex::new(Work::new(&levels, &last)?);
        }
        (self.levels, self.last) = (levels, last);
        self.properties = a.properties();
        Ok(())
    }

    /// z ← M r; returns r·z. `scale` brings r into the range of `T`.
    fn cycle<U: Scalar>(&self, r: &[U], z: &mut [U], scale: f64) -> f64 {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        let Work { levels: work, scratch, partial } = &mut *work;
        if self.levels.is_empty() {
            let Workspace { f, e, .. } = &mut work[0];
            f.iter_mut().zip(r).for_each(|(f, r)| *f = T::of(r.f64() * scale));
            self.last.direct.solve(f, e);
            z.iter_mut().zip(e.iter()).for_each(|(z, e)| *z = U::of(e.f64() / scale));
            return r.iter().zip(z.iter()).map(|(r, z)| r.f64() * z.f64()).sum();
        }
        for (l, level) in self.levels.iter().enumerate() {
            let (fine, coarse) = work[l..=l + 1].split_at_mut(1);
            let source = (l == 0).then_some((r, scale));
            level.descend(source, &mut fine[0], &mut coarse[0], scratch);
        }
        let Workspace { f, e, .. } = work.last_mut().expect("there is a coarsest level");
        self.last.direct.solve(f, e);
        for (l, level) in self.levels.iter().enumerate().rev() {
            let (fine, coarse) = work[l..=l + 1].split_at_mut(1);
            let sink = (l == 0).then(|| Sink { r, z: Shared::new(z), scale, partial: Shared::new(partial) });
            level.ascend(sink, &mut fine[0], &coarse[0].e, scratch);
        }
        partial.iter().sum()
    }

    /// The cycle, repeated with a scale when r is outside what `T` can hold.
    fn safe_cycle<U: Scalar>(&self, r: &[U], z: &mut [U]) -> Result<f64> {
        check_len("x", self.shape.cols, r.len())?;
        check_len("y", self.shape.rows, z.len())?;
        let product = self.cycle(r, z, 1.0);
        if product.is_finite() && (1e-60..1e60).contains(&product) {
            return Ok(product);
        }
        let largest = r.iter().fold(0.0, |m: f64, v| m.max(v.f64().abs()));
        if largest == 0.0 || !largest.is_finite() {
            return Ok(product);
        }
        // The scale is a number of type U.
        Ok(self.cycle(r, z, (1.0 / largest).min(0.5 * U::max_value().f64())))
    }
}

/// Where the finest level puts its result.
struct Sink<'a, U> {
    r: &'a [U],
    z: Shared<'a, U>,
    /// What r was multiplied by, and z is to be divided by.
    scale: f64,
    /// The sums r·z of each unit of rows.
    partial: Shared<'a, f64>,
}

impl<T: Scalar> Level<T> {
    fn split(&self) -> Option<&Split<T>> {
        match &self.interpolation {
            Interpolation::Split(split) => Some(split),
            _ => None,
        }
    }

    /// From this level's right-hand side, or `source`, to the next one's.
    fn descend<U: Scalar>(
        &self,
        source: Option<(&[U], f64)>,
        fine: &mut Workspace<T>,
        coarse: &mut Workspace<T>,
        scratch: &mut [T],
    ) {
        fn on_box<T: Scalar, U: Scalar, R: Rows<T>, W: Weights<T>>(
            (rows, weights, halving): (&R, &W, Halving),
            source: Option<(&[U], f64)>,
            fine: &mut Workspace<T>,
            coarse: &mut Workspace<T>,
        ) {
            let (f, e, coarse_f) =
                (Shared::new(&mut fine.f), Shared::new(&mut fine.e), Shared::new(&mut coarse.f));
            let (below, above) = (Shared::new(&mut fine.below), Shared::new(&mut fine.above));
            Descend { rows, weights, halving, source, f, e, coarse_f, below, above }.run();
        }
        let h = self.halving;
        let coarse_f = Shared::new(&mut coarse.f);
        match (&self.coefficients, &self.interpolation) {
            (_, Interpolation::Split(split)) => match source {
                Some((source, scale)) => split::Descend { split, source, scale, coarse_f }.run(scratch),
                None => split::Descend { split, source: &fine.f, scale: 1.0, coarse_f }.run(scratch),
            },
            (Coefficients::Faces(a), Interpolation::Planar(p, inverse)) => {
                planar::cycle::Descend { plane: plane(a, p, inverse, fine), source, coarse_f }.run();
            }
            (Coefficients::Nine(a), Interpolation::Planar(p, inverse)) => {
                planar::cycle::Descend { plane: plane(a, p, inverse, fine), source, coarse_f }.run();
            }
            (c, Interpolation::Separable(w)) => {
                with_rows!(c, |rows| on_box((rows, w, h), source, fine, coarse))
            }
            (c, Interpolation::Packed(w)) => with_rows!(c, |rows| on_box((rows, w, h), source, fine, coarse)),
            _ => unreachable!("only planar levels interpolate so"),
        }
    }

    /// From the next level's correction to this one's, or `sink`.
    fn ascend<U: Scalar>(
        &self,
        sink: Option<Sink<U>>,
        fine: &mut Workspace<T>,
        coarse_e: &[T],
        scratch: &mut [T],
    ) {
        fn on_box<T: Scalar, U: Scalar, R: Rows<T>, W: Weights<T>>(
            (rows, weights, halving): (&R, &W, Halving),
            sink: Option<Sink<U>>,
            fine: &mut Workspace<T>,
            coarse_e: &[T],
        ) {
            Ascend { rows, weights, halving, coarse_e, f: &fine.f, e: Shared::new(&mut fine.e), sink }.run();
        }
        let h = self.halving;
        match (&self.coefficients, &self.interpolation) {
            (_, Interpolation::Split(split)) => match sink {
                Some(Sink { r, z, scale, partial }) => {
                    let partial = Some(partial);
                    split::Ascend { split, source: r, scale, coarse_e, result: z, partial }.run(scratch);
                }
                None => {
                    let result = Shared::new(&mut fine.e);
                    split::Ascend { split, source: &fine.f, scale: 1.0, coarse_e, result, partial: None }
                        .run(scratch);
                }
            },
            (Coefficients::Faces(a), Interpolation::Planar(p, inverse)) => {
                planar::cycle::Ascend { plane: plane(a, p, inverse, fine), sink, coarse_e }.run();
            }
            (Coefficients::Nine(a), Interpolation::Planar(p, inverse)) => {
                planar::cycle::Ascend { plane: plane(a, p, inverse, fine), sink, coarse_e }.run();
            }
            (c, Interpolation::Separable(w)) => {
                with_rows!(c, |rows| on_box((rows, w, h), sink, fine, coarse_e))
            }
            (c, Interpolation::Packed(w)) => with_rows!(c, |rows| on_box((rows, w, h), sink, fine, coarse_e)),
            _ => unreachable!("only planar levels interpolate so"),
        }
    }
}

fn plane<'a, T: Scalar, A>(
    a: &'a A,
    interpolation: &'a planar::interpolation::Interpolation<T>,
    inverse: &'a [T],
    work: &'a mut Workspace<T>,
) -> Plane<'a, T, A> {
    let (f, e, r) = (Shared::new(&mut work.f), Shared::new(&mut work.e), Shared::new(&mut work.below));
    Plane { a, inverse, interpolation, f, e, r }
}

impl<T: Scalar> Map for Multigrid<T> {
    fn shape(&self) -> Shape {
        self.shape
    }
    fn properties(&self) -> Properties {
        self.properties
    }
}

macro_rules! preconditioner {
    ($work:ty, $space:ty) => {
        impl Operator<Host<$space>> for Multigrid<$work> {
            fn apply(&self, space: &Host<$space>, x: &[$space], y: &mut [$space]) -> Result<()> {
                check_apply(space, self.shape, x, y)?;
                self.safe_cycle(x, y).map(drop)
            }
        }
        impl LinearOperator<Host<$space>> for Multigrid<$work> {
            fn apply_dot(&self, _space: &Host<$space>, x: &[$space], y: &mut [$space]) -> Result<f64> {
                self.safe_cycle(x, y)
            }
        }
    };
}
preconditioner!(f32, f32);
preconditioner!(f32, f64);
preconditioner!(f64, f64);

impl<T: Scalar> fmt::Display for Multigrid<T> {
    /// One line for each level.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (l, level) in self.levels.iter().enumerate() {
            let kind = match level.coefficients {
                Coefficients::Constant(_) => "constant",
                Coefficients::Flags(_) => "flags",
                Coefficients::Faces(_) => "faces",
                Coefficients::Nine(_) => "nine points",
            };
            writeln!(f, "level {l}: {:?} {kind}, halved {:?}", level.halving.fine.n, level.halving.halve)?;
        }
        write!(f, "level {}: {:?} direct", self.levels.len(), self.last.extent.n)
    }
}
