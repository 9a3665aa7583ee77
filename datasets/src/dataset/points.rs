//! Random points of a dataset, as a network is trained on them.

use super::numbers::Numbers;
use super::tiles::{shared_axes, tiles};
use super::{Axis, Dataset, Real, Role, Selection};
use crate::random::Stream;
use crate::{Error, Result};
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

/// Pieces that are shuffled together hold about so many numbers.
const WINDOW: usize = 4 << 20;
/// Trajectories, time and six directions.
const MOST_AXES: usize = 8;

/// Points drawn at random: their coordinates, and the values of fields there.
///
/// The selection is cut into pieces of about a chunk of the file. Each epoch takes the pieces in a random order, a window of
/// a few at a time (about 4 million numbers), and the points of a window in a random order. So each point is drawn once an
/// epoch, every point is equally likely at every place of the order, and points of one batch come from few pieces: fewer
/// different places than independent draws would have, and the file is read in whole chunks. The order is a function of
/// the seed, the selection, the fields and the file's chunks, whatever the number of threads.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("points.csv");
/// # std::fs::write(&path, "t,x,u\n0,0,0\n0,1,10\n1,0,1\n1,1,11\n")?;
/// use resolvent_datasets::dataset::{Batch, Dataset, Points, Selection};
/// let dataset = Dataset::open(&path)?;
/// let mut points = Points::<f32>::new(&dataset, &["u"], &Selection::all(), 7)?;
/// assert_eq!(points.coordinates(), ["t", "x"]);
/// let mut batch = Batch::default();
/// points.draw(4, &mut batch)?;
/// for (at, u) in batch.coordinates.chunks(2).zip(&batch.values) {
///     assert_eq!(*u, at[0] + 10.0 * at[1]);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Points<T> {
    names: Vec<String>,
    width: usize,
    per_epoch: usize,
    windows: Receiver<Result<Window<T>>>,
    window: Option<Window<T>>,
    axes: Arc<Vec<Table<T>>>,
}

/// Points and what is known of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch<T> {
    /// `[points × coordinates]`, in the order of [`Points::coordinates`].
    pub coordinates: Vec<T>,
    /// `[points × values]`: the components of each field, in the order asked for.
    pub values: Vec<T>,
    /// `[points]`: the trajectory of each; all 0 where there is only one.
    pub trajectories: Vec<u32>,
}

/// The coordinates of an axis.
struct Table<T> {
    role: Role,
    columns: Vec<Vec<T>>,
}

/// Some pieces, and the order of their points.
struct Window<T> {
    tiles: Vec<Vec<Range<usize>>>,
    /// The number of the first point of each piece.
    starts: Vec<u32>,
    /// `[points × values]`.
    values: Vec<T>,
    order: Vec<u32>,
    taken: usize,
}

/// What is read for one field.
struct Source {
    numbers: Arc<dyn Numbers>,
    /// For each axis, its number among those that are shared, or how many components it has.
    axes: Vec<std::result::Result<usize, usize>>,
    components: usize,
}

