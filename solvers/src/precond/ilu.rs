//! Incomplete LU factorisation without fill.
//!
//! J. A. Meijerink, H. A. van der Vorst, *An iterative solution method for linear systems of which the coefficient matrix is
//! a symmetric M-matrix*, Math. Comp. 31 (1977), 148–162, 10.1090/S0025-5718-1977-0438681-4; Y. Saad, *Iterative Methods for
//! Sparse Linear Systems* (2003), section 10.3, 10.1137/1.9780898718003. Departure: a pivot that is nothing beside its row
//! makes the factorisation start again from a matrix with a larger diagonal.

use super::triangular::{Levels, Triangle};
use crate::compose::enter;
use crate::error::check_len;
use crate::host::buffer::Buffer;
use crate::operator::check_apply;
use crate::stencil::rows::Shared;
use crate::{Csr, Error, Host, LinearOperator, Map, Operator, Result, Scalar, Shape};
use rayon::prelude::*;
use std::sync::Mutex;

/// z ← U⁻¹ L⁻¹ r, where LU ≈ A has the nonzeros of A: ILU(0), for matrices that need not be symmetric. Coefficients are kept
/// in `T`, vectors are f64. Two triangular solves, level by level on several threads.
///
/// ```
/// use resolvent::{Bicgstab, Csr, Host, Status, Stop, precond::IncompleteLu};
/// // Convection from the left along a line, with diffusion.
/// let mut entries = Vec::new();
/// for i in 0..100u32 {
///     entries.push((i, i, 3.0));
///     if i > 0 {
///         entries.extend([(i, i - 1, -2.0), (i - 1, i, -1.0)]);
///     }
/// }
/// let a = Csr::from_triplets(100, 100, &entries)?;
/// let m = IncompleteLu::<f64>::new(&a)?;
/// let (space, mut x) = (Host::<f64>::new(), vec![0.0; 100]);
/// let mut bicgstab = Bicgstab::new(&space, 100, Stop::default())?;
/// let report = bicgstab.solve(&space, &a, Some(&m), &vec![1.0; 100], &mut x)?;
/// // Without fill to drop, the factorisation is exact.
/// assert!(report.status == Status::Converged && report.steps == 1);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct IncompleteLu<T> {
    levels: Levels,
    lower: Triangle<T>,
    upper: Triangle<T>,
    inverse: Vec<T>,
    rows: Mutex<Buffer<f64>>,
    shift: f64,
}

/// The first shift tried, what it grows by, and the largest.
const SHIFT: (f64, f64, f64) = (1e-3, 2.0, 10.0);
/// A pivot below this share of the largest entry of its row is a breakdown.
const SMALL: f64 = 1e-6;
/// Entries moved to or from the order of levels at a time.
const BLOCK: usize = 1 << 14;

impl<T: Scalar> IncompleteLu<T> {
    /// Factorises a square matrix.
    ///
    /// # Errors
    /// [`Error::Length`] when it is not square; [`Error::Pivot`] for a row without an entry on the diagonal, or when no shift
    /// helps; [`Error::Structure`] for more entries than 32 bits count; [`Error::Memory`].
    pub fn new(a: &Csr<f64>) -> Result<Self> {
        let n = a.rows();
        check_len("the matrix's columns", n, a.cols())?;
        if a.nonzeros() > u32::MAX as usize {
            return Err(Error::Structure { row: n, why: "more entries than a 32-bit index counts" });
        }
        let diagonal: Vec<Option<usize>> = (0..n)
            .map(|i| a.row(i).0.binary_search(&(i as u32)).ok().map(|at| a.offsets().at(i) + at))
            .collect();
        let missing = |row| Error::Pivot { what: "incomplete LU", row, pivot: 0.0 };
        let diagonal: Vec<usize> = diagonal
            .into_iter()
            .enumerate()
            .map(|(i, d)| d.ok_or_else(|| missing(i)))
            .collect::<Result<_>>()?;
        let mut shift = 0.0;
        let values = loop {
            match eliminate(a, &diagonal, shift) {
                Ok(values) => break values,
                Err(Error::Pivot { .. }) if shift < SHIFT.2 => shift = (SHIFT.1 * shift).max(SHIFT.0),
                Err(other) => return Err(other),
            }
        };
        let levels = levels(a);
        let mut place = vec![0u32; n];
        levels.order.iter().enumerate().for_each(|(at, row)| place[*row as usize] = at as u32);
        let part = |lower: bool| {
            let mut t = Triangle { offsets: vec![0], columns: Vec::new(), values: Vec::new() };
            for &row in &levels.order {
                let row = row as usize;
                let entries = if lower {
                    a.offsets().at(row)..diagonal[row]
                } else {
                    diagonal[row] + 1..a.offsets().at(row + 1)
                };
                for e in entries {
                    t.columns.push(place[a.columns()[e] as usize]);
                    t.values.push(T::of(values[e]));
                }
                t.offsets.push(t.columns.len() as u32);
            }
            t
        };
        let (lower, upper) = (part(true), part(false));
        let inverse = levels.order.iter().map(|row| T::of(1.0 / values[diagonal[*row as usize]])).collect();
        Ok(Self { levels, lower, upper, inverse, rows: Buffer::zeros(n)?.into(), shift })
    }

