//! A way of sampling with a seed and a place in its stream.

use super::grid::Grid;
use super::halton::Halton;
use super::permutation::permuted;
use super::{Sampling, sobol};
use crate::{Error, Result};
use rand::Rng;
use resolvent::learn::{Checkpoint, Random, State};

/// Most coordinates that the sequences have.
const MAX_DIMENSION: usize = 256;

/// Draws points: the same for every number of threads, and it can be saved at any place and resumed there.
///
/// ```
/// use resolvent_pinn::{Sampler, Sampling};
/// let mut sampler = Sampler::new(Sampling::Sobol, 7, "interior");
/// let (mut points, mut again) = (Vec::new(), Vec::new());
/// sampler.unit(100, 2, &mut points)?;
/// let state = sampler.state();
/// sampler.unit(100, 2, &mut points)?;
///
/// let mut resumed = Sampler::new(Sampling::Sobol, 7, "interior");
/// resumed.restore(state)?;
/// resumed.unit(100, 2, &mut again)?;
/// assert_eq!(points, again);
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sampler {
    sampling: Sampling,
    seed: u64,
    name: String,
    key: u64,
    drawn: u64,
    random: Random,
}

/// Where a [`Sampler`] is: enough to go on from there bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SamplerState {
    /// Which [`Sampling`], by its place among [`Sampling::ALL`].
    pub sampling: u64,
    /// The seed.
    pub seed: u64,
    /// What its scramblings and permutations are made from: a function of the seed and the name.
    pub key: u64,
    /// Points drawn so far.
    pub drawn: u64,
    /// 32-bit words taken from its random stream, the low half first.
    pub position: [u64; 2],
}

impl Sampler {
    /// At the beginning of the stream of a seed and a name.
    pub fn new(sampling: Sampling, seed: u64, name: &str) -> Self {
        let mut random = Random::new(seed, name);
        let key = random.generator().next_u64();
        Self { sampling, seed, name: name.into(), key, drawn: 0, random }
    }

    /// How it samples.
    pub fn sampling(&self) -> Sampling {
        self.sampling
    }

    /// Where it is.
    pub fn state(&self) -> SamplerState {
        let position = self.random.position();
        SamplerState {
            sampling: Sampling::ALL.iter().position(|s| *s == self.sampling).unwrap_or_default() as u64,
            seed: self.seed,
            key: self.key,
            drawn: self.drawn,
            position: [position as u64, (position >> 64) as u64],
        }
    }

    /// Goes to where a sampler of the same sampling and name was, whatever its seed.
    ///
    /// # Errors
    /// [`Error::Sampling`] for the state of another sampling or name; the sampler is as before.
    pub fn restore(&mut self, state: SamplerState) -> Result<()> {
        let mut restored = Self::new(self.sampling, state.seed, &self.name);
        let fits = (state.sampling, state.key) == (restored.state().sampling, restored.key);
        if !fits || state.position[1] >> 4 != 0 {
            return Err(Error::Sampling {
                what: format!("the state is not one of the {} sampler `{}`", self.sampling.name(), self.name),
                needs: "resume with the sampling and the parts it was saved with".into(),
            });
        }
        let position = u128::from(state.position[0]) | u128::from(state.position[1]) << 64;
        restored.random = Random::at(state.seed, &self.name, position);
        restored.drawn = state.drawn;
        *self = restored;
        Ok(())
    }

