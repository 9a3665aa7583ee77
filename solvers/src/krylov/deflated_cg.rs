//! Deflated conjugate gradients for a sequence of systems: each leaves the next the directions that were slow.
//!
//! Y. Saad, M. Yeung, J. Erhel, F. Guyomarc'h, *A deflated version of the conjugate gradient algorithm*, SIAM J. Sci. Comput.
//! 21 (2000), 1909–1926, 10.1137/S1064829598339761. The iteration runs A-orthogonally to a few vectors W; from its first
//! steps and W, harmonic projection makes the next W, near the eigenvectors of the smallest eigenvalues of A, or of MA. The
//! small matrices of that projection come from the numbers of the recurrence, as in the paper, without a product with A.
//! Departures: preconditioned; the residual is recomputed as in [`cg`](super::cg), also after the part in W is solved, so
//! that a W whose AW is stale costs steps and not truth; r is made orthogonal to W again now and then, since rounding adds what
//! no direction removes, and the rest of a solve does without W where that does not help; dependent vectors are dropped.
//!
//! Storage, for k vectors in W and l steps looked at: 4 + 3 k + 2 l vectors. Traffic beside A in f64: of a step about
//! 18 k + 16 bytes an unknown more than conjugate gradients; of each new W about 16 k (k + l) once a solve, and k products
//! with the preconditioner.

use super::basis::orthonormalise;
use super::recycle::Recycle;
use super::session::{Needs, Session, Turn, Watch, check_preconditioner, history};
use super::small;
use crate::error::check_len;
use crate::{LinearOperator, Report, Result, Scalar, Space, Status, Stop};
use std::ops::ControlFlow;

/// Deflated conjugate gradients with their workspace: `new` allocates, `solve` does not. What a solve learnt of the spectrum
/// stays for the next, with another b, or with another A after [`update`](Self::update).
///
/// ```
/// use resolvent::{DeflatedCg, Diagonal, Host, Status, Stop};
/// // A few small eigenvalues make the first solve slow.
/// let entries: Vec<f64> = (0..400).map(|i| if i < 5 { 1e-4 * f64::from(i + 1) } else { 1.0 + f64::from(i) / 400.0 }).collect();
/// let space = Host::<f64>::new();
/// let a = Diagonal::new(&space, &entries)?;
/// let mut cg = DeflatedCg::new(&space, 400, Stop::default())?;
/// let mut steps = Vec::new();
/// for k in 0..3 {
///     let b: Vec<f64> = (0..400).map(|i| f64::from((i * 37 + k * 11) % 17) - 8.0).collect();
///     let report = cg.solve(&space, &a, None, &b, &mut vec![0.0; 400])?;
///     assert_eq!(report.status, Status::Converged);
///     steps.push(report.steps);
/// }
/// assert!(2 * steps[2] < steps[0], "{steps:?}");
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct DeflatedCg<S: Space> {
    stop: Stop,
    r: S::Buf,
    p: S::Buf,
    q: S::Buf,
    z: S::Buf,
    /// The deflated space, its image, and room for the next; of these `rank` are in use.
    w: Vec<S::Buf>,
    aw: Vec<S::Buf>,
    spare: Vec<S::Buf>,
    rank: usize,
    /// WᵀAW, and its factor.
    gram: Vec<f64>,
    factor: Vec<f64>,
    /// (WᵀAW)⁻¹(AW)ᵀz, and room to orthogonalise.
    mu: Vec<f64>,
    room: Vec<f64>,
    recycle: Recycle<S>,
    history: Vec<f64>,
}

/// r is made orthogonal to W again each time it fell by this.
const DRIFT: f64 = 1e-3;

/// And after as many steps.
const OFTEN: usize = 100;

/// A residual that grows by this above the least shows that W does harm: rounding made the deflated system inconsistent.
const HARM: f64 = 1e4;

impl<S: Space> DeflatedCg<S> {
    /// A workspace for `n` unknowns that keeps 8 vectors, from the first 16 steps of each solve.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory); [`Error::Parameter`](crate::Error::Parameter) for a tolerance that is
    /// negative or not finite.
    pub fn new(space: &S, n: usize, stop: Stop) -> Result<Self> {
        Self::with_sizes(space, n, stop, 8, 16)
    }

