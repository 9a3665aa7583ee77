//! Quasi-Newton steps from the last few changes of the gradient.

use super::checkpoint::{Checkpoint, State};
use super::line_search::{Point, strong_wolfe};
use crate::error::check_len;
use crate::{Buffer, Error, Host, Result, Scalar, Space};

/// The constants of [`Lbfgs`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LbfgsOptions {
    /// Pairs of changes kept.
    pub memory: usize,
    /// ‖g‖₂ at which the search has ended.
    pub gradient: f64,
    /// The most evaluations of one line search.
    pub evaluations: usize,
}

impl Default for LbfgsOptions {
    fn default() -> Self {
        Self { memory: 20, gradient: 1e-10, evaluations: 25 }
    }
}

/// How a step of [`Lbfgs`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LbfgsStatus {
    /// The loss decreased: go on.
    Progress,
    /// The gradient is as small as was asked for; nothing was changed.
    Converged,
    /// No step along the steepest descent decreases the loss: it is as small as rounding allows, or the gradient is wrong.
    /// Nothing was changed.
    NoDescent,
    /// The loss or its gradient is not finite at the start; take up an earlier checkpoint.
    NonFinite,
}

/// The loss at x, whose gradient is written to the second vector.
pub type Objective<'a, T> = dyn FnMut(&[T], &mut [T]) -> Result<f64> + 'a;

/// What a step of [`Lbfgs`] did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LbfgsStep {
    /// How it ended.
    pub status: LbfgsStatus,
    /// The loss after it.
    pub loss: f64,
    /// ‖g‖₂ after it.
    pub gradient: f64,
    /// The length a of the step x ← x + a d.
    pub length: f64,
    /// d·g before and after it.
    pub slopes: [f64; 2],
    /// Evaluations it took.
    pub evaluations: usize,
}

/// Limited-memory BFGS with a line search for the strong Wolfe conditions; the loss must be the same function in every step.
///
/// 2 `memory` + 4 vectors, and 4 `memory` + 8 passes over one in a step beside the evaluations. A pair whose curvature is not
/// safely positive is not kept.
///
/// ```
/// use resolvent::learn::{Lbfgs, LbfgsOptions, LbfgsStatus};
/// let mut x = [3.0f64, -1.0];
/// let mut lbfgs = Lbfgs::new(2, LbfgsOptions::default())?;
/// let mut loss = |x: &[f64], g: &mut [f64]| {
///     (g[0], g[1]) = (2.0 * x[0], 20.0 * x[1]);
///     Ok(x[0] * x[0] + 10.0 * x[1] * x[1])
/// };
/// while lbfgs.step(&mut x, &mut loss)?.status == LbfgsStatus::Progress {}
/// assert!(x[0].abs() < 1e-9 && x[1].abs() < 1e-9);
/// # Ok::<(), resolvent::Error>(())
/// ```
///
/// # Reference
/// D. C. Liu, J. Nocedal, *On the limited memory BFGS method for large scale optimization*, Math. Program. 45 (1989), 503–528,
/// 10.1007/BF01589116.
#[derive(Debug)]
pub struct Lbfgs<T> {
    options: LbfgsOptions,
    /// Changes of x and of g, in a ring.
    s: Vec<Buffer<T>>,
    y: Vec<Buffer<T>>,
    /// 1 / s·y.
    rho: Vec<f64>,
    /// Steps kept so far; the newest is at (kept − 1) mod memory.
    kept: usize,
    x: Buffer<T>,
    g: Buffer<T>,
    trial: Buffer<T>,
    d: Buffer<T>,
    loss: Option<f64>,
    weights: Vec<f64>,
}

impl<T: Scalar> Lbfgs<T> {
    /// For `n` parameters.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no memory, no evaluations, or a tolerance that is negative; [`Error::Memory`].
    pub fn new(n: usize, options: LbfgsOptions) -> Result<Self> {
        for (name, value) in [("memory", options.memory), ("evaluations", options.evaluations)] {
            if value == 0 {
                return Err(Error::Parameter { name, value: 0.0, needs: "at least 1 is needed" });
            }
        }
        if options.gradient.is_nan() || options.gradient < 0.0 {
            let needs = "it must not be negative";
            return Err(Error::Parameter { name: "gradient", value: options.gradient, needs });
        }
        let vectors = || (0..options.memory).map(|_| Buffer::zeros(n)).collect::<Result<Vec<_>>>();
        Ok(Self {
            options,
            s: vectors()?,
            y: vectors()?,
            rho: vec![0.0; options.memory],
            kept: 0,
            x: Buffer::zeros(n)?,
            g: Buffer::zeros(n)?,
            trial: Buffer::zeros(n)?,
            d: Buffer::zeros(n)?,
            loss: None,
            weights: vec![0.0; options.memory],
        })
    }

