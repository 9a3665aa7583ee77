//! A piece of a part: a surface or the interior, and which of its points count.

use super::region::{Filling, Region};
use super::surface::{Direction, Surface, between};
use super::vanishing::Factor;
use std::sync::Arc;

/// Which points of a surface belong to a part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Those with the inside behind and the outside before them.
    Boundary,
    /// Those with the inside behind them.
    Inner,
    /// Those inside.
    Within,
    /// Those of a lower face with the inside at both faces; the axis of the region.
    Pair(usize),
}

/// The place of a piece in the spatial coordinates.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    Interior,
    Surface(Surface, Rule),
    /// The boundary points of a cloud.
    Given,
}

/// A coordinate that is not spatial at one value, with the sense of its normal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fixed {
    pub axis: usize,
    pub at: f64,
    pub up: bool,
}

#[derive(Clone, Debug)]
pub struct Piece {
    pub place: Place,
    pub fixed: Option<Fixed>,
    /// Surfaces that have taken the points they share with this one.
    pub rivals: Vec<Surface>,
    /// Whether all its points count, known beforehand.
    pub certain: bool,
    /// What vanishes on it.
    pub factor: Option<Arc<Factor>>,
    /// The measure of all that is drawn.
    pub measure: f64,
    /// The share of it that counts.
    pub share: f64,
}

/// Room for one point of a region.
#[derive(Clone, Debug)]
pub struct Scratch {
    pub x: Vec<f64>,
    pub normal: Vec<f64>,
    moved: Vec<f64>,
    wrapped: Vec<f64>,
}

impl Scratch {
    pub fn new(dimension: usize) -> Self {
        let zeros = || vec![0.0; dimension];
        Self { x: zeros(), normal: zeros(), moved: zeros(), wrapped: zeros() }
    }
}

impl Piece {
    /// A piece of `region`, times the intervals `others` of the remaining coordinates.
    pub fn new(place: Place, fixed: Option<Fixed>, region: &Region, others: &[(usize, [f64; 2])]) -> Self {
        let spatial = match &place {
            Place::Interior => match &region.filling {
                Filling::Whole => region.volume,
                Filling::Cloud(cloud) => cloud.count() as f64,
                Filling::Shape(_) => region.drawn.iter().map(|[l, u]| u - l).product(),
            },
            Place::Surface(surface, _) => surface.measure(),
            Place::Given => region.cloud().map_or(0.0, |c| (c.boundary.len() / c.dimension) as f64),
        };
        let free = others.iter().filter(|(axis, _)| fixed.is_none_or(|f| f.axis != *axis));
        let measure = spatial * free.map(|(_, [l, u])| u - l).product::<f64>();
        Self { place, fixed, rivals: vec![], certain: false, factor: None, measure, share: 1.0 }
    }

    /// Directions of the unit cube for its place in the spatial coordinates.
    pub fn directions(&self, region: &Region) -> Vec<Direction> {
        match &self.place {
            Place::Interior if region.cloud().is_some() => vec![Direction::Rough],
            Place::Interior => vec![Direction::Straight; region.axes.len()],
            Place::Surface(surface, _) => surface.directions(),
            Place::Given => vec![Direction::Rough],
        }
    }

    /// Whether every point drawn counts, without a look at it.
    pub fn is_certain(&self, region: &Region) -> bool {
        self.rivals.is_empty() && (self.certain || region.shape().is_none())
    }

    /// Writes the point of `u` and its normal; whether it counts.
    pub fn draw(&self, region: &Region, u: &[f64], scratch: &mut Scratch) -> bool {
        let certain = self.is_certain(region);
        match &self.place {
            Place::Interior => {
                let bounds = region.drawn.iter().zip(u);
                scratch.x.iter_mut().zip(bounds).for_each(|(x, (b, u))| *x = between(*b, *u));
                certain || region.shape().is_none_or(|s| s.distance(&scratch.x) > 0.0)
            }
            Place::Given => true,
            Place::Surface(surface, rule) => {
                surface.point(u, &mut scratch.x, &mut scratch.normal);
                certain || (self.counts(*rule, region, scratch) && !self.is_taken(region, scratch))
            }
        }
    }

    fn is_taken(&self, region: &Region, scratch: &Scratch) -> bool {
        self.rivals.iter().any(|rival| rival.covers(&scratch.x, region.nudge))
    }

    fn counts(&self, rule: Rule, region: &Region, scratch: &mut Scratch) -> bool {
        let Scratch { x, normal, moved, wrapped } = scratch;
        let mut inside = |step: f64, along: &[f64]| {
            moved.iter_mut().zip(x.iter().zip(along)).for_each(|(m, (x, n))| *m = x + step * n);
            region.is_inside(moved, wrapped)
        };
        let e = region.nudge;
        if rule == Rule::Within {
            return inside(0.0, normal);
        }
        // Where a shape touches a face from inside, only the point itself belongs to both.
        if !(region.touches(x) && inside(-e, normal)) {
            return false;
        }
        match rule {
            Rule::Inner | Rule::Within => true,
            Rule::Boundary => !inside(e, normal),
            Rule::Pair(axis) => {
                let [l, u] = region.bounds[axis];
                // The normal of the lower face points down; from the upper one inside is down.
                inside(u - l - e, &normal.iter().map(|n| -n).collect::<Vec<_>>())
            }
        }
    }
}
