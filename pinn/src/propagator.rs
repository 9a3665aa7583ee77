//! Losses, residuals and gradients of a network over many points, by tiles.

use crate::error::check_len;
use crate::network::Network;
use crate::product::Rows;
use crate::residual::{Linearised, Sample, Term};
use crate::simd::Real;
use crate::streams::Streams;
use crate::tile::{Room, Sweep, Tile};
use crate::weights::{Sums, Weights};
use crate::{Error, Result};
use rayon::prelude::*;
use resolvent::Buffer;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Columns of a tile, streams times points: enough that the sums across lanes cost little, few enough that all layers stay
/// in the second cache.
const COLUMNS: usize = 512;
/// Pieces into which the points of a term are cut, each with a gradient of its own.
const PIECES: usize = 32;

/// Evaluates a network with its derivatives, and what they make of a loss. Points are cut into tiles that stay in cache through
/// the sweep forward, the residual, the sweep in reverse and the sums of the gradient; tiles are shared among the threads of
/// the current rayon pool, and their sums are added in order, so that the bits of a result do not depend on the number of
/// threads.
///
/// A loss and its gradient take 6kN(L−1)W² operations for k streams, N points and L hidden layers of width W. Memory is
/// allocated when a larger problem is first met, and kept.
///
/// ```
/// use resolvent_pinn::{Architecture, Linearised, Network, Propagator, Residual, Sample, Streams, Term};
///
/// /// u − data: a fit.
/// struct Fit(Streams);
///
/// impl Residual<f64> for Fit {
///     fn streams(&self) -> &Streams {
///         &self.0
///     }
///     fn columns(&self) -> usize {
///         1
///     }
///     fn linearise(&self, at: &Sample<'_, f64>, out: &mut Linearised<'_, f64>) {
///         let (u, data) = (at.stream(0, 0), at.data(0));
///         out.residual(0).iter_mut().enumerate().for_each(|(p, r)| *r = u[p] - data[p]);
///         out.partial(0, 0, 0).fill(1.0);
///     }
/// }
///
/// let network = Network::new(Architecture::dense(1, &[20, 20], 1))?;
/// let mut parameters: Vec<f64> = network.initial(0);
/// let points: Vec<f64> = (0..50).map(|i| i as f64 / 25.0 - 1.0).collect();
/// let data: Vec<f64> = points.iter().map(|x| x.sin()).collect();
/// let fit = Fit(Streams::value(1));
/// let term = Term { residual: &fit, points: &points, data: &data, weights: None };
///
/// let mut propagator = Propagator::new(network)?;
/// let (mut loss, mut gradient) = ([0.0], vec![0.0; parameters.len()]);
/// propagator.gradients(&parameters, &[term], &mut loss, &mut gradient)?;
/// let before = loss[0];
/// parameters.iter_mut().zip(&gradient).for_each(|(p, g)| *p -= 1e-3 * g);
/// propagator.losses(&parameters, &[term], &mut loss)?;
/// assert!(loss[0] < before);
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
pub struct Propagator<T: Real> {
    network: Network,
    weights: Weights<T>,
    layout: Sums,
    arenas: Vec<Buffer<T>>,
    sums: Buffer<T>,
    pieces: Vec<Piece>,
    squares: Vec<f64>,
}

/// Consecutive points of a term.
#[derive(Clone, Copy)]
struct Piece {
    term: usize,
    first: usize,
    last: usize,
    /// Points of a tile.
    t: usize,
}

/// What is made of the residuals.
enum Task<'a, T> {
    Losses,
    Gradients,
    /// Jᵀv for the v of the only term, `[equations, points]`.
    Pull(&'a [T]),
    /// The residuals of the only term, `[equations, points]`.
    Residuals(Shared<T>),
}

/// An array whose parts are written by different threads.
#[derive(Clone, Copy)]
struct Shared<T>(*mut T);
// SAFETY: every piece writes a part of its own.
unsafe impl<T: Send> Sync for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Shared<T> {}

impl<T> Shared<T> {
    /// # Safety
    /// The part is within the array and nobody else's.
    #[allow(clippy::mut_from_ref)]
    unsafe fn part(&self, first: usize, len: usize) -> &mut [T] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(first), len) }
    }
}

