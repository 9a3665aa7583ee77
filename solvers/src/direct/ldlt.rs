//! A = LBLᵀ with 1 × 1 and 2 × 2 blocks in B.

use super::analysis::Analysis;
use super::cholesky::{parallel, room};
use crate::compose::enter;
use crate::operator::check_apply;
use crate::{Csr, Error, Host, LinearOperator, Map, Operator, Properties, Result, Shape};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::perm::PermRef;
use faer::sparse::linalg::cholesky::IntranodeLbltRef;
use faer::{Conj, MatMut, Par, Spec};
use std::sync::Mutex;

/// The factorisation of a symmetric matrix that need not be definite, as the operator r ↦ A⁻¹r.
///
/// Pivots are sought within supernodes, after Bunch and Kaufman; where that is not enough the factor is inaccurate, which
/// [`Refinement`](crate::Refinement) repairs or reports. A matrix found singular is refused; so may be one with zeros on its
/// diagonal, which [`SparseLu`](super::SparseLu) takes.
///
/// ```
/// use resolvent::{Csr, Host, Operator, direct::SparseLdlt};
/// let a = Csr::from_triplets(2, 2, &[(0, 0, 1.0), (0, 1, 2.0), (1, 0, 2.0), (1, 1, -1.0)])?;
/// let (factor, mut x) = (SparseLdlt::new(&a)?, [0.0; 2]);
/// factor.apply(&Host::<f64>::new(), &[3.0, 1.0], &mut x)?;
/// assert!((x[0] - 1.0).abs() < 1e-15 && (x[1] - 1.0).abs() < 1e-15);
/// # Ok::<(), resolvent::Error>(())
/// ```
///
/// # Reference
/// J. R. Bunch, L. Kaufman, *Some stable methods for calculating inertia and solving symmetric linear systems*, Math.
/// Comp. 31 (1977), 163–179, 10.1090/S0025-5718-1977-0428694-0; O. Schenk, K. Gärtner, *On fast factorization pivoting
/// methods for sparse symmetric indefinite systems*, ETNA 23 (2006), 158–179.
pub struct SparseLdlt {
    analysis: Analysis,
    values: Vec<f64>,
    subdiagonal: Vec<f64>,
    pivots: (Vec<u32>, Vec<u32>),
    scratch: Mutex<MemBuffer>,
}

impl SparseLdlt {
    /// Analyses and factorises. Only the upper triangle is read.
    ///
    /// # Errors
    /// [`Error::Singular`] for a matrix that is singular to working precision, or needs pivots from outside a supernode; as [`Analysis::new`].
    pub fn new(a: &Csr<f64>) -> Result<Self> {
        Self::with_analysis(Analysis::new(a)?, a)
    }

    /// Factorises a matrix whose pattern has been analysed.
    ///
    /// # Errors
    /// [`Error::Singular`]; [`Error::Structure`] when the pattern is another; [`Error::Memory`].
    pub fn with_analysis(analysis: Analysis, a: &Csr<f64>) -> Result<Self> {
        let n = analysis.symbolic.nrows();
        let request = analysis.symbolic.solve_in_place_scratch::<f64>(1, Par::Seq);
        let values = crate::host::buffer::untouched(analysis.symbolic.len_val());
        let scratch = Mutex::new(room(request)?);
        let mut factor =
            Self { analysis, values, subdiagonal: vec![0.0; n], pivots: (vec![0; n], vec![0; n]), scratch };
        factor.update_values(a)?;
        Ok(factor)
    }

    /// Factorises new values in the same pattern.
    ///
    /// # Errors
    /// As [`with_analysis`](Self::with_analysis); after [`Error::Singular`] the factor is of no use.
    pub fn update_values(&mut self, a: &Csr<f64>) -> Result<()> {
        self.analysis.check(a)?;
        let symbolic = &self.analysis.symbolic;
        let (par, options) = (parallel(), Spec::default());
        let mut memory = room(symbolic.factorize_numeric_intranode_lblt_scratch::<f64>(par, options))?;
        symbolic.factorize_numeric_intranode_lblt(
            &mut self.values,
            &mut self.subdiagonal,
            &mut self.pivots.0,
            &mut self.pivots.1,
            self.analysis.matrix(a),
            faer::Side::Lower,
            par,
            MemStack::new(&mut memory),
            options,
        );
        // A solve shows what the factor is worth: A x of a known x.
        let (space, n) = (Host::<f64>::new(), a.rows());
        let known: Vec<f64> = (0..n).map(|i| 1.0 + (i % 7) as f64).collect();
        let (mut b, mut x) = (vec![0.0; n], vec![0.0; n]);
        a.apply(&space, &known, &mut b)?;
        self.apply(&space, &b, &mut x)?;
        let worst = (0..n).max_by(|&i, &j| (x[i] - known[i]).abs().total_cmp(&(x[j] - known[j]).abs()));
        match worst {
            Some(row) if (x[row] - known[row]).abs() > 0.1 || !x[row].is_finite() => {
                Err(Error::Singular { what: "the LDLᵀ factorisation", row })
            }
            _ => Ok(()),
        }
    }

    /// What was found of the pattern.
    pub fn analysis(&self) -> &Analysis {
        &self.analysis
    }
}

impl Map for SparseLdlt {
    fn shape(&self) -> Shape {
        Shape::square(self.analysis.symbolic.nrows())
    }
    fn properties(&self) -> Properties {
        Properties::SYMMETRIC
    }
}

impl Operator<Host<f64>> for SparseLdlt {
    fn apply(&self, space: &Host<f64>, x: &[f64], y: &mut [f64]) -> Result<()> {
        check_apply(space, self.shape(), x, y)?;
        y.copy_from_slice(x);
        let rhs = MatMut::from_column_major_slice_mut(y, x.len(), 1);
        let mut scratch = enter(&self.scratch);
        let pivots = PermRef::new_checked(&self.pivots.0, &self.pivots.1, x.len());
        IntranodeLbltRef::new(&self.analysis.symbolic, &self.values, &self.subdiagonal, pivots)
            .solve_in_place_with_conj(Conj::No, rhs, Par::Seq, MemStack::new(&mut scratch));
        Ok(())
    }
}

impl LinearOperator<Host<f64>> for SparseLdlt {}
