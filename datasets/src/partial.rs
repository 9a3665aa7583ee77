//! Work that may be interrupted: a file of records beside the final one, that the same request goes on from.
//!
//! A header (magic, the command), then records: length (8 bytes), content, FNV-1a (8 bytes), little-endian. A record that
//! was cut off, and all behind it, is dropped.

use crate::{Checksum, Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 16] = b"resolvent-part1\n";

/// The name of what is kept beside a file.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(ending);
    path.with_file_name(name)
}

/// Refuses to overwrite another request's unfinished work.
pub(crate) fn of_another(partial: &Path) -> Error {
    Error::Unfinished { path: partial.into(), why: "another command" }
}

/// An open file of records.
pub(crate) struct Partial {
    path: PathBuf,
    writer: BufWriter<File>,
    header: u64,
    /// Complete records.
    pub records: usize,
}

impl Partial {
    /// Opens what an earlier request of this command left, or starts anew.
    ///
    /// # Errors
    /// [`Error::Unfinished`] when the file is of another command; [`Error::Write`].
    pub fn open(path: PathBuf, command: &str) -> Result<Self> {
        let failed = |e| Error::write(&path, e);
        let mut header = MAGIC.to_vec();
        header.extend((command.len() as u64).to_le_bytes());
        header.extend(command.as_bytes());
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut start = vec![0; header.len().min(length as usize)];
        file.read_exact(&mut start).map_err(failed)?;
        if !header.starts_with(&start) {
            return Err(of_another(&path));
        }
        if start.len() < header.len() {
            file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
            file.write_all(&header).map_err(failed)?;
        }
        let header = header.len() as u64;
        let (mut records, mut end) = (0, header);
        let mut reader = Records::new(&path, header)?;
        while reader.next()?.is_some() {
            (records, end) = (records + 1, reader.at);
        }
        file.set_len(end).and_then(|()| file.seek(SeekFrom::Start(end))).map_err(failed)?;
        Ok(Self { path, writer: BufWriter::with_capacity(1 << 18, file), header, records })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a record.
    pub fn push(&mut self, content: &[u8]) -> Result<()> {
        let mut write = || {
            self.writer.write_all(&(content.len() as u64).to_le_bytes())?;
            self.writer.write_all(content)?;
            self.writer.write_all(&Checksum::of_bytes(content).to_le_bytes())
        };
        write().map_err(|e| Error::write(&self.path, e))?;
        self.records += 1;
        Ok(())
    }

    /// Everything pushed is in the file.
    pub fn flush(&mut self) -> Result<()> {
        self.writer.flush().map_err(|e| Error::write(&self.path, e))
    }

    /// All records, from the first.
    pub fn records(&mut self) -> Result<Records> {
        self.flush()?;
        Records::new(&self.path, self.header)
    }

    /// Removes the file.
    pub fn remove(self) -> Result<()> {
        let path = self.path.clone();
        drop(self);
        fs::remove_file(&path).map_err(|e| Error::write(&path, e))
    }
}

/// Reads records one by one.
pub(crate) struct Records {
    path: PathBuf,
    reader: BufReader<File>,
    at: u64,
    length: u64,
    content: Vec<u8>,
}

impl Records {
    fn new(path: &Path, start: u64) -> Result<Self> {
        let open = || {
            let mut file = File::open(path)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(start))?;
            Ok((file, length))
        };
        let (file, length) = open().map_err(|e| Error::open(path, e))?;
        let reader = BufReader::with_capacity(1 << 18, file);
        Ok(Self { path: path.into(), reader, at: start, length, content: Vec::new() })
    }

    /// The next complete record.
    pub fn next(&mut self) -> Result<Option<&[u8]>> {
        let left = self.length.saturating_sub(self.at);
        if left < 16 {
            return Ok(None);
        }
        let failed = |e| Error::open(&self.path, e);
        let mut word = [0; 8];
        self.reader.read_exact(&mut word).map_err(failed)?;
        let size = u64::from_le_bytes(word);
        if size > left - 16 {
            return Ok(None);
        }
        self.content.resize(size as usize, 0);
        self.reader.read_exact(&mut self.content).map_err(failed)?;
        self.reader.read_exact(&mut word).map_err(failed)?;
        if Checksum::of_bytes(&self.content) != u64::from_le_bytes(word) {
            return Ok(None);
        }
        self.at += size + 16;
        Ok(Some(&self.content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(p: &mut Partial) -> Vec<Vec<u8>> {
        let mut reader = p.records().unwrap();
        let mut found = Vec::new();
        while let Some(record) = reader.next().unwrap() {
            found.push(record.to_vec());
        }
        found
    }

    #[test]
    fn what_was_complete_is_kept_and_what_was_cut_off_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = beside(&folder.path().join("x.h5"), ".partial");
        let mut p = Partial::open(path.clone(), "make x").unwrap();
        let content: [&[u8]; 3] = [b"one", b"", b"three"];
        content.iter().for_each(|c| p.push(c).unwrap());
        p.flush().unwrap();
        drop(p);
        let whole = fs::read(&path).unwrap();
        for cut in 0..=whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let mut p = Partial::open(path.clone(), "make x").unwrap();
            let found = all(&mut p);
            assert_eq!(found.len(), p.records);
            assert!(found.iter().zip(content).all(|(f, c)| f == c));
            for c in &content[found.len()..] {
                p.push(c).unwrap();
            }
            p.flush().unwrap();
            assert_eq!(fs::read(&path).unwrap(), whole, "cut at {cut}");
        }
        let e = Partial::open(path.clone(), "make y").err().unwrap();
        assert!(matches!(&e, Error::Unfinished { path: p, .. } if *p == path), "{e}");
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
}
