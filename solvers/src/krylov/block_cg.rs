//! Block conjugate gradients, for several right-hand sides at once.
//!
//! D. P. O'Leary, *The block conjugate gradient algorithm and related methods*, Linear Algebra Appl. 29 (1980), 293–322,
//! 10.1016/0024-3795(80)90247-5; H. Ji, Y. Li, *A breakdown-free block conjugate gradient method*, BIT Numer. Math. 57 (2017),
//! 379–403, 10.1007/s10543-016-0631-z. The directions of a step are orthonormal, and as many as are independent: equal,
//! dependent, zero or solved right-hand sides make the block smaller and break nothing. Departures: Gram–Schmidt done twice
//! in place of a rank-revealing QR; true residuals decide, as in [`cg`](super::cg), for each right-hand side.
//!
//! Storage, for k right-hand sides: 4 k vectors. Traffic of a step beside A, the preconditioner, and in f64, with s directions:
//! about 60 k s bytes an unknown, so it pays where A is dear beside 8 k vectors, or where the right-hand sides share what is
//! slow: the Krylov space of a step is k times as rich.

use super::basis::orthonormalise;
use super::session::{Needs, Session, Watch, check_preconditioner, history, report};
use super::small;
use crate::error::check_len;
use crate::{LinearOperator, Report, Result, Scalar, Space, Status, Stop};
use std::ops::ControlFlow;

/// Preconditioned block conjugate gradients with their workspace: `new` allocates, `solve` does not.
///
/// ```
/// use resolvent::{BlockCg, Boundary, Grid, Host, Poisson, Status, Stop};
/// let a = Poisson::new(Grid::new_2d(20, 20)?, [[Boundary::DIRICHLET; 2]; 3])?;
/// let (space, one, mut x, mut y) = (Host::<f64>::new(), vec![1.0; 400], vec![0.0; 400], vec![0.0; 400]);
/// let other: Vec<f64> = (0..400).map(f64::from).collect();
/// let mut cg = BlockCg::new(&space, 400, 2, Stop::default())?;
/// let reports = cg.solve(&space, &a, None, &[&one, &other], &mut [&mut x, &mut y])?;
/// assert!(reports.iter().all(|r| r.status == Status::Converged));
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct BlockCg<S: Space> {
    stop: Stop,
    r: Vec<S::Buf>,
    p: Vec<S::Buf>,
    q: Vec<S::Buf>,
    z: Vec<S::Buf>,
    /// PᵀAP and its factor; the coefficients of one right-hand side; room to orthogonalise.
    gram: Vec<f64>,
    coefficients: Vec<f64>,
    room: Vec<f64>,
    columns: Vec<Column>,
    reports: Vec<Report>,
    history: Vec<f64>,
}

/// What is known of a right-hand side.
#[derive(Clone, Copy)]
struct Column {
    residual: f64,
    target: f64,
    claim: f64,
    last_true: f64,
    /// How it ended, when it did.
    status: Option<Status>,
    /// Its number among those of the caller is that of its report; whether it was in the block at all.
    begun: bool,
}

impl<S: Space> BlockCg<S> {
    /// A workspace for `n` unknowns and up to `k` right-hand sides.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory); [`Error::Parameter`](crate::Error::Parameter) for a tolerance that is negative or not finite.
    pub fn new(space: &S, n: usize, k: usize, stop: Stop) -> Result<Self> {
        stop.check()?;
        let zeros = || (0..k).map(|_| space.zeros(n)).collect::<Result<Vec<_>>>();
        Ok(Self {
            stop,
            r: zeros()?,
            p: zeros()?,
            q: zeros()?,
            z: zeros()?,
            gram: vec![0.0; k * k],
            coefficients: vec![0.0; k],
            room: vec![0.0; 2 * k],
            columns: Vec::with_capacity(k),
            reports: Vec::with_capacity(k),
            history: history(&stop),
        })
    }

    /// The largest ‖r‖₂ / ‖r₀‖₂ of the recurrence among those not ended, before every step of the last solve and at its end.
    pub fn history(&self) -> &[f64] {
        &self.history
    }

