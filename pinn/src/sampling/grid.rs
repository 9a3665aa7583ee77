//! A regular grid.

/// The midpoints of the cells of a grid over the unit cube with at least `n` cells, of which `n` are taken.
pub struct Grid {
    n: usize,
    /// Cells along each axis.
    counts: Vec<usize>,
    cells: usize,
}

impl Grid {
    /// The least grid whose counts differ by one at most.
    pub fn new(n: usize, dimension: usize) -> Self {
        let power = |k: usize, d: usize| (0..d).fold(1usize, |p, _| p.saturating_mul(k));
        let mut k = (n as f64).powf(1.0 / dimension as f64).floor().max(1.0) as usize;
        while power(k, dimension) < n {
            k += 1;
        }
        let product = |less: usize| power(k, dimension - less).saturating_mul(power(k - 1, less));
        let less = (0..dimension).take_while(|less| product(less + 1) >= n).count();
        let counts = (0..dimension).map(|axis| if axis < dimension - less { k } else { k - 1 }).collect();
        Self { n, counts, cells: product(less) }
    }

    /// Appends the point `i` < n.
    pub fn point(&self, i: usize, points: &mut Vec<f64>) {
        // The middle of the i-th of n equal stretches of cells.
        let mut cell = ((2 * i as u128 + 1) * self.cells as u128 / (2 * self.n as u128)) as usize;
        let first = points.len();
        for &count in self.counts.iter().rev() {
            points.push(((cell % count) as f64 + 0.5) / count as f64);
            cell /= count;
        }
        points[first..].reverse();
    }
}
