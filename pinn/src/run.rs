//! A training in a folder: what it is, how it goes, what it has learnt.
//!
//! [`Training`] is whatever is trained step by step; what a run writes, when it saves, and how it is taken up again is here,
//! once for all kinds: networks that solve equations ([`train`]), networks that propose directions
//! ([`direction::train`](crate::direction::train)), solvers of graphs ([`graph::train`](crate::graph::train)) and multigrid cycles
//! ([`cycle::train`](crate::cycle::train)).
//!
//! | file | what |
//! |:--|:--|
//! | `config.toml` | the configuration with every default |
//! | `environment.json` | version, threads, seed, checksums of the data, and what the caller adds |
//! | `metrics.jsonl` | a line every so many steps: losses, weights, errors, learnt parameters |
//! | `gradients.jsonl`, `spectra.jsonl` | densities of gradients by layer, eigenvalues of the Hessian |
//! | `checkpoints/step-N.safetensors`, `checkpoints/latest` | states, and the name of the last |
//! | `panel.json` | of a solution: predicted and exact values on a plane |
//! | `model.safetensors` | of directions and cycles: the model |
//! | `evaluation.json` | of graphs: tables beside baselines, and what pictures are made of |
//! | `DONE` | that it has come to its end |
//!
//! Files are written beside and renamed; a run that was ended at any step, or killed, goes on from its last checkpoint to the
//! same bits as one that was not.

mod folder;
mod metrics;
mod physics;

pub use folder::RunFolder;
pub use metrics::{Metrics, TermMetrics};
pub use physics::{Against, evaluate, train};

use crate::evaluation::FieldError;
use crate::{Error, Result};
use resolvent::learn::{Checkpoint, State};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

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

/// A step that may be written down.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The step, from 0.
    pub step: u64,
    /// Steps to be done in all.
    pub all: u64,
    /// Whether it is the last.
    pub last: bool,
    /// Seconds of training in all.
    pub seconds: f64,
}

/// Something that is trained step by step in a folder. What [`State`] stores is all that a training goes on from.
pub trait Training: State {
    /// What is trained, as checkpoints call it.
    fn kind(&self) -> &'static str;
    /// Which one.
    fn name(&self) -> &str;
    /// Of everything random.
    fn seed(&self) -> u64;
    /// The configuration with every default.
    fn text(&self) -> String;
    /// The text of a configuration of this kind with every default.
    ///
    /// # Errors
    /// [`Error::Config`].
    fn resolved(&self, text: &str) -> Result<String>;
    /// The files that it reads.
    fn files(&self) -> Vec<PathBuf>;
    /// Steps done.
    fn steps(&self) -> u64;
    /// Steps to be done in all.
    fn all(&self) -> u64;
    /// Steps between two checkpoints; 0 for one at the end alone.
    fn saves(&self) -> u64;

    /// Called once the folder is there and the state is that of its last checkpoint.
    ///
    /// # Errors
    /// What cannot be made ready.
    fn begin(&mut self, folder: &RunFolder) -> Result<()> {
        let _ = folder;
        Ok(())
    }

    /// One step; `false` when another would change nothing.
    ///
    /// # Errors
    /// [`Error::NotFinite`] ends a run at its last checkpoint; any other at once.
    fn advance(&mut self) -> Result<bool>;

    /// Steps between two lines of `metrics.jsonl`, and between two measurements of the errors; 0 for at the end alone.
    fn logs(&self) -> [u64; 2];
    /// The learning rate of a step.
    fn rate(&self, step: u64) -> f64;

    /// Measures the errors.
    ///
    /// # Errors
    /// What cannot be measured.
    fn measure(&mut self) -> Result<()>;

    /// Writes down what is due of the step that was done, whose losses are those before it.
    ///
    /// # Errors
    /// [`Error::File`], and what cannot be measured.
    fn look(&mut self, folder: &RunFolder, look: Look) -> Result<()> {
        let [line, measurement] = self.logs().map(|every| every > 0 && look.step.is_multiple_of(every));
        let measured = measurement || look.last;
        if measured {
            self.measure()?;
        }
        if line || measured {
            folder.append("metrics.jsonl", &self.metrics(look, self.rate(look.step), measured))?;
        }
        self.look_further(folder, look)
    }

