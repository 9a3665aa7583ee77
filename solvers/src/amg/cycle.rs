//! One cycle through the levels.
//!
//! Traffic on a level in f32, for a matrix of m entries a row: both half-cycles read the matrix once, 8m bytes a row each,
//! the interpolation once, and a few vectors. The residual is restricted as it is computed and never stored: every few blocks
//! of rows add into a piece of their own, the pieces are added in order.

use super::aggregate::NONE;
use super::coarsest::Coarsest;
use super::relaxation::{Direction, Relaxation};
use super::transfer::Transfer;
use super::{AmgOptions, Cycle, Smoother};
use crate::host::buffer::Buffer;
use crate::stencil::rows::Shared;
use crate::{Host, Result, Scalar, Space};
use rayon::prelude::*;
use std::ops::Range;

/// A level that is not the coarsest.
pub(super) struct Level<T> {
    pub a: Relaxation<T>,
    pub p: Transfer<T>,
    reach: Vec<Reach>,
    /// The length of all pieces of sums.
    pieces: usize,
    /// An upper bound of the eigenvalues of D⁻¹A.
    largest: f64,
    /// Whether smoothing before the correction is one sweep from zero, after which the residual takes half the matrix.
    fresh: bool,
}

impl<T: Scalar> Level<T> {
    pub fn new(a: Relaxation<T>, p: Transfer<T>, options: &AmgOptions) -> Self {
        let (reach, pieces) = Reach::all(&a.blocks, &p);
        let largest = a.row_bound();
        let fresh = options.sweeps == 1 && !matches!(options.smoother, Smoother::Chebyshev { .. });
        Self { a, p, reach, pieces, largest, fresh }
    }

    pub fn bytes(&self) -> usize {
        self.a.bytes() + self.p.bytes()
    }

    /// What each step of the Chebyshev smoother keeps of its direction, and takes of D⁻¹ times the residual.
    pub fn factors(&self, degree: usize) -> impl Iterator<Item = [f64; 2]> {
        let (upper, lower) = (self.largest, self.largest / share(degree));
        let (theta, delta) = (0.5 * (upper + lower), 0.5 * (upper - lower));
        let sigma = theta / delta;
        let mut rho = 1.0 / sigma;
        (0..degree).map(move |step| {
            if step == 0 {
                return [0.0, 1.0 / theta];
            }
            let next = 1.0 / (2.0 * sigma - rho);
            let factors = [next * rho, 2.0 * next / delta];
            rho = next;
            factors
        })
    }
}

/// Blocks of rows, one after the other, that restrict to a piece of sums.
struct Reach {
    blocks: Range<usize>,
    /// The coarse unknowns they interpolate from.
    coarse: Range<usize>,
    /// Where the piece starts.
    start: usize,
}

impl Reach {
    /// A piece for every block; for more of them where rows are numbered so that pieces would be longer than half a vector, as
    /// they are when any block reaches everything.
    fn all<T: Scalar>(blocks: &[Range<usize>], p: &Transfer<T>) -> (Vec<Self>, usize) {
        let rows = blocks.last().map_or(0, |b| b.end);
        let ranges: Vec<_> = blocks.par_iter().map(|rows| p.reach(rows)).collect();
        let mut together = 1;
        loop {
            let mut pieces = 0;
            let reach = (0..blocks.len()).step_by(together).map(|first| {
                let blocks = first..(first + together).min(blocks.len());
                let coarse = ranges[blocks.clone()].iter().filter(|r| !r.is_empty()).cloned();
                let coarse = coarse.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end)).unwrap_or(0..0);
                let start = pieces;
                pieces += coarse.len();
                Self { blocks, coarse, start }
            });
            let reach: Vec<_> = reach.collect();
            if 2 * pieces <= rows || reach.len() <= LEAST {
                return (reach, pieces);
            }
            together *= 2;
        }
    }
}

/// Pieces there are at least, where there are as many blocks, for as many threads.
const LEAST: usize = 8;

/// The vectors of a level.
pub(super) struct Workspace<T> {
    f: Buffer<T>,
    /// x and a copy of it.
    xx: Buffer<T>,
    pieces: Buffer<T>,
    /// For a polynomial smoother.
    direction: Buffer<T>,
    /// For more than one visit: the first correction and its image.
    first: Buffer<T>,
    image: Buffer<T>,
}

