//! An inverse problem: the conductivity of a plate from its measured temperature.
//!
//! −div(κ grad u) = 1 with u = 0 around the plate, κ = exp θ in every cell. θ is found by L-BFGS; the gradient of the misfit goes
//! through the solution by one more solve with the transposed operator, which multigrid preconditions like the first.

use resolvent::implicit::{Equation, Implicit, ImplicitOptions, Linear, Parametric};
use resolvent::learn::{Lbfgs, LbfgsOptions};
use resolvent::stencil::faces::FaceLaplacian;
use resolvent::{
    Cg, Grid, Host, LinearOperator, Map, Multigrid, MultigridOptions, Operator, Result, Shape, Space,
    Stencil, Stop,
};

const SIDE: usize = 40;

/// A(exp θ) u − 1 on a square of [`SIDE`]² cells.
struct Plate;

/// The cells at both sides of every face with its conductance and its derivatives by θ there; the outer side is `None`.
fn faces(
    theta: &[f64],
) -> impl Iterator<Item = (usize, usize, Option<usize>, Option<usize>, f64, [f64; 2])> + '_ {
    let cell = |i: usize, j: usize| (i < SIDE && j < SIDE).then_some(i + SIDE * j);
    (0..2).flat_map(move |axis| {
        (0..SIDE).flat_map(move |along| {
            (0..=SIDE).map(move |across| {
                let at = |c: usize| if axis == 0 { cell(c, along) } else { cell(along, c) };
                let (low, high) = (across.checked_sub(1).and_then(at), at(across));
                let place = if axis == 0 { across + (SIDE + 1) * along } else { along + SIDE * across };
                let kappa = |c: usize| theta[c].exp();
                // Harmonic between cells, half a cell to the boundary.
                let (g, derivatives) = match (low, high) {
                    (Some(a), Some(b)) => {
                        let (a, b) = (kappa(a), kappa(b));
                        let g = 2.0 * a * b / (a + b);
                        (g, [g * b / (a + b), g * a / (a + b)])
                    }
                    (Some(c), None) | (None, Some(c)) => {
                        (2.0 * kappa(c), [low, high].map(|s| if s.is_some() { 2.0 * kappa(c) } else { 0.0 }))
                    }
                    (None, None) => (0.0, [0.0; 2]),
                };
                (axis, place, low, high, g, derivatives)
            })
        })
    })
}

impl Plate {
    fn operator(&self, theta: &[f64]) -> Result<Stencil> {
        let n = SIDE * (SIDE + 1);
        let mut conductances = [vec![0.0; n], vec![0.0; n], vec![]];
        faces(theta).for_each(|(axis, place, _, _, g, _)| conductances[axis][place] = g);
        Ok(FaceLaplacian::new(Grid::new_2d(SIDE, SIDE)?, conductances, [false; 3])?.into())
    }

    /// u from θ.
    fn solve(&self, theta: &[f64], u: &mut [f64]) -> Result<Multigrid<f64>> {
        let (space, a) = (Host::new(), self.operator(theta)?);
        let m = Multigrid::<f64>::new(&a, MultigridOptions::default())?;
        let b = vec![1.0 / (SIDE * SIDE) as f64; u.len()];
        let report = Cg::new(&space, u.len(), Stop::rtol(1e-12))?.solve(&space, &a, Some(&m), &b, u)?;
        assert!(report.status.is_solved(), "{}", report.status);
        Ok(m)
    }
}

impl Parametric<Host<f64>> for Plate {
    fn unknowns(&self) -> usize {
        SIDE * SIDE
    }
    fn parameters(&self) -> usize {
        SIDE * SIDE
    }
    fn evaluate(&self, space: &Host<f64>, u: &[f64], theta: &[f64], y: &mut [f64]) -> Result<()> {
        self.operator(theta)?.apply(space, u, y)?;
        space.shift(-1.0 / (SIDE * SIDE) as f64, y)
    }
    fn jacobian<'a>(
        &'a self,
        _: &'a Host<f64>,
        _: &'a [f64],
        theta: &'a [f64],
    ) -> Result<Box<dyn LinearOperator<Host<f64>> + 'a>> {
        Ok(Box::new(self.operator(theta)?))
    }
    fn sensitivity<'a>(
        &'a self,
        _: &'a Host<f64>,
        u: &'a [f64],
        theta: &'a [f64],
    ) -> Result<Box<dyn LinearOperator<Host<f64>> + 'a>> {
        Ok(Box::new(Sensitivity { u, theta }))
    }
}

