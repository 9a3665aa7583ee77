//! Traces of operators that are known by their products alone, from random probes.
//!
//! M. F. Hutchinson, *A stochastic estimator of the trace of the influence matrix for Laplacian smoothing splines*, Commun.
//! Stat. Simul. Comput. 19 (1990), 433–450, 10.1080/03610919008812866; R. A. Meyer, C. Musco, C. Musco, D. P. Woodruff,
//! *Hutch++: optimal stochastic trace estimation*, SOSA 2021, 142–155, 10.1137/1.9781611976496.16; S. Ubaru, J. Chen, Y. Saad,
//! *Fast estimation of tr(f(A)) via stochastic Lanczos quadrature*, SIAM J. Matrix Anal. Appl. 38 (2017), 1075–1099,
//! 10.1137/16M1104974. Probes are seeded signs (Rademacher); the error is the standard error of their mean, and says nothing
//! of the quadrature's own error.
//!
//! Storage: 2 vectors for [`hutchinson`]; for [`hutch_plus_plus`] a third of its products more; for
//! [`lanczos_quadrature`] a vector a step; each a copy of the probe on the host. Traffic beside A in f64: 24 bytes an unknown a
//! probe; for each of the k vectors of [`hutch_plus_plus`] about 34 bytes more a probe; for [`lanczos_quadrature`] that of
//! [`eigenpairs`](super::eigenpairs).

use super::basis::{orthogonalise, orthonormalise, signs};
use super::process::Process;
use crate::error::check_len;
use crate::{Error, LinearOperator, Result, Scalar, Space};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A random estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error as the spread of the samples tells it; infinite for a single one.
    pub error: f64,
    /// Products with A.
    pub products: usize,
}

impl Estimate {
    fn of(offset: f64, samples: &[f64], products: usize) -> Self {
        let count = samples.len() as f64;
        let mean = samples.iter().sum::<f64>() / count;
        let square: f64 = samples.iter().map(|s| (s - mean) * (s - mean)).sum();
        let error = if samples.len() < 2 { f64::INFINITY } else { (square / (count - 1.0) / count).sqrt() };
        Self { value: offset + mean, error, products }
    }
}

fn check<S: Space>(a: &dyn LinearOperator<S>, name: &'static str, count: usize) -> Result<usize> {
    let shape = a.shape();
    check_len("the operator's columns", shape.rows, shape.cols)?;
    if count == 0 {
        return Err(Error::Parameter { name, value: 0.0, needs: "at least one is needed" });
    }
    Ok(shape.rows)
}

/// tr A of a square `a` from `probes` products: the mean of zᵀAz. Its variance is twice the sum of the squares of A's
/// symmetric part off the diagonal, over the number of probes.
///
/// ```
/// use resolvent::{Boundary, Grid, Host, Poisson, krylov::trace::hutchinson};
/// let a = Poisson::new(Grid::new_2d(30, 20)?, [[Boundary::DIRICHLET; 2]; 3])?;
/// let trace = hutchinson(&Host::<f64>::new(), &a, 50, 1)?;
/// // Rows have 4 on the diagonal, and 1 more for each of the 100 sides at the boundary.
/// assert!((trace.value - 2500.0).abs() < 5.0 * trace.error && trace.error < 20.0, "{trace:?}");
/// # Ok::<(), resolvent::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`] for an `a` that is not square; [`Error::Parameter`] for no probes; [`Error::Memory`].
pub fn hutchinson<S: Space>(
    space: &S,
    a: &dyn LinearOperator<S>,
    probes: usize,
    seed: u64,
) -> Result<Estimate> {
    let n = check(a, "probes", probes)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut z, mut y, mut host) = (space.zeros(n)?, space.zeros(n)?, vec![S::Scalar::of(0.0); n]);
    let mut samples = Vec::with_capacity(probes);
    for _ in 0..probes {
        signs(space, &mut rng, &mut host, &mut z)?;
        samples.push(a.apply_dot(space, &z, &mut y)?);
    }
    Ok(Estimate::of(0.0, &samples, probes))
}