    /// A workspace that keeps `vectors`, at least one, and looks at the first `steps` of each solve; with 0 steps it keeps
    /// what the caller gives.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_sizes(space: &S, n: usize, stop: Stop, vectors: usize, steps: usize) -> Result<Self> {
        stop.check()?;
        let k = vectors.clamp(1, n.max(1));
        let zeros = |count: usize| (0..count).map(|_| space.zeros(n)).collect::<Result<Vec<_>>>();
        Ok(Self {
            stop,
            r: space.zeros(n)?,
            p: space.zeros(n)?,
            q: space.zeros(n)?,
            z: space.zeros(n)?,
            w: zeros(k)?,
            aw: zeros(k)?,
            spare: zeros(k)?,
            rank: 0,
            gram: vec![0.0; k * k],
            factor: vec![0.0; k * k],
            mu: vec![0.0; k],
            room: vec![0.0; 2 * k],
            recycle: Recycle::new(zeros(steps)?, zeros(steps)?, k),
            history: history(&stop),
        })
    }

    /// ‖r‖₂ of the recurrence before every step of the last solve, and at its end.
    pub fn history(&self) -> &[f64] {
        &self.history
    }

    /// How many vectors are deflated now.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Deflates nothing.
    pub fn forget(&mut self) {
        self.rank = 0;
    }

    /// Deflates `vectors` in place of what was, and as many of them as there is room for: one product each. Dependent ones,
    /// and those in the null space, are left out.
    ///
    /// # Errors
    /// [`Error::Property`](crate::Error::Property) as [`solve`](Self::solve); [`Error::Length`](crate::Error::Length).
    pub fn deflate(&mut self, space: &S, a: &dyn LinearOperator<S>, vectors: &[&S::Slice]) -> Result<()> {
        self.rank = 0;
        let count = vectors.len().min(self.w.len());
        for (w, v) in self.w.iter_mut().zip(vectors) {
            check_len("a deflated vector", space.len(w), space.len(v))?;
            space.copy(v, w)?;
        }
        self.rank = count;
        self.update(space, a)
    }

    /// Takes note that A changed: its products with the deflated vectors are made anew.
    ///
    /// # Errors
    /// As [`deflate`](Self::deflate).
    pub fn update(&mut self, space: &S, a: &dyn LinearOperator<S>) -> Result<()> {
        let n = space.len(&self.r);
        Needs::Positive("DeflatedCg").check(a.properties(), a.shape())?;
        check_len("the workspace", a.shape().rows, n)?;
        let given = std::mem::take(&mut self.rank);
        let singular = a.properties().positivity < crate::Positivity::Definite;
        for i in 0..given {
            let rank = self.rank;
            self.w.swap(rank, i);
            let (kept, rest) = self.w.split_at_mut(rank);
            let w = &mut rest[0];
            if singular {
                a.project(space, w)?;
            }
            let whole = space.norm(w)?;
            let left = orthonormalise(space, kept, w, &mut self.room[..2 * rank])?;
            if !(whole.is_finite() && left > 1e3 * S::Scalar::EPSILON * whole) {
                continue;
            }
            a.apply(space, w, &mut self.aw[rank])?;
            self.rank += 1;
            if !self.factorise(space)? {
                self.rank = rank;
            }
        }
        // The factor may be that of a vector left out.
        let all = self.factorise(space)?;
        debug_assert!(all);
        Ok(())
    }

    /// WᵀAW and its factor; whether it is definite beyond rounding.
    fn factorise(&mut self, space: &S) -> Result<bool> {
        let k = self.rank;
        for j in 0..k {
            space.dots(&self.w[..k], &self.aw[j], &mut self.gram[j * k..(j + 1) * k])?;
        }
        self.factor[..k * k].copy_from_slice(&self.gram[..k * k]);
        if small::cholesky(&mut self.factor, k).is_err() {
            return Ok(false);
        }
        let tiny = 1e2 * S::Scalar::EPSILON;
        Ok((0..k).all(|i| self.factor[i * k + i].powi(2) > tiny * self.gram[i * k + i]))
    }

    /// x ← x + W (WᵀAW)⁻¹ Wᵀr, so that r becomes orthogonal to W.
    fn correct(&mut self, space: &S, x: &mut S::Slice) -> Result<()> {
        let k = self.rank;
        space.dots(&self.w[..k], &self.r, &mut self.mu[..k])?;
        small::solve(&self.factor, k, &mut self.mu[..k]);
        space.combine(1.0, &self.mu[..k], &self.w[..k], x)
    }

    /// Solves Ax = b from the starting point in `x`, with `m` ≈ A⁻¹ when given.
    ///
    /// With a semidefinite `a`, `x` ends orthogonal to its null space.
    ///
    /// # Errors
    /// [`Error::Property`](crate::Error::Property) when `a` or `m` does not claim to be symmetric and at least semidefinite;
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
        self.recycle.clear();
        check_preconditioner("DeflatedCg", m)?;
        let stop = self.stop;
        let (needs, shape) = (Needs::Positive("DeflatedCg"), m.map(|m| m.shape()));
        let (mut session, mut residual) =
            match Session::begin(needs, space, a, shape, b, x, &mut self.r, &stop)? {
                Ok(begun) => begun,
                Err(report) => return Ok(report),
            };
        let (mut k, of) = (self.rank, S::Scalar::of);
        let (mut step, mut rho_before, mut corrected) = (0, 0.0, k == 0);
        // ‖r‖ and the step when r was last made orthogonal to W.
        let (mut mark, mut least) = ((residual, 0), f64::INFINITY);
        let status = loop {
            if !corrected && residual > session.claim {
                corrected = true;
                self.correct(space, x)?;
                residual = session.recompute(x, &mut self.r)?;
                session.last_true = f64::INFINITY;
                mark = (residual, step);
            }
            least = least.min(residual);
            if k > 0 && residual > HARM * least {
                (k, rho_before) = (0, 0.0);
                self.recycle.close();
                residual = session.recompute(x, &mut self.r)?;
                session.last_true = f64::INFINITY;
            }
            if k > 0 && (residual < DRIFT * mark.0 || step >= mark.1 + OFTEN) {
                // No direction reaches what rounding adds to r along W.
                self.correct(space, x)?;
                space.combine(-1.0, &self.mu[..k], &self.aw[..k], &mut self.r)?;
                residual = space.norm(&self.r)?;
                mark = (residual, step);
            }
            match session.turn(step, &mut residual, x, &mut self.r, &mut self.history, watch)? {
                Turn::End(status) => break status,
                Turn::Afresh => {
                    rho_before = 0.0;
                    self.recycle.close();
                    if k > 0 {
                        self.correct(space, x)?;
                        let before = session.last_true;
                        residual = session.recompute(x, &mut self.r)?;
                        session.last_true = before;
                    }
                }
                Turn::Step => {}
            }
            let Self { r, p, q, z, w, aw, mu, factor, recycle, .. } = self;
            let (w, aw, mu) = (&w[..k], &aw[..k], &mut mu[..k]);
            let (z, rho): (&S::Slice, f64) = match m {
                Some(m) => {
                    let rho = m.apply_dot(space, r, z)?;
                    (z, rho)
                }
                None => (r, residual * residual),
            };
            if !rho.is_finite() {
                break Status::NonFinite;
            }
            if rho <= 0.0 {
                break Status::IndefinitePreconditioner { product: rho };
            }
            let beta = of(if rho_before == 0.0 { 0.0 } else { rho / rho_before });
            let curvature = if k > 0 {
                space.dots(aw, z, mu)?;
                recycle.note_residual(rho, mu);
                small::solve(factor, k, mu);
                space.axpby(of(1.0), z, beta, p)?;
                space.combine(-1.0, mu, w, p)?;
                a.apply_dot(space, p, q)?
            } else {
                recycle.note_residual(rho, mu);
                a.update_apply_dot(space, z, beta, p, q)?
            };
            if !curvature.is_finite() {
                break Status::NonFinite;
            }
            let alpha = rho / curvature;
            if curvature <= 0.0 || !of(alpha).f64().is_finite() {
                break Status::NotPositiveDefinite { curvature };
            }
            recycle.note_direction(space, p, q, curvature, alpha)?;
            residual = space.step(of(alpha), p, q, x, r)?.sqrt();
            step += 1;
            rho_before = rho;
            if !residual.is_finite() {
                self.history.push(residual);
                break Status::NonFinite;
            }
        };
        let report = session.finish(status, step, residual, x, &mut self.r)?;
        self.learn(space, m)?;
        Ok(report)
    }

    /// Makes the next W of this one and the first steps.
    fn learn(&mut self, space: &S, m: Option<&dyn LinearOperator<S>>) -> Result<()> {
        let Self { w, aw, spare, z, gram, rank, recycle, .. } = self;
        let Some(kept) = recycle.project(space, m, &aw[..*rank], gram, z)? else { return Ok(()) };
        for side in [true, false] {
            let from = if side { &*w } else { &*aw };
            for (i, to) in spare[..kept].iter_mut().enumerate() {
                recycle.combine(space, i, &from[..*rank], side, to)?;
            }
            std::mem::swap(spare, if side { &mut *w } else { &mut *aw });
        }
        *rank = kept;
        // A W that rounding spoilt is worse than none.
        while self.rank > 0 && !self.factorise(space)? {
            self.rank -= 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krylov::test::{distance, exact, noise, times, with_spectrum};
    use crate::{Boundary, Cg, Diagonal, Error, Grid, Host, Poisson, Properties, precond::Jacobi};

    fn slow(n: usize) -> Vec<f64> {
        (0..n).map(|i| if i < 6 { 1e-4 * (1 + i) as f64 } else { 1.0 + i as f64 / n as f64 }).collect()
    }

    #[test]
    fn a_sequence_gets_faster_and_stays_right() {
        let (n, space) = (150, Host::<f64>::new());
        let a = with_spectrum(&slow(n), 2).assume(Properties::SPD);
        for m in
            [None, Some(Jacobi::new(&space, &(0..n).map(|i| a.mat()[(i, i)]).collect::<Vec<_>>()).unwrap())]
        {
            let m = m.as_ref().map(|m| m as &dyn LinearOperator<Host<f64>>);
            let mut cg = DeflatedCg::new(&space, n, Stop::rtol(1e-10)).unwrap();
            let mut steps = Vec::new();
            for k in 0..4 {
                let (b, mut x) = (noise(n, k), noise(n, k + 9));
                let report = cg.solve(&space, &a, m, &b, &mut x).unwrap();
                assert_eq!(report.status, Status::Converged, "{report:?}");
                assert!(distance(&x, &exact(&a, &b)) < 1e-5);
                assert_eq!(cg.history().len(), report.steps + 1);
                steps.push(report.steps);
                // The first is that of conjugate gradients.
                if k == 0 {
                    let mut y = noise(n, k + 9);
                    let plain = Cg::new(&space, n, Stop::rtol(1e-10))
                        .unwrap()
                        .solve(&space, &a, m, &b, &mut y)
                        .unwrap();
                    assert_eq!(plain.steps, report.steps);
                }
            }
            assert!(cg.rank() > 0 && 2 * steps[3] < steps[0], "{steps:?}");
        }
    }

    #[test]
    fn eigenvectors_of_the_caller_are_deflated_exactly() {
        let (n, space) = (100, Host::<f64>::new());
        let a = Diagonal::new(&space, &slow(n)).unwrap();
        let unit = |i: usize| (0..n).map(|j| f64::from(u8::from(i == j))).collect::<Vec<_>>();
        let units: Vec<Vec<f64>> = (0..6).map(unit).collect();
        let mut given: Vec<&[f64]> = units.iter().map(|u| &u[..]).collect();
        // A copy adds nothing, nor does zero.
        let zero = vec![0.0; n];
        given.extend([&units[2][..], &zero[..]]);
        let mut cg = DeflatedCg::with_sizes(&space, n, Stop::rtol(1e-10), 8, 0).unwrap();
        cg.deflate(&space, &a, &given).unwrap();
        assert_eq!(cg.rank(), 6);
        let (b, mut x) = (noise(n, 1), vec![0.0; n]);
        let report = cg.solve(&space, &a, None, &b, &mut x).unwrap();
        assert!(report.status == Status::Converged && report.steps < 16, "{report:?}");
        // Another A makes AW stale: slow or fast, it is solved; after an update it is fast.
        let entries: Vec<f64> = slow(n).iter().enumerate().map(|(i, e)| e * (2.0 + (i % 3) as f64)).collect();
        let other = Diagonal::new(&space, &entries).unwrap();
        let stale = cg.solve(&space, &other, None, &b, &mut vec![0.0; n]).unwrap();
        cg.update(&space, &other).unwrap();
        let fresh = cg.solve(&space, &other, None, &b, &mut x).unwrap();
        assert_eq!(fresh.status, Status::Converged);
        assert!(fresh.steps < 40 && fresh.steps <= stale.steps, "{fresh:?} {stale:?}");
        assert!(stale.status != Status::Converged || stale.true_residual <= stale.target);
        cg.forget();
        assert_eq!(cg.rank(), 0);
    }

    #[test]
    fn a_singular_operator_is_solved_in_its_range_again_and_again() {
        let (n, space) = (30 * 20, Host::<f64>::new());
        let a = Poisson::new(Grid::new_2d(30, 20).unwrap(), [[Boundary::Neumann; 2]; 3]).unwrap();
        let mut cg = DeflatedCg::new(&space, n, Stop::rtol(1e-10)).unwrap();
        let ones = vec![1.0; n];
        cg.deflate(&space, &a, &[&ones]).unwrap();
        assert_eq!(cg.rank(), 0);
        let mut steps = Vec::new();
        for k in 0..4 {
            let (b, mut x) = (times(&a, &noise(n, k)), vec![3.0; n]);
            let report = cg.solve(&space, &a, None, &b, &mut x).unwrap();
            assert_eq!(report.status, Status::Converged, "{report:?}");
            assert!(x.iter().sum::<f64>().abs() < 1e-8);
            steps.push(report.steps);
        }
        assert!(steps[3] < steps[0], "{steps:?}");
        let report = cg.solve(&space, &a, None, &noise(n, 1), &mut vec![0.0; n]).unwrap();
        assert!(matches!(report.status, Status::Inconsistent { .. }));
    }

    #[test]
    fn what_ends_it_is_said() {
        let (n, space) = (60, Host::<f64>::new());
        let a = with_spectrum(&slow(n), 2).assume(Properties::SPD);
        let stop = Stop { max_steps: 5, ..Stop::default() };
        let mut cg = DeflatedCg::new(&space, n, stop).unwrap();
        let b = noise(n, 1);
        let mut x = vec![1.0; n];
        let report = cg.solve(&space, &a, None, &b, &mut x).unwrap();
        assert_eq!((report.status, report.steps), (Status::MaxSteps, 5));
        let report = cg.solve(&space, &a, None, &vec![0.0; n], &mut x).unwrap();
        assert_eq!((report.status, &x), (Status::Converged, &vec![0.0; n]));
        assert_eq!(cg.solve(&space, &a, None, &vec![f64::NAN; n], &mut x).unwrap().status, Status::NonFinite);
        let report = cg.solve_watched(&space, &a, None, &b, &mut x, &mut |_| ControlFlow::Break(())).unwrap();
        assert_eq!((report.status, report.steps), (Status::Interrupted, 0));
        assert!(matches!(cg.solve(&space, &a, None, &b[1..], &mut x), Err(Error::Length { .. })));
        assert!(matches!(cg.deflate(&space, &a, &[&b[1..]]), Err(Error::Length { .. })));
        let mut cg = DeflatedCg::new(&space, n, Stop::rtol(0.0)).unwrap();
        for _ in 0..3 {
            let report = cg.solve(&space, &a, None, &b, &mut vec![0.0; n]).unwrap();
            assert_eq!(report.status, Status::Stagnated);
        }
        let a = with_spectrum(&[1.0, -1.0, 2.0], 2);
        let mut cg = DeflatedCg::new(&space, 3, Stop::default()).unwrap();
        assert!(matches!(cg.solve(&space, &a, None, &[1.0; 3], &mut [0.0; 3]), Err(Error::Property { .. })));
        let a = a.assume(Properties::SPD);
        let report = cg.solve(&space, &a, None, &[1.0, -2.0, 0.3], &mut [0.0; 3]).unwrap();
        assert!(matches!(report.status, Status::NotPositiveDefinite { .. }), "{report:?}");
    }

    #[test]
    fn in_single_precision() {
        let (space, n) = (Host::<f32>::new(), 200);
        let entries: Vec<f32> =
            (0..n).map(|i| if i < 4 { 0.01 * (i + 1) as f32 } else { 1.0 + i as f32 / 50.0 }).collect();
        let a = Diagonal::new(&space, &entries).unwrap();
        let mut cg = DeflatedCg::new(&space, n, Stop::rtol(1e-5)).unwrap();
        let mut steps = Vec::new();
        for k in 0..4 {
            let b: Vec<f32> = noise(n, k).iter().map(|v| *v as f32).collect();
            let report = cg.solve(&space, &a, None, &b, &mut vec![0.0; n]).unwrap();
            assert_eq!(report.status, Status::Converged, "{report:?}");
            steps.push(report.steps);
        }
        assert!(steps[3] < steps[0], "{steps:?}");
    }
}
