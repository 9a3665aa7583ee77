//! What leads from a level to the next and back.

use super::aggregate::{Aggregates, NONE};
use super::galerkin;
use super::sparse::{Entries, Sparse};
use crate::{Result, Scalar};
use std::ops::Range;

/// The interpolation to a level.
pub(super) enum Transfer<T> {
    /// Constant on every aggregate: the coarse unknown of each row, or [`NONE`].
    Constant {
        of: Vec<u32>,
        count: usize,
    },
    Sparse(Sparse<T>),
}

impl<T: Scalar> Transfer<T> {
    /// Constant on aggregates of single unknowns.
    pub fn constant(aggregates: Aggregates) -> Self {
        Self::Constant { of: aggregates.of, count: aggregates.count }
    }

    /// Unknowns of the coarse level.
    pub fn coarse(&self) -> usize {
        match self {
            Self::Constant { count, .. } => *count,
            Self::Sparse(p) => p.cols,
        }
    }

    /// The coarse unknowns that some rows interpolate from.
    pub fn reach(&self, rows: &Range<usize>) -> Range<usize> {
        let range = |columns: &mut dyn Iterator<Item = u32>| {
            let (first, last) = columns.fold((u32::MAX, 0), |(f, l), c| (f.min(c), l.max(c + 1)));
            if first == u32::MAX { 0..0 } else { first as usize..last as usize }
        };
        match self {
            Self::Constant { of, .. } => range(&mut of[rows.clone()].iter().copied().filter(|c| *c != NONE)),
            Self::Sparse(p) => {
                let entries = p.offsets[rows.start] as usize..p.offsets[rows.end] as usize;
                range(&mut p.columns[entries].iter().copied())
            }
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Constant { of, .. } => size_of_val(&of[..]),
            Self::Sparse(p) => p.bytes(),
        }
    }

    /// PᵀAP.
    pub fn galerkin(&self, a: &impl Entries) -> Result<Sparse<f64>> {
        match self {
            Self::Constant { of, count } => galerkin::constant(a, of, *count),
            Self::Sparse(p) => galerkin::sparse(a, p, &p.transpose()),
        }
    }
}