/// tr A of a square `a` from at most `products` products, at least 3: exact on the range of a third of them, by
/// [`hutchinson`] on what is left. Better where few eigenvalues make most of the trace.
///
/// ```
/// use resolvent::{Diagonal, Host, krylov::trace::hutch_plus_plus};
/// let space = Host::<f64>::new();
/// let entries: Vec<f64> = (1..=500).map(|i| 1.0 / f64::from(i * i)).collect();
/// let a = Diagonal::new(&space, &entries)?;
/// let trace = hutch_plus_plus(&space, &a, 60, 1)?;
/// assert!((trace.value - 1.6429).abs() < 4.0 * trace.error && trace.error < 0.01, "{trace:?}");
/// # Ok::<(), resolvent::Error>(())
/// ```
///
/// # Errors
/// As [`hutchinson`].
pub fn hutch_plus_plus<S: Space>(
    space: &S,
    a: &dyn LinearOperator<S>,
    products: usize,
    seed: u64,
) -> Result<Estimate> {
    let n = check(a, "products", products / 3)?;
    let third = (products / 3).min(n);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut z, mut y, mut host) = (space.zeros(n)?, space.zeros(n)?, vec![S::Scalar::of(0.0); n]);
    let (mut q, mut room, mut exact): (Vec<S::Buf>, _, _) = (Vec::new(), vec![0.0; 2 * third], 0.0);
    for _ in 0..third {
        signs(space, &mut rng, &mut host, &mut z)?;
        let mut column = space.zeros(n)?;
        a.apply(space, &z, &mut column)?;
        let whole = space.norm(&column)?;
        let left = orthonormalise(space, &q, &mut column, &mut room[..2 * q.len()])?;
        if left > 1e3 * S::Scalar::EPSILON * whole {
            exact += a.apply_dot(space, &column, &mut y)?;
            q.push(column);
        }
    }
    let mut samples = Vec::with_capacity(third);
    for _ in 0..third {
        signs(space, &mut rng, &mut host, &mut z)?;
        orthogonalise(space, &q, &mut z, &mut room[..2 * q.len()])?;
        samples.push(a.apply_dot(space, &z, &mut y)?);
    }
    Ok(Estimate::of(exact, &samples, 2 * third + q.len()))
}

