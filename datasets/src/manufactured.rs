//! Manufactured solutions: a stated u, and the right-hand side it leads to.
//!
//! u is a product of one function for each dimension, and so is κ; both are chosen among [`Factor`]s. The right-hand
//! side of the discrete system is h² f at the cell centres with f = −∇·(κ∇u), plus what the boundary prescribes: g u at
//! a Dirichlet side with conductance g, h κ ∂u/∂n at a Neumann side. Where u is not constant along a periodic side it
//! must have the period.

use crate::Result;
use crate::error::allocate;
use crate::scene::centre;
use rayon::prelude::*;
use resolvent::{Boundaries, Boundary, Grid};
use std::f64::consts::{PI, TAU};

/// A function of one coordinate with its first two derivatives.
#[derive(Clone, Copy, Debug)]
pub struct Factor {
    /// p(s).
    pub value: fn(f64) -> f64,
    /// p′(s).
    pub slope: fn(f64) -> f64,
    /// p″(s).
    pub curvature: fn(f64) -> f64,
}

impl Factor {
    /// 1.
    pub const ONE: Self = Self { value: |_| 1.0, slope: |_| 0.0, curvature: |_| 0.0 };
    /// s (1 − s) eˢ: zero at both ends, and no eigenvector of a discrete Laplacian.
    pub const ARCH: Self = Self {
        value: |s| s * (1.0 - s) * libm::exp(s),
        slope: |s| (1.0 - s - s * s) * libm::exp(s),
        curvature: |s| -s * (3.0 + s) * libm::exp(s),
    };
    /// s² (3 − 2s): slope zero at both ends, mean ½.
    pub const STEP: Self = Self {
        value: |s| s * s * (3.0 - 2.0 * s),
        slope: |s| 6.0 * s * (1.0 - s),
        curvature: |s| 6.0 - 12.0 * s,
    };
    /// sin(2s + 0.3): neither value nor slope is zero at an end.
    pub const WAVE: Self = Self {
        value: |s| libm::sin(2.0 * s + 0.3),
        slope: |s| 2.0 * libm::cos(2.0 * s + 0.3),
        curvature: |s| -4.0 * libm::sin(2.0 * s + 0.3),
    };
    /// exp(sin 2πs): of period 1.
    pub const PERIODIC: Self = Self {
        value: |s| libm::exp(libm::sin(TAU * s)),
        slope: |s| TAU * libm::cos(TAU * s) * libm::exp(libm::sin(TAU * s)),
        curvature: |s| {
            let (sin, cos) = (libm::sin(TAU * s), libm::cos(TAU * s));
            TAU * TAU * (cos * cos - sin) * libm::exp(sin)
        },
    };
    /// 2 + cos πs: positive, a coefficient.
    pub const SWELL: Self = Self {
        value: |s| 2.0 + libm::cos(PI * s),
        slope: |s| -PI * libm::sin(PI * s),
        curvature: |s| -PI * PI * libm::cos(PI * s),
    };
    /// 2 + cos 2πs: positive and of period 1.
    pub const PERIODIC_SWELL: Self = Self {
        value: |s| 2.0 + libm::cos(TAU * s),
        slope: |s| -TAU * libm::sin(TAU * s),
        curvature: |s| -TAU * TAU * libm::cos(TAU * s),
    };
}

/// u(x) = Π u_d(x_d) + shift, and κ(x) = Π κ_d(x_d) diag(conductance).
///
/// ```
/// use resolvent::{Boundary, Grid};
/// use resolvent_datasets::manufactured::{Factor, Manufactured};
/// let u = Manufactured::new([Factor::ARCH, Factor::ARCH, Factor::ONE]);
/// let grid = Grid::new_2d(16, 16)?;
/// let b = u.right_hand_side(grid, 1.0 / 16.0, &[[Boundary::DIRICHLET; 2]; 3])?;
/// let exact = u.at_centres(grid, 1.0 / 16.0)?;
/// assert_eq!((b.len(), exact.len()), (256, 256));
/// # Ok::<(), resolvent_datasets::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Manufactured {
    /// The factors of u.
    pub u: [Factor; 3],
    /// The factors of κ.
    pub kappa: [Factor; 3],
    /// The conductance along each dimension.
    pub conductance: [f64; 3],
    /// What is added to the product, so that a pure Neumann solution has mean zero.
    pub shift: f64,
}

impl Manufactured {
    /// With κ = 1 and no shift.
    pub const fn new(u: [Factor; 3]) -> Self {
        Self { u, kappa: [Factor::ONE; 3], conductance: [1.0; 3], shift: 0.0 }
    }

    /// u at a point.
    pub fn value(&self, x: [f64; 3]) -> f64 {
        (self.u[0].value)(x[0]) * (self.u[1].value)(x[1]) * (self.u[2].value)(x[2]) + self.shift
    }

    /// The isotropic part of κ at a point.
    pub fn coefficient(&self, x: [f64; 3]) -> f64 {
        (self.kappa[0].value)(x[0]) * (self.kappa[1].value)(x[1]) * (self.kappa[2].value)(x[2])
    }

