//! What must hold: equations, conditions, measurements.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `[equation]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EquationConfig {
    /// An equation of the registry, whose text this one changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Names of the coordinates, in the order of the network's inputs.
    pub coordinates: Vec<String>,
    /// Names of the unknown functions, in the order of its outputs.
    pub unknowns: Vec<String>,
    /// Numbers with names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, ParameterConfig>,
    /// Texts that must be zero inside.
    pub residuals: Texts,
    /// Functions and abbreviations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub define: BTreeMap<String, String>,
    /// Exact solutions: they give the error.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub exact: BTreeMap<String, String>,
    /// What stands for an unknown everywhere, so that conditions hold exactly.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ansatz: BTreeMap<String, String>,
    /// A solution to compare with where there is no exact one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferenceConfig>,
}

/// A number, or text for one: `0.01/pi`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Number {
    /// As it is.
    Value(f64),
    /// To be computed.
    Text(String),
}

/// A parameter of the equations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParameterConfig {
    /// A number.
    Fixed(Number),
    /// One to be learnt.
    Learnt {
        /// Its first value.
        initial: Number,
        /// `true`.
        trainable: bool,
    },
}

/// One text or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Texts {
    /// One.
    One(String),
    /// Several, whose mean squares are added.
    More(Vec<String>),
}

impl Texts {
    /// All of them.
    pub fn all(&self) -> Vec<&str> {
        match self {
            Self::One(text) => vec![text],
            Self::More(texts) => texts.iter().map(String::as_str).collect(),
        }
    }
}

/// `equation.reference`: a solution from `resolvent data make`, or a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceConfig {
    /// One of the reference solutions that `resolvent data list` shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its settings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, Number>,
    /// A file of any layout that `resolvent data inspect` knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Which trajectory of it.
    #[serde(default)]
    pub trajectory: usize,
    /// What is compared with each field of it; the unknown of the same name where nothing is said.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Quantities made of the fields, `{ speed = "sqrt(u^2 + v^2)" }`, which are compared too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub derived: BTreeMap<String, String>,
    /// Fields known up to a constant only, such as a pressure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub up_to_constant: Vec<String>,
}

/// `[[condition]]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionConfig {
    /// Its name in tables and pictures; made of `on` where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The part of the domain: `boundary`, `t = 0`, `interior`, the name of a shape.
    pub on: String,
    /// What must be zero there. On a boundary `n_x` is a component of the outward normal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<Texts>,
    /// What is integrated over it instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integral: Option<String>,
    /// What the integral must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Number>,
    /// Points a step; of an integral, nodes along each coordinate.
    #[serde(default = "hundred")]
    pub points: usize,
    /// A factor of the mean square.
    #[serde(default = "one")]
    pub weight: f64,
    /// Whether it is built into the network: for `u - g` on any part that a function vanishes on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hard: bool,
}

/// `[data]`, or `[[data]]`: measurements to fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// A file of any layout that `resolvent data inspect` knows.
    pub file: PathBuf,
    /// Its name in tables and pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is measured by each field; the unknown of the same name where nothing is said.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Points a step.
    #[serde(default = "thousand")]
    pub points: usize,
    /// Which trajectory is fitted.
    #[serde(default)]
    pub trajectory: usize,
    /// Only so many points of it, chosen once at random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<usize>,
    /// The deviation of normal noise that is added to the values, as a part of their deviation: to try an inverse problem.
    #[serde(default)]
    pub noise: f64,
    /// A factor of the mean square.
    #[serde(default = "one")]
    pub weight: f64,
}

fn one() -> f64 {
    1.0
}
fn hundred() -> usize {
    128
}
fn thousand() -> usize {
    1024
}
