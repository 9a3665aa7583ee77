//! The largest item of each row.

use super::{Inputs, Op, Sinks, Workspace};
use crate::learn::index::Index;
use crate::learn::product::each_rows;
use crate::learn::tape::{Tape, Var};
use crate::{Result, Scalar, Shape};

/// The largest of the items of each row, column by column, 0 where there are none: x `[items, c]` → y `[rows, c]`. The
/// gradient goes to the first item that has it.
#[derive(Clone, Debug)]
pub struct SegmentMax(
    /// The row of each item.
    pub Index,
);

impl<T: Scalar> Op<T> for SegmentMax {
    fn name(&self) -> &'static str {
        "segment max"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        match inputs {
            [x] if x.rows == self.0.items() => Ok(Shape { rows: self.0.rows(), cols: x.cols }),
            _ => Err("it takes one operand with as many rows as the index has items"),
        }
    }

    fn forward(&self, inputs: &Inputs<T>, y: &mut [T], _: &mut Workspace<T>) -> Result<()> {
        let (x, cols) = (inputs.get(0), inputs.shape(0).cols);
        each_rows(y, cols, |first, y| {
            for (i, y) in y.chunks_mut(cols).enumerate() {
                y.fill(T::of(0.0));
                for (k, item) in self.0.members(first + i).iter().enumerate() {
                    let x = &x[*item as usize * cols..][..cols];
                    // What is not a number wins and stays.
                    y.iter_mut()
                        .zip(x)
                        .filter(|(y, x)| k == 0 || **x > **y || x.is_nan())
                        .for_each(|(y, &x)| *y = x);
                }
            }
        });
        Ok(())
    }

    fn backward(
        &self,
        inputs: &Inputs<T>,
        y: &[T],
        g: &mut [T],
        _: &mut Workspace<T>,
        sinks: &mut Sinks<T>,
    ) -> Result<()> {
        let (x, cols) = (inputs.get(0), inputs.shape(0).cols);
        let Some(sink) = sinks.get(0) else { return Ok(()) };
        let s = sink.zeroed();
        // Rows have no item in common; an entry of a row's gradient has one place to go.
        for (row, (y, g)) in y.chunks(cols.max(1)).zip(g.chunks(cols.max(1))).enumerate() {
            for c in 0..cols {
                let places = self.0.members(row).iter().map(|i| *i as usize * cols + c);
                if let Some(place) = places.into_iter().find(|p| x[*p] == y[c]) {
                    s[place] += g[c];
                }
            }
        }
        Ok(())
    }
}

impl<T: Scalar> Tape<T> {
    /// The largest of the items of each row, column by column, 0 where there are none: `[items, c]` → `[rows, c]`.
    ///
    /// # Errors
    /// [`Error::Operands`](crate::Error::Operands); [`Error::Memory`](crate::Error::Memory).
    pub fn segment_max(&mut self, x: Var, index: &Index) -> Result<Var> {
        self.record(SegmentMax(index.clone()), &[x])
    }
}
