//! The graph of a pattern, and its levels.
//!
//! A. George, J. W. H. Liu, *An implementation of a pseudoperipheral node finder*, ACM Trans. Math. Softw. 5 (1979),
//! 284–295, 10.1145/355841.355845.

use crate::error::check_len;
use crate::{Csr, Map, Result, Scalar};
use std::borrow::Cow;

/// No node.
pub(super) const NONE: u32 = u32::MAX;

/// The neighbours of every node. A node may be its own neighbour, which no walk minds.
pub(super) struct Graph<'a> {
    pub offsets: Cow<'a, [usize]>,
    pub neighbours: Cow<'a, [u32]>,
}

impl<'a> Graph<'a> {
    /// Of the pattern of A + Aᵀ.
    pub fn new<T: Scalar>(a: &'a Csr<T>) -> Result<Self> {
        check_len("the matrix's columns", a.rows(), a.cols())?;
        if a.properties().symmetric {
            return Ok(Self { offsets: a.offsets().to_vec().into(), neighbours: a.columns().into() });
        }
        let (other, mut offsets, mut neighbours) = (a.transpose(), vec![0], Vec::new());
        for row in 0..a.rows() {
            let first = neighbours.len();
            neighbours.extend_from_slice(a.row(row).0);
            neighbours.extend(other.row(row).0.iter().filter(|c| a.row(row).0.binary_search(c).is_err()));
            neighbours[first..].sort_unstable();
            offsets.push(neighbours.len());
        }
        Ok(Self { offsets: offsets.into(), neighbours: neighbours.into() })
    }

    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    #[inline]
    pub fn of(&self, node: u32) -> &[u32] {
        &self.neighbours[self.offsets[node as usize]..self.offsets[node as usize + 1]]
    }

    pub fn degree(&self, node: u32) -> usize {
        self.of(node).len()
    }

    /// The part of the graph on `nodes`, numbered in their order. `place` holds [`NONE`] for every node, before and after.
    pub fn part(&self, nodes: &[u32], place: &mut [u32]) -> Graph<'static> {
        nodes.iter().enumerate().for_each(|(i, v)| place[*v as usize] = i as u32);
        let (mut offsets, mut neighbours) = (Vec::with_capacity(nodes.len() + 1), Vec::new());
        offsets.push(0);
        for v in nodes {
            neighbours.extend(self.of(*v).iter().map(|w| place[*w as usize]).filter(|w| *w != NONE));
            offsets.push(neighbours.len());
        }
        nodes.iter().for_each(|v| place[*v as usize] = NONE);
        Graph { offsets: offsets.into(), neighbours: neighbours.into() }
    }
}

/// The nodes that can be reached from a root, level by level.
pub(super) struct Levels {
    pub order: Vec<u32>,
    /// Where each level starts, and the number of nodes.
    pub starts: Vec<usize>,
}

impl Levels {
    /// `seen` marks nodes that are passed by; those of the levels are left marked when `mark` says so.
    pub fn new(graph: &Graph, root: u32, seen: &mut [bool], mark: bool) -> Self {
        let (mut order, mut starts, mut first) = (vec![root], vec![0], 0);
        seen[root as usize] = true;
        while first < order.len() {
            let end = order.len();
            starts.push(end);
            for i in first..end {
                for w in graph.of(order[i]) {
                    if !seen[*w as usize] {
                        seen[*w as usize] = true;
                        order.push(*w);
                    }
                }
            }
            first = end;
        }
        if !mark {
            order.iter().for_each(|v| seen[*v as usize] = false);
        }
        Self { order, starts }
    }

    pub fn depth(&self) -> usize {
        self.starts.len() - 1
    }

    fn last(&self) -> &[u32] {
        &self.order[self.starts[self.depth() - 1]..]
    }

    fn width(&self) -> usize {
        self.starts.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0)
    }
}

/// A node far from others, and its levels, among those that can be reached from `start`.
pub(super) fn peripheral(graph: &Graph, start: u32, seen: &mut [bool]) -> (u32, Levels) {
    let (mut root, mut levels) = (start, Levels::new(graph, start, seen, false));
    loop {
        let next =
            *levels.last().iter().min_by_key(|v| (graph.degree(**v), **v)).expect("a level has a node");
        let other = Levels::new(graph, next, seen, false);
        if other.depth() <= levels.depth() {
            return (root, levels);
        }
        (root, levels) = (next, other);
    }
}

/// The most unknowns at one distance from an unknown at the edge, for a matrix with a symmetric pattern: about the size of
/// what separates its graph, and so a measure of what a factorisation costs. Some passes over the pattern.
///
/// # Panics
/// When the matrix is not square.
pub fn width<T: Scalar>(a: &Csr<T>) -> usize {
    let graph = Graph { offsets: a.offsets().to_vec().into(), neighbours: a.columns().into() };
    assert_eq!(a.rows(), a.cols(), "the width of a matrix that is not square");
    let (mut seen, mut most) = (vec![false; graph.len()], 0);
    for start in 0..graph.len() as u32 {
        if !seen[start as usize] {
            let far = *Levels::new(&graph, start, &mut seen, false).order.last().expect("the root is there");
            most = most.max(Levels::new(&graph, far, &mut seen, true).width());
        }
    }
    most
}
