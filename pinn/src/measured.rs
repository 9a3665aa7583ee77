//! Points at which something was measured, from a dataset of any layout.

use crate::objective::{Cloud, Source};
use crate::sampled::transpose;
use crate::simd::Real;
use crate::{Error, Result};
use resolvent::learn::{Checkpoint, Random, State};
use resolvent_datasets::dataset::{Batch, Dataset, Points, Role, Selection};
use std::path::{Path, PathBuf};

/// Measurements: coordinates as points, values as columns of data. They are streamed: a window of the file is in memory, and
/// every point of it is drawn once an epoch.
pub struct Measured {
    path: PathBuf,
    fields: Vec<String>,
    trajectory: usize,
    seed: u64,
    n: usize,
    /// For each coordinate of the equation, its place among those of the dataset.
    places: Vec<usize>,
    stream: Option<Points<f64>>,
    /// Points drawn from the stream.
    drawn: u64,
    batch: Batch<f64>,
}

impl Measured {
    /// `n` points of one trajectory in every draw.
    ///
    /// # Errors
    /// [`Error::Data`] when the file cannot be read or has no such field; [`Error::Training`] when its coordinates are not those
    /// of the equation.
    pub fn new(
        path: &Path,
        fields: &[String],
        coordinates: &[String],
        trajectory: usize,
        n: usize,
        seed: u64,
    ) -> Result<Self> {
        let (path, fields) = (path.to_path_buf(), fields.to_vec());
        let batch = Batch::default();
        let mut own =
            Self { path, fields, trajectory, seed, n, places: vec![], stream: None, drawn: 0, batch };
        let stream = own.open()?;
        let known = stream.coordinates();
        own.places = coordinates
            .iter()
            .map(|c| known.iter().position(|k| k == c))
            .collect::<Option<_>>()
            .filter(|_| known.len() == coordinates.len())
            .ok_or_else(|| {
                let what = format!(
                    "{}: the data have the coordinates {}, but the equation {}",
                    own.path.display(),
                    known.join(", "),
                    coordinates.join(", ")
                );
                let mend = "name them alike; `resolvent data convert` renames axes".into();
                Error::Training { what, mend }
            })?;
        let all = stream.per_epoch();
        own.n = n.min(all);
        own.stream = Some(stream);
        Ok(own)
    }

    /// How many points it has.
    pub fn len(&self) -> usize {
        self.stream.as_ref().map_or(0, Points::per_epoch)
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn open(&self) -> Result<Points<f64>> {
        let dataset = Dataset::open(&self.path)?;
        let names: Vec<&str> = self.fields.iter().map(String::as_str).collect();
        Ok(Points::new(&dataset, &names, &trajectory(&dataset, self.trajectory), self.seed)?)
    }

    fn take<T: Real>(&mut self, n: usize, cloud: &mut Cloud<T>) -> Result<()> {
        if self.stream.is_none() {
            // Goes to where it was before.
            let mut stream = self.open()?;
            stream.seek(self.drawn)?;
            self.stream = Some(stream);
        }
        let Some(stream) = &mut self.stream else { return Ok(()) };
        stream.draw(n, &mut self.batch)?;
        self.drawn += n as u64;
        let dim = self.places.len();
        let mut all: Vec<T> = vec![];
        transpose(&self.batch.coordinates, dim, &mut all);
        cloud.points.clear();
        self.places.iter().for_each(|p| cloud.points.extend_from_slice(&all[p * n..(p + 1) * n]));
        transpose(&self.batch.values, self.batch.values.len() / n.max(1), &mut cloud.data);
        Ok(())
    }

    /// `only` of its points, with normal noise of `noise` times each field's deviation: a small set that stays the same.
    ///
    /// # Errors
    /// What keeps the file from being read.
    pub fn fixed<T: Real>(mut self, only: usize, noise: f64) -> Result<Chosen<T>> {
        let mut cloud = Cloud::default();
        let count = only.min(self.len());
        self.take(count, &mut cloud)?;
        let mut random = Random::new(self.seed, "noise");
        if noise > 0.0 {
            for column in cloud.data.chunks_exact_mut(count.max(1)) {
                let n = column.len() as f64;
                let mean = column.iter().map(|v: &T| v.f64()).sum::<f64>() / n;
                let square = column.iter().map(|v| (v.f64() - mean).powi(2)).sum::<f64>() / n;
                for v in column {
                    *v += T::of(noise * square.sqrt() * random.normal());
                }
            }
        }
        let random = Random::new(self.seed, "chosen");
        Ok(Chosen { cloud, count, n: self.n.min(count), random })
    }
}

/// The selection of one trajectory, where there are trajectories.
pub(crate) fn trajectory(dataset: &Dataset, number: usize) -> Selection {
    match dataset.description().axis_of(Role::Trajectory) {
        Some(axis) => Selection::all().along(&axis.name, number..number + 1),
        None => Selection::all(),
    }
}

impl State for Measured {
    fn store(&self, name: &str, checkpoint: &mut Checkpoint) {
        checkpoint.put_integers(name, &[self.drawn]);
    }
    fn restore(&mut self, name: &str, checkpoint: &mut Checkpoint) -> resolvent::Result<()> {
        self.drawn = checkpoint.take_integers(name, 1)?[0];
        self.stream = None;
        Ok(())
    }
}

impl<T: Real> Source<T> for Measured {
    fn draw(&mut self, cloud: &mut Cloud<T>) -> Result<()> {
        self.take(self.n, cloud)
    }
}

/// A few points in memory, of which every draw takes some.
pub struct Chosen<T> {
    cloud: Cloud<T>,
    count: usize,
    n: usize,
    random: Random,
}

impl<T: Real> State for Chosen<T> {
    fn store(&self, name: &str, checkpoint: &mut Checkpoint) {
        self.random.store(name, checkpoint);
    }
    fn restore(&mut self, name: &str, checkpoint: &mut Checkpoint) -> resolvent::Result<()> {
        self.random.restore(name, checkpoint)
    }
}

impl<T: Real> Source<T> for Chosen<T> {
    fn draw(&mut self, cloud: &mut Cloud<T>) -> Result<()> {
        if self.n == self.count {
            cloud.clone_from(&self.cloud);
            return Ok(());
        }
        let picked: Vec<usize> = (0..self.n).map(|_| self.random.below(self.count as u64) as usize).collect();
        let pick = |from: &[T], to: &mut Vec<T>| {
            to.clear();
            from.chunks_exact(self.count).for_each(|row| to.extend(picked.iter().map(|p| row[*p])));
        };
        pick(&self.cloud.points, &mut cloud.points);
        pick(&self.cloud.data, &mut cloud.data);
        Ok(())
    }
}
