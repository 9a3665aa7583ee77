//! The levels of a grid operator, each made from the one before.

use super::band::Band;
use super::coarsen::{self, Estimate, Geometry};
use super::coarsest::{self, Coarsest};
use super::level::{HALVES, Halving, Sweep};
use super::pattern::Pattern;
use super::planar;
use super::planar::operator::{Nine, Planar};
use super::split::Split;
use super::tuning::Tuning;
use super::weights::{Packed, Separable};
use super::{MultigridOptions, Polynomial};
use crate::stencil::Stencil;
use crate::stencil::faces::Faces;
use crate::stencil::flags::Flags;
use crate::stencil::poisson::Constant;
use crate::stencil::product;
use crate::stencil::rows::{Extent, Rows};
use crate::{Error, Result, Scalar};

/// The coefficients of a level.
pub(super) enum Coefficients<T> {
    Constant(Constant<T>),
    Flags(Flags<T>),
    Faces(Faces<T>),
    Nine(Nine<T>),
}

/// The interpolation to a level.
pub(super) enum Interpolation<T> {
    /// With everything else that the level needs.
    Split(Box<Split<T>>),
    Separable(Separable<T>),
    Packed(Packed),
    /// With the inverse diagonal.
    Planar(planar::interpolation::Interpolation<T>, Vec<T>),
}

pub(super) struct Level<T> {
    pub coefficients: Coefficients<T>,
    pub interpolation: Interpolation<T>,
    pub halving: Halving,
    pub sweep: Sweep<T>,
    /// The cells beside solids and air, where they are relaxed once more.
    pub band: Option<Band>,
    /// How this level's problem is solved by cycles from it on, when by more than one: the coefficients of 1, BA, (BA)².
    pub polynomial: Option<[f64; 3]>,
}

pub(super) struct Bottom {
    pub extent: Extent,
    pub direct: Coarsest,
}

/// Levels, counted from the finest, that may be solved for by a polynomial.
const VISITED: [usize; 2] = [2, 3];
/// That of three cycles, 3 − 3t + t² in t = BA, which is positive for any t.
const POLYNOMIAL: [f64; 3] = [3.0, -3.0, 1.0];

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
pub(super) use with_rows;

impl<T: Scalar> Coefficients<T> {
    pub fn extent(&self) -> Extent {
        match self {
            Self::Nine(a) => a.extent(),
            other => with_rows!(other, |rows| Rows::<T>::extent(rows)),
        }
    }

    fn of(a: &Stencil) -> Self {
        match a {
            Stencil::Poisson(a) => {
                let c = &a.inner.double;
                Self::Constant(Constant::new(Rows::extent(c), c.c, c.ends))
            }
            Stencil::Flags(a) => Self::Flags(a.inner.double.cast()),
            Stencil::Faces(a) => Self::Faces(a.faces.cast()),
        }
    }

    /// y ← Ax, for x that is 0 where no cell takes part.
    pub fn apply(&self, x: &[T], y: &mut [T]) {
        match self {
            Self::Nine(_) => unreachable!("planar levels are solved by one cycle"),
            other => with_rows!(other, |rows| product::apply(rows, x, y)),
        }
    }

