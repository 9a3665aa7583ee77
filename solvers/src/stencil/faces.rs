//! The Laplacian with a conductance on every face.

use super::floating::{Floating, Joints, Run};
use super::poisson::{axes, extent};
use super::rows::{Extent, Row, Rows};
use crate::error::check_len;
use crate::grid::{Boundaries, Boundary, Grid, check_boundaries};
use crate::{Error, Result, Scalar};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// −∇·(κ∇) on a box by finite volumes with a conductance on every face, scaled by h².
///
/// Row i reads Σ g (u_i − u_neighbour) + s_i u_i over its faces, with s ≥ 0 an optional sink. Cells without an open face
/// take no part: their rows are zero. Symmetric; positive definite on the others when a side or a sink prescribes a value in
/// each connected part of them, else constants on each part without one are in the null space.
///
/// Bytes an unknown of one product in f64: 40 in 3-D (x read, y written, three conductances), 32 in 2-D.
#[derive(Clone, Debug)]
pub struct FaceLaplacian<T> {
    grid: Grid,
    active: usize,
    floating: Arc<Floating>,
    pub(crate) faces: Arc<Faces<T>>,
    pub(crate) scratch: Arc<Mutex<Vec<f64>>>,
}

impl<T: Scalar> FaceLaplacian<T> {
    /// From conductances: `faces[0]: [(nx+1) ny nz]`, `faces[1]: [nx (ny+1) nz]`, `faces[2]: [nx ny (nz+1)]`, x fastest
    /// (2-D: `[(nx+1) ny]`, `[nx (ny+1)]`, empty). The outermost faces hold the conductance to the prescribed value, 0 for
    /// none; where `periodic`, both hold that of the one face they are.
    ///
    /// # Errors
    /// [`Error::Length`]; [`Error::Value`] for a conductance that is negative or not finite, or for two periodic faces
    /// that differ.
    pub fn new(grid: Grid, faces: [Vec<T>; 3], periodic: [bool; 3]) -> Result<Self> {
        Self::with_sink(grid, faces, periodic, None)
    }

    /// As [`new`](Self::new) with a sink s ≥ 0 for each cell, `[grid.cells()]`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_sink(
        grid: Grid,
        mut faces: [Vec<T>; 3],
        periodic: [bool; 3],
        sink: Option<Vec<T>>,
    ) -> Result<Self> {
        let mut sides = [[Boundary::Neumann; 2]; 3];
        for d in 0..3 {
            if periodic[d] {
                sides[d] = [Boundary::Periodic; 2];
            }
        }
        let extent = extent(grid, &sides);
        const NAMES: [&str; 3] = ["x faces", "y faces", "z faces"];
        for d in 0..3 {
            let expected = if d < grid.dim() { grid.cells() / grid.n()[d] * (grid.n()[d] + 1) } else { 0 };
            check_len(NAMES[d], expected, faces[d].len())?;
            check_values(NAMES[d], &faces[d])?;
            if periodic[d] && d < grid.dim() && grid.n()[d] == 1 {
                // A single periodic cell is its own neighbour: nothing flows.
                faces[d].fill(T::of(0.0));
            }
        }
        if let Some(sink) = &sink {
            check_len("sink", grid.cells(), sink.len())?;
            check_values("sink", sink)?;
        }
        let [x, y, z] = faces;
        let g = if grid.dim() == 2 { [x, Vec::new(), y] } else { [x, y, z] };
        let faces = Faces { extent, g, sink, zeros: vec![T::of(0.0); extent.n[0] + 1] };
        faces.check_periodic()?;
        Ok(Self::from_faces(grid, faces))
    }

    pub(crate) fn from_faces(grid: Grid, faces: Faces<T>) -> Self {
        let (active, floating) = (faces.active(), Arc::new(Floating::find(&faces)));
        let scratch = Arc::new(Mutex::new(vec![0.0; faces.extent.n[2]]));
        Self { grid, active, floating, faces: Arc::new(faces), scratch }
    }

    /// From a coefficient for each cell, `kappa: [grid.cells()]`: a face has the harmonic mean of its two cells, a
    /// Dirichlet side κ/distance. Cells with κ = 0 take no part.
    ///
    /// # Errors
    /// [`Error::Length`]; [`Error::Value`] for a coefficient that is negative or not finite; [`Error::Parameter`] for
    /// sides as in [`Poisson::new`](crate::Poisson::new).
    pub fn from_cells(grid: Grid, kappa: &[f64], sides: Boundaries) -> Result<Self> {
        check_len("kappa", grid.cells(), kappa.len())?;
        check_boundaries(grid, &sides)?;
        check_values("kappa", kappa)?;
        let extent = extent(grid, &sides);
        let mut ends = [[0.0; 2]; 3];
        for d in 0..grid.dim() {
            ends[axes(grid)[d]] = sides[d].map(Boundary::conductance);
        }
        let faces = Faces::from_fn(extent, grid.dim(), |axis, low, high| match (low, high) {
            (Some(a), Some(b)) => {
                let (a, b) = (kappa[a], kappa[b]);
                // Twice the product over the sum, without overflow or 0/0.
                if a == 0.0 || b == 0.0 { 0.0 } else { 2.0 / (1.0 / a + 1.0 / b) }
            }
            (None, Some(b)) => kappa[b] * ends[axis][0],
            (Some(a), None) => kappa[a] * ends[axis][1],
            (None, None) => 0.0,
        });
        Ok(Self::from_faces(grid, faces))
    }

    /// The cells.
    pub fn grid(&self) -> Grid {
        self.grid
    }
    /// How many cells carry an unknown.
    pub fn active(&self) -> usize {
        self.active
    }
    /// Whether somewhere cells joined by open faces lead to no prescribed value.
    pub fn is_singular(&self) -> bool {
        *self.floating != Floating::Nowhere
    }
    pub(crate) fn floating(&self) -> &Floating {
        &self.floating
    }
}

