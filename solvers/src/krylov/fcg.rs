//! Flexible conjugate gradients: the loop of every direction that is proposed, by a preconditioner or by a network.
//!
//! Y. Notay, *Flexible conjugate gradients*, SIAM J. Sci. Comput. 22 (2000), 1444–1460, 10.1137/S1064827599362314. Each
//! direction is made A-orthogonal to the last few explicitly, so that what proposes it may be nonlinear or change from step to
//! step. With a memory of two directions it is the loop of A. Kaneda, O. Akar, J. Chen, V. Kala, D. Hyde, J. Teran, *A deep
//! conjugate direction method for iteratively solving linear systems*, ICML 2023, arXiv 2205.10763; with as many as there are
//! steps, directions are fully orthogonal.
//!
//! Departures, so that a bad proposal costs time and nothing else: one that is not finite, is orthogonal to the residual to
//! √ε, or has no positive curvature left, is replaced by the residual and counted; and with [`patience`](FlexibleCg::with_patience)
//! proposals that do not pay are given up for the rest of a solve, which then is conjugate gradients.
//!
//! Storage: r, z and two vectors for each direction kept. Traffic of a step with one of them, beside the preconditioner and
//! in f64: r·z and z·z (24 bytes an unknown), z·q (16), p ← z + βp and q ← Ap with p·q in one pass (32), p·r (16), x and r with
//! r·r (48). With k of them the products with all q are one pass, and so is the sum over all p.

use super::session::{Needs, Session, Turn, Watch, history};
use super::window::Window;
use crate::error::check_len;
use crate::{LinearOperator, Operator, Report, Result, Scalar, Space, Status, Stop};
use std::ops::ControlFlow;

/// Flexible conjugate gradients with its workspace: `new` allocates, `solve` does not.
///
/// ```
/// use resolvent::{Boundary, FlexibleCg, Grid, Host, Map, Operator, Poisson, Result, Shape, Status, Stop};
/// /// A preconditioner that is not even linear.
/// struct Signs;
/// impl Map for Signs {
///     fn shape(&self) -> Shape {
///         Shape::square(100)
///     }
/// }
/// impl Operator<Host<f64>> for Signs {
///     fn apply(&self, _: &Host<f64>, r: &[f64], z: &mut [f64]) -> Result<()> {
///         z.iter_mut().zip(r).for_each(|(z, r)| *z = r.signum() * r.abs().powf(0.9));
///         Ok(())
///     }
/// }
/// let a = Poisson::new(Grid::new_2d(10, 10)?, [[Boundary::DIRICHLET; 2]; 3])?;
/// let (space, mut x) = (Host::<f64>::new(), vec![0.0; 100]);
/// let mut fcg = FlexibleCg::new(&space, 100, Stop::default())?;
/// let report = fcg.solve(&space, &a, Some(&Signs), &vec![1.0; 100], &mut x)?;
/// assert_eq!(report.status, Status::Converged);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct FlexibleCg<S: Space> {
    stop: Stop,
    patience: Option<usize>,
    r: S::Buf,
    z: S::Buf,
    kept: Window<S>,
    history: Vec<f64>,
}

impl<S: Space> FlexibleCg<S> {
    /// A workspace for `n` unknowns that keeps one direction, which is enough when the preconditioner is almost linear.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory); [`Error::Parameter`](crate::Error::Parameter) for a tolerance that is negative or not finite.
    pub fn new(space: &S, n: usize, stop: Stop) -> Result<Self> {
        Self::with_memory(space, n, stop, 1)
    }

