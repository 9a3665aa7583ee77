//! Incomplete Cholesky factorisations: without fill, modified or not, and with fill above a threshold.

use super::triangular::{Levels, Triangle};
use crate::compose::enter;
use crate::error::check_len;
use crate::host::buffer::Buffer;
use crate::operator::check_apply;
use crate::ordering::Permutation;
use crate::stencil::rows::Shared;
use crate::{Csr, Error, Host, LinearOperator, Map, Operator, Properties, Result, Scalar, Shape};
use rayon::prelude::*;
use std::sync::Mutex;

/// Entries moved to or from the order of levels at a time.
const BLOCK: usize = 1 << 14;

/// How an [`IncompleteCholesky`] factorisation is made.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct IncompleteOptions {
    /// How much of the dropped fill goes to the diagonal: 0 is IC(0), 1 keeps the row sums of A, which is what lowers the
    /// order of the condition number of a Laplacian from h⁻² to h⁻¹. A little less than 1 is safe.
    pub relaxation: f64,
    /// A pivot below this part of the diagonal of A is replaced by that diagonal; with fill, it is a breakdown.
    pub safety: f64,
    /// Fill above this share of √(a_ii a_jj) is kept: 0 keeps none. Values of 10⁻² to 10⁻³ pay on unstructured meshes.
    pub threshold: f64,
    /// Entries kept in a row of the factor beyond those of A, at most, the largest first.
    pub fill: usize,
}

impl IncompleteOptions {
    /// Without fill and without compensation: IC(0).
    pub fn plain() -> Self {
        Self { relaxation: 0.0, ..Self::default() }
    }

    /// With fill above a threshold, at most 20 entries a row, not compensated: ICT.
    pub fn with_threshold(threshold: f64) -> Self {
        Self { relaxation: 0.0, safety: 1e-3, threshold, fill: 20 }
    }

    fn check(&self) -> Result<()> {
        for (name, value) in
            [("relaxation", self.relaxation), ("safety", self.safety), ("threshold", self.threshold)]
        {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::Parameter { name, value, needs: "must be between 0 and 1" });
            }
        }
        Ok(())
    }
}

impl Default for IncompleteOptions {
    /// 0.99 takes the fewest or nearly the fewest steps on `box` and `spheres`; 1 is many times slower beside solids. The
    /// program `tune` of the benchmarks shows it.
    fn default() -> Self {
        Self { relaxation: 0.99, safety: 0.25, threshold: 0.0, fill: 20 }
    }
}

/// z ← (L + D)⁻ᵀ D (L + D)⁻¹ r, where (L + D) D⁻¹ (L + D)ᵀ ≈ A. L has the nonzeros of A, and fill above a threshold when the
/// options say so. Coefficients are kept in `T`, vectors are f64. Two triangular solves, level by level on several threads.
///
/// With fill, a pivot that is too small makes the factorisation start again from A + α diag(A), with α doubled until it
/// succeeds: [`shift`](Self::shift) tells it.
///
/// # Reference
/// J. A. Meijerink, H. A. van der Vorst 1977, 10.1090/S0025-5718-1977-0438681-4, for IC(0); Y. Saad, *ILUT: a dual threshold
/// incomplete LU factorization* (1994), 10.1002/nla.1680010405, and C.-J. Lin, J. J. Moré 1999, 10.1137/S1064827597327334,
/// for the threshold; T. A. Manteuffel 1980, 10.1090/S0025-5718-1980-0559197-0, for the shift. I. Gustafsson, *A class of first order factorization methods*, BIT 18 (1978), 142–156, 10.1007/BF01931691; the safety of
/// pivots is that of R. Bridson, *Fluid Simulation for Computer Graphics*, 2nd ed. (2015), section 5.5.
///
/// ```
/// use resolvent::precond::{IncompleteCholesky, IncompleteOptions};
/// use resolvent::{Boundary, Cg, Grid, Host, Poisson, Status, Stencil, Stop};
/// let a = Stencil::from(Poisson::new(Grid::new_2d(40, 40)?, [[Boundary::DIRICHLET; 2]; 3])?);
/// let (matrix, _) = a.to_csr()?;
/// let m = IncompleteCholesky::<f64>::new(&matrix, IncompleteOptions::default())?;
/// let (space, mut x) = (Host::<f64>::new(), vec![0.0; 1600]);
/// let report = Cg::new(&space, 1600, Stop::default())?.solve(&space, &a, Some(&m), &vec![1.0; 1600], &mut x)?;
/// assert!(report.status == Status::Converged && report.steps < 30);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct IncompleteCholesky<T> {
    levels: Levels,
    lower: Triangle<T>,
    upper: Triangle<T>,
    inverse: Vec<T>,
    /// Where each row, in the order of levels, lies in a vector, and how long vectors are.
    place: Vec<u32>,
    total: usize,
    rows: Mutex<Buffer<f64>>,
    shift: f64,
}

