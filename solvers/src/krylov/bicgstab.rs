//! Stabilised biconjugate gradients, for square operators without symmetry, in short recurrences.
//!
//! H. A. van der Vorst, *Bi-CGSTAB: a fast and smoothly converging variant of Bi-CG for the solution of nonsymmetric linear
//! systems*, SIAM J. Sci. Stat. Comput. 13 (1992), 631–644, 10.1137/0913035; right preconditioned, so that the residual is
//! the true one. Departures: where two vectors of the recurrence are orthogonal to rounding it starts again from the
//! residual with a new shadow, and gives up only when that does not help; the residual is recomputed as in [`cg`](super::cg).
//!
//! Storage: 5 vectors, 6 with a preconditioner. Traffic of a step, two products, beside A and in f64: 232 bytes an unknown
//! and five reductions.

use super::session::{Needs, Session, Turn, Watch, history};
use crate::{LinearOperator, Report, Result, Scalar, Space, Status, Stop};
use std::ops::ControlFlow;

/// Preconditioned BiCGSTAB with its workspace: `new` allocates, `solve` does not. A step is two products.
///
/// ```
/// use resolvent::{Bicgstab, Csr, Host, Status, Stop};
/// let a = Csr::from_triplets(2, 2, &[(0, 0, 1.0), (0, 1, 2.0), (1, 0, -3.0), (1, 1, 1.0)])?;
/// let (space, mut x) = (Host::<f64>::new(), [0.0; 2]);
/// let report = Bicgstab::new(&space, 2, Stop::default())?.solve(&space, &a, None, &[5.0, -1.0], &mut x)?;
/// assert_eq!(report.status, Status::Converged);
/// assert!((x[0] - 1.0).abs() < 1e-7 && (x[1] - 2.0).abs() < 1e-7);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Bicgstab<S: Space> {
    stop: Stop,
    r: S::Buf,
    shadow: S::Buf,
    p: S::Buf,
    v: S::Buf,
    t: S::Buf,
    z: S::Buf,
    history: Vec<f64>,
}

/// Restarts after a breakdown without the residual having halved.
const PATIENCE: usize = 5;

impl<S: Space> Bicgstab<S> {
    /// A workspace for `n` unknowns.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory); [`Error::Parameter`](crate::Error::Parameter) for a tolerance that is
    /// negative or not finite.
    pub fn new(space: &S, n: usize, stop: Stop) -> Result<Self> {
        stop.check()?;
        let zeros = || space.zeros(n);
        let (r, shadow, p, v, t, z) = (zeros()?, zeros()?, zeros()?, zeros()?, zeros()?, zeros()?);
        Ok(Self { stop, r, shadow, p, v, t, z, history: history(&stop) })
    }

