//! The last directions of an iteration, A-orthogonal to each other.

use crate::{LinearOperator, Result, Scalar, Space};

/// Up to a number of directions p with q = Ap and p·q. The newest takes the place of the oldest.
pub(super) struct Window<S: Space> {
    p: Vec<S::Buf>,
    q: Vec<S::Buf>,
    curvatures: Vec<f64>,
    shares: Vec<f64>,
    /// Directions taken since the window was last emptied.
    taken: usize,
}

impl<S: Space> Window<S> {
    /// For `directions` of `n` entries.
    pub fn new(space: &S, n: usize, directions: usize) -> Result<Self> {
        let vectors = || (0..directions).map(|_| space.zeros(n)).collect::<Result<Vec<_>>>();
        let numbers = vec![0.0; directions];
        Ok(Self { p: vectors()?, q: vectors()?, curvatures: numbers.clone(), shares: numbers, taken: 0 })
    }

    /// Empties it.
    pub fn forget(&mut self) {
        self.taken = 0;
    }

    /// The direction taken last, and A times it.
    pub fn newest(&self) -> (&S::Slice, &S::Slice) {
        let at = self.taken.saturating_sub(1) % self.p.len();
        (&self.p[at], &self.q[at])
    }

    /// Makes `z` A-orthogonal to the directions here and takes it in; returns its p·Ap. `z` is overwritten when there is room
    /// for more than one.
    pub fn take(&mut self, space: &S, a: &dyn LinearOperator<S>, z: &mut S::Slice) -> Result<f64> {
        let of = S::Scalar::of;
        let room = self.p.len();
        let at = self.taken % room;
        let curvature = if room == 1 {
            let share = if self.taken == 0 { 0.0 } else { space.dot(z, &self.q[0])? / self.curvatures[0] };
            a.update_apply_dot(space, z, of(-share), &mut self.p[0], &mut self.q[0])?
        } else {
            let count = self.taken.min(room);
            let shares = &mut self.shares[..count];
            space.dots(&self.q[..count], z, shares)?;
            shares.iter_mut().zip(&self.curvatures).for_each(|(s, c)| *s /= c);
            space.combine(-1.0, shares, &self.p[..count], z)?;
            space.copy(z, &mut self.p[at])?;
            a.apply_dot(space, &self.p[at], &mut self.q[at])?
        };
        self.curvatures[at] = curvature;
        self.taken += 1;
        Ok(curvature)
    }
}
