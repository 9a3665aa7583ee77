//! Means of items whose shares are learned.

use super::{Inputs, Op, Sink, Sinks, Workspace};
use crate::host::reduce::dot;
use crate::host::simd::{Kernel, dispatch};
use crate::learn::index::Index;
use crate::learn::product::each_rows;
use crate::learn::tape::{Tape, Var};
use crate::{Result, Scalar, Shape};

/// Σ aᵢ xᵢ over the items i of each row, where a is the softmax of z over them, and 0 where there are none: x `[items, c]`, z
/// `[items, 1]` → `[rows, c]`.
///
/// x is read once for the value, and once more for the gradient, which is written in the same pass.
#[derive(Clone, Debug)]
pub struct Attention(
    /// The row of each item.
    pub Index,
);

impl Attention {
    /// The shares a, in `kept`.
    fn shares<T: Scalar>(&self, z: &[T], work: &mut Workspace<T>) {
        let index = &self.0;
        // The largest z and the sum's inverse of every row.
        work.scratch.resize(2 * index.rows(), T::of(0.0));
        each_rows(&mut work.scratch, 2, |first, both| {
            for (i, both) in both.chunks_mut(2).enumerate() {
                let of = || index.members(first + i).iter().map(|item| z[*item as usize]);
                let largest = of().fold(T::neg_infinity(), |l, z| if z > l { z } else { l });
                let sum = of().fold(T::of(0.0), |s, z| s + (z - largest).exponential());
                both.copy_from_slice(&[largest, T::of(1.0) / sum]);
            }
        });
        let rows = &work.scratch;
        work.kept.resize(z.len(), T::of(0.0));
        each_rows(&mut work.kept, 1, |first, a| {
            for (i, a) in a.iter_mut().enumerate() {
                let both = &rows[2 * index.targets()[first + i] as usize..];
                *a = (z[first + i] - both[0]).exponential() * both[1];
            }
        });
    }
}

/// Σ a x of some rows.
struct Pool<'a, T> {
    index: &'a Index,
    first: usize,
    cols: usize,
    shares: &'a [T],
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Scalar> Kernel for Pool<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { index, first, cols, shares, x, y } = self;
        for (i, y) in y.chunks_mut(cols).enumerate() {
            let y = &mut y[..cols];
            y.fill(T::of(0.0));
            for item in index.members(first + i) {
                let (a, x) = (shares[*item as usize], &x[*item as usize * cols..][..cols]);
                for c in 0..cols {
                    y[c] += a * x[c];
                }
            }
        }
    }
}

/// x·g of some items, with g that of their row.
struct Products<'a, T> {
    rows: &'a [u32],
    cols: usize,
    x: &'a [T],
    g: &'a [T],
    out: &'a mut [T],
}

impl<T: Scalar> Kernel for Products<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rows, cols, x, g, out } = self;
        for (i, (out, row)) in out.iter_mut().zip(rows).enumerate() {
            *out = T::of(dot(&x[i * cols..][..cols], &g[*row as usize * cols..][..cols]));
        }
    }
}

/// a g of some items, with g that of their row.
struct Spread<'a, T> {
    rows: &'a [u32],
    cols: usize,
    shares: &'a [T],
    g: &'a [T],
    sink: Sink<'a, T>,
}

impl<T: Scalar> Kernel for Spread<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rows, cols, shares, g, sink: Sink { gradient, fresh } } = self;
        for (s, (row, a)) in gradient.chunks_mut(cols).zip(rows.iter().zip(shares)) {
            let g = &g[*row as usize * cols..][..cols];
            let s = &mut s[..cols];
            if fresh {
                for c in 0..cols {
                    s[c] = *a * g[c];
                }
            } else {
                for c in 0..cols {
                    s[c] += *a * g[c];
                }
            }
        }
    }
}

