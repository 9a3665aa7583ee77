//! A term of a loss while it is trained: what must vanish, where, and how much it counts.

use crate::coupling::Coupling;
use crate::residual::{Residual, Term};
use crate::simd::Real;
use crate::{Error, ResidualAdaptive, Result};
use resolvent::learn::{Checkpoint, State};

/// Points, and what is known there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cloud<T> {
    /// Coordinates, `[dim, points]`.
    pub points: Vec<T>,
    /// Columns of data, `[columns, points]`.
    pub data: Vec<T>,
}

/// Where the points of an objective come from. Its state is saved in checkpoints, so that a training that was resumed draws
/// the points it would have drawn.
pub trait Source<T>: State + Send {
    /// Replaces the points by the next ones.
    ///
    /// # Errors
    /// What keeps it from drawing: memory, or the file it reads.
    fn draw(&mut self, cloud: &mut Cloud<T>) -> Result<()>;

    /// Replaces the points by the next `n` ones, where it can make any number of them: candidates of an adaptive choice.
    ///
    /// # Errors
    /// [`Error::Training`] when it cannot.
    fn candidates(&mut self, n: usize, cloud: &mut Cloud<T>) -> Result<()> {
        let _ = (n, cloud);
        let what = "points that are given cannot be chosen by their residuals".into();
        Err(Error::Training { what, mend: "use adaptive sampling with points of a domain".into() })
    }
}

/// The same points always.
#[derive(Clone, Debug)]
pub struct Given<T>(pub Cloud<T>);

impl<T: Real> State for Given<T> {
    fn store(&self, _: &str, _: &mut Checkpoint) {}
    fn restore(&mut self, _: &str, _: &mut Checkpoint) -> resolvent::Result<()> {
        Ok(())
    }
}

impl<T: Real> Source<T> for Given<T> {
    fn draw(&mut self, cloud: &mut Cloud<T>) -> Result<()> {
        cloud.clone_from(&self.0);
        Ok(())
    }
}

/// One term of a loss, λᵢ Lᵢ with Lᵢ = factor / N Σ r².
pub struct Objective<T> {
    /// Its name in progress, pictures and errors.
    pub name: String,
    /// r.
    pub residual: Box<dyn Residual<T> + Send>,
    /// Its points.
    pub source: Box<dyn Source<T>>,
    /// A factor that belongs to Lᵢ itself, such as 4 for the sum of the means over four sides.
    pub factor: f64,
    /// How points are chosen by their residuals, if they are.
    pub adaptive: Option<Adaptive>,
    /// Whether not r but what several points make of it must vanish.
    pub coupling: Option<Coupling<T>>,
}

impl<T: Real> Objective<T> {
    /// With factor 1, and points as the source gives them.
    pub fn new(
        name: &str,
        residual: impl Residual<T> + Send + 'static,
        source: impl Source<T> + 'static,
    ) -> Self {
        let (residual, source) = (Box::new(residual), Box::new(source));
        Self { name: name.into(), residual, source, factor: 1.0, adaptive: None, coupling: None }
    }

    /// With another factor.
    pub fn factor(self, factor: f64) -> Self {
        Self { factor, ..self }
    }

    /// The term at a cloud of points.
    pub(crate) fn term<'a>(&'a self, cloud: &'a Cloud<T>, weights: Option<&'a [T]>) -> Term<'a, T> {
        Term { residual: &*self.residual, points: &cloud.points, data: &cloud.data, weights }
    }
}

/// Points of a domain chosen by their residuals from more of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adaptive {
    /// Points looked at.
    pub candidates: usize,
    /// Points kept of them.
    pub points: usize,
    /// How they are chosen.
    pub rule: ResidualAdaptive,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_points_cannot_be_chosen() {
        let mut given = Given(Cloud { points: vec![1.0, 2.0], data: vec![] });
        let mut cloud = Cloud::default();
        given.draw(&mut cloud).unwrap();
        assert_eq!(cloud, given.0);
        assert!(matches!(given.candidates(3, &mut cloud), Err(Error::Training { .. })));
    }
}