    /// A workspace that keeps the last `directions`, at least one: two vectors each.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_memory(space: &S, n: usize, stop: Stop, directions: usize) -> Result<Self> {
        stop.check()?;
        let kept = Window::new(space, n, directions.max(1))?;
        let history = history(&stop);
        Ok(Self { stop, patience: None, r: space.zeros(n)?, z: space.zeros(n)?, kept, history })
    }

    /// Gives up proposals for the rest of a solve once `steps` of them in a row, at least one, have not halved the residual
    /// together. Whatever proposes, a solve then takes at most `steps` proposals for each time the residual is halved, and
    /// after them the steps of conjugate gradients. The residual of these is not monotone either, so below about ten a good
    /// proposal is given up too.
    pub fn with_patience(self, steps: usize) -> Self {
        Self { patience: Some(steps.max(1)), ..self }
    }

    /// ‖r‖₂ of the recurrence before every step of the last solve, and at its end.
    pub fn history(&self) -> &[f64] {
        &self.history
    }

    /// Solves Ax = b from the starting point in `x`, with `m` ≈ A⁻¹, linear or not, when given.
    ///
    /// # Errors
    /// [`Error::Property`](crate::Error::Property) when `a` does not claim to be symmetric and at least semidefinite; [`Error::Length`](crate::Error::Length). Not
    /// converging is no error: look at the report's `status`.
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

    /// Solves for several right-hand sides in turn.
    ///
    /// # Errors
    /// As [`solve`](Self::solve); [`Error::Length`](crate::Error::Length) when the numbers of right-hand sides and solutions differ.
    pub fn solve_many(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn Operator<S>>,
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
        m: Option<&dyn Operator<S>>,
        b: &S::Slice,
        x: &mut S::Slice,
        watch: Watch,
    ) -> Result<Report> {
        self.history.clear();
        let Self { stop, patience, r, z, kept, history } = self;
        let (mut session, mut residual) = match Session::begin(
            Needs::Positive("FlexibleCg"),
            space,
            a,
            m.map(|m| m.shape()),
            b,
            x,
            r,
            stop,
        )? {
            Ok(begun) => begun,
            Err(report) => return Ok(report),
        };
        kept.forget();
        let (mut step, mut fallbacks, mut given_up) = (0, 0, false);
        let mut trust = Trust { patience: *patience, steps: 0, from: residual };
        let status = loop {
            match session.turn(step, &mut residual, x, r, history, watch)? {
                Turn::End(status) => break status,
                Turn::Afresh => kept.forget(),
                Turn::Step => {}
            }
            // The proposal first, then the residual in its place.
            let mut proposed = false;
            if let Some(m) = m {
                if trust.holds(residual) {
                    m.apply(space, r, z)?;
                    session.project(z)?;
                    proposed = leads(space, r, z, residual)?;
                } else if !given_up {
                    // Short recurrences are only those of conjugate gradients from a residual on.
                    kept.forget();
                    given_up = true;
                }
                fallbacks += usize::from(!proposed);
            }
            let taken = loop {
                if !proposed {
                    space.copy(r, z)?;
                }
                let curvature = kept.take(space, a, z)?;
                let sound = curvature.is_finite() && curvature > 0.0;
                if sound || !proposed {
                    break curvature;
                }
                kept.forget();
                fallbacks += 1;
                proposed = false;
            };
            if !taken.is_finite() {
                break Status::NonFinite;
            }
            let (p, q) = kept.newest();
            let alpha = S::Scalar::of(space.dot(p, r)? / taken);
            if taken <= 0.0 || !alpha.f64().is_finite() {
                break Status::NotPositiveDefinite { curvature: taken };
            }
            residual = space.step(alpha, p, q, x, r)?.sqrt();
            step += 1;
            if !residual.is_finite() {
                history.push(residual);
                break Status::NonFinite;
            }
        };
        let report = session.finish(status, step, residual, x, r)?;
        Ok(Report { fallbacks, ..report })
    }
}

/// Whether z can be stepped along: finite, and not orthogonal to r. Below a cosine of √ε only a matrix of condition number
/// 1/ε has its solution there, and what is left is rounding.
pub(super) fn leads<S: Space>(space: &S, r: &S::Slice, z: &S::Slice, residual: f64) -> Result<bool> {
    let (along, square) = (space.dot(r, z)?, space.dot(z, z)?);
    let least = S::Scalar::EPSILON.sqrt() * residual * square.sqrt();
    Ok(square.is_normal() && along.is_finite() && along.abs() > least)
}

/// Whether proposals pay.
struct Trust {
    patience: Option<usize>,
    /// Proposals since the residual was last halved.
    steps: usize,
    /// What it was then.
    from: f64,
}

impl Trust {
    /// Whether to ask for one more; once it does not, it never does again.
    fn holds(&mut self, residual: f64) -> bool {
        if residual <= 0.5 * self.from {
            (self.steps, self.from) = (0, residual);
        }
        let holds = self.patience.is_none_or(|most| self.steps < most);
        self.steps = self.steps.saturating_add(usize::from(holds));
        if !holds {
            // Nothing halves this.
            self.from = 0.0;
        }
        holds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Boundary, Cg, Error, Grid, Host, Map, Poisson, Shape, precond::Jacobi};
    use std::cell::Cell;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const N: usize = 600;

