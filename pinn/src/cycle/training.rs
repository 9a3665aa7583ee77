//! The training itself.

use super::config::CycleConfig;
use crate::evaluation::FieldError;
use crate::run::{self, Outcome, Progress, RunFolder, Start, TermMetrics, Training};
use crate::{Error, Result};
use resolvent::CycleTraining;
use resolvent::learn::{Checkpoint, State};
use serde_json::Value;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Trains what `config` says in `folder`, which ends with the file `model.safetensors` in it.
///
/// # Errors
/// As [`run::run`] and [`Cycle::new`].
pub fn train(
    config: &CycleConfig,
    folder: &Path,
    start: Start,
    environment: &Value,
    watch: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>,
) -> Result<Outcome> {
    run::run(&mut Cycle::new(config)?, folder, start, environment, watch)
}

/// The numbers of a cycle that is being trained.
pub struct Cycle {
    config: CycleConfig,
    training: CycleTraining,
    loss: f64,
}

impl Cycle {
    /// From the classical cycle.
    ///
    /// # Errors
    /// [`Error::Solver`] for a dimension that is not 2 or 3, no geometries, or a rate that is not a positive number.
    pub fn new(config: &CycleConfig) -> Result<Self> {
        Ok(Self { training: CycleTraining::new(config.options())?, config: config.clone(), loss: f64::NAN })
    }
}

impl State for Cycle {
    fn store(&self, name: &str, checkpoint: &mut Checkpoint) {
        self.training.store(name, checkpoint);
    }

    fn restore(&mut self, name: &str, checkpoint: &mut Checkpoint) -> resolvent::Result<()> {
        self.training.restore(name, checkpoint)
    }
}

impl Training for Cycle {
    fn kind(&self) -> &'static str {
        "cycle training"
    }
    fn name(&self) -> &str {
        &self.config.name
    }
    fn seed(&self) -> u64 {
        self.config.seed
    }
    fn text(&self) -> String {
        self.config.to_toml()
    }
    fn resolved(&self, text: &str) -> Result<String> {
        Ok(CycleConfig::parse(text, &[])?.to_toml())
    }
    fn files(&self) -> Vec<PathBuf> {
        vec![]
    }
    fn steps(&self) -> u64 {
        self.training.steps()
    }
    fn all(&self) -> u64 {
        self.config.train.steps
    }
    fn saves(&self) -> u64 {
        self.config.log.checkpoint
    }
    fn logs(&self) -> [u64; 2] {
        [self.config.log.every, 0]
    }
    fn rate(&self, step: u64) -> f64 {
        self.training.rate(step)
    }

    /// There is nothing to compare with.
    fn measure(&mut self) -> Result<()> {
        Ok(())
    }

    fn advance(&mut self) -> Result<bool> {
        self.loss = self.training.step()?;
        if self.loss.is_finite() {
            return Ok(true);
        }
        Err(Error::NotFinite {
            step: self.training.steps(),
            what: "loss",
            term: "contraction".into(),
            layer: None,
        })
    }

    fn loss(&self) -> f64 {
        self.loss
    }
    fn terms(&self) -> Vec<TermMetrics> {
        vec![TermMetrics { name: "contraction".into(), loss: self.loss, weight: 1.0 }]
    }
    fn errors(&self) -> &[FieldError] {
        &[]
    }

    fn finish(&mut self, folder: &RunFolder) -> Result<()> {
        let path = folder.path().join("model.safetensors");
        Ok(self.training.tuning().save(&path, self.config.dim, self.training.steps())?)
    }
}
