//! Flexible conjugate gradients.
//!
//! Y. Notay, *Flexible conjugate gradients*, SIAM J. Sci. Comput. 22 (2000), 1444–1460, 10.1137/S1064827599362314. Each
//! direction is made A-orthogonal to the last few explicitly, so the preconditioner may be nonlinear or change from step
//! to step. Departure: a proposal that is not finite, or does not point downhill, is replaced by the residual and counted.
//!
//! Storage: r, z and two vectors for each direction kept. Traffic of a step with one of them, beside the preconditioner and
//! in f64: z·q and r·z (32 bytes an unknown), p ← z + βp and q ← Ap with p·q in one pass (32), p·r (16), x and r with r·r (48).

use super::session::{Needs, Session, Turn, Watch, history};
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
    r: S::Buf,
    z: S::Buf,
    /// The last directions p, Ap and p·Ap; the newest at `newest`.
    kept: Vec<Direction<S>>,
    history: Vec<f64>,
}

struct Direction<S: Space> {
    p: S::Buf,
    q: S::Buf,
    curvature: f64,
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
        let direction = || Ok(Direction { p: space.zeros(n)?, q: space.zeros(n)?, curvature: 0.0 });
        let kept = (0..directions.max(1)).map(|_| direction()).collect::<Result<_>>()?;
        let history = history(&stop);
        Ok(Self { stop, r: space.zeros(n)?, z: space.zeros(n)?, kept, history })
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
        let Self { stop, r, z, kept, history } = self;
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
        let (mut step, mut fallbacks) = (0, 0);
        // Directions since the last start.
        let mut since = 0;
        let status = loop {
            match session.turn(step, &mut residual, x, r, history, watch)? {
                Turn::End(status) => break status,
                Turn::Afresh => since = 0,
                Turn::Step => {}
            }
            if let Some(m) = m {
                m.apply(space, r, z)?;
                session.project(z)?;
            } else {
                space.copy(r, z)?;
            }
            let mut downhill = space.dot(r, z)?;
            if !(downhill.is_finite() && downhill > 0.0) {
                space.copy(r, z)?;
                downhill = residual * residual;
                fallbacks += 1;
            }
            if !downhill.is_finite() {
                break Status::NonFinite;
            }
            let of = S::Scalar::of;
            let memory = kept.len();
            let newest = since % memory;
            let curvature = if memory == 1 {
                let Direction { p, q, curvature } = &mut kept[0];
                let beta = if since == 0 { 0.0 } else { -space.dot(z, q)? / *curvature };
                *curvature = a.update_apply_dot(space, z, of(beta), p, q)?;
                *curvature
            } else {
                for back in 1..=since.min(memory) {
                    let Direction { p, q, curvature } = &kept[(since - back) % memory];
                    let share = space.dot(z, q)? / curvature;
                    space.axpby(of(-share), p, of(1.0), z)?;
                }
                let Direction { p, q, curvature } = &mut kept[newest];
                space.copy(z, p)?;
                *curvature = a.apply_dot(space, p, q)?;
                *curvature
            };
            if !curvature.is_finite() {
                break Status::NonFinite;
            }
            let Direction { p, q, .. } = &kept[newest];
            let alpha = space.dot(p, r)? / curvature;
            if curvature <= 0.0 || !of(alpha).f64().is_finite() {
                break Status::NotPositiveDefinite { curvature };
            }
            residual = space.step(of(alpha), p, q, x, r)?.sqrt();
            step += 1;
            since += 1;
            if !residual.is_finite() {
                history.push(residual);
                break Status::NonFinite;
            }
        };
        let report = session.finish(status, step, residual, x, r)?;
        Ok(Report { fallbacks, ..report })
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
        let mut fcg = FlexibleCg::with_memory(&space, N, Stop::default(), 2).unwrap();
        let bad: [fn(usize, f64) -> f64; 3] = [
            |call, r| if call % 3 == 0 { f64::NAN } else { r },
            |call, r| if call % 2 == 0 { -r } else { r },
            |_, r| if r > 0.0 { f64::INFINITY } else { r },
        ];
        for f in bad {
            let mut x = vec![0.0; N];
            let report = fcg.solve(&space, &a, Some(&Proposal(AtomicUsize::new(0), f)), &b, &mut x).unwrap();
            assert_eq!(report.status, Status::Converged);
            assert!(report.fallbacks > 0 && report.true_residual <= report.target);
        }
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