impl<T: Real> Points<T> {
    /// Draws the values of some fields, which must vary along the same axes, in a selection.
    ///
    /// # Errors
    /// [`Error::NoField`]; [`Error::Description`] for fields along different axes and for an axis that has no coordinates;
    /// [`Error::Region`] for a selection that is not inside them, or is empty.
    pub fn new(dataset: &Dataset, fields: &[&str], selection: &Selection, seed: u64) -> Result<Self> {
        let axes = shared_axes(dataset, fields)?;
        if let Some(a) = axes.iter().find(|a| a.role != Role::Trajectory && a.coordinates.is_empty()) {
            return Err(Error::Description {
                what: format!("axis `{}` has no coordinates", a.name),
                mend: "give it some: `resolvent data convert IN OUT.h5 --range NAME=FROM:TO`",
            });
        }
        if axes.len() > MOST_AXES {
            let what = format!("the fields vary along {} axes", axes.len());
            return Err(Error::Description { what, mend: "sample fields along 8 axes at most" });
        }
        let d = dataset.description();
        let mut sources = Vec::new();
        let mut first = None;
        for name in fields {
            let (f, numbers) = dataset.find(name)?;
            let of = d.field_axes(f)?;
            let mut shared = 0..;
            let mapped: Vec<_> = of
                .iter()
                .map(|a| if a.role == Role::Component { Err(a.len) } else { Ok(shared.next().unwrap_or(0)) })
                .collect();
            let whole = selection.region(d, name)?;
            let picked = |v: Vec<Range<usize>>| -> Vec<Range<usize>> {
                v.into_iter().zip(&mapped).filter(|(_, m)| m.is_ok()).map(|(r, _)| r).collect()
            };
            let region = picked(whole);
            if region.iter().any(Range::is_empty) {
                return Err(Error::Region { field: (*name).into(), region, shape: d.shape(f)? });
            }
            let chunk: Option<Vec<usize>> = f
                .storage
                .chunk
                .as_ref()
                .map(|c| c.iter().zip(&mapped).filter(|(_, m)| m.is_ok()).map(|(c, _)| *c).collect());
            first.get_or_insert((region, chunk));
            let components = mapped.iter().filter_map(|m| m.err()).product();
            sources.push(Source { numbers: Arc::clone(numbers), axes: mapped, components });
        }
        let (region, chunk) =
            first.ok_or_else(|| Error::NoField { name: String::new(), known: String::new() })?;
        let per_epoch = region.iter().map(ExactSizeIterator::len).product();
        let pieces = tiles(&region, chunk.as_deref());
        let names = axes.iter().flat_map(|a| &a.coordinates).map(|c| c.name.clone()).collect();
        let table = |a: &&Axis| Table {
            role: a.role,
            columns: a
                .coordinates
                .iter()
                .map(|c| c.values.iter().map(|v| T::nearest(*v)).collect())
                .collect(),
        };
        let tables = Arc::new(axes.iter().map(table).collect());
        let width = sources.iter().map(|s| s.components).sum();
        let (send, windows) = sync_channel(1);
        thread::spawn(move || {
            for at in 0.. {
                let made = Window::make(&pieces, &sources, width, seed, at);
                let failed = made.is_err();
                // Nobody listens any more, or nothing more can be read.
                if send.send(made).is_err() || failed {
                    return;
                }
            }
        });
        Ok(Self { names, width, per_epoch, windows, window: None, axes: tables })
    }

    /// The names of a point's coordinates.
    pub fn coordinates(&self) -> &[String] {
        &self.names
    }

    /// How many values a point has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many points the selection has.
    pub fn per_epoch(&self) -> usize {
        self.per_epoch
    }

    /// Draws the next `n` points, reusing the memory of `batch`. One epoch follows the other.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the file is damaged; [`Error::Open`].
    pub fn draw(&mut self, n: usize, batch: &mut Batch<T>) -> Result<()> {
        batch.coordinates.clear();
        batch.values.clear();
        batch.trajectories.clear();
        batch.coordinates.reserve(n * self.names.len());
        batch.values.reserve(n * self.width);
        batch.trajectories.reserve(n);
        let mut missing = n;
        while missing > 0 {
            let empty = self.window.as_ref().is_none_or(|w| w.taken == w.order.len());
            if empty {
                let gone = || Error::Description {
                    what: "reading has failed before".into(),
                    mend: "open the dataset again",
                };
                self.window = Some(self.windows.recv().map_err(|_| gone())??);
            }
            if let Some(window) = &mut self.window {
                let n = missing.min(window.order.len() - window.taken);
                window.take(n, self.width, &self.axes, batch);
                missing -= n;
            }
        }
        Ok(())
    }
}

