//! A training of a cycle as text.

use crate::config::{read, table, text};
use crate::{Error, Result};
use resolvent::CycleTrainingOptions;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What to train, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CycleConfig {
    /// `cycle`.
    pub kind: CycleKind,
    /// What it is called.
    #[serde(default)]
    pub name: String,
    /// Of the geometries and errors.
    #[serde(default = "one")]
    pub seed: u64,
    /// 2 or 3 dimensions.
    pub dim: usize,
    /// The optimiser and its batches.
    #[serde(default)]
    pub train: CycleTrain,
    /// What is written down, and when.
    #[serde(default)]
    pub log: CycleLog,
}

fn one() -> u64 {
    1
}

/// What is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CycleKind {
    /// The numbers of a multigrid cycle.
    Cycle,
}

/// `[train]`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CycleTrain {
    /// Steps of Adam; the rate falls to 0 over them.
    pub steps: u64,
    /// Geometries a step; a multiple of 4 has as many of each kind.
    pub batch: u64,
    /// The rate of the first step.
    pub rate: f64,
}

impl Default for CycleTrain {
    fn default() -> Self {
        let CycleTrainingOptions { steps, batch, rate, .. } = CycleTrainingOptions::new(3);
        Self { steps, batch, rate }
    }
}

/// `[log]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CycleLog {
    /// Steps between two lines of `metrics.jsonl`.
    pub every: u64,
    /// Steps between two checkpoints.
    pub checkpoint: u64,
}

impl Default for CycleLog {
    fn default() -> Self {
        Self { every: 1, checkpoint: 10 }
    }
}

impl CycleConfig {
    /// Reads a file. Each of `sets`, `train.steps=100`, changes one value first.
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

    /// What the training is made of.
    pub(super) fn options(&self) -> CycleTrainingOptions {
        let mut options = CycleTrainingOptions::new(self.dim);
        let CycleTrain { steps, batch, rate } = self.train;
        (options.seed, options.steps, options.batch, options.rate) = (self.seed, steps, batch, rate);
        options
    }
}