impl<T: Scalar> IncompleteCholesky<T> {
    /// Factorises a symmetric matrix with a positive diagonal. Only its upper triangle is read.
    ///
    /// # Errors
    /// [`Error::Unsuited`] when it is not square; [`Error::Pivot`] for a diagonal entry that is not positive;
    /// [`Error::Structure`] for more entries than 32 bits count; [`Error::Memory`].
    pub fn new(a: &Csr<f64>, options: IncompleteOptions) -> Result<Self> {
        let n = a.rows();
        if a.cols() != n {
            return Err(Error::Unsuited {
                what: "incomplete Cholesky",
                needs: "a square matrix, which this one is not",
                mend: "use a system with as many equations as unknowns",
            });
        }
        if a.nonzeros() > u32::MAX as usize {
            return Err(Error::Structure { row: n, why: "more entries than a 32-bit index counts" });
        }
        options.check()?;
        let (mut factor, mut shift) = (Factor::of(a)?, 0.0);
        if options.threshold > 0.0 {
            (factor, shift) = factor.with_fill(options)?;
        } else {
            factor.eliminate(options);
        }
        let levels = Levels::of(&factor.offsets, &factor.columns);
        let factor = factor.in_order(&levels.order);
        let inverse = factor.pivots.iter().map(|d| T::of(1.0 / d)).collect();
        let lower = factor.transposed();
        let values = factor.values.iter().map(|v| T::of(*v)).collect();
        let upper = Triangle { offsets: factor.offsets, columns: factor.columns, values };
        let (place, rows) = (levels.order.clone(), Buffer::zeros(n)?.into());
        Ok(Self { levels, lower, upper, inverse, place, total: n, rows, shift })
    }

    /// As [`new`](Self::new), for vectors of length `total` in which row i of the matrix is entry `cells[i]`; the other
    /// entries of the result are 0. The two are what [`Stencil::to_csr`](crate::Stencil::to_csr) gives.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::Length`]; [`Error::Value`] for a cell beyond `total`.
    pub fn on_cells(a: &Csr<f64>, cells: &[u32], total: usize, options: IncompleteOptions) -> Result<Self> {
        check_len("cells", a.rows(), cells.len())?;
        if let Some(index) = cells.iter().position(|c| *c as usize >= total) {
            let value = f64::from(cells[index]);
            return Err(Error::Value {
                what: "cells",
                index,
                value,
                needs: "a cell of the vector is needed",
            });
        }
        if let Some(row) = cells.windows(2).position(|w| w[0] >= w[1]) {
            return Err(Error::Structure { row, why: "cells must ascend" });
        }
        let mut factor = Self::new(a, options)?;
        factor.place.iter_mut().for_each(|row| *row = cells[*row as usize]);
        factor.total = total;
        Ok(factor)
    }

