//! A configuration of whatever its key `kind` says.

use super::{Config, table, text};
use crate::cycle::{self, CycleConfig};
use crate::direction::{self, DirectionConfig};
use crate::error::choices;
use crate::graph::{self, GraphConfig};
use crate::run::{self, Outcome, Progress, Start};
use crate::{Error, Result};
use serde_json::Value;
use std::ops::ControlFlow;
use std::path::Path;

/// What to train, of any kind.
///
/// ```
/// use resolvent_pinn::config::AnyConfig;
/// let config = AnyConfig::parse("kind = \"graph\"\ntask = \"value-iteration\"", &["seed=3".into()])?;
/// assert_eq!((config.kind(), config.seed()), ("graph", 3));
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum AnyConfig {
    /// A network that solves an equation.
    Physics(Box<Config>),
    /// A network that proposes directions.
    Direction(Box<DirectionConfig>),
    /// A solver of graphs.
    Graph(Box<GraphConfig>),
    /// A multigrid cycle.
    Cycle(Box<CycleConfig>),
}

/// Does the same with the configuration of any kind.
macro_rules! with {
    ($any:expr, |$config:ident| $body:expr) => {
        match $any {
            AnyConfig::Physics($config) => $body,
            AnyConfig::Direction($config) => $body,
            AnyConfig::Graph($config) => $body,
            AnyConfig::Cycle($config) => $body,
        }
    };
}

impl AnyConfig {
    /// What `kind` may be.
    pub const KINDS: [&'static str; 4] = ["pinn", "direction", "graph", "cycle"];

    /// Reads text. Each of `sets`, `train.steps=100`, changes one value first.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a kind there is not; those of the kind's own configuration, which for a text that names none is that of an
    /// equation.
    pub fn parse(text: &str, sets: &[String]) -> Result<Self> {
        Ok(match kind(text, sets)? {
            "direction" => Self::Direction(Box::new(DirectionConfig::parse(text, sets)?)),
            "graph" => Self::Graph(Box::new(GraphConfig::parse(text, sets)?)),
            "cycle" => Self::Cycle(Box::new(CycleConfig::parse(text, sets)?)),
            _ => Self::Physics(Box::new(Config::parse(text, sets)?)),
        })
    }

    /// Reads a file, from whose folder the paths in it begin.
    ///
    /// # Errors
    /// [`Error::File`]; as [`parse`](Self::parse).
    pub fn load(path: &Path, sets: &[String]) -> Result<Self> {
        let kind = kind(&text(path)?, sets).map_err(|e| match e {
            Error::Config { what, .. } => Error::Config { path: Some(path.into()), what },
            e => e,
        })?;
        Ok(match kind {
            "direction" => Self::Direction(Box::new(DirectionConfig::load(path, sets)?)),
            "graph" => Self::Graph(Box::new(GraphConfig::load(path, sets)?)),
            "cycle" => Self::Cycle(Box::new(CycleConfig::load(path, sets)?)),
            _ => Self::Physics(Box::new(Config::load(path, sets)?)),
        })
    }

    /// `pinn`, `direction`, `graph` or `cycle`.
    pub fn kind(&self) -> &'static str {
        let [pinn, direction, graph, cycle] = Self::KINDS;
        match self {
            Self::Physics(_) => pinn,
            Self::Direction(_) => direction,
            Self::Graph(_) => graph,
            Self::Cycle(_) => cycle,
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        with!(self, |config| &config.name)
    }

    /// Of everything random.
    pub fn seed(&self) -> u64 {
        with!(self, |config| config.seed)
    }

    /// Trains what it says in `folder`.
    ///
    /// # Errors
    /// As [`run::train`], [`direction::train`], [`graph::train`] and [`cycle::train`].
    pub fn train(
        &self,
        folder: &Path,
        start: Start,
        environment: &Value,
        watch: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Outcome> {
        match self {
            Self::Physics(config) => run::train(config, folder, start, environment, watch),
            Self::Direction(config) => direction::train(config, folder, start, environment, watch),
            Self::Graph(config) => graph::train(config, folder, start, environment, watch),
            Self::Cycle(config) => cycle::train(config, folder, start, environment, watch),
        }
    }
}

/// The kind that a text names; `pinn` where it names none, whose configuration then says so.
fn kind(text: &str, sets: &[String]) -> Result<&'static str> {
    let table = table(text, sets)?;
    let Some(name) = table.get("kind").and_then(|k| k.as_str()) else { return Ok("pinn") };
    let known = AnyConfig::KINDS.into_iter().find(|k| *k == name);
    known.ok_or_else(|| Error::Unknown {
        what: "kind",
        name: name.into(),
        mend: choices(name, AnyConfig::KINDS.into_iter()),
    })
}
