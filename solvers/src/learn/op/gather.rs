//! Rows copied to items, and items added to rows: each the other's reverse.

use super::{Inputs, Op, Sinks, Workspace};
use crate::host::simd::{Kernel, dispatch};
use crate::learn::index::Index;
use crate::learn::product::each_rows;
use crate::learn::tape::{Tape, Var};
use crate::{Result, Scalar, Shape};

/// yᵢ = x at the row of item i: x `[rows, c]` → y `[items, c]`.
#[derive(Clone, Debug)]
pub struct Gather(
    /// The row of each item.
    pub Index,
);

impl<T: Scalar> Op<T> for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        match inputs {
            [x] if x.rows == self.0.rows() => Ok(Shape { rows: self.0.items(), cols: x.cols }),
            _ => Err("it takes one operand with as many rows as the index"),
        }
    }

    fn forward(&self, inputs: &Inputs<T>, y: &mut [T], _: &mut Workspace<T>) -> Result<()> {
        copy_rows(&self.0, inputs.get(0), inputs.shape(0).cols, y);
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
        if let Some(sink) = sinks.get(0) {
            add_items(&self.0, g, inputs.shape(0).cols, false, sink.fresh, sink.gradient);
        }
        Ok(())
    }
}

/// The sum, or the mean, of the items of each row, 0 where there are none: x `[items, c]` → y `[rows, c]`.
#[derive(Clone, Debug)]
pub struct SegmentSum {
    /// The row of each item.
    pub index: Index,
    /// The mean instead of the sum.
    pub mean: bool,
}

impl<T: Scalar> Op<T> for SegmentSum {
    fn name(&self) -> &'static str {
        if self.mean { "segment mean" } else { "segment sum" }
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        match inputs {
            [x] if x.rows == self.index.items() => Ok(Shape { rows: self.index.rows(), cols: x.cols }),
            _ => Err("it takes one operand with as many rows as the index has items"),
        }
    }

    fn forward(&self, inputs: &Inputs<T>, y: &mut [T], _: &mut Workspace<T>) -> Result<()> {
        add_items(&self.index, inputs.get(0), inputs.shape(0).cols, self.mean, true, y);
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
        let (cols, index) = (inputs.shape(0).cols, &self.index);
        let Some(sink) = sinks.get(0) else { return Ok(()) };
        if self.mean {
            each_rows(g, cols, |first, g| {
                for (i, g) in g.chunks_mut(cols).enumerate() {
                    let weight = T::of(1.0 / index.members(first + i).len().max(1) as f64);
                    g.iter_mut().for_each(|g| *g *= weight);
                }
            });
        }
        let (fresh, g) = (sink.fresh, &*g);
        each_rows(sink.gradient, cols, |first, s| {
            for (s, row) in s.chunks_mut(cols).zip(&index.targets()[first..]) {
                let g = &g[*row as usize * cols..][..cols];
                super::Sink { gradient: s, fresh }.add(g.iter().copied());
            }
        });
        Ok(())
    }
}

/// y at item i ← x at its row.
fn copy_rows<T: Scalar>(index: &Index, x: &[T], cols: usize, y: &mut [T]) {
    each_rows(y, cols, |first, y| {
        for (y, row) in y.chunks_mut(cols).zip(&index.targets()[first..]) {
            y.copy_from_slice(&x[*row as usize * cols..][..cols]);
        }
    });
}

/// y at a row ← (y +) the sum or mean of x over its items, in their order.
pub(super) fn add_items<T: Scalar>(
    index: &Index,
    x: &[T],
    cols: usize,
    mean: bool,
    fresh: bool,
    y: &mut [T],
) {
    each_rows(y, cols, |first, y| dispatch(AddItems { index, x, cols, mean, fresh, first, y }));
}

/// Sums of some rows' items.
struct AddItems<'a, T> {
    index: &'a Index,
    x: &'a [T],
    cols: usize,
    mean: bool,
    fresh: bool,
    first: usize,
    y: &'a mut [T],
}

/// Columns whose sums stay in registers.
const COLUMNS: usize = 32;

impl<T: Scalar> Kernel for AddItems<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { index, x, cols, mean, fresh, first, y } = self;
        for (i, y) in y.chunks_mut(cols).enumerate() {
            let items = index.members(first + i);
            let weight = T::of(if mean { 1.0 / items.len().max(1) as f64 } else { 1.0 });
            let mut start = 0;
            let (whole, rest) = y.as_chunks_mut::<COLUMNS>();
            for y in whole {
                let mut sum = if fresh { [T::of(0.0); COLUMNS] } else { *y };
                for item in items {
                    let x = &x[*item as usize * cols + start..][..COLUMNS];
                    for c in 0..COLUMNS {
                        sum[c] += x[c];
                    }
                }
                for c in 0..COLUMNS {
                    y[c] = sum[c] * weight;
                }
                start += COLUMNS;
            }
            if fresh {
                rest.fill(T::of(0.0));
            }
            for item in items {
                let x = &x[*item as usize * cols + start..][..rest.len()];
                for c in 0..rest.len() {
                    rest[c] += x[c];
                }
            }
            for y in rest {
                *y *= weight;
            }
        }
    }
}

impl<T: Scalar> Tape<T> {
    /// The row of x that each item of the index points at: `[rows, c]` → `[items, c]`.
    ///
    /// # Errors
    /// [`Error::Operands`](crate::Error::Operands); [`Error::Memory`](crate::Error::Memory).
    pub fn gather(&mut self, x: Var, index: &Index) -> Result<Var> {
        self.record(Gather(index.clone()), &[x])
    }

    /// The sum of the items of each row (scatter-add): `[items, c]` → `[rows, c]`.
    ///
    /// # Errors
    /// As [`gather`](Self::gather).
    pub fn segment_sum(&mut self, x: Var, index: &Index) -> Result<Var> {
        self.record(SegmentSum { index: index.clone(), mean: false }, &[x])
    }

    /// The mean of the items of each row, 0 where there are none: `[items, c]` → `[rows, c]`.
    ///
    /// # Errors
    /// As [`gather`](Self::gather).
    pub fn segment_mean(&mut self, x: Var, index: &Index) -> Result<Var> {
        self.record(SegmentSum { index: index.clone(), mean: true }, &[x])
    }
}
