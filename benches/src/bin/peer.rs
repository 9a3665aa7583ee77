//! Our methods under the calling convention of the peers' harness:
//! `peer FILE NAME RHS REPS METHOD THREADS`, where FILE is an exchange file, RHS is `random` or `smooth`, and METHOD a name of
//! [`METHODS`](resolvent_benches::method::METHODS), `auto` or `default`. Prints one `RESULT` line with medians.
//!
//! Recognising the grid operator in the matrix is not timed, as reading it is not: our callers hand over an operator.
//! Making the hierarchy is.

use resolvent::plan::Plan;
use resolvent::{Map, Stop};
use resolvent_benches::{Method, Spread, memory};
use resolvent_datasets::{LinearSystem, Placed, exchange};
use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, name, rhs, repeats, method, threads] = &arguments[..] else {
        return Err("usage: peer FILE NAME random|smooth REPS METHOD THREADS".into());
    };
    rayon::ThreadPoolBuilder::new().num_threads(threads.parse()?).build_global()?;
    let automatic = Method { name: "auto", summary: "what fits", plan: Plan::default() };
    let method = match method.as_str() {
        "auto" => automatic,
        "default" => Method::named("multigrid")?,
        name => Method::named(name)?,
    };
    let exchange::Exchange { matrix, noise, smooth, grid } = exchange::read(Path::new(file))?;
    let (n, nonzeros) = (matrix.rows(), matrix.nonzeros());
    let b = if rhs == "smooth" { smooth } else { noise };
    // A plain matrix is what algebraic methods are asked about.
    let grid = grid.filter(|_| method.plan.preconditioner.needs_grid());
    let system = LinearSystem { rhs: Some(b), grid, ..matrix.into() };
    let Placed { matrix, rhs: Some(b), remark, .. } = system.place()? else {
        return Err("no right-hand side".into());
    };
    if let Some(remark) = remark {
        eprintln!("{remark}");
    }
    let mut x = vec![0.0; matrix.shape().rows];
    let (mut setups, mut solves, mut steps, mut residual) = (Vec::new(), Vec::new(), 0, 0.0);
    let scale = b.iter().map(|v| v * v).sum::<f64>().sqrt();
    for _ in 0..repeats.parse::<usize>()?.max(1) {
        let clock = Instant::now();
        let mut solver = method.plan.set_up(&matrix, Stop { max_steps: 10_000, ..Stop::default() })?;
        setups.push(clock.elapsed().as_secs_f64());
        x.fill(0.0);
        let clock = Instant::now();
        let report = solver.solve(&matrix, &b, &mut x, &mut |_| ControlFlow::Continue(()))?;
        solves.push(clock.elapsed().as_secs_f64());
        steps = report.steps;
        residual = report.true_residual / scale;
    }
    let median = |runs: &[f64]| Spread::of(runs).map_or(0.0, |s| s.median);
    println!(
        "RESULT,{file},{n},{nonzeros},{name},{threads},{rhs},{repeats},{:.4},{:.4},{steps},{residual:.2e},{}",
        median(&setups),
        median(&solves),
        memory::peak().unwrap_or(0) >> 20
    );
    Ok(())
}
