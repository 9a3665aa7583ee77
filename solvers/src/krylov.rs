//! Krylov methods. Each speaks to vectors only through the verbs of a [`Space`](crate::Space).
//!
//! | the operator | the method | beside it |
//! |---|---|---|
//! | symmetric, definite or with a known null space | [`Cg`](cg::Cg) | [`FlexibleCg`](fcg::FlexibleCg) for a preconditioner that is nonlinear; [`Hybrid`](hybrid::Hybrid) for a second source of directions; [`DeflatedCg`](deflated_cg::DeflatedCg) where some directions are slow, [`Sequence`](crate::Sequence) for systems that follow one another; [`BlockCg`](block_cg::BlockCg) for several right-hand sides |
//! | symmetric, of any sign, singular or not | [`Minres`](minres::Minres) | |
//! | square | [`Gmres`](gmres::Gmres), whose residual never grows | [`Fgmres`](fgmres::Fgmres) for a preconditioner that is nonlinear; [`Bicgstab`](bicgstab::Bicgstab) where memory is short |
//! | of any shape or rank | [`Lsqr`](lsqr::Lsqr) | with damping, always regular |
//! | factorised | [`Refinement`](refinement::Refinement) | the residual a factorisation leaves, made small |
//!
//! What each says of each class, where rounding has no say (`tests/tests/method_table.rs` holds them to this, to the truth of it,
//! and to the same with the diagonal as preconditioner). Factorisations are refined.
//!
//! | class | the four of conjugate gradients | Minres | Gmres, Fgmres | Bicgstab | Lsqr | Cholesky | LDLᵀ | LU |
//! |---|---|---|---|---|---|---|---|---|
//! | SPD | converged | converged | converged | converged | converged | converged | converged | converged |
//! | semidefinite, null space known, consistent | converged | converged | converged | converged | converged | pivot | – | – |
//! | semidefinite, null space known, inconsistent | inconsistent | inconsistent | inconsistent | inconsistent | least squares | pivot | – | – |
//! | symmetric, indefinite | refused | converged | converged | converged | converged | pivot | converged | converged |
//! | nonsymmetric | refused | refused | converged | converged | converged | – | – | converged |
//! | wide | refused | refused | wrong length | wrong length | converged | wrong length | wrong length | wrong length |
//! | tall | refused | refused | wrong length | wrong length | least squares | wrong length | wrong length | wrong length |
//! | singular, nothing known, consistent | refused | converged | converged | converged | converged | pivot | – | – |
//! | singular, nothing known, inconsistent | refused | inconsistent | inconsistent | breakdown | least squares | pivot | – | – |
//! | nearly singular, κ = 5·10⁶ | converged | converged | converged | converged | converged | converged | converged | converged |
//! | nearly singular, κ = 10¹² | stagnated | – | stagnated | – | – | stagnated | – | stagnated |
//! | badly scaled, SPD | converged | converged | converged | converged | converged | converged | converged | converged |
//!
//! Preconditioned, an inconsistent system whose null space nobody knows ends as stagnated. Scales six decades apart leave some
//! methods short of the target unless an [`Equilibration`](crate::Equilibration) or the diagonal takes them out.
//!
//! `Converged` is only ever said of a recomputed residual. A condition number above 1/√ε counts as singular where the
//! operator's null space is not known. Spectra: [`lanczos`](lanczos::lanczos) for its ends, [`eigenpairs`](eigenpairs::eigenpairs),
//! [`Process`](process::Process) for the basis itself, and [`trace`] for traces of operators and of their functions.

pub(crate) mod basis;
pub mod bicgstab;
pub mod block_cg;
pub mod cg;
mod coefficients;
mod cycle;
pub mod deflated_cg;
pub mod eigenpairs;
pub mod fcg;
pub mod fgmres;
pub mod gmres;
pub mod hybrid;
pub mod lanczos;
pub mod lsqr;
pub mod minres;
pub mod process;
mod recycle;
pub mod refinement;
mod session;
pub(crate) mod small;
#[cfg(test)]
pub(crate) mod test;
pub mod trace;
mod window;
mod worth;
