//! The one trait everything is applied through.

use crate::{Error, Result, Scalar, Space};
use std::fmt;
use std::sync::Arc;

/// Rows and columns of an operator: it maps a vector of length `cols` to one of length `rows`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Length of the result.
    pub rows: usize,
    /// Length of the argument.
    pub cols: usize,
}

impl Shape {
    /// n × n.
    pub fn square(n: usize) -> Self {
        Self { rows: n, cols: n }
    }
    /// Whether rows and columns agree.
    pub fn is_square(self) -> bool {
        self.rows == self.cols
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.rows, self.cols)
    }
}

/// What is known of xᵀAx.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Positivity {
    /// Nothing.
    #[default]
    Unknown,
    /// xᵀAx ≥ 0, and [`LinearOperator::project`] knows the null space.
    Semidefinite,
    /// xᵀAx > 0 for every x ≠ 0.
    Definite,
}

/// What an operator claims of itself. A claim is probed by the conformance suite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// ⟨Ax, y⟩ = ⟨x, Ay⟩.
    pub symmetric: bool,
    /// The sign of xᵀAx.
    pub positivity: Positivity,
}

impl Properties {
    /// Nothing is claimed.
    pub const NONE: Self = Self { symmetric: false, positivity: Positivity::Unknown };
    /// Symmetric, of unknown sign.
    pub const SYMMETRIC: Self = Self { symmetric: true, positivity: Positivity::Unknown };
    /// Symmetric positive semidefinite with a null space that `project` removes.
    pub const SEMIDEFINITE: Self = Self { symmetric: true, positivity: Positivity::Semidefinite };
    /// Symmetric positive definite.
    pub const SPD: Self = Self { symmetric: true, positivity: Positivity::Definite };

    /// Whether conjugate gradients may be used: symmetric, and at least semidefinite.
    pub fn admits_cg(self) -> bool {
        self.symmetric && self.positivity >= Positivity::Semidefinite
    }
}

/// What is true of an operator wherever it runs. Not generic over the space, so that `shape` is never ambiguous.
pub trait Map: Send + Sync {
    /// Rows and columns.
    fn shape(&self) -> Shape;
    /// What it claims of itself.
    fn properties(&self) -> Properties {
        Properties::NONE
    }
}

/// x ↦ y, possibly nonlinear: a learned direction, a graph update, a preconditioner.
pub trait Operator<S: Space>: Map {
    /// y ← A(x), with `x: [cols]`, `y: [rows]`. What `y` held before is not read.
    ///
    /// # Errors
    /// [`Error::Length`] when a vector does not fit the shape.
    fn apply(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()>;
}

/// The linear ones: a matrix, a stencil, a Jacobian, a V-cycle, a Hessian.
pub trait LinearOperator<S: Space>: Operator<S> {
    /// y ← Aᵀx, with `x: [rows]`, `y: [cols]`.
    ///
    /// # Errors
    /// [`Error::NoTranspose`] unless the operator is symmetric or overrides this.
    fn apply_transpose(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        if self.properties().symmetric {
            self.apply(space, x, y)
        } else {
            Err(Error::NoTranspose("this operator"))
        }
    }

