//! What a configuration describes: network, objectives, and what to compare with.

mod hard;
mod inputs;
mod region;

use crate::config::{ConditionConfig, Config, DataConfig, Number, ParameterConfig};
use crate::coupling::Coupling;
use crate::evaluation::{Evaluation, field_pairs};
use crate::expression::Scope;
use crate::measured::Measured;
use crate::network::Network;
use crate::objective::{Adaptive, Cloud, Given, Objective};
use crate::quadrature::Quadrature;
use crate::sampled::{Sampled, transpose};
use crate::simd::Real;
use crate::trainer::{Causal, Trainer, TrainerOptions};
use crate::{Domain, Error, Part, ResidualAdaptive, Result, Sampler, Sampling};
use resolvent::learn::AdamOptions;
use resolvent_datasets::dataset::Dataset;
use std::path::{Path, PathBuf};

/// The most points of one term.
const MOST: usize = 50_000_000;

/// A configuration that was understood: names, domain, and everything a [`Trainer`] needs.
///
/// ```
/// use resolvent_pinn::{Config, Problem};
/// let config = Config::parse(
///     r#"
///     kind = "pinn"
///     [equation]
///     coordinates = ["x"]
///     unknowns = ["u"]
///     residuals = "u_xx + pi^2*sin(pi*x)"
///     exact = { u = "sin(pi*x)" }
///     [domain]
///     x = [-1, 1]
///     [[condition]]
///     on = "boundary"
///     is = "u"
///     points = 2
///     [network]
///     layers = [20, 20]
///     [train]
///     precision = "f64"
///     "#,
///     &[],
/// )?;
/// let problem = Problem::new(&config)?;
/// let mut trainer = problem.trainer::<f64>()?;
/// for _ in 0..3 {
///     trainer.step()?;
/// }
/// let errors = problem.evaluation(std::path::Path::new("."))?.errors(&mut trainer)?;
/// assert_eq!(errors[0].name, "u");
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
pub struct Problem {
    config: Config,
    scope: Scope,
    domain: Domain,
    network: Network,
}

impl Problem {
    /// Reads every text of a configuration and checks what can be checked before anything is trained.
    ///
    /// # Errors
    /// [`Error::Expression`], [`Error::Domain`], [`Error::Part`], [`Error::Network`], [`Error::Training`]: what is wrong and how to
    /// mend it.
    pub fn new(config: &Config) -> Result<Self> {
        let e = &config.equation;
        fn names(v: &[String]) -> Vec<&str> {
            v.iter().map(String::as_str).collect()
        }
        let mut scope = Scope::new(&names(&e.coordinates), &names(&e.unknowns))?;
        for (name, parameter) in &e.parameters {
            match parameter {
                ParameterConfig::Fixed(n) | ParameterConfig::Learnt { initial: n, trainable: false } => {
                    scope.parameter(name, number(n)?)?;
                }
                ParameterConfig::Learnt { initial, trainable: true } => {
                    scope.trainable(name, number(initial)?)?;
                }
            }
        }
        e.define.iter().try_for_each(|(head, text)| scope.define(head, text))?;
        e.exact.iter().try_for_each(|(unknown, text)| scope.exact(unknown, text))?;
        let domain = region::domain(config)?;
        e.ansatz.iter().try_for_each(|(unknown, text)| scope.ansatz(unknown, text))?;
        hard::build(config, &domain, &mut scope)?;
        let network = Network::new(inputs::architecture(config, &domain)?)?;
        let problem = Self { config: config.clone(), scope, domain, network };
        problem.scope.formula(&e.residuals.all())?;
        for condition in &config.conditions {
            problem.condition(condition)?;
        }
        sampling(&config.train.sampling)?;
        Ok(problem)
    }

    /// What it was made of.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The names that its texts use.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Where the equation holds.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The files whose numbers it is trained on.
    pub fn files(&self) -> Vec<PathBuf> {
        self.config.data.iter().map(|d| d.file.clone()).collect()
    }

