//! A sequence of systems: what earlier ones taught makes later ones cheaper, or is left alone.

mod guess;
mod trial;

use crate::error::check_len;
use crate::{Cg, DeflatedCg, Error, LinearOperator, Report, Result, Scalar, Space, Stop};
use guess::Guess;
use trial::Trial;

/// Bytes of a pass over a vector in f64, by which costs are counted.
const PASS: f64 = 8.0;

/// What a [`Sequence`] may learn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SequenceOptions {
    /// When a system is solved.
    pub stop: Stop,
    /// How many earlier solutions a first guess is made of; 0 for none.
    pub guesses: usize,
    /// How many slow directions of earlier solves are deflated; 0 for none.
    pub deflated: usize,
    /// Passes over a vector that a step costs with its preconditioner: 10 of conjugate gradients alone, about 20 with an incomplete
    /// factorisation, about 40 with a V-cycle. What is learned has to save more than it costs by this.
    pub step: f64,
}

impl Default for SequenceOptions {
    /// Guesses from 4 solutions, 4 deflated directions, and steps with a V-cycle.
    fn default() -> Self {
        Self { stop: Stop::default(), guesses: 4, deflated: 4, step: 40.0 }
    }
}

/// How a system of a sequence was solved.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use = "a solve may end without converging: look at `report.status`"]
pub struct SequenceReport {
    /// The solve itself.
    pub report: Report,
    /// ‖b − A x₀‖ / ‖b‖ of the first guess x₀; 1 where it was 0.
    pub guess: f64,
    /// How many directions were deflated.
    pub deflated: usize,
}

/// Conjugate gradients for systems of one length that follow one another, such as the frames of a flow: A, b and the preconditioner
/// change, and each solve leaves something to the next.
///
/// - The **first guess** is the best in the norm of A among the combinations of the last solutions (Fischer). It is used where it leaves
///   less than 0 does.
/// - **Directions that were slow** are deflated ([`DeflatedCg`]).
/// - The **spectrum** that a solve has seen is what the bounds of the next preconditioner can be made of:
///   [`spectrum`](Self::spectrum) and [`Chebyshev::learned`](crate::precond::Chebyshev::learned).
///
/// Every part is on trial: what it costs is counted in passes over a vector, what it saves in steps. One that does not pay rests for
/// some systems and is tried again later, more and more rarely. Counts, not clocks, decide, so that the same systems give the same bits. The
/// answer is never in question: the iteration is the usual one, from another start or in a part of the space, and ends by a residual that
/// was computed anew.
///
/// ```
/// use resolvent::{Boundary, Grid, Host, Poisson, Sequence, SequenceOptions, Status};
/// let space = Host::<f64>::new();
/// let a = Poisson::new(Grid::new_2d(32, 32)?, [[Boundary::DIRICHLET; 2]; 3])?;
/// let mut sequence = Sequence::new(&space, 1024, SequenceOptions { step: 10.0, ..SequenceOptions::default() })?;
/// let mut steps = vec![];
/// for frame in 0..6 {
///     // A source that moves slowly.
///     let at = |i: usize, j: usize| (-0.02 * ((i as f64 - 12.0 - frame as f64).powi(2) + (j as f64 - 16.0).powi(2))).exp();
///     let b: Vec<f64> = (0..1024).map(|k| at(k % 32, k / 32)).collect();
///     let mut x = vec![0.0; 1024];
///     let solved = sequence.solve(&space, &a, None, &b, &mut x)?;
///     assert_eq!(solved.report.status, Status::Converged);
///     steps.push(solved.report.steps);
/// }
/// assert!(steps[5] < steps[0], "{steps:?}");
/// # Ok::<(), resolvent::Error>(())
/// ```
///
/// # Reference
/// P. F. Fischer, *Projection techniques for iterative solution of Ax = b with successive right-hand sides*, Comput. Methods Appl. Mech.
/// Eng. 163 (1998), 10.1016/S0045-7825(98)00012-7; Y. Saad, M. Yeung, J. Erhel, F. Guyomarc'h, *A deflated version of the conjugate
/// gradient algorithm*, SIAM J. Sci. Comput. 21 (2000), 10.1137/S1064829598339761.
pub struct Sequence<S: Space> {
    options: SequenceOptions,
    plain: Cg<S>,
    deflated: Option<DeflatedCg<S>>,
    guess: Guess<S>,
    r: S::Buf,
    /// Whether a guess pays, and deflation.
    guessing: Trial,
    deflating: Trial,
    /// Steps that plain conjugate gradients took when last seen, and by how many powers of e the residual fell.
    pace: Option<[f64; 2]>,
    spectrum: Option<[f64; 2]>,
}

