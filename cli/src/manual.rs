//! Completion scripts and manual pages, made from the command line's own description.

use crate::arguments::Arguments;
use crate::console::Console;
use crate::failure::{Code, Failure};
use clap::CommandFactory;
use clap_complete::Shell;
use std::path::Path;

/// Prints a completion script.
pub fn completions(shell: Shell, console: &Console) -> Result<Code, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "resolvent", &mut script);
    console.print_raw(&String::from_utf8_lossy(&script));
    Ok(Code::Done)
}

/// Prints the manual page, or writes those of all commands.
pub fn man(folder: Option<&Path>, console: &Console) -> Result<Code, Failure> {
    let unwritable = |path: &Path, e: std::io::Error| {
        Failure::resource(format!(
            "{}: cannot be written: {e}; choose a folder that may be written to",
            path.display()
        ))
    };
    let Some(folder) = folder else {
        let mut page = Vec::new();
        let made = clap_mangen::Man::new(Arguments::command()).render(&mut page);
        made.map_err(|e| unwritable(Path::new("the manual page"), e))?;
        console.print_raw(&String::from_utf8_lossy(&page));
        return Ok(Code::Done);
    };
    std::fs::create_dir_all(folder).map_err(|e| unwritable(folder, e))?;
    clap_mangen::generate_to(Arguments::command(), folder).map_err(|e| unwritable(folder, e))?;
    console.remark(&format!("wrote the manual pages to {}", folder.display()));
    Ok(Code::Done)
}
