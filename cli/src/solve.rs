//! `solve`: one system.

use crate::arguments::{Device, Solve};
use crate::console::Console;
use crate::device;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::load::{self, Loaded};
use resolvent::direction::Model;
use resolvent::plan::{Method, Plan, Preconditioner, Solver};
use resolvent::{Matrix, Price, Report, Status, Stop, Tuning};
use resolvent_benches::table::{grouped, seconds};
use resolvent_benches::{memory, plot};
use resolvent_datasets::{Format, output, write_solution};
use serde_json::json;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

/// Solves, says how it went, and writes what was asked for.
pub fn run(a: &Solve, console: &Console) -> Result<Code, Failure> {
    check(a)?;
    let space = (a.device == Device::Cuda).then(device::open).transpose()?;
    let stop = Stop {
        rtol: a.rtol,
        atol: a.atol,
        max_steps: a.max_steps,
        max_time: a.max_seconds.map(Duration::from_secs_f64),
    };
    let loaded = load::load(a, console)?;
    let system = &loaded.system;
    let matrix = &system.matrix;
    if a.precond.needs_grid() && !matches!(matrix, Matrix::Structured(_)) {
        let name = a.precond;
        return Err(Failure::usage(format!(
            "--precond {name} needs a grid: a problem family, or a system file with `grid`; use amg here",
        )));
    }
    let empty = Vec::new();
    let b = system.rhs.as_ref().unwrap_or(&empty);
    let mut x = match &a.start {
        Some(file) => system.scatter(resolvent_datasets::read_solution(file)?)?,
        None => system.scatter(vec![0.0; matrix.unknowns()])?,
    };
    let plan = Plan { method: a.method, preconditioner: a.precond, precision: a.precision };
    let bar = console.progress("{spinner} {msg}", None);
    bar.set_message("setting up");
    let clock = Instant::now();
    let mut solver = set_up(a, space.as_ref(), plan, matrix, stop)?;
    if let Some(price) = a.price {
        solver.set_price(Price::Given(price))?;
    }
    let setup = clock.elapsed();
    interrupt::listen();
    let scale = b.iter().map(|v| v * v).sum::<f64>().sqrt();
    let relative = |r: f64| if scale > 0.0 { r / scale } else { r };
    let mut shown = Instant::now();
    let report = solver.solve(matrix, b, &mut x, &mut |p| {
        if shown.elapsed() > Duration::from_millis(60) {
            shown = Instant::now();
            bar.set_message(format!(
                "step {}, residual {:.1e}, target {:.1e}",
                p.step,
                relative(p.residual),
                relative(p.target)
            ));
        }
        if interrupt::asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    bar.finish_and_clear();
    write(a, &loaded, &solver, &report, &x)?;
    let code = Code::of(report.status);
    console.print(&text(a, space.as_ref(), &loaded, &solver, &report, setup, relative));
    if code != Code::Done {
        console.remark(&format!("resolvent: {}", report.status));
    }
    let finite = |v: f64| v.is_finite().then_some(v);
    console.object(&json!({
        "schema": 1,
        "status": report.status.name(),
        "steps": report.steps,
        "residual": finite(relative(report.residual)),
        "true_residual": finite(relative(report.true_residual)),
        "target": finite(relative(report.target)),
        "setup_seconds": setup.as_secs_f64(),
        "solve_seconds": report.elapsed.as_secs_f64(),
        "unknowns": matrix.unknowns(),
        "nonzeros": matrix.nonzeros(),
        "peak_rss_bytes": memory::peak(),
        "method": solver.plan().method.name(),
        "precond": solver.plan().preconditioner.name(),
        "precision": solver.plan().precision.name(),
        "reason": solver.reason(),
        "levels": solver.complexity().map(|c| c.levels.len()),
        "operator_complexity": solver.complexity().map(|c| c.operator()),
        "grid_complexity": solver.complexity().map(|c| c.grid()),
        "device": device::name(space.as_ref()),
        "transfers": device::transfers(space.as_ref()),
        "threads": rayon::current_num_threads(),
        "problem": loaded.name,
        "n": loaded.n,
        "seed": loaded.seed,
        "fallbacks": report.fallbacks,
        "asked": (a.method == Method::Hybrid).then_some(report.asked),
        "dropped": report.dropped,
        "rhs_norm": finite(scale),
        "advice": (report.status != Status::Converged).then(|| report.status.to_string()),
    }));
    Ok(code)
}

/// Makes the solver, with what was learned for it.
fn set_up(
    a: &Solve,
    space: Option<&device::Space>,
    plan: Plan,
    matrix: &Matrix,
    stop: Stop,
) -> resolvent::Result<Solver> {
    if let Some(space) = space {
        let (mut model, mut tuning) = (None, None);
        match (&a.model, matrix) {
            (Some(path), _) if a.method == Method::Directions => model = Some(Model::load(path)?),
            (Some(path), Matrix::Structured(s)) => tuning = Some(Tuning::load(path, s.grid().dim())?),
            _ => {}
        }
        return device::set_up(space, plan, matrix, stop, model.as_ref(), tuning);
    }
    match (&a.model, matrix) {
        (Some(path), Matrix::Structured(s))
            if a.precond == Preconditioner::Learned && a.method != Method::Hybrid =>
        {
            plan.set_up_tuned(matrix, stop, Tuning::load(path, s.grid().dim())?)
        }
        (Some(path), _) => plan.set_up_with(matrix, stop, Some(&Model::load(path)?)),
        (None, _) => plan.set_up(matrix, stop),
    }
}

/// What can be refused before any work.
fn check(a: &Solve) -> Result<(), Failure> {
    match (a.method, &a.model) {
        (Method::Directions | Method::Hybrid, Some(_)) | (_, None) => {}
        (_, Some(_)) if a.precond == Preconditioner::Learned => {}
        (_, Some(_)) => {
            return Err(Failure::usage(
                "--model belongs to --method directions or hybrid, or to --precond learned",
            ));
        }
    }
    if a.price.is_some() && a.method != Method::Hybrid {
        return Err(Failure::usage("--price belongs to --method hybrid"));
    }
    if let Some(path) = &a.output {
        match Format::of(path)? {
            Format::Hdf5 | Format::MatrixMarket | Format::Vtk => {}
            _ => return Err(Failure::usage(format!("{}: write x as .h5, .mtx or .vti", path.display()))),
        }
    }
    if let Some(path) = &a.plot {
        let known =
            path.extension().is_some_and(|e| e.eq_ignore_ascii_case("svg") || e.eq_ignore_ascii_case("png"));
        if !known {
            return Err(Failure::usage(format!("{}: draw to .svg or .png", path.display())));
        }
    }
    for path in [&a.output, &a.plot, &a.history].into_iter().flatten() {
        output::probe(path)?;
    }
    Ok(())
}

fn write(a: &Solve, loaded: &Loaded, solver: &Solver, report: &Report, x: &[f64]) -> Result<(), Failure> {
    if let Some(path) = &a.output {
        let grid = loaded.system.grid.as_ref().map(|(grid, cells)| (*grid, &cells[..]));
        write_solution(path, &loaded.system.gather(x), grid)?;
    }
    if let Some(path) = &a.history {
        let lines: String =
            solver.history().iter().enumerate().map(|(i, r)| format!("{i},{r:e}\n")).collect();
        output::text(path, &format!("step,residual\n{lines}"))?;
    }
    if let Some(path) = &a.plot {
        let title =
            format!("{}: {} + {}", name(&loaded.name), solver.plan().method, solver.plan().preconditioner);
        let figure = plot::history(&title, solver.history(), report.target);
        let drawn = if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("png")) {
            figure.png()
        } else {
            figure.svg().map(String::into_bytes)
        };
        let bytes =
            drawn.map_err(|e| Failure::resource(format!("{}: cannot be drawn: {e}", path.display())))?;
        output::bytes(path, &bytes)?;
    }
    Ok(())
}

/// The last part of a path.
fn name(problem: &str) -> String {
    Path::new(problem).file_name().map_or_else(|| problem.into(), |n| n.to_string_lossy().into_owned())
}

#[allow(clippy::too_many_arguments)]
fn text(
    a: &Solve,
    space: Option<&device::Space>,
    loaded: &Loaded,
    solver: &Solver,
    report: &Report,
    setup: Duration,
    relative: impl Fn(f64) -> f64,
) -> String {
    let matrix = &loaded.system.matrix;
    let mut problem = loaded.name.clone();
    if let (Some(n), Some((grid, _))) = (loaded.n, &loaded.system.grid) {
        problem += &format!(", n = {n}, {}-D, seed {}", grid.dim(), a.member.seed);
    }
    let peak = memory::peak()
        .map_or("unknown".into(), |p| format!("{:.0} MiB at most", p as f64 / f64::from(1 << 20)));
    let ending = match report.status {
        Status::Converged => "converged",
        Status::Interrupted => "interrupted",
        _ => "not converged",
    };
    let place = match space {
        Some(_) => device::name(space),
        None => format!("{} threads", rayon::current_num_threads()),
    };
    let levels = solver.complexity().map_or(String::new(), |c| {
        format!(
            "levels     {}, operator complexity {:.2}, grid complexity {:.2}\n",
            c.levels.len(),
            c.operator(),
            c.grid()
        )
    });
    let asked = match (a.method, report.dropped) {
        (Method::Hybrid, Some(step)) => {
            format!("network    asked in {} steps, given up after step {step}\n", report.asked)
        }
        (Method::Hybrid, None) => format!("network    asked in {} steps\n", report.asked),
        _ => String::new(),
    };
    format!(
        "problem    {problem}\n\
         unknowns   {} ({} entries)\n\
         method     {}, {place}\n\
         because    {}\n{levels}\
         steps      {}\n{asked}\
         residual   {:.2e} of b, recomputed; target {:.2e}\n\
         set-up     {} s\n\
         solve      {} s\n\
         memory     {peak}\n\
         {ending}\n",
        grouped(matrix.unknowns()),
        grouped(matrix.nonzeros()),
        solver.plan(),
        solver.reason(),
        report.steps,
        relative(report.true_residual),
        relative(report.target),
        seconds(setup.as_secs_f64()),
        seconds(report.elapsed.as_secs_f64()),
    )
}