    /// ‖r‖₂ of the recurrence before every step of the last solve, and at its end.
    pub fn history(&self) -> &[f64] {
        &self.history
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
        self.history.clear();
        let Self { stop, r, shadow, p, v, t, z, history } = self;
        let shape = m.map(|m| m.shape());
        let (mut session, mut residual) = match Session::begin(Needs::Square, space, a, shape, b, x, r, stop)?
        {
            Ok(begun) => begun,
            Err(report) => return Ok(report),
        };
        let (one, of) = (S::Scalar::of(1.0), S::Scalar::of);
        let small = 10.0 * S::Scalar::EPSILON;
        let mut step = 0;
        // r̂·r of the step before and ‖r̂‖, or nothing at a start; then how the shadow is made.
        let mut rho_before = None;
        let (mut shadow_norm, mut alpha, mut omega) = (0.0, 0.0, 0.0);
        let (mut breakdowns, mut halved) = (0, residual);
        // Beyond this nothing of b is left in the residual.
        let lost = residual / S::Scalar::EPSILON;
        let status = loop {
            match session.turn(step, &mut residual, x, r, history, watch)? {
                Turn::End(Status::Stagnated) => break session.why_stagnated(r, t)?,
                Turn::End(status) => break status,
                Turn::Afresh => rho_before = None,
                Turn::Step => {}
            }
            if residual > lost {
                let cosine = space.dot(shadow, r)? / space.norm(shadow)? / residual;
                break broken(&mut session, cosine, r, t)?;
            }
            if residual < 0.5 * halved {
                (halved, breakdowns) = (residual, 0);
            }
            let mut rho = 0.0;
            if let Some(before) = rho_before {
                rho = space.dot(shadow, r)?;
                if rho.abs() <= small * shadow_norm * residual {
                    rho_before = None;
                } else {
                    // p ← r + β (p − ω v).
                    let beta = rho / before * (alpha / omega);
                    space.axpby(of(-omega), v, one, p)?;
                    space.axpby(one, r, of(beta), p)?;
                }
            }
            let fresh = rho_before.is_none();
            if fresh {
                space.copy(r, shadow)?;
                space.copy(r, p)?;
                (rho, shadow_norm) = (residual * residual, residual);
            }
            match m {
                Some(m) => {
                    m.apply(space, p, z)?;
                    a.apply(space, z, v)?;
                }
                None => a.apply(space, p, v)?,
            }
            step += 1;
            let mut sigma = space.dot(shadow, v)?;
            let length = space.norm(v)?;
            if fresh && length > 0.0 && sigma.abs() <= 1e-3 * shadow_norm * length {
                // The residual is a poor shadow for an operator that turns it by a right angle: it leans towards v.
                space.axpby(of(residual / length), v, one, shadow)?;
                rho = space.dot(shadow, r)?;
                sigma = space.dot(shadow, v)?;
                shadow_norm = space.norm(shadow)?;
            }
            if !(sigma.is_finite() && length.is_finite()) {
                history.push(f64::NAN);
                break Status::NonFinite;
            }
            let cosine = |product: f64, norms: f64| if norms > 0.0 { product / norms } else { 0.0 };
            let angle = cosine(sigma, shadow_norm * length);
            if angle.abs() <= small {
                rho_before = None;
                breakdowns += 1;
                if fresh || breakdowns > PATIENCE {
                    history.push(residual);
                    break broken(&mut session, angle, r, t)?;
                }
                continue;
            }
            alpha = rho / sigma;
            space.axpby(of(alpha), m.map_or(&**p, |_| &**z), one, x)?;
            space.axpby(of(-alpha), v, one, r)?;
            residual = space.norm(r)?;
            if residual <= session.claim {
                rho_before = Some(rho);
                continue;
            }
            // s is in r.
            match m {
                Some(m) => {
                    m.apply(space, r, z)?;
                    a.apply(space, z, t)?;
                }
                None => a.apply(space, r, t)?,
            }
            let (product, length) = (space.dot(t, r)?, space.norm(t)?);
            if !(product.is_finite() && length.is_finite() && residual.is_finite()) {
                history.push(f64::NAN);
                break Status::NonFinite;
            }
            let angle = cosine(product, length * residual);
            if angle.abs() <= small {
                rho_before = None;
                breakdowns += 1;
                if breakdowns > PATIENCE {
                    history.push(residual);
                    break broken(&mut session, angle, r, t)?;
                }
                continue;
            }
            omega = product / length / length;
            match m {
                Some(_) => space.axpby(of(omega), z, one, x)?,
                None => space.axpby(of(omega), r, one, x)?,
            }
            space.axpby(of(-omega), t, one, r)?;
            residual = space.norm(r)?;
            rho_before = Some(rho);
            if !residual.is_finite() {
                history.push(residual);
                break Status::NonFinite;
            }
        };
        session.finish(status, step, residual, x, r)
    }
}

