//! An HDF5 file of unknown origin.

use super::dataset::Dataset;
use super::limits;
use super::message::{Answer, Member, MemberKind, RawValue, Refusal, Reply, Request};
use super::worker::{Death, Worker};
use super::{Attribute, Value};
use crate::{Error, Result};
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// An open file of unknown origin, read through a process of its own.
///
/// Paths inside it are names with one `/` between them; the root group is the empty path. Only hard links are followed.
#[derive(Clone, Debug)]
pub struct Source {
    shared: Arc<Shared>,
}

/// What the handles of one file share.
pub(super) struct Shared {
    pub path: PathBuf,
    /// In bytes.
    pub length: u64,
    plain: fs::File,
    worker: Mutex<State>,
}

enum State {
    Alive(Worker),
    /// Where it died, and of what.
    Dead(String, Death),
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Source").field("path", &self.path).field("length", &self.length).finish()
    }
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
        let worker = Mutex::new(State::Alive(Worker::start().map_err(failed)?));
        let shared = Shared { path: path.into(), length: metadata.len(), plain, worker };
        let open = Request::Open { path: std::path::absolute(path).map_err(failed)? };
        match shared.ask(&open) {
            Ok(_) => Ok(Self { shared: shared.into() }),
            Err(Error::Malformed { what, .. }) if what.contains("unable to lock file") => {
                let why = "another program has it open for writing";
                Err(failed(std::io::Error::new(std::io::ErrorKind::WouldBlock, why)))
            }
            Err(e) => Err(e),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.shared.length
    }

    /// What a path leads to; `None` when it leads nowhere.
    ///
    /// # Errors
    /// [`Error::Malformed`] when a link to another place is on the way.
    pub fn find(&self, path: &str) -> Result<Option<MemberKind>> {
        let request = Request::Find { path: path.into() };
        match self.shared.ask(&request)? {
            Answer::Found(found) => Ok(found),
            _ => Err(self.shared.nonsense(&request)),
        }
    }

    /// The links of a group, sorted by name.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn members(&self, group: &str) -> Result<Vec<Member>> {
        let request = Request::Members { group: group.into() };
        match self.shared.ask(&request)? {
            Answer::Members(members) => Ok(members),
            _ => Err(self.shared.nonsense(&request)),
        }
    }

    /// Everything in the file, as paths in the order of a walk that lists a group before its members.
    ///
    /// # Errors
    /// [`Error::Malformed`], also when a group contains itself, groups are nested too deeply, or there is too much.
    pub fn walk(&self) -> Result<Vec<Member>> {
        let mut found = Vec::new();
        self.visit("", &mut Vec::new(), &mut found)?;
        Ok(found)
    }

    fn visit(&self, group: &str, ancestors: &mut Vec<u64>, found: &mut Vec<Member>) -> Result<()> {
        let refuse = |what: String, mend: &str| {
            let place = if group.is_empty() { "the root group".into() } else { format!("group `{group}`") };
            Err(Error::malformed(self.path(), place, what, mend))
        };
        if ancestors.len() > limits::DEPTH {
            let what = format!("groups are nested more than {} deep", limits::DEPTH);
            return refuse(what, "store it with fewer levels");
        }
        for member in self.members(group)? {
            if found.len() >= limits::OBJECTS {
                let what = format!("the file has more than {} objects", limits::OBJECTS);
                return refuse(what, "store the data as fewer, larger arrays");
            }
            let path =
                if group.is_empty() { member.name.clone() } else { format!("{group}/{}", member.name) };
            let (kind, address) = (member.kind, member.address);
            found.push(Member { name: path.clone(), ..member });
            if kind == MemberKind::Group {
                if ancestors.contains(&address) {
                    let what = format!("its member `{path}` is a group that contains it");
                    return refuse(what, "remove that link");
                }
                ancestors.push(address);
                self.visit(&path, ancestors, found)?;
                ancestors.pop();
            }
        }
        Ok(())
    }

    /// The names of the attributes of a group or a dataset, sorted.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn attribute_names(&self, object: &str) -> Result<Vec<String>> {
        let request = Request::AttributeNames { object: object.into() };
        match self.shared.ask(&request)? {
            Answer::Names(names) => Ok(names),
            _ => Err(self.shared.nonsense(&request)),
        }
    }

    /// An attribute of a group or a dataset, if there is one.
    ///
    /// # Errors
    /// [`Error::Malformed`], also when it has more than 1 MB.
    pub fn attribute(&self, object: &str, name: &str) -> Result<Option<Attribute>> {
        let request = Request::Attribute { object: object.into(), name: name.into() };
        let Answer::Attribute(found) = self.shared.ask(&request)? else {
            return Err(self.shared.nonsense(&request));
        };
        let Some(raw) = found else { return Ok(None) };
        let value = match raw.value {
            RawValue::Integers(v) => Value::Integers(v),
            RawValue::Floats(bits) => Value::Floats(bits.into_iter().map(f64::from_bits).collect()),
            RawValue::Booleans(v) => Value::Booleans(v),
            RawValue::Texts(v) => Value::Texts(v),
            RawValue::Other => Value::Other(raw.kind.to_string()),
        };
        Ok(Some(Attribute { shape: raw.shape, value }))
    }

    /// An attribute that is one string, if there is one of this name.
    ///
    /// # Errors
    /// [`Error::Malformed`], also when it is something else.
    pub fn text(&self, object: &str, name: &str) -> Result<Option<String>> {
        match self.attribute(object, name)? {
            None => Ok(None),
            Some(Attribute { value: Value::Texts(mut texts), .. }) if texts.len() == 1 => Ok(texts.pop()),
            Some(_) => Err(self.error(object, name, "this is not a string", "store one string in UTF-8")),
        }
    }

    /// An attribute of at most 16 integers, if there is one of this name.
    ///
    /// # Errors
    /// [`Error::Malformed`], also when it is something else.
    pub fn integers(&self, object: &str, name: &str) -> Result<Option<Vec<i64>>> {
        match self.attribute(object, name)? {
            None => Ok(None),
            Some(Attribute { value: Value::Integers(values), .. }) if values.len() <= 16 => Ok(Some(values)),
            Some(_) => {
                let mend = "store one integer or a few";
                Err(self.error(object, name, "these are not a few integers", mend))
            }
        }
    }

    /// An attribute of finite floats or of integers, if there is one of this name.
    ///
    /// # Errors
    /// [`Error::Malformed`], also when it is something else.
    pub fn reals(&self, object: &str, name: &str) -> Result<Option<Vec<f64>>> {
        let values = match self.attribute(object, name)?.map(|a| a.value) {
            None => return Ok(None),
            Some(Value::Floats(values)) => values,
            Some(Value::Integers(values)) => values.into_iter().map(|v| v as f64).collect(),
            Some(_) => vec![f64::NAN],
        };
        if values.iter().all(|v| v.is_finite()) {
            return Ok(Some(values));
        }
        Err(self.error(object, name, "these are not finite numbers", "store finite floats"))
    }

    fn error(&self, object: &str, name: &str, what: &str, mend: &str) -> Error {
        let place = Request::Attribute { object: object.into(), name: name.into() }.place();
        Error::malformed(self.path(), place, what, mend)
    }

    /// A dataset, checked but not read; `None` when its path leads nowhere.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it is something else, is damaged, promises more than the file has, lies in another file,
    /// or uses a filter that is not known.
    pub fn dataset(&self, path: &str) -> Result<Option<Dataset>> {
        if self.find(path)?.is_none() {
            return Ok(None);
        }
        let request = Request::Dataset { path: path.into() };
        let Answer::Dataset(layout) = self.shared.ask(&request)? else {
            return Err(self.shared.nonsense(&request));
        };
        limits::check(&layout, self.length()).map_err(|refusal| self.shared.refused(&request, refusal))?;
        let shape = layout.shape.iter().map(|n| *n as usize).collect();
        Ok(Some(Dataset {
            file: self.shared.clone(),
            path: path.into(),
            layout,
            shape,
            places: Arc::default(),
        }))
    }
}

