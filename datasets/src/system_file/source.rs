//! An HDF5 file of unknown origin, opened with suspicion.

use super::array::Array;
use super::heap;
use crate::{Error, Result};
use hdf5::types::{FixedAscii, FixedUnicode, TypeDescriptor, VarLenAscii, VarLenUnicode};
use hdf5::{Attribute, Group, LinkType};
use std::cell::OnceCell;
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// An open file and its length.
pub(crate) struct Source {
    pub path: PathBuf,
    /// In bytes.
    pub length: u64,
    file: hdf5::File,
    /// Whether the global heaps can be walked, once that was needed.
    heaps: OnceCell<bool>,
}

impl Source {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// [`Error::Open`] when the system refuses; [`Error::Malformed`] when it is no HDF5 file or a damaged one.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |e| Error::open(path, e);
        let mut plain = fs::File::open(path).map_err(failed)?;
        let metadata = plain.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(std::io::ErrorKind::IsADirectory.into()));
        }
        if !has_signature(&mut plain, metadata.len()) {
            let mend =
                "write it with h5py or `resolvent data make`, or copy it again: its start may be missing";
            return Err(Error::malformed(path, "the start", "this is not an HDF5 file", mend));
        }
        drop(plain);
        let file = hdf5::File::open(path).map_err(|e| {
            if reason(&e).contains("unable to lock file") {
                let why = "another program has it open for writing";
                return failed(std::io::Error::new(std::io::ErrorKind::WouldBlock, why));
            }
            damaged(path, "the superblock", &e)
        })?;
        Ok(Self { path: path.into(), length: metadata.len(), file, heaps: OnceCell::new() })
    }

    /// The root group.
    pub fn root(&self) -> &Group {
        &self.file
    }

    /// Names and kinds of the links in a group, sorted by name.
    pub fn links(&self, group: &Group) -> Result<Vec<(String, LinkType)>> {
        let links = std::cell::RefCell::new(Vec::new());
        let visited = group.iter_visit_default(|name, info| {
            let name = String::from_utf8_lossy(name.as_bytes()).into_owned();
            links.borrow_mut().push((name, info.link_type));
            Ok(())
        });
        visited.map_err(|e| damaged(&self.path, &format!("group `{}`", group.name()), &e))?;
        let mut links = links.into_inner();
        links.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(links)
    }

    /// Whether a group has a member of this name; one that is a link elsewhere is refused.
    fn has(&self, group: &Group, name: &str) -> Result<bool> {
        match self.links(group)?.iter().find(|(n, _)| n == name) {
            None => Ok(false),
            Some((_, LinkType::Hard)) => Ok(true),
            Some(_) => Err(Error::malformed(
                &self.path,
                format!("`{name}`"),
                "this is a link to another place",
                "store the data themselves under this name",
            )),
        }
    }

    /// A member group.
    pub fn group(&self, name: &str) -> Result<Option<Group>> {
        if !self.has(&self.file, name)? {
            return Ok(None);
        }
        let group = self.file.group(name);
        group.map(Some).map_err(|e| {
            let what = format!("this is no group, or a damaged one ({})", reason(&e));
            Error::malformed(&self.path, format!("`{name}`"), what, "make it a group")
        })
    }

    /// A member dataset, checked but not read.
    pub fn array(&self, group: &Group, name: &str) -> Result<Option<Array<'_>>> {
        if self.has(group, name)? { Array::open(self, group, name, None).map(Some) } else { Ok(None) }
    }

    /// A member dataset of rows, of any width if `columns` is 0, or of one dimension; checked but not read.
    pub fn rows(&self, group: &Group, name: &str, columns: Option<usize>) -> Result<Option<Array<'_>>> {
        if self.has(group, name)? { Array::open(self, group, name, columns).map(Some) } else { Ok(None) }
    }

    /// A string attribute of a dataset.
    pub fn text_of(&self, array: &Array, name: &str) -> Result<Option<String>> {
        self.text(array.location(), name)
    }

    /// Floats of an attribute of a dataset.
    pub fn reals_of(&self, array: &Array, name: &str) -> Result<Option<Vec<f64>>> {
        let Some(attribute) = self.attribute(array.location(), name)? else { return Ok(None) };
        let small = attribute.shape().iter().product::<usize>() <= 1 << 16;
        let read = if small { attribute.read_raw::<f64>().ok() } else { None };
        read.map(Some).ok_or_else(|| array.error(format!("attribute `{name}` has no floats"), "store some"))
    }

    /// Every string attribute of a group.
    pub fn texts(&self, group: &Group) -> Result<Vec<(String, String)>> {
        let names = group.attr_names().map_err(|e| damaged(&self.path, "the attributes", &e))?;
        let mut found = Vec::new();
        for name in names {
            if let Some(text) = self.text(group, &name)? {
                found.push((name, text));
            }
        }
        Ok(found)
    }

    /// An attribute, if there is one.
    fn attribute(&self, group: &hdf5::Location, name: &str) -> Result<Option<Attribute>> {
        let names = group.attr_names().map_err(|e| damaged(&self.path, "the attributes", &e))?;
        if !names.iter().any(|n| n == name) {
            return Ok(None);
        }
        group.attr(name).map(Some).map_err(|e| damaged(&self.path, &format!("attribute `{name}`"), &e))
    }

    /// A string attribute.
    pub fn text(&self, group: &hdf5::Location, name: &str) -> Result<Option<String>> {
        let Some(attribute) = self.attribute(group, name)? else { return Ok(None) };
        let variable = |kind| matches!(kind, Ok(TypeDescriptor::VarLenAscii | TypeDescriptor::VarLenUnicode));
        if variable(attribute.dtype().and_then(|t| t.to_descriptor())) && !self.has_sound_heaps()? {
            return Err(Error::malformed(
                &self.path,
                format!("attribute `{name}`"),
                "the heap of its text is damaged",
                "copy or write the file again",
            ));
        }
        // The bytes are checked here: HDF5 does not, and a damaged file may hold any.
        let text = attribute
            .read_scalar::<VarLenUnicode>()
            .map(|s| s.as_bytes().to_vec())
            .or_else(|_| attribute.read_scalar::<VarLenAscii>().map(|s| s.as_bytes().to_vec()))
            .or_else(|_| attribute.read_scalar::<FixedUnicode<256>>().map(|s| s.as_bytes().to_vec()))
            .or_else(|_| attribute.read_scalar::<FixedAscii<256>>().map(|s| s.as_bytes().to_vec()))
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        text.map(Some).ok_or_else(|| {
            Error::malformed(
                &self.path,
                format!("attribute `{name}`"),
                "this is not a string",
                "store one string in UTF-8",
            )
        })
    }

    /// Whether the library can walk the heaps that hold strings of any length.
    fn has_sound_heaps(&self) -> Result<bool> {
        if let Some(sound) = self.heaps.get() {
            return Ok(*sound);
        }
        let search = || heap::first_damaged(&mut fs::File::open(&self.path)?, self.length);
        let sound = search().map_err(|e| Error::open(&self.path, e))?.is_none();
        Ok(*self.heaps.get_or_init(|| sound))
    }

    /// Integers of an attribute.
    pub fn integers(&self, group: &hdf5::Location, name: &str) -> Result<Option<Vec<i64>>> {
        let Some(attribute) = self.attribute(group, name)? else { return Ok(None) };
        let small = attribute.shape().iter().product::<usize>() <= 16;
        let read = if small { attribute.read_raw::<i64>().ok() } else { None };
        read.map(Some).ok_or_else(|| {
            let mend = "store one integer or a few";
            Error::malformed(&self.path, format!("attribute `{name}`"), "these are not a few integers", mend)
        })
    }
}

/// Whether the signature stands at byte 0, 512, 1024, 2048, …, as the format allows.
fn has_signature(file: &mut fs::File, length: u64) -> bool {
    let mut at = 0u64;
    while at + 8 <= length {
        let mut start = [0; 8];
        if file.seek(SeekFrom::Start(at)).is_ok() && file.read_exact(&mut start).is_ok() && start == SIGNATURE
        {
            return true;
        }
        at = if at == 0 { 512 } else { 2 * at };
    }
    false
}

/// What HDF5 says of a part it cannot read.
pub(super) fn damaged(path: &Path, place: &str, error: &hdf5::Error) -> Error {
    let mend = "copy or write the file again: it may be cut off or damaged";
    Error::malformed(path, place, format!("it cannot be read ({})", reason(error)), mend)
}

/// The innermost cause, without the call stack around it.
pub(crate) fn reason(error: &hdf5::Error) -> String {
    match error {
        hdf5::Error::Internal(text) => text.clone(),
        hdf5::Error::HDF5(_) => error
            .stack()
            .and_then(|stack| stack.last().map(|frame| frame.desc().to_owned()))
            .unwrap_or_else(|| "no cause given".into()),
    }
}
