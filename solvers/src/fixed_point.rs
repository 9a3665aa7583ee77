//! Fixed points x = T(x) of any operator, of one system or of a batch of them.
//!
//! | method | for | storage beside x, in vectors |
//! |---|---|--:|
//! | [`Iteration::Picard`] | maps that contract | 3 |
//! | [`Iteration::Anderson`] | maps that contract slowly, or hardly | 5 + 2 window |
//! | [`Iteration::Broyden`] | the same, where T is far from symmetric | 8 + 2 window |
//! | [`Iteration::Gmres`], [`Iteration::Bicgstab`] | affine maps T(x) = Ax + b, contracting or not | those of the solver, and 2 |
//!
//! In a batch every system has its own stop, window and best iterate: one that has converged is not moved any more, whatever
//! the others do. A step evaluates T once; the residual T(x) − x is the true one.
//!
//! # Reference
//! D. G. Anderson, Iterative procedures for nonlinear integral equations, J. ACM 12 (1965), doi:10.1145/321296.321305;
//! H. F. Walker, P. Ni, Anderson acceleration for fixed-point iterations, SIAM J. Numer. Anal. 49 (2011), doi:10.1137/10078356X;
//! C. G. Broyden, A class of methods for solving nonlinear simultaneous equations, Math. Comp. 19 (1965),
//! doi:10.1090/S0025-5718-1965-0198670-6.

mod affine;
mod anderson;
mod broyden;
mod contraction;
mod options;
mod system;

pub use affine::AffineResidual;
pub use contraction::contraction;
pub use options::{Anderson, FixedPointOptions, Iteration};
pub use system::Outcome;

use crate::error::check_len;
use crate::{Operator, Progress, Report, Result, Scalar, Segments, Space, Status};
use affine::AffineSolver;
use anderson::AndersonState;
use broyden::BroydenState;
use std::ops::ControlFlow;
use std::time::Instant;
use system::Systems;

/// Finds fixed points: `new` allocates, `solve` does not.
///
/// ```
/// use resolvent::{FixedPoint, FixedPointOptions, Host, Map, Operator, Result, Shape, Status};
///
/// /// x ↦ cos x in every entry.
/// struct Cosine(usize);
/// impl Map for Cosine {
///     fn shape(&self) -> Shape { Shape::square(self.0) }
/// }
/// impl Operator<Host<f64>> for Cosine {
///     fn apply(&self, _: &Host<f64>, x: &[f64], y: &mut [f64]) -> Result<()> {
///         y.iter_mut().zip(x).for_each(|(y, x)| *y = x.cos());
///         Ok(())
///     }
/// }
///
/// let (space, mut x) = (Host::<f64>::new(), [0.0; 3]);
/// let mut solver = FixedPoint::new(&space, 3, FixedPointOptions::default())?;
/// let report = solver.solve(&space, &Cosine(3), &mut x)?;
/// assert_eq!(report.status, Status::Converged);
/// assert!((x[0] - 0.739_085_133_215_160_6).abs() < 1e-7);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct FixedPoint<S: Space> {
    options: FixedPointOptions,
    segments: Segments,
    method: Method<S>,
    systems: Systems,
    /// T(x) − x.
    f: S::Buf,
    /// Where the residual of each system was least.
    best: S::Buf,
    history: Vec<f64>,
}

/// What is kept from step to step.
enum Method<S: Space> {
    Picard { damping: f64 },
    Anderson(AndersonState<S>),
    Broyden(BroydenState<S>),
    Affine(AffineSolver<S>),
}

/// What every accelerated step needs.
struct Step<'a, S: Space> {
    space: &'a S,
    segments: &'a Segments,
    /// Which systems move.
    moving: &'a [bool],
    f: &'a S::Slice,
}

impl<S: Space> FixedPoint<S> {
    /// A workspace for one system of `n` unknowns.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory); [`Error::Parameter`](crate::Error::Parameter) for options that cannot be.
    pub fn new(space: &S, n: usize, options: FixedPointOptions) -> Result<Self> {
        Self::batch(space, Segments::whole(n), options)
    }

