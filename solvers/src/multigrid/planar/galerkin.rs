//! The coarse operator PᵀAP.

use super::interpolation::Interpolation;
use super::operator::{Nine, Planar};
use crate::Scalar;
use rayon::prelude::*;

/// PᵀAP, point by point: A applied to each coarse basis function on its 5 × 5 surroundings, times the basis functions
/// of the point itself and of its neighbours east, north-west, north and north-east.
pub(crate) fn galerkin<T: Scalar, A: Planar<T>>(a: &A, p: &Interpolation<T>) -> Nine<T> {
    let [cx, cz] = p.coarse;
    let mut coarse = Nine::zeros(p.coarse);
    let rows: Vec<Vec<[f64; 5]>> =
        (0..cz).into_par_iter().map(|k| (0..cx).map(|i| point(a, p, i, k)).collect()).collect();
    for (k, row) in rows.iter().enumerate() {
        for (i, [d, e, nw, n, ne]) in row.iter().enumerate() {
            let c = i + cx * k;
            coarse.diagonal[c] = T::of(*d);
            coarse.east[c] = T::of(-e);
            coarse.north[0][c] = T::of(-nw);
            coarse.north[1][c] = T::of(-n);
            coarse.north[2][c] = T::of(-ne);
        }
    }
    coarse
}

/// The entries of row (i, k) at the diagonal and to the east, north-west, north and north-east.
fn point<T: Scalar, A: Planar<T>>(a: &A, p: &Interpolation<T>, i: usize, k: usize) -> [f64; 5] {
    let [nx, nz] = p.fine;
    let (x, z) = (2 * i + 1, 2 * k + 1);
    let basis = p.basis(i, k);
    // A φ at offsets −2..=2 in both directions.
    let mut image = [[0.0; 5]; 5];
    for (q, weight) in basis.into_iter().enumerate() {
        let (fx, fz) = (x + q % 3, z + q / 3);
        if weight == 0.0 || fx < 1 || fz < 1 || fx > nx || fz > nz {
            continue;
        }
        let c = a.couplings(fx - 1, fz - 1);
        for (d, g) in c.into_iter().enumerate() {
            let v = if d == 4 { g } else { -g };
            image[q / 3 + d / 3][q % 3 + d % 3] += v * weight;
        }
    }
    let with = |di: isize, dk: isize| -> f64 {
        let (ci, ck) = (i as isize + di, k as isize + dk);
        if ci < 0 || ci >= p.coarse[0] as isize || ck >= p.coarse[1] as isize {
            return 0.0;
        }
        let other = p.basis(ci as usize, ck as usize);
        (0..9)
            .map(|q| {
                let (ox, oz) = (2 * di + (q % 3) as isize + 1, 2 * dk + (q / 3) as isize + 1);
                if (0..5).contains(&ox) && (0..5).contains(&oz) {
                    other[q] * image[oz as usize][ox as usize]
                } else {
                    0.0
                }
            })
            .sum()
    };
    [with(0, 0), with(1, 0), with(-1, 1), with(0, 1), with(1, 1)]
}
