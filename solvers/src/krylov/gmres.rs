//! Generalised minimal residuals, restarted, and its flexible form.
//!
//! Y. Saad, M. H. Schultz, *GMRES: a generalized minimal residual algorithm for solving nonsymmetric linear systems*, SIAM
//! J. Sci. Stat. Comput. 7 (1986), 856–869, 10.1137/0907058; flexible: Y. Saad, *A flexible inner-outer preconditioned
//! GMRES algorithm*, SIAM J. Sci. Comput. 14 (1993), 461–469, 10.1137/0914028. Preconditioned from the right, so that the
//! residual it minimises is the true one. Departures: Gram–Schmidt is repeated when it cancels (Daniel, Gragg, Kaufman,
//! Stewart 1976, 10.1090/S0025-5718-1976-0431641-8); the residual is recomputed at every restart, and a cycle that does not
//! lower it ends the solve.
//!
//! Storage for a restart after m steps: m + 2 vectors, z with a preconditioner; m more when flexible. Traffic of step j in
//! f64 beside A and M: 32 j + 40 bytes an unknown, j + 1 reductions; twice that where Gram–Schmidt is repeated.

use super::session::{Needs, Session, Watch, history, solve_square};
use crate::{Error, LinearOperator, Operator, Report, Result, Scalar, Space, Status, Stop};

/// Restarted GMRES with its workspace, for any square operator: `new` allocates, `solve` does not.
///
/// ```
/// use resolvent::{Csr, Gmres, Host, Status, Stop};
/// let a = Csr::from_triplets(2, 2, &[(0, 1, 1.0), (1, 0, -1.0)])?;
/// let (space, mut x) = (Host::<f64>::new(), [0.0; 2]);
/// let report = Gmres::new(&space, 2, Stop::default())?.solve(&space, &a, None, &[1.0, 2.0], &mut x)?;
/// assert_eq!(report.status, Status::Converged);
/// assert!((x[0] + 2.0).abs() < 1e-12 && (x[1] - 1.0).abs() < 1e-12);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Gmres<S: Space> {
    stop: Stop,
    r: S::Buf,
    /// The orthonormal basis, one vector more than steps in a cycle.
    v: Vec<S::Buf>,
    /// The preconditioned basis when flexible, else one vector.
    z: Vec<S::Buf>,
    least: Least,
    history: Vec<f64>,
}

solve_square!(Gmres, Operator);

/// The least-squares problem of a cycle: the Hessenberg matrix made triangular by rotations as it grows.
struct Least {
    /// Column j starts at j (j + 1) / 2.
    triangle: Vec<f64>,
    rotations: Vec<(f64, f64)>,
    /// The rotated right-hand side; the last is the residual.
    g: Vec<f64>,
    column: Vec<f64>,
    y: Vec<f64>,
}

impl Least {
    fn new(m: usize) -> Self {
        Self {
            triangle: Vec::with_capacity(m * (m + 1) / 2),
            rotations: Vec::with_capacity(m),
            g: Vec::with_capacity(m + 1),
            column: Vec::with_capacity(m + 1),
            y: Vec::with_capacity(m),
        }
    }

    fn start(&mut self, beta: f64) {
        self.triangle.clear();
        self.rotations.clear();
        self.g.clear();
        self.g.push(beta);
    }

    /// Takes in `column`, and gives the new residual.
    fn add(&mut self) -> f64 {
        let j = self.rotations.len();
        let h = &mut self.column;
        for (i, (c, s)) in self.rotations.iter().enumerate() {
            (h[i], h[i + 1]) = (c * h[i] + s * h[i + 1], c * h[i + 1] - s * h[i]);
        }
        let norm = h[j].hypot(h[j + 1]);
        let (c, s) = if norm == 0.0 { (1.0, 0.0) } else { (h[j] / norm, h[j + 1] / norm) };
        h[j] = norm;
        self.triangle.extend_from_slice(&h[..=j]);
        self.rotations.push((c, s));
        let g = self.g[j];
        self.g[j] = c * g;
        self.g.push(-s * g);
        (s * g).abs()
    }

    /// y that solves the triangle. A diagonal entry that is nothing beside its column belongs to a singular operator and
    /// gives 0.
    fn solve(&mut self) {
        let m = self.rotations.len();
        self.y.clear();
        self.y.extend_from_slice(&self.g[..m]);
        for j in (0..m).rev() {
            let column = &self.triangle[j * (j + 1) / 2..][..=j];
            let size = column.iter().fold(0.0, |s: f64, v| s.max(v.abs()));
            self.y[j] = if column[j].abs() > 1e-14 * size { self.y[j] / column[j] } else { 0.0 };
            for i in 0..j {
                self.y[i] -= column[i] * self.y[j];
            }
        }
    }
}

/// Steps of a cycle when nothing is said.
const RESTART: usize = 40;

impl<S: Space> Gmres<S> {
    /// A workspace for `n` unknowns that restarts after 40 steps, for a preconditioner that is linear and does not change.
    ///
    /// # Errors
    /// [`Error::Memory`]; [`Error::Parameter`] for a tolerance that is negative or not finite.
    pub fn new(space: &S, n: usize, stop: Stop) -> Result<Self> {
        Self::with_restart(space, n, stop, RESTART)
    }

    /// As [`new`](Self::new), restarting after `steps`.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::Parameter`] for a restart after 0 steps.
    pub fn with_restart(space: &S, n: usize, stop: Stop, steps: usize) -> Result<Self> {
        Self::allocate(space, n, stop, steps, false)
    }