impl Shared {
    /// One request, one answer.
    pub fn ask(&self, request: &Request) -> Result<Answer> {
        let mut state = self.lock();
        let worker = self.alive(&mut state)?;
        let reply = worker.send(request).and_then(|()| worker.receive());
        self.answer(&mut state, request, reply)
    }

    /// Many requests of numbers, one for each tile; `take` copies what an answered one put into a half of the window, and
    /// says whether it is as much as it should be.
    pub fn stream(
        &self,
        tiles: impl Iterator<Item = Vec<Range<u64>>>,
        request: impl Fn(&[Range<u64>], usize) -> Request,
        mut take: impl FnMut(&Worker, usize, &[Range<u64>], usize) -> bool,
    ) -> Result<()> {
        let mut state = self.lock();
        let mut half = 0;
        let mut waiting: Option<(Vec<Range<u64>>, Request)> = None;
        let mut failure = None;
        for next in tiles.map(Some).chain([None]) {
            // The next tile is on its way before the last one is copied out.
            let sent = match next.filter(|_| failure.is_none()) {
                None => None,
                Some(tile) => {
                    let ask = request(&tile, half);
                    let worker = self.alive(&mut state)?;
                    let sent = worker.send(&ask).map(|()| Ok(Answer::Opened));
                    self.answer(&mut state, &ask, sent)?;
                    Some((tile, ask))
                }
            };
            if let Some((tile, asked)) = waiting.take() {
                let reply = self.alive(&mut state)?.receive();
                match self.answer(&mut state, &asked, reply) {
                    Ok(Answer::Numbers(bytes)) if failure.is_none() => {
                        let worker = self.alive(&mut state)?;
                        if !take(worker, half ^ 1, &tile, bytes) {
                            failure = Some(self.nonsense(&asked));
                        }
                    }
                    Ok(_) => failure = failure.or_else(|| Some(self.nonsense(&asked))),
                    Err(e) => failure = failure.or(Some(e)),
                }
            }
            if failure.is_some() && sent.is_none() {
                break;
            }
            waiting = sent;
            half ^= 1;
        }
        failure.map_or(Ok(()), Err)
    }

