//! Sums and products, entry by entry.

use super::{Inputs, Op, Sink, Sinks, Workspace};
use crate::learn::product::{add_columns, each_rows};
use crate::learn::tape::{Tape, Var};
use crate::{Result, Scalar, Shape};

/// How the second operand lies over the first.
#[derive(Clone, Copy, PartialEq)]
enum Spread {
    Whole,
    /// One row for all.
    Row,
    /// One column for all.
    Column,
    /// One number for all.
    Number,
}

impl Spread {
    fn of(x: Shape, y: Shape) -> Option<Self> {
        Some(match (y.rows, y.cols) {
            _ if x == y => Self::Whole,
            (1, 1) => Self::Number,
            (1, cols) if cols == x.cols => Self::Row,
            (rows, 1) if rows == x.rows => Self::Column,
            _ => return None,
        })
    }

    /// The entries of the second operand over row `i` of `cols` entries of the first: a slice, or one number.
    fn row<T: Scalar>(self, y: &[T], i: usize, cols: usize) -> (&[T], T) {
        match self {
            Self::Whole => (&y[i * cols..(i + 1) * cols], T::of(0.0)),
            Self::Row => (y, T::of(0.0)),
            Self::Column => (&[], y[i]),
            Self::Number => (&[], y[0]),
        }
    }

    /// Adds to the second operand's gradient the terms `[n, cols]`, one for each entry of the first.
    fn gather<T: Scalar>(self, terms: &[T], cols: usize, sink: Sink<T>, partial: &mut Vec<T>) {
        match self {
            Self::Whole => sink.add(terms.iter().copied()),
            Self::Row => add_columns(terms, cols, partial, sink.zeroed()),
            Self::Column => {
                let sums = terms.chunks(cols.max(1)).map(|row| T::of(row.iter().map(|v| v.f64()).sum()));
                // A matrix without columns adds nothing.
                let s = sink.zeroed();
                s.iter_mut().zip(sums).for_each(|(s, sum)| *s += sum);
            }
            Self::Number => {
                let sum = crate::host::reduce::sum_blocks(terms.len(), |range| {
                    crate::host::reduce::lanes(terms[range].iter().map(|v| v.f64()))
                });
                sink.zeroed()[0] += T::of(sum);
            }
        }
    }
}

fn spread_shape(inputs: &[Shape]) -> Result<Shape, &'static str> {
    match inputs {
        [x, y] if Spread::of(*x, *y).is_some() => Ok(*x),
        [_, _] => {
            Err("the second must have the shape of the first, or be one row, one column or one number of it")
        }
        _ => Err("it takes two operands"),
    }
}

/// a x + b y; y may be one row, one column or one number for all.
#[derive(Clone, Copy, Debug)]
pub struct Combine {
    /// a.
    pub a: f64,
    /// b.
    pub b: f64,
}

impl<T: Scalar> Op<T> for Combine {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        spread_shape(inputs)
    }

    fn forward(&self, inputs: &Inputs<T>, z: &mut [T], _: &mut Workspace<T>) -> Result<()> {
        let (x, y, cols) = (inputs.get(0), inputs.get(1), inputs.shape(0).cols);
        let (a, b) = (T::of(self.a), T::of(self.b));
        let Some(spread) = Spread::of(inputs.shape(0), inputs.shape(1)) else { return Ok(()) };
        each_rows(z, cols, |first, z| {
            for (i, z) in z.chunks_mut(cols).enumerate() {
                let x = &x[(first + i) * cols..(first + i + 1) * cols];
                match spread.row(y, first + i, cols) {
                    ([], y) => z.iter_mut().zip(x).for_each(|(z, &x)| *z = a * x + b * y),
                    (y, _) => z.iter_mut().zip(x.iter().zip(y)).for_each(|(z, (&x, &y))| *z = a * x + b * y),
                }
            }
        });
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
        let (a, b) = (T::of(self.a), T::of(self.b));
        if let Some(sink) = sinks.get(0) {
            sink.add_scaled(a, g);
        }
        let (x, y) = (inputs.shape(0), inputs.shape(1));
        let Some(spread) = Spread::of(x, y) else { return Ok(()) };
        if let Some(sink) = sinks.get(1) {
            if spread == Spread::Whole {
                sink.add_scaled(b, g);
                return Ok(());
            }
            g.iter_mut().for_each(|g| *g *= b);
            spread.gather(g, x.cols, sink, &mut work.scratch);
        }
        Ok(())
    }
}

