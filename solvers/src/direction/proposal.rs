//! A model as an operator on one grid, made at once or when it is first asked.

use super::Model;
use crate::operator::check_apply;
use crate::{Host, Map, Operator, Result, Scalar, Shape, Space, Stencil};
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Entries that a thread converts at a time.
const ENTRIES: usize = 1 << 14;

/// A network on one grid, with memory of its own.
pub(super) trait Evaluate: Send {
    /// What the network looks at, and then what it proposes: `[cells]`.
    fn field(&mut self) -> &mut [f32];
    /// Replaces the field by what the network proposes.
    fn run(&mut self);
}

/// r ↦ ‖r‖ f(r/‖r‖) for the network f of a [`Model`](super::Model), which works in f32 and in memory of its own. Linear or not,
/// it is homogeneous: a residual of any size is looked at alike. What is not finite is passed on for the solver to see.
pub struct Proposal {
    cells: usize,
    evaluation: Mutex<Box<dyn Evaluate>>,
}

impl Proposal {
    pub(super) fn new(cells: usize, evaluation: Box<dyn Evaluate>) -> Self {
        Self { cells, evaluation: Mutex::new(evaluation) }
    }
}

impl Map for Proposal {
    fn shape(&self) -> Shape {
        Shape::square(self.cells)
    }
}

impl<T: Scalar> Operator<Host<T>> for Proposal {
    fn apply(&self, space: &Host<T>, r: &[T], d: &mut [T]) -> Result<()> {
        check_apply(space, self.shape(), r, d)?;
        let norm = space.norm(r)?;
        if norm == 0.0 {
            return space.fill(T::of(0.0), d);
        }
        let mut evaluation = self.evaluation.lock().unwrap_or_else(PoisonError::into_inner);
        let field = evaluation.field().par_chunks_mut(ENTRIES);
        field.zip(r.par_chunks(ENTRIES)).for_each(|(x, r)| {
            x.iter_mut().zip(r).for_each(|(x, r)| *x = (r.f64() / norm) as f32);
        });
        evaluation.run();
        d.par_chunks_mut(ENTRIES).zip(evaluation.field().par_chunks(ENTRIES)).for_each(|(d, x)| {
            d.iter_mut().zip(x).for_each(|(d, &x)| *d = T::of(f64::from(x) * norm));
        });
        Ok(())
    }
}

/// A [`Proposal`] that is made when it is first asked, for those that may never be: the kernels of a network can cost more than a
/// whole solve.
pub(crate) struct Deferred {
    model: Model,
    a: Stencil,
    made: Mutex<Option<Proposal>>,
}

impl Deferred {
    /// For an operator.
    ///
    /// # Errors
    /// As [`Model::on`], but for memory.
    pub fn new(model: Model, a: &Stencil) -> Result<Self> {
        model.check_on(a)?;
        Ok(Self { model, a: a.clone(), made: Mutex::new(None) })
    }
}

impl Map for Deferred {
    fn shape(&self) -> Shape {
        self.a.shape()
    }
}

impl<T: Scalar> Operator<Host<T>> for Deferred {
    fn apply(&self, space: &Host<T>, r: &[T], d: &mut [T]) -> Result<()> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let proposal = match &mut *made {
            Some(proposal) => proposal,
            empty => empty.insert(self.model.on(&self.a)?),
        };
        proposal.apply(space, r, d)
    }
}
