//! The wave equation.

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
    name: "wave",
    equation: "u_tt = c² u_xx on [0, 1], u = 0 at both ends, u_t(x, 0) = 0, 0 ≤ t ≤ end; \
u(x, 0) = sin πx + ½ sin 4πx, then random sines",
    method: "the exact solution Σ a_k sin kπx cos kπct",
    accuracy: "rounding of the formula: ε times the largest argument",
    settings: &[
        Setting::whole("n", 256, 2, 1 << 20, "points stored, both ends among them"),
        Setting::whole("times", 201, 2, 100_000, "snapshots stored, the first at t = 0"),
        Setting::physical("c", 2.0, 1e-6, 1e6, "speed"),
        Setting::physical("end", 1.0, 1e-6, 1e4, "final time"),
    ],
    random: true,
    build,
};

fn build(settings: &Settings) -> Result<Box<dyn Solution>> {
    let (c, end) = (settings.real("c"), settings.real("end"));
    let sine = |amplitude, number| Wave { amplitude, number, phase: 0.0 };
    let first = [sine(1.0, 1.0), sine(0.5, 4.0)];
    let (seed, samples) = (settings.get_seed(), settings.get_samples());
    let all = trajectories(REFERENCE.name, seed, samples, &first, WAVES, false);
    let rounding = f64::EPSILON * (1.0 + PI * largest(&all) * (1.0 + c * end));
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
                if x[0] == 1.0 { 0.0 } else { w.amplitude * libm::sin(k * x[0]) * libm::cos(k * c * t) }
            };
            (all[sample].iter().map(mode).sum(), 0.0)
        }),
        rounding,
    }))
}
