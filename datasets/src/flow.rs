//! The divergence of an incompressible velocity among solids: the right-hand side of a pressure projection.

use crate::Result;
use crate::error::allocate;
use crate::random::Stream;
use rayon::prelude::*;
use resolvent::{Boundaries, Boundary, Cell, Grid};
use std::f64::consts::TAU;

/// Waves of a curl noise.
const MODES: usize = 16;
/// Its largest wave number along a dimension, in waves a side.
const LARGEST: i64 = 4;

/// The velocity of a solid at a point of it.
pub(crate) type Motion = dyn Fn([f64; 3]) -> [f64; 3] + Send + Sync;

/// A divergence-free velocity: Σ aₘ cos(kₘ·x + φₘ) over 16 seeded waves with aₘ = kₘ × (normals)/|kₘ| in 3-D and
/// aₘ = (k_y, −k_x) (normal)/|kₘ| in 2-D, over √16.
///
/// # Reference
/// R. Bridson, J. Hourihan, M. Nordenstam, "Curl-noise for procedural fluid flow", ACM Trans. Graph. 26 (2007),
/// doi:10.1145/1276377.1276435.
#[derive(Clone, Debug)]
pub(crate) struct CurlNoise {
    waves: [Wave; MODES],
}

#[derive(Clone, Copy, Debug)]
struct Wave {
    k: [f64; 3],
    phase: f64,
    a: [f64; 3],
}

impl CurlNoise {
    pub fn new(seed: u64, dim: usize) -> Self {
        let numbers = Stream::new(seed, "curl noise: wave numbers");
        let phases = Stream::new(seed, "curl noise: phases");
        let strengths = Stream::new(seed, "curl noise: strengths");
        let mut drawn = 0u64;
        let mut number = || {
            drawn += 1;
            (numbers.integer(drawn) % (2 * LARGEST as u64 + 1)) as i64 - LARGEST
        };
        let waves = std::array::from_fn(|m| {
            let mut k = [0i64; 3];
            while k == [0; 3] {
                k = std::array::from_fn(|d| if d < dim { number() } else { 0 });
            }
            let k = k.map(|k| TAU * k as f64);
            let m = m as u64;
            let s: [f64; 3] = std::array::from_fn(|d| strengths.normal(3 * m + d as u64));
            let norm = (k[0] * k[0] + k[1] * k[1] + k[2] * k[2]).sqrt() * (MODES as f64).sqrt();
            let curl = if dim == 2 {
                [k[1] * s[0], -k[0] * s[0], 0.0]
            } else {
                [k[1] * s[2] - k[2] * s[1], k[2] * s[0] - k[0] * s[2], k[0] * s[1] - k[1] * s[0]]
            };
            Wave { k, phase: TAU * phases.uniform(m), a: curl.map(|a| a / norm) }
        });
        Self { waves }
    }
}

/// e^{ikx} of every wave at the faces (i/n) and the centres ((i + ½)/n) along every dimension.
struct Tables<'a> {
    noise: &'a CurlNoise,
    n: usize,
    /// For each wave and dimension, 2n + 1 half steps: even ones are faces, odd ones centres.
    powers: Vec<[f64; 2]>,
}

impl<'a> Tables<'a> {
    fn new(noise: &'a CurlNoise, n: usize) -> Self {
        let powers = noise
            .waves
            .iter()
            .flat_map(|w| w.k)
            .flat_map(|k| {
                (0..=2 * n).map(move |i| {
                    let at = k * i as f64 / (2 * n) as f64;
                    [libm::cos(at), libm::sin(at)]
                })
            })
            .collect();
        Self { noise, n, powers }
    }

    fn power(&self, wave: usize, d: usize, half: usize) -> [f64; 2] {
        self.powers[(wave * 3 + d) * (2 * self.n + 1) + half]
    }

    /// Component `d` along a row of points: at half steps `first`, `first + 2`, … along x and `y`, `z` across.
    fn row(&self, d: usize, first: usize, y: usize, z: usize, out: &mut [f64]) {
        out.fill(0.0);
        for (m, wave) in self.noise.waves.iter().enumerate() {
            let start = [wave.a[d] * libm::cos(wave.phase), wave.a[d] * libm::sin(wave.phase)];
            let [re, im] = times(times(start, self.power(m, 1, y)), self.power(m, 2, z));
            for (i, v) in out.iter_mut().enumerate() {
                let [c, s] = self.power(m, 0, first + 2 * i);
                *v += re * c - im * s;
            }
        }
    }
}

fn times(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]]
}

