//! The interpolation from aggregates, smoothed once: P = (I − Ω D⁻¹ A_F) T.
//!
//! With one unknown a node, A_F keeps in a row the couplings that are strong, or that are more than θ of its own diagonal;
//! the others are added to the diagonal D so that A_F and A agree on the near-null space. The second kind matters where
//! coefficients jump: a row of low conductance beside one of high conductance depends on it, though their coupling is weak
//! for both together. A row without any interpolates as its aggregate does. Ω is 4/3 over the absolute sum of the row
//! relative to D, at most 2/3: the usual bound of the largest eigenvalue, taken row by row, so that one bad row does not
//! weaken all others.
//!
//! With more unknowns a node, A_F keeps the blocks of strong couplings and drops the others, and Ω is 4/3 over the largest
//! eigenvalue of D⁻¹A_F, found by power iteration.
//!
//! P. Vaněk, M. Brezina, J. Mandel, *Convergence of algebraic multigrid based on smoothed aggregation*, Numer. Math. 88
//! (2001), 559–579, 10.1007/s211-001-8015-y. Departure: the filter and the factor of each row.

use super::aggregate::{Aggregates, NONE};
use super::sparse::{Entries, GRAIN, Sparse};
use super::strength::Graph;
use super::tentative::NearNull;
use crate::{Result, Scalar};
use rayon::prelude::*;

/// Steps of the power iteration, and what its result is raised by: it comes from below.
const POWER: (usize, f64) = (12, 1.1);
/// The largest factor of a row.
const OMEGA: f64 = 2.0 / 3.0;

/// The filtered matrix of a level.
pub(super) struct Filtered<'a, A> {
    pub a: &'a A,
    pub graph: &'a Graph,
    pub near: &'a NearNull,
    /// Unknowns a node.
    pub block: usize,
    pub theta: f64,
}

impl<A: Entries> Filtered<'_, A> {
    /// Runs `f` on the entries kept off the diagonal of row `i`; returns the diagonal.
    #[inline(always)]
    fn row(&self, i: usize, mut f: impl FnMut(usize, f64)) -> f64 {
        let (columns, values) = self.a.row(i);
        if self.block > 1 {
            let (node, mut diagonal) = (i / self.block, 0.0);
            let strong = self.graph.row(node).0;
            for (&c, &v) in columns.iter().zip(values) {
                let other = c as usize / self.block;
                if c as usize == i {
                    diagonal += v;
                } else if other == node || strong.contains(&(other as u32)) {
                    f(c as usize, v);
                }
            }
            return diagonal;
        }
        let own = columns.iter().position(|c| *c as usize == i).map_or(0.0, |e| values[e]);
        let (least, mut diagonal, mut weak) = (self.theta * own.abs(), own, 0.0);
        // The graph lists the strong columns in the order of the matrix.
        let (strong, mut next) = (self.graph.row(i).0, 0);
        for (&c, &v) in columns.iter().zip(values) {
            let is_strong = next < strong.len() && strong[next] == c;
            next += usize::from(is_strong);
            if c as usize == i {
                continue;
            }
            if is_strong || v.abs() > least {
                f(c as usize, v);
            } else {
                weak += v * self.near.along(c as usize);
            }
        }
        let along = self.near.along(i);
        if along != 0.0 {
            diagonal += weak / along;
        }
        diagonal
    }

    /// The largest eigenvalue of D⁻¹A_F, estimated.
    fn power_estimate(&self) -> f64 {
        let n = self.a.rows();
        let mut x: Vec<f64> = (0..n).map(|i| ((i * 7919 + 13) % 1009) as f64 / 504.0 - 1.0).collect();
        let mut largest = 1.0;
        for _ in 0..POWER.0 {
            let norm = x.iter().map(|v| v * v).sum::<f64>().sqrt();
            if norm == 0.0 || !norm.is_finite() {
                break;
            }
            let y: Vec<f64> = (0..n)
                .into_par_iter()
                .with_min_len(GRAIN)
                .map(|i| {
                    let mut sum = 0.0;
                    let d = self.row(i, |c, v| sum += v * x[c]);
                    if d > 0.0 { (sum / d + x[i]) / norm } else { 0.0 }
                })
                .collect();
            largest = y.iter().map(|v| v * v).sum::<f64>().sqrt();
            x = y;
        }
        POWER.1 * largest
    }

    /// The interpolation that smooths the rows of `tentative`.
    pub fn interpolation<T: Scalar>(&self, aggregates: &Aggregates, tentative: &[f64]) -> Result<Sparse<T>> {
        let (block, k) = (self.block, self.near.count);
        let uniform = if block > 1 { Some(4.0 / 3.0 / self.power_estimate()) } else { None };
        let node = |i: usize| aggregates.of[i / block];
        let tentative = |i: usize| &tentative[i * k..][..k];
        Sparse::build(self.a.rows(), aggregates.count * k, |row: &mut Row, i, columns, values| {
            row.clear();
            // Its own first: D, and so its factor, is known when the row has been read.
            row.add(node(i), 0.0, tentative(i));
            let mut sum = 0.0;
            let d = self.row(i, |c, v| {
                sum += v.abs();
                row.add(node(c), v, tentative(c));
            });
            if d > 0.0 && sum > 0.0 {
                let omega = uniform.unwrap_or_else(|| (4.0 / 3.0 * d / (d + sum)).min(OMEGA));
                row.values.iter_mut().for_each(|v| *v *= -omega / d);
                row.add(node(i), 1.0 - omega, tentative(i));
            } else {
                row.clear();
                row.add(node(i), 1.0, tentative(i));
            }
            row.append(k, columns, values);
        })
    }
}

