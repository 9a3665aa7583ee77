//! How it is trained.

use crate::balance::{Average, Balance, Denominator, Extent, GradientStatistics, Numerator};
use resolvent::learn::Schedule;
use serde::{Deserialize, Serialize};

/// `[balance]`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BalanceConfig {
    /// The rule.
    pub kind: BalanceKind,
    /// Steps between two looks.
    pub every: u64,
    /// The part of the old weight that is kept.
    pub keep: f64,
    /// Of gradient statistics: whether the gradient below the line is that of λL, as in the published program.
    pub weighted: bool,
    /// Of gradient statistics: whether only the weights of layers are looked at, as in the published program.
    pub layers: bool,
    /// Of gradient statistics: whether each layer is looked at for itself, as in the published program of the cavity.
    pub each_layer: bool,
}

impl Default for BalanceConfig {
    fn default() -> Self {
        Self {
            kind: BalanceKind::Fixed,
            every: 10,
            keep: 0.9,
            weighted: true,
            layers: true,
            each_layer: false,
        }
    }
}

/// The rule by which weights change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BalanceKind {
    /// They do not.
    Fixed,
    /// The largest gradient of the equation over the mean of the term's.
    GradientStatistics,
    /// The mean over the mean.
    Mean,
    /// Gradients of one norm.
    GradientNorm,
    /// Tangent kernels of one trace.
    TangentKernel,
}

impl BalanceConfig {
    /// The rule.
    pub fn balance(&self) -> Balance {
        let average = Average { every: self.every, keep: self.keep };
        let statistics = |numerator| GradientStatistics {
            average,
            numerator,
            denominator: if self.weighted { Denominator::Weighted } else { Denominator::Plain },
            extent: match (self.each_layer, self.layers) {
                (true, _) => Extent::EachLayer,
                (false, true) => Extent::Weights,
                (false, false) => Extent::All,
            },
        };
        match self.kind {
            BalanceKind::Fixed => Balance::Fixed,
            BalanceKind::GradientStatistics => Balance::GradientStatistics(statistics(Numerator::Max)),
            BalanceKind::Mean => Balance::GradientStatistics(statistics(Numerator::Mean)),
            BalanceKind::GradientNorm => Balance::GradientNorm(average),
            BalanceKind::TangentKernel => Balance::TangentKernel(average),
        }
    }
}

/// `[causal]`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CausalConfig {
    /// Slabs of time.
    pub slabs: usize,
    /// ε.
    pub epsilon: f64,
}

impl Default for CausalConfig {
    fn default() -> Self {
        Self { slabs: 32, epsilon: 1.0 }
    }
}

/// `[train]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// `adam`.
    pub optimizer: Optimizer,
    /// Steps of Adam.
    pub steps: u64,
    /// Steps of L-BFGS after them.
    pub lbfgs: u64,
    /// Points of the equation a step.
    pub points: usize,
    /// `f32` or `f64`.
    pub precision: Precision,
    /// How points are spread: `uniform`, `latin-hypercube`, `sobol`, `halton` or `grid`.
    pub sampling: String,
    /// Steps between two draws of points; 0 draws them once.
    pub resample: u64,
    /// Steps of L-BFGS between two draws of points, at which its memory begins anew; 0 draws none.
    pub redraw: u64,
    /// The largest norm of a gradient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
    /// Weight decay.
    pub decay: f64,
    /// The learning rate.
    pub rate: RateConfig,
    /// Points of the equation chosen by their residuals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adaptive: Option<AdaptiveConfig>,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            optimizer: Optimizer::Adam,
            steps: 40_000,
            lbfgs: 0,
            points: 128,
            precision: Precision::F32,
            sampling: "uniform".into(),
            resample: 1,
            redraw: 0,
            clip: None,
            decay: 0.0,
            rate: RateConfig::default(),
            adaptive: None,
        }
    }
}

/// The optimiser that steps begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    /// Adam.
    Adam,
}

/// The numbers that are trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floats.
    F32,
    /// 64-bit floats.
    F64,
}

/// `train.rate`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateConfig {
    /// How it changes.
    pub kind: RateKind,
    /// The rate of step 0.
    pub first: f64,
    /// What `every` steps multiply it by.
    pub decay: f64,
    /// Steps.
    pub every: u64,
    /// What half a cosine goes down to.
    pub last: f64,
    /// Steps over which it grows from nothing first.
    pub warmup: u64,
}

impl Default for RateConfig {
    fn default() -> Self {
        Self { kind: RateKind::Exponential, first: 1e-3, decay: 0.9, every: 1000, last: 0.0, warmup: 0 }
    }
}

/// How a rate changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RateKind {
    /// Not at all.
    Constant,
    /// first · decay^(step / every).
    Exponential,
    /// Along half a cosine over all steps.
    Cosine,
    /// Along half a cosine over `every` steps, again and again.
    CosineRestarts,
}

impl RateConfig {
    /// The schedule over `steps`.
    pub fn schedule(&self, steps: u64) -> Schedule {
        let rate = self.first;
        let then = match self.kind {
            RateKind::Constant => Schedule::Constant { rate },
            RateKind::Exponential => {
                Schedule::Exponential { rate, factor: self.decay, every: self.every, staircase: false }
            }
            RateKind::CosineRestarts => {
                Schedule::CosineRestarts { rate, floor: self.last, first: self.every, factor: 1 }
            }
            RateKind::Cosine => Schedule::Cosine { rate, floor: self.last, steps: steps.max(1) },
        };
        match self.warmup {
            0 => then,
            steps => Schedule::Warmup { steps, then: Box::new(then) },
        }
    }
}

/// `train.adaptive`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdaptiveConfig {
    /// Points looked at for each draw.
    pub candidates: usize,
    /// k in p ∝ |r|ᵏ / mean|r|ᵏ + c.
    pub exponent: f64,
    /// c.
    pub offset: f64,
}

impl Default for AdaptiveConfig {
    fn default() -> Self {
        Self { candidates: 10_000, exponent: 1.0, offset: 1.0 }
    }
}

/// `[log]`: how often what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Steps between two lines of `metrics.jsonl`.
    pub every: u64,
    /// Steps between two measurements of the error.
    pub errors: u64,
    /// Whether errors over two coordinates are also measured in the spectral norm.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub spectral: bool,
    /// Steps between two checkpoints.
    pub checkpoint: u64,
    /// Looks at the gradients of every layer, evenly over the training.
    pub densities: u64,
    /// Looks at the eigenvalues of the Hessian.
    pub spectra: u64,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { every: 100, errors: 1000, spectral: false, checkpoint: 1000, densities: 3, spectra: 0 }
    }
}
