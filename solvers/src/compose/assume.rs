//! Claims that only the caller can make.

use crate::operator::forward_products;
use crate::{LinearOperator, Map, Operator, Properties, Result, Shape, Space};

/// An operator with the properties its caller claims for it, in place of its own.
///
/// A false claim costs the solve, never its truth: a solver checks what it can on the way, and says `Converged` of a true
/// residual only. The projection onto the range stays the operator's own.
///
/// ```
/// use resolvent::{Assume, Csr, Map, Properties};
/// let a = Csr::from_triplets(1, 1, &[(0, 0, 2.0)])?;
/// assert!(!a.properties().admits_cg());
/// assert!(Assume::new(&a, Properties::SPD).properties().admits_cg());
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Assume<A> {
    a: A,
    properties: Properties,
}

impl<A> Assume<A> {
    /// `a`, which is known to have `properties`.
    pub fn new(a: A, properties: Properties) -> Self {
        Self { a, properties }
    }
}

impl<A: Map> Map for Assume<A> {
    fn shape(&self) -> Shape {
        self.a.shape()
    }
    fn properties(&self) -> Properties {
        self.properties
    }
}

impl<S: Space, A: Operator<S>> Operator<S> for Assume<A> {
    fn apply(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        self.a.apply(space, x, y)
    }
}

impl<S: Space, A: LinearOperator<S>> LinearOperator<S> for Assume<A> {
    fn apply_transpose(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        if self.properties.symmetric {
            self.a.apply(space, x, y)
        } else {
            self.a.apply_transpose(space, x, y)
        }
    }
    forward_products!(S, self => self.a);
    fn project(&self, space: &S, v: &mut S::Slice) -> Result<()> {
        self.a.project(space, v)
    }
}