    /// As [`new`](Self::new), with the unknowns eliminated in another order; vectors keep theirs. The reverse Cuthill–McKee
    /// order saves a fifth of the steps on meshes numbered at random, and more of the time.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::Length`] for an order of other length.
    pub fn with_order(a: &Csr<f64>, order: &Permutation, options: IncompleteOptions) -> Result<Self> {
        let permuted = a.permuted(order, order)?;
        let mut factor = Self::new(&permuted, options).map_err(|e| match e {
            Error::Pivot { what, row, pivot } => {
                Error::Pivot { what, row: order.order()[row] as usize, pivot }
            }
            other => other,
        })?;
        factor.place.iter_mut().for_each(|row| *row = order.order()[*row as usize]);
        Ok(factor)
    }

    /// α of A + α diag(A), which was factorised in place of A; 0 when nothing broke down.
    pub fn shift(&self) -> f64 {
        self.shift
    }

    /// Entries of the strict triangle.
    pub fn nonzeros(&self) -> usize {
        self.upper.columns.len()
    }

    fn solve(&self, y: &mut [f64]) {
        let inverse = |row: usize| self.inverse[row].f64();
        self.lower.sweep(&self.levels, true, y, |row, sum, r| (r - sum) * inverse(row));
        self.upper.sweep(&self.levels, false, y, |row, sum, y| y - sum * inverse(row));
    }
}

/// The strict upper triangle by rows, and the pivots.
pub(super) struct Factor {
    pub offsets: Vec<u32>,
    pub columns: Vec<u32>,
    pub values: Vec<f64>,
    pub pivots: Vec<f64>,
}

impl Factor {
    fn of(a: &Csr<f64>) -> Result<Self> {
        let n = a.rows();
        let (mut offsets, mut columns, mut values) = (vec![0u32], Vec::new(), Vec::new());
        for row in 0..n {
            let (c, v) = a.row(row);
            let beyond = c.partition_point(|c| *c as usize <= row);
            columns.extend_from_slice(&c[beyond..]);
            values.extend_from_slice(&v[beyond..]);
            offsets.push(columns.len() as u32);
        }
        let pivots = a.diagonal();
        match pivots.iter().position(|d| *d <= 0.0 || d.is_nan()) {
            Some(row) => Err(Error::Pivot { what: "incomplete Cholesky", row, pivot: pivots[row] }),
            None => Ok(Self { offsets, columns, values, pivots }),
        }
    }

    pub fn entries(&self, row: usize) -> std::ops::Range<usize> {
        self.offsets[row] as usize..self.offsets[row + 1] as usize
    }

    /// Eliminates one unknown after the other; what falls outside the pattern goes to the two diagonals it would have
    /// connected.
    fn eliminate(&mut self, IncompleteOptions { relaxation, safety, .. }: IncompleteOptions) {
        let diagonal = self.pivots.clone();
        for k in 0..self.pivots.len() {
            if self.pivots[k].is_nan() || self.pivots[k] < safety * diagonal[k] || self.pivots[k] <= 0.0 {
                self.pivots[k] = diagonal[k];
            }
            let inverse = 1.0 / self.pivots[k];
            let row = self.entries(k);
            for e in row.clone() {
                let (i, u) = (self.columns[e] as usize, self.values[e]);
                self.pivots[i] -= u * u * inverse;
                let below = self.entries(i);
                for f in e + 1..row.end {
                    let (j, fill) = (self.columns[f], u * self.values[f] * inverse);
                    match self.columns[below.clone()].binary_search(&j) {
                        Ok(at) => self.values[below.start + at] -= fill,
                        Err(_) => {
                            self.pivots[i] -= relaxation * fill;
                            self.pivots[j as usize] -= relaxation * fill;
                        }
                    }
                }
            }
        }
    }

    /// With its rows and columns in another order, which must keep it upper triangular.
    fn in_order(self, order: &[u32]) -> Self {
        let mut place = vec![0u32; order.len()];
        order.iter().enumerate().for_each(|(at, row)| place[*row as usize] = at as u32);
        let mut sorted = Self {
            offsets: Vec::with_capacity(self.offsets.len()),
            columns: Vec::with_capacity(self.columns.len()),
            values: Vec::with_capacity(self.values.len()),
            pivots: order.iter().map(|row| self.pivots[*row as usize]).collect(),
        };
        sorted.offsets.push(0);
        for row in order {
            for e in self.entries(*row as usize) {
                sorted.columns.push(place[self.columns[e] as usize]);
                sorted.values.push(self.values[e]);
            }
            sorted.offsets.push(sorted.columns.len() as u32);
        }
        sorted
    }

