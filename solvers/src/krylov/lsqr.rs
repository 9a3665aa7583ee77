//! LSQR: least squares, and systems of any shape, without forming AᵀA.
//!
//! C. C. Paige, M. A. Saunders, *LSQR: an algorithm for sparse linear equations and sparse least squares*, ACM Trans. Math.
//! Softw. 8 (1982), 43–71, 10.1145/355984.355989. Departures: r = b − Ax and Aᵀr are recomputed where the recurrence claims
//! to have ended, and it starts again from them while that helps; damping is of x and not of the step from the starting
//! point, by the rows λI below A.
//!
//! Storage: 2 vectors as long as b and 3 as long as x; with damping one more of the latter. Traffic of a step beside A and Aᵀ,
//! in f64: 56 bytes a row and 112 a column.

use super::session::{Needs, Session, Watch, history};
use crate::{Error, LinearOperator, Report, Result, Scalar, Shape, Space, Status, Stop};
use std::ops::ControlFlow;

/// LSQR with its workspace: `new` allocates, `solve` does not. The operator must have a transpose.
///
/// It ends as [`Status::Converged`] when ‖r‖ reaches the target, and as [`Status::LeastSquares`], solved as well, when
/// ‖Aᵀr‖ ≤ `rtol` ‖A‖ ‖r‖. From x = 0 the minimiser found is the shortest.
///
/// ```
/// use resolvent::{Csr, Host, Lsqr, Status, Stop};
/// // The line through (0, 1), (1, 2), (2, 2).
/// let a = Csr::from_triplets(3, 2, &[(0, 0, 1.0), (1, 0, 1.0), (1, 1, 1.0), (2, 0, 1.0), (2, 1, 2.0)])?;
/// let (space, mut x) = (Host::<f64>::new(), [0.0; 2]);
/// let report = Lsqr::new(&space, a.shape(), Stop::default())?.solve(&space, &a, &[1.0, 2.0, 2.0], &mut x)?;
/// assert!(matches!(report.status, Status::LeastSquares { .. }) && report.status.is_solved());
/// assert!((x[0] - 7.0 / 6.0).abs() < 1e-8 && (x[1] - 0.5).abs() < 1e-8);
/// # use resolvent::Map;
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Lsqr<S: Space> {
    stop: Stop,
    damping: f64,
    u: S::Buf,
    t: S::Buf,
    v: S::Buf,
    w: S::Buf,
    g: S::Buf,
    /// The part of u in the rows of damping.
    below: Option<S::Buf>,
    history: Vec<f64>,
}

impl<S: Space> Lsqr<S> {
    /// A workspace for operators of a shape: `b: [rows]`, `x: [cols]`.
    ///
    /// # Errors
    /// [`Error::Memory`]; [`Error::Parameter`] for a tolerance that is negative or not finite.
    pub fn new(space: &S, shape: Shape, stop: Stop) -> Result<Self> {
        stop.check()?;
        let (u, t) = (space.zeros(shape.rows)?, space.zeros(shape.rows)?);
        let (v, w, g) = (space.zeros(shape.cols)?, space.zeros(shape.cols)?, space.zeros(shape.cols)?);
        Ok(Self { stop, damping: 0.0, u, t, v, w, g, below: None, history: history(&stop) })
    }