    /// The next coarser coefficients and the interpolation to this level, unless this is the coarsest one.
    fn coarsen(
        &self,
        options: &MultigridOptions,
        estimate: Estimate,
        geometry: Option<Geometry>,
    ) -> Option<(Self, Interpolation<T>, Halving)> {
        let extent = self.extent();
        if extent.cells() <= options.direct_cells {
            return None;
        }
        if let Self::Nine(a) = self {
            return Self::planar(a, extent);
        }
        let mean = match (self, geometry) {
            (_, Some(geometry)) => geometry.pattern.open,
            (Self::Faces(a), None) => coarsen::means(a),
            _ => unreachable!("all levels but those of rough coefficients are of a geometry"),
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
            Self::Constant(a) => Self::upscaled(a, halving, mean, estimate, geometry),
            Self::Flags(a) => Self::upscaled(a, halving, mean, estimate, geometry),
            Self::Faces(a) => Self::upscaled(a, halving, mean, estimate, geometry),
            Self::Nine(_) => unreachable!("taken care of above"),
        })
    }

    /// Whether more than half of the cells lie beside solids or air.
    fn is_crowded(&self, pattern: &Pattern) -> bool {
        match self {
            Self::Flags(a) => pattern.is_crowded(a),
            Self::Faces(a) => pattern.is_crowded(a),
            Self::Constant(_) | Self::Nine(_) => false,
        }
    }

    /// The cells to relax once more.
    fn band(&self, pattern: &Pattern) -> Option<Band> {
        match self {
            Self::Flags(a) => Band::find(a, pattern),
            Self::Faces(a) => Band::find(a, pattern),
            Self::Constant(_) | Self::Nine(_) => None,
        }
    }

    /// The places of a level whose open faces have these conductances.
    fn pattern(&self, open: [f64; 3]) -> Option<Pattern> {
        match self {
            Self::Constant(a) => Some(Pattern::unknown(Rows::<T>::extent(a), open)),
            Self::Flags(a) => Some(Pattern::new(a, open)),
            Self::Faces(a) => Some(Pattern::new(a, open)),
            Self::Nine(_) => None,
        }
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
        geometry: Option<Geometry>,
    ) -> (Self, Interpolation<T>, Halving) {
        let (faces, packed) = coarsen::upscale(g, halving, mean, estimate, geometry);
        (Self::Faces(faces), Interpolation::Packed(packed), halving)
    }
}

pub(super) type Hierarchy<T> = (Vec<Level<T>>, Box<Bottom>);

pub(super) fn build<T: Scalar>(a: &Stencil, options: &MultigridOptions) -> Result<Hierarchy<T>> {
    if let Some(halves) = options.half_sweeps.into_iter().find(|h| !(2..=HALVES).contains(h)) {
        let needs = "a cycle does 2 to 4 half-sweeps before and after the coarse correction";
        return Err(Error::Parameter { name: "half_sweeps", value: halves as f64, needs });
    }
    let mut levels = Vec::new();
    let mut coefficients = Coefficients::<T>::of(a);
    let estimate = if matches!(a, Stencil::Faces(_)) { Estimate::Mean } else { Estimate::Largest };
    let mut open = open(a, coefficients.extent());
    // What was learned among solids and air says nothing of rough coefficients, and a box without either has nothing to tune.
    let tuning = if let Stencil::Flags(_) = a { options.tuning } else { Tuning::CLASSICAL };
    let uniform = matches!(a, Stencil::Poisson(_));
    loop {
        let depth = levels.len();
        let pattern = open.and_then(|open| coefficients.pattern(open));
        let geometry = pattern.as_ref().map(|pattern| Geometry { pattern, tuning: &tuning, depth });
        let Some((coarse, interpolation, halving)) = coefficients.coarsen(options, estimate, geometry) else {
            break;
        };
        let planar = matches!(interpolation, Interpolation::Planar(..));
        let visited = !uniform && !planar && VISITED.contains(&depth);
        let polynomial = visited
            && match (options.polynomial, &pattern) {
                (Polynomial::Never, _) => false,
                (Polynomial::Always, _) | (Polynomial::Crowded, None) => true,
                (Polynomial::Crowded, Some(pattern)) => coefficients.is_crowded(pattern),
            };
        let band = pattern.as_ref().filter(|_| options.band && !planar).and_then(|p| coefficients.band(p));
        open = geometry.map(|geometry| geometry.coarse(halving.halve));
        let sweep = Sweep::new(tuning.sweep(depth, polynomial), options.half_sweeps[depth.min(1)]);
        let polynomial = polynomial.then_some(POLYNOMIAL);
        levels.push(Level { coefficients, interpolation, halving, sweep, band, polynomial });
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

/// The conductances of open faces where what differs from cell to cell is the geometry alone; 0 along an absent dimension.
fn open(a: &Stencil, extent: Extent) -> Option<[f64; 3]> {
    let c = match a {
        Stencil::Poisson(a) => a.inner.double.c,
        Stencil::Flags(_) => [1.0; 3],
        Stencil::Faces(_) => return None,
    };
    Some(std::array::from_fn(|d| if extent.n[d] > 1 { c[d] } else { 0.0 }))
}
