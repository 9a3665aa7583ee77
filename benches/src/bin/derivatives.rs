//! The ways to the gradient of a fixed point, on one problem: `derivatives [NODES] [GAMMA] [THREADS]`.
//!
//! x = γ S x + θ with S of a ring with random chords, symmetric and of norm at most 1, so that every way applies. The gradient of c·x
//! by θ is (I − γS)⁻¹ c, which is solved for to 1e-14 to compare with. Errors are relative in ‖·‖₂, times medians of 9.

use resolvent::implicit::{Derivative, Equation, Implicit, ImplicitOptions, Linear, Parametric};
use resolvent::learn::Random;
use resolvent::{Csr, FixedPointOptions, Host, Identity, LinearOperator, Operator, Result, Stop};
use resolvent_benches::Spread;
use std::error::Error;
use std::time::Instant;

type Boxed<'a> = Box<dyn LinearOperator<Host<f64>> + 'a>;

/// x ↦ γ S x + θ.
struct Affine {
    matrix: Csr<f64>,
    n: usize,
}

impl Affine {
    /// A ring of `n` nodes with as many random chords; every edge has the weight γ / √(degrees of its ends).
    fn new(n: usize, gamma: f64) -> Result<Self> {
        let mut random = Random::new(1, "chords");
        let ring = (0..n).map(|i| (i, (i + 1) % n));
        let chords = (0..n).map(|i| (i, random.below(n as u64) as usize)).filter(|(i, j)| i != j);
        let edges: Vec<(usize, usize)> = ring.chain(chords).collect();
        let mut degree = vec![0.0f64; n];
        edges.iter().for_each(|(i, j)| [*i, *j].iter().for_each(|v| degree[*v] += 1.0));
        let weight = |i: usize, j: usize| gamma / (degree[i] * degree[j]).sqrt();
        let entries: Vec<(u32, u32, f64)> = edges
            .iter()
            .flat_map(|(i, j)| {
                [(*i as u32, *j as u32, weight(*i, *j)), (*j as u32, *i as u32, weight(*i, *j))]
            })
            .collect();
        let matrix = Csr::from_triplets(n, n, &entries)?.assume(resolvent::Properties::SYMMETRIC);
        Ok(Self { matrix, n })
    }
}

impl Parametric<Host<f64>> for Affine {
    fn unknowns(&self) -> usize {
        self.n
    }
    fn parameters(&self) -> usize {
        self.n
    }
    fn evaluate(&self, space: &Host<f64>, x: &[f64], theta: &[f64], y: &mut [f64]) -> Result<()> {
        self.matrix.apply(space, x, y)?;
        y.iter_mut().zip(theta).for_each(|(y, t)| *y += t);
        Ok(())
    }
    fn jacobian<'a>(&'a self, _: &'a Host<f64>, _: &'a [f64], _: &'a [f64]) -> Result<Boxed<'a>> {
        Ok(Box::new(&self.matrix))
    }
    fn sensitivity<'a>(&'a self, _: &'a Host<f64>, _: &'a [f64], _: &'a [f64]) -> Result<Boxed<'a>> {
        Ok(Box::new(Identity::new(self.n)))
    }
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |i: usize, default: &str| arguments.get(i).cloned().unwrap_or_else(|| default.into());
    let (n, gamma): (usize, f64) = (argument(0, "10000").parse()?, argument(1, "0.9").parse()?);
    rayon::ThreadPoolBuilder::new().num_threads(argument(2, "1").parse()?).build_global()?;
    let (space, map) = (Host::<f64>::new(), Affine::new(n, gamma)?);
    let mut random = Random::new(2, "data");
    let mut normal = || (0..n).map(|_| random.normal()).collect::<Vec<f64>>();
    let (theta, c) = (normal(), normal());
    let mut x = vec![0.0; n];
    // The solution, by the plain iteration: what every way starts from.
    for _ in 0..5000 {
        let mut y = vec![0.0; n];
        map.evaluate(&space, &x, &theta, &mut y)?;
        x = y;
    }
    let gradient = |options: ImplicitOptions| -> Result<(Vec<f64>, usize, Vec<f64>)> {
        let mut implicit = Implicit::new(&space, Equation::FixedPoint, n, options)?;
        let (mut g, mut steps, mut times) = (vec![0.0; n], 0, vec![]);
        for _ in 0..10 {
            let start = Instant::now();
            steps = implicit.reverse(&space, &map, &x, &theta, &c, None, &mut g)?.steps;
            times.push(1e3 * start.elapsed().as_secs_f64());
        }
        // The first touches the memory.
        times.remove(0);
        Ok((g, steps, times))
    };
    let solve = |linear, rtol| ImplicitOptions { stop: Stop::rtol(rtol), ..ImplicitOptions::linear(linear) };
    let (exact, _, _) = gradient(solve(Linear::Gmres { restart: 200 }, 1e-14))?;
    let size = exact.iter().map(|v| v * v).sum::<f64>().sqrt();
    let mut ways: Vec<(String, ImplicitOptions)> = vec![];
    for rtol in [1e-2, 1e-4, 1e-8] {
        ways.push((format!("solve, GMRES to {rtol:.0e}"), solve(Linear::Gmres { restart: 60 }, rtol)));
        ways.push((format!("solve, BiCGSTAB to {rtol:.0e}"), solve(Linear::Bicgstab, rtol)));
    }
    for steps in [1, 5, 20, 80] {
        let damped = Derivative::Damped { steps, damping: 1.0 };
        ways.push((format!("{steps} steps at the fixed point"), ImplicitOptions::derivative(damped)));
        let unrolled = Derivative::Unrolled { steps };
        ways.push((format!("{steps} steps unrolled from 0"), ImplicitOptions::derivative(unrolled)));
    }
    for rtol in [1e-4, 1e-8] {
        let nudged = Derivative::Nudged { strength: 0.1, options: FixedPointOptions::rtol(rtol) };
        ways.push((format!("nudged, to {rtol:.0e}"), ImplicitOptions::derivative(nudged)));
    }
    println!("| way | steps | error | ms (min to max) |\n|:--|--:|--:|--:|");
    for (name, options) in ways {
        let (g, steps, times) = gradient(options)?;
        let error = g.iter().zip(&exact).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt() / size;
        let Some(time) = Spread::of(&times) else { continue };
        println!(
            "| {name} | {steps} | {error:.1e} | {:.2} ({:.2} to {:.2}) |",
            time.median, time.min, time.max
        );
    }
    Ok(())
}
