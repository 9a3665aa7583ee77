//! A line of `metrics.jsonl`.

use crate::evaluation::FieldError;
use crate::nullable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a training is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// The step that the losses belong to, from 0.
    pub step: u64,
    /// Seconds since the training began.
    pub seconds: f64,
    /// The learning rate.
    #[serde(deserialize_with = "nullable::read")]
    pub rate: f64,
    /// Σ λᵢ Lᵢ.
    #[serde(deserialize_with = "nullable::read")]
    pub loss: f64,
    /// Each term.
    pub terms: Vec<TermMetrics>,
    /// Errors, where they were measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Learnt parameters of the equations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "nullable::read")]
    pub parameters: BTreeMap<String, f64>,
}

/// A term of the loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TermMetrics {
    /// Its name.
    pub name: String,
    /// Lᵢ.
    #[serde(deserialize_with = "nullable::read")]
    pub loss: f64,
    /// λᵢ.
    #[serde(deserialize_with = "nullable::read")]
    pub weight: f64,
}
