//! Fixed points of affine maps, by Krylov methods.

use super::{FixedPointOptions, Iteration};
use crate::operator::check_apply;
use crate::{Bicgstab, Gmres, LinearOperator, Map, Operator, Progress, Report, Result, Scalar, Shape, Space};
use std::ops::ControlFlow;

/// v ↦ v − (T(v) − T(0)), which is I − A for an affine map T(x) = Ax + b: x is its fixed point when this gives T(0).
pub struct AffineResidual<'a, S: Space> {
    map: &'a dyn Operator<S>,
    constant: &'a S::Slice,
}

impl<'a, S: Space> AffineResidual<'a, S> {
    /// Of a map and its value `constant` at 0.
    pub fn new(map: &'a dyn Operator<S>, constant: &'a S::Slice) -> Self {
        Self { map, constant }
    }
}

impl<S: Space> Map for AffineResidual<'_, S> {
    fn shape(&self) -> Shape {
        self.map.shape()
    }
}

impl<S: Space> Operator<S> for AffineResidual<'_, S> {
    fn apply(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        check_apply(space, self.shape(), x, y)?;
        let one = S::Scalar::of(1.0);
        self.map.apply(space, x, y)?;
        space.axpby(one, self.constant, -one, y)?;
        space.axpby(one, x, one, y)
    }
}

impl<S: Space> LinearOperator<S> for AffineResidual<'_, S> {}

/// A Krylov method and T(0).
pub(super) struct AffineSolver<S: Space> {
    method: Method<S>,
    constant: S::Buf,
    zero: S::Buf,
}

enum Method<S: Space> {
    Gmres(Box<Gmres<S>>),
    Bicgstab(Bicgstab<S>),
}

impl<S: Space> AffineSolver<S> {
    pub fn new(space: &S, n: usize, options: &FixedPointOptions) -> Result<Self> {
        let method = match options.iteration {
            Iteration::Gmres { restart } => {
                Method::Gmres(Gmres::with_restart(space, n, options.stop, restart)?.into())
            }
            _ => Method::Bicgstab(Bicgstab::new(space, n, options.stop)?),
        };
        Ok(Self { method, constant: space.zeros(n)?, zero: space.zeros(n)? })
    }

    pub fn history(&self) -> &[f64] {
        match &self.method {
            Method::Gmres(m) => m.history(),
            Method::Bicgstab(m) => m.history(),
        }
    }

    pub fn solve(
        &mut self,
        space: &S,
        map: &dyn Operator<S>,
        x: &mut S::Slice,
        watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        map.apply(space, &self.zero, &mut self.constant)?;
        let a = AffineResidual::new(map, &self.constant);
        match &mut self.method {
            Method::Gmres(m) => m.solve_watched(space, &a, None, &self.constant, x, watch),
            Method::Bicgstab(m) => m.solve_watched(space, &a, None, &self.constant, x, watch),
        }
    }
}
