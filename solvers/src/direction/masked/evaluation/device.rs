//! The network for one operator on a device: kernels are made on the host, once.

use super::Evaluation;
use crate::device::Device;
use crate::direction::device::{Evaluate, on_device};
use crate::{Buffer, Grid, Result};
use resolvent_ptx::Memory;
use resolvent_ptx::families::convolution::{Grid as Cells, average, linear, local};

struct Level {
    grid: Cells,
    pre: Memory<f32>,
    post: Memory<f32>,
    own: f32,
    risen: f32,
    field: Memory<f32>,
    other: Memory<f32>,
}

/// As much memory as on the host.
pub(in crate::direction) struct DeviceEvaluation {
    levels: Vec<Level>,
    bottom: Memory<f32>,
    last: [Memory<f32>; 2],
    coarsest: Cells,
}

impl DeviceEvaluation {
    pub fn new(space: &Device<f64>, host: &Evaluation) -> Result<Self> {
        let gpu = space.gpu();
        let copy = |v: &Buffer<f32>| Memory::from_slice(gpu, v);
        let zeros = |grid: Grid| Memory::<f32>::zeros(gpu, grid.cells());
        let levels = host.levels.iter().map(|l| {
            Ok(Level {
                grid: on_device(l.grid),
                pre: copy(&l.pre)?,
                post: copy(&l.post)?,
                own: l.own,
                risen: l.risen,
                field: zeros(l.grid)?,
                other: zeros(l.grid)?,
            })
        });
        Ok(Self {
            levels: levels.collect::<Result<_>>()?,
            bottom: copy(&host.bottom)?,
            last: [zeros(host.coarsest)?, zeros(host.coarsest)?],
            coarsest: on_device(host.coarsest),
        })
    }
}

impl Evaluate for DeviceEvaluation {
    fn field(&mut self) -> &mut Memory<f32> {
        self.levels.first_mut().map_or(&mut self.last[0], |l| &mut l.field)
    }

    fn run(&mut self) -> resolvent_ptx::Result<()> {
        for i in 0..self.levels.len() {
            let (above, below) = self.levels.split_at_mut(i + 1);
            let Level { grid, pre, field, other, .. } = &mut above[i];
            local(*grid, pre, field, 1.0, 0.0, other)?;
            std::mem::swap(field, other);
            let to = below.first_mut().map_or(&mut self.last[0], |l| &mut l.field);
            average(*grid, field, to)?;
        }
        let [x, y] = &mut self.last;
        local(self.coarsest, &self.bottom, x, 1.0, 0.0, y)?;
        std::mem::swap(x, y);
        for i in (0..self.levels.len()).rev() {
            let (above, below) = self.levels.split_at_mut(i + 1);
            let Level { grid, post, own, risen, field, other, .. } = &mut above[i];
            let from = below.first_mut().map_or(&mut self.last[0], |l| &mut l.field);
            linear(*grid, from, other)?;
            local(*grid, post, other, *risen, *own, field)?;
        }
        Ok(())
    }
}
