//! Networks with their derivatives, for physics-informed learning.
//!
//! A [`Network`] is evaluated together with the derivatives in its inputs that an equation uses, its [`Streams`]: they pass
//! forward through every layer as truncated Taylor coefficients, all in one matrix product, and a sweep in reverse written by
//! hand makes the gradient of a loss. No tape is kept and no derivative is nested in another.
//!
//! Networks that propose directions to solvers, solvers of graphs, and the numbers of multigrid cycles are trained in the same
//! folders, see [`direction`], [`graph`] and [`cycle`].
//!
//! An equation is a [`Residual`], made of text by [`expression`], of one generic method by [`Equation`], or by hand; with points it is a [`Term`] of a loss; a [`Propagator`] makes losses, residuals, gradients
//! and products with the transposed Jacobian of them.

mod activation;
pub mod balance;
pub mod config;
mod coupling;
pub mod cycle;
pub mod density;
mod derivative;
pub mod direction;
mod domain;
mod elementary;
mod equation;
mod error;
pub mod evaluation;
pub mod expression;
mod feature;
mod field;
pub mod graph;
mod jet;
mod measured;
mod network;
mod nullable;
mod objective;
mod problem;
mod product;
mod propagator;
mod quadrature;
pub mod registry;
mod residual;
pub mod run;
mod sampled;
mod sampling;
mod simd;
mod spectrum;
mod streams;
mod tile;
mod trainer;
mod weights;

pub use activation::Activation;
pub use balance::Balance;
pub use config::Config;
pub use coupling::Coupling;
pub use derivative::{Derivative, Differential, MAX_ORDER};
pub use domain::{Domain, Part, PointCloud, Shape, Vanishing};
pub use equation::{Algebra, Differentiated, Equation, Point};
pub use error::{Error, Result};
pub use evaluation::Evaluation;
pub use feature::Feature;
pub use field::export;
pub use measured::Measured;
pub use network::{Architecture, Block, Network, Role};
pub use objective::{Adaptive, Cloud, Given, Objective, Source};
pub use problem::Problem;
pub use propagator::Propagator;
pub use quadrature::Quadrature;
pub use residual::{Linearised, Residual, Sample, Term};
pub use sampled::Sampled;
pub use sampling::{ResidualAdaptive, Sampler, SamplerState, Sampling, greatest};
pub use simd::Real;
pub use spectrum::{Hessian, Spectrum};
pub use streams::Streams;
pub use trainer::{Causal, Trainer, TrainerOptions};
