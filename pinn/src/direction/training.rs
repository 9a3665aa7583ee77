//! The training itself.

use super::ahead;
use super::config::{DirectionConfig, LeftConfig};
use super::energy::UnitEnergy;
use super::samples::Samples;
use crate::evaluation::FieldError;
use crate::run::{self, Outcome, Progress, RunFolder, Start, TermMetrics, Training};
use crate::{Error, Result};
use resolvent::direction::{Left, Model, View};
use resolvent::learn::{Adam, AdamOptions, Checkpoint, Parameters, Schedule, State, Tape, clip_by_norm};
use serde_json::Value;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Of Adam, as in the authors' framework.
const EPSILON: f64 = 1e-7;

/// Trains what `config` says in `folder`, which ends with the file `model.safetensors` in it.
///
/// # Errors
/// As [`run::run`] and [`DirectionTraining::new`].
pub fn train(
    config: &DirectionConfig,
    folder: &Path,
    start: Start,
    environment: &Value,
    watch: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>,
) -> Result<Outcome> {
    run::run(&mut DirectionTraining::new(config)?, folder, start, environment, watch)
}

/// What the last checkpoint in `folder` leaves of the samples that are held out.
///
/// # Errors
/// Those of the folder and of the files; [`Error::Training`] when there is no checkpoint.
pub fn evaluate(folder: &Path) -> Result<Vec<FieldError>> {
    let run = RunFolder::open(folder)?;
    let mut training = DirectionTraining::new(&DirectionConfig::load(&folder.join("config.toml"), &[])?)?;
    let mut checkpoint = run.latest()?.ok_or_else(|| run.nothing())?;
    training.restore("", &mut checkpoint)?;
    training.measure()?;
    Ok(training.errors)
}

/// A network of directions that is being trained, by Adam and in f32.
pub struct DirectionTraining {
    config: DirectionConfig,
    samples: Samples,
    model: Model,
    /// What the network sees of each file's operator.
    views: Vec<View>,
    /// What scales samples, where energy is measured.
    scales: Vec<UnitEnergy>,
    parameters: Parameters<f32>,
    adam: Adam<f32>,
    schedule: Schedule,
    tape: Tape<f32>,
    gradient: Vec<f32>,
    loss: f64,
    errors: Vec<FieldError>,
}

impl DirectionTraining {
    /// With the initial weights.
    ///
    /// # Errors
    /// As [`Samples::open`]; [`Error::Training`] for a network that cannot be; [`Error::Solver`] for a learning rate that cannot
    /// be.
    pub fn new(config: &DirectionConfig) -> Result<Self> {
        let train = config.train;
        let left = train.left.into();
        let samples = Samples::open(&config.data, config.seed, train.batch, train.held_out, left)?;
        let model = Model::new(config.network.architecture(samples.dim())?, config.seed)?;
        let parameters = model.parameters().clone();
        let views = samples.operators().map(|a| model.view(a)).collect::<resolvent::Result<_>>()?;
        let scales = match left {
            Left::Residual => vec![],
            Left::Energy => samples.operators().map(UnitEnergy::new).collect::<Result<_>>()?,
        };
        let schedule = train.rate.schedule(train.steps);
        schedule.check()?;
        let options = AdamOptions { epsilon: EPSILON, ..AdamOptions::default() };
        Ok(Self {
            samples,
            adam: Adam::new(parameters.len(), options)?,
            gradient: parameters.zeros(),
            model,
            views,
            scales,
            parameters,
            schedule,
            tape: Tape::new(),
            loss: f64::NAN,
            errors: vec![],
            config: config.clone(),
        })
    }

    /// The model as it is trained so far.
    ///
    /// # Errors
    /// [`Error::Solver`].
    pub fn model(&self) -> Result<Model> {
        let (steps, batch) = (self.adam.steps(), self.config.train.batch);
        let about = format!(
            "{}; {steps} steps of {batch} samples, seed {}",
            self.samples.describe(),
            self.config.seed
        );
        Ok(self.model.clone().with_weights(self.parameters.values(), &about, steps)?)
    }

    fn not_finite(&self, what: &'static str, layer: Option<String>) -> Error {
        Error::NotFinite { step: self.adam.steps(), what, term: "descent".into(), layer }
    }
}

impl State for DirectionTraining {
    fn store(&self, name: &str, checkpoint: &mut Checkpoint) {
        self.parameters.store(name, checkpoint);
        self.adam.store("adam", checkpoint);
    }