    /// Forgets what it knows of the loss: it is to be another function from here on.
    pub fn forget(&mut self) {
        (self.kept, self.loss) = (0, None);
    }

    /// One step from `x`: `evaluate(x, g)` gives the loss at x and writes its gradient to g. When `x` is not what the last
    /// step left, the loss is evaluated there first.
    ///
    /// # Errors
    /// [`Error::Length`]; those of `evaluate`. On an error `x` is as before.
    pub fn step(&mut self, x: &mut [T], evaluate: &mut Objective<T>) -> Result<LbfgsStep> {
        check_len("the parameters", self.x.len(), x.len())?;
        let space = Host::<T>::new();
        let mut evaluations = 0;
        let loss = match self.loss {
            Some(loss) if self.x[..] == *x => loss,
            _ => {
                self.loss = None;
                space.copy(x, &mut self.x)?;
                evaluations += 1;
                evaluate(x, &mut self.g)?
            }
        };
        let norm = space.norm(&self.g)?;
        let still = |status, evaluations| LbfgsStep {
            status,
            loss,
            gradient: norm,
            length: 0.0,
            slopes: [0.0; 2],
            evaluations,
        };
        if !(loss.is_finite() && norm.is_finite()) {
            return Ok(still(LbfgsStatus::NonFinite, evaluations));
        }
        self.loss = Some(loss);
        if norm <= self.options.gradient {
            return Ok(still(LbfgsStatus::Converged, evaluations));
        }
        let found = loop {
            let slope = self.direction(&space)?;
            if slope < 0.0 {
                let start = Point { a: 0.0, loss, slope };
                let first = if self.kept == 0 { (1.0 / norm).min(1.0) } else { 1.0 };
                let Self { x: origin, trial, d, options, .. } = self;
                let found = strong_wolfe(start, first, 4.0 * T::EPSILON, options.evaluations, |a| {
                    evaluations += 1;
                    x.copy_from_slice(origin);
                    space.axpby(T::of(a), d, T::of(1.0), x)?;
                    let loss = evaluate(x, trial)?;
                    Ok(Point { a, loss, slope: space.dot(d, trial)? })
                });
                match found {
                    Ok(Some(point)) => break Some((point, slope)),
                    Ok(None) => x.copy_from_slice(&self.x),
                    Err(error) => {
                        x.copy_from_slice(&self.x);
                        return Err(error);
                    }
                }
            }
            // The memory misleads: once more along the steepest descent.
            if self.kept == 0 {
                break None;
            }
            self.kept = 0;
        };
        let Some((point, slope)) = found else { return Ok(still(LbfgsStatus::NoDescent, evaluations)) };
        self.remember(&space, x)?;
        self.loss = Some(point.loss);
        let gradient = space.norm(&self.g)?;
        Ok(LbfgsStep {
            status: LbfgsStatus::Progress,
            loss: point.loss,
            gradient,
            length: point.a,
            slopes: [slope, point.slope],
            evaluations,
        })
    }

    /// d ← −H g by the two loops; d·g.
    fn direction(&mut self, space: &Host<T>) -> Result<f64> {
        let memory = self.options.memory;
        let Self { s, y, rho, kept, g, d, weights, .. } = self;
        space.axpby(T::of(-1.0), g, T::of(0.0), d)?;
        let kept = *kept;
        let newest = (0..kept.min(memory)).map(move |i| (kept - 1 - i) % memory);
        for i in newest.clone() {
            weights[i] = rho[i] * space.dot(&s[i], d)?;
            space.axpby(T::of(-weights[i]), &y[i], T::of(1.0), d)?;
        }
        if let Some(i) = newest.clone().next() {
            space.scale(T::of(1.0 / (rho[i] * space.dot(&y[i], &y[i])?)), d)?;
        }
        for i in newest.rev() {
            let back = rho[i] * space.dot(&y[i], d)?;
            space.axpby(T::of(weights[i] - back), &s[i], T::of(1.0), d)?;
        }
        space.dot(d, g)
    }

