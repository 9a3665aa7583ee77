//! `bench`: several methods on the same work.

use crate::arguments::{BenchHowOne, BenchPoisson, BenchSystem, BenchWhat, Device};
use crate::console::Console;
use crate::failure::{Code, Failure};
use crate::{interrupt, load};
use indicatif::ProgressBar;
use resolvent::direction::Model;
use resolvent::{Progress, Stop};
use resolvent_benches::bandwidth::Triad;
use resolvent_benches::folder::{Bench, Folder};
use resolvent_benches::machine::Machine;
use resolvent_benches::suite::{Case, Observer, Outcome, Place, Work};
use resolvent_benches::table::seconds;
use resolvent_benches::{Measurement, Method, Suite, table};
use resolvent_datasets::{Family, RhsKind};
use serde_json::Value;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Runs a benchmark.
pub fn run(what: &BenchWhat, console: &Console) -> Result<Code, Failure> {
    match what {
        BenchWhat::Poisson(a) => poisson(a, console),
        BenchWhat::System(a) => system(a, console),
    }
}

fn poisson(a: &BenchPoisson, console: &Console) -> Result<Code, Failure> {
    let family = Family::named(&a.problem)?;
    for &n in &a.sizes {
        load::parameters(family, n, &a.member)?;
    }
    if a.how.rhs == 0 {
        return Err(Failure::usage("--rhs 0: at least one right-hand side is needed"));
    }
    let kind = a.member.rhs_kind.unwrap_or(RhsKind::Noise);
    if !family.rhs.contains(&kind) {
        let known = family.rhs.iter().map(|k| k.name()).collect::<Vec<_>>().join(", ");
        return Err(Failure::usage(format!("{} has no {kind} right-hand side; it has {known}", family.name)));
    }
    let mut sizes = a.sizes.clone();
    sizes.sort_unstable();
    sizes.dedup();
    let suite = Suite {
        work: Work::Family { family, dim: a.member.dim, sizes, rhs_kind: kind },
        seed: a.member.seed,
        methods: methods(&a.how.how, true)?,
        repeat: a.how.how.repeat,
        budget: a.how.how.budget,
        right_hand_sides: a.how.rhs,
        stop: stop(&a.how.how),
        models: models(&a.how.how, a.member.dim.unwrap_or(family.dims[0]))?,
        place: place(&a.how.how)?,
    };
    measure(&suite, &a.how.how, family.name, console)
}

fn system(a: &BenchSystem, console: &Console) -> Result<Code, Failure> {
    let loaded = load::from_file(&a.file, a.right.as_deref(), a.seed, false, console)?;
    let name = a.file.file_stem().map_or_else(|| loaded.name.clone(), |n| n.to_string_lossy().into_owned());
    let structured = loaded.system.is_structured();
    let dim = loaded.system.grid.as_ref().map_or(0, |(grid, _)| grid.dim());
    let suite = Suite {
        work: Work::System { name: name.clone(), system: Box::new(loaded.system) },
        seed: a.seed,
        methods: methods(&a.how, structured)?,
        repeat: a.how.repeat,
        budget: a.how.budget,
        right_hand_sides: 1,
        stop: stop(&a.how),
        models: models(&a.how, dim)?,
        place: place(&a.how)?,
    };
    measure(&suite, &a.how, &name, console)
}

fn methods(how: &BenchHowOne, structured: bool) -> Result<Vec<Method>, Failure> {
    if how.methods.is_empty() {
        let fitting: &[&str] = if how.device == Device::Cuda {
            if structured {
                &["cg", "jacobi", "chebyshev", "multigrid", "learned"]
            } else {
                &["cg", "jacobi", "chebyshev"]
            }
        } else if structured {
            &["cg", "jacobi", "chebyshev", "mic", "multigrid", "learned"]
        } else {
            &["cg", "jacobi", "chebyshev", "mic", "amg", "direct"]
        };
        return fitting.iter().map(|n| Method::named(n).map_err(Into::into)).collect();
    }
    how.methods.iter().map(|name| Method::named(name).map_err(Into::into)).collect()
}