    fn restore(&mut self, name: &str, checkpoint: &mut Checkpoint) -> resolvent::Result<()> {
        self.parameters.restore(name, checkpoint)?;
        self.adam.restore("adam", checkpoint)
    }
}

impl Training for DirectionTraining {
    fn kind(&self) -> &'static str {
        "direction training"
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
        Ok(DirectionConfig::parse(text, &[])?.to_toml())
    }
    fn files(&self) -> Vec<PathBuf> {
        self.samples.paths().map(Path::to_path_buf).collect()
    }
    fn steps(&self) -> u64 {
        self.adam.steps()
    }
    fn all(&self) -> u64 {
        self.config.train.steps
    }
    fn saves(&self) -> u64 {
        self.config.log.checkpoint
    }
    fn logs(&self) -> [u64; 2] {
        [self.config.log.every, self.config.log.errors]
    }
    fn rate(&self, step: u64) -> f64 {
        self.schedule.rate(step)
    }

    /// What is left of the samples held out: its root mean square, and the largest of a batch.
    fn measure(&mut self) -> Result<()> {
        let (mut sum, mut count, mut largest) = (0.0, 0.0, 0.0f64);
        let tape = &mut self.tape;
        for batch in self.samples.held_out() {
            let mut batch = batch?;
            if let Some(scale) = self.scales.get_mut(batch.source) {
                scale.scale(batch.stencil, &mut batch.values)?;
            }
            tape.evaluate_with(&self.parameters)?;
            let b = tape.input(&batch.values, batch.values.len(), 1)?;
            let d = self.model.record(tape, &self.parameters, &self.views[batch.source], b)?;
            let loss = batch.descent.record(tape, d, b)?;
            let (loss, samples) = (tape.number(loss)?, batch.samples as f64);
            (sum, count) = (sum + loss * samples, count + samples);
            largest = largest.max(loss.sqrt());
        }
        let name = match self.config.train.left {
            LeftConfig::Residual => "held-out residual",
            LeftConfig::Energy => "held-out error",
        };
        let name = name.into();
        self.errors =
            vec![FieldError { name, relative_l2: (sum / count).sqrt(), max: largest, spectral: None }];
        Ok(())
    }

    fn advance(&mut self) -> Result<bool> {
        let step = self.adam.steps();
        let mut batch = self.samples.batch(step)?;
        let ahead = ahead::steps(self.config.train.ahead, self.config.seed, step);
        if ahead > 0 {
            let model = self.model.clone().with_weights(self.parameters.values(), "", step)?;
            ahead::advance(&model, batch.stencil, ahead, &mut batch.values)?;
        }
        if let Some(scale) = self.scales.get_mut(batch.source) {
            scale.scale(batch.stencil, &mut batch.values)?;
        }
        let tape = &mut self.tape;
        tape.start_with(&self.parameters)?;
        let b = tape.input(&batch.values, batch.values.len(), 1)?;
        let d = self.model.record(tape, &self.parameters, &self.views[batch.source], b)?;
        let loss = batch.descent.record(tape, d, b)?;
        self.loss = tape.number(loss)?;
        if !self.loss.is_finite() {
            return Err(self.not_finite("loss", None));
        }
        tape.backward(loss)?;
        self.gradient.copy_from_slice(tape.parameter_gradient());
        if let Some(parameter) = self.parameters.not_finite(&self.gradient) {
            return Err(self.not_finite("gradient", Some(parameter.name().into())));
        }
        if let Some(most) = self.config.train.clip {
            clip_by_norm(&mut self.gradient, most)?;
        }
        self.adam.step(self.schedule.rate(step), &self.gradient, self.parameters.values_mut())?;
        Ok(true)
    }

    fn loss(&self) -> f64 {
        self.loss
    }
    fn terms(&self) -> Vec<TermMetrics> {
        vec![TermMetrics { name: "descent".into(), loss: self.loss, weight: 1.0 }]
    }
    fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    fn finish(&mut self, folder: &RunFolder) -> Result<()> {
        self.measure()?;
        // Of a training that blew up before its first checkpoint there is no model.
        if self.parameters.not_finite(self.parameters.values()).is_none() {
            self.model()?.save(&folder.path().join("model.safetensors"))?;
        }
        Ok(())
    }
}
