//! Where the equation holds.

use super::Number;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `[domain]`: an interval for each coordinate, and what confines them further.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DomainConfig {
    /// Coordinates of which the solution is a periodic function, exactly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub periodic: Vec<String>,
    /// The coordinate that is time; `t` where nothing is said, `none` for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The shape that space has within its intervals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<ShapeConfig>,
    /// A file with points of space that stand for the inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<PathBuf>,
    /// The interval of each coordinate.
    #[serde(flatten)]
    pub intervals: BTreeMap<String, [Number; 2]>,
}

/// A shape in the coordinates of space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ShapeConfig {
    /// The name of its surface in conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A box: its lower and its upper corner.
    #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
    pub cuboid: Option<[Vec<f64>; 2]>,
    /// A ball's centre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub center: Option<Vec<f64>>,
    /// A ball's radius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radius: Option<f64>,
    /// The vertices of a polygon, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polygon: Option<Vec<[f64; 2]>>,
    /// Outward normal of a half-space normal·x ≤ offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normal: Option<Vec<f64>>,
    /// Its offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<f64>,
    /// What lies in any of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub union: Option<Vec<ShapeConfig>>,
    /// What lies in all of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intersection: Option<Vec<ShapeConfig>>,
    /// What lies in the first and in none of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Vec<ShapeConfig>>,
}
