//! Systems at rest that are monotone instead of contracting, whatever the numbers on the edges are.

mod block;

use super::sweep::LANES;
use super::{EquilibriumOptions, Graphs};
use crate::error::check_len;
use crate::learn::op::{Inputs, Op, Sink, Sinks, Workspace};
use crate::learn::{Activation, Tape, Var};
use crate::{Error, Report, Result, Scalar, Shape, Status};
use block::{Block, Ended};
use rayon::prelude::*;
use std::time::Instant;

/// x = φ(W x + b) on a batch of graphs, for all heads at once, with W = (1 − m) I − AᵀA + S.
///
/// Every edge from i to j has three numbers for each head: α and β are its row of A, which takes x to α xᵢ − β xⱼ, and s is in the skew
/// part S, +s at (i, j) and −s at (j, i). So W has entries where the graph has edges, in both directions, and
///
/// > W at (i, j) is Σ αβ + s, at (j, i) Σ αβ − s, and at (i, i) it is 1 − m − Σ α² − Σ β² over the edges that begin and end there.
///
/// I − W has the symmetric part m I + AᵀA, which is at least m = 1 − γ, and therefore there is exactly one x for **any** numbers, and for
/// every φ that does not fall and has a slope of at most 1: nothing is clipped, and nothing normalised. Its distance from another x is at most
/// what that one leaves, divided by m. Weights on edges may be negative and rows sum to what they like, which a contraction
/// in the largest norm cannot have; α = β = √g is a conductance g.
///
/// Where φ is the identity one linear system is solved for each head, by truncated conjugate residuals; else Peaceman's and Rachford's
/// splitting, which solves one a step. The gradient is one linear system. The stop's tolerance is of the scaled residuals of these systems.
///
/// ```
/// use resolvent::graph::{EquilibriumOptions, Graphs, Monotone};
/// use resolvent::Status;
/// // Two nodes joined by a conductance of 4, and m = 0.5: 0.5 x₀ + 4 (x₀ − x₁) = 1 and 0.5 x₁ + 4 (x₁ − x₀) = 0.
/// let graphs = Graphs::new(&[2], &[[0, 1]])?;
/// let mut solver = Monotone::<f64>::new(EquilibriumOptions::default())?;
/// let mut x = [0.0; 2];
/// let report = solver.solve(&graphs, &[2.0, 2.0, 0.0], &[1.0, 0.0], &mut x)?;
/// assert_eq!(report.status, Status::Converged);
/// assert!((x[0] - 4.5 / 4.25).abs() < 1e-5 && (x[0] + x[1] - 2.0).abs() < 1e-5);
/// # Ok::<(), resolvent::Error>(())
/// ```
///
/// # Reference
/// E. Winston, J. Z. Kolter, Monotone operator equilibrium networks, NeurIPS (2020), arXiv:2006.08591, whose W this is with A and B of the
/// pattern of a graph; D. W. Peaceman, H. H. Rachford, The numerical solution of parabolic and elliptic differential equations, J.
/// SIAM 3 (1955), doi:10.1137/0103003.
pub struct Monotone<T> {
    options: EquilibriumOptions,
    arena: Vec<T>,
    ends: Vec<Ended>,
    blocks: usize,
}

/// What is done with a block: its graph, its first head.
type Work<'a, T> = dyn Fn(Block<T>, usize, usize) -> Ended + Sync + 'a;

impl<T: Scalar> Monotone<T> {
    /// Memory grows with the first batch, and then with larger ones.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a γ outside 0 to 1; [`Error::Unsuited`] for a φ that falls somewhere or is too steep.
    pub fn new(options: EquilibriumOptions) -> Result<Self> {
        options.check()?;
        check(options.activation)?;
        Ok(Self { options, arena: vec![], ends: vec![], blocks: 1 })
    }

