//! The direct solve on the coarsest level.

use crate::stencil::rows::{Row, Rows};
use crate::{Error, Result, Scalar};
use faer::linalg::solvers::DenseSolveCore;
use faer::{Mat, Side};

/// The inverse of a small operator. Parts without a prescribed value are regularised by their constant, and cells that
/// take no part are left out.
#[derive(Clone, Debug)]
pub(crate) struct Coarsest {
    n: usize,
    /// Row by row.
    inverse: Vec<f64>,
}

impl Coarsest {
    /// # Errors
    /// [`Error::Pivot`] when the operator is not positive definite.
    pub fn new(a: Mat<f64>) -> Result<Self> {
        let n = a.nrows();
        let part = parts(&a);
        let mut regular = a.clone();
        for root in 0..n {
            let members: Vec<usize> = (0..n).filter(|i| part[*i] == root).collect();
            let scale = members.iter().map(|&i| a[(i, i)]).sum::<f64>();
            let total: f64 = members.iter().map(|&i| (0..n).map(|j| a[(i, j)]).sum::<f64>()).sum();
            if members.is_empty() || total > 1e-6 * scale {
                continue;
            }
            // A + c 11ᵀ solves A x = f for f of zero mean, with x of zero mean.
            let shift = if scale > 0.0 { scale / (members.len() * members.len()) as f64 } else { 1.0 };
            for &i in &members {
                for &j in &members {
                    regular[(i, j)] += shift;
                }
            }
        }
        let llt = regular.llt(Side::Lower).map_err(|_| Error::Pivot {
            what: "the coarsest level",
            row: 0,
            pivot: f64::NAN,
        })?;
        let inverse = llt.inverse();
        let mut flat = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..n {
                // The mean of both halves keeps the cycle symmetric to the last bit.
                flat[i * n + j] = if a[(i, i)] > 0.0 && a[(j, j)] > 0.0 {
                    0.5 * (inverse[(i, j)] + inverse[(j, i)])
                } else {
                    0.0
                };
            }
        }
        Ok(Self { n, inverse: flat })
    }

    /// The inverse, row by row.
    #[cfg(feature = "cuda")]
    pub fn inverse(&self) -> &[f64] {
        &self.inverse
    }

    /// e ← A⁻¹ f.
    pub fn solve<T: Scalar>(&self, f: &[T], e: &mut [T]) {
        for (e, row) in e.iter_mut().zip(self.inverse.chunks(self.n)) {
            *e = T::of(row.iter().zip(f).map(|(a, f)| a * f.f64()).sum());
        }
    }
}

/// The matrix of a level.
pub(crate) fn assemble<T: Scalar, R: Rows<T>>(rows: &R) -> Mat<f64> {
    let e = rows.extent();
    let [nx, ny, nz] = e.n;
    let mut a = Mat::<f64>::zeros(e.cells(), e.cells());
    for k in 0..nz {
        for j in 0..ny {
            let row = rows.row(j, k);
            for i in 0..nx {
                let (at, c) = ([i, j, k], i + e.start(j, k));
                // SAFETY: i < nx.
                a[(c, c)] += unsafe { row.diag(i) }.f64();
                for q in 0..6 {
                    let Some(next) = e.next(q / 2, at[q / 2], q % 2 == 1) else { continue };
                    let mut there = at;
                    there[q / 2] = next;
                    let mut unit = [T::of(0.0); 6];
                    unit[q] = T::of(1.0);
                    let other = there[0] + e.start(there[1], there[2]);
                    // SAFETY: i < nx, and the neighbour exists.
                    let (g, active) = unsafe {
                        (row.off(i, unit), rows.row(there[1], there[2]).diag(there[0]) > T::of(0.0))
                    };
                    if active {
                        a[(c, other)] -= g.f64();
                    }
                }
            }
        }
    }
    a
}

/// A representative of the connected part of each row.
fn parts(a: &Mat<f64>) -> Vec<usize> {
    let n = a.nrows();
    let mut part = vec![usize::MAX; n];
    for root in 0..n {
        if part[root] != usize::MAX {
            continue;
        }
        let mut stack = vec![root];
        part[root] = root;
        while let Some(i) = stack.pop() {
            for j in 0..n {
                if a[(i, j)] != 0.0 && part[j] == usize::MAX {
                    part[j] = root;
                    stack.push(j);
                }
            }
        }
    }
    part
}
