//! Preconditioners: operators r ↦ z ≈ A⁻¹r. [`Multigrid`](crate::Multigrid) is one too.
//!
//! | | set-up | an application costs | for |
//! |---|---|---|---|
//! | [`Jacobi`] | the diagonal | a pass over a vector | badly scaled rows |
//! | [`Chebyshev`] | a few products | a few products | many threads, no triangular solve |
//! | [`spai0`] | a pass over the matrix | the same | rows of different size |
//! | [`Equilibration`](crate::Equilibration) | some passes over the matrix | the same | rows and columns of very different size, any diagonal |
//! | [`IncompleteLu`] | a factorisation | two triangular solves | matrices that are not symmetric |
//! | [`IncompleteCholesky`] | a factorisation | two triangular solves | any sparse M-matrix |
//! | [`Multigrid`](crate::Multigrid) | a hierarchy | about three products | grids |
//! | [`Amg`](crate::Amg) | a hierarchy | about three products | any matrix of an elliptic problem |

pub mod chebyshev;
mod fill;
pub mod ilu;
pub mod incomplete;
pub mod jacobi;
mod spai0;
mod triangular;

pub use chebyshev::{Chebyshev, ChebyshevOptions};
pub use ilu::IncompleteLu;
pub use incomplete::{IncompleteCholesky, IncompleteOptions};
pub use jacobi::Jacobi;
pub use spai0::spai0;
