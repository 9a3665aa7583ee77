//! One tile of points: its memory, and the sweeps forward and in reverse through a network.

use crate::feature::Fill;
use crate::jet::{chain, leibniz};
use crate::network::Network;
use crate::product::Rows;
use crate::product::affine::{Affine, affine};
use crate::product::outer::{Outer, RowSums, outer};
use crate::simd::Real;
use crate::streams::Streams;
use crate::weights::{Sums, Weights};

/// The arrays of a tile, cut from one piece of memory. Every row of a feature holds its streams one after the other, each `t`
/// points long, and ends in a cache line that keeps rows from falling on the same lines.
#[derive(Clone, Copy)]
pub(crate) struct Tile<T> {
    pub t: usize,
    /// Coordinates.
    pub points: Rows<T>,
    pub data: Rows<T>,
    x: Rows<T>,
    z: Rows<T>,
    a: Rows<T>,
    h: Rows<T>,
    g: Rows<T>,
    gates: Option<Gates<T>>,
    /// What the network gives, and its adjoint.
    pub y: Rows<T>,
    pub y_bar: Rows<T>,
    pub residuals: Rows<T>,
    pub partials: Rows<T>,
    scratch: *mut T,
}

/// The two encodings of the input: before and after the activation, their difference, and adjoints.
#[derive(Clone, Copy)]
struct Gates<T> {
    z: [Rows<T>; 2],
    u: Rows<T>,
    v: Rows<T>,
    d: Rows<T>,
    u_bar: Rows<T>,
    d_bar: Rows<T>,
}

/// What a tile must have room for.
#[derive(Clone, Copy)]
pub(crate) struct Room<'a> {
    pub network: &'a Network,
    pub streams: &'a Streams,
    pub t: usize,
    pub columns: usize,
    pub equations: usize,
    pub unknowns: usize,
}

impl<T: Real> Tile<T> {
    /// Cuts a tile from the memory at `base`; also says how many numbers it takes.
    pub fn cut(base: *mut T, room: Room) -> (Self, usize) {
        let a = room.network.architecture();
        let (k, t) = (room.streams.count(), room.t);
        let wide = k * t + 64 / size_of::<T>();
        let mut end = 0;
        let mut rows = |count: usize, stride: usize| {
            let start = base.wrapping_add(end);
            end += (count * stride).next_multiple_of(64 / size_of::<T>());
            Rows { start, stride, count }
        };
        let hidden: usize = a.hidden.iter().sum();
        let widest = a.hidden.iter().copied().max().unwrap_or(0);
        let points = rows(a.dim, t);
        let data = rows(room.columns, t);
        let x = rows(a.features.len(), wide);
        let z = rows(hidden, wide);
        let activated = rows(hidden, wide);
        let h = if a.gated { rows(hidden, wide) } else { activated };
        let g = rows(widest, wide);
        let gates = a.gated.then(|| Gates {
            z: [rows(widest, wide), rows(widest, wide)],
            u: rows(widest, wide),
            v: rows(widest, wide),
            d: rows(widest, wide),
            u_bar: rows(widest, wide),
            d_bar: rows(widest, wide),
        });
        let y = rows(a.outputs, wide);
        let y_bar = rows(a.outputs, wide);
        let residuals = rows(room.equations, t);
        let partials = rows(room.equations * (a.outputs * k + room.unknowns), t);
        let scratch = rows(1, chain::scratch(k, t)).start;
        let tile =
            Self { t, points, data, x, z, a: activated, h, g, gates, y, y_bar, residuals, partials, scratch };
        (tile, end)
    }
}

/// A network with its weights, for one set of streams.
#[derive(Clone, Copy)]
pub(crate) struct Sweep<'a, T> {
    pub network: &'a Network,
    pub weights: &'a Weights<T>,
    pub streams: &'a Streams,
}

