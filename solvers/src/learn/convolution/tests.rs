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

/// Value and gradient of the kernel by registers of every width, one layer at a time.
fn by_registers<T: Scalar>(g: Geometry, tolerance: f64) {
    let (x, w) = (noise(g.cells() * g.inputs, 1), noise(g.taps() * g.inputs * g.outputs, 2));
    let expected = plain(g, &x, &w);
    let mut packed = vec![T::of(0.0); g.packed::<T>()];
    pack(g, &of::<T>(&w), &mut packed);
    let blocks = Geometry { outputs: g.padded::<T>(), ..g };
    let v = noise(g.cells() * blocks.outputs, 3);
    let (x, v) = (of::<T>(&x), of::<T>(&v));
    let close = |what: &str, got: f64, expected: f64| {
        assert!(
            (got - expected).abs() < tolerance * (1.0 + expected.abs()),
            "{what}, {g:?}: {got} {expected}"
        );
    };
    for bytes in [16, 32, 64] {
        let layer = g.n[0] * g.n[1] * g.outputs;
        let mut y = vec![T::of(f64::NAN); expected.len()];
        let mut out = vec![T::of(0.0); blocks.packed::<T>()];
        for (z, y) in y.chunks_mut(layer).enumerate() {
            let finish = Finish { positive: false, add: false };
            let tile = Tile { g, x: &x, w: &packed, b: None, finish, z, first: 0, y };
            let gram = Gram { g: blocks, x: &x, v: &v, z, rows: 0..g.n[1], out: &mut out };
            if T::fused_in(bytes, tile).is_none() || T::fused_in(bytes, gram).is_none() {
                return;
            }
        }
        y.iter().zip(&expected).for_each(|(y, e)| close("value", y.f64(), *e));
        // Σ v(c, o) x(c + t, i), found as the value of x with one weight that is 1.
        for place in [0, out.len() / 2, out.len() - 1] {
            let (block, rest) =
                (place / (g.taps() * g.inputs * T::BLOCK), place % (g.taps() * g.inputs * T::BLOCK));
            let (row, o) = (rest / T::BLOCK, block * T::BLOCK + rest % T::BLOCK);
            let mut one = vec![0.0; g.taps() * g.inputs];
            one[row] = 1.0;
            let wide: Vec<f64> = x.iter().map(|x| x.f64()).collect();
            let moved = plain(Geometry { outputs: 1, ..g }, &wide, &one);
            let sum: f64 = moved.iter().zip(v.chunks(blocks.outputs)).map(|(x, v)| x * v[o].f64()).sum();
            close("gradient", out[place].f64(), sum);
        }
    }
}

#[test]
fn registers_of_every_width_give_the_same() {
    for grid in grids() {
        for [inputs, outputs] in CHANNELS {
            let g = Geometry::new(grid, inputs, outputs);
            by_registers::<f64>(g, 1e-12);
            by_registers::<f32>(g, 5e-5);
        }
    }
}

/// K x, its transpose and its gradient, against the sums they are.
#[test]
fn local_products_match_plain_loops() {
    for grid in grids() {
        let g = Geometry::new(grid, 1, 1);
        let (cells, taps) = (g.cells(), g.taps());
        let (x, v, k) = (noise(2 * cells, 1), noise(2 * cells, 2), noise(cells * taps, 3));
        let mut planes = vec![0.0; k.len()];
        local::by_taps(&k, taps, &mut planes);
        let mut moved = vec![];
        for tap in 0..taps {
            let mut one = vec![0.0; taps];
            one[tap] = 1.0;
            moved.push(plain(g, &x, &one));
        }
        let mut y = vec![1.0; 2 * cells];
        local::apply(g, &planes, false, &x, true, &mut y);
        for (c, y) in y.iter().enumerate() {
            let expected: f64 = 1.0 + (0..taps).map(|t| k[c % cells * taps + t] * moved[t][c]).sum::<f64>();
            assert!((y - expected).abs() < 1e-13, "{grid:?} {c}: {y} {expected}");
        }
        let mut back = vec![f64::NAN; 2 * cells];
        local::apply(g, &planes, true, &v, false, &mut back);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let difference = dot(&v, &y) - v.iter().sum::<f64>() - dot(&back, &x);
        assert!(difference.abs() < 1e-12, "{grid:?}: {difference:e}");
        let mut gradient = vec![0.0; k.len()];
        local::add_gradient(g, &x, &v, &mut gradient);
        for (place, found) in gradient.iter().enumerate() {
            let (tap, c) = (place / cells, place % cells);
            let expected = v[c] * moved[tap][c] + v[cells + c] * moved[tap][cells + c];
            assert!((found - expected).abs() < 1e-13, "{grid:?} {place}");
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
