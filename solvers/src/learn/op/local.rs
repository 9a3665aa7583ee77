//! Products with a kernel for every cell.

use super::{Inputs, Op, Sinks, Workspace};
use crate::learn::convolution::{Geometry, local};
use crate::learn::tape::{Tape, Var};
use crate::{Grid, Result, Scalar, Shape};

/// y(c) = Σₜ k(c, t) x(c + t): x `[samples × cells, 1]`, kernels k `[cells, 3^dim]` that all samples share → `[samples × cells,
/// 1]`; zeros beyond the sides of the grid.
#[derive(Clone, Copy, Debug)]
pub struct LocalProduct {
    /// The cells of a sample.
    pub grid: Grid,
}

impl LocalProduct {
    fn geometry(self) -> Geometry {
        Geometry::new(self.grid, 1, 1)
    }
}

impl<T: Scalar> Op<T> for LocalProduct {
    fn name(&self) -> &'static str {
        "local product"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        let (g, cells) = (self.geometry(), self.grid.cells());
        match inputs {
            [x, k]
                if (k.rows, k.cols) == (cells, g.taps()) && x.cols == 1 && x.rows.is_multiple_of(cells) =>
            {
                Ok(*x)
            }
            _ => Err("it takes one column for each sample's cells, and 9 or 27 weights for each cell"),
        }
    }

    /// Keeps the kernels tap by tap.
    fn forward(&self, inputs: &Inputs<T>, y: &mut [T], work: &mut Workspace<T>) -> Result<()> {
        let g = self.geometry();
        work.kept.resize(inputs.get(1).len(), T::of(0.0));
        local::by_taps(inputs.get(1), g.taps(), &mut work.kept);
        local::apply(g, &work.kept, false, inputs.get(0), false, y);
        Ok(())
    }

    fn backward(
        &self,
        inputs: &Inputs<T>,
        _: &[T],
        v: &mut [T],
        work: &mut Workspace<T>,
        sinks: &mut Sinks<T>,
    ) -> Result<()> {
        let g = self.geometry();
        if let Some(sink) = sinks.get(0) {
            local::apply(g, &work.kept, true, v, !sink.fresh, sink.gradient);
        }
        if let Some(sink) = sinks.get(1) {
            let taps = g.taps();
            let sums = &mut work.scratch;
            sums.clear();
            sums.resize(inputs.get(1).len(), T::of(0.0));
            local::add_gradient(g, inputs.get(0), v, sums);
            let cells = g.cells();
            let sink = sink.zeroed();
            for (c, k) in sink.chunks_exact_mut(taps).enumerate() {
                k.iter_mut().enumerate().for_each(|(tap, k)| *k += sums[tap * cells + c]);
            }
        }
        Ok(())
    }
}

impl<T: Scalar> Tape<T> {
    /// Σₜ k(c, t) x(c + t) for every cell c: x `[samples × cells, 1]`, k `[cells, 3^dim]`.
    ///
    /// # Errors
    /// [`Error::Operands`](crate::Error::Operands); [`Error::Memory`](crate::Error::Memory).
    pub fn local_product(&mut self, grid: Grid, x: Var, k: Var) -> Result<Var> {
        self.record(LocalProduct { grid }, &[x, k])
    }
}