    /// Steps of every graph in the last solve.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.ends.chunks(self.blocks).map(|e| e.iter().map(|e| e.steps).max().unwrap_or(0))
    }

    /// Finds x for `numbers: [edges, 3 heads]`, first the α of all heads, then β, then s, and `b: [nodes, heads]`, from the starting
    /// point in `x: [nodes, heads]`.
    ///
    /// The report's residuals are over all graphs and heads; steps, each a product with W, are those of the slowest.
    ///
    /// # Errors
    /// [`Error::Length`]. Numbers that are not finite are no error: look at the report's `status`.
    pub fn solve(&mut self, graphs: &Graphs, numbers: &[T], b: &[T], x: &mut [T]) -> Result<Report> {
        let heads = heads(graphs, numbers, b.len())?;
        check_len("x", b.len(), x.len())?;
        let (m, options) = (1.0 - self.options.gamma, self.options);
        let start = &*x;
        let report = self.run(graphs, heads, &|mut block, graph, first| {
            block.assemble(numbers, heads, first, m);
            load(graphs, graph, b, heads, first, block.b);
            load(graphs, graph, start, heads, first, block.x);
            block.rest(options.activation, &options.stop)
        });
        self.store(graphs, heads, x);
        Ok(report)
    }

    /// The gradient of a number by `numbers` and `b` when that by the solution `x` is `cotangent`. `s: [nodes, heads]` is where that
    /// starts from and gets the gradient by b; that by the numbers is added to `gradient: [edges, 3 heads]`.
    ///
    /// # Errors
    /// [`Error::Length`].
    #[allow(clippy::too_many_arguments, reason = "each is one array of the formula")]
    pub fn adjoint(
        &mut self,
        graphs: &Graphs,
        numbers: &[T],
        b: &[T],
        x: &[T],
        cotangent: &[T],
        s: &mut [T],
        gradient: &mut [T],
    ) -> Result<Report> {
        let heads = heads(graphs, numbers, b.len())?;
        for (what, length) in [("x", x.len()), ("the cotangent", cotangent.len()), ("s", s.len())] {
            check_len(what, b.len(), length)?;
        }
        check_len("the gradient", numbers.len(), gradient.len())?;
        let (m, options) = (1.0 - self.options.gamma, self.options);
        let start = &*s;
        let report = self.run(graphs, heads, &|mut block, graph, first| {
            block.assemble(numbers, heads, first, m);
            load(graphs, graph, cotangent, heads, first, block.b);
            load(graphs, graph, start, heads, first, block.x);
            let node = graphs.range(graph).start;
            let at = |i: usize| [x, b].map(|v| row(v, node + i, heads, first));
            block.adjoint(options.activation, at, &options.stop)
        });
        self.store(graphs, heads, s);
        let s = &*s;
        let edges = gradient.par_chunks_mut(1024 * 3 * heads).zip(numbers.par_chunks(1024 * 3 * heads));
        edges.zip(graphs.ends().par_chunks(1024)).for_each(|((out, numbers), edges)| {
            let rows = out.chunks_mut(3 * heads).zip(numbers.chunks(3 * heads));
            for ((out, numbers), [i, j]) in rows.zip(edges) {
                let at = |v: &[T], node: &u32, k: usize| v[*node as usize * heads + k];
                for k in 0..heads {
                    let (si, sj, xi, xj) = (at(s, i, k), at(s, j, k), at(x, i, k), at(x, j, k));
                    let (there, back) = (si * xj, sj * xi);
                    let (a, b) = (numbers[k], numbers[heads + k]);
                    let two = T::of(2.0);
                    out[k] += b * (there + back) - two * a * si * xi;
                    out[heads + k] += a * (there + back) - two * b * sj * xj;
                    out[2 * heads + k] += there - back;
                }
            }
        });
        Ok(report)
    }

    /// Does `work` on every graph and block of heads, by as many threads as there are.
    fn run(&mut self, graphs: &Graphs, heads: usize, work: &Work<T>) -> Report {
        let started = Instant::now();
        self.blocks = heads.div_ceil(LANES).max(1);
        let none = Ended { status: Status::Converged, steps: 0, residual: 0.0, target: 0.0 };
        self.ends.clear();
        self.ends.resize(graphs.count() * self.blocks, none);
        let rows = Block::<T>::rows(graphs.edges(), graphs.nodes()) * self.blocks;
        self.arena.resize((rows * LANES).max(self.arena.len()), T::of(0.0));
        let memory = &mut self.arena.as_chunks_mut().0[..rows];
        each(graphs, self.blocks, 0, &mut self.ends, memory, work);
        let worst = self.ends.iter().map(|e| e.status).find(|s| *s != Status::Converged);
        let residual = self.ends.iter().map(|e| e.residual).sum::<f64>().sqrt();
        Report {
            status: worst.unwrap_or(Status::Converged),
            steps: self.ends.iter().map(|e| e.steps).max().unwrap_or(0),
            residual,
            true_residual: residual,
            target: self.ends.iter().map(|e| e.target).sum::<f64>().sqrt(),
            elapsed: started.elapsed(),
            fallbacks: 0,
            asked: 0,
            dropped: None,
        }
    }

    /// What the blocks found, as `[nodes, heads]`.
    fn store(&mut self, graphs: &Graphs, heads: usize, x: &mut [T]) {
        let (mut rest, mut out) = (self.arena.as_chunks_mut::<LANES>().0, x);
        for graph in 0..graphs.count() {
            let (edges, nodes) = (edges(graphs, graph), graphs.range(graph));
            let (part, behind) = std::mem::take(&mut out).split_at_mut(nodes.len() * heads);
            out = behind;
            for first in (0..heads).step_by(LANES) {
                let rows = Block::<T>::rows(edges, nodes.len());
                let (memory, behind) = std::mem::take(&mut rest).split_at_mut(rows);
                rest = behind;
                let block = Block::new(graphs, nodes.clone(), edges, memory);
                let lanes = LANES.min(heads - first);
                for (out, row) in part.chunks_mut(heads).zip(&*block.x) {
                    out[first..first + lanes].copy_from_slice(&row[..lanes]);
                }
            }
        }
    }
}