    /// The strict lower triangle by rows.
    fn transposed<T: Scalar>(&self) -> Triangle<T> {
        let n = self.pivots.len();
        let mut offsets = vec![0u32; n + 1];
        self.columns.iter().for_each(|c| offsets[*c as usize + 1] += 1);
        (0..n).for_each(|i| offsets[i + 1] += offsets[i]);
        let mut place = offsets.clone();
        let mut columns = vec![0u32; self.columns.len()];
        let mut values = vec![T::of(0.0); self.columns.len()];
        for row in 0..n {
            for e in self.entries(row) {
                let at = &mut place[self.columns[e] as usize];
                columns[*at as usize] = row as u32;
                values[*at as usize] = T::of(self.values[e]);
                *at += 1;
            }
        }
        Triangle { offsets, columns, values }
    }
}

impl<T: Scalar> Map for IncompleteCholesky<T> {
    fn shape(&self) -> Shape {
        Shape::square(self.total)
    }
    fn properties(&self) -> Properties {
        if self.place.len() < self.total { Properties::SEMIDEFINITE } else { Properties::SPD }
    }
}

impl<T: Scalar> Operator<Host<f64>> for IncompleteCholesky<T> {
    fn apply(&self, space: &Host<f64>, r: &[f64], z: &mut [f64]) -> Result<()> {
        check_apply(space, self.shape(), r, z)?;
        let mut rows = enter(&self.rows);
        let places = self.place.par_chunks(BLOCK);
        rows.par_chunks_mut(BLOCK).zip(places).for_each(|(v, place)| {
            v.iter_mut().zip(place).for_each(|(v, at)| *v = r[*at as usize]);
        });
        self.solve(&mut rows);
        if self.place.len() < self.total {
            z.fill(0.0);
        }
        let (rows, z) = (&rows, Shared::new(z));
        self.place.par_chunks(BLOCK).enumerate().for_each(|(block, place)| {
            for (v, at) in rows[block * BLOCK..].iter().zip(place) {
                // SAFETY: places are different, and inside: `on_cells` checked it.
                unsafe { z.get_mut(*at as usize, 1)[0] = *v };
            }
        });
        Ok(())
    }
}

