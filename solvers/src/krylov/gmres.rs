//! Generalised minimal residuals, for any square operator; right preconditioned, so that the residual is the true one.
//!
//! Y. Saad, M. H. Schultz, *GMRES: a generalized minimal residual algorithm for solving nonsymmetric linear systems*, SIAM
//! J. Sci. Stat. Comput. 7 (1986), 856–869, 10.1137/0907058. Departures: Gram–Schmidt is classical and done twice, which is
//! as good as Householder's (L. Giraud, J. Langou, M. Rozložník, 2005, 10.1016/j.camwa.2005.08.009) and reads the basis in
//! fused passes; a restart that brings nothing ends the solve; a cycle ends before the condition number of its
//! triangle, estimated as it grows, exceeds 1/√ε, since beyond that a singular operator makes x of rounding, and the first
//! that then brings too little is followed by cycles that go on; and a singular operator is told from a hard one by
//! ‖Aᵀr‖ where there is a transpose.
//!
//! Storage: a basis of m + 1 vectors, for restart length m, and two more. Traffic of the j-th step after a restart, beside
//! A and the preconditioner and in f64: about 34 j + 64 bytes an unknown, and five passes with reductions.

use super::cycle::Cycle;
use super::session::{Needs, Watch};
use crate::{LinearOperator, Operator, Report, Result, Space, Stop};
use std::ops::ControlFlow;

/// Steps between restarts where none are given.
pub(super) const RESTART: usize = 30;

/// GMRES(m) with its workspace: `new` allocates, `solve` does not. The residual never grows.
///
/// ```
/// use resolvent::{Csr, Gmres, Host, Status, Stop};
/// let a = Csr::from_triplets(2, 2, &[(0, 0, 1.0), (0, 1, 2.0), (1, 0, -3.0), (1, 1, 1.0)])?;
/// let (space, mut x) = (Host::<f64>::new(), [0.0; 2]);
/// let report = Gmres::new(&space, 2, Stop::default())?.solve(&space, &a, None, &[5.0, -1.0], &mut x)?;
/// assert_eq!((report.status, report.steps), (Status::Converged, 2));
/// assert!((x[0] - 1.0).abs() < 1e-12 && (x[1] - 2.0).abs() < 1e-12);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Gmres<S: Space>(Cycle<S>);

impl<S: Space> Gmres<S> {
    /// A workspace for `n` unknowns that restarts every 30 steps.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory); [`Error::Parameter`](crate::Error::Parameter) for a tolerance that is
    /// negative or not finite.
    pub fn new(space: &S, n: usize, stop: Stop) -> Result<Self> {
        Self::with_restart(space, n, stop, RESTART)
    }