/// `Ok` for a φ that is the proximal operator of a convex function: one that does not fall, and whose slope is at most 1.
///
/// # Errors
/// [`Error::Unsuited`].
pub(super) fn check(activation: Activation) -> Result<()> {
    use Activation::{Identity, LeakyRelu, Relu, Sigmoid, Softplus, Tanh};
    match activation {
        Identity | Tanh | Softplus | Relu | Sigmoid => Ok(()),
        LeakyRelu(slope) if (0.0..=1.0).contains(&slope) => Ok(()),
        _ => Err(Error::Unsuited {
            what: "a monotone system",
            needs: "a φ that does not fall and has a slope of at most 1",
            mend: "use identity, tanh, relu, leaky-relu, softplus or sigmoid",
        }),
    }
}

fn heads<T>(graphs: &Graphs, numbers: &[T], b: usize) -> Result<usize> {
    let heads = super::equilibrium::heads(graphs, b)?;
    check_len("the numbers on edges", graphs.edges() * 3 * heads, numbers.len())?;
    Ok(heads)
}

/// Edges of a graph.
fn edges(graphs: &Graphs, graph: usize) -> usize {
    let (offsets, nodes) = (graphs.sources().offsets(), graphs.range(graph));
    (offsets[nodes.end] - offsets[nodes.start]) as usize
}

/// [`LANES`] heads from `first` on of a node.
fn row<T: Scalar>(v: &[T], node: usize, heads: usize, first: usize) -> [T; LANES] {
    let lanes = LANES.min(heads - first);
    let mut row = [T::of(0.0); LANES];
    row[..lanes].copy_from_slice(&v[node * heads + first..][..lanes]);
    row
}

fn load<T: Scalar>(
    graphs: &Graphs,
    graph: usize,
    v: &[T],
    heads: usize,
    first: usize,
    out: &mut [[T; LANES]],
) {
    out.iter_mut().zip(graphs.range(graph)).for_each(|(out, node)| *out = row(v, node, heads, first));
}

