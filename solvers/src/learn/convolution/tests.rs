use super::*;
use crate::krylov::test::noise;
use crate::learn::convolution::resample;

/// Every tap of every cell, in f64.
fn plain(g: Geometry, x: &[f64], w: &[f64]) -> Vec<f64> {
    let [nx, ny, nz] = g.n.map(|n| n as i64);
    let samples = x.len() / (g.cells() * g.inputs);
    let mut y = vec![0.0; samples * g.cells() * g.outputs];
    let index = |i: i64, j: i64, k: i64| ((k * ny + j) * nx + i) as usize;
    for s in 0..samples {
        for (k, j, i) in (0..nz).flat_map(|k| (0..ny).flat_map(move |j| (0..nx).map(move |i| (k, j, i)))) {
            for tap in 0..g.taps() {
                let (a, b) = (i + (tap % 3) as i64 - 1, j + (tap / 3 % 3) as i64 - 1);
                let c = if g.depth == 3 { k + (tap / 9) as i64 - 1 } else { k };
                if [(a, nx), (b, ny), (c, nz)].iter().any(|(a, n)| !(0..*n).contains(a)) {
                    continue;
                }
                for q in 0..g.inputs {
                    for o in 0..g.outputs {
                        let (from, to) = (s * g.cells() + index(a, b, c), s * g.cells() + index(i, j, k));
                        y[to * g.outputs + o] +=
                            x[from * g.inputs + q] * w[(tap * g.inputs + q) * g.outputs + o];
                    }
                }
            }
        }
    }
    y
}

fn grids() -> Vec<Grid> {
    let flat = [[1, 1], [7, 5], [33, 3], [1, 6], [50, 2]].map(|[x, y]| Grid::new_2d(x, y).unwrap());
    let deep = [[1, 1, 1], [2, 3, 4], [13, 3, 2], [27, 2, 3], [3, 40, 1], [3, 1, 5]];
    flat.into_iter().chain(deep.map(|[x, y, z]| Grid::new_3d(x, y, z).unwrap())).collect()
}

const CHANNELS: [[usize; 2]; 6] = [[1, 16], [16, 16], [3, 5], [16, 1], [20, 17], [1, 1]];

fn of<T: Scalar>(v: &[f64]) -> Vec<T> {
    v.iter().map(|v| T::of(*v)).collect()
}

fn value<T: Scalar>(g: Geometry, x: &[f64], w: &[f64], tolerance: f64) {
    let expected = plain(g, x, w);
    let (mut packed, mut y) = (vec![T::of(f64::NAN); g.packed::<T>()], vec![T::of(f64::NAN); expected.len()]);
    pack(g, &of::<T>(w), &mut packed);
    let x = of::<T>(x);
    let b: Vec<T> = (0..g.padded::<T>()).map(|o| T::of(o as f64 * 0.1)).collect();
    let finish = |positive, add| Finish { positive, add };
    let close = |y: &[T], f: &dyn Fn(f64) -> f64| {
        for (i, (y, e)) in y.iter().zip(&expected).enumerate() {
            let e = f(*e + (i % g.outputs) as f64 * 0.1);
            assert!((y.f64() - e).abs() < tolerance * (1.0 + e.abs()), "{g:?}, {i}: {y} {e}");
        }
    };
    convolve(g, &x, &packed, Some(&b), finish(false, false), &mut y);
    close(&y, &|e| e);
    convolve(g, &x, &packed, Some(&b), finish(true, true), &mut y);
    close(&y, &|e| e + e.max(0.0));
}

#[test]
fn values_match_plain_loops_at_ragged_sizes() {
    for grid in grids() {
        for [inputs, outputs] in CHANNELS {
            let g = Geometry::new(grid, inputs, outputs);
            let (x, w) = (noise(2 * g.cells() * inputs, 1), noise(g.taps() * inputs * outputs, 2));
            value::<f64>(g, &x, &w, 1e-13);
            value::<f32>(g, &x, &w, 2e-5);
        }
    }
}

#[test]
fn resampling_keeps_constants_and_its_transpose_is_one() {
    for grid in grids() {
        for way in [Resampling::Average, Resampling::Nearest, Resampling::Linear] {
            let (fine, coarse) = (2 * 3 * grid.cells(), 2 * 3 * grid.halved().cells());
            let (n, m) = if way.is_coarsening() { (fine, coarse) } else { (coarse, fine) };
            let mut y = vec![f64::NAN; m];
            resample(way, false, grid, 3, &vec![1.0; n], false, &mut y);
            assert!(y.iter().all(|y| (y - 1.0).abs() < 1e-15), "{way:?} {grid:?}");
            let (x, u) = (noise(n, 1), noise(m, 2));
            resample(way, false, grid, 3, &x, false, &mut y);
            let mut back = vec![1.0; n];
            resample(way, true, grid, 3, &u, true, &mut back);
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let difference = dot(&y, &u) - (dot(&back, &x) - x.iter().sum::<f64>());
            assert!(difference.abs() < 1e-12, "{way:?} {grid:?}: {difference:e}");
        }
    }
}

#[test]
fn linear_interpolation_gives_lines() {
    let grid = Grid::new_3d(8, 9, 6).unwrap();
    let half = grid.halved();
    let line = |c: [usize; 3], scale: f64| {
        let [x, y, z] = c.map(|c| (c as f64 + 0.5) * scale);
        1.0 + x - 2.0 * y + 0.5 * z
    };
    let coarse: Vec<f64> = (0..half.cells()).map(|i| line(half.cell(i), 2.0)).collect();
    let mut fine = vec![0.0; grid.cells()];
    resample(Resampling::Linear, false, grid, 1, &coarse, false, &mut fine);
    for (i, v) in fine.iter().enumerate() {
        let c = grid.cell(i);
        // Beyond the last centres it is constant.
        if (0..3).all(|d| c[d] > 0 && c[d] + 1 < 2 * half.n()[d]) {
            assert!((v - line(c, 1.0)).abs() < 1e-13, "{c:?}");
        }
    }
}
