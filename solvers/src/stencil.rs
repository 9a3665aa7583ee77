//! Matrix-free operators on structured grids, 2-D and 3-D.
//!
//! | operator | coefficients | bytes a cell |
//! |---|---|---|
//! | [`Poisson`] | one for each dimension | 0 |
//! | [`FlagLaplacian`] | fluid, solid, air | 1 |
//! | [`FaceLaplacian`] | one for each face | 24 in 3-D, f64 |
//!
//! All are scaled by h², so that an inner face has conductance 1, and all work on vectors of one entry a cell.

mod export;
pub mod faces;
pub mod flags;
pub(crate) mod floating;
mod operator;
pub mod poisson;
pub(crate) mod product;
mod recognise;
pub(crate) mod rows;
pub(crate) mod wavefront;

use crate::{Grid, Map, Properties, Shape};
use faces::FaceLaplacian;
use flags::FlagLaplacian;
use poisson::Poisson;

/// Any of the structured operators in f64: what multigrid can coarsen.
#[derive(Clone, Debug)]
pub enum Stencil {
    /// Constant coefficients.
    Poisson(Poisson),
    /// Fluid among solids and air.
    Flags(FlagLaplacian),
    /// A conductance on every face.
    Faces(FaceLaplacian<f64>),
}

impl Stencil {
    /// The cells.
    pub fn grid(&self) -> Grid {
        match self {
            Self::Poisson(a) => a.grid(),
            Self::Flags(a) => a.grid(),
            Self::Faces(a) => a.grid(),
        }
    }
    /// How many cells carry an unknown.
    pub fn active(&self) -> usize {
        match self {
            Self::Poisson(a) => a.active_cells(),
            Self::Flags(a) => a.active(),
            Self::Faces(a) => a.active(),
        }
    }
    /// Whether constants on some connected part of the active cells are in the null space.
    pub fn is_singular(&self) -> bool {
        match self {
            Self::Poisson(a) => a.is_singular() && a.active_cells() > 0,
            Self::Flags(a) => a.is_singular(),
            Self::Faces(a) => a.is_singular(),
        }
    }
}

impl Map for Stencil {
    fn shape(&self) -> Shape {
        Shape::square(self.grid().cells())
    }
    fn properties(&self) -> Properties {
        match self {
            Self::Poisson(a) => a.properties(),
            Self::Flags(a) => a.properties(),
            Self::Faces(a) => a.properties(),
        }
    }
}

impl From<Poisson> for Stencil {
    fn from(a: Poisson) -> Self {
        Self::Poisson(a)
    }
}
impl From<FlagLaplacian> for Stencil {
    fn from(a: FlagLaplacian) -> Self {
        Self::Flags(a)
    }
}
impl From<FaceLaplacian<f64>> for Stencil {
    fn from(a: FaceLaplacian<f64>) -> Self {
        Self::Faces(a)
    }
}
