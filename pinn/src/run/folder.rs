//! The files of a run.

use super::Metrics;
use crate::{Error, Result};
use resolvent::learn::Checkpoint;
use resolvent_datasets::Checksum;
use serde::Serialize;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Files with a line a step.
const LINES: [&str; 3] = ["metrics.jsonl", "gradients.jsonl", "spectra.jsonl"];

/// The folder of a run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// For a new run with the text of its configuration.
    ///
    /// # Errors
    /// [`Error::Training`] when it holds a run already; [`Error::File`].
    pub fn create(path: &Path, text: &str) -> Result<Self> {
        if path.join("config.toml").exists() {
            let what = format!("{} holds a run", path.display());
            let mend = format!("go on with it: --resume {}, or give another --out", path.display());
            return Err(Error::Training { what, mend });
        }
        let folder = Self { path: path.into() };
        let checkpoints = folder.path.join("checkpoints");
        fs::create_dir_all(&checkpoints).map_err(|source| Error::File { path: checkpoints, source })?;
        folder.write("config.toml", text)?;
        Ok(folder)
    }

    /// Of a run that was begun.
    ///
    /// # Errors
    /// [`Error::Training`] when it holds none.
    pub fn open(path: &Path) -> Result<Self> {
        if path.join("config.toml").is_file() {
            return Ok(Self { path: path.into() });
        }
        let what = format!("{} holds no run", path.display());
        Err(Error::Training { what, mend: "give the folder that `resolvent train` wrote".into() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The text of its configuration.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn config(&self) -> Result<String> {
        let path = self.path.join("config.toml");
        fs::read_to_string(&path).map_err(|source| Error::File { path, source })
    }

    /// `Ok` when the run's configuration, `old`, is `new`.
    pub(super) fn compare(&self, old: &str, new: &str) -> Result<()> {
        if old == new {
            return Ok(());
        }
        let differs = old.lines().zip(new.lines()).find(|(a, b)| a != b);
        let (was, is) = differs.unwrap_or(("less", "more"));
        let what = format!("{}: the configuration has changed: `{was}` is now `{is}`", self.path.display());
        Err(Error::Training { what, mend: "change it back, or say --changed".into() })
    }

    /// The last checkpoint.
    ///
    /// # Errors
    /// [`Error::Solver`] for a file that is damaged.
    pub fn latest(&self) -> Result<Option<Checkpoint>> {
        let latest = self.path.join("checkpoints/latest");
        let Ok(name) = fs::read_to_string(&latest) else { return Ok(None) };
        Ok(Some(Checkpoint::load(&self.path.join("checkpoints").join(name.trim()))?))
    }

    /// That there is no checkpoint.
    pub(crate) fn nothing(&self) -> Error {
        let what = format!("{}: there is no checkpoint", self.path.display());
        Error::Training { what, mend: "train it first: resolvent train CONFIG.toml --out DIR".into() }
    }

    /// Writes a checkpoint, and that it is the last.
    pub(super) fn save(&self, step: u64, checkpoint: &Checkpoint) -> Result<()> {
        let name = format!("step-{step}.safetensors");
        checkpoint.save(&self.path.join("checkpoints").join(&name))?;
        self.write("checkpoints/latest", &(name + "\n"))
    }

    /// Forgets what was written of steps from `step` on. Returns the seconds that the others took.
    pub(super) fn resume_at(&self, step: u64) -> Result<f64> {
        let mut seconds = 0.0;
        for name in LINES {
            let path = self.path.join(name);
            let Ok(text) = fs::read_to_string(&path) else { continue };
            // A last line that was cut off does not count.
            let kept: Vec<&str> = text
                .lines()
                .filter(|line| {
                    let value: Option<serde_json::Value> = serde_json::from_str(line).ok();
                    value.and_then(|v| v["step"].as_u64()).is_some_and(|s| s < step)
                })
                .collect();
            if name == LINES[0] {
                let last = kept.last().and_then(|l| serde_json::from_str::<Metrics>(l).ok());
                seconds = last.map_or(0.0, |m| m.seconds);
            }
            let text: String = kept.iter().flat_map(|l| [*l, "\n"]).collect();
            self.write(name, &text)?;
        }
        let done = self.path.join("DONE");
        if done.exists() {
            fs::remove_file(&done).map_err(|source| Error::File { path: done, source })?;
        }
        Ok(seconds)
    }

    /// Adds a line of JSON to a file.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn append(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let path = self.path.join(name);
        let mut line = serde_json::to_string(value).unwrap_or_default();
        line.push('\n');
        let append = || OpenOptions::new().create(true).append(true).open(&path)?.write_all(line.as_bytes());
        append().map_err(|source| Error::File { path: path.clone(), source })
    }

    /// Writes a file beside its place and renames it.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path.join(name);
        let draft = path.with_extension(format!("{}.part", std::process::id()));
        fs::write(&draft, text).and_then(|()| fs::rename(&draft, &path)).map_err(|source| {
            // A draft that cannot be removed harms nobody.
            let _ = fs::remove_file(&draft);
            Error::File { path, source }
        })
    }
}

/// Whether a step is one of `count`, evenly over `all`, the last among them.
pub(super) fn is_look(step: u64, all: u64, count: u64) -> bool {
    (1..=count).any(|i| step + 1 == (all * i).div_ceil(count.max(1)).max(1))
}

/// The checksum of a file.
pub(super) fn checksum(path: &Path) -> Result<u64> {
    let failed = |source| Error::File { path: path.into(), source };
    let (mut file, mut block) = (fs::File::open(path).map_err(failed)?, vec![0; 1 << 20]);
    let mut sum = Checksum::new();
    loop {
        match file.read(&mut block).map_err(failed)? {
            0 => return Ok(sum.value()),
            n => sum.bytes(&block[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_look;

    #[test]
    fn looks_are_even_and_the_last_step_is_one() {
        let looks = |all, count| (0..all).filter(|s| is_look(*s, all, count)).collect::<Vec<_>>();
        assert_eq!(looks(10, 2), [4, 9]);
        assert_eq!(looks(10, 3), [3, 6, 9]);
        assert_eq!(looks(2, 5), [0, 1]);
        assert!(looks(5, 0).is_empty());
    }
}
