//! Partial derivatives and linear combinations of them.

use crate::{Error, Result};
use std::fmt;

/// A partial derivative ∂^α: how often it differentiates in each coordinate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Derivative(Vec<u8>);

impl Derivative {
    /// The value itself, in `dim` coordinates.
    pub fn value(dim: usize) -> Self {
        Self(vec![0; dim])
    }

    /// Once along each of `axes`: `along(2, &[0, 0, 1])` is ∂³/∂x²∂y.
    ///
    /// # Errors
    /// [`Error::Derivative`] for an axis that does not exist or more than [`MAX_ORDER`] axes.
    pub fn along(dim: usize, axes: &[usize]) -> Result<Self> {
        let mut orders = vec![0u8; dim];
        if axes.len() > MAX_ORDER {
            return Err(Error::Derivative {
                what: format!("a derivative of order {}", axes.len()),
                needs: "orders 0 to 4 are propagated; write higher ones as a system of lower order",
            });
        }
        for &axis in axes {
            let Some(order) = orders.get_mut(axis) else {
                return Err(Error::Derivative {
                    what: format!("a derivative along axis {axis} of {dim}"),
                    needs: "axes count from 0",
                });
            };
            *order += 1;
        }
        Ok(Self(orders))
    }

    pub(crate) fn from_orders(orders: Vec<u8>) -> Self {
        Self(orders)
    }

    /// Coordinates.
    pub fn dim(&self) -> usize {
        self.0.len()
    }

    /// How often it differentiates along each coordinate.
    pub fn orders(&self) -> &[u8] {
        &self.0
    }

    /// How often it differentiates in all.
    pub fn order(&self) -> usize {
        self.0.iter().map(|o| usize::from(*o)).sum()
    }

    /// Each differentiation's axis, in order.
    pub(crate) fn axes(&self) -> Vec<usize> {
        let axes = self.0.iter().enumerate();
        axes.flat_map(|(axis, &order)| std::iter::repeat_n(axis, usize::from(order))).collect()
    }

    /// Those that differentiate no more often along any coordinate, itself among them.
    pub(crate) fn below(&self) -> Vec<Self> {
        let mut all = vec![vec![]];
        for &order in &self.0 {
            let longer = |head: Vec<u8>| (0..=order).map(move |o| head.iter().copied().chain([o]).collect());
            all = all.into_iter().flat_map(longer).collect();
        }
        all.into_iter().map(Self).collect()
    }
}

/// The highest order of a derivative.
pub const MAX_ORDER: usize = 4;

impl fmt::Display for Derivative {
    /// `u`, `u_0`, `u_00`, `u_01`: a digit an axis.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "u")?;
        let axes = self.axes();
        if !axes.is_empty() {
            write!(f, "_")?;
        }
        axes.iter().try_for_each(|a| write!(f, "{a}"))
    }
}

/// What one stream carries: Σ c ∂^α, a linear combination of derivatives. A combination that an equation uses only as a whole
/// costs one stream, however many terms it has: the Laplacian in d dimensions needs 2 + d streams instead of 1 + 2d.
///
/// # Reference
/// R. Li, H. Ye, D. Jiang et al., A computational framework for neural network-based variational Monte Carlo with forward
/// Laplacian, Nature Machine Intelligence 6 (2024), doi:10.1038/s42256-024-00794-x.
#[derive(Clone, Debug, PartialEq)]
pub struct Differential(Vec<(f64, Derivative)>);

impl Differential {
    /// Σ c ∂^α. Terms of the same derivative are added.
    ///
    /// # Errors
    /// [`Error::Derivative`] for no terms, a coefficient that is not finite, terms of different dimension, an order above
    /// [`MAX_ORDER`], or the value itself among other terms.
    pub fn new(terms: &[(f64, Derivative)]) -> Result<Self> {
        let refuse = |what: String, needs| Err(Error::Derivative { what, needs });
        let Some((_, first)) = terms.first() else {
            return refuse("a combination of no derivatives".into(), "give it at least one");
        };
        let mut sum: Vec<(f64, Derivative)> = vec![];
        for (c, d) in terms {
            if !c.is_finite() {
                return refuse(format!("coefficient {c} of {d}"), "coefficients must be finite");
            }
            if d.dim() != first.dim() {
                return refuse(format!("{d} in {} coordinates among others", d.dim()), "use one dimension");
            }
            if d.order() > MAX_ORDER {
                return refuse(d.to_string(), "orders 0 to 4 are propagated");
            }
            if d.order() == 0 && (terms.len() > 1 || *c != 1.0) {
                return refuse("the value in a combination".into(), "add it outside the combination");
            }
            match sum.iter_mut().find(|(_, e)| e == d) {
                Some((sum, _)) => *sum += c,
                None => sum.push((*c, d.clone())),
            }
        }
        sum.sort_by(|a, b| a.1.cmp(&b.1));
        Ok(Self(sum))
    }

    /// Δ in `dim` coordinates.
    ///
    /// # Errors
    /// [`Error::Derivative`] when `dim` is 0.
    pub fn laplacian(dim: usize) -> Result<Self> {
        Self::diagonal(&vec![1.0; dim])
    }

    /// Σ cᵢ ∂²/∂xᵢ², without the coordinates whose coefficient is 0.
    ///
    /// # Errors
    /// [`Error::Derivative`] when no coefficient is left, or one is not finite.
    pub fn diagonal(coefficients: &[f64]) -> Result<Self> {
        let used = coefficients.iter().enumerate().filter(|(_, c)| **c != 0.0);
        let term = |(i, c): (usize, &f64)| Ok((*c, Derivative::along(coefficients.len(), &[i, i])?));
        Self::new(&used.map(term).collect::<Result<Vec<_>>>()?)
    }

    /// Its terms, ordered.
    pub fn terms(&self) -> &[(f64, Derivative)] {
        &self.0
    }

    /// Coordinates.
    pub fn dim(&self) -> usize {
        self.0[0].1.dim()
    }

    /// The derivative it is, if it is one alone with coefficient 1.
    pub fn single(&self) -> Option<&Derivative> {
        match &self.0[..] {
            [(c, d)] if *c == 1.0 => Some(d),
            _ => None,
        }
    }
}

impl From<Derivative> for Differential {
    fn from(d: Derivative) -> Self {
        Self(vec![(1.0, d)])
    }
}

impl fmt::Display for Differential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (c, d)) in self.0.iter().enumerate() {
            match (i, *c == 1.0) {
                (0, true) => write!(f, "{d}")?,
                (0, false) => write!(f, "{c} {d}")?,
                (_, true) => write!(f, " + {d}")?,
                (_, false) => write!(f, " + {c} {d}")?,
            }
        }
        Ok(())
    }
}
