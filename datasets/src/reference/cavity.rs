//! The lid-driven cavity.

mod basis;
mod corner;
mod flow;
mod lift;
mod newton;

use super::layout::Axis;
use super::solution::{GoOn, Solution, Trajectory};
use super::steady::Steady;
use super::{Layout, Reference, Setting, Settings};
use crate::Result;
use flow::Flow;

pub(super) const REFERENCE: Reference = Reference {
    name: "cavity",
    equation: "(u·∇)u = −∇p + Δu/re, ∇·u = 0 on [0, 1]², u = (1, 0) on the lid y = 1 (its ends too) and 0 on the other walls; \
u = psi_y, v = −psi_x",
    method: "Legendre–Galerkin for the stream function (Shen 1994, 10.1137/0915089) after subtraction of the Stokes flow of both \
lid corners, where the vorticity is infinite (Taylor 1962; Botella and Peyret 1998, 10.1016/S0045-7930(98)00002-4); nothing is \
regularised. Newton with GMRES, preconditioned by a sparse factorisation of the biharmonic operator",
    accuracy: "the largest relative L2 difference, of u, v and psi on the points stored, from a solution with three quarters \
of the degree",
    settings: &[
        Setting::whole("n", 129, 3, 4097, "points stored in each direction, walls among them"),
        Setting::whole("degree", 96, 16, 256, "degree of the polynomials in each direction"),
        Setting::physical("re", 100.0, 0.0, 5000.0, "Reynolds number, of the side and the speed of the lid"),
    ],
    random: false,
    build,
};

struct Cavity {
    settings: Settings,
    layout: Layout,
}

fn build(settings: &Settings) -> Result<Box<dyn Solution>> {
    let (n, degree, re) = (settings.whole("n"), settings.whole("degree"), settings.real("re"));
    let needed = 16 + (re / 25.0) as usize;
    if degree < needed {
        return Err(settings
            .refuse("degree", format!("at least {needed} for this `re`: boundary layers must be seen")));
    }
    let axis = |name, ends| Axis::closed(name, 0.0, 1.0, n, ends);
    let layout = Layout {
        fields: vec!["u", "v", "psi"],
        axes: vec![axis("x", "u = v = 0"), axis("y", "u = v = 0 at 0; u = 1, v = 0 at 1")],
        times: Vec::new(),
        samples: 1,
    };
    Ok(Box::new(Cavity { settings: settings.clone(), layout }))
}

impl Cavity {
    fn fields(&self, degree: usize, go_on: GoOn) -> Result<Option<Vec<f64>>> {
        let Some(flow) = Flow::solve(self.settings.real("re"), degree, go_on)? else { return Ok(None) };
        Ok(Some(flow.fields(&self.layout.axes[0].points, &self.layout.axes[1].points).concat()))
    }
}

impl Solution for Cavity {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn start(&self, _: usize, measured: bool, go_on: GoOn) -> Result<Option<Box<dyn Trajectory>>> {
        let degree = self.settings.whole("degree");
        let Some(values) = self.fields(degree, go_on)? else { return Ok(None) };
        let mut accuracy = None;
        if measured {
            let Some(other) = self.fields(degree * 3 / 4, go_on)? else { return Ok(None) };
            let points = self.layout.points();
            let errors = values.chunks(points).zip(other.chunks(points)).map(|(a, b)| {
                let difference: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
                (difference / a.iter().map(|a| a * a).sum::<f64>()).sqrt()
            });
            accuracy = Some(errors.fold(0.0, f64::max));
        }
        Ok(Some(Box::new(Steady { values, accuracy })))
    }

    fn memory(&self) -> u64 {
        let unknowns = (self.settings.whole("degree") as u64).pow(2);
        // The basis of GMRES, the factor, products at the nodes.
        8 * unknowns * (newton::RESTART as u64 + 400)
    }
}
