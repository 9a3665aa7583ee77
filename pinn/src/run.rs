//! A training in a folder: what it is, how it goes, what it has learnt.
//!
//! | file | what |
//! |:--|:--|
//! | `config.toml` | the configuration with every default |
//! | `environment.json` | version, threads, seed, checksums of the data, and what the caller adds |
//! | `metrics.jsonl` | a line every so many steps: losses, weights, errors, learnt parameters |
//! | `gradients.jsonl`, `spectra.jsonl` | densities of gradients by layer, eigenvalues of the Hessian |
//! | `checkpoints/step-N.safetensors`, `checkpoints/latest` | states, and the name of the last |
//! | `panel.json` | predicted and exact values on a plane |
//! | `DONE` | that it has come to its end |
//!
//! Files are written beside and renamed; a run that was ended at any step, or killed, goes on from its last checkpoint to the
//! same bits as one that was not.

mod folder;
mod metrics;

pub use folder::RunFolder;
pub use metrics::{Metrics, TermMetrics};

use crate::config::{Config, Precision};
use crate::density::Density;
use crate::evaluation::{Evaluation, FieldError};
use crate::problem::Problem;
use crate::residual::Term;
use crate::simd::Real;
use crate::spectrum::{Hessian, Spectrum};
use crate::trainer::Trainer;
use crate::{Error, Propagator, Result};
use resolvent::learn::{Checkpoint, LbfgsStatus, State};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

/// Largest eigenvalues that are looked at.
const EIGENVALUES: usize = 10;
/// The least time between two words about progress.
const PROGRESS: Duration = Duration::from_millis(100);

/// How a run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Anew, in a folder that holds no run.
    New,
    /// From the last checkpoint in the folder, whose configuration must be the same.
    Resume,
    /// From the last checkpoint, whatever its configuration was: more steps, another rate.
    ResumeChanged,
}

/// What a run tells while it goes.
pub struct Progress<'a> {
    /// Steps done, and to be done in all.
    pub steps: [u64; 2],
    /// The weighted loss.
    pub loss: f64,
    /// Each term by name: loss and weight.
    pub terms: &'a [TermMetrics],
    /// The errors that were last measured.
    pub errors: &'a [FieldError],
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// All steps were done.
    Done,
    /// The caller asked for it; the state was saved.
    Interrupted,
    /// A number was not finite: what and where. The last checkpoint is the one before.
    NotFinite(String),
}

/// What a run has come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// Steps done in all.
    pub steps: u64,
    /// Seconds of training in all.
    pub seconds: f64,
    /// The weighted loss of the last step.
    pub loss: f64,
    /// Errors, where a solution is known.
    pub errors: Vec<FieldError>,
    /// Learnt parameters of the equations.
    pub parameters: BTreeMap<String, f64>,
}

/// Trains what `config` says in `folder`. `environment` is added to what the folder says of its making; `watch` hears of
/// progress and can end the run with [`ControlFlow::Break`].
///
/// # Errors
/// [`Error::Training`] for a folder that holds another run, or nothing to resume; those of the configuration, of its files
/// and of [`Trainer`].
pub fn train(
    config: &Config,
    folder: &Path,
    start: Start,
    environment: &Value,
    watch: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>,
) -> Result<Outcome> {
    let problem = Problem::new(config)?;
    match config.train.precision {
        Precision::F32 => Run::<f32>::open(&problem, folder, start, environment)?.go(watch),
        Precision::F64 => Run::<f64>::open(&problem, folder, start, environment)?.go(watch),
    }
}

/// What [`evaluate`] looks at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Against<'a> {
    /// A file with a solution, where it is not the one that the configuration names.
    pub data: Option<&'a Path>,
    /// Where to write the learnt solution (`.h5` or `.vti`), and its points along each coordinate.
    pub export: Option<(&'a Path, usize)>,
}

/// The errors of the last checkpoint in `folder`; none where there is nothing to compare with but the solution is exported.
///
/// # Errors
/// Those of the folder and of the files; [`Error::Training`] when there is neither a solution nor an export.
pub fn evaluate(folder: &Path, against: Against<'_>) -> Result<Vec<FieldError>> {
    let run = RunFolder::open(folder)?;
    let config = run.config()?;
    let problem = Problem::new(&config)?;
    let evaluation = match against.data {
        Some(path) => Evaluation::against(&problem, path)?,
        None => problem.evaluation(folder)?,
    };
    if !evaluation.is_known() && against.export.is_none() {
        let what = format!("{}: there is nothing to compare with", folder.display());
        return Err(Error::Training { what, mend: "give a solution: --data FILE.h5".into() });
    }
    match config.train.precision {
        Precision::F32 => evaluate_in::<f32>(&problem, &run, &evaluation, against),
        Precision::F64 => evaluate_in::<f64>(&problem, &run, &evaluation, against),
    }
}

