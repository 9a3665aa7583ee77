//! Burgers, by the transformation of Cole and Hopf.

use super::formula::{Formula, Valued};
use super::layout::{Axis, times};
use super::sines::{Wave, trajectories};
use super::solution::Solution;
use super::{Layout, Reference, Setting, Settings};
use crate::Result;
use std::f64::consts::PI;
use std::sync::Arc;

const WAVES: usize = 4;

pub(super) const REFERENCE: Reference = Reference {
    name: "burgers",
    equation: "u_t + u u_x = nu u_xx on [−1, 1], u = 0 at both ends, 0 ≤ t ≤ end; u(x, 0) = −sin πx, then random sines",
    method: "Cole–Hopf integrals (Cole 1951, 10.1090/qam/42889; Basdevant et al. 1986, 10.1016/0045-7930(86)90036-8) \
by the trapezoidal rule, its step halved until nothing changes (Trefethen and Weideman 2014, 10.1137/130932132)",
    accuracy: "the largest change of a value, relative to max |u(x, 0)|, when the quadrature step was last halved, and rounding of exponents",
    settings: &[
        Setting::whole("n", 257, 3, 1 << 16, "points stored, both ends among them"),
        Setting::whole("times", 101, 2, 100_000, "snapshots stored, the first at t = 0"),
        Setting::physical("nu", 0.01 / PI, 1e-4, 100.0, "viscosity"),
        Setting::physical("end", 1.0, 1e-6, 1e3, "final time"),
    ],
    random: true,
    build,
};

/// Halvings after which the rule is taken as it is, and the change stated.
const HALVINGS: usize = 12;

fn build(settings: &Settings) -> Result<Box<dyn Solution>> {
    let (nu, samples) = (settings.real("nu"), settings.get_samples());
    let first = [Wave::sine(-1.0, 1.0)];
    let all = trajectories(REFERENCE.name, settings.get_seed(), samples, &first, WAVES, false);
    let all: Vec<ColeHopf> = all.into_iter().map(|waves| ColeHopf::new(nu, waves)).collect();
    let exponent = all.iter().map(|c| c.swing / (2.0 * nu)).fold(1.0, f64::max);
    Ok(Box::new(Formula {
        layout: Layout {
            fields: vec!["u"],
            axes: vec![Axis::closed("x", -1.0, 1.0, settings.whole("n"), "u = 0")],
            times: times(settings.whole("times"), settings.real("end")),
            samples,
        },
        function: Arc::new(move |_, sample, x, t| all[sample].value(x[0], t)),
        rounding: f64::EPSILON * (PI + exponent),
    }))
}

/// u(x, t) = ∫ u₀(x − η) w dη / ∫ w dη with w = exp(−η²/4νt − U(x − η)/2ν) and U' = u₀, a sum of sines kπx.
///
/// The integrands are entire and fall like a Gaussian, so the trapezoidal rule over the line converges faster than
/// geometrically.
struct ColeHopf {
    nu: f64,
    waves: Vec<Wave>,
    /// max U − min U, at most.
    swing: f64,
    /// max |u₀'|, at most.
    slope: f64,
    /// max |u₀|, at most.
    size: f64,
}

impl ColeHopf {
    fn new(nu: f64, waves: Vec<Wave>) -> Self {
        let sum = |f: fn(f64, f64) -> f64| waves.iter().map(|w| f(w.amplitude.abs(), PI * w.number)).sum();
        let swing = sum(|a, k| 2.0 * a / k);
        Self { nu, swing, slope: sum(|a, k| a * k), size: sum(|a, _| a), waves }
    }

    /// u₀ and U at y.
    fn start(&self, y: f64) -> (f64, f64) {
        let mut value = (0.0, 0.0);
        for w in &self.waves {
            let (sin, cos) = libm::sincos(PI * w.number * y);
            value.0 += w.amplitude * sin;
            value.1 -= w.amplitude / (PI * w.number) * cos;
        }
        value
    }

    /// The value, and how much the last halving changed it.
    fn value(&self, x: f64, t: f64) -> Valued {
        if x.abs() == 1.0 {
            return (0.0, 0.0);
        }
        if t == 0.0 {
            return (self.start(x).0, 0.0);
        }
        let variance = 2.0 * self.nu * t;
        // Beyond this every weight is below e^{−40} of the largest.
        let reach = (2.0 * variance * (self.swing / (2.0 * self.nu) + 40.0)).sqrt();
        // No peak of the weight is narrower than this.
        let narrow = 1.0 / (1.0 / variance + self.slope / (2.0 * self.nu)).sqrt();
        let log = |eta: f64, potential: f64| -eta * eta / (2.0 * variance) - potential / (2.0 * self.nu);
        let (mut top, mut over, mut under) = (f64::NEG_INFINITY, 0.0, 0.0);
        let mut add = |eta: f64| {
            let (u, potential) = self.start(x - eta);
            let exponent = log(eta, potential);
            if exponent > top {
                let shrink = libm::exp(top - exponent);
                (over, under, top) = (over * shrink, under * shrink, exponent);
            }
            let weight = libm::exp(exponent - top);
            over += u * weight;
            under += weight;
            over / under
        };
        let mut step = narrow.min(reach);
        let mut count = (reach / step).ceil() as i64;
        let mut value = 0.0;
        for i in -count..=count {
            value = add(i as f64 * step);
        }
        let mut change = f64::INFINITY;
        for _ in 0..HALVINGS {
            step *= 0.5;
            let before = value;
            for i in -count..count {
                value = add((2 * i + 1) as f64 * step);
            }
            count *= 2;
            change = (value - before).abs() / self.size;
            if change < 1e-15 {
                break;
            }
        }
        (value, change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trapezoidal_rule_converges_at_once() {
        let first = vec![Wave::sine(-1.0, 1.0)];
        for nu in [0.001, 0.01 / PI, 0.1, 10.0] {
            let burgers = ColeHopf::new(nu, first.clone());
            for (x, t) in [(-0.9, 1e-3), (0.01, 0.3), (0.003, 0.6), (0.5, 1.0), (1e-5, 3.0)] {
                let (value, change) = burgers.value(x, t);
                assert!(change < 1e-14 && value.abs() <= 1.0, "nu {nu}, x {x}, t {t}: {value} {change:e}");
                assert!((burgers.value(-x, t).0 + value).abs() < 1e-13, "odd");
            }
        }
    }

    #[test]
    fn large_viscosity_leaves_the_heat_equation() {
        let wave = vec![Wave::sine(1e-5, 2.0)];
        let burgers = ColeHopf::new(1.0, wave);
        let (x, t) = (0.3, 0.02);
        let heat = 1e-5 * (2.0 * PI * x).sin() * (-4.0 * PI * PI * t).exp();
        assert!((burgers.value(x, t).0 - heat).abs() < 1e-10);
    }
}
