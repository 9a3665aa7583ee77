//! Darcy flow through a medium of two conductivities.

use super::layout::Axis;
use super::poisson::{last_fastest, solve};
use super::solution::{GoOn, Solution, Trajectory};
use super::steady::Steady;
use super::{Layout, Reference, Setting, Settings};
use crate::Result;
use crate::field::CosineField;
use crate::random::Stream;
use resolvent::{Boundary, FaceLaplacian, Grid, Matrix, Stencil};
use std::f64::consts::PI;

/// Wave numbers of the random field along each side, whatever the resolution.
const MODES: usize = 96;

pub(super) const REFERENCE: Reference = Reference {
    name: "darcy",
    equation: "−∇·(a ∇u) = f on [0, 1]², u = 0 on the boundary; a = high where a Gaussian random field with covariance \
(−Δ + tau²)^−alpha is positive, low elsewhere, constant in each of n × n cells; every trajectory is random",
    method: "finite volumes with harmonic means on (refine n)² cells (the data of Li et al. 2021, arXiv:2010.08895); conjugate \
gradients with geometric multigrid",
    accuracy: "the relative L2 difference of the first trajectory's u from that with half the `refine`, both averaged over the \
n × n cells",
    settings: &[
        Setting::whole("n", 128, 4, 4096, "cells of the medium along each side, stored"),
        Setting::even("refine", 4, 2, 64, "cells of the solver along each side of those"),
        Setting::physical("high", 12.0, 1e-6, 1e6, "conductivity where the field is positive"),
        Setting::physical("low", 3.0, 1e-6, 1e6, "conductivity elsewhere"),
        Setting::physical("f", 1.0, -1e6, 1e6, "source"),
        Setting::physical("tau", 3.0, 0.0, 100.0, "inverse length of the random field"),
        Setting::physical("alpha", 2.0, 1.0, 10.0, "smoothness of the random field"),
    ],
    random: true,
    build,
};

struct Darcy {
    settings: Settings,
    layout: Layout,
}

fn build(settings: &Settings) -> Result<Box<dyn Solution>> {
    let n = settings.whole("n");
    if n * settings.whole("refine") > 1 << 15 {
        return Err(settings.refuse("refine", "a number for which n · refine is at most 32768"));
    }
    let axis = |name| Axis::centres(name, n, "u = 0");
    let layout = Layout {
        fields: vec!["a", "u"],
        axes: vec![axis("x"), axis("y")],
        times: Vec::new(),
        samples: settings.get_samples(),
    };
    Ok(Box::new(Darcy { settings: settings.clone(), layout }))
}

impl Darcy {
    /// a, `[n²]`, the first dimension fastest.
    fn medium(&self, sample: usize) -> Result<Vec<f64>> {
        let of = |name| self.settings.real(name);
        let stream =
            Stream::new(self.settings.get_seed(), &format!("{}: trajectory {sample}", REFERENCE.name));
        let (tau, alpha) = (of("tau"), of("alpha"));
        let damping = |square: f64| libm::pow(PI * PI * square + tau * tau, -alpha / 2.0);
        let field =
            CosineField::with_spectrum(stream, 2, MODES, damping).on_cells(self.settings.whole("n"))?;
        Ok(field.into_iter().map(|g| if g > 0.0 { of("high") } else { of("low") }).collect())
    }

    /// u on the cells of the medium, `[n²]`, the first dimension fastest: means over `refine`² cells.
    fn pressure(&self, medium: &[f64], refine: usize, go_on: GoOn) -> Result<Option<Vec<f64>>> {
        let n = self.settings.whole("n");
        let side = n * refine;
        let grid = Grid::new_2d(side, side)?;
        let coarse = |cell: usize| cell % side / refine + n * (cell / side / refine);
        let kappa: Vec<f64> = (0..grid.cells()).map(|cell| medium[coarse(cell)]).collect();
        let stencil = Stencil::from(FaceLaplacian::from_cells(grid, &kappa, [[Boundary::DIRICHLET; 2]; 3])?);
        drop(kappa);
        let b = vec![self.settings.real("f") / (side * side) as f64; grid.cells()];
        let Some((fine, _)) = solve(&Matrix::from(stencil), &b, go_on)? else { return Ok(None) };
        let mut u = vec![0.0; n * n];
        fine.iter().enumerate().for_each(|(cell, v)| u[coarse(cell)] += v);
        u.iter_mut().for_each(|u| *u /= (refine * refine) as f64);
        Ok(Some(u))
    }
}

impl Solution for Darcy {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn start(&self, sample: usize, measured: bool, go_on: GoOn) -> Result<Option<Box<dyn Trajectory>>> {
        let (n, refine) = (self.settings.whole("n"), self.settings.whole("refine"));
        let medium = self.medium(sample)?;
        let Some(u) = self.pressure(&medium, refine, go_on)? else { return Ok(None) };
        let mut accuracy = None;
        if measured {
            let Some(other) = self.pressure(&medium, refine / 2, go_on)? else { return Ok(None) };
            let difference: f64 = u.iter().zip(&other).map(|(a, b)| (a - b) * (a - b)).sum();
            let size: f64 = u.iter().map(|u| u * u).sum();
            accuracy = Some(if size > 0.0 { (difference / size).sqrt() } else { 0.0 });
        }
        let mut values = vec![0.0; 2 * n * n];
        let (first, second) = values.split_at_mut(n * n);
        let grid = Grid::new_2d(n, n)?;
        last_fastest(grid, &medium, first);
        last_fastest(grid, &u, second);
        Ok(Some(Box::new(Steady { values, accuracy })))
    }

    fn memory(&self) -> u64 {
        let side = (self.settings.whole("n") * self.settings.whole("refine")) as u64;
        170 * side * side
    }
}
