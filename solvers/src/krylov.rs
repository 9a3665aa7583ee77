//! Krylov methods. Each speaks to vectors only through the verbs of a [`Space`](crate::Space).

pub mod cg;
pub mod fcg;
pub mod lanczos;
mod session;
