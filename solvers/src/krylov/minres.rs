//! Minimal residuals, for symmetric operators of any sign.
//!
//! C. C. Paige, M. A. Saunders, *Solution of sparse indefinite systems of linear equations*, SIAM J. Numer. Anal. 12 (1975),
//! 617–629, 10.1137/0712047. With a symmetric positive definite preconditioner M the residual is minimal in the norm of M.
//! Departures: ‖r‖₂ is what is reported, also with a preconditioner; the true residual decides, as in [`cg`](super::cg);
//! where ‖Ar‖ < √ε ‖A‖ ‖r‖ no x does better, or none that this precision can find, and the system is said to be inconsistent.
//!
//! For an inconsistent system x is then one of many minimisers of ‖b − Ax‖. MINRES-QLP (S.-C. T. Choi, C. C. Paige, M. A.
//! Saunders, 2011, 10.1137/100787921) would give the shortest, and lose less to rounding where A is nearly singular, for
//! two more vectors and about twice the updates. A known null space is better told with
//! [`NullSpace`](crate::compose::NullSpace).
//!
//! Storage: 6 vectors, 7 with a preconditioner. Traffic of a step beside A, in f64: 184 bytes an unknown; with a
//! preconditioner 24 more.

use super::session::{Needs, Session, Turn, Watch, check_preconditioner, history};
use crate::{LinearOperator, Report, Result, Scalar, Space, Status, Stop};
use std::mem::swap;
use std::ops::ControlFlow;

/// Preconditioned MINRES with its workspace: `new` allocates, `solve` does not. The residual never grows.
///
/// ```
/// use resolvent::{Csr, Host, Minres, Properties, Status, Stop};
/// let a = Csr::from_triplets(2, 2, &[(0, 0, 1.0), (0, 1, 2.0), (1, 0, 2.0), (1, 1, -3.0)])?;
/// let (a, space, mut x) = (a.assume(Properties::SYMMETRIC), Host::<f64>::new(), [0.0; 2]);
/// let report = Minres::new(&space, 2, Stop::default())?.solve(&space, &a, None, &[5.0, -4.0], &mut x)?;
/// assert_eq!(report.status, Status::Converged);
/// assert!((x[0] - 1.0).abs() < 1e-12 && (x[1] - 2.0).abs() < 1e-12);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Minres<S: Space> {
    stop: Stop,
    /// The last two Lanczos vectors, not scaled, and the one in the making.
    before: S::Buf,
    u: S::Buf,
    next: S::Buf,
    /// M u, scaled.
    v: S::Buf,
    /// The last two directions.
    w: S::Buf,
    w_before: S::Buf,
    /// The residual, which without a preconditioner is known by its norm.
    r: S::Buf,
    history: Vec<f64>,
}

/// What a start is made with, and every step changes.
struct Recurrence {
    beta: f64,
    beta_before: f64,
    c: f64,
    s: f64,
    /// Entries of the tridiagonal matrix that the last rotations left.
    delta: f64,
    epsilon: f64,
    /// ‖r‖ in the norm of M.
    phi: f64,
    first: bool,
}

impl<S: Space> Minres<S> {
    /// A workspace for `n` unknowns.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory); [`Error::Parameter`](crate::Error::Parameter) for a tolerance that is
    /// negative or not finite.
    pub fn new(space: &S, n: usize, stop: Stop) -> Result<Self> {
        stop.check()?;
        let zeros = || space.zeros(n);
        let (before, u, next, v) = (zeros()?, zeros()?, zeros()?, zeros()?);
        let (w, w_before, r) = (zeros()?, zeros()?, zeros()?);
        Ok(Self { stop, before, u, next, v, w, w_before, r, history: history(&stop) })
    }

    /// ‖r‖₂ of the recurrence before every step of the last solve, and at its end.
    pub fn history(&self) -> &[f64] {
        &self.history
    }

