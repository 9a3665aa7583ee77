//! How much memory this process uses: what the system tells, and what the allocator was asked for.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// The system's allocator, counting. A program that measures the memory of methods installs it:
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: resolvent_benches::memory::Counting = resolvent_benches::memory::Counting;
///
/// # fn main() {
/// let before = resolvent_benches::memory::counted().unwrap();
/// resolvent_benches::memory::start();
/// drop(vec![0u8; 1 << 20]);
/// assert!(resolvent_benches::memory::most().unwrap() >= before + (1 << 20));
/// # }
/// ```
pub struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
static USED: AtomicBool = AtomicBool::new(false);

fn grow(bytes: usize) {
    USED.store(true, Relaxed);
    let now = NOW.fetch_add(bytes, Relaxed) + bytes;
    if now > MOST.load(Relaxed) {
        MOST.fetch_max(now, Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(ptr, layout) }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grow(size);
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

/// Bytes allocated now; `None` unless [`Counting`] is installed.
pub fn counted() -> Option<usize> {
    USED.load(Relaxed).then(|| NOW.load(Relaxed))
}

/// Starts [`most`] from what is allocated now.
pub fn start() {
    MOST.store(NOW.load(Relaxed), Relaxed);
}

/// The most bytes allocated at once since [`start`]; `None` unless [`Counting`] is installed.
pub fn most() -> Option<usize> {
    USED.load(Relaxed).then(|| MOST.load(Relaxed))
}

/// The most memory the process has had resident since it started, in bytes. `None` where the
/// system does not tell.
pub fn peak() -> Option<u64> {
    status("VmHWM:")
}

/// The memory that can still be had without swapping, in bytes: what the system has free or this process's control group
/// allows, whichever is less.
pub fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let free = line.split_whitespace().next()?.parse::<u64>().ok()? * 1024;
    let number = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let limit =
        number("/sys/fs/cgroup/memory.max").or_else(|| number("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
    let used = number("/sys/fs/cgroup/memory.current")
        .or_else(|| number("/sys/fs/cgroup/memory/memory.usage_in_bytes"));
    let left = limit.map(|limit| limit.saturating_sub(used.unwrap_or(0)));
    Some(left.map_or(free, |left| left.min(free)))
}

fn status(field: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix(field))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn touched_memory_is_seen() {
        let Some(before) = super::peak() else { return };
        let touched = vec![1u8; before as usize + (32 << 20)];
        assert!(super::peak().unwrap() >= before + (24 << 20), "{}", touched.len());
        assert!(super::available().unwrap() > 0);
    }
}
