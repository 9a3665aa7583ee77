//! What each part of the multigrid cycle is worth beside solids and air: `cycles [SIZES] [SEEDS] [ROUNDS] [WEIGHTS]`, lists separated
//! by commas, `64,128`, `101,102` and 5 unless told otherwise; WEIGHTS is a file that `train_cycle` wrote, to measure its cycle too. Every
//! cycle under conjugate gradients on `smoke`, `gyroid`, `spheres` and `dam` with noise, true residual 1e-6, in turns; medians.

use resolvent::{Cg, Host, Map, Multigrid, MultigridOptions, Stop, Tuning};
use resolvent_benches::Spread;
use resolvent_datasets::{Family, Parameters, RhsKind};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

const FAMILIES: [&str; 4] = ["smoke", "gyroid", "spheres", "dam"];

fn list<T: std::str::FromStr>(text: Option<String>, default: &str) -> Result<Vec<T>, T::Err> {
    text.as_deref().unwrap_or(default).split(',').map(str::parse).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let sizes: Vec<usize> = list(arguments.next(), "64,128")?;
    let seeds: Vec<u64> = list(arguments.next(), "101,102")?;
    let rounds: usize = arguments.next().as_deref().unwrap_or("5").parse()?;
    let learned = arguments.next().map(|path| Tuning::load(Path::new(&path), 3)).transpose()?;
    let with = |band, polynomial, tuning| {
        let mut options = MultigridOptions::default().with_tuning(tuning);
        (options.band, options.polynomial) = (band, polynomial);
        options
    };
    let classical = Tuning::CLASSICAL;
    let mut cycles = vec![
        ("V(1,1)", with(false, false, classical)),
        ("V, band", with(true, false, classical)),
        ("polynomial", with(false, true, classical)),
        ("polynomial, band", with(true, true, classical)),
    ];
    if let Some(learned) = learned {
        cycles.push(("learned", with(false, true, learned)));
        cycles.push(("learned, band", with(true, true, learned)));
    }
    println!("| problem | cycle | steps | set-up s | solve s | total s (min to max) | of V(1,1) |");
    println!("|:--|:--|--:|--:|--:|--:|--:|");
    let mut logs = vec![Vec::new(); cycles.len()];
    for &n in &sizes {
        for family in FAMILIES {
            for &seed in &seeds {
                let frame = if family == "smoke" { (seed % 64) as u32 } else { 0 };
                let problem = Family::named(family)?.problem(Parameters::new(n).seed(seed).frame(frame))?;
                let (a, b) = (problem.stencil(), problem.rhs(RhsKind::Noise)?);
                let (space, cells) = (Host::<f64>::new(), a.shape().rows);
                let mut cg = Cg::new(&space, cells, Stop::rtol(1e-6))?;
                let mut x = vec![0.0; cells];
                let mut times = vec![[Vec::new(), Vec::new(), Vec::new()]; cycles.len()];
                let mut steps = vec![0; cycles.len()];
                for round in 0..=rounds {
                    for (c, (name, options)) in cycles.iter().enumerate() {
                        x.fill(0.0);
                        let start = Instant::now();
                        let m = Multigrid::<f32>::new(a, *options)?;
                        let set_up = start.elapsed().as_secs_f64();
                        let report = cg.solve(&space, a, Some(&m), &b, &mut x)?;
                        let total = start.elapsed().as_secs_f64();
                        if report.true_residual > report.target {
                            return Err(
                                format!("{family} {n}, seed {seed}, {name}: {}", report.status).into()
                            );
                        }
                        steps[c] = report.steps;
                        // The first round warms up.
                        if round > 0 {
                            times[c]
                                .iter_mut()
                                .zip([set_up, total - set_up, total])
                                .for_each(|(t, v)| t.push(v));
                        }
                    }
                }
                let medians: Vec<[Option<Spread>; 3]> =
                    times.iter().map(|t| [Spread::of(&t[0]), Spread::of(&t[1]), Spread::of(&t[2])]).collect();
                for (c, (name, _)) in cycles.iter().enumerate() {
                    let [Some(set_up), Some(solve), Some(total)] = medians[c] else { continue };
                    let Some(first) = medians[0][2] else { continue };
                    let ratio = total.median / first.median;
                    logs[c].push((
                        n,
                        ratio.ln(),
                        solve.median.ln() - medians[0][1].map_or(0.0, |s| s.median.ln()),
                    ));
                    println!(
                        "| `{family}` {n}³, seed {seed} | {name} | {} | {:.4} | {:.4} | {:.4} ({:.4} to {:.4}) | {ratio:.2} |",
                        steps[c], set_up.median, solve.median, total.median, total.min, total.max
                    );
                }
            }
        }
    }
    println!("\n| cycle | total, of V(1,1): mean | worst | solve alone: mean |\n|:--|--:|--:|--:|");
    for ((name, _), logs) in cycles.iter().zip(&logs) {
        let mean = |of: fn(&(usize, f64, f64)) -> f64| {
            (logs.iter().map(of).sum::<f64>() / logs.len().max(1) as f64).exp()
        };
        let worst = logs.iter().map(|l| l.1).fold(f64::NEG_INFINITY, f64::max).exp();
        println!("| {name} | {:.3} | {worst:.2} | {:.3} |", mean(|l| l.1), mean(|l| l.2));
    }
    Ok(())
}
