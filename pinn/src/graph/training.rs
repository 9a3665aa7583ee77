//! The training itself.

use super::batch::Wanted;
use super::classes::Confusions;
use super::config::{GraphConfig, GraphTask};
use super::evaluation::GraphEvaluation;
use super::member::Member;
use super::samples::{Samples, file};
use crate::evaluation::FieldError;
use crate::run::{self, Outcome, Progress, RunFolder, Start, TermMetrics, Training};
use crate::{Error, Result};
use rayon::prelude::*;
use resolvent::graph::GraphNetwork;
use resolvent::learn::{Checkpoint, Schedule, State};
use resolvent_datasets::graph::Graph;
use serde_json::Value;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Trains what `config` says in `folder`, which ends with the file `evaluation.json` in it.
///
/// # Errors
/// As [`run::run`] and [`GraphTraining::new`].
pub fn train(
    config: &GraphConfig,
    folder: &Path,
    start: Start,
    environment: &Value,
    watch: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>,
) -> Result<Outcome> {
    run::run(&mut GraphTraining::new(config)?, folder, start, environment, watch)
}

/// What the last checkpoint in `folder` is worth, on the graphs held out and in tables beside baselines; with `data`, the one table of
/// that set.
///
/// # Errors
/// Those of the folder and of the files; [`Error::Training`] when there is no checkpoint, or a set does
/// not fit.
pub fn evaluate(folder: &Path, data: Option<&Path>) -> Result<(Vec<FieldError>, GraphEvaluation)> {
    let mut training = GraphTraining::load(folder)?;
    training.measure()?;
    let evaluation = GraphEvaluation::of(&mut training, data)?;
    Ok((training.errors, evaluation))
}

/// Solvers of graphs that are being trained, by Adam and in f32: one, or one for each fold of a set.
pub struct GraphTraining {
    config: GraphConfig,
    pub(super) samples: Samples,
    pub(super) members: Vec<Member>,
    /// What was said of graphs held out, where they have classes.
    pub(super) confusions: Confusions,
    schedule: Schedule,
    loss: f64,
    errors: Vec<FieldError>,
    /// After how many steps the errors were measured.
    measured_at: Option<u64>,
}

impl GraphTraining {
    /// With the initial weights.
    ///
    /// # Errors
    /// [`Error::Training`] for a network, graphs or a batch that cannot be;
    /// [`Error::Solver`] for a learning rate or another number that cannot be; those of the file.
    pub fn new(config: &GraphConfig) -> Result<Self> {
        let samples = Samples::open(config)?;
        let classify = config.task == GraphTask::Classification;
        let architecture = config.network.architecture(samples.widths(), classify)?;
        let schedule = config.train.rate.schedule(config.train.steps);
        schedule.check()?;
        let members = (0..samples.members()).map(|number| {
            let network =
                GraphNetwork::new(architecture.clone(), config.seed.wrapping_add(u64::from(number)))?;
            Member::new(number, network, &config.train, &samples)
        });
        let members: Vec<Member> = members.collect::<Result<_>>()?;
        let classes = samples.set().map_or(0, |s| s.classes);
        Ok(Self {
            confusions: Confusions::new(members.len(), classes),
            config: config.clone(),
            samples,
            members,
            schedule,
            loss: f64::NAN,
            errors: vec![],
            measured_at: None,
        })
    }

    /// As the last checkpoint in a folder has it.
    ///
    /// # Errors
    /// As [`evaluate`].
    pub fn load(folder: &Path) -> Result<Self> {
        let run = RunFolder::open(folder)?;
        let mut training = Self::new(&GraphConfig::load(&folder.join("config.toml"), &[])?)?;
        let mut checkpoint = run.latest()?.ok_or_else(|| run.nothing())?;
        training.restore("", &mut checkpoint)?;
        Ok(training)
    }

    /// What it is trained by.
    pub fn config(&self) -> &GraphConfig {
        &self.config
    }

    /// Answers for graphs with the features it was trained on: for each graph a number a node, or the logarithm of each class's
    /// weight. Of several folds the first answers.
    ///
    /// # Errors
    /// [`Error::Training`] for graphs of other features.
    pub fn answers(&mut self, graphs: &[Graph<f64>]) -> Result<Vec<Vec<f64>>> {
        super::evaluation::answers(self, graphs).map(|a| a.values)
    }