impl<T: Scalar> Workspace<T> {
    pub fn all(levels: &[Level<T>], coarsest: usize, options: &AmgOptions) -> Result<Vec<Self>> {
        let polynomial = matches!(options.smoother, Smoother::Chebyshev { .. });
        let sizes = levels.iter().map(|l| (l.a.rows(), l.pieces)).chain([(coarsest, 0)]);
        let of = |(l, (n, pieces)): (usize, (usize, usize))| {
            let twice = if options.cycle == Cycle::V || l == 0 || l == levels.len() { 0 } else { n };
            Ok(Self {
                f: Buffer::zeros(n)?,
                xx: Buffer::zeros(2 * n)?,
                pieces: Buffer::zeros(pieces)?,
                direction: Buffer::zeros(if polynomial && l < levels.len() { n } else { 0 })?,
                first: Buffer::zeros(twice)?,
                image: Buffer::zeros(twice)?,
            })
        };
        sizes.enumerate().map(of).collect()
    }

    pub fn bytes(&self) -> usize {
        let all = [&self.f, &self.xx, &self.pieces, &self.direction, &self.first, &self.image];
        all.iter().map(|b| size_of_val(&b[..])).sum()
    }
}

/// z ← M r; returns r·z. `scale` brings r into the range of `T`.
pub(super) fn run<T: Scalar, U: Scalar>(
    levels: &[Level<T>],
    coarsest: &Coarsest<T>,
    options: &AmgOptions,
    work: &mut [Workspace<T>],
    r: &[U],
    z: &mut [U],
    scale: f64,
) -> f64 {
    let n = r.len();
    let pieces = super::relaxation::blocks(n);
    let f = Shared::new(&mut work[0].f);
    pieces.par_iter().for_each(|rows| {
        // SAFETY: pieces are disjoint.
        let f = unsafe { f.get_mut(rows.start, rows.len()) };
        f.iter_mut().zip(&r[rows.clone()]).for_each(|(f, r)| *f = T::of(r.f64() * scale));
    });
    Hierarchy { levels, coarsest, options }.visit(0, work);
    let (x, z) = (&work[0].xx[..n], Shared::new(z));
    let sums: Vec<f64> = pieces
        .par_iter()
        .map(|rows| {
            // SAFETY: pieces are disjoint.
            let z = unsafe { z.get_mut(rows.start, rows.len()) };
            z.iter_mut().zip(&x[rows.clone()]).for_each(|(z, x)| *z = U::of(x.f64() / scale));
            crate::host::reduce::dot(&r[rows.clone()], z)
        })
        .collect();
    sums.iter().sum()
}

struct Hierarchy<'a, T> {
    levels: &'a [Level<T>],
    coarsest: &'a Coarsest<T>,
    options: &'a AmgOptions,
}