/// b = −h Σ (outward velocity) over the faces of each fluid cell, h = 1/n: −h² times the divergence.
///
/// A face of a solid has the solid's velocity, one on a wall none, every other the noise's.
pub(crate) fn divergence(
    grid: Grid,
    cells: &[Cell],
    sides: &Boundaries,
    noise: &CurlNoise,
    motion: Option<&Motion>,
) -> Result<Vec<f64>> {
    let [nx, ny, nz] = grid.n();
    let (dim, h) = (grid.dim(), 1.0 / nx as f64);
    let tables = Tables::new(noise, nx);
    let mut b = allocate("a right-hand side", grid.cells(), 0.0)?;
    b.par_chunks_mut(nx).enumerate().for_each_init(
        || vec![vec![0.0; nx + 1]; 5],
        |faces, (r, b)| {
            let (j, k) = (r % ny, r / ny);
            let (y, z) = (2 * j + 1, if dim == 3 { 2 * k + 1 } else { 0 });
            tables.row(0, 0, y, z, &mut faces[0]);
            tables.row(1, 1, y - 1, z, &mut faces[1][..nx]);
            tables.row(1, 1, y + 1, z, &mut faces[2][..nx]);
            if dim == 3 {
                tables.row(2, 1, y, z - 1, &mut faces[3][..nx]);
                tables.row(2, 1, y, z + 1, &mut faces[4][..nx]);
            }
            for i in (0..nx).filter(|i| cells[r * nx + i] == Cell::Fluid) {
                let at = [i, j, k];
                let free =
                    [[faces[0][i], faces[0][i + 1]], [faces[1][i], faces[2][i]], [faces[3][i], faces[4][i]]];
                let mut sum = 0.0;
                for d in 0..dim {
                    for end in 0..2 {
                        let inside = if end == 0 { at[d] > 0 } else { at[d] + 1 < [nx, ny, nz][d] };
                        let velocity = if inside {
                            let mut there = at;
                            there[d] = at[d] + 2 * end - 1;
                            match (cells[grid.index(there)], motion) {
                                (Cell::Solid, Some(motion)) => {
                                    let mut x: [f64; 3] = std::array::from_fn(|d| (at[d] as f64 + 0.5) * h);
                                    x[d] = (at[d] + end) as f64 * h;
                                    motion(x)[d]
                                }
                                (Cell::Solid, None) => 0.0,
                                _ => free[d][end],
                            }
                        } else if sides[d][end] == Boundary::Neumann {
                            0.0
                        } else {
                            free[d][end]
                        };
                        sum += if end == 0 { -velocity } else { velocity };
                    }
                }
                b[i] = -h * sum;
            }
        },
    );
    Ok(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The velocity at a point, wave by wave.
    fn velocity(noise: &CurlNoise, x: [f64; 3]) -> [f64; 3] {
        std::array::from_fn(|d| {
            noise
                .waves
                .iter()
                .map(|w| w.a[d] * (w.k[0] * x[0] + w.k[1] * x[1] + w.k[2] * x[2] + w.phase).cos())
                .sum()
        })
    }

    #[test]
    fn rows_of_velocity_are_the_sum_of_waves() {
        for dim in [2, 3] {
            let noise = CurlNoise::new(3, dim);
            let n = 7;
            let tables = Tables::new(&noise, n);
            let mut row = vec![0.0; n];
            for d in 0..dim {
                let z = if dim == 3 { 9 } else { 0 };
                tables.row(d, 1, 5, z, &mut row);
                for (i, v) in row.iter().enumerate() {
                    let x = [(2 * i + 1) as f64, 5.0, z as f64].map(|half| half / (2 * n) as f64);
                    assert!((v - velocity(&noise, x)[d]).abs() < 1e-12, "{dim}-D, component {d}, point {i}");
                }
            }
        }
    }

    #[test]
    fn the_divergence_vanishes_with_h_where_all_is_fluid() {
        // −h² div u with div u = 0 leaves the truncation error of central differences, O(h⁴).
        let worst = |n: usize| {
            let grid = Grid::new_2d(n, n).unwrap();
            let sides = [[Boundary::DIRICHLET; 2]; 3];
            let b = divergence(grid, &vec![Cell::Fluid; n * n], &sides, &CurlNoise::new(4, 2), None).unwrap();
            b.iter().fold(0.0f64, |m, v| m.max(v.abs()))
        };
        let order = (worst(64) / worst(128)).log2();
        assert!(order > 3.8, "order {order}");
    }

    #[test]
    fn a_moving_solid_pushes_the_fluid_beside_it() {
        let grid = Grid::new_2d(3, 3).unwrap();
        let mut cells = vec![Cell::Fluid; 9];
        cells[4] = Cell::Solid;
        let noise = CurlNoise { waves: [Wave { k: [0.0; 3], phase: 0.0, a: [0.0; 3] }; MODES] };
        let right = |_: [f64; 3]| [1.0, 0.0, 0.0];
        let b = divergence(grid, &cells, &[[Boundary::Neumann; 2]; 3], &noise, Some(&right)).unwrap();
        let h = 1.0 / 3.0;
        // On the left the solid draws away (outflow), on the right it pushes in (inflow).
        assert_eq!(b, [0.0, 0.0, 0.0, -h, 0.0, h, 0.0, 0.0, 0.0]);
    }
}
