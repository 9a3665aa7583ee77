//! Coarse operators by finite-volume upscaling.
//!
//! Two coarse cells are joined by the fine faces on their common border, in parallel; each carries the series of half a
//! cell inside the fine cell on either side and the face itself. For a uniform grid this is the discretisation on twice
//! the spacing; across a jump it keeps what conducts and cuts what does not, and a channel between solids keeps its
//! conductance, so every level has the same 5 or 7 points. The weights of [`super::weights`] come from the same
//! resistances: how far along the way to the next centre a fine cell lies. (Cell-centred multigrid for jumps: P. Wesseling,
//! M. Khalil, J. Comput. Phys. 98 (1992), 1–10, 10.1016/0021-9991(92)90168-X; that coarse operators must take the
//! distance between centres into account: D. Braess, Computing 55 (1995), 379–393, 10.1007/BF02238488.)

use super::level::Halving;
use super::pattern::Pattern;
use super::tuning::Tuning;
use super::weights::Packed;
use crate::Scalar;
use crate::stencil::faces::Faces;
use crate::stencil::flags::Flags;
use crate::stencil::poisson::Constant;
use crate::stencil::rows::Extent;
use rayon::prelude::*;

/// Face conductances of a level, whatever it is stored as.
pub(crate) trait Conductances: Sync {
    fn extent(&self) -> Extent;
    /// The conductances below and above a cell along `axis`; the outermost ones lead to prescribed values.
    fn pair(&self, axis: usize, at: [usize; 3]) -> [f64; 2];
    /// The conductance to a prescribed value that is no face's.
    fn sink(&self, at: [usize; 3]) -> f64;
    /// Sets true where a cell of row (j, k), which has neighbours on both sides across, has all faces of conductance `open`
    /// and no sink. What is said of the first and the last cell does not matter.
    fn plain(&self, open: [f64; 3], row: [usize; 2], plain: &mut [bool]);
    /// Whether a cell has an unknown.
    #[inline(always)]
    fn is_active(&self, at: [usize; 3]) -> bool {
        (0..3).any(|a| self.pair(a, at).iter().any(|g| *g > 0.0)) || self.sink(at) > 0.0
    }
}

impl<T: Scalar> Conductances for Faces<T> {
    fn extent(&self) -> Extent {
        self.extent
    }
    #[inline(always)]
    fn pair(&self, axis: usize, at: [usize; 3]) -> [f64; 2] {
        Faces::pair(self, axis, at).map(Scalar::f64)
    }
    #[inline(always)]
    fn sink(&self, [i, j, k]: [usize; 3]) -> f64 {
        self.sink.as_ref().map_or(0.0, |s| s[i + self.extent.start(j, k)].f64())
    }
    fn plain(&self, open: [f64; 3], [j, k]: [usize; 2], plain: &mut [bool]) {
        let [nx, ny, _] = self.extent.n;
        let open = open.map(T::of);
        plain.fill(true);
        let mut keep = |g: &[T], open: T| {
            for (p, g) in plain.iter_mut().zip(g) {
                *p &= *g == open;
            }
        };
        if self.extent.n[0] > 1 && !self.g[0].is_empty() {
            let x = &self.g[0][(nx + 1) * (j + ny * k)..][..nx + 1];
            keep(&x[..nx], open[0]);
            keep(&x[1..], open[0]);
        }
        if ny > 1 && !self.g[1].is_empty() {
            let y = &self.g[1][nx * (j + (ny + 1) * k)..];
            keep(&y[..nx], open[1]);
            keep(&y[nx..], open[1]);
        }
        if self.extent.n[2] > 1 && !self.g[2].is_empty() {
            let z = &self.g[2][nx * (j + ny * k)..];
            keep(&z[..nx], open[2]);
            keep(&z[nx * ny..], open[2]);
        }
        if let Some(sink) = &self.sink {
            keep(&sink[self.extent.start(j, k)..][..nx], T::of(0.0));
        }
    }
}

