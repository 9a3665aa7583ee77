//! The Lanczos process with full reorthogonalisation, a step at a time: its basis can be kept, stored and gone on with.
//!
//! C. Lanczos (1950), 10.6028/jres.045.026; B. N. Parlett, *The Symmetric Eigenvalue Problem*, SIAM, 1998, ch. 13,
//! 10.1137/1.9781611971163. Every vector is made orthogonal to all before by classical Gram–Schmidt done twice.
//!
//! Storage: a vector a step. Traffic of step j beside A, in f64: about 34 j + 48 bytes an unknown.

use super::basis::{orthogonalise, orthonormalise, start};
use crate::error::check_len;
use crate::{Error, LinearOperator, Result, Scalar, Space};
use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{self, ComputeEigenvectors};
use faer::{Mat, Par, Spec};

/// An orthonormal basis V of a Krylov space of a symmetric A, and the tridiagonal VᵀAV.
///
/// ```
/// use resolvent::{Boundary, Grid, Host, Poisson, Space, krylov::process::Process};
/// let (space, n) = (Host::<f64>::new(), 30);
/// let a = Poisson::new(Grid::new_2d(n, 2)?, [[Boundary::DIRICHLET; 2]; 3])?;
/// let mut first = space.zeros(2 * n)?;
/// space.fill((0.5 / n as f64).sqrt(), &mut first)?;
/// let mut process = Process::new(first);
/// while process.steps() < 10 && process.step(&space, &a, false)? > 0.0 {}
/// let (values, ..) = process.ritz()?;
/// assert!(values.windows(2).all(|pair| pair[0] <= pair[1]));
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Process<S: Space> {
    v: Vec<S::Buf>,
    diagonal: Vec<f64>,
    off: Vec<f64>,
    room: Vec<f64>,
    scale: f64,
}

impl<S: Space> Process<S> {
    /// From a vector of norm 1.
    pub fn new(first: S::Buf) -> Self {
        Self { v: vec![first], diagonal: Vec::new(), off: Vec::new(), room: Vec::new(), scale: 0.0 }
    }

    /// Goes on where another process stood: with its [`basis`](Self::basis) `[steps + 1]`, its [`diagonal`](Self::diagonal)
    /// `[steps]` and its [`off`](Self::off)-diagonal `[steps]`. The next step has the same bits.
    ///
    /// # Errors
    /// [`Error::Length`] when they do not fit each other.
    pub fn resume(basis: Vec<S::Buf>, diagonal: Vec<f64>, off: Vec<f64>) -> Result<Self> {
        check_len("the off-diagonal", diagonal.len(), off.len())?;
        check_len("the basis", diagonal.len() + 1, basis.len())?;
        let scale = diagonal.iter().zip(&off).fold(0.0f64, |s, (d, o)| s.max(d.abs()).max(*o));
        Ok(Self { v: basis, diagonal, off, room: Vec::new(), scale })
    }

    /// One product with a symmetric `a`, projected onto its range when `project` says so; the vector that follows is kept
    /// when it is not rounding. Returns its norm before scaling, or 0 when the Krylov space is exhausted.
    ///
    /// # Errors
    /// [`Error::Value`] when a product is not finite; [`Error::Memory`].
    pub fn step(&mut self, space: &S, a: &dyn LinearOperator<S>, project: bool) -> Result<f64> {
        let k = self.v.len();
        let mut w = space.zeros(space.len(&self.v[0]))?;
        a.apply(space, &self.v[k - 1], &mut w)?;
        if project {
            a.project(space, &mut w)?;
        }
        self.room.resize(2 * k, 0.0);
        let beta = orthogonalise(space, &self.v, &mut w, &mut self.room)?;
        let alpha = self.room[k - 1];
        if !(alpha.is_finite() && beta.is_finite()) {
            let needs = "products must be finite; check the matrix";
            return Err(Error::Value { what: "the Lanczos process", index: k - 1, value: alpha, needs });
        }
        self.diagonal.push(alpha);
        self.scale = self.scale.max(alpha.abs()).max(beta);
        let mut beta = if beta <= 10.0 * S::Scalar::EPSILON * self.scale { 0.0 } else { beta };
        if beta > 0.0 {
            space.scale(S::Scalar::of(1.0 / beta), &mut w)?;
            if project {
                // Scaling by the inverse of a small beta has made rounding outside the range large.
                a.project(space, &mut w)?;
                let left = space.norm(&w)?;
                // Mostly outside: nothing of the range is left.
                if left < 0.5 {
                    beta = 0.0;
                } else {
                    space.scale(S::Scalar::of(1.0 / left), &mut w)?;
                }
            }
        }
        self.off.push(beta);
        if beta > 0.0 {
            self.v.push(w);
        }
        Ok(beta)
    }

    /// Continues in a part of the space not seen so far; `false` when there is none.
    pub(super) fn go_on(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        project: bool,
        seed: u64,
    ) -> Result<bool> {
        let n = space.len(&self.v[0]);
        let mut w = start(space, n, seed)?;
        if project {
            a.project(space, &mut w)?;
        }
        let whole = space.norm(&w)?;
        self.room.resize(2 * self.v.len(), 0.0);
        let left = orthonormalise(space, &self.v, &mut w, &mut self.room)?;
        let some = self.v.len() < n && left > 1e-6 * whole;
        if some {
            self.v.push(w);
        }
        Ok(some)
    }

