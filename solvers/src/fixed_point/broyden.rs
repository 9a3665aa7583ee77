//! Broyden's method in limited memory.
//!
//! The inverse of the Jacobian of f = T(x) − x is kept as −I + Σ uᵢ vᵢᵀ. Traffic of a step with w pairs, beside T and in f64: about
//! 8 (6w + 16) bytes an unknown.

use super::{Step, combine, products};
use crate::{Result, Scalar, Segments, Space};

pub(super) struct BroydenState<S: Space> {
    u: Vec<S::Buf>,
    v: Vec<S::Buf>,
    /// Pairs in use.
    pairs: usize,
    x: S::Buf,
    f: S::Buf,
    /// The change of x, and −H times that of f; then the step.
    change: S::Buf,
    image: S::Buf,
    has_last: Vec<bool>,
    /// The first pair of each system that counts.
    since: Vec<usize>,
    coefficients: Vec<f64>,
    products: Vec<f64>,
    scale: Vec<f64>,
    ones: Vec<f64>,
}

impl<S: Space> BroydenState<S> {
    pub fn new(space: &S, segments: &Segments, window: usize) -> Result<Self> {
        let (n, count) = (segments.len(), segments.count());
        let vectors = || (0..window).map(|_| space.zeros(n)).collect::<Result<Vec<_>>>();
        Ok(Self {
            u: vectors()?,
            v: vectors()?,
            pairs: 0,
            x: space.zeros(n)?,
            f: space.zeros(n)?,
            change: space.zeros(n)?,
            image: space.zeros(n)?,
            has_last: vec![false; count],
            since: vec![0; count],
            coefficients: vec![0.0; window * count],
            products: vec![0.0; count],
            scale: vec![0.0; count],
            ones: vec![0.0; count],
        })
    }

    pub fn start(&mut self) {
        self.pairs = 0;
        self.has_last.fill(false);
        self.since.fill(0);
    }

    pub fn step(&mut self, at: &Step<S>, x: &mut S::Slice) -> Result<()> {
        let space = at.space;
        if self.pairs == self.u.len() {
            self.pairs = 0;
            self.since.fill(0);
        }
        if self.has_last.contains(&true) {
            self.learn(at, x)?;
        }
        // A system that goes back forgets what was learnt on the way it left.
        for (s, moves) in at.moving.iter().enumerate() {
            if !moves {
                self.since[s] = self.pairs;
            }
            self.ones[s] = if *moves { 1.0 } else { 0.0 };
        }
        space.copy(x, &mut self.x)?;
        space.copy(at.f, &mut self.f)?;
        self.has_last.copy_from_slice(at.moving);
        // −Hf = f − Σ u (v·f).
        space.copy(at.f, &mut self.image)?;
        self.subtract(at, true)?;
        space.segment_axpy(at.segments, &self.ones, &self.image, x)
    }

    /// `image` ← `image` − Σ u (v·image), or, not `forward`, `change` ← `change` − Σ v (u·change).
    fn subtract(&mut self, at: &Step<S>, forward: bool) -> Result<()> {
        let (count, n) = (at.segments.count(), self.pairs);
        let (left, right, vector) =
            if forward { (&self.v, &self.u, &mut self.image) } else { (&self.u, &self.v, &mut self.change) };
        let coefficients = &mut self.coefficients[..n * count];
        products(at.space, at.segments, &left[..n], vector, coefficients)?;
        for (i, row) in coefficients.chunks_mut(count.max(1)).enumerate() {
            row.iter_mut().zip(&self.since).for_each(|(c, since)| *c = if i >= *since { -*c } else { 0.0 });
        }
        combine(at.space, at.segments, coefficients, &right[..n], vector)
    }

    /// Adds the pair of the last step: u = (s − Hy) / (sᵀHy) and v = Hᵀs, with s the change of x and y that of f.
    fn learn(&mut self, at: &Step<S>, x: &S::Slice) -> Result<()> {
        let (space, segments, one) = (at.space, at.segments, S::Scalar::of(1.0));
        let place = self.pairs;
        space.copy(x, &mut self.change)?;
        space.axpby(-one, &self.x, one, &mut self.change)?;
        space.copy(&self.change, &mut self.u[place])?;
        // image = −Hy = y − Σ u (v·y), so that s − Hy = s + image.
        space.copy(at.f, &mut self.image)?;
        space.axpby(-one, &self.f, one, &mut self.image)?;
        self.subtract(at, true)?;
        space.axpby(one, &self.image, one, &mut self.u[place])?;
        // sᵀHy = −s·image.
        space.segment_dot(segments, &self.change, &self.image, &mut self.products)?;
        space.segment_dot(segments, &self.change, &self.change, &mut self.scale)?;
        // change = −Hᵀs = s − Σ v (u·s).
        self.subtract(at, false)?;
        for s in 0..segments.count() {
            let product = -self.products[s];
            let usable = self.has_last[s] && at.moving[s];
            let usable = usable && product.abs() > S::Scalar::EPSILON * self.scale[s] && product.is_finite();
            // v = −change.
            self.scale[s] = if usable { -1.0 / product } else { 0.0 };
        }
        space.fill(S::Scalar::of(0.0), &mut self.v[place])?;
        space.segment_axpy(segments, &self.scale, &self.change, &mut self.v[place])?;
        self.pairs += 1;
        Ok(())
    }
}
