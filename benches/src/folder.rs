//! The folder of a benchmark: measurements as they come, and what is made of them.
//!
//! | file | what |
//! |---|---|
//! | `measurements.jsonl` | one line of JSON a measurement, written as soon as it is made |
//! | `bench.json` | machine, command and every measurement |
//! | `table.csv`, `table.md` | the same as tables |
//! | `scaling.svg`, `residual.svg`, `steps.svg` | pictures |
//! | `report.html` | all of it on one page |

use crate::machine::Machine;
use crate::{Measurement, plot, report, table};
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What can go wrong with the folder of a benchmark.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that cannot be written.
    #[error("{}: cannot be written: {source}; check that its folder exists, may be written to and has room", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file that cannot be read.
    #[error("{}: cannot be read: {source}; give the folder that `train` or `bench` wrote", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file that is not what `bench` wrote.
    #[error("{}: this is no benchmark: {what}; run `bench` again", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A run whose configuration cannot be understood.
    #[error("{}: {what}", path.display())]
    Configuration {
        /// The file.
        path: PathBuf,
        /// What is wrong, and how to mend it.
        what: String,
    },
    /// A picture that could not be drawn.
    #[error("{}: the picture could not be drawn: {what}", path.display())]
    Draw {
        /// The file.
        path: PathBuf,
        /// Why not.
        what: String,
    },
}

/// A finished benchmark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bench {
    /// 1.
    pub schema: u32,
    /// The command that made it.
    pub command: String,
    /// What it ran on.
    pub machine: Machine,
    /// Bytes a second of the triad, measured in the same run.
    pub triad: f64,
    /// One for each method and size.
    pub measurements: Vec<Measurement>,
}

/// The folder of a benchmark.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Creates it where it is not there yet.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn create(path: &Path) -> Result<Self, Error> {
        fs::create_dir_all(path).map_err(|source| Error::Write { path: path.into(), source })?;
        Ok(Self { path: path.into() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The measurements that an earlier run left; a last line that was cut off does not count.
    pub fn earlier(&self) -> Vec<Measurement> {
        let text = fs::read_to_string(self.path.join("measurements.jsonl")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Forgets them.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn forget(&self) -> Result<(), Error> {
        self.write("measurements.jsonl", "")
    }

    /// Adds one measurement.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn add(&self, measurement: &Measurement) -> Result<(), Error> {
        let path = self.path.join("measurements.jsonl");
        let mut line = serde_json::to_string(measurement).unwrap_or_default();
        line.push('\n');
        let append = || OpenOptions::new().create(true).append(true).open(&path)?.write_all(line.as_bytes());
        append().map_err(|source| Error::Write { path: path.clone(), source })
    }

    /// Writes everything that is made of the measurements. Returns the page.
    ///
    /// # Errors
    /// [`Error::Write`], [`Error::Draw`].
    pub fn finish(&self, bench: &Bench) -> Result<PathBuf, Error> {
        let rows = &bench.measurements;
        self.write("bench.json", &(serde_json::to_string_pretty(bench).unwrap_or_default() + "\n"))?;
        self.write("table.csv", &table::csv(rows))?;
        self.write("table.md", &format!("`{}`\n\n{}", bench.command, table::markdown(rows)))?;
        let largest = rows.iter().map(|m| m.n).max().unwrap_or(0);
        let pictures = [
            ("scaling.svg", plot::scaling(rows)),
            ("residual.svg", plot::residual_over_time(rows, largest)),
            ("steps.svg", plot::steps(rows)),
        ];
        for (name, figure) in pictures {
            let svg = figure.svg().map_err(|what| Error::Draw { path: self.path.join(name), what })?;
            self.write(name, &svg)?;
        }
        self.page(bench)
    }

    /// Writes the page alone.
    ///
    /// # Errors
    /// [`Error::Write`], [`Error::Draw`].
    pub fn page(&self, bench: &Bench) -> Result<PathBuf, Error> {
        let path = self.path.join("report.html");
        let page = report::scaling(&bench.measurements, &bench.machine, &bench.command);
        self.write("report.html", &page.map_err(|what| Error::Draw { path: path.clone(), what })?)?;
        Ok(path)
    }

    /// What an earlier `finish` wrote.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Malformed`].
    pub fn read(path: &Path) -> Result<Bench, Error> {
        let path = path.join("bench.json");
        let text = fs::read_to_string(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        serde_json::from_str(&text).map_err(|e| Error::Malformed { path, what: e.to_string() })
    }

    /// Written beside and renamed.
    fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        write(&self.path.join(name), text)
    }
}

/// Writes a file beside its place and renames it.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.part"));
    fs::write(&draft, text).and_then(|()| fs::rename(&draft, path)).map_err(|source| {
        // A draft that cannot be removed harms nobody.
        let _ = fs::remove_file(&draft);
        Error::Write { path: path.into(), source }
    })
}
