//! A + sI, and cA.

use super::finite;
use crate::{Error, LinearOperator, Map, Operator, Positivity, Properties, Result, Scalar, Shape, Space};

/// A + sI. Definite when A is at least semidefinite and s > 0; of unknown sign when s < 0.
///
/// Bytes beyond a product of A, in f64: 24 an unknown.
#[derive(Clone, Copy, Debug)]
pub struct Shifted<A> {
    a: A,
    s: f64,
}

impl<A: Map> Shifted<A> {
    /// `a` + `s` I.
    ///
    /// # Errors
    /// [`Error::Shape`] when `a` is not square; [`Error::Parameter`] when `s` is not finite.
    pub fn new(a: A, s: f64) -> Result<Self> {
        let right = a.shape();
        if !right.is_square() {
            return Err(Error::Shape { what: "A + sI", left: Shape::square(right.rows), right });
        }
        Ok(Self { a, s: finite("the shift", s)? })
    }
}

impl<A: Map> Map for Shifted<A> {
    fn shape(&self) -> Shape {
        self.a.shape()
    }
    fn properties(&self) -> Properties {
        let of_a = self.a.properties();
        let positivity = match of_a.positivity {
            known if self.s == 0.0 => known,
            Positivity::Semidefinite | Positivity::Definite if self.s > 0.0 => Positivity::Definite,
            _ => Positivity::Unknown,
        };
        Properties { positivity, ..of_a }
    }
}

impl<S: Space, A: Operator<S>> Operator<S> for Shifted<A> {
    fn apply(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        self.a.apply(space, x, y)?;
        space.axpby(S::Scalar::of(self.s), x, S::Scalar::of(1.0), y)
    }
}

impl<S: Space, A: LinearOperator<S>> LinearOperator<S> for Shifted<A> {
    fn apply_transpose(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        self.a.apply_transpose(space, x, y)?;
        space.axpby(S::Scalar::of(self.s), x, S::Scalar::of(1.0), y)
    }
    fn project(&self, space: &S, v: &mut S::Slice) -> Result<()> {
        if self.s == 0.0 { self.a.project(space, v) } else { Ok(()) }
    }
}

/// cA. Keeps what A claims when c > 0, and only its symmetry otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Scaled<A> {
    c: f64,
    a: A,
}

impl<A: Map> Scaled<A> {
    /// `c` · `a`.
    ///
    /// # Errors
    /// [`Error::Parameter`] when `c` is not finite.
    pub fn new(c: f64, a: A) -> Result<Self> {
        Ok(Self { c: finite("the factor", c)?, a })
    }

    fn scale<S: Space>(&self, space: &S, y: &mut S::Slice) -> Result<()> {
        space.scale(S::Scalar::of(self.c), y)
    }
}

impl<A: Map> Map for Scaled<A> {
    fn shape(&self) -> Shape {
        self.a.shape()
    }
    fn properties(&self) -> Properties {
        let of_a = self.a.properties();
        if self.c > 0.0 { of_a } else { Properties { symmetric: of_a.symmetric, ..Properties::NONE } }
    }
}

impl<S: Space, A: Operator<S>> Operator<S> for Scaled<A> {
    fn apply(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        self.a.apply(space, x, y)?;
        self.scale(space, y)
    }
}

impl<S: Space, A: LinearOperator<S>> LinearOperator<S> for Scaled<A> {
    fn apply_transpose(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        self.a.apply_transpose(space, x, y)?;
        self.scale(space, y)
    }
    fn project(&self, space: &S, v: &mut S::Slice) -> Result<()> {
        if self.c == 0.0 { space.fill(S::Scalar::of(0.0), v) } else { self.a.project(space, v) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Csr, Host};

    fn matrix() -> Csr<f64> {
        Csr::from_triplets(2, 2, &[(0, 0, 2.0), (0, 1, 1.0), (1, 0, 1.0), (1, 1, 3.0)]).unwrap()
    }

    #[test]
    fn shifts_and_factors_are_applied() {
        let (space, a) = (Host::<f64>::new(), matrix());
        let mut y = [f64::NAN; 2];
        Shifted::new(&a, -0.5).unwrap().apply(&space, &[1.0, 2.0], &mut y).unwrap();
        assert_eq!(y, [3.5, 6.0]);
        Scaled::new(-2.0, &a).unwrap().apply_transpose(&space, &[1.0, 2.0], &mut y).unwrap();
        assert_eq!(y, [-8.0, -14.0]);
    }

    #[test]
    fn only_what_is_sure_is_claimed() {
        let a = matrix().assume(Properties::SEMIDEFINITE);
        assert_eq!(Shifted::new(&a, 1.0).unwrap().properties(), Properties::SPD);
        assert_eq!(Shifted::new(&a, 0.0).unwrap().properties(), Properties::SEMIDEFINITE);
        assert_eq!(Shifted::new(&a, -1.0).unwrap().properties(), Properties::SYMMETRIC);
        assert_eq!(Scaled::new(2.0, &a).unwrap().properties(), Properties::SEMIDEFINITE);
        assert_eq!(Scaled::new(-2.0, &a).unwrap().properties(), Properties::SYMMETRIC);
        assert!(matches!(Scaled::new(f64::NAN, &a), Err(Error::Parameter { .. })));
        let wide = Csr::from_triplets(1, 2, &[(0, 0, 1.0)]).unwrap();
        assert!(matches!(Shifted::new(&wide, 1.0), Err(Error::Shape { .. })));
    }
}
