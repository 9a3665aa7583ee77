//! The stationary flow: its residual, and the residual's derivative.
//!
//! On [−1, 1]² with ν = 2/Re, the stream function is ψ = ψ₀ + Σ c_kl φ_k(x) φ_l(y), where ψ₀ carries the walls and the corners.
//! For every pair of basis functions, φ their product,
//!
//! R(φ) = ν ∫ Δψ Δφ + ∫ Δψ (ψ_y φ_x − ψ_x φ_y) = 0.
//!
//! The corner flows are biharmonic, so ∫ Δψ Δφ has no part of them, whose integrand grows like 1/r.

use super::basis::{Table, count, gauss, table};
use super::lift::{Stream, carrier, lift};
use super::newton;
use crate::Result;
use crate::reference::solution::GoOn;
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use resolvent::direct::SparseCholesky;
use resolvent::{Csr, Properties};

/// A flow, and what its equations are made of.
pub(super) struct Flow {
    degree: usize,
    pub nu: f64,
    /// The basis at the quadrature nodes.
    table: Table,
    /// Products of weights, `[nodes × nodes]`.
    weights: Mat<f64>,
    /// ψ₀ at the nodes: ψ_x, ψ_y, Δψ.
    carried: [Mat<f64>; 3],
    /// ∫ Δψ₀ Δφ.
    load: Mat<f64>,
    /// (B, C) = ∫ φ_k′ φ_j′, ∫ φ_k φ_j.
    pub gram: [Mat<f64>; 2],
    /// c, `[count × count]`.
    pub c: Mat<f64>,
}

/// ψ_x, ψ_y and Δψ at the nodes.
pub(super) type Nodes = [Mat<f64>; 3];

fn product(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    let mut c = Mat::zeros(a.nrows(), b.ncols());
    // One thread: the same bits on any number of them.
    matmul(c.as_mut(), Accum::Replace, a, b, 1.0, Par::Seq);
    c
}

fn entries(a: &Mat<f64>, f: impl Fn(usize, usize) -> f64) -> Mat<f64> {
    Mat::from_fn(a.nrows(), a.ncols(), f)
}

impl Flow {
    /// At rest but for ψ₀, with polynomials of this degree.
    pub fn new(degree: usize) -> Self {
        // Products of three functions ask for 3/2; the corners' 1/r for more.
        let (x, w) = gauss(2 * degree);
        let (table, n, m) = (table(&x, degree), count(degree), x.len());
        let weights = Mat::from_fn(m, m, |p, q| w[p] * w[q]);
        let at: Vec<Stream> = (0..m * m).map(|i| carrier(x[i % m], x[i / m])).collect();
        let nodes = |f: fn(&Stream) -> f64| Mat::from_fn(m, m, |p, q| f(&at[p + m * q]));
        let carried = [nodes(|s| s.x), nodes(|s| s.y), nodes(|s| s.laplacian)];
        let smooth = Mat::from_fn(m, m, |p, q| weights[(p, q)] * lift(x[p], x[q]).laplacian);
        let weighted = |t: &Mat<f64>| Mat::from_fn(m, n, |p, k| w[p] * t[(p, k)]);
        let gram = [&table.slope, &table.value].map(|t| product(t.transpose(), weighted(t).as_ref()));
        let pair = |a: &Mat<f64>, b: &Mat<f64>| {
            product(product(a.transpose(), smooth.as_ref()).as_ref(), b.as_ref())
        };
        let load = pair(&table.curvature, &table.value) + pair(&table.value, &table.curvature);
        Self { degree, nu: f64::INFINITY, table, weights, carried, load, gram, c: Mat::zeros(n, n) }
    }

    /// The flow at a Reynolds number; `None` when it was stopped.
    pub fn solve(re: f64, degree: usize, go_on: GoOn) -> Result<Option<Self>> {
        let mut flow = Self::new(degree);
        Ok(newton::solve(&mut flow, re, go_on)?.then_some(flow))
    }

    /// How many functions along each direction.
    pub fn count(&self) -> usize {
        count(self.degree)
    }

    /// The derivatives of Σ c φφ at the nodes.
    pub fn derivatives(&self, c: MatRef<'_, f64>) -> Nodes {
        let Table { value, slope, curvature } = &self.table;
        let [v, s, k] = [value, slope, curvature].map(|t| product(t.as_ref(), c));
        [
            product(s.as_ref(), value.transpose()),
            product(v.as_ref(), slope.transpose()),
            product(k.as_ref(), value.transpose()) + product(v.as_ref(), curvature.transpose()),
        ]
    }

    /// Those of ψ.
    pub fn state(&self) -> Nodes {
        let mut all = self.derivatives(self.c.as_ref());
        all.iter_mut().zip(&self.carried).for_each(|(a, b)| *a += b);
        all
    }

