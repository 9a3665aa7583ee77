//! MATLAB 5 to 7: real numeric arrays, plain or compressed.
//!
//! A header of 128 bytes, then elements: a type and a length (32 bits each), then the data up to a multiple of 8 bytes; of 4
//! bytes of data or fewer, type and length share one word. An array is an element of elements: flags, sides, name, numbers.
//!
//! # Reference
//! The MathWorks, "MAT-File Format", R2023b, chapter 1.

use super::matlab::{Variable, assemble};
use super::{Layout, Opened, Reader};
use crate::dataset::numbers::{Held, size};
use crate::dataset::{Precision, Storage};
use crate::{Error, Result};
use flate2::read::ZlibDecoder;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

pub(super) const LAYOUT: Layout =
    Layout { name: "matlab 5", summary: "MATLAB 5 to 7", reader: Reader::Plain { recognises, open } };

const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

fn recognises(_: &Path, head: &[u8]) -> bool {
    head.len() >= 128 && matches!((&head[124..126], &head[126..128]), ([0, 1], b"IM") | ([1, 0], b"MI"))
}

fn open(path: &Path) -> Result<Opened> {
    let file = File::open(path).map_err(|e| Error::open(path, e))?;
    let length = file.metadata().map_err(|e| Error::open(path, e))?.len();
    let mut file = BufReader::new(file);
    let mut header = [0; 128];
    file.read_exact(&mut header).map_err(|e| Error::open(path, e))?;
    let bytes = Bytes { path, big: &header[126..] == b"MI" };
    let mut at = 128u64;
    let mut variables = Vec::new();
    while at + 8 <= length {
        let mut tag = [0; 8];
        file.read_exact(&mut tag).map_err(|e| Error::open(path, e))?;
        let (kind, size) = (bytes.word(&tag[..4]), u64::from(bytes.word(&tag[4..])));
        at += 8;
        if size > length - at {
            return Err(bytes.bad(
                at,
                format!("this element claims {size} bytes, and the file has {} more", length - at),
            ));
        }
        let mut content = crate::error::allocate("a variable", size as usize, 0u8)?;
        file.read_exact(&mut content).map_err(|e| Error::open(path, e))?;
        let array = match kind {
            COMPRESSED => bytes.unpacked(at, &content)?,
            MATRIX => content,
            _ => Vec::new(),
        };
        variables.extend(bytes.array(at, &array)?);
        at += size;
    }
    assemble(path, variables)
}

/// Reads words of the file's byte order.
struct Bytes<'a> {
    path: &'a Path,
    big: bool,
}

/// Type and data.
type Element<'a> = (u32, &'a [u8]);

impl Bytes<'_> {
    fn bad(&self, at: u64, what: impl Into<String>) -> Error {
        Error::malformed(
            self.path,
            format!("byte {at}"),
            what,
            "copy the file again, or save it with `-v7.3`",
        )
    }

    fn word(&self, b: &[u8]) -> u32 {
        let b = std::array::from_fn(|i| b[i]);
        if self.big { u32::from_be_bytes(b) } else { u32::from_le_bytes(b) }
    }

    /// The array in a compressed element, without its tag. Deflate shrinks about 1032 : 1 at most.
    fn unpacked(&self, at: u64, content: &[u8]) -> Result<Vec<u8>> {
        let mut decoder = ZlibDecoder::new(content);
        let mut tag = [0; 8];
        let failed = |e: std::io::Error| self.bad(at, format!("it cannot be unpacked ({e})"));
        decoder.read_exact(&mut tag).map_err(failed)?;
        let (kind, size) = (self.word(&tag[..4]), self.word(&tag[4..]) as usize);
        if kind != MATRIX {
            return Ok(Vec::new());
        }
        if size / 1100 > content.len() {
            return Err(self.bad(at, format!("it claims {size} bytes packed into {}", content.len())));
        }
        let mut array = crate::error::allocate("a variable", size, 0u8)?;
        decoder.read_exact(&mut array).map_err(failed)?;
        Ok(array)
    }

    /// The first element of some data, and what follows it.
    fn element<'b>(&self, at: u64, data: &'b [u8]) -> Result<(Element<'b>, &'b [u8])> {
        let cut = || self.bad(at, "an array in it ends too early");
        if data.len() < 8 {
            return Err(cut());
        }
        let first = self.word(data);
        if first >> 16 != 0 {
            let size = (first >> 16) as usize;
            return Ok(((first & 0xffff, data.get(4..4 + size.min(4)).ok_or_else(cut)?), &data[8..]));
        }
        let size = self.word(&data[4..]) as usize;
        let content = data.get(8..8 + size).ok_or_else(cut)?;
        Ok(((first, content), data.get(8 + size.next_multiple_of(8)..).unwrap_or(&[])))
    }

    /// A real numeric array; `None` for anything else.
    fn array(&self, at: u64, data: &[u8]) -> Result<Option<Variable>> {
        if data.is_empty() {
            return Ok(None);
        }
        let ((_, flags), rest) = self.element(at, data)?;
        if flags.len() < 4 {
            return Err(self.bad(at, "an array in it has no flags"));
        }
        let flags = self.word(flags);
        let (class, complex, logical) = (flags & 0xff, flags & 0x800 != 0, flags & 0x200 != 0);
        if !(6..=15).contains(&class) || complex || logical {
            return Ok(None);
        }
        let ((_, sides), rest) = self.element(at, rest)?;
        let mut shape: Vec<usize> = sides.chunks_exact(4).map(|b| self.word(b) as usize).collect();
        shape.reverse();
        let ((_, name), rest) = self.element(at, rest)?;
        let name = String::from_utf8_lossy(name).into_owned();
        let n = size(&shape, self.path, &format!("variable `{name}`"))?;
        if n == 0 {
            return Ok(None);
        }
        let ((kind, numbers), _) = self.element(at, rest)?;
        let values = self.numbers(at, kind, numbers)?;
        if values.len() != n {
            return Err(self
                .bad(at, format!("variable `{name}` has {} numbers for the sides {shape:?}", values.len())));
        }
        let precision = if class == 7 { Precision::F32 } else { Precision::F64 };
        let numbers = Arc::new(Held { shape: shape.clone(), values });
        Ok(Some(Variable { name, shape, precision, storage: Storage::default(), numbers }))
    }

    fn numbers(&self, at: u64, kind: u32, data: &[u8]) -> Result<Vec<f64>> {
        macro_rules! each {
            ($t:ty) => {
                data.as_chunks::<{ size_of::<$t>() }>()
                    .0
                    .iter()
                    .map(|b| {
                        (if self.big { <$t>::from_be_bytes(*b) } else { <$t>::from_le_bytes(*b) }) as f64
                    })
                    .collect()
            };
        }
        Ok(match kind {
            1 => each!(i8),
            2 => each!(u8),
            3 => each!(i16),
            4 => each!(u16),
            5 => each!(i32),
            6 => each!(u32),
            7 => each!(f32),
            9 => each!(f64),
            12 => each!(i64),
            13 => each!(u64),
            _ => return Err(self.bad(at, format!("numbers of type {kind} are not known"))),
        })
    }
}
