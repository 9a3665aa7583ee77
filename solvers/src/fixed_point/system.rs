//! How far each system of a batch is.

use crate::{Report, Result, Segments, Space, Status, Stop};

/// How one system of a batch ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Whether its residual is within its target.
    pub converged: bool,
    /// Steps until its residual was least.
    pub steps: usize,
    /// ‖T(x) − x‖₂ there.
    pub residual: f64,
    /// What it must not exceed.
    pub target: f64,
}

/// Growth of a residual over its first that nothing comes back from.
const LOST: f64 = 1e8;
/// Growth of a residual over the least one after which an accelerated iteration goes back.
const GROWTH: f64 = 4.0;
/// Returns to one iterate before a system is given up.
const RETURNS: u32 = 5;

/// Where every system is.
pub(super) struct Systems {
    outcomes: Vec<Outcome>,
    first: Vec<f64>,
    now: Vec<f64>,
    scale: Vec<f64>,
    /// Returns to the best iterate since it was found.
    returns: Vec<u32>,
    given_up: Vec<bool>,
    improved: Vec<bool>,
    returning: Vec<bool>,
    moving: Vec<bool>,
    amounts: Vec<f64>,
}

impl Systems {
    pub fn new(count: usize) -> Self {
        let none = Outcome { converged: false, steps: 0, residual: f64::INFINITY, target: 0.0 };
        Self {
            outcomes: vec![none; count],
            first: vec![0.0; count],
            now: vec![0.0; count],
            scale: vec![0.0; count],
            returns: vec![0; count],
            given_up: vec![false; count],
            improved: vec![false; count],
            returning: vec![false; count],
            moving: vec![false; count],
            amounts: vec![0.0; count],
        }
    }

    pub fn start(&mut self) {
        let none = Outcome { converged: false, steps: 0, residual: f64::INFINITY, target: 0.0 };
        self.outcomes.fill(none);
        self.first.fill(f64::NAN);
        self.returns.fill(0);
        self.given_up.fill(false);
        self.returning.fill(false);
    }

    /// Measures f = T(x) − x.
    pub fn look<S: Space>(
        &mut self,
        space: &S,
        segments: &Segments,
        x: &S::Slice,
        f: &S::Slice,
        stop: &Stop,
        step: usize,
    ) -> Result<()> {
        space.segment_dot(segments, f, f, &mut self.now)?;
        space.segment_dot(segments, x, x, &mut self.scale)?;
        for (s, outcome) in self.outcomes.iter_mut().enumerate() {
            let residual = self.now[s].sqrt();
            let target = stop.atol.max(stop.rtol * self.scale[s].sqrt());
            self.now[s] = residual;
            if step == 0 {
                self.first[s] = residual;
                outcome.target = target;
            }
            self.improved[s] = !outcome.converged && residual < outcome.residual;
            if self.improved[s] {
                *outcome = Outcome { converged: residual <= target, steps: step, residual, target };
                self.returns[s] = 0;
            }
        }
        Ok(())
    }

    /// Systems whose present iterate is the best yet.
    pub fn improved(&self) -> &[bool] {
        &self.improved
    }

    /// How all ended, if they have.
    pub fn ended(&self) -> Option<Status> {
        if self.outcomes.iter().all(|o| o.converged) {
            return Some(Status::Converged);
        }
        if self.first.iter().any(|r| !r.is_finite()) {
            return Some(Status::NonFinite);
        }
        let over = |s: usize| self.outcomes[s].converged || self.given_up[s];
        (0..self.outcomes.len()).all(over).then(|| self.expanding())
    }

    /// What the budget of steps ran out of.
    pub fn out_of_steps(&self) -> Status {
        let grown = |s: usize| !self.outcomes[s].converged && self.now[s] > self.first[s];
        if (0..self.outcomes.len()).any(grown) { self.expanding() } else { Status::MaxSteps }
    }

    fn expanding(&self) -> Status {
        let growth = |s: usize| if self.outcomes[s].converged { 0.0 } else { self.now[s] / self.first[s] };
        let worst = |most: f64, s| if growth(s) > most || growth(s).is_nan() { growth(s) } else { most };
        let growth = (0..self.outcomes.len()).fold(0.0, worst);
        Status::Expanding { growth: if growth.is_nan() { f64::INFINITY } else { growth } }
    }

    /// Decides which systems move, and which go back to their best iterate first; the number of those.
    pub fn plan(&mut self, accelerated: bool) -> usize {
        for (s, outcome) in self.outcomes.iter().enumerate() {
            let fresh = self.now[s];
            let lost = !fresh.is_finite() || fresh > LOST * self.first[s];
            let back = accelerated && (lost || fresh > GROWTH * outcome.residual);
            self.returns[s] += u32::from(back);
            self.given_up[s] |= if accelerated { self.returns[s] > RETURNS } else { lost };
            let active = !outcome.converged && !self.given_up[s];
            self.returning[s] = active && back;
            self.moving[s] = active && !back;
        }
        self.returning.iter().filter(|r| **r).count()
    }

    /// Systems that go back to their best iterate.
    pub fn returning(&self) -> &[bool] {
        &self.returning
    }

    /// Systems that take a step.
    pub fn moving(&self) -> &[bool] {
        &self.moving
    }

    /// `amount` for those that take a step, 0 for the others.
    pub fn amounts(&mut self, amount: f64) -> &[f64] {
        self.amounts.iter_mut().zip(&self.moving).for_each(|(a, m)| *a = if *m { amount } else { 0.0 });
        &self.amounts
    }

    /// Systems whose present iterate is not their best, in the room of those that return.
    pub fn behind(&mut self) -> &[bool] {
        for (s, outcome) in self.outcomes.iter().enumerate() {
            self.returning[s] =
                !outcome.converged && outcome.residual.is_finite() && self.now[s] != outcome.residual;
        }
        &self.returning
    }

    /// ‖T(x) − x‖₂ at the present iterates.
    pub fn residual(&self) -> f64 {
        self.now.iter().map(|r| r * r).sum::<f64>().sqrt()
    }

    /// ‖T(x) − x‖₂ at the best ones.
    pub fn least(&self) -> f64 {
        let of = |(o, now): (&Outcome, &f64)| if o.residual.is_finite() { o.residual } else { *now };
        self.outcomes.iter().zip(&self.now).map(of).map(|r| r * r).sum::<f64>().sqrt()
    }

    pub fn target(&self) -> f64 {
        self.outcomes.iter().map(|o| o.target * o.target).sum::<f64>().sqrt()
    }

    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// All ended as one solve did.
    pub fn end_together(&mut self, report: &Report) {
        let converged = report.status == Status::Converged;
        let (steps, residual, target) = (report.steps, report.true_residual, report.target);
        self.outcomes.fill(Outcome { converged, steps, residual, target });
    }
}
