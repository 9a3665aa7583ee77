//! Advection.

use super::formula::Formula;
use super::layout::{Axis, times};
use super::sines::{Wave, largest, trajectories};
use super::solution::Solution;
use super::{Layout, Reference, Setting, Settings};
use crate::Result;
use std::f64::consts::TAU;
use std::sync::Arc;

const WAVES: usize = 6;

pub(super) const REFERENCE: Reference = Reference {
    name: "advection",
    equation: "u_t + beta u_x = 0 on [0, 2π], periodic, 0 ≤ t ≤ end; u(x, 0) = sin x, then random waves",
    method: "the exact solution u(x − beta t, 0)",
    accuracy: "rounding of the formula: ε times the largest argument",
    settings: &[
        Setting::whole("n", 256, 2, 1 << 20, "points stored"),
        Setting::whole("times", 101, 2, 100_000, "snapshots stored, the first at t = 0"),
        Setting::physical("beta", 30.0, -1e6, 1e6, "speed"),
        Setting::physical("end", 1.0, 1e-6, 1e4, "final time"),
    ],
    random: true,
    build,
};

fn build(settings: &Settings) -> Result<Box<dyn Solution>> {
    let (beta, end) = (settings.real("beta"), settings.real("end"));
    let first = [Wave::sine(1.0, 1.0)];
    let (seed, samples) = (settings.get_seed(), settings.get_samples());
    let all = trajectories(REFERENCE.name, seed, samples, &first, WAVES, true);
    let rounding = f64::EPSILON * (1.0 + largest(&all) * (TAU + beta.abs() * end));
    Ok(Box::new(Formula {
        layout: Layout {
            fields: vec!["u"],
            axes: vec![Axis::periodic("x", 0.0, TAU, settings.whole("n"))],
            times: times(settings.whole("times"), end),
            samples,
        },
        function: Arc::new(move |_, sample, x, t| {
            let mode = |w: &Wave| w.amplitude * libm::sin(w.number * (x[0] - beta * t) + w.phase);
            (all[sample].iter().map(mode).sum(), 0.0)
        }),
        rounding,
    }))
}
