//! The systems of one graph for [`LANES`] heads side by side.
//!
//! M = σ I + I − W has the symmetric part (σ + m) I + AᵀA, so that truncated conjugate residuals (ORTHOMIN) converge whatever the
//! skew part is; scaling from both sides by the roots of the diagonal keeps that. Where the skew part is 0 it is the method of
//! conjugate residuals.
//!
//! # Reference
//! S. C. Eisenstat, H. C. Elman, M. H. Schultz, Variational iterative methods for nonsymmetric systems of linear equations, SIAM J.
//! Numer. Anal. 20 (1983), doi:10.1137/0720023.

use crate::graph::Graphs;
use crate::graph::sweep::LANES;
use crate::host::simd::{Kernel, dispatch};
use crate::learn::Activation;
use crate::{Scalar, Status, Stop};
use std::ops::Range;

/// Directions that a new one is orthogonal to.
const WINDOW: usize = 4;
/// Vectors of a block.
pub(super) const VECTORS: usize = 8 + 2 * WINDOW;
/// Rows whose products are added in the vectors' own precision.
const ROWS: usize = 128;

type Row<T> = [T; LANES];

/// Memory of a block: `[edges, LANES]` twice and `[nodes, LANES]` each.
pub(super) struct Block<'a, T> {
    graphs: &'a Graphs,
    nodes: Range<usize>,
    /// W at (source, target) and at (target, source) of every edge, in the order of the sources; scaled for a solve.
    there: &'a mut [Row<T>],
    back: &'a mut [Row<T>],
    /// The diagonal of I − W, and the scaling.
    diagonal: &'a mut [Row<T>],
    scale: &'a mut [Row<T>],
    /// What is given, what is found, and what the outer iteration keeps.
    pub b: &'a mut [Row<T>],
    pub x: &'a mut [Row<T>],
    u: &'a mut [Row<T>],
    w: &'a mut [Row<T>],
    r: &'a mut [Row<T>],
    v: &'a mut [Row<T>],
    p: &'a mut [Row<T>],
    q: &'a mut [Row<T>],
}

/// How a block ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub status: Status,
    pub steps: usize,
    /// ‖r‖² and the square of what it may be.
    pub residual: f64,
    pub target: f64,
}

impl<'a, T: Scalar> Block<'a, T> {
    /// Rows of memory for so many edges and nodes.
    pub fn rows(edges: usize, nodes: usize) -> usize {
        2 * edges + VECTORS * nodes
    }

    pub fn new(graphs: &'a Graphs, nodes: Range<usize>, edges: usize, memory: &'a mut [Row<T>]) -> Self {
        let n = nodes.len();
        let mut rest = memory;
        let mut take = |count: usize| {
            let (part, behind) = std::mem::take(&mut rest).split_at_mut(count);
            rest = behind;
            part
        };
        let (there, back) = (take(edges), take(edges));
        let [diagonal, scale, b, x, u, w, r, v] = [(); 8].map(|()| take(n));
        let (p, q) = (take(WINDOW * n), take(WINDOW * n));
        Self { graphs, nodes, there, back, diagonal, scale, b, x, u, w, r, v, p, q }
    }

    /// Makes W of `numbers: [edges, 3 heads]`, the α, β and s of heads from `first` on; missing heads have nothing.
    pub fn assemble(&mut self, numbers: &[T], heads: usize, first: usize, m: f64) {
        let lanes = LANES.min(heads - first);
        let index = self.graphs.sources();
        let start = self.nodes.start;
        self.diagonal.fill([T::of(m); LANES]);
        let mut place = 0;
        for node in self.nodes.clone() {
            for edge in index.members(node) {
                let numbers = &numbers[*edge as usize * 3 * heads..][..3 * heads];
                let (i, j) = (node - start, self.graphs.ends()[*edge as usize][1] as usize - start);
                let (mut there, mut back) = ([T::of(0.0); LANES], [T::of(0.0); LANES]);
                for k in 0..lanes {
                    let [a, b, s] = [0, 1, 2].map(|part| numbers[part * heads + first + k]);
                    self.diagonal[i][k] += a * a;
                    self.diagonal[j][k] += b * b;
                    (there[k], back[k]) = (a * b + s, a * b - s);
                    if i == j {
                        self.diagonal[i][k] -= there[k] + back[k];
                        (there[k], back[k]) = (T::of(0.0), T::of(0.0));
                    }
                }
                (self.there[place], self.back[place]) = (there, back);
                place += 1;
            }
        }
    }

