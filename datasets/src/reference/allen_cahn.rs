//! Allen–Cahn.

use super::etdrk4::Nonlinear;
use super::line::Line;
use super::periodic::{Periodic, check_modes, coefficients, numerics, random_waves};
use super::solution::Solution;
use super::{Reference, STEPPED, Setting, Settings};
use crate::Result;
use rustfft::num_complex::Complex64;
use std::f64::consts::PI;

const WAVES: usize = 6;
const NUMERICS: [Setting; 4] = numerics(512, 101, 16, 40);

pub(super) const REFERENCE: Reference = Reference {
    name: "allen-cahn",
    equation: "u_t = nu u_xx + a (u − u³) on [−1, 1], periodic, 0 ≤ t ≤ end; u(x, 0) = x² cos πx, then random waves",
    method: "Fourier–Galerkin, ETDRK4 (Kassam and Trefethen 2005, 10.1137/S1064827502410633)",
    accuracy: STEPPED,
    settings: &[
        NUMERICS[0],
        NUMERICS[1],
        NUMERICS[2],
        NUMERICS[3],
        Setting::physical("nu", 1e-4, 1e-6, 10.0, "diffusion"),
        Setting::physical("a", 5.0, 0.0, 100.0, "reaction"),
        Setting::physical("end", 1.0, 1e-6, 1e4, "final time"),
    ],
    random: true,
    build,
};

fn build(settings: &Settings) -> Result<Box<dyn Solution>> {
    let (nu, a, seed) = (settings.real("nu"), settings.real("a"), settings.get_seed());
    let refine = settings.whole("refine");
    check_modes(settings, refine * settings.whole("n"), 3, WAVES)?;
    Ok(Box::new(Periodic {
        reference: REFERENCE.name,
        layout: Periodic::<f64, Cubic>::layout(settings, -1.0, 1.0, settings.real("end")),
        refine,
        steps: settings.whole("steps"),
        length: 2.0,
        degree: 3,
        linear: Box::new(move |k| a - nu * k * k),
        nonlinear: |settings, line| Cubic { a: settings.real("a"), values: vec![0.0; line.n()], line },
        initial: Box::new(move |sample, top| match sample {
            0 => (0..=top).map(|k| Complex64::from(textbook(k as i64))).collect(),
            _ => coefficients(top, &random_waves(REFERENCE.name, seed, sample, WAVES)),
        }),
        settings: settings.clone(),
        exact_start: Some(|x| x * x * libm::cos(PI * x)),
    }))
}

/// −a u³.
struct Cubic {
    a: f64,
    values: Vec<f64>,
    line: Line,
}

impl Nonlinear for Cubic {
    fn apply(&mut self, v: &[Complex64], out: &mut [Complex64]) {
        self.line.values(v, &mut self.values);
        self.values.iter_mut().for_each(|u| *u = -self.a * *u * *u * *u);
        self.line.coefficients(&mut self.values, out);
    }
}

/// The coefficient of e^{iπk(x + 1)} in x² cos πx, whose slope has a jump at the ends: they fall like 1/k².
fn textbook(k: i64) -> f64 {
    // ∫ x² cos mπx over [−1, 1], times (−1)^m.
    let moment = |m: i64| if m == 0 { 2.0 / 3.0 } else { 4.0 / (PI * PI * (m * m) as f64) };
    -0.25 * (moment(k + 1) + moment(k - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_of_the_initial_values_converges_to_them() {
        for x in [-0.5f64, 0.0, 0.3, 0.9] {
            let series: f64 = (0..20_000)
                .map(|k| {
                    let c = textbook(k) * (PI * k as f64 * (x + 1.0)).cos();
                    if k == 0 { c } else { 2.0 * c }
                })
                .sum();
            assert!((series - x * x * (PI * x).cos()).abs() < 1e-7, "{x}: {series}");
        }
    }
}
