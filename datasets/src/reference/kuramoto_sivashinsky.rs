//! Kuramoto and Sivashinsky.

use super::periodic::{Convection, Periodic, check_modes, coefficients, numerics, random_waves};
use super::solution::Solution;
use super::{Reference, STEPPED, Setting, Settings};
use crate::Result;
use rustfft::num_complex::Complex64;
use std::f64::consts::{PI, TAU};

const WAVES: usize = 8;
const NUMERICS: [Setting; 4] = numerics(256, 301, 2, 160);

pub(super) const REFERENCE: Reference = Reference {
    name: "kuramoto-sivashinsky",
    equation: "u_t + u u_x + u_xx + u_xxxx = 0 on [0, length], periodic, 0 ≤ t ≤ end; \
u(x, 0) = cos θ (1 + sin θ) with θ = 2πx/length, then random waves",
    method: "Fourier–Galerkin, ETDRK4 (Kassam and Trefethen 2005, 10.1137/S1064827502410633)",
    accuracy: STEPPED,
    settings: &[
        NUMERICS[0],
        NUMERICS[1],
        NUMERICS[2],
        NUMERICS[3],
        Setting::physical("length", 32.0 * PI, 1.0, 1e4, "the period"),
        Setting::physical("end", 150.0, 1e-6, 1e4, "final time"),
    ],
    random: true,
    build,
};

fn build(settings: &Settings) -> Result<Box<dyn Solution>> {
    let (length, seed) = (settings.real("length"), settings.get_seed());
    let refine = settings.whole("refine");
    let n = refine * settings.whole("n");
    check_modes(settings, n, 2, WAVES)?;
    // Waves longer than 2π grow; those of half that length and less must be there to take their energy.
    if (n / 4) as f64 * TAU / length < 2.0 {
        return Err(settings.refuse(
            "n",
            format!("at least {}, for this length and `refine`", (1.3 * length / refine as f64).ceil()),
        ));
    }
    Ok(Box::new(Periodic {
        reference: REFERENCE.name,
        layout: Periodic::<f64, Convection>::layout(settings, 0.0, length, settings.real("end")),
        refine,
        steps: settings.whole("steps"),
        length,
        degree: 2,
        linear: Box::new(|k| k * k - k * k * k * k),
        nonlinear: |settings, line| Convection::new(line, settings.real("length")),
        initial: Box::new(move |sample, top| match sample {
            0 => coefficients(top, &[(1, Complex64::from(0.5)), (2, Complex64::new(0.0, -0.25))]),
            _ => coefficients(top, &random_waves(REFERENCE.name, seed, sample, WAVES)),
        }),
        settings: settings.clone(),
        exact_start: None,
    }))
}