/// Calls `work` with the blocks from number `first` on, several at once.
fn each<T: Scalar>(
    graphs: &Graphs,
    blocks: usize,
    first: usize,
    ends: &mut [Ended],
    memory: &mut [[T; LANES]],
    work: &Work<T>,
) {
    const SMALL: usize = 1024;
    let rows = |b: usize| Block::<T>::rows(edges(graphs, b / blocks), graphs.range(b / blocks).len());
    if ends.len() < 2 || memory.len() < SMALL {
        let mut rest = memory;
        for (i, end) in ends.iter_mut().enumerate() {
            let (graph, head) = ((first + i) / blocks, (first + i) % blocks * LANES);
            let (part, behind) = std::mem::take(&mut rest).split_at_mut(rows(first + i));
            rest = behind;
            let block = Block::new(graphs, graphs.range(graph), edges(graphs, graph), part);
            *end = work(block, graph, head);
        }
        return;
    }
    let middle = ends.len() / 2;
    let cut = (first..first + middle).map(rows).sum();
    let (low, high) = ends.split_at_mut(middle);
    let (memory_low, memory_high) = memory.split_at_mut(cut);
    rayon::join(
        || each(graphs, blocks, first, low, memory_low, work),
        || each(graphs, blocks, first + middle, high, memory_high, work),
    );
}

/// The equilibrium of `numbers: [edges, 3 heads]` and `b: [nodes, heads]`, as an operation of a tape; from a third operand when there is
/// one, else from b.
struct MonotoneRest {
    graphs: Graphs,
    options: EquilibriumOptions,
}

impl<T: Scalar> Op<T> for MonotoneRest {
    fn name(&self) -> &'static str {
        "monotone equilibrium"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        match inputs {
            [w, b, start @ ..]
                if w.rows == self.graphs.edges()
                    && b.rows == self.graphs.nodes()
                    && w.cols == 3 * b.cols
                    && (start.is_empty() || start == [*b]) =>
            {
                Ok(*b)
            }
            _ => Err(
                "it takes three numbers of each head on every edge and a constant of each head on every node",
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
        let (numbers, b) = (inputs.get(0), inputs.get(1));
        let mut solver = self.solver(work);
        let mut s = std::mem::take(&mut work.scratch);
        s.clear();
        s.resize(x.len() + numbers.len(), T::of(0.0));
        let (s_part, unasked) = s.split_at_mut(x.len());
        let report = {
            let by_numbers = sinks.get(0).map(Sink::zeroed).unwrap_or(unasked);
            solver.adjoint(&self.graphs, numbers, b, x, g, s_part, by_numbers)
        };
        work.kept = solver.arena;
        if let Some(sink) = sinks.get(1) {
            sink.add(s_part.iter().copied());
        }
        work.scratch = s;
        settled(report?)
    }
}

impl MonotoneRest {
    /// A solver in the memory that the operation keeps.
    fn solver<T: Scalar>(&self, work: &mut Workspace<T>) -> Monotone<T> {
        Monotone { options: self.options, arena: std::mem::take(&mut work.kept), ends: vec![], blocks: 1 }
    }
}

/// An error where numbers are not finite.
fn settled(report: Report) -> Result<()> {
    match report.status {
        Status::NonFinite => Err(Error::Diverged {
            what: "the equilibrium of a graph",
            growth: report.residual,
            needs: "finite numbers on edges and nodes",
        }),
        _ => Ok(()),
    }
}

impl<T: Scalar> Tape<T> {
    /// Where monotone systems with `numbers: [edges, 3 heads]` and constants `b: [nodes, heads]` come to rest, as [`Monotone`] has
    /// them; the gradient is one linear system more.
    ///
    /// # Errors
    /// [`Error::Operands`]; as [`Monotone::new`]; [`Error::Diverged`] where a number is not finite.
    pub fn monotone_equilibrium(
        &mut self,
        graphs: &Graphs,
        numbers: Var,
        b: Var,
        options: EquilibriumOptions,
    ) -> Result<Var> {
        options.check()?;
        check(options.activation)?;
        self.record(MonotoneRest { graphs: graphs.clone(), options }, &[numbers, b])
    }

    /// The same from a starting point `start: [nodes, heads]`, which gets no gradient.
    ///
    /// # Errors
    /// As [`monotone_equilibrium`](Self::monotone_equilibrium).
    pub fn monotone_equilibrium_from(
        &mut self,
        graphs: &Graphs,
        numbers: Var,
        b: Var,
        start: Var,
        options: EquilibriumOptions,
    ) -> Result<Var> {
        options.check()?;
        check(options.activation)?;
        self.record(MonotoneRest { graphs: graphs.clone(), options }, &[numbers, b, start])
    }
}

#[cfg(test)]
mod tests;
