//! What each part of the multigrid cycle is worth beside solids and air: `cycles [SIZES] [SEEDS] [ROUNDS] [CYCLES] [WEIGHTS]`. Lists are
//! separated by commas: `64,128`, `201,202`, 5 rounds and all cycles unless told otherwise; WEIGHTS is a file that `resolvent train`
//! wrote, in the place of the learned numbers that come with the library. Every cycle, set-up included, under conjugate gradients on
//! `smoke`, `gyroid`, `spheres` and `dam` with noise, true residual 1e-6, in turns; medians. Ratios are to the default cycle.

use resolvent::{
    Amg, AmgOptions, Cg, FlexibleCg, Host, LinearOperator, Map, Multigrid, MultigridOptions, Polynomial,
    Report, Stencil, Stop, Tuning,
};
use resolvent_benches::Spread;
use resolvent_datasets::{Family, Parameters, RhsKind};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

const FAMILIES: [&str; 4] = ["smoke", "gyroid", "spheres", "dam"];

type Failed = Box<dyn Error>;

/// What preconditions: geometric multigrid, or without options aggregation under a K-cycle, of the assembled matrix.
#[derive(Clone, Copy)]
struct Cycle(Option<MultigridOptions>);

impl Cycle {
    fn named(name: &str, weights: Option<&str>) -> Result<Self, Failed> {
        let with = |half_sweeps, polynomial: bool, band| {
            let polynomial = if polynomial { Polynomial::Always } else { Polynomial::Never };
            let mut options = MultigridOptions::default();
            (options.half_sweeps, options.polynomial, options.band) = (half_sweeps, polynomial, band);
            Self(Some(options))
        };
        Ok(match name {
            "default" => Self(Some(MultigridOptions::default())),
            "V1" => with([2, 2], false, false),
            "V1-band" => with([2, 2], false, true),
            "V2" => with([4, 4], false, false),
            "polynomial" => with([2, 2], true, false),
            "polynomial-band" => with([2, 2], true, true),
            "polynomial-3" => with([3, 3], true, false),
            "polynomial-4" => with([4, 4], true, false),
            "learned" => Self(Some(match weights {
                Some(path) => MultigridOptions::tuned(Tuning::load(Path::new(path), 3)?),
                None => MultigridOptions::learned(3)?,
            })),
            "algebraic" => Self(None),
            other => return Err(format!("there is no cycle {other}; known are {CYCLES}").into()),
        })
    }

    /// Solves and says how: the report, and seconds of set-up.
    fn solve(self, a: &Stencil, b: &[f64], x: &mut [f64]) -> Result<(Report, f64), Failed> {
        let (space, stop, start) = (Host::<f64>::new(), Stop::rtol(1e-6), Instant::now());
        match self.0 {
            Some(options) => {
                let m = Multigrid::<f32>::new(a, options)?;
                let set_up = start.elapsed().as_secs_f64();
                Ok((Cg::new(&space, b.len(), stop)?.solve(&space, a, Some(&m), b, x)?, set_up))
            }
            None => {
                let (matrix, cells) = a.to_csr()?;
                let b: Vec<f64> = cells.iter().map(|c| b[*c as usize]).collect();
                // The matrix is given; what a hierarchy costs is asked.
                let start = Instant::now();
                let m = Amg::<f32>::new(&matrix, AmgOptions::plain())?;
                let set_up = start.elapsed().as_secs_f64();
                let mut y = vec![0.0; b.len()];
                let m: &dyn LinearOperator<Host<f64>> = &m;
                let mut cg = FlexibleCg::new(&space, b.len(), stop)?;
                Ok((cg.solve(&space, &matrix, Some(m), &b, &mut y)?, set_up))
            }
        }
    }
}

const CYCLES: &str =
    "default,V1,V1-band,V2,polynomial,polynomial-band,polynomial-3,polynomial-4,learned,algebraic";

fn list<T: std::str::FromStr>(text: &str) -> Result<Vec<T>, T::Err> {
    text.split(',').map(str::parse).collect()
}

/// What a cycle took on a problem.
struct Taken {
    steps: usize,
    set_up: Vec<f64>,
    solve: Vec<f64>,
    total: Vec<f64>,
}

fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().collect();
    let text = |i: usize, default: &'static str| arguments.get(i).map_or(default, String::as_str);
    let sizes: Vec<usize> = list(text(1, "64,128"))?;
    let seeds: Vec<u64> = list(text(2, "201,202"))?;
    let rounds: usize = text(3, "5").parse()?;
    let names: Vec<String> = list(text(4, CYCLES))?;
    let weights = arguments.get(5).map(String::as_str);
    let cycles = names.iter().map(|name| Cycle::named(name, weights)).collect::<Result<Vec<_>, _>>()?;
    println!("| problem | cycle | steps | set-up s | solve s | total s (min to max) | of the first |");
    println!("|:--|:--|--:|--:|--:|--:|--:|");
    let mut ratios = vec![Vec::new(); cycles.len()];
    for &n in &sizes {
        for family in FAMILIES {
            for &seed in &seeds {
                let frame = if family == "smoke" { (seed % 64) as u32 } else { 0 };
                let problem = Family::named(family)?.problem(Parameters::new(n).seed(seed).frame(frame))?;
                let (a, b) = (problem.stencil(), problem.rhs(RhsKind::Noise)?);
                let taken =
                    measure(&cycles, a, &b, rounds).map_err(|e| format!("{family} {n}, {seed}: {e}"))?;
                let first = Spread::of(&taken[0].total).map_or(f64::NAN, |s| s.median);
                for (c, taken) in taken.iter().enumerate() {
                    let [set_up, solve, total] =
                        [&taken.set_up, &taken.solve, &taken.total].map(|t| Spread::of(t));
                    let (Some(set_up), Some(solve), Some(total)) = (set_up, solve, total) else { continue };
                    ratios[c].push((total.median / first).ln());
                    println!(
                        "| `{family}` {n}³, seed {seed} | {} | {} | {:.4} | {:.4} | {:.4} ({:.4} to {:.4}) | {:.2} |",
                        names[c],
                        taken.steps,
                        set_up.median,
                        solve.median,
                        total.median,
                        total.min,
                        total.max,
                        total.median / first
                    );
                }
            }
        }
    }
    println!("\n| cycle | total, of the first: geometric mean | best | worst |\n|:--|--:|--:|--:|");
    for (name, ratios) in names.iter().zip(&ratios) {
        let mean = ratios.iter().sum::<f64>() / ratios.len().max(1) as f64;
        let best = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let worst = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        println!("| {name} | {:.3} | {:.2} | {:.2} |", mean.exp(), best.exp(), worst.exp());
    }
    Ok(())
}

/// Every cycle in turns; the first round warms up.
fn measure(cycles: &[Cycle], a: &Stencil, b: &[f64], rounds: usize) -> Result<Vec<Taken>, Failed> {
    let mut taken: Vec<Taken> =
        cycles.iter().map(|_| Taken { steps: 0, set_up: vec![], solve: vec![], total: vec![] }).collect();
    let mut x = vec![0.0; a.shape().rows];
    for round in 0..=rounds {
        for (cycle, taken) in cycles.iter().zip(&mut taken) {
            x.fill(0.0);
            let (report, set_up) = cycle.solve(a, b, &mut x)?;
            if report.true_residual > report.target {
                return Err(report.status.to_string().into());
            }
            taken.steps = report.steps;
            if round > 0 {
                let solve = report.elapsed.as_secs_f64();
                taken.set_up.push(set_up);
                taken.solve.push(solve);
                taken.total.push(set_up + solve);
            }
        }
    }
    Ok(taken)
}
