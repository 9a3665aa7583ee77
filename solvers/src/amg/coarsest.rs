//! The solve on the coarsest level: a dense inverse, or a pseudo-inverse where the matrix is singular. A level that cannot
//! be made small, because its couplings are weak, is left to sweeps of the smoother.

use super::relaxation::{Direction, Relaxation};
use super::sparse::Entries;
use super::{AmgOptions, Smoother};
use crate::host::buffer::Buffer;
use crate::stencil::rows::Shared;
use crate::{Error, Result, Scalar};
use faer::linalg::solvers::{DenseSolveCore, Solve};
use faer::{Mat, Side};

/// Eigenvalues below this share of the largest count as zero.
const ZERO: f64 = 1e-11;

/// Unknowns of a level that is solved by a dense inverse although it is larger than was asked for.
const DENSE: usize = 1500;
/// Symmetric Gauss–Seidel sweeps that stand for a solve on a larger one.
const SWEEPS: usize = 4;

/// The solve on the coarsest level.
pub(super) enum Coarsest<T> {
    /// The inverse, row by row, in the precision of the cycle; it stays symmetric when it is rounded.
    Dense(Vec<T>),
    /// Sweeps with the matrix.
    Sweeps(Relaxation<T>),
}

impl<T: Scalar> Coarsest<T> {
    /// # Errors
    /// [`Error::Value`] when the matrix holds what is not finite.
    pub fn new(a: &impl Entries, symmetric: bool, options: &AmgOptions) -> Result<Self> {
        let n = a.rows();
        if n > options.direct.max(DENSE) {
            return Ok(Self::Sweeps(Relaxation::new(a, Smoother::GaussSeidel)?));
        }
        let mut dense = Mat::<f64>::zeros(n, n);
        for i in 0..n {
            let (c, v) = a.row(i);
            c.iter().zip(v).for_each(|(&c, &v)| dense[(i, c as usize)] += v);
        }
        if let Some(row) = (0..n).find(|&i| (0..n).any(|j| !dense[(i, j)].is_finite())) {
            let needs = "the matrix must not grow beyond what f64 holds; scale its rows";
            return Err(Error::Value { what: "the coarsest level", index: row, value: f64::NAN, needs });
        }
        let inverse = if symmetric {
            // The mean of both halves keeps the cycle symmetric to the last bit.
            let even = Mat::from_fn(n, n, |i, j| 0.5 * (dense[(i, j)] + dense[(j, i)]));
            let inverse = definite(&even).unwrap_or_else(|| pseudo(&even));
            Mat::from_fn(n, n, |i, j| 0.5 * (inverse[(i, j)] + inverse[(j, i)]))
        } else {
            general(&dense)
        };
        Ok(Self::Dense((0..n * n).map(|e| T::of(inverse[(e / n, e % n)])).collect()))
    }

    /// x ← A⁻¹ f, in both copies of x.
    pub fn solve(&self, f: &[T], xx: &mut Buffer<T>) {
        let n = f.len();
        match self {
            Self::Dense(inverse) => {
                let (x, copy) = xx.split_at_mut(n);
                for (x, row) in x.iter_mut().zip(inverse.chunks(n.max(1))) {
                    *x = T::of(row.iter().zip(f).map(|(a, f)| a.f64() * f.f64()).sum());
                }
                copy.copy_from_slice(x);
            }
            Self::Sweeps(a) => {
                let shared = Shared::new(xx);
                // SAFETY: one thread works on a block at a time.
                a.each_block(|b| unsafe { a.sweep_from_zero(b, f, shared) });
                a.sweep_all(Direction::Backward, f, shared);
                for _ in 1..SWEEPS {
                    a.sweep_all(Direction::Forward, f, shared);
                    a.sweep_all(Direction::Backward, f, shared);
                }
            }
        }
    }

    pub fn bytes(&self) -> usize {
        match self {
            Self::Dense(inverse) => size_of_val(&inverse[..]),
            Self::Sweeps(a) => a.bytes(),
        }
    }
}

/// The inverse of a safely positive definite matrix.
fn definite(a: &Mat<f64>) -> Option<Mat<f64>> {
    let llt = a.llt(Side::Lower).ok()?;
    let l = llt.L();
    // A pivot that cancelled to rounding belongs to a singular matrix.
    let safe = (0..a.nrows()).all(|i| l[(i, i)] * l[(i, i)] > ZERO * a[(i, i)]);
    safe.then(|| llt.inverse())
}

/// The pseudo-inverse of a symmetric matrix.
fn pseudo(a: &Mat<f64>) -> Mat<f64> {
    let n = a.nrows();
    let Ok(eigen) = a.self_adjoint_eigen(Side::Lower) else { return Mat::zeros(n, n) };
    let (s, u) = (eigen.S(), eigen.U());
    let largest = (0..n).map(|i| s[i].abs()).fold(0.0, f64::max);
    let scaled = Mat::from_fn(n, n, |i, j| if s[j].abs() > ZERO * largest { u[(i, j)] / s[j] } else { 0.0 });
    scaled * u.transpose()
}

/// The inverse of a regular matrix, or the pseudo-inverse.
fn general(a: &Mat<f64>) -> Mat<f64> {
    let n = a.nrows();
    let Ok(svd) = a.svd() else { return Mat::zeros(n, n) };
    let (s, u, v) = (svd.S(), svd.U(), svd.V());
    let largest = if n > 0 { s[0] } else { 0.0 };
    if n > 0 && s[n - 1] > ZERO * largest {
        return a.partial_piv_lu().solve(Mat::identity(n, n));
    }
    let scaled = Mat::from_fn(n, n, |i, j| if s[j] > ZERO * largest { v[(i, j)] / s[j] } else { 0.0 });
    scaled * u.transpose()
}
