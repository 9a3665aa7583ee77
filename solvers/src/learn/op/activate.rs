//! An activation on its own.

use super::dense::pull;
use super::{Inputs, Op, Sinks, Workspace};
use crate::learn::activation::Activation;
use crate::learn::product::ENTRIES;
use crate::learn::tape::{Tape, Var};
use crate::{Result, Scalar, Shape};
use rayon::prelude::*;

/// f(x), entry by entry.
#[derive(Clone, Copy, Debug)]
pub struct Activate(
    /// f.
    pub Activation,
);

impl<T: Scalar> Op<T> for Activate {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        if let [x] = inputs { Ok(*x) } else { Err("it takes one operand") }
    }

    fn forward(&self, inputs: &Inputs<T>, y: &mut [T], work: &mut Workspace<T>) -> Result<()> {
        let x = inputs.get(0);
        if self.0.slope_of_value() || !inputs.needs_gradient(0) {
            y.par_chunks_mut(ENTRIES).zip(x.par_chunks(ENTRIES)).for_each(|(y, x)| {
                y.copy_from_slice(x);
                self.0.apply(y);
            });
        } else {
            work.kept.resize(y.len(), T::of(0.0));
            let slopes = work.kept.par_chunks_mut(ENTRIES);
            y.par_chunks_mut(ENTRIES).zip(x.par_chunks(ENTRIES)).zip(slopes).for_each(|((y, x), s)| {
                y.copy_from_slice(x);
                self.0.apply_both(y, s);
            });
        }
        Ok(())
    }

    fn backward(
        &self,
        _: &Inputs<T>,
        y: &[T],
        g: &mut [T],
        work: &mut Workspace<T>,
        sinks: &mut Sinks<T>,
    ) -> Result<()> {
        pull(self.0, y, &work.kept, g);
        if let Some(sink) = sinks.get(0) {
            sink.add(g.iter().copied());
        }
        Ok(())
    }
}

impl<T: Scalar> Tape<T> {
    /// f(x), entry by entry. An activation behind a dense layer is faster as part of it.
    ///
    /// # Errors
    /// [`Error::Operands`](crate::Error::Operands); [`Error::Memory`](crate::Error::Memory).
    pub fn activate(&mut self, x: Var, activation: Activation) -> Result<Var> {
        self.record(Activate(activation), &[x])
    }
}
