//! Algebraic multigrid by aggregation, for any sparse matrix: a cycle to precondition a Krylov method.
//!
//! Set-up, level by level: the strong couplings, [aggregates](self) of nodes from distance-2 independent sets, an
//! interpolation that reproduces the near-null space on each aggregate and is smoothed once, and the Galerkin product. All
//! of it runs on all threads and gives the same hierarchy for any number of them. Hierarchies are built in f64 and kept in
//! `T`; f32 inside an f64 iteration halves the traffic and costs no steps.
//!
//! | smoother | when |
//! |---|---|
//! | Gauss–Seidel, forward before and backward after | the default: fewest steps, one pass over the matrix a half-cycle |
//! | SPAI-0, l1-Jacobi | many threads; l1-Jacobi contracts for every positive definite matrix |
//! | Chebyshev | stretched or high-order discretisations |
//!
//! # Reference
//! P. Vaněk, J. Mandel, M. Brezina, *Algebraic multigrid by smoothed aggregation for second and fourth order elliptic
//! problems*, Computing 56 (1996), 179–196, 10.1007/BF02238511. Y. Notay, P. S. Vassilevski, *Recursive Krylov-based
//! multigrid cycles*, Numer. Linear Algebra Appl. 15 (2008), 473–487, 10.1002/nla.542, for [`Cycle::K`]. Departures are
//! stated in the files of each part.

mod aggregate;
mod coarsest;
mod complexity;
mod cycle;
#[cfg(feature = "cuda")]
pub(crate) mod device;
mod galerkin;
mod independent;
mod interpolation;
mod relaxation;
mod setup;
mod sparse;
mod strength;
mod tentative;
mod transfer;

pub use complexity::{Complexity, LevelSize};

use crate::error::check_len;
use crate::operator::check_apply;
use crate::{Csr, Error, Host, LinearOperator, Map, Operator, Properties, Result, Scalar, Shape};
use coarsest::Coarsest;
use cycle::{Level, Workspace};
use std::sync::{Mutex, PoisonError};
use tentative::NearNull;

/// What smooths the error on a level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Smoother {
    /// A Gauss–Seidel sweep in blocks of rows, forward before and backward after the coarse correction.
    #[default]
    GaussSeidel,
    /// x ← x + (D + ½ Σ|off|)⁻¹ r.
    L1Jacobi,
    /// The diagonal closest to A⁻¹ in the Frobenius norm.
    Spai0,
    /// A Chebyshev polynomial of D⁻¹A.
    Chebyshev {
        /// Products with the matrix in a sweep.
        degree: usize,
    },
}

impl Smoother {
    fn is_sequential(self) -> bool {
        self == Self::GaussSeidel
    }
}

/// How the correction from the next level is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cycle {
    /// Once.
    #[default]
    V,
    /// Twice.
    W,
    /// By up to two steps of flexible conjugate gradients. The cycle is not linear: use
    /// [`FlexibleCg`](crate::FlexibleCg).
    K,
}

/// How the interpolation is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Coarsening {
    /// Aggregates with a smoothed interpolation: fast convergence.
    #[default]
    Smoothed,
    /// Aggregates alone: the sparsest hierarchy, for the K-cycle.
    Plain,
}

/// How a hierarchy is built.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct AmgOptions {
    /// The interpolation.
    pub coarsening: Coarsening,
    /// The smoother.
    pub smoother: Smoother,
    /// Sweeps before and after each coarse correction.
    pub sweeps: usize,
    /// The cycle.
    pub cycle: Cycle,
    /// Couplings below this share of the geometric mean of their diagonals are weak; halved from level to level.
    pub strength: f64,
    /// Unknowns of a node, numbered together: 3 for displacements in space.
    pub block: usize,
    /// A level of at most this many unknowns is solved directly.
    pub direct: usize,
}

impl Default for AmgOptions {
    fn default() -> Self {
        Self {
            coarsening: Coarsening::Smoothed,
            smoother: Smoother::GaussSeidel,
            sweeps: 1,
            cycle: Cycle::V,
            strength: 0.08,
            block: 1,
            direct: 200,
        }
    }
}

impl AmgOptions {
    /// Plain aggregation under a K-cycle: the fastest set-up and the least memory.
    pub fn plain() -> Self {
        Self { coarsening: Coarsening::Plain, cycle: Cycle::K, ..Self::default() }
    }

