//! The derivative of ridge regression by its penalty, and how wrong it is when the regression is solved only roughly.
//!
//! w minimises ‖Xw − y‖² + exp(θ) ‖w‖². After every step of gradient descent on w, dw/dθ from the implicit function is compared with the
//! derivative of the descent itself: both against the exact one. The first is never worse than a constant times the error
//! of w; the second lags behind. See M. Blondel and others, NeurIPS (2022), arXiv:2105.15183, figure 3.

use resolvent::implicit::{Equation, Implicit, ImplicitOptions, Linear, Parametric};
use resolvent::learn::Random;
use resolvent::{Assume, Dense, Host, LinearOperator, Operator, Properties, Result, Shifted, Space};

/// (XᵀX + exp θ) w − Xᵀy.
struct Ridge {
    gram: Dense<f64>,
    right: Vec<f64>,
}

type Linear64<'a> = Box<dyn LinearOperator<Host<f64>> + 'a>;

impl Parametric<Host<f64>> for Ridge {
    fn unknowns(&self) -> usize {
        self.right.len()
    }
    fn parameters(&self) -> usize {
        1
    }
    fn evaluate(&self, space: &Host<f64>, w: &[f64], theta: &[f64], y: &mut [f64]) -> Result<()> {
        self.gram.apply(space, w, y)?;
        space.axpby(theta[0].exp(), w, 1.0, y)?;
        space.axpby(-1.0, &self.right, 1.0, y)
    }
    fn jacobian<'a>(&'a self, _: &'a Host<f64>, _: &'a [f64], theta: &'a [f64]) -> Result<Linear64<'a>> {
        Ok(Box::new(Assume::new(Shifted::new(&self.gram, theta[0].exp())?, Properties::SPD)))
    }
    fn sensitivity<'a>(&'a self, _: &'a Host<f64>, w: &'a [f64], theta: &'a [f64]) -> Result<Linear64<'a>> {
        Ok(Box::new(Dense::from_fn(w.len(), 1, |i, _| theta[0].exp() * w[i])?))
    }
}

pub(crate) fn main() -> Result<()> {
    let (space, rows, n) = (Host::<f64>::new(), 60, 20);
    let mut random = Random::new(3, "regression");
    let x: Vec<f64> = (0..rows * n).map(|_| random.normal()).collect();
    let y: Vec<f64> = (0..rows).map(|_| random.normal()).collect();
    let gram = Dense::from_fn(n, n, |i, j| (0..rows).map(|r| x[r * n + i] * x[r * n + j]).sum())?;
    let right = (0..n).map(|i| (0..rows).map(|r| x[r * n + i] * y[r]).sum()).collect();
    let (ridge, theta) = (Ridge { gram, right }, [2.0]);

    let mut implicit = Implicit::new(&space, Equation::Root, n, ImplicitOptions::linear(Linear::Cg))?;
    let mut derivative = |w: &[f64]| -> Result<Vec<f64>> {
        let mut change = vec![0.0; n];
        let report = implicit.forward(&space, &ridge, w, &theta, &[1.0], None, &mut change)?;
        assert!(report.status.is_solved(), "{}", report.status);
        Ok(change)
    };
    let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();

    // Descent to the end, for the truth.
    let rate = 0.5 / rows as f64;
    let descend = |w: &mut Vec<f64>, dw: &mut Vec<f64>| -> Result<()> {
        let (mut f, mut df) = (vec![0.0; n], vec![0.0; n]);
        ridge.evaluate(&space, w, &theta, &mut f)?;
        ridge.jacobian(&space, w, &theta)?.apply(&space, dw, &mut df)?;
        space.axpby(theta[0].exp(), w, 1.0, &mut df)?;
        space.axpby(-rate, &f, 1.0, w)?;
        space.axpby(-rate, &df, 1.0, dw)
    };
    let (mut truth, mut exact) = (vec![0.0; n], vec![0.0; n]);
    for _ in 0..2000 {
        descend(&mut truth, &mut exact)?;
    }
    assert!(distance(&derivative(&truth)?, &exact) < 1e-8);

    println!("steps  error of w  implicit    of the loop");
    let (mut w, mut dw) = (vec![0.0; n], vec![0.0; n]);
    for step in 1..=60 {
        descend(&mut w, &mut dw)?;
        let errors = [distance(&w, &truth), distance(&derivative(&w)?, &exact), distance(&dw, &exact)];
        assert!(errors[1] <= errors[0], "the constant is below 1 here");
        if step % 10 == 0 {
            println!("{step:>5}  {:.3e}   {:.3e}   {:.3e}", errors[0], errors[1], errors[2]);
            assert!(errors[1] < errors[2]);
        }
    }
    Ok(())
}