fn evaluate_in<T: Real>(
    problem: &Problem,
    run: &RunFolder,
    evaluation: &Evaluation,
    against: Against<'_>,
) -> Result<Vec<FieldError>> {
    let mut trainer = problem.trainer::<T>()?;
    let mut checkpoint = run.latest()?.ok_or_else(|| nothing(run))?;
    trainer.restore("", &mut checkpoint)?;
    if let Some((path, n)) = against.export {
        crate::export(problem, &trainer, n, path)?;
    }
    evaluation.errors(&mut trainer)
}

fn nothing(run: &RunFolder) -> Error {
    let what = format!("{}: there is no checkpoint", run.path().display());
    Error::Training { what, mend: "train it first: resolvent train CONFIG.toml --out DIR".into() }
}

/// A training and its folder.
struct Run<T: Real> {
    folder: RunFolder,
    config: Config,
    trainer: Trainer<T>,
    evaluation: Evaluation,
    /// In f64, for errors and curvature.
    exact: Propagator<f64>,
    errors: Vec<FieldError>,
    /// Seconds before this start.
    before: f64,
    clock: Instant,
}

impl<T: Real> Run<T> {
    fn open(problem: &Problem, path: &Path, start: Start, environment: &Value) -> Result<Self> {
        let config = problem.config().clone();
        let folder = match start {
            Start::New => RunFolder::create(path, &config)?,
            _ => RunFolder::open(path)?,
        };
        let mut trainer = problem.trainer::<T>()?;
        let mut before = 0.0;
        if start != Start::New {
            if start == Start::Resume {
                folder.compare(&config)?;
            }
            if let Some(mut checkpoint) = folder.latest()? {
                trainer.restore("", &mut checkpoint)?;
                checkpoint.finish()?;
                before = folder.resume_at(trainer.steps())?;
            } else {
                folder.resume_at(0)?;
            }
            // Only what could be taken up replaces what was.
            folder.write("config.toml", &config.to_toml())?;
        }
        folder.write("environment.json", &about(problem, environment)?)?;
        Ok(Self {
            evaluation: problem.evaluation(path)?,
            exact: Propagator::new(problem.network().clone())?,
            folder,
            config,
            trainer,
            errors: vec![],
            before,
            clock: Instant::now(),
        })
    }

    /// Steps of Adam, then of L-BFGS.
    fn go(mut self, watch: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>) -> Result<Outcome> {
        let (adam, log) = (self.config.train.steps, self.config.log);
        let all = adam + self.config.train.lbfgs;
        let mut spoken: Option<Instant> = None;
        let mut stuck = false;
        let end = loop {
            let step = self.trainer.steps();
            if step >= all || stuck {
                break End::Done;
            }
            let done = if step < adam {
                self.trainer.step().map(|_| true)
            } else {
                self.trainer.quasi_newton().map(|s| s.status == LbfgsStatus::Progress)
            };
            match done {
                Ok(went_on) => stuck = !went_on,
                Err(e @ Error::NotFinite { .. }) => break End::NotFinite(e.to_string()),
                Err(e) => return Err(e),
            }
            let last = step + 1 >= all || stuck;
            // The losses of a step are those before it, so its number is theirs.
            self.look(step, all, last)?;
            let due = |every: u64| every > 0 && (step + 1).is_multiple_of(every);
            if due(log.checkpoint) || last {
                self.save()?;
            }
            if spoken.is_none_or(|s| s.elapsed() >= PROGRESS) || last {
                spoken = Some(Instant::now());
                let terms = self.terms();
                let progress = Progress {
                    steps: [step + 1, all],
                    loss: self.trainer.loss(),
                    terms: &terms,
                    errors: &self.errors,
                };
                if watch(&progress).is_break() && !last {
                    self.save()?;
                    break End::Interrupted;
                }
            }
        };
        if let End::NotFinite(_) = end {
            self.roll_back()?;
        }
        self.finish(end)
    }

    /// Writes down what is due of a step.
    fn look(&mut self, step: u64, all: u64, last: bool) -> Result<()> {
        let log = self.config.log;
        let due = |every: u64| every > 0 && step.is_multiple_of(every);
        if due(log.errors) || last {
            self.measure()?;
        }
        if due(log.every) || last {
            let metrics = Metrics {
                step,
                seconds: self.seconds(),
                rate: self.trainer.rate(step),
                loss: self.trainer.loss(),
                terms: self.terms(),
                errors: if due(log.errors) || last { self.errors.clone() } else { vec![] },
                parameters: self.learnt(),
            };
            self.folder.append("metrics.jsonl", &metrics)?;
        }
        if folder::is_look(step, all, log.densities) {
            let density =
                Density::of(self.trainer.network(), step, self.trainer.gradients(), self.trainer.weights());
            self.folder.append("gradients.jsonl", &density)?;
        }
        if folder::is_look(step, all, log.spectra) {
            let spectrum = self.spectrum(step)?;
            self.folder.append("spectra.jsonl", &spectrum)?;
        }
        Ok(())
    }