    /// Keeps the change to the new x, whose gradient is in `trial`, when its curvature is safely positive.
    fn remember(&mut self, space: &Host<T>, x: &[T]) -> Result<()> {
        let i = self.kept % self.options.memory;
        let Self { s, y, g, d, trial, x: origin, .. } = self;
        let one = T::of(1.0);
        // The direction and the old gradient are needed no more, and hold the changes.
        space.copy(x, d)?;
        space.axpby(-one, origin, one, d)?;
        space.axpby(one, trial, -one, g)?;
        let (curvature, square) = (space.dot(d, g)?, space.dot(g, g)?);
        if curvature > T::EPSILON * square && (1.0 / curvature).is_finite() {
            space.copy(d, &mut s[i])?;
            space.copy(g, &mut y[i])?;
            self.rho[i] = 1.0 / curvature;
            self.kept += 1;
        }
        space.copy(x, origin)?;
        std::mem::swap(g, trial);
        Ok(())
    }
}

impl<T: Scalar> State for Lbfgs<T> {
    fn store(&self, name: &str, checkpoint: &mut Checkpoint) {
        let n = self.x.len();
        for i in 0..self.options.memory {
            checkpoint.put(&format!("{name}/s/{i}"), &[n], &self.s[i]);
            checkpoint.put(&format!("{name}/y/{i}"), &[n], &self.y[i]);
        }
        checkpoint.put(&format!("{name}/rho"), &[self.rho.len()], &self.rho);
        checkpoint.put(&format!("{name}/x"), &[n], &self.x);
        checkpoint.put(&format!("{name}/g"), &[n], &self.g);
        let known = u64::from(self.loss.is_some());
        let loss = self.loss.unwrap_or_default().to_bits();
        checkpoint.put_integers(&format!("{name}/state"), &[self.kept as u64, known, loss]);
    }

