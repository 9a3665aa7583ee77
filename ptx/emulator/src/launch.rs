//! A launch: the threads of a block as fibers, one block after the other.

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_void};
use std::sync::{Mutex, PoisonError};

#[repr(C)]
struct Kernel {
    name: *const c_char,
    call: Option<unsafe extern "C" fn(*mut *mut c_void)>,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Index {
    x: u32,
    y: u32,
    z: u32,
}

impl From<[u32; 3]> for Index {
    fn from([x, y, z]: [u32; 3]) -> Self {
        Self { x, y, z }
    }
}

#[repr(C)]
struct State {
    thread: Index,
    block: Index,
    block_size: Index,
    grid_size: Index,
    dynamic: *mut u8,
}

unsafe extern "C" {
    static emulated_kernels: [Kernel; 0];
    static mut emulated_state: State;
}

/// The address of the kernel of that name, to launch it by.
pub fn find(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: the table ends with an entry without a name.
    unsafe {
        let mut row = (&raw const emulated_kernels).cast::<Kernel>();
        while !(*row).name.is_null() {
            if CStr::from_ptr((*row).name) == name {
                return Some(row.cast_mut().cast());
            }
            row = row.add(1);
        }
    }
    None
}

const WARP: usize = 32;
/// Bytes of the stack of a fiber.
const STACK: usize = 64 << 10;

/// Threads that wait for one another, a block or a warp.
#[derive(Clone, Copy, Default)]
struct Group {
    /// Threads that have not ended.
    live: usize,
    /// Of these, threads that wait.
    waiting: usize,
    /// How often they have gone on together.
    rounds: usize,
}

impl Group {
    /// Lets all go on when all are there.
    fn release(&mut self) {
        if self.live > 0 && self.waiting == self.live {
            self.waiting = 0;
            self.rounds += 1;
        }
    }
}

/// The block that runs.
struct Block {
    whole: Group,
    warps: Vec<Group>,
    /// What each thread hands over.
    values: Vec<u64>,
    current: usize,
    /// Of each thread that has started.
    yielders: Vec<*const Yielder<(), ()>>,
}

thread_local! {
    static BLOCK: RefCell<Block> = const {
        RefCell::new(Block {
            whole: Group { live: 0, waiting: 0, rounds: 0 },
            warps: Vec::new(),
            values: Vec::new(),
            current: 0,
            yielders: Vec::new(),
        })
    };
    static STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
    /// How often a thread came by since the last check that something moves.
    static MOVED: Cell<bool> = const { Cell::new(false) };
}

/// Waits in a group until its next round.
fn wait(group: impl Fn(&mut Block) -> &mut Group) {
    let (round, yielder) = BLOCK.with_borrow_mut(|block| {
        let yielder = block.yielders[block.current];
        let group = group(block);
        let round = group.rounds;
        group.waiting += 1;
        group.release();
        (round, yielder)
    });
    MOVED.set(true);
    while BLOCK.with_borrow_mut(|block| group(block).rounds) == round {
        // SAFETY: the yielder of the fiber that runs.
        unsafe { (*yielder).suspend(()) };
    }
}

#[unsafe(no_mangle)]
extern "C" fn emulated_barrier() {
    wait(|block| &mut block.whole);
}

#[unsafe(no_mangle)]
extern "C" fn emulated_exchange(value: u64, lane: u32) -> u64 {
    let me = BLOCK.with_borrow_mut(|block| {
        let me = block.current;
        block.values[me] = value;
        me
    });
    let warp = me / WARP;
    wait(|block| &mut block.warps[warp]);
    let other = BLOCK.with_borrow(|block| {
        let from = warp * WARP + lane as usize;
        block.values[if from < block.values.len() { from } else { me }]
    });
    // Nobody hands over the next value before all have taken this one.
    wait(|block| &mut block.warps[warp]);
    other
}

/// Runs a kernel; an error of the driver when its threads wait for one another forever.
///
/// # Safety
/// `kernel` is from [`find`], and `arguments` point to values of the types of its parameters.
pub unsafe fn run(
    kernel: *mut c_void,
    grid: [u32; 3],
    block: [u32; 3],
    shared: u32,
    arguments: *mut *mut c_void,
) -> i32 {
    static LAUNCH: Mutex<()> = Mutex::new(());
    let _one = LAUNCH.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: the caller's.
    let call = unsafe { (*kernel.cast::<Kernel>()).call }.expect("a row with a name has a function");
    let threads: usize = block.iter().map(|n| *n as usize).product();
    let mut dynamic = vec![f64::NAN; (shared as usize).div_ceil(8)];
    // SAFETY: one launch at a time.
    unsafe {
        emulated_state.block_size = block.into();
        emulated_state.grid_size = grid.into();
        emulated_state.dynamic = dynamic.as_mut_ptr().cast();
    }
    let arguments = arguments as usize;
    for b in 0..grid.iter().map(|n| *n as usize).product::<usize>() {
        let [x, y] = [grid[0] as usize, grid[1] as usize];
        let at = [(b % x) as u32, (b / x % y) as u32, (b / x / y) as u32];
        // SAFETY: as above.
        unsafe { emulated_state.block = at.into() };
        if !run_block(threads, block, b % 2 == 1, &move || {
            // SAFETY: the caller's.
            unsafe { call(arguments as *mut *mut c_void) }
        }) {
            return 719;
        }
    }
    0
}

/// Runs the threads of a block, in the opposite order when `reversed`; `false` when they cannot go on.
fn run_block(threads: usize, shape: [u32; 3], reversed: bool, body: &(dyn Fn() + Sync)) -> bool {
    BLOCK.with_borrow_mut(|block| {
        block.whole = Group { live: threads, ..Group::default() };
        block.warps.clear();
        let warps = (0..threads.div_ceil(WARP)).map(|w| WARP.min(threads - w * WARP));
        block.warps.extend(warps.map(|live| Group { live, ..Group::default() }));
        block.values.clear();
        block.values.resize(threads, 0);
        block.yielders.clear();
        block.yielders.resize(threads, std::ptr::null());
    });
    // SAFETY: every fiber ends before this function does, or is leaked and never resumed.
    let body: &'static (dyn Fn() + Sync) = unsafe { std::mem::transmute(body) };
    let mut fibers: Vec<Option<Coroutine<(), (), (), DefaultStack>>> = (0..threads).map(|_| None).collect();
    let mut left = threads;
    let mut started = vec![false; threads];
    while left > 0 {
        MOVED.set(false);
        for turn in 0..threads {
            let t = if reversed { threads - 1 - turn } else { turn };
            if started[t] && fibers[t].is_none() {
                continue;
            }
            let [bx, by] = [shape[0] as usize, shape[1] as usize];
            BLOCK.with_borrow_mut(|block| block.current = t);
            let at = [(t % bx) as u32, (t / bx % by) as u32, (t / bx / by) as u32];
            // SAFETY: one launch at a time.
            unsafe { emulated_state.thread = at.into() };
            let fiber = fibers[t].get_or_insert_with(|| {
                started[t] = true;
                MOVED.set(true);
                let kept = STACKS.with_borrow_mut(Vec::pop);
                let stack = kept.unwrap_or_else(|| DefaultStack::new(STACK).expect("memory for a stack"));
                Coroutine::with_stack(stack, move |yielder, ()| {
                    BLOCK.with_borrow_mut(|block| block.yielders[t] = yielder);
                    body();
                })
            });
            if let CoroutineResult::Return(()) = fiber.resume(()) {
                MOVED.set(true);
                left -= 1;
                let stack = fibers[t].take().expect("it has just run").into_stack();
                STACKS.with_borrow_mut(|stacks| stacks.push(stack));
                BLOCK.with_borrow_mut(|block| {
                    for group in [&mut block.whole, &mut block.warps[t / WARP]] {
                        group.live -= 1;
                        group.release();
                    }
                });
            }
        }
        if !MOVED.get() {
            // A fiber in the midst of C++ cannot be unwound.
            fibers.into_iter().flatten().for_each(std::mem::forget);
            return false;
        }
    }
    true
}
