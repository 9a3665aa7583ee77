//! An operator whose null space the caller knows.

use crate::krylov::basis::{orthonormalise, start};
use crate::operator::forward_products;
use crate::{Error, LinearOperator, Map, Operator, Positivity, Properties, Result, Scalar, Shape, Space};

/// A symmetric operator with AV = 0 for a few vectors V, such as the rigid motions of an elastic body, whose projection
/// removes what lies in their span. For constants alone [`Constants`](super::Constants) is cheaper.
///
/// Storage: a vector for each of V. Traffic of a projection in f64: about 17 bytes an unknown for each, and 32.
///
/// ```
/// use resolvent::{Cg, Csr, Host, Properties, Status, Stop, compose::NullSpace};
/// // Two springs side by side, held by nothing.
/// let entries = [(0, 0, 1.0), (0, 1, -1.0), (1, 0, -1.0), (1, 1, 1.0), (2, 2, 1.0), (2, 3, -1.0), (3, 2, -1.0), (3, 3, 1.0)];
/// let a = Csr::from_triplets(4, 4, &entries)?.assume(Properties::SEMIDEFINITE);
/// let (space, mut x) = (Host::<f64>::new(), [0.0; 4]);
/// let a = NullSpace::new(&space, a, &[&[1.0, 1.0, 0.0, 0.0], &[1.0, 1.0, 1.0, 1.0]])?;
/// let mut cg = Cg::unpreconditioned(&space, 4, Stop::default())?;
/// assert_eq!(cg.solve(&space, &a, None, &[1.0, -1.0, 2.0, -2.0], &mut x)?.status, Status::Converged);
/// assert!((x[0] - 0.5).abs() < 1e-12 && (x[3] + 1.0).abs() < 1e-12);
/// let report = cg.solve(&space, &a, None, &[1.0, -1.0, 2.0, 0.0], &mut x)?;
/// assert!(matches!(report.status, Status::Inconsistent { .. }));
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct NullSpace<S: Space, A> {
    a: A,
    v: Vec<S::Buf>,
}

/// Vectors projected at a time.
const GROUP: usize = 16;

/// Steps of the power method that measures ‖A‖.
const POWER: usize = 8;

impl<S: Space, A: LinearOperator<S>> NullSpace<S, A> {
    /// `a`, which maps each of `vectors` to zero; they need not be orthogonal.
    ///
    /// # Errors
    /// [`Error::Property`] when `a` does not claim to be symmetric; [`Error::Value`] when the vectors are dependent or
    /// not finite, or for one with ‖Av‖ > √ε ‖A‖ ‖v‖, with its index; [`Error::Length`]; [`Error::Memory`].
    pub fn new(space: &S, a: A, vectors: &[&S::Slice]) -> Result<Self> {
        if !a.properties().symmetric {
            return Err(Error::Property { method: "NullSpace", needs: "symmetric" });
        }
        let n = a.shape().rows;
        let (mut image, mut room) = (space.zeros(n)?, vec![0.0; 2 * vectors.len()]);
        let mut size = 0.0f64;
        let mut power = start(space, n, 1)?;
        for _ in 0..POWER {
            let norm = space.norm(&power)?;
            if norm > 0.0 {
                space.scale(S::Scalar::of(1.0 / norm), &mut power)?;
            }
            a.apply(space, &power, &mut image)?;
            size = size.max(space.norm(&image)?);
            std::mem::swap(&mut power, &mut image);
        }
        let mut v: Vec<S::Buf> = Vec::with_capacity(vectors.len());
        for (index, given) in vectors.iter().enumerate() {
            crate::error::check_len("a vector of the null space", n, space.len(given))?;
            let mut next = space.zeros(n)?;
            space.copy(given, &mut next)?;
            let whole = space.norm(&next)?;
            let left = orthonormalise(space, &v, &mut next, &mut room)?;
            if !(whole.is_finite() && left > 1e3 * S::Scalar::EPSILON * whole) {
                let needs = "the vectors of a null space must be finite and independent; leave this one out";
                return Err(Error::Value {
                    what: "the norm of what a vector adds",
                    index,
                    value: left,
                    needs,
                });
            }
            a.apply(space, &next, &mut image)?;
            let value = space.norm(&image)?;
            // Not `>`: a NaN is refused too.
            let small = value <= S::Scalar::EPSILON.sqrt() * size;
            if !small {
                let needs = "a vector of the null space must be mapped to zero; check it against the matrix";
                return Err(Error::Value { what: "‖Av‖ of a null vector", index, value, needs });
            }
            v.push(next);
        }
        Ok(Self { a, v })
    }

    /// The operator inside.
    pub fn inner(&self) -> &A {
        &self.a
    }
    /// An orthonormal basis of the null space.
    pub fn basis(&self) -> &[S::Buf] {
        &self.v
    }
}

