//! The Helmholtz benchmark of physics-informed networks.

use super::formula::Formula;
use super::layout::Axis;
use super::solution::Solution;
use super::{Layout, Reference, Setting, Settings};
use crate::Result;
use std::f64::consts::PI;
use std::sync::Arc;

pub(super) const REFERENCE: Reference = Reference {
    name: "helmholtz",
    equation: "Δu + k² u = q on [−1, 1]², u = 0 on the boundary; u = sin(a πx) sin(b πy), q = (k² − (a² + b²)π²) u",
    method: "by formula (Wang, Teng and Perdikaris 2021, 10.1137/20M1318043)",
    accuracy: "rounding of the formula: ε times the largest argument",
    settings: &[
        Setting::whole("n", 101, 2, 1 << 14, "points stored in each direction, both ends among them"),
        Setting::whole("a", 1, 1, 1000, "half waves between 0 and 1 along x"),
        Setting::whole("b", 4, 1, 1000, "half waves between 0 and 1 along y"),
        Setting::physical("k", 1.0, 0.0, 1e4, "wave number"),
    ],
    random: false,
    build,
};

fn build(settings: &Settings) -> Result<Box<dyn Solution>> {
    let (n, k) = (settings.whole("n"), settings.real("k"));
    let (a, b) = (settings.real("a"), settings.real("b"));
    Ok(Box::new(Formula {
        layout: Layout {
            fields: vec!["u", "q"],
            axes: vec![Axis::closed("x", -1.0, 1.0, n, "u = 0"), Axis::closed("y", -1.0, 1.0, n, "u = 0")],
            times: Vec::new(),
            samples: 1,
        },
        function: Arc::new(move |field, _, x, _| {
            // sin aπ is zero, its value in floating-point numbers is not.
            let sine = |a: f64, x: f64| if x.abs() == 1.0 { 0.0 } else { libm::sin(a * PI * x) };
            let u = sine(a, x[0]) * sine(b, x[1]);
            (if field == 0 { u } else { (k * k - (a * a + b * b) * PI * PI) * u }, 0.0)
        }),
        rounding: f64::EPSILON * (1.0 + PI * a.max(b)),
    }))
}