/// The change of A(exp θ) u with θ.
struct Sensitivity<'a> {
    u: &'a [f64],
    theta: &'a [f64],
}

impl Sensitivity<'_> {
    /// Calls `f` with both sides of every face, the change of its flux with θ there, and nothing for what is outside.
    fn each(&self, mut f: impl FnMut(Option<usize>, Option<usize>, [f64; 2])) {
        let value = |c: Option<usize>| c.map_or(0.0, |c| self.u[c]);
        for (_, _, low, high, _, derivatives) in faces(self.theta) {
            let drop = value(low) - value(high);
            f(low, high, derivatives.map(|d| d * drop));
        }
    }
}

impl Map for Sensitivity<'_> {
    fn shape(&self) -> Shape {
        Shape::square(SIDE * SIDE)
    }
}

impl Operator<Host<f64>> for Sensitivity<'_> {
    fn apply(&self, _: &Host<f64>, dtheta: &[f64], y: &mut [f64]) -> Result<()> {
        y.fill(0.0);
        self.each(|low, high, d| {
            let of = |c: Option<usize>| c.map_or(0.0, |c| dtheta[c]);
            let flux = d[0] * of(low) + d[1] * of(high);
            low.into_iter().for_each(|c| y[c] += flux);
            high.into_iter().for_each(|c| y[c] -= flux);
        });
        Ok(())
    }
}

impl LinearOperator<Host<f64>> for Sensitivity<'_> {
    fn apply_transpose(&self, _: &Host<f64>, v: &[f64], y: &mut [f64]) -> Result<()> {
        y.fill(0.0);
        self.each(|low, high, d| {
            let of = |c: Option<usize>| c.map_or(0.0, |c| v[c]);
            let drop = of(low) - of(high);
            low.into_iter().for_each(|c| y[c] += d[0] * drop);
            high.into_iter().for_each(|c| y[c] += d[1] * drop);
        });
        Ok(())
    }
}

pub(crate) fn main() -> Result<()> {
    let (space, n) = (Host::<f64>::new(), SIDE * SIDE);
    // The truth: a disc that conducts five times better.
    let truth: Vec<f64> = (0..n)
        .map(|c| {
            let (x, y) = ((c % SIDE) as f64 / SIDE as f64 - 0.4, (c / SIDE) as f64 / SIDE as f64 - 0.6);
            if x.hypot(y) < 0.2 { 5f64.ln() } else { 0.0 }
        })
        .collect();
    let mut measured = vec![0.0; n];
    Plate.solve(&truth, &mut measured)?;

    let mut implicit = Implicit::new(&space, Equation::Root, n, ImplicitOptions::linear(Linear::Cg))?;
    let mut lbfgs = Lbfgs::new(n, LbfgsOptions::default())?;
    let (mut theta, mut u, mut cotangent) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let scale = 1.0 / space.dot(&measured, &measured)?;
    let mut misfit = |theta: &[f64], gradient: &mut [f64]| -> Result<f64> {
        let m = Plate.solve(theta, &mut u)?;
        (0..n).for_each(|c| cotangent[c] = scale * (u[c] - measured[c]));
        let report = implicit.reverse(&space, &Plate, &u, theta, &cotangent, Some(&m), gradient)?;
        assert!(report.status.is_solved(), "{}", report.status);
        Ok(cotangent.iter().map(|r| r * r).sum::<f64>() / (2.0 * scale))
    };
    let mut loss = f64::INFINITY;
    for step in 0..60 {
        loss = lbfgs.step(&mut theta, &mut misfit)?.loss;
        if step % 20 == 19 {
            println!("{:>3} steps: misfit {loss:.2e}", step + 1);
        }
    }
    let inside: Vec<f64> = (0..n).filter(|c| truth[*c] > 0.0).map(|c| theta[c].exp()).collect();
    let mean = inside.iter().sum::<f64>() / inside.len() as f64;
    println!("conductivity of the disc: {mean:.2} on average, 5 in truth");
    assert!(loss < 1e-5 && (mean - 5.0).abs() < 1.5);
    Ok(())
}
