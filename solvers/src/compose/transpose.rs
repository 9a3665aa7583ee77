//! The transpose of an operator.

use crate::{LinearOperator, Map, Operator, Properties, Result, Shape, Space};

/// Aᵀ, by A's own transpose product.
#[derive(Clone, Copy, Debug)]
pub struct Transpose<A>(pub A);

impl<A: Map> Map for Transpose<A> {
    fn shape(&self) -> Shape {
        let Shape { rows, cols } = self.0.shape();
        Shape { rows: cols, cols: rows }
    }
    fn properties(&self) -> Properties {
        self.0.properties()
    }
}

impl<S: Space, A: LinearOperator<S>> Operator<S> for Transpose<A> {
    fn apply(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        self.0.apply_transpose(space, x, y)
    }
}

impl<S: Space, A: LinearOperator<S>> LinearOperator<S> for Transpose<A> {
    fn apply_transpose(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        self.0.apply(space, x, y)
    }
    fn project(&self, space: &S, v: &mut S::Slice) -> Result<()> {
        self.0.project(space, v)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Csr, Error, Host};

    #[test]
    fn transposing_twice_is_the_operator() {
        let a = Csr::from_triplets(2, 3, &[(0, 0, 1.0), (0, 2, 2.0), (1, 1, 3.0)]).unwrap();
        let (space, t) = (Host::<f64>::new(), Transpose(&a));
        assert_eq!(t.shape(), Shape { rows: 3, cols: 2 });
        let mut y = [0.0; 3];
        t.apply(&space, &[1.0, 10.0], &mut y).unwrap();
        assert_eq!(y, [1.0, 30.0, 2.0]);
        let mut y = [0.0; 2];
        Transpose(t).apply(&space, &[1.0, 1.0, 1.0], &mut y).unwrap();
        assert_eq!(y, [3.0, 3.0]);
    }

    #[test]
    fn an_operator_without_a_transpose_says_so() {
        struct Blind;
        impl Map for Blind {
            fn shape(&self) -> Shape {
                Shape::square(1)
            }
        }
        impl Operator<Host<f64>> for Blind {
            fn apply(&self, _: &Host<f64>, x: &[f64], y: &mut [f64]) -> Result<()> {
                y.copy_from_slice(x);
                Ok(())
            }
        }
        impl LinearOperator<Host<f64>> for Blind {}
        let refused = Transpose(Blind).apply(&Host::new(), &[1.0], &mut [0.0]);
        assert!(matches!(refused, Err(Error::NoTranspose(_))));
    }
}
