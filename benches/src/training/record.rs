//! What a run has written, as far as it can be understood.

use crate::folder::Error;
use resolvent_pinn::Spectrum;
use resolvent_pinn::config::AnyConfig;
use resolvent_pinn::density::Density;
use resolvent_pinn::direction::NetworkKind;
use resolvent_pinn::evaluation::Panel;
use resolvent_pinn::graph::GraphEvaluation;
use resolvent_pinn::run::Metrics;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// What a page says of the configuration of a run of any kind.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub name: String,
    /// Steps to be done in all.
    pub all: u64,
    /// Those of Adam, which come first.
    pub adam: u64,
    /// The seed and the network, in a few words.
    pub words: String,
    /// Whether it is a solver of graphs.
    pub graphs: bool,
}

impl About {
    fn read(text: &str) -> Result<Self, resolvent_pinn::Error> {
        let config = AnyConfig::parse(text, &[])?;
        let (words, [adam, lbfgs]) = match &config {
            AnyConfig::Physics(config) => {
                let layers: Vec<String> = config.network.layers.iter().map(usize::to_string).collect();
                let words = format!(
                    "seed {}, {}, {} network of layers {}, balance {}",
                    config.seed,
                    word(&config.train.precision),
                    word(&config.network.kind),
                    layers.join(", "),
                    word(&config.balance.kind),
                );
                (words, [config.train.steps, config.train.lbfgs])
            }
            AnyConfig::Direction(config) => {
                let (network, train) = (&config.network, &config.train);
                let layers = match network.kind {
                    NetworkKind::Dcdm => format!(
                        "of {} channels with {} + {} + {} pairs of layers",
                        network.channels, network.before, network.coarse, network.after
                    ),
                    NetworkKind::Linear => format!("of {} levels", network.levels + 1),
                };
                let (kind, batch) = (word(&network.kind), train.batch);
                let words =
                    format!("seed {}, f32, {kind} network {layers}, {batch} samples a step", config.seed);
                (words, [train.steps, 0])
            }
            AnyConfig::Graph(config) => {
                let (network, train) = (&config.network, &config.train);
                let words = format!(
                    "{}, seed {}, f32, {} heads after {} messages {} wide, {} weights, γ = {}, {} graphs a step",
                    word(&config.task),
                    config.seed,
                    network.heads,
                    network.messages,
                    network.hidden,
                    network.transition,
                    network.gamma,
                    train.batch,
                );
                (words, [train.steps, 0])
            }
            AnyConfig::Cycle(config) => {
                let (dim, train) = (config.dim, &config.train);
                let words =
                    format!("seed {}, f64, a {dim}-D cycle, {} geometries a step", config.seed, train.batch);
                (words, [train.steps, 0])
            }
        };
        let graphs = matches!(config, AnyConfig::Graph(_));
        Ok(Self { name: config.name().into(), all: adam.saturating_add(lbfgs), adam, words, graphs })
    }
}

/// A choice as it is written in a configuration.
fn word(choice: &impl Serialize) -> String {
    serde_json::to_value(choice).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The files of a run.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub about: About,
    /// The configuration as it is written.
    pub text: String,
    pub environment: Option<Value>,
    pub metrics: Vec<Metrics>,
    pub densities: Vec<Density>,
    pub spectra: Vec<Spectrum>,
    pub panel: Option<Panel>,
    /// Of a solver of graphs.
    pub evaluation: Option<GraphEvaluation>,
    /// Whether the run has come to its end.
    pub done: bool,
    /// Steps done, as far as is known.
    pub steps: u64,
    /// What could not be understood.
    pub remarks: Vec<String>,
}

