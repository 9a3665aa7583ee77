//! The workspace of whichever method.

use super::{Matrix, Method};
use crate::direct::{SparseCholesky, SparseLdlt, SparseLu};
use crate::direction::{Deferred, Model, Proposal};
use crate::{
    Bicgstab, Cg, Error, Fgmres, FlexibleCg, Gmres, Host, Hybrid, LinearOperator, Lsqr, Map, Minres,
    Operator, Price, Progress, Refinement, Report, Result, Stencil, Stop,
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
    /// With the network, if there is one.
    Hybrid(Hybrid<Host<f64>>, Option<Box<Deferred>>),
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
            Method::Hybrid => {
                let model = model.cloned().map_or_else(|| learned(a).ok(), Some);
                let price = model.as_ref().map_or(Price::Given(0.0), price);
                let proposal = match (a, model) {
                    (_, None) => None,
                    (Matrix::Structured(a), Some(model)) => Some(Box::new(Deferred::new(model, a)?)),
                    (_, Some(_)) => return on_grid(),
                };
                Self::Hybrid(Hybrid::new(&space, n, stop, price)?, proposal)
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
            Self::Hybrid(cg, proposal) => {
                let proposal = proposal.as_deref().map(|p| p as &dyn Operator<Host<f64>>);
                cg.solve_watched(&space, a, m, proposal, b, x, watch)
            }
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

    /// Of a hybrid.
    pub fn set_price(&mut self, price: Price) -> Result<()> {
        match self {
            Self::Hybrid(cg, _) => cg.set_price(price),
            _ => Ok(()),
        }
    }

    pub fn history(&self) -> &[f64] {
        match self {
            Self::Cg(i) => i.history(),
            Self::FlexibleCg(i) | Self::Directions(i, _) => i.history(),
            Self::Hybrid(i, _) => i.history(),
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

/// A model on the grid of a matrix, or the one that comes with the library.
fn proposal(a: &Matrix, model: Option<&Model>, preconditioned: bool) -> Result<Proposal> {
    match model {
        _ if preconditioned => {
            let what = "the method of learned directions";
            let mend = "leave the preconditioner to auto";
            Err(Error::Unsuited { what, needs: "no preconditioner", mend })
        }
        Some(model) => on(a, model),
        None => on(a, &learned(a)?),
    }
}

/// The network that comes with the library, for a matrix that it can look at.
pub(super) fn learned(a: &Matrix) -> Result<Model> {
    match a {
        Matrix::Structured(Stencil::Faces(_)) => Err(Error::Unsuited {
            what: "the network of directions that comes with the library",
            needs: "an operator with one coefficient, and this one has one for every face",
            mend: "use multigrid, or give a network of the architecture dcdm",
        }),
        Matrix::Structured(a) => Model::learned(a.grid().dim()),
        _ => on_grid(),
    }
}

/// A model on the grid of a matrix.
fn on(a: &Matrix, model: &Model) -> Result<Proposal> {
    match a {
        Matrix::Structured(a) => model.on(a),
        _ => on_grid(),
    }
}

pub(super) fn on_grid<T>() -> Result<T> {
    Err(Error::Unsuited {
        what: "the method of learned directions",
        needs: "a grid Laplacian: a problem family, or a system file with `grid`",
        mend: "choose cg, or store the grid with the system",
    })
}

/// What a network costs before it is measured, in steps under a multigrid cycle: of one that is linear the kernels, which are read twice, and
/// of one of convolutions its multiplications; 6 and 46 on two cores (64³ cells, docs/learned-directions.md).
fn price(model: &Model) -> Price {
    Price::Measured(6.0 + model.architecture().cost() / 1500.0)
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