    fn check(&self, n: usize) -> Result<()> {
        let wrong = |name, value, needs| Err(Error::Parameter { name, value, needs });
        if !(self.strength >= 0.0 && self.strength < 1.0) {
            return wrong("strength", self.strength, "must be at least 0 and below 1");
        }
        if self.block == 0 || !n.is_multiple_of(self.block) {
            return wrong("block", self.block as f64, "must divide the number of rows");
        }
        if self.sweeps == 0 {
            return wrong("sweeps", 0.0, "must be at least 1");
        }
        if self.smoother == (Smoother::Chebyshev { degree: 0 }) {
            return wrong("degree", 0.0, "must be at least 1");
        }
        Ok(())
    }
}

/// A multigrid cycle as an operator r ↦ z ≈ A⁻¹r, in precision `T`.
///
/// On `Host<T>` it works in `T` throughout; `Amg<f32>` on `Host<f64>` reads and writes f64 and works in f32. It is
/// symmetric positive definite when the matrix claims to be positive definite or semidefinite, unless the cycle is
/// [`Cycle::K`].
///
/// ```
/// use resolvent::{Amg, AmgOptions, Boundary, Cg, Grid, Host, Poisson, Properties, Status, Stencil, Stop};
/// let stencil = Stencil::from(Poisson::new(Grid::new_2d(60, 50)?, [[Boundary::DIRICHLET; 2]; 3])?);
/// let a = stencil.to_csr()?.0.assume(Properties::SPD);
/// let (space, n) = (Host::<f64>::new(), a.rows());
/// let m = Amg::<f32>::new(&a, AmgOptions::default())?;
/// assert!(m.complexity().operator() < 2.0);
/// let mut x = vec![0.0; n];
/// let report = Cg::new(&space, n, Stop::rtol(1e-8))?.solve(&space, &a, Some(&m), &vec![1.0; n], &mut x)?;
/// assert!(report.status == Status::Converged && report.steps < 20, "{report:?}");
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Amg<T: Scalar> {
    n: usize,
    properties: Properties,
    fingerprint: u64,
    options: AmgOptions,
    levels: Vec<Level<T>>,
    coarsest: Coarsest<T>,
    sizes: Vec<LevelSize>,
    work: Mutex<Vec<Workspace<T>>>,
}

impl<T: Scalar> Amg<T> {
    /// The hierarchy of a matrix whose near-null space is the constants, or with `block` unknowns a node, the constants of
    /// each of them.
    ///
    /// # Errors
    /// [`Error::Length`] for a matrix that is not square; [`Error::Pivot`] for a diagonal that is zero in a row that is
    /// not, or negative in a matrix that claims to be definite; [`Error::Parameter`]; [`Error::Memory`].
    pub fn new(a: &Csr<f64>, options: AmgOptions) -> Result<Self> {
        let (n, k) = (a.rows(), options.block.max(1));
        let mut values = vec![0.0; n * k];
        (0..n).for_each(|i| values[i * k + i % k] = 1.0);
        Self::build(a, NearNull { count: k, values }, options)
    }

    /// The hierarchy of a matrix with the given near-null space, each vector `[rows]`: for elasticity the rigid body modes.
    /// It is reproduced exactly by the interpolation, before smoothing.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::Length`]; [`Error::Value`] for a vector with an entry that is not finite;
    /// [`Error::Parameter`] when there is no vector.
    pub fn with_near_null_space(a: &Csr<f64>, vectors: &[&[f64]], options: AmgOptions) -> Result<Self> {
        if vectors.is_empty() {
            let needs = "at least one vector is needed; `Amg::new` takes the constants";
            return Err(Error::Parameter { name: "near-null-space vectors", value: 0.0, needs });
        }
        let (n, k) = (a.rows(), vectors.len());
        let mut values = vec![0.0; n * k];
        for (j, vector) in vectors.iter().enumerate() {
            check_len("a near-null-space vector", n, vector.len())?;
            if let Some(index) = vector.iter().position(|v| !v.is_finite()) {
                let needs = "every entry must be finite";
                return Err(Error::Value {
                    what: "a near-null-space vector",
                    index,
                    value: vector[index],
                    needs,
                });
            }
            vector.iter().enumerate().for_each(|(i, v)| values[i * k + j] = *v);
        }
        Self::build(a, NearNull { count: k, values }, options)
    }