    /// Solves AX = B from the starting points in `xs`, with `m` ≈ A⁻¹ when given. A report for each; its `steps` are those of
    /// the block, each a product with A for every direction, and its `elapsed` the time of all.
    ///
    /// # Errors
    /// [`Error::Property`](crate::Error::Property) when `a` or `m` does not claim to be symmetric and at least semidefinite; [`Error::Length`](crate::Error::Length), also
    /// for more right-hand sides than there is room for. Not converging is no error: look at each report's `status`.
    pub fn solve(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn LinearOperator<S>>,
        bs: &[&S::Slice],
        xs: &mut [&mut S::Slice],
    ) -> Result<&[Report]> {
        self.solve_watched(space, a, m, bs, xs, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`solve`](Self::solve); `watch` is called before each step, with the largest residual, and may stop.
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    pub fn solve_watched(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn LinearOperator<S>>,
        bs: &[&S::Slice],
        xs: &mut [&mut S::Slice],
        watch: Watch,
    ) -> Result<&[Report]> {
        self.history.clear();
        self.columns.clear();
        self.reports.clear();
        check_len("the list of solutions", bs.len(), xs.len())?;
        if bs.len() > self.r.len() {
            check_len("the list of right-hand sides", self.r.len(), bs.len())?;
        }
        check_preconditioner("BlockCg", m)?;
        let stop = self.stop;
        let session = |b, x: &mut S::Slice, r: &mut S::Slice| {
            let (needs, shape) = (Needs::Positive("BlockCg"), m.map(|m| m.shape()));
            Session::begin(needs, space, a, shape, b, x, r, &stop)
        };
        let mut clock = None;
        for (i, b) in bs.iter().enumerate() {
            match session(b, xs[i], &mut self.r[i])? {
                Ok((session, residual)) => {
                    let (target, claim) = (session.target, session.claim);
                    let (status, last_true) = (None, f64::INFINITY);
                    self.columns.push(Column { residual, target, claim, last_true, status, begun: true });
                    let elapsed = std::time::Duration::ZERO;
                    self.reports.push(report(Status::MaxSteps, 0, [residual; 2], target, elapsed));
                    clock.get_or_insert(session);
                }
                Err(report) => {
                    // Over before it began; it takes no part in the block.
                    space.fill(S::Scalar::of(0.0), &mut self.r[i])?;
                    let Report { status, residual, target, .. } = report;
                    let (status, claim, last_true) = (Some(status), target, residual);
                    self.columns.push(Column { residual, target, claim, last_true, status, begun: false });
                    self.reports.push(report);
                }
            }
        }
        let Some(mut clock) = clock else { return Ok(&self.reports) };
        let starts: f64 = self.columns.iter().filter(|c| c.begun).fold(0.0, |s, c| s.max(c.residual));
        let mut step = 0;
        // Directions of the step before; 0 starts afresh.
        let mut directions = 0;
        let ending = loop {
            let open = |c: &&Column| c.status.is_none();
            let worst = self.columns.iter().filter(open).fold(0.0f64, |w, c| w.max(c.residual));
            self.history.push(if starts > 0.0 { worst / starts } else { 0.0 });
            if self.columns.iter().filter(open).all(|c| c.residual <= c.claim) {
                directions = 0;
                self.verify(&mut clock, bs, xs)?;
                if self.columns.iter().all(|c| c.status.is_some()) {
                    break None;
                }
            }
            if let Some(status) = clock.interrupted(step, worst, watch) {
                break Some(status);
            }
            match self.step(space, a, m, xs, directions)? {
                Ok(made) => directions = made,
                Err(status) => break Some(status),
            }
            step += 1;
        };
        for i in 0..bs.len() {
            if !self.columns[i].begun {
                continue;
            }
            clock.set_side(bs[i], self.columns[i].target, self.columns[i].last_true);
            let status = self.columns[i].status.or(ending).unwrap_or(Status::Stagnated);
            self.reports[i] = clock.finish(status, step, self.columns[i].residual, xs[i], &mut self.r[i])?;
        }
        Ok(&self.reports)
    }

    /// Recomputes the residuals of all that claim to have converged; those that ended leave the block.
    fn verify<'a>(
        &mut self,
        clock: &mut Session<'a, S>,
        bs: &[&'a S::Slice],
        xs: &[&mut S::Slice],
    ) -> Result<()> {
        for i in 0..bs.len() {
            let column = &mut self.columns[i];
            if column.status.is_some() {
                continue;
            }
            clock.set_side(bs[i], column.target, column.last_true);
            match clock.verify(&*xs[i], &mut self.r[i])? {
                Ok(norm) => column.residual = norm,
                Err(status) => column.status = Some(status),
            }
            column.last_true = clock.last_true;
        }
        Ok(())
    }

    /// One step of the block; how many directions it had.
    fn step(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn LinearOperator<S>>,
        xs: &mut [&mut S::Slice],
        before: usize,
    ) -> Result<Result<usize, Status>> {
        let Self { r, p, q, z, gram, coefficients, room, columns, .. } = self;
        // Z ← M R − P (PᵀAP)⁻¹ (AP)ᵀ M R; a column that ended stays out until the next start.
        for (i, column) in columns.iter().enumerate().filter(|(_, c)| c.status.is_none()) {
            match m {
                Some(m) => {
                    let product = m.apply_dot(space, &r[i], &mut z[i])?;
                    if product < 0.0 || (product == 0.0 && column.residual > column.claim) {
                        return Ok(Err(Status::IndefinitePreconditioner { product }));
                    }
                }
                None => space.copy(&r[i], &mut z[i])?,
            }
            if before > 0 {
                let beta = &mut coefficients[..before];
                space.dots(&q[..before], &z[i], beta)?;
                small::solve(gram, before, beta);
                space.combine(-1.0, beta, &p[..before], &mut z[i])?;
            }
        }
        // P ← an orthonormal basis of Z.
        let mut s = 0;
        for i in (0..columns.len()).filter(|i| columns[*i].status.is_none()) {
            let whole = space.norm(&z[i])?;
            if !whole.is_finite() {
                return Ok(Err(Status::NonFinite));
            }
            if whole == 0.0 {
                continue;
            }
            let (basis, rest) = p.split_at_mut(s);
            // Scaled first, for a column near the end of the range of numbers.
            space.axpby(S::Scalar::of(1.0 / whole), &z[i], S::Scalar::of(0.0), &mut rest[0])?;
            let left = orthonormalise(space, basis, &mut rest[0], &mut room[..2 * s])?;
            s += usize::from(left > RANK * S::Scalar::EPSILON.sqrt());
        }
        if s == 0 {
            return Ok(Err(Status::Stagnated));
        }
        for j in 0..s {
            a.apply(space, &p[j], &mut q[j])?;
            space.dots(&p[..s], &q[j], &mut gram[j * s..(j + 1) * s])?;
        }
        if gram[..s * s].iter().any(|v| !v.is_finite()) {
            return Ok(Err(Status::NonFinite));
        }
        if let Err(curvature) = small::cholesky(gram, s) {
            return Ok(Err(Status::NotPositiveDefinite { curvature }));
        }
        for (i, column) in columns.iter_mut().enumerate().filter(|(_, c)| c.status.is_none()) {
            let alpha = &mut coefficients[..s];
            space.dots(&p[..s], &r[i], alpha)?;
            small::solve(gram, s, alpha);
            space.combine(1.0, alpha, &p[..s], xs[i])?;
            space.combine(-1.0, alpha, &q[..s], &mut r[i])?;
            column.residual = space.norm(&r[i])?;
            if !column.residual.is_finite() {
                return Ok(Err(Status::NonFinite));
            }
        }
        Ok(Ok(s))
    }
}

/// A direction is new when this times √ε of it is left beside the others: less would be mostly their rounding.
const RANK: f64 = 1e-2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krylov::test::{distance, exact, noise, times, with_spectrum};
    use crate::precond::Jacobi;
    use crate::{Boundary, Cg, Dense, Error, Grid, Host, Poisson, Properties};
    use proptest::prelude::*;

