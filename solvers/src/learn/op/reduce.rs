//! One number of a whole matrix.

use super::{Inputs, Op, Sinks, Workspace};
use crate::host::reduce::{lanes, sum_blocks};
use crate::learn::tape::{Tape, Var};
use crate::{Result, Scalar, Shape};

/// The sum of all entries, or their mean, which is 0 when there are none: `[n, c]` → `[1, 1]`. Sums are taken in f64.
#[derive(Clone, Copy, Debug)]
pub struct Sum {
    /// The mean instead of the sum.
    pub mean: bool,
}

impl Sum {
    fn weight(self, n: usize) -> f64 {
        if self.mean { 1.0 / n.max(1) as f64 } else { 1.0 }
    }
}

impl<T: Scalar> Op<T> for Sum {
    fn name(&self) -> &'static str {
        if self.mean { "mean" } else { "sum of all" }
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        if inputs.len() == 1 { Ok(Shape::square(1)) } else { Err("it takes one operand") }
    }

    fn forward(&self, inputs: &Inputs<T>, y: &mut [T], _: &mut Workspace<T>) -> Result<()> {
        let x = inputs.get(0);
        let sum = sum_blocks(x.len(), |range| lanes(x[range].iter().map(|v| v.f64())));
        y[0] = T::of(sum * self.weight(x.len()));
        Ok(())
    }

    fn backward(
        &self,
        inputs: &Inputs<T>,
        _: &[T],
        g: &mut [T],
        _: &mut Workspace<T>,
        sinks: &mut Sinks<T>,
    ) -> Result<()> {
        let g = T::of(g[0].f64() * self.weight(inputs.get(0).len()));
        if let Some(sink) = sinks.get(0) {
            sink.add(std::iter::repeat(g));
        }
        Ok(())
    }
}

impl<T: Scalar> Tape<T> {
    /// The sum of all entries.
    ///
    /// # Errors
    /// [`Error::Operands`](crate::Error::Operands); [`Error::Memory`](crate::Error::Memory).
    pub fn sum(&mut self, x: Var) -> Result<Var> {
        self.record(Sum { mean: false }, &[x])
    }

    /// The mean of all entries.
    ///
    /// # Errors
    /// As [`sum`](Self::sum).
    pub fn mean(&mut self, x: Var) -> Result<Var> {
        self.record(Sum { mean: true }, &[x])
    }
}
