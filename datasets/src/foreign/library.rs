//! The side that calls the HDF5 library, past its lock: it runs in the worker, on one thread, and may die at any call.

use super::chunks;
use super::limits;
use super::message::{Answer, Kind, Layout, Member, MemberKind, Refusal, Reply, Request, Type};
use super::text;
use hdf5::filters::Filter;
use hdf5::plist::dataset_create::Layout as Storage;
use hdf5::types::{IntSize, TypeDescriptor};
use hdf5::{Dataset, Datatype, Group, Location};
use hdf5_sys::h5::hsize_t;
use hdf5_sys::h5d::H5Dread;
use hdf5_sys::h5i::hid_t;
use hdf5_sys::h5l::{H5L_TYPE_HARD, H5L_info2_t, H5Lexists, H5Lget_info2};
use hdf5_sys::h5o::{H5O_INFO_BASIC, H5O_info2_t, H5O_type_t, H5Oget_info_by_name3};
use hdf5_sys::h5p::H5P_DEFAULT;
use hdf5_sys::h5s::{H5S_SELECT_SET, H5Sselect_hyperslab};
use std::collections::VecDeque;
use std::ffi::CString;
use std::path::Path;

/// Memory for the chunk caches of all open datasets, in bytes; each gets 8 MB or one chunk, whichever is more.
const CACHES: usize = 160 << 20;
const CACHE: usize = 8 << 20;

/// An open file and the datasets used last.
pub(super) struct Library {
    file: hdf5::File,
    /// Path, dataset, bytes of its chunk cache; the last used at the end.
    open: VecDeque<(String, Dataset, usize)>,
}

impl Library {
    /// Opens a file without plugins.
    pub fn open(path: &Path) -> Result<Self, Refusal> {
        let mut none = 0;
        // SAFETY: the library copies the flags; this process has one thread.
        unsafe { hdf5_sys::h5pl::H5PLset_loading_state(&mut none) };
        hdf5::File::open(path).map(Self::of).map_err(|e| damaged(&e))
    }

    /// Of a file that is open.
    pub fn of(file: hdf5::File) -> Self {
        Self { file, open: VecDeque::new() }
    }

    /// Answers one request; numbers go to `window`, the half that was asked for.
    pub fn answer(&mut self, request: &Request, window: &mut [u8]) -> Reply {
        match request {
            Request::Open { .. } => Ok(Answer::Opened),
            Request::Find { path } if path.is_empty() => Ok(Answer::Found(Some(MemberKind::Group))),
            Request::Find { path } => {
                let exists = self.exists(path)?;
                let kind = || kind_of(self.file.id(), path).map_or(MemberKind::Other, |found| found.0);
                Ok(Answer::Found(exists.then(kind)))
            }
            Request::Members { group } => self.members(group).map(Answer::Members),
            Request::AttributeNames { object } => {
                let names = attribute_names(&self.object(object)?)?;
                Ok(Answer::Names(names))
            }
            Request::Attribute { object, name } => {
                let object = self.object(object)?;
                if !attribute_names(&object)?.contains(name) {
                    return Ok(Answer::Attribute(None));
                }
                let attribute = object.attr(name).map_err(|e| damaged(&e))?;
                text::attribute(&attribute).map(|a| Answer::Attribute(Some(a)))
            }
            Request::Dataset { path } => layout(&self.found(path)?).map(Answer::Dataset),
            Request::Chunks { path } => places(self.dataset(path)?).map(Answer::Chunks),
            Request::Numbers { path, start, count, number, .. } => {
                let bytes = numbers(self.dataset(path)?, start, count, *number, window)?;
                Ok(Answer::Numbers(bytes))
            }
            Request::Texts { path, start, count } => {
                let dataset = self.dataset(path)?;
                let (space, memory) = boxes(dataset, start, count)?;
                text::strings(
                    dataset,
                    |kind, buffer| {
                        // SAFETY: the caller made the buffer for as many entries of this type as are selected.
                        unsafe { H5Dread(dataset.id(), kind, memory.id(), space.id(), H5P_DEFAULT, buffer) }
                    },
                    product(count)?,
                )
                .map(Answer::Texts)
            }
        }
    }

