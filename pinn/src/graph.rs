//! Training of graph solvers, [`resolvent::graph`].
//!
//! | task | what is found | without a file |
//! |---|---|---|
//! | `value-iteration` | the value of every state of a decision process | processes made anew every so many steps |
//! | `pore-network` | the pressure of every pore of a rock | rocks made anew |
//! | `classification` | the class of a graph, in as many trainings side by side as there are folds | |
//!
//! A file is an HDF5 set of graphs, as `resolvent data make` writes it, or for classes a folder in TU format. What is trained on at
//! a step is a function of the seed and of the step, and bits do not depend on the number of threads, so that a run that was ended
//! goes on to the same bits.
//!
//! ```toml
//! kind = "graph"
//! task = "value-iteration"
//!
//! [network]              # as published, but for these
//! transition = "softmax"
//! reversed = true
//! gamma = 0.9
//! ```
//!
//! # Reference
//! J. Park, J. Choo, J. Park, Convergent graph solvers, ICLR (2022), arXiv:2106.01680.

mod batch;
mod classes;
mod config;
mod evaluation;
mod form;
mod gradient;
mod member;
mod memory;
mod nodes;
mod samples;
mod training;

pub use config::{GraphConfig, GraphKind, GraphLog, GraphNetworkConfig, GraphTask, GraphTest, GraphTrain};
pub use evaluation::{Curves, GraphEvaluation, Line, Table, Transitions};
pub use training::{GraphTraining, evaluate, train};
