//! Files of samples, and the order in which they are trained on.

use crate::{Error, Result};
use resolvent::direction::{Descent, Left};
use resolvent::learn::Random;
use resolvent::{Host, LinearOperator, Stencil};
use resolvent_datasets::operators::directions::Directions;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One file: right-hand sides of norm 1, and the operator they belong to.
struct Source {
    path: PathBuf,
    file: Directions,
    stencil: Stencil,
    descent: Descent<f32>,
    /// Samples to train on; the others are held out.
    kept: usize,
}

/// Some files of samples.
pub struct Samples {
    sources: Vec<Source>,
    seed: u64,
    batch: usize,
    /// The batches of an epoch, each with its file; and which epoch it is.
    order: Vec<(usize, Vec<usize>)>,
    epoch: Option<u64>,
}

/// Samples of one file: their loss, and the right-hand sides `[samples × cells]`.
pub struct Batch<'a> {
    /// The number of the file.
    pub source: usize,
    /// Right-hand sides.
    pub samples: usize,
    /// The operator.
    pub stencil: &'a Stencil,
    /// The loss of proposals for them.
    pub descent: &'a Descent<f32>,
    /// The right-hand sides.
    pub values: Vec<f32>,
}

impl Samples {
    /// Opens files; of each a share of `held_out` is not trained on, at least one sample. `left` is what is measured of a proposal.
    ///
    /// # Errors
    /// [`Error::Training`] without a file, for files of two dimensions, fewer samples than a batch, or an operator that
    /// training does not take; those of the files.
    pub fn open(paths: &[PathBuf], seed: u64, batch: usize, held_out: f64, left: Left) -> Result<Self> {
        let refuse = |what: String, mend: &str| Err(Error::Training { what, mend: mend.into() });
        if paths.is_empty() {
            return refuse("`data` names no file".into(), "make one with `resolvent data make directions`");
        }
        if batch == 0 || !(0.0..1.0).contains(&held_out) {
            return refuse(
                format!("train.batch is {batch} and train.held_out {held_out}"),
                "use at least one sample a batch, and a share from 0 to below 1",
            );
        }
        let mut sources: Vec<Source> = vec![];
        for path in paths {
            let file = Directions::open(path)?;
            let problem = file.problem()?;
            let (grid, stencil) = (problem.grid(), problem.stencil().clone());
            let operator: Arc<dyn LinearOperator<Host<f32>>> = match &stencil {
                Stencil::Poisson(a) => Arc::new(a.clone()),
                Stencil::Flags(a) => Arc::new(a.clone()),
                Stencil::Faces(_) => {
                    let what = format!("{}: its operator has a coefficient for every face", path.display());
                    return refuse(
                        what,
                        "use samples of a family with one coefficient, such as box or smoke",
                    );
                }
            };
            let held = ((file.len() as f64 * held_out).ceil() as usize).max(1);
            let kept = file.len().saturating_sub(held);
            if kept < batch {
                let what = format!("{} has {} samples to train on", path.display(), kept);
                return refuse(what, "make more samples, or use a smaller train.batch");
            }
            if sources.first().is_some_and(|s| s.stencil.grid().dim() != grid.dim()) {
                return refuse(
                    format!("{} has another dimension", path.display()),
                    "use files of one dimension",
                );
            }
            let descent = Descent::new(operator, left);
            sources.push(Source { path: path.clone(), file, stencil, descent, kept });
        }
        Ok(Self { sources, seed, batch, order: vec![], epoch: None })
    }

    /// Dimensions of the grids.
    pub fn dim(&self) -> usize {
        self.sources[0].stencil.grid().dim()
    }

    /// A few words on what there is to train on.
    pub fn describe(&self) -> String {
        let words = |s: &Source| {
            let grid = s.stencil.grid();
            let n = grid.n()[..grid.dim()].iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
            format!("{} {}, {} samples", s.file.family(), n, s.kept)
        };
        self.sources.iter().map(words).collect::<Vec<_>>().join("; ")
    }

    /// The operators of the files.
    pub fn operators(&self) -> impl Iterator<Item = &Stencil> {
        self.sources.iter().map(|s| &s.stencil)
    }

    /// The files.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.sources.iter().map(|s| &*s.path)
    }

    /// The batch of a step. Every sample comes once an epoch, but for what is left of a file by its last batch.
    ///
    /// # Errors
    /// Those of the file.
    pub fn batch(&mut self, step: u64) -> Result<Batch<'_>> {
        let batches: usize = self.sources.iter().map(|s| s.kept / self.batch).sum();
        let epoch = step / batches as u64;
        if self.epoch != Some(epoch) {
            self.arrange(epoch);
        }
        let (number, samples) = &self.order[(step % batches as u64) as usize];
        let source = &self.sources[*number];
        let mut values = vec![];
        for &i in samples {
            values.extend(source.file.read(i..i + 1)?);
        }
        let (samples, stencil) = (samples.len(), &source.stencil);
        Ok(Batch { source: *number, samples, stencil, descent: &source.descent, values })
    }

    fn arrange(&mut self, epoch: u64) {
        let mut random = Random::new(self.seed, &format!("directions: order {epoch}"));
        self.order.clear();
        for (number, source) in self.sources.iter().enumerate() {
            let mut samples: Vec<usize> = (0..source.kept).collect();
            random.shuffle(&mut samples);
            self.order.extend(samples.chunks_exact(self.batch).map(|s| (number, s.to_vec())));
        }
        random.shuffle(&mut self.order);
        self.epoch = Some(epoch);
    }

    /// The samples that are held out, in batches.
    ///
    /// # Errors
    /// Those of the files.
    pub fn held_out(&self) -> impl Iterator<Item = Result<Batch<'_>>> {
        self.sources.iter().enumerate().flat_map(move |(number, source)| {
            let all: Range<usize> = source.kept..source.file.len();
            let pieces = all.clone().step_by(self.batch);
            pieces.map(move |first| {
                let samples = self.batch.min(all.end - first);
                let values = source.file.read(first..first + samples)?;
                let stencil = &source.stencil;
                Ok(Batch { source: number, samples, stencil, descent: &source.descent, values })
            })
        })
    }
}