    fn problem() -> (Poisson, Vec<f64>) {
        let a = Poisson::anisotropic(
            Grid::new_2d(30, 20).unwrap(),
            [[Boundary::DIRICHLET; 2]; 3],
            [1.0, 3.0, 1.0],
        );
        (a.unwrap(), (0..N).map(|i| ((i * 7919) % 101) as f64 - 50.0).collect())
    }

    #[test]
    fn a_fixed_preconditioner_gives_the_steps_of_cg() {
        let ((a, b), space) = (problem(), Host::<f64>::new());
        let m = Jacobi::new(&space, &crate::Stencil::from(a.clone()).diagonal()).unwrap();
        let mut x = vec![0.0; N];
        let cg =
            Cg::new(&space, N, Stop::default()).unwrap().solve(&space, &a, Some(&m), &b, &mut x).unwrap();
        for memory in [1, 3] {
            let mut y = vec![0.0; N];
            let mut fcg = FlexibleCg::with_memory(&space, N, Stop::default(), memory).unwrap();
            let report = fcg.solve(&space, &a, Some(&m), &b, &mut y).unwrap();
            assert_eq!((report.status, report.fallbacks), (Status::Converged, 0));
            assert!(report.steps.abs_diff(cg.steps) <= 1, "{} {}", report.steps, cg.steps);
            assert!(x.iter().zip(&y).all(|(x, y)| (x - y).abs() < 1e-5));
            assert_eq!(fcg.history().len(), report.steps + 1);
        }
    }

    /// Proposes what the function makes of the residual, by the number of the call.
    struct Proposal<F>(AtomicUsize, F);

    impl<F: Send + Sync> Map for Proposal<F> {
        fn shape(&self) -> Shape {
            Shape::square(N)
        }
    }

    impl<F: Fn(usize, f64) -> f64 + Send + Sync> Operator<Host<f64>> for Proposal<F> {
        fn apply(&self, _: &Host<f64>, r: &[f64], z: &mut [f64]) -> Result<()> {
            let call = self.0.fetch_add(1, Ordering::Relaxed);
            z.iter_mut().zip(r).for_each(|(z, r)| *z = self.1(call, *r));
            Ok(())
        }
    }

    #[test]
    fn a_bad_proposal_costs_time_and_no_more() {
        let ((a, b), space) = (problem(), Host::<f64>::new());
        let plain = {
            let mut x = vec![0.0; N];
            FlexibleCg::new(&space, N, Stop::default()).unwrap().solve(&space, &a, None, &b, &mut x).unwrap()
        };
        let mut fcg = FlexibleCg::with_memory(&space, N, Stop::default(), 2).unwrap();
        let bad: [fn(usize, f64) -> f64; 5] = [
            |call, r| if call.is_multiple_of(3) { f64::NAN } else { r },
            |_, r| if r > 0.0 { f64::INFINITY } else { r },
            |_, _| 0.0,
            |call, r| if call.is_multiple_of(2) { 1e-300 * r } else { r },
            |_, r| 1e200 * r,
        ];
        for (i, f) in bad.into_iter().enumerate() {
            let mut x = vec![0.0; N];
            let report = fcg.solve(&space, &a, Some(&Proposal(AtomicUsize::new(0), f)), &b, &mut x).unwrap();
            assert_eq!(report.status, Status::Converged, "{i}");
            assert!(report.fallbacks > 0 && report.true_residual <= report.target, "{i}");
            assert!(report.steps <= plain.steps + 2, "{i}: {}", report.steps);
        }
    }

    #[test]
    fn the_sign_and_the_size_of_a_proposal_do_not_matter() {
        let ((a, b), space) = (problem(), Host::<f64>::new());
        let mut steps = vec![];
        let alike: [fn(usize, f64) -> f64; 3] = [
            |_, r| r,
            |call, r| if call.is_multiple_of(2) { -r } else { r },
            |call, r| 10f64.powi(call as i32 % 5) * r,
        ];
        for f in alike {
            let mut fcg = FlexibleCg::with_memory(&space, N, Stop::default(), 2).unwrap();
            let proposal = Proposal(AtomicUsize::new(0), f);
            let report = fcg.solve(&space, &a, Some(&proposal), &b, &mut vec![0.0; N]).unwrap();
            assert_eq!((report.status, report.fallbacks), (Status::Converged, 0));
            steps.push(report.steps);
        }
        assert!(steps.iter().all(|s| s.abs_diff(steps[0]) <= 1), "{steps:?}");
    }

