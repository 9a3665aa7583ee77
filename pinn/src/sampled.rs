//! Points drawn from a part of a domain.

use crate::objective::{Cloud, Source};
use crate::simd::Real;
use crate::{Part, Result, Sampler};
use resolvent::learn::{Checkpoint, State};

/// `n` new points of a part of a domain in every draw, with the outward normals as columns of data if they are wanted. Of a
/// periodic part they are followed by the points of the other face, in the same order.
#[derive(Debug)]
pub struct Sampled {
    part: Part,
    dim: usize,
    n: usize,
    with_normals: bool,
    sampler: Sampler,
    points: Vec<f64>,
    normals: Vec<f64>,
}

impl Sampled {
    /// Points of a domain of `dim` coordinates.
    pub fn new(part: Part, dim: usize, n: usize, sampler: Sampler) -> Self {
        Self { part, dim, n, with_normals: false, sampler, points: vec![], normals: vec![] }
    }

    /// With the components of the outward unit normal as the first columns of data.
    pub fn with_normals(self) -> Self {
        Self { with_normals: true, ..self }
    }
}

impl State for Sampled {
    fn store(&self, name: &str, checkpoint: &mut Checkpoint) {
        State::store(&self.sampler, name, checkpoint);
    }
    fn restore(&mut self, name: &str, checkpoint: &mut Checkpoint) -> resolvent::Result<()> {
        State::restore(&mut self.sampler, name, checkpoint)
    }
}

impl<T: Real> Source<T> for Sampled {
    fn draw(&mut self, cloud: &mut Cloud<T>) -> Result<()> {
        self.candidates(self.n, cloud)
    }

    fn candidates(&mut self, n: usize, cloud: &mut Cloud<T>) -> Result<()> {
        let normals = self.with_normals.then_some(&mut self.normals);
        self.part.sample(n, &mut self.sampler, &mut self.points, normals)?;
        if let Some(offset) = self.part.offset() {
            // The other face after this one.
            let moved = self.points.iter().zip(offset.iter().cycle()).map(|(x, o)| x + o).collect::<Vec<_>>();
            self.points.extend(moved);
        }
        transpose(&self.points, self.dim, &mut cloud.points);
        transpose(&self.normals, self.dim, &mut cloud.data);
        Ok(())
    }
}

/// `to: [dim, points]` from `from: [points, dim]`.
pub(crate) fn transpose<S: Into<f64> + Copy, T: Real>(from: &[S], dim: usize, to: &mut Vec<T>) {
    let n = from.len() / dim.max(1);
    to.clear();
    to.resize(n * dim, T::of(0.0));
    for (p, point) in from.chunks_exact(dim).enumerate() {
        for (axis, v) in point.iter().enumerate() {
            to[axis * n + p] = T::of((*v).into());
        }
    }
}
