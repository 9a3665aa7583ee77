//! Files for other crates: complete or not at all.

use crate::Result;
use crate::draft::{self, Draft};
use std::io::Write;
use std::path::Path;

/// Finds out whether a file can be written at this place, and leaves nothing behind: to be asked before long work.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write).
pub fn probe(path: &Path) -> Result<()> {
    Draft::create(path).map(drop)
}

/// Writes text, beside and renamed.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write).
pub fn text(path: &Path, text: &str) -> Result<()> {
    bytes(path, text.as_bytes())
}

/// Writes bytes, beside and renamed.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write).
pub fn bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    draft::write(path, |w| w.write_all(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        probe(&folder.path().join("x.h5")).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(probe(&folder.path().join("no/x.h5")).is_err());
    }
}