    /// Writes down what else is due.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    fn look_further(&mut self, folder: &RunFolder, look: Look) -> Result<()> {
        let _ = (folder, look);
        Ok(())
    }

    /// The weighted loss of the last step.
    fn loss(&self) -> f64;
    /// Its terms.
    fn terms(&self) -> Vec<TermMetrics>;
    /// The errors that were last measured.
    fn errors(&self) -> &[FieldError];
    /// Parameters that are learnt besides the weights.
    fn parameters(&self) -> BTreeMap<String, f64> {
        BTreeMap::new()
    }

    /// Measures what a run has come to and writes what is made of it.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    fn finish(&mut self, folder: &RunFolder) -> Result<()>;

    /// The line of `metrics.jsonl` for a step of this learning rate, with the errors where they were `measured` at it.
    fn metrics(&self, look: Look, rate: f64, measured: bool) -> Metrics {
        Metrics {
            step: look.step,
            seconds: look.seconds,
            rate,
            loss: self.loss(),
            terms: self.terms(),
            errors: if measured { self.errors().to_vec() } else { vec![] },
            parameters: self.parameters(),
        }
    }
}

/// Trains in `folder`. `environment` is added to what the folder says of its making; `watch` hears of progress and can end the
/// run with [`ControlFlow::Break`].
///
/// # Errors
/// [`Error::Training`] for a folder that holds another run, or nothing to resume; those of the training.
pub fn run(
    training: &mut dyn Training,
    folder: &Path,
    start: Start,
    environment: &Value,
    watch: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>,
) -> Result<Outcome> {
    Run::open(training, folder, start, environment)?.go(watch)
}

/// A training and its folder.
struct Run<'a> {
    folder: RunFolder,
    training: &'a mut dyn Training,
    /// Seconds before this start.
    before: f64,
    clock: Instant,
}

impl<'a> Run<'a> {
    fn open(training: &'a mut dyn Training, path: &Path, start: Start, environment: &Value) -> Result<Self> {
        let text = training.text();
        let folder = match start {
            Start::New => RunFolder::create(path, &text)?,
            _ => RunFolder::open(path)?,
        };
        let mut before = 0.0;
        if start != Start::New {
            if start == Start::Resume {
                folder.compare(&training.resolved(&folder.config()?)?, &text)?;
            }
            if let Some(mut checkpoint) = folder.latest()? {
                training.restore("", &mut checkpoint)?;
                checkpoint.finish()?;
                before = folder.resume_at(training.steps())?;
            } else {
                folder.resume_at(0)?;
            }
            // Only what could be taken up replaces what was.
            folder.write("config.toml", &text)?;
        }
        folder.write("environment.json", &about(training, environment)?)?;
        training.begin(&folder)?;
        Ok(Self { folder, training, before, clock: Instant::now() })
    }

    fn go(mut self, watch: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>) -> Result<Outcome> {
        let (all, saves) = (self.training.all(), self.training.saves());
        let mut spoken: Option<Instant> = None;
        let mut stuck = false;
        let end = loop {
            let step = self.training.steps();
            if step >= all || stuck {
                break End::Done;
            }
            match self.training.advance() {
                Ok(went_on) => stuck = !went_on,
                Err(e @ Error::NotFinite { .. }) => break End::NotFinite(e.to_string()),
                Err(e) => return Err(e),
            }
            let last = step + 1 >= all || stuck;
            let look = Look { step, all, last, seconds: self.seconds() };
            self.training.look(&self.folder, look)?;
            if (saves > 0 && (step + 1).is_multiple_of(saves)) || last {
                self.save()?;
            }
            if spoken.is_none_or(|s| s.elapsed() >= PROGRESS) || last {
                spoken = Some(Instant::now());
                let terms = self.training.terms();
                let progress = Progress {
                    steps: [step + 1, all],
                    loss: self.training.loss(),
                    terms: &terms,
                    errors: self.training.errors(),
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

    fn seconds(&self) -> f64 {
        self.before + self.clock.elapsed().as_secs_f64()
    }

    fn save(&self) -> Result<()> {
        let (training, step) = (&self.training, self.training.steps());
        let checkpoint = Checkpoint::new(training.kind(), training.name(), step);
        let mut checkpoint = checkpoint.with_config(&training.text());
        training.store("", &mut checkpoint);
        self.folder.save(step, &checkpoint)
    }

    /// Goes back to the last checkpoint, if there is one.
    fn roll_back(&mut self) -> Result<()> {
        if let Some(mut checkpoint) = self.folder.latest()? {
            self.training.restore("", &mut checkpoint)?;
        }
        Ok(())
    }

    fn finish(self, end: End) -> Result<Outcome> {
        let seconds = self.seconds();
        self.training.finish(&self.folder)?;
        let outcome = Outcome {
            steps: self.training.steps(),
            seconds,
            loss: self.training.loss(),
            errors: self.training.errors().to_vec(),
            parameters: self.training.parameters(),
            end,
        };
        if outcome.end == End::Done {
            self.folder.write("DONE", &format!("{} steps\n", outcome.steps))?;
        }
        Ok(outcome)
    }
}

/// What the folder says of its making.
fn about(training: &dyn Training, environment: &Value) -> Result<String> {
    let mut about = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "threads": rayon::current_num_threads(),
        "seed": training.seed(),
    });
    let mut data = vec![];
    for path in training.files() {
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