    /// x = φ(W x + b), from the x there is.
    pub fn rest(&mut self, activation: Activation, stop: &Stop) -> Ended {
        if activation == Activation::Identity {
            self.set_scale(T::of(0.0), false);
            self.v.copy_from_slice(self.b);
            return self.linear(stop);
        }
        self.set_scale(T::of(1.0), false);
        self.split(activation, stop)
    }

    /// Peaceman and Rachford's splitting with a step of 1: x ← φ(u) and (2 I − W)⁻¹ (2 x − u + b) in turns, each reflected.
    fn split(&mut self, activation: Activation, stop: &Stop) -> Ended {
        let inner = Stop { rtol: 0.1 * stop.rtol, ..*stop };
        self.u.copy_from_slice(self.x);
        let sides: f64 = dot(self.b, self.b).iter().sum();
        let mut steps = 0;
        loop {
            for (((u, x), b), v) in self.u.iter_mut().zip(&*self.x).zip(&*self.b).zip(&mut *self.v) {
                for k in 0..LANES {
                    u[k] = x[k] + x[k] - u[k];
                    v[k] = u[k] + b[k];
                }
            }
            let solved = self.linear(&inner);
            steps += solved.steps;
            // Against b too, since x may be 0.
            let (mut change, mut size) = (0.0, sides);
            for (u, x) in self.u.iter_mut().zip(&mut *self.x) {
                for k in 0..LANES {
                    u[k] = x[k] + x[k] - u[k];
                    let new = activation.value(u[k]);
                    // u is W x + b at the x of the linear half, so this is what x = φ(W x + b) leaves there.
                    change += ((new - x[k]) * (new - x[k])).f64();
                    size += (new * new).f64();
                    x[k] = new;
                }
            }
            let target = (stop.rtol * stop.rtol * size).max(stop.atol * stop.atol);
            let status = match solved.status {
                Status::Converged if change <= target => Status::Converged,
                Status::Converged if change.is_finite() && steps < stop.max_steps => continue,
                Status::Converged if change.is_finite() => Status::MaxSteps,
                Status::Converged => Status::NonFinite,
                other => other,
            };
            return Ended { status, steps, residual: change, target };
        }
    }

    /// The solution v of (D⁻¹ − Wᵀ) v = b with D = φ′(W x + c), 0 where φ′ is: what the gradient is made of. x is where it starts,
    /// and `at` has x and c.
    pub fn adjoint(
        &mut self,
        activation: Activation,
        at: impl Fn(usize) -> [Row<T>; 2],
        stop: &Stop,
    ) -> Ended {
        let linear = activation == Activation::Identity;
        if !linear {
            // v ← x, u ← W x + c, and the slopes in their place.
            (0..self.v.len()).for_each(|i| self.v[i] = at(i)[0]);
            self.product_with_w();
            for (i, u) in self.u.iter_mut().enumerate() {
                let c = at(i)[1];
                for k in 0..LANES {
                    u[k] = activation.slope(u[k] + c[k]);
                }
            }
        }
        self.set_scale(T::of(0.0), !linear);
        std::mem::swap(&mut self.there, &mut self.back);
        self.v.copy_from_slice(self.b);
        self.linear(stop)
    }

