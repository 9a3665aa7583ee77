//! Where an equation holds: intervals, shapes and clouds of points, and the parts of their boundary.

mod cloud;
mod part;
mod shape;

pub use cloud::PointCloud;
pub use part::{Part, Vanishing};
pub use shape::Shape;

use crate::Result;

/// A box of coordinates, of which some may be confined to a [`Shape`] or given as a [`PointCloud`], one may be time and some
/// may be periodic.
#[derive(Clone, Debug)]
pub struct Domain {
    names: Vec<String>,
    bounds: Vec<[f64; 2]>,
    time: Option<usize>,
    periodic: Vec<bool>,
}

impl Domain {
    /// The box of these coordinates, `(name, lower, upper)`. A coordinate named `t` is time.
    pub fn new(_coordinates: &[(&str, f64, f64)]) -> Result<Self> {
        todo!()
    }
    /// Names another coordinate as time, or none.
    pub fn with_time(self, _name: Option<&str>) -> Result<Self> {
        todo!()
    }
    /// Makes coordinates periodic: their faces are no boundary.
    pub fn with_periodic(self, _names: &[&str]) -> Result<Self> {
        todo!()
    }
    /// Confines the named coordinates to a shape; without names, all but time.
    pub fn with_shape(self, _names: &[&str], _shape: Shape) -> Result<Self> {
        todo!()
    }
    /// Takes the named coordinates from given points; without names, all but time.
    pub fn with_cloud(self, _names: &[&str], _cloud: PointCloud) -> Result<Self> {
        todo!()
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
    /// Its volume.
    pub fn volume(&self) -> f64 {
        todo!()
    }
    /// Whether a point lies in it, its boundary included.
    pub fn contains(&self, _x: &[f64]) -> bool {
        todo!()
    }
    /// The part that the text of `on` says.
    pub fn part(&self, _on: &str) -> Result<Part> {
        todo!()
    }
}
