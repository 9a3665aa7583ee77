//! The Klein–Gordon benchmark of physics-informed networks.

use super::formula::Formula;
use super::layout::{Axis, times};
use super::solution::Solution;
use super::{Layout, Reference, Setting, Settings};
use crate::Result;
use std::f64::consts::PI;
use std::sync::Arc;

pub(super) const REFERENCE: Reference = Reference {
    name: "klein-gordon",
    equation: "u_tt − u_xx + u³ = f on [0, 1], 0 ≤ t ≤ 1, u given on the boundary and u, u_t at t = 0; \
u = x cos(5πt) + (xt)³, f = −25π² x cos(5πt) + 6x³t − 6xt³ + u³",
    method: "by formula (Wang, Teng and Perdikaris 2021, 10.1137/20M1318043)",
    accuracy: "rounding of the formula: ε times the largest argument",
    settings: &[
        Setting::whole("n", 101, 2, 1 << 20, "points stored, both ends among them"),
        Setting::whole("times", 101, 2, 100_000, "snapshots stored, the first at t = 0"),
    ],
    random: false,
    build,
};

fn build(settings: &Settings) -> Result<Box<dyn Solution>> {
    Ok(Box::new(Formula {
        layout: Layout {
            fields: vec!["u", "f"],
            axes: vec![Axis::closed("x", 0.0, 1.0, settings.whole("n"), "u given")],
            times: times(settings.whole("times"), 1.0),
            samples: 1,
        },
        function: Arc::new(|field, _, x, t| {
            let x = x[0];
            let swing = x * libm::cos(5.0 * PI * t);
            let u = swing + x * x * x * t * t * t;
            let f = -25.0 * PI * PI * swing + 6.0 * x * x * x * t - 6.0 * x * t * t * t + u * u * u;
            (if field == 0 { u } else { f }, 0.0)
        }),
        rounding: f64::EPSILON * (1.0 + 5.0 * PI),
    }))
}
