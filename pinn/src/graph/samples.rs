//! The graphs that are trained on, and those that are held out.

use super::batch::Batch;
use super::config::{GraphConfig, GraphTask};
use super::form::Form;
use crate::{Error, Result};
use rayon::prelude::*;
use resolvent::learn::Random;
use resolvent_datasets::graph::value_iteration::{self, Processes};
use resolvent_datasets::graph::{Graph, GraphSet, Schema, folds, pore_network, tu};
use std::path::{Path, PathBuf};

/// Folds of a set of classes that has none of its own.
const FOLDS: u32 = 10;
/// Folds at most.
const MOST_FOLDS: u32 = 1000;
/// Graphs held out where they are made.
const HELD_OUT: usize = 64;
/// Pores of the rocks that are trained on.
const PORES: std::ops::RangeInclusive<usize> = 50..=200;

/// Where graphs come from.
pub(super) struct Samples {
    task: GraphTask,
    seed: u64,
    batch: usize,
    pub form: Form,
    source: Source,
}

enum Source {
    /// Made anew every so many steps.
    Made { fresh: u64 },
    /// Read from a file.
    Read(Box<Set>),
}

/// A set of graphs.
pub(super) struct Set {
    pub graphs: Vec<Graph<f64>>,
    pub schema: Schema,
    /// The class of each; empty where there are none.
    pub labels: Vec<u32>,
    /// The fold of each, or whether it is held out: 0.
    folds: Vec<u32>,
    pub classes: usize,
    /// What is found on nodes.
    pub target: String,
    /// Of decision processes: the factor of the next value, where the set says it.
    pub discount: Option<f64>,
}

impl Samples {
    /// Opens what a configuration names.
    ///
    /// # Errors
    /// [`Error::Training`] for a set without what is to be found, without a graph to train on, or none given for classes; those
    /// of the file.
    pub fn open(config: &GraphConfig) -> Result<Self> {
        let (task, train) = (config.task, &config.train);
        if train.batch == 0 || train.fresh == 0 || !(0.0..1.0).contains(&train.held_out) {
            let what = format!(
                "train.batch is {}, train.fresh {} and train.held_out {}",
                train.batch, train.fresh, train.held_out
            );
            let mend =
                "use at least one graph a batch, one step between draws, and a share from 0 to below 1";
            return Err(Error::Training { what, mend: mend.into() });
        }
        let source = match &config.data {
            None if task == GraphTask::Classification => {
                return Err(Error::Training {
                    what: "`data` names no graphs to be classified".into(),
                    mend: "make a file with `resolvent data make mutag --out mutag.h5`, or name a folder in TU format".into(),
                });
            }
            None => Source::Made { fresh: train.fresh },
            Some(path) => {
                let mut set = Set::read(path, task)?;
                set.divide(config.seed, train.held_out);
                let kept = set.folds.iter().filter(|f| **f > 0).count();
                if kept == 0 {
                    let what = format!("{}: no graph is left to train on", path.display());
                    return Err(Error::Training { what, mend: "make more graphs, or hold out fewer".into() });
                }
                Source::Read(Box::new(set))
            }
        };
        let form = Form::new(
            &config.network,
            &match &source {
                Source::Read(set) => set.schema.clone(),
                Source::Made { .. } if task == GraphTask::ValueIteration => value_iteration::schema(),
                Source::Made { .. } => pore_network::schema(),
            },
        )?;
        Ok(Self { task, seed: config.seed, batch: train.batch, form, source })
    }

    /// Trainings side by side: one, or as many as there are folds.
    pub fn members(&self) -> u32 {
        match &self.source {
            Source::Read(set) if set.classes > 0 => set.folds.iter().max().map_or(1, |f| f + 1),
            _ => 1,
        }
    }

    /// Features of a node and of an edge, and answers.
    pub fn widths(&self) -> [usize; 3] {
        let [node, edge] = self.form.widths();
        [node, edge, self.set().map_or(1, |s| s.classes.max(1))]
    }

    /// The set, if it is read.
    pub fn set(&self) -> Option<&Set> {
        match &self.source {
            Source::Made { .. } => None,
            Source::Read(set) => Some(set),
        }
    }

    /// What is found.
    pub fn target(&self) -> &str {
        match (&self.source, self.task) {
            (_, GraphTask::Classification) => "misclassified",
            (Source::Read(set), _) => &set.target,
            (_, GraphTask::ValueIteration) => "value",
            (_, GraphTask::PoreNetwork) => "pressure",
        }
    }

    /// A number that two steps share when they are trained on the same batch.
    pub fn draw(&self, step: u64) -> u64 {
        match self.source {
            Source::Made { fresh } => step / fresh,
            Source::Read(_) => step,
        }
    }

    /// Whether the graphs of one draw come again in others.
    pub fn returns(&self) -> bool {
        matches!(self.source, Source::Read(_))
    }

