//! `aniso`: one direction conducts a thousand times less.

use super::{Case, Family, Parts};
use crate::manufactured::{Factor, Manufactured};
use crate::{Result, RhsKind};
use resolvent::{Boundary, Poisson};

/// The conductance along the last dimension.
const WEAK: f64 = 1e-3;

/// −∇·(diag(1, 1, ε) ∇u) = f on the unit cube (diag(1, ε) in 2-D), ε = 1e-3, u prescribed on its surface. The stated
/// solution is that of `box`.
pub(super) const FAMILY: Family = Family {
    name: "aniso",
    summary: "cube with conductance 1e-3 along its last dimension: point smoothers stall",
    dims: &[3, 2],
    moves: false,
    rhs: &[RhsKind::Noise, RhsKind::Smooth, RhsKind::Manufactured],
    build,
};

fn build(case: &Case) -> Result<Parts> {
    let sides = [[Boundary::DIRICHLET; 2]; 3];
    let mut conductance = [1.0; 3];
    conductance[case.dim - 1] = WEAK;
    let last = if case.dim == 3 { Factor::ARCH } else { Factor::ONE };
    let solution = Manufactured { conductance, ..Manufactured::new([Factor::ARCH, Factor::ARCH, last]) };
    Ok(Parts {
        stencil: Poisson::anisotropic(case.grid, sides, conductance)?.into(),
        sides,
        cells: None,
        motion: None,
        solution: Some(solution),
    })
}
