//! How much a foreign file may claim, and the check of what a dataset claims.

use super::message::{Layout, Refusal};

/// Axes of a dataset.
pub(super) const RANK: usize = 16;
/// Bytes of a chunk, packed or not: HDF5 holds it as a whole, twice or three times while it unpacks it.
pub(super) const CHUNK: u64 = 128 << 20;
/// Links of a group and objects of a file.
pub(super) const OBJECTS: usize = 100_000;
/// Attributes of an object.
pub(super) const ATTRIBUTES: usize = 4096;
/// Bytes of an attribute, and of one string.
pub(super) const ATTRIBUTE: usize = 1 << 20;
/// Bytes of the strings of one reading.
pub(super) const TEXTS: usize = 8 << 20;
/// Groups in groups.
pub(super) const DEPTH: usize = 32;
/// Memory of the worker, in bytes, on top of what its parent had mapped when it started.
pub(super) const MEMORY: u64 = 640 << 20;
/// Processor time for one request, in milliseconds; for what does not read numbers, see [`computing`].
pub(super) const REQUEST: u64 = 3_000;
/// Processor time for everything that is asked about a file without reading its data, in milliseconds.
pub(super) const METADATA: u64 = 5_000;
/// Time on the clock that a file may keep its reader waiting, in seconds, besides what its data take at [`PACE`].
pub(super) const WAIT: u64 = 8;
/// Bytes of data a second that the slowest disk gives.
pub(super) const PACE: u64 = 1 << 20;

/// The most that deflate can shrink, about 1032 : 1, with some room for headers.
const SHRINK: u64 = 1100;

/// Processor time for one request that reads no numbers from a file of `length` bytes, in milliseconds: half a second, and a
/// second for each 16 MB. A small file in which the library looks for something for longer leads it in a circle.
pub(super) fn computing(length: u64) -> u64 {
    (500 + (length >> 14)).min(REQUEST)
}

/// Checks what a dataset claims about itself against the length of its file.
pub(super) fn check(layout: &Layout, length: u64) -> Result<(), Refusal> {
    let bad = |what: String, mend: &str| Err(Refusal { place: None, what, mend: mend.into() });
    const AGAIN: &str = "write the file again: it may be cut off or damaged";
    if layout.is_virtual {
        return bad("it is a virtual dataset".into(), "store its data in this file");
    }
    if layout.is_external {
        return bad("its data lie in another file".into(), "store its data in this file");
    }
    if let Some(filter) = &layout.unknown {
        let what = format!("its filter {filter} is not known here");
        return bad(what, "store it with gzip, lzf, or uncompressed");
    }
    if layout.shape.len() > RANK {
        let what = format!("it has {} dimensions", layout.shape.len());
        return bad(what, &format!("store it with at most {RANK}"));
    }
    let stored = layout.stored;
    if stored > length {
        return bad(format!("it claims {stored} bytes of a file of {length}"), AGAIN);
    }
    let most = if layout.filters.is_empty() { stored } else { stored.saturating_mul(SHRINK) };
    let numbers = product(&layout.shape);
    let bytes = numbers.and_then(|n| n.checked_mul(layout.size));
    if bytes.is_none_or(|bytes| bytes > most || usize::try_from(bytes).is_err()) {
        let numbers = numbers.map_or_else(|| "more than 2^64".into(), |n| n.to_string());
        return bad(
            format!("it promises {numbers} numbers, but the file stores {stored} bytes for it"),
            AGAIN,
        );
    }
    if let Some(chunk) = &layout.chunk {
        let numbers = product(chunk);
        let bytes = numbers.and_then(|n| n.checked_mul(layout.size));
        let numbers = numbers.map_or_else(|| "more than 2^64".into(), |n| n.to_string());
        if chunk.len() != layout.shape.len() || chunk.contains(&0) {
            return bad(format!("its chunks have the shape {chunk:?}"), AGAIN);
        }
        if bytes.is_none_or(|bytes| bytes > CHUNK) {
            let mend = format!("write it with chunks of at most {} MB (h5repack -l does)", CHUNK >> 20);
            return bad(format!("its chunks have {numbers} numbers"), &mend);
        }
        if product(&layout.shape) != Some(0) && bytes.is_none_or(|bytes| bytes > most) {
            let mend = "write it with smaller chunks, or write the file again if it is damaged";
            let what =
                format!("its chunks have {numbers} numbers, but the file stores {stored} bytes for it");
            return bad(what, mend);
        }
    }
    if let (Some(offset), Some(bytes)) = (layout.offset, bytes)
        && offset.checked_add(bytes).is_none_or(|end| end > length)
    {
        return bad(format!("its data end after byte {length}, where the file does"), AGAIN);
    }
    Ok(())
}

/// The product of the sides of a box, unless it overflows.
pub(super) fn product(sides: &[u64]) -> Option<u64> {
    if sides.contains(&0) {
        return Some(0);
    }
    sides.iter().try_fold(1u64, |product, side| product.checked_mul(*side))
}