    /// Flexible GMRES that restarts after `steps`: the preconditioner may be nonlinear or change from step to step.
    ///
    /// # Errors
    /// As [`with_restart`](Self::with_restart).
    pub fn flexible(space: &S, n: usize, stop: Stop, steps: usize) -> Result<Self> {
        Self::allocate(space, n, stop, steps, true)
    }

    fn allocate(space: &S, n: usize, stop: Stop, steps: usize, flexible: bool) -> Result<Self> {
        stop.check()?;
        if steps == 0 {
            return Err(Error::Parameter { name: "restart", value: 0.0, needs: "must be at least 1" });
        }
        let m = steps.min(n.max(1));
        let v = (0..=m).map(|_| space.zeros(n)).collect::<Result<_>>()?;
        let z = (0..if flexible { m } else { 1 }).map(|_| space.zeros(n)).collect::<Result<_>>()?;
        let history = history(&stop);
        Ok(Self { stop, r: space.zeros(n)?, v, z, least: Least::new(m), history })
    }

    /// As [`solve`](Self::solve); `watch` is called before each step and may stop.
    ///
    /// # Errors
    /// [`Error::Length`]; what the operators return. Not converging is no error: a singular operator or an inconsistent
    /// right-hand side ends as stagnated, with x of least residual in the space searched.
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
        let Self { stop, r, v, z, least, history } = self;
        let begun = Session::begin("Gmres", Needs::Square, space, a, m.map(|m| m.shape()), b, x, r, stop)?;
        let (mut session, mut residual) = match begun {
            Ok(begun) => begun,
            Err(report) => return Ok(report),
        };
        let one = S::Scalar::of(1.0);
        let flexible = z.len() > 1 || v.len() == 2;
        let (mut step, mut before) = (0, f64::INFINITY);
        let status = loop {
            if residual <= session.target {
                history.push(residual);
                session.accept(residual);
                break Status::Converged;
            }
            // A cycle gains something, or nothing will be gained.
            if residual > (1.0 - 1e-8) * before {
                history.push(residual);
                break Status::Stagnated;
            }
            before = residual;
            space.copy(r, &mut v[0])?;
            space.scale(S::Scalar::of(1.0 / residual), &mut v[0])?;
            least.start(residual);
            let (mut estimate, mut ended) = (residual, None);
            for j in 0..v.len() - 1 {
                history.push(estimate);
                ended = session.interrupted(step, estimate, watch);
                if ended.is_some() {
                    break;
                }
                let (basis, next) = v.split_at_mut(j + 1);
                let w = &mut next[0];
                match m {
                    Some(m) => {
                        let z = &mut z[if flexible { j } else { 0 }];
                        m.apply(space, &basis[j], z)?;
                        a.apply(space, z, w)?;
                    }
                    None => a.apply(space, &basis[j], w)?,
                }
                session.project(w)?;
                step += 1;
                let norm = orthogonalise(space, basis, w, &mut least.column)?;
                if !norm.is_finite() {
                    ended = Some(Status::NonFinite);
                    break;
                }
                estimate = least.add();
                if norm == 0.0 || estimate <= session.claim {
                    break;
                }
                space.scale(S::Scalar::of(1.0 / norm), w)?;
            }
            if ended == Some(Status::NonFinite) {
                break Status::NonFinite;
            }
            least.solve();
            match m {
                Some(_) if flexible => {
                    for (y, z) in least.y.iter().zip(&*z) {
                        space.axpby(S::Scalar::of(*y), z, one, x)?;
                    }
                }
                Some(m) => {
                    space.fill(S::Scalar::of(0.0), r)?;
                    for (y, v) in least.y.iter().zip(&*v) {
                        space.axpby(S::Scalar::of(*y), v, one, r)?;
                    }
                    m.apply(space, r, &mut z[0])?;
                    space.axpby(one, &z[0], one, x)?;
                }
                None => {
                    for (y, v) in least.y.iter().zip(&*v) {
                        space.axpby(S::Scalar::of(*y), v, one, x)?;
                    }
                }
            }
            session.project(x)?;
            session.residual(x, r)?;
            residual = space.norm(r)?;
            if !residual.is_finite() {
                break Status::NonFinite;
            }
            if let Some(status) = ended {
                break status;
            }
        };
        session.finish(status, step, residual, x, r)
    }
}

/// Makes `w` orthogonal to the basis; `column` gets the coefficients and then ‖w‖, which is 0 where nothing is left.
fn orthogonalise<S: Space>(
    space: &S,
    basis: &[S::Buf],
    w: &mut S::Slice,
    column: &mut Vec<f64>,
) -> Result<f64> {
    let one = S::Scalar::of(1.0);
    column.clear();
    let before = space.norm(w)?;
    for v in basis {
        let h = space.dot(v, w)?;
        space.axpby(S::Scalar::of(-h), v, one, w)?;
        column.push(h);
    }
    let mut norm = space.norm(w)?;
    if norm < 0.7 * before {
        for (v, sum) in basis.iter().zip(column.iter_mut()) {
            let h = space.dot(v, w)?;
            space.axpby(S::Scalar::of(-h), v, one, w)?;
            *sum += h;
        }
        norm = space.norm(w)?;
    }
    if norm <= 4.0 * S::Scalar::EPSILON * before {
        norm = 0.0;
    }
    column.push(norm);
    Ok(norm)
}
