//! Files of solutions, in our schema of datasets.

use super::generate::{Outcome, Sink, run, size};
use super::solution::Watch;
use super::spool::Spool;
use super::{Layout, Settings};
use crate::Result;
use crate::dataset::{Axis, Description, Field, Parameter, Precision, Provenance, Writer};
use std::ops::Range;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender};

/// How the making of a file ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Written {
    /// The file is there.
    Done {
        /// The stated accuracy, a relative L2 error.
        accuracy: f64,
        /// The checksum of everything in it.
        checksum: u64,
    },
    /// The watch stopped it; `NAME.unfinished` is where the same call goes on from, unless the work is too cheap to be kept.
    Interrupted {
        /// The part of the work that was done.
        progress: f64,
    },
}

/// Writes a solution to an HDF5 file, snapshot by snapshot, or goes on with what an interrupted call left. The bytes of the
/// file depend on the settings alone: not on interruptions, nor on the number of threads.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("burgers.h5");
/// use resolvent_datasets::reference::{Settings, Written, write};
/// use std::ops::ControlFlow;
/// let settings = Settings::of("burgers")?.set("n", "33")?.set("times", "3")?;
/// let written = write(&settings, &path, &|_progress| ControlFlow::Continue(()))?;
/// assert!(matches!(written, Written::Done { accuracy, .. } if accuracy < 1e-13));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`generate`](super::generate); [`Error::Unfinished`](crate::Error::Unfinished) when another command left its beginning
/// there; [`Error::Write`](crate::Error::Write).
pub fn write(settings: &Settings, path: &Path, watch: Watch) -> Result<Written> {
    let layout = size(settings)?.1;
    crate::output::probe(path)?;
    let mut spool = Spool::open(path, &settings.command())?;
    let target = Target { writer: Writer::create(path, &describe(settings, &layout))?, layout };
    let (mut writer, outcome) = behind(target, |sink| run(settings, sink, Some(&mut spool), watch));
    match outcome {
        Ok(Outcome::Done { accuracy }) => {
            writer.state_accuracy(accuracy)?;
            let checksum = writer.finish()?;
            spool.remove()?;
            Ok(Written::Done { accuracy, checksum })
        }
        Ok(Outcome::Interrupted { progress }) => {
            spool.keep()?;
            Ok(Written::Interrupted { progress })
        }
        Err(e) => {
            spool.keep()?;
            Err(e)
        }
    }
}

/// Runs `work` with a sink whose snapshots a thread of its own writes, so that the next are computed meanwhile.
fn behind(
    mut target: Target,
    work: impl FnOnce(&mut dyn Sink) -> Result<Outcome>,
) -> (Writer, Result<Outcome>) {
    let (to, from) = mpsc::sync_channel::<Snapshot>(1);
    let (back, spare) = mpsc::channel();
    std::thread::scope(|scope| {
        let writing = scope.spawn(move || {
            for Snapshot { sample, index, values } in from {
                let written = target.snapshot(sample, index, &values).map(|()| values);
                let failed = written.is_err();
                // At the end nobody takes it.
                let _ = back.send(written);
                if failed {
                    break;
                }
            }
            target.writer
        });
        let mut queue = Queue { to, spare };
        let outcome = work(&mut queue);
        let Queue { to, spare } = queue;
        drop(to);
        match writing.join() {
            Ok(writer) => (writer, spare.iter().try_for_each(|s| s.map(drop)).and(outcome)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// What is on its way to the file.
struct Snapshot {
    sample: usize,
    index: usize,
    values: Vec<f64>,
}

/// Snapshots that wait; those that are written come back, or why one was not.
struct Queue {
    to: SyncSender<Snapshot>,
    spare: Receiver<Result<Vec<f64>>>,
}

impl Sink for Queue {
    fn snapshot(&mut self, sample: usize, index: usize, values: &[f64]) -> Result<()> {
        let mut copy = self.spare.try_recv().unwrap_or_else(|_| Ok(vec![]))?;
        copy.clear();
        copy.extend_from_slice(values);
        if self.to.send(Snapshot { sample, index, values: copy }).is_err() {
            self.spare.iter().try_for_each(|s| s.map(drop))?;
        }
        Ok(())
    }
}

struct Target {
    writer: Writer,
    layout: Layout,
}

impl Sink for Target {
    fn snapshot(&mut self, sample: usize, index: usize, values: &[f64]) -> Result<()> {
        let mut region: Vec<Range<usize>> = Vec::new();
        if self.writer.description().axis("trajectory").is_some() {
            region.push(sample..sample + 1);
        }
        if !self.layout.times.is_empty() {
            region.push(index..index + 1);
        }
        region.extend(self.layout.axes.iter().map(|a| 0..a.points.len()));
        for (field, values) in self.layout.fields.iter().zip(values.chunks_exact(self.layout.points())) {
            self.writer.write(field, &region, values)?;
        }
        Ok(())
    }
}

/// What the file holds.
fn describe(settings: &Settings, layout: &Layout) -> Description {
    let reference = settings.reference();
    let mut axes = Vec::new();
    if reference.random {
        axes.push(Axis::trajectory(layout.samples));
    }
    if !layout.times.is_empty() {
        axes.push(Axis::time(&layout.times));
    }
    axes.extend(layout.axes.iter().map(|a| Axis::space(a.name, &a.points)));
    let names: Vec<String> = axes.iter().map(|a| a.name.clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let description = Description::new(reference.name);
    let notes =
        [("equation", reference.equation), ("method", reference.method), ("accuracy_is", reference.accuracy)];
    Description {
        axes,
        fields: layout.fields.iter().map(|f| Field::new(f, Precision::F64, &names)).collect(),
        parameters: settings.physical().map(|(name, value)| Parameter::global(name, value)).collect(),
        boundary_conditions: layout.axes.iter().map(|a| (a.name.into(), a.ends.into())).collect(),
        provenance: Provenance {
            command: Some(format!("{} --out FILE.h5", settings.command())),
            seed: Some(settings.get_seed()),
            notes: notes.map(|(name, text)| (name.into(), text.into())).to_vec(),
            ..description.provenance
        },
        ..description
    }
}
