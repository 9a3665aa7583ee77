//! Files of solutions, in our schema of datasets.

use super::generate::{Outcome, Sink, run, size};
use super::solution::Watch;
use super::spool::Spool;
use super::{Layout, Settings};
use crate::Result;
use crate::dataset::{Axis, Description, Field, Parameter, Precision, Provenance, Writer};
use std::ops::Range;
use std::path::Path;

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
    let mut file = Target { writer: Writer::create(path, &describe(settings, &layout))?, layout };
    match run(settings, &mut file, Some(&mut spool), watch) {
        Ok(Outcome::Done { accuracy }) => {
            file.writer.state_accuracy(accuracy)?;
            let checksum = file.writer.finish()?;
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
