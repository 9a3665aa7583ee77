//! `report`: the page of a folder.

use crate::arguments::Report;
use crate::console::Console;
use crate::failure::{Code, Failure};
use resolvent_benches::folder::Folder;
use resolvent_benches::training;
use serde_json::json;

/// Writes the page again from what the folder holds: a run, or a benchmark.
pub fn run(arguments: &Report, console: &Console) -> Result<Code, Failure> {
    let folder = &arguments.folder;
    let (page, object) = if folder.join("config.toml").is_file() {
        let page = training::Report::read(folder)?.write()?;
        let object = json!({ "schema": 1, "report": page, "kind": "run" });
        (page, object)
    } else {
        let bench = Folder::read(folder)?;
        let page = Folder::create(folder)?.page(&bench)?;
        let count = bench.measurements.len();
        let object = json!({ "schema": 1, "report": page, "kind": "bench", "measurements": count });
        (page, object)
    };
    console.print(&format!("{}\n", page.display()));
    console.object(&object);
    Ok(Code::Done)
}
