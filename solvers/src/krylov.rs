//! Krylov methods. Each speaks to vectors only through the verbs of a [`Space`](crate::Space).

pub(crate) mod basis;
pub mod bicgstab;
pub mod block_cg;
pub mod cg;
mod cycle;
pub mod deflated_cg;
pub mod eigenpairs;
pub mod fcg;
pub mod fgmres;
pub mod gmres;
pub mod lanczos;
pub mod lsqr;
pub mod minres;
mod recycle;
mod session;
mod small;
#[cfg(test)]
pub(crate) mod test;
pub mod trace;
