//! The structured operators as linear operators on host vectors.

use super::faces::FaceLaplacian;
use super::flags::{FlagLaplacian, Guarded};
use super::floating::Floating;
use super::poisson::Poisson;
use super::rows::{Row, Rows};
use super::{Stencil, product};
use crate::error::check_len;
use crate::operator::check_apply;
use crate::{Host, LinearOperator, Map, Operator, Properties, Result, Scalar, Shape, Space};
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Implements the operator traits on `Host<$t>` from two views of the coefficients: `$guarded` for vectors that may hold
/// anything in cells that take no part, `$plain` for those that hold 0 there.
macro_rules! structured {
    ([$($g:ident)?] $op:ty, $t:ty, $self:ident => $guarded:expr, $plain:expr, $scratch:expr) => {
        impl $(<$g: Scalar>)? Operator<Host<$t>> for $op {
            fn apply(&$self, space: &Host<$t>, x: &[$t], y: &mut [$t]) -> Result<()> {
                check_apply(space, $self.shape(), x, y)?;
                product::apply($guarded, x, y);
                Ok(())
            }
        }

        impl $(<$g: Scalar>)? LinearOperator<Host<$t>> for $op {
            fn apply_dot(&$self, space: &Host<$t>, x: &[$t], y: &mut [$t]) -> Result<f64> {
                check_apply(space, $self.shape(), x, y)?;
                Ok(with_scratch($scratch, |s| product::apply_dot($guarded, x, y, s)))
            }

            fn update_apply_dot(
                &$self,
                space: &Host<$t>,
                z: &[$t],
                beta: $t,
                p: &mut [$t],
                q: &mut [$t],
            ) -> Result<f64> {
                check_len("z", p.len(), z.len())?;
                check_apply(space, $self.shape(), p, q)?;
                Ok(with_scratch($scratch, |s| product::update_apply_dot($plain, z, beta, p, q, s)))
            }

            fn project(&$self, space: &Host<$t>, v: &mut [$t]) -> Result<()> {
                check_len("v", $self.shape().rows, v.len())?;
                project(space, $plain, $self.active_cells(), $self.floating(), v)
            }
        }
    };
}

structured!([] Poisson, f32, self => &self.inner.single, &self.inner.single, &self.inner.scratch);
structured!([] Poisson, f64, self => &self.inner.double, &self.inner.double, &self.inner.scratch);
structured!([] FlagLaplacian, f32, self => &Guarded(&self.inner.single), &self.inner.single, &self.inner.scratch);
structured!([] FlagLaplacian, f64, self => &Guarded(&self.inner.double), &self.inner.double, &self.inner.scratch);
structured!([T] FaceLaplacian<T>, T, self => &*self.faces, &*self.faces, &self.scratch);

impl Poisson {
    /// All of them, except that nothing flows through a single cell between walls.
    pub(super) fn active_cells(&self) -> usize {
        let cells = self.grid().cells();
        if cells == 1 && self.is_singular() { 0 } else { cells }
    }
    /// Whether no value is prescribed anywhere.
    pub fn is_singular(&self) -> bool {
        self.inner.double.is_singular()
    }
    fn floating(&self) -> &Floating {
        static NOWHERE: Floating = Floating::Nowhere;
        static EVERYWHERE: Floating = Floating::Everywhere;
        if self.is_singular() { &EVERYWHERE } else { &NOWHERE }
    }
}
impl FlagLaplacian {
    fn active_cells(&self) -> usize {
        self.active()
    }
}
impl<T: Scalar> FaceLaplacian<T> {
    fn active_cells(&self) -> usize {
        self.active()
    }
}

fn properties(cells: usize, active: usize, singular: bool) -> Properties {
    if singular || active < cells { Properties::SEMIDEFINITE } else { Properties::SPD }
}

impl Map for Poisson {
    fn shape(&self) -> Shape {
        Shape::square(self.grid().cells())
    }
    fn properties(&self) -> Properties {
        properties(0, 0, self.is_singular())
    }
}
impl Map for FlagLaplacian {
    fn shape(&self) -> Shape {
        Shape::square(self.grid().cells())
    }
    fn properties(&self) -> Properties {
        properties(self.grid().cells(), self.active(), self.is_singular())
    }
}
impl<T: Scalar> Map for FaceLaplacian<T> {
    fn shape(&self) -> Shape {
        Shape::square(self.grid().cells())
    }
    fn properties(&self) -> Properties {
        properties(self.grid().cells(), self.active(), self.is_singular())
    }
}

/// The per-unit sums live with the operator, so that a product allocates nothing.
fn with_scratch<R>(scratch: &Mutex<Vec<f64>>, f: impl FnOnce(&mut [f64]) -> R) -> R {
    f(&mut scratch.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Removes what lies in cells that take no part and, on each part without a prescribed value, the mean.
fn project<T: Scalar, R: Rows<T>>(
    space: &Host<T>,
    rows: &R,
    active: usize,
    floating: &Floating,
    v: &mut [T],
) -> Result<()> {
    let extent = rows.extent();
    let [nx, ny, _] = extent.n;
    let full = active == extent.cells();
    let each = |v: &mut [T], f: &(dyn Fn(T) -> T + Sync)| {
        v.par_chunks_mut(nx).enumerate().with_min_len(16).for_each(|(r, v)| {
            let row = rows.row(r % ny, r / ny);
            for (i, v) in v.iter_mut().enumerate() {
                // SAFETY: i < nx.
                *v = if unsafe { row.diag(i) } > T::of(0.0) { f(*v) } else { T::of(0.0) };
            }
        });
    };
    if !full {
        each(v, &|v| v);
    }
    floating.center(v);
    if *floating == Floating::Everywhere && active > 0 {
        let mean = T::of(space.sum(v)? / active as f64);
        if full {
            space.shift(-mean, v)?;
        } else {
            each(v, &|v| v - mean);
        }
    }
    Ok(())
}

impl Operator<Host<f64>> for Stencil {
    fn apply(&self, space: &Host<f64>, x: &[f64], y: &mut [f64]) -> Result<()> {
        self.double().apply(space, x, y)
    }
}

impl LinearOperator<Host<f64>> for Stencil {
    fn apply_dot(&self, space: &Host<f64>, x: &[f64], y: &mut [f64]) -> Result<f64> {
        self.double().apply_dot(space, x, y)
    }
    fn update_apply_dot(
        &self,
        space: &Host<f64>,
        z: &[f64],
        beta: f64,
        p: &mut [f64],
        q: &mut [f64],
    ) -> Result<f64> {
        self.double().update_apply_dot(space, z, beta, p, q)
    }
    fn project(&self, space: &Host<f64>, v: &mut [f64]) -> Result<()> {
        self.double().project(space, v)
    }
}

impl Stencil {
    /// Whichever operator it is.
    pub fn double(&self) -> &dyn LinearOperator<Host<f64>> {
        match self {
            Self::Poisson(a) => a,
            Self::Flags(a) => a,
            Self::Faces(a) => a,
        }
    }
}
