//! Where an equation holds: intervals, shapes and clouds of points, and the parts of their boundary.

mod cloud;
mod on;
mod part;
mod piece;
mod polygon;
mod region;
mod rvachev;
mod shape;
mod surface;
mod vanishing;

pub use cloud::PointCloud;
pub use part::Part;
pub(crate) use piece::Scratch;
use piece::{Piece, Place};
pub use shape::Shape;
pub(crate) use surface::Direction;
pub use vanishing::Vanishing;

use crate::error::choices;
use crate::{Error, Result};
use region::{Filling, Region};
use shape::refuse;
use std::sync::Arc;

/// A box of coordinates, of which some may be confined to a [`Shape`] or given as a [`PointCloud`], one may be time and some
/// may be periodic. The spatial coordinates are those of the shape or cloud, or else all but time.
///
/// ```
/// use resolvent_pinn::{Domain, Sampler, Sampling, Shape};
/// let hole = Shape::ball(&[0.2, 0.2], 0.05)?.named("cylinder")?;
/// let channel = Shape::difference(Shape::cuboid(&[0.0, 0.0], &[2.2, 0.41])?, vec![hole])?;
/// let domain = Domain::new(&[("x", 0.0, 2.2), ("y", 0.0, 0.41), ("t", 0.0, 8.0)])?.with_shape(&["x", "y"], channel)?;
/// let area = 2.2 * 0.41 - 0.05f64.powi(2) * std::f64::consts::PI;
/// assert!((domain.volume() - 8.0 * area).abs() < 1e-12);
///
/// let mut sampler = Sampler::new(Sampling::LatinHypercube, 1, "walls");
/// let (mut points, mut normals) = (Vec::new(), Vec::new());
/// domain.part("y = 0, y = 0.41, cylinder")?.sample(256, &mut sampler, &mut points, Some(&mut normals))?;
/// assert_eq!(points.len(), 256 * 3);
/// assert!(domain.part("cilinder").unwrap_err().to_string().contains("did you mean `cylinder`?"));
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Domain {
    names: Vec<String>,
    bounds: Vec<[f64; 2]>,
    time: Option<usize>,
    periodic: Vec<bool>,
    region: Arc<Region>,
}

impl Domain {
    /// The box of these coordinates, `(name, lower, upper)`. A coordinate named `t` is time.
    ///
    /// # Errors
    /// [`Error::Domain`] for no coordinates, a name that is empty or occurs twice, or an interval that is not finite or not in
    /// order.
    pub fn new(coordinates: &[(&str, f64, f64)]) -> Result<Self> {
        if coordinates.is_empty() {
            return refuse("it has no coordinates".into(), "give at least one with its interval");
        }
        for (i, (name, lower, upper)) in coordinates.iter().enumerate() {
            if name.trim().is_empty() || coordinates[..i].iter().any(|c| c.0 == *name) {
                return refuse(format!("coordinate {i} is named `{name}`"), "each needs a name of its own");
            }
            if !(lower < upper && (upper - lower).is_finite()) {
                let what = format!("`{name}` reaches from {lower} to {upper}");
                return refuse(what, "the lower end must lie below the upper one, both finite");
            }
        }
        let names: Vec<String> = coordinates.iter().map(|c| c.0.into()).collect();
        let bounds: Vec<[f64; 2]> = coordinates.iter().map(|c| [c.1, c.2]).collect();
        let time = names.iter().position(|n| n == "t");
        let periodic = vec![false; names.len()];
        let empty = Region::new(vec![], vec![], vec![], Filling::Whole)?;
        Self { names, bounds, time, periodic, region: Arc::new(empty) }.filled(None, Filling::Whole)
    }

    /// Names another coordinate as time, or none.
    ///
    /// # Errors
    /// [`Error::Domain`] for a name that is no coordinate, or one of a shape or cloud.
    pub fn with_time(self, name: Option<&str>) -> Result<Self> {
        let time = name.map(|n| self.axis(n)).transpose()?;
        let (axes, filling) = (self.region.axes.clone(), self.region.filling.clone());
        let whole = matches!(filling, Filling::Whole);
        if let Some(axis) = time.filter(|t| !whole && axes.contains(t)) {
            let what = format!("`{}` is time and a coordinate of the shape", self.names[axis]);
            return refuse(what, "a shape or cloud is one of space alone");
        }
        Self { time, ..self }.filled((!whole).then_some(axes), filling)
    }

    /// Makes coordinates periodic, and the others not: their faces are no boundary.
    ///
    /// # Errors
    /// [`Error::Domain`] for a name that is no coordinate.
    pub fn with_periodic(self, names: &[&str]) -> Result<Self> {
        let mut periodic = vec![false; self.names.len()];
        for name in names {
            periodic[self.axis(name)?] = true;
        }
        let (axes, filling) = (self.region.axes.clone(), self.region.filling.clone());
        Self { periodic, ..self }.filled(Some(axes), filling)
    }

    /// Confines the named coordinates to a shape, what of it lies within their intervals; without names, all but time.
    ///
    /// # Errors
    /// [`Error::Domain`] for names that are no coordinates or not as many as the shape has, two shapes of one name, and a
    /// shape that fills less than 10⁻⁴ of the box around it.
    pub fn with_shape(self, names: &[&str], shape: Shape) -> Result<Self> {
        let axes = self.spatial(names, shape.dimension(), "shape")?;
        let mut named: Vec<&str> = vec![];
        shape.visit(&mut |s| named.extend(s.name()));
        if let Some(i) = (0..named.len()).find(|i| named[..*i].contains(&named[*i])) {
            return refuse(format!("two shapes are named `{}`", named[i]), "give each a name of its own");
        }
        self.filled(Some(axes), Filling::Shape(shape))
    }

