//! Poisson problem families and linear systems in files.
//!
//! A [`Family`] makes a [`Problem`] from a size and a seed, the same on every machine; its [`LinearSystem`] is read from
//! and written to HDF5 ([`system_file`]), Matrix Market ([`matrix_market`]) and the exchange format of the comparisons
//! ([`exchange`]), and read from that of the deep conjugate direction method ([`dcdm`]); fields go to VTK image data ([`vtk`]). A file is written beside its final place and renamed; what is
//! read is checked before memory is given to it, and an error names the file, the place in it and the mend.
//!
//! ```
//! use resolvent_datasets::{Family, Parameters, RhsKind};
//! let problem = Family::named("smoke")?.problem(Parameters::new(16).frame(5))?;
//! let system = problem.system(RhsKind::Flow)?;
//! assert_eq!(system.matrix.rows(), problem.stencil().active());
//! # Ok::<(), resolvent_datasets::Error>(())
//! ```
//!
//! Sets of graphs and of operators are made by the makers of [`MAKERS`], and read by [`graph::GraphSet`],
//! [`operators::projection::Projections`] and [`operators::directions::Directions`].
//!
//! # Adding a family
//!
//! One file in `src/family/`, with a constant `FAMILY` and a function `build` that turns the checked size, seed and frame
//! into an operator (see `family/spheres.rs`, which is short), and one row in [`FAMILIES`]. The command line, the benches
//! and the tests go through that registry; `tests/families.rs` then prints the checksums to be stated in
//! `tests/families/sums.rs`.

pub mod checksum;
pub mod dataset;
pub mod dcdm;
mod draft;
pub mod error;
pub mod exchange;
pub mod family;
mod field;
mod flow;
pub mod foreign;
pub mod graph;
pub mod inspect;
pub mod maker;
pub mod manufactured;
pub mod matrix_market;
pub mod operators;
pub mod output;
mod own_file;
mod partial;
mod placed;
pub mod problem;
pub mod random;
pub mod reference;
pub mod rhs;
mod scene;
pub mod system;
pub mod system_file;
pub mod vtk;

pub use checksum::Checksum;
pub use error::{Error, ErrorKind, Result};
pub use family::{FAMILIES, Family, Parameters};
pub use inspect::{Contents, Finding, Severity, Summary, check, contents, inspect};
pub use maker::{MAKERS, Maker, Outcome, Recipe};
pub use placed::Placed;
pub use problem::Problem;
pub use rhs::RhsKind;
pub use system::{Format, LinearSystem, make, read_solution, write_solution};
