//! How far a trained network is from a solution.

mod panel;
mod reference;

pub use panel::Panel;

use crate::expression::Formula;
use crate::nullable;
use crate::problem::Problem;
use crate::sampled::transpose;
use crate::simd::Real;
use crate::trainer::Trainer;
use crate::{Domain, Error, Propagator, Result, Sampler, Sampling};
use reference::Place;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The points that errors are measured at, at most.
const POINTS: usize = 20_000;

/// A solution at points, to be compared with.
#[derive(Clone, Debug)]
pub struct Evaluation {
    fields: Vec<Target>,
    domain: Domain,
    /// `[dim, points]`.
    points: Vec<f64>,
    /// What fields are known at `points` up to a constant only.
    floating: Vec<bool>,
    /// Of a plane, for pictures: its points and what is known there.
    panel: Panel,
}

/// A quantity of the network, and what it should be.
#[derive(Clone, Debug)]
struct Target {
    name: String,
    formula: Formula,
    /// At every point of the evaluation; nothing where the solution is not known.
    exact: Option<Vec<f64>>,
}

/// The error of one quantity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldError {
    /// The unknown, or the quantity that was compared.
    pub name: String,
    /// ‖u − û‖₂ / ‖u‖₂ over the points.
    #[serde(deserialize_with = "nullable::read")]
    pub relative_l2: f64,
    /// max |u − û|.
    #[serde(deserialize_with = "nullable::read")]
    pub max: f64,
}

impl Evaluation {
    /// Against the exact solutions of a configuration, or against the reference it names.
    pub(crate) fn new(problem: &Problem, folder: &Path) -> Result<Self> {
        let config = problem.config();
        match &config.equation.reference {
            Some(r) if r.file.is_some() || r.name.is_some() => {
                reference::evaluation(problem, r, Place::Named(folder))
            }
            _ => Self::exact(problem),
        }
    }

    /// Against a file of any layout that the readers know.
    ///
    /// # Errors
    /// Those of the file; [`Error::Training`] when it has no field named like an unknown, or other coordinates.
    pub fn against(problem: &Problem, path: &Path) -> Result<Self> {
        let reference = problem.config().equation.reference.clone().unwrap_or_default();
        reference::evaluation(problem, &reference, Place::File(path))
    }

    fn exact(problem: &Problem) -> Result<Self> {
        let (config, scope, domain) = (problem.config(), problem.scope(), problem.domain());
        let dim = domain.dimension();
        let panel = Panel::of(domain);
        let points = if dim <= 2 {
            panel.inside(domain)
        } else {
            let mut sampler = Sampler::new(Sampling::Sobol, 0, "evaluation");
            let (mut points, mut all) = (vec![], vec![]);
            domain.part("interior")?.sample(POINTS / 2, &mut sampler, &mut points, None)?;
            transpose(&points, dim, &mut all);
            all
        };
        let n = points.len() / dim;
        let mut fields = vec![];
        for name in &config.equation.unknowns {
            let exact = match config.equation.exact.contains_key(name) {
                false => None,
                true => {
                    let mut values = vec![0.0; n];
                    scope.function(&format!("exact_{name}"))?.evaluate(&points, &mut values)?;
                    Some(values)
                }
            };
            fields.push(Target { name: name.clone(), formula: scope.formula(&[name])?, exact });
        }
        let floating = vec![false; fields.len()];
        let mut own = Self { fields, domain: domain.clone(), points, floating, panel };
        for name in &config.equation.unknowns {
            let exact = config.equation.exact.contains_key(name);
            let values = exact.then(|| own.panel.evaluate(scope, &format!("exact_{name}"))).transpose()?;
            own.panel.exact.push(values);
        }
        Ok(own)
    }

    /// Whether anything is known of the solution.
    pub fn is_known(&self) -> bool {
        self.fields.iter().any(|f| f.exact.is_some())
    }

