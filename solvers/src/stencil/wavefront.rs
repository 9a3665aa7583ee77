//! Several passes over a grid in one sweep through memory.
//!
//! A pass of a stencil method (update the direction, multiply; smooth red, smooth black, restrict the residual) works
//! on one unit of the slowest dimension at a time and needs the pass before it on that unit and its two neighbours.
//! So pass s may follow s units behind the first, while the data are still in cache. Threads take tiles of
//! consecutive units: inside a tile each pass stops one unit short of the one before at a shared border, and when all
//! tiles are done the borders are completed. Nothing is computed twice, and what is computed does not depend on the
//! tiles, so results have the same bits for any number of threads.

use crate::host::simd::{Kernel, dispatch};
use rayon::prelude::*;

/// Passes over the units `0..units` of a grid.
pub(crate) trait Wave: Sync {
    /// How many passes there are.
    fn stages(&self) -> usize;
    /// Tiles and their borders start at multiples of this: 2 when pairs of units write to the same place, which asks for
    /// an even number of units and of the passes before.
    fn align(&self) -> usize {
        1
    }
    /// Does pass `stage` on `unit`. Must be `#[inline(always)]` down to its loops.
    ///
    /// # Safety
    /// Called once for each pair, after pass `stage - 1` is done on `unit` and its neighbours and while no other
    /// thread works on the same unit. Writes nothing but what belongs to `unit`, and nothing that a neighbour reads
    /// in the same or an earlier pass.
    unsafe fn stage(&self, stage: usize, unit: usize);
}

/// Grids with fewer cells are swept by the calling thread alone.
const SERIAL_CELLS: usize = 16_384;

/// Runs every pass of `wave` on every unit. `cells` tells whether threads are worth their while; `periodic` says that
/// the first and the last unit are neighbours.
pub(crate) fn sweep<W: Wave>(wave: &W, units: usize, cells: usize, periodic: bool) {
    let stages = wave.stages();
    let threads = if cells < SERIAL_CELLS { 1 } else { rayon::current_num_threads() };
    // Two tiles a thread even out what other work takes from one of them.
    let align = wave.align();
    let tiles = if threads == 1 { 1 } else { (2 * threads).min(units / (2 * stages + align)) }.max(1);
    if periodic && units < 2 * stages {
        // Too few units for a ring of trapezoids: pass by pass.
        return dispatch(Tile { wave, units, first: 0, last: units, open: [true; 2], depth: 0 });
    }
    let bound = |t: usize| if t == tiles { units } else { (t * units / tiles) / align * align };
    let tile = |t: usize| {
        let open = [periodic || t > 0, periodic || t + 1 < tiles];
        dispatch(Tile { wave, units, first: bound(t), last: bound(t + 1), open, depth: 1 });
    };
    if tiles == 1 {
        tile(0);
    } else {
        (0..tiles).into_par_iter().with_max_len(1).for_each(tile);
    }
    if stages > 1 {
        let border = |t: usize| dispatch(Border { wave, units, at: bound(t) });
        match (tiles, periodic) {
            (1, true) => border(0),
            (1, false) => {}
            (_, true) => (0..tiles).into_par_iter().with_max_len(1).for_each(border),
            (_, false) => (1..tiles).into_par_iter().with_max_len(1).for_each(border),
        }
    }
}

/// The units of one tile; pass s leaves out s units at each open end. With `depth` 0, pass by pass and nothing left out.
struct Tile<'a, W> {
    wave: &'a W,
    units: usize,
    first: usize,
    last: usize,
    open: [bool; 2],
    depth: usize,
}

impl<W: Wave> Kernel for Tile<'_, W> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { wave, units, first, last, open, depth } = self;
        let stages = wave.stages();
        if depth == 0 {
            for stage in 0..stages {
                for unit in 0..units {
                    // SAFETY: one thread, and the pass before is done everywhere.
                    unsafe { wave.stage(stage, unit) };
                }
            }
            return;
        }
        for front in first..last + stages - 1 {
            for stage in 0..stages {
                let low = first + if open[0] { stage } else { 0 };
                let high = last.saturating_sub(if open[1] { stage } else { 0 });
                if front >= stage + low && front - stage < high {
                    // SAFETY: the pass before went over `front - stage + 1` in this same turn, or that unit is past a
                    // closed end; open ends keep a distance of `stage` from what other tiles touch.
                    unsafe { wave.stage(stage, front - stage) };
                }
            }
        }
    }
}

/// What the tiles on both sides of unit border `at` left out.
struct Border<'a, W> {
    wave: &'a W,
    units: usize,
    at: usize,
}

impl<W: Wave> Kernel for Border<'_, W> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { wave, units, at } = self;
        for stage in 1..wave.stages() {
            for offset in 0..2 * stage {
                // SAFETY: tiles are at least 2 stages long, so borders do not meet, and all tiles are done.
                unsafe { wave.stage(stage, (at + units + offset - stage) % units) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    /// Counts how far each unit has come and panics when a pass runs too early.
    struct Order {
        done: Vec<AtomicUsize>,
        stages: usize,
        periodic: bool,
    }

    impl Wave for Order {
        fn stages(&self) -> usize {
            self.stages
        }
        unsafe fn stage(&self, stage: usize, unit: usize) {
            let n = self.done.len();
            let mut near = vec![unit];
            if self.periodic || unit > 0 {
                near.push((unit + n - 1) % n);
            }
            if self.periodic || unit + 1 < n {
                near.push((unit + 1) % n);
            }
            for u in near {
                assert!(self.done[u].load(SeqCst) >= stage, "pass {stage} on {unit} before {u} was ready");
            }
            assert_eq!(self.done[unit].fetch_add(1, SeqCst), stage);
        }
    }

    #[test]
    fn every_pass_runs_once_and_in_order() {
        for threads in [1, 2, 3, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            for stages in 1..=6 {
                for units in [1, 2, 3, 5, 8, 13, 24, 25, 64] {
                    for periodic in [false, true] {
                        let wave = Order {
                            done: (0..units).map(|_| AtomicUsize::new(0)).collect(),
                            stages,
                            periodic,
                        };
                        pool.install(|| sweep(&wave, units, SERIAL_CELLS, periodic));
                        assert!(wave.done.iter().all(|d| d.load(SeqCst) == stages));
                    }
                }
            }
        }
    }
}
