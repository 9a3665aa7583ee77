//! Simple shapes, and what is made of them.

use super::polygon::Polygon;
use crate::{Error, Result};
use std::f64::consts::PI;

/// How deep shapes may be made of shapes.
const MAX_DEPTH: usize = 64;

/// Words of the language of parts, which cannot be names.
pub(super) const WORDS: [&str; 5] = ["interior", "boundary", "initial", "periodic", "and"];

/// A region of space: a box, ball, half-space or polygon, or the union, intersection or difference of others.
///
/// ```
/// use resolvent_pinn::Shape;
/// // A channel with a cylinder, whose surface will be the part `cylinder`.
/// let channel = Shape::cuboid(&[0.0, 0.0], &[2.2, 0.41])?;
/// let cylinder = Shape::ball(&[0.2, 0.2], 0.05)?.named("cylinder")?;
/// let flow = Shape::difference(channel, vec![cylinder])?;
/// assert!(flow.contains(&[1.0, 0.2]) && !flow.contains(&[0.2, 0.21]));
/// assert!((flow.distance(&[0.3, 0.2]) - 0.05).abs() < 1e-15);
///
/// let crossed = Shape::polygon(&[[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]).unwrap_err();
/// assert!(crossed.to_string().contains("edge 0 meets edge 2"));
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    name: Option<String>,
    dimension: usize,
    depth: usize,
    pub(super) geometry: Geometry,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Geometry {
    /// [lower, upper] along each axis.
    Cuboid(Vec<[f64; 2]>),
    Ball {
        center: Vec<f64>,
        radius: f64,
    },
    /// Of unit normal.
    HalfSpace {
        normal: Vec<f64>,
        offset: f64,
    },
    Polygon(Polygon),
    Union(Vec<Shape>),
    Intersection(Vec<Shape>),
    Difference(Box<Shape>, Vec<Shape>),
}

impl Shape {
    /// The box between two corners, in any dimension.
    ///
    /// # Errors
    /// [`Error::Domain`] for no coordinates, or corners that are not finite or not in order.
    pub fn cuboid(lower: &[f64], upper: &[f64]) -> Result<Self> {
        if lower.len() != upper.len() {
            let what = format!("a box has corners of {} and {} coordinates", lower.len(), upper.len());
            return refuse(what, "give both as many");
        }
        let bounds: Vec<[f64; 2]> = lower.iter().zip(upper).map(|(l, u)| [*l, *u]).collect();
        if let Some(axis) = bounds.iter().position(|[l, u]| !(l < u && (u - l).is_finite())) {
            let [l, u] = bounds[axis];
            let what = format!("a box reaches from {l} to {u} along axis {axis}");
            return refuse(what, "the lower corner must lie below the upper one, both finite");
        }
        Self::leaf(lower.len(), Geometry::Cuboid(bounds))
    }

    /// An interval, disk, ball, …: |x − center| ≤ radius.
    ///
    /// # Errors
    /// [`Error::Domain`] for no coordinates, or a center or radius that is not finite, or a radius that is not positive.
    pub fn ball(center: &[f64], radius: f64) -> Result<Self> {
        if !(radius > 0.0 && radius.is_finite() && center.iter().all(|c| c.is_finite())) {
            let what = format!("a ball has center {center:?} and radius {radius}");
            return refuse(what, "the center must be finite, the radius finite and positive");
        }
        Self::leaf(center.len(), Geometry::Ball { center: center.into(), radius })
    }

    /// normal · x ≤ offset, for a normal of any length.
    ///
    /// # Errors
    /// [`Error::Domain`] for a normal that is zero, or numbers that are not finite.
    pub fn half_space(normal: &[f64], offset: f64) -> Result<Self> {
        let length = normal.iter().map(|n| n * n).sum::<f64>().sqrt();
        if !(length > 0.0 && length.is_finite() && (offset / length).is_finite()) {
            let what = format!("a half-space has normal {normal:?} and offset {offset}");
            return refuse(what, "both must be finite, the normal not zero");
        }
        let normal: Vec<f64> = normal.iter().map(|n| n / length).collect();
        Self::leaf(normal.len(), Geometry::HalfSpace { normal, offset: offset / length })
    }

    /// A simple polygon in the plane: its vertices in either order, the first repeated at the end or not.
    ///
    /// # Errors
    /// [`Error::Domain`] for fewer than three vertices or more than 10,000, one that is not finite, or edges that meet
    /// elsewhere than where one follows the other; they are counted from 0, edge i beginning at vertex i.
    pub fn polygon(vertices: &[[f64; 2]]) -> Result<Self> {
        Self::leaf(2, Geometry::Polygon(Polygon::new(vertices)?))
    }

    /// The points of any of the shapes.
    ///
    /// # Errors
    /// [`Error::Domain`] for no shapes, shapes of different dimension, or nested more than 64 deep.
    pub fn union(shapes: Vec<Shape>) -> Result<Self> {
        let (dimension, depth) = checked(&shapes)?;
        Ok(Self { name: None, dimension, depth, geometry: Geometry::Union(shapes) })
    }

