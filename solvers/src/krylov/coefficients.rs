//! What the numbers of conjugate gradients say of the spectrum, for nothing.
//!
//! The recurrence with α and β is a Lanczos process whose tridiagonal matrix has 1/αⱼ + βⱼ/αⱼ₋₁ on the diagonal and √βⱼ₊₁/αⱼ beside
//! it; its eigenvalues are Ritz values of MA.
//!
//! Y. Saad, *Iterative Methods for Sparse Linear Systems*, 2nd ed. (2003), 10.1137/1.9780898718003, section 6.7.3.

/// Steps that are kept at most: the ends of a spectrum show early.
const KEPT: usize = 256;
/// Halvings of the interval in which an eigenvalue is looked for.
const HALVINGS: usize = 60;

/// The tridiagonal matrix of the steps of a solve, up to its first restart.
#[derive(Debug, Default)]
pub(super) struct Coefficients {
    diagonal: Vec<f64>,
    /// Squares of what is beside it, from the second row on.
    squares: Vec<f64>,
    alpha: f64,
    open: bool,
}

impl Coefficients {
    pub fn new(steps: usize) -> Self {
        let room = KEPT.min(steps);
        let (diagonal, squares) = (Vec::with_capacity(room), Vec::with_capacity(room));
        Self { diagonal, squares, ..Self::default() }
    }

    pub fn clear(&mut self) {
        self.diagonal.clear();
        self.squares.clear();
        self.open = true;
    }

    /// Notes a step: β, which is 0 where the recurrence starts, and α.
    pub fn note(&mut self, beta: f64, alpha: f64) {
        let first = self.diagonal.is_empty();
        self.open &= (first || beta != 0.0) && self.diagonal.len() < self.diagonal.capacity();
        if !self.open {
            return;
        }
        let before = if first { 0.0 } else { beta / self.alpha };
        if !first {
            self.squares.push(before / self.alpha);
        }
        self.diagonal.push(1.0 / alpha + before);
        self.alpha = alpha;
    }

    /// The smallest and the largest eigenvalue.
    pub fn ends(&self) -> Option<[f64; 2]> {
        let n = self.diagonal.len();
        // Gershgorin's circles hold all.
        let off = |i: usize| self.squares.get(i).map_or(0.0, |s| s.sqrt());
        let radius = |i: usize| off(i) + if i > 0 { off(i - 1) } else { 0.0 };
        let low = (0..n).map(|i| self.diagonal[i] - radius(i)).fold(f64::INFINITY, f64::min);
        let high = (0..n).map(|i| self.diagonal[i] + radius(i)).fold(f64::NEG_INFINITY, f64::max);
        if !(low.is_finite() && high.is_finite()) {
            return None;
        }
        let find = |wanted: usize| {
            let (mut a, mut b) = (low, high);
            for _ in 0..HALVINGS {
                let middle = 0.5 * (a + b);
                if self.below(middle) >= wanted { b = middle } else { a = middle }
            }
            0.5 * (a + b)
        };
        Some([find(1), find(n)])
    }

    /// Eigenvalues below x: the negative pivots of T − x I (Sturm).
    fn below(&self, x: f64) -> usize {
        let mut pivot = 1.0;
        let terms = self.diagonal.iter().enumerate().filter(|(i, d)| {
            let square = if *i > 0 { self.squares[i - 1] } else { 0.0 };
            pivot = *d - x - if *i > 0 { square / pivot } else { 0.0 };
            if pivot == 0.0 {
                pivot = f64::MIN_POSITIVE;
            }
            pivot < 0.0
        });
        terms.count()
    }
}
