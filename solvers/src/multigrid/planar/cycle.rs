//! The two halves of a planar V-cycle on one level.
//!
//! Bytes a point in f32 on a 5-point level with coefficients: down, conductances and inverses (12) and f read, e and r
//! written (24 in all); up, the same with e and r read (28); weights twice (16).
//!
//! The first phase of a sweep overrelaxes and the second, which follows from it, does not: what is left of an error is then
//! that of a damped sweep on the points of the first phase alone, and 8/7 damps its rough part best (I. Yavneh, *On red-black
//! SOR smoothing in multigrid*, SIAM J. Sci. Comput. 17 (1996), 180–192).

use super::interpolation::Interpolation;
use super::operator::Planar;
use crate::Scalar;
use crate::host::reduce;
use crate::multigrid::Sink;
use crate::stencil::rows::Shared;
use crate::stencil::wavefront::{Wave, sweep};

/// The relaxation of the first phase.
const OVER: f64 = 8.0 / 7.0;

/// What both halves work on. A unit is a pair of rows.
#[derive(Clone, Copy)]
pub(crate) struct Plane<'a, T, A> {
    pub a: &'a A,
    /// 1 / diagonal.
    pub inverse: &'a [T],
    pub interpolation: &'a Interpolation<T>,
    pub f: Shared<'a, T>,
    pub e: Shared<'a, T>,
    /// Room for the residual, and for one row's sums while smoothing.
    pub r: Shared<'a, T>,
}

impl<T: Scalar, A: Planar<T>> Plane<'_, T, A> {
    fn units(&self) -> usize {
        self.a.size()[1].div_ceil(2)
    }

    #[inline(always)]
    fn rows(&self, unit: usize) -> std::ops::Range<usize> {
        2 * unit..(2 * unit + 2).min(self.a.size()[1])
    }

    /// e ← (f + off(e))/d, or [`OVER`] times as far, in one phase of a sweep over row `k`, without the first `done` of its
    /// colours.
    ///
    /// # Safety
    /// The caller has row `k` to itself, and nobody writes to its neighbours in e.
    #[inline(always)]
    unsafe fn relax(&self, k: usize, phase: usize, reverse: bool, done: usize) {
        let nx = self.a.size()[0];
        let row = k * nx..(k + 1) * nx;
        let parities = self.a.parities(k, phase);
        let over = if phase == 0 { OVER } else { 1.0 };
        let (keep, over) = (T::of(1.0 - over), T::of(over));
        for q in done..parities.len() {
            let parity = parities[if reverse { parities.len() - 1 - q } else { q }];
            // SAFETY: the caller's. Points of one parity do not couple within a row.
            unsafe {
                let (off, f) = (self.r.get_mut(row.start, nx), self.f.get(row.start, nx));
                self.a.off(self.e, k, off);
                let (e, inverse) = (self.e.get_mut(row.start, nx), &self.inverse[row.clone()]);
                let mut i = 0;
                // Pairs, so that the choice is a constant pattern.
                while i + 1 < nx {
                    let v = [
                        keep * e[i] + over * ((f[i] + off[i]) * inverse[i]),
                        keep * e[i + 1] + over * ((f[i + 1] + off[i + 1]) * inverse[i + 1]),
                    ];
                    e[i] = if parity == 0 { v[0] } else { e[i] };
                    e[i + 1] = if parity == 1 { v[1] } else { e[i + 1] };
                    i += 2;
                }
                if i < nx && parity == 0 {
                    e[i] = keep * e[i] + over * ((f[i] + off[i]) * inverse[i]);
                }
            }
        }
    }
}

/// From fine right-hand side to coarse right-hand side.
pub(crate) struct Descend<'a, T, U, A> {
    pub plane: Plane<'a, T, A>,
    pub source: Option<(&'a [U], f64)>,
    pub coarse_f: Shared<'a, T>,
}

