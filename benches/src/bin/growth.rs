//! How many steps multigrid conjugate gradients take as grids are refined, for every family: `growth [SIZES] [SIZES-2D]`, comma
//! separated, `64,128,192` and `256,512,1024` unless told otherwise. Noise, relative residual 1e-8.

use resolvent::plan::Plan;
use resolvent::{Map, Matrix, Stop};
use resolvent_datasets::{FAMILIES, Parameters, RhsKind};
use std::error::Error;
use std::ops::ControlFlow;

fn main() -> Result<(), Box<dyn Error>> {
    let sizes = |text: Option<String>, default: &str| -> Result<Vec<usize>, std::num::ParseIntError> {
        text.as_deref().unwrap_or(default).split(',').map(str::parse).collect()
    };
    let mut arguments = std::env::args().skip(1);
    let (cubes, squares) = (sizes(arguments.next(), "64,128,192")?, sizes(arguments.next(), "256,512,1024")?);
    println!("| family | dimensions | n: steps | growth |\n|:--|:--|:--|--:|");
    for family in &FAMILIES {
        for &dim in family.dims {
            let mut steps = Vec::new();
            let ns = if dim == 3 { &cubes } else { &squares };
            for &n in ns {
                let problem = family.problem(Parameters::new(n).dim(dim))?;
                let a = Matrix::from(problem.stencil().clone());
                let (b, mut x) = (problem.rhs(RhsKind::Noise)?, vec![0.0; a.shape().rows]);
                let mut solver = Plan::default().set_up(&a, Stop::default())?;
                let report = solver.solve(&a, &b, &mut x, &mut |_| ControlFlow::Continue(()))?;
                if report.true_residual > report.target {
                    return Err(format!("{}, n = {n}: {}", family.name, report.status).into());
                }
                steps.push(report.steps);
            }
            let list: Vec<String> = ns.iter().zip(&steps).map(|(n, s)| format!("{n}: {s}")).collect();
            let growth = steps.last().map_or(0, |l| *l as i64 - steps[0] as i64);
            println!("| {} | {dim} | {} | {growth:+} |", family.name, list.join(", "));
        }
    }
    Ok(())
}
