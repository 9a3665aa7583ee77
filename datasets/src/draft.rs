//! Files that appear complete or not at all.

use crate::{Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file written under another name in the same folder and renamed when it is complete. Dropped before that, it is
/// removed, and whatever stood under the final name is untouched.
#[derive(Debug)]
pub(crate) struct Draft {
    path: PathBuf,
    draft: PathBuf,
    finished: bool,
}

impl Draft {
    /// Creates the empty draft of `path`, and its writer.
    pub fn create(path: &Path) -> Result<(Self, BufWriter<File>)> {
        let failed = |e| Error::write(path, e);
        let name = path.file_name().ok_or_else(|| failed(std::io::ErrorKind::InvalidFilename.into()))?;
        if path.is_dir() {
            return Err(failed(std::io::ErrorKind::IsADirectory.into()));
        }
        let mut number = 0u32;
        loop {
            let mut hidden = std::ffi::OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{}-{number}.part", std::process::id()));
            let draft = path.with_file_name(hidden);
            match OpenOptions::new().write(true).create_new(true).open(&draft) {
                Ok(file) => {
                    return Ok((
                        Self { path: path.into(), draft, finished: false },
                        BufWriter::with_capacity(1 << 18, file),
                    ));
                }
                // Another thread's, or one that a killed process left.
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && number < 1000 => number += 1,
                Err(e) => return Err(failed(e)),
            }
        }
    }

    /// Where the draft is, for a library that opens files by name.
    pub fn place(&self) -> &Path {
        &self.draft
    }

    /// Gives the draft its final name.
    pub fn finish(mut self) -> Result<()> {
        fs::rename(&self.draft, &self.path).map_err(|e| Error::write(&self.path, e))?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.finished {
            // Nothing can be done about a draft that does not go away, and nothing depends on it.
            let _ = fs::remove_file(&self.draft);
        }
    }
}

/// Writes a file with `content`, beside and renamed.
pub(crate) fn write(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<()> {
    let (draft, mut writer) = Draft::create(path)?;
    content(&mut writer).and_then(|()| writer.flush()).map_err(|e| Error::write(path, e))?;
    drop(writer);
    draft.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_draft() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write(&path, |w| w.write_all(b"old")).unwrap();
        let e = write(&path, |w| {
            w.write_all(b"new")?;
            Err(std::io::ErrorKind::StorageFull.into())
        });
        assert!(matches!(e, Err(Error::Write { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().join("no/a.txt"), folder.path().into()] {
            let e = write(&path, |_| Ok(())).unwrap_err();
            assert!(matches!(&e, Error::Write { path: p, .. } if *p == path), "{e}");
        }
    }
}
