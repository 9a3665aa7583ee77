//! Results on standard output, progress and remarks on standard error.

use crate::failure::Failure;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// Where a command speaks.
pub struct Console {
    quiet: bool,
    json: bool,
}

impl Console {
    /// `json` sends one object to standard output instead of text.
    pub fn new(quiet: bool, json: bool) -> Self {
        Self { quiet, json }
    }

    /// Whether one JSON object is wanted.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Text to standard output, unless JSON is wanted. A reader who went away is no error.
    pub fn print(&self, text: &str) {
        if !self.json {
            write(text);
        }
    }

    /// Text to standard output in any case.
    pub fn print_raw(&self, text: &str) {
        write(text);
    }

    /// The one JSON object, if JSON is wanted.
    pub fn object(&self, object: &Value) {
        if self.json {
            write(&format!("{object:#}\n"));
        }
    }

    /// A remark to standard error.
    pub fn remark(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// A failure, on standard error and, if JSON is wanted, as the object.
    pub fn fail(&self, failure: &Failure) {
        let _ = writeln!(std::io::stderr(), "resolvent: {}", failure.message);
        self.object(&json!({ "schema": 1, "error": failure.code.name(), "message": failure.message }));
    }

    /// A progress display, drawn only on a terminal and unless `--quiet`.
    pub fn progress(&self, template: &str, length: Option<u64>) -> ProgressBar {
        let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let seen = !self.quiet && std::io::stderr().is_terminal();
        bar.set_draw_target(if seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() });
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸ "));
        }
        if seen {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        bar
    }
}

fn write(text: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        // The reader went away; there is nobody left to tell.
    }
}
