//! `gyroid`: a porous solid with thin channels.

use super::{Case, Family, Parts};
use crate::random::Stream;
use crate::scene::fill;
use crate::{Result, RhsKind};
use resolvent::Cell;
use std::f64::consts::TAU;

/// Periods along each side.
const PERIODS: f64 = 3.0;
/// The level above which it is solid. The channels of the gyroid below −1.41 are cut; at −0.7 they are thin and a
/// quarter of the cube is fluid.
const LEVEL: f64 = -0.7;

/// Solid where sin x cos y + sin y cos z + sin z cos x > c, with c = −0.7, three periods along each side and phases by the
/// seed; walls, open at the top. One connected labyrinth of channels, which coarse grids cut or merge.
pub(super) const FAMILY: Family = Family {
    name: "gyroid",
    summary: "porous gyroid with thin channels, open top: coarse grids lose connectivity",
    dims: &[3],
    moves: false,
    rhs: &[RhsKind::Flow, RhsKind::Noise, RhsKind::Smooth],
    build,
};

fn build(case: &Case) -> Result<Parts> {
    let phases = Stream::new(case.seed, "gyroid: phases");
    // The surface is separable into sines and cosines of each coordinate: 6n of them.
    let waves: Vec<Vec<[f64; 2]>> = (0..3u64)
        .map(|d| {
            let phase = TAU * phases.uniform(d);
            (0..case.n)
                .map(|i| {
                    let s = TAU * PERIODS * (i as f64 + 0.5) * case.h() + phase;
                    [libm::sin(s), libm::cos(s)]
                })
                .collect()
        })
        .collect();
    let filling = |x: [f64; 3]| {
        let [[sx, cx], [sy, cy], [sz, cz]] =
            std::array::from_fn(|d| waves[d][((x[d] * case.n as f64) as usize).min(case.n - 1)]);
        if sx * cy + sy * cz + sz * cx > LEVEL { Cell::Solid } else { Cell::Fluid }
    };
    case.among_solids(fill(case.grid, case.h(), filling)?, case.open_top())
}
