//! Anderson's acceleration.
//!
//! With columns Δfᵢ and Δxᵢ of the last differences, x⁺ = x + βf − Σ γᵢ (Δxᵢ + β Δfᵢ) where γ minimises ‖f − Σ γᵢ Δfᵢ‖. The
//! products of the Δf are kept, so that a step finds only those of the newest one. Traffic of a step with w differences, beside
//! T and in f64: about 8 (3w + 12) bytes an unknown.

use super::{Anderson, Step, combine, products};
use crate::krylov::small::{cholesky, solve};
use crate::{Result, Scalar, Segments, Space};

pub(super) struct AndersonState<S: Space> {
    options: Anderson,
    /// Δf, and Δx + β Δf, in a ring.
    df: Vec<S::Buf>,
    dx: Vec<S::Buf>,
    x: S::Buf,
    f: S::Buf,
    /// Steps of the ring so far.
    head: usize,
    /// Differences of each system that count, the newest ones; and whether the last iterate is there for another.
    filled: Vec<usize>,
    has_last: Vec<bool>,
    /// Products of the Δf of each system: `[segments, window, window]`.
    gram: Vec<f64>,
    /// Products, then coefficients: `[window, segments]`.
    products: Vec<f64>,
    row: Vec<f64>,
    amounts: Vec<f64>,
    /// The small system.
    small: Vec<f64>,
    right: Vec<f64>,
    columns: Vec<usize>,
}

impl<S: Space> AndersonState<S> {
    pub fn new(space: &S, segments: &Segments, options: Anderson) -> Result<Self> {
        let (n, count, window) = (segments.len(), segments.count(), options.window);
        let ring = || (0..window).map(|_| space.zeros(n)).collect::<Result<Vec<_>>>();
        Ok(Self {
            options,
            df: ring()?,
            dx: ring()?,
            x: space.zeros(n)?,
            f: space.zeros(n)?,
            head: 0,
            filled: vec![0; count],
            has_last: vec![false; count],
            gram: vec![0.0; count * window * window],
            products: vec![0.0; window * count],
            row: vec![0.0; window * count],
            amounts: vec![0.0; count],
            small: vec![0.0; window * window],
            right: vec![0.0; window],
            columns: Vec::with_capacity(window),
        })
    }

    pub fn start(&mut self) {
        self.head = 0;
        self.has_last.fill(false);
        self.filled.fill(0);
    }

    pub fn step(&mut self, at: &Step<S>, x: &mut S::Slice) -> Result<()> {
        let (space, segments) = (at.space, at.segments);
        let (one, count) = (S::Scalar::of(1.0), segments.count());
        let beta = self.options.damping;
        self.products.fill(0.0);
        if self.has_last.contains(&true) {
            let newest = self.head % self.options.window;
            self.head += 1;
            let (df, dx) = (&mut self.df[newest], &mut self.dx[newest]);
            space.copy(at.f, df)?;
            space.axpby(-one, &self.f, one, df)?;
            space.copy(x, dx)?;
            space.axpby(-one, &self.x, one, dx)?;
            space.axpby(S::Scalar::of(beta), df, one, dx)?;
            self.measure(at, newest)?;
            (0..count).for_each(|s| self.coefficients(s, newest, at.moving[s], count));
        }
        space.copy(x, &mut self.x)?;
        space.copy(at.f, &mut self.f)?;
        self.has_last.copy_from_slice(at.moving);
        for (s, moves) in at.moving.iter().enumerate() {
            self.amounts[s] = if *moves { beta } else { 0.0 };
            if !moves || self.options.restart.is_some_and(|most| self.filled[s] >= most) {
                self.filled[s] = 0;
            }
        }
        space.segment_axpy(segments, &self.amounts, at.f, x)?;
        let used = self.head.min(self.options.window);
        combine(space, segments, &self.products[..used * count], &self.dx[..used], x)
    }

    /// The products of the newest difference with all, and of all with f.
    fn measure(&mut self, at: &Step<S>, newest: usize) -> Result<()> {
        let (count, window) = (at.segments.count(), self.options.window);
        let used = self.head.min(window);
        products(at.space, at.segments, &self.df[..used], &self.df[newest], &mut self.row[..used * count])?;
        for (j, row) in self.row.chunks(count.max(1)).take(used).enumerate() {
            for (s, product) in row.iter().enumerate() {
                self.gram[(s * window + newest) * window + j] = *product;
                self.gram[(s * window + j) * window + newest] = *product;
            }
        }
        products(at.space, at.segments, &self.df[..used], at.f, &mut self.products[..used * count])
    }

    /// −γ of one system, in the place of its products; 0 where it has no difference or does not move.
    fn coefficients(&mut self, s: usize, newest: usize, moves: bool, count: usize) {
        let window = self.options.window;
        let filled = &mut self.filled[s];
        *filled = if moves && self.has_last[s] { (*filled + 1).min(window) } else { 0 };
        self.columns.clear();
        self.columns.extend((0..*filled).map(|age| (newest + window - age) % window));
        let n = self.columns.len();
        let gram = &self.gram[s * window * window..][..window * window];
        let largest = self.columns.iter().fold(0.0, |m: f64, c| m.max(gram[c * window + c]));
        let ridge = self.options.ridge.max(S::Scalar::EPSILON) * largest;
        for (j, cj) in self.columns.iter().enumerate() {
            for (i, ci) in self.columns.iter().enumerate() {
                self.small[j * n + i] = gram[cj * window + ci] + if i == j { ridge } else { 0.0 };
            }
            self.right[j] = self.products[cj * count + s];
        }
        let solved = n > 0 && cholesky(&mut self.small[..n * n], n).is_ok();
        if solved {
            solve(&self.small[..n * n], n, &mut self.right[..n]);
        }
        (0..window).for_each(|c| self.products[c * count + s] = 0.0);
        if solved && self.right[..n].iter().all(|g| g.is_finite()) {
            self.columns.iter().zip(&self.right).for_each(|(c, g)| self.products[c * count + s] = -g);
        }
    }
}
