//! Residuals of a network as text.

use super::differentiate::differentiate;
use super::graph::{Binary, Graph, Id, Node, Unary};
use super::program::{Inputs, Program, Values};
use super::{Fault, Scope};
use crate::simd::Real;
use crate::{Derivative, Differential, Error, Linearised, Residual, Sample, Streams};

/// Residuals read from text, with their derivatives by every stream and every trained parameter in the same program.
///
/// Derivatives of an unknown that every residual uses only in one combination, as the second ones in a Laplacian, are
/// propagated through the network as that combination, one stream.
#[derive(Clone, Debug)]
pub struct Formula {
    equations: usize,
    columns: usize,
    streams: Streams,
    program: Program,
    /// What each result is.
    results: Vec<Output>,
}

#[derive(Clone, Copy, Debug)]
enum Output {
    Residual(usize),
    /// By a stream: equation, output, stream.
    Partial(usize, usize, usize),
    /// By a trained parameter: equation, parameter.
    Unknown(usize, usize),
}

/// What keeps a formula from being made.
pub(super) enum Refusal {
    Fault(Fault),
    Error(Error),
}

impl From<Fault> for Refusal {
    fn from(f: Fault) -> Self {
        Self::Fault(f)
    }
}

impl From<Error> for Refusal {
    fn from(e: Error) -> Self {
        Self::Error(e)
    }
}

impl Formula {
    pub(super) fn new(scope: &Scope, mut graph: Graph, roots: &[Id]) -> Result<Self, Refusal> {
        let dim = scope.coordinates().len();
        let (roots, streams, carried) = choose(&mut graph, roots, dim)?;
        let place = |d: &Derivative| {
            let of = carried.iter().find(|c| c.0 == *d).map(|c| &c.1);
            of.and_then(|c| streams.position(c))
        };
        let mut results = Vec::new();
        let mut ids = Vec::new();
        for (e, root) in roots.iter().enumerate() {
            results.push(Output::Residual(e));
            ids.push(*root);
        }
        let zero = graph.constant(0.0)?;
        for leaf in leaves(&graph, &roots) {
            let slopes = differentiate(&mut graph, &roots, &leaf)?;
            for (e, slope) in slopes.into_iter().enumerate().filter(|s| s.1 != zero) {
                match &leaf {
                    Node::Stream(u, d) => {
                        if let Some(s) = place(d) {
                            results.push(Output::Partial(e, *u as usize, s));
                            ids.push(slope);
                        }
                    }
                    Node::Unknown(p) => {
                        results.push(Output::Unknown(e, *p as usize));
                        ids.push(slope);
                    }
                    _ => {}
                }
            }
        }
        let program = Program::new(&graph, &ids, |_, d| place(d).unwrap_or(0) as u32);
        Ok(Self { equations: roots.len(), columns: scope.columns().len(), streams, program, results })
    }
}

/// The leaves that `roots` are differentiated by.
fn leaves(graph: &Graph, roots: &[Id]) -> Vec<Node> {
    let reached = graph.reach(roots);
    let nodes = (0..graph.len()).filter(|i| reached[*i]).map(|i| graph.node(Id(i as u32)));
    nodes.filter(|n| matches!(n, Node::Stream(..) | Node::Unknown(_))).cloned().collect()
}

