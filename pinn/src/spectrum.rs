//! The curvature of a loss.

use crate::coupling::{Coupling, gradients};
use crate::residual::Term;
use crate::{Error, Propagator, Result, nullable};
use resolvent::krylov::eigenpairs::{EigenOptions, End};
use resolvent::{Host, LinearOperator, Map, Operator, Properties, Shape, eigenpairs};
use serde::{Deserialize, Serialize};
use std::sync::Mutex;

/// Σ cᵢ ∇²Lᵢ, the Hessian of a weighted loss by the parameters, as an operator: v ↦ (∇L(θ + hv) − ∇L(θ − hv)) / 2h with h
/// = ∛ε (1 + ‖θ‖) / ‖v‖, which in f64 leaves about ten digits. A product costs two gradients.
///
/// ```
/// use resolvent_pinn::expression::Scope;
/// use resolvent_pinn::{Architecture, Hessian, Network, Propagator, Term};
/// let formula = Scope::new(&["x"], &["u"])?.formula(&["u_xx + u"])?;
/// let points: Vec<f64> = (0..32).map(|i| f64::from(i) / 31.0).collect();
/// let term = Term { residual: &formula, points: &points, data: &[], weights: None };
/// let mut propagator = Propagator::new(Network::new(Architecture::dense(1, &[8], 1))?)?;
/// let parameters = propagator.network().initial(1);
/// let hessian = Hessian::new(&mut propagator, &parameters, vec![(term, 1.0)]);
/// let top = hessian.largest(2, 1)?;
/// assert!(top[0] > top[1] && top[1] > 0.0);
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
pub struct Hessian<'a> {
    parameters: &'a [f64],
    terms: Vec<(Term<'a, f64>, Option<&'a Coupling<f64>>)>,
    factors: Vec<f64>,
    work: Mutex<&'a mut Propagator<f64>>,
}

impl<'a> Hessian<'a> {
    /// Of the terms, each with its factor, at these parameters.
    pub fn new(
        propagator: &'a mut Propagator<f64>,
        parameters: &'a [f64],
        terms: Vec<(Term<'a, f64>, f64)>,
    ) -> Self {
        let (terms, factors) = terms.into_iter().map(|(term, factor)| ((term, None), factor)).unzip();
        Self { parameters, terms, factors, work: Mutex::new(propagator) }
    }

    /// With the coupling of each term's points, in the same order.
    pub fn with_couplings(mut self, couplings: &[Option<&'a Coupling<f64>>]) -> Self {
        self.terms.iter_mut().zip(couplings).for_each(|(term, coupling)| term.1 = *coupling);
        self
    }

    /// The `count` largest eigenvalues, by Lanczos' method to about three digits.
    ///
    /// # Errors
    /// [`Error::Solver`] when a product is not finite or memory is short.
    pub fn largest(&self, count: usize, seed: u64) -> Result<Vec<f64>> {
        self.end(End::Largest, count, seed)
    }

    /// The `count` smallest, which may be negative.
    ///
    /// # Errors
    /// As [`largest`](Self::largest).
    pub fn smallest(&self, count: usize, seed: u64) -> Result<Vec<f64>> {
        self.end(End::Smallest, count, seed)
    }

    fn end(&self, end: End, count: usize, seed: u64) -> Result<Vec<f64>> {
        let options = EigenOptions { rtol: 1e-3, max_steps: 80, seed };
        Ok(eigenpairs(&Host::<f64>::new(), self, end, count, options)?.values)
    }

    /// Σ cᵢ ∇Lᵢ.
    fn gradient(&self, at: &[f64], sum: &mut [f64]) -> Result<()> {
        let mut propagator = self.work.lock().map_err(|_| Error::Training {
            what: "the Hessian's memory is lost after a failure".into(),
            mend: "make it again".into(),
        })?;
        let count = self.terms.len();
        let (mut losses, mut rows) = (vec![0.0; count], vec![0.0; count * at.len()]);
        gradients(&mut propagator, at, &self.terms, &mut vec![], &mut losses, &mut rows)?;
        sum.fill(0.0);
        for (row, c) in rows.chunks_exact(at.len()).zip(&self.factors) {
            sum.iter_mut().zip(row).for_each(|(s, g)| *s += c * g);
        }
        Ok(())
    }
}

impl Map for Hessian<'_> {
    fn shape(&self) -> Shape {
        Shape::square(self.parameters.len())
    }
    fn properties(&self) -> Properties {
        Properties { symmetric: true, ..Properties::NONE }
    }
}

impl Operator<Host<f64>> for Hessian<'_> {
    fn apply(&self, _: &Host<f64>, x: &[f64], y: &mut [f64]) -> resolvent::Result<()> {
        let norm = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
        let size = norm(x);
        if size == 0.0 {
            y.fill(0.0);
            return Ok(());
        }
        let h = f64::EPSILON.cbrt() * (1.0 + norm(self.parameters)) / size;
        let moved = |sign: f64| -> Vec<f64> {
            self.parameters.iter().zip(x).map(|(p, v)| p + sign * h * v).collect()
        };
        let mut below = vec![0.0; x.len()];
        let failed = |e: Error| match e {
            Error::Solver(e) => e,
            e => {
                resolvent::Error::Unknown { what: "a gradient of", name: e.to_string(), known: String::new() }
            }
        };
        self.gradient(&moved(1.0), y).map_err(failed)?;
        self.gradient(&moved(-1.0), &mut below).map_err(failed)?;
        y.iter_mut().zip(&below).for_each(|(y, b)| *y = (*y - b) / (2.0 * h));
        Ok(())
    }
}

