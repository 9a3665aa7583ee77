//! Krylov methods. Each speaks to vectors only through the verbs of a [`Space`](crate::Space).
//!
//! | | for | a preconditioner must be |
//! |---|---|---|
//! | [`Cg`](cg::Cg) | symmetric positive definite or semidefinite | the same, and linear |
//! | [`FlexibleCg`](fcg::FlexibleCg) | the same | anything |
//! | [`Minres`](minres::Minres) | symmetric | symmetric positive definite |
//! | [`Gmres`](gmres::Gmres) | any square operator | linear |
//! | [`Fgmres`](fgmres::Fgmres) | any square operator | anything |
//! | [`Bicgstab`](bicgstab::Bicgstab) | any square operator, in little memory | linear |
//! | [`Lsqr`](lsqr::Lsqr) | any shape: least squares | – |
//! | [`Refinement`](refinement::Refinement) | any, with a factorisation | nearly the inverse |

pub(crate) mod basis;
pub mod bicgstab;
pub mod cg;
mod cycle;
pub mod eigenpairs;
pub mod fcg;
pub mod fgmres;
pub mod gmres;
pub mod lanczos;
pub mod lsqr;
pub mod minres;
pub mod refinement;
mod session;
#[cfg(test)]
pub(crate) mod test;
pub mod trace;
