//! A + B.

use super::{Room, enter};
use crate::{Error, LinearOperator, Map, Operator, Positivity, Properties, Result, Scalar, Shape, Space};

/// A + B. Symmetric when both are; definite when one is definite and the other at least semidefinite.
pub struct Sum<S: Space, A, B> {
    a: A,
    b: B,
    room: Room<S>,
    back: Room<S>,
}

impl<S: Space, A: Map, B: Map> Sum<S, A, B> {
    /// `a` + `b`.
    ///
    /// # Errors
    /// [`Error::Shape`] when they do not have the same shape; [`Error::Memory`].
    pub fn new(space: &S, a: A, b: B) -> Result<Self> {
        let (left, right) = (a.shape(), b.shape());
        if left != right {
            return Err(Error::Shape { what: "A + B", left, right });
        }
        let (room, back) = (space.zeros(left.rows)?.into(), space.zeros(left.cols)?.into());
        Ok(Self { a, b, room, back })
    }
}

impl<S: Space, A: Map, B: Map> Map for Sum<S, A, B> {
    fn shape(&self) -> Shape {
        self.a.shape()
    }
    fn properties(&self) -> Properties {
        let (a, b) = (self.a.properties(), self.b.properties());
        let weaker = a.positivity.min(b.positivity);
        let positivity = match (weaker, a.positivity.max(b.positivity)) {
            (Positivity::Unknown, _) => Positivity::Unknown,
            (_, Positivity::Definite) => Positivity::Definite,
            // The null space of a sum of semidefinite operators is not known here.
            _ => Positivity::Unknown,
        };
        Properties { symmetric: a.symmetric && b.symmetric, positivity }
    }
}

impl<S: Space, A: Operator<S>, B: Operator<S>> Operator<S> for Sum<S, A, B> {
    fn apply(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        let mut room = enter(&self.room);
        self.a.apply(space, x, y)?;
        self.b.apply(space, x, &mut room)?;
        space.axpby(S::Scalar::of(1.0), &room, S::Scalar::of(1.0), y)
    }
}

impl<S: Space, A: LinearOperator<S>, B: LinearOperator<S>> LinearOperator<S> for Sum<S, A, B> {
    fn apply_transpose(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        let mut back = enter(&self.back);
        self.a.apply_transpose(space, x, y)?;
        self.b.apply_transpose(space, x, &mut back)?;
        space.axpby(S::Scalar::of(1.0), &back, S::Scalar::of(1.0), y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Csr, Host, compose::Identity};

    #[test]
    fn parts_are_added() {
        let space = Host::<f64>::new();
        let a = Csr::from_triplets(2, 2, &[(0, 1, 3.0)]).unwrap();
        let sum = Sum::new(&space, &a, Identity::new(2)).unwrap();
        let (mut y, mut t) = ([f64::NAN; 2], [f64::NAN; 2]);
        sum.apply(&space, &[1.0, 2.0], &mut y).unwrap();
        sum.apply_transpose(&space, &[1.0, 2.0], &mut t).unwrap();
        assert_eq!((y, t), ([7.0, 2.0], [1.0, 5.0]));
        assert_eq!(sum.properties(), Properties::NONE);
        let semi = a.clone().assume(Properties::SEMIDEFINITE);
        assert_eq!(Sum::new(&space, &semi, Identity::new(2)).unwrap().properties(), Properties::SPD);
        assert!(!Sum::new(&space, &semi, &semi).unwrap().properties().admits_cg());
        assert!(matches!(Sum::new(&space, &a, Identity::new(3)), Err(Error::Shape { .. })));
    }
}
