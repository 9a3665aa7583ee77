//! A polynomial in the matrix.

use super::Jacobi;
use crate::compose::enter;
use crate::krylov::lanczos::lanczos;
use crate::operator::check_apply;
use crate::{Error, LinearOperator, Map, Operator, Properties, Result, Scalar, Shape, Space};
use std::sync::Mutex;

/// How a [`Chebyshev`] polynomial is made.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ChebyshevOptions {
    /// Products with the matrix in an application.
    pub degree: usize,
    /// The polynomial is small down to the largest eigenvalue over this.
    pub ratio: f64,
    /// The largest eigenvalue of D⁻¹A; estimated when `None`.
    pub largest: Option<f64>,
    /// Lanczos steps of the estimate.
    pub steps: usize,
    /// The seed of their start.
    pub seed: u64,
}

impl Default for ChebyshevOptions {
    /// Among the fastest of degrees 1 to 8 and ratios 10 to 400 on `box` and `spheres`; the program `tune` of the benchmarks
    /// shows it.
    fn default() -> Self {
        Self { degree: 6, ratio: 150.0, largest: None, steps: 12, seed: 0 }
    }
}

/// z ← p(D⁻¹A) D⁻¹r with the polynomial that makes 1 − λp(λ) smallest on an interval of eigenvalues λ of D⁻¹A: products
/// alone, no triangular solve and no reduction. Symmetric positive definite as long as the interval's upper end is not
/// below the largest eigenvalue; the estimate is raised by its own bound and 2% for that.
///
/// # Reference
/// Y. Saad, *Iterative Methods for Sparse Linear Systems*, 2nd ed. (2003), 10.1137/1.9780898718003, sections 12.3.1–3;
/// M. Adams, M. Brezina, J. Hu, R. Tuminaro, J. Comput. Phys. 188 (2003), 10.1016/S0021-9991(03)00194-3.
pub struct Chebyshev<S: Space, A> {
    a: A,
    jacobi: Jacobi<S>,
    degree: usize,
    /// The middle and the half width of the interval.
    theta: f64,
    delta: f64,
    work: Mutex<Work<S>>,
}

/// What rounding may add to an eigenvalue that was seen.
const SLACK: f64 = 1e-9;

struct Work<S: Space> {
    r: S::Buf,
    d: S::Buf,
    w: S::Buf,
}

