//! Computing a solution, snapshot by snapshot.

use super::solution::{Solution, Trajectory, Watch};
use super::spool::{Record, Spool};
use super::{Layout, Settings};
use crate::Result;
use crate::error::allocate;
use rayon::prelude::*;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where snapshots go.
pub trait Sink {
    /// Takes snapshot `index` of trajectory `sample`, `values: [fields][points]`. Each comes once; those of a trajectory come
    /// in order, and several trajectories may take turns.
    ///
    /// # Errors
    /// What keeps it from taking them; the generation ends with it.
    fn snapshot(&mut self, sample: usize, index: usize, values: &[f64]) -> Result<()>;
}

/// How a generation ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// Everything was handed to the sink.
    Done {
        /// The stated accuracy, a relative L2 error.
        accuracy: f64,
    },
    /// The watch stopped it.
    Interrupted {
        /// The part of the work that was done.
        progress: f64,
    },
}

/// What a generation will take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Bytes of numbers that are handed out.
    pub bytes: u64,
    /// Bytes of memory while they are computed, about.
    pub memory: u64,
}

/// Trajectories that are computed together, in parallel, take at most this much memory, unless a single one needs more.
const TOGETHER: u64 = 256 << 20;
/// And are at most so many.
const MOST: u64 = 16;
/// Snapshots on their way to a file.
const WAITING: u64 = 3;

/// What a generation with these settings will take, and the shape of what it hands out.
///
/// # Errors
/// [`Error::Setting`](crate::Error::Setting) for settings that do not fit each other.
pub fn size(settings: &Settings) -> Result<(Size, Layout)> {
    let solution = (settings.reference().build)(settings)?;
    let layout = solution.layout().clone();
    let snapshot = 8 * layout.width() as u64;
    let memory = group_size(&*solution) as u64 * (solution.memory() + snapshot) + WAITING * snapshot;
    Ok((Size { bytes: layout.bytes(), memory }, layout))
}

/// Computes a solution and hands every snapshot to `sink`; `watch` is told the part that is done and may stop.
///
/// Trajectories are computed in groups, whose size depends on the settings alone; so do all bits of the result.
///
/// # Errors
/// [`Error::Setting`](crate::Error::Setting) for settings that do not fit each other;
/// [`Error::Unstable`](crate::Error::Unstable) when numbers overflow; [`Error::Memory`](crate::Error::Memory); the sink's.
pub fn generate(settings: &Settings, sink: &mut dyn Sink, watch: Watch) -> Result<Outcome> {
    run(settings, sink, None, watch)
}

fn group_size(solution: &dyn Solution) -> usize {
    let fit = (TOGETHER / solution.memory().max(1)).clamp(1, MOST) as usize;
    fit.min(solution.layout().samples)
}

/// As [`generate`], from where `spool` ends; what it holds already is handed out first.
pub(super) fn run(
    settings: &Settings,
    sink: &mut dyn Sink,
    spool: Option<&mut Spool>,
    watch: Watch,
) -> Result<Outcome> {
    let solution = (settings.reference().build)(settings)?;
    let layout = solution.layout();
    let spool = spool.filter(|_| !solution.is_cheap());
    let total = layout.samples as u64 * (1 + (layout.snapshots() as u64 - 1) * solution.work());
    let clock = Clock { done: AtomicU64::new(0), total, watch };
    Run { solution: &*solution, layout, sink, spool, clock, accuracy: 0.0 }.all()
}

/// Counts units of work.
struct Clock<'a> {
    done: AtomicU64,
    total: u64,
    watch: Watch<'a>,
}

impl Clock<'_> {
    fn progress(&self) -> f64 {
        self.done.load(Ordering::Relaxed) as f64 / self.total as f64
    }

    fn add(&self, units: u64) -> ControlFlow<()> {
        self.done.fetch_add(units, Ordering::Relaxed);
        (self.watch)(self.progress())
    }
}

struct Run<'a> {
    solution: &'a dyn Solution,
    layout: &'a Layout,
    sink: &'a mut dyn Sink,
    spool: Option<&'a mut Spool>,
    clock: Clock<'a>,
    accuracy: f64,
}

