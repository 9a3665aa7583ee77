//! How points are drawn.

mod adaptive;
mod halton;
mod permutation;
mod sobol;

pub use adaptive::{ResidualAdaptive, greatest};

use crate::{Error, Result};
use resolvent::learn::{Checkpoint, Random, State};

/// How the points of a sample are spread over the unit cube, and so over a [`Part`](crate::Part) of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Sampling {
    /// Independent and uniform.
    #[default]
    Uniform,
    /// Each coordinate of n points has one of them in each of n equal strata.
    LatinHypercube,
    /// Sobol's sequence, scrambled by Owen's method.
    Sobol,
    /// Halton's sequence with randomly permuted digits.
    Halton,
    /// The midpoints of a regular grid, the same in every sample.
    Grid,
}

impl Sampling {
    /// Every way.
    pub const ALL: [Self; 5] = [Self::Uniform, Self::LatinHypercube, Self::Sobol, Self::Halton, Self::Grid];

    /// Its name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::LatinHypercube => "latin-hypercube",
            Self::Sobol => "sobol",
            Self::Halton => "halton",
            Self::Grid => "grid",
        }
    }
}

/// Draws points: a way of sampling with a seed and a place in its stream.
#[derive(Clone, Debug)]
pub struct Sampler {
    sampling: Sampling,
    seed: u64,
    name: String,
    drawn: u64,
    random: Random,
}

/// Where a [`Sampler`] is: enough to go on from there bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SamplerState {
    /// The seed.
    pub seed: u64,
    /// Points drawn so far.
    pub drawn: u64,
    /// 32-bit words taken from the random stream, the low half first.
    pub position: [u64; 2],
}

impl Sampler {
    /// At the beginning of the stream of a seed and a name.
    pub fn new(sampling: Sampling, seed: u64, name: &str) -> Self {
        Self { sampling, seed, name: name.into(), drawn: 0, random: Random::new(seed, name) }
    }
    /// How it samples.
    pub fn sampling(&self) -> Sampling {
        self.sampling
    }
    /// Where it is.
    pub fn state(&self) -> SamplerState {
        todo!()
    }
    /// Goes to where a sampler of this sampling and name was.
    pub fn restore(&mut self, _state: SamplerState) {
        todo!()
    }
    /// Replaces `points` by `n` points of the unit cube: [n, dimension].
    ///
    /// # Errors
    /// [`Error::Sampling`] for no points or coordinates, or more coordinates than the sampling has; memory.
    pub fn unit(&mut self, _n: usize, _dimension: usize, _points: &mut Vec<f64>) -> Result<()> {
        todo!()
    }
}

impl State for Sampler {
    fn store(&self, _name: &str, _checkpoint: &mut Checkpoint) {
        todo!()
    }
    fn restore(&mut self, _name: &str, _checkpoint: &mut Checkpoint) -> resolvent::Result<()> {
        todo!()
    }
}

impl std::str::FromStr for Sampling {
    type Err = Error;
    fn from_str(_text: &str) -> Result<Self> {
        todo!()
    }
}
