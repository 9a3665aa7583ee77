//! Poisson's equation on the problem families.

use super::layout::Axis;
use super::solution::{GoOn, Solution, Trajectory};
use super::steady::Steady;
use super::{Layout, Reference, Setting, Settings};
use crate::{Error, FAMILIES, Parameters, Problem, Result, RhsKind};
use resolvent::{Cell, Grid, Matrix, Plan, Stop};
use std::ops::ControlFlow;

/// The relative residual that is asked for.
const RTOL: f64 = 1e-11;
const NAMES: [&str; FAMILIES.len()] = {
    let mut names = [""; FAMILIES.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = FAMILIES[i].name;
        i += 1;
    }
    names
};

pub(super) const REFERENCE: Reference = Reference {
    name: "poisson",
    equation: "−∇·(κ∇u) = f on a scene of a problem family, scaled by h²: A u = b, with b manufactured where the family has a stated solution, else of its first kind; \
trajectory k has the seed + k",
    method: "finite volumes on n^dim cells; conjugate gradients with geometric multigrid",
    accuracy: "the relative residual ‖b − A u‖/‖b‖ of the discrete system, recomputed",
    settings: &[
        Setting::choice("problem", &NAMES, "the family"),
        Setting::whole("dim", 2, 2, 3, "dimensions"),
        Setting::whole("n", 64, 2, 1 << 14, "cells along each side"),
    ],
    random: true,
    build,
};

struct Poisson {
    settings: Settings,
    layout: Layout,
}

fn build(settings: &Settings) -> Result<Box<dyn Solution>> {
    let (n, dim) = (settings.whole("n"), settings.whole("dim"));
    let family = &FAMILIES[settings.whole("problem")];
    family.check(Parameters::new(n).dim(dim))?;
    let axes = ["x", "y", "z"][..dim].iter().map(|name| Axis::centres(name, n, family.name)).collect();
    let layout =
        Layout { fields: vec!["u", "b", "fluid"], axes, times: Vec::new(), samples: settings.get_samples() };
    Ok(Box::new(Poisson { settings: settings.clone(), layout }))
}

impl Poisson {
    fn problem(&self, sample: usize) -> Result<Problem> {
        let (n, dim) = (self.settings.whole("n"), self.settings.whole("dim"));
        let seed = self.settings.get_seed().wrapping_add(sample as u64);
        FAMILIES[self.settings.whole("problem")].problem(Parameters::new(n).dim(dim).seed(seed))
    }
}

impl Solution for Poisson {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn start(&self, sample: usize, _: bool, go_on: GoOn) -> Result<Option<Box<dyn Trajectory>>> {
        let problem = self.problem(sample)?;
        let kinds = problem.family().rhs;
        let kind = if kinds.contains(&RhsKind::Manufactured) { RhsKind::Manufactured } else { kinds[0] };
        let b = problem.rhs(kind)?;
        let matrix = Matrix::from(problem.stencil().clone());
        let Some((u, residual)) = solve(&matrix, &b, go_on)? else { return Ok(None) };
        let fluid: Vec<f64> = match problem.cells() {
            Some(cells) => cells.iter().map(|c| f64::from(u8::from(*c == Cell::Fluid))).collect(),
            None => vec![1.0; b.len()],
        };
        let points = self.layout.points();
        let mut values = vec![0.0; 3 * points];
        for (field, out) in [u, b, fluid].iter().zip(values.chunks_exact_mut(points)) {
            last_fastest(problem.grid(), field, out);
        }
        Ok(Some(Box::new(Steady { values, accuracy: Some(residual) })))
    }

    fn memory(&self) -> u64 {
        170 * self.layout.points() as u64
    }
}

/// The solution of a system with a symmetric matrix, and its relative residual; `None` when it was stopped.
pub(super) fn solve(matrix: &Matrix, b: &[f64], go_on: GoOn) -> Result<Option<(Vec<f64>, f64)>> {
    let mut x = vec![0.0; b.len()];
    let mut solver = Plan::default().set_up(matrix, Stop { max_steps: 10_000, ..Stop::rtol(RTOL) })?;
    let mut watch = |_: &resolvent::Progress| {
        if go_on() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let report = solver.solve(matrix, b, &mut x, &mut watch)?;
    if report.status == resolvent::Status::Interrupted {
        return Ok(None);
    }
    let size = b.iter().map(|b| b * b).sum::<f64>().sqrt();
    let residual = if size > 0.0 { report.true_residual / size } else { 0.0 };
    if residual.is_nan() || residual > 1e3 * RTOL {
        return Err(Error::Unsolved { residual, status: report.status.to_string() });
    }
    Ok(Some((x, residual)))
}

/// A field whose first dimension runs fastest, with the last fastest.
pub(super) fn last_fastest(grid: Grid, field: &[f64], out: &mut [f64]) {
    let [nx, ny, nz] = grid.n();
    for (at, o) in out.iter_mut().enumerate() {
        let (k, j, i) = (at % nz, at / nz % ny, at / (nz * ny));
        debug_assert!(i < nx);
        *o = field[grid.index([i, j, k])];
    }
}
