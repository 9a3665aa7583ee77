//! The spectral norm of a field on a grid.

use crate::{Error, Result};
use faer::MatRef;

/// ‖A‖₂, the largest singular value of the matrix of a field on a grid: `values: [rows, columns]` row by row. It is at most the
/// root of the sum of squares, and much less where the field is not nearly a product of a function of each coordinate; so is
/// the error relative to it. Published errors of the driven cavity are such ones, for `numpy.linalg.norm(A, 2)` of a matrix is
/// this norm.
///
/// ```
/// use resolvent_pinn::evaluation::spectral_norm;
/// // Singular values 4 and 3.
/// let norm = spectral_norm(&[0.0, 3.0, -4.0, 0.0], 2)?;
/// assert!((norm - 4.0).abs() < 1e-14);
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`] where `rows` does not divide the length; [`Error::Training`] for values that are not finite.
pub fn spectral_norm(values: &[f64], rows: usize) -> Result<f64> {
    let columns = values.len() / rows.max(1);
    crate::error::check_len("the values of a grid", rows * columns, values.len())?;
    let refuse = || Error::Training {
        what: "the spectral norm of values that are not finite".into(),
        mend: "compare on a grid that lies in the domain".into(),
    };
    if values.iter().any(|v| !v.is_finite()) {
        return Err(refuse());
    }
    let matrix = MatRef::from_row_major_slice(values, rows, columns);
    let all = matrix.singular_values().map_err(|_| refuse())?;
    Ok(all.into_iter().fold(0.0, f64::max))
}

/// ‖E‖₂ / ‖U‖₂ of an error E and a solution U on a grid, ‖E‖₂ where U is zero; nothing where a value is not finite.
pub(super) fn relative(exact: &[f64], got: &[f64], rows: usize) -> Option<f64> {
    let error: Vec<f64> = exact.iter().zip(got).map(|(e, g)| e - g).collect();
    let whole = spectral_norm(exact, rows).ok()?;
    let rest = spectral_norm(&error, rows).ok()?;
    Some(if whole > 0.0 { rest / whole } else { rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_are_those_of_matrices_with_known_singular_values() {
        // a wᵀ + b vᵀ of orthogonal pairs: singular values |a||w| and |b||v|.
        let (a, w, b, v) = ([3.0, 4.0, 0.0], [1.0, 2.0], [-4.0, 3.0, 0.0], [2.0, -1.0]);
        let entry = |i: usize, j: usize| a[i] * w[j] + 0.5 * b[i] * v[j];
        let values: Vec<f64> = (0..6).map(|p| entry(p / 2, p % 2)).collect();
        let norm = spectral_norm(&values, 3).unwrap();
        assert!((norm - 5.0 * 5f64.sqrt()).abs() < 1e-13, "{norm}");
        assert_eq!(spectral_norm(&[], 0).unwrap(), 0.0);
        assert!(matches!(spectral_norm(&[1.0; 5], 2), Err(Error::Length { .. })));
        assert!(matches!(spectral_norm(&[f64::NAN; 4], 2), Err(Error::Training { .. })));
    }

    #[test]
    fn an_error_of_one_row_is_that_of_the_euclidean_norm() {
        let (exact, got) = ([3.0, 0.0, 4.0], [3.0, 0.3, 3.6]);
        assert!((relative(&exact, &got, 1).unwrap() - 0.1).abs() < 1e-14);
        assert_eq!(relative(&[0.0; 4], &[0.0, 2.0, 0.0, 0.0], 2), Some(2.0));
        assert_eq!(relative(&[f64::NAN; 4], &[0.0; 4], 2), None);
    }
}