    fn build(a: &Csr<f64>, near: NearNull, options: AmgOptions) -> Result<Self> {
        let n = a.rows();
        check_len("the matrix's columns", n, a.cols())?;
        options.check(n)?;
        let zero_diagonal = setup::check_diagonal(a)?;
        let (levels, coarsest, sizes) = setup::hierarchy(a, near, &options)?;
        let work = Workspace::all(&levels, sizes.last().map_or(0, |s| s.rows), &options)?;
        let claimed = a.properties();
        let properties = match (claimed.admits_cg() && options.cycle != Cycle::K, zero_diagonal) {
            (true, false) => Properties::SPD,
            (true, true) => Properties::SEMIDEFINITE,
            (false, _) => {
                Properties { symmetric: claimed.symmetric && options.cycle != Cycle::K, ..Properties::NONE }
            }
        };
        let fingerprint = a.fingerprint();
        let work = Mutex::new(work);
        Ok(Self { n, properties, fingerprint, options, levels, coarsest, sizes, work })
    }

    /// Takes new values in the same pattern: aggregates and interpolation stay, the matrices of all levels are made again.
    /// For a sequence of matrices that change slowly; make a new hierarchy when steps grow.
    ///
    /// # Errors
    /// [`Error::Structure`] when the pattern differs; else as [`new`](Self::new). On an error nothing has changed.
    pub fn update_values(&mut self, a: &Csr<f64>) -> Result<()> {
        check_len("the matrix's rows", self.n, a.rows())?;
        if a.fingerprint() != self.fingerprint {
            let why = "the pattern is not that of the hierarchy; make a new one";
            return Err(Error::Structure { row: 0, why });
        }
        setup::check_diagonal(a)?;
        let (matrices, coarsest) = setup::update(a, &self.levels, &self.options)?;
        self.levels.iter_mut().zip(matrices).for_each(|(level, a)| level.a = a);
        self.coarsest = coarsest;
        Ok(())
    }

    /// The sizes of all levels and what they hold.
    pub fn complexity(&self) -> Complexity {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        let levels: usize = self.levels.iter().map(Level::bytes).sum();
        let bytes = levels + self.coarsest.bytes() + work.iter().map(Workspace::bytes).sum::<usize>();
        Complexity { levels: self.sizes.clone(), bytes }
    }

    /// How it was built.
    pub fn options(&self) -> AmgOptions {
        self.options
    }

    /// z ← M r; returns r·z.
    fn precondition<U: Scalar>(&self, r: &[U], z: &mut [U]) -> Result<f64> {
        check_len("x", self.n, r.len())?;
        check_len("y", self.n, z.len())?;
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        let product = cycle::run(&self.levels, &self.coarsest, &self.options, &mut work, r, z, 1.0);
        if product.is_finite() && (1e-60..1e60).contains(&product.abs()) {
            return Ok(product);
        }
        // r may be outside what T can hold.
        let largest = r.iter().fold(0.0, |m: f64, v| m.max(v.f64().abs()));
        if largest == 0.0 || !largest.is_finite() {
            return Ok(product);
        }
        Ok(cycle::run(&self.levels, &self.coarsest, &self.options, &mut work, r, z, 1.0 / largest))
    }
}

impl<T: Scalar> Map for Amg<T> {
    fn shape(&self) -> Shape {
        Shape::square(self.n)
    }
    fn properties(&self) -> Properties {
        self.properties
    }
}

macro_rules! preconditioner {
    ($work:ty, $space:ty) => {
        impl Operator<Host<$space>> for Amg<$work> {
            fn apply(&self, space: &Host<$space>, x: &[$space], y: &mut [$space]) -> Result<()> {
                check_apply(space, self.shape(), x, y)?;
                self.precondition(x, y).map(drop)
            }
        }

        impl LinearOperator<Host<$space>> for Amg<$work> {
            fn apply_dot(&self, _space: &Host<$space>, x: &[$space], y: &mut [$space]) -> Result<f64> {
                self.precondition(x, y)
            }
        }
    };
}
preconditioner!(f32, f32);
preconditioner!(f64, f64);
preconditioner!(f32, f64);
