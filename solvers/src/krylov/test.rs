//! Small systems the tests of several methods share.

use crate::{Dense, Host, LinearOperator};
use faer::linalg::solvers::Solve;
use faer::{Mat, MatRef};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Uniform numbers in −1..1.
pub(crate) fn noise(n: usize, seed: u64) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// Noise of norm about 1 and a multiple of the identity: well conditioned and without symmetry for a `shift` of 2.
pub(crate) fn dense(n: usize, shift: f64, seed: u64) -> Dense<f64> {
    let v = noise(n * n, seed);
    let scale = 1.0 / (n as f64).sqrt();
    Dense::from_fn(n, n, |i, j| scale * v[i * n + j] + if i == j { shift } else { 0.0 }).unwrap()
}

/// QᵀDQ for a random orthogonal Q: symmetric, with the given eigenvalues.
pub(crate) fn with_spectrum(eigenvalues: &[f64], seed: u64) -> Dense<f64> {
    let n = eigenvalues.len();
    let v = noise(n * n, seed);
    let q = Mat::from_fn(n, n, |i, j| v[i * n + j]).qr().compute_Q();
    let d = Mat::from_fn(n, n, |i, j| if i == j { eigenvalues[i] } else { 0.0 });
    let a = &q * d * q.transpose();
    Dense::from_fn(n, n, |i, j| 0.5 * (a[(i, j)] + a[(j, i)])).unwrap().checked_symmetric()
}

/// A⁻¹b by a factorisation.
pub(crate) fn exact(a: &Dense<f64>, b: &[f64]) -> Vec<f64> {
    let x = a.mat().full_piv_lu().solve(MatRef::from_column_major_slice(b, b.len(), 1));
    (0..b.len()).map(|i| x[(i, 0)]).collect()
}

/// ‖x − y‖ / ‖y‖.
pub(crate) fn distance(x: &[f64], y: &[f64]) -> f64 {
    let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|v| v * v).sum::<f64>().sqrt();
    norm(&mut x.iter().zip(y).map(|(x, y)| x - y)) / norm(&mut y.iter().copied())
}

/// Ax.
pub(crate) fn times(a: &dyn LinearOperator<Host<f64>>, x: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; a.shape().rows];
    a.apply(&Host::new(), x, &mut y).unwrap();
    y
}