    fn slow(n: usize) -> Vec<f64> {
        (0..n).map(|i| if i < 4 { 1e-3 * (1 + i) as f64 } else { 1.0 + i as f64 / n as f64 }).collect()
    }

    fn solve(
        a: &dyn LinearOperator<Host<f64>>,
        m: Option<&dyn LinearOperator<Host<f64>>>,
        bs: &[Vec<f64>],
        xs: &mut [Vec<f64>],
        stop: Stop,
    ) -> (Vec<Report>, Vec<f64>) {
        let space = Host::new();
        let mut cg = BlockCg::new(&space, a.shape().rows, bs.len(), stop).unwrap();
        let bs: Vec<&[f64]> = bs.iter().map(|b| &b[..]).collect();
        let mut xs: Vec<&mut [f64]> = xs.iter_mut().map(|x| &mut x[..]).collect();
        let reports = cg.solve(&space, a, m, &bs, &mut xs).unwrap().to_vec();
        (reports, cg.history().to_vec())
    }

    #[test]
    fn it_agrees_with_a_factorisation_in_fewer_steps_than_one_by_one() {
        let n = 120;
        let a = with_spectrum(&slow(n), 1).assume(Properties::SPD);
        let m = Jacobi::new(&Host::new(), &(0..n).map(|i| a.mat()[(i, i)]).collect::<Vec<_>>()).unwrap();
        for m in [None, Some(&m as &dyn LinearOperator<Host<f64>>)] {
            let bs: Vec<_> = (0..6).map(|k| noise(n, k)).collect();
            let mut xs: Vec<_> = (0..6).map(|k| noise(n, k + 50)).collect();
            let (reports, history) = solve(&a, m, &bs, &mut xs, Stop::rtol(1e-10));
            assert_eq!(history.len(), reports[0].steps + 1);
            let space = Host::new();
            for ((b, x), report) in bs.iter().zip(&xs).zip(&reports) {
                assert_eq!(report.status, Status::Converged, "{report:?}");
                assert!(distance(x, &exact(&a, b)) < 1e-6);
                let mut y = vec![0.0; n];
                let one =
                    Cg::new(&space, n, Stop::rtol(1e-10)).unwrap().solve(&space, &a, m, b, &mut y).unwrap();
                assert!(3 * report.steps < 2 * one.steps, "{} {}", report.steps, one.steps);
            }
            // The solutions as a start.
            let (again, _) = solve(&a, m, &bs, &mut xs, Stop::rtol(1e-9));
            assert!(again.iter().all(|r| r.status == Status::Converged && r.steps == 0), "{again:?}");
        }
    }