/// x y, entry by entry; y may be one row, one column or one number for all.
#[derive(Clone, Copy, Debug)]
pub struct Multiply;

impl<T: Scalar> Op<T> for Multiply {
    fn name(&self) -> &'static str {
        "multiplication"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        spread_shape(inputs)
    }

    fn forward(&self, inputs: &Inputs<T>, z: &mut [T], _: &mut Workspace<T>) -> Result<()> {
        let (x, y, cols) = (inputs.get(0), inputs.get(1), inputs.shape(0).cols);
        let Some(spread) = Spread::of(inputs.shape(0), inputs.shape(1)) else { return Ok(()) };
        each_rows(z, cols, |first, z| {
            for (i, z) in z.chunks_mut(cols).enumerate() {
                let x = &x[(first + i) * cols..(first + i + 1) * cols];
                match spread.row(y, first + i, cols) {
                    ([], y) => z.iter_mut().zip(x).for_each(|(z, &x)| *z = x * y),
                    (y, _) => z.iter_mut().zip(x.iter().zip(y)).for_each(|(z, (&x, &y))| *z = x * y),
                }
            }
        });
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
        let (shape, cols) = (inputs.shape(0), inputs.shape(0).cols);
        let Some(spread) = Spread::of(shape, inputs.shape(1)) else { return Ok(()) };
        let (x, y) = (inputs.get(0), inputs.get(1));
        if let Some(Sink { gradient, fresh }) = sinks.get(0) {
            let g = &*g;
            each_rows(gradient, cols, |first, s| {
                for (i, s) in s.chunks_mut(cols).enumerate() {
                    let g = &g[(first + i) * cols..(first + i + 1) * cols];
                    let (row, number) = spread.row(y, first + i, cols);
                    let sink = Sink { gradient: s, fresh };
                    match row {
                        [] => sink.add(g.iter().map(|&g| g * number)),
                        row => sink.add(g.iter().zip(row).map(|(&g, &y)| g * y)),
                    }
                }
            });
        }
        if let Some(sink) = sinks.get(1) {
            g.iter_mut().zip(x).for_each(|(g, &x)| *g *= x);
            spread.gather(g, cols, sink, &mut work.scratch);
        }
        Ok(())
    }
}

/// a x + b.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// a.
    pub a: f64,
    /// b.
    pub b: f64,
}

impl<T: Scalar> Op<T> for Scale {
    fn name(&self) -> &'static str {
        "scaling"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        if let [x] = inputs { Ok(*x) } else { Err("it takes one operand") }
    }

    fn forward(&self, inputs: &Inputs<T>, y: &mut [T], _: &mut Workspace<T>) -> Result<()> {
        let (x, a, b) = (inputs.get(0), T::of(self.a), T::of(self.b));
        each_rows(y, 1, |first, y| y.iter_mut().zip(&x[first..]).for_each(|(y, &x)| *y = a * x + b));
        Ok(())
    }

    fn backward(
        &self,
        _: &Inputs<T>,
        _: &[T],
        g: &mut [T],
        _: &mut Workspace<T>,
        sinks: &mut Sinks<T>,
    ) -> Result<()> {
        let a = T::of(self.a);
        if let Some(sink) = sinks.get(0) {
            sink.add(g.iter().map(|&g| a * g));
        }
        Ok(())
    }
}

impl<T: Scalar> Tape<T> {
    /// x + y; y has the shape of x, or is one row, one column or one number for all.
    ///
    /// # Errors
    /// [`Error::Operands`](crate::Error::Operands); [`Error::Memory`](crate::Error::Memory).
    pub fn add(&mut self, x: Var, y: Var) -> Result<Var> {
        self.record(Combine { a: 1.0, b: 1.0 }, &[x, y])
    }

    /// x − y, shapes as for [`add`](Self::add).
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn subtract(&mut self, x: Var, y: Var) -> Result<Var> {
        self.record(Combine { a: 1.0, b: -1.0 }, &[x, y])
    }

    /// x y entry by entry, shapes as for [`add`](Self::add).
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn multiply(&mut self, x: Var, y: Var) -> Result<Var> {
        self.record(Multiply, &[x, y])
    }

    /// a x + b, entry by entry.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn scale(&mut self, a: f64, x: Var, b: f64) -> Result<Var> {
        self.record(Scale { a, b }, &[x])
    }
}