    /// A trainer at its first step.
    ///
    /// # Errors
    /// Those of the data and of [`Trainer::new`].
    pub fn trainer<T: Real>(&self) -> Result<Trainer<T>> {
        Trainer::new(self.network.clone(), self.objectives()?, self.scope.trained(), self.options()?)
    }

    /// What it is compared with. A reference solution that has to be computed is kept in `folder`.
    ///
    /// # Errors
    /// Those of the file.
    pub fn evaluation(&self, folder: &Path) -> Result<Evaluation> {
        Evaluation::new(self, folder)
    }

    /// How it is trained.
    fn options(&self) -> Result<TrainerOptions> {
        let (train, dim) = (&self.config.train, self.domain.dimension());
        let causal = self.config.causal.map(|c| {
            let axis = self.domain.time().unwrap_or(dim);
            let range = self.domain.bounds().get(axis).copied().unwrap_or([0.0, 1.0]);
            Causal { axis, range, slabs: c.slabs, tolerance: c.epsilon }
        });
        causal.map_or(Ok(()), |c| c.check(dim))?;
        Ok(TrainerOptions {
            seed: self.config.seed,
            schedule: train.rate.schedule(train.steps),
            adam: AdamOptions { weight_decay: train.decay, ..AdamOptions::default() },
            clip: train.clip,
            resample: train.resample,
            balance: self.config.balance.balance(),
            causal,
            redraw: train.redraw,
            ..TrainerOptions::default()
        })
    }

    fn objectives<T: Real>(&self) -> Result<Vec<Objective<T>>> {
        let train = &self.config.train;
        let interior = self.domain.part("interior")?;
        let formula = self.scope.formula(&self.config.equation.residuals.all())?;
        let source = self.sampled(interior, count("train.points", train.points)?, "equation")?;
        let mut equation = Objective::new("equation", formula, source);
        if let Some(a) = train.adaptive {
            count("train.adaptive.candidates", a.candidates)?;
            equation.adaptive = Some(Adaptive {
                candidates: a.candidates.max(train.points),
                points: train.points,
                rule: ResidualAdaptive { exponent: a.exponent, offset: a.offset },
            });
        }
        let mut objectives = vec![equation];
        for (number, condition) in self.config.conditions.iter().enumerate().filter(|(_, c)| !c.hard) {
            let name = condition.name.clone().unwrap_or_else(|| condition.on.clone());
            let objective = match &condition.integral {
                None => {
                    let (formula, with_normals) = self.condition(condition)?;
                    let part = self.domain.part(&condition.on)?;
                    let n = count(&format!("the points of condition `{name}`"), condition.points)?;
                    let paired = part.offset().is_some();
                    let source = self.sampled(part, n, &format!("condition {number}"))?;
                    let source = if with_normals { source.with_normals() } else { source };
                    let objective = Objective::new(&name, formula, source);
                    Objective { coupling: paired.then_some(Coupling::Pairs), ..objective }
                }
                Some(text) => self.integral(&name, condition, text)?,
            };
            objectives.push(objective.factor(condition.weight));
        }
        for (number, data) in self.config.data.iter().enumerate() {
            objectives.push(self.data(number, data)?);
        }
        for i in 0..objectives.len() {
            let name = objectives[i].name.clone();
            let same = objectives[..i].iter().filter(|o| o.name == name).count();
            if same > 0 {
                objectives[i].name = format!("{name} ({})", same + 1);
            }
        }
        Ok(objectives)
    }

    fn sampled(&self, part: Part, n: usize, name: &str) -> Result<Sampled> {
        let sampler = Sampler::new(sampling(&self.config.train.sampling)?, self.config.seed, name);
        Ok(Sampled::new(part, self.domain.dimension(), n, sampler))
    }

