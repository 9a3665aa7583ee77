//! Training: steps that make a weighted sum of residuals vanish.

mod causal;
mod state;

pub use causal::Causal;
use causal::Weighted;

use crate::balance::{Balance, traces};
use crate::coupling::{Coupling, gradients};
use crate::network::Network;
use crate::objective::{Cloud, Objective};
use crate::residual::Term;
use crate::simd::Real;
use crate::{Error, Propagator, Result};
use resolvent::learn::{Adam, AdamOptions, Lbfgs, LbfgsOptions, LbfgsStep, Random, Schedule, clip_by_norm};

/// How a [`Trainer`] goes.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainerOptions {
    /// Of the network's first parameters and of every choice.
    pub seed: u64,
    /// The learning rate of every step.
    pub schedule: Schedule,
    /// The constants of Adam.
    pub adam: AdamOptions,
    /// The largest norm of a gradient; longer ones are shortened to it.
    pub clip: Option<f64>,
    /// Steps between two draws of points; 0 draws them once.
    pub resample: u64,
    /// How terms are weighed against each other.
    pub balance: Balance,
    /// Whether the equation is learnt from early times to late ones.
    pub causal: Option<Causal>,
    /// Steps of L-BFGS between two draws of points; 0 draws none.
    pub redraw: u64,
    /// The constants of L-BFGS.
    pub lbfgs: LbfgsOptions,
}

impl Default for TrainerOptions {
    /// Adam at the rate 1e-3 · 0.9^(step/1000), fresh points every step, fixed weights.
    fn default() -> Self {
        Self {
            seed: 0,
            schedule: Schedule::Exponential { rate: 1e-3, factor: 0.9, every: 1000, staircase: false },
            adam: AdamOptions::default(),
            clip: None,
            resample: 1,
            balance: Balance::Fixed,
            causal: None,
            redraw: 0,
            lbfgs: LbfgsOptions::default(),
        }
    }
}

/// Trains a network, and parameters of the equations, on a sum of [`Objective`]s; the first is the equation. The gradient of
/// each is computed once a step, and both the balance of terms and the optimiser use it.
///
/// Everything it does is a function of the options and the objectives, whatever the number of threads; a [`Trainer`] that
/// took up a checkpoint goes on to the same bits.
///
/// ```
/// use resolvent_pinn::expression::Scope;
/// use resolvent_pinn::{Architecture, Cloud, Given, Network, Objective, Trainer, TrainerOptions};
///
/// // u″ + u = 0 with u(0) = 0, u′(0) = 1: the sine.
/// let scope = Scope::new(&["x"], &["u"])?;
/// let inside: Vec<f64> = (0..64).map(|i| 3.0 * f64::from(i) / 63.0).collect();
/// let cloud = |points| Given(Cloud { points, data: vec![] });
/// let mut trainer = Trainer::new(
///     Network::new(Architecture::dense(1, &[16, 16], 1))?,
///     vec![
///         Objective::new("equation", scope.formula(&["u_xx + u"])?, cloud(inside)),
///         Objective::new("start", scope.formula(&["u", "u_x - 1"])?, cloud(vec![0.0])),
///     ],
///     &[],
///     TrainerOptions { resample: 0, ..TrainerOptions::default() },
/// )?;
/// let before = trainer.step()?;
/// for _ in 0..200 {
///     trainer.quasi_newton()?;
/// }
/// assert!(trainer.loss() < 1e-3 * before);
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
pub struct Trainer<T: Real> {
    options: TrainerOptions,
    objectives: Vec<Objective<T>>,
    propagator: Propagator<T>,
    parameters: Vec<T>,
    /// Names of the parameters of the equations.
    trained: Vec<String>,
    clouds: Vec<Cloud<T>>,
    /// Of the points of the equation, where causality wants them.
    causal: Weighted<T>,
    /// Values that are coupled.
    values: Vec<T>,
    lambda: Vec<f64>,
    losses: Vec<f64>,
    /// `[terms, parameters]`.
    gradients: Vec<T>,
    total: Vec<T>,
    adam: Adam<T>,
    lbfgs: Option<Lbfgs<T>>,
    random: Random,
    step: u64,
}