impl<T: Scalar> Conductances for Constant<T> {
    fn extent(&self) -> Extent {
        crate::stencil::rows::Rows::extent(self)
    }
    #[inline(always)]
    fn pair(&self, axis: usize, at: [usize; 3]) -> [f64; 2] {
        let e = Conductances::extent(self);
        let (i, n) = (at[axis], e.n[axis]);
        let side = |outer: bool, end: usize| {
            if outer && !e.periodic[axis] { self.ends[axis][end] } else { self.c[axis] }
        };
        [side(i == 0, 0), side(i + 1 == n, 1)]
    }
    fn sink(&self, _at: [usize; 3]) -> f64 {
        0.0
    }
    fn plain(&self, _open: [f64; 3], _row: [usize; 2], plain: &mut [bool]) {
        plain.fill(true);
    }
}

impl<T: Scalar> Flags<T> {
    #[inline(always)]
    fn diagonal_at(&self, [i, j, k]: [usize; 3]) -> u8 {
        self.diagonal[i + Conductances::extent(self).start(j, k)]
    }
}

impl<T: Scalar> Conductances for Flags<T> {
    fn extent(&self) -> Extent {
        crate::stencil::rows::Rows::extent(self)
    }
    #[inline(always)]
    fn pair(&self, axis: usize, at: [usize; 3]) -> [f64; 2] {
        if self.diagonal_at(at) == 0 {
            return [0.0; 2];
        }
        let e = Conductances::extent(self);
        let side = |up: bool| match e.next(axis, at[axis], up) {
            Some(next) => {
                let mut there = at;
                there[axis] = next;
                if self.diagonal_at(there) > 0 { 1.0 } else { 0.0 }
            }
            None => f64::from(self.ends[axis][usize::from(up)]),
        };
        [side(false), side(true)]
    }
    #[inline(always)]
    fn sink(&self, at: [usize; 3]) -> f64 {
        let open: f64 = (0..3).map(|a| self.pair(a, at).iter().sum::<f64>()).sum();
        f64::from(self.diagonal_at(at)) - open
    }
    fn plain(&self, _open: [f64; 3], [j, k]: [usize; 2], plain: &mut [bool]) {
        let e = Conductances::extent(self);
        let nx = e.n[0];
        let row = |j: usize, k: usize| &self.diagonal[e.start(j, k)..][..nx];
        let c = row(j, k);
        for (i, p) in plain.iter_mut().enumerate().skip(1).take(nx.saturating_sub(2)) {
            *p = c[i - 1].min(c[i]).min(c[i + 1]) > 0;
        }
        let mut keep = |near: &[u8]| plain.iter_mut().zip(near).for_each(|(p, d)| *p &= *d > 0);
        if e.n[1] > 1 {
            keep(row(j - 1, k));
            keep(row(j + 1, k));
        }
        if e.n[2] > 1 {
            keep(row(j, k - 1));
            keep(row(j, k + 1));
        }
    }
    #[inline(always)]
    fn is_active(&self, at: [usize; 3]) -> bool {
        self.diagonal_at(at) > 0
    }
}

/// The mean conductance of the open inner faces along each dimension; 0 for a dimension of one cell.
pub(crate) fn means(g: &impl Conductances) -> [f64; 3] {
    let e = g.extent();
    let [nx, ny, nz] = e.n;
    let total: Vec<[(f64, usize); 3]> = (0..nz)
        .into_par_iter()
        .map(|k| {
            let mut sums = [(0.0, 0usize); 3];
            for j in 0..ny {
                for i in 0..nx {
                    let at = [i, j, k];
                    for a in 0..3 {
                        // The face above each cell but the last.
                        if at[a] + 1 < e.n[a] {
                            let v = g.pair(a, at)[1];
                            if v > 0.0 {
                                sums[a].0 += v;
                                sums[a].1 += 1;
                            }
                        }
                    }
                }
            }
            sums
        })
        .collect();
    std::array::from_fn(|a| {
        let (sum, count) = total.iter().fold((0.0, 0), |(s, c), t| (s + t[a].0, c + t[a].1));
        if count > 0 { sum / count as f64 } else { 0.0 }
    })
}

