//! Dense algebra of a few unknowns in place, for the small systems inside a method, which must not allocate.
//!
//! Matrices are n × n in the first n² numbers of a slice, by columns.

/// A = LLᵀ in the lower triangle; the upper is not read. `Err` has the first pivot that is not positive.
pub(crate) fn cholesky(a: &mut [f64], n: usize) -> Result<(), f64> {
    for j in 0..n {
        for k in 0..j {
            let share = a[k * n + j];
            for i in j..n {
                a[j * n + i] -= a[k * n + i] * share;
            }
        }
        let pivot = a[j * n + j];
        if !(pivot > 0.0 && pivot.is_finite()) {
            return Err(pivot);
        }
        let root = pivot.sqrt();
        a[j * n + j..(j + 1) * n].iter_mut().for_each(|v| *v /= root);
    }
    Ok(())
}

/// b ← L⁻¹b.
pub(crate) fn forward(l: &[f64], n: usize, b: &mut [f64]) {
    for j in 0..n {
        b[j] /= l[j * n + j];
        for i in j + 1..n {
            b[i] -= l[j * n + i] * b[j];
        }
    }
}

/// b ← L⁻ᵀb.
pub(crate) fn backward(l: &[f64], n: usize, b: &mut [f64]) {
    for j in (0..n).rev() {
        let rest: f64 = (j + 1..n).map(|i| l[j * n + i] * b[i]).sum();
        b[j] = (b[j] - rest) / l[j * n + j];
    }
}

/// b ← A⁻¹b from A = LLᵀ.
pub(crate) fn solve(l: &[f64], n: usize, b: &mut [f64]) {
    forward(l, n, b);
    backward(l, n, b);
}

/// The eigenvalues of a symmetric A, left on its diagonal, and their vectors, the columns of `v`, by Jacobi's rotations
/// (C. G. J. Jacobi, 1846; threshold-free cyclic sweeps).
pub(crate) fn eigen(a: &mut [f64], v: &mut [f64], n: usize) {
    v[..n * n].fill(0.0);
    (0..n).for_each(|i| v[i * n + i] = 1.0);
    let square = |a: &[f64], diagonal: bool| -> f64 {
        (0..n * n).filter(|i| diagonal || i % n != i / n).map(|i| a[i] * a[i]).sum()
    };
    for _ in 0..30 {
        if square(a, false) <= 1e-32 * square(a, true) {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                let off = a[q * n + p];
                if off == 0.0 {
                    continue;
                }
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * off);
                let t = if theta >= 0.0 { 1.0 } else { -1.0 } / (theta.abs() + theta.hypot(1.0));
                let c = 1.0 / t.hypot(1.0);
                let s = t * c;
                let turn = |x: &mut f64, y: &mut f64| (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
                for i in 0..n {
                    let (left, right) = a.split_at_mut(q * n);
                    turn(&mut left[p * n + i], &mut right[i]);
                }
                for column in a.chunks_mut(n).take(n) {
                    let (upper, lower) = column.split_at_mut(q);
                    turn(&mut upper[p], &mut lower[0]);
                }
                for i in 0..n {
                    let (left, right) = v.split_at_mut(q * n);
                    turn(&mut left[p * n + i], &mut right[i]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krylov::test::{distance, exact, noise, times, with_spectrum};

    #[test]
    fn it_agrees_with_faer() {
        for n in [1usize, 2, 5, 24] {
            let eigenvalues: Vec<f64> = (0..n).map(|i| 0.1 + (i * i) as f64).collect();
            let a = with_spectrum(&eigenvalues, n as u64);
            let entries: Vec<f64> = (0..n * n).map(|i| a.mat()[(i % n, i / n)]).collect();
            let (mut l, mut b) = (entries.clone(), noise(n, 1));
            cholesky(&mut l, n).unwrap();
            let x = exact(&a, &b);
            solve(&l, n, &mut b);
            assert!(distance(&b, &x) < 1e-10);
            let (mut d, mut v) = (entries, vec![f64::NAN; n * n]);
            eigen(&mut d, &mut v, n);
            let mut found: Vec<f64> = (0..n).map(|i| d[i * n + i]).collect();
            for (i, lambda) in found.iter().enumerate() {
                let column = &v[i * n..(i + 1) * n];
                let image = times(&a, column);
                assert!(
                    image.iter().zip(column).all(|(y, v)| (y - lambda * v).abs() < 1e-9 * (n * n) as f64)
                );
            }
            found.sort_by(f64::total_cmp);
            assert!(distance(&found, &eigenvalues) < 1e-12);
        }
        assert_eq!(cholesky(&mut [1.0, 2.0, 2.0, 1.0], 2), Err(-3.0));
        assert!(cholesky(&mut [f64::NAN], 1).is_err());
    }
}