    /// The error of every quantity whose solution is known.
    ///
    /// # Errors
    /// Those of an evaluation.
    pub fn errors<T: Real>(&self, trainer: &mut Trainer<T>) -> Result<Vec<FieldError>> {
        let parameters: Vec<f64> = trainer.parameters().iter().map(|p| p.f64()).collect();
        let mut propagator = Propagator::<f64>::new(trainer.network().clone())?;
        self.errors_of(&mut propagator, &parameters)
    }

    /// As [`errors`](Self::errors), of these parameters.
    ///
    /// # Errors
    /// Those of an evaluation.
    pub fn errors_of(&self, propagator: &mut Propagator<f64>, parameters: &[f64]) -> Result<Vec<FieldError>> {
        let n = self.points.len() / self.domain.dimension();
        let mut errors = vec![];
        for (field, floating) in self.fields.iter().zip(&self.floating) {
            let Some(exact) = &field.exact else { continue };
            let mut got = vec![0.0; n];
            propagator.residuals(parameters, term(&field.formula, &self.points), &mut got)?;
            if *floating {
                let shift = exact.iter().zip(&got).map(|(e, g)| e - g).sum::<f64>() / n as f64;
                got.iter_mut().for_each(|g| *g += shift);
            }
            let square = |v: f64| v * v;
            let rest: f64 = exact.iter().zip(&got).map(|(e, g)| square(e - g)).sum();
            let whole: f64 = exact.iter().map(|e| square(*e)).sum();
            let max = exact.iter().zip(&got).map(|(e, g)| (e - g).abs()).fold(0.0, f64::max);
            let relative_l2 = if whole > 0.0 { (rest / whole).sqrt() } else { rest.sqrt() };
            errors.push(FieldError { name: field.name.clone(), relative_l2, max });
        }
        Ok(errors)
    }

    /// What the network gives on a plane of the domain, beside the solution.
    ///
    /// # Errors
    /// Those of an evaluation.
    pub fn panel<T: Real>(&self, trainer: &Trainer<T>) -> Result<Panel> {
        let parameters: Vec<f64> = trainer.parameters().iter().map(|p| p.f64()).collect();
        let mut propagator = Propagator::<f64>::new(trainer.network().clone())?;
        let mut panel = self.panel.clone();
        for (field, floating) in self.fields.iter().zip(&self.floating) {
            let mut got = vec![0.0; panel.count()];
            propagator.residuals(&parameters, term(&field.formula, &panel.points), &mut got)?;
            let exact = panel.exact.get(panel.predicted.len()).and_then(Option::as_ref);
            if let (true, Some(exact)) = (*floating, exact) {
                let shift = exact.iter().zip(&got).map(|(e, g)| e - g).sum::<f64>() / got.len() as f64;
                got.iter_mut().for_each(|g| *g += shift);
            }
            panel.hide(&self.domain, &mut got);
            panel.names.push(field.name.clone());
            panel.predicted.push(got);
        }
        Ok(panel)
    }
}

fn term<'a>(formula: &'a Formula, points: &'a [f64]) -> crate::Term<'a, f64> {
    crate::Term { residual: formula, points, data: &[], weights: None }
}

/// What a field of a file is compared with, and the names of both.
pub(crate) fn field_pairs(
    fields: &std::collections::BTreeMap<String, String>,
    known: &[&str],
    unknowns: &[String],
    path: &Path,
) -> Result<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = fields.clone().into_iter().collect();
    if pairs.is_empty() {
        let alike = unknowns.iter().filter(|u| known.contains(&u.as_str()));
        pairs = alike.map(|u| (u.clone(), u.clone())).collect();
    }
    if pairs.is_empty() {
        let what = format!("{}: no field is named like an unknown", path.display());
        let first = known.first().unwrap_or(&"u");
        let mend = format!("say what each is: fields = {{ {first} = \"…\" }}");
        return Err(Error::Training { what, mend });
    }
    Ok(pairs)
}
