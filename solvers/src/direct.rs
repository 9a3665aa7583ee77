//! Sparse direct solves: factorisations as operators r ↦ A⁻¹r.
//!
//! | | for | memory and work |
//! |---|---|---|
//! | [`SparseCholesky`] | symmetric positive definite | least |
//! | [`SparseLdlt`] | symmetric, indefinite | little more; pivots within supernodes only |
//! | [`SparseLu`] | any regular matrix | several times as much |
//!
//! The factorisations are those of `faer`: supernodal or simplicial, whichever its analysis finds cheaper, ordered by
//! minimum degree, or as the caller wants it ([`Analysis::with_order`]). The symbolic analysis depends on the pattern alone
//! and is kept: `update_values` factorises new values in the same pattern without it. One application in f64 leaves a residual of a few roundings times the condition;
//! [`Refinement`](crate::Refinement) around it reaches a target and says whether it did.

mod analysis;
mod cholesky;
mod ldlt;
mod lu;

pub use analysis::Analysis;
pub(crate) use analysis::memory;
pub use cholesky::SparseCholesky;
pub use ldlt::SparseLdlt;
pub use lu::SparseLu;
