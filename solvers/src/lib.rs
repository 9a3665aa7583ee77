//! Operators, Krylov methods and multigrid for PDEs and linear systems.
//!
//! Everything here drives a residual to zero by applying operators. One trait, [`Operator`], carries a
//! matrix, a stencil, a preconditioner and a whole V-cycle alike; solvers speak to vectors only through the
//! verbs of a [`Space`], so the same solver runs wherever a space is implemented.
//!
//! ```
//! use resolvent::{Boundary, Cg, Grid, Host, Multigrid, MultigridOptions, Poisson, Status, Stencil, Stop};
//!
//! // −Δu = f on the unit cube, u = 0 on its surface, 32³ cells.
//! let grid = Grid::new_3d(32, 32, 32)?;
//! let a = Stencil::from(Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3])?);
//! let space = Host::<f64>::new();
//! let m = Multigrid::<f32>::new(&a, MultigridOptions::default())?;
//! let (b, mut x) = (vec![1.0; grid.cells()], vec![0.0; grid.cells()]);
//! let mut cg = Cg::new(&space, grid.cells(), Stop::default())?;
//! let report = cg.solve(&space, &a, Some(&m), &b, &mut x)?;
//! assert_eq!(report.status, Status::Converged);
//! assert!(report.true_residual <= report.target);
//! # Ok::<(), resolvent::Error>(())
//! ```

pub mod amg;
pub mod compose;
pub mod csr;
pub mod dense;
#[cfg(feature = "cuda")]
pub mod device;
pub mod diagonal;
pub mod direct;
pub mod direction;
pub mod error;
pub mod fixed_point;
pub mod graph;
pub mod grid;
pub mod host;
pub mod implicit;
pub mod krylov;
pub mod learn;
pub mod multigrid;
pub mod operator;
pub mod ordering;
pub mod plan;
pub mod precond;
pub mod report;
pub mod scalar;
pub mod sequence;
pub mod space;
pub mod stencil;
pub mod stop;

pub use amg::{Amg, AmgOptions};
pub use compose::{
    Assume, Cast, Equilibration, Gram, Identity, IdentityMinus, Product, Scaled, Shifted, Sum, Transpose,
};
pub use csr::{Csr, Offsets};
pub use dense::Dense;
#[cfg(feature = "cuda")]
pub use device::{Device, DeviceAmg, DeviceCsr, DeviceMultigrid, DeviceStencil};
pub use diagonal::Diagonal;
pub use error::{Error, Result};
pub use fixed_point::{FixedPoint, FixedPointOptions};
pub use grid::{Boundaries, Boundary, Grid};
pub use host::{Host, buffer::Buffer};
pub use krylov::{
    bicgstab::Bicgstab,
    block_cg::BlockCg,
    cg::Cg,
    deflated_cg::DeflatedCg,
    eigenpairs::eigenpairs,
    fcg::FlexibleCg,
    fgmres::Fgmres,
    gmres::Gmres,
    hybrid::{Hybrid, Price},
    lanczos::{Spectrum, lanczos},
    lsqr::Lsqr,
    minres::Minres,
    refinement::Refinement,
};
pub use multigrid::training::{CycleTraining, CycleTrainingOptions};
pub use multigrid::tuning::Tuning;
pub use multigrid::{Multigrid, MultigridOptions, Polynomial};
pub use operator::{LinearOperator, Map, Operator, Positivity, Properties, Shape};
pub use plan::{Matrix, Plan};
pub use report::{Progress, Report, Status};
pub use scalar::Scalar;
pub use sequence::{Sequence, SequenceOptions, SequenceReport};
pub use space::{Segments, Space};
pub use stencil::{
    Stencil,
    faces::FaceLaplacian,
    flags::{Cell, FlagLaplacian},
    poisson::Poisson,
};
pub use stop::Stop;
