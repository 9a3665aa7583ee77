//! The learning rate as a function of the step.

use crate::{Error, Result};
use std::f64::consts::PI;

/// A learning rate for every step, counted from 0.
///
/// ```
/// use resolvent::learn::Schedule;
/// let schedule = Schedule::Exponential { rate: 1e-3, factor: 0.9, every: 1000, staircase: false };
/// assert!((schedule.rate(500) - 1e-3 * 0.9f64.sqrt()).abs() < 1e-15);
/// let warm = Schedule::Warmup { steps: 10, then: Box::new(Schedule::Constant { rate: 1e-3 }) };
/// assert_eq!(warm.rate(4), 0.5e-3);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// The same always.
    Constant {
        /// The rate.
        rate: f64,
    },
    /// rate · factor^(step / every); with `staircase` the exponent is rounded down.
    Exponential {
        /// The rate of step 0.
        rate: f64,
        /// What `every` steps multiply it by.
        factor: f64,
        /// Steps.
        every: u64,
        /// Constant between multiples of `every`.
        staircase: bool,
    },
    /// From `rate` to `floor` along half a cosine in `steps`, and `floor` from there on.
    Cosine {
        /// The rate of step 0.
        rate: f64,
        /// The rate of step `steps`.
        floor: f64,
        /// Steps.
        steps: u64,
    },
    /// Half cosines from `rate` to `floor`, started again: the first takes `first` steps, each next one `factor` times as
    /// many. I. Loshchilov, F. Hutter, *SGDR: stochastic gradient descent with warm restarts*, ICLR 2017, arXiv 1608.03983.
    CosineRestarts {
        /// The rate at every start.
        rate: f64,
        /// What it goes to.
        floor: f64,
        /// Steps of the first cosine.
        first: u64,
        /// What each cosine is longer by.
        factor: u64,
    },
    /// `rate` until the first of the steps, and the rate beside each from there on.
    Piecewise {
        /// The rate of step 0.
        rate: f64,
        /// Steps, ascending, and the rates from them on.
        then: Vec<(u64, f64)>,
    },
    /// `then` from its step 0 on, multiplied by (step + 1) / steps over the first steps.
    Warmup {
        /// Steps.
        steps: u64,
        /// The schedule that is warmed up.
        then: Box<Schedule>,
    },
}

impl Schedule {
    /// The rate of a step.
    pub fn rate(&self, step: u64) -> f64 {
        match self {
            Self::Constant { rate } => *rate,
            Self::Exponential { rate, factor, every, staircase } => {
                let exponent = step as f64 / *every as f64;
                rate * libm::pow(*factor, if *staircase { exponent.floor() } else { exponent })
            }
            Self::Cosine { rate, floor, steps } => cosine(*rate, *floor, step, *steps),
            Self::CosineRestarts { rate, floor, first, factor } => {
                let (mut step, mut length) = (step, *first);
                if *factor <= 1 {
                    step %= length;
                } else {
                    while step >= length {
                        step -= length;
                        length = length.saturating_mul(*factor);
                    }
                }
                cosine(*rate, *floor, step, length)
            }
            Self::Piecewise { rate, then } => {
                then.iter().rev().find(|(from, _)| *from <= step).map_or(*rate, |(_, rate)| *rate)
            }
            Self::Warmup { steps, then } => {
                let share = (step.saturating_add(1)) as f64 / (*steps).max(1) as f64;
                then.rate(step) * share.min(1.0)
            }
        }
    }