impl<T: Scalar> LinearOperator<Host<f64>> for IncompleteCholesky<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Boundary, Cell, FlagLaplacian, Grid, Poisson, Stencil};

    /// M x, from the factors.
    fn multiply(m: &IncompleteCholesky<f64>, x: &[f64]) -> Vec<f64> {
        let n = x.len();
        let row = |t: &Triangle<f64>, i: usize, v: &[f64]| -> f64 {
            (t.offsets[i] as usize..t.offsets[i + 1] as usize)
                .map(|e| t.values[e] * v[t.columns[e] as usize])
                .sum()
        };
        let x: Vec<f64> = m.place.iter().map(|at| x[*at as usize]).collect();
        let u: Vec<f64> = (0..n).map(|i| x[i] + row(&m.upper, i, &x) * m.inverse[i]).collect();
        let mut y = vec![0.0; n];
        (0..n).for_each(|i| y[m.place[i] as usize] = u[i] / m.inverse[i] + row(&m.lower, i, &u));
        y
    }

    fn matrix(grid: Grid) -> Csr<f64> {
        Stencil::from(Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3]).unwrap()).to_csr().unwrap().0
    }

    #[test]
    fn a_tridiagonal_matrix_is_factorised_exactly() {
        let a = matrix(Grid::new_2d(9, 1).unwrap());
        let m = IncompleteCholesky::<f64>::new(&a, IncompleteOptions::default()).unwrap();
        let x: Vec<f64> = (0..9).map(|i| (i as f64).sin()).collect();
        let (mut b, mut z) = (vec![0.0; 9], vec![0.0; 9]);
        a.apply(&Host::new(), &x, &mut b).unwrap();
        m.apply(&Host::new(), &b, &mut z).unwrap();
        assert!(x.iter().zip(&z).all(|(x, z)| (x - z).abs() < 1e-13));
    }

    #[test]
    fn a_full_relaxation_keeps_the_row_sums() {
        let a = matrix(Grid::new_3d(5, 4, 6).unwrap());
        let options = IncompleteOptions { relaxation: 1.0, safety: 0.0, ..Default::default() };
        let m = IncompleteCholesky::<f64>::new(&a, options).unwrap();
        let ones = vec![1.0; 120];
        let (sums, mut expected) = (multiply(&m, &ones), vec![0.0; 120]);
        a.apply(&Host::new(), &ones, &mut expected).unwrap();
        assert!(sums.iter().zip(&expected).all(|(s, e)| (s - e).abs() < 1e-12));
    }

    #[test]
    fn solves_undo_the_product_of_the_factors() {
        let a = matrix(Grid::new_3d(6, 7, 5).unwrap());
        let m = IncompleteCholesky::<f64>::new(&a, IncompleteOptions::default()).unwrap();
        let x: Vec<f64> = (0..210).map(|i| ((i * 37) % 17) as f64 - 8.0).collect();
        let mut z = vec![0.0; 210];
        m.apply(&Host::new(), &multiply(&m, &x), &mut z).unwrap();
        assert!(x.iter().zip(&z).all(|(x, z)| (x - z).abs() < 1e-11));
    }

    #[test]
    fn results_have_the_same_bits_for_any_number_of_threads() {
        let a = matrix(Grid::new_3d(60, 60, 60).unwrap());
        let m = IncompleteCholesky::<f32>::new(&a, IncompleteOptions::default()).unwrap();
        let r: Vec<f64> = (0..216_000).map(|i| ((i * 7919) % 1009) as f64 - 500.0).collect();
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut z = vec![0.0; r.len()];
            pool.install(|| m.apply(&Host::new(), &r, &mut z)).unwrap();
            z
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(4));
    }

    #[test]
    fn cells_without_an_unknown_get_zero() {
        let grid = Grid::new_2d(3, 2).unwrap();
        let mut cells = [Cell::Fluid; 6];
        cells[1] = Cell::Solid;
        let a = Stencil::from(FlagLaplacian::new(grid, &cells, [[Boundary::DIRICHLET; 2]; 3]).unwrap());
        let (matrix, places) = a.to_csr().unwrap();
        let m =
            IncompleteCholesky::<f64>::on_cells(&matrix, &places, 6, IncompleteOptions::default()).unwrap();
        let mut z = [f64::NAN; 6];
        m.apply(&Host::new(), &[1.0; 6], &mut z).unwrap();
        assert!(z[1] == 0.0 && z.iter().all(|z| z.is_finite()) && z[0] > 0.0);
        let outside = IncompleteCholesky::<f64>::on_cells(&matrix, &places, 3, IncompleteOptions::default());
        assert!(matches!(outside.map(|_| ()), Err(Error::Value { .. })));
    }

    #[test]
    fn a_diagonal_that_is_not_positive_is_refused() {
        let a = Csr::from_triplets(2, 2, &[(0, 0, 1.0), (1, 1, -1.0)]).unwrap();
        let refused = IncompleteCholesky::<f64>::new(&a, IncompleteOptions::default());
        assert!(matches!(refused.map(|_| ()), Err(Error::Pivot { row: 1, .. })));
        let wide = Csr::from_triplets(1, 2, &[(0, 0, 1.0)]).unwrap();
        let refused = IncompleteCholesky::<f64>::new(&wide, IncompleteOptions::default());
        assert!(matches!(refused.map(|_| ()), Err(Error::Unsuited { .. })));
    }
}
