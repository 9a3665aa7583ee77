//! A hybrid of a cycle and of something that proposes directions: as far along both as is best, and one of them alone as soon as the
//! other does not pay.
//!
//! A step takes the error that is least in the norm of A over the span of the preconditioned residual z = Mr, a proposal d = Nr, and
//! the directions of the step before. These are made A-orthogonal one after the other, which solves the small system: along a
//! direction p with q = Ap the best length is rᵀp/pᵀq, and the energy rᵀp²/pᵀq is gone. That is multipreconditioned conjugate
//! gradients with the memory of one step: R. Bridson, C. Greif, *A multipreconditioned conjugate gradient algorithm*, SIAM J. Matrix Anal. Appl.
//! 27 (2006), 1056–1068, 10.1137/040620047. Steps without a proposal are those of conjugate gradients, bit for bit, while none has been asked.
//!
//! What a proposal is worth is measured where it is used, at no cost: with c for pᵀAp of each direction and s = zᵀAd/dᵀAd, the cycle alone would have
//! had the energy (rᵀz)² / (c_z + s² c_d). The step after it says how much was left: for energies E and then ρE the error had about E/(1 − ρ).
//! So a step with the proposal brings −ln ρ and one without −ln(1 − (1 − ρ) E_alone/E), and of its own it costs the time that the
//! proposal took: [`Price`]. Once what it brings is less than that, it is not asked again in this solve.
//!
//! Departures, so that a bad proposal costs time and nothing else: one that is not finite, is orthogonal to the residual to √ε, or has no positive
//! curvature is left out and counted; one that is the cycle's own direction takes its place. The residual that is reported is recomputed.
//!
//! Storage: r, z and a direction of two vectors, as [`Cg`](crate::Cg), and two more directions once a proposal is asked. Traffic of a
//! step without one: that of [`Cg`](crate::Cg).

use super::fcg::leads;
use super::session::{Needs, Session, Turn, Watch, check_preconditioner, history};
use super::worth::Worth;
use crate::{LinearOperator, Operator, Report, Result, Scalar, Space, Status, Stop};
use std::ops::ControlFlow;
use std::time::Instant;

/// What a proposal costs, counted in steps without one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Price {
    /// So much, always: the same steps each time.
    Given(f64),
    /// About so much, until it has been asked once; then what the clock says. Which steps ask may differ from run to run, and the
    /// last bits of the solution with them.
    Measured(f64),
}

impl Price {
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for one that is negative or no number.
    fn check(self) -> Result<()> {
        let (Self::Given(value) | Self::Measured(value)) = self;
        if value >= 0.0 {
            return Ok(());
        }
        let needs = "what a proposal costs is 0 or more steps";
        Err(crate::Error::Parameter { name: "price", value, needs })
    }
}

/// A hybrid of a cycle and proposals with its workspace: `new` allocates what conjugate gradients need, the first step that
/// asks for a proposal what its directions need, and `solve` nothing else.
///
/// ```
/// use resolvent::{Boundary, Grid, Host, Hybrid, Multigrid, MultigridOptions, Poisson, Price, Status, Stencil, Stop};
/// let a = Stencil::from(Poisson::new(Grid::new_2d(40, 40)?, [[Boundary::DIRICHLET; 2]; 3])?);
/// // A cycle, and an operator that proposes what the residual itself is.
/// let m = Multigrid::<f32>::new(&a, MultigridOptions::default())?;
/// let itself = resolvent::Diagonal::new(&Host::<f64>::new(), &[1.0; 1600])?;
/// let (space, b, mut x) = (Host::<f64>::new(), vec![1.0; 1600], vec![0.0; 1600]);
/// let mut hybrid = Hybrid::new(&space, 1600, Stop::default(), Price::Given(0.1))?;
/// let report = hybrid.solve(&space, &a, Some(&m), Some(&itself), &b, &mut x)?;
/// assert!(report.status == Status::Converged && report.asked > 0);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Hybrid<S: Space> {
    stop: Stop,
    price: Price,
    r: S::Buf,
    z: S::Buf,
    /// The cycle's.
    main: Direction<S>,
    /// The proposal's: that of the last step and the one of this, in turns. Empty until they are needed.
    sides: [Direction<S>; 2],
    history: Vec<f64>,
}

