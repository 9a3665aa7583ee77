//! A network on one grid of a device.

use super::{Dcdm, Layers};
use crate::device::Device;
use crate::direction::device::{Evaluate, on_device};
use crate::learn::{Linear, Parameters};
use crate::{Grid, Result};
use resolvent_ptx::Memory;
use resolvent_ptx::families::convolution::{Convolution, Grid as Cells, average, nearest, read};

/// The network of [`Dcdm`] on one grid: as much memory as on the host.
pub(in crate::direction) struct DeviceEvaluation {
    grid: Cells,
    first: Convolution,
    entry: Convolution,
    before: Vec<[Convolution; 2]>,
    exit: Convolution,
    coarse: Vec<[Convolution; 2]>,
    after: Vec<[Convolution; 2]>,
    read: (Memory<f32>, f32),
    field: Memory<f32>,
    fine: [Memory<f32>; 2],
    half: [Memory<f32>; 2],
}

impl DeviceEvaluation {
    pub fn new(
        space: &Device<f64>,
        network: Dcdm,
        layers: &Layers,
        p: &Parameters<f32>,
        grid: Grid,
    ) -> Result<Self> {
        let (c, gpu, grid) = (network.channels, space.gpu(), on_device(grid));
        let layer = |l: Linear, inputs| Convolution::new(gpu, inputs, c, p.get(l.weight), p.get(l.bias));
        let pairs = |l: &[[Linear; 2]]| -> Result<Vec<_>> {
            l.iter().map(|[a, b]| Ok([layer(*a, c)?, layer(*b, c)?])).collect()
        };
        let fields = |cells: usize| -> Result<_> {
            Ok([Memory::zeros(gpu, cells * c)?, Memory::zeros(gpu, cells * c)?])
        };
        Ok(Self {
            first: layer(layers.first, 1)?,
            entry: layer(layers.entry, c)?,
            before: pairs(&layers.before)?,
            exit: layer(layers.exit, c)?,
            coarse: pairs(&layers.coarse)?,
            after: pairs(&layers.after)?,
            read: (Memory::from_slice(gpu, p.get(layers.read.weight))?, p.get(layers.read.bias)[0]),
            field: Memory::zeros(gpu, grid.cells())?,
            fine: fields(grid.cells())?,
            half: fields(grid.halved().cells())?,
            grid,
        })
    }
}

impl Evaluate for DeviceEvaluation {
    fn field(&mut self) -> &mut Memory<f32> {
        &mut self.field
    }

    fn run(&mut self) -> resolvent_ptx::Result<()> {
        let Self { grid, fine: [x, y], half: [u, v], field, .. } = self;
        self.first.apply(*grid, field, false, false, y)?;
        self.entry.apply(*grid, y, true, false, x)?;
        pairs(&self.before, *grid, x, y)?;
        // The skip stays in y.
        self.exit.apply(*grid, x, true, false, y)?;
        average(*grid, y, u)?;
        pairs(&self.coarse, grid.halved(), u, v)?;
        nearest(*grid, u, y)?;
        pairs(&self.after, *grid, y, x)?;
        let (w, b) = &self.read;
        read(y, w, *b, field)
    }
}

/// x ← f(f(x)) + x, pair by pair; `y` is overwritten.
fn pairs(
    layers: &[[Convolution; 2]],
    grid: Cells,
    x: &mut Memory<f32>,
    y: &mut Memory<f32>,
) -> resolvent_ptx::Result<()> {
    for [a, b] in layers {
        a.apply(grid, x, true, false, y)?;
        b.apply(grid, y, true, true, x)?;
    }
    Ok(())
}
