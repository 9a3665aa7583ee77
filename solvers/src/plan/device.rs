//! A plan on a device: the matrix, its preconditioner and the workspace of the method, all there.

use super::iteration::{PATIENCE, RESTART, WINDOW, learned, on_grid};
use super::{Matrix, Method, Plan, Precision, Preconditioner};
use crate::compose::Constants;
use crate::device::{Device, DeviceAmg, DeviceBuffer, DeviceCsr, DeviceMultigrid, DeviceStencil};
use crate::direction::{DeviceProposal, Model};
use crate::precond::{Chebyshev, ChebyshevOptions, Jacobi, spai0};
use crate::{
    AmgOptions, Bicgstab, Cg, Csr, Error, Fgmres, FlexibleCg, Gmres, LinearOperator, Map, Minres,
    MultigridOptions, Progress, Report, Result, Space, Stop, Tuning,
};
use std::ops::ControlFlow;

type Linear = dyn LinearOperator<Device<f64>>;

/// A solver on a device for vectors of the host.
pub(super) struct OnDevice {
    space: Device<f64>,
    a: Box<Linear>,
    m: Option<Box<Linear>>,
    iteration: Iteration,
    b: DeviceBuffer<f64>,
    x: DeviceBuffer<f64>,
}

enum Iteration {
    Cg(Cg<Device<f64>>),
    FlexibleCg(FlexibleCg<Device<f64>>),
    Minres(Minres<Device<f64>>),
    Gmres(Gmres<Device<f64>>),
    Fgmres(Fgmres<Device<f64>>),
    Bicgstab(Bicgstab<Device<f64>>),
    /// With the network.
    Directions(FlexibleCg<Device<f64>>, Box<DeviceProposal>),
}

fn unsuited<T>(what: &'static str, needs: &'static str) -> Result<T> {
    Err(Error::Unsuited { what, needs, mend: "choose one of those, or work on the processor" })
}

fn matrix(space: &Device<f64>, a: &Matrix) -> Result<Box<Linear>> {
    Ok(match a {
        Matrix::Structured(a) => Box::new(DeviceStencil::new(space, a)?),
        Matrix::Sparse(a) => Box::new(DeviceCsr::new(space, a)?),
        Matrix::Singular(a) => Box::new(Constants::new(DeviceCsr::new(space, a.inner())?)),
    })
}

fn preconditioner(
    space: &Device<f64>,
    plan: Plan,
    a: &Matrix,
    tuning: Option<Tuning>,
) -> Result<Option<Box<Linear>>> {
    let multigrid = |options| -> Result<Box<Linear>> {
        let Matrix::Structured(a) = a else {
            return unsuited(
                "a grid Laplacian for multigrid",
                "the preconditioner chebyshev, jacobi or none",
            );
        };
        Ok(match plan.precision {
            Precision::Mixed => Box::new(DeviceMultigrid::<f32>::new(&space.cast(), a, options)?),
            Precision::F64 => Box::new(DeviceMultigrid::<f64>::new(space, a, options)?),
        })
    };
    let algebraic = |a: &Csr<f64>| -> Result<Box<Linear>> {
        let options = AmgOptions::for_device();
        Ok(match plan.precision {
            Precision::Mixed => Box::new(DeviceAmg::<f32>::new(&space.cast(), a, options)?),
            Precision::F64 => Box::new(DeviceAmg::<f64>::new(space, a, options)?),
        })
    };
    Ok(Some(match (plan.preconditioner, a) {
        (Preconditioner::None | Preconditioner::Auto, _) => return Ok(None),
        (Preconditioner::Jacobi, _) => Box::new(Jacobi::new(space, &a.diagonal())?),
        (Preconditioner::Chebyshev, _) => {
            Box::new(Chebyshev::new(space, matrix(space, a)?, &a.diagonal(), ChebyshevOptions::default())?)
        }
        (Preconditioner::Multigrid, _) => multigrid(MultigridOptions::default())?,
        (Preconditioner::Learned, Matrix::Structured(grid)) => multigrid(match tuning {
            Some(tuning) => MultigridOptions::tuned(tuning),
            None => MultigridOptions::learned(grid.grid().dim())?,
        })?,
        (Preconditioner::Amg, Matrix::Sparse(a)) => algebraic(a)?,
        (Preconditioner::Amg, Matrix::Singular(a)) => algebraic(a.inner())?,
        (Preconditioner::Spai0, Matrix::Sparse(a)) => Box::new(spai0(space, a)?),
        (Preconditioner::Spai0, Matrix::Singular(a)) => Box::new(spai0(space, a.inner())?),
        _ => {
            return unsuited(
                "a GPU",
                "the preconditioner none, jacobi or chebyshev, on grids multigrid or learned, elsewhere amg or spai0",
            );
        }
    }))
}

