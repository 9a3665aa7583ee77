//! The nested dissection ordering.

use super::Permutation;
use super::graph::{Graph, Levels, NONE};
use super::separator::{Side, separate};
use crate::{Csr, Error, Result, Scalar};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::sparse::SymbolicSparseColMatRef;
use faer::sparse::linalg::amd;

/// Parts of at most this many unknowns are ordered by minimum degree.
const LEAF: usize = 200;

/// Cuts the graph of A + Aᵀ in two by a small separator, numbers both parts in the same way and the separator last. Parts of
/// a few hundred unknowns are ordered by approximate minimum degree. The same for any number of threads.
///
/// # Errors
/// [`Error::Length`] for a matrix that is not square.
///
/// # Reference
/// A. George, *Nested dissection of a regular finite element mesh*, SIAM J. Numer. Anal. 10 (1973), 345–363,
/// 10.1137/0710032. Departure from what general programs do: separators come from levels of a breadth-first search and are
/// improved by moves of single nodes, without a hierarchy of coarser graphs.
pub fn nested_dissection<T: Scalar>(a: &Csr<T>) -> Result<Permutation> {
    let graph = Graph::new(a)?;
    Permutation::new(dissect(&graph)?)
}

/// The order of a graph's nodes.
fn dissect(graph: &Graph) -> Result<Vec<u32>> {
    let n = graph.len();
    if n <= LEAF {
        return minimum_degree(graph);
    }
    // One part that hangs together after the other.
    let mut seen = vec![false; n];
    let first = Levels::new(graph, 0, &mut seen, true);
    if first.order.len() < n {
        let mut parts = vec![first.order];
        for start in 0..n as u32 {
            if !seen[start as usize] {
                parts.push(Levels::new(graph, start, &mut seen, true).order);
            }
        }
        return pieces(graph, parts);
    }
    let side = separate(graph);
    let nodes = |of: Side| (0..n as u32).filter(|v| side[*v as usize] == of).collect::<Vec<_>>();
    let (low, high) = (nodes(Side::Low), nodes(Side::High));
    if low.is_empty() || high.is_empty() {
        return minimum_degree(graph);
    }
    let mut order = pieces(graph, vec![low, high])?;
    order.extend(nodes(Side::Cut));
    Ok(order)
}

/// The orders of parts that do not touch, one after the other.
fn pieces(graph: &Graph, parts: Vec<Vec<u32>>) -> Result<Vec<u32>> {
    use rayon::prelude::*;
    let mut place = vec![NONE; graph.len()];
    let graphs: Vec<_> = parts.into_iter().map(|nodes| (graph.part(&nodes, &mut place), nodes)).collect();
    drop(place);
    let orders: Vec<Vec<u32>> = graphs
        .into_par_iter()
        .map(|(part, nodes)| Ok(dissect(&part)?.into_iter().map(|v| nodes[v as usize]).collect()))
        .collect::<Result<_>>()?;
    Ok(orders.concat())
}

/// Approximate minimum degree, of faer.
fn minimum_degree(graph: &Graph) -> Result<Vec<u32>> {
    let n = graph.len();
    let offsets: Vec<u32> = graph.offsets.iter().map(|o| *o as u32).collect();
    let pattern = SymbolicSparseColMatRef::new_unsorted_checked(n, n, &offsets, None, &graph.neighbours);
    let (mut order, mut place) = (vec![0u32; n], vec![0u32; n]);
    let request = amd::order_maybe_unsorted_scratch::<u32>(n, graph.neighbours.len());
    let memory = || Error::Memory { bytes: request.size_bytes() };
    let mut room = MemBuffer::try_new(request).map_err(|_| memory())?;
    amd::order_maybe_unsorted(
        &mut order,
        &mut place,
        pattern,
        amd::Control::default(),
        MemStack::new(&mut room),
    )
    .map_err(|e| crate::direct::memory(&e))?;
    Ok(order)
}
