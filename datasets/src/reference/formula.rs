//! Solutions that are formulas.

use super::Layout;
use super::solution::{GoOn, Solution, Tick, Trajectory};
use crate::Result;
use rayon::prelude::*;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A value and its relative error beyond rounding.
pub(super) type Valued = (f64, f64);
/// Field number `0` of trajectory number `1` at x and t.
pub(super) type Function = dyn Fn(usize, usize, &[f64], f64) -> Valued + Send + Sync;

/// A solution whose value at a point needs no other.
pub(super) struct Formula {
    pub layout: Layout,
    pub function: Arc<Function>,
    /// The relative error of the formula in floating-point numbers.
    pub rounding: f64,
}

/// Below this many points a snapshot is not shared among threads.
const SHARED: usize = 1 << 9;

struct Snapshots {
    layout: Layout,
    function: Arc<Function>,
    sample: usize,
    index: usize,
    worst: f64,
}

impl Solution for Formula {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn start(&self, sample: usize, _: bool, _: GoOn) -> Result<Option<Box<dyn Trajectory>>> {
        Ok(Some(Box::new(Snapshots {
            layout: Layout { samples: 1, ..self.layout.clone() },
            function: Arc::clone(&self.function),
            sample,
            index: 0,
            worst: self.rounding,
        })))
    }

    fn is_cheap(&self) -> bool {
        true
    }

    fn memory(&self) -> u64 {
        8 * (self.layout.width() + self.layout.times.len()) as u64
    }
}

impl Trajectory for Snapshots {
    fn advance(&mut self, index: usize, tick: Tick) -> Result<ControlFlow<()>> {
        self.index = index;
        Ok(tick())
    }

    fn fields(&mut self, out: &mut [f64]) -> Result<()> {
        let (points, t) = (self.layout.points(), self.layout.times.get(self.index).copied().unwrap_or(0.0));
        let axes = &self.layout.axes;
        for (field, out) in out.chunks_mut(points).enumerate() {
            // Errors are combined by their largest, which does not depend on the order.
            let error = out
                .par_chunks_mut(SHARED)
                .enumerate()
                .map(|(chunk, out)| {
                    let mut x = [0.0; 3];
                    let mut worst = 0.0f64;
                    for (i, o) in out.iter_mut().enumerate() {
                        let mut at = chunk * SHARED + i;
                        for (x, axis) in x.iter_mut().zip(axes).rev() {
                            *x = axis.points[at % axis.points.len()];
                            at /= axis.points.len();
                        }
                        let (value, error) = (self.function)(field, self.sample, &x[..axes.len()], t);
                        *o = value;
                        worst = worst.max(error);
                    }
                    worst
                })
                .reduce(|| 0.0, f64::max);
            self.worst = self.worst.max(error);
        }
        Ok(())
    }

    fn accuracy(&self) -> Option<f64> {
        Some(self.worst)
    }

    fn restore(&mut self, index: usize, state: &[f64]) -> bool {
        self.index = index;
        let [worst] = state else { return false };
        self.worst = *worst;
        true
    }
}
