//! A training of a graph solver as text.

use crate::config::{RateConfig, RateKind, overlay, read, table, text, within};
use crate::error::choices;
use crate::{Error, Result};
use resolvent::Stop;
use resolvent::graph::{EquilibriumOptions, GraphArchitecture, Transition};
use resolvent::learn::Activation;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use toml::Table;

/// What to train, and how. Defaults are those that were published for the task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphConfig {
    /// `graph`.
    pub kind: GraphKind,
    /// What it is called.
    pub name: String,
    /// Of the initial weights and of the graphs, or their order.
    pub seed: u64,
    /// What is to be found.
    pub task: GraphTask,
    /// A set of graphs, or for classes a folder in TU format; without one, graphs are made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// The network.
    pub network: GraphNetworkConfig,
    /// The optimiser and its batches.
    pub train: GraphTrain,
    /// What the evaluation is made of.
    pub test: GraphTest,
    /// What is written down, and when.
    pub log: GraphLog,
}

/// What is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GraphKind {
    /// A solver of graphs.
    Graph,
}

/// What is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GraphTask {
    /// The values of the states of decision processes.
    ValueIteration,
    /// The pressures of pores.
    PoreNetwork,
    /// The classes of graphs.
    Classification,
}

impl GraphTask {
    /// All, with the names they have in text.
    pub const ALL: [(&'static str, Self); 3] = [
        ("value-iteration", Self::ValueIteration),
        ("pore-network", Self::PoreNetwork),
        ("classification", Self::Classification),
    ];
}

/// `[network]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphNetworkConfig {
    /// Systems that come to rest side by side.
    pub heads: usize,
    /// Messages before the last.
    pub messages: usize,
    /// The width of what nodes and edges hold between messages.
    pub hidden: usize,
    /// The function between layers.
    pub activation: String,
    /// How the weights of the systems are made: `clip`, `sigmoid`, `softmax`, `absorbing` or `monotone`.
    pub transition: String,
    /// Whether systems run against the edges: x at a node is made of x at the sources of its edges.
    pub reversed: bool,
    /// γ.
    pub gamma: f64,
    /// φ in x = φ(γ A x + b), of a slope of at most 1.
    pub outer: String,
    /// Whether features of edges come with the logarithms of their sizes beside them.
    pub logarithms: bool,
    /// Whether features of edges are the logarithms of their ratios to the means at their source, at their target and of the graph, in place
    /// of themselves: three for each, which do not change with the unit.
    pub relative: bool,
    /// Names of the features of nodes that are given; all without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<Vec<String>>,
    /// Names of the features of edges that are given; all without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edges: Option<Vec<String>>,
    /// Whether anything comes to rest; otherwise the answer is read off b.
    pub rests: bool,
    /// A graph is at rest when a sweep changes x by at most this part of it.
    pub rtol: f64,
    /// Sweeps at most.
    pub sweeps: usize,
}

/// `[train]`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphTrain {
    /// Steps of Adam.
    pub steps: u64,
    /// Graphs a step.
    pub batch: usize,
    /// Steps between two draws of graphs, where they are made.
    pub fresh: u64,
    /// The share of the graphs of a file that is held out, where it has no folds.
    pub held_out: f64,
    /// The largest norm of a gradient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
    /// Weight decay.
    pub decay: f64,
    /// Whether graphs start from where they came to rest when they were last trained on, instead of from b.
    pub warm: bool,
    /// The learning rate.
    pub rate: RateConfig,
}

/// `[test]`: the cells of the evaluation's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphTest {
    /// Nodes of the graphs.
    pub sizes: Vec<usize>,
    /// Edges into a state.
    pub actions: Vec<usize>,
    /// Graphs of a cell.
    pub graphs: usize,
}

/// `[log]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphLog {
    /// Steps between two lines of `metrics.jsonl`.
    pub every: u64,
    /// Steps between two measurements on graphs held out.
    pub errors: u64,
    /// Steps between two checkpoints.
    pub checkpoint: u64,
}

