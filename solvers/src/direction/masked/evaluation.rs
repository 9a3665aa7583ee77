//! The network for one operator, its kernels made once.

#[cfg(feature = "cuda")]
pub(super) mod device;

use super::MaskedLayers;
use crate::direction::image::IMAGES;
use crate::direction::proposal::Evaluate;
use crate::learn::convolution::{Finish, Geometry, Resampling, convolve, local, pack, resample};
use crate::learn::{Linear, Parameters};
use crate::{Buffer, Grid, Host, Result, Space};
use rayon::prelude::*;

/// Entries that a thread takes at a time.
const ENTRIES: usize = 1 << 14;

/// A level: its kernels tap by tap, and two fields.
struct Level {
    grid: Grid,
    pre: Buffer<f32>,
    post: Buffer<f32>,
    own: f32,
    risen: f32,
    field: Buffer<f32>,
    other: Buffer<f32>,
}

/// 2 · 3^dim + 2 numbers a cell of the finest level, and as many for each coarser one.
pub(in crate::direction) struct Evaluation {
    levels: Vec<Level>,
    bottom: Buffer<f32>,
    /// On the coarsest grid.
    last: [Buffer<f32>; 2],
    coarsest: Grid,
}

impl Evaluation {
    pub fn new(layers: &MaskedLayers, p: &Parameters<f32>, grid: Grid, image: Vec<f32>) -> Result<Self> {
        let (mut grid, mut image) = (grid, image);
        let mut levels = Vec::with_capacity(layers.levels.len());
        for level in &layers.levels {
            levels.push(Level {
                pre: kernels(p, level.pre, grid, &image)?,
                post: kernels(p, level.post, grid, &image)?,
                own: mean(p, level.own, grid, &image)?,
                risen: mean(p, level.risen, grid, &image)?,
                field: Buffer::zeros(grid.cells())?,
                other: Buffer::zeros(grid.cells())?,
                grid,
            });
            let mut coarse = vec![0.0; IMAGES * grid.halved().cells()];
            resample(Resampling::Average, false, grid, IMAGES, &image, false, &mut coarse);
            (grid, image) = (grid.halved(), coarse);
        }
        let bottom = kernels(p, layers.bottom, grid, &image)?;
        let last = [Buffer::zeros(grid.cells())?, Buffer::zeros(grid.cells())?];
        Ok(Self { levels, bottom, last, coarsest: grid })
    }
}

impl Evaluate for Evaluation {
    fn field(&mut self) -> &mut [f32] {
        self.levels.first_mut().map_or(&mut self.last[0], |l| &mut l.field)
    }

    fn run(&mut self) {
        for i in 0..self.levels.len() {
            let (above, below) = self.levels.split_at_mut(i + 1);
            let Level { grid, pre, field, other, .. } = &mut above[i];
            local::apply(Geometry::new(*grid, 1, 1), pre, false, field, false, other);
            std::mem::swap(field, other);
            let to = below.first_mut().map_or(&mut self.last[0], |l| &mut l.field);
            resample(Resampling::Average, false, *grid, 1, field, false, to);
        }
        let [x, y] = &mut self.last;
        local::apply(Geometry::new(self.coarsest, 1, 1), &self.bottom, false, x, false, y);
        std::mem::swap(x, y);
        for i in (0..self.levels.len()).rev() {
            let (above, below) = self.levels.split_at_mut(i + 1);
            let Level { grid, post, own, risen, field, other, .. } = &mut above[i];
            let from = below.first_mut().map_or(&mut self.last[0], |l| &mut l.field);
            resample(Resampling::Linear, false, *grid, 1, from, false, other);
            // own · field + risen · K other: K takes the factor, since the field is added to.
            field.par_chunks_mut(ENTRIES).for_each(|v| v.iter_mut().for_each(|v| *v *= *own));
            other.par_chunks_mut(ENTRIES).for_each(|v| v.iter_mut().for_each(|v| *v *= *risen));
            local::apply(Geometry::new(*grid, 1, 1), post, false, other, true, field);
        }
    }
}

/// The convolution of the images, `[cells, outputs]`.
fn made(p: &Parameters<f32>, layer: Linear, grid: Grid, image: &[f32], outputs: usize) -> Vec<f32> {
    let g = Geometry::new(grid, IMAGES, outputs);
    let (mut w, mut b) = (vec![0.0; g.packed::<f32>()], vec![0.0; g.padded::<f32>()]);
    pack(g, p.get(layer.weight), &mut w);
    b[..outputs].copy_from_slice(p.get(layer.bias));
    let mut out = vec![0.0; grid.cells() * outputs];
    convolve(g, image, &w, Some(&b), Finish { positive: false, add: false }, &mut out);
    out
}

fn kernels(p: &Parameters<f32>, layer: Linear, grid: Grid, image: &[f32]) -> Result<Buffer<f32>> {
    let taps = Geometry::new(grid, 1, 1).taps();
    let by_cells = made(p, layer, grid, image, taps);
    let mut planes = Buffer::zeros(by_cells.len())?;
    local::by_taps(&by_cells, taps, &mut planes);
    Ok(planes)
}

fn mean(p: &Parameters<f32>, layer: Linear, grid: Grid, image: &[f32]) -> Result<f32> {
    let values = made(p, layer, grid, image, 1);
    Ok((Host::<f32>::new().sum(&values)? / values.len() as f64) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::direction::image::image;
    use crate::direction::{Architecture, Masked, Model};
    use crate::krylov::test::noise;
    use crate::learn::Tape;
    use crate::{Boundary, Cell, FlagLaplacian, Stencil};

    #[test]
    fn the_value_is_that_of_the_tape_and_linear() {
        for (grid, levels) in [
            (Grid::new_2d(13, 6).unwrap(), 2),
            (Grid::new_3d(9, 5, 7).unwrap(), 3),
            (Grid::new_3d(1, 2, 3).unwrap(), 2),
            (Grid::new_2d(5, 5).unwrap(), 0),
        ] {
            let network = Masked { dim: grid.dim(), levels };
            let cells: Vec<Cell> =
                (0..grid.cells()).map(|c| if c % 7 == 3 { Cell::Solid } else { Cell::Fluid }).collect();
            let a = Stencil::from(FlagLaplacian::new(grid, &cells, [[Boundary::DIRICHLET; 2]; 3]).unwrap());
            let model = Model::new(Architecture::Masked(network), 3).unwrap();
            let (parameters, layers) = network.parameters::<f32>(3).unwrap();
            let mut evaluation = Evaluation::new(&layers, &parameters, grid, image(&a).unwrap()).unwrap();
            let x: Vec<f32> = noise(grid.cells(), 5).iter().map(|v| *v as f32).collect();
            let mut tape = Tape::new();
            tape.evaluate_with(&parameters).unwrap();
            let input = tape.input(&x, x.len(), 1).unwrap();
            let value = model.record(&mut tape, &parameters, &model.view(&a).unwrap(), input).unwrap();
            for scale in [1.0, -3.0] {
                evaluation.field().iter_mut().zip(&x).for_each(|(f, x)| *f = scale * x);
                evaluation.run();
                for (a, b) in evaluation.field().iter().zip(tape.value(value).unwrap()) {
                    let b = scale * b;
                    assert!((a - b).abs() < 1e-5 * (1.0 + b.abs()), "{grid:?}: {a} {b}");
                }
            }
        }
    }
}
