//! Where a graph comes to rest, and the gradient through it.

use super::Graphs;
use super::sweep::{BLOCK, Change, LANES, Outer, System, pad};
use crate::error::check_len;
use crate::host::simd::{Kernel, dispatch};
use crate::learn::op::{Inputs, Op, Sink, Sinks, Workspace};
use crate::learn::{Activation, Tape, Var};
use crate::{Error, Report, Result, Scalar, Shape, Status, Stop};
use rayon::prelude::*;
use std::time::Instant;

/// How systems at rest are found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EquilibriumOptions {
    /// γ, at least 0 and below 1.
    pub gamma: f64,
    /// φ; a contraction needs a slope of at most 1 everywhere.
    pub activation: Activation,
    /// Each graph ends when a sweep changes its x by at most max(`rtol` ‖x‖, `atol`), over all heads.
    pub stop: Stop,
}

impl Default for EquilibriumOptions {
    /// Linear, γ = 0.5, to a change of 1e-6 of x.
    fn default() -> Self {
        Self { gamma: 0.5, activation: Activation::Identity, stop: Stop::rtol(1e-6) }
    }
}

impl EquilibriumOptions {
    /// `Ok` when they can be used.
    ///
    /// # Errors
    /// [`Error::Parameter`].
    pub fn check(&self) -> Result<()> {
        self.stop.check()?;
        if !(0.0..1.0).contains(&self.gamma) {
            let needs = "it must be at least 0 and below 1";
            return Err(Error::Parameter { name: "gamma", value: self.gamma, needs });
        }
        Ok(())
    }
}

/// x = φ(γ A x + b) on a batch of graphs, for all heads at once.
///
/// Graphs are solved one by one by as many threads as there are, each until it has ended; a large one is divided into blocks. In
/// every row of γA that sums to at most γ, and with φ of slope at most 1, a sweep's change bounds what is left:
/// ‖x − x*‖∞ ≤ γ / (1 − γ) ‖Δx‖∞.
///
/// ```
/// use resolvent::graph::{Equilibrium, EquilibriumOptions, Graphs};
/// use resolvent::Status;
/// // Two nodes that lead to each other, one head: x₀ = 0.5 x₁ + 1, x₁ = 0.5 x₀.
/// let graphs = Graphs::new(&[2], &[[0, 1], [1, 0]])?;
/// let mut solver = Equilibrium::<f64>::new(EquilibriumOptions::default())?;
/// let mut x = [0.0; 2];
/// let report = solver.solve(&graphs, &[1.0, 1.0], &[1.0, 0.0], &mut x)?;
/// assert_eq!(report.status, Status::Converged);
/// assert!((x[0] - 4.0 / 3.0).abs() < 1e-5 && (x[1] - 2.0 / 3.0).abs() < 1e-5);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Equilibrium<T> {
    options: EquilibriumOptions,
    arena: Vec<T>,
    outcomes: Vec<Outcome>,
}

/// The parts of the arena, heads padded: `weights` `[edges]` in the order of the sweeps, and `[nodes]` each `b`, `x`, `factor`, which
/// is φ′, and `old`, which is empty when no graph has several blocks.
struct Parts<'a, T> {
    weights: &'a mut [T],
    b: &'a mut [T],
    x: &'a mut [T],
    factor: &'a mut [T],
    old: &'a mut [T],
}

#[derive(Clone, Copy, Debug)]
struct Outcome {
    status: Status,
    steps: usize,
    change: f64,
    target: f64,
}

impl<T: Scalar> Equilibrium<T> {
    /// Memory grows with the first batch, and then with larger ones.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a γ outside 0 to 1.
    pub fn new(options: EquilibriumOptions) -> Result<Self> {
        options.check()?;
        Ok(Self { options, arena: vec![], outcomes: vec![] })
    }