impl<T: Real> Sweep<'_, T> {
    /// The number of the first hidden layer.
    fn first(&self) -> usize {
        if self.network.architecture().gated { 2 } else { 0 }
    }

    /// The rows of hidden layer `l` among those of all.
    fn hidden(&self, all: Rows<T>, l: usize) -> Rows<T> {
        let hidden = &self.network.architecture().hidden;
        let before: usize = hidden[..l].iter().sum();
        // `wrapping_add` stays within the rows of all layers.
        Rows { start: all.start.wrapping_add(before * all.stride), stride: all.stride, count: hidden[l] }
    }

    /// z ← W from + b by layer `l`.
    unsafe fn affine(&self, tile: &Tile<T>, l: usize, from: Rows<T>, to: Rows<T>) {
        let (a, bias) = (self.weights.forward(l), self.weights.bias(l));
        let columns = self.streams.count() * tile.t;
        // SAFETY: rows of a tile hold its columns and do not overlap.
        unsafe { affine(Affine { a, bias, biased: tile.t, b: from, c: to, columns }) };
    }

    /// ḡ ← the adjoint of what layer `l` took, from that of what it gave.
    unsafe fn pull(&self, tile: &Tile<T>, l: usize, from: Rows<T>, to: Rows<T>) {
        let columns = self.streams.count() * tile.t;
        let a = self.weights.backward(l);
        // SAFETY: as above.
        unsafe { affine(Affine { a, bias: &[], biased: 0, b: from, c: to, columns }) };
    }

    /// Adds the gradient of layer `l`.
    unsafe fn add(&self, tile: &Tile<T>, l: usize, x: Rows<T>, g: Rows<T>, sums: (&Sums, &mut [T])) {
        let columns = self.streams.count() * tile.t;
        // SAFETY: as above.
        unsafe { outer(Outer { x, g, columns, sums: &mut sums.1[sums.0.weight(l)] }) };
        T::row_sums(RowSums { g, columns: tile.t, out: &mut sums.1[sums.0.bias(l)] });
    }

    fn chain(&self, tile: &Tile<T>, z: Rows<T>, h: Rows<T>) {
        let activation = self.network.architecture().activation;
        let (streams, t, scratch) = (self.streams, tile.t, tile.scratch);
        T::chain(chain::Forward { activation, streams, t, z, h, scratch });
    }

    fn unchain(&self, tile: &Tile<T>, z: Rows<T>, h: Rows<T>, g: Rows<T>) {
        let activation = self.network.architecture().activation;
        let (streams, t, scratch) = (self.streams, tile.t, tile.scratch);
        T::unchain(chain::Reverse { activation, streams, t, z, h, g, scratch });
    }

    /// From the points of the tile to `y`.
    ///
    /// # Safety
    /// The tile was cut for this network and these streams from memory that is its own.
    pub unsafe fn forward(&self, tile: &Tile<T>) {
        let a = self.network.architecture();
        let (streams, t) = (self.streams, tile.t);
        T::fill(Fill { features: &a.features, streams, points: tile.points, t, x: tile.x });
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(gates) = tile.gates {
                for (l, to) in [gates.u, gates.v].into_iter().enumerate() {
                    self.affine(tile, l, tile.x, gates.z[l]);
                    self.chain(tile, gates.z[l], to);
                }
                combine(gates.d, gates.v, gates.u);
            }
            let mut from = tile.x;
            for l in 0..a.hidden.len() {
                let (z, after) = (self.hidden(tile.z, l), self.hidden(tile.a, l));
                self.affine(tile, self.first() + l, from, z);
                self.chain(tile, z, after);
                from = self.hidden(tile.h, l);
                if let Some(Gates { u, d, .. }) = tile.gates {
                    T::mix(leibniz::Forward { streams, t, u, a: after, d, h: from });
                }
            }
            self.affine(tile, self.first() + a.hidden.len(), from, tile.y);
        }
    }

    /// Adds to `sums` the gradient that the adjoint in `y_bar` makes; forward must have run.
    ///
    /// # Safety
    /// As for `forward`.
    pub unsafe fn reverse(&self, tile: &Tile<T>, layout: &Sums, sums: &mut [T]) {
        let depth = self.network.architecture().hidden.len();
        let (streams, t, scratch) = (self.streams, tile.t, tile.scratch);
        let output = self.first() + depth;
        // SAFETY: the caller's promise.
        unsafe {
            self.add(tile, output, self.hidden(tile.h, depth - 1), tile.y_bar, (layout, sums));
            let narrow = |l: usize| Rows { count: self.network.architecture().hidden[l], ..tile.g };
            self.pull(tile, output, tile.y_bar, narrow(depth - 1));
            if let Some(gates) = tile.gates {
                for rows in [gates.u_bar, gates.d_bar] {
                    std::ptr::write_bytes(rows.start, 0, rows.count * rows.stride);
                }
            }
            for l in (0..depth).rev() {
                let (z, a, g) = (self.hidden(tile.z, l), self.hidden(tile.a, l), narrow(l));
                if let Some(Gates { d, u_bar, d_bar, .. }) = tile.gates {
                    T::unmix(leibniz::Reverse { streams, t, a, d, g, u_bar, d_bar, scratch });
                }
                self.unchain(tile, z, a, g);
                let from = if l == 0 { tile.x } else { self.hidden(tile.h, l - 1) };
                self.add(tile, self.first() + l, from, z, (layout, sums));
                if l > 0 {
                    self.pull(tile, self.first() + l, z, narrow(l - 1));
                }
            }
            if let Some(gates) = tile.gates {
                combine(gates.u_bar, gates.u_bar, gates.d_bar);
                self.unchain(tile, gates.z[0], gates.u, gates.u_bar);
                self.add(tile, 0, tile.x, gates.z[0], (layout, sums));
                self.unchain(tile, gates.z[1], gates.v, gates.d_bar);
                self.add(tile, 1, tile.x, gates.z[1], (layout, sums));
            }
        }
    }
}

/// c ← a − b, all of the same shape.
unsafe fn combine<T: Real>(c: Rows<T>, a: Rows<T>, b: Rows<T>) {
    for i in 0..c.count * c.stride {
        // SAFETY: the rows of all three are allocated, and a number is read before it is written.
        unsafe { *c.start.add(i) = *a.start.add(i) - *b.start.add(i) };
    }
}