impl<T: Real> Trainer<T> {
    /// With the network's initial parameters of the options' seed. `trained` are names and first values of the parameters of the
    /// equations.
    ///
    /// # Errors
    /// [`Error::Training`] for no objective, or options that cannot be; [`Error::Solver`] when memory is short.
    pub fn new(
        network: Network,
        objectives: Vec<Objective<T>>,
        trained: &[(String, f64)],
        options: TrainerOptions,
    ) -> Result<Self> {
        options.balance.check()?;
        options.schedule.check()?;
        if objectives.is_empty() {
            let what = "there is nothing to train on".into();
            return Err(Error::Training { what, mend: "give at least one objective, the equation".into() });
        }
        if let Some(o) = objectives.iter().find(|o| !(o.factor.is_finite() && o.factor > 0.0)) {
            let what = format!("the factor of `{}` is {}", o.name, o.factor);
            return Err(Error::Training { what, mend: "it must be finite and positive".into() });
        }
        let mut parameters: Vec<T> = network.initial(options.seed);
        parameters.extend(trained.iter().map(|t| T::of(t.1)));
        let n = parameters.len();
        let terms = objectives.len();
        Ok(Self {
            propagator: Propagator::new(network)?,
            parameters,
            trained: trained.iter().map(|t| t.0.clone()).collect(),
            clouds: vec![Cloud::default(); terms],
            causal: Weighted::default(),
            values: vec![],
            lambda: vec![1.0; terms],
            losses: vec![f64::NAN; terms],
            gradients: vec![T::of(0.0); terms * n],
            total: vec![T::of(0.0); n],
            adam: Adam::new(n, options.adam)?,
            lbfgs: None,
            random: Random::new(options.seed, "trainer"),
            step: 0,
            objectives,
            options,
        })
    }

    /// One step of Adam. Returns the weighted loss before it.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when a loss or its gradient is not finite: then nothing has been changed but the points. What keeps
    /// points from being drawn.
    pub fn step(&mut self) -> Result<f64> {
        let resample = self.options.resample;
        if self.step == 0 || (resample > 0 && self.step.is_multiple_of(resample)) {
            self.draw()?;
        }
        self.lbfgs = None;
        self.weigh()?;
        self.evaluate()?;
        if self.options.balance.is_due(self.step) {
            self.balance()?;
        }
        self.combine();
        if let Some(most) = self.options.clip {
            clip_by_norm(&mut self.total, most)?;
        }
        let rate = self.rate(self.step);
        self.adam.step(rate, &self.total, &mut self.parameters)?;
        self.step += 1;
        Ok(self.loss())
    }

