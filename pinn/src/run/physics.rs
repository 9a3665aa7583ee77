//! A physics-informed network as a training in a folder.

use super::folder::{self, RunFolder};
use super::{Look, Outcome, Progress, Start, TermMetrics, Training};
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
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Largest eigenvalues that are looked at.
const EIGENVALUES: usize = 10;

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
        Precision::F32 => super::run(&mut Physics::<f32>::new(&problem)?, folder, start, environment, watch),
        Precision::F64 => super::run(&mut Physics::<f64>::new(&problem)?, folder, start, environment, watch),
    }
}

/// What [`evaluate`] looks at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Against<'a> {
    /// A file with a solution, where it is not the one that the configuration names.
    pub data: Option<&'a Path>,
    /// Where to write the learnt solution (`.h5` or `.vti`), and its points along each coordinate.
    pub export: Option<(&'a Path, usize)>,
    /// Whether errors over two coordinates are also measured in the spectral norm, whatever the configuration says.
    pub spectral: bool,
}

/// The errors of the last checkpoint in `folder`; none where there is nothing to compare with but the solution is exported.
///
/// # Errors
/// Those of the folder and of the files; [`Error::Training`] when there is neither a solution nor an export.
pub fn evaluate(folder: &Path, against: Against<'_>) -> Result<Vec<FieldError>> {
    let run = RunFolder::open(folder)?;
    let config = Config::load(&folder.join("config.toml"), &[])?;
    let problem = Problem::new(&config)?;
    let evaluation = match against.data {
        Some(path) => Evaluation::against(&problem, path)?,
        None => problem.evaluation(folder)?,
    };
    let evaluation = if against.spectral { evaluation.with_spectral() } else { evaluation };
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
    let mut checkpoint = run.latest()?.ok_or_else(|| run.nothing())?;
    trainer.restore("", &mut checkpoint)?;
    if let Some((path, n)) = against.export {
        crate::export(problem, &trainer, n, path)?;
    }
    evaluation.errors(&mut trainer)
}

/// A network, what it is compared with, and its trainer.
struct Physics<'a, T: Real> {
    problem: &'a Problem,
    trainer: Trainer<T>,
    /// The same objectives in f64, once a spectrum was asked for.
    twin: Option<Trainer<f64>>,
    evaluation: Option<Evaluation>,
    /// In f64, for errors and curvature.
    exact: Propagator<f64>,
    errors: Vec<FieldError>,
}

impl<'a, T: Real> Physics<'a, T> {
    fn new(problem: &'a Problem) -> Result<Self> {
        Ok(Self {
            trainer: problem.trainer::<T>()?,
            twin: None,
            evaluation: None,
            exact: Propagator::new(problem.network().clone())?,
            errors: vec![],
            problem,
        })
    }

    fn config(&self) -> &Config {
        self.problem.config()
    }

    fn spectrum(&mut self, step: u64) -> Result<Spectrum> {
        let wide = |v: &[T]| v.iter().map(|v| v.f64()).collect::<Vec<f64>>();
        let parameters = wide(self.trainer.parameters());
        let twin = match self.twin.take() {
            Some(twin) => twin,
            None => self.problem.trainer::<f64>()?,
        };
        let twin = self.twin.insert(twin);
        // At the points of this step.
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
        let couplings: Vec<_> = twin.objectives().iter().map(|o| o.coupling.as_ref()).collect();
        let weighted = terms.iter().zip(self.trainer.weights()).map(|((t, c), w)| (*t, c * w)).collect();
        let seed = self.problem.config().seed;
        let mut total = {
            let hessian = Hessian::new(&mut self.exact, &parameters, weighted).with_couplings(&couplings);
            let mut total = hessian.largest(EIGENVALUES, seed)?;
            total.extend(hessian.smallest(1, seed)?);
            total
        };
        total.retain(|v| v.is_finite());
        let mut each = vec![];
        for (term, coupling) in terms.iter().zip(&couplings) {
            let hessian = Hessian::new(&mut self.exact, &parameters, vec![*term]);
            let hessian = hessian.with_couplings(&[*coupling]);
            each.push(hessian.largest(EIGENVALUES, seed)?);
        }
        Ok(Spectrum { step, total, terms: each })
    }
}

