//! Orthonormal bases, and where they start.
//!
//! Gram–Schmidt is classical and done twice: as good as Householder's where the vectors are not dependent to rounding
//! (L. Giraud, J. Langou, M. Rozložník, *The loss of orthogonality in the Gram–Schmidt orthogonalization process*, Comput. Math.
//! Appl. 50 (2005), 1069–1075, 10.1016/j.camwa.2005.08.009), in four fused passes over the basis. Traffic against k vectors, in
//! f64: about 34 k + 40 bytes an unknown, and three passes with reductions.

use crate::{Result, Scalar, Space};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// A vector of seeded normal numbers.
pub(crate) fn start<S: Space>(space: &S, n: usize, seed: u64) -> Result<S::Buf> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let numbers: Vec<S::Scalar> = (0..n).map(|_| S::Scalar::of(StandardNormal.sample(&mut rng))).collect();
    let mut v = space.zeros(n)?;
    space.upload(&numbers, &mut v)?;
    Ok(v)
}

/// v ← ±1 in every entry, seeded; `host` is room for as many.
pub(super) fn signs<S: Space>(
    space: &S,
    rng: &mut ChaCha8Rng,
    host: &mut [S::Scalar],
    v: &mut S::Slice,
) -> Result<()> {
    host.iter_mut().for_each(|h| *h = S::Scalar::of(if rng.random::<bool>() { 1.0 } else { -1.0 }));
    space.upload(host, v)
}

/// Removes from `v` what lies in the span of an orthonormal `basis`, by classical Gram–Schmidt done twice; the products with
/// the basis are added up in the first half of `room`, which has 2 numbers a vector. Returns what is left of ‖v‖.
pub(crate) fn orthogonalise<S: Space>(
    space: &S,
    basis: &[S::Buf],
    v: &mut S::Slice,
    room: &mut [f64],
) -> Result<f64> {
    let k = basis.len();
    let (first, second) = room.split_at_mut(k);
    let second = &mut second[..k];
    space.dots(basis, v, first)?;
    space.combine(-1.0, first, basis, v)?;
    space.dots(basis, v, second)?;
    space.combine(-1.0, second, basis, v)?;
    first.iter_mut().zip(second).for_each(|(f, s)| *f += *s);
    space.norm(v)
}

/// As [`orthogonalise`], and scales what is left to norm 1 where it is not zero.
pub(crate) fn orthonormalise<S: Space>(
    space: &S,
    basis: &[S::Buf],
    v: &mut S::Slice,
    room: &mut [f64],
) -> Result<f64> {
    let left = orthogonalise(space, basis, v, room)?;
    if left > 0.0 && left.is_finite() {
        space.scale(S::Scalar::of(1.0 / left), v)?;
    }
    Ok(left)
}
