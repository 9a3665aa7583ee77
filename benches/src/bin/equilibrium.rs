//! Systems at rest on random graphs, solved and differentiated: `equilibrium [NODES,..] [DEGREE] [HEADS] [GAMMA] [THREADS]`.
//!
//! Weights are uniform in [0, 1] over the degree, as in the peers' harness: x = γ A x + b in f32 until a sweep changes x by at most 1e-6,
//! then the gradient of Σ c x by the weights and b to the same. Medians of 21.

use resolvent::Stop;
use resolvent::graph::{Equilibrium, EquilibriumOptions, Graphs};
use resolvent::learn::Random;
use resolvent_benches::Spread;
use std::error::Error;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |i: usize, default: &str| arguments.get(i).cloned().unwrap_or_else(|| default.into());
    let (degree, heads): (usize, usize) = (argument(1, "8").parse()?, argument(2, "8").parse()?);
    let (gamma, threads): (f64, usize) = (argument(3, "0.9").parse()?, argument(4, "1").parse()?);
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    println!(
        "| nodes | sweeps x, s | forward ms | backward ms | both ms (min to max) |\n|--:|--:|--:|--:|--:|"
    );
    for n in argument(0, "50,200,1000,3000,10000,100000").split(',') {
        let n: usize = n.parse()?;
        let mut random = Random::new(n as u64, "graph");
        let edges: Vec<[u32; 2]> = (0..n * degree)
            .map(|e| {
                let j = (random.uniform() * (n - 1) as f64) as usize;
                [(e / degree) as u32, (j + usize::from(j >= e / degree)) as u32]
            })
            .collect();
        let graphs = Graphs::new(&[n], &edges)?;
        let weights: Vec<f32> =
            (0..edges.len() * heads).map(|_| (random.uniform() / degree as f64) as f32).collect();
        let mut normal = || (0..n * heads).map(|_| random.normal() as f32).collect::<Vec<f32>>();
        let (b, c) = (normal(), normal());
        let stop = Stop { rtol: 0.0, atol: 1e-6, ..Stop::default() };
        let mut solver =
            Equilibrium::new(EquilibriumOptions { gamma, stop, ..EquilibriumOptions::default() })?;
        let (mut times, mut sweeps) = ([vec![], vec![], vec![]], [0; 2]);
        let (mut x, mut s, mut g) = (b.clone(), c.clone(), vec![0.0; weights.len()]);
        for _ in 0..22 {
            let start = Instant::now();
            x.copy_from_slice(&b);
            let forward = solver.solve(&graphs, &weights, &b, &mut x)?;
            let middle = start.elapsed();
            s.copy_from_slice(&c);
            g.fill(0.0);
            let backward = solver.adjoint(&graphs, &weights, &b, &x, &c, &mut s, &mut g)?;
            let both = start.elapsed();
            if !(forward.status.is_solved() && backward.status.is_solved()) {
                return Err(format!("{n}: {}; {}", forward.status, backward.status).into());
            }
            for (times, time) in times.iter_mut().zip([middle, both - middle, both]) {
                times.push(1e3 * time.as_secs_f64());
            }
            sweeps = [forward.steps, backward.steps];
        }
        // The first round touches the memory.
        let [Some(forward), Some(backward), Some(both)] = times.map(|t| Spread::of(&t[1..])) else {
            continue;
        };
        println!(
            "| {n} | {}, {} | {:.3} | {:.3} | {:.3} ({:.3} to {:.3}) |",
            sweeps[0], sweeps[1], forward.median, backward.median, both.median, both.min, both.max
        );
    }
    Ok(())
}