    /// Products made so far.
    pub fn steps(&self) -> usize {
        self.diagonal.len()
    }

    /// V: one vector more than steps, unless the space is exhausted.
    pub fn basis(&self) -> &[S::Buf] {
        &self.v
    }

    /// The diagonal of VᵀAV.
    pub fn diagonal(&self) -> &[f64] {
        &self.diagonal
    }

    /// Beside it; the last entry leads out of the basis.
    pub fn off(&self) -> &[f64] {
        &self.off
    }

    /// Ritz values ascending, the columns of their vectors in the basis, and ‖Av − θv‖ of each. The same bits for any
    /// number of threads.
    ///
    /// # Errors
    /// [`Error::Value`] when their iteration does not converge; [`Error::Memory`].
    pub fn ritz(&self) -> Result<(Vec<f64>, Mat<f64>, Vec<f64>)> {
        let k = self.diagonal.len();
        let beside: Vec<f64> = self.off.iter().take(k.saturating_sub(1)).copied().chain([0.0]).collect();
        let (yes, spec) = (ComputeEigenvectors::Yes, Spec::default());
        let request = evd::self_adjoint_evd_scratch::<f64>(k, yes, Par::Seq, spec);
        let mut memory =
            MemBuffer::try_new(request).map_err(|_| Error::Memory { bytes: request.size_bytes() })?;
        let (mut values, mut u) = (Diag::<f64>::zeros(k), Mat::<f64>::zeros(k, k));
        let (d, o) = (faer::ColRef::from_slice(&self.diagonal), faer::ColRef::from_slice(&beside[..k]));
        let done = evd::tridiagonal_self_adjoint_evd(
            d.as_diagonal(),
            o.as_diagonal(),
            values.as_mut(),
            Some(u.as_mut()),
            Par::Seq,
            MemStack::new(&mut memory),
            spec,
        );
        done.map_err(|_| Error::Value {
            what: "the Lanczos process",
            index: k,
            value: f64::NAN,
            needs: "the eigenvalues of its tridiagonal matrix did not converge; use another seed",
        })?;
        let values = (0..k).map(|i| values[i]).collect();
        let bounds = (0..k).map(|i| (self.off[k - 1] * u[(k - 1, i)]).abs()).collect();
        Ok((values, u, bounds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krylov::test::with_spectrum;
    use crate::{Buffer, Dense, Host};

    fn started(n: usize) -> Process<Host<f64>> {
        let space = Host::<f64>::new();
        let mut v = start(&space, n, 3).unwrap();
        let norm = space.norm(&v).unwrap();
        space.scale(1.0 / norm, &mut v).unwrap();
        Process::new(v)
    }

    fn run(mut p: Process<Host<f64>>, a: &Dense<f64>, to: usize) -> Process<Host<f64>> {
        while p.steps() < to {
            assert!(p.step(&Host::new(), a, false).unwrap() > 0.0);
        }
        p
    }

    #[test]
    fn a_process_gone_on_with_has_the_same_bits() {
        let (space, n) = (Host::<f64>::new(), 60);
        let a = with_spectrum(&(0..n).map(|i| 1.0 + i as f64).collect::<Vec<_>>(), 2);
        let (whole, part) = (run(started(n), &a, 20), run(started(n), &a, 7));
        let copy = |v: &Buffer<f64>| {
            let mut w = space.zeros(n).unwrap();
            w.copy_from_slice(v);
            w
        };
        let basis = part.basis().iter().map(copy).collect();
        let again = Process::resume(basis, part.diagonal().to_vec(), part.off().to_vec()).unwrap();
        let again = run(again, &a, 20);
        assert_eq!((whole.diagonal(), whole.off()), (again.diagonal(), again.off()));
        assert!(whole.basis().iter().zip(again.basis()).all(|(v, w)| v[..] == w[..]));
        assert!(matches!(Process::<Host<f64>>::resume(vec![], vec![], vec![]), Err(Error::Length { .. })));
    }

    #[test]
    fn ritz_vectors_diagonalise_the_tridiagonal() {
        let n = 90;
        let a = with_spectrum(&(0..n).map(|i| (i * i) as f64 - 50.0).collect::<Vec<_>>(), 5);
        for k in [1, 2, 3, 60] {
            let p = run(started(n), &a, k);
            let (values, u, bounds) = p.ritz().unwrap();
            assert_eq!((values.len(), bounds.len()), (k, k));
            for (i, r) in (0..k * k).map(|at| (at / k, at % k)) {
                let left = if r > 0 { p.off()[r - 1] * u[(r - 1, i)] } else { 0.0 };
                let right = if r + 1 < k { p.off()[r] * u[(r + 1, i)] } else { 0.0 };
                let defect = p.diagonal()[r] * u[(r, i)] + left + right - values[i] * u[(r, i)];
                assert!(defect.abs() < 1e-13 * 8000.0 * k as f64, "{k} {i} {r}: {defect:e}");
            }
        }
    }
}