impl<S: Space, A: LinearOperator<S>> Chebyshev<S, A> {
    /// For `a` with this diagonal.
    ///
    /// # Errors
    /// [`Error::Property`] when `a` does not claim to be symmetric and at least semidefinite; [`Error::Pivot`] for a
    /// diagonal that is not positive; [`Error::Parameter`] for an interval that is none; [`Error::Memory`].
    pub fn new(space: &S, a: A, diagonal: &[S::Scalar], options: ChebyshevOptions) -> Result<Self> {
        if !a.properties().admits_cg() {
            return Err(Error::Property {
                method: "Chebyshev",
                needs: "symmetric and positive definite or semidefinite",
            });
        }
        let jacobi = Jacobi::new(space, diagonal)?;
        let n = a.shape().rows;
        crate::error::check_len("the diagonal", n, diagonal.len())?;
        let largest = match options.largest {
            Some(largest) => largest,
            None => 1.02 * lanczos(space, &a, Some(&jacobi), options.steps, options.seed)?.upper(),
        };
        for (name, value) in [("largest", largest), ("ratio − 1", options.ratio - 1.0)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(Error::Parameter { name, value, needs: "a positive number is needed" });
            }
        }
        let smallest = largest / options.ratio;
        let work = Work { r: space.zeros(n)?, d: space.zeros(n)?, w: space.zeros(n)? };
        let (theta, delta) = (0.5 * (largest + smallest), 0.5 * (largest - smallest));
        Ok(Self { a, jacobi, degree: options.degree, theta, delta, work: work.into() })
    }

    /// Options for the next of a sequence of systems, from the eigenvalues of MA that solving this one has shown
    /// ([`Cg::spectrum`](crate::Cg::spectrum)). The largest of D⁻¹A is not estimated again as long as nothing was seen beyond what the polynomial
    /// allows; and where nothing was seen below it either, no eigenvalue lies before the interval, which is halved.
    ///
    /// ```
    /// use resolvent::precond::{Chebyshev, ChebyshevOptions};
    /// use resolvent::{Boundary, Cg, Grid, Host, Poisson, Stencil, Stop};
    /// let space = Host::<f64>::new();
    /// let a = Poisson::new(Grid::new_2d(40, 40)?, [[Boundary::DIRICHLET; 2]; 3])?;
    /// let diagonal = Stencil::from(a.clone()).diagonal();
    /// let m = Chebyshev::new(&space, &a, &diagonal, ChebyshevOptions::default())?;
    /// let mut cg = Cg::new(&space, 1600, Stop::default())?;
    /// let b: Vec<f64> = (0..1600).map(|i| ((i * 7919) % 101) as f64 - 50.0).collect();
    /// let first = cg.solve(&space, &a, Some(&m), &b, &mut vec![0.0; 1600])?;
    /// let learned = m.learned(cg.spectrum().unwrap());
    /// let m = Chebyshev::new(&space, &a, &diagonal, learned)?;
    /// let second = cg.solve(&space, &a, Some(&m), &b, &mut vec![0.0; 1600])?;
    /// assert!(second.steps <= first.steps + 1);
    /// # Ok::<(), resolvent::Error>(())
    /// ```
    pub fn learned(&self, [low, high]: [f64; 2]) -> ChebyshevOptions {
        let [start, end] = self.interval();
        let kept =
            ChebyshevOptions { degree: self.degree, ratio: end / start, ..ChebyshevOptions::default() };
        // On the interval 1 − λ p(λ) is at most this.
        let bound = 1.0 / self.polynomial(self.theta / self.delta);
        if !(low > 0.0 && high.is_finite() && high <= 1.0 + bound + SLACK) {
            return kept;
        }
        let narrower = low >= 1.0 - bound - SLACK && kept.ratio > 4.0;
        ChebyshevOptions { largest: Some(end), ratio: kept.ratio * if narrower { 0.5 } else { 1.0 }, ..kept }
    }

    /// At x ≥ 1 the Chebyshev polynomial whose scaled form 1 − λ p(λ) is, of one degree more than p.
    fn polynomial(&self, x: f64) -> f64 {
        libm::cosh((self.degree + 1) as f64 * libm::acosh(x))
    }

    /// The interval of eigenvalues of D⁻¹A it is made for.
    pub fn interval(&self) -> [f64; 2] {
        [self.theta - self.delta, self.theta + self.delta]
    }
}

impl<S: Space, A: LinearOperator<S>> Map for Chebyshev<S, A> {
    fn shape(&self) -> Shape {
        self.a.shape()
    }
    fn properties(&self) -> Properties {
        self.jacobi.properties()
    }
}

impl<S: Space, A: LinearOperator<S>> Operator<S> for Chebyshev<S, A> {
    fn apply(&self, space: &S, b: &S::Slice, z: &mut S::Slice) -> Result<()> {
        check_apply(space, self.shape(), b, z)?;
        let mut work = enter(&self.work);
        let Work { r, d, w } = &mut *work;
        let (one, of) = (S::Scalar::of(1.0), S::Scalar::of);
        self.jacobi.apply(space, b, d)?;
        space.scale(of(1.0 / self.theta), d)?;
        space.copy(d, z)?;
        space.copy(b, r)?;
        let sigma = self.theta / self.delta;
        let mut rho = 1.0 / sigma;
        for _ in 0..self.degree {
            self.a.apply(space, d, w)?;
            space.axpby(-one, w, one, r)?;
            let next = 1.0 / (2.0 * sigma - rho);
            self.jacobi.apply(space, r, w)?;
            space.axpby(of(2.0 * next / self.delta), w, of(next * rho), d)?;
            space.axpby(one, d, one, z)?;
            rho = next;
        }
        Ok(())
    }
}

