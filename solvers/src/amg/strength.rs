//! Which couplings of a matrix are strong.
//!
//! Nodes I and J of a matrix, of one or several unknowns each, are strongly coupled when
//! ‖A_IJ‖² > θ² ‖A_II‖ ‖A_JJ‖ in the Frobenius norm.
//!
//! P. Vaněk, J. Mandel, M. Brezina, *Algebraic multigrid by smoothed aggregation for second and fourth order elliptic
//! problems*, Computing 56 (1996), 179–196, 10.1007/BF02238511.

use super::sparse::{Entries, Sparse};
use crate::Result;
use rayon::prelude::*;

/// The neighbours of every node, itself left out, in the order of the matrix.
pub(super) type Graph = Sparse<()>;

/// The strong couplings of nodes of `block` unknowns. `symmetric`: the matrix is known to be.
pub(super) fn strong(a: &impl Entries, block: usize, theta: f64, symmetric: bool) -> Result<Graph> {
    let graph = if block == 1 { of_entries(a, theta)? } else { of_blocks(a, block, theta)? };
    if symmetric {
        return Ok(graph);
    }
    let other = graph.transpose();
    Sparse::build(graph.cols, graph.cols, |_: &mut (), i, columns, values| {
        let first = columns.len();
        columns.extend_from_slice(graph.row(i).0);
        for c in other.row(i).0 {
            if !graph.row(i).0.contains(c) {
                columns.push(*c);
            }
        }
        values.resize(values.len() + columns.len() - first, ());
    })
}

fn of_entries(a: &impl Entries, theta: f64) -> Result<Graph> {
    // θ |d|: the test becomes |a_ij|² > w_i w_j.
    let weight: Vec<f64> = a.diagonal().par_iter().map(|d| theta * d.abs()).collect();
    Sparse::build(a.rows(), a.rows(), |_: &mut (), i, columns, values| {
        let (c, v) = a.row(i);
        for (&c, &v) in c.iter().zip(v) {
            if c as usize != i && v * v > weight[i] * weight[c as usize] {
                columns.push(c);
                values.push(());
            }
        }
    })
}

/// Squared norms of the blocks in a row of nodes.
#[derive(Default)]
struct BlockRow {
    nodes: Vec<u32>,
    squares: Vec<f64>,
}

impl BlockRow {
    fn gather(&mut self, a: &impl Entries, block: usize, node: usize) {
        self.nodes.clear();
        self.squares.clear();
        for i in node * block..(node + 1) * block {
            let (c, v) = a.row(i);
            for (&c, &v) in c.iter().zip(v) {
                let other = c / block as u32;
                match self.nodes.iter().position(|n| *n == other) {
                    Some(e) => self.squares[e] += v * v,
                    None => {
                        self.nodes.push(other);
                        self.squares.push(v * v);
                    }
                }
            }
        }
    }
}

fn of_blocks(a: &impl Entries, block: usize, theta: f64) -> Result<Graph> {
    let nodes = a.rows() / block;
    let weight: Vec<f64> = (0..nodes)
        .into_par_iter()
        .map_init(BlockRow::default, |row, node| {
            row.gather(a, block, node);
            let at = row.nodes.iter().position(|n| *n as usize == node);
            theta * at.map_or(0.0, |e| row.squares[e].sqrt())
        })
        .collect();
    Sparse::build(nodes, nodes, |row: &mut BlockRow, node, columns, values| {
        row.gather(a, block, node);
        for (&other, &square) in row.nodes.iter().zip(&row.squares) {
            if other as usize != node && square > weight[node] * weight[other as usize] {
                columns.push(other);
                values.push(());
            }
        }
    })
}
