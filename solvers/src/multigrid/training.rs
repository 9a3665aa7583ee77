//! How the parameters of a [`Tuning`] are learned.
//!
//! The loss is the contraction of the error in the energy norm, log₁₀ (‖e_k‖_A / ‖e_0‖_A), over k = 5 steps of conjugate
//! gradients under the cycle, on random geometries of at most 32 cells a side: what the cycle is for, measured with the kernels
//! that will run. A few dozen parameters need no reverse sweep: a gradient takes one more run of these kernels for each of them,
//! by forward differences whose error (10⁻³ of a gradient's entry) is far below the noise of the draw, and there is no second
//! implementation of the cycle that could differ from the first. Adam takes the steps.

use super::domain::domain;
use super::tuning::{Tuning, check_kind, dimension};
use crate::learn::{Adam, AdamOptions, Checkpoint, Random, State};
use crate::{Error, Host, LinearOperator, Multigrid, MultigridOptions, Operator, Result, Space, Stencil};
use rayon::prelude::*;
use std::path::Path;

/// What is trained and how long.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct CycleTrainingOptions {
    /// 2 or 3 dimensions.
    pub dim: usize,
    /// The seed of the geometries and errors.
    pub seed: u64,
    /// Steps in all; the rate falls to 0 over them.
    pub steps: u64,
    /// Geometries a step; a multiple of 4 has as many of each kind.
    pub batch: u64,
    /// The rate of the first step.
    pub rate: f64,
}

impl CycleTrainingOptions {
    /// What is usual.
    pub fn new(dim: usize) -> Self {
        Self { dim, seed: 1, steps: 200, batch: 12, rate: 0.03 }
    }
}

/// Training of a [`Tuning`]; the same bits for the same options, whatever the threads and wherever it was interrupted.
///
/// ```
/// use resolvent::{CycleTraining, CycleTrainingOptions};
/// let mut options = CycleTrainingOptions::new(2);
/// (options.steps, options.batch) = (2, 1);
/// let mut training = CycleTraining::new(options)?;
/// let before = training.step()?;
/// training.step()?;
/// assert!(before < 0.0 && training.is_done());
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Debug)]
pub struct CycleTraining {
    options: CycleTrainingOptions,
    tuning: Tuning,
    adam: Adam<f64>,
}

/// Steps of conjugate gradients that a loss looks at.
const STEPS: usize = 5;
/// The width of a difference.
const WIDTH: f64 = 1e-5;
/// What a file of a training calls itself.
const KIND: &str = "cycle-training";

impl CycleTraining {
    /// From the classical cycle.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a dimension that is not 2 or 3, no geometries, or a rate that is not a positive number.
    pub fn new(options: CycleTrainingOptions) -> Result<Self> {
        let CycleTrainingOptions { dim, batch, rate, .. } = options;
        let refuse = |name, value, needs| Err(Error::Parameter { name, value, needs });
        if !(2..=3).contains(&dim) {
            return refuse("dim", dim as f64, "grids have 2 or 3 dimensions");
        }
        if batch == 0 {
            return refuse("batch", 0.0, "a step needs a geometry at least; 4 has one of each kind");
        }
        if !(rate.is_finite() && rate > 0.0) {
            return refuse("rate", rate, "a rate is a positive number, such as 0.05");
        }
        let adam = Adam::new(Tuning::LEN, AdamOptions::default())?;
        Ok(Self { options, tuning: Tuning::CLASSICAL, adam })
    }

    /// What was learned so far.
    pub fn tuning(&self) -> Tuning {
        self.tuning
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.adam.steps()
    }

    /// Whether all steps are taken.
    pub fn is_done(&self) -> bool {
        self.steps() >= self.options.steps
    }

    /// Takes a step; returns the loss before it.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn step(&mut self) -> Result<f64> {
        let CycleTrainingOptions { dim, seed, batch, .. } = self.options;
        let taken = self.steps();
        let samples = (taken * batch..(taken + 1) * batch).map(|number| Sample::new(seed, number, dim));
        let samples = samples.collect::<Result<Vec<_>>>()?;
        let (loss, gradient) = gradient(&samples, &self.tuning)?;
        let mut parameters = *self.tuning.parameters();
        self.adam.step(self.rate(taken), &gradient, &mut parameters)?;
        self.tuning = Tuning::new(&parameters)?;
        Ok(loss)
    }

    /// The rate of a step.
    pub fn rate(&self, step: u64) -> f64 {
        self.options.rate * (1.0 - step as f64 / self.options.steps.max(1) as f64).max(0.0)
    }

    /// Writes the state, from which [`resume`](Self::resume) goes on.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn save(&self, path: &Path) -> Result<()> {
        let mut checkpoint = Checkpoint::new(KIND, &dimension(self.options.dim), self.steps());
        self.store("", &mut checkpoint);
        checkpoint.save(path)
    }

    /// Goes on from a file, with the options of the run that wrote it.
    ///
    /// # Errors
    /// As [`new`](Self::new) and [`Tuning::load`].
    pub fn resume(options: CycleTrainingOptions, path: &Path) -> Result<Self> {
        let mut training = Self::new(options)?;
        let mut checkpoint = Checkpoint::load(path)?;
        check_kind(&checkpoint, KIND, options.dim)?;
        training.restore("", &mut checkpoint)?;
        checkpoint.finish()?;
        Ok(training)
    }
}