impl<T: Real> State for Physics<'_, T> {
    fn store(&self, name: &str, checkpoint: &mut Checkpoint) {
        self.trainer.store(name, checkpoint);
    }
    fn restore(&mut self, name: &str, checkpoint: &mut Checkpoint) -> resolvent::Result<()> {
        self.trainer.restore(name, checkpoint)
    }
}

impl<T: Real> Training for Physics<'_, T> {
    fn kind(&self) -> &'static str {
        "pinn"
    }
    fn name(&self) -> &str {
        &self.config().name
    }
    fn seed(&self) -> u64 {
        self.config().seed
    }
    fn text(&self) -> String {
        self.config().to_toml()
    }
    fn resolved(&self, text: &str) -> Result<String> {
        Ok(Config::parse(text, &[])?.to_toml())
    }
    fn files(&self) -> Vec<PathBuf> {
        self.problem.files()
    }
    fn steps(&self) -> u64 {
        self.trainer.steps()
    }
    fn all(&self) -> u64 {
        self.config().train.steps + self.config().train.lbfgs
    }
    fn saves(&self) -> u64 {
        self.config().log.checkpoint
    }
    fn logs(&self) -> [u64; 2] {
        [self.config().log.every, self.config().log.errors]
    }
    fn rate(&self, step: u64) -> f64 {
        self.trainer.rate(step)
    }

    fn measure(&mut self) -> Result<()> {
        let parameters: Vec<f64> = self.trainer.parameters().iter().map(|p| p.f64()).collect();
        if let Some(evaluation) = &self.evaluation {
            self.errors = evaluation.errors_of(&mut self.exact, &parameters)?;
        }
        Ok(())
    }

    fn begin(&mut self, folder: &RunFolder) -> Result<()> {
        self.evaluation = Some(self.problem.evaluation(folder.path())?);
        Ok(())
    }

    /// Steps of Adam, then of L-BFGS.
    fn advance(&mut self) -> Result<bool> {
        if self.trainer.steps() < self.config().train.steps {
            self.trainer.step().map(|_| true)
        } else {
            self.trainer.quasi_newton().map(|s| s.status == LbfgsStatus::Progress)
        }
    }

    fn look_further(&mut self, folder: &RunFolder, look: Look) -> Result<()> {
        let (Look { step, all, .. }, log) = (look, self.config().log);
        if folder::is_look(step, all, log.densities) {
            let density =
                Density::of(self.trainer.network(), step, self.trainer.gradients(), self.trainer.weights());
            folder.append("gradients.jsonl", &density)?;
        }
        if folder::is_look(step, all, log.spectra) {
            let spectrum = self.spectrum(step)?;
            folder.append("spectra.jsonl", &spectrum)?;
        }
        Ok(())
    }

    fn loss(&self) -> f64 {
        self.trainer.loss()
    }

    fn terms(&self) -> Vec<TermMetrics> {
        let all = self.trainer.objectives().iter().zip(self.trainer.losses()).zip(self.trainer.weights());
        all.map(|((o, loss), weight)| TermMetrics { name: o.name.clone(), loss: *loss, weight: *weight })
            .collect()
    }

    fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    fn parameters(&self) -> BTreeMap<String, f64> {
        self.trainer.trained().map(|(name, value)| (name.to_string(), value)).collect()
    }

    fn finish(&mut self, folder: &RunFolder) -> Result<()> {
        self.measure()?;
        let Some(evaluation) = &self.evaluation else { return Ok(()) };
        let panel = evaluation.panel(&self.trainer)?;
        folder.write("panel.json", &(serde_json::to_string(&panel).unwrap_or_default() + "\n"))
    }
}