    /// Replaces `points` by `n` points inside the unit cube: `[n, dimension]`.
    ///
    /// # Errors
    /// [`Error::Sampling`] for no points or coordinates, or more coordinates than a sequence has; [`Error::Solver`] for more
    /// points than the memory holds.
    pub fn unit(&mut self, n: usize, dimension: usize, points: &mut Vec<f64>) -> Result<()> {
        let refuse = |what: String, needs: &str| Err(Error::Sampling { what, needs: needs.into() });
        if n == 0 || dimension == 0 {
            return refuse(format!("{n} points of {dimension} coordinates"), "ask for at least one of each");
        }
        if self.sampling.is_sequence() && dimension > MAX_DIMENSION {
            let what =
                format!("{dimension} coordinates for {}, which has {MAX_DIMENSION}", self.sampling.name());
            return refuse(what, "use uniform or latin-hypercube");
        }
        points.clear();
        reserve(points, n, dimension)?;
        match self.sampling {
            Sampling::Uniform => points.extend((0..n * dimension).map(|_| self.random.uniform())),
            Sampling::LatinHypercube => self.latin_hypercube(n, dimension, points),
            Sampling::Sobol => (0..n as u64).for_each(|i| {
                let index = self.drawn.wrapping_add(i);
                points.extend((0..dimension as u32).map(|axis| sobol::number(index, axis, self.key)));
            }),
            Sampling::Halton => {
                let halton = Halton::new(dimension, self.key);
                (0..n as u64).for_each(|i| halton.point(self.drawn.wrapping_add(i), points));
            }
            Sampling::Grid => {
                let grid = Grid::new(n, dimension);
                (0..n).for_each(|i| grid.point(i, points));
            }
        }
        self.drawn = self.drawn.wrapping_add(n as u64);
        Ok(())
    }

    fn latin_hypercube(&mut self, n: usize, dimension: usize, points: &mut Vec<f64>) {
        points.resize(n * dimension, 0.0);
        for axis in 0..dimension {
            let column = || (0..n).map(move |i| i * dimension + axis);
            for (stratum, at) in column().enumerate() {
                points[at] = stratum as f64;
            }
            for i in (1..n).rev() {
                let j = self.random.below(i as u64 + 1) as usize;
                points.swap(i * dimension + axis, j * dimension + axis);
            }
            for at in column() {
                // Rounding may not leave the stratum, nor the cube.
                let (low, u) = (points[at], self.random.uniform());
                points[at] = ((low + u) / n as f64).min(((low + 1.0) / n as f64).next_down());
            }
        }
    }

    /// Takes back the last points of a sample, which were not used: a sequence will give them again.
    pub(crate) fn take_back(&mut self, unused: usize) {
        self.drawn = self.drawn.wrapping_sub(unused as u64);
    }

    /// Which of `n` things the point after the next `ahead` is: each once, then each once again in another order.
    pub(crate) fn turn(&self, ahead: usize, n: usize) -> usize {
        let at = self.drawn.wrapping_add(ahead as u64);
        permuted(at % n as u64, n as u64, super::mixed(self.key ^ (at / n as u64))) as usize
    }
}

/// Room for `n` points.
pub(crate) fn reserve(points: &mut Vec<f64>, n: usize, dimension: usize) -> Result<()> {
    let bytes = n.saturating_mul(dimension).saturating_mul(size_of::<f64>());
    let room = n.checked_mul(dimension).ok_or(());
    let room = room.and_then(|m| points.try_reserve(m).map_err(drop));
    room.map_err(|()| resolvent::Error::Memory { bytes }.into())
}

impl State for Sampler {
    fn store(&self, name: &str, checkpoint: &mut Checkpoint) {
        let SamplerState { sampling, seed, key, drawn, position: [low, high] } = self.state();
        checkpoint.put_integers(name, &[sampling, seed, key, drawn, low, high]);
    }

    fn restore(&mut self, name: &str, checkpoint: &mut Checkpoint) -> resolvent::Result<()> {
        let words: [u64; 6] = checkpoint.take_integers(name, 6)?.try_into().unwrap_or_default();
        let [sampling, seed, key, drawn, low, high] = words;
        let state = SamplerState { sampling, seed, key, drawn, position: [low, high] };
        Self::restore(self, state).map_err(|e| resolvent::Error::Checkpoint {
            path: checkpoint.path().into(),
            why: format!("`{name}`: {e}"),
        })
    }
}
