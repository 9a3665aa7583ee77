//! The diagonal closest to the inverse.

use super::Jacobi;
use crate::{Csr, Error, Result, Scalar, Space};

/// The diagonal M that makes ‖I − MA‖ in the Frobenius norm smallest, m_i = a_ii / Σ_j a_ij²: SPAI-0, as the diagonal
/// preconditioner it is. It weighs rows by their size, which helps where a diagonal alone says little.
///
/// ```
/// use resolvent::{Csr, Host, Operator, precond::spai0};
/// let a = Csr::from_triplets(2, 2, &[(0, 0, 2.0), (0, 1, -1.0), (1, 0, -1.0), (1, 1, 2.0)])?;
/// let (space, mut z) = (Host::<f64>::new(), [0.0; 2]);
/// spai0(&space, &a)?.apply(&space, &[5.0, 10.0], &mut z)?;
/// assert_eq!(z, [2.0, 4.0]);
/// # Ok::<(), resolvent::Error>(())
/// ```
///
/// # Errors
/// [`Error::Pivot`] for a diagonal entry that is negative, or zero in a row that is not; [`Error::Memory`].
///
/// # Reference
/// O. Bröker, M. J. Grote, *Sparse approximate inverse smoothers for geometric and algebraic multigrid*, Appl. Numer. Math.
/// 41 (2002), 61–80, 10.1016/S0168-9274(01)00110-6.
pub fn spai0<S: Space>(space: &S, a: &Csr<f64>) -> Result<Jacobi<S>> {
    let of = |(row, d): (usize, f64)| {
        let square: f64 = a.row(row).1.iter().map(|v| v * v).sum();
        match (d, square) {
            (0.0, 0.0) => Ok(S::Scalar::of(0.0)),
            (0.0, _) => Err(Error::Pivot { what: "SPAI-0", row, pivot: 0.0 }),
            _ => Ok(S::Scalar::of(square / d)),
        }
    };
    let inverse: Vec<S::Scalar> = a.diagonal().into_iter().enumerate().map(of).collect::<Result<_>>()?;
    Jacobi::new(space, &inverse)
}