    /// Steps of every graph in the last solve.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.outcomes.iter().map(|o| o.steps)
    }

    /// Finds x for `weights: [edges, heads]` and `b: [nodes, heads]`, from the starting point in `x: [nodes, heads]`.
    ///
    /// The report's residuals are the last changes, over all graphs; steps are those of the slowest.
    ///
    /// # Errors
    /// [`Error::Length`]. A map that does not contract is no error: look at the report's `status`.
    pub fn solve(&mut self, graphs: &Graphs, weights: &[T], b: &[T], x: &mut [T]) -> Result<Report> {
        let heads = heads(graphs, b.len())?;
        check_len("the weights", graphs.edges() * heads, weights.len())?;
        check_len("x", b.len(), x.len())?;
        let padded = heads.next_multiple_of(LANES);
        let parts = parts(graphs, padded, &mut self.arena);
        pad(weights, Some(graphs.forward().index.order()), heads, padded, parts.weights);
        pad(b, None, heads, padded, parts.b);
        pad(x, None, heads, padded, parts.x);
        let report = run(&self.options, graphs, padded, parts, &mut self.outcomes, false);
        take(self.x(graphs, padded), heads, padded, x);
        Ok(report)
    }

    /// The gradient of a number by `weights` and `b` when that by the solution `x` is `cotangent`: the same system with Aᵀ, and φ′ at
    /// x. `s: [nodes, heads]` is where that starts from and gets the gradient by b; the gradient by the weights is added to
    /// `gradient: [edges, heads]`.
    ///
    /// # Errors
    /// [`Error::Length`].
    #[allow(clippy::too_many_arguments, reason = "each is one array of the formula")]
    pub fn adjoint(
        &mut self,
        graphs: &Graphs,
        weights: &[T],
        b: &[T],
        x: &[T],
        cotangent: &[T],
        s: &mut [T],
        gradient: &mut [T],
    ) -> Result<Report> {
        let heads = heads(graphs, b.len())?;
        for (what, length) in [("x", x.len()), ("the cotangent", cotangent.len()), ("s", s.len())] {
            check_len(what, b.len(), length)?;
        }
        check_len("the weights", graphs.edges() * heads, weights.len())?;
        check_len("the gradient", weights.len(), gradient.len())?;
        let padded = heads.next_multiple_of(LANES);
        let parts = parts(graphs, padded, &mut self.arena);
        slopes(&self.options, graphs, [weights, b, x], heads, padded, parts.factor);
        pad(weights, Some(graphs.reverse().index.order()), heads, padded, parts.weights);
        pad(cotangent, None, heads, padded, parts.b);
        pad(s, None, heads, padded, parts.x);
        let report = run(&self.options, graphs, padded, parts, &mut self.outcomes, true);
        take(self.x(graphs, padded), heads, padded, s);
        let (gamma, s) = (T::of(self.options.gamma), &*s);
        gradient.par_chunks_mut(1024 * heads).zip(graphs.ends().par_chunks(1024)).for_each(|(out, edges)| {
            dispatch(ByWeights { out, edges, s, x, heads, gamma });
        });
        Ok(report)
    }

    fn x(&self, graphs: &Graphs, padded: usize) -> &[T] {
        let nodes = graphs.nodes() * padded;
        &self.arena[graphs.edges() * padded + nodes..][..nodes]
    }
}

/// γ sᵢ xⱼ, added on some edges.
struct ByWeights<'a, T> {
    out: &'a mut [T],
    edges: &'a [[u32; 2]],
    s: &'a [T],
    x: &'a [T],
    heads: usize,
    gamma: T,
}

impl<T: Scalar> Kernel for ByWeights<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { out, edges, s, x, heads, gamma } = self;
        for (out, [i, j]) in out.chunks_mut(heads).zip(edges) {
            let out = &mut out[..heads];
            let (s, x) = (&s[*i as usize * heads..][..heads], &x[*j as usize * heads..][..heads]);
            for k in 0..heads {
                out[k] += gamma * s[k] * x[k];
            }
        }
    }
}

/// Room for a batch.
fn parts<'a, T: Scalar>(graphs: &Graphs, padded: usize, arena: &'a mut Vec<T>) -> Parts<'a, T> {
    let (nodes, edges) = (graphs.nodes() * padded, graphs.edges() * padded);
    let large = (0..graphs.count()).any(|g| graphs.range(g).len() > BLOCK);
    let old = if large { nodes } else { 0 };
    arena.resize((edges + 3 * nodes + old).max(arena.len()), T::of(0.0));
    let (weights, rest) = arena.split_at_mut(edges);
    let (b, rest) = rest.split_at_mut(nodes);
    let (x, rest) = rest.split_at_mut(nodes);
    let (factor, rest) = rest.split_at_mut(nodes);
    Parts { weights, b, x, factor, old: &mut rest[..old] }
}

/// φ′ at γ A x + b, padded, of `[weights, b, x]`.
fn slopes<T: Scalar>(
    options: &EquilibriumOptions,
    graphs: &Graphs,
    [weights, b, x]: [&[T]; 3],
    heads: usize,
    padded: usize,
    slopes: &mut [T],
) {
    let (activation, gamma) = (options.activation, T::of(options.gamma));
    if activation == Activation::Identity {
        slopes.fill(T::of(1.0));
        return;
    }
    slopes.par_chunks_mut(padded).enumerate().for_each(|(i, slope)| {
        slope.fill(T::of(0.0));
        for edge in graphs.sources().members(i) {
            let w = &weights[*edge as usize * heads..][..heads];
            let x = &x[graphs.ends()[*edge as usize][1] as usize * heads..][..heads];
            slope.iter_mut().zip(w).zip(x).for_each(|((z, w), x)| *z += *w * *x);
        }
        for (z, b) in slope.iter_mut().zip(&b[i * heads..][..heads]) {
            *z = activation.slope(*b + gamma * *z);
        }
    });
}

