//! What learned solvers are made of: parameters, differentiation, optimisers and checkpoints.
//!
//! [`Parameters`] are one flat vector with named parts. A [`Tape`] records coarse operations (a dense layer, a gather, a
//! softmax over segments) and runs them backwards; a new operation is one file and one implementation of [`Op`].
//! [`Adam`] with a [`Schedule`] changes the flat vector, and a [`Checkpoint`] keeps whatever is a [`State`] in a
//! safetensors file. Everything works in f32 and f64, gives the same bits for any number of threads, and allocates nothing
//! after its first step; the packing memory `faer` keeps for a thread comes with the thread's first product.
//!
//! ```
//! use resolvent::learn::{
//!     Activation, Adam, AdamOptions, Initializer, Lbfgs, LbfgsOptions, Parameters, Random, Schedule, Tape,
//! };
//! use resolvent::Result;
//!
//! // A network with one hidden layer learns sin 3x on [−1, 1].
//! let mut parameters = Parameters::<f64>::new(7);
//! let first = parameters.linear("first", 1, 16, Initializer::GlorotNormal)?;
//! let last = parameters.linear("last", 16, 1, Initializer::GlorotNormal)?;
//! let mut random = Random::new(7, "points");
//! let x: Vec<f64> = (0..64).map(|_| 2.0 * random.uniform() - 1.0).collect();
//! let y: Vec<f64> = x.iter().map(|x| (3.0 * x).sin()).collect();
//!
//! let mut tape = Tape::new();
//! let mut loss = |parameters: &Parameters<f64>, gradient: &mut [f64]| -> Result<f64> {
//!     tape.start_with(parameters)?;
//!     let (x, y) = (tape.input(&x, 64, 1)?, tape.input(&y, 64, 1)?);
//!     let hidden = tape.layer(parameters, first, x, Activation::Tanh)?;
//!     let output = tape.layer(parameters, last, hidden, Activation::Identity)?;
//!     let loss = tape.mean_square_error(output, y)?;
//!     tape.backward(loss)?;
//!     gradient.copy_from_slice(tape.parameter_gradient());
//!     tape.number(loss)
//! };
//! let mut gradient = parameters.zeros();
//! let mut adam = Adam::new(parameters.len(), AdamOptions::default())?;
//! let schedule = Schedule::Cosine { rate: 1e-2, floor: 1e-4, steps: 300 };
//! for step in 0..300 {
//!     loss(&parameters, &mut gradient)?;
//!     adam.step(schedule.rate(step), &gradient, parameters.values_mut())?;
//! }
//! let mut lbfgs = Lbfgs::new(parameters.len(), LbfgsOptions::default())?;
//! let (mut values, mut end) = (parameters.values().to_vec(), f64::INFINITY);
//! for _ in 0..100 {
//!     let step = lbfgs.step(&mut values, &mut |x, gradient| {
//!         parameters.copy(x)?;
//!         loss(&parameters, gradient)
//!     })?;
//!     end = step.loss;
//! }
//! assert!(end < 1e-5, "{end:e}");
//! # Ok::<(), resolvent::Error>(())
//! ```

pub mod activation;
pub mod adam;
pub mod checkpoint;
pub(crate) mod convolution;
pub(crate) mod elementary;
pub mod index;
pub mod initializer;
pub mod lbfgs;
mod line_search;
pub mod op;
pub mod parameters;
pub(crate) mod product;
pub mod random;
pub mod schedule;
pub mod tape;

pub use activation::Activation;
pub use adam::{Adam, AdamOptions, clip_by_norm};
pub use checkpoint::{Checkpoint, State};
pub use convolution::Resampling;
pub use index::Index;
pub use initializer::Initializer;
pub use lbfgs::{Lbfgs, LbfgsOptions, LbfgsStatus, LbfgsStep, Objective};
pub use op::{Inputs, Op, Sink, Sinks, Workspace};
pub use parameters::{Linear, Parameter, ParameterId, Parameters, Role};
pub use random::Random;
pub use schedule::Schedule;
pub use tape::{Tape, Var};
