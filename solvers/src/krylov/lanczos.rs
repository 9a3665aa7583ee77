//! The Lanczos process: the ends of a spectrum from a few products.
//!
//! C. Lanczos, *An iteration method for the solution of the eigenvalue problem of linear differential and integral
//! operators*, J. Res. Natl. Bur. Stand. 45 (1950), 255–282, 10.6028/jres.045.026. With a preconditioner M the process runs
//! in the inner product of M, and the eigenvalues are those of MA. Vectors are not orthogonalised again: the extreme
//! Ritz values do not suffer (C. C. Paige, 1980, 10.1016/0024-3795(80)90167-6), copies of them may appear.
//!
//! Storage: 4 vectors. Traffic of a step beside A in f64: 112 bytes an unknown and two reductions; with M 96 beside M.

use crate::{Error, LinearOperator, Result, Scalar, Space};
use faer::{Mat, Side};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// What a Lanczos process found.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// Every Ritz value, ascending.
    pub ritz: Vec<f64>,
    /// How far an eigenvalue is from the smallest and from the largest of them, at most.
    pub bounds: [f64; 2],
}

impl Spectrum {
    /// The smallest Ritz value: the smallest eigenvalue is not larger.
    pub fn smallest(&self) -> f64 {
        self.ritz[0]
    }
    /// The largest Ritz value: the largest eigenvalue is not smaller.
    pub fn largest(&self) -> f64 {
        self.ritz[self.ritz.len() - 1]
    }
    /// The largest eigenvalue is very likely below this: the largest Ritz value and its bound.
    pub fn upper(&self) -> f64 {
        self.largest() + self.bounds[1]
    }
}

/// Runs `steps` steps on a symmetric `a`, or on `m` `a` with `m` symmetric positive definite, from a seeded start. It ends
/// earlier when the Krylov space is exhausted.
///
/// ```
/// use resolvent::{Boundary, Grid, Host, Poisson, lanczos};
/// let a = Poisson::new(Grid::new_2d(30, 30)?, [[Boundary::DIRICHLET; 2]; 3])?;
/// let spectrum = lanczos(&Host::<f64>::new(), &a, None, 40, 1)?;
/// // 4 sin²(π/60) twice, and 8.
/// assert!((spectrum.largest() - 8.0).abs() < 0.1, "{spectrum:?}");
/// # Ok::<(), resolvent::Error>(())
/// ```
///
/// # Errors
/// [`Error::Property`] when `a` does not claim to be symmetric; [`Error::Value`] when a product is not finite;
/// [`Error::Memory`].
pub fn lanczos<S: Space>(
    space: &S,
    a: &dyn LinearOperator<S>,
    m: Option<&dyn LinearOperator<S>>,
    steps: usize,
    seed: u64,
) -> Result<Spectrum> {
    if !a.properties().symmetric || m.is_some_and(|m| !m.properties().admits_cg()) {
        return Err(Error::Property { method: "Lanczos", needs: "symmetric" });
    }
    let n = a.shape().rows;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let start: Vec<S::Scalar> = (0..n).map(|_| S::Scalar::of(StandardNormal.sample(&mut rng))).collect();
    let (mut u, mut before, mut w) = (space.zeros(n)?, space.zeros(n)?, space.zeros(n)?);
    let mut z = space.zeros(n)?;
    space.upload(&start, &mut u)?;
    a.project(space, &mut u)?;
    let (one, of) = (S::Scalar::of(1.0), S::Scalar::of);
    let (mut diagonal, mut off): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    let precondition = |u: &S::Slice, z: &mut S::Slice| match m {
        Some(m) => m.apply(space, u, z),
        None => space.copy(u, z),
    };
    precondition(&u, &mut z)?;
    let norm = space.dot(&u, &z)?.sqrt();
    if !(norm.is_finite() && norm > 0.0) {
        // No unknown takes part.
        return Ok(Spectrum { ritz: vec![0.0], bounds: [0.0; 2] });
    }
    space.scale(of(1.0 / norm), &mut u)?;
    space.scale(of(1.0 / norm), &mut z)?;
    for step in 0..steps.clamp(1, n) {
        let alpha = a.apply_dot(space, &z, &mut w)?;
        if !alpha.is_finite() {
            let needs = "products must be finite; check the matrix";
            return Err(Error::Value { what: "the Lanczos process", index: step, value: alpha, needs });
        }
        diagonal.push(alpha);
        space.axpby(of(-alpha), &u, one, &mut w)?;
        if let Some(beta) = off.last() {
            space.axpby(of(-*beta), &before, one, &mut w)?;
        }
        precondition(&w, &mut z)?;
        let beta = space.dot(&w, &z)?.max(0.0).sqrt();
        off.push(beta);
        let scale = diagonal.iter().fold(0.0f64, |s, d| s.max(d.abs()));
        if beta <= 10.0 * S::Scalar::EPSILON * scale || step + 1 == steps {
            break;
        }
        std::mem::swap(&mut before, &mut u);
        space.axpby(of(1.0 / beta), &w, of(0.0), &mut u)?;
        space.scale(of(1.0 / beta), &mut z)?;
    }
    ritz(&diagonal, &off)
}

