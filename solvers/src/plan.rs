//! A way to solve a system, chosen by names: what the command line, the benchmarks and their tables speak of. `auto` is
//! resolved from what the matrix is, and says why: see [`Plan::resolve`].
//!
//! ```
//! use resolvent::{Boundary, Grid, Host, Matrix, Plan, Poisson, Status, Stencil, Stop};
//! let grid = Grid::new_2d(64, 64)?;
//! let a = Matrix::from(Stencil::from(Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3])?));
//! let plan = Plan { preconditioner: "mic".parse()?, ..Plan::default() };
//! let mut solver = plan.set_up(&a, Stop::default())?;
//! let (b, mut x) = (vec![1.0; 64 * 64], vec![0.0; 64 * 64]);
//! assert_eq!(solver.solve(&a, &b, &mut x, &mut |_| std::ops::ControlFlow::Continue(()))?.status, Status::Converged);
//! # Ok::<(), resolvent::Error>(())
//! ```

mod choose;
#[cfg(feature = "cuda")]
mod device;
mod iteration;
mod matrix;
mod preconditioner;
mod solver;

pub use choose::Choice;
pub use matrix::Matrix;
pub use solver::Solver;

use crate::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// An iteration, a preconditioner for it, and the precision of the preconditioner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The iteration.
    pub method: Method,
    /// What preconditions it.
    pub preconditioner: Preconditioner,
    /// The precision of the preconditioner; the iteration is in f64.
    pub precision: Precision,
}

impl Plan {
    /// Whether it takes matrices that are stored, and none on a grid.
    pub const fn needs_storage(self) -> bool {
        use Preconditioner::{Amg, Equilibration, IncompleteLu, Spai0};
        matches!(self.method, Method::Direct)
            || matches!(self.preconditioner, Amg | Equilibration | IncompleteLu | Spai0)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} + {}, {}", self.method, self.preconditioner, self.precision)
    }
}

/// An enumeration whose variants have names.
macro_rules! named {
    ($(#[$doc:meta])* $type:ident, $what:literal: $($(#[$vdoc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $type { $($(#[$vdoc])* $variant),+ }

        impl $type {
            /// Every one, in the order of their listing.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name, as [`FromStr`] takes it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl FromStr for $type {
            type Err = Error;
            fn from_str(name: &str) -> Result<Self> {
                Self::ALL.iter().copied().find(|v| v.name() == name).ok_or_else(|| Error::Unknown {
                    what: $what,
                    name: name.into(),
                    known: Self::ALL.iter().map(|v| v.name()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

named! {
    /// The iteration of a [`Plan`].
    Method, "method":
    /// What fits the matrix.
    #[default]
    Auto = "auto",
    /// Conjugate gradients.
    Cg = "cg",
    /// Flexible conjugate gradients.
    FlexibleCg = "fcg",
    /// Minimal residuals, for symmetric matrices.
    Minres = "minres",
    /// Generalised minimal residuals, restarted.
    Gmres = "gmres",
    /// Flexible generalised minimal residuals, restarted.
    FlexibleGmres = "fgmres",
    /// Stabilised biconjugate gradients.
    BiCgStab = "bicgstab",
    /// Least squares, for any shape.
    Lsqr = "lsqr",
    /// A factorisation, refined.
    Direct = "direct",
    /// Directions that a network proposes; for matrices on a grid, in 2-D with a model: [`Plan::set_up_with`].
    Directions = "directions",
    /// Conjugate gradients with a network's directions besides the preconditioner's, where they pay.
    Hybrid = "hybrid",
}

named! {
    /// The preconditioner of a [`Plan`].
    Preconditioner, "preconditioner":
    /// What fits the matrix and the method.
    #[default]
    Auto = "auto",
    /// None.
    None = "none",
    /// The inverse of the diagonal.
    Jacobi = "jacobi",
    /// A modified incomplete Cholesky factorisation without fill.
    IncompleteCholesky = "mic",
    /// An incomplete Cholesky factorisation with fill above a threshold.
    ThresholdCholesky = "ict",
    /// An incomplete LU factorisation without fill.
    IncompleteLu = "ilu",
    /// The diagonal closest to the inverse.
    Spai0 = "spai0",
    /// A diagonal that makes rows and columns of one size: for `lsqr` columns, beside the matrix.
    Equilibration = "scaling",
    /// A Chebyshev polynomial of the matrix scaled by its diagonal.
    Chebyshev = "chebyshev",
    /// A geometric multigrid cycle; for matrices on a grid.
    Multigrid = "multigrid",
    /// A geometric multigrid cycle whose numbers were learned among solids and air; for matrices on a grid.
    Learned = "learned",
    /// An algebraic multigrid cycle; for sparse matrices.
    Amg = "amg",
}

impl Preconditioner {
    /// Whether it is made for matrices on a grid, and for no others.
    pub const fn needs_grid(self) -> bool {
        matches!(self, Self::Multigrid | Self::Learned)
    }
}

named! {
    /// The precision a preconditioner is stored and applied in.
    Precision, "precision":
    /// f32 inside the f64 iteration where that is faster: multigrid.
    #[default]
    Mixed = "mixed",
    /// f64 throughout.
    F64 = "f64",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_are_refused() {
        for p in Preconditioner::ALL {
            assert_eq!(p.name().parse::<Preconditioner>().unwrap(), *p);
        }
        for m in Method::ALL {
            assert_eq!(m.name().parse::<Method>().unwrap(), *m);
        }
        let refused = "amg2".parse::<Preconditioner>().unwrap_err();
        assert!(matches!(&refused, Error::Unknown { name, .. } if name == "amg2"), "{refused}");
        assert!(refused.to_string().contains("multigrid"));
        assert_eq!(Plan::default().to_string(), "auto + auto, mixed");
    }
}