    fn group(&self, path: &str) -> Result<Group, Refusal> {
        if path.is_empty() {
            return self.file.group("/").map_err(|e| damaged(&e));
        }
        self.walk(path)?;
        self.file.group(path).map_err(|e| {
            let what = format!("this is no group, or a damaged one ({})", reason(&e));
            refusal(what, "make it a group")
        })
    }

    /// A group or a dataset.
    fn object(&self, path: &str) -> Result<Location, Refusal> {
        if path.is_empty() {
            return self.group(path).map(|group| Location::clone(&group));
        }
        self.walk(path)?;
        match kind_of(self.file.id(), path) {
            Some((MemberKind::Group, _)) => self.group(path).map(|group| Location::clone(&group)),
            Some((MemberKind::Dataset, _)) => {
                let dataset = self.file.dataset(path).map_err(|e| damaged(&e))?;
                Ok(Location::clone(&dataset))
            }
            _ => Err(refusal("this is neither a group nor a dataset", "store it as one of them")),
        }
    }

    /// Refuses a path to nowhere.
    fn walk(&self, path: &str) -> Result<(), Refusal> {
        if self.exists(path)? {
            return Ok(());
        }
        Err(refusal("there is no such object", "give one that is in the file"))
    }

    /// Whether a path leads to an object; one that leads through anything but the groups of this file is refused.
    fn exists(&self, path: &str) -> Result<bool, Refusal> {
        let mut end = 0;
        for part in path.split('/') {
            end += part.len();
            let so_far = &path[..end];
            end += 1;
            if part.is_empty() || part == "." {
                return Err(refusal("this is no path", "give the names of groups with one `/` between them"));
            }
            match link(self.file.id(), so_far)? {
                Some(true) => {}
                Some(false) => {
                    return Err(Refusal {
                        place: Some(format!("`{so_far}`")),
                        what: "this is a link to another place".into(),
                        mend: "store the data themselves under this name".into(),
                    });
                }
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    fn members(&self, path: &str) -> Result<Vec<Member>, Refusal> {
        let group = self.group(path)?;
        let mut names = Vec::new();
        let too_many = || hdf5::Error::from("too many");
        let visited = group.iter_visit_default(|name, _| {
            names.push(name.to_owned());
            if names.len() > limits::OBJECTS { Err(too_many()) } else { Ok(()) }
        });
        if names.len() > limits::OBJECTS {
            let what = format!("the group has more than {} members", limits::OBJECTS);
            return Err(refusal(what, "split it, or store the data as one array"));
        }
        visited.map_err(|e| damaged(&e))?;
        names.sort();
        let member = |name: String| {
            let (kind, address) = match link(group.id(), &name)? {
                Some(true) => kind_of(group.id(), &name).unwrap_or((MemberKind::Other, 0)),
                _ => (MemberKind::Link, 0),
            };
            Ok(Member { name, kind, address })
        };
        names.into_iter().map(member).collect()
    }

    /// A dataset, opened for a look.
    fn found(&self, path: &str) -> Result<Dataset, Refusal> {
        self.walk(path)?;
        self.file.dataset(path).map_err(|e| {
            let what = format!("it cannot be opened ({})", reason(&e));
            refusal(what, "make it a dataset of numbers")
        })
    }

    /// A dataset, opened for reading, with room for its chunks; kept open until others need the room.
    fn dataset(&mut self, path: &str) -> Result<&Dataset, Refusal> {
        if let Some(at) = self.open.iter().position(|(p, ..)| p == path) {
            if let Some(entry) = self.open.remove(at) {
                self.open.push_back(entry);
            }
        } else {
            let dataset = self.found(path)?;
            let layout = layout(&dataset)?;
            let chunk =
                layout.chunk.as_ref().map_or(Some(0), |c| limits::product(c)?.checked_mul(layout.size));
            let chunk = chunk.filter(|c| *c <= limits::CHUNK).unwrap_or(0) as usize;
            // A few chunks side by side, since a box may be cut across them.
            let cache = (2 * chunk).max(CACHE).min(CACHE.max(chunk));
            while self.open.len() >= 64 || self.open.iter().map(|o| o.2).sum::<usize>() + cache > CACHES {
                if self.open.pop_front().is_none() {
                    break;
                }
            }
            let access = hdf5::plist::DatasetAccess::build().chunk_cache(12_421, cache, 0.75).finish();
            let dataset = match access {
                Ok(access) if chunk > 0 => reopened(&self.file, path, &access).unwrap_or(dataset),
                _ => dataset,
            };
            self.open.push_back((path.to_owned(), dataset, cache));
        }
        match self.open.back() {
            Some((_, dataset, _)) => Ok(dataset),
            None => Err(refusal("it is gone", "open the file again")),
        }
    }
}

/// A dataset opened with access properties of its own.
fn reopened(file: &hdf5::File, path: &str, access: &hdf5::plist::DatasetAccess) -> Option<Dataset> {
    let path = CString::new(path).ok()?;
    // SAFETY: both identifiers are open and the path ends in a zero byte; what is opened is owned here alone.
    unsafe { hdf5::from_id(hdf5_sys::h5d::H5Dopen2(file.id(), path.as_ptr(), access.id())).ok() }
}

/// Whether a link is a hard one; `None` when there is no link.
fn link(group: hid_t, path: &str) -> Result<Option<bool>, Refusal> {
    let path = CString::new(path).map_err(|_| refusal("a zero byte is in its name", "give another name"))?;
    let damaged = || refusal("its link cannot be read", AGAIN);
    // SAFETY: the identifier is open, the path ends in a zero byte, the structure outlives the call.
    unsafe {
        match H5Lexists(group, path.as_ptr(), H5P_DEFAULT) {
            0 => return Ok(None),
            1.. => {}
            _ => return Err(damaged()),
        }
        let mut info = H5L_info2_t::default();
        if H5Lget_info2(group, path.as_ptr(), &mut info, H5P_DEFAULT) < 0 {
            return Err(damaged());
        }
        Ok(Some(info.type_ == H5L_TYPE_HARD))
    }
}

/// What the object behind a hard link is, and its address.
fn kind_of(group: hid_t, path: &str) -> Option<(MemberKind, u64)> {
    let path = CString::new(path).ok()?;
    let mut info = std::mem::MaybeUninit::<H5O_info2_t>::zeroed();
    // SAFETY: the identifier is open, the path ends in a zero byte; the structure is filled when the call succeeds, and
    // the token of a file starts with the address.
    unsafe {
        if H5Oget_info_by_name3(group, path.as_ptr(), info.as_mut_ptr(), H5O_INFO_BASIC, H5P_DEFAULT) < 0 {
            return None;
        }
        let kind = match (*info.as_ptr()).type_ {
            H5O_type_t::H5O_TYPE_GROUP => MemberKind::Group,
            H5O_type_t::H5O_TYPE_DATASET => MemberKind::Dataset,
            _ => MemberKind::Other,
        };
        let token = &raw const (*info.as_ptr()).token;
        Some((kind, token.cast::<u64>().read_unaligned()))
    }
}

fn attribute_names(object: &Location) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    let visited = object.iter_attrs(hdf5::IndexType::Name, hdf5::IterationOrder::Increasing, |name, _| {
        names.push(name.to_owned());
        if names.len() > limits::ATTRIBUTES { Err("too many".into()) } else { Ok(()) }
    });
    if names.len() > limits::ATTRIBUTES {
        let what = format!("there are more than {}", limits::ATTRIBUTES);
        return Err(refusal(what, "store them as a dataset"));
    }
    visited.map_err(|e| damaged(&e))?;
    Ok(names)
}

/// What a dataset says about itself.
fn layout(dataset: &Dataset) -> Result<Layout, Refusal> {
    let unclear = |e: hdf5::Error| damaged(&e);
    let datatype = dataset.dtype().map_err(|e| no_type(&e))?;
    let kind = kind(&datatype)?;
    let shape = dataset.get_shape().map_err(unclear)?.into_iter().map(|n| n as u64).collect();
    let properties = dataset.create_plist().map_err(unclear)?;
    let storage = properties.get_layout().map_err(unclear)?;
    let filters = properties.get_filters().map_err(|e| {
        refusal(format!("its filters cannot be read ({})", reason(&e)), "store it with gzip or lzf")
    })?;
    let known =
        |f: &Filter| matches!(f, Filter::Deflate(_) | Filter::Shuffle | Filter::Fletcher32 | Filter::LZF);
    let chunk = properties.get_chunk().map_err(unclear)?;
    Ok(Layout {
        shape,
        size: datatype.size() as u64,
        native: native(&datatype),
        kind,
        chunk: chunk.map(|c| c.into_iter().map(|n| n as u64).collect()),
        unknown: filters.iter().find(|f| !known(f)).map(|f| format!("{f:?}")),
        filters: filters.iter().map(name).collect(),
        is_virtual: storage == Storage::Virtual,
        is_external: !properties.get_external().map_err(unclear)?.is_empty(),
        stored: dataset.storage_size(),
        offset: if storage == Storage::Contiguous { dataset.offset() } else { None },
    })
}

/// Where each chunk lies in the file, in row-major order of the grid they make.
fn places(dataset: &Dataset) -> Result<Vec<u64>, Refusal> {
    let shape = dataset.get_shape().map_err(|e| damaged(&e))?;
    let chunk = dataset.chunk().filter(|c| c.len() == shape.len() && !c.contains(&0));
    let chunk = chunk.ok_or_else(|| refusal("it has no chunks", AGAIN))?;
    let grid: Vec<u64> = shape.iter().zip(&chunk).map(|(n, c)| n.div_ceil(*c) as u64).collect();
    let cells = product(&grid)?;
    if cells as u64 > chunks::MOST {
        return Err(refusal("it has too many chunks", "write it with larger chunks"));
    }
    let whole =
        chunk.iter().try_fold(dataset.dtype().map_err(|e| damaged(&e))?.size(), |n, c| n.checked_mul(*c));
    let mut places = vec![chunks::NOWHERE; cells];
    let visited = dataset.chunks_visit(|found| {
        let number = found
            .offset
            .iter()
            .zip(&chunk)
            .zip(&grid)
            .fold(0, |n, ((at, c), side)| n * side + at / *c as u64);
        if Some(found.size as usize) == whole
            && let Some(place) = places.get_mut(number as usize)
        {
            *place = found.addr;
        }
        0
    });
    visited.map_err(|e| damaged(&e))?;
    Ok(places)
}

fn name(filter: &Filter) -> String {
    match filter {
        Filter::Deflate(level) => format!("gzip({level})"),
        Filter::Shuffle => "shuffle".into(),
        Filter::Fletcher32 => "fletcher32".into(),
        Filter::LZF => "lzf".into(),
        other => format!("{other:?}"),
    }
}

/// The type of an attribute or a dataset.
pub(super) fn kind(datatype: &Datatype) -> Result<Type, Refusal> {
    let descriptor = datatype.to_descriptor().map_err(|e| no_type(&e))?;
    let bytes = |size: IntSize| size as usize;
    Ok(match descriptor {
        TypeDescriptor::Integer(size) => Type::Integer(bytes(size)),
        TypeDescriptor::Unsigned(size) => Type::Unsigned(bytes(size)),
        TypeDescriptor::Float(size) => Type::Float(size as usize),
        TypeDescriptor::Boolean => Type::Boolean,
        TypeDescriptor::FixedAscii(_)
        | TypeDescriptor::FixedUnicode(_)
        | TypeDescriptor::VarLenAscii
        | TypeDescriptor::VarLenUnicode => Type::Text(descriptor.to_string()),
        other => Type::Other(other.to_string()),
    })
}

fn native(datatype: &Datatype) -> Option<Kind> {
    [
        (datatype.is::<f32>(), Kind::F32),
        (datatype.is::<f64>(), Kind::F64),
        (datatype.is::<u8>(), Kind::U8),
        (datatype.is::<u16>(), Kind::U16),
        (datatype.is::<u64>(), Kind::U64),
        (datatype.is::<i32>(), Kind::I32),
        (datatype.is::<i64>(), Kind::I64),
    ]
    .into_iter()
    .find_map(|(is, kind)| is.then_some(kind))
}

/// The type of memory.
pub(super) fn memory_type(number: Kind) -> Result<Datatype, Refusal> {
    let datatype = match number {
        Kind::F32 => Datatype::from_type::<f32>(),
        Kind::F64 => Datatype::from_type::<f64>(),
        Kind::U8 => Datatype::from_type::<u8>(),
        Kind::U16 => Datatype::from_type::<u16>(),
        Kind::U64 => Datatype::from_type::<u64>(),
        Kind::I32 => Datatype::from_type::<i32>(),
        Kind::I64 => Datatype::from_type::<i64>(),
    };
    datatype.map_err(|e| damaged(&e))
}

/// Reads a box into the window; bytes.
fn numbers(
    dataset: &Dataset,
    start: &[u64],
    count: &[u64],
    number: Kind,
    window: &mut [u8],
) -> Result<usize, Refusal> {
    let bytes = product(count)?.checked_mul(number.size()).filter(|bytes| *bytes <= window.len());
    let bytes = bytes.ok_or_else(|| refusal("too much was asked for at once", "ask for less"))?;
    let (space, memory) = boxes(dataset, start, count)?;
    let kind = memory_type(number)?;
    let to = window.as_mut_ptr().cast();
    // SAFETY: the window has room for the numbers that are selected, in the type that is asked for.
    let read = unsafe { H5Dread(dataset.id(), kind.id(), memory.id(), space.id(), H5P_DEFAULT, to) };
    if read < 0 { Err(damaged(&last_error())) } else { Ok(bytes) }
}

/// The selection in the file, and the space of memory.
fn boxes(
    dataset: &Dataset,
    start: &[u64],
    count: &[u64],
) -> Result<(hdf5::Dataspace, hdf5::Dataspace), Refusal> {
    let space = dataset.space().map_err(|e| damaged(&e))?;
    let shape = space.shape();
    let inside =
        |axis: usize| start[axis].checked_add(count[axis]).is_some_and(|end| end <= shape[axis] as u64);
    if start.len() != shape.len() || count.len() != shape.len() || !(0..shape.len()).all(inside) {
        return Err(refusal("a box outside of it was asked for", "ask for one inside its shape"));
    }
    let sides: Vec<usize> = count.iter().map(|n| *n as usize).collect();
    let memory = hdf5::Dataspace::try_new(sides).map_err(|e| damaged(&e))?;
    if !shape.is_empty() {
        let (start, count): (Vec<hsize_t>, Vec<hsize_t>) = (start.to_vec(), count.to_vec());
        let none = std::ptr::null();
        // SAFETY: the space is open, and both lists have one number for each of its axes.
        let selected = unsafe {
            H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, start.as_ptr(), none, count.as_ptr(), none)
        };
        if selected < 0 {
            return Err(damaged(&last_error()));
        }
    }
    Ok((space, memory))
}

fn product(count: &[u64]) -> Result<usize, Refusal> {
    let product = limits::product(count).and_then(|n| usize::try_from(n).ok());
    product.ok_or_else(|| refusal("too much was asked for at once", "ask for less"))
}

const AGAIN: &str = "copy or write the file again: it may be cut off or damaged";

pub(super) fn refusal(what: impl Into<String>, mend: impl Into<String>) -> Refusal {
    Refusal { place: None, what: what.into(), mend: mend.into() }
}

/// What HDF5 says of a part it cannot read.
pub(super) fn damaged(error: &hdf5::Error) -> Refusal {
    refusal(format!("it cannot be read ({})", reason(error)), AGAIN)
}

fn no_type(error: &hdf5::Error) -> Refusal {
    refusal(format!("its type cannot be read ({})", reason(error)), "store integers or floats")
}

/// The error that the library put on its stack last.
pub(super) fn last_error() -> hdf5::Error {
    hdf5::Error::query().unwrap_or_else(|_| "no cause given".into())
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
