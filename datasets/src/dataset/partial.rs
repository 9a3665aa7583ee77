//! The unfinished file beside the final one, `NAME.part`, and how far it is.

use crate::foreign::reason;
use crate::own_file::OwnFile;
use crate::{Error, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Holds the progress of an unfinished file: a fingerprint of its description, steps done, then for each field how many
/// numbers were written and their checksum.
const PROGRESS: &str = "progress";

/// An unfinished HDF5 file. Dropped, it stays if steps were committed and is removed if not.
pub(super) struct Partial {
    /// The final place.
    path: PathBuf,
    part: PathBuf,
    file: Option<OwnFile>,
    keep: bool,
    finished: bool,
}

impl Partial {
    /// A new file; one that was left under its name is replaced.
    pub fn create(path: &Path) -> Result<Self> {
        let part = place(path)?;
        if path.is_dir() {
            return Err(Error::write(path, std::io::ErrorKind::IsADirectory.into()));
        }
        let file = OwnFile::create(&part).map_err(|e| write_error(path, &e))?;
        Ok(Self { path: path.into(), part, file: Some(file), keep: false, finished: false })
    }

    /// The file that an interrupted run left and its progress, if it can be opened and has this fingerprint.
    pub fn reopen(path: &Path, fingerprint: u64) -> Result<Option<(Self, Vec<u64>)>> {
        let part = place(path)?;
        if !part.is_file() {
            return Ok(None);
        }
        let Ok(file) = OwnFile::reopen(&part) else { return Ok(None) };
        let progress = file.attr(PROGRESS).and_then(|a| a.read_raw::<u64>()).unwrap_or_default();
        if progress.first() != Some(&fingerprint) {
            return Ok(None);
        }
        Ok(Some((Self { path: path.into(), part, file: Some(file), keep: true, finished: false }, progress)))
    }

    /// The root group.
    pub fn root(&self) -> Result<&hdf5::File> {
        self.file.as_deref().ok_or_else(|| self.error(&hdf5::Error::from("the file is closed")))
    }

    /// Puts everything so far on disk, then the progress.
    pub fn commit(&mut self, progress: &[u64]) -> Result<()> {
        let store = |file: &hdf5::File| {
            file.flush()?;
            let attribute = match file.attr(PROGRESS) {
                Ok(attribute) => attribute,
                Err(_) => file.new_attr::<u64>().shape(progress.len()).create(PROGRESS)?,
            };
            attribute.write_raw(progress)?;
            file.flush()
        };
        store(self.root()?).map_err(|e| self.error(&e))?;
        self.keep = true;
        Ok(())
    }

    /// Closes the file and gives it its final name.
    pub fn finish(mut self) -> Result<()> {
        if let Some(file) = self.file.take() {
            let close = || {
                if file.attr_names()?.iter().any(|n| n == PROGRESS) {
                    file.delete_attr(PROGRESS)?;
                }
                file.flush()?;
                file.close()
            };
            close().map_err(|e| write_error(&self.path, &e))?;
        }
        fs::rename(&self.part, &self.path).map_err(|e| Error::write(&self.path, e))?;
        self.finished = true;
        Ok(())
    }

    /// What the library could not write.
    pub fn error(&self, e: &hdf5::Error) -> Error {
        write_error(&self.path, e)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        drop(self.file.take());
        if !self.finished && !self.keep {
            // Nothing can be done about a file that does not go away, and nothing depends on it.
            let _ = fs::remove_file(&self.part);
        }
    }
}

fn place(path: &Path) -> Result<PathBuf> {
    let name = path.file_name();
    let mut name =
        name.ok_or_else(|| Error::write(path, std::io::ErrorKind::InvalidFilename.into()))?.to_owned();
    name.push(".part");
    Ok(path.with_file_name(name))
}

fn write_error(path: &Path, e: &hdf5::Error) -> Error {
    Error::write(path, std::io::Error::other(reason(e)))
}