impl<T: Real> Window<T> {
    /// Window number `at`, counted over all epochs.
    fn make(
        pieces: &[Vec<Range<usize>>],
        sources: &[Source],
        width: usize,
        seed: u64,
        at: usize,
    ) -> Result<Self> {
        let size = |tile: &[Range<usize>]| tile.iter().map(ExactSizeIterator::len).product::<usize>();
        let each = (WINDOW / (width * size(&pieces[0])).max(1)).clamp(1, pieces.len());
        let windows = pieces.len().div_ceil(each);
        let (epoch, place) = (at / windows, at % windows);
        let mut order: Vec<u32> = (0..pieces.len() as u32).collect();
        shuffle(&mut order, Stream::new(seed, "pieces"), epoch as u64);
        let chosen = &order[place * each..pieces.len().min((place + 1) * each)];
        let tiles: Vec<_> = chosen.iter().map(|i| pieces[*i as usize].clone()).collect();
        let mut starts = Vec::with_capacity(tiles.len());
        let mut points = 0;
        for tile in &tiles {
            starts.push(points as u32);
            points += size(tile);
        }
        let mut values = crate::error::allocate("a window of points", points * width, T::default())?;
        for (tile, start) in tiles.iter().zip(&starts) {
            let part = &mut values[*start as usize * width..(*start as usize + size(tile)) * width];
            let mut column = 0;
            for source in sources {
                source.fill(tile, part, column, width)?;
                column += source.components;
            }
        }
        let mut order: Vec<u32> = (0..points as u32).collect();
        shuffle(&mut order, Stream::new(seed, "points"), at as u64);
        Ok(Self { tiles, starts, values, order, taken: 0 })
    }

    /// The next `n` points. Per point: one random read of the values, one of each coordinate's table.
    fn take(&mut self, n: usize, width: usize, axes: &[Table<T>], batch: &mut Batch<T>) {
        for &i in &self.order[self.taken..self.taken + n] {
            let piece = self.starts.partition_point(|s| *s <= i) - 1;
            let (tile, mut rest) = (&self.tiles[piece], i - self.starts[piece]);
            let mut index = [0u32; MOST_AXES];
            for (at, range) in index.iter_mut().zip(tile).rev() {
                let side = range.len() as u32;
                *at = range.start as u32 + rest % side;
                rest /= side;
            }
            let mut trajectory = 0;
            for (axis, at) in axes.iter().zip(index) {
                if axis.role == Role::Trajectory {
                    trajectory = at;
                }
                for column in &axis.columns {
                    batch.coordinates.push(column[at as usize]);
                }
            }
            batch.trajectories.push(trajectory);
            let from = i as usize * width;
            if width == 1 {
                batch.values.push(self.values[from]);
            } else {
                batch.values.extend_from_slice(&self.values[from..from + width]);
            }
        }
        self.taken += n;
    }
}

impl Source {
    /// Reads a piece into columns of `out`, which is `[points × width]`.
    fn fill<T: Real>(&self, tile: &[Range<usize>], out: &mut [T], column: usize, width: usize) -> Result<()> {
        let region: Vec<Range<usize>> =
            self.axes.iter().map(|a| a.map_or_else(|n| 0..n, |i| tile[i].clone())).collect();
        if self.components == width {
            let trailing = self.axes.iter().skip_while(|a| a.is_ok()).all(std::result::Result::is_err);
            if trailing {
                return self.numbers.read(&region, T::values(out));
            }
        }
        let len = region.iter().map(ExactSizeIterator::len).product();
        let mut values = crate::error::allocate("a piece of a field", len, T::default())?;
        self.numbers.read(&region, T::values(&mut values))?;
        // Strides of each axis of the region in `out`.
        let mut strides = vec![0; region.len()];
        let (mut point, mut component) = (width, 1);
        for (d, axis) in self.axes.iter().enumerate().rev() {
            match axis {
                Ok(_) => (strides[d], point) = (point, point * region[d].len()),
                Err(n) => (strides[d], component) = (component, component * n),
            }
        }
        let mut index = vec![0; region.len()];
        for v in values {
            let to: usize = index.iter().zip(&strides).map(|(i, s)| i * s).sum();
            out[to + column] = v;
            for d in (0..index.len()).rev() {
                index[d] += 1;
                if index[d] < region[d].len() {
                    break;
                }
                index[d] = 0;
            }
        }
        Ok(())
    }
}

/// Fisher and Yates's shuffle, number `epoch` of a stream.
pub(super) fn shuffle(order: &mut [u32], stream: Stream, epoch: u64) {
    let first = epoch.wrapping_mul(order.len() as u64);
    for i in (1..order.len()).rev() {
        let random = stream.integer(first.wrapping_add(i as u64));
        // The high bits of a product are a number below i + 1, uniform up to 2⁻³².
        let j = (u128::from(random) * (i as u128 + 1)) >> 64;
        order.swap(i, j as usize);
    }
}
