//! Polynomials that vanish with their slope at both ends, and Gauss–Legendre quadrature.
//!
//! # Reference
//! J. Shen, "Efficient spectral-Galerkin method I. Direct solvers of second- and fourth-order equations using Legendre
//! polynomials", SIAM J. Sci. Comput. 15 (1994), 1489–1505, 10.1137/0915089.

use faer::Mat;
use std::f64::consts::PI;

/// Values, slopes and curvatures of the basis at points: `[points × count]` each.
pub(super) struct Table {
    pub value: Mat<f64>,
    pub slope: Mat<f64>,
    pub curvature: Mat<f64>,
}

/// How many functions there are of degree `degree` at most.
pub(super) const fn count(degree: usize) -> usize {
    degree - 3
}

/// φ_k = d_k (L_k − 2(2k + 5)/(2k + 7) L_{k+2} + (2k + 3)/(2k + 7) L_{k+4}), so that ∫ φ_k″ φ_j″ is 1 for k = j, else 0.
pub(super) fn table(points: &[f64], degree: usize) -> Table {
    let zeros = || Mat::zeros(points.len(), count(degree));
    let mut table = Table { value: zeros(), slope: zeros(), curvature: zeros() };
    for (p, x) in points.iter().enumerate() {
        let legendre = legendre(*x, degree);
        for k in 0..count(degree) {
            let f = k as f64;
            let scale = 1.0 / (2.0 * (2.0 * f + 3.0) * (2.0 * f + 3.0) * (2.0 * f + 5.0)).sqrt();
            let (b, c) = (-2.0 * (2.0 * f + 5.0) / (2.0 * f + 7.0), (2.0 * f + 3.0) / (2.0 * f + 7.0));
            let combine =
                |d: usize| scale * (legendre[k][d] + b * legendre[k + 2][d] + c * legendre[k + 4][d]);
            table.value[(p, k)] = combine(0);
            table.slope[(p, k)] = combine(1);
            table.curvature[(p, k)] = combine(2);
        }
    }
    table
}

/// L_0 … L_degree at x, with two derivatives: L'_{k+1} = L'_{k−1} + (2k + 1) L_k, and so for L″.
fn legendre(x: f64, degree: usize) -> Vec<[f64; 3]> {
    let mut all = vec![[1.0, 0.0, 0.0], [x, 1.0, 0.0]];
    for k in 1..degree {
        let (f, now, before) = (k as f64, all[k], all[k - 1]);
        all.push([
            ((2.0 * f + 1.0) * x * now[0] - f * before[0]) / (f + 1.0),
            before[1] + (2.0 * f + 1.0) * now[0],
            before[2] + (2.0 * f + 1.0) * now[1],
        ]);
    }
    all
}

/// The `n` nodes and weights of Gauss–Legendre quadrature on [−1, 1], by Newton's method from Chebyshev points.
pub(super) fn gauss(n: usize) -> (Vec<f64>, Vec<f64>) {
    (0..n)
        .map(|i| {
            let mut x = -libm::cos(PI * (i as f64 + 0.75) / (n as f64 + 0.5));
            let mut slope = 1.0;
            for _ in 0..6 {
                let last = legendre(x, n)[n];
                slope = last[1];
                x -= last[0] / slope;
            }
            (x, 2.0 / ((1.0 - x * x) * slope * slope))
        })
        .unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gauss_is_exact_to_twice_the_number_of_nodes() {
        for n in [2, 5, 64, 201] {
            let (x, w) = gauss(n);
            for power in [0, 2, 2 * n as i32 - 2] {
                let sum: f64 = x.iter().zip(&w).map(|(x, w)| w * x.powi(power)).sum();
                assert!((sum - 2.0 / f64::from(power + 1)).abs() < 1e-13, "{n} nodes, x^{power}: {sum}");
            }
        }
    }

    #[test]
    fn the_basis_is_clamped_and_its_curvatures_are_orthonormal() {
        let degree = 20;
        let ends = table(&[-1.0, 1.0], degree);
        let (x, w) = gauss(degree + 1);
        let inside = table(&x, degree);
        for k in 0..count(degree) {
            for end in 0..2 {
                assert!(ends.value[(end, k)].abs() < 1e-13 && ends.slope[(end, k)].abs() < 1e-12);
            }
            for j in 0..count(degree) {
                let product: f64 =
                    (0..x.len()).map(|p| w[p] * inside.curvature[(p, k)] * inside.curvature[(p, j)]).sum();
                assert!((product - f64::from(u8::from(k == j))).abs() < 1e-11, "{k} {j}: {product}");
            }
        }
    }
}
