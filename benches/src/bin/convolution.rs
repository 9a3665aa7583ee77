//! What a network of directions costs: evaluations and training steps beside the machine's matrix product, in one run.
//!
//! `convolution [THREADS] [RUNS]`: medians; shares are of the rate of a product of two matrices of 1024² f32.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use resolvent::direction::{Architecture, Dcdm, Descent, Left, Model};
use resolvent::learn::Tape;
use resolvent::{Boundary, Grid, Host, Operator, Poisson, Space};
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

/// The median of the seconds that some runs take.
fn median(runs: usize, mut f: impl FnMut()) -> f64 {
    f();
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let clock = Instant::now();
            f();
            clock.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut numbers = std::env::args().skip(1).map(|a| a.parse::<usize>());
    let threads = numbers.next().transpose()?.unwrap_or(2);
    let runs = numbers.next().transpose()?.unwrap_or(5);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    pool.install(|| measure(threads, runs))
}

fn measure(threads: usize, runs: usize) -> Result<(), Box<dyn Error + Send + Sync>> {
    const N: usize = 1024;
    let (a, b) = (Mat::<f32>::from_fn(N, N, |i, j| (i + j) as f32), Mat::<f32>::identity(N, N));
    let mut c = Mat::<f32>::zeros(N, N);
    let par = if threads > 1 { Par::rayon(threads) } else { Par::Seq };
    let seconds = median(runs, || matmul(c.as_mut(), Accum::Replace, a.as_ref(), b.as_ref(), 1.0, par));
    let peak = 2.0 * (N * N * N) as f64 / seconds / 1e9;
    println!("threads {threads}; matrix product {peak:.0} Gflop/s");
    for (dim, n) in [(3, 32), (3, 64), (3, 128), (2, 256)] {
        for (name, network) in [("small", Dcdm::small(dim)), ("large", Dcdm::large(dim))] {
            let grid = if dim == 2 { Grid::new_2d(n, n)? } else { Grid::new_3d(n, n, n)? };
            let model = Model::new(Architecture::Dcdm(network), 1)?;
            let a = Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3])?;
            let (proposal, space) = (model.on(&a.clone().into())?, Host::<f32>::new());
            let (r, mut d) = (vec![1.0f32; grid.cells()], vec![0.0f32; grid.cells()]);
            let seconds = median(runs, || drop(proposal.apply(&space, &r, &mut d)));
            let work = 2.0 * network.cost() * grid.cells() as f64 / 1e9;
            // A step of conjugate gradients in f64, for scale.
            let (mut p, mut q, mut s, mut t) = (
                vec![1.0; grid.cells()],
                vec![1.0; grid.cells()],
                vec![0.0; grid.cells()],
                vec![1.0; grid.cells()],
            );
            let double = Host::<f64>::new();
            let step = median(runs, || {
                use resolvent::LinearOperator;
                let _ = a.update_apply_dot(&double, &t, 0.5, &mut p, &mut q);
                let _ = double.step(1e-3, &p, &q, &mut s, &mut t);
            });
            println!(
                "{dim}-D n {n:3} {name}: value {:8.2} ms, {:.0} Gflop/s, {:.0}% of the product, {:.0} steps of conjugate gradients",
                1e3 * seconds,
                work / seconds,
                100.0 * work / seconds / peak,
                seconds / step,
            );
            if grid.cells() > 1 << 18 {
                continue;
            }
            let view = model.view(&a.clone().into())?;
            let descent = Descent::<f32>::new(Arc::new(a), Left::Residual);
            let (mut tape, parameters) = (Tape::new(), model.parameters());
            let seconds = median(runs, || {
                let mut step = || -> resolvent::Result<()> {
                    tape.start_with(parameters)?;
                    let b = tape.input(&r, r.len(), 1)?;
                    let d = model.record(&mut tape, parameters, &view, b)?;
                    let loss = descent.record(&mut tape, d, b)?;
                    tape.backward(loss)
                };
                drop(step());
            });
            println!(
                "{dim}-D n {n:3} {name}: gradient {:5.2} ms, {:.0} Gflop/s, {:.0}%",
                1e3 * seconds,
                3.0 * work / seconds,
                300.0 * work / seconds / peak,
            );
        }
    }
    Ok(())
}
