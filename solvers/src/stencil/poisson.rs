//! The constant-coefficient Laplacian on a box.

use super::rows::{Extent, Row, Rows};
use crate::grid::{Boundaries, Boundary, Grid, check_boundaries};
use crate::{Error, Result, Scalar};
use std::sync::{Arc, Mutex};

/// −Δ on a box by 5-point (2-D) or 7-point (3-D) finite volumes, scaled by h²: an inner face has conductance 1, so an
/// inner row reads `6 u − Σ neighbours`. Matrix-free; boundaries enter through the diagonal alone.
///
/// Symmetric, and positive definite when some side is Dirichlet; otherwise constants are its null space.
///
/// ```
/// use resolvent::{Boundary, Grid, Host, Operator, Poisson};
/// let a = Poisson::new(Grid::new_2d(3, 1)?, [[Boundary::DIRICHLET, Boundary::Neumann], [Boundary::Neumann; 2], [Boundary::Neumann; 2]])?;
/// let mut y = [0.0; 3];
/// a.apply(&Host::<f64>::new(), &[1.0, 1.0, 1.0], &mut y)?;
/// assert_eq!(y, [2.0, 0.0, 0.0]); // the prescribed value is half a cell away
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Poisson {
    grid: Grid,
    sides: Boundaries,
    conductance: [f64; 3],
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub single: Constant<f32>,
    pub double: Constant<f64>,
    pub scratch: Mutex<Vec<f64>>,
}

impl Poisson {
    /// The isotropic operator.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a Dirichlet distance that is not positive or a periodic side without its partner.
    pub fn new(grid: Grid, sides: Boundaries) -> Result<Self> {
        Self::anisotropic(grid, sides, [1.0; 3])
    }

    /// −∇·(diag(`conductance`) ∇), still scaled by h².
    ///
    /// # Errors
    /// As [`new`](Self::new), and for a conductance that is not finite and positive.
    pub fn anisotropic(grid: Grid, sides: Boundaries, conductance: [f64; 3]) -> Result<Self> {
        check_boundaries(grid, &sides)?;
        for &value in &conductance[..grid.dim()] {
            if !(value.is_finite() && value > 0.0) {
                return Err(Error::Parameter {
                    name: "conductance",
                    value,
                    needs: "a finite positive number",
                });
            }
        }
        let extent = extent(grid, &sides);
        let axes = axes(grid);
        let mut c = [0.0; 3];
        let mut ends = [[0.0; 2]; 3];
        for d in 0..grid.dim() {
            c[axes[d]] = conductance[d];
            ends[axes[d]] = sides[d].map(|s| s.conductance() * conductance[d]);
        }
        let inner = Inner {
            single: Constant::new(extent, c, ends),
            double: Constant::new(extent, c, ends),
            scratch: Mutex::new(vec![0.0; extent.n[2]]),
        };
        Ok(Self { grid, sides, conductance, inner: Arc::new(inner) })
    }

    /// The cells.
    pub fn grid(&self) -> Grid {
        self.grid
    }
    /// What happens on the sides.
    pub fn sides(&self) -> &Boundaries {
        &self.sides
    }
    /// The conductance of an inner face along x, y, z.
    pub fn conductance(&self) -> [f64; 3] {
        self.conductance
    }
}

/// Where the grid's dimensions lie in the box of rows: a 2-D grid's y is the slowest dimension.
pub(crate) fn axes(grid: Grid) -> [usize; 3] {
    if grid.dim() == 2 { [0, 2, 1] } else { [0, 1, 2] }
}

/// The box of rows of a grid.
pub(crate) fn extent(grid: Grid, sides: &Boundaries) -> Extent {
    let mut e = Extent { n: [1; 3], periodic: [false; 3] };
    for (d, axis) in axes(grid).into_iter().enumerate().take(grid.dim()) {
        e.n[axis] = grid.n()[d];
        // A single periodic cell is its own neighbour: nothing flows.
        e.periodic[axis] = sides[d][0] == Boundary::Periodic && grid.n()[d] > 1;
    }
    e
}

