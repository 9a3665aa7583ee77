//! A domain given by points.

use crate::Result;

/// Points of the interior of a domain, and perhaps of its boundary with normals.
#[derive(Clone, Debug, PartialEq)]
pub struct PointCloud {
    dimension: usize,
    points: Vec<f64>,
    boundary: Vec<f64>,
    normals: Vec<f64>,
    replacement: bool,
}

impl PointCloud {
    /// From interior points: [n, dimension].
    pub fn new(_dimension: usize, _points: Vec<f64>) -> Result<Self> {
        todo!()
    }
    /// With points of the boundary, [m, dimension], and their outward normals, [m, dimension] or empty.
    pub fn with_boundary(self, _points: Vec<f64>, _normals: Vec<f64>) -> Result<Self> {
        todo!()
    }
    /// Drawn with replacement, instead of in a new order each time all were drawn.
    pub fn with_replacement(self) -> Self {
        todo!()
    }
}
