//! A network that is linear in the residual: a cycle whose kernels are made, cell by cell, of what is around.
//!
//! K. W. Lan, E. Gueidon, A. Kaneda, J. Panetta, J. Teran, *A neural-preconditioned Poisson solver for mixed Dirichlet and Neumann
//! boundary conditions*, ICML 2024, arXiv 2310.00177. On every level a convolution of the images of the operator gives each
//! cell a kernel of 3^dim weights, which the residual is multiplied by on the way down and on the way up; levels are joined
//! with two numbers, means of convolutions of the images.
//!
//! Departure: the images are those of each cell's own faces instead of flags with a frame of boundary cells around them. The
//! kernels depend on the operator alone, so that they are made once for it; a proposal then takes 2 · 3^dim multiplications a
//! cell on the finest level, as much memory as some steps of conjugate gradients.

mod evaluation;

pub(super) use evaluation::Evaluation;
#[cfg(feature = "cuda")]
pub(super) use evaluation::device::DeviceEvaluation;

use super::image::IMAGES;
use crate::learn::{Activation, Initializer, Linear, Parameters, Resampling, Tape, Var};
use crate::{Grid, Result, Scalar};

/// How many levels there are below the finest, and in how many dimensions.
///
/// ```
/// use resolvent::direction::Masked;
/// assert_eq!(Masked { dim: 3, levels: 4 }.parameters::<f32>(1)?.0.len(), 20_582);
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Masked {
    /// 2 or 3 dimensions.
    pub dim: usize,
    /// Levels below the finest.
    pub levels: usize,
}

/// The layers of a level.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    /// On the way down.
    pub pre: Linear,
    /// On the way up.
    pub post: Linear,
    /// What the level itself counts.
    pub own: Linear,
    /// What comes up counts.
    pub risen: Linear,
}

/// All layers.
#[derive(Clone, Debug)]
pub struct MaskedLayers {
    pub(super) levels: Vec<Level>,
    pub(super) bottom: Linear,
}

impl Masked {
    /// Parameters with their initial values, and the layers.
    ///
    /// # Errors
    /// As [`Dcdm::parameters`](super::Dcdm::parameters).
    pub fn parameters<T: Scalar>(self, seed: u64) -> Result<(Parameters<T>, MaskedLayers)> {
        let (mut p, taps) = (Parameters::new(seed), 3usize.pow(self.dim as u32));
        // That of the authors' framework: uniform within one over the root of the numbers that are summed.
        let bound = 1.0 / ((taps * IMAGES) as f64).sqrt();
        let mut layer = |name: String, outputs| {
            p.convolution(&name, self.dim, IMAGES, outputs, Initializer::Uniform(-bound, bound))
        };
        let mut level = |i: usize| {
            Ok(Level {
                pre: layer(format!("pre_{i}"), taps)?,
                post: layer(format!("post_{i}"), taps)?,
                own: layer(format!("own_{i}"), 1)?,
                risen: layer(format!("risen_{i}"), 1)?,
            })
        };
        let levels = (0..self.levels).map(&mut level).collect::<Result<_>>()?;
        let bottom = layer("bottom".into(), taps)?;
        Ok((p, MaskedLayers { levels, bottom }))
    }

    /// Multiplications of one proposal, for each cell; those that make the kernels are not among them.
    pub fn cost(self) -> f64 {
        let coarser = 0.5f64.powi(self.dim as i32);
        let levels: f64 = (0..self.levels).map(|l| 2.0 * coarser.powi(l as i32)).sum();
        3f64.powi(self.dim as i32) * (levels + coarser.powi(self.levels as i32))
    }
}

impl MaskedLayers {
    /// f(x) for samples x `[samples × cells, 1]` of an operator with this image `[cells, 3]`: → `[samples × cells, 1]`.
    ///
    /// # Errors
    /// As [`Tape::local_product`].
    pub(super) fn record<T: Scalar>(
        &self,
        tape: &mut Tape<T>,
        p: &Parameters<T>,
        grid: Grid,
        image: Var,
        x: Var,
    ) -> Result<Var> {
        let (mut fields, mut images, mut grids) = (vec![x], vec![image], vec![grid]);
        let linear = Activation::Identity;
        for (i, level) in self.levels.iter().enumerate() {
            let k = tape.convolution_layer(p, level.pre, grids[i], images[i], linear)?;
            fields[i] = tape.local_product(grids[i], fields[i], k)?;
            fields.push(tape.resample(Resampling::Average, grids[i], fields[i])?);
            images.push(tape.resample(Resampling::Average, grids[i], images[i])?);
            grids.push(grids[i].halved());
        }
        let last = self.levels.len();
        let k = tape.convolution_layer(p, self.bottom, grids[last], images[last], linear)?;
        let mut risen = tape.local_product(grids[last], fields[last], k)?;
        for (i, level) in self.levels.iter().enumerate().rev() {
            let x = tape.resample(Resampling::Linear, grids[i], risen)?;
            let k = tape.convolution_layer(p, level.post, grids[i], images[i], linear)?;
            let x = tape.local_product(grids[i], x, k)?;
            let mut counted = |x: Var, layer: Linear| {
                let share = tape.convolution_layer(p, layer, grids[i], images[i], linear)?;
                let share = tape.mean(share)?;
                tape.multiply(x, share)
            };
            let (own, up) = (counted(fields[i], level.own)?, counted(x, level.risen)?);
            risen = tape.add(own, up)?;
        }
        Ok(risen)
    }
}
