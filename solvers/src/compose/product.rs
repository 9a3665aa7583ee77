//! AB.

use super::{Room, enter};
use crate::{Error, LinearOperator, Map, Operator, Result, Shape, Space};

/// AB: first B, then A. Claims nothing.
pub struct Product<S: Space, A, B> {
    a: A,
    b: B,
    between: Room<S>,
}

impl<S: Space, A: Map, B: Map> Product<S, A, B> {
    /// `a` after `b`.
    ///
    /// # Errors
    /// [`Error::Shape`] when they do not compose; [`Error::Memory`].
    pub fn new(space: &S, a: A, b: B) -> Result<Self> {
        let (left, right) = (a.shape(), b.shape());
        if left.cols != right.rows {
            return Err(Error::Shape { what: "AB", left, right });
        }
        Ok(Self { a, b, between: space.zeros(right.rows)?.into() })
    }
}

impl<S: Space, A: Map, B: Map> Map for Product<S, A, B> {
    fn shape(&self) -> Shape {
        Shape { rows: self.a.shape().rows, cols: self.b.shape().cols }
    }
}

impl<S: Space, A: Operator<S>, B: Operator<S>> Operator<S> for Product<S, A, B> {
    fn apply(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        let mut between = enter(&self.between);
        self.b.apply(space, x, &mut between)?;
        self.a.apply(space, &between, y)
    }
}

impl<S: Space, A: LinearOperator<S>, B: LinearOperator<S>> LinearOperator<S> for Product<S, A, B> {
    fn apply_transpose(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        let mut between = enter(&self.between);
        self.a.apply_transpose(space, x, &mut between)?;
        self.b.apply_transpose(space, &between, y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Csr, Host, Properties};

    #[test]
    fn a_product_is_the_matrix_product() {
        let space = Host::<f64>::new();
        let a = Csr::from_triplets(1, 2, &[(0, 0, 2.0), (0, 1, 3.0)]).unwrap();
        let b = Csr::from_triplets(2, 3, &[(0, 2, 5.0), (1, 0, 7.0)]).unwrap();
        let ab = Product::new(&space, &a, &b).unwrap();
        assert_eq!((ab.shape(), ab.properties()), (Shape { rows: 1, cols: 3 }, Properties::NONE));
        let (mut y, mut t) = ([0.0], [0.0; 3]);
        ab.apply(&space, &[1.0, 10.0, 100.0], &mut y).unwrap();
        ab.apply_transpose(&space, &[2.0], &mut t).unwrap();
        assert_eq!((y, t), ([1021.0], [42.0, 0.0, 20.0]));
        assert!(matches!(Product::new(&space, &b, &a), Err(Error::Shape { .. })));
    }
}
