//! Training of networks that propose directions to a solver, [`resolvent::direction`].
//!
//! A sample is a right-hand side of an operator that is known; the loss is what the best step along the proposal leaves of it,
//! so that no solutions are needed ([`Descent`](resolvent::direction::Descent)). Samples lie in HDF5 files that
//! `resolvent data make directions` makes, and are read as they are needed. Batches are of one file each; the last samples
//! of every file are held out and never trained on. Their order is a function of the seed and of the step, and bits do not
//! depend on the number of threads, so that a run that was ended goes on to the same bits.
//!
//! ```toml
//! kind = "direction"
//! name = "box"
//! data = ["box.h5"]
//!
//! [network]
//! kind = "dcdm"
//!
//! [train]
//! steps = 2000
//! ```

mod ahead;
mod config;
mod energy;
mod samples;
mod training;

pub use config::{DirectionConfig, DirectionLog, DirectionNetwork, DirectionTrain, LeftConfig, NetworkKind};
pub use samples::Samples;
pub use training::{DirectionTraining, evaluate, train};