impl Run<'_> {
    fn all(mut self) -> Result<Outcome> {
        let group = group_size(self.solution);
        for first in (0..self.layout.samples).step_by(group) {
            let samples = first..(first + group).min(self.layout.samples);
            if self.group(samples)?.is_break() {
                return Ok(Outcome::Interrupted { progress: self.clock.progress() });
            }
        }
        Ok(Outcome::Done { accuracy: self.accuracy })
    }

    fn group(&mut self, samples: std::ops::Range<usize>) -> Result<ControlFlow<()>> {
        let (snapshots, width, count) = (self.layout.snapshots(), self.layout.width(), samples.len());
        let mut values = allocate("snapshots", width * count, 0.0)?;
        let mut next = 0;
        let mut state = Vec::new();
        while next < snapshots {
            let Some(record) = self.spool.as_mut().map_or(Ok(None), |s| s.replay(&mut values))? else {
                break;
            };
            let Record { accuracy, state: kept } = record;
            self.accuracy = accuracy;
            state = kept;
            self.hand_out(samples.start, next, &values)?;
            let _ = self.clock.add(count as u64 * if next == 0 { 1 } else { self.solution.work() });
            next += 1;
        }
        if next == snapshots {
            return Ok(ControlFlow::Continue(()));
        }
        let Some(mut trajectories) = self.start(samples.clone())? else { return Ok(ControlFlow::Break(())) };
        if next > 0 {
            let spool = self.spool.as_ref();
            let mut rest = &state[..];
            for t in &mut trajectories {
                let (len, tail) = rest.split_first().unwrap_or((&0.0, &[]));
                let (own, tail) = tail.split_at((*len as usize).min(tail.len()));
                rest = tail;
                if !t.restore(next - 1, own) {
                    return Err(
                        spool.map_or(crate::Error::Memory { what: "a state", bytes: 0 }, |s| s.foreign())
                    );
                }
            }
        }
        for index in next..snapshots {
            if index > 0 {
                if self.spool.is_some() {
                    state = saved(&trajectories);
                }
                let clock = &self.clock;
                let tick = || clock.add(1);
                let flow: Result<Vec<_>> =
                    trajectories.par_iter_mut().map(|t| t.advance(index, &tick)).collect();
                if flow?.iter().any(ControlFlow::is_break) {
                    if let Some(spool) = &mut self.spool {
                        spool.checkpoint(self.accuracy, &state)?;
                    }
                    return Ok(ControlFlow::Break(()));
                }
            } else if self.clock.add(count as u64).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            let filled: Result<Vec<()>> = trajectories
                .par_iter_mut()
                .zip(values.par_chunks_mut(width))
                .map(|(t, v)| t.fields(v))
                .collect();
            filled?;
            self.accuracy = trajectories.iter().filter_map(|t| t.accuracy()).fold(self.accuracy, f64::max);
            self.hand_out(samples.start, index, &values)?;
            if let Some(spool) = &mut self.spool {
                spool.append(self.accuracy, &values)?;
                if spool.is_due() || index + 1 == snapshots {
                    spool.checkpoint(self.accuracy, &saved(&trajectories))?;
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn start(&self, samples: std::ops::Range<usize>) -> Result<Option<Vec<Box<dyn Trajectory>>>> {
        let (clock, solution) = (&self.clock, self.solution);
        let go_on = || (clock.watch)(clock.progress()).is_continue();
        samples.into_par_iter().map(|s| solution.start(s, s == 0, &go_on)).collect()
    }

    fn hand_out(&mut self, first: usize, index: usize, values: &[f64]) -> Result<()> {
        for (at, values) in values.chunks_exact(self.layout.width()).enumerate() {
            self.sink.snapshot(first + at, index, values)?;
        }
        Ok(())
    }
}

/// The states of trajectories, each after its length.
fn saved(trajectories: &[Box<dyn Trajectory>]) -> Vec<f64> {
    let mut all = Vec::new();
    for t in trajectories {
        let at = all.len();
        all.push(0.0);
        t.save(&mut all);
        all[at] = (all.len() - at - 1) as f64;
    }
    all
}
