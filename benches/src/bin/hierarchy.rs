//! Algebraic multigrid on one matrix: its levels, memory, set-up and solve, for the options given.
//!
//! `hierarchy FILE [smoother=gs|l1|spai0|chebyshev2] [cycle=v|w|k] [coarsening=smoothed|plain] [strength=0.08] [sweeps=1]
//! [precision=f32|f64] [direct=400] [rhs=random|smooth] [runs=3]`, where FILE is an exchange file.

use resolvent::amg::{AmgOptions, Coarsening, Cycle, Smoother};
use resolvent::{Amg, Cg, FlexibleCg, Host, Matrix, Operator, Report, Stop};
use resolvent_benches::Spread;
use resolvent_datasets::exchange;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: hierarchy FILE [option=value ...]")?;
    let (mut options, mut smooth, mut runs, mut double) = (AmgOptions::default(), false, 3, false);
    for argument in arguments {
        let (key, value) = argument.split_once('=').ok_or("options are written option=value")?;
        match (key, value) {
            ("smoother", "gs") => options.smoother = Smoother::GaussSeidel,
            ("smoother", "l1") => options.smoother = Smoother::L1Jacobi,
            ("smoother", "spai0") => options.smoother = Smoother::Spai0,
            ("smoother", other) if other.starts_with("chebyshev") => {
                options.smoother = Smoother::Chebyshev { degree: other["chebyshev".len()..].parse()? };
            }
            ("cycle", "v") => options.cycle = Cycle::V,
            ("cycle", "w") => options.cycle = Cycle::W,
            ("cycle", "k") => options.cycle = Cycle::K,
            ("coarsening", "plain") => options.coarsening = Coarsening::Plain,
            ("coarsening", "smoothed") => options.coarsening = Coarsening::Smoothed,
            ("strength", s) => options.strength = s.parse()?,
            ("sweeps", s) => options.sweeps = s.parse()?,
            ("direct", s) => options.direct = s.parse()?,
            ("precision", p) => double = p == "f64",
            ("rhs", r) => smooth = r == "smooth",
            ("runs", r) => runs = r.parse()?,
            _ => return Err(format!("unknown option {argument}").into()),
        }
    }
    let read = exchange::read(Path::new(&file))?;
    let b = if smooth { read.smooth } else { read.noise };
    let matrix = Matrix::from_sparse(read.matrix);
    let Matrix::Sparse(a) = &matrix else { return Err("the matrix is singular".into()) };
    let space = Host::<f64>::new();
    let stop = Stop { max_steps: 2000, ..Stop::rtol(1e-8) };
    let mut cg = Cg::new(&space, a.rows(), stop)?;
    let mut flexible = FlexibleCg::new(&space, a.rows(), stop)?;
    let mut solve = |m: &dyn Preconditioner| -> Outcome<(Report, f64)> {
        let mut x = vec![0.0; a.rows()];
        let clock = Instant::now();
        let report = if options.cycle == Cycle::K {
            flexible.solve(&space, &matrix, Some(m.operator()), &b, &mut x)?
        } else {
            cg.solve(&space, &matrix, Some(m.linear()), &b, &mut x)?
        };
        Ok((report, clock.elapsed().as_secs_f64()))
    };
    let (mut setups, mut solves, mut last) = (Vec::new(), Vec::new(), None);
    for run in 0..runs.max(1) {
        let clock = Instant::now();
        let m: Box<dyn Preconditioner> = if double {
            Box::new(Amg::<f64>::new(a, options)?)
        } else {
            Box::new(Amg::<f32>::new(a, options)?)
        };
        setups.push(clock.elapsed().as_secs_f64());
        let (report, seconds) = solve(&*m)?;
        solves.push(seconds);
        if run == 0 {
            let complexity = m.complexity();
            let matrix_bytes = 12 * a.nonzeros() + 8 * a.rows();
            println!("{complexity}, {:.2} of the matrix", complexity.bytes as f64 / matrix_bytes as f64);
        }
        last = Some(report);
    }
    let median = |times: &[f64]| Spread::of(times).map_or(0.0, |s| s.median);
    let report = last.ok_or("no run")?;
    println!(
        "set-up {:.3} s, solve {:.3} s, {} steps, {:.1e} of {:.1e}: {}",
        median(&setups),
        median(&solves),
        report.steps,
        report.true_residual,
        report.target,
        report.status
    );
    Ok(())
}

/// A hierarchy in either precision.
trait Preconditioner {
    fn operator(&self) -> &dyn Operator<Host<f64>>;
    fn linear(&self) -> &dyn resolvent::LinearOperator<Host<f64>>;
    fn complexity(&self) -> resolvent::amg::Complexity;
}

macro_rules! preconditioner {
    ($t:ty) => {
        impl Preconditioner for Amg<$t> {
            fn operator(&self) -> &dyn Operator<Host<f64>> {
                self
            }
            fn linear(&self) -> &dyn resolvent::LinearOperator<Host<f64>> {
                self
            }
            fn complexity(&self) -> resolvent::amg::Complexity {
                Amg::complexity(self)
            }
        }
    };
}
preconditioner!(f32);
preconditioner!(f64);
