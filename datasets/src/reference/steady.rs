//! A solution that does not move.

use super::solution::{Tick, Trajectory};
use crate::Result;
use std::ops::ControlFlow;

/// Its only snapshot.
pub(super) struct Steady {
    /// `[fields][points]`.
    pub values: Vec<f64>,
    pub accuracy: Option<f64>,
}

impl Trajectory for Steady {
    fn advance(&mut self, _: usize, tick: Tick) -> Result<ControlFlow<()>> {
        Ok(tick())
    }

    fn fields(&mut self, out: &mut [f64]) -> Result<()> {
        out.copy_from_slice(&self.values);
        Ok(())
    }

    fn accuracy(&self) -> Option<f64> {
        self.accuracy
    }

    fn restore(&mut self, index: usize, _: &[f64]) -> bool {
        index == 0
    }
}