fn run<T: Scalar>(
    options: &EquilibriumOptions,
    graphs: &Graphs,
    padded: usize,
    parts: Parts<T>,
    outcomes: &mut Vec<Outcome>,
    adjoint: bool,
) -> Report {
    let started = Instant::now();
    let Parts { weights, b, x, factor, old } = parts;
    let none = Outcome { status: Status::MaxSteps, steps: 0, change: 0.0, target: 0.0 };
    outcomes.clear();
    outcomes.resize(graphs.count(), none);
    let outer = if adjoint { Outer::Factor(factor) } else { Outer::Activation(options.activation) };
    let side = if adjoint { graphs.reverse() } else { graphs.forward() };
    let system = System { side, weights, b, outer, gamma: options.gamma, padded };
    each_graph(graphs, padded, (0, outcomes), x, old, &|g, x, old| {
        settle(&options.stop, x.is_empty(), || system.sweep(graphs.range(g), x, old))
    });
    let worst = outcomes.iter().map(|o| o.status).find(|s| *s != Status::Converged);
    let norm = |f: fn(&Outcome) -> f64| outcomes.iter().map(|o| f(o) * f(o)).sum::<f64>().sqrt();
    let residual = norm(|o| o.change);
    Report {
        status: worst.unwrap_or(Status::Converged),
        steps: outcomes.iter().map(|o| o.steps).max().unwrap_or(0),
        residual,
        true_residual: residual,
        target: norm(|o| o.target),
        elapsed: started.elapsed(),
        fallbacks: 0,
        asked: 0,
        dropped: None,
    }
}

/// Sweeps one graph until it rests.
fn settle(stop: &Stop, empty: bool, mut sweep: impl FnMut() -> Change) -> Outcome {
    let (mut change, mut first, mut steps) = (Change::default(), f64::NAN, 0);
    let over = |status, steps, change: f64, target| Outcome { status, steps, change, target };
    if empty {
        return over(Status::Converged, 0, 0.0, 0.0);
    }
    loop {
        if steps >= stop.max_steps {
            return over(Status::MaxSteps, steps, change.change.sqrt(), stop.atol);
        }
        change = sweep();
        steps += 1;
        let (moved, size) = (change.change.sqrt(), change.size.sqrt());
        if steps == 1 {
            first = moved;
        }
        let target = stop.atol.max(stop.rtol * size);
        if moved <= target {
            return over(Status::Converged, steps, moved, target);
        }
        if !first.is_finite() {
            return over(Status::NonFinite, steps, moved, target);
        }
        if moved.is_nan() || moved > 1e8 * first {
            let growth = if moved.is_finite() { moved / first } else { f64::INFINITY };
            return over(Status::Expanding { growth }, steps, moved, target);
        }
    }
}

/// Calls `f` with each graph and its parts of the vectors, several at once.
fn each_graph<T: Scalar>(
    graphs: &Graphs,
    width: usize,
    (first, outcomes): (usize, &mut [Outcome]),
    x: &mut [T],
    old: &mut [T],
    f: &(impl Fn(usize, &mut [T], &mut [T]) -> Outcome + Sync),
) {
    const SMALL: usize = 4096;
    if outcomes.len() < 2 || x.len() < SMALL {
        let (mut x, mut old) = (x, old);
        for (i, outcome) in outcomes.iter_mut().enumerate() {
            let length = graphs.range(first + i).len() * width;
            let (part, rest) = std::mem::take(&mut x).split_at_mut(length);
            let kept = length.min(old.len());
            let (part_old, rest_old) = std::mem::take(&mut old).split_at_mut(kept);
            *outcome = f(first + i, part, part_old);
            (x, old) = (rest, rest_old);
        }
        return;
    }
    let middle = outcomes.len() / 2;
    let (low, high) = outcomes.split_at_mut(middle);
    let cut = (graphs.range(first + middle).start - graphs.range(first).start) * width;
    let (x_low, x_high) = x.split_at_mut(cut);
    let (old_low, old_high) = old.split_at_mut(cut.min(old.len()));
    rayon::join(
        || each_graph(graphs, width, (first, low), x_low, old_low, f),
        || each_graph(graphs, width, (first + middle, high), x_high, old_high, f),
    );
}

