//! A dense layer: a matrix product, an offset and an activation.

use super::{Inputs, Op, Sinks, Workspace};
use crate::host::simd::{Kernel, dispatch};
use crate::learn::activation::Activation;
use crate::learn::parameters::{Linear, Parameters};
use crate::learn::product::{ENTRIES, ROWS, add_columns, add_gram, multiply, multiply_transposed, shared};
use crate::learn::tape::{Tape, Var};
use crate::{Result, Scalar, Shape};
use rayon::prelude::*;

/// f(x w + b): x `[n, inputs]`, w `[inputs, outputs]`, b `[1, outputs]` or absent.
///
/// 6 n · inputs · outputs operations for value and gradient. Value, offset and activation are made block by block of 256
/// rows while they are in the cache; f′ is kept only where it does not follow from f.
#[derive(Clone, Copy, Debug)]
pub struct Dense {
    /// f.
    pub activation: Activation,
}

impl Dense {
    /// A block of rows: y ← f(x w + b), and f′ where it is kept.
    fn block<T: Scalar>(self, inputs: &Inputs<T>, first: usize, y: &mut [T], slopes: Option<&mut [T]>) {
        let Shape { rows: inner, cols } = inputs.shape(1);
        let rows = y.len() / cols;
        multiply(&inputs.get(0)[first * inner..(first + rows) * inner], inputs.get(1), inner, cols, false, y);
        if inputs.len() > 2 {
            dispatch(AddRow { b: inputs.get(2), y });
        }
        match slopes {
            Some(s) => self.activation.apply_both(y, s),
            None => self.activation.apply(y),
        }
    }
}

/// y + b in every row.
struct AddRow<'a, T> {
    b: &'a [T],
    y: &'a mut [T],
}

impl<T: Scalar> Kernel for AddRow<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { b, y } = self;
        let cols = b.len();
        for y in y.chunks_mut(cols) {
            let y = &mut y[..cols];
            for c in 0..cols {
                y[c] += b[c];
            }
        }
    }
}

/// Calls `block` with the first row of every block of y, the block, and where its slopes go when they are to be kept; in parallel when
/// rows of `inner` multiplications an entry are worth it. The second input is the weight, as wide as y.
pub(super) fn each_block<T: Scalar>(
    activation: Activation,
    inputs: &Inputs<T>,
    inner: usize,
    y: &mut [T],
    work: &mut Workspace<T>,
    block: impl Fn(usize, &mut [T], Option<&mut [T]>) + Sync,
) {
    let cols = inputs.shape(1).cols;
    if y.is_empty() {
        return;
    }
    let size = ROWS * cols;
    let parallel = shared(y.len() / cols, inner, cols);
    let kept = !activation.slope_of_value() && inputs.any_needs_gradient();
    work.kept.resize(if kept { y.len() } else { 0 }, T::of(0.0));
    let plain = |(i, y): (usize, &mut [T])| block(i * ROWS, y, None);
    let both = |(i, (y, s)): (usize, (&mut [T], &mut [T]))| block(i * ROWS, y, Some(s));
    match (kept, parallel) {
        (false, true) => y.par_chunks_mut(size).enumerate().for_each(plain),
        (false, false) => y.chunks_mut(size).enumerate().for_each(plain),
        (true, true) => y.par_chunks_mut(size).zip(work.kept.par_chunks_mut(size)).enumerate().for_each(both),
        (true, false) => y.chunks_mut(size).zip(work.kept.chunks_mut(size)).enumerate().for_each(both),
    }
}

impl<T: Scalar> Op<T> for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        let (x, w) = match inputs {
            [x, w] => (x, w),
            [x, w, b] if (b.rows, b.cols) == (1, w.cols) => (x, w),
            [_, _, _] => return Err("the offset must be one row, as wide as the weight"),
            _ => return Err("it takes a matrix, a weight and perhaps an offset"),
        };
        if x.cols != w.rows {
            return Err("the columns of the first must be as many as the rows of the second");
        }
        Ok(Shape { rows: x.rows, cols: w.cols })
    }

    fn forward(&self, inputs: &Inputs<T>, y: &mut [T], work: &mut Workspace<T>) -> Result<()> {
        let inner = inputs.shape(1).rows;
        each_block(self.activation, inputs, inner, y, work, |first, y, slopes| {
            self.block(inputs, first, y, slopes);
        });
        Ok(())
    }

    fn backward(
        &self,
        inputs: &Inputs<T>,
        y: &[T],
        g: &mut [T],
        work: &mut Workspace<T>,
        sinks: &mut Sinks<T>,
    ) -> Result<()> {
        let Shape { rows: inner, cols } = inputs.shape(1);
        pull(self.activation, y, &work.kept, g);
        if let Some(sink) = sinks.get(1) {
            add_gram(inputs.get(0), g, inner, cols, &mut work.scratch, sink.zeroed());
        }
        if inputs.len() > 2
            && let Some(sink) = sinks.get(2)
        {
            add_columns(g, cols, &mut work.scratch, sink.zeroed());
        }
        if let Some(sink) = sinks.get(0) {
            multiply_transposed(g, inputs.get(1), inner, cols, !sink.fresh, sink.gradient);
        }
        Ok(())
    }
}

/// g ← g f′.
pub(super) fn pull<T: Scalar>(activation: Activation, y: &[T], slopes: &[T], g: &mut [T]) {
    if activation == Activation::Identity {
        return;
    }
    let block = |(g, (y, s)): (&mut [T], (&[T], &[T]))| {
        if activation.slope_of_value() {
            activation.pull(y, g);
        } else {
            g.iter_mut().zip(s).for_each(|(g, &s)| *g *= s);
        }
    };
    let s = if activation.slope_of_value() { y } else { slopes };
    if g.len() <= 2 * ENTRIES {
        block((g, (y, s)));
    } else {
        let others = y.par_chunks(ENTRIES).zip(s.par_chunks(ENTRIES));
        g.par_chunks_mut(ENTRIES).zip(others).for_each(block);
    }
}

impl<T: Scalar> Tape<T> {
    /// x w, `[n, inner]` times `[inner, m]`.
    ///
    /// # Errors
    /// [`Error::Operands`](crate::Error::Operands); [`Error::Memory`](crate::Error::Memory).
    pub fn product(&mut self, x: Var, w: Var) -> Result<Var> {
        self.record(Dense { activation: Activation::Identity }, &[x, w])
    }

    /// f(x w + b): x `[n, inputs]`, w `[inputs, outputs]`, b `[1, outputs]`.
    ///
    /// # Errors
    /// As [`product`](Self::product).
    pub fn dense(&mut self, x: Var, w: Var, b: Var, activation: Activation) -> Result<Var> {
        self.record(Dense { activation }, &[x, w, b])
    }

    /// A dense layer with the weight and bias of `layer`.
    ///
    /// # Errors
    /// As [`product`](Self::product); [`Error::Length`](crate::Error::Length) when the step was not started with these
    /// parameters.
    pub fn layer(
        &mut self,
        parameters: &Parameters<T>,
        layer: Linear,
        x: Var,
        activation: Activation,
    ) -> Result<Var> {
        let w = self.parameter(parameters, layer.weight)?;
        let b = self.parameter(parameters, layer.bias)?;
        self.dense(x, w, b, activation)
    }
}