    fn measured(&mut self) -> Result<()> {
        let name = self.samples.target().to_owned();
        if self.config.task == GraphTask::Classification {
            let classes = self.samples.set().map_or(0, |s| s.classes);
            let folds: Vec<Result<Vec<u64>>> =
                self.members.par_iter_mut().map(|m| confusion(m, classes)).collect();
            let counts: Vec<u64> = folds.into_iter().collect::<Result<Vec<_>>>()?.concat();
            self.confusions.push(self.steps(), &counts);
            let at = self.confusions.accuracy(self.confusions.looks() - 1);
            let (relative_l2, max) = (1.0 - at.mean, 1.0 - at.least);
            self.errors = vec![FieldError { name, relative_l2, max, spectral: None }];
            return Ok(());
        }
        let (mut left, mut all, mut max) = (0.0, 0.0, 0.0f64);
        self.members[0].held_out(|batch, answers| {
            let Wanted::Nodes(values) = &batch.wanted else { return };
            for (a, v) in answers.iter().zip(values) {
                let (v, d) = (f64::from(*v), f64::from(a - v));
                (left, all, max) = (left + d * d, all + v * v, max.max(d.abs()));
            }
        })?;
        self.errors = vec![FieldError { name, relative_l2: (left / all).sqrt(), max, spectral: None }];
        Ok(())
    }
}

/// `[classes, classes]` of the graphs that a member holds out.
fn confusion(member: &mut Member, classes: usize) -> Result<Vec<u64>> {
    let mut counts = vec![0; classes * classes];
    member.held_out(|batch, answers| {
        let Wanted::Classes(labels) = &batch.wanted else { return };
        for (logits, label) in answers.chunks(classes.max(1)).zip(labels.targets()) {
            counts[*label as usize * classes + likeliest(logits)] += 1;
        }
    })?;
    Ok(counts)
}

/// The first of the largest.
fn likeliest(logits: &[f32]) -> usize {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    logits.iter().position(|l| *l == largest).unwrap_or(0)
}

impl State for GraphTraining {
    fn store(&self, _: &str, checkpoint: &mut Checkpoint) {
        self.members.iter().for_each(|m| m.store(checkpoint));
        self.confusions.store("confusions", checkpoint);
    }

    fn restore(&mut self, _: &str, checkpoint: &mut Checkpoint) -> resolvent::Result<()> {
        self.measured_at = None;
        self.members.iter_mut().try_for_each(|m| m.restore(checkpoint))?;
        self.confusions.restore("confusions", checkpoint)
    }
}

impl Training for GraphTraining {
    fn kind(&self) -> &'static str {
        "graph training"
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
        Ok(GraphConfig::parse(text, &[])?.to_toml())
    }
    fn files(&self) -> Vec<PathBuf> {
        file(&self.config)
    }
    fn steps(&self) -> u64 {
        self.members[0].adam.steps()
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

    /// What is left on the graphs held out, or the part of them that is put into a wrong class; no number where nothing comes to
    /// rest any more. What was measured after the last step is not measured again.
    fn measure(&mut self) -> Result<()> {
        let steps = self.steps();
        if self.measured_at.replace(steps) == Some(steps) {
            return Ok(());
        }
        match self.measured() {
            Err(Error::NotFinite { .. }) => {
                let name = self.samples.target().to_owned();
                let (relative_l2, max) = (f64::NAN, f64::NAN);
                self.errors = vec![FieldError { name, relative_l2, max, spectral: None }];
                Ok(())
            }
            end => end,
        }
    }

    fn advance(&mut self) -> Result<bool> {
        let (rate, clip) = (self.schedule.rate(self.steps()), self.config.train.clip);
        let samples = &self.samples;
        // Folds are independent, so that any number of threads does the same.
        let ends: Vec<Result<()>> =
            self.members.par_iter_mut().map(|m| m.advance(samples, rate, clip)).collect();
        self.loss = self.members.iter().map(|m| m.loss).sum::<f64>() / self.members.len() as f64;
        ends.into_iter().collect::<Result<Vec<()>>>()?;
        Ok(true)
    }

    fn loss(&self) -> f64 {
        self.loss
    }
    fn terms(&self) -> Vec<TermMetrics> {
        let name =
            if self.config.task == GraphTask::Classification { "cross-entropy" } else { "mean square error" };
        vec![TermMetrics { name: name.into(), loss: self.loss, weight: 1.0 }]
    }
    fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    fn finish(&mut self, folder: &RunFolder) -> Result<()> {
        self.measure()?;
        if self.steps() >= self.all() {
            let evaluation = GraphEvaluation::of(self, None)?;
            folder.write(
                "evaluation.json",
                &format!("{}\n", serde_json::to_string(&evaluation).unwrap_or_default()),
            )?;
        }
        Ok(())
    }
}