/// How the coefficient of a cell is told from the conductances of its faces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Estimate {
    /// The largest: where only a geometry differs from cell to cell, and faces are partly closed.
    Largest,
    /// The mean over open faces: where coefficients are rough. A face's harmonic mean hides a conducting cell behind its
    /// neighbours, and makes up to twice too much of one that conducts little beside one that does.
    Mean,
}

/// The levels of one geometry: what is known of their places, and what is made of it.
#[derive(Clone, Copy)]
pub(crate) struct Geometry<'a> {
    pub pattern: &'a Pattern,
    pub tuning: &'a Tuning,
    /// Levels above this one.
    pub depth: usize,
}

impl Geometry<'_> {
    /// The conductance of an open face of the next level.
    pub fn coarse(self, halve: [bool; 3]) -> [f64; 3] {
        strands(self.pattern.open, halve)
    }
}

/// The conductances of open coarse faces over fine ones of conductance `open`: as many in parallel as cross a coarse face.
fn strands(open: [f64; 3], halve: [bool; 3]) -> [f64; 3] {
    std::array::from_fn(|a| {
        let across: f64 = (0..3).filter(|b| *b != a && halve[*b]).map(|_| 2.0).product();
        open[a] * across * if halve[a] { 0.5 } else { 1.0 }
    })
}

/// The coefficient of each cell in units of the mean conductances; 0 where a cell takes no part.
fn coefficients(
    g: &impl Conductances,
    mean: [f64; 3],
    estimate: Estimate,
    geometry: Option<Geometry>,
) -> Vec<f32> {
    let e = g.extent();
    let [nx, ny, _] = e.n;
    let mut kappa = vec![0f32; e.cells()];
    kappa.par_chunks_mut(nx).enumerate().for_each(|(row, kappa)| {
        let plain = geometry.and_then(|g| g.pattern.row(row % ny, row / ny));
        for (i, kappa) in kappa.iter_mut().enumerate() {
            if plain.is_some_and(|plain| plain[i]) {
                *kappa = 1.0;
                continue;
            }
            let at = [i, row % ny, row / ny];
            let (mut sum, mut open, mut largest, mut outer) = (0.0f64, 0, 0.0f64, g.sink(at));
            for a in 0..3 {
                if mean[a] == 0.0 {
                    outer = outer.max(g.pair(a, at)[0]).max(g.pair(a, at)[1]);
                    continue;
                }
                for (up, v) in [false, true].into_iter().zip(g.pair(a, at)) {
                    let k = v / mean[a];
                    if e.next(a, at[a], up).is_some() {
                        (sum, largest) = (sum + k, largest.max(k));
                        open += usize::from(k > 0.0);
                    } else {
                        outer = outer.max(k);
                    }
                }
            }
            *kappa = match estimate {
                _ if open == 0 => outer,
                Estimate::Largest => largest,
                Estimate::Mean => sum / open as f64,
            } as f32;
        }
    });
    kappa
}

/// What the resistances between coarse cells are made of.
struct Upscaling<'a, G> {
    g: &'a G,
    halving: Halving,
    mean: [f64; 3],
    kappa: Vec<f32>,
}

