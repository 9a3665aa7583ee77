//! A training of directions as text.

use crate::config::{RateConfig, RateKind, read, table, text, within};
use crate::{Error, Result};
use resolvent::direction::{Architecture, Dcdm, Left, Masked};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What to train, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectionConfig {
    /// `direction`.
    pub kind: DirectionKind,
    /// What it is called.
    #[serde(default)]
    pub name: String,
    /// Of the initial weights and of the order of the samples.
    #[serde(default)]
    pub seed: u64,
    /// Files of samples, of any sizes but one dimension.
    pub data: Vec<PathBuf>,
    /// The network.
    #[serde(default)]
    pub network: DirectionNetwork,
    /// The optimiser and its batches.
    #[serde(default)]
    pub train: DirectionTrain,
    /// What is written down, and when.
    #[serde(default)]
    pub log: DirectionLog,
}

/// What is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DirectionKind {
    /// A network that proposes directions.
    Direction,
}

/// `[network]`: by default the one that was published for 64³ cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DirectionNetwork {
    /// Which.
    pub kind: NetworkKind,
    /// Pairs of convolutions before the coarse branch.
    pub before: usize,
    /// Pairs of convolutions on the coarse grid.
    pub coarse: usize,
    /// Pairs of convolutions after the branch.
    pub after: usize,
    /// Channels.
    pub channels: usize,
    /// Of `linear`: levels below the finest.
    pub levels: usize,
}

/// The networks there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkKind {
    /// Rectified convolutions with one coarse branch.
    Dcdm,
    /// Linear in the residual, with kernels made of what is around each cell; of the other keys only `levels` counts.
    Linear,
}

impl Default for DirectionNetwork {
    fn default() -> Self {
        let Dcdm { before, coarse, after, channels, .. } = Dcdm::small(3);
        Self { kind: NetworkKind::Dcdm, before, coarse, after, channels, levels: 4 }
    }
}

impl DirectionNetwork {
    /// The network for grids of `dim` dimensions.
    ///
    /// # Errors
    /// [`Error::Training`] for no channels or more than 256, more than 256 pairs, or more than 16 levels.
    pub fn architecture(self, dim: usize) -> Result<Architecture> {
        let Self { before, coarse, after, channels, levels, .. } = self;
        if self.kind == NetworkKind::Linear {
            if levels > 16 {
                let what = format!("[network] has {levels} levels");
                return Err(Error::Training { what, mend: "use at most 16 levels".into() });
            }
            return Ok(Architecture::Masked(Masked { dim, levels }));
        }
        if channels == 0 || [before, coarse, after, channels].iter().any(|n| *n > 256) {
            let what = format!("[network] has {channels} channels and {before}, {coarse}, {after} pairs");
            return Err(Error::Training { what, mend: "use 1 to 256 channels and at most 256 pairs".into() });
        }
        Ok(Architecture::Dcdm(Dcdm { dim, before, coarse, after, channels }))
    }
}

/// `[train]`: by default as published, but for the number of steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DirectionTrain {
    /// Steps of Adam.
    pub steps: u64,
    /// Samples a step.
    pub batch: usize,
    /// What is measured of what a step leaves.
    pub left: LeftConfig,
    /// The most steps of the loop that a batch is taken along before it is trained on; as published, none.
    pub ahead: usize,
    /// The largest norm of a gradient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
    /// The share of the samples of every file that is held out.
    pub held_out: f64,
    /// The learning rate.
    pub rate: RateConfig,
}

/// What is measured of what a step leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LeftConfig {
    /// Its residual, as published.
    Residual,
    /// Its error in the norm of the operator, which a step makes least; solutions are found by multigrid.
    Energy,
}

impl From<LeftConfig> for Left {
    fn from(left: LeftConfig) -> Self {
        match left {
            LeftConfig::Residual => Self::Residual,
            LeftConfig::Energy => Self::Energy,
        }
    }
}

impl Default for DirectionTrain {
    fn default() -> Self {
        let rate = RateConfig { kind: RateKind::Constant, first: 1e-4, ..RateConfig::default() };
        let left = LeftConfig::Residual;
        Self { steps: 2000, batch: 10, left, ahead: 0, clip: None, held_out: 0.02, rate }
    }
}

/// `[log]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DirectionLog {
    /// Steps between two lines of `metrics.jsonl`.
    pub every: u64,
    /// Steps between two measurements on the samples held out.
    pub errors: u64,
    /// Steps between two checkpoints.
    pub checkpoint: u64,
}

impl Default for DirectionLog {
    fn default() -> Self {
        Self { every: 10, errors: 100, checkpoint: 100 }
    }
}

impl DirectionConfig {
    /// Reads a file, from whose folder the paths in it begin. Each of `sets`, `train.steps=100`, changes one value first.
    ///
    /// # Errors
    /// [`Error::File`]; as [`parse`](Self::parse).
    pub fn load(path: &Path, sets: &[String]) -> Result<Self> {
        let mut config = Self::parse(&text(path)?, sets).map_err(|e| match e {
            Error::Config { what, .. } => Error::Config { path: Some(path.into()), what },
            e => e,
        })?;
        if config.name.is_empty() {
            config.name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        for file in &mut config.data {
            *file = within(folder, file)?;
        }
        Ok(config)
    }

    /// Reads text.
    ///
    /// # Errors
    /// [`Error::Config`] for text that is no TOML, an unknown key, with the nearest known one, a missing key or a value of
    /// another type.
    pub fn parse(text: &str, sets: &[String]) -> Result<Self> {
        read(&table(text, sets)?)
    }

    /// The whole text, with every default.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }
}