impl<T: Scalar, U: Scalar, A: Planar<T>> Descend<'_, T, U, A> {
    pub fn run(&self) {
        let [nx, nz] = self.plane.a.size();
        sweep(self, self.plane.units(), nx * nz, false);
    }

    /// f ← source, e ← [`OVER`] f/d on the first colour, whose neighbours are still 0, and 0 on the others.
    #[inline(always)]
    unsafe fn begin(&self, k: usize) {
        let nx = self.plane.a.size()[0];
        // SAFETY: the rows belong to this unit.
        let (f, e) = unsafe { (self.plane.f.get_mut(k * nx, nx), self.plane.e.get_mut(k * nx, nx)) };
        let inverse = &self.plane.inverse[k * nx..(k + 1) * nx];
        if let Some((source, scale)) = self.source {
            for (f, s) in f.iter_mut().zip(&source[k * nx..(k + 1) * nx]) {
                *f = T::of(s.f64() * scale);
            }
        }
        let Some(&first) = self.plane.a.parities(k, 0).first() else {
            e.fill(T::of(0.0));
            return;
        };
        let zero = T::of(0.0);
        let (even, odd) = (T::of(OVER * (1.0 - first as f64)), T::of(OVER * first as f64));
        let pairs = e.as_chunks_mut::<2>();
        for ((e, f), d) in pairs.0.iter_mut().zip(f.as_chunks::<2>().0).zip(inverse.as_chunks::<2>().0) {
            *e = [even * (f[0] * d[0]), odd * (f[1] * d[1])];
        }
        if let [last] = pairs.1 {
            *last = if first == 0 { even * (f[nx - 1] * inverse[nx - 1]) } else { zero };
        }
    }

    /// r ← f − Ae on row k.
    #[inline(always)]
    unsafe fn residual(&self, k: usize) {
        let Plane { a, inverse, f, e, r, .. } = self.plane;
        let nx = a.size()[0];
        // SAFETY: the row of r belongs to this unit; e is only read in this pass.
        unsafe {
            let (r, f, c) = (r.get_mut(k * nx, nx), f.get(k * nx, nx), e.get(k * nx, nx));
            a.off(e, k, r);
            let inverse = &inverse[k * nx..(k + 1) * nx];
            let zero = T::of(0.0);
            for i in 0..nx {
                r[i] = if inverse[i] > zero { f[i] + r[i] - c[i] / inverse[i] } else { zero };
            }
        }
    }

    /// The coarse row of unit `u`.
    #[inline(always)]
    unsafe fn restrict(&self, u: usize) {
        let p = self.plane.interpolation;
        let ([nx, nz], [cx, cz]) = (p.fine, p.coarse);
        if u >= cz {
            return;
        }
        // SAFETY: the coarse row belongs to this unit, and the residual is ready up to the next unit.
        unsafe {
            let out = self.coarse_f.get_mut(u * cx, cx);
            out.fill(T::of(0.0));
            let row = |k: usize| (k < nz).then(|| self.plane.r.get(k * nx, nx));
            p.restrict([row(2 * u), row(2 * u + 1), row(2 * u + 2)], u, out);
        }
    }
}

impl<T: Scalar, U: Scalar, A: Planar<T>> Wave for Descend<'_, T, U, A> {
    fn stages(&self) -> usize {
        5
    }

    #[inline(always)]
    unsafe fn stage(&self, stage: usize, unit: usize) {
        // SAFETY: `Wave` keeps units apart and passes in order.
        unsafe {
            if stage == 4 {
                return self.restrict(unit);
            }
            for k in self.plane.rows(unit) {
                match stage {
                    0 => self.begin(k),
                    1 => self.plane.relax(k, 0, false, 1),
                    2 => self.plane.relax(k, 1, false, 0),
                    _ => self.residual(k),
                }
            }
        }
    }
}

/// From coarse correction to fine correction.
pub(crate) struct Ascend<'a, T, U, A> {
    pub plane: Plane<'a, T, A>,
    pub coarse_e: &'a [T],
    /// Where the result goes when it has another type or scale.
    pub sink: Option<Sink<'a, U>>,
}

impl<T: Scalar, U: Scalar, A: Planar<T>> Ascend<'_, T, U, A> {
    pub fn run(&self) {
        let [nx, nz] = self.plane.a.size();
        sweep(self, self.plane.units(), nx * nz, false);
    }

    #[inline(always)]
    unsafe fn finish(&self, unit: usize) {
        let Some(Sink { r, z, scale, partial }) = &self.sink else { return };
        let (nx, scale) = (self.plane.a.size()[0], U::of(1.0 / scale));
        let mut sum = 0.0;
        for k in self.plane.rows(unit) {
            // SAFETY: the rows belong to this unit and are finished.
            let (e, z) = unsafe { (self.plane.e.get(k * nx, nx), z.get_mut(k * nx, nx)) };
            for (z, &e) in z.iter_mut().zip(e) {
                *z = U::of(e.f64()) * scale;
            }
            sum += reduce::dot(&r[k * nx..(k + 1) * nx], z);
        }
        // SAFETY: one entry for each unit.
        unsafe { partial.get_mut(unit, 1)[0] = sum };
    }
}

impl<T: Scalar, U: Scalar, A: Planar<T>> Wave for Ascend<'_, T, U, A> {
    fn stages(&self) -> usize {
        3
    }

    #[inline(always)]
    unsafe fn stage(&self, stage: usize, unit: usize) {
        let nx = self.plane.a.size()[0];
        // SAFETY: `Wave` keeps units apart and passes in order.
        unsafe {
            for k in self.plane.rows(unit) {
                match stage {
                    0 => self.plane.interpolation.prolong(self.coarse_e, k, self.plane.e.get_mut(k * nx, nx)),
                    1 => self.plane.relax(k, 1, true, 0),
                    _ => self.plane.relax(k, 0, true, 0),
                }
            }
            if stage == 2 {
                self.finish(unit);
            }
        }
    }
}
