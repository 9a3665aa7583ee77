//! A training as text: the TOML file that `resolvent train` reads.
//!
//! ```toml
//! kind = "pinn"
//! name = "helmholtz"
//!
//! [equation]
//! coordinates = ["x", "y"]
//! unknowns = ["u"]
//! parameters = { k = 1.0 }
//! residuals = ["u_xx + u_yy + k^2*u - q(x, y)"]
//! define = { "q(x, y)" = "(k^2 - 17*pi^2)*sin(pi*x)*sin(4*pi*y)" }
//! exact = { u = "sin(pi*x)*sin(4*pi*y)" }
//!
//! [domain]
//! x = [-1, 1]
//! y = [-1, 1]
//!
//! [[condition]]
//! on = "boundary"
//! is = "u - exact_u"
//! points = 512
//! ```
//!
//! Everything else has a default, which the `config.toml` of a run's folder shows. `equation.name` takes an equation with its
//! domain and conditions from the registry; what the text says itself comes before what it takes from there.

mod any;
mod domain;
mod equation;
mod network;
mod training;

pub use any::AnyConfig;
pub use domain::{DomainConfig, ShapeConfig};
pub use equation::{
    ConditionConfig, DataConfig, EquationConfig, Number, ParameterConfig, ReferenceConfig, Texts,
};
pub use network::{FourierConfig, NetworkConfig, NetworkKind};
pub use training::{
    AdaptiveConfig, BalanceConfig, BalanceKind, CausalConfig, LogConfig, Precision, RateConfig, RateKind,
    TrainConfig,
};

use crate::{Error, Result, registry};
use serde::{Deserialize, Serialize};
use std::path::Path;
use toml::{Table, Value};

/// What to train, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `pinn`.
    pub kind: Kind,
    /// What it is called.
    #[serde(default)]
    pub name: String,
    /// Of everything random.
    #[serde(default)]
    pub seed: u64,
    /// What must hold inside.
    pub equation: EquationConfig,
    /// Where.
    pub domain: DomainConfig,
    /// What must hold at the boundary, or anywhere.
    #[serde(default, rename = "condition", skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<ConditionConfig>,
    /// Measurements.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_more")]
    pub data: Vec<DataConfig>,
    /// The network.
    #[serde(default)]
    pub network: NetworkConfig,
    /// How the terms of the loss are weighed.
    #[serde(default)]
    pub balance: BalanceConfig,
    /// Whether time is learnt in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causal: Option<CausalConfig>,
    /// The optimiser and its points.
    #[serde(default)]
    pub train: TrainConfig,
    /// What is written down, and when.
    #[serde(default)]
    pub log: LogConfig,
}

/// What is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A physics-informed network.
    Pinn,
}

impl Config {
    /// Reads a file, from whose folder the paths in it begin. Each of `sets`, `train.steps=100`, changes one value before anything is checked.
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
        config.resolve(path.parent().unwrap_or(Path::new("")))?;
        Ok(config)
    }

    /// Reads text.
    ///
    /// # Errors
    /// [`Error::Config`] for text that is no TOML, an unknown key, with the nearest known one, a missing key or a value of
    /// another type; [`Error::Unknown`] for an equation that the registry does not have.
    pub fn parse(text: &str, sets: &[String]) -> Result<Self> {
        let refuse = |what: String| Error::Config { path: None, what };
        let mut table = table(text, sets)?;
        let named = table.get("equation").and_then(|e| e.get("name")).and_then(Value::as_str);
        if let Some(named) = named {
            let mut base: Table = registry::find(named)?.toml.parse().map_err(|e| refuse(syntax(&e)))?;
            base.remove("name");
            overlay(&mut base, table);
            table = base;
        }
        let mut config: Self = read(&table)?;
        if config.name.is_empty() {
            config.name = config.equation.name.clone().unwrap_or_default();
        }
        Ok(config)
    }

    /// Makes paths absolute that begin in `folder`, so that a run can be taken up from anywhere.
    fn resolve(&mut self, folder: &Path) -> Result<()> {
        let data = self.data.iter_mut().map(|d| &mut d.file);
        let reference = self.equation.reference.iter_mut().filter_map(|r| r.file.as_mut());
        for path in data.chain(reference).chain(self.domain.cloud.iter_mut()) {
            *path = within(folder, path)?;
        }
        Ok(())
    }

    /// The whole text, with every default.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }
}

