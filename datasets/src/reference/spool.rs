//! The beginning of an interrupted generation, from which the next one goes on.
//!
//! A file `NAME.unfinished` beside the file to be made: a line of what it is and one of the command, then records. A record is
//! its kind (0: snapshots, 1: states of trajectories), how many numbers it has, the accuracy so far, the numbers, and a
//! checksum of all these, each in 8 bytes, little-endian. What follows the last whole record of states is not used, so that
//! a process that was killed leaves a beginning as well.

use crate::{Error, Result};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const MAGIC: &str = "resolvent unfinished 1\n";
/// States are kept this often.
const EVERY: Duration = Duration::from_secs(2);

/// The beginning of a generation: first it is read, then appended to.
pub(super) struct Spool {
    path: PathBuf,
    /// The file to be made, for messages.
    target: PathBuf,
    /// Records that are still to be replayed.
    left: u64,
    /// The states at the end of those.
    state: Vec<f64>,
    /// How many records of states there are.
    states: u64,
    reader: Option<BufReader<File>>,
    writer: BufWriter<File>,
    last: Instant,
}

/// What is known beside a replayed snapshot.
pub(super) struct Record {
    /// The accuracy so far.
    pub accuracy: f64,
    /// The states of the trajectories, when it is the last.
    pub state: Vec<f64>,
}

impl Spool {
    /// The beginning beside `target`, or a new one. Only the same command can go on with it.
    ///
    /// # Errors
    /// [`Error::Unfinished`] when another command left it; [`Error::Write`].
    pub fn open(target: &Path, command: &str) -> Result<Self> {
        let failed = |e| Error::write(target, e);
        let mut name =
            target.file_name().ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?.to_owned();
        name.push(".unfinished");
        let path = target.with_file_name(name);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        file.try_lock()
            .map_err(|e| failed(io::Error::other(format!("another process is making it: {e}"))))?;
        let heading = format!("{MAGIC}{command}\n");
        let length = file.metadata().map_err(failed)?.len();
        if length == 0 {
            file.write_all(heading.as_bytes()).map_err(failed)?;
        } else {
            let mut found = vec![0; heading.len()];
            let read = file.read_exact(&mut found);
            if read.is_err() || found != heading.as_bytes() {
                return Err(Error::Unfinished { path, why: "another command" });
            }
        }
        let start = heading.len() as u64;
        let mut reader = BufReader::with_capacity(1 << 18, file.try_clone().map_err(failed)?);
        let Scan { end, left, states, state } = scan(&mut reader, start, length).map_err(failed)?;
        file.set_len(end).map_err(failed)?;
        reader.seek(SeekFrom::Start(start)).map_err(failed)?;
        let (path, target) = (path, target.to_path_buf());
        let (reader, writer) = (Some(reader), BufWriter::with_capacity(1 << 18, file));
        Ok(Self { path, target, left, state, states, reader, writer, last: Instant::now() })
    }

    /// Fills `values` with the next snapshots; `None` after the last.
    pub fn replay(&mut self, values: &mut [f64]) -> Result<Option<Record>> {
        let failed = |e| Error::open(&self.path, e);
        let Some(reader) = &mut self.reader else { return Ok(None) };
        while self.left > 0 {
            let [kind, count, accuracy] = words(reader).map_err(failed)?;
            if kind != 0 {
                reader.seek_relative(8 * count as i64 + 8).map_err(failed)?;
                continue;
            }
            if count != values.len() as u64 {
                return Err(self.foreign());
            }
            numbers(reader, values).map_err(failed)?;
            reader.seek_relative(8).map_err(failed)?;
            self.left -= 1;
            let state = if self.left == 0 { std::mem::take(&mut self.state) } else { Vec::new() };
            return Ok(Some(Record { accuracy: f64::from_bits(accuracy), state }));
        }
        self.reader = None;
        self.writer.seek(SeekFrom::End(0)).map_err(|e| Error::write(&self.target, e))?;
        Ok(None)
    }

    /// Adds snapshots.
    pub fn append(&mut self, accuracy: f64, values: &[f64]) -> Result<()> {
        self.record(0, accuracy, values).map_err(|e| Error::write(&self.target, e))
    }

    /// Whether it is time to keep the states.
    pub fn is_due(&self) -> bool {
        self.last.elapsed() > EVERY
    }

    /// Adds the states of the trajectories at the last snapshot, from which a later run goes on.
    pub fn checkpoint(&mut self, accuracy: f64, state: &[f64]) -> Result<()> {
        self.last = Instant::now();
        self.states += 1;
        self.record(1, accuracy, state)
            .and_then(|()| self.writer.flush())
            .map_err(|e| Error::write(&self.target, e))
    }

    /// Removes it: the file is made.
    pub fn remove(self) -> Result<()> {
        std::fs::remove_file(&self.path).map_err(|e| Error::write(&self.path, e))
    }