    /// A workspace that restarts every `restart` steps, at least one: `restart` + 3 vectors.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_restart(space: &S, n: usize, stop: Stop, restart: usize) -> Result<Self> {
        Cycle::new(space, n, stop, restart, false).map(Self)
    }

    /// ‖r‖₂ before every step of the last solve, and at its end.
    pub fn history(&self) -> &[f64] {
        &self.0.history
    }

    /// Solves Ax = b from the starting point in `x`, with `m` ≈ A⁻¹ when given.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length), also for an `a` that is not square. Not converging is no error: look at the
    /// report's `status`.
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
        self.0.run(Needs::Square, space, a, m.map(|m| m as &dyn Operator<S>), b, x, watch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krylov::test::{dense, distance, exact, noise};
    use crate::precond::Jacobi;
    use crate::{Csr, Dense, Error, Fgmres, Host, Identity, Status};

    fn solve(a: &Dense<f64>, b: &[f64], x: &mut [f64], restart: usize, stop: Stop) -> (Report, Vec<f64>) {
        let space = Host::new();
        let mut gmres = Gmres::with_restart(&space, b.len(), stop, restart).unwrap();
        let report = gmres.solve(&space, a, None, b, x).unwrap();
        (report, gmres.history().to_vec())
    }

    #[test]
    fn it_agrees_with_a_factorisation_and_the_residual_never_grows() {
        for (n, restart) in [(1, 5), (7, 7), (40, 10), (90, 30), (90, 200)] {
            let (a, b) = (dense(n, 2.0, n as u64), noise(n, 3));
            let mut x = vec![0.0; n];
            let (report, history) = solve(&a, &b, &mut x, restart, Stop::rtol(1e-11));
            assert_eq!(report.status, Status::Converged, "{n} {restart}: {report:?}");
            assert!(distance(&x, &exact(&a, &b)) < 1e-8, "{n} {restart}");
            assert_eq!(history.len(), report.steps + 1);
            assert!(history.windows(2).all(|h| h[1] <= h[0] * (1.0 + 1e-9)), "{history:?}");
        }
    }

    #[test]
    fn preconditioned_from_a_start_and_flexible_alike() {
        let (n, space) = (60, Host::<f64>::new());
        let a = Dense::from_fn(n, n, |i, j| {
            if i == j { 10f64.powi(i as i32 % 7) } else { 0.1 * (((3 * i + 7 * j) % 11) as f64 - 5.0) / 11.0 }
        })
        .unwrap();
        let diagonal: Vec<f64> = (0..n).map(|i| a.mat()[(i, i)]).collect();
        let (m, b) = (Jacobi::new(&space, &diagonal).unwrap(), noise(n, 5));
        let (mut x, mut y) = (noise(n, 6), noise(n, 6));
        let stop = Stop::rtol(1e-10);
        let one = Gmres::new(&space, n, stop).unwrap().solve(&space, &a, Some(&m), &b, &mut x).unwrap();
        let two = Fgmres::new(&space, n, stop).unwrap().solve(&space, &a, Some(&m), &b, &mut y).unwrap();
        assert_eq!((one.status, two.status), (Status::Converged, Status::Converged));
        assert!(one.steps == two.steps && distance(&x, &y) < 1e-9, "{one:?} {two:?}");
        let plain = Gmres::new(&space, n, stop).unwrap().solve(&space, &a, None, &b, &mut y).unwrap();
        assert_eq!(plain.steps, 0, "the solution as a start");
    }

    #[test]
    fn what_cannot_be_solved_is_said() {
        let n = 12;
        // A cyclic shift: nothing happens before step n.
        let shift = Dense::from_fn(n, n, |i, j| f64::from(u8::from((i + 1) % n == j))).unwrap();
        let mut b = vec![0.0; n];
        b[0] = 1.0;
        let (report, _) = solve(&shift, &b, &mut vec![0.0; n], n - 1, Stop::default());
        assert_eq!(report.status, Status::Stagnated);
        let (report, _) = solve(&shift, &b, &mut vec![0.0; n], n, Stop::default());
        assert_eq!((report.status, report.steps), (Status::Converged, n));
        // Singular: the last row is zero.
        let singular =
            Dense::from_fn(
                n,
                n,
                |i, j| if i == n - 1 { 0.0 } else { f64::from(u8::from(i == j)) * (i + 1) as f64 },
            )
            .unwrap();
        let (report, _) = solve(&singular, &vec![1.0; n], &mut vec![0.0; n], 30, Stop::default());
        let Status::Inconsistent { outside } = report.status else { panic!("{report:?}") };
        assert!((outside - 1.0).abs() < 1e-6);
        b[0] = 3.0;
        let mut x = vec![0.0; n];
        let (report, _) = solve(&singular, &b, &mut x, 30, Stop::default());
        assert!(report.status == Status::Converged && (x[0] - 3.0).abs() < 1e-12);
        let nilpotent = Dense::from_fn(2, 2, |i, j| f64::from(u8::from((i, j) == (0, 1)))).unwrap();
        let (report, _) = solve(&nilpotent, &[1.0, 0.0], &mut [0.0; 2], 30, Stop::default());
        assert_eq!(report.status, Status::Stagnated, "consistent, but beyond every Krylov space");
        let (report, _) = solve(&shift, &vec![f64::NAN; n], &mut vec![0.0; n], 5, Stop::default());
        assert_eq!(report.status, Status::NonFinite);
        let mut x = vec![4.0; n];
        let (report, _) = solve(&shift, &vec![0.0; n], &mut x, 5, Stop::default());
        assert_eq!((report.status, report.steps, x), (Status::Converged, 0, vec![0.0; n]));
        let (report, _) = solve(&dense(40, 2.0, 1), &noise(40, 1), &mut [0.0; 40], 5, Stop::rtol(0.0));
        assert_eq!(report.status, Status::Stagnated);
        let stop = Stop { max_steps: 3, ..Stop::default() };
        let (report, history) = solve(&dense(40, 2.0, 1), &noise(40, 1), &mut [0.0; 40], 5, stop);
        assert_eq!((report.status, report.steps, history.len()), (Status::MaxSteps, 3, 4));
        assert!(report.true_residual < history[0] && (report.true_residual - history[3]).abs() < 1e-10);
    }

    #[test]
    fn the_caller_and_wrong_lengths_stop_it() {
        let (space, a, b) = (Host::<f64>::new(), dense(40, 2.0, 1), noise(40, 1));
        let mut gmres = Gmres::new(&space, 40, Stop::default()).unwrap();
        let mut watch = |p: &crate::Progress| {
            if p.step == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let report = gmres.solve_watched(&space, &a, None, &b, &mut [0.0; 40], &mut watch).unwrap();
        assert_eq!((report.status, report.steps, gmres.history().len()), (Status::Interrupted, 2, 3));
        let short = gmres.solve(&space, &a, None, &b[1..], &mut [0.0; 40]);
        assert!(matches!(short, Err(Error::Length { .. })));
        let wrong = gmres.solve(&space, &a, Some(&Identity::new(39)), &b, &mut [0.0; 40]);
        assert!(matches!(wrong, Err(Error::Length { .. })));
        let wide = Csr::from_triplets(40, 41, &[(0, 0, 1.0)]).unwrap();
        assert!(matches!(gmres.solve(&space, &wide, None, &b, &mut [0.0; 41]), Err(Error::Length { .. })));
    }

    #[test]
    fn in_single_precision() {
        let (space, n) = (Host::<f32>::new(), 50);
        let a = dense(n, 2.0, 9);
        let a = Dense::from_fn(n, n, |i, j| a.mat()[(i, j)] as f32).unwrap();
        let b: Vec<f32> = noise(n, 2).iter().map(|v| *v as f32).collect();
        let mut gmres = Gmres::new(&space, n, Stop::rtol(1e-5)).unwrap();
        assert_eq!(gmres.solve(&space, &a, None, &b, &mut vec![0.0; n]).unwrap().status, Status::Converged);
    }
}
