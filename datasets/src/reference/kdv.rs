//! Korteweg and de Vries.

use super::periodic::{Convection, Periodic, check_modes, coefficients, numerics, random_waves};
use super::solution::Solution;
use super::{Reference, STEPPED, Setting, Settings};
use crate::Result;
use rustfft::num_complex::Complex64;

const WAVES: usize = 4;
const NUMERICS: [Setting; 4] = numerics(512, 201, 2, 40);

pub(super) const REFERENCE: Reference = Reference {
    name: "kdv",
    equation: "u_t + u u_x + c u_xxx = 0 on [−1, 1], periodic, 0 ≤ t ≤ end; u(x, 0) = cos πx, then random waves",
    method: "Fourier–Galerkin, ETDRK4 (Kassam and Trefethen 2005, 10.1137/S1064827502410633)",
    accuracy: STEPPED,
    settings: &[
        NUMERICS[0],
        NUMERICS[1],
        NUMERICS[2],
        NUMERICS[3],
        Setting::physical("c", 0.0025, 1e-5, 10.0, "dispersion"),
        Setting::physical("end", 1.0, 1e-6, 1e4, "final time"),
    ],
    random: true,
    build,
};

fn build(settings: &Settings) -> Result<Box<dyn Solution>> {
    let (c, seed) = (settings.real("c"), settings.get_seed());
    let refine = settings.whole("refine");
    check_modes(settings, refine * settings.whole("n"), 2, WAVES)?;
    Ok(Box::new(Periodic {
        reference: REFERENCE.name,
        layout: Periodic::<Complex64, Convection>::layout(settings, -1.0, 1.0, settings.real("end")),
        refine,
        steps: settings.whole("steps"),
        length: 2.0,
        degree: 2,
        linear: Box::new(move |k| Complex64::new(0.0, c * k * k * k)),
        nonlinear: |_, line| Convection::new(line, 2.0),
        initial: Box::new(move |sample, top| match sample {
            // cos πx = −cos π(x + 1).
            0 => coefficients(top, &[(1, Complex64::from(-0.5))]),
            _ => coefficients(top, &random_waves(REFERENCE.name, seed, sample, WAVES)),
        }),
        settings: settings.clone(),
        exact_start: None,
    }))
}