/// The number of heads of `[nodes, heads]`.
pub(super) fn heads(graphs: &Graphs, length: usize) -> Result<usize> {
    let nodes = graphs.nodes();
    if nodes == 0 {
        check_len("b", 0, length)?;
        return Ok(1);
    }
    check_len("b", (length / nodes).max(1) * nodes, length)?;
    Ok(length / nodes)
}

/// Rows without their padding.
fn take<T: Scalar>(rows: &[T], heads: usize, padded: usize, out: &mut [T]) {
    out.par_chunks_mut(1024 * heads).zip(rows.par_chunks(1024 * padded)).for_each(|(out, rows)| {
        out.chunks_mut(heads)
            .zip(rows.chunks(padded))
            .for_each(|(out, row)| out.copy_from_slice(&row[..heads]));
    });
}

/// The equilibrium of `weights: [edges, heads]` and `b: [nodes, heads]`, as an operation of a tape; from a third operand when there is
/// one, else from b.
struct Rest {
    graphs: Graphs,
    options: EquilibriumOptions,
}

impl<T: Scalar> Op<T> for Rest {
    fn name(&self) -> &'static str {
        "graph equilibrium"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        match inputs {
            [w, b, start @ ..]
                if w.rows == self.graphs.edges()
                    && b.rows == self.graphs.nodes()
                    && w.cols == b.cols
                    && (start.is_empty() || start == [*b]) =>
            {
                Ok(*b)
            }
            _ => Err(
                "it takes weights with a row for each edge and constants with a row for each node, as wide",
            ),
        }
    }

    fn forward(&self, inputs: &Inputs<T>, x: &mut [T], work: &mut Workspace<T>) -> Result<()> {
        x.copy_from_slice(inputs.get(inputs.len() - 1));
        let mut solver = self.solver(work);
        let report = solver.solve(&self.graphs, inputs.get(0), inputs.get(1), x);
        work.kept = solver.arena;
        settled(report?)
    }

    fn backward(
        &self,
        inputs: &Inputs<T>,
        x: &[T],
        g: &mut [T],
        work: &mut Workspace<T>,
        sinks: &mut Sinks<T>,
    ) -> Result<()> {
        let (weights, b) = (inputs.get(0), inputs.get(1));
        let mut solver = self.solver(work);
        let mut s = std::mem::take(&mut work.scratch);
        s.clear();
        s.extend_from_slice(g);
        s.resize(x.len() + weights.len(), T::of(0.0));
        let (s_part, unasked) = s.split_at_mut(x.len());
        let report = {
            let by_weights = sinks.get(0).map(Sink::zeroed).unwrap_or(unasked);
            solver.adjoint(&self.graphs, weights, b, x, g, s_part, by_weights)
        };
        work.kept = solver.arena;
        if let Some(sink) = sinks.get(1) {
            sink.add(s_part.iter().copied());
        }
        work.scratch = s;
        settled(report?)
    }
}

impl Rest {
    /// A solver in the memory that the operation keeps.
    fn solver<T: Scalar>(&self, work: &mut Workspace<T>) -> Equilibrium<T> {
        Equilibrium { options: self.options, arena: std::mem::take(&mut work.kept), outcomes: vec![] }
    }
}

/// An error where nothing came to rest.
fn settled(report: Report) -> Result<()> {
    match report.status {
        Status::NonFinite | Status::Expanding { .. } => Err(Error::Diverged {
            what: "the equilibrium of a graph",
            growth: report.residual,
            needs: "weights that are not negative and sum to at most 1 at every source, and γ below 1",
        }),
        _ => Ok(()),
    }
}

impl<T: Scalar> Tape<T> {
    /// Where graphs with `weights: [edges, heads]` and constants `b: [nodes, heads]` come to rest; the gradient goes through by a second
    /// equilibrium.
    ///
    /// # Errors
    /// [`Error::Operands`]; [`Error::Parameter`]; [`Error::Diverged`] where x grows without bound.
    pub fn equilibrium(
        &mut self,
        graphs: &Graphs,
        weights: Var,
        b: Var,
        options: EquilibriumOptions,
    ) -> Result<Var> {
        options.check()?;
        self.record(Rest { graphs: graphs.clone(), options }, &[weights, b])
    }

    /// The same from a starting point `start: [nodes, heads]`, such as where the same graphs came to rest before, which gets no gradient:
    /// the fewer sweeps, the nearer it is.
    ///
    /// # Errors
    /// As [`equilibrium`](Self::equilibrium).
    pub fn equilibrium_from(
        &mut self,
        graphs: &Graphs,
        weights: Var,
        b: Var,
        start: Var,
        options: EquilibriumOptions,
    ) -> Result<Var> {
        options.check()?;
        self.record(Rest { graphs: graphs.clone(), options }, &[weights, b, start])
    }
}
