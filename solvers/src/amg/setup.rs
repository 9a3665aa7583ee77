//! From a matrix to its hierarchy.

use super::aggregate::aggregate;
use super::coarsest::Coarsest;
use super::cycle::Level;
use super::interpolation::{Filtered, plain};
use super::relaxation::Relaxation;
use super::sparse::{Entries, Sparse};
use super::strength::strong;
use super::tentative::{NearNull, tentative};
use super::transfer::Transfer;
use super::{AmgOptions, Coarsening, LevelSize};
use crate::{Csr, Error, Map, Positivity, Result, Scalar};
use rayon::prelude::*;

/// A level that shrinks by less than this is the last: what is left has no strong couplings.
const SHRINKS: f64 = 0.8;
const LEVELS: usize = 30;

type Hierarchy<T> = (Vec<Level<T>>, Coarsest<T>, Vec<LevelSize>);

pub(super) fn hierarchy<T: Scalar>(
    a: &Csr<f64>,
    near: NearNull,
    options: &AmgOptions,
) -> Result<Hierarchy<T>> {
    let symmetric = a.properties().symmetric;
    let mut sizes = vec![LevelSize { rows: a.rows(), nonzeros: a.nonzeros() }];
    let mut levels: Vec<Level<T>> = Vec::new();
    let mut state = State { near, block: options.block, theta: options.strength, symmetric };
    let mut coarse = if a.rows() > options.direct { state.step(a, options, &mut levels)? } else { None };
    while let Some(next) = coarse.as_ref().filter(|_| levels.len() < LEVELS) {
        sizes.push(LevelSize { rows: next.rows(), nonzeros: next.nonzeros() });
        if next.rows() <= options.direct {
            break;
        }
        match state.step(next, options, &mut levels)? {
            Some(next) => coarse = Some(next),
            None => break,
        }
    }
    let last = match &coarse {
        Some(last) => Coarsest::new(last, symmetric, options)?,
        None => Coarsest::new(a, symmetric, options)?,
    };
    Ok((levels, last, sizes))
}

struct State {
    near: NearNull,
    block: usize,
    theta: f64,
    symmetric: bool,
}

impl State {
    /// Adds the level of `a` and gives the next coarser matrix, unless `a` is the coarsest.
    fn step<T: Scalar, A: Entries>(
        &mut self,
        a: &A,
        options: &AmgOptions,
        levels: &mut Vec<Level<T>>,
    ) -> Result<Option<Sparse<f64>>> {
        let graph = strong(a, self.block, self.theta, self.symmetric)?;
        let aggregates = aggregate(a, &graph, self.block);
        let (n, k) = (a.rows(), self.near.count);
        if aggregates.count == 0 || (aggregates.count * k) as f64 > SHRINKS * n as f64 {
            return Ok(None);
        }
        let near_is_constant = self.block == 1 && self.near.is_constant();
        let (p, near) = if options.coarsening == Coarsening::Plain && near_is_constant {
            let near = NearNull { count: 1, values: vec![1.0; aggregates.count] };
            (Transfer::constant(aggregates), near)
        } else {
            let (rows, near) = tentative(&self.near, &aggregates, self.block);
            let p = match options.coarsening {
                Coarsening::Smoothed => {
                    let (near, block, theta) = (&self.near, self.block, self.theta);
                    Filtered { a, graph: &graph, near, block, theta }
                        .interpolation::<T>(&aggregates, &rows)?
                }
                Coarsening::Plain => plain::<T>(n, self.block, &aggregates, &rows)?,
            };
            (Transfer::Sparse(p), near)
        };
        drop(graph);
        let coarse = p.galerkin(a)?;
        levels.push(Level::new(Relaxation::new(a, options.smoother)?, p, options));
        (self.near, self.block, self.theta) = (near, k, 0.5 * self.theta);
        Ok(Some(coarse))
    }
}

/// New matrices for the levels, and the coarsest.
pub(super) fn update<T: Scalar>(
    a: &Csr<f64>,
    levels: &[Level<T>],
    options: &AmgOptions,
) -> Result<(Vec<Relaxation<T>>, Coarsest<T>)> {
    let mut matrices = Vec::new();
    let mut coarse: Option<Sparse<f64>> = None;
    for level in levels {
        let next = match &coarse {
            None => {
                matrices.push(Relaxation::new(a, options.smoother)?);
                level.p.galerkin(a)?
            }
            Some(a) => {
                matrices.push(Relaxation::new(a, options.smoother)?);
                level.p.galerkin(a)?
            }
        };
        coarse = Some(next);
    }
    let symmetric = a.properties().symmetric;
    let last = match &coarse {
        Some(last) => Coarsest::new(last, symmetric, options)?,
        None => Coarsest::new(a, symmetric, options)?,
    };
    Ok((matrices, last))
}

/// Whether a row is empty, the diagonal included.
///
/// # Errors
/// [`Error::Pivot`] for a diagonal that is zero in a row that is not, or negative where the matrix claims that it cannot.
pub(super) fn check_diagonal(a: &Csr<f64>) -> Result<bool> {
    let diagonal = a.diagonal();
    let definite = a.properties().positivity >= Positivity::Semidefinite;
    let wrong = (0..a.rows()).into_par_iter().find_first(|&i| {
        let zero = diagonal[i] == 0.0 && a.row(i).1.iter().any(|v| *v != 0.0);
        zero || (definite && diagonal[i] < 0.0)
    });
    match wrong {
        Some(row) => Err(Error::Pivot { what: "algebraic multigrid", row, pivot: diagonal[row] }),
        None => Ok(diagonal.contains(&0.0)),
    }
}