    /// Takes the named coordinates from given points; without names, all but time.
    ///
    /// # Errors
    /// [`Error::Domain`] for names that are no coordinates or not as many as the points have, and points outside the intervals.
    pub fn with_cloud(self, names: &[&str], cloud: PointCloud) -> Result<Self> {
        let axes = self.spatial(names, cloud.dimension, "cloud")?;
        for points in [&cloud.points, &cloud.boundary] {
            for (i, x) in points.iter().enumerate() {
                let axis = axes[i % cloud.dimension];
                let [lower, upper] = self.bounds[axis];
                if !(lower <= *x && *x <= upper) {
                    let (name, at) = (&self.names[axis], i / cloud.dimension);
                    let what =
                        format!("point {at} of the cloud has `{name}` = {x}, outside [{lower}, {upper}]");
                    return refuse(what, "widen the interval or leave the point out");
                }
            }
        }
        self.filled(Some(axes), Filling::Cloud(cloud))
    }

    fn spatial(&self, names: &[&str], dimension: usize, what: &str) -> Result<Vec<usize>> {
        let axes = match names {
            [] => (0..self.names.len()).filter(|a| Some(*a) != self.time).collect(),
            _ => names.iter().map(|n| self.axis(n)).collect::<Result<Vec<_>>>()?,
        };
        if axes.len() != dimension || (0..axes.len()).any(|i| axes[..i].contains(&axes[i])) {
            let what = format!("a {what} of {dimension} coordinates is placed in {}", axes.len());
            return refuse(what, "name as many, each once");
        }
        match self.time.filter(|t| axes.contains(t)) {
            Some(t) => {
                let message = format!("`{}` is time and a coordinate of the {what}", self.names[t]);
                refuse(message, "a shape or cloud is one of space alone")
            }
            None => Ok(axes),
        }
    }

    fn filled(self, axes: Option<Vec<usize>>, filling: Filling) -> Result<Self> {
        let all = || (0..self.names.len()).filter(|a| Some(*a) != self.time).collect();
        let axes: Vec<usize> = axes.unwrap_or_else(all);
        let bounds = axes.iter().map(|a| self.bounds[*a]).collect();
        let periodic = axes.iter().map(|a| self.periodic[*a]).collect();
        let region = Arc::new(Region::new(axes, bounds, periodic, filling)?);
        Ok(Self { region, ..self })
    }

    /// The number of a coordinate.
    fn axis(&self, name: &str) -> Result<usize> {
        self.names.iter().position(|n| n == name).ok_or_else(|| Error::Domain {
            what: format!("there is no coordinate `{name}`"),
            needs: choices(name, self.names.iter().map(String::as_str)),
        })
    }

    /// How many coordinates.
    pub fn dimension(&self) -> usize {
        self.names.len()
    }
    /// Their names.
    pub fn names(&self) -> &[String] {
        &self.names
    }
    /// Their intervals, [lower, upper].
    pub fn bounds(&self) -> &[[f64; 2]] {
        &self.bounds
    }
    /// Which is time.
    pub fn time(&self) -> Option<usize> {
        self.time
    }
    /// Which are periodic.
    pub fn periodic(&self) -> &[bool] {
        &self.periodic
    }

    /// Its volume, that of time included: exact for boxes, balls and polygons, their unions that boxes keep apart and
    /// differences that lie inside; for other shapes from 65,536 points of Sobol's sequence, good to about 5·10⁻⁴ of the
    /// box around them. That of a cloud counts its points.
    pub fn volume(&self) -> f64 {
        self.others().iter().map(|(_, [l, u])| u - l).product::<f64>() * self.region.volume
    }

    /// Whether a point, `[dimension]`, lies in it, its boundary included. A cloud reaches as far as the intervals.
    pub fn contains(&self, x: &[f64]) -> bool {
        let within = |(x, [l, u]): (&f64, &[f64; 2])| l <= x && x <= u;
        let spatial = || self.region.axes.iter().map(|a| x[*a]).collect::<Vec<_>>();
        x.len() == self.names.len()
            && x.iter().zip(&self.bounds).all(within)
            && self.region.shape().is_none_or(|s| s.contains(&spatial()))
    }

    /// The part that a text says, as in the `on` of a condition; several are joined by commas or `and`.
    ///
    /// | text | part |
    /// |:--|:--|
    /// | `interior` | everything |
    /// | `boundary` | the faces of the spatial coordinates that are not periodic, and the surface of the shape, at all times |
    /// | `x = -1`, `t = 0` | a face, or a plane across the domain; the number may be an expression such as `2*pi` |
    /// | `initial` | the first time |
    /// | the name of a shape | its surface, as far as it bounds the domain |
    /// | `periodic x` | the lower face of a coordinate, with the [`offset`](Part::offset) to the upper one |
    ///
    /// # Errors
    /// [`Error::Part`] for text that says none, with the nearest that does, and for a part of which almost nothing lies where
    /// the domain is.
    pub fn part(&self, on: &str) -> Result<Part> {
        on::part(self, on)
    }

    /// The coordinates that are not spatial, with their intervals.
    fn others(&self) -> Vec<(usize, [f64; 2])> {
        let other = |a: &usize| !self.region.axes.contains(a);
        (0..self.names.len()).filter(other).map(|a| (a, self.bounds[a])).collect()
    }
}
