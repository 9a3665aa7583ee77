//! Matrices side by side, and some columns of one.

use super::{Inputs, Op, Sink, Sinks, Workspace};
use crate::learn::product::each_rows;
use crate::learn::tape::{Tape, Var};
use crate::{Result, Scalar, Shape};

/// Matrices of as many rows, side by side: `[n, a]`, `[n, b]`, … → `[n, a + b + …]`.
#[derive(Clone, Copy, Debug)]
pub struct Concatenate;

impl<T: Scalar> Op<T> for Concatenate {
    fn name(&self) -> &'static str {
        "concatenation"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        let [first, ..] = inputs else { return Err("it takes at least one operand") };
        if inputs.iter().any(|x| x.rows != first.rows) {
            return Err("all must have as many rows");
        }
        Ok(Shape { rows: first.rows, cols: inputs.iter().map(|x| x.cols).sum() })
    }

    fn forward(&self, inputs: &Inputs<T>, y: &mut [T], _: &mut Workspace<T>) -> Result<()> {
        let cols = (0..inputs.len()).map(|i| inputs.shape(i).cols).sum();
        each_rows(y, cols, |first, y| {
            let mut offset = 0;
            for i in 0..inputs.len() {
                let (x, width) = (inputs.get(i), inputs.shape(i).cols);
                for (row, y) in y.chunks_mut(cols).enumerate() {
                    y[offset..offset + width].copy_from_slice(&x[(first + row) * width..][..width]);
                }
                offset += width;
            }
        });
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
        let (cols, g) = ((0..inputs.len()).map(|i| inputs.shape(i).cols).sum::<usize>(), &*g);
        let mut offset = 0;
        for i in 0..inputs.len() {
            let width = inputs.shape(i).cols;
            if let Some(Sink { gradient, fresh }) = sinks.get(i) {
                each_rows(gradient, width, |first, s| {
                    for (row, s) in s.chunks_mut(width).enumerate() {
                        let g = &g[(first + row) * cols + offset..][..width];
                        Sink { gradient: s, fresh }.add(g.iter().copied());
                    }
                });
            }
            offset += width;
        }
        Ok(())
    }
}

/// Columns `first` to `first + count` of x: `[n, c]` → `[n, count]`.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// The first one.
    pub first: usize,
    /// Their number.
    pub count: usize,
}

impl<T: Scalar> Op<T> for Columns {
    fn name(&self) -> &'static str {
        "columns"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        match inputs {
            [x] if self.first.checked_add(self.count).is_some_and(|end| end <= x.cols) => {
                Ok(Shape { rows: x.rows, cols: self.count })
            }
            _ => Err("it takes one operand that has the columns asked for"),
        }
    }

    fn forward(&self, inputs: &Inputs<T>, y: &mut [T], _: &mut Workspace<T>) -> Result<()> {
        let (x, cols) = (inputs.get(0), inputs.shape(0).cols);
        each_rows(y, self.count, |first, y| {
            for (row, y) in y.chunks_mut(self.count).enumerate() {
                y.copy_from_slice(&x[(first + row) * cols + self.first..][..self.count]);
            }
        });
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
        let (cols, g) = (inputs.shape(0).cols, &*g);
        let Some(sink) = sinks.get(0) else { return Ok(()) };
        let s = sink.zeroed();
        if self.count == 0 {
            return Ok(());
        }
        each_rows(s, cols, |first, s| {
            for (row, s) in s.chunks_mut(cols).enumerate() {
                let g = &g[(first + row) * self.count..][..self.count];
                s[self.first..].iter_mut().zip(g).for_each(|(s, &g)| *s += g);
            }
        });
        Ok(())
    }
}

impl<T: Scalar> Tape<T> {
    /// Matrices of as many rows, side by side.
    ///
    /// # Errors
    /// [`Error::Operands`](crate::Error::Operands); [`Error::Memory`](crate::Error::Memory).
    pub fn concatenate(&mut self, matrices: &[Var]) -> Result<Var> {
        self.record(Concatenate, matrices)
    }

    /// Columns `first` to `first + count` of x.
    ///
    /// # Errors
    /// As [`concatenate`](Self::concatenate).
    pub fn columns(&mut self, x: Var, first: usize, count: usize) -> Result<Var> {
        self.record(Columns { first, count }, &[x])
    }
}
