//! How far a trained network is from a solution.

mod panel;
mod reference;
mod spectral;

pub use panel::Panel;
pub use spectral::spectral_norm;

use crate::expression::{Formula, Function, Scope};
use crate::nullable;
use crate::problem::Problem;
use crate::sampled::transpose;
use crate::simd::Real;
use crate::trainer::Trainer;
use crate::{Domain, Error, Propagator, Result, Sampler, Sampling};
use reference::Place;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
    /// Whether errors on the panel are measured in the spectral norm.
    spectral: bool,
}

/// A quantity, and what it should be.
#[derive(Clone, Debug)]
struct Target {
    name: String,
    quantity: Quantity,
    /// At every point of the evaluation; nothing where the solution is not known.
    exact: Option<Vec<f64>>,
}

/// What is compared.
#[derive(Clone, Debug)]
enum Quantity {
    /// Of the network.
    Formula(Formula),
    /// Of the quantities of the network, which come before it.
    Derived(Function),
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
    /// ‖u − û‖₂ / ‖u‖₂ with the [spectral norm](spectral_norm) of the values on a grid over two coordinates, where it was asked
    /// for and the solution is known there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spectral: Option<f64>,
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

    /// Measuring errors in the spectral norm, too, wherever there is a grid over two coordinates.
    pub fn with_spectral(self) -> Self {
        Self { spectral: true, ..self }
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
            let quantity = Quantity::Formula(scope.formula(&[name])?);
            fields.push(Target { name: name.clone(), quantity, exact });
        }
        let floating = vec![false; fields.len()];
        let spectral = config.log.spectral;
        let mut own = Self { fields, domain: domain.clone(), points, floating, panel, spectral };
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
        let exact: Vec<Option<&[f64]>> = self.fields.iter().map(|f| f.exact.as_deref()).collect();
        let all = self.predict(propagator, parameters, &self.points, &exact)?;
        let mut errors = vec![];
        for ((field, exact), got) in self.fields.iter().zip(exact).zip(&all) {
            let Some(exact) = exact else { continue };
            let square = |v: f64| v * v;
            let rest: f64 = exact.iter().zip(got).map(|(e, g)| square(e - g)).sum();
            let whole: f64 = exact.iter().map(|e| square(*e)).sum();
            let max = exact.iter().zip(got).map(|(e, g)| (e - g).abs()).fold(0.0, f64::max);
            let relative_l2 = if whole > 0.0 { (rest / whole).sqrt() } else { rest.sqrt() };
            errors.push(FieldError { name: field.name.clone(), relative_l2, max, spectral: None });
        }
        if self.spectral && self.panel.axes.len() == 2 {
            let exact: Vec<Option<&[f64]>> = self.panel.exact.iter().map(Option::as_deref).collect();
            let all = self.predict(propagator, parameters, &self.panel.points, &exact)?;
            let known = self.fields.iter().zip(exact).zip(&all).filter(|((f, _), _)| f.exact.is_some());
            for (error, ((_, exact), got)) in errors.iter_mut().zip(known) {
                let rows = self.panel.coordinates[1].len();
                error.spectral = exact.and_then(|exact| spectral::relative(exact, got, rows));
            }
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
        let exact: Vec<Option<&[f64]>> = self.panel.exact.iter().map(Option::as_deref).collect();
        let all = self.predict(&mut propagator, &parameters, &panel.points, &exact)?;
        for (field, mut got) in self.fields.iter().zip(all) {
            panel.hide(&self.domain, &mut got);
            panel.names.push(field.name.clone());
            panel.predicted.push(got);
        }
        Ok(panel)
    }

    /// Every quantity at `points: [dim, n]`; one that is known up to a constant is moved to the mean of what it should be.
    fn predict(
        &self,
        propagator: &mut Propagator<f64>,
        parameters: &[f64],
        points: &[f64],
        exact: &[Option<&[f64]>],
    ) -> Result<Vec<Vec<f64>>> {
        let n = points.len() / self.domain.dimension();
        let mut all: Vec<Vec<f64>> = vec![];
        for (i, field) in self.fields.iter().enumerate() {
            let mut got = vec![0.0; n];
            match &field.quantity {
                Quantity::Formula(formula) => {
                    propagator.residuals(parameters, term(formula, points), &mut got)?;
                }
                Quantity::Derived(function) => {
                    let base = self.fields.iter().zip(&all);
                    let base = base.filter(|(f, _)| matches!(f.quantity, Quantity::Formula(_)));
                    function
                        .evaluate(&base.flat_map(|(_, v)| v.iter().copied()).collect::<Vec<_>>(), &mut got)?;
                }
            }
            if let (true, Some(exact)) = (self.floating[i], exact.get(i).copied().flatten()) {
                let shift = exact.iter().zip(&got).map(|(e, g)| e - g).sum::<f64>() / n as f64;
                got.iter_mut().for_each(|g| *g += shift);
            }
            all.push(got);
        }
        Ok(all)
    }

    /// Adds quantities made of those that are compared, by the names they have in the file.
    fn derive(&mut self, names: &[&str], derived: &BTreeMap<String, String>) -> Result<()> {
        if derived.is_empty() {
            return Ok(());
        }
        let scope = Scope::new(names, &[])?;
        let joined = |all: &[Option<Vec<f64>>]| -> Option<Vec<f64>> {
            let known: Option<Vec<&Vec<f64>>> = all.iter().map(Option::as_ref).collect();
            known.map(|all| all.into_iter().flatten().copied().collect())
        };
        let of: Vec<Option<Vec<f64>>> = self.fields.iter().map(|f| f.exact.clone()).collect();
        let (points, panel) = (joined(&of), joined(&self.panel.exact));
        for (name, text) in derived {
            let function = scope.function(text)?;
            let evaluate = |from: &Option<Vec<f64>>| -> Result<Option<Vec<f64>>> {
                let Some(from) = from else { return Ok(None) };
                let mut values = vec![0.0; from.len() / names.len()];
                function.evaluate(from, &mut values).map(|()| Some(values))
            };
            let (exact, shown) = (evaluate(&points)?, evaluate(&panel)?);
            self.panel.exact.push(shown);
            self.floating.push(false);
            self.fields.push(Target { name: name.clone(), quantity: Quantity::Derived(function), exact });
        }
        Ok(())
    }
}

fn term<'a>(formula: &'a Formula, points: &'a [f64]) -> crate::Term<'a, f64> {
    crate::Term { residual: formula, points, data: &[], weights: None }
}

/// What a field of a file is compared with, and the names of both.
pub(crate) fn field_pairs(
    fields: &BTreeMap<String, String>,
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
