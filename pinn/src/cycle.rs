//! Training of the numbers of a multigrid cycle, [`resolvent::Tuning`].
//!
//! Geometries are drawn as they are needed, so that a configuration needs no data. The loss is log₁₀ of what a few steps of
//! conjugate gradients leave of an error in the energy norm ([`resolvent::CycleTraining`]); a run that was ended goes on to the
//! same bits, with any number of threads.
//!
//! ```
//! use resolvent_pinn::cycle::CycleConfig;
//! let config = CycleConfig::parse("kind = 'cycle'\ndim = 2\n[train]\nsteps = 20", &[])?;
//! assert_eq!((config.dim, config.seed, config.train.steps), (2, 1, 20));
//! # Ok::<(), resolvent_pinn::Error>(())
//! ```

mod config;
mod training;

pub use config::{CycleConfig, CycleKind, CycleLog, CycleTrain};
pub use training::{Cycle, train};
