//! Random snapshots of a dataset: whole fields at one time of one trajectory.

use super::points::shuffle;
use super::tiles::shared_axes;
use super::{Dataset, Real, Role, Selection};
use crate::random::Stream;
use crate::{Error, Result};
use std::ops::Range;

/// Snapshots in a random order that is a function of the seed alone; each comes once an epoch. A network that maps one field
/// to another is trained on them.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("wave.h5");
/// # use resolvent_datasets::dataset::{Axis, Description, Field, Precision, Writer};
/// # let description = Description {
/// #     axes: vec![Axis::trajectory(2), Axis::time(&[0.0, 0.5, 1.0]), Axis::space("x", &[0.0, 1.0])],
/// #     fields: vec![Field::new("u", Precision::F64, &["trajectory", "t", "x"])],
/// #     ..Description::new("wave")
/// # };
/// # let mut writer = Writer::create(&path, &description)?;
/// # writer.write("u", &[0..2, 0..3, 0..2], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0])?;
/// # writer.finish()?;
/// use resolvent_datasets::dataset::{Dataset, Selection, Snapshots};
/// let dataset = Dataset::open(&path)?;
/// let mut snapshots = Snapshots::new(&dataset, &["u"], &Selection::all().along("t", 1..3), 7)?;
/// let one = snapshots.draw::<f64>()?;
/// assert_eq!(one.fields[0], [(6 * one.trajectory + 2 * one.time) as f64, (6 * one.trajectory + 2 * one.time + 1) as f64]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Snapshots {
    dataset: Dataset,
    fields: Vec<(String, Vec<Range<usize>>)>,
    trajectories: Range<usize>,
    times: Range<usize>,
    order: Vec<u32>,
    taken: usize,
    epoch: u64,
    seed: u64,
}

/// Fields at one time of one trajectory.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot<T> {
    /// Which trajectory; 0 where there is only one.
    pub trajectory: usize,
    /// Which time; 0 where there is none.
    pub time: usize,
    /// Each field in C order, in the order asked for.
    pub fields: Vec<Vec<T>>,
}

impl Snapshots {
    /// Of some fields, which must vary along the same axes, in a selection.
    ///
    /// # Errors
    /// As [`Points::new`](super::Points::new), but for coordinates, which need not be known.
    pub fn new(dataset: &Dataset, fields: &[&str], selection: &Selection, seed: u64) -> Result<Self> {
        shared_axes(dataset, fields)?;
        let d = dataset.description();
        let (mut trajectories, mut times) = (0..1, 0..1);
        let mut regions = Vec::new();
        for name in fields {
            let region = selection.region(d, name)?;
            for (axis, range) in d.field_axes(d.field(name)?)?.iter().zip(&region) {
                match axis.role {
                    Role::Trajectory => trajectories = range.clone(),
                    Role::Time => times = range.clone(),
                    _ => {}
                }
            }
            if region.iter().any(Range::is_empty) {
                return Err(Error::Region { field: (*name).into(), region, shape: d.shape(d.field(name)?)? });
            }
            regions.push(((*name).to_owned(), region));
        }
        Ok(Self {
            dataset: dataset.clone(),
            fields: regions,
            trajectories,
            times,
            order: Vec::new(),
            taken: 0,
            epoch: 0,
            seed,
        })
    }

    /// How many there are in an epoch.
    pub fn per_epoch(&self) -> usize {
        self.trajectories.len() * self.times.len()
    }

    /// Reads the next; one epoch follows the other.
    ///
    /// # Errors
    /// As [`Dataset::read`].
    pub fn draw<T: Real>(&mut self) -> Result<Snapshot<T>> {
        if self.taken == self.order.len() {
            self.order = (0..self.per_epoch() as u32).collect();
            shuffle(&mut self.order, Stream::new(self.seed, "snapshots"), self.epoch);
            self.epoch += 1;
            self.taken = 0;
        }
        let at = self.order[self.taken] as usize;
        self.taken += 1;
        let trajectory = self.trajectories.start + at / self.times.len();
        let time = self.times.start + at % self.times.len();
        let d = self.dataset.description();
        let mut fields = Vec::new();
        for (name, region) in &self.fields {
            let mut region = region.clone();
            for (axis, range) in d.field_axes(d.field(name)?)?.iter().zip(&mut region) {
                match axis.role {
                    Role::Trajectory => *range = trajectory..trajectory + 1,
                    Role::Time => *range = time..time + 1,
                    _ => {}
                }
            }
            fields.push(self.dataset.read(name, &region)?);
        }
        Ok(Snapshot { trajectory, time, fields })
    }
}