    /// The points of all the shapes.
    ///
    /// # Errors
    /// As [`union`](Self::union).
    pub fn intersection(shapes: Vec<Shape>) -> Result<Self> {
        let (dimension, depth) = checked(&shapes)?;
        Ok(Self { name: None, dimension, depth, geometry: Geometry::Intersection(shapes) })
    }

    /// The points of one shape outside the others, with its new boundary.
    ///
    /// # Errors
    /// As [`union`](Self::union).
    pub fn difference(of: Shape, without: Vec<Shape>) -> Result<Self> {
        let (dimension, depth) = checked(&without)?;
        if of.dimension != dimension {
            return unequal(of.dimension, dimension);
        }
        let geometry = Geometry::Difference(Box::new(of), without);
        let depth = depth.max(match &geometry {
            Geometry::Difference(of, _) => of.depth + 1,
            _ => 0,
        });
        if depth > MAX_DEPTH {
            return too_deep();
        }
        Ok(Self { name: None, dimension, depth, geometry })
    }

    /// With a name, by which its surface is a part of a domain.
    ///
    /// # Errors
    /// [`Error::Domain`] for a name that is a word of the language of parts, or has other characters than letters, digits,
    /// `_` and `-`.
    pub fn named(mut self, name: &str) -> Result<Self> {
        let letters = name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        if !letters || name.is_empty() || WORDS.contains(&name) {
            let needs = format!("use letters, digits, `_` and `-`, and none of {}", WORDS.join(", "));
            return Err(Error::Domain { what: format!("`{name}` cannot be the name of a shape"), needs });
        }
        self.name = Some(name.into());
        Ok(self)
    }

    fn leaf(dimension: usize, geometry: Geometry) -> Result<Self> {
        if dimension == 0 {
            return refuse("a shape has no coordinates".into(), "give it at least one");
        }
        Ok(Self { name: None, dimension, depth: 0, geometry })
    }

    /// Its name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// How many coordinates it has.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Signed distance to the surface at x: `[dimension]`, positive inside. Exact for boxes, balls, half-spaces and polygons;
    /// for what is made of them the least or greatest of theirs, which has the right sign and is never too large.
    pub fn distance(&self, x: &[f64]) -> f64 {
        let least = |shapes: &[Shape]| shapes.iter().map(|s| s.distance(x)).fold(f64::INFINITY, f64::min);
        let most = |shapes: &[Shape]| shapes.iter().map(|s| s.distance(x)).fold(f64::NEG_INFINITY, f64::max);
        match &self.geometry {
            Geometry::Cuboid(bounds) => {
                let sides = || bounds.iter().zip(x).map(|([l, u], x)| (x - l).min(u - x));
                let inside = sides().fold(f64::INFINITY, f64::min);
                if inside >= 0.0 { inside } else { -sides().map(|s| s.min(0.0).powi(2)).sum::<f64>().sqrt() }
            }
            Geometry::Ball { center, radius } => {
                radius - center.iter().zip(x).map(|(c, x)| (x - c).powi(2)).sum::<f64>().sqrt()
            }
            Geometry::HalfSpace { normal, offset } => {
                offset - normal.iter().zip(x).map(|(n, x)| n * x).sum::<f64>()
            }
            Geometry::Polygon(polygon) => polygon.distance([x[0], x[1]]),
            Geometry::Union(shapes) => most(shapes),
            Geometry::Intersection(shapes) => least(shapes),
            Geometry::Difference(of, without) => of.distance(x).min(-most(without)),
        }
    }

    /// Whether a point lies in it, its surface included.
    pub fn contains(&self, x: &[f64]) -> bool {
        self.distance(x) >= 0.0
    }

    /// A box around it, [lower, upper] along each axis; infinite where it has no end. The smallest one for boxes, balls,
    /// polygons and their unions.
    pub fn bounds(&self) -> Vec<[f64; 2]> {
        let hull = |all: Vec<Vec<[f64; 2]>>, pick: fn(f64, f64) -> f64, other: fn(f64, f64) -> f64| {
            let join = |a: Vec<[f64; 2]>, b: Vec<[f64; 2]>| {
                a.iter().zip(&b).map(|(a, b)| [pick(a[0], b[0]), other(a[1], b[1])]).collect()
            };
            all.into_iter().reduce(join).unwrap_or_default()
        };
        let each = |shapes: &[Shape]| shapes.iter().map(Shape::bounds).collect();
        match &self.geometry {
            Geometry::Cuboid(bounds) => bounds.clone(),
            Geometry::Ball { center, radius } => center.iter().map(|c| [c - radius, c + radius]).collect(),
            Geometry::HalfSpace { normal, offset } => {
                let all = [f64::NEG_INFINITY, f64::INFINITY];
                let bound = |n: &f64| match n {
                    1.0 => [all[0], *offset],
                    -1.0 => [-offset, all[1]],
                    _ => all,
                };
                normal.iter().map(bound).collect()
            }
            Geometry::Polygon(polygon) => polygon.bounds().into(),
            Geometry::Union(shapes) => hull(each(shapes), f64::min, f64::max),
            Geometry::Intersection(shapes) => hull(each(shapes), f64::max, f64::min),
            Geometry::Difference(of, _) => of.bounds(),
        }
    }

