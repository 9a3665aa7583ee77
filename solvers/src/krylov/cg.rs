//! Conjugate gradients.
//!
//! M. R. Hestenes, E. Stiefel, *Methods of conjugate gradients for solving linear systems*, J. Res. Natl. Bur. Stand. 49
//! (1952), 409–436, 10.6028/jres.049.044. Departures: when the recurrence claims convergence the residual is recomputed,
//! and the iteration starts again from the true one while that helps; a semidefinite operator is solved in its range.
//!
//! ρ, β, p·q, α and r·r are values of the space, and read once a step. A step whose α is no positive number changes neither x nor r.
//!
//! Storage: r, p, q, and z with a preconditioner. Traffic of a step without one, in f64: p ← r + βp and q ← Ap with p·q in
//! one pass (32 bytes an unknown on a stencil), x and r with r·r in another (48): 80 bytes, two reductions.

use super::coefficients::Coefficients;
use super::session::{Needs, Session, Turn, Watch, check_preconditioner, history};
use crate::error::check_len;
use crate::{Error, LinearOperator, Report, Result, Space, Status, Stop};
use std::ops::ControlFlow;

/// Preconditioned conjugate gradients with its workspace: `new` allocates, `solve` does not.
///
/// ```
/// use resolvent::{Cg, Csr, Host, Properties, Status, Stop};
/// let a = Csr::from_triplets(2, 2, &[(0, 0, 4.0), (0, 1, 1.0), (1, 0, 1.0), (1, 1, 3.0)])?.assume(Properties::SPD);
/// let space = Host::<f64>::new();
/// let mut x = [0.0; 2];
/// let report = Cg::new(&space, 2, Stop::rtol(1e-12))?.solve(&space, &a, None, &[1.0, 2.0], &mut x)?;
/// assert_eq!(report.status, Status::Converged);
/// assert!((x[0] - 1.0 / 11.0).abs() < 1e-12 && (x[1] - 7.0 / 11.0).abs() < 1e-12);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Cg<S: Space> {
    stop: Stop,
    r: S::Buf,
    p: S::Buf,
    q: S::Buf,
    z: Option<S::Buf>,
    numbers: Numbers<S>,
    history: Vec<f64>,
    coefficients: Coefficients,
}

/// What the recurrence calculates with.
struct Numbers<S: Space> {
    rho: S::Value,
    rho_before: S::Value,
    beta: S::Value,
    curvature: S::Value,
    alpha: S::Value,
    square: S::Value,
}

impl<S: Space> Cg<S> {
    /// A workspace for `n` unknowns, with or without a preconditioner.
    ///
    /// # Errors
    /// [`Error::Memory`]; [`Error::Parameter`] for a tolerance that is negative or not finite.
    pub fn new(space: &S, n: usize, stop: Stop) -> Result<Self> {
        let z = Some(space.zeros(n)?);
        Ok(Self { z, ..Self::unpreconditioned(space, n, stop)? })
    }

