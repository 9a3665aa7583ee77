//! The network of the deep conjugate direction method.
//!
//! A. Kaneda, O. Akar, J. Chen, V. Kala, D. Hyde, J. Teran, *A deep conjugate direction method for iteratively solving linear
//! systems*, ICML 2023, arXiv 2205.10763; layers as in the authors' code. A first convolution is linear, all others are
//! rectified; every second one is added to what was before the pair. One average-pooled branch is brought back by its nearest
//! value and added; a last layer reads one number from the channels of each cell.

#[cfg(feature = "cuda")]
mod device;
mod evaluation;

#[cfg(feature = "cuda")]
pub(super) use device::DeviceEvaluation;
pub(super) use evaluation::Evaluation;

use crate::learn::{Activation, Initializer, Linear, Parameters, Resampling, Tape, Var};
use crate::{Grid, Result, Scalar};

/// How many layers there are where, and in how many dimensions. The weights do not depend on the size of the grid.
///
/// ```
/// use resolvent::direction::Dcdm;
/// let parameters = Dcdm::large(3).parameters::<f32>(1)?.0;
/// assert_eq!(parameters.len(), 152_881);
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dcdm {
    /// 2 or 3 dimensions; a kernel has 9 or 27 taps.
    pub dim: usize,
    /// Pairs of convolutions before the branch, on the fine grid.
    pub before: usize,
    /// Pairs of convolutions on the coarse grid.
    pub coarse: usize,
    /// Pairs of convolutions after the branch.
    pub after: usize,
    /// Channels of every layer.
    pub channels: usize,
}

/// The layers, in the order in which they are run.
#[derive(Clone, Debug)]
pub struct Layers {
    /// Linear.
    pub(super) first: Linear,
    /// The one that the pairs start from.
    pub(super) entry: Linear,
    pub(super) before: Vec<[Linear; 2]>,
    /// The last before the branch.
    pub(super) exit: Linear,
    pub(super) coarse: Vec<[Linear; 2]>,
    pub(super) after: Vec<[Linear; 2]>,
    /// One number for each cell.
    pub(super) read: Linear,
}

impl Dcdm {
    /// The network that was published for 64³ cells: 97 457 parameters in 3-D.
    pub const fn small(dim: usize) -> Self {
        Self { dim, before: 1, coarse: 3, after: 2, channels: 16 }
    }

    /// The network that was published for 128³ cells: 152 881 parameters in 3-D.
    pub const fn large(dim: usize) -> Self {
        Self { dim, before: 2, coarse: 5, after: 3, channels: 16 }
    }

    /// Parameters with the initial values of the authors' framework (uniform after Glorot, offsets 0), and the layers.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory); [`Error::Layout`](crate::Error::Layout) for more parameters than an index can
    /// count.
    pub fn parameters<T: Scalar>(self, seed: u64) -> Result<(Parameters<T>, Layers)> {
        let mut p = Parameters::new(seed);
        let (dim, c) = (self.dim, self.channels);
        let mut layer = |name: &str, inputs| p.convolution(name, dim, inputs, c, Initializer::GlorotUniform);
        let first = layer("first", 1)?;
        let entry = layer("entry", c)?;
        let mut pairs = |name: &str, count: usize| {
            let pair = |i| Ok([layer(&format!("{name}_{i}a"), c)?, layer(&format!("{name}_{i}b"), c)?]);
            (0..count).map(pair).collect::<Result<Vec<_>>>()
        };
        let (before, coarse, after) =
            (pairs("before", self.before)?, pairs("coarse", self.coarse)?, pairs("after", self.after)?);
        let exit = layer("exit", c)?;
        let read = p.linear("read", c, 1, Initializer::GlorotUniform)?;
        Ok((p, Layers { first, entry, before, exit, coarse, after, read }))
    }

    /// Multiplications of one evaluation, for each cell.
    pub fn cost(self) -> f64 {
        let taps = 3f64.powi(self.dim as i32);
        let (c, pair) = (self.channels as f64, 2.0 * taps * (self.channels * self.channels) as f64);
        let fine = (self.before + self.after + 1) as f64 + self.coarse as f64 * 0.5f64.powi(self.dim as i32);
        taps * c + pair * fine + c
    }
}

impl Layers {
    /// f(x) for samples x `[samples × cells, 1]` on a grid: → `[samples × cells, 1]`.
    ///
    /// # Errors
    /// As [`Tape::convolution`].
    pub fn record<T: Scalar>(
        &self,
        tape: &mut Tape<T>,
        parameters: &Parameters<T>,
        grid: Grid,
        x: Var,
    ) -> Result<Var> {
        let mut layer = |layer: Linear, grid, x, f| tape.convolution_layer(parameters, layer, grid, x, f);
        let (linear, relu) = (Activation::Identity, Activation::Relu);
        let x = layer(self.first, grid, x, linear)?;
        let x = layer(self.entry, grid, x, relu)?;
        let x = pairs(tape, parameters, &self.before, grid, x)?;
        let skip = tape.convolution_layer(parameters, self.exit, grid, x, relu)?;
        let x = tape.resample(Resampling::Average, grid, skip)?;
        let x = pairs(tape, parameters, &self.coarse, grid.halved(), x)?;
        let x = tape.resample(Resampling::Nearest, grid, x)?;
        let x = tape.add(x, skip)?;
        let x = pairs(tape, parameters, &self.after, grid, x)?;
        tape.layer(parameters, self.read, x, linear)
    }
}

/// x ← f(f(x)) + x, pair by pair.
fn pairs<T: Scalar>(
    tape: &mut Tape<T>,
    parameters: &Parameters<T>,
    layers: &[[Linear; 2]],
    grid: Grid,
    mut x: Var,
) -> Result<Var> {
    for [a, b] in layers {
        let y = tape.convolution_layer(parameters, *a, grid, x, Activation::Relu)?;
        let y = tape.convolution_layer(parameters, *b, grid, y, Activation::Relu)?;
        x = tape.add(y, x)?;
    }
    Ok(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_parameters_as_published() {
        for (network, count) in [(Dcdm::small(3), 97_457), (Dcdm::large(3), 152_881)] {
            assert_eq!(network.parameters::<f32>(1).unwrap().0.len(), count);
        }
        // A pair in 2-D has 2 (9 · 16 · 16 + 16) of them.
        assert_eq!(Dcdm::small(2).parameters::<f32>(1).unwrap().0.len(), 7 * 2 * 2320 + 10 * 16 + 17);
    }

    #[test]
    fn the_cost_is_that_of_the_layers() {
        // 12 rectified convolutions on the fine grid, 10 on the coarse one.
        let expected = 27.0 * 16.0 + 27.0 * 256.0 * (12.0 + 10.0 / 8.0) + 16.0;
        assert_eq!(Dcdm::large(3).cost(), expected);
    }
}
