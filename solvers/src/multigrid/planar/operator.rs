//! The 5- and 9-point operators of planar levels.

use crate::Scalar;
use crate::stencil::faces::Faces;
use crate::stencil::rows::{Extent, Near, Rows, Shared};
use faer::Mat;
use rayon::prelude::*;

/// The couplings of one point, all ≥ 0 for an M-matrix: row by row from south-west to north-east, with the diagonal in the
/// middle.
pub(crate) type Couplings = [f64; 9];

/// An operator on the points of a plane, whose rows are the slowest dimension.
pub(crate) trait Planar<T: Scalar>: Sync {
    /// Points along x and rows.
    fn size(&self) -> [usize; 2];
    /// The couplings of point (i, k).
    fn couplings(&self, i: usize, k: usize) -> Couplings;
    /// out ← Σ couplings × neighbours of row `k` of `e`.
    ///
    /// # Safety
    /// No thread writes to the cells that are read.
    unsafe fn off(&self, e: Shared<T>, k: usize, out: &mut [T]);
    /// The parities of x smoothed one after the other in row `k` in phase 0 or 1 of a sweep.
    fn parities(&self, k: usize, phase: usize) -> &'static [usize];
}

impl<T: Scalar> Planar<T> for Faces<T> {
    fn size(&self) -> [usize; 2] {
        [self.extent.n[0], self.extent.n[2]]
    }

    fn couplings(&self, i: usize, k: usize) -> Couplings {
        let at = [i, 0, k];
        let [w, e] = self.pair(0, at).map(Scalar::f64);
        let [s, n] = self.pair(2, at).map(Scalar::f64);
        let sink = self.sink.as_ref().map_or(0.0, |v| v[i + self.extent.start(0, k)].f64());
        let [nx, nz] = Planar::size(self);
        let inner = |ok: bool, g: f64| if ok { g } else { 0.0 };
        [
            0.0,
            inner(k > 0, s),
            0.0,
            inner(i > 0, w),
            w + e + s + n + sink,
            inner(i + 1 < nx, e),
            0.0,
            inner(k + 1 < nz, n),
            0.0,
        ]
    }

    #[inline(always)]
    unsafe fn off(&self, e: Shared<T>, k: usize, out: &mut [T]) {
        // SAFETY: the caller's.
        unsafe { Near::new(self.extent, Rows::zeros(self), e, 0, k).off(self.row(0, k), 0, out) };
    }

    fn parities(&self, k: usize, phase: usize) -> &'static [usize] {
        if (k + phase).is_multiple_of(2) { &[0] } else { &[1] }
    }
}

/// A symmetric 9-point operator: diagonals and the couplings to the east, north-west, north and north-east.
#[derive(Clone, Debug)]
pub(crate) struct Nine<T> {
    pub n: [usize; 2],
    pub diagonal: Vec<T>,
    pub east: Vec<T>,
    /// To row k + 1 at x − 1, x, x + 1.
    pub north: [Vec<T>; 3],
    /// A row: what lies beyond the first and the last one.
    zeros: Vec<T>,
}

impl<T: Scalar> Nine<T> {
    pub fn zeros(n: [usize; 2]) -> Self {
        let zeros = || vec![T::of(0.0); n[0] * n[1]];
        let row = vec![T::of(0.0); n[0]];
        Self { n, diagonal: zeros(), east: zeros(), north: [zeros(), zeros(), zeros()], zeros: row }
    }

    pub fn extent(&self) -> Extent {
        Extent { n: [self.n[0], 1, self.n[1]], periodic: [false; 3] }
    }
}

impl<T: Scalar> Planar<T> for Nine<T> {
    fn size(&self) -> [usize; 2] {
        self.n
    }

    fn couplings(&self, i: usize, k: usize) -> Couplings {
        let [nx, _] = self.n;
        let c = i + nx * k;
        let below = |d: usize, ok: bool, shift: isize| {
            if k > 0 && ok { self.north[d][(c - nx).wrapping_add_signed(shift)].f64() } else { 0.0 }
        };
        [
            below(2, i > 0, -1),
            below(1, true, 0),
            below(0, i + 1 < nx, 1),
            if i > 0 { self.east[c - 1].f64() } else { 0.0 },
            self.diagonal[c].f64(),
            self.east[c].f64(),
            self.north[0][c].f64(),
            self.north[1][c].f64(),
            self.north[2][c].f64(),
        ]
    }

