//! What a trained solver of graphs is worth: tables beside baselines, and what pictures are made of.

use super::batch::Batch;
use super::config::GraphTask;
use super::nodes::{self, words};
use super::samples::Set;
use super::training::GraphTraining;
use crate::Result;
use crate::nullable;
use resolvent::graph::{Equilibrium, EquilibriumOptions, GraphArchitecture, Graphs, Monotone, Transition};
use resolvent::{Report, Scalar, Stop};
use resolvent_datasets::graph::Graph;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;
use std::time::Instant;

/// Nodes of a graph whose weights are shown, at most.
const SHOWN: usize = 60;
/// Sweeps that are shown, at most.
const SWEEPS: usize = 100;

/// The evaluation of a run. Displayed, it is its tables as Markdown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GraphEvaluation {
    /// Tables.
    pub tables: Vec<Table>,
    /// Lines over the size, or over the steps.
    pub curves: Option<Curves>,
    /// How far one graph is from rest after each sweep.
    pub convergence: Option<Curves>,
    /// The weights of the systems of one graph.
    pub transitions: Option<Transitions>,
}

/// Numbers in rows under names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What it is.
    pub title: String,
    /// What its columns mean.
    pub text: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Each as long as there are columns.
    #[serde(deserialize_with = "nullable::read")]
    pub rows: Vec<Vec<f64>>,
}

/// Lines over one axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// What they are.
    pub title: String,
    /// Along.
    pub x: String,
    /// Up.
    pub y: String,
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Its points.
    pub points: Vec<[f64; 2]>,
    /// Whether others are to be compared with it.
    pub guide: bool,
}

/// Weights of edges as a matrix, averaged over heads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transitions {
    /// Rows and columns.
    pub nodes: usize,
    /// Row by row; a row belongs to the node whose x is made.
    #[serde(deserialize_with = "nullable::read")]
    pub values: Vec<f64>,
}

/// Answers for some graphs.
pub(super) struct Answers {
    /// Of each graph.
    pub values: Vec<Vec<f64>>,
    /// Sweeps of the slowest; 0 where nothing comes to rest.
    pub sweeps: usize,
    /// Of all together, once the memory is there.
    pub seconds: f64,
}

impl GraphEvaluation {
    /// # Errors
    /// Those of the file; [`Error::Training`] when it does not fit.
    pub(super) fn of(training: &mut GraphTraining, data: Option<&Path>) -> Result<Self> {
        let task = training.config().task;
        let set = data.map(|path| Set::read(path, task)).transpose()?;
        if task == GraphTask::Classification {
            return match set {
                Some(set) => other_classes(training, &set),
                None => Ok(folds(training)),
            };
        }
        let (table, curves) = nodes::table(training, set.as_ref())?;
        let (convergence, transitions) = match nodes::example(training)? {
            Some(graph) if data.is_none() => inside(training, &graph)?,
            _ => (None, None),
        };
        Ok(Self { tables: vec![table], curves, convergence, transitions })
    }
}

/// The ten-fold protocol, from what was measured over the training.
fn folds(training: &GraphTraining) -> GraphEvaluation {
    let confusions = &training.confusions;
    let Some(best) = confusions.best() else { return GraphEvaluation::default() };
    let looks = confusions.looks();
    let row = |look: usize| {
        let at = confusions.accuracy(look);
        vec![confusions.step(look) as f64, at.mean, at.deviation, at.least]
    };
    let total = confusions.total(best);
    let classes = total.len().isqrt();
    let sizes: Vec<u64> = total.chunks(classes.max(1)).map(|r| r.iter().sum()).collect();
    let most = sizes.iter().max().copied().unwrap_or(0) as f64 / sizes.iter().sum::<u64>().max(1) as f64;
    let protocol = Table {
        title: format!("Accuracy over {} folds", training.members.len()),
        text: format!(
            "Mean, standard deviation and the worst over the graphs each fold holds out: at the step whose mean is best, the same for \
             all folds, and at the last. Always saying the commonest class is right for {most:.3}."
        ),
        columns: words(&["step", "mean", "deviation", "worst fold"]),
        rows: vec![row(best), row(looks - 1)],
    };
    let lines = [("mean over folds", 0), ("worst fold", 1)].map(|(name, which)| Line {
        name: name.into(),
        points: (0..looks)
            .map(|l| {
                let at = confusions.accuracy(l);
                [confusions.step(l) as f64, if which == 0 { at.mean } else { at.least }]
            })
            .collect(),
        guide: which == 1,
    });
    let curves = Curves {
        title: "Accuracy held out".into(),
        x: "step".into(),
        y: "accuracy".into(),
        lines: lines.into(),
    };
    let tables = vec![protocol, confusion(&total)];
    GraphEvaluation { tables, curves: Some(curves), convergence: None, transitions: None }
}

