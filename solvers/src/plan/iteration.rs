//! The workspace of whichever method.

use super::{Matrix, Method};
use crate::direct::{SparseCholesky, SparseLdlt, SparseLu};
use crate::direction::{Model, Proposal};
use crate::{
    Bicgstab, Cg, Error, Fgmres, FlexibleCg, Gmres, Host, LinearOperator, Lsqr, Map, Minres, Progress,
    Refinement, Report, Result, Stop,
};
use std::ops::ControlFlow;

type Linear<'a> = dyn LinearOperator<Host<f64>> + 'a;

/// Steps after which the generalised minimal residuals start again.
pub(super) const RESTART: usize = 50;
/// Directions that a proposal is made A-orthogonal to, as published.
pub(super) const WINDOW: usize = 2;
/// Proposals in a row that may fail to halve the residual.
pub(super) const PATIENCE: usize = 20;

pub(super) enum Iteration {
    Cg(Cg<Host<f64>>),
    FlexibleCg(FlexibleCg<Host<f64>>),
    Minres(Minres<Host<f64>>),
    Gmres(Gmres<Host<f64>>),
    Fgmres(Fgmres<Host<f64>>),
    Bicgstab(Bicgstab<Host<f64>>),
    Lsqr(Lsqr<Host<f64>>),
    /// With the network.
    Directions(FlexibleCg<Host<f64>>, Box<Proposal>),
    /// With the factorisation.
    Direct(Refinement<Host<f64>>, Box<Linear<'static>>),
    /// With everything it needs, on a device.
    #[cfg(feature = "cuda")]
    Device(Box<super::device::OnDevice>),
}

impl Iteration {
    /// The workspace of a method that is not `Auto`; `preconditioned` says whether there will be a preconditioner.
    pub fn new(
        method: Method,
        a: &Matrix,
        stop: Stop,
        preconditioned: bool,
        model: Option<&Model>,
    ) -> Result<Self> {
        let (space, shape) = (Host::new(), a.shape());
        let n = shape.rows;
        Ok(match method {
            Method::FlexibleCg => Self::FlexibleCg(FlexibleCg::new(&space, n, stop)?),
            Method::Minres => Self::Minres(Minres::new(&space, n, stop)?),
            Method::Gmres => Self::Gmres(Gmres::with_restart(&space, n, stop, RESTART)?),
            Method::FlexibleGmres => Self::Fgmres(Fgmres::with_restart(&space, n, stop, RESTART)?),
            Method::BiCgStab => Self::Bicgstab(Bicgstab::new(&space, n, stop)?),
            Method::Lsqr => Self::Lsqr(Lsqr::new(&space, shape, stop)?),
            Method::Direct => Self::Direct(Refinement::new(&space, n, stop)?, factorise(a)?),
            Method::Directions => {
                let fcg = FlexibleCg::with_memory(&space, n, stop, WINDOW)?.with_patience(PATIENCE);
                Self::Directions(fcg, Box::new(proposal(a, model, preconditioned)?))
            }
            Method::Auto | Method::Cg if preconditioned => Self::Cg(Cg::new(&space, n, stop)?),
            Method::Auto | Method::Cg => Self::Cg(Cg::unpreconditioned(&space, n, stop)?),
        })
    }

    pub fn solve(
        &mut self,
        a: &Linear<'_>,
        m: Option<&Linear<'_>>,
        b: &[f64],
        x: &mut [f64],
        watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let space = Host::new();
        match self {
            Self::Cg(cg) => cg.solve_watched(&space, a, m, b, x, watch),
            Self::FlexibleCg(cg) => cg.solve_watched(&space, a, m.map(|m| m as _), b, x, watch),
            Self::Directions(cg, proposal) => cg.solve_watched(&space, a, Some(&**proposal), b, x, watch),
            Self::Minres(minres) => minres.solve_watched(&space, a, m, b, x, watch),
            Self::Gmres(gmres) => gmres.solve_watched(&space, a, m, b, x, watch),
            Self::Fgmres(gmres) => gmres.solve_watched(&space, a, m.map(|m| m as _), b, x, watch),
            Self::Bicgstab(bicgstab) => bicgstab.solve_watched(&space, a, m, b, x, watch),
            Self::Lsqr(lsqr) => lsqr.solve_watched(&space, a, b, x, watch),
            Self::Direct(refinement, factor) => {
                refinement.solve_watched(&space, a, Some(&*factor), b, x, watch)
            }
            #[cfg(feature = "cuda")]
            Self::Device(device) => device.solve(b, x, watch),
        }
    }

    pub fn history(&self) -> &[f64] {
        match self {
            Self::Cg(i) => i.history(),
            Self::FlexibleCg(i) | Self::Directions(i, _) => i.history(),
            Self::Minres(i) => i.history(),
            Self::Gmres(i) => i.history(),
            Self::Fgmres(i) => i.history(),
            Self::Bicgstab(i) => i.history(),
            Self::Lsqr(i) => i.history(),
            Self::Direct(i, _) => i.history(),
            #[cfg(feature = "cuda")]
            Self::Device(i) => i.history(),
        }
    }
}

/// A model on the grid of a matrix.
fn proposal(a: &Matrix, model: Option<&Model>, preconditioned: bool) -> Result<Proposal> {
    let unsuited =
        |needs, mend| Err(Error::Unsuited { what: "the method of learned directions", needs, mend });
    match (a, model) {
        _ if preconditioned => unsuited("no preconditioner", "leave the preconditioner to auto"),
        (Matrix::Structured(a), Some(model)) => model.on(a),
        (Matrix::Structured(_), None) => unsuited(
            "a model",
            "give one, `--model FILE.safetensors` on the command line: `resolvent train` makes it",
        ),
        _ => unsuited(
            "a grid Laplacian: a problem family, or a system file with `grid`",
            "choose cg, or store the grid with the system",
        ),
    }
}

/// The factorisation that a matrix admits: Cholesky, LDLᵀ, LU.
fn factorise(a: &Matrix) -> Result<Box<Linear<'static>>> {
    let csr = match a {
        Matrix::Sparse(csr) => csr,
        Matrix::Structured(_) | Matrix::Singular(_) => {
            return Err(Error::Unsuited {
                what: "a factorisation",
                needs: "a sparse matrix that is regular",
                mend: "leave the method to auto: multigrid takes grids and matrices with constants as null space",
            });
        }
    };
    if a.properties().admits_cg() {
        match SparseCholesky::new(csr) {
            // A positive diagonal promised too much.
            Err(Error::Pivot { .. }) => {}
            done => return Ok(Box::new(done?)),
        }
    }
    if a.properties().symmetric && !csr.diagonal().contains(&0.0) {
        match SparseLdlt::new(csr) {
            // Its pivots stay within supernodes; those of LU do not.
            Err(Error::Singular { .. }) => {}
            done => return Ok(Box::new(done?)),
        }
    }
    Ok(Box::new(SparseLu::new(csr)?))
}
