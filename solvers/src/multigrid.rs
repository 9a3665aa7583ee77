//! Geometric multigrid on structured grids: a symmetric V-cycle, to precondition conjugate gradients.
//!
//! One red–black Gauss–Seidel sweep before and one after each coarse correction; 5- and 7-point operators on every level
//! by finite-volume upscaling; simplex interpolation that knows solids, prescribed values and jumps, and its
//! transpose; only the strongly coupled dimensions are coarsened; a direct solve at the bottom.
//! The cycle usually runs in f32 inside an f64 iteration, which costs no steps and halves the traffic.
//!
//! Where coefficients or the geometry vary, coarse levels are solved for by a polynomial of three cycles. The numbers that theory
//! does not give there can be learned ([`Tuning`]), and have been ([`MultigridOptions::learned`]).

mod band;
mod coarsen;
mod coarsest;
#[cfg(feature = "cuda")]
pub(crate) mod device;
mod domain;
mod hierarchy;
mod learned;
mod level;
mod pattern;
mod planar;
mod split;
pub mod training;
mod transfer;
pub mod tuning;
mod weights;

use crate::error::check_len;
use crate::host::buffer::Buffer;
use crate::operator::check_apply;
use crate::stencil::Stencil;
use crate::stencil::rows::{Rows, Shared};
use crate::{Error, Grid, Host, LinearOperator, Map, Operator, Properties, Result, Scalar, Shape};
use band::Band;
use hierarchy::{Bottom, Coefficients, Interpolation, Level, build, with_rows};
use level::{Ascend, Descend, Halving, Sweep};
use planar::cycle::Plane;
use split::Split;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use tuning::Tuning;
use weights::Weights;

/// How a hierarchy is built.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct MultigridOptions {
    /// A dimension is coarsened when its mean conductance is at least this share of the largest one.
    pub strong: f64,
    /// A level of at most this many cells is solved directly.
    pub direct_cells: usize,
    /// Half-sweeps before and after the coarse correction, red and black in turns, on the finest level and on the others: 2 to
    /// 4. Levels of constant coefficients always do 2.
    pub half_sweeps: [usize; 2],
    /// Whether cells beside solids and air are relaxed once more.
    pub band: bool,
    /// Where coarse levels are solved for by a polynomial of three cycles.
    pub polynomial: Polynomial,
    /// Numbers for grids with solids and air; others take the classical ones.
    pub tuning: Tuning,
}

/// Which of the third and the fourth level are solved for by three cycles, B(3 − 3AB + (AB)²), in place of one. A box without
/// solids or air never needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Polynomial {
    /// Neither.
    Never,
    /// Those more than half of whose cells lie beside solids or air, as among pores; both where coefficients vary.
    Crowded,
    /// Both.
    Always,
}

impl MultigridOptions {
    /// The cycle that tunings are learned for, with about twice as many half-sweeps as usual, and no polynomial where there is room.
    pub fn tuned(tuning: Tuning) -> Self {
        Self { half_sweeps: [4, 3], polynomial: Polynomial::Crowded, tuning, ..Self::default() }
    }
}

