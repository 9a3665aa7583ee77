//! The wave equation.

use super::sines::{Wave, fixed_ends};
use super::solution::Solution;
use super::{Reference, Setting, Settings};
use crate::Result;

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
    let first = [Wave::sine(1.0, 1.0), Wave::sine(0.5, 4.0)];
    let factor = move |k: f64, t: f64| libm::cos(k * c * t);
    fixed_ends(settings, REFERENCE.name, &first, factor, |k| 1.0 + k * (1.0 + c * end))
}
