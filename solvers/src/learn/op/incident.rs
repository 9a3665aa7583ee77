//! A dense layer on edges, of what they hold and of what their ends do.

use super::dense::{each_block, pull};
use super::gather::add_items;
use super::{Inputs, Op, Sinks, Workspace};
use crate::host::simd::{Kernel, dispatch};
use crate::learn::activation::Activation;
use crate::learn::index::Index;
use crate::learn::product::{add_gram, multiply, multiply_transposed};
use crate::learn::tape::{Tape, Var};
use crate::{Result, Scalar, Shape};

/// f(e w + uᵢ + vⱼ) on the edge from i to j: e `[edges, inputs]`, w `[inputs, outputs]`, u and v `[nodes, outputs]` → `[edges, outputs]`.
///
/// The layer f([e, hᵢ, hⱼ] W) with its products by h made once a node, not once an edge: u and v are h times their rows of W. With
/// 7 edges at a node and equal widths that is less than half of the multiplications, and nothing is put side by side.
#[derive(Clone, Debug)]
pub struct Incident {
    /// i of every edge.
    pub sources: Index,
    /// j of every edge.
    pub targets: Index,
    /// f.
    pub activation: Activation,
}

impl Incident {
    fn block<T: Scalar>(&self, inputs: &Inputs<T>, first: usize, y: &mut [T], slopes: Option<&mut [T]>) {
        let Shape { rows: inner, cols } = inputs.shape(1);
        let rows = y.len() / cols;
        multiply(&inputs.get(0)[first * inner..(first + rows) * inner], inputs.get(1), inner, cols, false, y);
        let ends = [&self.sources.targets()[first..], &self.targets.targets()[first..]];
        dispatch(AddEnds { ends, u: inputs.get(2), v: inputs.get(3), cols, y });
        match slopes {
            Some(s) => self.activation.apply_both(y, s),
            None => self.activation.apply(y),
        }
    }
}

/// y + uᵢ + vⱼ on some edges.
struct AddEnds<'a, T> {
    ends: [&'a [u32]; 2],
    u: &'a [T],
    v: &'a [T],
    cols: usize,
    y: &'a mut [T],
}

impl<T: Scalar> Kernel for AddEnds<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { ends: [sources, targets], u, v, cols, y } = self;
        for (y, (i, j)) in y.chunks_mut(cols).zip(sources.iter().zip(targets)) {
            let (u, v) = (&u[*i as usize * cols..][..cols], &v[*j as usize * cols..][..cols]);
            // The length is said so that no entry is checked.
            let y = &mut y[..cols];
            for c in 0..cols {
                y[c] += u[c] + v[c];
            }
        }
    }
}

impl<T: Scalar> Op<T> for Incident {
    fn name(&self) -> &'static str {
        "layer on edges"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        let [e, w, u, v] = inputs else {
            return Err("it takes a matrix on edges, its weight, and two matrices on nodes");
        };
        if e.rows != self.sources.items() || e.rows != self.targets.items() || e.cols != w.rows {
            return Err("the first needs a row for each edge, and as many columns as the second has rows");
        }
        if (u.rows, v.rows) != (self.sources.rows(), self.targets.rows()) || [u.cols, v.cols] != [w.cols; 2] {
            return Err("the last two need a row for each node, as wide as the weight");
        }
        Ok(Shape { rows: e.rows, cols: w.cols })
    }

    fn forward(&self, inputs: &Inputs<T>, y: &mut [T], work: &mut Workspace<T>) -> Result<()> {
        let inner = inputs.shape(1).rows + 1;
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
        if let Some(sink) = sinks.get(0) {
            multiply_transposed(g, inputs.get(1), inner, cols, !sink.fresh, sink.gradient);
        }
        for (operand, index) in [(2, &self.sources), (3, &self.targets)] {
            if let Some(sink) = sinks.get(operand) {
                add_items(index, g, cols, false, sink.fresh, sink.gradient);
            }
        }
        Ok(())
    }
}

impl<T: Scalar> Tape<T> {
    /// f(e w + uᵢ + vⱼ) on every edge from i = `ends[0]` to j = `ends[1]`: e `[edges, inputs]`, w `[inputs, outputs]`, u and v
    /// `[nodes, outputs]`.
    ///
    /// # Errors
    /// [`Error::Operands`](crate::Error::Operands); [`Error::Memory`](crate::Error::Memory).
    pub fn incident(&mut self, operands: [Var; 4], ends: [&Index; 2], activation: Activation) -> Result<Var> {
        let [sources, targets] = ends.map(Index::clone);
        self.record(Incident { sources, targets, activation }, &operands)
    }
}
