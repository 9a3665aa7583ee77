//! What learned solvers are made of: parameters, differentiation, optimisers and checkpoints.
//!
//! [`Parameters`] are one flat vector with named parts. A [`Tape`] records coarse operations (a dense layer, a gather, a
//! softmax over segments) and runs them backwards; a new operation is one file and one implementation of [`Op`].
//! [`Adam`] with a [`Schedule`] changes the flat vector, and a [`Checkpoint`] keeps whatever is a [`State`] in a
//! safetensors file. Everything works in f32 and f64, allocates nothing after its first step, and gives the same bits for
//! any number of threads.

pub mod activation;
pub mod adam;
pub mod checkpoint;
pub(crate) mod elementary;
pub mod index;
pub mod initializer;
pub mod lbfgs;
mod line_search;
pub mod op;
pub mod parameters;
mod product;
pub mod random;
pub mod schedule;
pub mod tape;

pub use activation::Activation;
pub use adam::{Adam, AdamOptions, clip_by_norm};
pub use checkpoint::{Checkpoint, State};
pub use index::Index;
pub use initializer::Initializer;
pub use lbfgs::{Lbfgs, LbfgsOptions, LbfgsStatus, LbfgsStep};
pub use op::{Inputs, Op, Sink, Sinks, Workspace};
pub use parameters::{Linear, Parameter, ParameterId, Parameters, Role};
pub use random::Random;
pub use schedule::Schedule;
pub use tape::{Tape, Var};