/// Points of a tile for `n` points in all, a function of these alone: about [`COLUMNS`] columns, evenly.
fn tile<T: Real>(streams: usize, n: usize) -> usize {
    let most = (COLUMNS / streams).max(T::GRAIN) / T::GRAIN * T::GRAIN;
    let tiles = n.div_ceil(most).max(1);
    n.div_ceil(tiles).max(1).next_multiple_of(T::GRAIN)
}

/// Cuts `n` points into pieces of whole tiles.
fn cut(term: usize, n: usize, t: usize, pieces: &mut Vec<Piece>) {
    let tiles = n.div_ceil(t);
    let count = tiles.min(PIECES);
    let bound = |i: usize| (tiles * i / count * t).min(n);
    pieces.extend((0..count).map(|i| Piece { term, first: bound(i), last: bound(i + 1), t }));
}

impl<T: Real> Propagator<T> {
    /// For one network.
    ///
    /// # Errors
    /// [`Error::Solver`] when there is no memory for its weights.
    pub fn new(network: Network) -> Result<Self> {
        let weights = Weights::new(&network)?;
        let layout = Sums::new::<T>(&network);
        let sums = Buffer::zeros(0)?;
        Ok(Self { network, weights, layout, arenas: vec![], sums, pieces: vec![], squares: vec![] })
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The loss of each term. `parameters` are the network's, and after them those of the equations, if they have any.
    ///
    /// # Errors
    /// [`Error::Length`] for arrays that do not fit the network or each other, [`Error::Derivative`] for streams of another
    /// dimension, [`Error::Solver`] when memory is short.
    pub fn losses(&mut self, parameters: &[T], terms: &[Term<'_, T>], losses: &mut [f64]) -> Result<()> {
        check_len("the losses", terms.len(), losses.len())?;
        self.sweep(parameters, terms, &Task::Losses)?;
        self.add_losses(terms, losses);
        Ok(())
    }

    /// The loss of each term and its gradient, `[terms, parameters]`.
    ///
    /// # Errors
    /// As [`losses`](Self::losses).
    pub fn gradients(
        &mut self,
        parameters: &[T],
        terms: &[Term<'_, T>],
        losses: &mut [f64],
        gradients: &mut [T],
    ) -> Result<()> {
        check_len("the losses", terms.len(), losses.len())?;
        check_len("the gradients", terms.len() * parameters.len(), gradients.len())?;
        self.sweep(parameters, terms, &Task::Gradients)?;
        self.add_losses(terms, losses);
        for (term, gradient) in gradients.chunks_exact_mut(parameters.len().max(1)).enumerate() {
            self.add_gradients(parameters, term, gradient);
        }
        Ok(())
    }

    /// The residuals of a term, `[equations, points]`.
    ///
    /// # Errors
    /// As [`losses`](Self::losses).
    pub fn residuals(&mut self, parameters: &[T], term: Term<'_, T>, residuals: &mut [T]) -> Result<()> {
        let n = term.points.len() / self.network.architecture().dim;
        check_len("the residuals", term.residual.equations() * n, residuals.len())?;
        self.sweep(parameters, &[term], &Task::Residuals(Shared(residuals.as_mut_ptr())))
    }

    /// Jᵀv, with J the derivative of the residuals of a term by the parameters and v `[equations, points]`.
    ///
    /// # Errors
    /// As [`losses`](Self::losses).
    pub fn pull_back(
        &mut self,
        parameters: &[T],
        term: Term<'_, T>,
        v: &[T],
        gradient: &mut [T],
    ) -> Result<()> {
        let n = term.points.len() / self.network.architecture().dim;
        check_len("v", term.residual.equations() * n, v.len())?;
        check_len("the gradient", parameters.len(), gradient.len())?;
        self.sweep(parameters, &[term], &Task::Pull(v))?;
        self.add_gradients(parameters, 0, gradient);
        Ok(())
    }

    /// The streams of every output at `points`, `[dim, points]`, into `values`, `[outputs, streams, points]`.
    ///
    /// # Errors
    /// As [`losses`](Self::losses).
    pub fn values(
        &mut self,
        parameters: &[T],
        streams: &Streams,
        points: &[T],
        values: &mut [T],
    ) -> Result<()> {
        let dim = self.network.architecture().dim;
        let n = points.len() / dim;
        let (outputs, k) = (self.network.architecture().outputs, streams.count());
        check_len("the parameters", self.network.parameters(), parameters.len())?;
        check_len("the points", n * dim, points.len())?;
        check_len("the values", outputs * k * n, values.len())?;
        check_dim(dim, streams)?;
        self.weights.set(&self.network, parameters);
        self.pieces.clear();
        let t = tile::<T>(k, n);
        cut(0, n, t, &mut self.pieces);
        let room = Room { network: &self.network, streams, t, columns: 0, equations: 0, unknowns: 0 };
        let lanes = fit(&mut self.arenas, Tile::<T>::cut(std::ptr::null_mut(), room).1, self.pieces.len())?;
        let (pieces, weights, network) = (&self.pieces, &self.weights, &self.network);
        let out = Shared(values.as_mut_ptr());
        share(&mut self.arenas[..lanes], pieces.len(), |arena, i| {
            let (tile, _) = Tile::cut(arena.as_mut_ptr(), room);
            for first in (pieces[i].first..pieces[i].last).step_by(t) {
                let last = pieces[i].last.min(first + t);
                // SAFETY: the arena has room for the tile, and these points are nobody else's.
                unsafe {
                    gather(points, n, first..last, tile.points, t);
                    Sweep { network, weights, streams }.forward(&tile);
                    for (row, s) in (0..outputs).flat_map(|o| (0..k).map(move |s| (o, s))) {
                        let to = out.part((row * k + s) * n + first, last - first);
                        let from = tile.y.row(row).add(s * t);
                        to.copy_from_slice(std::slice::from_raw_parts(from, last - first));
                    }
                }
            }
        });
        Ok(())
    }

    /// Runs over all pieces; leaves each one's sum of squares and, where a gradient is made, its sums.
    fn sweep(&mut self, parameters: &[T], terms: &[Term<'_, T>], task: &Task<'_, T>) -> Result<()> {
        let dim = self.network.architecture().dim;
        if parameters.len() < self.network.parameters() {
            check_len("the parameters", self.network.parameters(), parameters.len())?;
        }
        let unknowns = parameters.len() - self.network.parameters();
        self.pieces.clear();
        let mut arena = 0;
        for (i, term) in terms.iter().enumerate() {
            let n = term.points.len() / dim;
            check_len("the points", n * dim, term.points.len())?;
            check_len("the data", n * term.residual.columns(), term.data.len())?;
            check_len("the weights", n, term.weights.map_or(n, <[T]>::len))?;
            check_dim(dim, term.residual.streams())?;
            check_outputs(self.network.architecture().outputs, term.residual.outputs())?;
            let t = tile::<T>(term.residual.streams().count(), n);
            cut(i, n, t, &mut self.pieces);
            arena =
                arena.max(Tile::<T>::cut(std::ptr::null_mut(), Room::of(&self.network, term, t, unknowns)).1);
        }
        let lanes = fit(&mut self.arenas, arena, self.pieces.len())?;
        let len = match task {
            Task::Gradients | Task::Pull(_) => self.layout.len(unknowns).next_multiple_of(64),
            _ => 0,
        };
        if self.sums.len() < len * self.pieces.len() {
            self.sums = Buffer::zeros(len * self.pieces.len())?;
        }
        self.squares.clear();
        self.squares.resize(self.pieces.len(), 0.0);
        self.weights.set(&self.network, &parameters[..self.network.parameters()]);
        let (pieces, weights, network, layout) = (&self.pieces, &self.weights, &self.network, &self.layout);
        let (all, squares) = (Shared(self.sums.as_mut_ptr()), Shared(self.squares.as_mut_ptr()));
        share(&mut self.arenas[..lanes], pieces.len(), |arena, i| {
            let Piece { term, first, last, t } = pieces[i];
            let term = &terms[term];
            let streams = term.residual.streams();
            let (tile, _) = Tile::cut(arena.as_mut_ptr(), Room::of(network, term, t, unknowns));
            let sweep = Sweep { network, weights, streams };
            // SAFETY: the piece's own.
            let (sums, square) = unsafe { (all.part(i * len, len), squares.part(i, 1)) };
            sums.fill(T::of(0.0));
            for first in (first..last).step_by(t) {
                let range = first..last.min(first + t);
                // SAFETY: the arena has room for the tile.
                unsafe {
                    let n = term.points.len() / dim;
                    gather(term.points, n, range.clone(), tile.points, t);
                    gather(term.data, n, range.clone(), tile.data, t);
                    sweep.forward(&tile);
                    let unknown = &parameters[network.parameters()..];
                    square[0] += linearise(&tile, term, range.clone(), network, unknown);
                    if let Task::Residuals(out) = task {
                        for e in 0..tile.residuals.count {
                            let from = std::slice::from_raw_parts(tile.residuals.row(e), range.len());
                            out.part(e * n + first, range.len()).copy_from_slice(from);
                        }
                    }
                    if len > 0 {
                        seed(&tile, term, range, n, task);
                        let k = streams.count();
                        transpose(&tile, k, unknowns, &mut sums[layout.unknowns()..]);
                        sweep.reverse(&tile, layout, sums);
                    }
                }
            }
        });
        Ok(())
    }

    fn add_losses(&self, terms: &[Term<'_, T>], losses: &mut [f64]) {
        losses.fill(0.0);
        for (piece, square) in self.pieces.iter().zip(&self.squares) {
            let n = terms[piece.term].points.len() / self.network.architecture().dim;
            losses[piece.term] += square / n as f64;
        }
    }

    /// Adds the sums of the pieces of a term in order.
    fn add_gradients(&mut self, parameters: &[T], term: usize, gradient: &mut [T]) {
        let unknowns = parameters.len() - self.network.parameters();
        let len = self.layout.len(unknowns);
        let stride = len.next_multiple_of(64);
        let mut own = self.pieces.iter().enumerate().filter(|(_, p)| p.term == term).map(|(i, _)| i);
        let Some(first) = own.next() else {
            gradient.fill(T::of(0.0));
            return;
        };
        let (total, others) = self.sums[first * stride..].split_at_mut(stride);
        for i in own {
            let other = &others[(i - first - 1) * stride..][..stride];
            total.iter_mut().zip(other).for_each(|(t, o)| *t += *o);
        }
        self.layout.gradient(&self.network, parameters, &total[..len], gradient);
    }
}

impl<'a> Room<'a> {
    fn of<T: Real>(network: &'a Network, term: &Term<'a, T>, t: usize, unknowns: usize) -> Self {
        let residual = term.residual;
        let (columns, equations) = (residual.columns(), residual.equations());
        Self { network, streams: residual.streams(), t, columns, equations, unknowns }
    }
}

fn check_dim(dim: usize, streams: &Streams) -> Result<()> {
    if streams.dim() == dim {
        return Ok(());
    }
    let what = format!("streams in {} coordinates for a network of {dim}", streams.dim());
    Err(Error::Derivative { what, needs: "use as many as the network has inputs" })
}

fn check_outputs(outputs: usize, read: usize) -> Result<()> {
    if read <= outputs {
        return Ok(());
    }
    let needs = "give it as many as the equation has unknowns";
    Err(Error::Network { what: "the number of outputs", value: outputs as f64, needs })
}

/// Makes room for `len` numbers in as many arenas as threads will work; returns how many.
fn fit<T: Real>(arenas: &mut Vec<Buffer<T>>, len: usize, pieces: usize) -> Result<usize> {
    let lanes = rayon::current_num_threads().min(pieces);
    for i in 0..lanes {
        match arenas.get_mut(i) {
            None => arenas.push(Buffer::zeros(len)?),
            Some(arena) if arena.len() < len => *arena = Buffer::zeros(len)?,
            Some(_) => {}
        }
    }
    Ok(lanes)
}

/// Works on each of `count` pieces, whichever arena is free.
fn share<T: Real>(arenas: &mut [Buffer<T>], count: usize, work: impl Fn(&mut Buffer<T>, usize) + Sync) {
    let next = AtomicUsize::new(0);
    let run = |arena: &mut Buffer<T>| {
        loop {
            let i = next.fetch_add(1, Relaxed);
            if i >= count {
                return;
            }
            work(arena, i);
        }
    };
    match arenas {
        [arena] => run(arena),
        _ => arenas.par_iter_mut().for_each(run),
    }
}

/// Copies a range of each of the rows `[rows, n]` in `from`, repeating the last number.
unsafe fn gather<T: Real>(from: &[T], n: usize, range: std::ops::Range<usize>, to: Rows<T>, t: usize) {
    for r in 0..to.count {
        // SAFETY: rows of `t` numbers.
        let row = unsafe { std::slice::from_raw_parts_mut(to.row(r), t) };
        let from = &from[r * n..][range.clone()];
        row[..from.len()].copy_from_slice(from);
        row[from.len()..].fill(from[from.len() - 1]);
    }
}

/// Residuals and their derivatives at the points of a tile; returns Σ w r² over those in `range`.
unsafe fn linearise<T: Real>(
    tile: &Tile<T>,
    term: &Term<'_, T>,
    range: std::ops::Range<usize>,
    network: &Network,
    unknowns: &[T],
) -> f64 {
    let (t, outputs) = (tile.t, network.architecture().outputs);
    // SAFETY: the rows of the tile, which do not overlap.
    unsafe {
        let slice = |rows: Rows<T>| std::slice::from_raw_parts(rows.start, rows.count * rows.stride);
        let slice_mut = |rows: Rows<T>| std::slice::from_raw_parts_mut(rows.start, rows.count * rows.stride);
        let (points, data) = (slice(tile.points), slice(tile.data));
        let (stride, streams) = (tile.y.stride, term.residual.streams().count());
        let (residuals, partials) = (slice_mut(tile.residuals), slice_mut(tile.partials));
        partials.fill(T::of(0.0));
        let sample = Sample { t, points, data, outputs: slice(tile.y), stride, unknowns };
        let unknowns = unknowns.len();
        let mut out = Linearised { t, outputs, streams, unknowns, residuals, partials };
        term.residual.linearise(&sample, &mut out);
        let mut sum = 0.0;
        for row in residuals.chunks_exact(t) {
            let row = &row[..range.len()];
            sum += match term.weights {
                None => row.iter().map(|r| r.f64() * r.f64()).sum::<f64>(),
                Some(w) => row.iter().zip(&w[range.clone()]).map(|(r, w)| w.f64() * r.f64() * r.f64()).sum(),
            };
        }
        sum
    }
}

/// Turns residuals into what their derivatives are to be multiplied with: 2 w r / N, or the v of a product with Jᵀ.
unsafe fn seed<T: Real>(
    tile: &Tile<T>,
    term: &Term<'_, T>,
    range: std::ops::Range<usize>,
    n: usize,
    task: &Task<'_, T>,
) {
    let scale = T::of(2.0 / n as f64);
    for e in 0..tile.residuals.count {
        // SAFETY: rows of `t` numbers.
        let row = unsafe { std::slice::from_raw_parts_mut(tile.residuals.row(e), tile.t) };
        let (real, copies) = row.split_at_mut(range.len());
        match (task, term.weights) {
            (Task::Pull(v), _) => real.copy_from_slice(&v[e * n..][range.clone()]),
            (_, None) => real.iter_mut().for_each(|r| *r *= scale),
            (_, Some(w)) => real.iter_mut().zip(&w[range.clone()]).for_each(|(r, w)| *r *= scale * *w),
        }
        copies.fill(T::of(0.0));
    }
}

/// ȳ ← the adjoint of the streams, and adds the gradient by the equations' own parameters.
unsafe fn transpose<T: Real>(tile: &Tile<T>, streams: usize, unknowns: usize, sums: &mut [T]) {
    let t = tile.t;
    let own = tile.y.count * streams;
    // SAFETY: the rows of the tile, which do not overlap.
    unsafe {
        for o in 0..tile.y_bar.count {
            std::slice::from_raw_parts_mut(tile.y_bar.row(o), streams * t).fill(T::of(0.0));
        }
        for e in 0..tile.residuals.count {
            let r = std::slice::from_raw_parts(tile.residuals.row(e), t);
            let partial = |c: usize| {
                std::slice::from_raw_parts(tile.partials.row(e * (own + unknowns) + c).cast_const(), t)
            };
            for c in 0..own {
                let to = tile.y_bar.row(c / streams).add(c % streams * t);
                let to = std::slice::from_raw_parts_mut(to, t);
                for ((to, r), d) in to.iter_mut().zip(r).zip(partial(c)) {
                    // A copy of a point has no part in it, whatever its derivative is.
                    *to += if *r == T::of(0.0) { T::of(0.0) } else { *r * *d };
                }
            }
            for q in 0..unknowns {
                let products = r.iter().zip(partial(own + q)).map(|(r, d)| *r * *d);
                sums[q] += products.sum::<T>();
            }
        }
    }
}
