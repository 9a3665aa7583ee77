//! Weights of items that add to 1 in each row.

use super::{Inputs, Op, Sink, Sinks, Workspace};
use crate::learn::index::Index;
use crate::learn::product::each_rows;
use crate::learn::tape::{Tape, Var};
use crate::{Result, Scalar, Shape};

/// yᵢ = e^xᵢ / Σ e^xⱼ over the items j of the row of i, column by column: `[items, c]` → `[items, c]`. The largest xⱼ of
/// the row is taken off first, so that nothing overflows.
#[derive(Clone, Debug)]
pub struct SegmentSoftmax {
    /// The row of each item.
    pub index: Index,
    /// Whether each row has one more item, with x = 0 and no place in the result: y then adds to less than 1.
    pub open: bool,
}

impl<T: Scalar> Op<T> for SegmentSoftmax {
    fn name(&self) -> &'static str {
        "segment softmax"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        match inputs {
            [x] if x.rows == self.index.items() => Ok(*x),
            _ => Err("it takes one operand with as many rows as the index has items"),
        }
    }

    fn forward(&self, inputs: &Inputs<T>, y: &mut [T], work: &mut Workspace<T>) -> Result<()> {
        let (x, cols, index) = (inputs.get(0), inputs.shape(0).cols, &self.index);
        let start = if self.open { T::of(0.0) } else { T::neg_infinity() };
        // The largest entry and the sum's inverse of every row, side by side.
        work.scratch.resize(2 * index.rows() * cols, T::of(0.0));
        each_rows(&mut work.scratch, 2 * cols, |first, both| {
            for (i, both) in both.chunks_mut(2 * cols).enumerate() {
                let (largest, sum) = both.split_at_mut(cols);
                largest.fill(start);
                sum.fill(T::of(0.0));
                let rows = || index.members(first + i).iter().map(|item| &x[*item as usize * cols..][..cols]);
                for x in rows() {
                    largest.iter_mut().zip(x).filter(|(l, x)| **x > **l).for_each(|(l, &x)| *l = x);
                }
                if self.open {
                    sum.iter_mut().zip(&*largest).for_each(|(s, &l)| *s = (-l).exponential());
                }
                for x in rows() {
                    let terms = x.iter().zip(&*largest).map(|(&x, &l)| (x - l).exponential());
                    sum.iter_mut().zip(terms).for_each(|(s, t)| *s += t);
                }
                sum.iter_mut().for_each(|s| *s = T::of(1.0) / *s);
            }
        });
        let rows = &work.scratch;
        each_rows(y, cols, |first, y| {
            for (i, y) in y.chunks_mut(cols).enumerate() {
                let x = &x[(first + i) * cols..][..cols];
                let row = index.targets()[first + i] as usize;
                let (largest, inverse) = rows[2 * row * cols..][..2 * cols].split_at(cols);
                for c in 0..cols {
                    y[c] = (x[c] - largest[c]).exponential() * inverse[c];
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
        work: &mut Workspace<T>,
        sinks: &mut Sinks<T>,
    ) -> Result<()> {
        let (cols, index, g) = (inputs.shape(0).cols, &self.index, &*g);
        let Some(Sink { gradient, fresh }) = sinks.get(0) else { return Ok(()) };
        // Σ y g of every row.
        work.scratch.resize(index.rows() * cols, T::of(0.0));
        each_rows(&mut work.scratch, cols, |first, sum| {
            for (i, sum) in sum.chunks_mut(cols).enumerate() {
                sum.fill(T::of(0.0));
                for item in index.members(first + i) {
                    let place = *item as usize * cols;
                    for c in 0..cols {
                        sum[c] += y[place + c] * g[place + c];
                    }
                }
            }
        });
        let sums = &work.scratch;
        each_rows(gradient, cols, |first, s| {
            for (i, s) in s.chunks_mut(cols).enumerate() {
                let place = (first + i) * cols;
                let sums = &sums[index.targets()[first + i] as usize * cols..][..cols];
                let (y, g) = (&y[place..][..cols], &g[place..][..cols]);
                let terms = y.iter().zip(g.iter().zip(sums)).map(|(&y, (&g, &sum))| y * (g - sum));
                Sink { gradient: s, fresh }.add(terms);
            }
        });
        Ok(())
    }
}

impl<T: Scalar> Tape<T> {
    /// The softmax over the items of each row, column by column: `[items, c]` → `[items, c]`.
    ///
    /// # Errors
    /// [`Error::Operands`](crate::Error::Operands); [`Error::Memory`](crate::Error::Memory).
    pub fn segment_softmax(&mut self, x: Var, index: &Index) -> Result<Var> {
        self.record(SegmentSoftmax { index: index.clone(), open: false }, &[x])
    }

    /// The same with one more item in each row, of which 0 is the logarithm before scaling: e^xᵢ / (1 + Σ e^xⱼ), which adds to
    /// less than 1.
    ///
    /// # Errors
    /// As [`segment_softmax`](Self::segment_softmax).
    pub fn open_segment_softmax(&mut self, x: Var, index: &Index) -> Result<Var> {
        self.record(SegmentSoftmax { index: index.clone(), open: true }, &[x])
    }
}
