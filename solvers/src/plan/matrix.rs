//! A matrix of whichever kind.

use crate::compose::Constants;
use crate::operator::forward_products;
use crate::{Csr, Host, LinearOperator, Map, Operator, Properties, Result, Shape, Stencil};
use std::sync::Arc;

/// A matrix in f64 on the host: on a grid, or sparse. A clone shares the numbers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Matrix {
    /// Matrix-free on a grid; vectors have one entry a cell.
    Structured(Stencil),
    /// Stored by rows.
    Sparse(Arc<Csr<f64>>),
    /// Stored by rows, with constant vectors as its null space.
    Singular(Constants<Arc<Csr<f64>>>),
}

impl Matrix {
    /// A sparse matrix and what it looks like: a symmetric one with a positive diagonal is taken to be positive definite,
    /// or, when all rows sum to zero, semidefinite with constants as its null space. Conjugate gradients find out when it
    /// is not. One with another diagonal claims to be symmetric; any other claims what it did before.
    pub fn from_sparse(a: Csr<f64>) -> Self {
        let symmetric = a.properties().symmetric || a.is_symmetric(0.0);
        if !symmetric {
            return Self::Sparse(a.into());
        }
        if a.diagonal().iter().any(|d| *d <= 0.0) {
            return Self::Sparse(a.assume(Properties::SYMMETRIC).into());
        }
        let sums_to_zero = (0..a.rows()).all(|r| {
            let (sum, size) = a.row(r).1.iter().fold((0.0, 0.0), |(s, m), v| (s + v, m + v.abs()));
            f64::abs(sum) <= 1e-12 * size
        });
        if sums_to_zero {
            Self::Singular(Constants::new(a.assume(Properties::SEMIDEFINITE).into()))
        } else {
            Self::Sparse(a.assume(Properties::SPD).into())
        }
    }

    /// The matrix as an operator.
    pub fn operator(&self) -> &dyn LinearOperator<Host<f64>> {
        match self {
            Self::Structured(a) => a.double(),
            Self::Sparse(a) => a,
            Self::Singular(a) => a,
        }
    }

    /// How many unknowns there are: cells that take part, or columns.
    pub fn unknowns(&self) -> usize {
        match self {
            Self::Structured(a) => a.active(),
            Self::Sparse(a) => a.cols(),
            Self::Singular(a) => a.inner().cols(),
        }
    }

    /// How many entries the matrix has, stored or not.
    pub fn nonzeros(&self) -> usize {
        match self {
            Self::Structured(a) => a.nonzeros(),
            Self::Sparse(a) => a.nonzeros(),
            Self::Singular(a) => a.inner().nonzeros(),
        }
    }

    /// The diagonal, 0 in cells without an unknown.
    pub fn diagonal(&self) -> Vec<f64> {
        match self {
            Self::Structured(a) => a.diagonal(),
            Self::Sparse(a) => a.diagonal(),
            Self::Singular(a) => a.inner().diagonal(),
        }
    }
}

impl From<Stencil> for Matrix {
    fn from(a: Stencil) -> Self {
        Self::Structured(a)
    }
}

impl Map for Matrix {
    fn shape(&self) -> Shape {
        self.operator().shape()
    }
    fn properties(&self) -> Properties {
        self.operator().properties()
    }
}

impl Operator<Host<f64>> for Matrix {
    fn apply(&self, space: &Host<f64>, x: &[f64], y: &mut [f64]) -> Result<()> {
        self.operator().apply(space, x, y)
    }
}

impl LinearOperator<Host<f64>> for Matrix {
    fn apply_transpose(&self, space: &Host<f64>, x: &[f64], y: &mut [f64]) -> Result<()> {
        self.operator().apply_transpose(space, x, y)
    }
    forward_products!(Host<f64>, self => self.operator());
    fn project(&self, space: &Host<f64>, v: &mut [f64]) -> Result<()> {
        self.operator().project(space, v)
    }
}