    /// The share of each row's size that was added to its diagonal; 0 when nothing broke down.
    pub fn shift(&self) -> f64 {
        self.shift
    }
}

/// The factors in the places of A, L without its unit diagonal.
fn eliminate(a: &Csr<f64>, diagonal: &[usize], shift: f64) -> Result<Vec<f64>> {
    let (offsets, columns) = (a.offsets(), a.columns());
    let mut values = a.values().to_vec();
    let mut place = vec![usize::MAX; a.cols()];
    for i in 0..a.rows() {
        let entries = offsets.row(i);
        let size = values[entries.clone()].iter().fold(0.0, |s: f64, v| s.max(v.abs()));
        values[diagonal[i]] += (shift * size).copysign(values[diagonal[i]]);
        entries.clone().for_each(|e| place[columns[e] as usize] = e);
        for e in offsets.at(i)..diagonal[i] {
            let k = columns[e] as usize;
            let factor = values[e] / values[diagonal[k]];
            values[e] = factor;
            for f in diagonal[k] + 1..offsets.at(k + 1) {
                let at = place[columns[f] as usize];
                if at != usize::MAX {
                    values[at] -= factor * values[f];
                }
            }
        }
        entries.for_each(|e| place[columns[e] as usize] = usize::MAX);
        let pivot = values[diagonal[i]];
        if !(pivot.abs() > SMALL * size && pivot.is_finite()) {
            return Err(Error::Pivot { what: "incomplete LU", row: i, pivot });
        }
    }
    Ok(values)
}

/// Levels that serve both triangles: those of the upper triangle of the pattern of A + Aᵀ.
fn levels(a: &Csr<f64>) -> Levels {
    let n = a.rows();
    let transposed = a.transpose();
    let (mut offsets, mut columns) = (vec![0u32], Vec::new());
    for i in 0..n {
        let beyond = |c: &&u32| **c as usize > i;
        let first = columns.len();
        columns.extend(a.row(i).0.iter().filter(beyond));
        columns.extend(transposed.row(i).0.iter().filter(beyond));
        columns[first..].sort_unstable();
        let mut kept = first;
        for e in first..columns.len() {
            if e == first || columns[e] != columns[kept - 1] {
                columns[kept] = columns[e];
                kept += 1;
            }
        }
        columns.truncate(kept);
        offsets.push(columns.len() as u32);
    }
    Levels::of(&offsets, &columns)
}

impl<T: Scalar> Map for IncompleteLu<T> {
    fn shape(&self) -> Shape {
        Shape::square(self.inverse.len())
    }
}

impl<T: Scalar> Operator<Host<f64>> for IncompleteLu<T> {
    fn apply(&self, space: &Host<f64>, r: &[f64], z: &mut [f64]) -> Result<()> {
        check_apply(space, self.shape(), r, z)?;
        let mut rows = enter(&self.rows);
        let order = &self.levels.order;
        rows.par_chunks_mut(BLOCK).zip(order.par_chunks(BLOCK)).for_each(|(v, order)| {
            v.iter_mut().zip(order).for_each(|(v, at)| *v = r[*at as usize]);
        });
        self.lower.sweep(&self.levels, true, &mut rows, |_, sum, r| r - sum);
        self.upper.sweep(&self.levels, false, &mut rows, |row, sum, y| (y - sum) * self.inverse[row].f64());
        let (rows, z) = (&rows, Shared::new(z));
        order.par_chunks(BLOCK).enumerate().for_each(|(block, order)| {
            for (v, at) in rows[block * BLOCK..].iter().zip(order) {
                // SAFETY: the order is a permutation.
                unsafe { z.get_mut(*at as usize, 1)[0] = *v };
            }
        });
        Ok(())
    }
}

impl<T: Scalar> LinearOperator<Host<f64>> for IncompleteLu<T> {}
