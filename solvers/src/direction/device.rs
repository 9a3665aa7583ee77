//! Networks on a device: r ↦ ‖r‖ f(r/‖r‖), as [`Proposal`](super::Proposal) on the host and to rounding the same.

use crate::device::Device;
use crate::operator::check_apply;
use crate::{Map, Operator, Result, Shape, Space};
use resolvent_ptx::Memory;
use resolvent_ptx::families::convolution::{Grid, enter, leave};
use std::sync::{Mutex, PoisonError};

/// A network on one grid, with memory of its own.
pub(super) trait Evaluate: Send {
    /// What the network looks at, and then what it proposes: `[cells]`.
    fn field(&mut self) -> &mut Memory<f32>;
    /// Replaces the field by what the network proposes.
    fn run(&mut self) -> resolvent_ptx::Result<()>;
}

/// A network on a device, in f32; made by [`Model::on_device`](super::Model::on_device).
pub struct DeviceProposal {
    cells: usize,
    evaluation: Mutex<Box<dyn Evaluate>>,
}

impl DeviceProposal {
    pub(super) fn new(cells: usize, evaluation: Box<dyn Evaluate>) -> Self {
        Self { cells, evaluation: Mutex::new(evaluation) }
    }
}

/// A grid as kernels take it.
pub(super) fn on_device(grid: crate::Grid) -> Grid {
    Grid::new(grid.n().map(|n| n as u32), grid.dim())
}

impl Map for DeviceProposal {
    fn shape(&self) -> Shape {
        Shape::square(self.cells)
    }
}

impl Operator<Device<f64>> for DeviceProposal {
    fn apply(&self, space: &Device<f64>, r: &Memory<f64>, d: &mut Memory<f64>) -> Result<()> {
        check_apply(space, self.shape(), r, d)?;
        let norm = space.norm(r)?;
        if norm == 0.0 {
            return space.fill(0.0, d);
        }
        let mut evaluation = self.evaluation.lock().unwrap_or_else(PoisonError::into_inner);
        enter(r, norm, evaluation.field())?;
        evaluation.run()?;
        Ok(leave(evaluation.field(), norm, d)?)
    }
}
