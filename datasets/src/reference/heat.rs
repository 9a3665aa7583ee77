//! The heat equation.

use super::formula::Formula;
use super::layout::{Axis, times};
use super::sines::{Wave, largest, trajectories};
use super::solution::Solution;
use super::{Layout, Reference, Setting, Settings};
use crate::Result;
use std::f64::consts::PI;
use std::sync::Arc;

const WAVES: usize = 6;

pub(super) const REFERENCE: Reference = Reference {
    name: "heat",
    equation: "u_t = alpha u_xx on [0, 1], u = 0 at both ends, 0 ≤ t ≤ end; u(x, 0) = sin πx, then random sines",
    method: "the exact solution Σ a_k sin kπx exp(−alpha k²π²t)",
    accuracy: "rounding of the formula: ε times the largest argument",
    settings: &[
        Setting::whole("n", 256, 2, 1 << 20, "points stored, both ends among them"),
        Setting::whole("times", 101, 2, 100_000, "snapshots stored, the first at t = 0"),
        Setting::physical("alpha", 0.1, 1e-8, 1e4, "diffusivity"),
        Setting::physical("end", 1.0, 1e-6, 1e4, "final time"),
    ],
    random: true,
    build,
};

fn build(settings: &Settings) -> Result<Box<dyn Solution>> {
    let (alpha, end) = (settings.real("alpha"), settings.real("end"));
    let first = [Wave { amplitude: 1.0, number: 1.0, phase: 0.0 }];
    let (seed, samples) = (settings.get_seed(), settings.get_samples());
    let all = trajectories(REFERENCE.name, seed, samples, &first, WAVES, false);
    let k = PI * largest(&all);
    let rounding = f64::EPSILON * (1.0 + k + (k * k * alpha * end).min(745.0));
    Ok(Box::new(Formula {
        layout: Layout {
            fields: vec!["u"],
            axes: vec![Axis::closed("x", 0.0, 1.0, settings.whole("n"), "u = 0")],
            times: times(settings.whole("times"), end),
            samples,
        },
        function: Arc::new(move |_, sample, x, t| {
            let mode = |w: &Wave| {
                let k = PI * w.number;
                // sin kπ is zero, its value in floating-point numbers is not.
                let s = if x[0] == 1.0 { 0.0 } else { libm::sin(k * x[0]) };
                w.amplitude * s * libm::exp(-alpha * k * k * t)
            };
            (all[sample].iter().map(mode).sum(), 0.0)
        }),
        rounding,
    }))
}