impl<T: Scalar> Hierarchy<'_, T> {
    /// x ← M f on level `l`, both copies of x.
    fn visit(&self, l: usize, work: &mut [Workspace<T>]) {
        let Some(level) = self.levels.get(l) else {
            let Workspace { f, xx, .. } = &mut work[l];
            return self.coarsest.solve(f, xx);
        };
        let (fine, coarse) = work[l..].split_at_mut(1);
        let fine = &mut fine[0];
        self.before(level, fine);
        restrict(level, fine, &mut coarse[0].f);
        match self.options.cycle {
            _ if l + 1 == self.levels.len() => self.visit(l + 1, work),
            Cycle::V => self.visit(l + 1, work),
            Cycle::W => self.twice(l + 1, work),
            Cycle::K => self.krylov(l + 1, work),
        }
        let (fine, coarse) = work[l..].split_at_mut(1);
        interpolate(level, &coarse[0].xx, &mut fine[0]);
        self.after(level, &mut fine[0]);
    }

    /// Smooths from zero, and leaves in `xx` what the residual needs.
    fn before(&self, level: &Level<T>, work: &mut Workspace<T>) {
        let Workspace { f, xx, direction, .. } = work;
        let (a, xx) = (&level.a, Shared::new(xx));
        if let Smoother::Chebyshev { degree } = self.options.smoother {
            xx_zero(a, xx);
            for _ in 0..self.options.sweeps {
                chebyshev(level, degree, f, xx, direction);
            }
            return;
        }
        // SAFETY: one thread works on a block at a time.
        a.each_block(|b| unsafe { a.sweep_from_zero(b, f, xx) });
        for _ in 1..self.options.sweeps {
            a.sweep_all(Direction::Forward, f, xx);
        }
    }

    fn after(&self, level: &Level<T>, work: &mut Workspace<T>) {
        let Workspace { f, xx, direction, .. } = work;
        let (a, xx) = (&level.a, Shared::new(xx));
        for _ in 0..self.options.sweeps {
            match self.options.smoother {
                Smoother::Chebyshev { degree } => chebyshev(level, degree, f, xx, direction),
                _ => a.sweep_all(Direction::Backward, f, xx),
            }
        }
    }

    /// Two steps of the stationary iteration on level `l`.
    fn twice(&self, l: usize, work: &mut [Workspace<T>]) {
        let a = &self.levels[l].a;
        self.visit(l, work);
        let Workspace { f, xx, first, .. } = &mut work[l];
        first.copy_from_slice(&xx[..a.rows()]);
        residual_in_place(a, f, Shared::new(xx));
        self.visit(l, work);
        let Workspace { xx, first, .. } = &mut work[l];
        xx.iter_mut().zip(first.iter().chain(first.iter())).for_each(|(x, c)| *x += *c);
    }

    /// At most two steps of flexible conjugate gradients on level `l`; one when the first leaves a quarter of the residual.
    fn krylov(&self, l: usize, work: &mut [Workspace<T>]) {
        const ENOUGH: f64 = 0.25;
        let a = &self.levels[l].a;
        let (n, space) = (a.rows(), Host::<T>::new());
        let dot = |x: &[T], y: &[T]| space.dot(x, y).unwrap_or(f64::NAN);
        self.visit(l, work);
        let Workspace { f, xx, first, image, .. } = &mut work[l];
        product(a, Shared::new(xx), image);
        let (rho, alpha, before) = (dot(&xx[..n], image), dot(&xx[..n], f), dot(f, f));
        let step = alpha / rho;
        if !(rho > 0.0 && step.is_finite()) {
            return;
        }
        first.copy_from_slice(&xx[..n]);
        f.par_iter_mut().with_min_len(4096).zip(&image[..]).for_each(|(f, v)| *f -= T::of(step) * *v);
        if dot(f, f) <= ENOUGH * ENOUGH * before {
            return xx.par_iter_mut().with_min_len(4096).for_each(|x| *x *= T::of(step));
        }
        self.visit(l, work);
        let Workspace { f, xx, first, image, .. } = &mut work[l];
        let gamma = dot(&xx[..n], image);
        let second = dot(&xx[..n], f);
        product(a, Shared::new(xx), image);
        let beta = dot(&xx[..n], image);
        let rest = beta - gamma * gamma / rho;
        let (c, d) = if rest > 1e-12 * beta.abs() {
            (step - gamma * second / (rho * rest), second / rest)
        } else {
            (step, 0.0)
        };
        let (x, copy) = xx.split_at_mut(n);
        x.par_iter_mut().with_min_len(4096).zip(copy).zip(&first[..]).for_each(|((x, copy), first)| {
            *x = T::of(c) * *first + T::of(d) * *x;
            *copy = *x;
        });
    }
}

/// f_c ← Pᵀ (f − A x).
fn restrict<T: Scalar>(level: &Level<T>, fine: &mut Workspace<T>, coarse: &mut [T]) {
    let Workspace { f, xx, pieces, .. } = fine;
    let a = &level.a;
    let (xx, sums) = (Shared::new(xx), Shared::new(pieces));
    let fresh = level.fresh;
    let piece = |Reach { blocks, coarse: range, start }: &Reach| {
        // SAFETY: every piece is written by its own blocks, and nobody writes to x.
        let sums = unsafe { sums.get_mut(*start, range.len()) };
        sums.fill(T::of(0.0));
        // SAFETY: nobody writes to x.
        let residual =
            |i: usize| unsafe { if fresh { a.residual_after(i, xx) } else { a.residual(i, f[i], xx) } };
        let rows = a.blocks[blocks.start].start..a.blocks[blocks.end - 1].end;
        match &level.p {
            Transfer::Constant { of, .. } => {
                for (&coarse, i) in of[rows.clone()].iter().zip(rows).filter(|(c, _)| **c != NONE) {
                    // SAFETY: the block reaches these and no others.
                    unsafe { *sums.get_unchecked_mut(coarse as usize - range.start) += residual(i) };
                }
            }
            Transfer::Sparse(p) => {
                for i in rows {
                    let (r, (c, v)) = (residual(i), p.row(i));
                    // SAFETY: as above.
                    c.iter().zip(v).for_each(|(&c, &v)| unsafe {
                        *sums.get_unchecked_mut(c as usize - range.start) += v * r;
                    });
                }
            }
        }
    };
    match &level.reach[..] {
        [only] => piece(only),
        all => all.par_iter().with_max_len(1).for_each(piece),
    }
    let pieces: &[T] = pieces;
    let target = Shared::new(coarse);
    super::relaxation::blocks(level.p.coarse()).into_par_iter().for_each(|rows| {
        // SAFETY: pieces of the coarse vector are disjoint.
        let target = unsafe { target.get_mut(rows.start, rows.len()) };
        target.fill(T::of(0.0));
        for Reach { coarse: range, start, .. } in &level.reach {
            let (from, to) = (range.start.max(rows.start), range.end.min(rows.end));
            if from < to {
                let piece = &pieces[start + from - range.start..start + to - range.start];
                let target = &mut target[from - rows.start..to - rows.start];
                target.iter_mut().zip(piece).for_each(|(t, p)| *t += *p);
            }
        }
    });
}

