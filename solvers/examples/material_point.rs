//! The stress of an elastoplastic material point, and how it depends on the strain and on the constants of the material.
//!
//! Von Mises plasticity with Swift's hardening, one implicit step from the virgin state: the stress σ (6 numbers in Mandel's order, in units
//! of the shear modulus) and the plastic strain p solve
//!
//! σ − C : ε + 2 p n(σ) = 0 with n = 3/2 s/σ_eq, and σ_eq − K (ε₀ + p)^m = 0.
//!
//! Newton's method finds them; their derivatives take one linear solve each, with no derivative of Newton's method: by the
//! strain it is the tangent that a finite-element code needs (J. C. Simo, R. L. Taylor, Consistent tangent operators for
//! rate-independent elastoplasticity, Comput. Methods Appl. Mech. Eng. 48 (1985), 101–118, doi:10.1016/0045-7825(85)90070-2), by the
//! constants what a fit to an experiment needs.

use resolvent::implicit::{Equation, Implicit, ImplicitOptions, Parametric};
use resolvent::{Dense, Gmres, Host, LinearOperator, Result, Stop};

/// The shear modulus of aluminium, MPa, and the bulk modulus in units of it.
const SHEAR: f64 = 26_000.0;
const BULK: f64 = 68_000.0 / SHEAR;
/// Where the strain and the constants K, ε₀, m lie in θ.
const STRAIN: usize = 6;
const CONSTANTS: usize = 3;

type Boxed<'a> = Box<dyn LinearOperator<Host<f64>> + 'a>;

/// The part without a mean.
fn deviator(v: &[f64]) -> [f64; 6] {
    let mean = (v[0] + v[1] + v[2]) / 3.0;
    std::array::from_fn(|i| if i < 3 { v[i] - mean } else { v[i] })
}

fn equivalent(stress: &[f64]) -> f64 {
    (1.5 * deviator(stress).iter().map(|s| s * s).sum::<f64>()).sqrt()
}

/// C : ε.
fn elastic(strain: &[f64]) -> [f64; 6] {
    let (e, volume) = (deviator(strain), strain[0] + strain[1] + strain[2]);
    std::array::from_fn(|i| 2.0 * e[i] + if i < 3 { BULK * volume } else { 0.0 })
}

/// The yield stress K (ε₀ + p)^m and its derivatives by p, K, ε₀, m.
fn hardening(p: f64, constants: &[f64]) -> (f64, [f64; 4]) {
    let [k, first, m] = [constants[0], constants[1], constants[2]];
    let power = (first + p).powf(m);
    let by_p = k * m * (first + p).powf(m - 1.0);
    (k * power, [by_p, power, by_p, k * power * (first + p).ln()])
}

/// x = (σ, p), θ = (ε, K, ε₀, m); the elastic part is known to be exceeded.
struct Point;

impl Parametric<Host<f64>> for Point {
    fn unknowns(&self) -> usize {
        7
    }
    fn parameters(&self) -> usize {
        STRAIN + CONSTANTS
    }
    fn evaluate(&self, _: &Host<f64>, x: &[f64], theta: &[f64], y: &mut [f64]) -> Result<()> {
        let (trial, s, q, p) = (elastic(&theta[..6]), deviator(x), equivalent(x), x[6]);
        (0..6).for_each(|i| y[i] = x[i] - trial[i] + 3.0 * p * s[i] / q);
        y[6] = q - hardening(p, &theta[6..]).0;
        Ok(())
    }
    fn jacobian<'a>(&'a self, _: &'a Host<f64>, x: &'a [f64], theta: &'a [f64]) -> Result<Boxed<'a>> {
        let (s, q, p) = (deviator(x), equivalent(x), x[6]);
        let by_p = hardening(p, &theta[6..]).1[0];
        Ok(Box::new(Dense::from_fn(7, 7, |i, j| match (i, j) {
            (6, 6) => -by_p,
            (6, j) => 1.5 * s[j] / q,
            (i, 6) => 3.0 * s[i] / q,
            (i, j) => {
                let same = f64::from(u8::from(i == j));
                let projected = same - if i < 3 && j < 3 { 1.0 / 3.0 } else { 0.0 };
                same + 3.0 * p / q * (projected - 1.5 * s[i] * s[j] / (q * q))
            }
        })?))
    }
    fn sensitivity<'a>(&'a self, _: &'a Host<f64>, x: &'a [f64], theta: &'a [f64]) -> Result<Boxed<'a>> {
        let by = hardening(x[6], &theta[6..]).1;
        Ok(Box::new(Dense::from_fn(7, STRAIN + CONSTANTS, |i, j| match (i, j) {
            (6, j) if j >= STRAIN => -by[1 + j - STRAIN],
            (i, j) if i < 6 && j < STRAIN => {
                let mut unit = [0.0; 6];
                unit[j] = 1.0;
                -elastic(&unit)[i]
            }
            _ => 0.0,
        })?))
    }
}

