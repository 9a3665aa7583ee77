//! Parts of a domain.

use crate::{Result, Sampler};

/// A part of a domain that points are drawn from: its interior or pieces of its boundary.
#[derive(Clone, Debug)]
pub struct Part {
    dimension: usize,
}

/// A function of the coordinates that vanishes on a part of the boundary and is positive inside, with derivatives to second
/// order.
#[derive(Clone, Debug)]
pub struct Vanishing {
    dimension: usize,
}

impl Part {
    /// Replaces `points` by `n` points, [n, dimension], uniform in its measure, and `normals` by the outward unit normals there.
    ///
    /// # Errors
    /// [`Error::Sampling`](crate::Error::Sampling)
    pub fn sample(
        &self,
        _n: usize,
        _sampler: &mut Sampler,
        _points: &mut Vec<f64>,
        _normals: Option<&mut Vec<f64>>,
    ) -> Result<()> {
        todo!()
    }
    /// Its volume, or area, or length, or number of points.
    pub fn measure(&self) -> f64 {
        todo!()
    }
    /// Whether it is the interior, where there are no normals.
    pub fn is_interior(&self) -> bool {
        todo!()
    }
    /// For a periodic part: what is added to its points to come to the other face, [dimension].
    pub fn offset(&self) -> Option<&[f64]> {
        todo!()
    }
    /// Whether a point of the domain lies on it, to within `tolerance`.
    pub fn contains(&self, _x: &[f64], _tolerance: f64) -> bool {
        todo!()
    }
    /// A function that is zero exactly on this part and positive in the rest of the domain.
    pub fn vanishing(&self) -> Result<Vanishing> {
        let _ = self.dimension;
        todo!()
    }
}

impl Vanishing {
    /// Its value at a point; its gradient, [dimension], and its second derivatives, [dimension, dimension], are written.
    pub fn evaluate(&self, _x: &[f64], _gradient: &mut [f64], _hessian: &mut [f64]) -> f64 {
        let _ = self.dimension;
        todo!()
    }
}
