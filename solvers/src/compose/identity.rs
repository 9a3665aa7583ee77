//! I, and I − A.

use crate::operator::check_apply;
use crate::{Error, LinearOperator, Map, Operator, Properties, Result, Scalar, Shape, Space};

/// The identity on vectors of one length.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    n: usize,
}

impl Identity {
    /// n × n.
    pub fn new(n: usize) -> Self {
        Self { n }
    }
}

impl Map for Identity {
    fn shape(&self) -> Shape {
        Shape::square(self.n)
    }
    fn properties(&self) -> Properties {
        Properties::SPD
    }
}

impl<S: Space> Operator<S> for Identity {
    fn apply(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        check_apply(space, self.shape(), x, y)?;
        space.copy(x, y)
    }
}

impl<S: Space> LinearOperator<S> for Identity {}

/// I − A: what a linear fixed point x = Ax + b solves with. Symmetric if A is; its sign is not known.
///
/// `Scaled` inside gives I − γA.
#[derive(Clone, Copy, Debug)]
pub struct IdentityMinus<A> {
    a: A,
}

impl<A: Map> IdentityMinus<A> {
    /// I − `a`.
    ///
    /// # Errors
    /// [`Error::Shape`] when `a` is not square.
    pub fn new(a: A) -> Result<Self> {
        let left = a.shape();
        if !left.is_square() {
            return Err(Error::Shape { what: "I − A", left: Shape::square(left.rows), right: left });
        }
        Ok(Self { a })
    }
}

impl<A: Map> Map for IdentityMinus<A> {
    fn shape(&self) -> Shape {
        self.a.shape()
    }
    fn properties(&self) -> Properties {
        Properties { symmetric: self.a.properties().symmetric, ..Properties::NONE }
    }
}

impl<S: Space, A: Operator<S>> Operator<S> for IdentityMinus<A> {
    fn apply(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        self.a.apply(space, x, y)?;
        space.axpby(S::Scalar::of(1.0), x, S::Scalar::of(-1.0), y)
    }
}

impl<S: Space, A: LinearOperator<S>> LinearOperator<S> for IdentityMinus<A> {
    fn apply_transpose(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        self.a.apply_transpose(space, x, y)?;
        space.axpby(S::Scalar::of(1.0), x, S::Scalar::of(-1.0), y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Csr, Host};

    #[test]
    fn minus_a_matrix() {
        let a = Csr::from_triplets(2, 2, &[(0, 1, 3.0)]).unwrap();
        let (space, f) = (Host::<f64>::new(), IdentityMinus::new(&a).unwrap());
        let (mut y, mut t) = ([f64::NAN; 2], [f64::NAN; 2]);
        f.apply(&space, &[1.0, 2.0], &mut y).unwrap();
        f.apply_transpose(&space, &[1.0, 2.0], &mut t).unwrap();
        assert_eq!((y, t), ([-5.0, 2.0], [1.0, -1.0]));
        assert_eq!(f.properties(), Properties::NONE);
        let wide = Csr::from_triplets(1, 2, &[(0, 1, 3.0)]).unwrap();
        assert!(matches!(IdentityMinus::new(&wide), Err(Error::Shape { .. })));
        assert!(matches!(
            Identity::new(3).apply(&space, &[0.0; 3], &mut [0.0; 2]),
            Err(Error::Length { .. })
        ));
    }
}