fn ritz(diagonal: &[f64], off: &[f64]) -> Result<Spectrum> {
    let k = diagonal.len();
    let t = Mat::from_fn(k, k, |i, j| match i.abs_diff(j) {
        0 => diagonal[i],
        1 => off[i.min(j)],
        _ => 0.0,
    });
    let eigen = t.self_adjoint_eigen(Side::Lower).map_err(|_| Error::Value {
        what: "the Lanczos process",
        index: k,
        value: f64::NAN,
        needs: "the eigenvalues of its tridiagonal matrix did not converge; use another seed",
    })?;
    let ritz: Vec<f64> = (0..k).map(|i| eigen.S()[i]).collect();
    let bound = |i: usize| (off[k - 1] * eigen.U()[(k - 1, i)]).abs();
    Ok(Spectrum { bounds: [bound(0), bound(k - 1)], ritz })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precond::Jacobi;
    use crate::{Csr, Diagonal, Host, Properties};

    #[test]
    fn a_small_matrix_is_exhausted() {
        let space = Host::<f64>::new();
        let d = Diagonal::new(&space, &[3.0, -1.0, 7.0]).unwrap();
        let s = lanczos(&space, &d, None, 20, 3).unwrap();
        assert_eq!(s.ritz.len(), 3);
        for (found, exact) in s.ritz.iter().zip([-1.0, 3.0, 7.0]) {
            assert!((found - exact).abs() < 1e-10, "{s:?}");
        }
    }

    #[test]
    fn bounds_hold_an_eigenvalue_each() {
        let n = 200;
        let entries: Vec<f64> = (0..n).map(|i| 1.0 + (i * i) as f64 / 40.0).collect();
        let space = Host::<f64>::new();
        let s = lanczos(&space, &Diagonal::new(&space, &entries).unwrap(), None, 25, 1).unwrap();
        let near = |v: f64, b: f64| entries.iter().any(|e| (e - v).abs() <= b + 1e-9);
        assert!(near(s.smallest(), s.bounds[0]) && near(s.largest(), s.bounds[1]), "{s:?}");
        assert!(s.largest() <= entries[n - 1] + 1e-9 && s.upper() >= entries[n - 1] * 0.999, "{s:?}");
    }

    #[test]
    fn a_preconditioner_changes_the_spectrum_to_that_of_the_product() {
        let space = Host::<f64>::new();
        let a = Csr::from_triplets(2, 2, &[(0, 0, 4.0), (0, 1, 1.0), (1, 0, 1.0), (1, 1, 9.0)]).unwrap();
        let a = a.assume(Properties::SPD);
        let m = Jacobi::new(&space, &[4.0, 9.0]).unwrap();
        let s = lanczos(&space, &a, Some(&m), 10, 1).unwrap();
        // D⁻¹A has the eigenvalues 1 ± 1/6.
        assert!((s.smallest() - 5.0 / 6.0).abs() < 1e-12 && (s.largest() - 7.0 / 6.0).abs() < 1e-12, "{s:?}");
        let none = Csr::from_triplets(1, 1, &[(0, 0, 1.0)]).unwrap();
        assert!(matches!(lanczos(&space, &none, None, 1, 1), Err(Error::Property { .. })));
    }
}
