//! An operator whose null space is the constant vectors.

use crate::operator::forward_products;
use crate::{LinearOperator, Map, Operator, Properties, Result, Scalar, Shape, Space};

/// A symmetric operator with A1 = 0, such as the matrix of a pure Neumann problem, whose projection removes the mean.
///
/// A matrix does not know its null space; without it a solver can neither keep x orthogonal to it nor tell that b does
/// not fit.
///
/// ```
/// use resolvent::{Cg, Csr, Host, Properties, Status, Stop, compose::Constants};
/// let a = Csr::from_triplets(2, 2, &[(0, 0, 1.0), (0, 1, -1.0), (1, 0, -1.0), (1, 1, 1.0)])?;
/// let a = Constants::new(a.assume(Properties::SEMIDEFINITE));
/// let (space, mut x) = (Host::<f64>::new(), [0.0; 2]);
/// let mut cg = Cg::unpreconditioned(&space, 2, Stop::default())?;
/// assert_eq!(cg.solve(&space, &a, None, &[1.0, -1.0], &mut x)?.status, Status::Converged);
/// assert!((x[0] - 0.5).abs() < 1e-12 && (x[1] + 0.5).abs() < 1e-12);
/// let report = cg.solve(&space, &a, None, &[1.0, 0.0], &mut x)?;
/// assert!(matches!(report.status, Status::Inconsistent { .. }));
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Constants<A>(A);

impl<A> Constants<A> {
    /// `a`, whose rows sum to zero.
    pub fn new(a: A) -> Self {
        Self(a)
    }
    /// The operator inside.
    pub fn inner(&self) -> &A {
        &self.0
    }
}

impl<A: Map> Map for Constants<A> {
    fn shape(&self) -> Shape {
        self.0.shape()
    }
    fn properties(&self) -> Properties {
        self.0.properties()
    }
}

impl<S: Space, A: Operator<S>> Operator<S> for Constants<A> {
    fn apply(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        self.0.apply(space, x, y)
    }
}

impl<S: Space, A: LinearOperator<S>> LinearOperator<S> for Constants<A> {
    fn apply_transpose(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        self.0.apply_transpose(space, x, y)
    }
    forward_products!(S, self => self.0);
    fn project(&self, space: &S, v: &mut S::Slice) -> Result<()> {
        let n = space.len(v);
        if n == 0 {
            return Ok(());
        }
        let mean = space.sum(v)? / n as f64;
        space.shift(S::Scalar::of(-mean), v)
    }
}