impl<S: Space, A: Map> Map for NullSpace<S, A> {
    fn shape(&self) -> Shape {
        self.a.shape()
    }
    /// Those of the operator inside, and not definite when there is a null space.
    fn properties(&self) -> Properties {
        let inner = self.a.properties();
        let most = if self.v.is_empty() { inner.positivity } else { Positivity::Semidefinite };
        Properties { positivity: inner.positivity.min(most), ..inner }
    }
}

impl<S: Space, A: Operator<S>> Operator<S> for NullSpace<S, A> {
    fn apply(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        self.a.apply(space, x, y)
    }
}

impl<S: Space, A: LinearOperator<S>> LinearOperator<S> for NullSpace<S, A> {
    fn apply_transpose(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        self.a.apply_transpose(space, x, y)
    }
    forward_products!(S, self => self.a);
    fn project(&self, space: &S, v: &mut S::Slice) -> Result<()> {
        let mut products = [0.0; GROUP];
        for basis in self.v.chunks(GROUP) {
            let products = &mut products[..basis.len()];
            space.dots(basis, v, products)?;
            space.combine(-1.0, products, basis, v)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krylov::test::{distance, noise, times, with_spectrum};
    use crate::{Cg, Csr, Host, Minres, Status, Stop};

    #[test]
    fn an_indefinite_operator_is_solved_beside_its_null_space() {
        let (n, space) = (30, Host::<f64>::new());
        let eigenvalues: Vec<f64> =
            (0..n).map(|i| if i < 3 { 0.0 } else { (i as f64 - 12.5) / 4.0 }).collect();
        let a = with_spectrum(&eigenvalues, 3);
        let eigen = a.mat().self_adjoint_eigen(faer::Side::Lower).unwrap();
        let null: Vec<usize> = (0..n).filter(|i| eigen.S()[*i].abs() < 1e-10).collect();
        let column = |i: usize| (0..n).map(|r| eigen.U()[(r, null[i])]).collect::<Vec<_>>();
        let mixed: Vec<f64> = column(0).iter().zip(column(2)).map(|(a, b)| 3.0 * a - b).collect();
        let a = NullSpace::new(&space, a, &[&column(0), &column(1), &mixed]).unwrap();
        assert_eq!((a.basis().len(), a.properties()), (3, Properties::SYMMETRIC));
        let mut exact = noise(n, 1);
        a.project(&space, &mut exact).unwrap();
        assert!(a.basis().iter().all(|v| space.dot(v, &exact).unwrap().abs() < 1e-14));
        let (b, mut x) = (times(&a, &exact), vec![5.0; n]);
        let mut minres = Minres::new(&space, n, Stop::rtol(1e-12)).unwrap();
        assert_eq!(minres.solve(&space, &a, None, &b, &mut x).unwrap().status, Status::Converged);
        assert!(distance(&x, &exact) < 1e-9);
        let outside = minres.solve(&space, &a, None, &noise(n, 2), &mut x).unwrap();
        assert!(matches!(outside.status, Status::Inconsistent { .. }));
    }

    #[test]
    fn what_is_no_null_space_is_refused() {
        let space = Host::<f64>::new();
        let a = Csr::from_triplets(2, 2, &[(0, 0, 1.0), (0, 1, -1.0), (1, 0, -1.0), (1, 1, 1.0)]).unwrap();
        let refused = NullSpace::new(&space, &a, &[&[1.0, 1.0]]);
        assert!(matches!(refused, Err(Error::Property { .. })));
        let a = a.assume(Properties::SPD);
        for bad in [[1.0, 2.0], [0.0, 0.0], [f64::NAN, 1.0]] {
            let refused = NullSpace::new(&space, &a, &[&bad]);
            assert!(matches!(refused, Err(Error::Value { index: 0, .. })), "{bad:?}");
        }
        let refused = NullSpace::new(&space, &a, &[&[1.0, 1.0], &[-2.0, -2.0]]);
        assert!(matches!(refused, Err(Error::Value { index: 1, .. })));
        assert!(matches!(NullSpace::new(&space, &a, &[&[1.0; 3]]), Err(Error::Length { .. })));
        let (none, known) =
            (NullSpace::new(&space, &a, &[]).unwrap(), NullSpace::new(&space, &a, &[&[1.0; 2]]).unwrap());
        assert_eq!((none.properties(), known.properties()), (Properties::SPD, Properties::SEMIDEFINITE));
        let mut cg = Cg::unpreconditioned(&space, 2, Stop::default()).unwrap();
        let report = cg.solve(&space, &known, None, &[1.0, 0.0], &mut [0.0; 2]).unwrap();
        let Status::Inconsistent { outside } = report.status else { panic!("{report:?}") };
        assert!((outside - 0.5f64.sqrt()).abs() < 1e-14);
    }
}
