//! A = PᵀLUQ with partial pivoting.

use super::analysis::{memory, short_offsets};
use crate::error::check_len;
use crate::operator::check_apply;
use crate::ordering::Matching;
use crate::{Csr, Error, Host, LinearOperator, Map, Operator, Result, Shape};
use faer::MatMut;
use faer::linalg::solvers::SolveCore;
use faer::sparse::linalg::LuError;
use faer::sparse::linalg::solvers::{Lu, SymbolicLu};
use faer::sparse::{SparseColMatRef, SymbolicSparseColMatRef};
use std::sync::Arc;

/// The LU factorisation of a regular matrix, as the operator r ↦ A⁻¹r, with its transpose.
///
/// ```
/// use resolvent::{Csr, Host, LinearOperator, Operator, direct::SparseLu};
/// let a = Csr::from_triplets(2, 2, &[(0, 1, 2.0), (1, 0, 4.0), (1, 1, 2.0)])?;
/// let (factor, space, mut x) = (SparseLu::new(&a)?, Host::<f64>::new(), [0.0; 2]);
/// factor.apply(&space, &[2.0, 6.0], &mut x)?;
/// assert_eq!(x, [1.0, 1.0]);
/// factor.apply_transpose(&space, &[4.0, 4.0], &mut x)?;
/// assert_eq!(x, [1.0, 1.0]);
/// # Ok::<(), resolvent::Error>(())
/// ```
///
/// # Reference
/// J. W. Demmel, S. C. Eisenstat, J. R. Gilbert, X. S. Li, J. W. H. Liu, *A supernodal approach to sparse partial
/// pivoting*, SIAM J. Matrix Anal. Appl. 20 (1999), 720–755, 10.1137/S0895479895291765.
pub struct SparseLu {
    symbolic: SymbolicLu<u32>,
    /// Of the transpose, whose columns are the rows of A.
    factor: Lu<u32, f64>,
    offsets: Arc<[u32]>,
    fingerprint: u64,
    n: usize,
}

fn transposed<'a>(a: &'a Csr<f64>, offsets: &'a [u32]) -> SparseColMatRef<'a, u32, f64> {
    let n = a.rows();
    SparseColMatRef::new(SymbolicSparseColMatRef::new_checked(n, n, offsets, None, a.columns()), a.values())
}

fn factorise(symbolic: &SymbolicLu<u32>, a: &Csr<f64>, offsets: &[u32]) -> Result<Lu<u32, f64>> {
    let factor =
        Lu::try_new_with_symbolic(symbolic.clone(), transposed(a, offsets)).map_err(|e| match e {
            LuError::Generic(e) => memory(&e),
            LuError::SymbolicSingular { index } => singular(index),
        })?;
    // Zero pivots give infinities in a solve.
    let mut probe = vec![1.0; a.rows()];
    factor.solve_in_place_with_conj(
        faer::Conj::No,
        MatMut::from_column_major_slice_mut(&mut probe, a.rows(), 1).as_dyn_cols_mut(),
    );
    match probe.iter().position(|v| !v.is_finite()) {
        Some(row) => Err(singular(row)),
        None => Ok(factor),
    }
}

fn singular(row: usize) -> Error {
    Error::Singular { what: "the LU factorisation", row }
}

/// What the pattern says of a matrix that was found singular, where it says so.
fn structural(a: &Csr<f64>, error: Error) -> Error {
    match error {
        Error::Singular { .. } => Matching::new(a).check().err().unwrap_or(error),
        other => other,
    }
}

impl SparseLu {
    /// Analyses and factorises.
    ///
    /// # Errors
    /// [`Error::Length`] for a matrix that is not square; [`Error::StructuralRank`] for one that is
    /// singular whatever its values, with the rows; [`Error::Singular`] for another that is; [`Error::Memory`].
    pub fn new(a: &Csr<f64>) -> Result<Self> {
        let n = a.rows();
        check_len("the matrix's columns", n, a.cols())?;
        let offsets = short_offsets(a)?;
        let symbolic = SymbolicLu::try_new(transposed(a, &offsets).symbolic()).map_err(|e| memory(&e))?;
        let factor = factorise(&symbolic, a, &offsets).map_err(|e| structural(a, e))?;
        Ok(Self { symbolic, factor, offsets, fingerprint: a.fingerprint(), n })
    }

    /// Factorises new values in the same pattern.
    ///
    /// # Errors
    /// [`Error::Structure`] when the pattern is another; as [`new`](Self::new). On an error nothing has changed.
    pub fn update_values(&mut self, a: &Csr<f64>) -> Result<()> {
        check_len("the matrix's rows", self.n, a.rows())?;
        if a.fingerprint() != self.fingerprint {
            let why = "the pattern is not the one that was analysed; make a new factorisation";
            return Err(Error::Structure { row: 0, why });
        }
        self.factor = factorise(&self.symbolic, a, &self.offsets).map_err(|e| structural(a, e))?;
        Ok(())
    }
}

impl Map for SparseLu {
    fn shape(&self) -> Shape {
        Shape::square(self.n)
    }
}

impl Operator<Host<f64>> for SparseLu {
    fn apply(&self, space: &Host<f64>, x: &[f64], y: &mut [f64]) -> Result<()> {
        check_apply(space, self.shape(), x, y)?;
        y.copy_from_slice(x);
        let rhs = MatMut::from_column_major_slice_mut(y, self.n, 1);
        self.factor.solve_transpose_in_place_with_conj(faer::Conj::No, rhs.as_dyn_cols_mut());
        Ok(())
    }
}

impl LinearOperator<Host<f64>> for SparseLu {
    fn apply_transpose(&self, space: &Host<f64>, x: &[f64], y: &mut [f64]) -> Result<()> {
        check_apply(space, self.shape(), x, y)?;
        y.copy_from_slice(x);
        let rhs = MatMut::from_column_major_slice_mut(y, self.n, 1);
        self.factor.solve_in_place_with_conj(faer::Conj::No, rhs.as_dyn_cols_mut());
        Ok(())
    }
}
