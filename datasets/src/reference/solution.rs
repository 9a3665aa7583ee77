//! What every reference solution implements.

use super::Layout;
use crate::Result;
use std::ops::ControlFlow;

/// How far the work is, and whether it should go on; called from any thread.
pub type Watch<'a> = &'a (dyn Fn(f64) -> ControlFlow<()> + Sync);

/// Counts a unit of work and says whether to go on.
pub(super) type Tick<'a> = &'a (dyn Fn() -> ControlFlow<()> + Sync);
/// Whether to go on.
pub(super) type GoOn<'a> = &'a (dyn Fn() -> bool + Sync);

/// A solution whose settings are fixed and checked.
pub(super) trait Solution: Sync {
    /// The shape of what it hands out.
    fn layout(&self) -> &Layout;

    /// A trajectory at its first snapshot. One that is `measured` also finds out how accurate it is. `go_on` is asked during
    /// long work, which ends with `None` when the answer is no.
    fn start(&self, sample: usize, measured: bool, go_on: GoOn) -> Result<Option<Box<dyn Trajectory>>>;

    /// Bytes of memory that a trajectory takes while it is computed.
    fn memory(&self) -> u64;

    /// Units of work from one snapshot to the next, what [`Trajectory::advance`] counts.
    fn work(&self) -> u64 {
        1
    }

    /// Whether snapshots are so cheap that an interrupted generation starts again rather than resumes.
    fn is_cheap(&self) -> bool {
        false
    }
}

/// One trajectory at one of its snapshots.
pub(super) trait Trajectory: Send {
    /// Goes on to snapshot `index`, the next. `tick` counts a unit of work and may stop, which leaves the trajectory
    /// between snapshots.
    fn advance(&mut self, index: usize, tick: Tick) -> Result<ControlFlow<()>>;

    /// Its fields at the present snapshot, `[fields][points]`.
    fn fields(&mut self, out: &mut [f64]) -> Result<()>;

    /// The largest relative L2 error so far, as far as it is known.
    fn accuracy(&self) -> Option<f64>;

    /// Appends what [`restore`](Self::restore) needs to be here again.
    fn save(&self, state: &mut Vec<f64>) {
        state.extend(self.accuracy());
    }

    /// Comes to snapshot `index` from what was saved there; `false` when that does not fit.
    fn restore(&mut self, index: usize, state: &[f64]) -> bool;
}
