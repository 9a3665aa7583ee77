//! The plain reference: simple loops in f64, meant to be read and believed.

pub mod dense;
pub mod laplacian;
pub mod space;

pub use dense::Dense;
pub use laplacian::{Coefficients, Laplacian};
pub use space::Space;

use resolvent::Csr;

/// Σ xᵢ yᵢ in f64, in index order.
pub fn dot<T: resolvent::Scalar>(x: &[T], y: &[T]) -> f64 {
    assert_eq!(x.len(), y.len());
    x.iter().zip(y).map(|(x, y)| x.f64() * y.f64()).sum()
}

/// ‖x‖₂ in f64, without overflow.
pub fn norm<T: resolvent::Scalar>(x: &[T]) -> f64 {
    let largest = x.iter().fold(0.0f64, |m, v| m.max(v.f64().abs()));
    if largest == 0.0 || !largest.is_finite() {
        return x.iter().map(|v| v.f64().abs()).sum();
    }
    largest * x.iter().map(|v| (v.f64() / largest).powi(2)).sum::<f64>().sqrt()
}

/// ‖b − Ax‖₂, entry by entry of the matrix.
pub fn residual(a: &Csr<f64>, x: &[f64], b: &[f64]) -> f64 {
    let r: Vec<f64> = (0..a.rows())
        .map(|row| {
            let (columns, values) = a.row(row);
            b[row] - columns.iter().zip(values).map(|(c, v)| v * x[*c as usize]).sum::<f64>()
        })
        .collect();
    norm(&r)
}