    /// ∫ Δφφ of Σ c φφ: c C + 2 B c B + C c.
    fn biharmonic(&self, c: MatRef<'_, f64>) -> Mat<f64> {
        let [b, m] = &self.gram;
        let twice = product(product(b.as_ref(), c).as_ref(), b.as_ref());
        product(c, m.as_ref()) + product(m.as_ref(), c) + &twice + &twice
    }

    /// ∫ (f φ_x + g φ_y).
    fn against_gradients(&self, f: &Mat<f64>, g: &Mat<f64>) -> Mat<f64> {
        let Table { value, slope, .. } = &self.table;
        product(product(slope.transpose(), f.as_ref()).as_ref(), value.as_ref())
            + product(product(value.transpose(), g.as_ref()).as_ref(), slope.as_ref())
    }

    /// R, divided by ν.
    pub fn residual(&self, state: &Nodes) -> Mat<f64> {
        let [x, y, l] = state;
        let w = |p, q| self.weights[(p, q)] * l[(p, q)] / self.nu;
        let f = entries(x, |p, q| w(p, q) * y[(p, q)]);
        let g = entries(x, |p, q| -w(p, q) * x[(p, q)]);
        self.biharmonic(self.c.as_ref()) + &self.load + self.against_gradients(&f, &g)
    }

    /// The derivative of [`residual`](Self::residual) along `d`.
    pub fn jacobian(&self, state: &Nodes, d: MatRef<'_, f64>) -> Mat<f64> {
        let ([x, y, l], [dx, dy, dl]) = (state, &self.derivatives(d));
        let w = |p, q| self.weights[(p, q)] / self.nu;
        let f = entries(x, |p, q| w(p, q) * (dl[(p, q)] * y[(p, q)] + l[(p, q)] * dy[(p, q)]));
        let g = entries(x, |p, q| -w(p, q) * (dl[(p, q)] * x[(p, q)] + l[(p, q)] * dx[(p, q)]));
        self.biharmonic(d) + self.against_gradients(&f, &g)
    }

    /// The factors of the biharmonic operator, which are sparse: its rows have at most 13 entries.
    pub fn factor(&self) -> Result<SparseCholesky> {
        let (n, [b, m]) = (self.count(), &self.gram);
        let near = |i: usize, far: usize| {
            (i.saturating_sub(far)..(i + far + 1).min(n)).filter(move |j| (i + j).is_multiple_of(2))
        };
        let mut entries = Vec::new();
        for l in 0..n {
            for k in 0..n {
                for j in near(l, 4) {
                    for i in near(k, 4) {
                        let mut v =
                            if i == k { m[(l, j)] } else { 0.0 } + if j == l { m[(k, i)] } else { 0.0 };
                        if i.abs_diff(k) <= 2 && j.abs_diff(l) <= 2 {
                            v += 2.0 * b[(k, i)] * b[(l, j)];
                        }
                        if v != 0.0 {
                            entries.push(((k + n * l) as u32, (i + n * j) as u32, v));
                        }
                    }
                }
            }
        }
        let matrix = Csr::from_triplets(n * n, n * n, &entries)?.assume(Properties::SPD);
        Ok(SparseCholesky::new(&matrix)?)
    }

    /// u, v and ψ of the unit square, on a grid with the second coordinate fastest.
    pub fn fields(&self, x: &[f64], y: &[f64]) -> [Vec<f64>; 3] {
        let own = |points: &[f64]| points.iter().map(|p| 2.0 * p - 1.0).collect::<Vec<_>>();
        let (x, y) = (own(x), own(y));
        let (along, across) = (table(&x, self.degree), table(&y, self.degree));
        let of = |a: &Mat<f64>, b: &Mat<f64>| {
            product(product(a.as_ref(), self.c.as_ref()).as_ref(), b.transpose())
        };
        let psi = of(&along.value, &across.value);
        let (px, py) = (of(&along.slope, &across.value), of(&along.value, &across.slope));
        let mut fields =
            [vec![0.0; x.len() * y.len()], vec![0.0; x.len() * y.len()], vec![0.0; x.len() * y.len()]];
        for at in 0..x.len() * y.len() {
            let (i, j) = (at / y.len(), at % y.len());
            let wall = x[i].abs() == 1.0 || y[j].abs() == 1.0;
            if wall {
                fields[0][at] = if y[j] == 1.0 { 1.0 } else { 0.0 };
            } else {
                let s = carrier(x[i], y[j]);
                fields[0][at] = s.y + py[(i, j)];
                fields[1][at] = -s.x - px[(i, j)];
                fields[2][at] = 0.5 * (s.value + psi[(i, j)]);
            }
        }
        fields
    }
}