/// Constant coefficients: one number for each dimension and a few rows of diagonals.
#[derive(Clone, Debug)]
pub(crate) struct Constant<T> {
    extent: Extent,
    /// Conductances of inner faces.
    pub c: [f64; 3],
    /// Conductances to the prescribed values at both ends of each dimension.
    pub ends: [[f64; 2]; 3],
    coefficients: [T; 3],
    /// Diagonals and their inverses, for the 16 kinds of row.
    diagonals: Vec<T>,
    inverses: Vec<T>,
    zeros: Vec<T>,
}

impl<T: Scalar> Constant<T> {
    pub fn new(extent: Extent, c: [f64; 3], ends: [[f64; 2]; 3]) -> Self {
        let nx = extent.n[0];
        let along = |axis: usize, low: bool, high: bool| {
            let side = |at: bool, end: usize| if at { ends[axis][end] } else { c[axis] };
            side(low && !extent.periodic[axis], 0) + side(high && !extent.periodic[axis], 1)
        };
        let mut diagonals = Vec::with_capacity(16 * nx);
        for kind in 0..16 {
            let across = along(1, kind & 1 != 0, kind & 2 != 0) + along(2, kind & 4 != 0, kind & 8 != 0);
            diagonals.extend((0..nx).map(|i| T::of(across + along(0, i == 0, i + 1 == nx))));
        }
        let zero = T::of(0.0);
        let inverses = diagonals.iter().map(|&d| if d > zero { T::of(1.0) / d } else { zero }).collect();
        Self { extent, c, ends, coefficients: c.map(T::of), diagonals, inverses, zeros: vec![zero; nx] }
    }

    /// Which of the 16 kinds of row (j, k) is: touching the low and high ends of y and z.
    #[inline(always)]
    pub fn kind(extent: Extent, j: usize, k: usize) -> usize {
        let [_, ny, nz] = extent.n;
        usize::from(j == 0)
            + 2 * usize::from(j + 1 == ny)
            + 4 * usize::from(k == 0)
            + 8 * usize::from(k + 1 == nz)
    }

    /// The diagonal of each cell of a row, for one kind after the other.
    #[cfg(feature = "cuda")]
    pub fn diagonals(&self) -> &[T] {
        &self.diagonals
    }

    /// 1/diagonal of each cell of a row, for one kind after the other.
    pub fn inverses(&self) -> &[T] {
        &self.inverses
    }

    /// Whether no value is prescribed anywhere.
    pub fn is_singular(&self) -> bool {
        self.ends.iter().flatten().all(|g| *g == 0.0)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct ConstantRow<'a, T> {
    c: [T; 3],
    diagonals: &'a [T],
    inverses: &'a [T],
}

impl<T: Scalar> Row<T> for ConstantRow<'_, T> {
    #[inline(always)]
    unsafe fn off(self, _i: usize, x: [T; 6]) -> T {
        self.c[0] * (x[0] + x[1]) + self.c[1] * (x[2] + x[3]) + self.c[2] * (x[4] + x[5])
    }
    #[inline(always)]
    unsafe fn diag(self, i: usize) -> T {
        // SAFETY: i < nx, the length of a row of the table.
        unsafe { *self.diagonals.get_unchecked(i) }
    }
    #[inline(always)]
    unsafe fn inv(self, i: usize) -> T {
        // SAFETY: as above.
        unsafe { *self.inverses.get_unchecked(i) }
    }
}

impl<T: Scalar> Rows<T> for Constant<T> {
    type Row<'a> = ConstantRow<'a, T>;
    #[inline(always)]
    fn extent(&self) -> Extent {
        self.extent
    }
    #[inline(always)]
    fn row(&self, j: usize, k: usize) -> ConstantRow<'_, T> {
        let (nx, kind) = (self.extent.n[0], Self::kind(self.extent, j, k));
        let table = kind * nx..(kind + 1) * nx;
        ConstantRow {
            c: self.coefficients,
            diagonals: &self.diagonals[table.clone()],
            inverses: &self.inverses[table],
        }
    }
    #[inline(always)]
    fn zeros(&self) -> &[T] {
        &self.zeros
    }
}
