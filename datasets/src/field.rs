//! Smooth and random functions of position, the same at every resolution.

use crate::Result;
use crate::error::allocate;
use crate::random::Stream;
use rayon::prelude::*;
use std::f64::consts::{PI, TAU};

/// A Gaussian random field: cosines πk·x with amplitudes N(0, 1) exp(−|k|²/2w²), without its mean, of variance 1 over
/// the unit cube. It is a function of position, so every grid samples the same field.
#[derive(Clone, Debug)]
pub(crate) struct CosineField {
    /// Modes along each dimension; 1 along absent ones.
    modes: [usize; 3],
    /// The first dimension runs fastest.
    amplitudes: Vec<f64>,
}

impl CosineField {
    /// In 1, 2 or 3 dimensions, with wave numbers 0 to `modes − 1` along each, damped from `width` on.
    pub fn new(stream: Stream, dim: usize, modes: usize, width: f64) -> Self {
        Self::with_spectrum(stream, dim, modes, |square| libm::exp(-square / (2.0 * width * width)))
    }

    /// As [`new`](Self::new), with amplitudes N(0, 1) `damping`(|k|²).
    pub fn with_spectrum(stream: Stream, dim: usize, modes: usize, damping: impl Fn(f64) -> f64) -> Self {
        let m: [usize; 3] = std::array::from_fn(|d| if d < dim { modes } else { 1 });
        let mut variance = 0.0;
        let mut amplitudes: Vec<f64> = (0..m.iter().product())
            .map(|at| {
                let k = [at % m[0], at / m[0] % m[1], at / (m[0] * m[1])];
                let square: usize = k.iter().map(|k| k * k).sum();
                let a = if square == 0 { 0.0 } else { stream.normal(at as u64) * damping(square as f64) };
                // The mean of cos² is ½.
                variance += a * a * k.iter().map(|k| if *k == 0 { 1.0 } else { 0.5 }).product::<f64>();
                a
            })
            .collect();
        let scale = 1.0 / f64::sqrt(variance);
        amplitudes.iter_mut().for_each(|a| *a *= scale);
        Self { modes: m, amplitudes }
    }

    /// The field at a time, each cosine standing and swinging with the circular frequency 2π √(π|k|), as waves in deep water
    /// do. At time 0 it is the same.
    pub fn at_time(mut self, t: f64) -> Self {
        let m = self.modes;
        for (at, a) in self.amplitudes.iter_mut().enumerate() {
            let k = [at % m[0], at / m[0] % m[1], at / (m[0] * m[1])];
            let k = (k.iter().map(|k| k * k).sum::<usize>() as f64).sqrt();
            *a *= libm::cos(TAU * (PI * k).sqrt() * t);
        }
        self
    }

    /// At the centres of n cells along each dimension, the first fastest. The sums are separable: about n^d modes
    /// multiplications in all.
    pub fn on_cells(&self, n: usize) -> Result<Vec<f64>> {
        let m = self.modes;
        let cells = m.map(|m| if m > 1 { n } else { 1 });
        let table: Vec<f64> = (0..*m.iter().max().unwrap_or(&1))
            .flat_map(|k| (0..n).map(move |i| libm::cos(PI * k as f64 * (i as f64 + 0.5) / n as f64)))
            .collect();
        let wave = |k: usize, i: usize| if k == 0 { 1.0 } else { table[k * n + i] };
        let mut field = allocate("a random field", cells.iter().product(), 0.0)?;
        let mut plane = vec![0.0; m[0] * m[1]];
        for (z, values) in field.chunks_mut(cells[0] * cells[1]).enumerate() {
            plane.fill(0.0);
            for (k, a) in self.amplitudes.chunks(m[0] * m[1]).enumerate() {
                let w = wave(k, z);
                plane.iter_mut().zip(a).for_each(|(p, a)| *p += w * a);
            }
            values.par_chunks_mut(cells[0]).enumerate().for_each(|(y, row)| {
                for k in 0..m[0] {
                    let c: f64 = (0..m[1]).map(|l| plane[k + m[0] * l] * wave(l, y)).sum();
                    row.iter_mut().enumerate().for_each(|(x, v)| *v += c * wave(k, x));
                }
            });
        }
        Ok(field)
    }
}

/// A bump and two waves: s(x) = (exp(−30 |x − c|²) + 0.3 sin 2πx cos πy)(1 + z), c = (0.35, 0.55, 0.45); z = 0 in 2-D.
pub(crate) fn bump(x: [f64; 3], dim: usize) -> f64 {
    let centre = [0.35, 0.55, 0.45];
    let square: f64 = (0..dim).map(|d| (x[d] - centre[d]) * (x[d] - centre[d])).sum();
    let waves = libm::sin(2.0 * PI * x[0]) * libm::cos(PI * x[1]);
    let lift = if dim == 3 { x[2] } else { 0.0 };
    (libm::exp(-30.0 * square) + 0.3 * waves) * (1.0 + lift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_a_function_of_position() {
        for dim in 1..=3usize {
            let field = CosineField::new(Stream::new(5, "field"), dim, 6, 3.0);
            let (coarse, fine) = (field.on_cells(5).unwrap(), field.on_cells(15).unwrap());
            for (at, v) in coarse.iter().enumerate() {
                // Every third centre of the fine grid is a centre of the coarse one.
                let index = |d: usize| at / 5usize.pow(d as u32) % 5 * 3 + 1;
                let f: usize = (0..dim).map(|d| index(d) * 15usize.pow(d as u32)).sum();
                assert!((v - fine[f]).abs() < 1e-12, "{dim}-D, cell {at}");
            }
        }
    }

    #[test]
    fn a_field_has_mean_zero_and_variance_one() {
        // Sums of cosines below the Nyquist number are exact on midpoints.
        let field = CosineField::new(Stream::new(6, "field"), 2, 12, 4.0).on_cells(24).unwrap();
        let mean = field.iter().sum::<f64>() / field.len() as f64;
        let variance = field.iter().map(|v| v * v).sum::<f64>() / field.len() as f64;
        assert!(mean.abs() < 1e-12 && (variance - 1.0).abs() < 1e-12, "{mean} {variance}");
    }
}