    fn restore(&mut self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        let n = self.x.len();
        let mut pairs = Vec::with_capacity(2 * self.options.memory);
        for i in 0..self.options.memory {
            pairs.push(checkpoint.take::<T>(&format!("{name}/s/{i}"), &[n])?);
            pairs.push(checkpoint.take::<T>(&format!("{name}/y/{i}"), &[n])?);
        }
        let rho = checkpoint.take::<f64>(&format!("{name}/rho"), &[self.rho.len()])?;
        let x = checkpoint.take::<T>(&format!("{name}/x"), &[n])?;
        let g = checkpoint.take::<T>(&format!("{name}/g"), &[n])?;
        let state = checkpoint.take_integers(&format!("{name}/state"), 3)?;
        for (i, pair) in pairs.iter().enumerate() {
            let ring = if i % 2 == 0 { &mut self.s } else { &mut self.y };
            ring[i / 2].copy_from_slice(pair);
        }
        self.rho = rho;
        self.x.copy_from_slice(&x);
        self.g.copy_from_slice(&g);
        self.kept = state[0] as usize;
        self.loss = (state[1] == 1).then(|| f64::from_bits(state[2]));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::line_search::{CURVATURE, DECREASE};
    use super::*;
    use crate::krylov::test::noise;

    fn rosenbrock(x: &[f64], g: &mut [f64]) -> Result<f64> {
        g.fill(0.0);
        let mut sum = 0.0;
        for i in 0..x.len() - 1 {
            let (a, b) = (1.0 - x[i], x[i + 1] - x[i] * x[i]);
            sum += a * a + 100.0 * b * b;
            g[i] += -2.0 * a - 400.0 * x[i] * b;
            g[i + 1] += 200.0 * b;
        }
        Ok(sum)
    }

    #[test]
    fn rosenbrock_in_many_dimensions_by_steps_that_satisfy_wolfe() {
        for n in [2, 10, 100] {
            let mut x: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 }).collect();
            let mut lbfgs = Lbfgs::new(n, LbfgsOptions { gradient: 1e-9, ..Default::default() }).unwrap();
            let (mut steps, mut evaluations, mut loss) = (0, 0, rosenbrock(&x, &mut vec![0.0; n]).unwrap());
            loop {
                let step = lbfgs.step(&mut x, &mut rosenbrock).unwrap();
                evaluations += step.evaluations;
                match step.status {
                    LbfgsStatus::Progress => {
                        let [before, after] = step.slopes;
                        assert!(before < 0.0 && after.abs() <= -CURVATURE * before);
                        let promised = loss + DECREASE * step.length * before;
                        assert!(
                            step.loss <= promised || (step.loss - loss).abs() <= 1e-14 * loss,
                            "{step:?}"
                        );
                        loss = step.loss;
                        steps += 1;
                    }
                    status => {
                        assert_eq!(status, LbfgsStatus::Converged, "{step:?}");
                        break;
                    }
                }
                assert!(steps < 40 + 12 * n, "{step:?}");
            }
            assert!(evaluations < 2 * steps + 5, "{n}: {steps} steps, {evaluations} evaluations");
            assert!(x.iter().all(|v| (v - 1.0).abs() < 1e-8));
        }
    }

    #[test]
    fn a_quadratic_of_few_eigenvalues_ends_in_few_steps() {
        let n = 60;
        let start = noise(n, 1);
        let mut x = start.clone();
        let mut quadratic = |x: &[f64], g: &mut [f64]| {
            let a = |i: usize| [1.0, 10.0, 50.0][i % 3];
            (0..n).for_each(|i| g[i] = a(i) * (x[i] - 1.0));
            Ok((0..n).map(|i| 0.5 * a(i) * (x[i] - 1.0).powi(2)).sum())
        };
        let mut lbfgs = Lbfgs::new(n, LbfgsOptions { gradient: 1e-8, ..Default::default() }).unwrap();
        let mut steps = 0;
        while lbfgs.step(&mut x, &mut quadratic).unwrap().status == LbfgsStatus::Progress {
            steps += 1;
        }
        assert!(steps <= 25 && x.iter().all(|v| (v - 1.0).abs() < 1e-7), "{steps}");
    }

    #[test]
    fn the_end_is_said_and_x_is_kept() {
        let options = LbfgsOptions { gradient: 0.0, ..Default::default() };
        let mut lbfgs = Lbfgs::<f64>::new(1, options).unwrap();
        let mut x = [2.0];
        let mut wrong = |x: &[f64], g: &mut [f64]| {
            g[0] = -x[0];
            Ok(x[0] * x[0])
        };
        assert_eq!(lbfgs.step(&mut x, &mut wrong).unwrap().status, LbfgsStatus::NoDescent);
        assert_eq!(x, [2.0]);
        lbfgs.forget();
        let mut broken = |_: &[f64], g: &mut [f64]| {
            g[0] = f64::NAN;
            Ok(1.0)
        };
        assert_eq!(lbfgs.step(&mut x, &mut broken).unwrap().status, LbfgsStatus::NonFinite);
        let mut fails = |_: &[f64], _: &mut [f64]| Err(Error::NoTranspose("it"));
        assert!(matches!(lbfgs.step(&mut x, &mut fails), Err(Error::NoTranspose(_))));
        assert_eq!(x, [2.0]);
        // A wall of infinity beside the minimum is stepped back from.
        let mut wall = |x: &[f64], g: &mut [f64]| {
            g[0] = 1.0 - 1.0 / x[0];
            Ok(if x[0] > 0.0 { x[0] - x[0].ln() } else { f64::INFINITY })
        };
        let mut lbfgs = Lbfgs::<f64>::new(1, LbfgsOptions { gradient: 1e-10, ..options }).unwrap();
        while lbfgs.step(&mut x, &mut wall).unwrap().status == LbfgsStatus::Progress {}
        assert!((x[0] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn impossible_options_are_refused() {
        let sound = LbfgsOptions::default();
        for options in [
            LbfgsOptions { memory: 0, ..sound },
            LbfgsOptions { evaluations: 0, ..sound },
            LbfgsOptions { gradient: f64::NAN, ..sound },
        ] {
            assert!(matches!(Lbfgs::<f64>::new(1, options), Err(Error::Parameter { .. })));
        }
        let mut lbfgs = Lbfgs::<f64>::new(2, sound).unwrap();
        assert!(matches!(lbfgs.step(&mut [1.0], &mut rosenbrock), Err(Error::Length { .. })));
    }
}
