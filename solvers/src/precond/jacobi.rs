//! The inverse of the diagonal.

use crate::error::check_len;
use crate::operator::check_apply;
use crate::{Error, LinearOperator, Map, Operator, Properties, Result, Scalar, Shape, Space};

/// z ← D⁻¹r. In f64: 24 bytes an unknown.
///
/// A zero on the diagonal stays zero: the cell carries no unknown.
///
/// ```
/// use resolvent::{Host, Operator, precond::Jacobi};
/// let space = Host::<f64>::new();
/// let mut z = [0.0; 2];
/// Jacobi::new(&space, &[4.0, 0.0])?.apply(&space, &[1.0, 1.0], &mut z)?;
/// assert_eq!(z, [0.25, 0.0]);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Jacobi<S: Space> {
    inverse: S::Buf,
    n: usize,
    properties: Properties,
}

impl<S: Space> Jacobi<S> {
    /// For a matrix with this diagonal.
    ///
    /// # Errors
    /// [`Error::Pivot`] for an entry that is negative or not finite; [`Error::Memory`].
    pub fn new(space: &S, diagonal: &[S::Scalar]) -> Result<Self> {
        let n = diagonal.len();
        let mut jacobi = Self { inverse: space.zeros(n)?, n, properties: Properties::SPD };
        jacobi.update_values(space, diagonal)?;
        Ok(jacobi)
    }

    /// Takes another diagonal of the same length.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`Error::Length`].
    pub fn update_values(&mut self, space: &S, diagonal: &[S::Scalar]) -> Result<()> {
        check_len("the diagonal", self.n, diagonal.len())?;
        if let Some(row) = diagonal.iter().position(|d| !(d.f64().is_finite() && d.f64() >= 0.0)) {
            return Err(Error::Pivot { what: "Jacobi", row, pivot: diagonal[row].f64() });
        }
        let one = S::Scalar::of(1.0);
        let zero = S::Scalar::of(0.0);
        let inverse: Vec<_> = diagonal.iter().map(|d| if *d > zero { one / *d } else { zero }).collect();
        let full = diagonal.iter().all(|d| *d > zero);
        self.properties = if full { Properties::SPD } else { Properties::SEMIDEFINITE };
        space.upload(&inverse, &mut self.inverse)
    }
}

impl<S: Space> Map for Jacobi<S> {
    fn shape(&self) -> Shape {
        Shape::square(self.n)
    }
    fn properties(&self) -> Properties {
        self.properties
    }
}

impl<S: Space> Operator<S> for Jacobi<S> {
    fn apply(&self, space: &S, r: &S::Slice, z: &mut S::Slice) -> Result<()> {
        check_apply(space, self.shape(), r, z)?;
        space.multiply(S::Scalar::of(1.0), &self.inverse, r, S::Scalar::of(0.0), z)
    }
}

impl<S: Space> LinearOperator<S> for Jacobi<S> {
    fn apply_dot(&self, space: &S, r: &S::Slice, z: &mut S::Slice) -> Result<f64> {
        check_apply(space, self.shape(), r, z)?;
        space.multiply_dot(&self.inverse, r, z)
    }
    fn apply_dot_to(&self, space: &S, r: &S::Slice, z: &mut S::Slice, out: &mut S::Value) -> Result<()> {
        check_apply(space, self.shape(), r, z)?;
        space.multiply_dot_to(&self.inverse, r, z, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Host;

    #[test]
    fn a_negative_diagonal_is_refused() {
        let space = Host::<f64>::new();
        assert!(matches!(Jacobi::new(&space, &[1.0, -2.0]), Err(Error::Pivot { row: 1, pivot: -2.0, .. })));
        assert!(matches!(Jacobi::new(&space, &[f64::INFINITY]), Err(Error::Pivot { row: 0, .. })));
        let mut jacobi = Jacobi::new(&space, &[1.0, 2.0]).unwrap();
        assert_eq!(jacobi.properties(), Properties::SPD);
        assert!(matches!(jacobi.update_values(&space, &[1.0]), Err(Error::Length { .. })));
        jacobi.update_values(&space, &[0.0, 8.0]).unwrap();
        assert_eq!(jacobi.properties(), Properties::SEMIDEFINITE);
        let mut z = [f64::NAN; 2];
        jacobi.apply(&space, &[1.0, 1.0], &mut z).unwrap();
        assert_eq!(z, [0.0, 0.125]);
    }
}
