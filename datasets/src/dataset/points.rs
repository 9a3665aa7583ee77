//! Random points of a dataset, as a network is trained on them.

use super::numbers::Numbers;
use super::places::{Column, Frame};
use super::tiles::{shared_axes, tiles};
use super::window::Window;
use super::{Dataset, Real, Role, Selection};
use crate::random::Stream;
use crate::{Error, Result};
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread;

/// Pieces that are shuffled together hold about so many numbers.
const WINDOW: usize = 4 << 20;
/// Trajectories, time and six directions.
const MOST_AXES: usize = 8;

/// Points drawn at random: their coordinates, and the values of fields there.
///
/// The selection is cut into pieces of about a chunk of the file. Each epoch takes the pieces in a random order, a window of
/// a few at a time (about 4 million numbers). The points of a piece come in a random order, up to 16 of them before the
/// next piece of the window has its turn, so that each batch of some hundred points has its share of every piece of the
/// window. Each point is drawn once an epoch, every point is equally likely at every place of the order, and the file is
/// read in whole chunks; points of one batch come from few pieces: fewer different places than independent draws would
/// have. The order is a function of the seed, the selection, the fields and the file's chunks, whatever the number of
/// threads, and [`seek`](Self::seek) goes to any place of it.
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
    plan: Arc<Plan<T>>,
    windows: Option<Windows<T>>,
    window: Option<Window<T>>,
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

/// What is read, and in which order.
struct Plan<T> {
    frame: Frame<T>,
    pieces: Vec<Vec<Range<usize>>>,
    sources: Vec<Source>,
    width: usize,
    seed: u64,
    /// Pieces of a window; the last of an epoch may have fewer.
    each: usize,
}

/// Windows read by another thread, one ahead; what was used up goes back to be filled again.
struct Windows<T> {
    filled: Receiver<Result<Window<T>>>,
    used: Sender<Window<T>>,
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
        let pieces = tiles(&region, chunk.as_deref());
        let names = axes.iter().flat_map(|a| &a.coordinates).map(|c| c.name.clone()).collect();
        let column =
            |axis, values: &[f64]| Column { axis, values: values.iter().map(|v| T::nearest(*v)).collect() };
        let columns = axes.iter().enumerate().flat_map(|(i, a)| a.coordinates.iter().map(move |c| (i, c)));
        let columns = columns.map(|(i, c)| column(i, &c.values)).collect();
        let frame = Frame { columns, trajectory: axes.iter().position(|a| a.role == Role::Trajectory) };
        let width = sources.iter().map(|s| s.components).sum::<usize>();
        let largest = pieces.iter().map(|p| size(p)).max().unwrap_or(1);
        let each = (WINDOW / (width * largest).max(1)).clamp(1, pieces.len());
        let plan = Arc::new(Plan { frame, pieces, sources, width, seed, each });
        Ok(Self { names, plan, windows: None, window: None })
    }

    /// The names of a point's coordinates.
    pub fn coordinates(&self) -> &[String] {
        &self.names
    }

    /// How many values a point has.
    pub fn width(&self) -> usize {
        self.plan.width
    }

    /// How many points the selection has.
    pub fn per_epoch(&self) -> usize {
        self.plan.pieces.iter().map(|p| size(p)).sum()
    }

    /// Goes to where `drawn` points have been drawn, over all epochs: a training that is resumed goes on with the points it
    /// would have had.
    ///
    /// # Errors
    /// As [`draw`](Self::draw).
    pub fn seek(&mut self, drawn: u64) -> Result<()> {
        let (epoch, mut rest) = (drawn / self.per_epoch() as u64, drawn as usize % self.per_epoch());
        let order = self.plan.order(epoch);
        let mut at = epoch * self.plan.windows() as u64;
        for chosen in order.chunks(self.plan.each) {
            let points = chosen.iter().map(|i| size(&self.plan.pieces[*i as usize])).sum::<usize>();
            if rest < points {
                break;
            }
            rest -= points;
            at += 1;
        }
        self.windows = Some(Windows::start(&self.plan, at));
        self.next_window()?.skip(rest);
        Ok(())
    }

    /// Draws the next `n` points, reusing the memory of `batch`. One epoch follows the other.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the file is damaged; [`Error::Open`].
    pub fn draw(&mut self, n: usize, batch: &mut Batch<T>) -> Result<()> {
        let width = self.plan.width;
        batch.coordinates.resize(n * self.names.len(), T::default());
        batch.values.resize(n * width, T::default());
        batch.trajectories.resize(n, 0);
        let mut drawn = 0;
        while drawn < n {
            if self.window.as_ref().is_none_or(|w| w.left() == 0) {
                self.next_window()?;
            }
            if let Some(window) = &mut self.window {
                let n = (n - drawn).min(window.left());
                window.take(n, width, &self.plan.frame, batch, drawn);
                drawn += n;
            }
        }
        Ok(())
    }

    fn next_window(&mut self) -> Result<&mut Window<T>> {
        let windows = self.windows.get_or_insert_with(|| Windows::start(&self.plan, 0));
        if let Some(used) = self.window.take() {
            // The other thread may have ended, after an error.
            let _ = windows.used.send(used);
        }
        let gone = || Error::Description {
            what: "reading has failed before".into(),
            mend: "open the dataset again",
        };
        Ok(self.window.insert(windows.filled.recv().map_err(|_| gone())??))
    }
}