/// The interpolation of the tentative rows themselves.
pub(super) fn plain<T: Scalar>(
    n: usize,
    block: usize,
    aggregates: &Aggregates,
    tentative: &[f64],
) -> Result<Sparse<T>> {
    let k = tentative.len() / n.max(1);
    Sparse::build(n, aggregates.count * k, |row: &mut Row, i, columns, values| {
        row.clear();
        row.add(aggregates.of[i / block], 1.0, &tentative[i * k..][..k]);
        row.append(k, columns, values);
    })
}

/// A row of an interpolation: aggregates, and for each of them one value a near-null vector.
#[derive(Default)]
struct Row {
    aggregates: Vec<u32>,
    values: Vec<f64>,
}

impl Row {
    fn clear(&mut self) {
        self.aggregates.clear();
        self.values.clear();
    }

    /// Adds `factor` times the tentative row of an unknown.
    #[inline(always)]
    fn add(&mut self, aggregate: u32, factor: f64, row: &[f64]) {
        if aggregate == NONE {
            return;
        }
        if let [t] = row {
            match self.aggregates.iter().position(|a| *a == aggregate) {
                Some(at) => self.values[at] += factor * t,
                None => {
                    self.aggregates.push(aggregate);
                    self.values.push(factor * t);
                }
            }
            return;
        }
        let k = row.len();
        let at = self.aggregates.iter().position(|a| *a == aggregate).unwrap_or_else(|| {
            self.aggregates.push(aggregate);
            self.values.resize(self.values.len() + k, 0.0);
            self.aggregates.len() - 1
        });
        self.values[at * k..][..k].iter_mut().zip(row).for_each(|(s, t)| *s += factor * t);
    }

    fn append<T: Scalar>(&self, k: usize, columns: &mut Vec<u32>, values: &mut Vec<T>) {
        for (e, aggregate) in self.aggregates.iter().enumerate() {
            for (j, v) in self.values[e * k..][..k].iter().enumerate().filter(|(_, v)| **v != 0.0) {
                columns.push(aggregate * k as u32 + j as u32);
                values.push(T::of(*v));
            }
        }
    }
}