impl<G: Conductances> Upscaling<'_, G> {
    /// Half a cell's resistance along a halved dimension; 0 for a cell that is alone in its coarse cell there.
    #[inline(always)]
    fn half(&self, axis: usize, at: [usize; 3]) -> f64 {
        let h = self.halving;
        if !h.halve[axis] || (at[axis].is_multiple_of(2) && at[axis] + 1 == h.fine.n[axis]) {
            return 0.0;
        }
        let e = h.fine;
        let kappa = f64::from(self.kappa[at[0] + e.start(at[1], at[2])]);
        if kappa > 0.0 { 0.5 / (kappa * self.mean[axis]) } else { 0.0 }
    }

    /// The conductance from the centre of the coarse cell of `at`, through `at` and its face below or above, to the next
    /// coarse centre or the prescribed value.
    #[inline(always)]
    fn strand(&self, axis: usize, at: [usize; 3], up: bool) -> f64 {
        let g = self.g.pair(axis, at)[usize::from(up)];
        if g <= 0.0 {
            return 0.0;
        }
        let mut r = self.half(axis, at) + 1.0 / g;
        if let Some(next) = self.halving.fine.next(axis, at[axis], up) {
            let mut there = at;
            there[axis] = next;
            r += self.half(axis, there);
        }
        1.0 / r
    }

    /// The interpolation weights of a fine cell.
    fn weights(&self, at: [usize; 3]) -> [f64; 4] {
        let h = self.halving;
        if self.kappa[at[0] + h.fine.start(at[1], at[2])] == 0.0 {
            return [0.0; 4];
        }
        let (mut odds, mut alpha, mut open) = ([0.0; 3], 1.0, 0);
        for a in 0..3 {
            let half = self.half(a, at);
            if half == 0.0 {
                continue;
            }
            let up = at[a] % 2 == 1;
            let share = half * self.strand(a, at, up);
            if h.fine.next(a, at[a], up).is_some() {
                odds[a] = share / (1.0 - share);
                open += usize::from(share > 0.0);
            } else {
                alpha *= 1.0 - share;
            }
        }
        // Odds of 1/3 along each dimension must give weights of ¼.
        let scale = [0.0, 1.0, 1.5, 3.0][open];
        let total = 1.0 + scale * odds.iter().sum::<f64>();
        let [x, y, z] = odds.map(|o| scale * o / total);
        [x, y, z, alpha]
    }
}

/// The coarse operator and the weights to it.
///
/// Where the places of a geometry are known, what is inside it is filled in, and only the rest is computed.
pub(crate) fn upscale<T: Scalar, G: Conductances>(
    g: &G,
    halving: Halving,
    mean: [f64; 3],
    estimate: Estimate,
    geometry: Option<Geometry>,
) -> (Faces<T>, Packed) {
    let kappa = coefficients(g, mean, estimate, geometry);
    let up = Upscaling { g, halving, mean, kappa };
    let (fine, coarse) = (halving.fine, halving.coarse);
    let [nx, ny, _] = fine.n;
    let mut bytes = vec![[0u8; 4]; fine.cells()];
    // In the inside every halved dimension gives ¼.
    let [x, y, z] = halving.halve.map(|halve| if halve { 0.25 } else { 0.0 });
    let inside = Packed::pack([x, y, z, 1.0]);
    bytes.par_chunks_mut(nx).enumerate().for_each(|(row, bytes)| {
        let (j, k) = (row % ny, row / ny);
        let plain = geometry.and_then(|g| g.pattern.row(j, k));
        for (i, b) in bytes.iter_mut().enumerate() {
            *b = if plain.is_some_and(|plain| plain[i]) {
                inside
            } else {
                Packed::pack(up.weights([i, j, k]))
            };
        }
    });
    let open = geometry.map(|g| strands(g.pattern.open, halving.halve));
    let mut arrays = [const { Vec::new() }; 3];
    for (axis, array) in arrays.iter_mut().enumerate() {
        if fine.n[axis] == 1 && mean[axis] == 0.0 && !has_ends(g, axis) {
            continue;
        }
        let mut layers = coarse.n;
        layers[axis] += 1;
        *array = vec![T::of(0.0); layers.iter().product()];
        array.par_chunks_mut(layers[0]).enumerate().for_each(|(row, out)| {
            for (i, out) in out.iter_mut().enumerate() {
                let face = [i, row % layers[1], row / layers[1]];
                *out = T::of(match (geometry, open) {
                    (Some(geometry), Some(open)) => known_face(&up, geometry.pattern, open, axis, face),
                    _ => coarse_face(&up, axis, face),
                });
            }
        });
    }
    let [cx, cy, _] = coarse.n;
    let mut sink = vec![T::of(0.0); coarse.cells()];
    let strongest = open.map_or(0.0, |open| open.into_iter().fold(0.0, f64::max));
    sink.par_chunks_mut(cx).enumerate().for_each(|(row, sink)| {
        for (i, s) in sink.iter_mut().enumerate() {
            let cell = [i, row % cy, row / cy];
            let Some(Geometry { pattern, tuning, depth }) = geometry else {
                *s = T::of(coarse_sink(&up, cell));
                continue;
            };
            if halving.all_children(cell, |at| pattern.is_plain(at)) {
                continue;
            }
            let v = coarse_sink(&up, cell);
            if v > 0.0 {
                *s = T::of(v * tuning.sink(depth, v / strongest));
            }
        }
    });
    let sink = sink.par_iter().any(|s| *s > T::of(0.0)).then_some(sink);
    let zeros = vec![T::of(0.0); cx + 1];
    (Faces { extent: coarse, g: arrays, sink, zeros }, Packed { nx, ny, bytes })
}