/// The first network's classes of a set of others.
fn other_classes(training: &mut GraphTraining, set: &Set) -> Result<GraphEvaluation> {
    let classes = training.samples.widths()[2].max(set.classes);
    let found = answers(training, &set.graphs)?;
    let mut counts = vec![0; classes * classes];
    for (logits, label) in found.values.iter().zip(&set.labels) {
        let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let said = logits.iter().position(|l| *l == largest).unwrap_or(0);
        counts[*label as usize * classes + said] += 1;
    }
    Ok(GraphEvaluation { tables: vec![confusion(&counts)], ..GraphEvaluation::default() })
}

fn confusion(counts: &[u64]) -> Table {
    let classes = counts.len().isqrt();
    let rows = counts
        .chunks(classes.max(1))
        .enumerate()
        .map(|(class, row)| std::iter::once(class as f64).chain(row.iter().map(|c| *c as f64)).collect());
    let columns = std::iter::once("class".to_owned()).chain((0..classes).map(|c| format!("said {c}")));
    Table {
        title: "Confusion".into(),
        text: "Graphs of each class, by the class that was said.".into(),
        columns: columns.collect(),
        rows: rows.collect(),
    }
}

/// Answers for graphs.
pub(super) fn answers(training: &mut GraphTraining, graphs: &[Graph<f64>]) -> Result<Answers> {
    let pieces = pieces(training, graphs)?;
    let member = &mut training.members[0];
    let a = member.network.architecture().clone();
    let (mut values, mut sweeps) = (vec![], 0);
    for piece in &pieces {
        sweeps = sweeps.max(member.look_at(piece, |tape, recorded| {
            let all = tape.value(recorded.answer)?;
            let rows = |g: usize| if a.of_graphs { g..g + 1 } else { piece.graphs.range(g) };
            let of = |g: usize| &all[rows(g).start * a.outputs..rows(g).end * a.outputs];
            let each = (0..piece.graphs.count()).map(|g| of(g).iter().map(|v| f64::from(*v)).collect());
            values.extend(each);
            if !a.rests {
                return Ok(0);
            }
            let b = tape.value(recorded.constants)?;
            let system = AtRest::new(&a, &piece.graphs, tape.value(recorded.weights)?, b);
            Ok(system.solve(a.equilibrium.stop, &mut b.to_vec())?.steps)
        })?);
    }
    let start = Instant::now();
    pieces.iter().try_for_each(|piece| member.look_at(piece, |_, _| Ok(())))?;
    Ok(Answers { values, sweeps, seconds: start.elapsed().as_secs_f64() })
}

fn pieces(training: &GraphTraining, graphs: &[Graph<f64>]) -> Result<Vec<Batch>> {
    let form = &training.samples.form;
    graphs.iter().try_for_each(|graph| form.check(graph))?;
    // Classes are not looked at, so any number of them will do.
    let classes = usize::from(training.config().task == GraphTask::Classification);
    Batch::pieces(&graphs.iter().collect::<Vec<_>>(), &vec![0; graphs.len()], classes, form)
}

/// The systems of a network on some graphs.
struct AtRest<'a, T> {
    transition: Transition,
    options: EquilibriumOptions,
    /// Along the systems.
    graphs: Graphs,
    weights: &'a [T],
    b: &'a [T],
}

impl<'a, T: Scalar> AtRest<'a, T> {
    fn new(architecture: &GraphArchitecture, graphs: &Graphs, weights: &'a [T], b: &'a [T]) -> Self {
        let graphs = if architecture.reversed { graphs.reversed() } else { graphs.clone() };
        let (transition, options) = (architecture.transition, architecture.equilibrium);
        Self { transition, options, graphs, weights, b }
    }

    fn solve(&self, stop: Stop, x: &mut [T]) -> Result<Report> {
        let (options, graphs) = (EquilibriumOptions { stop, ..self.options }, &self.graphs);
        Ok(match self.transition {
            Transition::Monotone => Monotone::new(options)?.solve(graphs, self.weights, self.b, x),
            _ => Equilibrium::new(options)?.solve(graphs, self.weights, self.b, x),
        }?)
    }