    /// y ← Ax; returns x·y, in one pass where the operator can. For square operators.
    fn apply_dot(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<f64> {
        self.apply(space, x, y)?;
        space.dot(x, y)
    }

    /// p ← z + βp, then q ← Ap; returns p·q. The product of a conjugate-gradient step, in one pass where the
    /// operator can. `beta = 0` overwrites `p`.
    fn update_apply_dot(
        &self,
        space: &S,
        z: &S::Slice,
        beta: S::Scalar,
        p: &mut S::Slice,
        q: &mut S::Slice,
    ) -> Result<f64> {
        space.axpby(S::Scalar::of(1.0), z, beta, p)?;
        self.apply_dot(space, p, q)
    }

    /// As [`apply_dot`](Self::apply_dot), out ← x·y.
    ///
    /// # Errors
    /// As [`apply`](Operator::apply).
    fn apply_dot_to(&self, space: &S, x: &S::Slice, y: &mut S::Slice, out: &mut S::Value) -> Result<()> {
        space.set(self.apply_dot(space, x, y)?, out)
    }

    /// As [`update_apply_dot`](Self::update_apply_dot), out ← p·q.
    ///
    /// # Errors
    /// As [`apply`](Operator::apply).
    fn update_apply_dot_to(
        &self,
        space: &S,
        z: &S::Slice,
        beta: &S::Value,
        p: &mut S::Slice,
        q: &mut S::Slice,
        out: &mut S::Value,
    ) -> Result<()> {
        let [beta] = space.read([beta])?;
        space.set(self.update_apply_dot(space, z, S::Scalar::of(beta), p, q)?, out)
    }

    /// v ← Pv, the orthogonal projection onto the range of a symmetric operator whose null space is known: what is left of
    /// `v` when its part in the null space is removed. Nothing to do for a regular one, or one whose null space is unknown.
    fn project(&self, _space: &S, _v: &mut S::Slice) -> Result<()> {
        Ok(())
    }
}

/// The fused products of a wrapper that are those of the operator inside.
macro_rules! forward_products {
    ($space:ty, $self:ident => $inner:expr) => {
        fn apply_dot(
            &$self,
            space: &$space,
            x: &<$space as $crate::Space>::Slice,
            y: &mut <$space as $crate::Space>::Slice,
        ) -> $crate::Result<f64> {
            $inner.apply_dot(space, x, y)
        }
        fn update_apply_dot(
            &$self,
            space: &$space,
            z: &<$space as $crate::Space>::Slice,
            beta: <$space as $crate::Space>::Scalar,
            p: &mut <$space as $crate::Space>::Slice,
            q: &mut <$space as $crate::Space>::Slice,
        ) -> $crate::Result<f64> {
            $inner.update_apply_dot(space, z, beta, p, q)
        }
        fn apply_dot_to(
            &$self,
            space: &$space,
            x: &<$space as $crate::Space>::Slice,
            y: &mut <$space as $crate::Space>::Slice,
            out: &mut <$space as $crate::Space>::Value,
        ) -> $crate::Result<()> {
            $inner.apply_dot_to(space, x, y, out)
        }
        fn update_apply_dot_to(
            &$self,
            space: &$space,
            z: &<$space as $crate::Space>::Slice,
            beta: &<$space as $crate::Space>::Value,
            p: &mut <$space as $crate::Space>::Slice,
            q: &mut <$space as $crate::Space>::Slice,
            out: &mut <$space as $crate::Space>::Value,
        ) -> $crate::Result<()> {
            $inner.update_apply_dot_to(space, z, beta, p, q, out)
        }
    };
}
pub(crate) use forward_products;

/// A pointer to an operator is the operator.
macro_rules! pointer {
    ($($pointer:ty),+) => {$(
        impl<A: Map + ?Sized> Map for $pointer {
            fn shape(&self) -> Shape {
                (**self).shape()
            }
            fn properties(&self) -> Properties {
                (**self).properties()
            }
        }

        impl<S: Space, A: Operator<S> + ?Sized> Operator<S> for $pointer {
            fn apply(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
                (**self).apply(space, x, y)
            }
        }

        impl<S: Space, A: LinearOperator<S> + ?Sized> LinearOperator<S> for $pointer {
            fn apply_transpose(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
                (**self).apply_transpose(space, x, y)
            }
            forward_products!(S, self => (**self));
            fn project(&self, space: &S, v: &mut S::Slice) -> Result<()> {
                (**self).project(space, v)
            }
        }
    )+};
}
pointer!(&A, Box<A>, Arc<A>);

/// Checks `x: [cols]` and `y: [rows]` against a shape.
///
/// # Errors
/// [`Error::Length`].
pub fn check_apply<S: Space>(space: &S, shape: Shape, x: &S::Slice, y: &S::Slice) -> Result<()> {
    crate::error::check_len("x", shape.cols, space.len(x))?;
    crate::error::check_len("y", shape.rows, space.len(y))
}
