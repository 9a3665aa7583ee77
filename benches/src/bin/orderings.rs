//! What another numbering of the unknowns is worth: `orderings FILE [RUNS]`, where FILE is an exchange file and RUNS is 3
//! unless told otherwise. Incomplete factorisations as they come and after reverse Cuthill–McKee; Cholesky factorisations
//! ordered by minimum degree and by nested dissection. Medians.

use resolvent::direct::{Analysis, SparseCholesky};
use resolvent::ordering::{Permutation, bandwidth, nested_dissection, reverse_cuthill_mckee, width};
use resolvent::precond::{IncompleteCholesky, IncompleteOptions};
use resolvent::{Cg, Csr, Host, LinearOperator, Matrix, Operator, Stop};
use resolvent_benches::Spread;
use resolvent_datasets::exchange;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Seconds that `f` takes, the median of `runs`, and what it gave last.
fn timed<T>(runs: usize, mut f: impl FnMut() -> Outcome<T>) -> Outcome<(f64, T)> {
    let (mut times, mut last) = (Vec::new(), None);
    for _ in 0..runs {
        let clock = Instant::now();
        last = Some(f()?);
        times.push(clock.elapsed().as_secs_f64());
    }
    Ok((Spread::of(&times).map_or(0.0, |s| s.median), last.ok_or("no run")?))
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: orderings FILE [RUNS]")?;
    let runs = arguments.next().map_or(Ok(3), |r| r.parse::<usize>())?.max(1);
    let read = exchange::read(Path::new(&file))?;
    let Matrix::Sparse(a) = Matrix::from_sparse(read.matrix) else {
        return Err("the matrix is singular".into());
    };
    let (seconds, order) = timed(runs, || Ok(reverse_cuthill_mckee(&*a)?))?;
    let (looked, width) = timed(runs, || Ok(width(&a)))?;
    let permuted = a.permuted(&order, &order)?;
    let mut b = vec![0.0; a.rows()];
    order.apply(&read.noise, &mut b)?;
    println!(
        "{file}: {} unknowns, {} entries; bandwidth {}, after reverse Cuthill–McKee {} ({seconds:.3} s); \
         width {width} ({looked:.4} s)\n",
        a.rows(),
        a.nonzeros(),
        bandwidth(&*a),
        bandwidth(&permuted)
    );
    println!("| preconditioner | order | set-up s | solve s | steps |\n|:--|:--|--:|--:|--:|");
    for (name, options) in [
        ("IC(0)", IncompleteOptions::plain()),
        ("MIC(0)", IncompleteOptions::default()),
        ("ICT, 0.005", IncompleteOptions::with_threshold(5e-3)),
    ] {
        for (order, a, b) in [("as it comes", &*a, &read.noise), ("reverse Cuthill–McKee", &permuted, &b)] {
            let (setup, m) = timed(runs, || Ok(IncompleteCholesky::<f64>::new(a, options)?))?;
            let (solve, steps) = timed(runs, || iterate(a, &m, b))?;
            println!("| {name} | {order} | {setup:.3} | {solve:.3} | {steps} |");
        }
    }
    println!(
        "\n| order | ordering and analysis s | entries | operations | factorisation s | solve s |\n|:--|--:|--:|--:|--:|--:|"
    );
    let dissected = |a: &Csr<f64>| -> Outcome<Analysis> {
        let order: Permutation = nested_dissection(a)?;
        Ok(Analysis::with_order(a, &order)?)
    };
    type Order<'a> = &'a dyn Fn(&Csr<f64>) -> Outcome<Analysis>;
    let orders: [(&str, Order); 2] =
        [("minimum degree", &|a| Ok(Analysis::with_minimum_degree(a)?)), ("nested dissection", &dissected)];
    for (name, analyse) in orders {
        let (ordered, analysis) = timed(runs, || analyse(&a))?;
        let (factorised, factor) = timed(1, || Ok(SparseCholesky::with_analysis(analysis.clone(), &a)?))?;
        let mut x = vec![0.0; a.rows()];
        let (solved, ()) = timed(runs, || Ok(factor.apply(&Host::<f64>::new(), &read.noise, &mut x)?))?;
        println!(
            "| {name} | {ordered:.3} | {:.3e} | {:.3e} | {factorised:.3} | {solved:.3} |",
            analysis.fill() as f64,
            analysis.flops()
        );
    }
    Ok(())
}

/// Steps of conjugate gradients to 1e-8.
fn iterate(a: &Csr<f64>, m: &dyn LinearOperator<Host<f64>>, b: &[f64]) -> Outcome<usize> {
    let (space, mut x) = (Host::<f64>::new(), vec![0.0; b.len()]);
    let stop = Stop { max_steps: 10_000, ..Stop::rtol(1e-8) };
    let report = Cg::new(&space, b.len(), stop)?.solve(&space, a, Some(m), b, &mut x)?;
    if report.status.is_solved() { Ok(report.steps) } else { Err(report.status.to_string().into()) }
}