/// tr f(A) of a symmetric `a`, as log det A for f = ln: the mean over `probes` of n Σ τ² f(θ), with the Ritz values θ of
/// `steps` Lanczos steps with full reorthogonalisation. Exact in the quadrature for polynomials of degree 2 `steps` − 1.
///
/// ```
/// use resolvent::{Diagonal, Host, krylov::trace::lanczos_quadrature};
/// let space = Host::<f64>::new();
/// let entries: Vec<f64> = (0..400).map(|i| 1.0 + f64::from(i) / 100.0).collect();
/// let exact: f64 = entries.iter().map(|e| e.ln()).sum();
/// let determinant = lanczos_quadrature(&space, &Diagonal::new(&space, &entries)?, &f64::ln, 4, 20, 1)?;
/// assert!((determinant.value - exact).abs() < 1e-6, "{determinant:?}, {exact}");
/// # Ok::<(), resolvent::Error>(())
/// ```
///
/// # Errors
/// As [`hutchinson`]; [`Error::Property`] when `a` does not claim to be symmetric; [`Error::Parameter`] for no steps;
/// [`Error::Value`] when a product, or f of a Ritz value, is not finite.
pub fn lanczos_quadrature<S: Space>(
    space: &S,
    a: &dyn LinearOperator<S>,
    f: &dyn Fn(f64) -> f64,
    probes: usize,
    steps: usize,
    seed: u64,
) -> Result<Estimate> {
    let n = check(a, "probes", probes)?;
    check(a, "steps", steps)?;
    if !a.properties().symmetric {
        return Err(Error::Property { method: "Lanczos quadrature", needs: "symmetric" });
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut host = vec![S::Scalar::of(0.0); n];
    let (mut samples, mut products) = (Vec::with_capacity(probes), 0);
    for _ in 0..probes {
        let mut z = space.zeros(n)?;
        signs(space, &mut rng, &mut host, &mut z)?;
        space.scale(S::Scalar::of(1.0 / (n as f64).sqrt()), &mut z)?;
        let mut process = Process::new(z);
        for _ in 0..steps.min(n) {
            products += 1;
            if process.step(space, a, false)? == 0.0 {
                break;
            }
        }
        let (values, vectors, _) = process.ritz()?;
        let mut sum = 0.0;
        for (i, theta) in values.iter().enumerate() {
            let value = f(*theta);
            if !value.is_finite() {
                let needs = "f must be finite on the spectrum; shift the operator, or take more steps";
                return Err(Error::Value { what: "f of a Ritz value", index: i, value: *theta, needs });
            }
            sum += vectors[(0, i)] * vectors[(0, i)] * value;
        }
        samples.push(n as f64 * sum);
    }
    Ok(Estimate::of(0.0, &samples, products))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krylov::test::{dense, with_spectrum};
    use crate::{Csr, Diagonal, Host};

    #[test]
    fn estimates_are_within_their_errors() {
        let space = Host::<f64>::new();
        let a = dense(80, 2.0, 3);
        let exact: f64 = (0..80).map(|i| a.mat()[(i, i)]).sum();
        for seed in 0..5 {
            for e in [hutchinson(&space, &a, 60, seed), hutch_plus_plus(&space, &a, 60, seed)] {
                let e = e.unwrap();
                assert!((e.value - exact).abs() < 5.0 * e.error && e.error < 5.0, "{e:?} {exact}");
                assert!(e.products <= 60);
            }
        }
        assert_eq!(hutchinson(&space, &a, 9, 1).unwrap(), hutchinson(&space, &a, 9, 1).unwrap());
        assert!(hutchinson(&space, &a, 1, 1).unwrap().error.is_infinite());
        let d = Diagonal::new(&space, &[1.0, -4.0, 9.0]).unwrap();
        assert_eq!(hutchinson(&space, &d, 2, 7).unwrap(), Estimate { value: 6.0, error: 0.0, products: 2 });
    }

    #[test]
    fn a_low_rank_is_exact_for_hutch_plus_plus_and_not_for_hutchinson() {
        let space = Host::<f64>::new();
        let eigenvalues: Vec<f64> =
            (0..100).map(|i| if i < 4 { 10.0 * (i + 1) as f64 } else { 0.0 }).collect();
        let a = with_spectrum(&eigenvalues, 1);
        let reduced = hutch_plus_plus(&space, &a, 30, 2).unwrap();
        assert!((reduced.value - 100.0).abs() < 1e-8, "{reduced:?}");
        assert!((hutchinson(&space, &a, 30, 2).unwrap().value - 100.0).abs() > 1e-3);
    }

    #[test]
    fn quadrature_agrees_with_the_spectrum() {
        let space = Host::<f64>::new();
        let eigenvalues: Vec<f64> = (0..120).map(|i| 0.5 + (i as f64 / 40.0).powi(2)).collect();
        let a = with_spectrum(&eigenvalues, 5);
        for f in [f64::ln, f64::sqrt, f64::recip] {
            let exact: f64 = eigenvalues.iter().map(|e| f(*e)).sum();
            let e = lanczos_quadrature(&space, &a, &f, 30, 25, 3).unwrap();
            assert!((e.value - exact).abs() < 4.0 * e.error, "{e:?} {exact}");
        }
        // Of degree 3: two steps are exact for each probe, so the identity's trace has no error at all.
        let e = lanczos_quadrature(&space, &a, &|_| 1.0, 3, 2, 3).unwrap();
        assert!((e.value - 120.0).abs() < 1e-10 && e.error < 1e-10);
        let all = lanczos_quadrature(&space, &a, &f64::ln, 3, 500, 3).unwrap();
        assert!(all.value.is_finite() && all.products <= 360);
        let bad = lanczos_quadrature(&space, &a, &|v| (v - 2.0).ln(), 3, 10, 3);
        assert!(matches!(bad, Err(Error::Value { .. })));
    }

    #[test]
    fn what_cannot_run_is_refused() {
        let (space, a) = (Host::<f64>::new(), dense(5, 2.0, 1));
        assert!(matches!(hutchinson(&space, &a, 0, 1), Err(Error::Parameter { .. })));
        assert!(matches!(hutch_plus_plus(&space, &a, 2, 1), Err(Error::Parameter { .. })));
        assert!(matches!(lanczos_quadrature(&space, &a, &f64::ln, 1, 2, 1), Err(Error::Property { .. })));
        assert!(matches!(lanczos_quadrature(&space, &a, &f64::ln, 1, 0, 1), Err(Error::Parameter { .. })));
        let wide = Csr::from_triplets(2, 3, &[(0, 0, 1.0)]).unwrap();
        assert!(matches!(hutchinson(&space, &wide, 1, 1), Err(Error::Length { .. })));
    }
}