fn check_values<T: Scalar>(what: &'static str, values: &[T]) -> Result<()> {
    match values.par_iter().position_first(|v| !(v.is_finite() && *v >= T::of(0.0))) {
        Some(index) => Err(Error::Value {
            what,
            index,
            value: values[index].f64(),
            needs: "a conductance is a finite number ≥ 0",
        }),
        None => Ok(()),
    }
}

/// Conductances of all faces of a box. An absent dimension has no array.
#[derive(Clone, Debug)]
pub(crate) struct Faces<T> {
    pub extent: Extent,
    /// `g[a]` has one more layer than there are cells along a.
    pub g: [Vec<T>; 3],
    pub sink: Option<Vec<T>>,
    /// nx + 1 zeros.
    pub zeros: Vec<T>,
}

impl<T: Scalar> Faces<T> {
    /// From a function of the axis and the cells below and above a face.
    pub fn from_fn(
        extent: Extent,
        dim: usize,
        face: impl Fn(usize, Option<usize>, Option<usize>) -> f64 + Sync,
    ) -> Self {
        let mut g = [const { Vec::new() }; 3];
        for (axis, g) in g.iter_mut().enumerate() {
            if axis == 1 && dim == 2 {
                continue;
            }
            let mut layers = extent.n;
            layers[axis] += 1;
            *g = vec![T::of(0.0); layers.iter().product()];
            g.par_chunks_mut(layers[0]).enumerate().for_each(|(row, g)| {
                for (i, g) in g.iter_mut().enumerate() {
                    let at = [i, row % layers[1], row / layers[1]];
                    let n = extent.n[axis];
                    let cell = |layer: usize| {
                        let mut c = at;
                        c[axis] = layer;
                        c[0] + extent.n[0] * (c[1] + extent.n[1] * c[2])
                    };
                    let low = if at[axis] > 0 {
                        Some(cell(at[axis] - 1))
                    } else {
                        extent.periodic[axis].then(|| cell(n - 1))
                    };
                    let high = if at[axis] < n {
                        Some(cell(at[axis]))
                    } else {
                        extent.periodic[axis].then(|| cell(0))
                    };
                    *g = T::of(face(axis, low, high));
                }
            });
        }
        Self { extent, g, sink: None, zeros: vec![T::of(0.0); extent.n[0] + 1] }
    }

    /// The conductances below and above cell `at` along `axis`.
    #[inline(always)]
    pub fn pair(&self, axis: usize, at: [usize; 3]) -> [T; 2] {
        let g = &self.g[axis];
        if g.is_empty() {
            return [T::of(0.0); 2];
        }
        let [nx, ny, _] = self.extent.n;
        let [i, j, k] = at;
        match axis {
            0 => {
                let f = i + (nx + 1) * (j + ny * k);
                [g[f], g[f + 1]]
            }
            1 => {
                let f = i + nx * (j + (ny + 1) * k);
                [g[f], g[f + nx]]
            }
            _ => {
                let f = i + nx * (j + ny * k);
                [g[f], g[f + nx * ny]]
            }
        }
    }

    /// The same conductances in another precision.
    pub fn cast<U: Scalar>(&self) -> Faces<U> {
        let cast = |v: &Vec<T>| v.par_iter().map(|v| U::of(v.f64())).collect::<Vec<U>>();
        Faces {
            extent: self.extent,
            g: std::array::from_fn(|a| cast(&self.g[a])),
            sink: self.sink.as_ref().map(cast),
            zeros: cast(&self.zeros),
        }
    }

    fn check_periodic(&self) -> Result<()> {
        let [nx, ny, nz] = self.extent.n;
        for axis in (0..3).filter(|a| self.extent.periodic[*a]) {
            let across: Vec<[usize; 3]> = match axis {
                0 => (0..ny * nz).map(|r| [0, r % ny, r / ny]).collect(),
                1 => (0..nx * nz).map(|r| [r % nx, 0, r / nx]).collect(),
                _ => (0..nx * ny).map(|r| [r % nx, r / nx, 0]).collect(),
            };
            for (index, mut at) in across.into_iter().enumerate() {
                let low = self.pair(axis, at)[0];
                at[axis] = self.extent.n[axis] - 1;
                let high = self.pair(axis, at)[1];
                if low != high {
                    let needs =
                        "the first and the last face of a periodic dimension are one face and must agree";
                    return Err(Error::Value { what: "periodic face", index, value: high.f64(), needs });
                }
            }
        }
        Ok(())
    }

