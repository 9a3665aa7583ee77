//! What a sequence of systems learns on the frames of a scene: `sequence [SIZES] [FRAMES] [ROUNDS] [FAMILY] [RHS]`, `64,128`, 20 frames,
//! 3 rounds, `smoke` and its `flow` unless told otherwise. True residual 1e-6, seed 1. Every preconditioner, set-up included, under
//! conjugate gradients that know nothing and under a sequence, in turns; steps are means over the frames, seconds sums over
//! them, medians of the rounds.

use resolvent::precond::{Chebyshev, ChebyshevOptions, IncompleteCholesky, IncompleteOptions};
use resolvent::{
    Cg, Host, LinearOperator, Multigrid, MultigridOptions, Report, Sequence, SequenceOptions, Status,
    Stencil, Stop,
};
use resolvent_benches::Spread;
use resolvent_datasets::{Family, Parameters, RhsKind};
use std::error::Error;
use std::time::Instant;

type Failed = Box<dyn Error>;
type Built<'a> = Option<Box<dyn LinearOperator<Host<f64>> + 'a>>;

/// A preconditioner, and passes over a vector that a step with it costs.
const KINDS: [(&str, f64); 4] = [("none", 10.0), ("mic", 20.0), ("chebyshev", 100.0), ("multigrid", 40.0)];

const STOP: Stop = Stop { rtol: 1e-6, atol: 0.0, max_steps: 10_000, max_time: None };

/// Steps, what guesses left, how often directions were deflated, and seconds.
#[derive(Default)]
struct Taken {
    steps: usize,
    guess: f64,
    deflated: usize,
    seconds: Vec<f64>,
}

fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().collect();
    let text = |i: usize, default: &'static str| arguments.get(i).map_or(default, String::as_str);
    let sizes: Vec<usize> = text(1, "64,128").split(',').map(str::parse).collect::<Result<_, _>>()?;
    let (frames, rounds): (u32, usize) = (text(2, "20").parse()?, text(3, "3").parse()?);
    let (family, kind): (_, RhsKind) = (Family::named(text(4, "smoke"))?, text(5, "flow").parse()?);
    println!(
        "| n | preconditioner | steps alone | in sequence | guess leaves | deflated | s alone | in sequence | ratio |"
    );
    println!("|--:|:--|--:|--:|--:|--:|--:|--:|--:|");
    for n in sizes {
        let systems = (0..frames)
            .map(|frame| {
                let problem = family.problem(Parameters::new(n).seed(1).frame(frame))?;
                Ok((problem.stencil().clone(), problem.rhs(kind)?))
            })
            .collect::<Result<Vec<_>, Failed>>()?;
        for (name, step) in KINDS {
            let (mut alone, mut sequence) = (Taken::default(), Taken::default());
            for _ in 0..rounds {
                run(name, step, false, &systems, &mut alone)?;
                run(name, step, true, &systems, &mut sequence)?;
            }
            let mean = |sum: usize| sum as f64 / f64::from(frames);
            let [one, other] = [&alone, &sequence].map(|t| Spread::of(&t.seconds).unwrap_or_default().median);
            println!(
                "| {n} | {name} | {:.1} | {:.1} | {:.3} | {} | {one:.3} | {other:.3} | {:.2} |",
                mean(alone.steps),
                mean(sequence.steps),
                sequence.guess / f64::from(frames),
                sequence.deflated,
                other / one,
            );
        }
    }
    Ok(())
}

/// All systems in turn; steps are those of the last round.
fn run(
    name: &str,
    step: f64,
    learns: bool,
    systems: &[(Stencil, Vec<f64>)],
    taken: &mut Taken,
) -> Result<(), Failed> {
    let (space, n) = (Host::<f64>::new(), systems.first().map_or(0, |s| s.1.len()));
    let start = Instant::now();
    let mut plain = Cg::new(&space, n, STOP)?;
    let mut sequence =
        Sequence::new(&space, n, SequenceOptions { stop: STOP, step, ..SequenceOptions::default() })?;
    let mut bounds = ChebyshevOptions::default();
    (taken.steps, taken.guess, taken.deflated) = (0, 0.0, 0);
    let mut x = vec![0.0; n];
    for (a, b) in systems {
        let mut polynomial = None;
        let other = match name {
            "chebyshev" => {
                let mut diagonal = a.diagonal();
                diagonal.iter_mut().filter(|d| **d == 0.0).for_each(|d| *d = 1.0);
                polynomial = Some(Chebyshev::new(&space, a, &diagonal, bounds)?);
                None
            }
            _ => build(name, a)?,
        };
        let m = match &polynomial {
            Some(m) => Some(m as &dyn LinearOperator<Host<f64>>),
            None => other.as_deref(),
        };
        let report: Report = if learns {
            let solved = sequence.solve(&space, a, m, b, &mut x)?;
            taken.guess += solved.guess;
            taken.deflated += usize::from(solved.deflated > 0);
            if let (Some(m), Some(seen)) = (&polynomial, sequence.spectrum()) {
                bounds = m.learned(seen);
            }
            solved.report
        } else {
            x.fill(0.0);
            plain.solve(&space, a, m, b, &mut x)?
        };
        if report.status != Status::Converged {
            return Err(format!("{name}: {}", report.status).into());
        }
        taken.steps += report.steps;
    }
    taken.seconds.push(start.elapsed().as_secs_f64());
    Ok(())
}

fn build<'a>(name: &str, a: &'a Stencil) -> Result<Built<'a>, Failed> {
    Ok(match name {
        "mic" => {
            let (matrix, cells) = a.to_csr()?;
            let options = IncompleteOptions::default();
            Some(Box::new(IncompleteCholesky::<f64>::on_cells(&matrix, &cells, a.grid().cells(), options)?))
        }
        "multigrid" => Some(Box::new(Multigrid::<f32>::new(a, MultigridOptions::default())?)),
        _ => None,
    })
}
