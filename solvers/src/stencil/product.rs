//! The product of a structured operator with a vector, alone or fused into a step of conjugate gradients.

use super::rows::{Near, Row, Rows, Shared};
use super::wavefront::{Wave, sweep};
use crate::Scalar;
use crate::host::reduce;

/// y ← Ax, and x·y plane by plane when asked; before it p ← z + βp when `update` is given (then x is p).
///
/// Bytes an unknown in f64: 16 for y ← Ax, plus what the coefficients take; 32 with the update (z and p read, p and q
/// written). One pass over memory, one reduction.
struct Product<'a, T, R> {
    rows: &'a R,
    x: Shared<'a, T>,
    y: Shared<'a, T>,
    update: Option<(&'a [T], T)>,
    partial: Option<Shared<'a, f64>>,
}

impl<T: Scalar, R: Rows<T>> Wave for Product<'_, T, R> {
    fn stages(&self) -> usize {
        if self.update.is_some() { 2 } else { 1 }
    }

    #[inline(always)]
    unsafe fn stage(&self, stage: usize, k: usize) {
        // SAFETY: `Wave` keeps threads on units of their own, and neighbours are only read one pass later.
        unsafe {
            match self.update {
                Some((z, beta)) if stage == 0 => self.update(z, beta, k),
                _ => self.multiply(k),
            }
        }
    }
}

impl<T: Scalar, R: Rows<T>> Product<'_, T, R> {
    #[inline(always)]
    unsafe fn update(&self, z: &[T], beta: T, k: usize) {
        let extent = self.rows.extent();
        let nx = extent.n[0];
        for j in 0..extent.n[1] {
            let start = extent.start(j, k);
            // SAFETY: the row belongs to this unit.
            let (row, p) = (self.rows.row(j, k), unsafe { self.x.get_mut(start, nx) });
            let z = &z[start..start + nx];
            if beta == T::of(0.0) {
                for i in 0..nx {
                    // SAFETY: i < nx.
                    p[i] = unsafe { row.mask(i, z[i]) };
                }
            } else {
                for i in 0..nx {
                    // SAFETY: i < nx.
                    p[i] = unsafe { row.mask(i, z[i] + beta * p[i]) };
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn multiply(&self, k: usize) {
        let extent = self.rows.extent();
        let nx = extent.n[0];
        let mut sum = 0.0;
        for j in 0..extent.n[1] {
            // SAFETY: x is only read in this pass; the row of y belongs to this unit.
            let (near, y) = unsafe {
                (Near::new(extent, self.rows.zeros(), self.x, j, k), self.y.get_mut(extent.start(j, k), nx))
            };
            let row = self.rows.row(j, k);
            // SAFETY: rows of one box have the same length.
            unsafe { near.off(row, 0, y) };
            let x = near.centre();
            for i in 0..nx {
                // SAFETY: i < nx.
                y[i] = unsafe { row.centre(i, x[i]) } - y[i];
            }
            if self.partial.is_some() {
                sum += reduce::dot(x, y);
            }
        }
        if let Some(partial) = self.partial {
            // SAFETY: one entry for each unit.
            unsafe { partial.get_mut(k, 1)[0] = sum };
        }
    }
}

/// y ← Ax.
pub(crate) fn apply<T: Scalar, R: Rows<T>>(rows: &R, x: &[T], y: &mut [T]) {
    run(rows, Shared::read_only(x), y, None, None);
}

/// y ← Ax; returns x·y. `scratch` holds one number for each unit.
pub(crate) fn apply_dot<T: Scalar, R: Rows<T>>(rows: &R, x: &[T], y: &mut [T], scratch: &mut [f64]) -> f64 {
    run(rows, Shared::read_only(x), y, None, Some(Shared::new(scratch)));
    scratch.iter().sum()
}

/// p ← z + βp, q ← Ap; returns p·q. `scratch` holds one number for each unit.
pub(crate) fn update_apply_dot<T: Scalar, R: Rows<T>>(
    rows: &R,
    z: &[T],
    beta: T,
    p: &mut [T],
    q: &mut [T],
    scratch: &mut [f64],
) -> f64 {
    run(rows, Shared::new(p), q, Some((z, beta)), Some(Shared::new(scratch)));
    scratch.iter().sum()
}

fn run<T: Scalar, R: Rows<T>>(
    rows: &R,
    x: Shared<T>,
    y: &mut [T],
    update: Option<(&[T], T)>,
    partial: Option<Shared<f64>>,
) {
    let extent = rows.extent();
    let wave = Product { rows, x, y: Shared::new(y), update, partial };
    sweep(&wave, extent.n[2], extent.cells(), extent.periodic[2]);
}