    /// Its volume where a formula has it: for boxes, balls and polygons; unions of such that boxes keep apart; and
    /// differences of such that lie inside.
    pub(super) fn exact_volume(&self) -> Option<f64> {
        let total = |shapes: &[Shape]| shapes.iter().map(Shape::exact_volume).sum::<Option<f64>>();
        match &self.geometry {
            Geometry::Cuboid(bounds) => Some(bounds.iter().map(|[l, u]| u - l).product()),
            Geometry::Ball { radius, .. } => Some(ball(self.dimension, *radius)),
            Geometry::Polygon(polygon) => Some(polygon.area()),
            Geometry::Union(shapes) if apart(shapes) => total(shapes),
            Geometry::Difference(of, without)
                if apart(without) && without.iter().all(|s| of.surrounds(s)) =>
            {
                Some(of.exact_volume()? - total(without)?)
            }
            _ => None,
        }
    }

    /// Whether it certainly contains another.
    fn surrounds(&self, other: &Shape) -> bool {
        let bounds = other.bounds();
        if let Geometry::Cuboid(own) = &self.geometry {
            return own.iter().zip(&bounds).all(|(a, b)| a[0] <= b[0] && b[1] <= a[1]);
        }
        let center: Vec<f64> = bounds.iter().map(|[l, u]| 0.5 * (l + u)).collect();
        let reach = match &other.geometry {
            Geometry::Ball { radius, .. } => *radius,
            _ => bounds.iter().map(|[l, u]| (0.5 * (u - l)).powi(2)).sum::<f64>().sqrt(),
        };
        self.distance(&center) >= reach
    }

    /// Whether it is made of no others.
    pub(super) fn is_simple(&self) -> bool {
        self.depth == 0
    }

    /// Itself and every shape in it.
    pub(super) fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Shape)) {
        visit(self);
        match &self.geometry {
            Geometry::Union(shapes) | Geometry::Intersection(shapes) => {
                shapes.iter().for_each(|s| s.visit(visit));
            }
            Geometry::Difference(of, without) => {
                of.visit(visit);
                without.iter().for_each(|s| s.visit(visit));
            }
            _ => {}
        }
    }

    /// Every simple shape in it, and whether inside is outside there: the sense of its normals.
    pub(super) fn leaves<'a>(&'a self, flipped: bool, visit: &mut dyn FnMut(&'a Shape, bool)) {
        match &self.geometry {
            Geometry::Union(shapes) | Geometry::Intersection(shapes) => {
                shapes.iter().for_each(|s| s.leaves(flipped, visit));
            }
            Geometry::Difference(of, without) => {
                of.leaves(flipped, visit);
                without.iter().for_each(|s| s.leaves(!flipped, visit));
            }
            _ => visit(self, flipped),
        }
    }
}

/// Whether the boxes around shapes are apart from each other, but for their faces.
fn apart(shapes: &[Shape]) -> bool {
    let bounds: Vec<_> = shapes.iter().map(Shape::bounds).collect();
    let clear = |a: &[[f64; 2]], b: &[[f64; 2]]| a.iter().zip(b).any(|(a, b)| a[1] <= b[0] || b[1] <= a[0]);
    (0..bounds.len()).all(|i| (0..i).all(|j| clear(&bounds[i], &bounds[j])))
}

/// The volume of a ball.
pub(super) fn ball(dimension: usize, radius: f64) -> f64 {
    let first = if dimension.is_multiple_of(2) { 1.0 } else { 2.0 * radius };
    (1..=dimension)
        .filter(|k| *k >= 2 && k % 2 == dimension % 2)
        .fold(first, |volume, k| volume * 2.0 * PI * radius * radius / k as f64)
}

/// The common dimension and the depth of what is made of shapes.
fn checked(shapes: &[Shape]) -> Result<(usize, usize)> {
    let Some(first) = shapes.first() else {
        return refuse("a shape is made of none".into(), "give at least one");
    };
    if let Some(other) = shapes.iter().find(|s| s.dimension != first.dimension) {
        return unequal(first.dimension, other.dimension);
    }
    let depth = 1 + shapes.iter().map(|s| s.depth).max().unwrap_or(0);
    if depth > MAX_DEPTH { too_deep() } else { Ok((first.dimension, depth)) }
}

fn unequal<T>(a: usize, b: usize) -> Result<T> {
    refuse(format!("a shape of {a} coordinates is joined to one of {b}"), "give all as many")
}

fn too_deep<T>() -> Result<T> {
    refuse(format!("shapes are nested more than {MAX_DEPTH} deep"), "join them in one list")
}

pub(super) fn refuse<T>(what: String, needs: &str) -> Result<T> {
    Err(Error::Domain { what, needs: needs.into() })
}
