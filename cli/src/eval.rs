//! `eval`: the errors of a trained run.

use crate::arguments::Eval;
use crate::console::Console;
use crate::failure::{Code, Failure};
use crate::train;
use resolvent_pinn::config::AnyConfig;
use resolvent_pinn::run::{Against, RunFolder, evaluate};
use resolvent_pinn::{direction, graph};
use serde_json::json;

/// Compares the last checkpoint of a run with a solution, or writes what it has learnt.
pub fn run(a: &Eval, console: &Console) -> Result<Code, Failure> {
    let text = RunFolder::open(&a.folder)?.config()?;
    match AnyConfig::parse(&text, &[])? {
        AnyConfig::Physics(_) => solutions(a, console),
        AnyConfig::Direction(_) => directions(a, console),
        AnyConfig::Graph(_) => graphs(a, console),
        AnyConfig::Cycle(_) => Err(Failure::usage(
            "a multigrid cycle is measured by solving with it: resolvent solve --precond learned --model DIR/model.safetensors",
        )),
    }
}

/// How far a network is from a solution.
fn solutions(a: &Eval, console: &Console) -> Result<Code, Failure> {
    let export = a.output.as_deref().map(|path| (path, a.n));
    let errors = evaluate(&a.folder, Against { data: a.data.as_deref(), export, spectral: a.spectral })?;
    console.print(&train::table(&errors));
    if let Some(path) = &a.output {
        console.print(&format!("{}\n", path.display()));
    }
    console.object(&json!({
        "schema": 1, "run_dir": a.folder, "data": a.data, "errors": train::errors(&errors), "output": a.output,
    }));
    Ok(Code::Done)
}

/// What a network of directions leaves of the samples that were held out.
fn directions(a: &Eval, console: &Console) -> Result<Code, Failure> {
    if a.data.is_some() || a.output.is_some() || a.spectral {
        return Err(Failure::usage(
            "--data, --output and --spectral belong to solutions; solve with directions: resolvent solve --method directions --model FILE",
        ));
    }
    let errors = direction::evaluate(&a.folder)?;
    console.print(&train::table(&errors));
    console.object(&json!({ "schema": 1, "run_dir": a.folder, "errors": train::errors(&errors) }));
    Ok(Code::Done)
}

/// What a solver of graphs is worth, in tables beside baselines.
fn graphs(a: &Eval, console: &Console) -> Result<Code, Failure> {
    if a.output.is_some() || a.spectral {
        return Err(Failure::usage("--output and --spectral belong to solutions on grids; leave them out"));
    }
    let (errors, evaluation) = graph::evaluate(&a.folder, a.data.as_deref())?;
    console.print(&format!("{}\n{evaluation}", train::table(&errors)));
    console.object(&json!({
        "schema": 1, "run_dir": a.folder, "data": a.data, "errors": train::errors(&errors), "tables": evaluation.tables,
    }));
    Ok(Code::Done)
}
