//! The families of kernels. A family is a file in `kernels/`, a module here, and a row of [`ALL`].

pub mod vector;

use crate::kernel::Family;

/// Every family.
pub const ALL: &[Family] = &[vector::FAMILY];
