//! A stand-in for the CUDA driver that runs the kernels of `resolvent-ptx` on the processor, for tests.
//!
//! The sources of the kernels are compiled for the processor (`cuda.hpp` has what CUDA C++ has built in) and found by the names
//! in the PTX that a module is loaded from. A thread of a block is a fiber that waits at barriers and shuffles; the threads
//! of every other block run in the opposite order, so that a result that hangs on their order is not the same twice in a row.
//! Memory that was allocated holds NaN until written, and ends at a page that nobody may touch.
//!
//! What it shows: wrong indices, reads past the end, barriers that not all threads reach, wrong arguments and lengths. What it does
//! not: races within a warp, speed, and the rounding of a device's elementary functions.
//!
//! ```
//! resolvent_emulator::install();
//! let gpu = resolvent_ptx::Gpu::open(0)?;
//! assert_eq!(gpu.name(), "emulator");
//! # Ok::<(), resolvent_ptx::Error>(())
//! ```

mod driver;
mod launch;
mod memory;

/// Bytes of memory that the emulated device has.
pub const MEMORY: usize = 4 << 30;

/// Makes this the driver of the program, before anything of `resolvent-ptx` is used; again has no effect.
///
/// # Panics
/// When another driver is in use.
pub fn install() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    // SAFETY: the functions found have the signatures of the driver's.
    ONCE.call_once(|| assert!(unsafe { resolvent_ptx::driver::install(driver::find) }, "a driver is in use"));
}