    /// κ ∂u/∂x_d at a point.
    pub fn flux(&self, x: [f64; 3], d: usize) -> f64 {
        let others: f64 = (0..3).filter(|e| *e != d).map(|e| (self.u[e].value)(x[e])).product();
        self.conductance[d] * self.coefficient(x) * (self.u[d].slope)(x[d]) * others
    }

    /// f = −∇·(κ∇u) at a point.
    pub fn source(&self, x: [f64; 3]) -> f64 {
        let divergence: f64 = (0..3)
            .map(|d| {
                let (u, c) = (self.u[d], self.kappa[d]);
                let along = (c.slope)(x[d]) * (u.slope)(x[d]) + (c.value)(x[d]) * (u.curvature)(x[d]);
                let others: f64 = (0..3)
                    .filter(|e| *e != d)
                    .map(|e| (self.kappa[e].value)(x[e]) * (self.u[e].value)(x[e]))
                    .product();
                self.conductance[d] * along * others
            })
            .sum();
        -divergence
    }

    /// u at the centres of cells of side `h`: `[grid.cells()]`.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub fn at_centres(&self, grid: Grid, h: f64) -> Result<Vec<f64>> {
        sample(grid, h, |x| self.value(x))
    }

    /// κ at the centres of cells of side `h`: `[grid.cells()]`.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub fn coefficients(&self, grid: Grid, h: f64) -> Result<Vec<f64>> {
        sample(grid, h, |x| self.coefficient(x))
    }

    /// The right-hand side of the system scaled by h²: `[grid.cells()]`. At a Dirichlet side the conductance is
    /// κ(centre)/distance.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub fn right_hand_side(&self, grid: Grid, h: f64, sides: &Boundaries) -> Result<Vec<f64>> {
        let n = grid.n();
        let mut b = allocate("a right-hand side", grid.cells(), 0.0)?;
        b.par_iter_mut().enumerate().for_each(|(index, b)| {
            let x = centre(grid, h, index);
            let at = grid.cell(index);
            *b = h * h * self.source(x);
            for d in 0..grid.dim() {
                for (end, sign) in [(0, -1.0), (1, 1.0)] {
                    if at[d] != end * (n[d] - 1) {
                        continue;
                    }
                    let beyond = |cells: f64| {
                        let mut there = x;
                        there[d] += sign * cells * h;
                        there
                    };
                    match sides[d][end] {
                        Boundary::Dirichlet { distance } => {
                            let g = self.conductance[d] * self.coefficient(x) / distance;
                            *b += g * self.value(beyond(distance));
                        }
                        Boundary::Neumann => *b += sign * h * self.flux(beyond(0.5), d),
                        Boundary::Periodic => {}
                    }
                }
            }
        });
        Ok(b)
    }
}

fn sample(grid: Grid, h: f64, f: impl Fn([f64; 3]) -> f64 + Sync) -> Result<Vec<f64>> {
    let mut v = allocate("a field", grid.cells(), 0.0)?;
    v.par_iter_mut().enumerate().for_each(|(index, v)| *v = f(centre(grid, h, index)));
    Ok(v)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Factor; 7] = [
        Factor::ONE,
        Factor::ARCH,
        Factor::STEP,
        Factor::WAVE,
        Factor::PERIODIC,
        Factor::SWELL,
        Factor::PERIODIC_SWELL,
    ];

    #[test]
    fn derivatives_agree_with_differences() {
        let e = 1e-5;
        for (number, p) in ALL.into_iter().enumerate() {
            for s in [0.0, 0.2, 0.7, 1.0] {
                let slope = ((p.value)(s + e) - (p.value)(s - e)) / (2.0 * e);
                let curvature = ((p.slope)(s + e) - (p.slope)(s - e)) / (2.0 * e);
                assert!(((p.slope)(s) - slope).abs() < 1e-7, "factor {number} at {s}");
                assert!(((p.curvature)(s) - curvature).abs() < 1e-6, "factor {number} at {s}");
            }
        }
    }

    #[test]
    fn the_source_is_minus_the_divergence_of_the_flux() {
        let u = Manufactured {
            u: [Factor::WAVE, Factor::ARCH, Factor::PERIODIC],
            kappa: [Factor::SWELL, Factor::PERIODIC_SWELL, Factor::ONE],
            conductance: [1.0, 0.5, 2.0],
            shift: 3.0,
        };
        let (x, e) = ([0.31, 0.62, 0.17], 1e-5);
        let divergence: f64 = (0..3)
            .map(|d| {
                let (mut low, mut high) = (x, x);
                low[d] -= e;
                high[d] += e;
                (u.flux(high, d) - u.flux(low, d)) / (2.0 * e)
            })
            .sum();
        assert!((u.source(x) + divergence).abs() < 1e-6 * divergence.abs(), "{} {divergence}", u.source(x));
    }
}