/// A direction p, q = Ap and pᵀq; 0 for none.
struct Direction<S: Space> {
    p: S::Buf,
    q: S::Buf,
    curvature: f64,
}

impl<S: Space> Direction<S> {
    fn new(space: &S, n: usize) -> Result<Self> {
        Ok(Self { p: space.zeros(n)?, q: space.zeros(n)?, curvature: 0.0 })
    }

    /// zᵀAp/pᵀAp; 0 when there is none.
    fn share(&self, space: &S, z: &S::Slice) -> Result<f64> {
        if self.curvature > 0.0 { Ok(space.dot(z, &self.q)? / self.curvature) } else { Ok(0.0) }
    }

    /// Takes its part from `z`; returns how much.
    fn leave(&self, space: &S, z: &mut S::Slice) -> Result<f64> {
        let share = self.share(space, z)?;
        if share != 0.0 {
            space.axpby(S::Scalar::of(-share), &self.p, S::Scalar::of(1.0), z)?;
        }
        Ok(share)
    }

    /// Steps along it as far as is best; returns rᵀr and the energy that is gone.
    fn step(&self, space: &S, along: f64, x: &mut S::Slice, r: &mut S::Slice) -> Result<(f64, f64)> {
        let alpha = along / self.curvature;
        Ok((space.step(S::Scalar::of(alpha), &self.p, &self.q, x, r)?, along * alpha))
    }
}

/// Below this share of its energy the cycle's direction lies along the proposal, and what is left of it is rounding.
const ALONG: f64 = 1e-12;

impl<S: Space> Hybrid<S> {
    /// A workspace for `n` unknowns.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory); [`Error::Parameter`](crate::Error::Parameter) for a tolerance or a price that is negative or no number.
    pub fn new(space: &S, n: usize, stop: Stop, price: Price) -> Result<Self> {
        stop.check()?;
        price.check()?;
        Ok(Self {
            stop,
            price,
            r: space.zeros(n)?,
            z: space.zeros(n)?,
            main: Direction::new(space, n)?,
            sides: [Direction::new(space, 0)?, Direction::new(space, 0)?],
            history: history(&stop),
        })
    }

    /// Changes what a proposal is said to cost.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a price that is negative or no number.
    pub fn set_price(&mut self, price: Price) -> Result<()> {
        price.check()?;
        self.price = price;
        Ok(())
    }

    /// ‖r‖₂ of the recurrence before every step of the last solve, and at its end.
    pub fn history(&self) -> &[f64] {
        &self.history
    }