    /// A workspace of one vector less, for solves without a preconditioner; with one they are refused.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn unpreconditioned(space: &S, n: usize, stop: Stop) -> Result<Self> {
        stop.check()?;
        let number = || space.value(0.0);
        Ok(Self {
            r: space.zeros(n)?,
            p: space.zeros(n)?,
            q: space.zeros(n)?,
            z: None,
            numbers: Numbers {
                rho: number()?,
                rho_before: number()?,
                beta: number()?,
                curvature: number()?,
                alpha: number()?,
                square: number()?,
            },
            history: history(&stop),
            coefficients: Coefficients::new(stop.max_steps),
            stop,
        })
    }

    /// ‖r‖₂ of the recurrence before every step of the last solve, and at its end.
    pub fn history(&self) -> &[f64] {
        &self.history
    }

    /// The smallest and the largest eigenvalue of A, or of MA with a preconditioner, as far as the last solve has seen them: Ritz values
    /// of its first steps, which lie inside the spectrum. `None` before a step.
    pub fn spectrum(&self) -> Option<[f64; 2]> {
        self.coefficients.ends()
    }

    /// Solves Ax = b from the starting point in `x`, with `m` ≈ A⁻¹ when given.
    ///
    /// With a semidefinite `a`, `x` ends orthogonal to its null space.
    ///
    /// # Errors
    /// [`Error::Property`] when `a` or `m` does not claim to be symmetric and at least semidefinite; [`Error::Unsuited`] for
    /// an `m` in a workspace without room for one; [`Error::Length`].
    /// Not converging is no error: look at the report's `status`.
    pub fn solve(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn LinearOperator<S>>,
        b: &S::Slice,
        x: &mut S::Slice,
    ) -> Result<Report> {
        self.solve_watched(space, a, m, b, x, &mut |_| ControlFlow::Continue(()))
    }

    /// Solves for several right-hand sides in turn, with one set-up of `m`.
    ///
    /// # Errors
    /// As [`solve`](Self::solve); [`Error::Length`] when the numbers of right-hand sides and solutions differ.
    pub fn solve_many(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn LinearOperator<S>>,
        bs: &[&S::Slice],
        xs: &mut [&mut S::Slice],
    ) -> Result<Vec<Report>> {
        check_len("the list of solutions", bs.len(), xs.len())?;
        bs.iter().zip(xs).map(|(b, x)| self.solve(space, a, m, b, x)).collect()
    }

    /// As [`solve`](Self::solve); `watch` is called before each step and may stop.
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    pub fn solve_watched(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn LinearOperator<S>>,
        b: &S::Slice,
        x: &mut S::Slice,
        watch: Watch,
    ) -> Result<Report> {
        self.history.clear();
        self.coefficients.clear();
        check_preconditioner("Cg", m)?;
        let Self { stop, r, p, q, z, numbers, history, coefficients } = self;
        let Numbers { rho, rho_before, beta, curvature, alpha, square } = numbers;
        if m.is_some() && z.is_none() {
            return Err(Error::Unsuited {
                what: "a solve with a preconditioner",
                needs: "a workspace with room for z, which `Cg::unpreconditioned` leaves out",
                mend: "make it with `Cg::new`",
            });
        }
        let (mut session, mut residual) =
            match Session::begin(Needs::Positive("Cg"), space, a, m.map(|m| m.shape()), b, x, r, stop)? {
                Ok(begun) => begun,
                Err(report) => return Ok(report),
            };
        let mut step = 0;
        // Whether the next step follows on one: the first of all, and of a recomputed residual, does not.
        let mut follows = false;
        let status = loop {
            match session.turn(step, &mut residual, x, r, history, watch)? {
                Turn::End(status) => break status,
                Turn::Afresh => follows = false,
                Turn::Step => {}
            }
            match (m, z.as_mut()) {
                (Some(m), Some(z)) => m.apply_dot_to(space, r, z, rho)?,
                _ => space.set(residual * residual, rho)?,
            }
            let mut asked = false;
            let [r_z, p_q, length, r_r, ratio] = loop {
                if follows {
                    space.ratio_to(rho, rho_before, beta)?;
                } else {
                    space.set(0.0, beta)?;
                }
                let direction: &S::Slice = z.as_ref().filter(|_| m.is_some()).map_or(&**r, |z| z);
                a.update_apply_dot_to(space, direction, beta, p, q, curvature)?;
                space.ratio_to(rho, curvature, alpha)?;
                space.step_to(alpha, p, q, x, r, square)?;
                let numbers = space.read([&*rho, &*curvature, &*alpha, &*square, &*beta])?;
                // A preconditioner of less precision looks at its product, and mends its scale, when asked for it at once.
                let usable = numbers[0].is_finite() && numbers[0] > 0.0;
                match (m, z.as_mut()) {
                    (Some(m), Some(z)) if !(usable || asked) => {
                        asked = true;
                        let product = m.apply_dot(space, r, z)?;
                        if !(product.is_finite() && product > 0.0) {
                            break [product, numbers[1], numbers[2], numbers[3], numbers[4]];
                        }
                        space.set(product, rho)?;
                        // What p was is overwritten.
                        follows = false;
                    }
                    _ => break numbers,
                }
            };
            if !r_z.is_finite() {
                break Status::NonFinite;
            }
            if r_z <= 0.0 {
                break Status::IndefinitePreconditioner { product: r_z };
            }
            if !p_q.is_finite() {
                break Status::NonFinite;
            }
            if length == 0.0 {
                break Status::NotPositiveDefinite { curvature: p_q };
            }
            coefficients.note(ratio, length);
            residual = r_r.sqrt();
            step += 1;
            std::mem::swap(rho_before, rho);
            follows = true;
            if !residual.is_finite() {
                history.push(residual);
                break Status::NonFinite;
            }
        };
        session.finish(status, step, residual, x, r)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Boundary, Grid, Host, Poisson, Properties, precond::Jacobi};
    use std::time::Duration;

    const N: usize = 96;

    fn operator(side: Boundary) -> Poisson {
        Poisson::new(Grid::new_2d(12, 8).unwrap(), [[side; 2]; 3]).unwrap()
    }

    fn noise() -> Vec<f64> {
        (0..N).map(|i| ((i * 7919) % 101) as f64 - 50.0).collect()
    }

    fn solve(stop: Stop, a: &dyn LinearOperator<Host<f64>>, b: &[f64], x: &mut [f64]) -> Report {
        let space = Host::new();
        Cg::unpreconditioned(&space, b.len(), stop).unwrap().solve(&space, a, None, b, x).unwrap()
    }

    #[test]
    fn nothing_is_solved_by_nothing() {
        let mut x = noise();
        let report = solve(Stop::default(), &operator(Boundary::DIRICHLET), &[0.0; N], &mut x);
        assert_eq!((report.status, report.steps, x), (Status::Converged, 0, vec![0.0; N]));
    }

    #[test]
    fn the_reported_residual_is_that_of_x() {
        let (a, b, space, mut x) = (operator(Boundary::DIRICHLET), noise(), Host::<f64>::new(), vec![0.0; N]);
        let report = solve(Stop::rtol(1e-10), &a, &b, &mut x);
        let mut ax = vec![0.0; N];
        crate::Operator::apply(&a, &space, &x, &mut ax).unwrap();
        let residual = ax.iter().zip(&b).map(|(ax, b)| (b - ax).powi(2)).sum::<f64>().sqrt();
        assert_eq!(report.status, Status::Converged);
        assert!(
            (report.true_residual - residual).abs() <= 1e-12 * residual,
            "{} {residual}",
            report.true_residual
        );
    }

    #[test]
    fn the_spectrum_is_that_of_the_operator_and_of_the_preconditioned_one() {
        let (n, space) = (40, Host::<f64>::new());
        let entries: Vec<f64> = (0..n).map(|i| 0.5 + f64::from(i * i)).collect();
        let a = crate::Diagonal::new(&space, &entries).unwrap();
        let mut cg = Cg::new(&space, n as usize, Stop::rtol(1e-12)).unwrap();
        assert_eq!(cg.spectrum(), None);
        let b = &noise()[..n as usize];
        let mut ends = |m: Option<&dyn LinearOperator<Host<f64>>>| {
            let _ = cg.solve(&space, &a, m, b, &mut vec![0.0; n as usize]).unwrap();
            cg.spectrum().unwrap()
        };
        let [low, high] = ends(None);
        assert!((low - 0.5).abs() < 1e-6 && (high - 1521.5).abs() < 1e-6, "{low} {high}");
        let m = Jacobi::new(&space, &entries).unwrap();
        let [low, high] = ends(Some(&m));
        assert!((low - 1.0).abs() < 1e-12 && (high - 1.0).abs() < 1e-12, "{low} {high}");
    }

    #[test]
    fn every_budget_and_the_caller_can_end_it() {
        let (a, b) = (operator(Boundary::DIRICHLET), noise());
        let steps = Stop { max_steps: 3, ..Stop::default() };
        let report = solve(steps, &a, &b, &mut [0.0; N]);
        assert_eq!((report.status, report.steps), (Status::MaxSteps, 3));
        let time = Stop { max_time: Some(Duration::ZERO), ..Stop::default() };
        assert_eq!(solve(time, &a, &b, &mut [0.0; N]).status, Status::MaxTime);
        // No rounding leads to a residual of zero.
        assert_eq!(solve(Stop::rtol(0.0), &a, &b, &mut [0.0; N]).status, Status::Stagnated);
        let space = Host::<f64>::new();
        let mut cg = Cg::unpreconditioned(&space, N, Stop::default()).unwrap();
        let mut watch = |p: &crate::Progress| {
            if p.step == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let report = cg.solve_watched(&space, &a, None, &b, &mut [0.0; N], &mut watch).unwrap();
        assert_eq!((report.status, report.steps, cg.history().len()), (Status::Interrupted, 2, 3));
    }

    #[test]
    fn a_singular_operator_is_solved_in_its_range() {
        let a = operator(Boundary::Neumann);
        let mut b = noise();
        assert!(matches!(solve(Stop::default(), &a, &b, &mut [0.0; N]).status, Status::Inconsistent { .. }));
        let mean = b.iter().sum::<f64>() / N as f64;
        b.iter_mut().for_each(|b| *b -= mean);
        let mut x = [7.0; N];
        assert_eq!(solve(Stop::default(), &a, &b, &mut x).status, Status::Converged);
        assert!(x.iter().sum::<f64>().abs() < 1e-10);
    }

    #[test]
    fn what_cannot_be_solved_is_said() {
        let space = Host::<f64>::new();
        let a = crate::Diagonal::new(&space, &[1.0, -1.0]).unwrap();
        let claimed = crate::Assume::new(&a, Properties::SPD);
        let status = solve(Stop::default(), &claimed, &[1.0, 2.0], &mut [0.0; 2]).status;
        assert!(matches!(status, Status::NotPositiveDefinite { .. }), "{status}");
        let a = operator(Boundary::DIRICHLET);
        let mut b = noise();
        b[5] = f64::NAN;
        assert_eq!(solve(Stop::default(), &a, &b, &mut [0.0; N]).status, Status::NonFinite);
        let mut cg = Cg::unpreconditioned(&space, N, Stop::default()).unwrap();
        let m = Jacobi::new(&space, &[1.0; N]).unwrap();
        let refused = cg.solve(&space, &a, Some(&m), &noise(), &mut [0.0; N]);
        assert!(matches!(refused, Err(Error::Unsuited { .. })));
        let few = Jacobi::new(&space, &[1.0; 3]).unwrap();
        let refused = Cg::new(&space, N, Stop::default()).unwrap().solve(
            &space,
            &a,
            Some(&few),
            &noise(),
            &mut [0.0; N],
        );
        assert!(matches!(refused, Err(Error::Length { .. })));
    }
}