/// A breakdown that starting again does not mend: perhaps since nothing can be mended.
fn broken<S: Space>(session: &mut Session<S>, cosine: f64, r: &mut S::Buf, t: &mut S::Buf) -> Result<Status> {
    Ok(match session.why_stagnated(r, t)? {
        Status::Stagnated => Status::Breakdown { cosine },
        status => status,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krylov::test::{dense, distance, exact, noise};
    use crate::precond::Jacobi;
    use crate::{Dense, Error, Host};

    fn solve(a: &Dense<f64>, b: &[f64], x: &mut [f64], stop: Stop) -> (Report, Vec<f64>) {
        let space = Host::new();
        let mut bicgstab = Bicgstab::new(&space, b.len(), stop).unwrap();
        let report = bicgstab.solve(&space, a, None, b, x).unwrap();
        (report, bicgstab.history().to_vec())
    }

    #[test]
    fn it_agrees_with_a_factorisation() {
        for n in [1, 2, 7, 40, 90] {
            let (a, b) = (dense(n, 2.0, n as u64), noise(n, 3));
            let mut x = noise(n, 7);
            let (report, history) = solve(&a, &b, &mut x, Stop::rtol(1e-11));
            assert_eq!(report.status, Status::Converged, "{n}: {report:?}");
            assert!(distance(&x, &exact(&a, &b)) < 1e-8, "{n}");
            assert_eq!(history.len(), report.steps + 1);
        }
    }

    #[test]
    fn a_preconditioner_helps() {
        let (n, space) = (60, Host::<f64>::new());
        let a = Dense::from_fn(n, n, |i, j| {
            if i == j { 10f64.powi(i as i32 % 5) } else { 0.1 * (((3 * i + 7 * j) % 11) as f64 - 5.0) / 11.0 }
        })
        .unwrap();
        let diagonal: Vec<f64> = (0..n).map(|i| a.mat()[(i, i)]).collect();
        let (m, b, mut x) = (Jacobi::new(&space, &diagonal).unwrap(), noise(n, 5), vec![0.0; n]);
        let mut bicgstab = Bicgstab::new(&space, n, Stop::rtol(1e-10)).unwrap();
        let with = bicgstab.solve(&space, &a, Some(&m), &b, &mut x).unwrap();
        assert_eq!(with.status, Status::Converged);
        assert!(distance(&x, &exact(&a, &b)) < 1e-8);
        let again = bicgstab.solve(&space, &a, Some(&m), &b, &mut x).unwrap();
        assert_eq!((again.status, again.steps), (Status::Converged, 0));
        let without = bicgstab.solve(&space, &a, None, &b, &mut vec![0.0; n]).unwrap();
        assert!(with.steps < without.steps, "{} {}", with.steps, without.steps);
    }

    #[test]
    fn what_it_cannot_solve_is_said() {
        // A rotation by a right angle in every plane: r·Ar = 0 for every r.
        let n = 40;
        let skew = Dense::from_fn(n, n, |i, j| match (i % 2, i ^ 1 == j) {
            (0, true) => 1.0 + i as f64,
            (1, true) => -(i as f64),
            _ => 0.0,
        })
        .unwrap();
        let b = noise(n, 1);
        let (report, _) = solve(&skew, &b, &mut vec![0.0; n], Stop::default());
        assert!(matches!(report.status, Status::Breakdown { .. }), "{report:?}");
        assert!(report.status.to_string().contains("GMRES"));
        // r·Ar = 0 at the start alone.
        let turned = Dense::from_fn(2, 2, |i, j| [[0.0, 1.0], [-1.0, 1.0]][i][j]).unwrap();
        let mut x = [0.0; 2];
        let (report, _) = solve(&turned, &[1.0, 0.0], &mut x, Stop::default());
        assert_eq!(report.status, Status::Converged, "{report:?}");
        assert!(distance(&x, &[1.0, 1.0]) < 1e-8);
        let zero = Dense::from_fn(3, 3, |_, _| 0.0).unwrap();
        let (report, _) = solve(&zero, &[1.0; 3], &mut [0.0; 3], Stop::default());
        assert!(matches!(report.status, Status::Inconsistent { .. }), "{report:?}");
        let a = dense(n, 2.0, 1);
        let mut x = vec![3.0; n];
        let (report, _) = solve(&a, &vec![0.0; n], &mut x, Stop::default());
        assert_eq!((report.status, report.steps, &x), (Status::Converged, 0, &vec![0.0; n]));
        let stop = Stop { max_steps: 3, ..Stop::default() };
        let (report, history) = solve(&a, &b, &mut vec![0.0; n], stop);
        assert_eq!((report.status, report.steps, history.len()), (Status::MaxSteps, 3, 4));
        assert_eq!(solve(&a, &b, &mut vec![0.0; n], Stop::rtol(0.0)).0.status, Status::Stagnated);
        assert_eq!(solve(&a, &vec![f64::NAN; n], &mut vec![0.0; n], stop).0.status, Status::NonFinite);
        let (space, mut watch) = (Host::<f64>::new(), |p: &crate::Progress| {
            if p.step == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let mut bicgstab = Bicgstab::new(&space, n, Stop::default()).unwrap();
        let report = bicgstab.solve_watched(&space, &a, None, &b, &mut vec![0.0; n], &mut watch).unwrap();
        assert_eq!((report.status, report.steps), (Status::Interrupted, 2));
        let short = bicgstab.solve(&space, &a, None, &b[1..], &mut x);
        assert!(matches!(short, Err(Error::Length { .. })));
    }

    #[test]
    fn in_single_precision() {
        let (space, n) = (Host::<f32>::new(), 50);
        let a = dense(n, 2.0, 9);
        let a = Dense::from_fn(n, n, |i, j| a.mat()[(i, j)] as f32).unwrap();
        let b: Vec<f32> = noise(n, 2).iter().map(|v| *v as f32).collect();
        let mut bicgstab = Bicgstab::new(&space, n, Stop::rtol(1e-5)).unwrap();
        assert_eq!(
            bicgstab.solve(&space, &a, None, &b, &mut vec![0.0; n]).unwrap().status,
            Status::Converged
        );
    }
}