    /// u ← W v, before any scaling.
    fn product_with_w(&mut self) {
        for ((u, v), d) in self.u.iter_mut().zip(&*self.v).zip(&*self.diagonal) {
            for k in 0..LANES {
                u[k] = v[k] - d[k] * v[k];
            }
        }
        let edges = edges(self.graphs, &self.nodes);
        for ((i, j), (there, back)) in edges.zip(self.there.iter().zip(&*self.back)) {
            for k in 0..LANES {
                self.u[i][k] += there[k] * self.v[j][k];
                self.u[j][k] += back[k] * self.v[i][k];
            }
        }
    }

    /// The roots of the inverse diagonal of σ I + D⁻¹ − W, where D are the slopes in u or 1, on both sides of what is beside the diagonal.
    fn set_scale(&mut self, shift: T, slopes: bool) {
        let one = T::of(1.0);
        for (i, (scale, diagonal)) in self.scale.iter_mut().zip(&*self.diagonal).enumerate() {
            for k in 0..LANES {
                let d = if slopes { self.u[i][k] } else { one };
                scale[k] = (d / (one - d + d * (shift + diagonal[k]))).sqrt();
            }
        }
        let edges = edges(self.graphs, &self.nodes);
        for ((i, j), (there, back)) in edges.zip(self.there.iter_mut().zip(&mut *self.back)) {
            for k in 0..LANES {
                let both = self.scale[i][k] * self.scale[j][k];
                there[k] *= both;
                back[k] *= both;
            }
        }
    }

    /// Solves the scaled system for the right-hand side in v, from x and to x.
    fn linear(&mut self, stop: &Stop) -> Ended {
        let Self { graphs, nodes, there, back, scale, x, w, r, v, p, q, .. } = self;
        let system = Scaled { graphs, nodes: nodes.clone(), there, back };
        dispatch(Solve { system, scale, x, w, r, v, p, q, stop })
    }
}

/// Ends of the edges of some nodes, in the order of the sources and counted from the first node.
fn edges<'a>(graphs: &'a Graphs, nodes: &Range<usize>) -> impl Iterator<Item = (usize, usize)> + 'a {
    let start = nodes.start;
    let side = graphs.forward();
    nodes.clone().flat_map(move |node| {
        let offsets = side.index.offsets();
        let places = offsets[node] as usize..offsets[node + 1] as usize;
        side.ends[places].iter().map(move |end| (node - start, *end as usize - start))
    })
}

/// I − C, where C is what is beside the diagonal.
struct Scaled<'a, T> {
    graphs: &'a Graphs,
    nodes: Range<usize>,
    there: &'a [Row<T>],
    back: &'a [Row<T>],
}

impl<T: Scalar> Scaled<'_, T> {
    #[inline(always)]
    fn apply(&self, x: &[Row<T>], y: &mut [Row<T>]) {
        y.copy_from_slice(x);
        let (side, start) = (self.graphs.forward(), self.nodes.start);
        let offsets = side.index.offsets();
        let first = offsets[start] as usize;
        for i in 0..x.len() {
            let (mut sum, own) = ([T::of(0.0); LANES], x[i]);
            for place in offsets[start + i] as usize..offsets[start + i + 1] as usize {
                let j = side.ends[place] as usize - start;
                let (there, back) = (&self.there[place - first], &self.back[place - first]);
                for k in 0..LANES {
                    sum[k] += there[k] * x[j][k];
                    y[j][k] -= back[k] * own[k];
                }
            }
            for k in 0..LANES {
                y[i][k] -= sum[k];
            }
        }
    }
}

struct Solve<'a, T> {
    system: Scaled<'a, T>,
    scale: &'a [Row<T>],
    x: &'a mut [Row<T>],
    w: &'a mut [Row<T>],
    r: &'a mut [Row<T>],
    v: &'a mut [Row<T>],
    p: &'a mut [Row<T>],
    q: &'a mut [Row<T>],
    stop: &'a Stop,
}