impl GraphNetworkConfig {
    /// The network for so many features of a node and of an edge, and answers.
    ///
    /// # Errors
    /// [`Error::Training`] for an activation or a transition that is not known, and for a φ that is too steep;
    /// [`Error::Solver`] for numbers that cannot be.
    pub fn architecture(
        &self,
        [node, edge, outputs]: [usize; 3],
        of_graphs: bool,
    ) -> Result<GraphArchitecture> {
        let refuse = |e: resolvent::Error| Error::Training { what: "[network]".into(), mend: e.to_string() };
        let activation: Activation = self.activation.parse().map_err(refuse)?;
        let outer: Activation = self.outer.parse().map_err(refuse)?;
        if matches!(outer, Activation::Swish | Activation::Gelu) {
            let what = format!("network.outer is {}, whose slope is above 1 somewhere", self.outer);
            return Err(Error::Training {
                what,
                mend: "use identity, tanh, relu, leaky-relu or sigmoid".into(),
            });
        }
        let transition: Transition = self.transition.parse().map_err(refuse)?;
        let stop = Stop { max_steps: self.sweeps, ..Stop::rtol(self.rtol) };
        let architecture = GraphArchitecture {
            heads: self.heads,
            messages: self.messages,
            hidden: self.hidden,
            activation,
            transition,
            reversed: self.reversed,
            of_graphs,
            rests: self.rests,
            equilibrium: EquilibriumOptions { gamma: self.gamma, activation: outer, stop },
            ..GraphArchitecture::new(node, edge, outputs)
        };
        architecture.check()?;
        if self.messages > 64 {
            let what = format!("network.messages is {}", self.messages);
            return Err(Error::Training { what, mend: "use at most 64".into() });
        }
        Ok(architecture)
    }
}

impl GraphConfig {
    /// What was published for a task; where a number was not, one that serves.
    pub fn published(task: GraphTask) -> Self {
        use GraphTask::{Classification, PoreNetwork, ValueIteration};
        let [heads, messages, hidden] = match task {
            ValueIteration => [64, 3, 64],
            PoreNetwork => [16, 0, 32],
            Classification => [32, 2, 64],
        };
        let (steps, batch) = match task {
            ValueIteration => (5000, 64),
            PoreNetwork => (1000, 32),
            // 500 epochs of 169 or 170 molecules.
            Classification => (1000, 128),
        };
        let (sizes, actions) = match task {
            ValueIteration => (vec![20, 40, 60, 80, 100], vec![5, 10, 15]),
            PoreNetwork => (vec![40, 80, 120, 200, 400], vec![]),
            Classification => (vec![], vec![]),
        };
        let activation = if task == Classification { "swish" } else { "leaky-relu" };
        Self {
            kind: GraphKind::Graph,
            name: String::new(),
            seed: 0,
            task,
            data: None,
            network: GraphNetworkConfig {
                heads,
                messages,
                hidden,
                activation: activation.into(),
                transition: "clip".into(),
                reversed: false,
                gamma: 0.5,
                outer: "identity".into(),
                logarithms: false,
                relative: false,
                nodes: None,
                edges: None,
                rests: true,
                rtol: 1e-6,
                sweeps: 1000,
            },
            train: GraphTrain {
                steps,
                batch,
                fresh: 32,
                held_out: 0.1,
                clip: None,
                decay: 0.0,
                warm: false,
                rate: RateConfig {
                    kind: RateKind::CosineRestarts,
                    first: 1e-3,
                    every: 32,
                    ..RateConfig::default()
                },
            },
            test: GraphTest { sizes, actions, graphs: 20 },
            log: GraphLog {
                every: 10,
                errors: if task == Classification { 2 } else { 100 },
                checkpoint: 100,
            },
        }
    }

    /// Reads a file, from whose folder the path in it begins. Each of `sets`, `train.steps=100`, changes one value first.
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
        if let Some(data) = &mut config.data {
            *data = within(path.parent().unwrap_or(Path::new("")), data)?;
        }
        Ok(config)
    }

    /// Reads text.
    ///
    /// # Errors
    /// [`Error::Config`] for text that is no TOML, an unknown key, with the nearest known one, a missing task or a value of
    /// another type; [`Error::Unknown`] for a task there is not.
    pub fn parse(text: &str, sets: &[String]) -> Result<Self> {
        let table = table(text, sets)?;
        let names = GraphTask::ALL.map(|(name, _)| name);
        let Some(name) = table.get("task").and_then(|t| t.as_str()) else {
            let what = format!("`task` is missing; give one of {}", names.join(", "));
            return Err(Error::Config { path: None, what });
        };
        let known = GraphTask::ALL.iter().find(|(n, _)| *n == name);
        let task = known.map(|(_, task)| *task).ok_or_else(|| Error::Unknown {
            what: "task",
            name: name.into(),
            mend: choices(name, names.into_iter()),
        })?;
        // What was published is of this type, so it is a table.
        let mut base = Table::try_from(Self::published(task)).unwrap_or_default();
        base.remove("kind");
        overlay(&mut base, table);
        read(&base)
    }

    /// The whole text, with every default.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }
}