/// The conductance of a coarse face whose surroundings may be known.
fn known_face<G: Conductances>(
    up: &Upscaling<G>,
    pattern: &Pattern,
    open: [f64; 3],
    axis: usize,
    face: [usize; 3],
) -> f64 {
    let h = up.halving;
    let inner = face[axis] > 0 && face[axis] < h.coarse.n[axis];
    let first = h.children(axis, face[axis]).start;
    if inner && h.all_children(face, |at| at[axis] != first || pattern.is_plain(at)) {
        return open[axis];
    }
    coarse_face(up, axis, face)
}

/// Whether a dimension of one cell leads to prescribed values.
fn has_ends(g: &impl Conductances, axis: usize) -> bool {
    let [nx, ny, nz] = g.extent().n;
    (0..nz)
        .into_par_iter()
        .any(|k| (0..ny).any(|j| (0..nx).any(|i| g.pair(axis, [i, j, k]).iter().any(|v| *v > 0.0))))
}

/// The sum of the strands through a coarse face.
fn coarse_face<G: Conductances>(up: &Upscaling<G>, axis: usize, face: [usize; 3]) -> f64 {
    let h = up.halving;
    let n = h.coarse.n[axis];
    // Seen from the cell above the face, or from the last cell for the topmost one.
    let mut cell = face;
    let above = face[axis] < n;
    if !above {
        cell[axis] = n - 1;
    }
    let layer = {
        let c = h.children(axis, cell[axis]);
        if above { c.start } else { c.end - 1 }
    };
    let range = |a: usize| if a == axis { layer..layer + 1 } else { h.children(a, cell[a]) };
    let mut sum = 0.0;
    for k in range(2) {
        for j in range(1) {
            for i in range(0) {
                sum += up.strand(axis, [i, j, k], !above);
            }
        }
    }
    sum
}

/// The sinks of a coarse cell's children together. What a sink takes depends on the value in its own cell, which is about the
/// coarse cell's, and on no way to a face: with a resistance of half a cell before it, as a face has, water under air needs
/// half as many steps again.
fn coarse_sink<G: Conductances>(up: &Upscaling<G>, cell: [usize; 3]) -> f64 {
    let h = up.halving;
    let mut sum = 0.0;
    for k in h.children(2, cell[2]) {
        for j in h.children(1, cell[1]) {
            for i in h.children(0, cell[0]) {
                sum += up.g.sink([i, j, k]);
            }
        }
    }
    sum
}

/// The coarse operator of constant coefficients on even numbers of cells: constant again.
pub(crate) fn constant<T: Scalar>(fine: &Constant<T>, halving: Halving) -> Constant<T> {
    let mut c = fine.c;
    let mut ends = fine.ends;
    for a in 0..3 {
        let strands: f64 = (0..3).filter(|b| *b != a && halving.halve[*b]).map(|_| 2.0).product();
        let end = |g: f64, half: f64| if g > 0.0 { strands / (half + 1.0 / g) } else { 0.0 };
        let half = if halving.halve[a] { 0.5 / fine.c[a] } else { 0.0 };
        c[a] = if fine.c[a] > 0.0 { strands / (1.0 / fine.c[a] + 2.0 * half) } else { 0.0 };
        ends[a] = fine.ends[a].map(|g| end(g, half));
    }
    if halving.coarse.n.iter().zip(halving.fine.n).any(|(c, f)| *c == 1 && f > 1) {
        for a in 0..3 {
            if halving.fine.periodic[a] && !halving.coarse.periodic[a] {
                // One periodic cell is its own neighbour: nothing flows.
                ends[a] = [0.0; 2];
            }
        }
    }
    Constant::new(halving.coarse, c, ends)
}
