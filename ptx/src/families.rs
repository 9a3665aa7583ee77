//! The families of kernels. A family is a file in `kernels/`, a module here, and a row of [`ALL`].

pub mod convolution;
pub mod csr;
pub mod multigrid;
pub mod stencil;
pub mod vector;

use crate::kernel::Family;

/// Every family.
pub const ALL: &[Family] =
    &[convolution::FAMILY, csr::FAMILY, multigrid::FAMILY, stencil::FAMILY, vector::FAMILY];
