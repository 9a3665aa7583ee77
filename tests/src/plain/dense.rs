//! A dense matrix as an operator on plain vectors.

use super::Space;
use faer::Mat;
use resolvent::{Csr, LinearOperator, Map, Operator, Properties, Result, Scalar, Shape};

/// A dense matrix, `rows: [rows][cols]`, with claims of the caller's.
///
/// ```
/// use resolvent::{Cg, Properties, Stop};
/// use resolvent_tests::plain::{Dense, Space};
/// let a = Dense::new(vec![vec![4.0, 1.0], vec![1.0, 3.0]], Properties::SPD);
/// let (space, mut x) = (Space::<f64>::new(), vec![0.0; 2]);
/// let report = Cg::new(&space, 2, Stop::rtol(1e-12))?.solve(&space, &a, None, &vec![1.0, 2.0], &mut x)?;
/// assert!(report.true_residual <= report.target);
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dense<T> {
    rows: Vec<Vec<T>>,
    cols: usize,
    properties: Properties,
}

impl<T: Scalar> Dense<T> {
    /// A matrix from its rows.
    ///
    /// # Panics
    /// When rows differ in length.
    pub fn new(rows: Vec<Vec<T>>, properties: Properties) -> Self {
        let cols = rows.first().map_or(0, Vec::len);
        assert!(rows.iter().all(|r| r.len() == cols));
        Self { rows, cols, properties }
    }

    /// The entries of a sparse matrix, and its claims.
    pub fn from_csr(a: &Csr<T>) -> Self {
        let mut rows = vec![vec![T::of(0.0); a.cols()]; a.rows()];
        for (r, row) in rows.iter_mut().enumerate() {
            let (columns, values) = a.row(r);
            for (c, v) in columns.iter().zip(values) {
                row[*c as usize] = *v;
            }
        }
        Self::new(rows, a.properties())
    }

    /// The rows.
    pub fn rows(&self) -> &[Vec<T>] {
        &self.rows
    }

    /// Ax in f64.
    pub fn times(&self, x: &[T]) -> Vec<f64> {
        self.rows.iter().map(|row| super::dot(row, x)).collect()
    }

    /// For faer.
    pub fn to_faer(&self) -> Mat<f64> {
        Mat::from_fn(self.rows.len(), self.cols, |r, c| self.rows[r][c].f64())
    }
}

impl<T: Scalar> Map for Dense<T> {
    fn shape(&self) -> Shape {
        Shape { rows: self.rows.len(), cols: self.cols }
    }
    fn properties(&self) -> Properties {
        self.properties
    }
}

impl<T: Scalar> Operator<Space<T>> for Dense<T> {
    fn apply(&self, space: &Space<T>, x: &Vec<T>, y: &mut Vec<T>) -> Result<()> {
        resolvent::operator::check_apply(space, self.shape(), x, y)?;
        for (y, row) in y.iter_mut().zip(&self.rows) {
            *y = T::of(super::dot(row, x));
        }
        Ok(())
    }
}

impl<T: Scalar> LinearOperator<Space<T>> for Dense<T> {
    fn apply_transpose(&self, space: &Space<T>, x: &Vec<T>, y: &mut Vec<T>) -> Result<()> {
        let Shape { rows, cols } = self.shape();
        resolvent::operator::check_apply(space, Shape { rows: cols, cols: rows }, x, y)?;
        for (c, y) in y.iter_mut().enumerate() {
            *y = T::of(self.rows.iter().zip(x).map(|(row, x)| row[c].f64() * x.f64()).sum());
        }
        Ok(())
    }
}
