//! Integrals as weighted sums.

use crate::{Part, Result};

/// Points and weights: ∫ f ≈ Σ wᵢ f(xᵢ).
#[derive(Clone, Debug, PartialEq)]
pub struct Quadrature {
    /// Coordinates: [n, dimension].
    pub points: Vec<f64>,
    /// w: [n].
    pub weights: Vec<f64>,
    /// How many coordinates.
    pub dimension: usize,
}

impl Quadrature {
    /// Gauss and Legendre's points on an interval, exact for polynomials of degree 2·order − 1.
    pub fn gauss_legendre(_lower: f64, _upper: f64, _order: usize) -> Result<Self> {
        todo!()
    }
    /// Products of Gauss and Legendre's points on a box, `order[axis]` of them along each axis.
    pub fn cuboid(_bounds: &[[f64; 2]], _order: &[usize]) -> Result<Self> {
        todo!()
    }
    /// A part of a domain: products of Gauss and Legendre's points with `order` along each direction where it is made of
    /// whole boxes, faces and edges; elsewhere as many points of Sobol's sequence.
    pub fn of(_part: &Part, _order: usize) -> Result<Self> {
        todo!()
    }
    /// Σ wᵢ f(xᵢ).
    pub fn integrate(&self, f: impl FnMut(&[f64]) -> f64) -> f64 {
        self.points.chunks_exact(self.dimension).map(f).zip(&self.weights).map(|(f, w)| f * w).sum()
    }
}
