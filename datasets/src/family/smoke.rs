//! `smoke`: the pressure projection of a plume among a sphere and a turning box, a sequence over frames.

use super::{Case, Family, Parts};
use crate::random::Stream;
use crate::scene::fill;
use crate::{Result, RhsKind};
use resolvent::Cell;
use std::f64::consts::TAU;

/// The radius of the sphere.
const RADIUS: f64 = 0.15;
/// Half sides of the box: along x, upwards, and (3-D) along y.
const HALF: [f64; 3] = [0.18, 0.05, 0.18];
/// Frames of a full turn.
const FRAMES: f64 = 64.0;

/// Solid walls, open at the top; a solid sphere of radius 0.15 at rest and a solid box turned by 2πt/64 about its centre
/// in the plane of x and up. Centres are (0.3, 0.5, 0.3) and (0.65, 0.5, 0.65), each coordinate moved by up to 0.05 by
/// the seed, which leaves the two apart. The box turns once in a unit of time, and its faces push the flow.
pub(super) const FAMILY: Family = Family {
    name: "smoke",
    summary: "open top, walls, a sphere and a turning box: pressure projection, a sequence over frames",
    dims: &[3, 2],
    moves: true,
    rhs: &[RhsKind::Flow, RhsKind::Noise, RhsKind::Smooth],
    build,
};

fn build(case: &Case) -> Result<Parts> {
    let (up, dim) = (case.dim - 1, case.dim);
    let places = Stream::new(case.seed, "smoke: centres");
    let place = |first: u64, centre: f64| -> [f64; 3] {
        std::array::from_fn(|d| {
            let middle = if d == 1 { 0.5 } else { centre };
            if d < dim { places.between(first + d as u64, middle - 0.05, middle + 0.05) } else { 0.0 }
        })
    };
    let (sphere, paddle) = (place(0, 0.3), place(3, 0.65));
    let angle = TAU * f64::from(case.frame) / FRAMES;
    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
    let filling = |x: [f64; 3]| {
        let square: f64 = (0..dim).map(|d| (x[d] - sphere[d]) * (x[d] - sphere[d])).sum();
        let (right, above) = (x[0] - paddle[0], x[up] - paddle[up]);
        let across = if dim == 3 { x[1] - paddle[1] } else { 0.0 };
        let inside = (cos * right + sin * above).abs() < HALF[0]
            && (cos * above - sin * right).abs() < HALF[1]
            && across.abs() < HALF[2];
        if square < RADIUS * RADIUS || inside { Cell::Solid } else { Cell::Fluid }
    };
    let parts = case.among_solids(fill(case.grid, case.h(), filling)?, case.open_top())?;
    // The box is where its circumscribed ball is; the sphere, elsewhere, is at rest. A cell's width is allowed for.
    let reach = HALF.iter().map(|s| s * s).sum::<f64>().sqrt() + case.h();
    let motion = move |x: [f64; 3]| {
        let square: f64 = (0..dim).map(|d| (x[d] - paddle[d]) * (x[d] - paddle[d])).sum();
        let mut v = [0.0; 3];
        if square < reach * reach {
            v[0] = -TAU * (x[up] - paddle[up]);
            v[up] = TAU * (x[0] - paddle[0]);
        }
        v
    };
    Ok(Parts { motion: Some(Box::new(motion)), ..parts })
}