    /// A workspace for independent systems behind one another: entries of T(x) in a segment depend on x there alone.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn batch(space: &S, segments: Segments, options: FixedPointOptions) -> Result<Self> {
        options.check()?;
        let n = segments.len();
        let method = match options.iteration {
            Iteration::Picard { damping } => Method::Picard { damping },
            Iteration::Anderson(a) => Method::Anderson(AndersonState::new(space, &segments, a)?),
            Iteration::Broyden { window } => Method::Broyden(BroydenState::new(space, &segments, window)?),
            Iteration::Gmres { .. } | Iteration::Bicgstab => {
                Method::Affine(AffineSolver::new(space, n, &options)?)
            }
        };
        let history = Vec::with_capacity(options.stop.max_steps.min(100_000) + 1);
        let systems = Systems::new(segments.count());
        let (f, best) = (space.zeros(n)?, space.zeros(n)?);
        Ok(Self { options, segments, method, systems, f, best, history })
    }

    /// ‖T(x) − x‖₂ over all systems before every step of the last solve, and at its end.
    pub fn history(&self) -> &[f64] {
        &self.history
    }

    /// How each system of the last solve ended; those of an affine method end together.
    pub fn outcomes(&self) -> &[Outcome] {
        self.systems.outcomes()
    }

    /// By which factor the residual fell in each of the last steps, as a geometric mean; `None` before the second.
    pub fn rate(&self) -> Option<f64> {
        const STEPS: usize = 8;
        let last = *self.history.last()?;
        let steps = STEPS.min(self.history.len() - 1);
        let before = self.history[self.history.len() - 1 - steps];
        (steps > 0 && before > 0.0).then(|| (last / before).powf(1.0 / steps as f64))
    }

    /// Finds x = T(x) from the starting point in `x`. Every system is left where its residual was least.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length); what T itself says. Not converging is no error: look at the report's `status`.
    pub fn solve(&mut self, space: &S, map: &dyn Operator<S>, x: &mut S::Slice) -> Result<Report> {
        self.solve_watched(space, map, x, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`solve`](Self::solve); `watch` is called before each step and may stop.
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    pub fn solve_watched(
        &mut self,
        space: &S,
        map: &dyn Operator<S>,
        x: &mut S::Slice,
        watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let started = Instant::now();
        let shape = map.shape();
        check_len("the map's rows", self.segments.len(), shape.rows)?;
        check_len("the map's columns", self.segments.len(), shape.cols)?;
        check_len("x", self.segments.len(), space.len(x))?;
        self.history.clear();
        self.systems.start();
        if let Method::Affine(solver) = &mut self.method {
            let report = solver.solve(space, map, x, watch)?;
            self.history.extend_from_slice(solver.history());
            self.systems.end_together(&report);
            return Ok(Report { elapsed: started.elapsed(), ..report });
        }
        match &mut self.method {
            Method::Anderson(state) => state.start(),
            Method::Broyden(state) => state.start(),
            _ => {}
        }
        let (mut step, mut fallbacks) = (0, 0);
        let stop = self.options.stop;
        let status = loop {
            map.apply(space, x, &mut self.f)?;
            space.axpby(S::Scalar::of(-1.0), x, S::Scalar::of(1.0), &mut self.f)?;
            self.systems.look(space, &self.segments, x, &self.f, &stop, step)?;
            space.segment_copy(&self.segments, self.systems.improved(), x, &mut self.best)?;
            let residual = self.systems.residual();
            self.history.push(residual);
            if let Some(status) = self.systems.ended() {
                break status;
            }
            let progress = Progress { step, residual, target: self.systems.target() };
            if watch(&progress).is_break() {
                break Status::Interrupted;
            }
            if step >= stop.max_steps {
                break self.systems.out_of_steps();
            }
            if stop.max_time.is_some_and(|most| started.elapsed() >= most) {
                break Status::MaxTime;
            }
            let back = self.systems.plan(!matches!(self.method, Method::Picard { .. }));
            if back > 0 {
                fallbacks += back;
                space.segment_copy(&self.segments, self.systems.returning(), &self.best, x)?;
            }
            let moving = self.systems.moving();
            let at = Step { space, segments: &self.segments, moving, f: &self.f };
            match &mut self.method {
                Method::Picard { damping } => {
                    let amount = self.systems.amounts(*damping);
                    space.segment_axpy(&self.segments, amount, &self.f, x)?;
                }
                Method::Anderson(state) => state.step(&at, x)?,
                Method::Broyden(state) => state.step(&at, x)?,
                Method::Affine(_) => {}
            }
            step += 1;
        };
        space.segment_copy(&self.segments, self.systems.behind(), &self.best, x)?;
        let residual = self.systems.least();
        let target = self.systems.target();
        let elapsed = started.elapsed();
        Ok(Report {
            status,
            steps: step,
            residual,
            true_residual: residual,
            target,
            elapsed,
            fallbacks,
            asked: 0,
            dropped: None,
        })
    }
}

/// The products of some vectors with x within every segment: `out` is `[vectors, segments]`.
fn products<S: Space>(
    space: &S,
    segments: &Segments,
    basis: &[S::Buf],
    x: &S::Slice,
    out: &mut [f64],
) -> Result<()> {
    let count = segments.count();
    if count == 1 {
        return space.dots(basis, x, out);
    }
    basis
        .iter()
        .zip(out.chunks_mut(count.max(1)))
        .try_for_each(|(v, out)| space.segment_dot(segments, v, x, out))
}

/// y ← y + Σ a v, with coefficients `a`: `[vectors, segments]` of each segment.
fn combine<S: Space>(
    space: &S,
    segments: &Segments,
    a: &[f64],
    basis: &[S::Buf],
    y: &mut S::Slice,
) -> Result<()> {
    let count = segments.count();
    if count == 1 {
        return if a.iter().all(|a| *a == 0.0) { Ok(()) } else { space.combine(1.0, a, basis, y) };
    }
    basis.iter().zip(a.chunks(count.max(1))).try_for_each(|(v, a)| space.segment_axpy(segments, a, v, y))
}

#[cfg(test)]
mod tests;