impl Record {
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("config.toml");
        let text = fs::read_to_string(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let about = About::read(&text)
            .map_err(|e| Error::Configuration { path: path.clone(), what: e.to_string() })?;
        let mut remarks = vec![];
        let metrics: Vec<Metrics> = lines(folder, "metrics.jsonl", &mut remarks);
        let densities = lines(folder, "gradients.jsonl", &mut remarks);
        let spectra = lines(folder, "spectra.jsonl", &mut remarks);
        let panel = whole(folder, "panel.json", &mut remarks).filter(|panel| {
            let fits = fits(panel);
            if !fits {
                remarks.push("panel.json: its lengths do not fit each other, so no field is shown.".into());
            }
            fits
        });
        let evaluation = whole(folder, "evaluation.json", &mut remarks);
        let environment = whole(folder, "environment.json", &mut remarks);
        let done = fs::read_to_string(folder.join("DONE")).ok();
        // The last look can be older than the last checkpoint.
        let latest = fs::read_to_string(folder.join("checkpoints/latest")).unwrap_or_default();
        let saved = latest.trim().strip_prefix("step-").and_then(|l| l.strip_suffix(".safetensors"));
        let said = done.as_deref().and_then(|d| d.split_whitespace().next());
        let number = |text: Option<&str>| text.and_then(|t| t.parse::<u64>().ok());
        let looked = metrics.last().map(|m| m.step.saturating_add(1));
        let steps = number(said).or(number(saved).max(looked)).unwrap_or(0);
        let done = done.is_some();
        Ok(Self {
            about,
            text,
            environment,
            metrics,
            densities,
            spectra,
            panel,
            evaluation,
            done,
            steps,
            remarks,
        })
    }

    /// Names of the terms of the loss.
    pub fn terms(&self) -> Vec<String> {
        self.metrics.last().map_or(vec![], |m| m.terms.iter().map(|t| t.name.clone()).collect())
    }

    /// The name of a term, or its number.
    pub fn term(&self, number: usize) -> String {
        self.terms().get(number).cloned().unwrap_or_else(|| format!("term {}", number + 1))
    }

    /// A number of every look, over the steps.
    pub fn course(&self, f: impl Fn(&Metrics) -> Option<f64>) -> Vec<(f64, f64)> {
        self.metrics.iter().filter_map(|m| f(m).map(|v| (m.step as f64, v))).collect()
    }

    /// Names of the quantities whose errors were measured, in the order of their first measurement.
    pub fn measured(&self) -> Vec<String> {
        let mut names: Vec<String> = vec![];
        for error in self.metrics.iter().flat_map(|m| &m.errors) {
            if !names.contains(&error.name) {
                names.push(error.name.clone());
            }
        }
        names
    }
}

/// The lines of a file; of one that is missing, none. The last may be cut off by the end of the run.
fn lines<T: DeserializeOwned>(folder: &Path, name: &str, remarks: &mut Vec<String>) -> Vec<T> {
    let Ok(bytes) = fs::read(folder.join(name)) else { return vec![] };
    let text = String::from_utf8_lossy(&bytes);
    let (mut read, mut lost) = (vec![], 0);
    let mut all = text.split_inclusive('\n').filter(|l| !l.trim().is_empty()).peekable();
    while let Some(line) = all.next() {
        match serde_json::from_str(line) {
            Ok(value) => read.push(value),
            Err(_) if all.peek().is_none() && !line.ends_with('\n') => {}
            Err(_) => lost += 1,
        }
    }
    match lost {
        0 => {}
        1 => remarks.push(format!("{name}: one line could not be understood and is left out.")),
        n => remarks.push(format!("{name}: {n} lines could not be understood and are left out.")),
    }
    read
}

/// A file of one value, if it is there.
fn whole<T: DeserializeOwned>(folder: &Path, name: &str, remarks: &mut Vec<String>) -> Option<T> {
    let bytes = fs::read(folder.join(name)).ok()?;
    let value = serde_json::from_slice(&bytes);
    if let Err(e) = &value {
        remarks.push(format!("{name}: left out, since it could not be understood: {e}."));
    }
    value.ok()
}

fn fits(panel: &Panel) -> bool {
    let points: usize = panel.coordinates.iter().map(Vec::len).product();
    let exact = panel.exact.iter().flatten();
    (1..=2).contains(&panel.axes.len())
        && panel.coordinates.len() == panel.axes.len()
        && points > 0
        && panel.coordinates.iter().flatten().all(|c| c.is_finite())
        && panel.names.len() == panel.predicted.len()
        && panel.predicted.iter().chain(exact).all(|v| v.len() == points)
}