    #[test]
    fn proposals_that_do_not_pay_are_given_up() {
        let ((a, b), space) = (problem(), Host::<f64>::new());
        // The residual with all but one entry in a hundred taken out: downhill, and next to useless.
        let poor = |call: usize, r: f64| {
            if (r.to_bits() as usize).wrapping_add(call).is_multiple_of(100) { r } else { 0.0 }
        };
        let run = |patience: Option<usize>| {
            let fcg = FlexibleCg::with_memory(&space, N, Stop::default(), 2).unwrap();
            let mut fcg = match patience {
                Some(steps) => fcg.with_patience(steps),
                None => fcg,
            };
            let proposal = Proposal(AtomicUsize::new(0), poor);
            let report = fcg.solve(&space, &a, Some(&proposal), &b, &mut vec![0.0; N]).unwrap();
            (report, proposal.0.into_inner())
        };
        let (stubborn, _) = run(None);
        let (report, proposals) = run(Some(12));
        assert_eq!((stubborn.status, report.status), (Status::MaxSteps, Status::Converged));
        assert!(proposals < 60 && report.fallbacks + proposals >= report.steps, "{proposals} {report:?}");
        let mut cg = FlexibleCg::new(&space, N, Stop::default()).unwrap();
        let plain = cg.solve(&space, &a, None, &b, &mut vec![0.0; N]).unwrap();
        assert!(report.steps <= plain.steps + proposals + 2, "{} and {proposals}: {report:?}", plain.steps);
    }

    #[test]
    fn a_long_memory_makes_directions_fully_orthogonal() {
        // One fixed direction a step, of a basis: after as many steps as unknowns the solution is exact.
        let space = Host::<f64>::new();
        let a = Poisson::new(Grid::new_2d(6, 4).unwrap(), [[Boundary::DIRICHLET; 2]; 3]).unwrap();
        struct Axis(AtomicUsize);
        impl Map for Axis {
            fn shape(&self) -> Shape {
                Shape::square(24)
            }
        }
        impl Operator<Host<f64>> for Axis {
            fn apply(&self, _: &Host<f64>, _: &[f64], z: &mut [f64]) -> Result<()> {
                z.fill(0.0);
                z[self.0.fetch_add(1, Ordering::Relaxed) % 24] = 1.0;
                Ok(())
            }
        }
        let b: Vec<f64> = (0..24).map(|i| (i as f64).cos()).collect();
        let run = |memory: usize| {
            let mut fcg = FlexibleCg::with_memory(&space, 24, Stop::rtol(1e-10), memory).unwrap();
            fcg.solve(&space, &a, Some(&Axis(AtomicUsize::new(0))), &b, &mut [0.0; 24]).unwrap().steps
        };
        assert!(run(24) <= 24 && run(2) > 30, "{} {}", run(24), run(2));
    }

    #[test]
    fn watching_stops_and_several_sides_are_solved() {
        let ((a, b), space) = (problem(), Host::<f64>::new());
        let mut fcg = FlexibleCg::new(&space, N, Stop::default()).unwrap();
        let seen = Cell::new(0);
        let report = fcg
            .solve_watched(&space, &a, None, &b, &mut vec![0.0; N], &mut |p| {
                seen.set(p.step);
                if p.step == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .unwrap();
        assert_eq!((report.status, report.steps, seen.get()), (Status::Interrupted, 7, 7));
        let (mut x, mut y) = (vec![0.0; N], vec![0.0; N]);
        let reports = fcg.solve_many(&space, &a, None, &[&b, &b], &mut [&mut x, &mut y]).unwrap();
        assert!(reports.iter().all(|r| r.status == Status::Converged) && x == y);
        let few = fcg.solve_many(&space, &a, None, &[&b, &b], &mut [&mut x]);
        assert!(matches!(few, Err(Error::Length { .. })));
    }
}
