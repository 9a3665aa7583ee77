//! Convolutions on grids, and ways between grids.

use super::dense::pull;
use super::{Inputs, Op, Sinks, Workspace};
use crate::learn::activation::Activation;
use crate::learn::convolution::{
    Finish, Geometry, Resampling, add_kernel_gradient, add_unpacked, convolve, pack, pack_reversed, resample,
};
use crate::learn::parameters::{Linear, Parameters};
use crate::learn::product::add_columns;
use crate::learn::tape::{Tape, Var};
use crate::{Grid, Result, Scalar, Shape};

/// x ∗ w + b, cut off below 0 when `rectified`: x `[samples × cells, inputs]`, w `[3^dim × inputs, outputs]`, b `[1, outputs]`
/// or absent; zeros beyond the sides of the grid.
///
/// 6 · 3^dim · inputs · outputs operations a cell for value and gradient.
#[derive(Clone, Copy, Debug)]
pub struct Convolution {
    /// The cells of a sample.
    pub grid: Grid,
    /// Whether negative values become 0.
    pub rectified: bool,
}

impl Convolution {
    fn geometry(&self, x: Shape, w: Shape) -> Geometry {
        Geometry::new(self.grid, x.cols, w.cols)
    }
}

impl<T: Scalar> Op<T> for Convolution {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        let (x, w) = match inputs {
            [x, w] => (x, w),
            [x, w, b] if (b.rows, b.cols) == (1, w.cols) => (x, w),
            [_, _, _] => return Err("the offset must be one row, as wide as the kernel"),
            _ => return Err("it takes a field, a kernel and perhaps an offset"),
        };
        if !x.rows.is_multiple_of(self.grid.cells()) {
            return Err("the field must have one row for each cell of each sample");
        }
        if x.cols == 0 || w.cols == 0 || w.rows != 3usize.pow(self.grid.dim() as u32) * x.cols {
            return Err(
                "the kernel must have 9 rows for each column of the field in 2-D and 27 in 3-D, and columns",
            );
        }
        Ok(Shape { rows: x.rows, cols: w.cols })
    }

    fn forward(&self, inputs: &Inputs<T>, y: &mut [T], work: &mut Workspace<T>) -> Result<()> {
        let g = self.geometry(inputs.shape(0), inputs.shape(1));
        let (packed, padded) = (g.packed::<T>(), g.padded::<T>());
        work.scratch.clear();
        work.scratch.resize(packed + padded, T::of(0.0));
        let (w, b) = work.scratch.split_at_mut(packed);
        pack(g, inputs.get(1), w);
        let offset = inputs.len() > 2;
        if offset {
            b[..g.outputs].copy_from_slice(inputs.get(2));
        }
        let finish = Finish { positive: self.rectified, add: false };
        convolve(g, inputs.get(0), w, offset.then_some(&*b), finish, y);
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
        let geometry = self.geometry(inputs.shape(0), inputs.shape(1));
        if self.rectified {
            pull(Activation::Relu, y, &[], g);
        }
        let scratch = &mut work.scratch;
        if let Some(sink) = sinks.get(1) {
            let (size, padded) = (geometry.packed::<T>(), geometry.padded::<T>());
            scratch.clear();
            scratch.resize(size, T::of(0.0));
            let whole = padded == geometry.outputs;
            if !whole {
                // Columns of zeros make whole blocks.
                scratch.resize(size + g.len() / geometry.outputs * padded, T::of(0.0));
                let rows = scratch[size..].chunks_exact_mut(padded).zip(g.chunks_exact(geometry.outputs));
                rows.for_each(|(v, g)| v[..geometry.outputs].copy_from_slice(g));
            }
            let (sum, v) = scratch.split_at_mut(size);
            let v = if whole { &*g } else { &*v };
            let blocks = Geometry { outputs: padded, ..geometry };
            add_kernel_gradient(blocks, inputs.get(0), v, &mut work.kept, sum);
            add_unpacked(geometry, sum, sink.zeroed());
        }
        if inputs.len() > 2
            && let Some(sink) = sinks.get(2)
        {
            add_columns(g, geometry.outputs, &mut work.kept, sink.zeroed());
        }
        if let Some(sink) = sinks.get(0) {
            let back = geometry.reversed();
            scratch.resize(back.packed::<T>(), T::of(0.0));
            pack_reversed(back, inputs.get(1), scratch);
            let finish = Finish { positive: false, add: !sink.fresh };
            convolve(back, g, scratch, None, finish, sink.gradient);
        }
        Ok(())
    }
}

/// From a grid to the one with half as many cells along each side, or back: `[samples × cells, channels]`.
#[derive(Clone, Copy, Debug)]
pub struct Resample {
    /// How.
    pub way: Resampling,
    /// The fine grid.
    pub fine: Grid,
}

impl<T: Scalar> Op<T> for Resample {
    fn name(&self) -> &'static str {
        "resampling"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        let [x] = inputs else { return Err("it takes one operand") };
        let (fine, coarse) = (self.fine.cells(), self.fine.halved().cells());
        let (from, to) = if self.way.is_coarsening() { (fine, coarse) } else { (coarse, fine) };
        if !x.rows.is_multiple_of(from) {
            return Err("the field must have one row for each cell of each sample");
        }
        Ok(Shape { rows: x.rows / from * to, cols: x.cols })
    }

    fn forward(&self, inputs: &Inputs<T>, y: &mut [T], _: &mut Workspace<T>) -> Result<()> {
        resample(self.way, false, self.fine, inputs.shape(0).cols, inputs.get(0), false, y);
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
            resample(self.way, true, self.fine, inputs.shape(0).cols, g, !sink.fresh, sink.gradient);
        }
        Ok(())
    }
}

impl<T: Scalar> Tape<T> {
    /// f(x ∗ w + b) on the cells of a grid: x `[samples × cells, inputs]`, w `[3^dim × inputs, outputs]`, b `[1, outputs]`; zeros
    /// beyond the sides.
    ///
    /// # Errors
    /// [`Error::Operands`](crate::Error::Operands); [`Error::Memory`](crate::Error::Memory).
    pub fn convolution(&mut self, grid: Grid, x: Var, w: Var, b: Var, activation: Activation) -> Result<Var> {
        let rectified = activation == Activation::Relu;
        let y = self.record(Convolution { grid, rectified }, &[x, w, b])?;
        if rectified || activation == Activation::Identity { Ok(y) } else { self.activate(y, activation) }
    }

    /// A convolution with the kernel and offset of `layer`.
    ///
    /// # Errors
    /// As [`convolution`](Self::convolution); [`Error::Length`](crate::Error::Length) when the step was not started with these
    /// parameters.
    pub fn convolution_layer(
        &mut self,
        parameters: &Parameters<T>,
        layer: Linear,
        grid: Grid,
        x: Var,
        activation: Activation,
    ) -> Result<Var> {
        let w = self.parameter(parameters, layer.weight)?;
        let b = self.parameter(parameters, layer.bias)?;
        self.convolution(grid, x, w, b, activation)
    }

    /// x on the coarse grid of `fine`, or, for a way back, on `fine`.
    ///
    /// # Errors
    /// As [`convolution`](Self::convolution).
    pub fn resample(&mut self, way: Resampling, fine: Grid, x: Var) -> Result<Var> {
        self.record(Resample { way, fine }, &[x])
    }
}