    fn spectrum(&mut self, step: u64) -> Result<Spectrum> {
        let wide = |v: &[T]| v.iter().map(|v| v.f64()).collect::<Vec<f64>>();
        let parameters = wide(self.trainer.parameters());
        let problem = Problem::new(&self.config)?;
        // The same objectives in f64, at the points of this step.
        let twin = problem.trainer::<f64>()?;
        let clouds: Vec<(Vec<f64>, Vec<f64>)> =
            self.trainer.terms().iter().map(|t| (wide(t.points), wide(t.data))).collect();
        let terms: Vec<(Term<'_, f64>, f64)> = twin
            .objectives()
            .iter()
            .zip(&clouds)
            .map(|(o, (points, data))| {
                (Term { residual: &*o.residual, points, data, weights: None }, o.factor)
            })
            .collect();
        let weighted = terms.iter().zip(self.trainer.weights()).map(|((t, c), w)| (*t, c * w)).collect();
        let seed = self.config.seed;
        let mut total = {
            let hessian = Hessian::new(&mut self.exact, &parameters, weighted);
            let mut total = hessian.largest(EIGENVALUES, seed)?;
            total.extend(hessian.smallest(1, seed)?);
            total
        };
        total.retain(|v| v.is_finite());
        let mut each = vec![];
        for term in &terms {
            let hessian = Hessian::new(&mut self.exact, &parameters, vec![*term]);
            each.push(hessian.largest(EIGENVALUES, seed)?);
        }
        Ok(Spectrum { step, total, terms: each })
    }

    fn measure(&mut self) -> Result<()> {
        let parameters: Vec<f64> = self.trainer.parameters().iter().map(|p| p.f64()).collect();
        self.errors = self.evaluation.errors_of(&mut self.exact, &parameters)?;
        Ok(())
    }

    fn terms(&self) -> Vec<TermMetrics> {
        let all = self.trainer.objectives().iter().zip(self.trainer.losses()).zip(self.trainer.weights());
        all.map(|((o, loss), weight)| TermMetrics { name: o.name.clone(), loss: *loss, weight: *weight })
            .collect()
    }

    fn learnt(&self) -> BTreeMap<String, f64> {
        self.trainer.trained().map(|(name, value)| (name.to_string(), value)).collect()
    }

    fn seconds(&self) -> f64 {
        self.before + self.clock.elapsed().as_secs_f64()
    }

    fn save(&self) -> Result<()> {
        let step = self.trainer.steps();
        let checkpoint = Checkpoint::new("pinn", &self.config.name, step);
        let mut checkpoint = checkpoint.with_config(&self.config.to_toml());
        self.trainer.store("", &mut checkpoint);
        self.folder.save(step, &checkpoint)
    }

    /// Goes back to the last checkpoint, if there is one.
    fn roll_back(&mut self) -> Result<()> {
        if let Some(mut checkpoint) = self.folder.latest()? {
            self.trainer.restore("", &mut checkpoint)?;
        }
        Ok(())
    }

    fn finish(mut self, end: End) -> Result<Outcome> {
        let seconds = self.seconds();
        self.measure()?;
        let panel = self.evaluation.panel(&self.trainer)?;
        self.folder.write("panel.json", &(serde_json::to_string(&panel).unwrap_or_default() + "\n"))?;
        let outcome = Outcome {
            steps: self.trainer.steps(),
            seconds,
            loss: self.trainer.loss(),
            errors: self.errors.clone(),
            parameters: self.learnt(),
            end,
        };
        if outcome.end == End::Done {
            self.folder.write("DONE", &format!("{} steps\n", outcome.steps))?;
        }
        Ok(outcome)
    }
}

/// What the folder says of its making.
fn about(problem: &Problem, environment: &Value) -> Result<String> {
    let mut about = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "threads": rayon::current_num_threads(),
        "seed": problem.config().seed,
    });
    let mut data = vec![];
    for path in problem.files() {
        data.push(json!({ "file": path, "checksum": format!("{:016x}", folder::checksum(&path)?) }));
    }
    about["data"] = json!(data);
    if let (Some(about), Some(more)) = (about.as_object_mut(), environment.as_object()) {
        more.iter().for_each(|(k, v)| {
            about.insert(k.clone(), v.clone());
        });
    }
    Ok(format!("{about:#}\n"))
}
