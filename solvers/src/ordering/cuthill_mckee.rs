//! The reverse Cuthill–McKee ordering.

use super::Permutation;
use super::graph::{Graph, peripheral};
use crate::{Csr, Result, Scalar};

/// Numbers the unknowns level by level from one at the edge, those with few neighbours first, and backwards: entries come
/// near to the diagonal. The pattern of A + Aᵀ is what counts; parts that hang together stay together.
///
/// # Errors
/// [`Error::Length`](crate::Error::Length) for a matrix that is not square.
///
/// # Reference
/// E. Cuthill, J. McKee, *Reducing the bandwidth of sparse symmetric matrices*, Proc. 24th ACM National Conference (1969),
/// 157–172, 10.1145/800195.805928; reversed by A. George (1971).
pub fn reverse_cuthill_mckee<T: Scalar>(a: &Csr<T>) -> Result<Permutation> {
    let graph = Graph::new(a)?;
    let n = graph.len();
    let (mut seen, mut order) = (vec![false; n], Vec::with_capacity(n));
    for start in 0..n as u32 {
        if seen[start as usize] {
            continue;
        }
        let (root, _) = peripheral(&graph, start, &mut seen);
        let mut at = order.len();
        seen[root as usize] = true;
        order.push(root);
        while at < order.len() {
            let first = order.len();
            for w in graph.of(order[at]) {
                if !seen[*w as usize] {
                    seen[*w as usize] = true;
                    order.push(*w);
                }
            }
            order[first..].sort_by_key(|v| graph.degree(*v));
            at += 1;
        }
    }
    order.reverse();
    Permutation::new(order)
}