    /// `Ok` when every rate is finite and not negative and every length at least 1.
    ///
    /// # Errors
    /// [`Error::Parameter`] otherwise.
    pub fn check(&self) -> Result<()> {
        let rates = |rates: &[f64]| match rates.iter().find(|r| !(r.is_finite() && **r >= 0.0)) {
            None => Ok(()),
            Some(r) => Err(Error::Parameter {
                name: "learning rate",
                value: *r,
                needs: "it must be finite and not negative",
            }),
        };
        let length = |name, value: u64| match value {
            0 => Err(Error::Parameter { name, value: 0.0, needs: "at least one step is needed" }),
            _ => Ok(()),
        };
        match self {
            Self::Constant { rate } => rates(&[*rate]),
            Self::Exponential { rate, factor, every, .. } => {
                rates(&[*rate])?;
                if !(factor.is_finite() && *factor > 0.0) {
                    let needs = "it must be finite and positive";
                    return Err(Error::Parameter { name: "decay factor", value: *factor, needs });
                }
                length("decay length", *every)
            }
            Self::Cosine { rate, floor, steps } => {
                rates(&[*rate, *floor])?;
                length("cosine length", *steps)
            }
            Self::CosineRestarts { rate, floor, first, factor } => {
                rates(&[*rate, *floor])?;
                length("first cosine's length", *first)?;
                length("growth of the cosines", *factor)
            }
            Self::Piecewise { rate, then } => {
                rates(&[*rate])?;
                then.iter().try_for_each(|(_, rate)| rates(&[*rate]))?;
                match then.windows(2).find(|w| w[0].0 >= w[1].0) {
                    None => Ok(()),
                    Some(w) => Err(Error::Parameter {
                        name: "step of a piecewise rate",
                        value: w[1].0 as f64,
                        needs: "the steps must ascend",
                    }),
                }
            }
            Self::Warmup { steps, then } => {
                length("warm-up length", *steps)?;
                then.check()
            }
        }
    }
}

fn cosine(rate: f64, floor: f64, step: u64, steps: u64) -> f64 {
    let share = step.min(steps) as f64 / steps as f64;
    floor + 0.5 * (rate - floor) * (1.0 + libm::cos(PI * share))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-15
    }

    #[test]
    fn rates_are_the_closed_forms() {
        let decay = |staircase| Schedule::Exponential { rate: 1e-2, factor: 0.9, every: 100, staircase };
        let cosine = Schedule::Cosine { rate: 1.0, floor: 0.2, steps: 100 };
        let restarts = |factor| Schedule::CosineRestarts { rate: 1.0, floor: 0.0, first: 8, factor };
        let piecewise = Schedule::Piecewise { rate: 3.0, then: vec![(5, 2.0), (9, 1.0)] };
        let warm = Schedule::Warmup { steps: 4, then: Box::new(cosine.clone()) };
        for step in 0..500u64 {
            let t = step as f64;
            assert!(near(decay(false).rate(step), 1e-2 * 0.9f64.powf(t / 100.0)));
            assert!(near(decay(true).rate(step), 1e-2 * 0.9f64.powi((step / 100) as i32)));
            let half = |t: f64, n: f64| 0.5 * (1.0 + (PI * t.min(n) / n).cos());
            assert!(near(cosine.rate(step), 0.2 + 0.8 * half(t, 100.0)));
            assert!(near(restarts(1).rate(step), half((step % 8) as f64, 8.0)));
            // Starts at 0, 8, 24, 56, …: 8 (2^k − 1).
            let k = (t / 8.0 + 1.0).log2().floor();
            let start = 8.0 * (k.exp2() - 1.0);
            assert!(near(restarts(2).rate(step), half(t - start, 8.0 * k.exp2())));
            assert_eq!(
                piecewise.rate(step),
                if step < 5 {
                    3.0
                } else if step < 9 {
                    2.0
                } else {
                    1.0
                }
            );
            assert!(near(warm.rate(step), cosine.rate(step) * ((t + 1.0) / 4.0).min(1.0)));
        }
        assert_eq!(Schedule::Constant { rate: 0.1 }.rate(u64::MAX), 0.1);
        assert!(restarts(2).rate(u64::MAX).is_finite() && warm.rate(u64::MAX) == 0.2);
    }

    #[test]
    fn impossible_schedules_are_refused() {
        let bad = [
            Schedule::Constant { rate: f64::NAN },
            Schedule::Exponential { rate: 1.0, factor: 0.0, every: 1, staircase: true },
            Schedule::Exponential { rate: 1.0, factor: 0.5, every: 0, staircase: true },
            Schedule::Cosine { rate: 1.0, floor: -1.0, steps: 5 },
            Schedule::CosineRestarts { rate: 1.0, floor: 0.0, first: 0, factor: 1 },
            Schedule::CosineRestarts { rate: 1.0, floor: 0.0, first: 1, factor: 0 },
            Schedule::Piecewise { rate: 1.0, then: vec![(5, 1.0), (5, 2.0)] },
            Schedule::Warmup { steps: 0, then: Box::new(Schedule::Constant { rate: 1.0 }) },
        ];
        for schedule in bad {
            assert!(matches!(schedule.check(), Err(Error::Parameter { .. })), "{schedule:?}");
        }
        let good = Schedule::Constant { rate: 0.0 };
        Schedule::Warmup { steps: 1, then: Box::new(good) }.check().unwrap();
    }
}
