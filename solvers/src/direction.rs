//! Learned directions: networks that look at a residual and propose where to step.
//!
//! A [`Model`] is a network with its weights, in a file. For an operator it becomes a [`Proposal`], an
//! [`Operator`](crate::Operator) r ↦ d, linear or not; [`FlexibleCg`](crate::FlexibleCg) makes d A-orthogonal to the last directions, steps along it as
//! far as is best, and takes the residual instead where d is no use. A bad network costs time and never correctness.
//!
//! ```
//! use resolvent::direction::{Architecture, Dcdm, Model};
//! use resolvent::{Boundary, FlexibleCg, Grid, Host, Poisson, Status, Stop};
//! // Untrained weights: the proposals are of little use, and the answer is right all the same.
//! let model = Model::new(Architecture::Dcdm(Dcdm::small(2)), 1)?;
//! let grid = Grid::new_2d(24, 17)?;
//! let a = Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3])?;
//! let proposal = model.on(&a.clone().into())?;
//! let (space, b, mut x) = (Host::<f64>::new(), vec![1.0; grid.cells()], vec![0.0; grid.cells()]);
//! let mut solver = FlexibleCg::with_memory(&space, grid.cells(), Stop::default(), 2)?.with_patience(20);
//! let report = solver.solve(&space, &a, Some(&proposal), &b, &mut x)?;
//! assert_eq!(report.status, Status::Converged);
//! # Ok::<(), resolvent::Error>(())
//! ```
//!
//! Two networks stand here: that of the deep conjugate direction method, [`Dcdm`], and one that is linear in the residual and
//! sees solids and air, [`Masked`]. An evaluation of the first as published for 128³ cells takes 92 000 multiplications a cell, as much as some hundred steps of
//! conjugate gradients on any hardware; see `benches/RESULTS.md` for what that makes of its few steps.

mod dcdm;
mod descent;
#[cfg(feature = "cuda")]
mod device;
mod image;
mod learned;
mod masked;
mod model;
mod proposal;

pub use dcdm::{Dcdm, Layers};
pub use descent::{Descent, Left};
#[cfg(feature = "cuda")]
pub use device::DeviceProposal;
pub use masked::{Masked, MaskedLayers};
pub use model::{Architecture, Model, View};
pub(crate) use proposal::Deferred;
pub use proposal::Proposal;