impl<T: Real> Windows<T> {
    /// Starts to read at window `first`, counted over all epochs.
    fn start(plan: &Arc<Plan<T>>, first: u64) -> Self {
        let (send, filled) = sync_channel(1);
        let (used, spare) = channel::<Window<T>>();
        let plan = Arc::clone(plan);
        thread::spawn(move || {
            let mut known = None;
            for at in first.. {
                let mut window = spare.try_recv().unwrap_or_default();
                let made = plan.fill(&mut window, at, &mut known).map(|()| window);
                let failed = made.is_err();
                // Nobody listens any more, or nothing more can be read.
                if send.send(made).is_err() || failed {
                    return;
                }
            }
        });
        Self { filled, used }
    }
}

impl<T: Real> Plan<T> {
    /// How many windows an epoch has.
    fn windows(&self) -> usize {
        self.pieces.len().div_ceil(self.each)
    }

    /// The pieces in the order of an epoch.
    fn order(&self, epoch: u64) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.pieces.len() as u32).collect();
        shuffle(&mut order, Stream::new(self.seed, "pieces"), epoch);
        order
    }

    /// Fills window number `at`, counted over all epochs; `known` keeps the order of the last epoch.
    fn fill(&self, window: &mut Window<T>, at: u64, known: &mut Option<(u64, Vec<u32>)>) -> Result<()> {
        let (epoch, place) = (at / self.windows() as u64, at as usize % self.windows());
        if known.as_ref().is_none_or(|(of, _)| *of != epoch) {
            *known = Some((epoch, self.order(epoch)));
        }
        let order = known.as_ref().map_or(&[][..], |(_, order)| order);
        let chosen = &order[place * self.each..self.pieces.len().min((place + 1) * self.each)];
        let tiles: Vec<&[Range<usize>]> = chosen.iter().map(|i| &*self.pieces[*i as usize]).collect();
        window.fill(&tiles, self.width, &self.frame, (self.seed, at), |tile, out| {
            let mut column = 0;
            for source in &self.sources {
                source.fill(tile, out, column, self.width)?;
                column += source.components;
            }
            Ok(())
        })
    }
}

/// How many points a piece has.
fn size(tile: &[Range<usize>]) -> usize {
    tile.iter().map(ExactSizeIterator::len).product()
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
        let (Some(last), Some(step)) = (region.last().map(ExactSizeIterator::len), strides.last()) else {
            return Ok(());
        };
        let outer = region.len() - 1;
        let mut index = vec![0; outer];
        for row in values.chunks_exact(last) {
            let to: usize = index.iter().zip(&strides).map(|(i, s)| i * s).sum();
            out[to + column..].iter_mut().step_by(*step).zip(row).for_each(|(o, v)| *o = *v);
            for d in (0..outer).rev() {
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
