//! Solutions that stay in memory.

use super::generate::{Outcome, Sink, generate, size};
use super::{Layout, Settings};
use crate::Result;
use crate::error::allocate;
use std::ops::ControlFlow;

/// A solution in memory.
#[derive(Clone, Debug)]
pub struct Solved {
    /// Its shape.
    pub layout: Layout,
    /// The stated accuracy, a relative L2 error.
    pub accuracy: f64,
    /// `[trajectories][snapshots][fields][points]`.
    pub values: Vec<f64>,
}

impl Solved {
    /// A snapshot, `[fields][points]`.
    ///
    /// # Panics
    /// When there is no such snapshot.
    pub fn snapshot(&self, sample: usize, index: usize) -> &[f64] {
        assert!(index < self.layout.snapshots(), "snapshot {index} of {}", self.layout.snapshots());
        let (at, width) = (sample * self.layout.snapshots() + index, self.layout.width());
        &self.values[at * width..][..width]
    }

    /// A field of a snapshot, `[points]`.
    ///
    /// # Panics
    /// When there is no such snapshot or field.
    pub fn field(&self, sample: usize, index: usize, field: usize) -> &[f64] {
        let points = self.layout.points();
        &self.snapshot(sample, index)[field * points..][..points]
    }
}

impl Sink for Solved {
    fn snapshot(&mut self, sample: usize, index: usize, values: &[f64]) -> Result<()> {
        let (at, width) = (sample * self.layout.snapshots() + index, self.layout.width());
        self.values[at * width..][..width].copy_from_slice(values);
        Ok(())
    }
}

/// Computes a solution into memory.
///
/// # Errors
/// As [`generate`].
pub fn solve(settings: &Settings) -> Result<Solved> {
    let (size, layout) = size(settings)?;
    let mut solved =
        Solved { values: allocate("a solution", (size.bytes / 8) as usize, 0.0)?, accuracy: 0.0, layout };
    if let Outcome::Done { accuracy } = generate(settings, &mut solved, &|_| ControlFlow::Continue(()))? {
        solved.accuracy = accuracy;
    }
    Ok(solved)
}