fn one_or_more<'de, D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Vec<DataConfig>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        // First, for a value may be a list too.
        More(Vec<Value>),
        One(Value),
    }
    // Through a value, because an untagged choice would not say what is wrong inside.
    let values = match Either::deserialize(d)? {
        Either::More(values) => values,
        Either::One(value) => vec![value],
    };
    values.into_iter().map(|v| v.try_into().map_err(serde::de::Error::custom)).collect()
}

/// The values of a text, some of them changed.
pub(crate) fn table(text: &str, sets: &[String]) -> Result<Table> {
    let syntax = |e: toml::de::Error| Error::Config { path: None, what: syntax(&e) };
    let mut table: Table = text.parse().map_err(syntax)?;
    sets.iter().try_for_each(|set| change(&mut table, set))?;
    Ok(table)
}

/// A configuration of these values. They are read again as text, so that messages show the place.
pub(crate) fn read<C: serde::de::DeserializeOwned>(table: &Table) -> Result<C> {
    let refuse = |what: String| Error::Config { path: None, what };
    let text = toml::to_string(table).map_err(|e| refuse(e.to_string()))?;
    toml::from_str(&text).map_err(|e| refuse(nearest(&e)))
}

/// The text of a file.
pub(crate) fn text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|source| Error::File { path: path.into(), source })
}

/// The path, from the folder of a configuration, that a path in it stands for.
pub(crate) fn within(folder: &Path, path: &Path) -> Result<std::path::PathBuf> {
    let from = folder.join(path);
    std::path::absolute(&from).map_err(|source| Error::File { path: from, source })
}

/// Values of `over` into `base`; tables are joined, everything else is replaced.
pub(crate) fn overlay(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(value)) => overlay(inner, value),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Changes the value that `set`, `a.b=value`, names.
fn change(table: &mut Table, set: &str) -> Result<()> {
    let refuse = |what: &str| {
        Err(Error::Config { path: None, what: format!("--set {set}: {what}, such as train.steps=1000") })
    };
    let Some((path, text)) = set.split_once('=') else { return refuse("give KEY=VALUE") };
    let value = format!("v = {text}").parse::<Table>().ok().and_then(|mut t| t.remove("v"));
    let value = value.unwrap_or_else(|| Value::String(text.trim().into()));
    let mut keys = path.trim().split('.');
    let Some(last) = keys.next_back().filter(|k| !k.is_empty()) else { return refuse("name a key") };
    let mut at = table;
    for key in keys {
        let inner = at.entry(key).or_insert_with(|| Value::Table(Table::new()));
        match inner {
            Value::Table(inner) => at = inner,
            _ => return refuse("name the key of a value in a table"),
        }
    }
    at.insert(last.into(), value);
    Ok(())
}

/// What is wrong with text that is no TOML, on one line.
fn syntax(e: &toml::de::Error) -> String {
    format!("{}; mend the text", e.to_string().trim().replace('\n', "\n  "))
}

/// The message of an error, with the nearest of the keys it expected.
fn nearest(e: &toml::de::Error) -> String {
    let message = e.message();
    let mut quoted = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field") || message.starts_with("unknown variant") {
        let Some(got) = quoted.next() else { return message.into() };
        let what = if message.starts_with("unknown field") { "key" } else { "value" };
        let known: Vec<&str> = quoted.collect();
        let best = known.iter().min_by_key(|k| strsim::damerau_levenshtein(k, got));
        let mend = match best {
            Some(k) if strsim::damerau_levenshtein(k, got) <= 1 + got.len() / 3 => {
                format!("did you mean `{k}`?")
            }
            _ => format!("known are {}", known.join(", ")),
        };
        return format!("there is no {what} `{got}`; {mend}");
    }
    format!("{}; mend the value", e.to_string().trim().replace('\n', "\n  "))
}
