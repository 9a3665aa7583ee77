//! Diagonal matrices.

use crate::operator::check_apply;
use crate::{Error, LinearOperator, Map, Operator, Properties, Result, Scalar, Shape, Space};

/// A diagonal matrix. In f64: 24 bytes an unknown and product.
///
/// ```
/// use resolvent::{Diagonal, Host, Map, Operator, Properties};
/// let space = Host::<f64>::new();
/// let d = Diagonal::new(&space, &[2.0, 3.0])?;
/// let mut y = [0.0; 2];
/// d.apply(&space, &[1.0, 10.0], &mut y)?;
/// assert_eq!((y, d.properties()), ([2.0, 30.0], Properties::SPD));
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Diagonal<S: Space> {
    entries: S::Buf,
    n: usize,
    properties: Properties,
}

impl<S: Space> Diagonal<S> {
    /// With the given entries. Definite when all are positive.
    ///
    /// # Errors
    /// [`Error::Value`] for an entry that is not finite; [`Error::Memory`].
    pub fn new(space: &S, entries: &[S::Scalar]) -> Result<Self> {
        if let Some(index) = entries.iter().position(|v| !v.f64().is_finite()) {
            let value = entries[index].f64();
            return Err(Error::Value {
                what: "a diagonal",
                index,
                value,
                needs: "every entry must be finite",
            });
        }
        let positive = entries.iter().all(|v| v.f64() > 0.0);
        let properties = if positive { Properties::SPD } else { Properties::SYMMETRIC };
        let n = entries.len();
        let mut buffer = space.zeros(n)?;
        space.upload(entries, &mut buffer)?;
        Ok(Self { entries: buffer, n, properties })
    }
}

impl<S: Space> Map for Diagonal<S> {
    fn shape(&self) -> Shape {
        Shape::square(self.n)
    }
    fn properties(&self) -> Properties {
        self.properties
    }
}

impl<S: Space> Operator<S> for Diagonal<S> {
    fn apply(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        check_apply(space, self.shape(), x, y)?;
        space.multiply(S::Scalar::of(1.0), &self.entries, x, S::Scalar::of(0.0), y)
    }
}

impl<S: Space> LinearOperator<S> for Diagonal<S> {
    fn apply_dot(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<f64> {
        check_apply(space, self.shape(), x, y)?;
        space.multiply_dot(&self.entries, x, y)
    }
    fn apply_dot_to(&self, space: &S, x: &S::Slice, y: &mut S::Slice, out: &mut S::Value) -> Result<()> {
        check_apply(space, self.shape(), x, y)?;
        space.multiply_dot_to(&self.entries, x, y, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Host;

    #[test]
    fn signs_decide_what_is_claimed() {
        let space = Host::<f32>::new();
        assert_eq!(Diagonal::new(&space, &[1.0, 0.0]).unwrap().properties(), Properties::SYMMETRIC);
        assert!(matches!(Diagonal::new(&space, &[1.0, f32::NAN]), Err(Error::Value { index: 1, .. })));
        let d = Diagonal::new(&space, &[1.0]).unwrap();
        assert!(matches!(d.apply(&space, &[1.0], &mut [0.0; 2]), Err(Error::Length { .. })));
    }
}