    fn active(&self) -> usize {
        let [nx, ny, nz] = self.extent.n;
        (0..ny * nz)
            .into_par_iter()
            .map(|r| {
                let row = self.row(r % ny, r / ny);
                // SAFETY: i < nx.
                (0..nx).filter(|&i| unsafe { row.diag(i) } > T::of(0.0)).count()
            })
            .sum()
    }
}

impl<T: Scalar> Joints for Faces<T> {
    fn extent(&self) -> Extent {
        self.extent
    }

    fn runs(&self, j: usize, k: usize) -> Vec<Run> {
        let (e, zero, row) = (self.extent, T::of(0.0), self.row(j, k));
        let [nx, ny, nz] = e.n;
        let end = |axis: usize, at: bool| at && !e.periodic[axis];
        let [s, n, b, t] = row.across;
        let outer =
            [(s, end(1, j == 0)), (n, end(1, j + 1 == ny)), (b, end(2, k == 0)), (t, end(2, k + 1 == nz))];
        let grounded = |i: usize| {
            row.sink[i] > zero
                || (end(0, i == 0) && row.x[0] > zero)
                || (end(0, i + 1 == nx) && row.x[nx] > zero)
                || outer.iter().any(|(g, ends)| *ends && g[i] > zero)
        };
        let mut runs: Vec<Run> = Vec::new();
        for i in 0..nx {
            // SAFETY: i < nx.
            if unsafe { row.diag(i) } > zero {
                match runs.last_mut().filter(|run| run.cells.end == i && row.x[i] > zero) {
                    Some(run) => run.cells.end += 1,
                    None => runs.push(Run { cells: i..i + 1, grounded: false }),
                }
            }
        }
        runs.iter_mut().for_each(|run| run.grounded = run.cells.clone().any(grounded));
        runs
    }

    fn closes(&self, j: usize, k: usize) -> bool {
        self.row(j, k).x[0] > T::of(0.0)
    }

    fn opens(&self, axis: usize, [j, k]: [usize; 2], cells: Range<usize>) -> bool {
        let [_, n, _, t] = self.row(j, k).across;
        let faces = if axis == 1 { n } else { t };
        faces[cells].iter().any(|g| *g > T::of(0.0))
    }
}

/// The conductances around one row.
#[derive(Clone, Copy)]
pub(crate) struct FaceRow<'a, T> {
    x: &'a [T],
    /// South, north, bottom, top.
    across: [&'a [T]; 4],
    sink: &'a [T],
}

impl<T: Scalar> Row<T> for FaceRow<'_, T> {
    #[inline(always)]
    unsafe fn off(self, i: usize, x: [T; 6]) -> T {
        let [s, n, b, t] = self.across;
        // SAFETY: i < nx, the length of each slice; x faces have nx + 1.
        unsafe {
            (*self.x.get_unchecked(i) * x[0] + *self.x.get_unchecked(i + 1) * x[1])
                + (*s.get_unchecked(i) * x[2] + *n.get_unchecked(i) * x[3])
                + (*b.get_unchecked(i) * x[4] + *t.get_unchecked(i) * x[5])
        }
    }
    #[inline(always)]
    unsafe fn diag(self, i: usize) -> T {
        let [s, n, b, t] = self.across;
        // SAFETY: as above.
        unsafe {
            (*self.x.get_unchecked(i) + *self.x.get_unchecked(i + 1))
                + (*s.get_unchecked(i) + *n.get_unchecked(i))
                + (*b.get_unchecked(i) + *t.get_unchecked(i))
                + *self.sink.get_unchecked(i)
        }
    }
}

impl<T: Scalar> Rows<T> for Faces<T> {
    type Row<'a> = FaceRow<'a, T>;
    #[inline(always)]
    fn extent(&self) -> Extent {
        self.extent
    }
    #[inline(always)]
    fn row(&self, j: usize, k: usize) -> FaceRow<'_, T> {
        let [nx, ny, _] = self.extent.n;
        let zeros = &self.zeros[..nx];
        let row = |axis: usize, start: usize| {
            if self.g[axis].is_empty() { zeros } else { &self.g[axis][start..start + nx] }
        };
        let x = if self.g[0].is_empty() {
            &self.zeros[..]
        } else {
            &self.g[0][(nx + 1) * (j + ny * k)..][..nx + 1]
        };
        let (s, b) = (nx * (j + (ny + 1) * k), nx * (j + ny * k));
        FaceRow {
            x,
            across: [row(1, s), row(1, s + nx), row(2, b), row(2, b + nx * ny)],
            sink: self.sink.as_ref().map_or(zeros, |v| &v[b..b + nx]),
        }
    }
    #[inline(always)]
    fn zeros(&self) -> &[T] {
        &self.zeros
    }
}