    #[test]
    fn dependent_equal_zero_solved_and_bad_sides_break_nothing() {
        let n = 80;
        let a = with_spectrum(&slow(n), 1).assume(Properties::SPD);
        let (one, two) = (noise(n, 1), noise(n, 2));
        let sum: Vec<f64> = one.iter().zip(&two).map(|(a, b)| 1e5 * a - 3.0 * b).collect();
        let tiny: Vec<f64> = one.iter().map(|v| 1e-30 * v).collect();
        let known = noise(n, 4);
        let mut bs =
            vec![one.clone(), two, one, vec![0.0; n], sum, tiny, times(&a, &known), vec![f64::NAN; n]];
        let mut xs = vec![vec![0.0; n]; 8];
        xs[6] = known;
        xs[3] = noise(n, 3);
        let (reports, _) = solve(&a, None, &bs, &mut xs, Stop::rtol(1e-9));
        for i in 0..7 {
            assert_eq!(reports[i].status, Status::Converged, "{i}: {:?}", reports[i]);
            if i != 3 {
                assert!(distance(&xs[i], &exact(&a, &bs[i])) < 1e-5, "{i}");
            }
        }
        assert_eq!((reports[7].status, &xs[3]), (Status::NonFinite, &vec![0.0; n]));
        assert!(reports[3].steps == 0 && reports[6].steps <= reports[0].steps);
        // All alike.
        bs = vec![bs[1].clone(); 5];
        let mut xs = vec![vec![0.0; n]; 5];
        let (reports, _) = solve(&a, None, &bs, &mut xs, Stop::rtol(1e-9));
        assert!(reports.iter().all(|r| r.status == Status::Converged), "{reports:?}");
        // More right-hand sides than unknowns.
        let small = with_spectrum(&[1.0, 2.0, 5.0], 1).assume(Properties::SPD);
        let bs: Vec<_> = (0..7).map(|k| noise(3, k)).collect();
        let (reports, _) = solve(&small, None, &bs, &mut vec![vec![0.0; 3]; 7], Stop::rtol(1e-12));
        assert!(reports.iter().all(|r| r.status == Status::Converged && r.steps <= 2), "{reports:?}");
    }

    #[test]
    fn a_singular_operator_is_solved_in_its_range() {
        let (grid, n) = (Grid::new_2d(20, 12).unwrap(), 240);
        let a = Poisson::new(grid, [[Boundary::Neumann; 2]; 3]).unwrap();
        let bs = vec![times(&a, &noise(n, 1)), noise(n, 2), times(&a, &noise(n, 3))];
        let mut xs = vec![vec![2.0; n]; 3];
        let (reports, _) = solve(&a, None, &bs, &mut xs, Stop::rtol(1e-10));
        assert_eq!((reports[0].status, reports[2].status), (Status::Converged, Status::Converged));
        assert!(matches!(reports[1].status, Status::Inconsistent { .. }));
        assert!(xs[0].iter().sum::<f64>().abs() < 1e-8);
    }

