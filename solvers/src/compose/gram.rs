//! AᵀA.

use super::{Room, enter};
use crate::{LinearOperator, Map, Operator, Properties, Result, Shape, Space};

/// AᵀA: the matrix of least squares, and of Gauss–Newton when A is a Jacobian.
///
/// It claims symmetry only: whether it is definite depends on the rank of A. `Shifted::new(gram, λ)` with an
/// [`Assume`](super::Assume) of [`Properties::SPD`] is the damped form, definite for any A; `Gram` of a
/// [`Transpose`](super::Transpose) is AAᵀ.
///
/// ```
/// use resolvent::{Assume, Cg, Csr, Gram, Host, LinearOperator, Properties, Stop};
/// // Least squares: the line through (0, 1), (1, 2), (2, 3).
/// let a = Csr::from_triplets(3, 2, &[(0, 0, 1.0), (1, 0, 1.0), (1, 1, 1.0), (2, 0, 1.0), (2, 1, 2.0)])?;
/// let (space, mut right, mut x) = (Host::<f64>::new(), [0.0; 2], [0.0; 2]);
/// a.apply_transpose(&space, &[1.0, 2.0, 3.0], &mut right)?;
/// let normal = Assume::new(Gram::new(&space, &a)?, Properties::SPD);
/// let report = Cg::unpreconditioned(&space, 2, Stop::default())?.solve(&space, &normal, None, &right, &mut x)?;
/// assert!((x[0] - 1.0).abs() < 1e-8 && (x[1] - 1.0).abs() < 1e-8, "{report:?}");
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Gram<S: Space, A> {
    a: A,
    between: Room<S>,
}

impl<S: Space, A: Map> Gram<S, A> {
    /// `a`ᵀ`a`.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub fn new(space: &S, a: A) -> Result<Self> {
        let between = space.zeros(a.shape().rows)?.into();
        Ok(Self { a, between })
    }
}

impl<S: Space, A: Map> Map for Gram<S, A> {
    fn shape(&self) -> Shape {
        Shape::square(self.a.shape().cols)
    }
    fn properties(&self) -> Properties {
        Properties::SYMMETRIC
    }
}

impl<S: Space, A: LinearOperator<S>> Operator<S> for Gram<S, A> {
    fn apply(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        let mut between = enter(&self.between);
        self.a.apply(space, x, &mut between)?;
        self.a.apply_transpose(space, &between, y)
    }
}

impl<S: Space, A: LinearOperator<S>> LinearOperator<S> for Gram<S, A> {
    /// x·AᵀAx = ‖Ax‖², without a pass over x.
    fn apply_dot(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<f64> {
        let mut between = enter(&self.between);
        self.a.apply(space, x, &mut between)?;
        self.a.apply_transpose(space, &between, y)?;
        space.dot(&between, &between)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Csr, Host};

    #[test]
    fn the_quadratic_form_is_a_square() {
        let space = Host::<f64>::new();
        let a = Csr::from_triplets(2, 3, &[(0, 0, 1.0), (0, 2, 2.0), (1, 1, 3.0)]).unwrap();
        let g = Gram::new(&space, &a).unwrap();
        let mut y = [f64::NAN; 3];
        assert_eq!(g.apply_dot(&space, &[1.0, 2.0, 3.0], &mut y).unwrap(), 49.0 + 36.0);
        assert_eq!(y, [7.0, 18.0, 14.0]);
        assert_eq!((g.shape(), g.properties()), (Shape::square(3), Properties::SYMMETRIC));
    }
}
