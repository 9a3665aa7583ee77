//! The coordinates that a shape or a cloud confines.

use super::cloud::PointCloud;
use super::shape::{Shape, refuse};
use super::surface::{Surface, between};
use crate::{Result, Sampler, Sampling};

/// Points by which volumes are estimated that no formula has.
const ESTIMATE: usize = 1 << 16;

/// Least share of a box that a shape may fill, or of a surface the boundary.
pub const LEAST_SHARE: f64 = 1e-4;

/// What is in the box of a region.
#[derive(Clone, Debug)]
pub enum Filling {
    Whole,
    Shape(Shape),
    Cloud(PointCloud),
}

/// Some coordinates of a domain with what confines them: the spatial ones.
#[derive(Clone, Debug)]
pub struct Region {
    /// Which coordinates of the domain.
    pub axes: Vec<usize>,
    pub bounds: Vec<[f64; 2]>,
    pub periodic: Vec<bool>,
    pub filling: Filling,
    /// The box that points are drawn from.
    pub drawn: Vec<[f64; 2]>,
    pub volume: f64,
    /// The share of `drawn` that belongs to it.
    pub share: f64,
    /// How far a point is moved to tell the sides of a surface.
    pub nudge: f64,
    /// How far rounding may take a point of a surface away from it.
    pub rounding: f64,
}

impl Region {
    pub fn new(
        axes: Vec<usize>,
        bounds: Vec<[f64; 2]>,
        periodic: Vec<bool>,
        filling: Filling,
    ) -> Result<Self> {
        let least = bounds.iter().map(|[l, u]| u - l).fold(f64::INFINITY, f64::min);
        let around = match &filling {
            Filling::Shape(shape) => shape.bounds(),
            _ => vec![],
        };
        let finite = bounds.iter().chain(&around).flatten().filter(|b| b.is_finite());
        let rounding = 64.0 * f64::EPSILON * finite.fold(0.0, |m: f64, b| m.max(b.abs()));
        let (nudge, rounding) = ((1e-7 * least).max(16.0 * rounding), (1e-12 * least).max(rounding));
        let volume = bounds.iter().map(|[l, u]| u - l).product();
        let drawn = bounds.clone();
        let mut region = Self { axes, bounds, periodic, filling, drawn, volume, share: 1.0, nudge, rounding };
        match &region.filling {
            Filling::Whole => {}
            Filling::Cloud(cloud) => region.volume = cloud.count() as f64,
            Filling::Shape(shape) => {
                let cut = |(b, s): (&[f64; 2], &[f64; 2])| [b[0].max(s[0]), b[1].min(s[1])];
                let drawn: Vec<[f64; 2]> = region.bounds.iter().zip(&around).map(cut).collect();
                let outside = drawn.iter().any(|[l, u]| l >= u);
                let share = if outside { 0.0 } else { share(&drawn, |x| shape.distance(x) > 0.0)? };
                if share < LEAST_SHARE {
                    let what = format!(
                        "the shape fills {share} of the box around it within the intervals of the coordinates"
                    );
                    return refuse(what, "it must overlap them, and fill 0.0001 of its box at least");
                }
                let inside = around.iter().zip(&region.bounds).all(|(s, b)| b[0] <= s[0] && s[1] <= b[1]);
                let exact = shape.exact_volume().filter(|_| inside);
                let drawn_volume: f64 = drawn.iter().map(|[l, u]| u - l).product();
                region.volume = exact.unwrap_or(share * drawn_volume);
                (region.drawn, region.share) = (drawn, share);
            }
        }
        Ok(region)
    }

    /// Whether a point, not on the surface, lies inside; periodic coordinates go round.
    pub fn is_inside(&self, x: &[f64], wrapped: &mut [f64]) -> bool {
        for (i, ([l, u], x)) in self.bounds.iter().zip(x).enumerate() {
            wrapped[i] = if self.periodic[i] { l + (x - l).rem_euclid(u - l) } else { *x };
            if !(*l <= wrapped[i] && wrapped[i] <= *u) {
                return false;
            }
        }
        match &self.filling {
            Filling::Shape(shape) => shape.distance(wrapped) > 0.0,
            _ => true,
        }
    }

    /// Whether a point of a surface belongs to the shape, its own surface included.
    pub fn touches(&self, x: &[f64]) -> bool {
        self.shape().is_none_or(|s| s.distance(x) >= -self.rounding)
    }

    pub fn shape(&self) -> Option<&Shape> {
        match &self.filling {
            Filling::Shape(shape) => Some(shape),
            _ => None,
        }
    }

    pub fn cloud(&self) -> Option<&PointCloud> {
        match &self.filling {
            Filling::Cloud(cloud) => Some(cloud),
            _ => None,
        }
    }

    /// Where a coordinate has the value `at`: a plane across the box.
    pub fn plane(&self, axis: usize, at: f64, up: bool) -> Surface {
        let bounds =
            if at < self.drawn[axis][0] || at > self.drawn[axis][1] { &self.bounds } else { &self.drawn };
        Surface::Face { axis, at, up, bounds: bounds.clone() }
    }
}

/// The share of a box where something holds, from points of Sobol's sequence.
fn share(bounds: &[[f64; 2]], holds: impl Fn(&[f64]) -> bool) -> Result<f64> {
    let mut points = Vec::new();
    Sampler::new(Sampling::Sobol, 0, "volume").unit(ESTIMATE, bounds.len(), &mut points)?;
    let held = points.chunks_exact(bounds.len()).filter(|x| {
        let x: Vec<f64> = x.iter().zip(bounds).map(|(u, b)| between(*b, *u)).collect();
        holds(&x)
    });
    Ok(held.count() as f64 / ESTIMATE as f64)
}