impl Default for MultigridOptions {
    fn default() -> Self {
        Self {
            strong: 0.4,
            direct_cells: 300,
            half_sweeps: [2, 2],
            band: false,
            polynomial: Polynomial::Always,
            tuning: Tuning::CLASSICAL,
        }
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

/// What a cycle writes to: the vectors of each level, what the tiles of a split level work in, and the sums r·z of each
/// plane.
struct Work<T> {
    levels: Vec<Workspace<T>>,
    scratch: Buffer<T>,
    partial: Vec<f64>,
}

/// The vectors of a level. `below` and `above` are sums for the next coarser one; on a planar level `below` is the residual.
/// `sum` is that of the terms of a polynomial.
struct Workspace<T> {
    f: Buffer<T>,
    e: Buffer<T>,
    below: Buffer<T>,
    above: Buffer<T>,
    sum: Buffer<T>,
}

impl<T: Scalar> Work<T> {
    fn new(levels: &[Level<T>], last: &Bottom) -> Result<Self> {
        let mut vectors = Vec::with_capacity(levels.len() + 1);
        let bottom = last.extent.cells();
        for [f, e, below, above, sum] in Workspace::sizes(levels).chain([[bottom, bottom, 0, 0, 0]]) {
            vectors.push(Workspace {
                f: Buffer::zeros(f)?,
                e: Buffer::zeros(e)?,
                below: Buffer::zeros(below)?,
                above: Buffer::zeros(above)?,
                sum: Buffer::zeros(sum)?,
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
    /// The lengths of f, e, below, above and sum on each level. A split level at the top reads and writes the caller's vectors.
    fn sizes(levels: &[Level<T>]) -> impl Iterator<Item = [usize; 5]> {
        levels.iter().enumerate().map(|(l, level)| {
            let h = level.halving;
            let (fine, sums) = (h.fine.cells(), if h.halve[2] { h.coarse.cells() } else { 0 });
            let sum = if level.polynomial.is_some() { fine } else { 0 };
            match level.interpolation {
                Interpolation::Split(_) if l == 0 => [0; 5],
                Interpolation::Split(_) => [fine, fine, 0, 0, sum],
                Interpolation::Planar(..) => [fine, fine, fine, 0, sum],
                Interpolation::Separable(_) | Interpolation::Packed(_) => [fine, fine, sums, sums, sum],
            }
        })
    }
}

impl<T: Scalar> Multigrid<T> {
    /// Builds the hierarchy and its workspace.
    ///
    /// # Errors
    /// [`Error::Grid`] when a periodic dimension cannot be halved often enough; [`Error::Parameter`] for half-sweeps that are
    /// not 2 to 4; [`Error::Memory`].
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
        let (top, below) = work.split_at_mut(1);
        let first = &self.levels[0];
        first.descend(Some((r, scale)), &mut top[0], &mut below[0], scratch);
        self.solve(1, below, scratch);
        let sink = Sink { r, z: Shared::new(z), scale, partial: Shared::new(partial) };
        first.ascend(Some(sink), &mut top[0], &below[0].e, scratch);
        partial.iter().sum()
    }

    /// e ← p(BA) B f on level `depth`, the first of `work`, where B is a cycle from there on and p a polynomial, mostly 1.
    fn solve(&self, depth: usize, work: &mut [Workspace<T>], scratch: &mut [T]) {
        let Some(level) = self.levels.get(depth) else {
            let Workspace { f, e, .. } = &mut work[0];
            return self.last.direct.solve(f, e);
        };
        let Some(terms) = level.polynomial else { return self.descend_and_ascend(depth, work, scratch) };
        for (power, factor) in terms.map(T::of).into_iter().enumerate() {
            self.descend_and_ascend(depth, work, scratch);
            let Workspace { f, e, sum, .. } = &mut work[0];
            if power == 0 {
                sum.iter_mut().zip(e.iter()).for_each(|(sum, e)| *sum = factor * *e);
            } else {
                sum.iter_mut().zip(e.iter()).for_each(|(sum, e)| *sum += factor * *e);
            }
            if power + 1 < terms.len() {
                level.coefficients.apply(e, f);
            }
        }
        let Workspace { e, sum, .. } = &mut work[0];
        e.copy_from_slice(sum);
    }

    /// e ← B f on level `depth`.
    fn descend_and_ascend(&self, depth: usize, work: &mut [Workspace<T>], scratch: &mut [T]) {
        let (fine, coarse) = work.split_at_mut(1);
        let level = &self.levels[depth];
        level.descend::<T>(None, &mut fine[0], &mut coarse[0], scratch);
        self.solve(depth + 1, coarse, scratch);
        level.ascend::<T>(None, &mut fine[0], &coarse[0].e, scratch);
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
            (rows, weights, halving, sweep, band): (&R, &W, Halving, &Sweep<T>, Option<&Band>),
            source: Option<(&[U], f64)>,
            fine: &mut Workspace<T>,
            coarse: &mut Workspace<T>,
        ) {
            let (f, e, coarse_f) =
                (Shared::new(&mut fine.f), Shared::new(&mut fine.e), Shared::new(&mut coarse.f));
            let (below, above) = (Shared::new(&mut fine.below), Shared::new(&mut fine.above));
            Descend { rows, weights, halving, sweep, band, source, f, e, coarse_f, below, above }.run();
        }
        let (h, sweep, band) = (self.halving, &self.sweep, self.band.as_ref());
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
                with_rows!(c, |rows| on_box((rows, w, h, sweep, band), source, fine, coarse))
            }
            (c, Interpolation::Packed(w)) => {
                with_rows!(c, |rows| on_box((rows, w, h, sweep, band), source, fine, coarse))
            }
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
            (rows, weights, halving, sweep, band): (&R, &W, Halving, &Sweep<T>, Option<&Band>),
            sink: Option<Sink<U>>,
            fine: &mut Workspace<T>,
            coarse_e: &[T],
        ) {
            Ascend {
                rows,
                weights,
                halving,
                sweep,
                band,
                coarse_e,
                f: &fine.f,
                e: Shared::new(&mut fine.e),
                sink,
            }
            .run();
        }
        let (h, sweep, band) = (self.halving, &self.sweep, self.band.as_ref());
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
                with_rows!(c, |rows| on_box((rows, w, h, sweep, band), sink, fine, coarse_e))
            }
            (c, Interpolation::Packed(w)) => {
                with_rows!(c, |rows| on_box((rows, w, h, sweep, band), sink, fine, coarse_e))
            }
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