impl OnDevice {
    /// For a plan without `auto`.
    pub fn new(
        space: &Device<f64>,
        plan: Plan,
        a: &Matrix,
        stop: Stop,
        model: Option<&Model>,
        tuning: Option<Tuning>,
    ) -> Result<Self> {
        let n = a.shape().rows;
        let m = preconditioner(space, plan, a, tuning)?;
        let iteration = match plan.method {
            Method::Cg if m.is_some() => Iteration::Cg(Cg::new(space, n, stop)?),
            Method::Cg => Iteration::Cg(Cg::unpreconditioned(space, n, stop)?),
            Method::FlexibleCg => Iteration::FlexibleCg(FlexibleCg::new(space, n, stop)?),
            Method::Minres => Iteration::Minres(Minres::new(space, n, stop)?),
            Method::Gmres => Iteration::Gmres(Gmres::with_restart(space, n, stop, RESTART)?),
            Method::FlexibleGmres => Iteration::Fgmres(Fgmres::with_restart(space, n, stop, RESTART)?),
            Method::BiCgStab => Iteration::Bicgstab(Bicgstab::new(space, n, stop)?),
            Method::Directions => {
                let model = model.cloned().map_or_else(|| learned(a), Ok)?;
                let Matrix::Structured(a) = a else { return on_grid() };
                let fcg = FlexibleCg::with_memory(space, n, stop, WINDOW)?.with_patience(PATIENCE);
                Iteration::Directions(fcg, Box::new(model.on_device(space, a)?))
            }
            _ => {
                return unsuited(
                    "a GPU",
                    "the method cg, fcg, minres, gmres, fgmres, bicgstab or directions",
                );
            }
        };
        let a = matrix(space, a)?;
        Ok(Self { a, m, iteration, b: space.zeros(n)?, x: space.zeros(n)?, space: space.clone() })
    }

    /// Copies b and x to the device, solves, and copies x back.
    pub fn solve(
        &mut self,
        b: &[f64],
        x: &mut [f64],
        watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let Self { space, a, m, iteration, b: device_b, x: device_x } = self;
        space.upload(b, device_b)?;
        space.upload(x, device_x)?;
        let (a, m, b, y) = (&**a, m.as_deref(), &**device_b, &mut **device_x);
        let report = match iteration {
            Iteration::Cg(i) => i.solve_watched(space, a, m, b, y, watch),
            Iteration::FlexibleCg(i) => i.solve_watched(space, a, m.map(|m| m as _), b, y, watch),
            Iteration::Minres(i) => i.solve_watched(space, a, m, b, y, watch),
            Iteration::Gmres(i) => i.solve_watched(space, a, m, b, y, watch),
            Iteration::Fgmres(i) => i.solve_watched(space, a, m.map(|m| m as _), b, y, watch),
            Iteration::Bicgstab(i) => i.solve_watched(space, a, m, b, y, watch),
            Iteration::Directions(i, proposal) => i.solve_watched(space, a, Some(&**proposal), b, y, watch),
        }?;
        space.download(device_x, x)?;
        Ok(report)
    }

    pub fn history(&self) -> &[f64] {
        match &self.iteration {
            Iteration::Cg(i) => i.history(),
            Iteration::FlexibleCg(i) => i.history(),
            Iteration::Minres(i) => i.history(),
            Iteration::Gmres(i) => i.history(),
            Iteration::Fgmres(i) => i.history(),
            Iteration::Bicgstab(i) => i.history(),
            Iteration::Directions(i, _) => i.history(),
        }
    }
}