    /// One step of L-BFGS, on the points and with the weights that the last step left. At every multiple of `redraw` points are
    /// drawn, and its memory begins anew. Causal weights are those of its beginning: a search along a line needs one loss.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn quasi_newton(&mut self) -> Result<LbfgsStep> {
        let redraw = self.options.redraw;
        let due = self.lbfgs.is_some() && redraw > 0 && self.step.is_multiple_of(redraw);
        if due || self.clouds.iter().all(|c| c.points.is_empty()) {
            self.draw()?;
            self.lbfgs = None;
        }
        let mut lbfgs = match self.lbfgs.take() {
            Some(lbfgs) => lbfgs,
            None => {
                self.weigh()?;
                Lbfgs::new(self.parameters.len(), self.options.lbfgs)?
            }
        };
        let mut x = self.parameters.clone();
        let mut fault = None;
        let step = lbfgs.step(&mut x, &mut |at, gradient| {
            self.parameters.copy_from_slice(at);
            match self.evaluate() {
                Ok(()) => {
                    self.combine();
                    gradient.copy_from_slice(&self.total);
                    Ok(self.loss())
                }
                Err(Error::Solver(e)) => Err(e),
                // A trial that went too far: the search comes back from it.
                Err(e) => {
                    fault = Some(e);
                    gradient.fill(T::of(0.0));
                    Ok(f64::INFINITY)
                }
            }
        });
        self.parameters.copy_from_slice(&x);
        let step = step?;
        if let (resolvent::learn::LbfgsStatus::NonFinite, Some(e)) = (step.status, fault) {
            return Err(e);
        }
        self.lbfgs = Some(lbfgs);
        self.step += 1;
        Ok(step)
    }

    /// Draws new points for every objective.
    ///
    /// # Errors
    /// What keeps points from being drawn.
    pub fn draw(&mut self) -> Result<()> {
        let dim = self.propagator.network().architecture().dim;
        for (objective, cloud) in self.objectives.iter_mut().zip(&mut self.clouds) {
            let Some(adaptive) = objective.adaptive else {
                objective.source.draw(cloud)?;
                continue;
            };
            objective.source.candidates(adaptive.candidates, cloud)?;
            let n = cloud.points.len() / dim;
            let equations = objective.residual.equations();
            let mut residuals = vec![T::of(0.0); equations * n];
            let term = Term {
                residual: &*objective.residual,
                points: &cloud.points,
                data: &cloud.data,
                weights: None,
            };
            self.propagator.residuals(&self.parameters, term, &mut residuals)?;
            let size = |p: usize| (0..equations).map(|e| residuals[e * n + p].f64().powi(2)).sum::<f64>();
            let sizes: Vec<f64> = (0..n).map(|p| size(p).sqrt()).collect();
            let mut kept = adaptive.rule.select(&sizes, adaptive.points.min(n), &mut self.random)?;
            kept.sort_unstable();
            let pick = |from: &[T]| -> Vec<T> {
                from.chunks_exact(n.max(1)).flat_map(|row| kept.iter().map(|k| row[*k])).collect()
            };
            *cloud = Cloud { points: pick(&cloud.points), data: pick(&cloud.data) };
        }
        if self.clouds.iter().all(|c| c.points.is_empty()) {
            let what = "no objective has a point".into();
            return Err(Error::Training { what, mend: "give at least one of them points".into() });
        }
        Ok(())
    }

    /// Weighs the points of the equation, where causality wants it.
    fn weigh(&mut self) -> Result<()> {
        let Some(causal) = self.options.causal else { return Ok(()) };
        let term = self.objectives[0].term(&self.clouds[0], None);
        causal.weigh(&mut self.propagator, &self.parameters, term, &mut self.causal)
    }

    /// Losses and gradients of every term, each with its factor.
    fn evaluate(&mut self) -> Result<()> {
        let weights = self.options.causal.map(|_| &self.causal.points[..]);
        let terms: Vec<(Term<'_, T>, Option<&Coupling<T>>)> = self
            .objectives
            .iter()
            .zip(&self.clouds)
            .enumerate()
            .map(|(i, (o, c))| (o.term(c, if i == 0 { weights } else { None }), o.coupling.as_ref()))
            .collect();
        let (parameters, values) = (&self.parameters, &mut self.values);
        gradients(&mut self.propagator, parameters, &terms, values, &mut self.losses, &mut self.gradients)?;
        let n = self.parameters.len();
        let rows = self.gradients.chunks_exact_mut(n).zip(&mut self.losses);
        for (objective, (row, loss)) in self.objectives.iter().zip(rows) {
            if objective.factor != 1.0 {
                *loss *= objective.factor;
                let factor = T::of(objective.factor);
                row.iter_mut().for_each(|g| *g *= factor);
            }
        }
        self.check_finite()
    }

    fn check_finite(&self) -> Result<()> {
        let network = self.propagator.network();
        for ((objective, loss), row) in
            self.objectives.iter().zip(&self.losses).zip(self.gradients.chunks_exact(self.parameters.len()))
        {
            let place = if all_finite(row) { None } else { row.iter().position(|g| !g.is_finite()) };
            if loss.is_finite() && place.is_none() {
                continue;
            }
            let layer = place.filter(|_| loss.is_finite()).map(|i| {
                let block = network.blocks().iter().find(|b| b.range.contains(&i));
                block.map_or_else(|| self.trained[i - network.parameters()].clone(), |b| b.name.clone())
            });
            let what = if loss.is_finite() { "gradient" } else { "loss" };
            return Err(Error::NotFinite { step: self.step, what, term: objective.name.clone(), layer });
        }
        Ok(())
    }

    fn balance(&mut self) -> Result<()> {
        if let Balance::TangentKernel(_) = self.options.balance {
            let each = self.objectives.iter().zip(&self.clouds);
            let terms: Vec<(Term<'_, T>, Option<&Coupling<T>>)> =
                each.map(|(o, c)| (o.term(c, None), o.coupling.as_ref())).collect();
            let mut traces = traces(&mut self.propagator, &self.parameters, &terms)?;
            traces.iter_mut().zip(&self.objectives).for_each(|(t, o)| *t *= o.factor);
            self.options.balance.follow_traces(&traces, &mut self.lambda);
        }
        self.options.balance.follow(self.propagator.network(), &self.gradients, &mut self.lambda);
        Ok(())
    }

    /// total ← Σ λᵢ ∇Lᵢ.
    fn combine(&mut self) {
        let n = self.parameters.len();
        let mut rows = self.gradients.chunks_exact(n).zip(&self.lambda);
        let Some((first, lambda)) = rows.next() else { return };
        let weight = T::of(*lambda);
        self.total.iter_mut().zip(first).for_each(|(t, g)| *t = weight * *g);
        for (row, lambda) in rows {
            let weight = T::of(*lambda);
            self.total.iter_mut().zip(row).for_each(|(t, g)| *t += weight * *g);
        }
    }

    /// Σ λᵢ Lᵢ where it was last evaluated.
    pub fn loss(&self) -> f64 {
        self.losses.iter().zip(&self.lambda).map(|(l, w)| l * w).sum()
    }

    /// Lᵢ of every term where it was last evaluated.
    pub fn losses(&self) -> &[f64] {
        &self.losses
    }

    /// λᵢ of every term.
    pub fn weights(&self) -> &[f64] {
        &self.lambda
    }

    /// The objectives.
    pub fn objectives(&self) -> &[Objective<T>] {
        &self.objectives
    }

    /// The terms at the points that the last step used.
    pub fn terms(&self) -> Vec<Term<'_, T>> {
        self.objectives.iter().zip(&self.clouds).map(|(o, c)| o.term(c, None)).collect()
    }

    /// ∇Lᵢ of every term where it was last evaluated, `[terms, parameters]`.
    pub fn gradients(&self) -> &[T] {
        &self.gradients
    }

    /// Steps done.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// The learning rate of a step of Adam.
    pub fn rate(&self, step: u64) -> f64 {
        self.options.schedule.rate(step)
    }

    /// The parameters of the network, and after them those of the equations.
    pub fn parameters(&self) -> &[T] {
        &self.parameters
    }

    /// Names and values of the parameters of the equations.
    pub fn trained(&self) -> impl Iterator<Item = (&str, f64)> {
        let values = &self.parameters[self.propagator.network().parameters()..];
        self.trained.iter().map(String::as_str).zip(values.iter().map(|v| v.f64()))
    }

    /// The network.
    pub fn network(&self) -> &Network {
        self.propagator.network()
    }

    /// The residuals of a term with the parameters as they are, `[equations, points]`.
    ///
    /// # Errors
    /// As [`Propagator::residuals`].
    pub fn residuals(&mut self, term: Term<'_, T>, residuals: &mut [T]) -> Result<()> {
        self.propagator.residuals(&self.parameters, term, residuals)
    }
}

/// Whether all numbers are finite: 0 times one that is not is a NaN, which a sum keeps. Sixteen sums side by side vectorise.
fn all_finite<T: Real>(numbers: &[T]) -> bool {
    let (mut sums, zero) = ([T::of(0.0); 16], T::of(0.0));
    let (whole, rest) = numbers.as_chunks::<16>();
    for chunk in whole {
        sums.iter_mut().zip(chunk).for_each(|(s, g)| *s += zero * *g);
    }
    sums.iter().all(|s| s.is_finite()) && rest.iter().all(|g| g.is_finite())
}