/// The models by the methods that use them, and that there is one for every method that needs it. A hybrid without one of its own
/// takes that of `linear`, if there is one, and in 3-D one comes with the library.
fn models(how: &BenchHowOne, dim: usize) -> Result<Vec<(String, Model)>, Failure> {
    let mut models: Vec<(String, Model)> = Vec::new();
    for text in &how.model {
        let (method, path) = text.split_once('=').map_or((None, &**text), |(m, path)| (Some(m), path));
        let model = Model::load(Path::new(path))?;
        let called = model.architecture().name();
        match method {
            None | Some("hybrid") => {}
            Some(method) if method == called => {}
            Some("dcdm" | "linear") => {
                return Err(Failure::usage(format!("--model {text}: that network is a `{called}`")));
            }
            Some(_) => {
                return Err(Failure::usage(format!("--model {text}: dcdm, linear and hybrid have networks")));
            }
        }
        models.push((method.unwrap_or(called).into(), model));
    }
    let of = |models: &[(String, Model)], name: &str| models.iter().find(|m| m.0 == name).cloned();
    for name in how.methods.iter().filter(|m| matches!(m.as_str(), "dcdm" | "linear")) {
        if of(&models, name).is_none() && (name != "linear" || dim != 3) {
            return Err(Failure::usage(format!(
                "{name} needs a network: --model FILE.safetensors, which `resolvent train` makes"
            )));
        }
    }
    if of(&models, "hybrid").is_none()
        && let Some((_, linear)) = of(&models, "linear")
    {
        models.push(("hybrid".into(), linear));
    }
    Ok(models)
}

/// The processor, or a GPU.
fn place(how: &BenchHowOne) -> Result<Place, Failure> {
    match how.device {
        Device::Cpu => Ok(Place::Processor),
        #[cfg(feature = "cuda")]
        Device::Cuda => Ok(Place::Gpu(crate::device::open()?)),
        #[cfg(not(feature = "cuda"))]
        Device::Cuda => crate::device::open().map(|space| match space {}),
    }
}

fn stop(how: &BenchHowOne) -> Stop {
    Stop { rtol: how.rtol, atol: 0.0, max_steps: how.max_steps, max_time: None }
}

fn measure(suite: &Suite, how: &BenchHowOne, name: &str, console: &Console) -> Result<Code, Failure> {
    let path = how.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("bench-{name}")));
    let folder = Folder::create(&path)?;
    let mut rows = if how.resume { folder.earlier() } else { Vec::new() };
    if !how.resume {
        folder.forget()?;
    }
    interrupt::listen();
    let triad = Triad::default().measure(5);
    let bar = console.progress("{bar:24} {pos}/{len} {msg}", Some(0));
    let mut watcher = Watcher {
        bar: &bar,
        console,
        folder: &folder,
        failed: None,
        shown: Instant::now(),
        case: String::new(),
    };
    let outcome = suite.run(&mut rows, &mut watcher)?;
    let failed = watcher.failed;
    bar.finish_and_clear();
    if let Some(e) = failed {
        return Err(e.into());
    }
    let command =
        std::iter::once("resolvent".to_owned()).chain(std::env::args().skip(1)).collect::<Vec<_>>().join(" ");
    let bench = Bench { schema: 1, command, machine: Machine::current(), triad, measurements: rows };
    let page: PathBuf = folder.finish(&bench)?;
    console.print(&table::text(&bench.measurements));
    console.remark(&format!(
        "\ntables, pictures and the page are in {}: open {}",
        folder.path().display(),
        page.display()
    ));
    if console.json() {
        console.object(&serde_json::to_value(&bench).unwrap_or(Value::Null));
    }
    if outcome == Outcome::Interrupted {
        console
            .remark("interrupted: the measurements so far are kept; the same command with --resume goes on");
        return Ok(Code::Interrupted);
    }
    let any = bench.measurements.iter().any(Measurement::converged);
    Ok(if any { Code::Done } else { Code::NotConverged })
}

struct Watcher<'a> {
    bar: &'a ProgressBar,
    console: &'a Console,
    folder: &'a Folder,
    failed: Option<resolvent_benches::folder::Error>,
    shown: Instant,
    case: String,
}

impl Observer for Watcher<'_> {
    fn begin(&mut self, case: &Case) {
        self.bar.set_length(case.of as u64);
        self.bar.set_position(case.index as u64);
        self.case = format!("n = {}, {}", case.n, case.method.name);
        self.bar.set_message(format!("{}: setting up", self.case));
    }

    fn step(&mut self, run: usize, p: &Progress) -> ControlFlow<()> {
        if self.shown.elapsed() > Duration::from_millis(60) {
            self.shown = Instant::now();
            let share = p.residual / p.target;
            self.bar.set_message(format!(
                "{}: run {}, step {}, {share:.1e} × target",
                self.case,
                run + 1,
                p.step
            ));
        }
        if interrupt::asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn end(&mut self, m: &Measurement) -> resolvent_datasets::Result<()> {
        if let Err(e) = self.folder.add(m) {
            self.failed.get_or_insert(e);
        }
        let line = if m.repeats > 0 {
            format!(
                "n = {:<5} {:<13} {:>5} steps {:>9} s  {}",
                m.n,
                m.method,
                m.steps,
                seconds(m.total.median),
                m.status
            )
        } else {
            format!("n = {:<5} {:<13} {}", m.n, m.method, m.advice.as_deref().unwrap_or("failed"))
        };
        self.bar.suspend(|| self.console.remark(&line));
        Ok(())
    }
}