/// x ← x + P e, both copies.
fn interpolate<T: Scalar>(level: &Level<T>, e: &[T], fine: &mut Workspace<T>) {
    let (a, xx) = (&level.a, Shared::new(&mut fine.xx));
    let n = a.rows();
    let add = |i: usize, v: T| {
        // SAFETY: one thread works on a block at a time.
        unsafe {
            let x = &mut xx.get_mut(i, 1)[0];
            *x += v;
            xx.get_mut(n + i, 1)[0] = *x;
        }
    };
    a.each_block(|b| {
        let rows = a.blocks[b].clone();
        match &level.p {
            // SAFETY: aggregates are fewer than `e` has entries.
            Transfer::Constant { of, .. } => rows.for_each(|i| unsafe {
                let coarse = of[i];
                add(i, if coarse == NONE { T::of(0.0) } else { *e.get_unchecked(coarse as usize) });
            }),
            // SAFETY: as above.
            Transfer::Sparse(p) => rows.for_each(|i| unsafe { add(i, p.times(i, e)) }),
        }
    });
}

/// f ← f − A x.
fn residual_in_place<T: Scalar>(a: &Relaxation<T>, f: &mut [T], xx: Shared<T>) {
    let f = Shared::new(f);
    a.each_block(|b| {
        let rows = a.blocks[b].clone();
        // SAFETY: one thread works on a block at a time, and nobody writes to x.
        let f = unsafe { f.get_mut(rows.start, rows.len()) };
        // SAFETY: nobody writes to x.
        rows.zip(f).for_each(|(i, f)| *f = unsafe { a.residual(i, *f, xx) });
    });
}

/// y ← A x.
fn product<T: Scalar>(a: &Relaxation<T>, xx: Shared<T>, y: &mut [T]) {
    let y = Shared::new(y);
    a.each_block(|b| {
        let rows = a.blocks[b].clone();
        // SAFETY: one thread works on a block at a time, and nobody writes to x.
        let y = unsafe { y.get_mut(rows.start, rows.len()) };
        // SAFETY: nobody writes to x.
        rows.zip(y).for_each(|(i, y)| *y = -unsafe { a.residual(i, T::of(0.0), xx) });
    });
}

fn xx_zero<T: Scalar>(a: &Relaxation<T>, xx: Shared<T>) {
    let n = a.rows();
    a.each_block(|b| {
        let rows = &a.blocks[b];
        // SAFETY: one thread works on a block at a time.
        unsafe {
            xx.get_mut(rows.start, rows.len()).fill(T::of(0.0));
            xx.get_mut(n + rows.start, rows.len()).fill(T::of(0.0));
        }
    });
}

/// The share of the spectrum of D⁻¹A, from its upper end, that a polynomial of a degree damps.
fn share(degree: usize) -> f64 {
    4.0 * (degree as f64).max(1.0)
}

/// x ← x + p(D⁻¹A) D⁻¹ (f − A x) with the Chebyshev polynomial of a degree, by its three-term recurrence.
fn chebyshev<T: Scalar>(level: &Level<T>, degree: usize, f: &[T], xx: Shared<T>, direction: &mut [T]) {
    let (a, d) = (&level.a, Shared::new(direction));
    for (step, [keep, take]) in level.factors(degree).enumerate() {
        a.each_block(|b| {
            for i in a.blocks[b].clone() {
                // SAFETY: one thread works on a block at a time, and nobody writes to x.
                unsafe {
                    let d = &mut d.get_mut(i, 1)[0];
                    let old = if step == 0 { T::of(0.0) } else { *d };
                    *d = T::of(keep) * old + T::of(take) * a.inverse(i) * a.residual(i, f[i], xx);
                }
            }
        });
        let n = a.rows();
        a.each_block(|b| {
            for i in a.blocks[b].clone() {
                // SAFETY: one thread works on a block at a time.
                unsafe {
                    let x = &mut xx.get_mut(i, 1)[0];
                    *x += d.get(i, 1)[0];
                    xx.get_mut(n + i, 1)[0] = *x;
                }
            }
        });
    }
}
