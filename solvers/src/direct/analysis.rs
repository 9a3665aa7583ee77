//! What a symmetric factorisation will cost, known from the pattern.

use crate::error::check_len;
use crate::ordering::{Permutation, nested_dissection, width};
use crate::{Csr, Error, Result};
use faer::perm::PermRef;
use faer::sparse::linalg::cholesky::{SymbolicCholesky, SymbolicCholeskyRaw, factorize_symbolic_cholesky};
use faer::sparse::{SparseColMatRef, SymbolicSparseColMatRef};
use faer::{Side, sparse::linalg::cholesky::SymmetricOrdering};
use std::sync::Arc;

/// From this many rows on, in a pattern wider than this many square roots of them, nested dissection leaves less fill than
/// minimum degree: a quarter of the operations for a grid of 64³, and about the same for 18 000 unknowns of a mesh in space.
/// A mesh in the plane is 1 to 2.3 roots wide, and takes half the operations by minimum degree.
const LARGE: usize = 10_000;
const WIDE: f64 = 3.5;

/// The symbolic analysis of a symmetric pattern: an ordering and the places of the factor's entries. A clone shares it.
///
/// ```
/// use resolvent::{Csr, Properties, direct::{Analysis, SparseCholesky}};
/// let a = Csr::from_triplets(2, 2, &[(0, 0, 2.0), (0, 1, -1.0), (1, 0, -1.0), (1, 1, 2.0)])?;
/// let analysis = Analysis::new(&a)?;
/// assert_eq!(analysis.fill(), 3);
/// let factor = SparseCholesky::with_analysis(analysis, &a.assume(Properties::SPD))?;
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Analysis {
    pub(super) symbolic: Arc<SymbolicCholesky<u32>>,
    offsets: Arc<[u32]>,
    fingerprint: u64,
    fill: usize,
    flops: f64,
}

/// faer's error where nothing numerical can have failed.
pub(crate) fn memory(error: &faer::sparse::FaerError) -> Error {
    match error {
        faer::sparse::FaerError::IndexOverflow => Error::Structure {
            row: 0,
            why: "the factor has more entries than a 32-bit index counts; use an iterative method",
        },
        _ => Error::Memory { bytes: usize::MAX },
    }
}

/// Row bounds in 32 bits.
pub(super) fn short_offsets<T: crate::Scalar>(a: &Csr<T>) -> Result<Arc<[u32]>> {
    let why = "more entries than a 32-bit index counts; use an iterative method";
    a.offsets().short().map(Into::into).ok_or(Error::Structure { row: 0, why })
}

impl Analysis {
    /// Orders the rows by approximate minimum degree, or by nested dissection where the pattern is that of a large body in
    /// space, and finds the entries of the factor.
    ///
    /// # Errors
    /// [`Error::Length`] for a matrix that is not square; [`Error::Structure`] for too many entries; [`Error::Memory`].
    pub fn new(a: &Csr<f64>) -> Result<Self> {
        check_len("the matrix's columns", a.rows(), a.cols())?;
        let wide = LARGE <= a.rows() && WIDE * (a.rows() as f64).sqrt() < width(a) as f64;
        if wide {
            return Self::with_order(a, &nested_dissection(a)?);
        }
        Self::with_minimum_degree(a)
    }

    /// As [`new`](Self::new), with the rows ordered by approximate minimum degree whatever the pattern.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_minimum_degree(a: &Csr<f64>) -> Result<Self> {
        Self::ordered(a, SymmetricOrdering::Amd)
    }

    /// As [`new`](Self::new), with the rows in an order of the caller's.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`Error::Length`] for an order of other length.
    pub fn with_order(a: &Csr<f64>, order: &Permutation) -> Result<Self> {
        check_len("the order", a.rows(), order.len())?;
        let order = PermRef::new_checked(order.order(), order.place(), order.len());
        Self::ordered(a, SymmetricOrdering::Custom(order))
    }

    fn ordered(a: &Csr<f64>, ordering: SymmetricOrdering<'_, u32>) -> Result<Self> {
        let n = a.rows();
        check_len("the matrix's columns", n, a.cols())?;
        let offsets = short_offsets(a)?;
        let pattern = SymbolicSparseColMatRef::new_checked(n, n, &offsets, None, a.columns());
        let symbolic = factorize_symbolic_cholesky(pattern, Side::Lower, ordering, Default::default())
            .map_err(|e| memory(&e))?;
        let (mut fill, mut flops) = (0, 0.0);
        let mut column = |count: usize| {
            fill += count;
            flops += (count as f64).powi(2);
        };
        match symbolic.raw() {
            SymbolicCholeskyRaw::Simplicial(s) => {
                s.col_ptr().windows(2).for_each(|w| column((w[1] - w[0]) as usize));
            }
            SymbolicCholeskyRaw::Supernodal(s) => {
                let (begin, end) = (s.supernode_begin(), s.supernode_end());
                for i in 0..s.n_supernodes() {
                    let below = s.supernode(i).pattern().len();
                    (0..(end[i] - begin[i]) as usize).for_each(|j| column(below + j + 1));
                }
            }
        }
        let fingerprint = a.fingerprint();
        Ok(Self { symbolic: Arc::new(symbolic), offsets, fingerprint, fill, flops })
    }

    /// Entries of the factor.
    pub fn fill(&self) -> usize {
        self.fill
    }

    /// Multiplications and additions of the factorisation.
    pub fn flops(&self) -> f64 {
        self.flops
    }

    /// The matrix as faer sees it: its rows are columns, which is the same for a symmetric one.
    pub(super) fn matrix<'a>(&'a self, a: &'a Csr<f64>) -> SparseColMatRef<'a, u32, f64> {
        let n = a.rows();
        let pattern = SymbolicSparseColMatRef::new_checked(n, n, &self.offsets, None, a.columns());
        SparseColMatRef::new(pattern, a.values())
    }

    /// # Errors
    /// [`Error::Length`]; [`Error::Structure`] when `a` has another pattern.
    pub(super) fn check(&self, a: &Csr<f64>) -> Result<()> {
        check_len("the matrix's rows", self.symbolic.nrows(), a.rows())?;
        if a.fingerprint() != self.fingerprint {
            let why = "the pattern is not the one that was analysed; make a new factorisation";
            return Err(Error::Structure { row: 0, why });
        }
        Ok(())
    }

    /// The row of the matrix at a place of the ordering.
    pub(super) fn row(&self, place: usize) -> usize {
        self.symbolic.perm().and_then(|p| p.arrays().0.get(place).copied()).map_or(place, |r| r as usize)
    }
}
