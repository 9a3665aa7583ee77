//! `spheres`: solid spheres, one open face, walls elsewhere.

use super::{Case, Family, Parts};
use crate::random::Stream;
use crate::scene::fill;
use crate::{Result, RhsKind};
use resolvent::Cell;

/// How many spheres there are.
const COUNT: u64 = 12;

/// Twelve solid spheres (discs in 2-D) with centres uniform in [0.08, 0.92]^d and radii uniform in [0.04, 0.16], which may
/// overlap; the value is prescribed beyond the top, the rest is walls.
pub(super) const FAMILY: Family = Family {
    name: "spheres",
    summary: "twelve solid spheres, one open face, walls elsewhere: irregular, mixed boundary",
    dims: &[3, 2],
    moves: false,
    rhs: &[RhsKind::Noise, RhsKind::Smooth, RhsKind::Flow],
    build,
};

fn build(case: &Case) -> Result<Parts> {
    let numbers = Stream::new(case.seed, "spheres");
    let spheres: Vec<([f64; 3], f64)> = (0..COUNT)
        .map(|s| {
            let centre = std::array::from_fn(|d| numbers.between(4 * s + d as u64, 0.08, 0.92));
            (centre, numbers.between(4 * s + 3, 0.04, 0.16))
        })
        .collect();
    let filling = |x: [f64; 3]| {
        let inside = spheres.iter().any(|(centre, radius)| {
            (0..case.dim).map(|d| (x[d] - centre[d]) * (x[d] - centre[d])).sum::<f64>() < radius * radius
        });
        if inside { Cell::Solid } else { Cell::Fluid }
    };
    case.among_solids(fill(case.grid, case.h(), filling)?, case.open_top())
}