    /// Leaves it for a later run, if there is anything to go on from.
    pub fn keep(mut self) -> Result<()> {
        let failed = |e| Error::write(&self.target, e);
        self.writer.flush().map_err(failed)?;
        if self.states == 0 { self.remove() } else { Ok(()) }
    }

    /// That it does not hold what its heading says.
    pub fn foreign(&self) -> Error {
        Error::Unfinished { path: self.path.clone(), why: "another version of this program" }
    }

    fn record(&mut self, kind: u64, accuracy: f64, values: &[f64]) -> io::Result<()> {
        let head = [kind, values.len() as u64, accuracy.to_bits()];
        let mut sum = Sum::default();
        for word in head {
            sum.add(word);
            self.writer.write_all(&word.to_le_bytes())?;
        }
        for v in values {
            sum.add(v.to_bits());
            self.writer.write_all(&v.to_le_bytes())?;
        }
        self.writer.write_all(&sum.0.to_le_bytes())
    }
}

/// What is whole of a file.
struct Scan {
    /// Where the last record of states ends.
    end: u64,
    /// How many snapshots come before it.
    left: u64,
    /// How many records of states there are.
    states: u64,
    /// The last.
    state: Vec<f64>,
}

fn scan(reader: &mut BufReader<File>, start: u64, length: u64) -> io::Result<Scan> {
    let (mut at, mut snapshots) = (start, 0);
    let mut found = Scan { end: start, left: 0, states: 0, state: Vec::new() };
    let mut values = Vec::new();
    while at + 32 <= length {
        let head = words(reader)?;
        let [kind, count, _] = head;
        let Some(next) = count.checked_mul(8).and_then(|b| b.checked_add(at + 32)).filter(|n| *n <= length)
        else {
            break;
        };
        values.resize(count as usize, 0.0);
        numbers(reader, &mut values)?;
        let mut sum = Sum::default();
        head.into_iter().chain(values.iter().map(|v| v.to_bits())).for_each(|w| sum.add(w));
        let [stored] = words(reader)?;
        if stored != sum.0 {
            break;
        }
        at = next;
        if kind == 0 {
            snapshots += 1;
        } else {
            (found.end, found.left, found.states) = (at, snapshots, found.states + 1);
            std::mem::swap(&mut found.state, &mut values);
        }
    }
    Ok(found)
}

fn words<const N: usize>(reader: &mut impl Read) -> io::Result<[u64; N]> {
    let mut words = [0; N];
    for word in &mut words {
        let mut bytes = [0; 8];
        reader.read_exact(&mut bytes)?;
        *word = u64::from_le_bytes(bytes);
    }
    Ok(words)
}

fn numbers(reader: &mut impl Read, values: &mut [f64]) -> io::Result<()> {
    for v in values {
        let [word] = words(reader)?;
        *v = f64::from_bits(word);
    }
    Ok(())
}

/// FNV-1a over words instead of bytes.
struct Sum(u64);

impl Default for Sum {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Sum {
    fn add(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_last_states_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.h5");
        let mut spool = Spool::open(&target, "make a").unwrap();
        assert_eq!(spool.left, 0);
        spool.append(0.5, &[1.0, 2.0]).unwrap();
        spool.append(0.25, &[3.0, 4.0]).unwrap();
        spool.checkpoint(0.25, &[7.0]).unwrap();
        spool.append(0.125, &[5.0, 6.0]).unwrap();
        drop(spool);
        let left = folder.path().join("a.h5.unfinished");
        let whole = std::fs::read(&left).unwrap();
        for cut in [whole.len(), whole.len() - 1, whole.len() - 40] {
            std::fs::write(&left, &whole[..cut]).unwrap();
            let mut spool = Spool::open(&target, "make a").unwrap();
            let mut values = [0.0; 2];
            let first = spool.replay(&mut values).unwrap().unwrap();
            assert_eq!((first.accuracy, first.state.len(), values), (0.5, 0, [1.0, 2.0]));
            let second = spool.replay(&mut values).unwrap().unwrap();
            assert_eq!((second.accuracy, second.state, values), (0.25, vec![7.0], [3.0, 4.0]));
            assert!(spool.replay(&mut values).unwrap().is_none());
        }
        // A damaged record and all after it are dropped.
        let mut damaged = whole.clone();
        let states = whole.len() - 2 * 8 - 32 - 16;
        damaged[states] ^= 1;
        std::fs::write(&left, &damaged).unwrap();
        assert_eq!(Spool::open(&target, "make a").unwrap().left, 0);
        std::fs::write(&left, &whole).unwrap();
        let e = Spool::open(&target, "make b").err().unwrap();
        assert!(matches!(&e, Error::Unfinished { why: "another command", .. }), "{e}");
    }
}
