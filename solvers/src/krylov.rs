//! Krylov methods. Each speaks to vectors only through the verbs of a [`Space`](crate::Space).

pub mod bicgstab;
pub mod cg;
mod cycle;
pub mod fcg;
pub mod fgmres;
pub mod gmres;
pub mod lanczos;
pub mod lsqr;
pub mod minres;
mod session;
#[cfg(test)]
mod test;