    /// Solves Ax = b from the starting point in `x`, with `m` ≈ |A|⁻¹ when given.
    ///
    /// With a null space that `a` knows, `x` ends orthogonal to it.
    ///
    /// # Errors
    /// [`Error::Property`](crate::Error::Property) when `a` does not claim to be symmetric, or `m` symmetric and positive;
    /// [`Error::Length`](crate::Error::Length). Not converging is no error: look at the report's `status`.
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
        self.history.clear();
        check_preconditioner("Minres", m)?;
        let Self { stop, before, u, next, v, w, w_before, r, history } = self;
        let shape = m.map(|m| m.shape());
        let needs = Needs::Symmetric("Minres");
        let (mut session, mut residual) = match Session::begin(needs, space, a, shape, b, x, next, stop)? {
            Ok(begun) => begun,
            Err(report) => return Ok(report),
        };
        let (zero, one, of) = (S::Scalar::of(0.0), S::Scalar::of(1.0), S::Scalar::of);
        let (mut step, mut size) = (0, 0.0f64);
        // Whether no x seems to do better, and ‖r‖ when it last seemed so.
        let (mut flat, mut last_flat) = (false, f64::INFINITY);
        let mut k = None;
        let status = loop {
            if flat {
                // The recurrence says that ‖Ar‖ is small: the true residual is asked.
                let norm = session.recompute(x, next)?;
                let status = session.why_stagnated(next, v)?;
                residual = session.recompute(x, next)?;
                if status != Status::Stagnated || norm >= 0.5 * last_flat {
                    history.push(residual);
                    break status;
                }
                (flat, last_flat, k) = (false, norm, None);
            }
            match session.turn(step, &mut residual, x, next, history, watch)? {
                Turn::End(status) => break status,
                Turn::Afresh => k = None,
                Turn::Step => {}
            }
            let Recurrence { beta, beta_before, c, s, delta, epsilon, phi, first } = match k.take() {
                Some(k) => k,
                None => {
                    // `next` holds the true residual.
                    space.copy(next, u)?;
                    space.fill(zero, w)?;
                    space.fill(zero, w_before)?;
                    let square = match m {
                        Some(m) => {
                            space.copy(u, r)?;
                            m.apply_dot(space, u, v)?
                        }
                        None => residual * residual,
                    };
                    if !square.is_finite() {
                        break Status::NonFinite;
                    }
                    if square <= 0.0 {
                        break Status::IndefinitePreconditioner { product: square };
                    }
                    let beta = if m.is_some() { square.sqrt() } else { residual };
                    let (delta, epsilon) = (0.0, 0.0);
                    Recurrence {
                        beta,
                        beta_before: 1.0,
                        c: -1.0,
                        s: 0.0,
                        delta,
                        epsilon,
                        phi: beta,
                        first: true,
                    }
                }
            };
            // Lanczos: βᵥ v = M u, next = A v − (α/β) u − (β/β′) u′.
            match m {
                Some(_) => space.scale(of(1.0 / beta), v)?,
                None => space.axpby(of(1.0 / beta), u, zero, v)?,
            }
            let alpha = a.apply_dot(space, v, next)?;
            if !first {
                space.axpby(of(-beta / beta_before), before, one, next)?;
            }
            space.axpby(of(-alpha / beta), u, one, next)?;
            // The column (ε, δ, γ) of the triangle, and the direction v − ε w″ − δ w′.
            let (delta, gamma_bar) = (c * delta + s * alpha, s * delta - c * alpha);
            swap(before, u);
            swap(u, next);
            // What follows overwrites v, so the direction begins with it.
            let epsilon_before = epsilon;
            space.axpby(one, v, of(-epsilon_before), w_before)?;
            space.axpby(of(-delta), w, one, w_before)?;
            let square = match m {
                Some(m) => m.apply_dot(space, u, v)?,
                None => space.dot(u, u)?,
            };
            if !(square.is_finite() && alpha.is_finite()) {
                step += 1;
                history.push(f64::NAN);
                break Status::NonFinite;
            }
            let column = alpha.hypot(beta);
            size = size.max(column);
            let nothing = 10.0 * S::Scalar::EPSILON * size;
            if square < -nothing * nothing {
                break Status::IndefinitePreconditioner { product: square };
            }
            let next_beta = square.max(0.0).sqrt();
            size = size.max(alpha.hypot(next_beta));
            // ‖A r‖ of the residual before this step.
            let (epsilon, next_delta) = (s * next_beta, -c * next_beta);
            let slope = gamma_bar.hypot(next_delta);
            let gamma = gamma_bar.hypot(next_beta);
            if gamma <= nothing || slope <= session.flat() * size {
                (flat, step) = (true, step + 1);
                continue;
            }
            let (c, s) = (gamma_bar / gamma, next_beta / gamma);
            space.scale(of(1.0 / gamma), w_before)?;
            swap(w, w_before);
            space.axpby(of(c * phi), w, one, x)?;
            step += 1;
            if m.is_some() {
                // r ← s² r − c φ′ u / β.
                let share = if next_beta > 0.0 { -c * s * phi / next_beta } else { 0.0 };
                space.axpby(of(share), u, of(s * s), r)?;
                residual = space.norm(r)?;
            } else {
                residual = (s * phi).abs();
            }
            if !residual.is_finite() {
                history.push(residual);
                break Status::NonFinite;
            }
            if next_beta <= nothing {
                // The Krylov space is exhausted: what it can tell, it has told.
                flat |= residual > session.claim;
            }
            k = Some(Recurrence {
                beta: next_beta,
                beta_before: beta,
                c,
                s,
                delta: next_delta,
                epsilon,
                phi: s * phi,
                first: false,
            });
        };
        session.finish(status, step, residual, x, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krylov::test::{dense, distance, exact, noise, times, with_spectrum};
    use crate::precond::Jacobi;
    use crate::{Dense, Diagonal, Error, Host, Map, Properties};
    use proptest::prelude::*;

    fn solve(a: &Dense<f64>, b: &[f64], x: &mut [f64], stop: Stop) -> (Report, Vec<f64>) {
        let space = Host::new();
        let mut minres = Minres::new(&space, b.len(), stop).unwrap();
        let report = minres.solve(&space, a, None, b, x).unwrap();
        (report, minres.history().to_vec())
    }

    fn indefinite(n: usize) -> Vec<f64> {
        (0..n).map(|i| if i % 3 == 0 { -1.0 - i as f64 / 7.0 } else { 0.5 + i as f64 / 5.0 }).collect()
    }

    #[test]
    fn it_agrees_with_a_factorisation_and_the_residual_never_grows() {
        for n in [1, 2, 5, 30, 80] {
            let (a, b) = (with_spectrum(&indefinite(n), n as u64), noise(n, 3));
            let mut x = noise(n, 8);
            let (report, history) = solve(&a, &b, &mut x, Stop::rtol(1e-11));
            assert_eq!(report.status, Status::Converged, "{n}: {report:?}");
            assert!(distance(&x, &exact(&a, &b)) < 1e-8, "{n}");
            assert_eq!(history.len(), report.steps + 1);
            assert!(history.windows(2).all(|h| h[1] <= h[0] * (1.0 + 1e-9)), "{history:?}");
        }
    }

    #[test]
    fn the_residual_is_that_of_minimal_residuals() {
        let (a, b) = (with_spectrum(&indefinite(40), 1), noise(40, 3));
        let space = Host::new();
        let mut gmres = crate::Gmres::with_restart(&space, 40, Stop::default(), 40).unwrap();
        let _ = gmres.solve(&space, &a, None, &b, &mut vec![0.0; 40]).unwrap();
        let (_, history) = solve(&a, &b, &mut vec![0.0; 40], Stop::default());
        for (m, g) in history.iter().zip(gmres.history()).take(20) {
            assert!((m - g).abs() <= 1e-7 * g, "{history:?} {:?}", gmres.history());
        }
    }

    #[test]
    fn a_preconditioner_helps_and_the_residual_is_true() {
        let n = 200;
        let d: Vec<f64> =
            (0..n).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 } * 10f64.powi(i as i32 % 5)).collect();
        let (space, b) = (Host::<f64>::new(), noise(n, 2));
        let a = Dense::from_fn(n, n, |i, j| if i == j { d[i] } else { 0.01 / (1.0 + i.abs_diff(j) as f64) })
            .unwrap()
            .checked_symmetric();
        assert!(a.properties().symmetric);
        let m = Jacobi::new(&space, &d.iter().map(|d| d.abs()).collect::<Vec<_>>()).unwrap();
        let mut minres = Minres::new(&space, n, Stop::rtol(1e-10)).unwrap();
        let (mut x, mut y) = (vec![0.0; n], vec![0.0; n]);
        let with = minres.solve(&space, &a, Some(&m), &b, &mut x).unwrap();
        assert!((with.residual - with.true_residual).abs() <= 1e-3 * with.true_residual, "{with:?}");
        let without = minres.solve(&space, &a, None, &b, &mut y).unwrap();
        assert_eq!((with.status, without.status), (Status::Converged, Status::Converged));
        assert!(2 * with.steps < without.steps, "{} {}", with.steps, without.steps);
        assert!(distance(&x, &exact(&a, &b)) < 1e-7);
        let wrong = Diagonal::new(&space, &d).unwrap();
        let refused = minres.solve(&space, &a, Some(&wrong), &b, &mut x);
        assert!(matches!(refused, Err(Error::Property { .. })));
        let wrong = crate::Assume::new(&wrong, Properties::SPD);
        let report = minres.solve(&space, &a, Some(&wrong), &b, &mut vec![0.0; n]).unwrap();
        assert!(matches!(report.status, Status::IndefinitePreconditioner { .. }), "{report:?}");
    }

    #[test]
    fn singular_systems_are_solved_or_brought_to_least_squares() {
        let n = 30;
        let mut eigenvalues = indefinite(n);
        eigenvalues[4] = 0.0;
        eigenvalues[9] = 0.0;
        let a = with_spectrum(&eigenvalues, 5);
        let b = times(&a, &noise(n, 1));
        let (report, _) = solve(&a, &b, &mut vec![0.0; n], Stop::rtol(1e-10));
        assert_eq!(report.status, Status::Converged);
        let (b, mut x) = (noise(n, 2), vec![0.0; n]);
        let (report, _) = solve(&a, &b, &mut x, Stop::rtol(1e-10));
        let Status::Inconsistent { outside } = report.status else { panic!("{report:?}") };
        let r: Vec<f64> = times(&a, &x).iter().zip(&b).map(|(y, b)| b - y).collect();
        let slope = times(&a, &r).iter().map(|v| v * v).sum::<f64>().sqrt();
        assert!(slope < 1e-7 * outside && outside > 0.1, "{slope:e} {outside:e}");
        // b outside the range altogether.
        let zero = with_spectrum(&[0.0, 0.0, 1.0], 1);
        let b = times(&zero, &[1.0, 2.0, 3.0]);
        let b = [b[1] - b[2], b[2] - b[0], b[0] - b[1]];
        let (report, _) = solve(&zero, &b, &mut [0.0; 3], Stop::default());
        assert!(matches!(report.status, Status::Inconsistent { .. }), "{report:?}");
    }

    #[test]
    fn what_ends_it_is_said() {
        let (n, space) = (40, Host::<f64>::new());
        let (a, b) = (with_spectrum(&indefinite(n), 5), noise(n, 1));
        let mut x = vec![3.0; n];
        let (report, _) = solve(&a, &vec![0.0; n], &mut x, Stop::default());
        assert_eq!((report.status, report.steps, &x), (Status::Converged, 0, &vec![0.0; n]));
        let stop = Stop { max_steps: 3, ..Stop::default() };
        let (report, history) = solve(&a, &b, &mut vec![0.0; n], stop);
        assert_eq!((report.status, report.steps, history.len()), (Status::MaxSteps, 3, 4));
        assert_eq!(solve(&a, &b, &mut vec![0.0; n], Stop::rtol(0.0)).0.status, Status::Stagnated);
        assert_eq!(solve(&a, &vec![f64::NAN; n], &mut vec![0.0; n], stop).0.status, Status::NonFinite);
        let mut minres = Minres::new(&space, n, Stop::default()).unwrap();
        let mut watch = |p: &crate::Progress| {
            if p.step == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let report = minres.solve_watched(&space, &a, None, &b, &mut vec![0.0; n], &mut watch).unwrap();
        assert_eq!((report.status, report.steps), (Status::Interrupted, 2));
        let short = minres.solve(&space, &a, None, &b, &mut vec![0.0; n - 1]);
        assert!(matches!(short, Err(Error::Length { .. })));
        let refused = minres.solve(&space, &dense(n, 2.0, 1), None, &b, &mut x);
        assert!(matches!(refused, Err(Error::Property { .. })));
    }

    #[test]
    fn in_single_precision() {
        let (space, n) = (Host::<f32>::new(), 50);
        let a = with_spectrum(&indefinite(n), 5);
        let a = Dense::from_fn(n, n, |i, j| a.mat()[(i, j)] as f32).unwrap().checked_symmetric();
        let b: Vec<f32> = noise(n, 2).iter().map(|v| *v as f32).collect();
        let mut minres = Minres::new(&space, n, Stop::rtol(1e-4)).unwrap();
        let report = minres.solve(&space, &a, None, &b, &mut vec![0.0; n]).unwrap();
        assert_eq!(report.status, Status::Converged, "{report:?}");
    }

    proptest! {
        #[test]
        fn any_symmetric_system_is_solved_or_told(
            eigenvalues in prop::collection::vec(prop_oneof![Just(0.0), -3.0..-0.1f64, 0.1..3.0f64], 1..25),
            seed in any::<u64>(), consistent in any::<bool>()
        ) {
            let n = eigenvalues.len();
            let a = with_spectrum(&eigenvalues, seed);
            let b = if consistent { times(&a, &noise(n, seed ^ 1)) } else { noise(n, seed ^ 1) };
            let (report, history) = solve(&a, &b, &mut vec![0.0; n], Stop::default());
            prop_assert!(history.windows(2).all(|h| h[1] <= h[0] * (1.0 + 1e-8)), "{:?}", history);
            let singular = eigenvalues.contains(&0.0);
            match report.status {
                Status::Converged => prop_assert!(report.true_residual <= report.target),
                Status::Inconsistent { .. } => prop_assert!(singular && (!consistent || b.iter().all(|v| v.abs() < 1e-14))),
                // Rounding makes a zero matrix's image of noise.
                status => prop_assert!(singular && eigenvalues.iter().all(|e| *e == 0.0), "{status:?}"),
            }
        }
    }
}
