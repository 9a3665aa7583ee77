//! Preconditioners: operators r ↦ z ≈ A⁻¹r. [`Multigrid`](crate::Multigrid) is one too.
//!
//! | | set-up | an application costs | for |
//! |---|---|---|---|
//! | [`Jacobi`] | the diagonal | a pass over a vector | badly scaled rows |
//! | [`Chebyshev`] | a few products | a few products | many threads, no triangular solve |
//! | [`IncompleteCholesky`] | a factorisation | two triangular solves | any sparse M-matrix |
//! | [`Multigrid`](crate::Multigrid) | a hierarchy | about three products | grids |

pub mod chebyshev;
pub mod incomplete;
pub mod jacobi;
mod triangular;

pub use chebyshev::{Chebyshev, ChebyshevOptions};
pub use incomplete::{IncompleteCholesky, IncompleteOptions};
pub use jacobi::Jacobi;
