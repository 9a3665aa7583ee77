//! The text files of a folder or of an archive.

use crate::{Error, Result};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// How much is read before a set is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a file, unpacked.
    pub file: u64,
    /// Columns of features that labels may become.
    pub columns: usize,
    /// Features of all nodes or edges.
    pub numbers: usize,
}

impl Default for Limits {
    /// 2 GiB, 4096 columns, 2²⁸ numbers.
    fn default() -> Self {
        Self { file: 2 << 30, columns: 4096, numbers: 1 << 28 }
    }
}

/// A set's files.
pub(super) struct Files {
    from: PathBuf,
    archive: Option<zip::ZipArchive<File>>,
    /// What stands before `_A.txt`, folders included.
    stem: String,
    limit: u64,
}

const ADJACENCY: &str = "_A.txt";

/// Bytes that `from` holds, at most, unpacked as far as it says.
pub(super) fn size(from: &Path) -> Result<u64> {
    let failed = |e| Error::open(from, e);
    if !std::fs::metadata(from).map_err(failed)?.is_dir() {
        return Ok(std::fs::metadata(from).map_err(failed)?.len().saturating_mul(4));
    }
    let mut size = 0;
    for entry in std::fs::read_dir(from).map_err(failed)? {
        size += entry.and_then(|e| e.metadata()).map_err(failed)?.len();
    }
    Ok(size)
}

impl Files {
    /// Finds the set of a name, or the only one.
    pub fn open(from: &Path, name: Option<&str>, limits: Limits) -> Result<Self> {
        let failed = |e| Error::open(from, e);
        let mend = "give a folder in TU format, or a .zip or .whl that holds one";
        let is_folder = std::fs::metadata(from).map_err(failed)?.is_dir();
        let (archive, names) = if is_folder {
            let mut names = Vec::new();
            for entry in std::fs::read_dir(from).map_err(failed)? {
                names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
            }
            (None, names)
        } else {
            let archive = zip::ZipArchive::new(File::open(from).map_err(failed)?);
            let archive = archive.map_err(|e| {
                Error::malformed(from, "the archive", format!("it cannot be read ({e})"), mend)
            })?;
            let names = archive.file_names().filter_map(|n| n.ok().map(|n| n.into_owned())).collect();
            (Some(archive), names)
        };
        let mut stems: Vec<&str> = names.iter().filter_map(|n| n.strip_suffix(ADJACENCY)).collect();
        stems.sort_unstable();
        let last = |stem: &str| stem.rsplit('/').next().unwrap_or_default().to_owned();
        let stem = match name {
            Some(name) => stems.iter().find(|s| last(s) == name),
            None if stems.len() == 1 => stems.first(),
            None => None,
        };
        let Some(stem) = stem else {
            let known: Vec<String> = stems.iter().map(|s| last(s)).collect();
            let (what, mend) = match (known.is_empty(), name) {
                (true, _) => ("there is no file `…_A.txt` in it".to_owned(), mend.to_owned()),
                (_, Some(name)) => {
                    (format!("there is no set `{name}` in it"), format!("known are {}", known.join(", ")))
                }
                (_, None) => {
                    let mend = format!("name one with `--set set=NAME`: {}", known.join(", "));
                    (format!("there are {} sets in it", known.len()), mend)
                }
            };
            return Err(Error::malformed(from, "the set", what, mend));
        };
        Ok(Self { from: from.into(), archive, stem: (*stem).to_owned(), limit: limits.file })
    }

    /// The name of the set.
    pub fn name(&self) -> &str {
        self.stem.rsplit('/').next().unwrap_or_default()
    }

    /// The file of an ending as messages name it, and its bytes; `None` when it is not there.
    pub fn read(&mut self, ending: &str) -> Result<Option<(PathBuf, Vec<u8>)>> {
        let name = format!("{}{ending}", self.stem);
        let path = self.from.join(&name);
        let (limit, mut bytes) = (self.limit, Vec::new());
        let failed = |e| Error::open(&path, e);
        let read = match &mut self.archive {
            None => match File::open(&path) {
                Ok(file) => file.take(limit + 1).read_to_end(&mut bytes),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                Err(e) => Err(e),
            },
            Some(archive) => match archive.by_name(&name) {
                Ok(file) => file.take(limit + 1).read_to_end(&mut bytes),
                Err(zip::result::ZipError::FileNotFound) => return Ok(None),
                Err(e) => Err(std::io::Error::other(e)),
            },
        };
        read.map_err(failed)?;
        if bytes.len() as u64 > limit {
            let what = format!("it has more than {limit} bytes");
            return Err(Error::malformed(&path, "the file", what, "use a smaller set, or raise the limit"));
        }
        Ok(Some((path, bytes)))
    }
}
