//! The near-null space on aggregates: what must survive the step to a coarse level.
//!
//! On each aggregate the vectors are made orthonormal by Gram–Schmidt, twice; the orthonormal parts are the columns of
//! the tentative interpolation and the triangular factor is the near-null space of the coarse level (Vaněk, Mandel and
//! Brezina 1996, 10.1007/BF02238511). A vector that depends on those before it on an aggregate leaves a column of zeros. A
//! single vector keeps its length, so that constants are constants on every level.

use super::aggregate::{Aggregates, NONE, members};
use crate::stencil::rows::Shared;
use rayon::prelude::*;

/// Vectors that the operator nearly maps to zero, unknown by unknown: `[n × count]`.
#[derive(Clone, Debug)]
pub(super) struct NearNull {
    pub count: usize,
    pub values: Vec<f64>,
}

impl NearNull {
    /// Whether it is the constants.
    pub fn is_constant(&self) -> bool {
        self.count == 1 && self.values.par_iter().all(|v| *v == 1.0)
    }

    /// The first vector, for levels of one unknown a node.
    #[inline(always)]
    pub fn along(&self, i: usize) -> f64 {
        if self.count == 1 { self.values[i] } else { 1.0 }
    }
}

/// Shorter than this share of itself, a vector depends on those before it.
const DEPENDENT: f64 = 1e-8;

/// The tentative interpolation, row by row `[n × count]`, and the near-null space of the coarse level.
pub(super) fn tentative(near: &NearNull, aggregates: &Aggregates, block: usize) -> (Vec<f64>, NearNull) {
    let k = near.count;
    let mut fine = near.values.clone();
    let mut coarse = vec![0.0; aggregates.count * k * k];
    let members = members(&aggregates.of, aggregates.count);
    let (f, c) = (Shared::new(&mut fine), Shared::new(&mut coarse));
    (0..aggregates.count).into_par_iter().with_min_len(256).for_each(|aggregate| {
        let nodes = members.row(aggregate).0;
        let unknowns = || nodes.iter().flat_map(|n| *n as usize * block..(*n as usize + 1) * block);
        // SAFETY: an unknown belongs to one aggregate.
        let rows = || unknowns().map(|i| unsafe { f.get_mut(i * k, k) });
        // SAFETY: one triangle for each aggregate.
        let triangle = unsafe { c.get_mut(aggregate * k * k, k * k) };
        for j in 0..k {
            let before = rows().map(|r| r[j] * r[j]).sum::<f64>().sqrt();
            for _ in 0..2 {
                for i in 0..j {
                    let part: f64 = rows().map(|r| r[i] * r[j]).sum();
                    rows().for_each(|r| r[j] -= part * r[i]);
                    triangle[i * k + j] += part;
                }
            }
            let norm = rows().map(|r| r[j] * r[j]).sum::<f64>().sqrt();
            if k == 1 {
                triangle[0] = 1.0;
            } else if norm > DEPENDENT * before {
                rows().for_each(|r| r[j] /= norm);
                triangle[j * k + j] = norm;
            } else {
                rows().for_each(|r| r[j] = 0.0);
            }
        }
    });
    // What no aggregate takes is not interpolated.
    let free = |i: usize| aggregates.of[i / block] == NONE;
    fine.par_chunks_mut(k).enumerate().filter(|(i, _)| free(*i)).for_each(|(_, row)| row.fill(0.0));
    (fine, NearNull { count: k, values: coarse })
}
