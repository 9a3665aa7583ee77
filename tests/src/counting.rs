//! An allocator that counts, for tests of what allocates nothing. It sees the whole process, so a test binary that uses it
//! has one test.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

static COUNTING: AtomicBool = AtomicBool::new(false);
static SMALL: AtomicUsize = AtomicUsize::new(0);
static LARGE: AtomicUsize = AtomicUsize::new(0);

/// From this many bytes on an allocation is a vector's, not a queue's.
const VECTOR: usize = 1024;

/// The system's allocator, counted while [`allocations`] runs something.
pub struct Counting;

fn count(layout: Layout) {
    if COUNTING.load(SeqCst) {
        let counter = if layout.size() >= VECTOR { &LARGE } else { &SMALL };
        counter.fetch_add(1, SeqCst);
    }
}

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout);
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout);
        // SAFETY: the caller's.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(Layout::from_size_align(size, layout.align()).unwrap_or(layout));
        // SAFETY: the caller's.
        unsafe { System.realloc(old, layout, size) }
    }
    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { System.dealloc(old, layout) }
    }
}

/// Allocations below and from [`VECTOR`] bytes on while `f` runs.
pub fn allocations(f: impl FnOnce()) -> [usize; 2] {
    SMALL.store(0, SeqCst);
    LARGE.store(0, SeqCst);
    COUNTING.store(true, SeqCst);
    f();
    COUNTING.store(false, SeqCst);
    [SMALL.load(SeqCst), LARGE.load(SeqCst)]
}
