//! How points are drawn.
//!
//! A [`Sampler`] fills the unit cube in one of the ways of [`Sampling`]; a [`Part`](crate::Part) of a domain maps it to where
//! an equation or a condition holds. [`ResidualAdaptive`] and [`greatest`] choose among points by the residual there.

mod adaptive;
mod grid;
mod halton;
mod permutation;
mod sampler;
mod sobol;

pub use adaptive::{ResidualAdaptive, greatest};
pub(crate) use sampler::reserve;
pub use sampler::{Sampler, SamplerState};

use crate::{Error, Result};

/// How the points of a sample are spread over the unit cube, and so over a [`Part`](crate::Part) of a domain.
///
/// ```
/// use resolvent_pinn::Sampling;
/// let sampling: Sampling = "sobol".parse()?;
/// assert_eq!(sampling, Sampling::Sobol);
/// assert!("sobel".parse::<Sampling>().unwrap_err().to_string().contains("did you mean `sobol`?"));
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Sampling {
    /// Independent and uniform.
    #[default]
    Uniform,
    /// Of n points, each coordinate has exactly one in each of n equal strata, whose order is random. Every sample is a new one.
    ///
    /// # Reference
    /// M. D. McKay, R. J. Beckman, W. J. Conover, A comparison of three methods for selecting values of input variables in the
    /// analysis of output from a computer code, Technometrics 21 (1979), doi:10.2307/1268522.
    LatinHypercube,
    /// Sobol's sequence with nested scrambling: a sample goes on where the last one ended. A new scrambling begins after
    /// every 2¹⁶ points; at most 256 coordinates.
    ///
    /// # Reference
    /// S. Joe, F. Y. Kuo, Constructing Sobol sequences with better two-dimensional projections, SIAM Journal on Scientific
    /// Computing 30 (2008), doi:10.1137/070709359; A. B. Owen, Scrambling Sobol' and Niederreiter–Xing points, Journal of
    /// Complexity 14 (1998), doi:10.1006/jcom.1998.0487; B. Burley, Practical hash-based Owen scrambling, Journal of Computer
    /// Graphics Techniques 9 (2020).
    Sobol,
    /// Halton's sequence with a random linear permutation of each digit: a sample goes on where the last one ended. At most
    /// 256 coordinates.
    ///
    /// # Reference
    /// J. Matoušek, On the L2-discrepancy for anchored boxes, Journal of Complexity 14 (1998), doi:10.1006/jcom.1998.0489;
    /// A. B. Owen, A randomized Halton algorithm in R (2017), arXiv:1706.02808.
    Halton,
    /// The midpoints of a regular grid, the same in every sample; thinned evenly where the smallest grid that fits has more
    /// points than are asked for.
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

    /// Whether one sample goes on where the last one ended.
    fn is_sequence(self) -> bool {
        matches!(self, Self::Sobol | Self::Halton)
    }
}

impl std::str::FromStr for Sampling {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let named = Self::ALL.into_iter().find(|s| s.name() == text);
        named.ok_or_else(|| Error::Sampling {
            what: format!("there is no sampling `{text}`"),
            needs: crate::error::choices(text, Self::ALL.iter().map(|s| s.name())),
        })
    }
}

/// Spreads the bits of a number over all of them: the finaliser of SplitMix64.
///
/// # Reference
/// G. L. Steele, D. Lea, C. H. Flood, Fast splittable pseudorandom number generators, OOPSLA (2014),
/// doi:10.1145/2660193.2660195.
fn mixed(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
