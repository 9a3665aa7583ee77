//! How the defaults of the Chebyshev and incomplete Cholesky preconditioners were chosen: `tune FAMILY N [RUNS]` solves one
//! problem with each setting and prints steps and the median time of a solve. Noise, relative residual 1e-8.

use resolvent::precond::{Chebyshev, ChebyshevOptions, IncompleteCholesky, IncompleteOptions};
use resolvent::{Cg, Host, LinearOperator, Matrix, Status, Stop};
use resolvent_datasets::{Family, Parameters, RhsKind};
use std::error::Error;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [family, n, ..] = &arguments[..] else { return Err("usage: tune FAMILY N [RUNS]".into()) };
    let runs = arguments.get(2).map_or(Ok(3), |r| r.parse::<usize>())?.max(1);
    let problem = Family::named(family)?.problem(Parameters::new(n.parse()?))?;
    let a = problem.stencil();
    let (matrix, b, space) = (Matrix::from(a.clone()), problem.rhs(RhsKind::Noise)?, Host::<f64>::new());
    let mut cg = Cg::new(&space, b.len(), Stop { max_steps: 3000, ..Stop::default() })?;
    let mut row = |setting: String, m: &dyn LinearOperator<Host<f64>>| -> Result<(), Box<dyn Error>> {
        let (mut times, mut steps, mut status) = (Vec::new(), 0, Status::MaxSteps);
        for _ in 0..runs {
            let mut x = vec![0.0; b.len()];
            let started = Instant::now();
            let report = cg.solve(&space, matrix.operator(), Some(m), &b, &mut x)?;
            times.push(started.elapsed().as_secs_f64());
            (steps, status) = (report.steps, report.status);
        }
        times.sort_by(f64::total_cmp);
        println!("| {setting} | {steps} | {:.3} | {} |", times[runs / 2], status.name());
        Ok(())
    };
    println!("| {family} {n} | steps | solve s | outcome |\n|:--|--:|--:|:--|");
    for degree in [1, 2, 3, 4, 6, 8] {
        for ratio in [10.0, 30.0, 60.0, 150.0, 400.0] {
            let mut options = ChebyshevOptions::default();
            (options.degree, options.ratio) = (degree, ratio);
            let m = Chebyshev::new(&space, matrix.clone(), &matrix.diagonal(), options)?;
            row(format!("chebyshev, degree {degree}, ratio {ratio}"), &m)?;
        }
    }
    let (csr, cells) = a.to_csr()?;
    for relaxation in [0.0, 0.9, 0.95, 0.97, 0.99, 0.995, 1.0] {
        for safety in [0.0, 0.25] {
            let mut options = IncompleteOptions::default();
            (options.relaxation, options.safety) = (relaxation, safety);
            let m = IncompleteCholesky::<f64>::on_cells(&csr, &cells, a.grid().cells(), options)?;
            row(format!("mic, relaxation {relaxation}, safety {safety}"), &m)?;
        }
    }
    Ok(())
}
