//! Streams through what is not linear: activations and products, forward and in reverse.

pub(crate) mod chain;
pub(crate) mod leibniz;
pub(crate) mod shape;
