//! The heat equation.

use super::sines::{Wave, fixed_ends};
use super::solution::Solution;
use super::{Reference, Setting, Settings};
use crate::Result;

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
    let factor = move |k: f64, t: f64| libm::exp(-alpha * k * k * t);
    let rounding = |k: f64| 1.0 + k + (k * k * alpha * end).min(745.0);
    fixed_ends(settings, REFERENCE.name, &[Wave::sine(1.0, 1.0)], factor, rounding)
}