    /// ‖x − x*‖ / ‖x*‖ before the first step and after each, with x = b before the first.
    fn distances(&self) -> Result<Vec<f64>> {
        let mut exact = self.b.to_vec();
        let _ = self.solve(Stop { max_steps: 100_000, ..Stop::rtol(1e-14) }, &mut exact)?;
        let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|v| v * v).sum::<f64>().sqrt();
        let size = norm(&mut exact.iter().map(|v| v.f64())).max(f64::MIN_POSITIVE);
        let mut left = vec![];
        for max_steps in 0..=SWEEPS {
            let mut x = self.b.to_vec();
            let _ = self.solve(Stop { max_steps, ..Stop::rtol(0.0) }, &mut x)?;
            let distance = norm(&mut x.iter().zip(&exact).map(|(x, e)| x.f64() - e.f64())) / size;
            left.push(distance);
            if distance < 1e-12 {
                break;
            }
        }
        Ok(left)
    }

    /// The weights between nodes, averaged over heads.
    fn matrix(&self, nodes: usize, heads: usize) -> Transitions {
        let mut values = vec![0.0; nodes * nodes];
        let columns = heads * self.transition.numbers();
        for (edge, [i, j]) in self.graphs.ends().iter().enumerate() {
            let at = |part: usize, head: usize| self.weights[edge * columns + part * heads + head].f64();
            let mut add = |i: u32, j: u32, weight: &dyn Fn(usize) -> f64| {
                let mean = (0..heads).map(weight).sum::<f64>() / heads as f64;
                values[i as usize * nodes + j as usize] += mean;
            };
            if self.transition == Transition::Monotone {
                add(*i, *j, &|head| at(0, head) * at(1, head) + at(2, head));
                add(*j, *i, &|head| at(0, head) * at(1, head) - at(2, head));
            } else {
                add(*i, *j, &|head| at(0, head));
            }
        }
        Transitions { nodes, values }
    }
}

/// How one graph comes to rest, and its weights.
fn inside(training: &mut GraphTraining, graph: &Graph<f64>) -> Result<(Option<Curves>, Option<Transitions>)> {
    let Some(piece) = pieces(training, std::slice::from_ref(graph))?.pop() else { return Ok((None, None)) };
    let member = &mut training.members[0];
    let architecture = member.network.architecture().clone();
    if !architecture.rests {
        return Ok((None, None));
    }
    let (weights, b) = member.look_at(&piece, |tape, recorded| {
        let double = |v: &[f32]| v.iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
        Ok((double(tape.value(recorded.weights)?), double(tape.value(recorded.constants)?)))
    })?;
    let system = AtRest::new(&architecture, &piece.graphs, &weights, &b);
    let left = system.distances()?;
    let gamma = architecture.equilibrium.gamma;
    let line = |name: &str, guide: bool, points: Vec<f64>| Line {
        name: name.into(),
        points: points.into_iter().enumerate().map(|(k, v)| [k as f64, v]).collect(),
        guide,
    };
    let bound = (0..left.len()).map(|k| left[0] * gamma.powi(k as i32)).collect();
    let mut lines = vec![line("distance", false, left)];
    if architecture.transition != Transition::Monotone {
        lines.push(line("∝ γ^sweep", true, bound));
    }
    let convergence = Curves {
        title: format!("A graph of {} nodes comes to rest", graph.nodes),
        x: "sweep".into(),
        y: "‖x − x*‖ / ‖x*‖".into(),
        lines,
    };
    let shown = (graph.nodes <= SHOWN).then(|| system.matrix(graph.nodes, architecture.heads));
    Ok((Some(convergence), shown))
}

impl fmt::Display for GraphEvaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tables.iter().try_for_each(|t| writeln!(f, "{t}"))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}. {}\n", self.title, self.text)?;
        writeln!(f, "| {} |", self.columns.join(" | "))?;
        writeln!(f, "|{}", "--:|".repeat(self.columns.len()))?;
        self.rows.iter().try_for_each(|row| {
            writeln!(f, "| {} |", row.iter().map(|v| Self::number(*v)).collect::<Vec<_>>().join(" | "))
        })
    }
}

impl Table {
    /// A number as tables have it: whole ones as they are, others with four digits.
    pub fn number(v: f64) -> String {
        if v.fract() == 0.0 && v.abs() < 1e9 {
            format!("{v}")
        } else if (1e-3..1e3).contains(&v.abs()) {
            let whole = v.abs().log10().floor() as i32;
            format!("{v:.*}", (3 - whole).max(0) as usize)
        } else {
            format!("{v:.2e}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits() {
        for (v, text) in
            [(20.0, "20"), (0.0013, "0.001300"), (0.88361, "0.8836"), (12.3456, "12.35"), (2.5e-5, "2.50e-5")]
        {
            assert_eq!(Table::number(v), text);
        }
        assert_eq!(Table::number(f64::NAN), "NaN");
    }
}
