//! Sums of waves: initial values of the linear equations.

use crate::random::Stream;
use std::f64::consts::TAU;

/// A wave: amplitude, number, phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Wave {
    pub amplitude: f64,
    pub number: f64,
    /// In radians; 0 is a sine.
    pub phase: f64,
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
