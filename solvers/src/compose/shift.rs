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
