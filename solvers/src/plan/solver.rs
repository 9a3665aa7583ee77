//! A plan made ready for one matrix.

use super::iteration::Iteration;
use super::{Choice, Matrix, Method, Plan, Preconditioner};
use crate::amg::Complexity;
use crate::direction::Model;
use crate::{Equilibration, Error, Host, LinearOperator, Map, Price, Progress, Report, Result, Stop, Tuning};
use std::ops::ControlFlow;

/// An iteration with its workspace and its preconditioner: `set_up` makes and allocates, `solve` does not.
pub struct Solver {
    choice: Choice,
    iteration: Iteration,
    preconditioner: Option<Box<dyn LinearOperator<Host<f64>>>>,
    complexity: Option<Complexity>,
    /// Of the columns, for least squares, and room for the unknowns of the scaled system.
    scaling: Option<(Equilibration<Host<f64>>, Vec<f64>)>,
}

impl Plan {
    /// Makes the preconditioner of a matrix and the workspace of the method, or its factorisation.
    ///
    /// # Errors
    /// [`Error::Unsuited`] for a method that the matrix does not admit, or a preconditioner that needs another kind of
    /// matrix; [`Error::Pivot`] and [`Error::Singular`] from a factorisation; [`Error::Memory`].
    pub fn set_up(self, a: &Matrix, stop: Stop) -> Result<Solver> {
        self.set_up_with(a, stop, None)
    }

    /// As [`set_up`](Self::set_up), with another model for [`Method::Directions`] and [`Method::Hybrid`] than the one that comes
    /// with the library for 3-D.
    ///
    /// # Errors
    /// As [`set_up`](Self::set_up); [`Error::Unsuited`] for directions in 2-D without a model, or with a preconditioner;
    /// [`Error::Checkpoint`] for a model of another dimension.
    pub fn set_up_with(self, a: &Matrix, stop: Stop, model: Option<&Model>) -> Result<Solver> {
        self.make(a, stop, model, None)
    }

    /// As [`set_up`](Self::set_up), with other numbers for [`Preconditioner::Learned`] than those that come with the library.
    ///
    /// # Errors
    /// As [`set_up`](Self::set_up).
    pub fn set_up_tuned(self, a: &Matrix, stop: Stop, tuning: Tuning) -> Result<Solver> {
        self.make(a, stop, None, Some(tuning))
    }

    /// As [`set_up`](Self::set_up), on a device: the matrix, its preconditioner and the workspace are copied there once, b and x with
    /// every solve. What `auto` stands for is what fits a GPU: multigrid on grids, algebraic multigrid for sparse matrices
    /// that admit conjugate gradients, and no preconditioner for others. `model` is for [`Method::Directions`], `tuning` takes the place
    /// of the numbers that were learned.
    ///
    /// # Errors
    /// As [`set_up`](Self::set_up); [`Error::Unsuited`] for what is only on the processor; [`Error::Device`].
    #[cfg(feature = "cuda")]
    pub fn set_up_on(
        self,
        space: &crate::Device<f64>,
        a: &Matrix,
        stop: Stop,
        model: Option<&Model>,
        tuning: Option<Tuning>,
    ) -> Result<Solver> {
        let choice = self.fitting_device(a).resolve(a);
        check(choice.plan, a)?;
        let device = super::device::OnDevice::new(space, choice.plan, a, stop, model, tuning)?;
        let iteration = Iteration::Device(Box::new(device));
        Ok(Solver { choice, iteration, preconditioner: None, complexity: None, scaling: None })
    }

    fn make(self, a: &Matrix, stop: Stop, model: Option<&Model>, tuning: Option<Tuning>) -> Result<Solver> {
        let choice = self.resolve(a);
        let plan = choice.plan;
        check(plan, a)?;
        let (preconditioner, complexity) =
            plan.preconditioner.build(plan.precision, plan.method, a, tuning)?;
        let columns = (plan.method, plan.preconditioner) == (Method::Lsqr, Preconditioner::Equilibration);
        let scaling = match a {
            Matrix::Sparse(csr) if columns => Some(csr),
            Matrix::Singular(a) if columns => Some(a.inner()),
            _ => None,
        };
        let scaling = match scaling {
            Some(csr) => Some((Equilibration::of_columns(&Host::new(), csr)?, vec![0.0; csr.cols()])),
            None => None,
        };
        let iteration = Iteration::new(plan.method, a, stop, preconditioner.is_some(), model)?;
        Ok(Solver { choice, iteration, preconditioner, complexity, scaling })
    }
}

/// Whether the matrix admits the method.
fn check(plan: Plan, a: &Matrix) -> Result<()> {
    let (what, needs, admitted) = match plan.method {
        Method::Cg | Method::FlexibleCg | Method::Directions | Method::Hybrid => (
            "the method of conjugate gradients",
            "a symmetric matrix with a positive diagonal, which this one is not",
            a.properties().admits_cg(),
        ),
        Method::Minres => ("the method of minimal residuals", "a symmetric matrix", a.properties().symmetric),
        Method::Lsqr => ("a solve", "a matrix", true),
        _ => ("this method", "a square matrix", a.shape().is_square()),
    };
    if !admitted {
        let mend = "leave the method to auto, or choose gmres for square matrices and lsqr for others";
        return Err(Error::Unsuited { what, needs, mend });
    }
    Ok(())
}

impl Solver {
    /// Of [`Method::Hybrid`], what a proposal is said to cost; others ignore it.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a price that is negative or no number.
    pub fn set_price(&mut self, price: Price) -> Result<()> {
        self.iteration.set_price(price)
    }

    /// The plan, with every `Auto` resolved.
    pub fn plan(&self) -> Plan {
        self.choice.plan
    }

    /// Why it is this plan, in a sentence.
    pub fn reason(&self) -> &str {
        &self.choice.reason
    }

    /// The levels of an algebraic hierarchy, if there is one.
    pub fn complexity(&self) -> Option<&Complexity> {
        self.complexity.as_ref()
    }

    /// Solves Ax = b from the starting point in `x`; `watch` is called before each step and may stop.
    ///
    /// # Errors
    /// As `solve` of the method. Not converging is no error.
    pub fn solve(
        &mut self,
        a: &Matrix,
        b: &[f64],
        x: &mut [f64],
        watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let Some((scaling, y)) = &mut self.scaling else {
            return self.iteration.solve(a.operator(), self.preconditioner.as_deref(), b, x, watch);
        };
        let space = Host::new();
        scaling.enter(&space, x, y)?;
        let report = self.iteration.solve(&scaling.on(a.operator())?, None, b, y, watch)?;
        scaling.leave(&space, y, x)?;
        Ok(report)
    }

    /// ‖r‖₂ before every step of the last solve, and at its end.
    pub fn history(&self) -> &[f64] {
        self.iteration.history()
    }
}
