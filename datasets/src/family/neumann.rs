//! `neumann`: the cube with prescribed fluxes, whose operator has the constants as its null space.

use super::{Case, Family, Parts};
use crate::manufactured::{Factor, Manufactured};
use crate::{Result, RhsKind};
use resolvent::{Boundary, Poisson};

/// −Δu = f on the unit cube, ∂u/∂n = 0 on its surface. Singular: b is mean-free, and u is known up to a constant. The
/// stated solution is Π s²(3 − 2s) over the coordinates s, less its mean.
pub(super) const FAMILY: Family = Family {
    name: "neumann",
    summary: "cube with walls all round: constants are in the null space",
    dims: &[3, 2],
    moves: false,
    rhs: &[RhsKind::Noise, RhsKind::Smooth, RhsKind::Manufactured],
    build,
};

fn build(case: &Case) -> Result<Parts> {
    let sides = [[Boundary::Neumann; 2]; 3];
    let (last, mean) = if case.dim == 3 { (Factor::STEP, 0.125) } else { (Factor::ONE, 0.25) };
    Ok(Parts {
        stencil: Poisson::new(case.grid, sides)?.into(),
        sides,
        cells: None,
        motion: None,
        solution: Some(Manufactured {
            shift: -mean,
            ..Manufactured::new([Factor::STEP, Factor::STEP, last])
        }),
    })
}