impl LinearOperator<Host<f64>> for Hessian<'_> {}

/// Eigenvalues of the Hessian of a loss at one step of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spectrum {
    /// The step.
    pub step: u64,
    /// The largest of the whole weighted loss, descending, and the smallest last.
    #[serde(deserialize_with = "nullable::read")]
    pub total: Vec<f64>,
    /// The largest of every unweighted term.
    #[serde(deserialize_with = "nullable::read")]
    pub terms: Vec<Vec<f64>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Scope;
    use crate::{Architecture, Network};

    /// The residual (parameter)² alone makes a loss whose Hessian is known.
    #[test]
    fn a_quadratic_loss_has_its_own_curvature() {
        let mut scope = Scope::new(&["x"], &["u"]).unwrap();
        scope.trainable("a", 2.0).unwrap();
        scope.trainable("b", 1.0).unwrap();
        let formula = scope.formula(&["3*a", "b"]).unwrap();
        let network = Network::new(Architecture::dense(1, &[2], 1)).unwrap();
        let mut parameters: Vec<f64> = network.initial(1);
        parameters.extend([2.0, 1.0]);
        let points = [0.5];
        let term = Term { residual: &formula, points: &points, data: &[], weights: None };
        let mut propagator = Propagator::new(network).unwrap();
        let hessian = Hessian::new(&mut propagator, &parameters, vec![(term, 0.5)]);
        // ½ ((3a)² + b²): curvatures 9 and 1, and nothing along the network.
        let top = hessian.largest(3, 1).unwrap();
        assert!((top[0] - 9.0).abs() < 1e-6 && (top[1] - 1.0).abs() < 1e-6 && top[2].abs() < 1e-6, "{top:?}");
        assert!(hessian.smallest(1, 1).unwrap()[0].abs() < 1e-6);
    }

    #[test]
    fn products_are_differences_of_gradients_in_any_direction() {
        let formula = Scope::new(&["x", "y"], &["u"]).unwrap().formula(&["u_xx + u_yy + u^2"]).unwrap();
        let network = Network::new(Architecture::dense(2, &[6, 6], 1)).unwrap();
        let parameters: Vec<f64> = network.initial(3);
        let n = parameters.len();
        let points: Vec<f64> = (0..40).map(|i| (f64::from(i) * 0.7).sin()).collect();
        let term = Term { residual: &formula, points: &points, data: &[], weights: None };
        let mut propagator = Propagator::new(network).unwrap();
        let hessian = Hessian::new(&mut propagator, &parameters, vec![(term, 1.0)]);
        let (space, mut rows) = (Host::<f64>::new(), vec![]);
        for i in 0..n {
            let (mut e, mut row) = (vec![0.0; n], vec![0.0; n]);
            e[i] = 1.0;
            hessian.apply(&space, &e, &mut row).unwrap();
            rows.push(row);
        }
        let scale = rows.iter().flatten().fold(0.0f64, |s, v| s.max(v.abs()));
        for i in 0..n {
            for j in 0..i {
                assert!((rows[i][j] - rows[j][i]).abs() < 1e-7 * scale);
            }
        }
        // The trace is the sum of the eigenvalues; the largest is that of the matrix of products by power iteration.
        let mut v = vec![1.0; n];
        for _ in 0..400 {
            let w: Vec<f64> = rows.iter().map(|r| r.iter().zip(&v).map(|(a, b)| a * b).sum()).collect();
            let norm = w.iter().map(|x| x * x).sum::<f64>().sqrt();
            v = w.into_iter().map(|x| x / norm).collect();
        }
        let w: Vec<f64> = rows.iter().map(|r| r.iter().zip(&v).map(|(a, b)| a * b).sum()).collect();
        let largest: f64 = w.iter().zip(&v).map(|(a, b)| a * b).sum();
        assert!((hessian.largest(1, 2).unwrap()[0] - largest).abs() < 2e-3 * largest);
    }
}
