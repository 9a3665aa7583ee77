//! A = LLᵀ.

use super::analysis::Analysis;
use crate::compose::enter;
use crate::operator::check_apply;
use crate::{Csr, Error, Host, LinearOperator, Map, Operator, Properties, Result, Shape};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::solvers::LltError;
use faer::sparse::linalg::cholesky::{LltRef, SymbolicCholeskyRaw};
use faer::{Conj, MatMut, Par, Spec};
use std::sync::Mutex;

/// The Cholesky factorisation of a symmetric positive definite matrix, as the operator r ↦ A⁻¹r.
///
/// ```
/// use resolvent::{Csr, Host, Operator, direct::SparseCholesky};
/// let a = Csr::from_triplets(2, 2, &[(0, 0, 2.0), (0, 1, -1.0), (1, 0, -1.0), (1, 1, 2.0)])?;
/// let (factor, mut x) = (SparseCholesky::new(&a)?, [0.0; 2]);
/// factor.apply(&Host::<f64>::new(), &[3.0, 0.0], &mut x)?;
/// assert!((x[0] - 2.0).abs() < 1e-15 && (x[1] - 1.0).abs() < 1e-15);
/// # Ok::<(), resolvent::Error>(())
/// ```
///
/// # Reference
/// Y. Chen, T. A. Davis, W. W. Hager, S. Rajamanickam, *Algorithm 887: CHOLMOD, supernodal sparse Cholesky factorization
/// and update/downdate*, ACM Trans. Math. Softw. 35 (2008), 22, 10.1145/1391989.1391995.
pub struct SparseCholesky {
    analysis: Analysis,
    values: Vec<f64>,
    scratch: Mutex<MemBuffer>,
}

/// Threads of the current pool.
pub(super) fn parallel() -> Par {
    Par::rayon(0)
}

/// Room on faer's stack.
pub(super) fn room(request: faer::dyn_stack::StackReq) -> Result<MemBuffer> {
    MemBuffer::try_new(request).map_err(|_| Error::Memory { bytes: request.size_bytes() })
}

impl SparseCholesky {
    /// Analyses and factorises. Only the upper triangle is read.
    ///
    /// # Errors
    /// [`Error::Pivot`] for a matrix that is not positive definite; as [`Analysis::new`].
    pub fn new(a: &Csr<f64>) -> Result<Self> {
        Self::with_analysis(Analysis::new(a)?, a)
    }

    /// Factorises a matrix whose pattern has been analysed.
    ///
    /// # Errors
    /// [`Error::Pivot`]; [`Error::Structure`] when the pattern is another; [`Error::Memory`].
    pub fn with_analysis(analysis: Analysis, a: &Csr<f64>) -> Result<Self> {
        let request = analysis.symbolic.solve_in_place_scratch::<f64>(1, Par::Seq);
        let mut factor = Self { analysis, values: Vec::new(), scratch: Mutex::new(room(request)?) };
        factor.update_values(a)?;
        Ok(factor)
    }

    /// Factorises new values in the same pattern.
    ///
    /// # Errors
    /// As [`with_analysis`](Self::with_analysis); after [`Error::Pivot`] the factor is of no use.
    pub fn update_values(&mut self, a: &Csr<f64>) -> Result<()> {
        self.analysis.check(a)?;
        let symbolic = &self.analysis.symbolic;
        if self.values.is_empty() {
            self.values = crate::host::buffer::untouched(symbolic.len_val());
        }
        let (par, options) = (parallel(), Spec::default());
        let mut memory_of = room(symbolic.factorize_numeric_llt_scratch::<f64>(par, options))?;
        let regularization = Default::default();
        let matrix = self.analysis.matrix(a);
        let stack = MemStack::new(&mut memory_of);
        let side = faer::Side::Lower;
        let done = symbolic.factorize_numeric_llt(
            &mut self.values,
            matrix,
            side,
            regularization,
            par,
            stack,
            options,
        );
        done.map(drop).map_err(|LltError::NonPositivePivot { index }| {
            // faer counts from 1 in simplicial factorisations and from 0 in supernodal ones.
            let simplicial = matches!(symbolic.raw(), SymbolicCholeskyRaw::Simplicial(_));
            let row = self.analysis.row(index - usize::from(simplicial));
            Error::Pivot { what: "the Cholesky factorisation", row, pivot: a.get(row, row) }
        })
    }

    /// What was found of the pattern.
    pub fn analysis(&self) -> &Analysis {
        &self.analysis
    }
}

impl Map for SparseCholesky {
    fn shape(&self) -> Shape {
        Shape::square(self.analysis.symbolic.nrows())
    }
    fn properties(&self) -> Properties {
        Properties::SPD
    }
}

impl Operator<Host<f64>> for SparseCholesky {
    fn apply(&self, space: &Host<f64>, x: &[f64], y: &mut [f64]) -> Result<()> {
        check_apply(space, self.shape(), x, y)?;
        y.copy_from_slice(x);
        let rhs = MatMut::from_column_major_slice_mut(y, x.len(), 1);
        let mut scratch = enter(&self.scratch);
        LltRef::new(&self.analysis.symbolic, &self.values).solve_in_place_with_conj(
            Conj::No,
            rhs,
            Par::Seq,
            MemStack::new(&mut scratch),
        );
        Ok(())
    }
}

impl LinearOperator<Host<f64>> for SparseCholesky {}