impl<T: Scalar> Kernel for Solve<'_, T> {
    type Output = Ended;

    #[inline(always)]
    fn run(self) -> Ended {
        let Self { system, scale, x, w, r, v, p, q, stop } = self;
        let n = x.len();
        let zero = T::of(0.0);
        // r ← C (rhs) − (I − C) w, in scaled unknowns w = x / scale.
        for i in 0..n {
            for k in 0..LANES {
                r[i][k] = scale[i][k] * v[i][k];
                w[i][k] = if scale[i][k] > zero { x[i][k] / scale[i][k] } else { zero };
            }
        }
        let targets = dot(r, r).map(|s| (stop.rtol * stop.rtol * s).max(stop.atol * stop.atol));
        system.apply(w, v);
        for i in 0..n {
            for k in 0..LANES {
                r[i][k] -= v[i][k];
            }
        }
        let mut left = dot(r, r);
        let mut squares = [[0.0; LANES]; WINDOW];
        let mut steps = 0;
        let above = |left: &[f64; LANES]| (0..LANES).any(|k| left[k] > targets[k] || left[k].is_nan());
        while above(&left) && steps < stop.max_steps {
            // p, q = (I − C) p: the residual, made orthogonal in its image to those of the last steps.
            system.apply(r, v);
            let slot = steps % WINDOW;
            let mut factors = [[zero; LANES]; WINDOW];
            for l in (0..WINDOW.min(steps)).filter(|l| *l != slot) {
                let products = dot(v, &q[l * n..][..n]);
                for k in 0..LANES {
                    factors[l][k] = ratio(products[k], squares[l][k]);
                }
            }
            for i in 0..n {
                let (mut new, mut image) = (r[i], v[i]);
                for l in (0..WINDOW.min(steps)).filter(|l| *l != slot) {
                    for k in 0..LANES {
                        new[k] -= factors[l][k] * p[l * n + i][k];
                        image[k] -= factors[l][k] * q[l * n + i][k];
                    }
                }
                (p[slot * n + i], q[slot * n + i]) = (new, image);
            }
            let (p, q) = (&p[slot * n..][..n], &q[slot * n..][..n]);
            squares[slot] = dot(q, q);
            let products = dot(r, q);
            let mut along = [zero; LANES];
            for k in 0..LANES {
                along[k] = ratio(products[k], squares[slot][k]);
            }
            for i in 0..n {
                for k in 0..LANES {
                    w[i][k] += along[k] * p[i][k];
                    r[i][k] -= along[k] * q[i][k];
                }
            }
            left = dot(r, r);
            steps += 1;
        }
        for i in 0..n {
            for k in 0..LANES {
                x[i][k] = scale[i][k] * w[i][k];
            }
        }
        let (residual, target) = (left.iter().sum::<f64>(), targets.iter().sum::<f64>());
        let status = if residual.is_finite() {
            if above(&left) { Status::MaxSteps } else { Status::Converged }
        } else {
            Status::NonFinite
        };
        Ended { status, steps, residual, target }
    }
}

/// a / b, and 0 where a head has come to its end.
#[inline(always)]
fn ratio<T: Scalar>(a: f64, b: f64) -> T {
    if b > f64::MIN_POSITIVE { T::of(a / b) } else { T::of(0.0) }
}

/// x·y of every head.
#[inline(always)]
fn dot<T: Scalar>(x: &[Row<T>], y: &[Row<T>]) -> [f64; LANES] {
    let mut total = [0.0; LANES];
    for (x, y) in x.chunks(ROWS).zip(y.chunks(ROWS)) {
        let mut sum = [T::of(0.0); LANES];
        for (x, y) in x.iter().zip(y) {
            for k in 0..LANES {
                sum[k] += x[k] * y[k];
            }
        }
        for k in 0..LANES {
            total[k] += sum[k].f64();
        }
    }
    total
}
