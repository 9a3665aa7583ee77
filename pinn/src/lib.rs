//! Networks with their derivatives, for physics-informed learning.
//!
//! A [`Network`] is evaluated together with the derivatives in its inputs that an equation uses, its [`Streams`]: they pass
//! forward through every layer as truncated Taylor coefficients, all in one matrix product, and a sweep in reverse written by
//! hand makes the gradient of a loss. No tape is kept and no derivative is nested in another.
//!
//! An equation is a [`Residual`]; with points it is a [`Term`] of a loss; a [`Propagator`] makes losses, residuals, gradients
//! and products with the transposed Jacobian of them.

mod activation;
pub mod balance;
mod derivative;
mod domain;
mod elementary;
mod error;
pub mod expression;
mod feature;
mod jet;
mod network;
mod objective;
mod product;
mod propagator;
mod quadrature;
mod residual;
mod sampling;
mod simd;
mod streams;
mod tile;
mod trainer;
mod weights;

pub use activation::Activation;
pub use balance::Balance;
pub use derivative::{Derivative, Differential, MAX_ORDER};
pub use domain::{Domain, Part, PointCloud, Shape, Vanishing};
pub use error::{Error, Result};
pub use feature::Feature;
pub use network::{Architecture, Block, Network, Role};
pub use objective::{Adaptive, Cloud, Given, Objective, Source};
pub use propagator::Propagator;
pub use quadrature::Quadrature;
pub use residual::{Linearised, Residual, Sample, Term};
pub use sampling::{ResidualAdaptive, Sampler, SamplerState, Sampling, greatest};
pub use simd::Real;
pub use streams::Streams;
pub use trainer::{Causal, Trainer, TrainerOptions};