    /// What member number `member` is trained on at a step, in pieces. Of a file every graph comes once an epoch, whose last batch may be smaller.
    ///
    /// # Errors
    /// Those of making graphs.
    pub fn batch(&self, member: u32, step: u64) -> Result<Vec<Batch>> {
        match &self.source {
            Source::Made { .. } => self.make(self.seed, self.draw(step) as usize * self.batch, self.batch),
            Source::Read(set) => {
                let mut order: Vec<usize> =
                    (0..set.graphs.len()).filter(|i| !set.is_held_out(*i, member)).collect();
                let batches = order.len().div_ceil(self.batch) as u64;
                let epoch = step / batches;
                Random::new(self.seed, &format!("graphs: order {epoch} of {member}")).shuffle(&mut order);
                let first = (step % batches) as usize * self.batch;
                set.batch(&order[first..order.len().min(first + self.batch)], &self.form)
            }
        }
    }

    /// What is never trained on, in pieces.
    ///
    /// # Errors
    /// Those of making graphs.
    pub fn held_out(&self, member: u32) -> Result<Vec<Batch>> {
        match &self.source {
            Source::Made { .. } => self.make(!self.seed, 0, HELD_OUT),
            Source::Read(set) => {
                let all: Vec<usize> = (0..set.graphs.len()).filter(|i| set.is_held_out(*i, member)).collect();
                set.batch(&all, &self.form)
            }
        }
    }

    fn make(&self, seed: u64, first: usize, count: usize) -> Result<Vec<Batch>> {
        let processes = Processes::default();
        let one = |i: usize| match self.task {
            GraphTask::ValueIteration => processes.graph(seed, i),
            _ => pore_network::network(seed, i, PORES),
        };
        let graphs: Vec<Graph<f64>> =
            (first..first + count).into_par_iter().map(one).collect::<Result<_, _>>()?;
        Batch::pieces(&graphs.iter().collect::<Vec<_>>(), &[], 0, &self.form)
    }
}

impl Set {
    /// Reads an HDF5 set, or for classes a folder in TU format.
    ///
    /// # Errors
    /// [`Error::Training`] for a set without what is to be found; those of the file.
    pub fn read(path: &Path, task: GraphTask) -> Result<Self> {
        let text = path.is_dir() || path.extension().is_some_and(|e| e == "zip" || e == "whl");
        let set: GraphSet<f64> = match text {
            true => tu::read(path, None, tu::Limits::default())?,
            false => GraphSet::read(path)?,
        };
        let refuse = |what: &str, mend: &str| Error::Training {
            what: format!("{}: {what}", path.display()),
            mend: mend.into(),
        };
        let labels = match (task, &set.labels) {
            (GraphTask::Classification, None) => {
                return Err(refuse("its graphs have no classes", "add `graph_labels` to it"));
            }
            (GraphTask::Classification, Some(labels)) => labels.clone(),
            _ => vec![],
        };
        let classes = labels.iter().max().map_or(0, |l| *l as usize + 1);
        if task == GraphTask::Classification && !(2..=4096).contains(&classes) {
            return Err(refuse(&format!("its graphs have {classes} classes"), "use 2 to 4096"));
        }
        let target = set.schema.node[1].first().map(|c| c.name.clone());
        if task != GraphTask::Classification && target.is_none() {
            return Err(refuse("its nodes have no target", "add `node_targets` to it"));
        }
        if set.folds.iter().flatten().any(|f| *f >= MOST_FOLDS) {
            return Err(refuse("its graphs have too many folds", "use at most 1000"));
        }
        if set.is_empty() {
            return Err(refuse("there is no graph in it", "make some with `resolvent data make`"));
        }
        let discount = set.meta.iter().find(|(name, _)| name == "discount").and_then(|(_, v)| v.parse().ok());
        let graphs = (0..set.len()).map(|i| set.get(i)).collect();
        let (target, folds) = (target.unwrap_or_default(), set.folds.unwrap_or_default());
        Ok(Self { graphs, schema: set.schema, labels, folds, classes, target, discount })
    }

    /// Gives every graph a fold: of classes that have none by the seed; of others the last are held out.
    fn divide(&mut self, seed: u64, held_out: f64) {
        let n = self.graphs.len();
        if self.classes == 0 {
            let held = ((n as f64 * held_out).ceil() as usize).max(1);
            self.folds = (0..n).map(|i| u32::from(i + held < n)).collect();
        } else if self.folds.is_empty() {
            self.folds = folds::stratified(&self.labels, FOLDS, seed);
        }
    }

    fn is_held_out(&self, graph: usize, member: u32) -> bool {
        self.folds[graph] == member
    }

    /// Some of the graphs.
    ///
    /// # Errors
    /// [`Error::Solver`] for more nodes than can be counted.
    fn batch(&self, numbers: &[usize], form: &Form) -> Result<Vec<Batch>> {
        let graphs: Vec<&Graph<f64>> = numbers.iter().map(|i| &self.graphs[*i]).collect();
        let labels: Vec<u32> = match self.classes {
            0 => vec![],
            _ => numbers.iter().map(|i| self.labels[*i]).collect(),
        };
        let mut pieces = Batch::pieces(&graphs, &labels, self.classes, form)?;
        pieces.iter_mut().flat_map(|p| &mut p.numbers).for_each(|n| *n = numbers[*n]);
        Ok(pieces)
    }
}

/// The file of a configuration.
pub(super) fn file(config: &GraphConfig) -> Vec<PathBuf> {
    // A folder has no checksum.
    config.data.iter().filter(|p| p.is_file()).cloned().collect()
}