/// The streams with the least work: derivatives that occur only in one combination become one. Gives the roots, in which the
/// first derivative of a combination stands for it, and what each derivative left stands for.
#[allow(clippy::type_complexity)]
fn choose(
    graph: &mut Graph,
    roots: &[Id],
    dim: usize,
) -> Result<(Vec<Id>, Streams, Vec<(Derivative, Differential)>), Refusal> {
    let mut derivatives: Vec<Derivative> = Vec::new();
    let mut unknowns: Vec<u32> = Vec::new();
    for leaf in leaves(graph, roots) {
        if let Node::Stream(u, d) = leaf {
            unknowns.push(u);
            derivatives.push(d);
        }
    }
    unknowns.sort_unstable();
    unknowns.dedup();
    derivatives.sort();
    derivatives.dedup();
    let apart: Vec<(Derivative, Differential)> =
        derivatives.iter().map(|d| (d.clone(), Differential::from(d.clone()))).collect();
    let wanted = |of: &[(Derivative, Differential)]| of.iter().map(|c| c.1.clone()).collect::<Vec<_>>();
    let separate = Streams::new(dim, &wanted(&apart))?;

    let mut slopes: Vec<Vec<Id>> = Vec::new();
    for d in &derivatives {
        let mut of = Vec::new();
        for u in &unknowns {
            of.extend(differentiate(graph, roots, &Node::Stream(*u, d.clone()))?);
        }
        slopes.push(of);
    }
    // Each group: numbers of derivatives with their coefficients, the first 1.
    let mut groups: Vec<Vec<(usize, f64)>> = Vec::new();
    for (i, d) in derivatives.iter().enumerate().filter(|(_, d)| d.order() >= 2) {
        let fits = |group: &Vec<(usize, f64)>| {
            let first = group[0].0;
            (derivatives[first].order() == d.order())
                .then(|| ratio(graph, &slopes[i], &slopes[first]))
                .flatten()
        };
        match groups.iter().enumerate().find_map(|(g, group)| Some((g, fits(group)?))) {
            Some((g, c)) => groups[g].push((i, c)),
            None => groups.push(vec![(i, 1.0)]),
        }
    }
    // A combination enters linearly: its slopes know nothing of its derivatives.
    groups.retain(|group| {
        let flat: Vec<Id> = group.iter().flat_map(|(i, _)| slopes[*i].iter().copied()).collect();
        let inside =
            |n: &Node| matches!(n, Node::Stream(_, d) if group.iter().any(|g| derivatives[g.0] == *d));
        group.len() > 1 && !leaves(graph, &flat).iter().any(inside)
    });
    let mut together = apart.clone();
    let mut gone: Vec<&Derivative> = Vec::new();
    for group in &groups {
        let terms: Vec<_> = group.iter().map(|(i, c)| (*c, derivatives[*i].clone())).collect();
        let first = &derivatives[group[0].0];
        let combination = Differential::new(&terms)?;
        together.retain(|t| !group.iter().any(|g| derivatives[g.0] == t.0));
        together.push((first.clone(), combination));
        gone.extend(group[1..].iter().map(|(i, _)| &derivatives[*i]));
    }
    let combined = Streams::new(dim, &wanted(&together))?;
    if groups.is_empty() || combined.count() >= separate.count() {
        return Ok((roots.to_vec(), separate, apart));
    }
    let roots =
        graph.replace(roots, |n| matches!(n, Node::Stream(_, d) if gone.contains(&d)).then_some(0.0))?;
    Ok((roots, combined, together))
}

/// c with a = c b, the same number for every pair, if it can be seen.
fn ratio(graph: &Graph, a: &[Id], b: &[Id]) -> Option<f64> {
    let mut found = None;
    for (a, b) in a.iter().zip(b) {
        let (x, y) = (graph.value(*a), graph.value(*b));
        let c = match (graph.node(*a), graph.node(*b)) {
            _ if x == Some(0.0) && y == Some(0.0) => continue,
            _ if a == b => 1.0,
            (Node::Constant(_), Node::Constant(_)) => x? / y?,
            (Node::Unary(Unary::Negate, inner), _) if inner == b => -1.0,
            (_, Node::Unary(Unary::Negate, inner)) if inner == a => -1.0,
            (Node::Binary(Binary::Multiply, f, inner), _) if inner == b => graph.value(*f)?,
            (Node::Binary(Binary::Multiply, inner, f), _) if inner == b => graph.value(*f)?,
            _ => return None,
        };
        if !(c.is_finite() && c != 0.0) || found.is_some_and(|found| found != c) {
            return None;
        }
        found = Some(c);
    }
    found
}

struct Block<'a, T>(&'a Sample<'a, T>);

impl<T: Real> Inputs<T> for Block<'_, T> {
    fn count(&self) -> usize {
        self.0.count()
    }
    fn coordinate(&self, axis: usize) -> &[T] {
        self.0.coordinate(axis)
    }
    fn column(&self, column: usize) -> &[T] {
        self.0.data(column)
    }
    fn unknown(&self, parameter: usize) -> T {
        self.0.unknowns()[parameter]
    }
    fn stream(&self, output: usize, stream: usize) -> &[T] {
        self.0.stream(output, stream)
    }
}

impl<T: Real> Residual<T> for Formula {
    fn streams(&self) -> &Streams {
        &self.streams
    }

    fn outputs(&self) -> usize {
        let read = self.results.iter().map(|r| if let Output::Partial(_, u, _) = r { u + 1 } else { 0 });
        read.max().unwrap_or(0)
    }

    fn equations(&self) -> usize {
        self.equations
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn linearise(&self, at: &Sample<'_, T>, out: &mut Linearised<'_, T>) {
        self.program.run(&Block(at), |i, values| {
            let to = match self.results[i] {
                Output::Residual(e) => out.residual(e),
                Output::Partial(e, u, s) => out.partial(e, u, s),
                Output::Unknown(e, p) => out.by_unknown(e, p),
            };
            match values {
                Values::Each(v) => to.copy_from_slice(v),
                Values::Same(v) => to.fill(v),
            }
        });
    }
}