/// Newton's method from the elastic stress.
fn stress(space: &Host<f64>, theta: &[f64]) -> Result<[f64; 7]> {
    let mut x = [0.0; 7];
    x[..6].copy_from_slice(&elastic(&theta[..6]));
    assert!(equivalent(&x) > hardening(0.0, &theta[6..]).0, "the strain is elastic");
    let (mut f, mut gmres) = ([0.0; 7], Gmres::with_restart(space, 7, Stop::rtol(1e-8), 7)?);
    for _ in 0..10 {
        Point.evaluate(space, &x, theta, &mut f)?;
        if f.iter().all(|f| f.abs() < 1e-15) {
            break;
        }
        let mut step = [0.0; 7];
        let report = gmres.solve(space, &*Point.jacobian(space, &x, theta)?, None, &f, &mut step)?;
        assert!(report.status.is_solved(), "{}", report.status);
        x.iter_mut().zip(step).for_each(|(x, d)| *x -= d);
    }
    Ok(x)
}

pub(crate) fn main() -> Result<()> {
    let space = Host::<f64>::new();
    let mut implicit = Implicit::new(&space, Equation::Root, 7, ImplicitOptions::default())?;
    println!("strain  σ₁₁ MPa  p         ∂σ₁₁/∂ε₁₁  ∂σ₁₁/∂K   ∂σ₁₁/∂ε₀  ∂σ₁₁/∂m   worst error");
    for percent in [0.5, 1.0, 2.0, 4.0, 8.0] {
        let pull = 0.01 * percent;
        let theta = [pull, -0.4 * pull, -0.45 * pull, 0.0, 0.001, 0.002, 450.0 / SHEAR, 0.005, 0.2];
        let x = stress(&space, &theta)?;
        // One linear solve gives the gradient of σ₁₁ by all nine.
        let (mut first, mut gradient) = ([0.0; 7], [0.0; 9]);
        first[0] = 1.0;
        let report = implicit.reverse(&space, &Point, &x, &theta, &first, None, &mut gradient)?;
        assert!(report.status.is_solved(), "{}", report.status);
        // Against central differences of the whole of Newton's method.
        let mut worst = 0.0f64;
        for (j, exact) in gradient.iter().enumerate() {
            let width = 1e-4 * theta[j].abs().max(1e-3);
            let at = |sign: f64| -> Result<f64> {
                let mut theta = theta;
                theta[j] += sign * width;
                Ok(stress(&space, &theta)?[0])
            };
            let difference = (at(1.0)? - at(-1.0)?) / (2.0 * width);
            worst = worst.max((difference - exact).abs() / (exact.abs() + 1.0));
        }
        assert!(worst < 1e-5, "{worst:.1e}");
        println!(
            "{percent:>4} %  {:>7.1}  {:.6}  {:>9.1}  {:>8.4}  {:>9.1}  {:>8.1}   {worst:.0e}",
            SHEAR * x[0],
            x[6],
            SHEAR * gradient[0],
            gradient[6],
            SHEAR * gradient[7],
            SHEAR * gradient[8]
        );
    }
    Ok(())
}
