//! `train`: a network that solves an equation or proposes directions, a solver of graphs, or a multigrid cycle, from a text.

use crate::arguments::Train;
use crate::console::Console;
use crate::failure::{Code, Failure};
use crate::interrupt;
use resolvent_benches::machine::Machine;
use resolvent_benches::training::Report;
use resolvent_pinn::config::AnyConfig;
use resolvent_pinn::evaluation::FieldError;
use resolvent_pinn::registry;
use resolvent_pinn::run::{End, Outcome, Progress, RunFolder, Start};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Trains, and writes the page of the run.
pub fn run(a: &Train, console: &Console) -> Result<Code, Failure> {
    if a.list {
        return list(console);
    }
    let Request { config, folder, start } = request(a)?;
    interrupt::listen();
    let bar = console.progress("{msg} {bar:20} {pos}/{len} {eta}", Some(0));
    bar.set_message(config.name().to_owned());
    let environment = json!({ "machine": Machine::current() });
    let mut watch = |p: &Progress<'_>| {
        bar.set_length(p.steps[1]);
        bar.set_position(p.steps[0]);
        bar.set_message(message(p));
        if interrupt::asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let outcome = config.train(&folder, start, &environment, &mut watch)?;
    bar.finish_and_clear();
    let code = match &outcome.end {
        End::Done => Code::Done,
        End::Interrupted => {
            console.remark(&format!(
                "interrupted after {} steps; go on with: resolvent train --resume {}",
                outcome.steps,
                folder.display()
            ));
            Code::Interrupted
        }
        End::NotFinite(what) => {
            console.remark(&format!("{what}; the run is back at step {}", outcome.steps));
            Code::Breakdown
        }
    };
    let page = Report::read(&folder)?.write()?;
    console.print(&text(&outcome, &page));
    console.object(&object(&config, &outcome, &folder));
    Ok(code)
}

/// What is trained, where, and from which beginning.
struct Request {
    config: AnyConfig,
    folder: PathBuf,
    start: Start,
}

fn request(a: &Train) -> Result<Request, Failure> {
    let start = match (&a.resume, a.changed) {
        (None, _) => Start::New,
        (Some(_), false) => Start::Resume,
        (Some(_), true) => Start::ResumeChanged,
    };
    let config = match (&a.config, &a.resume) {
        // The name of an equation stands for its text.
        (Some(path), _) if !path.exists() && path.extension().is_none() => {
            let name = path.to_string_lossy();
            let entry = registry::find(&name)?;
            AnyConfig::parse(entry.toml, &a.set)?
        }
        (Some(path), _) => AnyConfig::load(path, &a.set)?,
        (None, Some(folder)) => {
            RunFolder::open(folder)?;
            AnyConfig::load(&folder.join("config.toml"), &a.set)?
        }
        (None, None) => {
            return Err(Failure::usage(
                "nothing to train; give CONFIG.toml, the name of an equation that `resolvent train --list` shows, or --resume DIR",
            ));
        }
    };
    let folder = match (&a.resume, &a.out) {
        (Some(folder), _) => folder.clone(),
        (None, Some(folder)) => folder.clone(),
        (None, None) => free(config.name(), config.kind()),
    };
    Ok(Request { config, folder, start })
}

/// A folder under `runs` that does not exist yet.
fn free(name: &str, kind: &str) -> PathBuf {
    let name = if name.is_empty() { kind } else { name };
    let base = Path::new("runs").join(name);
    let mut others = (2..).map(|i| Path::new("runs").join(format!("{name}-{i}")));
    if base.exists() { others.find(|p| !p.exists()).unwrap_or(base) } else { base }
}

/// Losses with weights, and errors, on one line.
fn message(p: &Progress<'_>) -> String {
    let terms: Vec<String> = p
        .terms
        .iter()
        .map(|t| {
            if t.weight == 1.0 {
                format!("{} {:.1e}", t.name, t.loss)
            } else {
                format!("{} {:.1e}×{:.3}", t.name, t.loss, t.weight)
            }
        })
        .collect();
    let errors: Vec<String> =
        p.errors.iter().map(|e| format!("‖Δ{}‖ {:.1e}", e.name, e.relative_l2)).collect();
    [terms, errors].concat().join(" · ")
}

fn text(outcome: &Outcome, page: &Path) -> String {
    let mut text = format!("{} steps, {:.1} s, loss {:.3e}\n", outcome.steps, outcome.seconds, outcome.loss);
    text.push_str(&table(&outcome.errors));
    for (name, value) in &outcome.parameters {
        text.push_str(&format!("{name} = {value:.6}\n"));
    }
    text + &format!("{}\n", page.display())
}

/// Errors as lines of text.
pub fn table(errors: &[FieldError]) -> String {
    let line = |e: &FieldError| {
        let spectral = e.spectral.map(|s| format!(", spectral {s:.3e}")).unwrap_or_default();
        format!("{}: relative L2 error {:.3e}, largest {:.3e}{spectral}\n", e.name, e.relative_l2, e.max)
    };
    errors.iter().map(line).collect()
}

/// Errors for JSON.
pub fn errors(errors: &[FieldError]) -> Value {
    let each: BTreeMap<&str, Value> = errors
        .iter()
        .map(|e| {
            let mut of = json!({ "relative_l2": e.relative_l2, "max": e.max });
            if let Some(spectral) = e.spectral {
                of["spectral"] = json!(spectral);
            }
            (e.name.as_str(), of)
        })
        .collect();
    json!(each)
}

fn object(config: &AnyConfig, outcome: &Outcome, folder: &Path) -> Value {
    let status = match outcome.end {
        End::Done => "done",
        End::Interrupted => "interrupted",
        End::NotFinite(_) => "not_finite",
    };
    json!({
        "schema": 1, "kind": config.kind(), "name": config.name(), "seed": config.seed(), "status": status,
        "steps": outcome.steps, "seconds": outcome.seconds, "loss": outcome.loss,
        "errors": errors(&outcome.errors), "parameters": outcome.parameters, "run_dir": folder,
    })
}

/// The equations that are known by name.
fn list(console: &Console) -> Result<Code, Failure> {
    let rows = registry::all();
    let text: String = rows.iter().map(|e| format!("{:<28} {}\n", e.name, e.summary)).collect();
    console.print(&text);
    let rows: Vec<Value> = rows.iter().map(|e| json!({ "name": e.name, "summary": e.summary })).collect();
    console.object(&json!({ "schema": 1, "equations": rows }));
    Ok(Code::Done)
}