    /// Bytes of the file itself.
    pub fn read_at(&self, at: u64, bytes: &mut [u8]) -> Result<()> {
        use std::os::unix::fs::FileExt;
        self.plain.read_exact_at(bytes, at).map_err(|e| Error::open(&self.path, e))
    }

    /// An answer to another question.
    pub fn nonsense(&self, request: &Request) -> Error {
        self.died(&request.place(), &Death::Ended)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.worker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alive<'a>(&self, state: &'a mut State) -> Result<&'a mut Worker> {
        match state {
            State::Alive(worker) => Ok(worker),
            State::Dead(place, death) => Err(self.died(place, death)),
        }
    }

    /// An answer or an error; a worker that died is not asked again.
    fn answer(&self, state: &mut State, request: &Request, reply: Result<Reply, Death>) -> Result<Answer> {
        match reply {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(refusal)) => Err(self.refused(request, refusal)),
            Err(death) => {
                let place = request.place();
                let error = self.died(&place, &death);
                *state = State::Dead(place, death);
                Err(error)
            }
        }
    }

    pub fn refused(&self, request: &Request, refusal: Refusal) -> Error {
        let place = refusal.place.unwrap_or_else(|| request.place());
        Error::malformed(&self.path, place, refusal.what, refusal.mend)
    }

    fn died(&self, place: &str, death: &Death) -> Error {
        let mend =
            "the file is damaged, or made to do harm: write it again, or get it from someone you trust";
        Error::malformed(&self.path, place, death.to_string(), mend)
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