impl State for CycleTraining {
    fn store(&self, name: &str, checkpoint: &mut Checkpoint) {
        self.tuning.store(&format!("{name}tuning/"), checkpoint);
        self.adam.store(&format!("{name}adam"), checkpoint);
    }

    fn restore(&mut self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        let mut tuning = self.tuning;
        tuning.restore(&format!("{name}tuning/"), checkpoint)?;
        self.adam.restore(&format!("{name}adam"), checkpoint)?;
        self.tuning = tuning;
        Ok(())
    }
}

/// A geometry and an error to reduce on it.
struct Sample {
    a: Stencil,
    error: Vec<f64>,
}

impl Sample {
    fn new(seed: u64, number: u64, dim: usize) -> Result<Self> {
        let a = domain(seed, number, dim)?;
        let mut random = Random::new(seed, &format!("cycle: error {number}"));
        let noise: Vec<f64> =
            (0..a.grid().cells()).map(|c| if a.is_active(c) { random.normal() } else { 0.0 }).collect();
        // Much like the solution for noise on the right.
        let mut error = vec![0.0; noise.len()];
        Multigrid::<f64>::new(&a, options(Tuning::CLASSICAL))?.apply(
            &Host::<f64>::new(),
            &noise,
            &mut error,
        )?;
        Ok(Self { a, error })
    }

    /// log₁₀ of what [`STEPS`] steps leave of the error's energy norm.
    fn contraction(&self, tuning: &Tuning) -> Result<f64> {
        let (space, n) = (Host::<f64>::new(), self.error.len());
        let m = Multigrid::<f64>::new(&self.a, options(*tuning))?;
        // A x = 0 from x = error.
        let mut x = self.error.clone();
        let (mut r, mut z, mut p, mut q) = (vec![0.0; n], vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        let before = self.a.apply_dot(&space, &x, &mut r)?;
        if before <= 0.0 {
            return Ok(0.0);
        }
        r.iter_mut().for_each(|r| *r = -*r);
        let mut last = 0.0;
        for _ in 0..STEPS {
            let rho = m.apply_dot(&space, &r, &mut z)?;
            space.axpby(1.0, &z, if last > 0.0 { rho / last } else { 0.0 }, &mut p)?;
            last = rho;
            let curvature = self.a.apply_dot(&space, &p, &mut q)?;
            if curvature <= 0.0 {
                break;
            }
            space.step(rho / curvature, &p, &q, &mut x, &mut r)?;
        }
        let after = self.a.apply_dot(&space, &x, &mut q)?;
        // What is left of an error that is gone is rounding.
        Ok(0.5 * libm::log10((after / before).max(1e-30)))
    }
}

/// Small grids get several levels, as the large ones to come have.
fn options(tuning: Tuning) -> MultigridOptions {
    MultigridOptions { direct_cells: 12, ..MultigridOptions::tuned(tuning) }
}

/// The mean loss and its gradient, summed in the order of the samples.
fn gradient(samples: &[Sample], tuning: &Tuning) -> Result<(f64, Vec<f64>)> {
    let runs = Tuning::LEN + 1;
    let losses = (0..samples.len() * runs)
        .into_par_iter()
        .map(|run| {
            let mut parameters = *tuning.parameters();
            // The last run of a sample is that of the point itself.
            if let Some(p) = parameters.get_mut(run % runs) {
                *p += WIDTH;
            }
            samples[run / runs].contraction(&Tuning::new(&parameters)?)
        })
        .collect::<Result<Vec<f64>>>()?;
    let mean = |run: usize| losses.iter().skip(run).step_by(runs).sum::<f64>() / samples.len() as f64;
    let loss = mean(Tuning::LEN);
    Ok((loss, (0..Tuning::LEN).map(|p| (mean(p) - loss) / WIDTH).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Forward differences against central ones of another width, at a point where nothing is special.
    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let samples: Vec<Sample> = (0..4).map(|number| Sample::new(5, number, 2).unwrap()).collect();
        let mut random = Random::new(6, "point");
        let point: Vec<f64> = (0..Tuning::LEN).map(|_| 0.3 * random.normal()).collect();
        let (_, gradient) = gradient(&samples, &Tuning::new(&point).unwrap()).unwrap();
        let loss = |p: usize, by: f64| -> f64 {
            let mut parameters = point.clone();
            parameters[p] += by;
            let tuning = Tuning::new(&parameters).unwrap();
            samples.iter().map(|s| s.contraction(&tuning).unwrap()).sum::<f64>() / samples.len() as f64
        };
        let largest = gradient.iter().fold(0.0f64, |m, g| m.max(g.abs()));
        assert!(largest > 1e-3, "nothing depends on the parameters");
        for (p, g) in gradient.iter().enumerate() {
            let central = (loss(p, 2e-3) - loss(p, -2e-3)) / 4e-3;
            assert!((g - central).abs() <= 1e-2 * largest, "parameter {p}: {g} and {central}");
        }
    }

    #[test]
    fn domains_have_an_answer_and_are_the_same_again() {
        for dim in [2, 3] {
            for number in 0..8 {
                let (a, again) = (domain(1, number, dim).unwrap(), domain(1, number, dim).unwrap());
                assert!(!a.is_singular() && a.active() > 0, "domain {number} in {dim}-D");
                let cells = 0..a.grid().cells();
                assert!(cells.clone().all(|c| a.is_active(c) == again.is_active(c)));
                assert!(a.grid().n().iter().all(|n| *n <= if dim == 2 { 64 } else { 32 }));
            }
        }
    }
}
