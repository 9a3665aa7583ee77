//! The command as people type it: the program is run, and its output, exit code and files are looked at.

#[path = "run/bad_input.rs"]
mod bad_input;
#[path = "run/bench.rs"]
mod bench;
#[path = "run/data.rs"]
mod data;
#[path = "run/device.rs"]
mod device;
#[path = "run/solve.rs"]
mod solve;
#[path = "run/train.rs"]
mod train;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of its own that goes away, in which the program runs.
struct Bench {
    folder: tempfile::TempDir,
}

/// What the program did.
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and returns its name.
    fn file<'a>(&self, name: &'a str, content: impl AsRef<[u8]>) -> &'a str {
        std::fs::write(self.path(name), content).unwrap();
        name
    }

    fn run(&self, line: &str) -> Run {
        self.run_with(line, &[])
    }

    /// As `run`, with these in its environment.
    fn run_with(&self, line: &str, environment: &[(&str, &str)]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_resolvent"));
        command
            .current_dir(self.folder.path())
            .args(line.split_whitespace())
            .envs(environment.iter().copied());
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Run { code: status.code(), out: text(stdout), err: text(stderr) }
    }

    /// Names of what is in the folder.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Run {
    /// It ended with this code, and did not panic.
    #[track_caller]
    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{}\n{}", self.out, self.err);
        assert!(!self.err.contains("panicked") && !self.err.contains("HDF5-DIAG"), "{}", self.err);
        self
    }

    /// Standard output is one JSON object whose first key is `schema`.
    #[track_caller]
    fn json(&self) -> Value {
        assert!(self.out.trim_start_matches(['{', '\n', ' ']).starts_with("\"schema\": 1"), "{}", self.out);
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.out))
    }

    /// One message on standard error holds all of these.
    #[track_caller]
    fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.err.contains(part), "`{part}` is not in: {}", self.err);
        }
        self
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
