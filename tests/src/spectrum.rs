//! Operators as dense matrices, to see their eigenvalues.

use faer::{Mat, Side};
use resolvent::{Host, LinearOperator, Scalar};

/// The matrix of an operator, column by column.
///
/// # Panics
/// When the operator fails.
pub fn matrix<T: Scalar>(a: &dyn LinearOperator<Host<T>>) -> Mat<f64> {
    let shape = a.shape();
    let mut dense = Mat::zeros(shape.rows, shape.cols);
    let (mut x, mut y) = (vec![T::of(0.0); shape.cols], vec![T::nan(); shape.rows]);
    for c in 0..shape.cols {
        x[c] = T::of(1.0);
        a.apply(&Host::new(), &x, &mut y).expect("it can be applied");
        x[c] = T::of(0.0);
        for r in 0..shape.rows {
            dense[(r, c)] = y[r].f64();
        }
    }
    dense
}

/// The largest |aᵢⱼ − aⱼᵢ|, relative to the largest |aᵢⱼ|.
pub fn asymmetry(a: &Mat<f64>) -> f64 {
    let (mut largest, mut difference) = (0.0f64, 0.0f64);
    for r in 0..a.nrows() {
        for c in 0..a.ncols() {
            largest = largest.max(a[(r, c)].abs());
            difference = difference.max((a[(r, c)] - a[(c, r)]).abs());
        }
    }
    if largest == 0.0 { 0.0 } else { difference / largest }
}

/// The eigenvalues of a symmetric matrix, ascending.
///
/// # Panics
/// When faer cannot find them.
pub fn eigenvalues(a: &Mat<f64>) -> Vec<f64> {
    a.self_adjoint_eigenvalues(Side::Lower).expect("a finite symmetric matrix")
}
