//! `box`: the cube with prescribed values.

use super::{Case, Family, Parts};
use crate::manufactured::{Factor, Manufactured};
use crate::{Result, RhsKind};
use resolvent::{Boundary, Poisson};

/// −Δu = f on the unit cube, u prescribed on its surface, half a cell from the last centres. The stated solution is
/// Π s(1 − s)eˢ over the coordinates s. A fast sine transform solves this, so it is no ground for boasting.
pub(super) const FAMILY: Family = Family {
    name: "box",
    summary: "cube with prescribed values: the textbook problem, which a fast transform solves",
    dims: &[3, 2],
    moves: false,
    rhs: &[RhsKind::Noise, RhsKind::Smooth, RhsKind::Manufactured],
    build,
};

fn build(case: &Case) -> Result<Parts> {
    let sides = [[Boundary::DIRICHLET; 2]; 3];
    let last = if case.dim == 3 { Factor::ARCH } else { Factor::ONE };
    Ok(Parts {
        stencil: Poisson::new(case.grid, sides)?.into(),
        sides,
        cells: None,
        motion: None,
        solution: Some(Manufactured::new([Factor::ARCH, Factor::ARCH, last])),
    })
}
