//! Simple shapes, and what is made of them.

use crate::Result;

/// A region of space: a box, ball, half-space or polygon, or the union, intersection or difference of others.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    name: Option<String>,
}

impl Shape {
    /// A box.
    pub fn cuboid(_lower: &[f64], _upper: &[f64]) -> Result<Self> {
        todo!()
    }
    /// An interval, disk, ball.
    pub fn ball(_center: &[f64], _radius: f64) -> Result<Self> {
        todo!()
    }
    /// normal · x ≤ offset.
    pub fn half_space(_normal: &[f64], _offset: f64) -> Result<Self> {
        todo!()
    }
    /// A simple polygon, its vertices in either order.
    pub fn polygon(_vertices: &[[f64; 2]]) -> Result<Self> {
        todo!()
    }
    /// The points of any of the shapes.
    pub fn union(_shapes: Vec<Shape>) -> Result<Self> {
        todo!()
    }
    /// The points of all the shapes.
    pub fn intersection(_shapes: Vec<Shape>) -> Result<Self> {
        todo!()
    }
    /// The points of one shape outside the others.
    pub fn difference(_of: Shape, _without: Vec<Shape>) -> Result<Self> {
        todo!()
    }
    /// With a name, by which its surface is a part of a domain.
    pub fn named(self, _name: &str) -> Self {
        todo!()
    }
    /// How many coordinates it has.
    pub fn dimension(&self) -> usize {
        todo!()
    }
    /// Signed distance to the surface, positive inside.
    pub fn distance(&self, _x: &[f64]) -> f64 {
        todo!()
    }
    /// Whether a point lies in it, its surface included.
    pub fn contains(&self, x: &[f64]) -> bool {
        self.distance(x) >= 0.0
    }
    /// The smallest box around it, [lower, upper]; infinite where it has no end.
    pub fn bounds(&self) -> Vec<[f64; 2]> {
        todo!()
    }
}
