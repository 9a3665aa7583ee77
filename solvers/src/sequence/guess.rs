//! A first guess from earlier solutions.

use crate::krylov::small;
use crate::{LinearOperator, Result, Scalar, Space};

/// A pivot below this part of its diagonal belongs to a solution that adds nothing.
const DEPENDENT: f64 = 1e-11;

/// The solution in the span of the last few: V (VᵀAV)⁻¹ Vᵀb, whose error is the least in the norm of A.
///
/// The products AV are made anew for every system, whose A may be another. Traffic beside these in f64, for k solutions: about
/// 8 (k² + 4 k + 4) bytes an unknown.
pub(super) struct Guess<S: Space> {
    /// The last solutions, scaled to norm 1; `count` are there, `next` is replaced next.
    v: Vec<S::Buf>,
    av: Vec<S::Buf>,
    count: usize,
    next: usize,
    gram: Vec<f64>,
    factor: Vec<f64>,
    y: Vec<f64>,
}

impl<S: Space> Guess<S> {
    pub fn new(space: &S, n: usize, k: usize) -> Result<Self> {
        let zeros = || (0..k).map(|_| space.zeros(n)).collect::<Result<Vec<_>>>();
        let (v, av) = (zeros()?, zeros()?);
        let all = vec![0.0; k * k];
        Ok(Self { v, av, count: 0, next: 0, gram: all.clone(), factor: all, y: vec![0.0; k] })
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn forget(&mut self) {
        (self.count, self.next) = (0, 0);
    }

    /// Keeps a solution in place of the oldest.
    pub fn keep(&mut self, space: &S, x: &S::Slice) -> Result<()> {
        let norm = space.norm(x)?;
        if self.v.is_empty() || !(norm.is_finite() && norm > 0.0) {
            return Ok(());
        }
        space.axpby(S::Scalar::of(1.0 / norm), x, S::Scalar::of(0.0), &mut self.v[self.next])?;
        self.next = (self.next + 1) % self.v.len();
        self.count = (self.count + 1).min(self.v.len());
        Ok(())
    }

    /// x ← the guess, r ← b − Ax; returns ‖r‖, or nothing where there is no guess.
    pub fn make(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        b: &S::Slice,
        x: &mut S::Slice,
        r: &mut S::Slice,
    ) -> Result<Option<f64>> {
        let k = self.count;
        for (v, av) in self.v.iter_mut().zip(&mut self.av).take(k) {
            // What is no unknown any more must not be seen.
            a.project(space, v)?;
            a.apply(space, v, av)?;
        }
        space.dots(&self.v[..k], b, &mut self.y[..k])?;
        for j in 0..k {
            space.dots(&self.v[..k], &self.av[j], &mut self.gram[j * k..(j + 1) * k])?;
        }
        if self.gram[..k * k].iter().chain(&self.y[..k]).any(|v| !v.is_finite()) || !self.factorise() {
            return Ok(None);
        }
        small::solve(&self.factor[..k * k], k, &mut self.y[..k]);
        let (zero, one) = (S::Scalar::of(0.0), S::Scalar::of(1.0));
        space.fill(zero, x)?;
        space.combine(1.0, &self.y[..k], &self.v[..k], x)?;
        space.axpby(one, b, zero, r)?;
        space.combine(-1.0, &self.y[..k], &self.av[..k], r)?;
        let norm = space.norm(r)?;
        Ok(norm.is_finite().then_some(norm))
    }

    /// The factor L of VᵀAV, whether any solution is left in it. A dependent one has a row and a column of the identity and the
    /// product 0, so that x gets nothing of it.
    fn factorise(&mut self) -> bool {
        let (k, mut left) = (self.count, 0);
        let l = &mut self.factor[..k * k];
        l.copy_from_slice(&self.gram[..k * k]);
        for j in 0..k {
            for c in 0..j {
                let share = l[c * k + j];
                (j..k).for_each(|i| l[j * k + i] -= l[c * k + i] * share);
            }
            let pivot = l[j * k + j];
            if pivot > DEPENDENT * self.gram[j * k + j] {
                let root = pivot.sqrt();
                l[j * k + j..(j + 1) * k].iter_mut().for_each(|v| *v /= root);
                left += 1;
            } else {
                (0..j).for_each(|c| l[c * k + j] = 0.0);
                l[j * k + j..(j + 1) * k].fill(0.0);
                l[j * k + j] = 1.0;
                self.y[j] = 0.0;
            }
        }
        left > 0
    }
}
