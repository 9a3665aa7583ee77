//! `dam`: water with a free surface, a sequence over frames.

use super::{Case, Family, Parts};
use crate::field::CosineField;
use crate::random::Stream;
use crate::scene::fill;
use crate::{Result, RhsKind};
use resolvent::{Boundary, Cell};

/// Frames of a unit of time.
const FRAMES: f64 = 64.0;

/// Air (value prescribed) above a seeded height field, walls all round. The height is 0.5 + 0.12 g, kept between 0.2 and
/// 0.85, where g is a Gaussian random field of variance 1 with wave numbers up to 7, damped from 3 on. Frame t is at the time t/64: each
/// wave stands and swings as in deep water, with the circular frequency √(πk) times 2π for k half waves a side.
pub(super) const FAMILY: Family = Family {
    name: "dam",
    summary: "air above a rough water surface between walls: a free surface, a sequence over frames",
    dims: &[3, 2],
    moves: true,
    rhs: &[RhsKind::Flow, RhsKind::Noise, RhsKind::Smooth],
    build,
};

fn build(case: &Case) -> Result<Parts> {
    let up = case.dim - 1;
    let field = CosineField::new(Stream::new(case.seed, "dam: height"), up, 8, 3.0);
    let field = field.at_time(f64::from(case.frame) / FRAMES).on_cells(case.n)?;
    let column = |x: f64| ((x * case.n as f64) as usize).min(case.n - 1);
    let filling = |x: [f64; 3]| {
        let at = column(x[0]) + if up == 2 { case.n * column(x[1]) } else { 0 };
        let height = (0.5 + 0.12 * field[at]).clamp(0.2, 0.85);
        if x[up] > height { Cell::Air } else { Cell::Fluid }
    };
    case.among_solids(fill(case.grid, case.h(), filling)?, [[Boundary::Neumann; 2]; 3])
}
