//! CUDA kernels, the PTX made from them, and launchers that check what they are given.
//!
//! | layer | what it is |
//! |---|---|
//! | `kernels/` | one family of kernels a file in CUDA C++, and beside it the PTX that the pinned compiler makes of it |
//! | [`families`] | a row for each kernel: a typed launcher, whose arguments a test compares with the PTX |
//! | [`Gpu`], [`Memory`] | a device with its stream and functions; memory on it, checked before it is allocated |
//! | [`driver`] | the symbols of the CUDA driver, which is opened when the program runs |
//!
//! Without the feature `cuda` there is only [`Error`]. With it nothing of CUDA is needed to build, and on a machine without a
//! driver [`Gpu::open`] says so.
//!
//! `python3 ptx/check/check.py` rebuilds every PTX, compares, and assembles it for sm_70 to sm_120.

#[cfg(feature = "cuda")]
pub mod driver;
pub mod error;
#[cfg(feature = "cuda")]
pub mod families;
#[cfg(feature = "cuda")]
mod gpu;
#[cfg(feature = "cuda")]
pub mod kernel;
#[cfg(feature = "cuda")]
mod memory;

pub use error::{Error, Result};
#[cfg(feature = "cuda")]
pub use gpu::{Counts, Gpu};
#[cfg(feature = "cuda")]
pub use kernel::{Launch, Real};
#[cfg(feature = "cuda")]
pub use memory::{Address, Memory};
