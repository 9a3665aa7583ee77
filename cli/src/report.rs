//! `report`: the page of a folder.

use crate::arguments::Report;
use crate::console::Console;
use crate::failure::{Code, Failure};
use resolvent_benches::folder::Folder;
use serde_json::json;

/// Writes the page again from what the folder holds.
pub fn run(arguments: &Report, console: &Console) -> Result<Code, Failure> {
    let bench = Folder::read(&arguments.folder)?;
    let page = Folder::create(&arguments.folder)?.page(&bench)?;
    console.print(&format!("{}\n", page.display()));
    console.object(&json!({ "schema": 1, "report": page, "measurements": bench.measurements.len() }));
    Ok(Code::Done)
}
