//! What training makes small.

use super::{Inputs, Op, Sinks, Workspace};
use crate::host::reduce::{lanes, sum_blocks};
use crate::learn::index::Index;
use crate::learn::product::each_rows;
use crate::learn::tape::{Tape, Var};
use crate::{Result, Scalar, Shape};

/// The mean of x² over all entries, or of (x − y)² for two operands; 0 when there are none: → `[1, 1]`. Squares are added in
/// f64.
#[derive(Clone, Copy, Debug)]
pub struct MeanSquare;

impl<T: Scalar> Op<T> for MeanSquare {
    fn name(&self) -> &'static str {
        "mean square"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        match inputs {
            [_] => Ok(Shape::square(1)),
            [x, y] if x == y => Ok(Shape::square(1)),
            _ => Err("it takes one operand or two of one shape"),
        }
    }

    fn forward(&self, inputs: &Inputs<T>, z: &mut [T], _: &mut Workspace<T>) -> Result<()> {
        let x = inputs.get(0);
        let square = |v: f64| v * v;
        let sum = if inputs.len() == 1 {
            sum_blocks(x.len(), |range| lanes(x[range].iter().map(|x| square(x.f64()))))
        } else {
            let y = inputs.get(1);
            sum_blocks(x.len(), |range| {
                lanes(x[range.clone()].iter().zip(&y[range]).map(|(x, y)| square(x.f64() - y.f64())))
            })
        };
        z[0] = T::of(sum / x.len().max(1) as f64);
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
        let x = inputs.get(0);
        let a = T::of(2.0 * g[0].f64() / x.len().max(1) as f64);
        if inputs.len() == 1 {
            if let Some(sink) = sinks.get(0) {
                sink.add(x.iter().map(|&x| a * x));
            }
            return Ok(());
        }
        let y = inputs.get(1);
        if let Some(sink) = sinks.get(0) {
            sink.add(x.iter().zip(y).map(|(&x, &y)| a * (x - y)));
        }
        if let Some(sink) = sinks.get(1) {
            sink.add(x.iter().zip(y).map(|(&x, &y)| a * (y - x)));
        }
        Ok(())
    }
}

/// The mean over rows of ln Σ e^x − x at the row's label, where x are logits `[n, classes]`: → `[1, 1]`; 0 without rows.
#[derive(Clone, Debug)]
pub struct CrossEntropy(
    /// The class of each row.
    pub Index,
);

impl<T: Scalar> Op<T> for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        match inputs {
            [x] if (x.rows, x.cols) == (self.0.items(), self.0.rows()) => Ok(Shape::square(1)),
            _ => Err("it takes one operand with a row for each label and a column for each class"),
        }
    }

    fn forward(&self, inputs: &Inputs<T>, z: &mut [T], work: &mut Workspace<T>) -> Result<()> {
        let (x, Shape { rows, cols }) = (inputs.get(0), inputs.shape(0));
        // The probabilities are kept.
        work.kept.resize(rows * cols, T::of(0.0));
        each_rows(&mut work.kept, cols, |first, p| {
            for (i, p) in p.chunks_mut(cols).enumerate() {
                let x = &x[(first + i) * cols..][..cols];
                let largest = x.iter().fold(T::neg_infinity(), |l, &x| if x > l { x } else { l });
                p.iter_mut().zip(x).for_each(|(p, &x)| *p = (x - largest).exponential());
                let inverse = T::of(1.0 / p.iter().map(|p| p.f64()).sum::<f64>());
                p.iter_mut().for_each(|p| *p *= inverse);
            }
        });
        let labels = self.0.targets();
        let sum = sum_blocks(rows, |range| {
            lanes(range.map(|i| {
                let (x, label) = (&x[i * cols..][..cols], labels[i] as usize);
                let largest = x.iter().fold(f64::NEG_INFINITY, |l, x| l.max(x.f64()));
                let sum: f64 = x.iter().map(|x| (x.f64() - largest).exp()).sum();
                sum.ln() + (largest - x[label].f64())
            }))
        });
        z[0] = T::of(sum / rows.max(1) as f64);
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
        let Shape { rows, cols } = inputs.shape(0);
        let a = T::of(g[0].f64() / rows.max(1) as f64);
        if let Some(sink) = sinks.get(0) {
            let rows = work.kept.chunks(cols.max(1)).zip(self.0.targets());
            sink.add(rows.flat_map(|(p, label)| {
                let hit = move |c: usize| T::of(if c == *label as usize { 1.0 } else { 0.0 });
                p.iter().enumerate().map(move |(c, &p)| a * (p - hit(c)))
            }));
        }
        Ok(())
    }
}

impl<T: Scalar> Tape<T> {
    /// The mean of x² over all entries.
    ///
    /// # Errors
    /// [`Error::Operands`](crate::Error::Operands); [`Error::Memory`](crate::Error::Memory).
    pub fn mean_square(&mut self, x: Var) -> Result<Var> {
        self.record(MeanSquare, &[x])
    }

    /// The mean of (x − y)² over all entries.
    ///
    /// # Errors
    /// As [`mean_square`](Self::mean_square).
    pub fn mean_square_error(&mut self, x: Var, y: Var) -> Result<Var> {
        self.record(MeanSquare, &[x, y])
    }

    /// The cross-entropy of logits `[n, classes]` with the class of each row, averaged over rows.
    ///
    /// # Errors
    /// As [`mean_square`](Self::mean_square).
    pub fn cross_entropy(&mut self, logits: Var, labels: &Index) -> Result<Var> {
        self.record(CrossEntropy(labels.clone()), &[logits])
    }
}
