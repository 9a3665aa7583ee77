//! Flexible GMRES: the preconditioner may be nonlinear, or change from step to step.
//!
//! Y. Saad, *A flexible inner-outer preconditioned GMRES algorithm*, SIAM J. Sci. Comput. 14 (1993), 461–469,
//! 10.1137/0914028. Departure: a proposal that is not finite, zero, or adds nothing to those before is replaced by the
//! residual's direction and counted. Otherwise as [`gmres`](super::gmres), whose cycle it shares.
//!
//! Storage: 2m + 2 vectors for restart length m. Traffic: that of GMRES and 8 bytes an unknown for the norm of a proposal.

use super::cycle::Cycle;
use super::gmres::RESTART;
use super::session::{Needs, Watch};
use crate::{LinearOperator, Operator, Report, Result, Space, Stop};
use std::ops::ControlFlow;

/// Flexible GMRES(m) with its workspace: `new` allocates, `solve` does not. The residual never grows.
///
/// ```
/// use resolvent::{Csr, Fgmres, Host, Map, Operator, Result, Shape, Status, Stop};
/// /// A preconditioner that is not even linear.
/// struct Cubes;
/// impl Map for Cubes {
///     fn shape(&self) -> Shape {
///         Shape::square(2)
///     }
/// }
/// impl Operator<Host<f64>> for Cubes {
///     fn apply(&self, _: &Host<f64>, r: &[f64], z: &mut [f64]) -> Result<()> {
///         z.iter_mut().zip(r).for_each(|(z, r)| *z = r * r * r);
///         Ok(())
///     }
/// }
/// let a = Csr::from_triplets(2, 2, &[(0, 0, 1.0), (0, 1, 2.0), (1, 0, -3.0), (1, 1, 1.0)])?;
/// let (space, mut x) = (Host::<f64>::new(), [0.0; 2]);
/// let report = Fgmres::new(&space, 2, Stop::default())?.solve(&space, &a, Some(&Cubes), &[5.0, -1.0], &mut x)?;
/// assert_eq!(report.status, Status::Converged);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Fgmres<S: Space>(Cycle<S>);

impl<S: Space> Fgmres<S> {
    /// A workspace for `n` unknowns that restarts every 30 steps.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory); [`Error::Parameter`](crate::Error::Parameter) for a tolerance that is
    /// negative or not finite.
    pub fn new(space: &S, n: usize, stop: Stop) -> Result<Self> {
        Self::with_restart(space, n, stop, RESTART)
    }

    /// A workspace that restarts every `restart` steps, at least one: 2 `restart` + 2 vectors.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_restart(space: &S, n: usize, stop: Stop, restart: usize) -> Result<Self> {
        Cycle::new(space, n, stop, restart, true).map(Self)
    }

    /// ‖r‖₂ before every step of the last solve, and at its end.
    pub fn history(&self) -> &[f64] {
        &self.0.history
    }

    /// Solves Ax = b from the starting point in `x`, with `m` ≈ A⁻¹, linear or not, when given. `m` sees vectors of norm 1.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length), also for an `a` that is not square. Not converging is no error: look at the
    /// report's `status`.
    pub fn solve(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn Operator<S>>,
        b: &S::Slice,
        x: &mut S::Slice,
    ) -> Result<Report> {
        self.solve_watched(space, a, m, b, x, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`solve`](Self::solve); `watch` is called before each step and may stop.
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    pub fn solve_watched(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn Operator<S>>,
        b: &S::Slice,
        x: &mut S::Slice,
        watch: Watch,
    ) -> Result<Report> {
        self.0.run(Needs::Square, space, a, m, b, x, watch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krylov::test::{dense, distance, exact, noise};
    use crate::{Host, Map, Shape, Status};
    use std::sync::atomic::{AtomicUsize, Ordering};

    const N: usize = 50;

    /// Proposes what the function makes of a direction, by the number of the call.
    struct Proposal(AtomicUsize, Rule);

    type Rule = fn(usize, f64) -> f64;

    impl Map for Proposal {
        fn shape(&self) -> Shape {
            Shape::square(N)
        }
    }

    impl Operator<Host<f64>> for Proposal {
        fn apply(&self, _: &Host<f64>, r: &[f64], z: &mut [f64]) -> Result<()> {
            let call = self.0.fetch_add(1, Ordering::Relaxed);
            z.iter_mut().zip(r).for_each(|(z, r)| *z = self.1(call, *r));
            Ok(())
        }
    }

    #[test]
    fn a_bad_proposal_costs_time_and_no_more() {
        let (space, a, b) = (Host::<f64>::new(), dense(N, 2.0, 4), noise(N, 2));
        let bad: [(bool, Rule); 5] = [
            (true, |call, r| if call % 3 == 0 { f64::NAN } else { r }),
            (true, |_, r| if r > 0.1 { f64::INFINITY } else { r }),
            (true, |_, _| 0.0),
            (true, |_, _| 1.0),
            (false, |call, r| r.signum() * r.abs().powf(1.0 + 0.1 * (call % 3) as f64)),
        ];
        for (i, (falls_back, f)) in bad.into_iter().enumerate() {
            let mut x = vec![0.0; N];
            let m = Proposal(AtomicUsize::new(0), f);
            let mut fgmres = Fgmres::with_restart(&space, N, Stop::rtol(1e-10), 40).unwrap();
            let report = fgmres.solve(&space, &a, Some(&m), &b, &mut x).unwrap();
            assert_eq!(
                (report.status, report.fallbacks > 0),
                (Status::Converged, falls_back),
                "{i}: {report:?}"
            );
            assert!(distance(&x, &exact(&a, &b)) < 1e-8);
            assert!(fgmres.history().windows(2).all(|h| h[1] <= h[0] * (1.0 + 1e-9)));
        }
    }
}