    #[inline(always)]
    unsafe fn off(&self, e: Shared<T>, k: usize, out: &mut [T]) {
        let [nx, nz] = self.n;
        // SAFETY: the caller's.
        let row = |k: Option<usize>| k.map_or(&self.zeros[..], |k| unsafe { e.get(k * nx, nx) });
        let north = |k: Option<usize>| {
            [0, 1, 2].map(|d: usize| k.map_or(&self.zeros[..], |k| &self.north[d][k * nx..(k + 1) * nx]))
        };
        let below = k.checked_sub(1);
        let [b, c, t] = [row(below), row(Some(k)), row((k + 1 < nz).then_some(k + 1))];
        let (east, [nw, n, ne], [south_nw, south, south_ne]) =
            (&self.east[k * nx..(k + 1) * nx], north(Some(k)), north(below));
        let out = &mut out[..nx];
        // The ends have no neighbour beyond.
        for i in [0, nx - 1] {
            let mut sum = n[i] * t[i] + south[i] * b[i];
            if i > 0 {
                sum += east[i - 1] * c[i - 1] + nw[i] * t[i - 1] + south_ne[i - 1] * b[i - 1];
            }
            if i + 1 < nx {
                sum += east[i] * c[i + 1] + ne[i] * t[i + 1] + south_nw[i + 1] * b[i + 1];
            }
            out[i] = sum;
        }
        let Some(m) = nx.checked_sub(2) else { return };
        // Of each row what begins at its first, second and third point, of one length so that nothing is checked.
        let (ew, ee) = (&east[..m], &east[1..][..m]);
        let (cw, ce) = (&c[..m], &c[2..][..m]);
        let (tw, tm, te) = (&t[..m], &t[1..][..m], &t[2..][..m]);
        let (bw, bm, be) = (&b[..m], &b[1..][..m], &b[2..][..m]);
        let (nw, n, ne) = (&nw[1..][..m], &n[1..][..m], &ne[1..][..m]);
        let (se, s, sw) = (&south_nw[2..][..m], &south[1..][..m], &south_ne[..m]);
        let out = &mut out[1..][..m];
        for i in 0..m {
            out[i] = (ew[i] * cw[i] + ee[i] * ce[i])
                + (n[i] * tm[i] + nw[i] * tw[i] + ne[i] * te[i])
                + (s[i] * bm[i] + sw[i] * bw[i] + se[i] * be[i]);
        }
    }

    fn parities(&self, k: usize, phase: usize) -> &'static [usize] {
        // Four colours: even rows before odd ones, even points before odd ones.
        if k % 2 == phase { &[0, 1] } else { &[] }
    }
}

/// 1 / diagonal of every point, 0 where it takes no part.
pub(crate) fn inverse<T: Scalar, A: Planar<T>>(a: &A) -> Vec<T> {
    let [nx, nz] = a.size();
    let value = |c: usize| {
        let d = a.couplings(c % nx, c / nx)[4];
        T::of(if d > 0.0 { 1.0 / d } else { 0.0 })
    };
    (0..nx * nz).into_par_iter().map(value).collect()
}

/// The matrix of a level.
pub(crate) fn dense<T: Scalar, A: Planar<T>>(a: &A) -> Mat<f64> {
    let [nx, nz] = a.size();
    let mut m = Mat::zeros(nx * nz, nx * nz);
    for k in 0..nz {
        for i in 0..nx {
            for (q, g) in a.couplings(i, k).into_iter().enumerate() {
                let (x, z) = (i + q % 3, k + q / 3);
                if g != 0.0 && x >= 1 && z >= 1 && x <= nx && z <= nz {
                    m[(i + nx * k, x - 1 + nx * (z - 1))] = if q == 4 { g } else { -g };
                }
            }
        }
    }
    m
}
