//! Eigenpairs at an end of a symmetric spectrum, by Lanczos with full reorthogonalisation.
//!
//! C. Lanczos (1950), 10.6028/jres.045.026; B. N. Parlett, *The Symmetric Eigenvalue Problem*, SIAM, 1998, ch. 13,
//! 10.1137/1.9781611971163. Every vector is made orthogonal to all before by classical Gram–Schmidt done twice, so no copies
//! of found eigenvalues appear, and the Ritz vectors are orthonormal. Departure: where the Krylov space is exhausted a new
//! start, orthogonal to it, goes on. A multiple eigenvalue is found once for each start: for all its vectors a block method
//! would be needed.
//!
//! Storage: a vector a step and the pairs asked for. Traffic of step j beside A, in f64: about 34 j + 48 bytes an unknown.

use super::basis::start;
use super::process::Process;
use crate::{Error, LinearOperator, Positivity, Result, Scalar, Space};

/// An end of a spectrum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The smallest eigenvalues, ascending.
    Smallest,
    /// The largest, descending.
    Largest,
}

/// How far [`eigenpairs`] goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EigenOptions {
    /// The bound of each pair, relative to the largest |Ritz value|.
    pub rtol: f64,
    /// At most this many steps, each a vector of memory.
    pub max_steps: usize,
    /// The seed of the starting vector.
    pub seed: u64,
}

impl Default for EigenOptions {
    /// 1e-8 within 300 steps.
    fn default() -> Self {
        Self { rtol: 1e-8, max_steps: 300, seed: 1 }
    }
}

/// Ritz pairs, from the end of the spectrum inwards.
pub struct Eigenpairs<S: Space> {
    /// The Ritz values θ.
    pub values: Vec<f64>,
    /// Orthonormal Ritz vectors v.
    pub vectors: Vec<S::Buf>,
    /// ‖Av − θv‖ for each, up to rounding: an eigenvalue is not further from θ.
    pub bounds: Vec<f64>,
    /// How many of them, from the first on, are within the tolerance.
    pub converged: usize,
    /// Products with A.
    pub steps: usize,
}

