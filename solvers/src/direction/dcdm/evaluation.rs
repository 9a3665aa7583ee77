//! A network on one grid, run for its value alone: a few buffers instead of a tape of all layers.

use super::{Dcdm, Layers};
use crate::direction::proposal::Evaluate;
use crate::learn::convolution::{Finish, Geometry, Resampling, convolve, pack, resample};
use crate::learn::{Linear, Parameters};
use crate::{Buffer, Grid, Result};
use rayon::prelude::*;

/// Cells that a thread reads the result of at a time.
const CELLS: usize = 1 << 12;

/// A convolution that is ready to run.
struct Layer {
    g: Geometry,
    w: Vec<f32>,
    b: Vec<f32>,
}

impl Layer {
    fn new(parameters: &Parameters<f32>, layer: Linear, grid: Grid, inputs: usize, outputs: usize) -> Self {
        let g = Geometry::new(grid, inputs, outputs);
        let (mut w, mut b) = (vec![0.0; g.packed::<f32>()], vec![0.0; g.padded::<f32>()]);
        pack(g, parameters.get(layer.weight), &mut w);
        b[..outputs].copy_from_slice(parameters.get(layer.bias));
        Self { g, w, b }
    }

    fn run(&self, x: &[f32], positive: bool, add: bool, y: &mut [f32]) {
        convolve(self.g, x, &self.w, Some(&self.b), Finish { positive, add }, y);
    }
}

/// The network of [`Dcdm`] on one grid: 2 + 2/2^dim fields of all channels.
pub(in crate::direction) struct Evaluation {
    grid: Grid,
    channels: usize,
    first: Layer,
    entry: Layer,
    before: Vec<[Layer; 2]>,
    exit: Layer,
    coarse: Vec<[Layer; 2]>,
    after: Vec<[Layer; 2]>,
    read: (Vec<f32>, f32),
    /// What the network looks at, and then what it proposes: `[cells]`.
    field: Buffer<f32>,
    fine: [Buffer<f32>; 2],
    half: [Buffer<f32>; 2],
}

impl Evaluation {
    pub fn new(network: Dcdm, layers: &Layers, parameters: &Parameters<f32>, grid: Grid) -> Result<Self> {
        let (c, half) = (network.channels, grid.halved());
        let layer = |l: Linear, grid, inputs| Layer::new(parameters, l, grid, inputs, c);
        let pairs = |l: &[[Linear; 2]], grid| l.iter().map(|l| l.map(|l| layer(l, grid, c))).collect();
        let fields = |grid: Grid| -> Result<_> {
            Ok([Buffer::zeros(grid.cells() * c)?, Buffer::zeros(grid.cells() * c)?])
        };
        Ok(Self {
            grid,
            channels: c,
            first: layer(layers.first, grid, 1),
            entry: layer(layers.entry, grid, c),
            before: pairs(&layers.before, grid),
            exit: layer(layers.exit, grid, c),
            coarse: pairs(&layers.coarse, half),
            after: pairs(&layers.after, grid),
            read: (parameters.get(layers.read.weight).to_vec(), parameters.get(layers.read.bias)[0]),
            field: Buffer::zeros(grid.cells())?,
            fine: fields(grid)?,
            half: fields(half)?,
        })
    }
}

impl Evaluate for Evaluation {
    fn field(&mut self) -> &mut [f32] {
        &mut self.field
    }

    fn run(&mut self) {
        let Self { fine: [x, y], half: [u, v], field, .. } = self;
        self.first.run(field, false, false, y);
        self.entry.run(y, true, false, x);
        pairs(&self.before, x, y);
        // The skip stays in y.
        self.exit.run(x, true, false, y);
        resample(Resampling::Average, false, self.grid, self.channels, y, false, u);
        pairs(&self.coarse, u, v);
        resample(Resampling::Nearest, false, self.grid, self.channels, u, true, y);
        pairs(&self.after, y, x);
        let (w, b) = &self.read;
        let c = self.channels;
        field.par_chunks_mut(CELLS).zip(y.par_chunks(CELLS * c)).for_each(|(d, y)| {
            for (d, y) in d.iter_mut().zip(y.chunks_exact(c)) {
                *d = y.iter().zip(w).map(|(y, w)| y * w).sum::<f32>() + b;
            }
        });
    }
}

/// x ← f(f(x)) + x, pair by pair; `y` is overwritten.
fn pairs(layers: &[[Layer; 2]], x: &mut [f32], y: &mut [f32]) {
    for [a, b] in layers {
        a.run(x, true, false, y);
        b.run(y, true, true, x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krylov::test::noise;
    use crate::learn::Tape;

    #[test]
    fn the_value_is_that_of_the_tape() {
        for grid in [Grid::new_2d(13, 6).unwrap(), Grid::new_3d(9, 5, 7).unwrap()] {
            for network in [Dcdm::small(grid.dim()), Dcdm { channels: 5, ..Dcdm::large(grid.dim()) }] {
                let (mut parameters, layers) = network.parameters::<f32>(3).unwrap();
                // Offsets that are not 0.
                let shift: Vec<f32> = noise(parameters.len(), 4).iter().map(|v| *v as f32).collect();
                parameters.axpy(0.05, &shift).unwrap();
                let x: Vec<f32> = noise(grid.cells(), 5).iter().map(|v| *v as f32).collect();
                let mut tape = Tape::new();
                tape.evaluate_with(&parameters).unwrap();
                let input = tape.input(&x, x.len(), 1).unwrap();
                let value = layers.record(&mut tape, &parameters, grid, input).unwrap();
                let mut evaluation = Evaluation::new(network, &layers, &parameters, grid).unwrap();
                evaluation.field.copy_from_slice(&x);
                evaluation.run();
                for (a, b) in evaluation.field.iter().zip(tape.value(value).unwrap()) {
                    assert!((a - b).abs() < 1e-5 * (1.0 + b.abs()), "{network:?} {grid:?}: {a} {b}");
                }
            }
        }
    }
}
