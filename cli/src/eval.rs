//! `eval`: the errors of a trained run.

use crate::arguments::Eval;
use crate::console::Console;
use crate::failure::{Code, Failure};
use crate::train;
use resolvent_pinn::run::{Against, evaluate};
use serde_json::json;

/// Compares the last checkpoint of a run with a solution, or writes what it has learnt.
pub fn run(a: &Eval, console: &Console) -> Result<Code, Failure> {
    let export = a.output.as_deref().map(|path| (path, a.n));
    let errors = evaluate(&a.folder, Against { data: a.data.as_deref(), export })?;
    console.print(&train::table(&errors));
    if let Some(path) = &a.output {
        console.print(&format!("{}\n", path.display()));
    }
    console.object(&json!({
        "schema": 1, "run_dir": a.folder, "data": a.data, "errors": train::errors(&errors), "output": a.output,
    }));
    Ok(Code::Done)
}
