//! Global heaps, where HDF5 keeps strings of any length, checked before the library walks them.
//!
//! A heap is `GCOL`, a version, its size (64 bits), then objects: a number, a count, padding, a size, the bytes up to a
//! multiple of 8. Object 0 is free space, and its size counts its own header. The library (2.2.0) does not check
//! that this size is not 0, and then stays at the same object for ever.

use std::io::{Read, Result, Seek, SeekFrom};

const START: [u8; 8] = *b"GCOL\x01\0\0\0";
/// Bytes before the objects of a heap, and before the data of an object.
const HEADER: u64 = 16;
/// How much of the file is searched at a time.
const BLOCK: usize = 1 << 20;

/// Where the first damaged heap of a file is, if there is one. The file is read once, from its start.
pub(super) fn first_damaged(file: &mut (impl Read + Seek), length: u64) -> Result<Option<u64>> {
    let mut block = vec![0u8; length.min(BLOCK as u64) as usize];
    let mut from = 0u64;
    while from + HEADER <= length {
        let size = (length - from).min(BLOCK as u64) as usize;
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(&mut block[..size])?;
        for at in block[..size].windows(START.len()).enumerate().filter(|(_, w)| **w == START) {
            let heap = from + at.0 as u64;
            if !is_sound(file, heap, length)? {
                return Ok(Some(heap));
            }
        }
        // The next block begins where a start could be cut in two.
        from += (size - (START.len() - 1)) as u64;
    }
    Ok(None)
}

/// Walks one heap.
fn is_sound(file: &mut (impl Read + Seek), heap: u64, length: u64) -> Result<bool> {
    let room = length - heap;
    if room < HEADER {
        return Ok(false);
    }
    let mut header = [0u8; HEADER as usize];
    let mut read = |at: u64| -> Result<(u16, u64)> {
        file.seek(SeekFrom::Start(heap + at))?;
        file.read_exact(&mut header)?;
        let size = u64::from_le_bytes(std::array::from_fn(|i| header[8 + i]));
        Ok((u16::from_le_bytes([header[0], header[1]]), size))
    };
    let (_, size) = read(0)?;
    if size > room {
        return Ok(false);
    }
    let mut at = HEADER;
    while at + HEADER <= size {
        let (number, bytes) = read(at)?;
        let extent = if number == 0 {
            Some(bytes)
        } else {
            bytes.checked_next_multiple_of(8).and_then(|b| b.checked_add(HEADER))
        };
        match extent {
            Some(extent) if extent >= HEADER && extent <= size - at => at += extent,
            _ => return Ok(false),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn object(number: u16, size: u64, content: usize) -> Vec<u8> {
        let mut bytes = number.to_le_bytes().to_vec();
        bytes.extend([0; 6]);
        bytes.extend(size.to_le_bytes());
        bytes.extend(vec![b'x'; content]);
        bytes
    }

    /// Damage found in a file with one heap of the given objects at `start`.
    fn damage(start: usize, size: u64, objects: &[Vec<u8>]) -> Option<u64> {
        let mut file = vec![b'G'; start];
        file.extend(START);
        file.extend(size.to_le_bytes());
        file.extend(objects.concat());
        let length = file.len() as u64;
        first_damaged(&mut Cursor::new(file), length).unwrap()
    }

    #[test]
    fn sound_heaps_pass_and_damaged_ones_are_found() {
        // Also where two blocks meet.
        for start in [0, 1, 4096, BLOCK - 8, BLOCK - 3, BLOCK, 2 * BLOCK - 10] {
            let found = Some(start as u64);
            let word = object(1, 6, 8);
            assert_eq!(damage(start, 72, &[word.clone(), object(0, 32, 16)]), None);
            assert_eq!(
                damage(start, 48, &[word.clone(), vec![0; 8]]),
                None,
                "a rest too small for an object"
            );
            assert_eq!(damage(start, 72, &[word.clone(), object(0, 0, 16)]), found, "an endless loop");
            assert_eq!(
                damage(start, 72, &[word.clone(), object(0, 40, 16)]),
                found,
                "free space beyond the end"
            );
            assert_eq!(damage(start, 72, &[object(1, 57, 8), object(0, 32, 16)]), found);
            assert_eq!(damage(start, 72, &[object(1, u64::MAX - 3, 8), object(0, 32, 16)]), found);
            assert_eq!(damage(start, 80, &[word.clone(), object(0, 32, 16)]), found, "beyond the file");
        }
        let mut cut = Cursor::new(START.to_vec());
        assert_eq!(first_damaged(&mut cut, 8).unwrap(), None, "too short to be one");
    }
}