    /// A workspace that minimises ‖b − Ax‖² + `damping`² ‖x‖²: regular whatever the rank of A, and always ended as
    /// [`Status::LeastSquares`].
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::Parameter`] for a damping that is not finite.
    pub fn with_damping(space: &S, shape: Shape, stop: Stop, damping: f64) -> Result<Self> {
        if !damping.is_finite() {
            return Err(Error::Parameter {
                name: "damping",
                value: damping,
                needs: "a finite number is needed",
            });
        }
        let below = if damping == 0.0 { None } else { Some(space.zeros(shape.cols)?) };
        Ok(Self { damping, below, ..Self::new(space, shape, stop)? })
    }

    /// ‖r‖₂ of the recurrence before every step of the last solve, and at its end; with damping that of r and λx.
    pub fn history(&self) -> &[f64] {
        &self.history
    }

    /// Minimises ‖b − Ax‖ from the starting point in `x`.
    ///
    /// # Errors
    /// [`Error::NoTranspose`]; [`Error::Length`]. Not converging is no error: look at the report's `status`.
    pub fn solve(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        b: &S::Slice,
        x: &mut S::Slice,
    ) -> Result<Report> {
        self.solve_watched(space, a, b, x, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`solve`](Self::solve); `watch` is called before each step and may stop.
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    pub fn solve_watched(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        b: &S::Slice,
        x: &mut S::Slice,
        watch: Watch,
    ) -> Result<Report> {
        self.history.clear();
        let Self { stop, damping, u, t, v, w, g, below, history } = self;
        crate::error::check_len("the workspace", a.shape().cols, space.len(v))?;
        let (mut session, mut residual) = match Session::begin(Needs::Nothing, space, a, None, b, x, u, stop)?
        {
            Ok(begun) => begun,
            Err(report) => return Ok(report),
        };
        let (zero, one, of) = (S::Scalar::of(0.0), S::Scalar::of(1.0), S::Scalar::of);
        let lambda = *damping;
        let nothing = 10.0 * S::Scalar::EPSILON;
        // No smaller gradient can be told from rounding.
        let flat = stop.rtol.max(nothing);
        let (mut step, mut size) = (0, lambda.abs());
        // ‖r‖ and ‖Aᵀr‖ when they were last recomputed.
        let mut last = (f64::INFINITY, f64::INFINITY);
        let status = 'solve: loop {
            // u holds r; g ← Aᵀr − λ²x, the gradient.
            a.apply_transpose(space, u, g)?;
            let mut beta = residual;
            if let Some(below) = below {
                space.axpby(of(-lambda), x, zero, below)?;
                space.axpby(of(lambda), below, one, g)?;
                beta = beta.hypot(space.norm(below)?);
            }
            let mut alpha = space.norm(g)?;
            residual = beta;
            if !(beta.is_finite() && alpha.is_finite()) {
                history.push(beta);
                break Status::NonFinite;
            }
            if below.is_none() && beta <= session.target {
                history.push(beta);
                session.last_true = beta;
                break Status::Converged;
            }
            // ‖A‖ ≥ ‖Aᵀu‖ for a u of norm 1.
            size = size.max(alpha / beta);
            let gradient = alpha / (size * beta);
            if alpha == 0.0 || gradient <= flat {
                history.push(beta);
                break Status::LeastSquares { gradient: if alpha == 0.0 { 0.0 } else { gradient } };
            }
            if !(beta < 0.5 * last.0 || alpha < 0.5 * last.1) {
                history.push(beta);
                break Status::Stagnated;
            }
            last = (beta, alpha);
            space.scale(of(1.0 / beta), u)?;
            if let Some(below) = below {
                space.scale(of(1.0 / beta), below)?;
            }
            alpha /= beta;
            space.axpby(of(1.0 / (alpha * beta)), g, zero, v)?;
            space.copy(v, w)?;
            let (mut phi, mut rho_bar) = (beta, alpha);
            loop {
                history.push(residual);
                if let Some(status) = session.interrupted(step, residual, watch) {
                    break 'solve status;
                }
                // β u ← A v − α u.
                a.apply(space, v, t)?;
                space.axpby(one, t, of(-alpha), u)?;
                beta = space.norm(u)?;
                if let Some(below) = below {
                    space.axpby(of(lambda), v, of(-alpha), below)?;
                    beta = beta.hypot(space.norm(below)?);
                }
                size = size.max(alpha.hypot(beta));
                let ended = beta <= nothing * size;
                let rho = rho_bar.hypot(beta);
                let (c, s) = (rho_bar / rho, beta / rho);
                if !ended {
                    space.scale(of(1.0 / beta), u)?;
                    if let Some(below) = below {
                        space.scale(of(1.0 / beta), below)?;
                    }
                    // α v ← Aᵀu − β v.
                    a.apply_transpose(space, u, g)?;
                    if let Some(below) = below {
                        space.axpby(of(lambda), below, one, g)?;
                    }
                    space.axpby(one, g, of(-beta), v)?;
                    alpha = space.norm(v)?;
                }
                step += 1;
                space.axpby(of(c * phi / rho), w, one, x)?;
                phi *= s;
                residual = phi.abs();
                if !(residual.is_finite() && alpha.is_finite()) {
                    history.push(f64::NAN);
                    break 'solve Status::NonFinite;
                }
                // ‖Aᵀr‖ = φ α |c|.
                let gradient = alpha * c.abs() / size;
                let claims = below.is_none() && residual <= session.claim;
                if ended || claims || gradient <= flat || alpha <= nothing * size {
                    break;
                }
                space.scale(of(1.0 / alpha), v)?;
                space.axpby(one, v, of(-s * alpha / rho), w)?;
                rho_bar = -c * alpha;
            }
            residual = session.recompute(x, u)?;
        };
        session.finish(status, step, residual, x, u)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krylov::test::{dense, distance, exact, noise, times};
    use crate::{Dense, Host, Map, Operator};
    use faer::linalg::solvers::SolveLstsq;
    use faer::{Mat, MatRef};
    use proptest::prelude::*;

    fn rectangle(rows: usize, cols: usize, seed: u64) -> Dense<f64> {
        let v = noise(rows * cols, seed);
        Dense::from_fn(rows, cols, |i, j| v[i * cols + j]).unwrap()
    }

    fn solve(a: &Dense<f64>, b: &[f64], x: &mut [f64], stop: Stop, damping: f64) -> (Report, Vec<f64>) {
        let space = Host::new();
        let mut lsqr = Lsqr::with_damping(&space, a.shape(), stop, damping).unwrap();
        let report = lsqr.solve(&space, a, b, x).unwrap();
        (report, lsqr.history().to_vec())
    }

    fn least(a: &Dense<f64>, b: &[f64]) -> Vec<f64> {
        let x = a.mat().qr().solve_lstsq(MatRef::from_column_major_slice(b, b.len(), 1));
        (0..a.shape().cols).map(|i| x[(i, 0)]).collect()
    }

    #[test]
    fn least_squares_agree_with_a_factorisation_from_any_start() {
        for (rows, cols) in [(1, 1), (5, 2), (40, 39), (90, 20)] {
            let (a, b) = (rectangle(rows, cols, 1), noise(rows, 2));
            for mut x in [vec![0.0; cols], noise(cols, 3)] {
                let (report, history) = solve(&a, &b, &mut x, Stop::rtol(1e-12), 0.0);
                assert!(report.status.is_solved(), "{rows} {cols}: {report:?}");
                assert!(distance(&x, &least(&a, &b)) < 1e-7, "{rows} {cols}");
                assert_eq!(history.len(), report.steps + 1);
                assert!(history.windows(2).all(|h| h[1] <= h[0] * (1.0 + 1e-9)), "{history:?}");
                let again = solve(&a, &b, &mut x, Stop::rtol(1e-11), 0.0).0;
                assert!(again.status.is_solved() && again.steps <= 2, "{again:?}");
            }
        }
    }

    #[test]
    fn a_wide_system_gets_its_shortest_solution() {
        let (a, b) = (rectangle(15, 40, 1), noise(15, 2));
        let mut x = vec![0.0; 40];
        let (report, _) = solve(&a, &b, &mut x, Stop::rtol(1e-12), 0.0);
        assert_eq!(report.status, Status::Converged);
        let gram = a.mat() * a.mat().transpose();
        let y = exact(&Dense::from_mat(gram).unwrap(), &b);
        let mut shortest = vec![0.0; 40];
        a.apply_transpose(&Host::new(), &y, &mut shortest).unwrap();
        assert!(distance(&x, &shortest) < 1e-9);
        let square = dense(30, 2.0, 4);
        let (b, mut x) = (noise(30, 1), vec![0.0; 30]);
        assert_eq!(solve(&square, &b, &mut x, Stop::rtol(1e-11), 0.0).0.status, Status::Converged);
        assert!(distance(&x, &exact(&square, &b)) < 1e-8);
    }

    #[test]
    fn damping_is_of_x_from_any_start() {
        let (rows, cols, lambda) = (20, 30, 0.7);
        let (a, b) = (rectangle(rows, cols, 1), noise(rows, 2));
        let normal = a.mat().transpose() * a.mat()
            + Mat::from_fn(cols, cols, |i, j| if i == j { lambda * lambda } else { 0.0 });
        let mut right = vec![0.0; cols];
        a.apply_transpose(&Host::new(), &b, &mut right).unwrap();
        let expected = exact(&Dense::from_mat(normal).unwrap(), &right);
        for mut x in [vec![0.0; cols], noise(cols, 3)] {
            let (report, _) = solve(&a, &b, &mut x, Stop::rtol(1e-12), lambda);
            assert!(matches!(report.status, Status::LeastSquares { .. }), "{report:?}");
            assert!(distance(&x, &expected) < 1e-9);
        }
    }

    #[test]
    fn what_ends_it_is_said() {
        let (a, b, space) = (rectangle(50, 30, 1), noise(50, 2), Host::<f64>::new());
        let mut x = vec![3.0; 30];
        let (report, _) = solve(&a, &[0.0; 50], &mut x, Stop::default(), 0.0);
        assert_eq!((report.status, report.steps, &x), (Status::Converged, 0, &vec![0.0; 30]));
        let stop = Stop { max_steps: 3, ..Stop::default() };
        let (report, history) = solve(&a, &b, &mut [0.0; 30], stop, 0.0);
        assert_eq!((report.status, report.steps, history.len()), (Status::MaxSteps, 3, 4));
        let square = dense(30, 2.0, 1);
        assert_eq!(
            solve(&square, &noise(30, 1), &mut [0.0; 30], Stop::rtol(0.0), 0.0).0.status,
            Status::Stagnated
        );
        assert_eq!(solve(&a, &[f64::NAN; 50], &mut [0.0; 30], stop, 0.0).0.status, Status::NonFinite);
        // b ⟂ the range: x = 0 is the minimiser.
        let column = Dense::from_fn(2, 1, |i, _| i as f64).unwrap();
        let (report, _) = solve(&column, &[1.0, 0.0], &mut [0.0], Stop::default(), 0.0);
        assert_eq!((report.status, report.steps), (Status::LeastSquares { gradient: 0.0 }, 0));
        let mut lsqr = Lsqr::new(&space, a.shape(), Stop::default()).unwrap();
        let mut watch = |p: &crate::Progress| {
            if p.step == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let report = lsqr.solve_watched(&space, &a, &b, &mut [0.0; 30], &mut watch).unwrap();
        assert_eq!((report.status, report.steps), (Status::Interrupted, 2));
        for (b, x) in [(49, 30), (50, 31)] {
            let wrong = lsqr.solve(&space, &a, &vec![1.0; b], &mut vec![0.0; x]);
            assert!(matches!(wrong, Err(Error::Length { .. })));
        }
        assert!(matches!(lsqr.solve(&space, &square, &[1.0; 30], &mut [0.0; 30]), Err(Error::Length { .. })));
        let bad = Lsqr::with_damping(&space, a.shape(), stop, f64::NAN);
        assert!(matches!(bad, Err(Error::Parameter { .. })));
        struct Blind;
        impl Map for Blind {
            fn shape(&self) -> Shape {
                Shape { rows: 50, cols: 30 }
            }
        }
        impl Operator<Host<f64>> for Blind {
            fn apply(&self, _: &Host<f64>, _: &[f64], y: &mut [f64]) -> Result<()> {
                y.fill(0.0);
                Ok(())
            }
        }
        impl LinearOperator<Host<f64>> for Blind {}
        assert!(matches!(lsqr.solve(&space, &Blind, &b, &mut [0.0; 30]), Err(Error::NoTranspose(_))));
    }

    #[test]
    fn in_single_precision() {
        let a = rectangle(50, 20, 1);
        let a = Dense::from_fn(50, 20, |i, j| a.mat()[(i, j)] as f32).unwrap();
        let b: Vec<f32> = noise(50, 2).iter().map(|v| *v as f32).collect();
        let space = Host::<f32>::new();
        let mut lsqr = Lsqr::new(&space, a.shape(), Stop::rtol(1e-4)).unwrap();
        let report = lsqr.solve(&space, &a, &b, &mut [0.0; 20]).unwrap();
        assert!(matches!(report.status, Status::LeastSquares { .. }), "{report:?}");
    }

    proptest! {
        #[test]
        fn the_gradient_vanishes_for_any_shape_and_rank(
            rows in 1usize..20, cols in 1usize..20, rank in 1usize..20, seed in any::<u64>()
        ) {
            let product = rectangle(rows, rank, seed).mat() * rectangle(rank, cols, seed ^ 1).mat();
            let a = Dense::from_mat(product).unwrap();
            let (b, mut x) = (noise(rows, seed ^ 2), vec![0.0; cols]);
            let (report, _) = solve(&a, &b, &mut x, Stop { rtol: 1e-8, max_steps: 5000, ..Stop::default() }, 0.0);
            prop_assert!(report.status.is_solved(), "{report:?}");
            let r: Vec<f64> = times(&a, &x).iter().zip(&b).map(|(y, b)| b - y).collect();
            let norm = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
            let mut g = vec![0.0; cols];
            a.apply_transpose(&Host::new(), &r, &mut g).unwrap();
            let size = a.mat().norm_l2();
            prop_assert!(
                norm(&r) <= 1.001e-8 * norm(&b) || norm(&g) <= 1.001e-8 * size * norm(&r),
                "{report:?} {:e} {:e}", norm(&r), norm(&g)
            );
        }
    }
}