impl<S: Space, A: LinearOperator<S>> LinearOperator<S> for Chebyshev<S, A> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Boundary, Cg, Diagonal, Grid, Host, Poisson, Status, Stop};

    #[test]
    fn the_residual_polynomial_is_that_of_chebyshev() {
        // On a diagonal matrix with unit Jacobi, 1 − λ p(λ) = T(k+1)((θ − λ)/δ) / T(k+1)(θ/δ).
        let space = Host::<f64>::new();
        let eigenvalues = [0.1, 0.3, 0.9, 1.7, 2.0];
        let a = Diagonal::new(&space, &eigenvalues).unwrap();
        let options = ChebyshevOptions { degree: 3, ratio: 20.0, largest: Some(2.0), ..Default::default() };
        let m = Chebyshev::new(&space, &a, &[1.0; 5], options).unwrap();
        let mut z = [0.0; 5];
        m.apply(&space, &[1.0; 5], &mut z).unwrap();
        let [low, high] = m.interval();
        let (theta, delta) = (0.5 * (low + high), 0.5 * (high - low));
        let t4 = |x: f64| 8.0 * x.powi(4) - 8.0 * x * x + 1.0;
        for (lambda, z) in eigenvalues.iter().zip(z) {
            let expected = t4((theta - lambda) / delta) / t4(theta / delta);
            assert!((1.0 - lambda * z - expected).abs() < 1e-12, "{lambda}");
        }
    }

    #[test]
    fn it_saves_steps() {
        let space = Host::<f64>::new();
        let a = Poisson::new(Grid::new_2d(50, 40).unwrap(), [[Boundary::DIRICHLET; 2]; 3]).unwrap();
        let diagonal = crate::Stencil::from(a.clone()).diagonal();
        let m = Chebyshev::new(&space, &a, &diagonal, ChebyshevOptions::default()).unwrap();
        let b: Vec<f64> = (0..2000).map(|i| ((i * 7919) % 101) as f64 - 50.0).collect();
        let mut cg = Cg::new(&space, 2000, Stop::default()).unwrap();
        let mut steps = |m: Option<&dyn LinearOperator<Host<f64>>>| {
            let report = cg.solve(&space, &a, m, &b, &mut vec![0.0; 2000]).unwrap();
            assert_eq!(report.status, Status::Converged);
            report.steps
        };
        let (with, without) = (steps(Some(&m)), steps(None));
        assert!(3 * with < without, "{with} {without}");
    }

    #[test]
    fn what_a_solve_has_seen_makes_the_next_no_slower() {
        let space = Host::<f64>::new();
        for (n, ratio) in [(30, 4000.0), (60, 150.0), (90, 8.0)] {
            let a = Poisson::new(Grid::new_2d(n, n).unwrap(), [[Boundary::DIRICHLET; 2]; 3]).unwrap();
            let diagonal = crate::Stencil::from(a.clone()).diagonal();
            let cells = n * n;
            let b: Vec<f64> = (0..cells).map(|i| ((i * 7919) % 101) as f64 - 50.0).collect();
            let mut cg = Cg::new(&space, cells, Stop::rtol(1e-8)).unwrap();
            let mut steps = |m: &Chebyshev<Host<f64>, &Poisson>| {
                let report = cg.solve(&space, &a, Some(m), &b, &mut vec![0.0; cells]).unwrap();
                assert_eq!(report.status, Status::Converged);
                (report.steps, cg.spectrum().unwrap())
            };
            let first =
                Chebyshev::new(&space, &a, &diagonal, ChebyshevOptions { ratio, ..Default::default() });
            let first = first.unwrap();
            let (before, seen) = steps(&first);
            let options = first.learned(seen);
            assert_eq!(options.largest, Some(first.interval()[1]));
            let (after, _) = steps(&Chebyshev::new(&space, &a, &diagonal, options).unwrap());
            assert!(after <= before + 1, "{n}, {ratio}: {before} {after} {options:?}");
            // Only the first interval begins below the spectrum.
            assert!((options.ratio < 0.6 * ratio) == (n == 30), "{n}: {options:?}");
            if n == 30 {
                assert!(after < before, "{before} {after}");
            }
            // An end that is too low is estimated again.
            assert_eq!(first.learned([0.1, 3.0]).largest, None);
        }
    }

    #[test]
    fn intervals_are_checked() {
        let space = Host::<f64>::new();
        let a = Diagonal::new(&space, &[1.0]).unwrap();
        let new = |options| Chebyshev::new(&space, &a, &[1.0], options).map(|_| ());
        let bad = ChebyshevOptions { ratio: 1.0, ..Default::default() };
        assert!(matches!(new(bad), Err(Error::Parameter { .. })));
        let bad = ChebyshevOptions { largest: Some(-1.0), ..Default::default() };
        assert!(matches!(new(bad), Err(Error::Parameter { .. })));
        let indefinite = Diagonal::new(&space, &[-1.0]).unwrap();
        let refused = Chebyshev::new(&space, &indefinite, &[1.0], ChebyshevOptions::default());
        assert!(matches!(refused.map(|_| ()), Err(Error::Property { .. })));
    }
}