impl<S: Space> Sequence<S> {
    /// A workspace for systems of `n` unknowns: 5 vectors, 2 for each guess, and for k deflated directions 4 + 7 k.
    ///
    /// # Errors
    /// [`Error::Memory`]; [`Error::Parameter`] for a tolerance that cannot be, or a cost that is not positive.
    pub fn new(space: &S, n: usize, options: SequenceOptions) -> Result<Self> {
        if !(options.step > 0.0 && options.step.is_finite()) {
            let needs = "the cost of a step must be positive and finite";
            return Err(Error::Parameter { name: "step", value: options.step, needs });
        }
        let k = options.deflated.min(n);
        let deflated =
            (k > 0).then(|| DeflatedCg::with_sizes(space, n, options.stop, k, 2 * k)).transpose()?;
        Ok(Self {
            options,
            plain: Cg::new(space, n, options.stop)?,
            deflated,
            guess: Guess::new(space, n, options.guesses)?,
            r: space.zeros(n)?,
            guessing: Trial::new(options.guesses > 0),
            deflating: Trial::new(k > 0),
            pace: None,
            spectrum: None,
        })
    }

    /// The smallest and the largest eigenvalue of MA, or of A without a preconditioner, as far as the last solve without deflation has seen
    /// them.
    pub fn spectrum(&self) -> Option<[f64; 2]> {
        self.spectrum
    }

    /// Forgets everything, as where another scene begins.
    pub fn forget(&mut self) {
        self.guess.forget();
        if let Some(deflated) = &mut self.deflated {
            deflated.forget();
        }
        (self.guessing, self.deflating) = (self.guessing.anew(), self.deflating.anew());
        (self.pace, self.spectrum) = (None, None);
    }

    /// Solves Ax = b, with `m` ≈ A⁻¹ when given; `x` gets the solution, and what it holds before does not matter.
    ///
    /// # Errors
    /// As [`Cg::solve`].
    pub fn solve(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn LinearOperator<S>>,
        b: &S::Slice,
        x: &mut S::Slice,
    ) -> Result<SequenceReport> {
        let n = space.len(&self.r);
        for (what, length) in [("b", space.len(b)), ("x", space.len(x)), ("A's rows", a.shape().rows)] {
            check_len(what, n, length)?;
        }
        space.fill(S::Scalar::of(0.0), x)?;
        let whole = space.norm(b)?;
        let left = self.first_guess(space, a, b, x, whole)?;
        let (report, rank) = match &mut self.deflated {
            Some(cg)
                if self.pace.is_some_and(|p| hopeful(&self.options, p, m.is_some()))
                    && self.deflating.is_on() =>
            {
                let rank = cg.rank();
                cg.update(space, a)?;
                (cg.solve(space, a, m, b, x)?, rank)
            }
            _ => {
                let report = self.plain.solve(space, a, m, b, x)?;
                self.spectrum = self.plain.spectrum().or(self.spectrum);
                (report, 0)
            }
        };
        self.judge(&report, whole * left, rank, m.is_some());
        if report.status == crate::Status::Converged {
            self.guess.keep(space, x)?;
        }
        Ok(SequenceReport { report, guess: left, deflated: rank })
    }

    /// x ← the guess where it is tried and leaves less of b than 0; what it leaves.
    fn first_guess(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        b: &S::Slice,
        x: &mut S::Slice,
        whole: f64,
    ) -> Result<f64> {
        if self.guess.is_empty() || !(whole > 0.0 && whole.is_finite()) || !self.guessing.is_on() {
            return Ok(1.0);
        }
        let left = self.guess.make(space, a, b, x, &mut self.r)?.map_or(1.0, |norm| norm / whole);
        if left < 1.0 {
            if let Some(pace) = self.pace {
                let k = self.options.guesses as f64;
                let cost = k * (k + 4.0) + 3.0 * k + 4.0;
                self.guessing.judge(-left.ln() * pace[0] / pace[1] * self.options.step > cost);
            }
            return Ok(left);
        }
        self.guessing.judge(false);
        space.fill(S::Scalar::of(0.0), x)?;
        Ok(1.0)
    }

    /// What a solve from a residual of this size says of deflation.
    fn judge(&mut self, report: &Report, start: f64, rank: usize, preconditioned: bool) {
        let fell = (start / report.true_residual).ln();
        if report.steps == 0 || !(fell.is_finite() && fell > 0.0) {
            return;
        }
        let (steps, step) = (report.steps as f64, self.options.step);
        if rank == 0 {
            self.pace = Some([steps, fell]);
            return;
        }
        let Some([plain, far]) = self.pace else { return };
        let [of_step, of_solve] = costs(rank, step, preconditioned);
        self.deflating.judge((steps * (step + of_step) + of_solve) / fell < plain * step / far);
    }
}

/// Passes that deflation of k directions adds to a step, and to a solve: products with what is deflated, and making the next, as
/// [`deflated_cg`](crate::krylov::deflated_cg) counts them.
fn costs(k: usize, step: f64, preconditioned: bool) -> [f64; 2] {
    let (k, product) = (k as f64, 3.0);
    let learning = 16.0 * k * (3.0 * k) / PASS + k * if preconditioned { step } else { 0.0 };
    let update = k * product + (17.0 * k * k + 40.0 * k) / PASS;
    [(18.0 * k + 16.0) / PASS, learning + update]
}

/// Whether deflation would pay if it took half of the steps away; it is not tried otherwise.
fn hopeful(options: &SequenceOptions, [steps, _]: [f64; 2], preconditioned: bool) -> bool {
    let [of_step, of_solve] = costs(options.deflated, options.step, preconditioned);
    0.5 * steps * (options.step + of_step) + of_solve < steps * options.step
}

#[cfg(test)]
mod tests;