impl<T: Scalar> Op<T> for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        match inputs {
            [x, z] if [x.rows, z.rows] == [self.0.items(); 2] && z.cols == 1 => {
                Ok(Shape { rows: self.0.rows(), cols: x.cols })
            }
            _ => Err(
                "it takes two operands with as many rows as the index has items, the second of one column",
            ),
        }
    }

    fn forward(&self, inputs: &Inputs<T>, y: &mut [T], work: &mut Workspace<T>) -> Result<()> {
        self.shares(inputs.get(1), work);
        let (cols, shares, x) = (inputs.shape(0).cols, &work.kept[..], inputs.get(0));
        each_rows(y, cols, |first, y| dispatch(Pool { index: &self.0, first, cols, shares, x, y }));
        Ok(())
    }

    fn backward(
        &self,
        inputs: &Inputs<T>,
        _: &[T],
        g: &mut [T],
        work: &mut Workspace<T>,
        sinks: &mut Sinks<T>,
    ) -> Result<()> {
        let (x, cols, index) = (inputs.get(0), inputs.shape(0).cols, &self.0);
        let (g, shares, rows) = (&*g, &work.kept, index.targets());
        if let Some(Sink { gradient, fresh }) = sinks.get(0) {
            each_rows(gradient, cols, |first, gradient| {
                let sink = Sink { gradient, fresh };
                dispatch(Spread { rows: &rows[first..], cols, shares: &shares[first..], g, sink });
            });
        }
        let Some(sink) = sinks.get(1) else { return Ok(()) };
        // x·g of every item, then Σ a x·g of every row.
        work.scratch.resize(rows.len() + index.rows(), T::of(0.0));
        let (products, sums) = work.scratch.split_at_mut(rows.len());
        each_rows(products, 1, |first, out| {
            dispatch(Products { rows: &rows[first..], cols, x: &x[first * cols..], g, out });
        });
        let products = &*products;
        each_rows(sums, 1, |first, sums| {
            for (i, sum) in sums.iter_mut().enumerate() {
                let terms =
                    index.members(first + i).iter().map(|i| shares[*i as usize] * products[*i as usize]);
                *sum = terms.fold(T::of(0.0), |s, t| s + t);
            }
        });
        let terms = rows.iter().zip(shares).zip(products);
        sink.add(terms.map(|((row, &a), &p)| a * (p - sums[*row as usize])));
        Ok(())
    }
}

/// 1 where a row has items and 0 where it has none: `[rows, 1]`.
#[derive(Clone, Debug)]
pub struct Occupied(
    /// The row of each item.
    pub Index,
);

impl<T: Scalar> Op<T> for Occupied {
    fn name(&self) -> &'static str {
        "occupied rows"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        if inputs.is_empty() {
            Ok(Shape { rows: self.0.rows(), cols: 1 })
        } else {
            Err("it takes no operand")
        }
    }

    fn forward(&self, _: &Inputs<T>, y: &mut [T], _: &mut Workspace<T>) -> Result<()> {
        let of = |row: usize| if self.0.members(row).is_empty() { T::of(0.0) } else { T::of(1.0) };
        y.iter_mut().enumerate().for_each(|(row, y)| *y = of(row));
        Ok(())
    }

    fn backward(
        &self,
        _: &Inputs<T>,
        _: &[T],
        _: &mut [T],
        _: &mut Workspace<T>,
        _: &mut Sinks<T>,
    ) -> Result<()> {
        Ok(())
    }
}

impl<T: Scalar> Tape<T> {
    /// The mean of the items of each row with the softmax of z over them as shares, 0 where there are none: x `[items, c]`, z
    /// `[items, 1]` → `[rows, c]`.
    ///
    /// # Errors
    /// [`Error::Operands`](crate::Error::Operands); [`Error::Memory`](crate::Error::Memory).
    pub fn attention(&mut self, x: Var, z: Var, index: &Index) -> Result<Var> {
        self.record(Attention(index.clone()), &[x, z])
    }

    /// 1 for a row that has items, 0 for one that has none: `[rows, 1]`.
    ///
    /// # Errors
    /// As [`attention`](Self::attention).
    pub fn occupied(&mut self, index: &Index) -> Result<Var> {
        self.record(Occupied(index.clone()), &[])
    }
}