    /// The residuals of a condition, and whether they read normals.
    fn condition(&self, condition: &ConditionConfig) -> Result<(crate::expression::Formula, bool)> {
        let refuse = |what: &str, mend: &str| {
            let what = format!("condition on `{}`: {what}", condition.on);
            Err(Error::Training { what, mend: mend.into() })
        };
        let part = self.domain.part(&condition.on)?;
        let texts = match (&condition.is, &condition.integral) {
            (Some(is), None) => is.all(),
            (None, Some(text)) if condition.value.is_some() => vec![text.as_str()],
            (None, Some(_)) => return refuse("its integral has no value", "say what it is: value = 1"),
            _ => return refuse("what must hold?", "give either `is` or `integral` with `value`"),
        };
        let mut scope = self.scope.clone();
        let normals = !part.is_interior()
            && condition.integral.is_none()
            && part.offset().is_none()
            && !self.scope.unknowns().iter().any(|u| u == "n")
            && texts.iter().any(|t| t.contains("n_"));
        if normals {
            self.scope.coordinates().iter().try_for_each(|c| scope.column(&format!("n_{c}")))?;
        }
        Ok((scope.formula(&texts)?, normals))
    }

    fn integral<T: Real>(&self, name: &str, condition: &ConditionConfig, text: &str) -> Result<Objective<T>> {
        let part = self.domain.part(&condition.on)?;
        let nodes = count(&format!("the points of condition `{name}`"), condition.points)?;
        let quadrature = Quadrature::of(&part, nodes)?;
        let value = condition.value.as_ref().map_or(Ok(0.0), number)?;
        let mut cloud = Cloud::default();
        transpose(&quadrature.points, self.domain.dimension(), &mut cloud.points);
        let weights = quadrature.weights.iter().map(|w| T::of(*w)).collect();
        let mut objective = Objective::new(name, self.scope.formula(&[text])?, Given(cloud));
        objective.coupling = Some(Coupling::Integral { weights, value });
        Ok(objective)
    }

    fn data<T: Real>(&self, number: usize, data: &DataConfig) -> Result<Objective<T>> {
        let path = &data.file;
        let dataset = Dataset::open(path)?;
        let known: Vec<&str> = dataset.description().fields.iter().map(|f| f.name.as_str()).collect();
        let fields = field_pairs(&data.fields, &known, self.scope.unknowns(), path)?;
        let mut scope = self.scope.clone();
        let mut texts = vec![];
        for (i, (_, expression)) in fields.iter().enumerate() {
            scope.column(&format!("data_{i}"))?;
            texts.push(format!("({expression}) - data_{i}"));
        }
        let formula = scope.formula(&texts.iter().map(String::as_str).collect::<Vec<_>>())?;
        let names: Vec<String> = fields.into_iter().map(|f| f.0).collect();
        let n = count(&format!("the points of {}", path.display()), data.points)?;
        let seed = self.config.seed.wrapping_add(number as u64);
        let source = Measured::new(path, &names, self.scope.coordinates(), data.trajectory, n, seed)?;
        let name = data.name.clone().unwrap_or_else(|| "data".into());
        let objective = match data.only {
            Some(only) => {
                Objective::new(&name, formula, source.fixed::<T>(count("only", only)?, data.noise)?)
            }
            None if source.len() <= n => {
                Objective::new(&name, formula, source.fixed::<T>(usize::MAX, data.noise)?)
            }
            None if data.noise > 0.0 => {
                let what = format!("{}: noise on measurements that are streamed", path.display());
                return Err(Error::Training { what, mend: "choose some of them: only = 1000".into() });
            }
            None => Objective::new(&name, formula, source),
        };
        Ok(objective.factor(data.weight))
    }
}

/// A number of points that can be.
fn count(what: &str, n: usize) -> Result<usize> {
    if (1..=MOST).contains(&n) {
        return Ok(n);
    }
    Err(Error::Training { what: format!("{what}: {n}"), mend: format!("use 1 to {MOST}") })
}

fn sampling(name: &str) -> Result<Sampling> {
    name.parse()
}

/// The value of a number or of its text.
pub(crate) fn number(n: &Number) -> Result<f64> {
    match n {
        Number::Value(v) => Ok(*v),
        Number::Text(text) => {
            let mut value = [0.0];
            Scope::new(&[], &[])?.function(text)?.evaluate::<f64>(&[], &mut value)?;
            Ok(value[0])
        }
    }
}
