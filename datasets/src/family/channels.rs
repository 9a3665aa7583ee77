//! `channels`: rough coefficients with jumps.

use super::{Case, Family, Parts};
use crate::field::CosineField;
use crate::random::Stream;
use crate::{Result, RhsKind};
use resolvent::{Boundary, FaceLaplacian};

/// A second field above this level conducts a thousand times better, below its negative a thousand times worse.
const LEVEL: f64 = 0.75;
/// The jump.
const JUMP: f64 = 1e3;

/// −∇·(κ∇u) = f, u prescribed on the surface. κ = exp(σ g) J with σ = 1; g and q are Gaussian random fields of variance 1
/// (2-D: wave numbers up to 63, damped from 12 on; 3-D: up to 31, from 8 on), and J = 10³ where q > 0.75, 10⁻³ where
/// q < −0.75, else 1. Faces have harmonic means.
pub(super) const FAMILY: Family = Family {
    name: "channels",
    summary: "log-normal coefficients with jumps of 10³ and 10⁻³: rough coefficients",
    dims: &[2, 3],
    moves: false,
    rhs: &[RhsKind::Noise, RhsKind::Smooth],
    build,
};

fn build(case: &Case) -> Result<Parts> {
    let (modes, width) = if case.dim == 2 { (64, 12.0) } else { (32, 8.0) };
    let field =
        |name| CosineField::new(Stream::new(case.seed, name), case.dim, modes, width).on_cells(case.n);
    let mut kappa = field("channels: logarithm")?;
    for (kappa, q) in kappa.iter_mut().zip(field("channels: jumps")?) {
        let jump = if q > LEVEL {
            JUMP
        } else if q < -LEVEL {
            1.0 / JUMP
        } else {
            1.0
        };
        *kappa = libm::exp(*kappa) * jump;
    }
    let sides = [[Boundary::DIRICHLET; 2]; 3];
    let stencil = FaceLaplacian::from_cells(case.grid, &kappa, sides)?.into();
    Ok(Parts { stencil, sides, cells: None, motion: None, solution: None })
}