    #[test]
    fn what_ends_it_is_said() {
        let (n, space) = (60, Host::<f64>::new());
        let a = with_spectrum(&slow(n), 2).assume(Properties::SPD);
        let bs: Vec<_> = (0..3).map(|k| noise(n, k)).collect();
        let stop = Stop { max_steps: 3, ..Stop::default() };
        let (reports, history) = solve(&a, None, &bs, &mut vec![vec![0.0; n]; 3], stop);
        assert!(reports.iter().all(|r| (r.status, r.steps) == (Status::MaxSteps, 3)) && history.len() == 4);
        let (reports, _) = solve(&a, None, &bs, &mut vec![vec![0.0; n]; 3], Stop::rtol(0.0));
        assert!(reports.iter().all(|r| r.status == Status::Stagnated), "{reports:?}");
        let indefinite = with_spectrum(&[1.0, -1.0, 2.0, 3.0], 2).assume(Properties::SPD);
        let (reports, _) =
            solve(&indefinite, None, &[noise(4, 1), noise(4, 2)], &mut [vec![0.0; 4], vec![0.0; 4]], stop);
        assert!(matches!(reports[0].status, Status::NotPositiveDefinite { .. }), "{reports:?}");
        let mut cg = BlockCg::new(&space, n, 2, Stop::default()).unwrap();
        let (mut x, mut y) = (vec![0.0; n], vec![0.0; n]);
        let reports = cg
            .solve_watched(&space, &a, None, &[&bs[0], &bs[1]], &mut [&mut x, &mut y], &mut |_| {
                ControlFlow::Break(())
            })
            .unwrap();
        assert_eq!(reports[1].status, Status::Interrupted);
        let few = cg.solve(&space, &a, None, &[&bs[0], &bs[1]], &mut [&mut x]);
        assert!(matches!(few, Err(Error::Length { .. })));
        let short = cg.solve(&space, &a, None, &[&bs[0][1..]], &mut [&mut x]);
        assert!(matches!(short, Err(Error::Length { .. })));
        let many = BlockCg::new(&space, n, 0, stop)
            .unwrap()
            .solve(&space, &a, None, &[&bs[0]], &mut [&mut x])
            .is_err();
        assert!(many && cg.solve(&space, &a, None, &[], &mut []).unwrap().is_empty());
        let symmetric = a.assume(Properties::SYMMETRIC);
        assert!(matches!(
            cg.solve(&space, &symmetric, None, &[&bs[0]], &mut [&mut x]),
            Err(Error::Property { .. })
        ));
    }

    #[test]
    fn in_single_precision() {
        let (space, n) = (Host::<f32>::new(), 50);
        let a = with_spectrum(&(0..n).map(|i| 1.0 + i as f64).collect::<Vec<_>>(), 5);
        let a = Dense::from_fn(n, n, |i, j| a.mat()[(i, j)] as f32).unwrap().assume(Properties::SPD);
        let side = |k| noise(n, k).iter().map(|v| *v as f32).collect::<Vec<f32>>();
        let (mut x, mut y) = (vec![0.0; n], vec![0.0; n]);
        let mut cg = BlockCg::new(&space, n, 2, Stop::rtol(1e-4)).unwrap();
        let reports = cg.solve(&space, &a, None, &[&side(1), &side(2)], &mut [&mut x, &mut y]).unwrap();
        assert!(reports.iter().all(|r| r.status == Status::Converged), "{reports:?}");
    }

    proptest! {
        #[test]
        fn any_rank_of_the_right_hand_sides_is_solved(
            n in 1usize..40, k in 1usize..7, rank in 1usize..7, spread in 0..4i32, seed in any::<u64>()
        ) {
            let eigenvalues: Vec<f64> = (0..n).map(|i| 10f64.powi(i as i32 % (spread + 1)) + i as f64 / 50.0).collect();
            let a = with_spectrum(&eigenvalues, seed).assume(Properties::SPD);
            let parts: Vec<_> = (0..rank).map(|i| noise(n, seed ^ i as u64)).collect();
            let weights = noise(k * rank, seed ^ 77);
            let bs: Vec<Vec<f64>> = (0..k)
                .map(|j| (0..n).map(|i| (0..rank).map(|r| weights[j * rank + r] * parts[r][i]).sum()).collect())
                .collect();
            let mut xs = vec![vec![0.0; n]; k];
            let (reports, _) = solve(&a, None, &bs, &mut xs, Stop::rtol(1e-9));
            for (i, report) in reports.iter().enumerate() {
                prop_assert_eq!(report.status, Status::Converged, "{}: {:?}", i, report);
                prop_assert!(distance(&xs[i], &exact(&a, &bs[i])) < 1e-4);
            }
        }
    }
}
