//! A term of a loss while it is trained: what must vanish, where, and how much it counts.

use crate::residual::{Residual, Term};
use crate::simd::Real;
use crate::{Error, Result};
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
}

impl<T: Real> Objective<T> {
    /// With factor 1, and points as the source gives them.
    pub fn new(
        name: &str,
        residual: impl Residual<T> + Send + 'static,
        source: impl Source<T> + 'static,
    ) -> Self {
        let (residual, source) = (Box::new(residual), Box::new(source));
        Self { name: name.into(), residual, source, factor: 1.0, adaptive: None }
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

/// Points drawn from candidates with a probability that grows with their residual: p ∝ |r|ᵏ / mean|r|ᵏ + c.
///
/// # Reference
/// C. Wu, M. Zhu, Q. Tan, Y. Kartha, L. Lu, A comprehensive study of non-adaptive and residual-based adaptive sampling for
/// physics-informed neural networks, Computer Methods in Applied Mechanics and Engineering 403 (2023),
/// doi:10.1016/j.cma.2022.115671.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adaptive {
    /// Points looked at.
    pub candidates: usize,
    /// Points kept of them.
    pub points: usize,
    /// k.
    pub exponent: f64,
    /// c.
    pub constant: f64,
}

impl Adaptive {
    /// Which of the candidates are kept, in order: drawn without replacement, by the largest of log(u)/p (Efraimidis and
    /// Spirakis, doi:10.1016/j.ipl.2005.11.003), u uniform.
    pub(crate) fn choose(&self, sizes: &[f64], mut uniform: impl FnMut() -> f64) -> Vec<usize> {
        let powers: Vec<f64> = sizes.iter().map(|r| r.powf(self.exponent)).collect();
        let mean = powers.iter().sum::<f64>() / powers.len().max(1) as f64;
        let mut keys: Vec<(f64, usize)> = powers
            .iter()
            .enumerate()
            .map(|(i, p)| {
                let relative = if mean > 0.0 { p / mean } else { 1.0 };
                (uniform().ln() / (relative + self.constant), i)
            })
            .collect();
        keys.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut kept: Vec<usize> = keys.iter().take(self.points).map(|k| k.1).collect();
        kept.sort_unstable();
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use resolvent::learn::Random;

    #[test]
    fn adaptive_points_are_as_likely_as_their_residuals() {
        let adaptive = Adaptive { candidates: 4, points: 1, exponent: 2.0, constant: 0.0 };
        let (mut random, mut counts) = (Random::new(1, "adaptive"), [0u32; 4]);
        for _ in 0..20_000 {
            let kept = adaptive.choose(&[1.0, 2.0, 0.0, 3.0], || random.uniform());
            counts[kept[0]] += 1;
        }
        for (count, p) in counts.iter().zip([1.0, 4.0, 0.0, 9.0]) {
            let (mean, deviation) = (20_000.0 * p / 14.0, (20_000.0f64 / 4.0).sqrt());
            assert!((f64::from(*count) - mean).abs() <= 5.0 * deviation, "{counts:?}");
        }
        assert_eq!(counts[2], 0);
        // As many as there are, and all alike where nothing is left of the residual.
        let all = Adaptive { points: 9, ..adaptive };
        assert_eq!(all.choose(&[0.0; 4], || random.uniform()), [0, 1, 2, 3]);
    }

    #[test]
    fn given_points_cannot_be_chosen() {
        let mut given = Given(Cloud { points: vec![1.0, 2.0], data: vec![] });
        let mut cloud = Cloud::default();
        given.draw(&mut cloud).unwrap();
        assert_eq!(cloud, given.0);
        assert!(matches!(given.candidates(3, &mut cloud), Err(Error::Training { .. })));
    }
}
