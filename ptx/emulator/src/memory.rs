//! Memory of the emulated device: each allocation ends at a page that nobody may touch, and begins as NaN.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::{Mutex, PoisonError};

/// What allocations are aligned to: the widest access of a kernel.
const ALIGNMENT: usize = 16;

struct Allocation {
    bytes: usize,
    mapping: usize,
    mapped: usize,
}

static ALLOCATIONS: Mutex<BTreeMap<usize, Allocation>> = Mutex::new(BTreeMap::new());

fn page() -> usize {
    // SAFETY: asks for a constant.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

/// Bytes that are allocated.
pub fn used() -> usize {
    ALLOCATIONS.lock().unwrap_or_else(PoisonError::into_inner).values().map(|a| a.bytes).sum()
}

/// Memory for `bytes`, or `None` when there is not as much.
pub fn allocate(bytes: usize) -> Option<usize> {
    if used() + bytes > crate::MEMORY {
        return None;
    }
    let room = bytes.next_multiple_of(ALIGNMENT);
    let mapped = room.next_multiple_of(page()) + page();
    // SAFETY: a mapping of its own; its last page is closed.
    let mapping = unsafe {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let mapping = libc::mmap(std::ptr::null_mut(), mapped, protection, flags, -1, 0);
        if mapping == libc::MAP_FAILED {
            return None;
        }
        libc::mprotect(mapping.add(mapped - page()), page(), libc::PROT_NONE);
        let start = mapping.add(mapped - page() - room);
        std::ptr::write_bytes(start.cast::<u8>(), 0xff, room);
        mapping as usize
    };
    let address = mapping + mapped - page() - room;
    let allocation = Allocation { bytes, mapping, mapped };
    ALLOCATIONS.lock().unwrap_or_else(PoisonError::into_inner).insert(address, allocation);
    Some(address)
}

/// Frees what was allocated at `address`; whether there was something.
pub fn free(address: usize) -> bool {
    let found = ALLOCATIONS.lock().unwrap_or_else(PoisonError::into_inner).remove(&address);
    if let Some(a) = &found {
        // SAFETY: the mapping was made by `allocate`, and nobody else knows it any more.
        unsafe { libc::munmap(a.mapping as *mut c_void, a.mapped) };
    }
    found.is_some()
}

/// Whether `bytes` from `address` on lie within one allocation.
pub fn contains(address: usize, bytes: usize) -> bool {
    let allocations = ALLOCATIONS.lock().unwrap_or_else(PoisonError::into_inner);
    let below = allocations.range(..=address).next_back();
    bytes == 0 || below.is_some_and(|(start, a)| address + bytes <= start + a.bytes)
}
