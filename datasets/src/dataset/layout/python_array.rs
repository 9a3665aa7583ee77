//! NumPy's `.npy`: one array, without names or coordinates. It is read from the file as it is needed.
//!
//! # Reference
//! NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".

use super::{Layout, Opened, Reader};
use crate::dataset::numbers::{Numbers, rows, size};
use crate::dataset::{Axis, Field, Precision, Region, Role, Storage, ValuesMut};
use crate::{Error, Result};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub(super) const LAYOUT: Layout = Layout {
    name: "npy",
    summary: "an array of NumPy; axes and coordinates are to be named",
    reader: Reader::Plain { recognises, open },
};

fn recognises(_: &Path, head: &[u8]) -> bool {
    head.starts_with(b"\x93NUMPY")
}

struct Array {
    path: PathBuf,
    file: Mutex<File>,
    start: u64,
    shape: Vec<usize>,
    wide: bool,
}

fn open(path: &Path) -> Result<Opened> {
    let failed = |e| Error::open(path, e);
    let bad = |what: String, mend: &str| Error::malformed(path, "the header", what, mend);
    let mut file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let mut start = [0; 12];
    file.read_exact(&mut start[..10]).map_err(failed)?;
    let (at, size_of_header) = if start[6] == 1 {
        (10, u64::from(u16::from_le_bytes([start[8], start[9]])))
    } else {
        file.read_exact(&mut start[10..]).map_err(failed)?;
        (12, u64::from(u32::from_le_bytes([start[8], start[9], start[10], start[11]])))
    };
    let cut = "copy the file again: it is cut off";
    if at + size_of_header > length.min(1 << 16) {
        return Err(bad(format!("it claims {size_of_header} bytes"), cut));
    }
    let mut header = vec![0; size_of_header as usize];
    file.read_exact(&mut header).map_err(failed)?;
    let header = String::from_utf8_lossy(&header);
    let value = |key: &str| header.split_once(&format!("'{key}':")).map_or("", |(_, rest)| rest.trim_start());
    let wide = match value("descr").split('\'').nth(1) {
        Some("<f8") => true,
        Some("<f4") => false,
        other => {
            let what = format!("its numbers are of type {}", other.unwrap_or("unknown"));
            return Err(bad(what, "save it with `.astype('<f8')` or `'<f4'`"));
        }
    };
    if value("fortran_order").starts_with("True") {
        return Err(bad("its first axis is the fastest".into(), "save it with `np.ascontiguousarray`"));
    }
    let sides = value("shape").trim_start_matches('(').split(')').next().unwrap_or("");
    let shape: std::result::Result<Vec<usize>, _> =
        sides.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::parse).collect();
    let shape = shape.map_err(|_| bad(format!("its shape is ({sides})"), cut))?;
    let (bytes, start) = (if wide { 8 } else { 4 }, at + size_of_header);
    if size(&shape, path, "the header")? as u64 * bytes > length - start {
        return Err(bad(format!("it promises {shape:?} numbers, and {} bytes follow", length - start), cut));
    }
    let mut opened = Opened::of(path);
    let names: Vec<String> = (0..shape.len()).map(|i| format!("axis{i}")).collect();
    opened.description.axes = names
        .iter()
        .zip(&shape)
        .map(|(name, len)| Axis { name: name.clone(), role: Role::Space, len: *len, coordinates: Vec::new() })
        .collect();
    let precision = if wide { Precision::F64 } else { Precision::F32 };
    let name = opened.description.name.clone();
    let field = Field { name, precision, axes: names, storage: Storage::default() };
    opened.push(field, Array { path: path.into(), file: Mutex::new(file), start, shape, wide });
    Ok(opened)
}

impl Numbers for Array {
    fn read(&self, region: &Region, mut out: ValuesMut<'_>) -> Result<()> {
        let failed = |e| Error::open(&self.path, e);
        let size = if self.wide { 8 } else { 4 };
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut bytes = Vec::new();
        rows(&self.shape, region, |from, to, len| {
            bytes.resize(len * size, 0);
            file.seek(SeekFrom::Start(self.start + (from * size) as u64)).map_err(failed)?;
            file.read_exact(&mut bytes).map_err(failed)?;
            let numbers = |at: usize| {
                if self.wide {
                    f64::from_le_bytes(std::array::from_fn(|i| bytes[8 * at + i]))
                } else {
                    f64::from(f32::from_le_bytes(std::array::from_fn(|i| bytes[4 * at + i])))
                }
            };
            match out.part(to..to + len) {
                ValuesMut::F32(out) => out.iter_mut().enumerate().for_each(|(i, o)| *o = numbers(i) as f32),
                ValuesMut::F64(out) => out.iter_mut().enumerate().for_each(|(i, o)| *o = numbers(i)),
            }
            Ok(())
        })
    }
}
