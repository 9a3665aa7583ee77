//! Dense matrices, over `faer`.

use crate::operator::check_apply;
use crate::{Error, Host, LinearOperator, Map, Operator, Properties, Result, Scalar, Shape};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};

/// A dense matrix as an operator: `faer` stores it by columns and multiplies. 8 bytes an entry and product in f64.
///
/// ```
/// use resolvent::{Dense, Host, Operator};
/// let a = Dense::from_fn(2, 3, |i, j| (10 * i + j) as f64)?;
/// let mut y = [0.0; 2];
/// a.apply(&Host::new(), &[1.0, 1.0, 1.0], &mut y)?;
/// assert_eq!(y, [3.0, 33.0]);
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dense<T> {
    mat: Mat<T>,
    properties: Properties,
}

/// Below this many entries a product is not shared among threads.
const SHARED: usize = 1 << 16;

impl<T: Scalar> Dense<T> {
    /// From a matrix of `faer`.
    ///
    /// # Errors
    /// [`Error::Value`] for an entry that is not finite; its index runs along columns.
    pub fn from_mat(mat: Mat<T>) -> Result<Self> {
        for j in 0..mat.ncols() {
            for i in 0..mat.nrows() {
                let v = mat[(i, j)];
                if !v.is_finite() {
                    let (index, value) = (i + mat.nrows() * j, v.f64());
                    return Err(Error::Value {
                        what: "a dense matrix",
                        index,
                        value,
                        needs: "every entry must be finite",
                    });
                }
            }
        }
        Ok(Self { mat, properties: Properties::NONE })
    }

    /// From its entries (row, column).
    ///
    /// # Errors
    /// As [`from_mat`](Self::from_mat).
    pub fn from_fn(rows: usize, cols: usize, entry: impl FnMut(usize, usize) -> T) -> Result<Self> {
        Self::from_mat(Mat::from_fn(rows, cols, entry))
    }

    /// Claims `properties`.
    pub fn assume(self, properties: Properties) -> Self {
        Self { properties, ..self }
    }

    /// Claims symmetry when every entry equals its mirror image, and nothing otherwise.
    pub fn checked_symmetric(self) -> Self {
        let n = self.mat.nrows();
        let symmetric =
            n == self.mat.ncols() && (0..n).all(|j| (0..j).all(|i| self.mat[(i, j)] == self.mat[(j, i)]));
        self.assume(if symmetric { Properties::SYMMETRIC } else { Properties::NONE })
    }

    /// The matrix.
    pub fn mat(&self) -> MatRef<'_, T> {
        self.mat.as_ref()
    }

    fn multiply(&self, a: MatRef<'_, T>, x: &[T], y: &mut [T]) {
        let par = if a.nrows() * a.ncols() < SHARED { Par::Seq } else { Par::rayon(0) };
        let x = MatRef::from_column_major_slice(x, x.len(), 1);
        let rows = y.len();
        let y = MatMut::from_column_major_slice_mut(y, rows, 1);
        matmul(y, Accum::Replace, a, x, T::of(1.0), par);
    }
}

impl<T: Scalar> Map for Dense<T> {
    fn shape(&self) -> Shape {
        Shape { rows: self.mat.nrows(), cols: self.mat.ncols() }
    }
    fn properties(&self) -> Properties {
        self.properties
    }
}

impl<T: Scalar> Operator<Host<T>> for Dense<T> {
    fn apply(&self, space: &Host<T>, x: &[T], y: &mut [T]) -> Result<()> {
        check_apply(space, self.shape(), x, y)?;
        self.multiply(self.mat.as_ref(), x, y);
        Ok(())
    }
}

impl<T: Scalar> LinearOperator<Host<T>> for Dense<T> {
    fn apply_transpose(&self, _: &Host<T>, x: &[T], y: &mut [T]) -> Result<()> {
        crate::error::check_len("x", self.mat.nrows(), x.len())?;
        crate::error::check_len("y", self.mat.ncols(), y.len())?;
        self.multiply(self.mat.transpose(), x, y);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_match_plain_loops_at_ragged_sizes() {
        let space = Host::<f64>::new();
        for (rows, cols) in [(1, 1), (3, 7), (300, 257), (1, 40)] {
            let entry = |i: usize, j: usize| ((7 * i + 3 * j) % 11) as f64 - 5.0;
            let a = Dense::from_fn(rows, cols, entry).unwrap();
            let x: Vec<f64> = (0..cols).map(|j| (j % 5) as f64 - 2.0).collect();
            let mut y = vec![f64::NAN; rows];
            a.apply(&space, &x, &mut y).unwrap();
            assert!((0..rows).all(|i| y[i] == (0..cols).map(|j| entry(i, j) * x[j]).sum::<f64>()));
            let mut t = vec![f64::NAN; cols];
            a.apply_transpose(&space, &y, &mut t).unwrap();
            assert!((0..cols).all(|j| t[j] == (0..rows).map(|i| entry(i, j) * y[i]).sum::<f64>()));
        }
    }

    #[test]
    fn symmetry_is_checked_and_entries_must_be_finite() {
        let symmetric = Dense::from_fn(4, 4, |i, j| (i + j) as f32).unwrap().checked_symmetric();
        assert_eq!(symmetric.properties(), Properties::SYMMETRIC);
        let not = Dense::from_fn(4, 4, |i, j| (i + 2 * j) as f32).unwrap().checked_symmetric();
        assert_eq!(not.properties(), Properties::NONE);
        let bad = Dense::from_fn(2, 2, |i, j| if (i, j) == (1, 0) { f64::NAN } else { 1.0 });
        assert!(matches!(bad, Err(Error::Value { index: 1, .. })));
    }
}
