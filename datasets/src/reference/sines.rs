//! Sums of waves: initial values of the linear equations.

use super::formula::Formula;
use super::layout::{Axis, times};
use super::solution::Solution;
use super::{Layout, Settings};
use crate::Result;
use crate::random::Stream;
use std::f64::consts::{PI, TAU};
use std::sync::Arc;

/// Random waves of an interval whose ends are fixed.
const WAVES: usize = 6;

/// A wave: amplitude, number, phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Wave {
    pub amplitude: f64,
    pub number: f64,
    /// In radians; 0 is a sine.
    pub phase: f64,
}

impl Wave {
    /// A wave without a phase.
    pub fn sine(amplitude: f64, number: f64) -> Self {
        Self { amplitude, number, phase: 0.0 }
    }
}

/// Waves of numbers 1 to `count`, with normal amplitudes whose squares sum to 1, and uniform phases if wanted.
pub(super) fn random(name: &str, seed: u64, sample: usize, count: usize, phases: bool) -> Vec<Wave> {
    let stream = Stream::new(seed, &format!("{name}: trajectory {sample}"));
    let mut waves: Vec<Wave> = (0..count as u64)
        .map(|k| Wave {
            amplitude: stream.normal(k),
            number: (k + 1) as f64,
            phase: if phases { TAU * stream.uniform(1000 + k) } else { 0.0 },
        })
        .collect();
    let size = waves.iter().map(|w| w.amplitude * w.amplitude).sum::<f64>().sqrt();
    waves.iter_mut().for_each(|w| w.amplitude /= size);
    waves
}

/// The waves of every trajectory: those given first, then random ones.
pub(super) fn trajectories(
    name: &str,
    seed: u64,
    samples: usize,
    first: &[Wave],
    count: usize,
    phases: bool,
) -> Vec<Vec<Wave>> {
    let of = |sample| if sample == 0 { first.to_vec() } else { random(name, seed, sample, count, phases) };
    (0..samples).map(of).collect()
}

/// The largest wave number.
pub(super) fn largest(trajectories: &[Vec<Wave>]) -> f64 {
    trajectories.iter().flatten().map(|w| w.number).fold(0.0, f64::max)
}

/// The solution on [0, 1] that is 0 at both ends and starts from sines a sin kx, k = π, 2π, …: Σ a sin kx `factor(k, t)`. Its
/// relative error is `rounding` of the largest k, times ε.
pub(super) fn fixed_ends(
    settings: &Settings,
    name: &str,
    first: &[Wave],
    factor: impl Fn(f64, f64) -> f64 + Send + Sync + 'static,
    rounding: impl Fn(f64) -> f64,
) -> Result<Box<dyn Solution>> {
    let samples = settings.get_samples();
    let all = trajectories(name, settings.get_seed(), samples, first, WAVES, false);
    let rounding = f64::EPSILON * rounding(PI * largest(&all));
    Ok(Box::new(Formula {
        layout: Layout {
            fields: vec!["u"],
            axes: vec![Axis::closed("x", 0.0, 1.0, settings.whole("n"), "u = 0")],
            times: times(settings.whole("times"), settings.real("end")),
            samples,
        },
        function: Arc::new(move |_, sample, x, t| {
            let mode = |w: &Wave| {
                let k = PI * w.number;
                // sin kπ is zero, its value in floating-point numbers is not.
                if x[0] == 1.0 { 0.0 } else { w.amplitude * libm::sin(k * x[0]) * factor(k, t) }
            };
            (all[sample].iter().map(mode).sum(), 0.0)
        }),
        rounding,
    }))
}
