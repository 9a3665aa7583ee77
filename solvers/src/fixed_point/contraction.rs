//! How strongly a map contracts.

use crate::learn::Random;
use crate::{Operator, Result, Scalar, Space};

/// An estimate of the spectral radius of T′ at `x`: below 1, plain iteration converges from near x, the faster the smaller it is.
///
/// It is the growth of a random direction under `steps` applications of the difference quotient (T(x + εv) − T(x)) / ε, as a geometric
/// mean over the later half. A complex pair of eigenvalues is averaged over its turns; a few dozen steps give two digits.
/// NaN when T leaves the numbers.
///
/// # Errors
/// What T itself says; [`Error::Memory`](crate::Error::Memory).
///
/// ```
/// use resolvent::{Csr, Host, fixed_point::contraction};
/// let a = Csr::from_triplets(2, 2, &[(0, 0, 0.5), (0, 1, 3.0), (1, 1, 0.25)])?;
/// let rate = contraction(&Host::<f64>::new(), &a, &[1.0, 1.0], 40, 7)?;
/// assert!((rate - 0.5).abs() < 1e-3);
/// # Ok::<(), resolvent::Error>(())
/// ```
pub fn contraction<S: Space>(
    space: &S,
    map: &dyn Operator<S>,
    x: &S::Slice,
    steps: usize,
    seed: u64,
) -> Result<f64> {
    let n = space.len(x);
    let one = S::Scalar::of(1.0);
    let mut random = Random::new(seed, "contraction");
    let start: Vec<S::Scalar> = (0..n).map(|_| S::Scalar::of(random.normal())).collect();
    let (mut v, mut moved, mut image, mut base) =
        (space.zeros(n)?, space.zeros(n)?, space.zeros(n)?, space.zeros(n)?);
    space.upload(&start, &mut v)?;
    map.apply(space, x, &mut base)?;
    let (mut sum, mut counted) = (0.0, 0);
    for step in 0..steps.max(1) {
        let length = space.norm(&v)?;
        if length == 0.0 {
            return Ok(0.0);
        }
        // The step of a difference whose truncation and rounding are about even.
        let epsilon = S::Scalar::EPSILON.sqrt() * space.norm(x)?.max(1.0);
        space.copy(x, &mut moved)?;
        space.axpby(S::Scalar::of(epsilon / length), &v, one, &mut moved)?;
        map.apply(space, &moved, &mut image)?;
        space.axpby(-one, &base, one, &mut image)?;
        let growth = space.norm(&image)? / epsilon;
        if 2 * step >= steps {
            sum += growth.ln();
            counted += 1;
        }
        if !growth.is_finite() {
            return Ok(f64::NAN);
        }
        space.copy(&image, &mut v)?;
    }
    Ok((sum / f64::from(counted.max(1))).exp())
}
