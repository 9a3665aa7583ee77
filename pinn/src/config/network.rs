//! The network.

use crate::Activation;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `[network]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkConfig {
    /// How layers are joined.
    pub kind: NetworkKind,
    /// Their widths.
    pub layers: Vec<usize>,
    /// The function between them: `tanh`, `sin`, `swish`, `gelu` or `softplus`.
    pub activation: String,
    /// Whether each output of a layer has a trained scale of its own.
    pub factorised: bool,
    /// The frequency of a sine network.
    pub frequency: f64,
    /// Random Fourier features.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fourier: Option<FourierConfig>,
    /// Harmonics of periodic coordinates; 1 where nothing is said.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub periodic: BTreeMap<String, usize>,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            kind: NetworkKind::Dense,
            layers: vec![50, 50, 50],
            activation: "tanh".into(),
            factorised: false,
            frequency: 1.0,
            fourier: None,
            periodic: BTreeMap::new(),
        }
    }
}

impl NetworkConfig {
    /// The activation by its name.
    pub fn activation(&self) -> Option<Activation> {
        Some(match self.activation.as_str() {
            "tanh" => Activation::Tanh,
            "sin" => Activation::Sin,
            "swish" => Activation::Swish,
            "gelu" => Activation::Gelu,
            "softplus" => Activation::Softplus,
            _ => return None,
        })
    }
}

/// How the layers of a network are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkKind {
    /// One after the other.
    Dense,
    /// Each mixes two encodings of the input.
    Gated,
}

/// `network.fourier`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FourierConfig {
    /// Random frequencies.
    pub count: usize,
    /// The deviation of their entries.
    pub sigma: f64,
}
