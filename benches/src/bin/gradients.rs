//! Ways to the gradient of a fixed point, on one problem: `gradients [N] [REPEAT]`, 128 cells a side and 11 repeats unless told otherwise.
//!
//! x minimises ½ xᵀ(L + κ)x + ¼ Σ x⁴ − θᵀx over the cells of a square, L the Laplacian of the 5-point stencil and θ normal noise; its map
//! is one step of descent, T(x) = x − τ ((L + κ) x + x³ − θ), whose Jacobian is symmetric, so that every way applies. The gradient
//! is that of cᵀx by θ for another noise c, exact to rounding by GMRES for comparison. The fixed point is found before and is not
//! counted, but for unrolling, which finds it itself.

use resolvent::implicit::{Derivative, Equation, Implicit, ImplicitOptions, Linear, Parametric};
use resolvent::learn::Random;
use resolvent::{
    Boundary, Diagonal, FixedPoint, FixedPointOptions, Grid, Host, LinearOperator, Map, Operator, Poisson,
    Properties, Result, Shape, Stop,
};
use resolvent_benches::Spread;
use std::time::Instant;

const KAPPA: f64 = 0.1;
/// A contraction: L is at most 8, and 3x² seldom above 5.
const STEP: f64 = 0.13;

struct Descent {
    laplacian: Poisson,
    n: usize,
}

/// v − τ ((L + κ) v + 3x² v), or without the square at 0.
struct Slope<'a> {
    of: &'a Descent,
    shift: Vec<f64>,
}

impl Map for Slope<'_> {
    fn shape(&self) -> Shape {
        Shape::square(self.of.n)
    }
    fn properties(&self) -> Properties {
        Properties::SYMMETRIC
    }
}

impl Operator<Host<f64>> for Slope<'_> {
    fn apply(&self, space: &Host<f64>, v: &[f64], y: &mut [f64]) -> Result<()> {
        self.of.laplacian.apply(space, v, y)?;
        y.iter_mut().zip(v).zip(&self.shift).for_each(|((y, v), s)| *y = v - STEP * (*y + s * v));
        Ok(())
    }
}

impl LinearOperator<Host<f64>> for Slope<'_> {}

type Boxed<'a> = Box<dyn LinearOperator<Host<f64>> + 'a>;

impl Parametric<Host<f64>> for Descent {
    fn unknowns(&self) -> usize {
        self.n
    }
    fn parameters(&self) -> usize {
        self.n
    }
    fn evaluate(&self, space: &Host<f64>, x: &[f64], theta: &[f64], y: &mut [f64]) -> Result<()> {
        self.laplacian.apply(space, x, y)?;
        let rest = |x: f64| (KAPPA + x * x) * x;
        y.iter_mut().zip(x).zip(theta).for_each(|((y, x), t)| *y = x - STEP * (*y + rest(*x) - t));
        Ok(())
    }
    fn jacobian<'a>(&'a self, _: &'a Host<f64>, x: &'a [f64], _: &'a [f64]) -> Result<Boxed<'a>> {
        Ok(Box::new(Slope { of: self, shift: x.iter().map(|x| KAPPA + 3.0 * x * x).collect() }))
    }
    fn sensitivity<'a>(&'a self, space: &'a Host<f64>, _: &'a [f64], _: &'a [f64]) -> Result<Boxed<'a>> {
        Ok(Box::new(Diagonal::new(space, &vec![STEP; self.n])?))
    }
}

/// T at one θ.
struct At<'a>(&'a Descent, &'a [f64]);

impl Map for At<'_> {
    fn shape(&self) -> Shape {
        Shape::square(self.0.n)
    }
}

impl Operator<Host<f64>> for At<'_> {
    fn apply(&self, space: &Host<f64>, x: &[f64], y: &mut [f64]) -> Result<()> {
        self.0.evaluate(space, x, self.1, y)
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let argument = |i: usize, default: usize| std::env::args().nth(i).map_or(Ok(default), |t| t.parse());
    let (side, repeat) = (argument(1, 128)?, argument(2, 11)?.max(1));
    let grid = Grid::new_2d(side, side)?;
    let map = Descent { laplacian: Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3])?, n: grid.cells() };
    let (space, mut random) = (Host::<f64>::new(), Random::new(1, "gradients"));
    let mut noise = || (0..map.n).map(|_| random.normal()).collect::<Vec<f64>>();
    let (theta, cotangent) = (noise(), noise());
    let mut x = vec![0.0; map.n];
    let options = FixedPointOptions::rtol(1e-14);
    let found = FixedPoint::new(&space, map.n, options)?.solve(&space, &At(&map, &theta), &mut x)?;
    println!("{side}² cells, fixed point to {:.0e} in {} steps\n", found.residual, found.steps);

    let gradient = |options: ImplicitOptions| -> Result<(Vec<f64>, usize)> {
        let mut g = vec![0.0; map.n];
        let mut implicit = Implicit::new(&space, Equation::FixedPoint, map.n, options)?;
        let report = implicit.reverse(&space, &map, &x, &theta, &cotangent, None, &mut g)?;
        Ok((g, report.steps))
    };
    let solve = |linear, rtol| ImplicitOptions { stop: Stop::rtol(rtol), ..ImplicitOptions::linear(linear) };
    let exact = gradient(solve(Linear::Gmres { restart: 100 }, 1e-15))?.0;
    let norm = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();

    let gmres = Linear::Gmres { restart: 60 };
    let mut ways = vec![];
    for rtol in [1e-3, 1e-6, 1e-10] {
        for (name, linear) in
            [("MINRES", Linear::Minres), ("GMRES(60)", gmres), ("BiCGSTAB", Linear::Bicgstab)]
        {
            ways.push((format!("solve, {name}, {rtol:.0e}"), solve(linear, rtol)));
        }
    }
    for steps in [1, 5, 20, 80] {
        let damped = Derivative::Damped { steps, damping: 1.0 };
        ways.push((format!("{steps} damped steps"), ImplicitOptions::derivative(damped)));
    }
    for steps in [5, 20, 80, 320] {
        let unrolled = Derivative::Unrolled { steps };
        ways.push((format!("{steps} steps unrolled"), ImplicitOptions::derivative(unrolled)));
    }
    for strength in [1e-1, 1e-2, 1e-3] {
        let nudged = Derivative::Nudged { strength, options: FixedPointOptions::rtol(1e-10) };
        ways.push((format!("nudged by {strength:.0e}"), ImplicitOptions::derivative(nudged)));
    }
    println!("| way | steps | ms (min to max) | relative error |\n|:--|--:|--:|--:|");
    for (name, options) in ways {
        let (mut times, mut last) = (vec![], (vec![], 0));
        for _ in 0..repeat {
            let start = Instant::now();
            last = gradient(options)?;
            times.push(1e3 * start.elapsed().as_secs_f64());
        }
        let difference: Vec<f64> = last.0.iter().zip(&exact).map(|(a, b)| a - b).collect();
        let Some(Spread { median, min, max }) = Spread::of(&times) else { continue };
        println!(
            "| {name} | {} | {median:.2} ({min:.2} to {max:.2}) | {:.1e} |",
            last.1,
            norm(&difference) / norm(&exact)
        );
    }
    Ok(())
}