    /// Solves Ax = b from the starting point in `x`, with a linear `m` ≈ A⁻¹ and with what `proposal` makes of residuals, linear or
    /// not, when given.
    ///
    /// # Errors
    /// [`Error::Property`](crate::Error::Property) when `a` or `m` does not claim to be symmetric and at least semidefinite; [`Error::Length`](crate::Error::Length); those
    /// of the proposal; [`Error::Memory`](crate::Error::Memory). Not converging is no error: look at the report's `status`.
    pub fn solve(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn LinearOperator<S>>,
        proposal: Option<&dyn Operator<S>>,
        b: &S::Slice,
        x: &mut S::Slice,
    ) -> Result<Report> {
        self.solve_watched(space, a, m, proposal, b, x, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`solve`](Self::solve); `watch` is called before each step and may stop.
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    #[allow(clippy::too_many_arguments)]
    pub fn solve_watched(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn LinearOperator<S>>,
        proposal: Option<&dyn Operator<S>>,
        b: &S::Slice,
        x: &mut S::Slice,
        watch: Watch,
    ) -> Result<Report> {
        self.history.clear();
        check_preconditioner("Hybrid", m)?;
        let Self { stop, price, r, z, main, sides, history } = self;
        if let Some(proposal) = proposal {
            crate::error::check_len("the proposal's rows", a.shape().cols, proposal.shape().rows)?;
            crate::error::check_len("the proposal's columns", a.shape().rows, proposal.shape().cols)?;
        }
        let needs = Needs::Positive("Hybrid");
        let begun = Session::begin(needs, space, a, m.map(|m| m.shape()), b, x, r, stop)?;
        let (mut session, mut residual) = match begun {
            Ok(begun) => begun,
            Err(report) => return Ok(report),
        };
        let (mut step, mut fallbacks) = (0, 0);
        let mut worth = Worth::new(*price, residual, session.target);
        // rᵀz of the step before; 0 when it had a proposal, or there was none.
        let mut rho_before = 0.0;
        let forget = |main: &mut Direction<S>, sides: &mut [Direction<S>; 2]| {
            [main].into_iter().chain(sides).for_each(|d| d.curvature = 0.0);
        };
        forget(main, sides);
        let status = loop {
            match session.turn(step, &mut residual, x, r, history, watch)? {
                Turn::End(status) => break status,
                Turn::Afresh => {
                    rho_before = 0.0;
                    forget(main, sides);
                }
                Turn::Step => {}
            }
            let started = worth.has_clock().then(Instant::now);
            let rho = match m {
                Some(m) => m.apply_dot(space, r, z)?,
                None => {
                    space.copy(r, z)?;
                    residual * residual
                }
            };
            if !rho.is_finite() {
                break Status::NonFinite;
            }
            if rho <= 0.0 {
                break Status::IndefinitePreconditioner { product: rho };
            }
            sides.swap(0, 1);
            let [side, old] = sides;
            side.curvature = 0.0;
            let before = (rho_before > 0.0).then_some(rho / rho_before);
            let asking = proposal.filter(|_| worth.asks(step, residual));
            let mut taken = 0.0;
            if let Some(proposal) = asking {
                let asked = started.map(|_| Instant::now());
                if space.len(&side.p) == 0 {
                    let n = space.len(r);
                    (*side, *old) = (Direction::new(space, n)?, Direction::new(space, n)?);
                }
                proposal.apply(space, r, &mut side.p)?;
                session.project(&mut side.p)?;
                if leads(space, r, &side.p, residual)? {
                    main.leave(space, &mut side.p)?;
                    old.leave(space, &mut side.p)?;
                    let curvature = a.apply_dot(space, &side.p, &mut side.q)?;
                    side.curvature = if curvature.is_finite() && curvature > 0.0 { curvature } else { 0.0 };
                }
                fallbacks += usize::from(side.curvature == 0.0);
                taken = asked.map_or(0.0, |at| at.elapsed().as_secs_f64());
            }
            // In the course of conjugate gradients z has this share without asking.
            let beta = match before {
                Some(beta) if side.curvature == 0.0 => beta,
                _ => {
                    old.leave(space, z)?;
                    -main.share(space, z)?
                }
            };
            let shared = side.leave(space, z)?;
            let Direction { p, q, curvature } = main;
            *curvature = a.update_apply_dot(space, z, S::Scalar::of(beta), p, q)?;
            if !curvature.is_finite() {
                break Status::NonFinite;
            }
            let both = shared * shared * side.curvature;
            let alone = rho * rho / (*curvature + both);
            let mut gone = 0.0;
            if side.curvature > 0.0 {
                let along = space.dot(r, &side.p)?;
                let (square, energy) = side.step(space, along, x, r)?;
                (residual, gone) = (square.sqrt(), energy);
            }
            if side.curvature > 0.0 && *curvature <= ALONG * both {
                // The proposal was the cycle's direction.
                std::mem::swap(main, side);
                side.curvature = 0.0;
                rho_before = 0.0;
            } else {
                let along = if side.curvature > 0.0 { space.dot(r, &main.p)? } else { rho };
                let alpha = along / main.curvature;
                if main.curvature <= 0.0 || !S::Scalar::of(alpha).f64().is_finite() {
                    break Status::NotPositiveDefinite { curvature: main.curvature };
                }
                let (square, energy) = main.step(space, along, x, r)?;
                (residual, gone) = (square.sqrt(), gone + energy);
                rho_before = if side.curvature > 0.0 { 0.0 } else { rho };
            }
            step += 1;
            let seconds = started.map_or(0.0, |at| at.elapsed().as_secs_f64());
            worth.see(step, asking.is_some(), [gone, alone], [seconds - taken, taken]);
            if !residual.is_finite() {
                history.push(residual);
                break Status::NonFinite;
            }
        };
        let report = session.finish(status, step, residual, x, r)?;
        Ok(Report { fallbacks, asked: worth.asked(), dropped: worth.dropped(), ..report })
    }
}

#[cfg(test)]
mod tests;