/// The `count` pairs at an end of the spectrum of a symmetric `a`, or as many as there are. A null space that `a` knows is
/// left out.
///
/// ```
/// use resolvent::{Boundary, Grid, Host, Poisson, eigenpairs, krylov::eigenpairs::{EigenOptions, End}};
/// let a = Poisson::new(Grid::new_2d(30, 20)?, [[Boundary::DIRICHLET; 2]; 3])?;
/// let pairs = eigenpairs(&Host::<f64>::new(), &a, End::Smallest, 2, EigenOptions::default())?;
/// let s = |i: f64, n: f64| 4.0 * (std::f64::consts::PI * i / (2.0 * n)).sin().powi(2);
/// assert_eq!(pairs.converged, 2);
/// assert!((pairs.values[0] - s(1.0, 30.0) - s(1.0, 20.0)).abs() < 1e-7);
/// assert!((pairs.values[1] - s(2.0, 30.0) - s(1.0, 20.0)).abs() < 1e-7);
/// # Ok::<(), resolvent::Error>(())
/// ```
///
/// # Errors
/// [`Error::Property`] when `a` does not claim to be symmetric; [`Error::Parameter`] for a `count` of 0 or a bad tolerance;
/// [`Error::Value`] when a product is not finite; [`Error::Memory`].
pub fn eigenpairs<S: Space>(
    space: &S,
    a: &dyn LinearOperator<S>,
    end: End,
    count: usize,
    options: EigenOptions,
) -> Result<Eigenpairs<S>> {
    if !a.properties().symmetric {
        return Err(Error::Property { method: "Lanczos", needs: "symmetric" });
    }
    if count == 0 {
        return Err(Error::Parameter {
            name: "count",
            value: 0.0,
            needs: "at least one pair must be asked for",
        });
    }
    if !(options.rtol.is_finite() && options.rtol >= 0.0) {
        let needs = "a finite tolerance ≥ 0 is needed";
        return Err(Error::Parameter { name: "rtol", value: options.rtol, needs });
    }
    let (n, project) = (a.shape().rows, a.properties().positivity < Positivity::Definite);
    let mut first = start(space, n, options.seed)?;
    let whole = space.norm(&first)?;
    if project {
        a.project(space, &mut first)?;
    }
    let norm = space.norm(&first)?;
    // In a space of constants only rounding is left.
    let nothing = 1e3 * S::Scalar::EPSILON * whole;
    if norm.is_finite() && norm <= nothing {
        let (values, vectors, bounds) = (vec![], vec![], vec![]);
        return Ok(Eigenpairs { values, vectors, bounds, converged: 0, steps: 0 });
    }
    space.scale(S::Scalar::of(1.0 / norm), &mut first)?;
    let mut process = Process::new(first);
    let most = options.max_steps.max(count).min(n);
    let mut checked = count + 8;
    let (mut values, mut u, mut bounds);
    loop {
        let steps = process.steps() + 1;
        let exhausted = process.step(space, a, project)? == 0.0;
        // What rounding leaves of a projection ends the space as well.
        let over = steps >= most
            || (exhausted && !process.go_on(space, a, project, options.seed.wrapping_add(steps as u64))?);
        if over || steps >= checked {
            checked = steps + 1 + steps / 4;
            (values, u, bounds) = process.ritz()?;
            let size = values.iter().fold(0.0f64, |s, v| s.max(v.abs()));
            let order = |i: usize| if end == End::Smallest { i } else { steps - 1 - i };
            let wanted = count.min(steps);
            let good = (0..wanted).take_while(|i| bounds[order(*i)] <= options.rtol * size).count();
            if over || (good == wanted && !exhausted) {
                let mut vectors = Vec::with_capacity(wanted);
                let mut column = vec![0.0; steps];
                for i in 0..wanted {
                    column.iter_mut().enumerate().for_each(|(r, c)| *c = u[(r, order(i))]);
                    let mut v = space.zeros(n)?;
                    space.combine(1.0, &column, &process.basis()[..steps], &mut v)?;
                    vectors.push(v);
                }
                return Ok(Eigenpairs {
                    values: (0..wanted).map(|i| values[order(i)]).collect(),
                    vectors,
                    bounds: (0..wanted).map(|i| bounds[order(i)]).collect(),
                    converged: good,
                    steps,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::Constants;
    use crate::krylov::test::{dense, times, with_spectrum};
    use crate::{Boundary, Diagonal, Grid, Host, Poisson, Properties};

    fn defect(a: &dyn LinearOperator<Host<f64>>, v: &[f64], theta: f64) -> f64 {
        times(a, v).iter().zip(v).map(|(y, v)| (y - theta * v).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn both_ends_agree_with_the_spectrum_and_the_bounds_hold() {
        let eigenvalues: Vec<f64> = (0..150).map(|i| (i as f64 - 40.0).powi(3) / 100.0).collect();
        let (a, space) = (with_spectrum(&eigenvalues, 3), Host::<f64>::new());
        for end in [End::Smallest, End::Largest] {
            let pairs = eigenpairs(&space, &a, end, 5, EigenOptions::default()).unwrap();
            assert_eq!((pairs.converged, pairs.values.len(), pairs.vectors.len()), (5, 5, 5));
            for i in 0..5 {
                let expected = eigenvalues[if end == End::Smallest { i } else { 149 - i }];
                assert!((pairs.values[i] - expected).abs() < 1e-6 * 1e4, "{:?}", pairs.values);
                let defect = defect(&a, &pairs.vectors[i], pairs.values[i]);
                assert!(defect <= 1.01 * pairs.bounds[i] + 1e-9, "{defect:e} {:e}", pairs.bounds[i]);
                for j in 0..=i {
                    let dot = space.dot(&pairs.vectors[i], &pairs.vectors[j]).unwrap();
                    assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-10);
                }
            }
        }
        let few = EigenOptions { max_steps: 12, ..EigenOptions::default() };
        let pairs = eigenpairs(&space, &a, End::Smallest, 5, few).unwrap();
        assert!(pairs.converged < 5 && pairs.steps == 12 && pairs.bounds[4] > 1e-3);
        for i in 0..5 {
            let defect = defect(&a, &pairs.vectors[i], pairs.values[i]);
            assert!((defect - pairs.bounds[i]).abs() < 1e-6 * defect, "{defect:e} {:e}", pairs.bounds[i]);
        }
    }

    #[test]
    fn known_null_spaces_are_left_out_and_small_spaces_are_exhausted() {
        let space = Host::<f64>::new();
        let a = Poisson::new(Grid::new_2d(16, 11).unwrap(), [[Boundary::Neumann; 2]; 3]).unwrap();
        let pairs = eigenpairs(&space, &a, End::Smallest, 1, EigenOptions::default()).unwrap();
        let exact = 4.0 * (std::f64::consts::PI / 32.0).sin().powi(2);
        assert!((pairs.values[0] - exact).abs() < 1e-8, "{:?} {exact}", pairs.values);
        let d = Diagonal::new(&space, &[3.0, -1.0, 7.0, 7.0]).unwrap();
        let pairs = eigenpairs(&space, &d, End::Largest, 9, EigenOptions::default()).unwrap();
        assert_eq!(pairs.values.len(), 4);
        assert!(pairs.values.iter().zip([7.0, 7.0, 3.0, -1.0]).all(|(v, e)| (v - e).abs() < 1e-12));
        let nothing = Diagonal::new(&space, &[0.0]).unwrap();
        let nothing = Constants::new(crate::Assume::new(nothing, Properties::SEMIDEFINITE));
        assert!(
            eigenpairs(&space, &nothing, End::Largest, 1, EigenOptions::default()).unwrap().values.is_empty()
        );
    }

    #[test]
    fn what_cannot_run_is_refused() {
        let (space, o) = (Host::<f64>::new(), EigenOptions::default());
        let a = dense(4, 2.0, 1);
        assert!(matches!(eigenpairs(&space, &a, End::Largest, 1, o), Err(Error::Property { .. })));
        let a = with_spectrum(&[1.0, 2.0], 1);
        assert!(matches!(eigenpairs(&space, &a, End::Largest, 0, o), Err(Error::Parameter { .. })));
        let bad = EigenOptions { rtol: f64::NAN, ..o };
        assert!(matches!(eigenpairs(&space, &a, End::Largest, 1, bad), Err(Error::Parameter { .. })));
        let huge = Diagonal::new(&space, &[f64::MAX, 1.0, f64::MAX]).unwrap();
        let huge = crate::Scaled::new(1e300, huge).unwrap();
        assert!(matches!(eigenpairs(&space, &huge, End::Largest, 1, o), Err(Error::Value { .. })));
    }
}
