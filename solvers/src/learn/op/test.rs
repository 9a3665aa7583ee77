//! Every operation's gradient against central differences.

use super::convolution::Convolution;
use super::dense::Dense;
use crate::krylov::test::noise;
use crate::learn::{Activation, Index, Resampling, Tape, Var};
use crate::{Error, Grid, Result, Scalar};
use proptest::prelude::*;

type Record<'a, T> = dyn Fn(&mut Tape<T>, &[Var]) -> Result<Var> + 'a;

/// Σ weights · value for operands of these shapes, and the gradients.
fn run<T: Scalar>(shapes: &[[usize; 2]], data: &[Vec<f64>], record: &Record<T>) -> (f64, Vec<Vec<f64>>) {
    let mut tape = Tape::<T>::new();
    let mut result = (0.0, vec![]);
    // The second round uses the memory of the first, full of its values.
    for _ in 0..2 {
        tape.start();
        let vars: Vec<Var> = shapes
            .iter()
            .zip(data)
            .map(|(s, d)| {
                let d: Vec<T> = d.iter().map(|v| T::of(*v)).collect();
                tape.variable(&d, s[0], s[1]).unwrap()
            })
            .collect();
        let y = record(&mut tape, &vars).unwrap();
        let value = tape.value(y).unwrap().to_vec();
        let weights: Vec<T> = noise(value.len(), 99).iter().map(|v| T::of(*v)).collect();
        let sum = value.iter().zip(&weights).map(|(v, w)| v.f64() * w.f64()).sum();
        tape.backward_from(y, &weights).unwrap();
        let of = |v: &Var| tape.gradient(*v).unwrap().iter().map(|g| g.f64()).collect();
        result = (sum, vars.iter().map(of).collect());
    }
    result
}

fn check(name: &str, shapes: &[[usize; 2]], seed: u64, double: &Record<f64>, single: &Record<f32>) {
    let mut data: Vec<Vec<f64>> =
        shapes.iter().enumerate().map(|(i, s)| noise(s[0] * s[1], seed ^ i as u64)).collect();
    let (_, gradients) = run(shapes, &data, double);
    for (i, g) in run(shapes, &data, single).1.iter().enumerate() {
        for (a, b) in g.iter().zip(&gradients[i]) {
            assert!((a - b).abs() < 2e-4 * (1.0 + b.abs()), "{name} {shapes:?} in f32: {a} {b}");
        }
    }
    let h = 1e-6;
    for i in 0..shapes.len() {
        for k in 0..data[i].len() {
            let x = data[i][k];
            data[i][k] = x + h;
            let above = run(shapes, &data, double).0;
            data[i][k] = x - h;
            let below = run(shapes, &data, double).0;
            data[i][k] = x;
            let difference = (above - below) / (2.0 * h);
            let error = (gradients[i][k] - difference).abs();
            assert!(
                error < 1e-7 * (1.0 + difference.abs()),
                "{name} {shapes:?}, operand {i}, entry {k}: {} but {difference}",
                gradients[i][k]
            );
        }
    }
}

/// The same recording for both precisions.
macro_rules! check {
    ($name:expr, $shapes:expr, $seed:expr, |$tape:ident, $v:ident| $body:expr) => {
        check(
            $name,
            $shapes,
            $seed,
            &|$tape: &mut Tape<f64>, $v: &[Var]| $body,
            &|$tape: &mut Tape<f32>, $v: &[Var]| $body,
        )
    };
}

fn index(items: usize, rows: usize, seed: u64) -> Index {
    let targets = noise(items, seed).iter().map(|v| ((v + 1.0) * 0.5 * rows as f64) as u32).collect();
    Index::new(targets, rows).unwrap()
}

const ACTIVATIONS: [Activation; 9] = [
    Activation::Identity,
    Activation::Tanh,
    Activation::Sin,
    Activation::Swish,
    Activation::Gelu,
    Activation::Softplus,
    Activation::Relu,
    Activation::LeakyRelu(0.2),
    Activation::Sigmoid,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn gradients_are_those_of_differences(n in 0usize..6, m in 1usize..5, k in 0usize..4, seed in any::<u64>()) {
        for f in ACTIVATIONS {
            check!("dense", &[[n, k], [k, m], [1, m]], seed, |t, v| t.dense(v[0], v[1], v[2], f));
            check!("activation", &[[n, m]], seed, |t, v| t.activate(v[0], f));
        }
        check!("product", &[[n, k], [k, m]], seed, |t, v| t.product(v[0], v[1]));
        for other in [[n, m], [1, m], [n, 1], [1, 1]] {
            check!("add", &[[n, m], other], seed, |t, v| t.add(v[0], v[1]));
            check!("subtract", &[[n, m], other], seed, |t, v| t.subtract(v[0], v[1]));
            check!("multiply", &[[n, m], other], seed, |t, v| t.multiply(v[0], v[1]));
        }
        check!("square", &[[n, m]], seed, |t, v| t.multiply(v[0], v[0]));
        check!("scale", &[[n, m]], seed, |t, v| t.scale(-1.5, v[0], 0.5));
        check!("concatenate", &[[n, m], [n, k], [n, 1]], seed, |t, v| t.concatenate(&[v[0], v[1], v[2], v[0]]));
        check!("columns", &[[n, m]], seed, |t, v| t.columns(v[0], m / 2, m - m / 2));
        let graph = index(n, m, seed);
        check!("gather", &[[m, k]], seed, |t, v| t.gather(v[0], &graph));
        check!("segment sum", &[[n, k]], seed, |t, v| t.segment_sum(v[0], &graph));
        check!("segment mean", &[[n, k]], seed, |t, v| t.segment_mean(v[0], &graph));
        check!("segment max", &[[n, k]], seed, |t, v| t.segment_max(v[0], &graph));
        check!("segment softmax", &[[n, k]], seed, |t, v| t.segment_softmax(v[0], &graph));
        check!("attention", &[[n, k], [n, 1]], seed, |t, v| t.attention(v[0], v[1], &graph));
        check!("occupied rows", &[[m, k]], seed, |t, v| {
            let some = t.occupied(&graph)?;
            t.multiply(v[0], some)
        });
        let other = index(n, 5, seed ^ 7);
        for f in [Activation::LeakyRelu(0.1), Activation::Swish] {
            check!("layer on edges", &[[n, k], [k, m], [graph.rows(), m], [5, m]], seed, |t, v| t
                .incident([v[0], v[1], v[2], v[3]], [&graph, &other], f));
        }
        check!("open segment softmax", &[[n, k]], seed, |t, v| t.open_segment_softmax(v[0], &graph));
        check!("sum", &[[n, m]], seed, |t, v| t.sum(v[0]));
        check!("mean", &[[n, m]], seed, |t, v| t.mean(v[0]));
        check!("mean square", &[[n, m]], seed, |t, v| t.mean_square(v[0]));
        check!("error", &[[n, m], [n, m]], seed, |t, v| t.mean_square_error(v[0], v[1]));
        check!("cross-entropy", &[[n, m]], seed, |t, v| t.cross_entropy(v[0], &graph));
        // Two operations on one value, and both operands the same.
        check!("branches", &[[n, m]], seed, |t, v| {
            let a = t.activate(v[0], Activation::Tanh)?;
            let b = t.multiply(a, v[0])?;
            t.subtract(b, a)
        });
    }
}

/// Grids whose kernels reach beyond every side, of odd and even lengths.
fn grids() -> [Grid; 4] {
    [
        Grid::new_2d(4, 3).unwrap(),
        Grid::new_2d(1, 5).unwrap(),
        Grid::new_3d(3, 2, 4).unwrap(),
        Grid::new_3d(2, 1, 1).unwrap(),
    ]
}

#[test]
fn gradients_of_convolutions_are_those_of_differences() {
    for (seed, grid) in grids().into_iter().enumerate() {
        let seed = seed as u64;
        let (cells, taps) = (grid.cells(), 3usize.pow(grid.dim() as u32));
        for [inputs, outputs] in [[1, 2], [2, 3], [3, 17]] {
            if outputs > 3 && grid.dim() == 3 {
                continue;
            }
            let shapes = [[2 * cells, inputs], [taps * inputs, outputs], [1, outputs]];
            for f in [Activation::Identity, Activation::Relu, Activation::Tanh] {
                check!("convolution", &shapes, seed, |t, v| t.convolution(grid, v[0], v[1], v[2], f));
            }
            // Two kernels on one field, and a kernel that is used twice.
            let shapes = [[cells, inputs], [taps * inputs, inputs], [1, inputs]];
            check!("convolutions", &shapes, seed, |t, v| {
                let x = t.convolution(grid, v[0], v[1], v[2], Activation::Relu)?;
                let y = t.convolution(grid, x, v[1], v[2], Activation::Identity)?;
                t.add(x, y)
            });
        }
        check!("local product", &[[2 * cells, 1], [cells, taps]], seed, |t, v| t
            .local_product(grid, v[0], v[1]));
        for way in [Resampling::Average, Resampling::Nearest, Resampling::Linear] {
            let rows = if way.is_coarsening() { cells } else { grid.halved().cells() };
            check!("resampling", &[[2 * rows, 3]], seed, |t, v| t.resample(way, grid, v[0]));
        }
    }
}

#[test]
fn bits_of_convolutions_do_not_depend_on_the_number_of_threads() {
    let grid = Grid::new_3d(19, 10, 12).unwrap();
    let run = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let mut t = Tape::<f32>::new();
            t.start();
            let data = |n: usize, seed| noise(n, seed).iter().map(|v| *v as f32).collect::<Vec<_>>();
            let rows = 2 * grid.cells();
            let x = t.variable(&data(16 * rows, 1), rows, 16).unwrap();
            let w = t.variable(&data(27 * 256, 2), 27 * 16, 16).unwrap();
            let b = t.variable(&data(16, 3), 1, 16).unwrap();
            let y = t.convolution(grid, x, w, b, Activation::Relu).unwrap();
            let half = t.resample(Resampling::Average, grid, y).unwrap();
            let z = t.resample(Resampling::Linear, grid, half).unwrap();
            let y = t.add(y, z).unwrap();
            let loss = t.mean_square(y).unwrap();
            t.backward(loss).unwrap();
            let mut bits = vec![t.value(loss).unwrap()[0].to_bits()];
            for v in [x, w, b] {
                bits.extend(t.gradient(v).unwrap().iter().map(|v| v.to_bits()));
            }
            bits
        })
    };
    let bits = run(1);
    assert!(bits == run(2) && bits == run(5));
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let (n, k, m) = (3001, 33, 65);
    let graph = index(n, 700, 5);
    let run = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let mut t = Tape::<f32>::new();
            t.start();
            let data = |n: usize, seed| noise(n, seed).iter().map(|v| *v as f32).collect::<Vec<_>>();
            let x = t.variable(&data(n * k, 1), n, k).unwrap();
            let w = t.variable(&data(k * m, 2), k, m).unwrap();
            let b = t.variable(&data(m, 3), 1, m).unwrap();
            let y = t.dense(x, w, b, Activation::Swish).unwrap();
            let a = t.segment_softmax(y, &graph).unwrap();
            let y = t.multiply(y, a).unwrap();
            let share = t.columns(y, 0, 1).unwrap();
            let y = t.attention(y, share, &graph).unwrap();
            let y = t.gather(y, &graph).unwrap();
            let y = t.segment_sum(y, &graph).unwrap();
            let y = t.multiply(y, b).unwrap();
            let loss = t.mean_square(y).unwrap();
            t.backward(loss).unwrap();
            let mut bits = vec![t.value(loss).unwrap()[0].to_bits()];
            for v in [x, w, b] {
                bits.extend(t.gradient(v).unwrap().iter().map(|v| v.to_bits()));
            }
            bits
        })
    };
    let bits = run(1);
    assert!(bits == run(2) && bits == run(4));
}

#[test]
fn errors_name_the_operation_and_the_shapes() {
    let mut t = Tape::<f64>::new();
    t.start();
    let x = t.input(&[0.0; 6], 2, 3).unwrap();
    let y = t.input(&[0.0; 8], 4, 2).unwrap();
    let graph = index(5, 3, 1);
    let text = t.product(x, y).unwrap_err().to_string();
    assert!(text.starts_with("dense of shapes [2×3, 4×2]: the columns of the first"), "{text}");
    let (f, grid) = (Activation::Tanh, Grid::new_2d(3, 3).unwrap());
    let bad = [
        t.dense(x, x, y, f),
        t.record(Dense { activation: f }, &[x]),
        t.add(x, y),
        t.multiply(x, y),
        t.concatenate(&[x, y]),
        t.concatenate(&[]),
        t.columns(x, 2, 2),
        t.columns(x, usize::MAX, 2),
        t.gather(x, &graph),
        t.segment_sum(x, &graph),
        t.segment_max(x, &graph),
        t.segment_softmax(x, &graph),
        t.attention(x, x, &graph),
        t.incident([x, y, x, x], [&graph, &graph], f),
        t.mean_square_error(x, y),
        t.cross_entropy(x, &graph),
        t.convolution(grid, x, y, x, f),
        t.record(Convolution { grid, rectified: true }, &[x]),
        t.local_product(grid, x, y),
        t.resample(Resampling::Average, grid, x),
    ];
    for (i, result) in bad.into_iter().enumerate() {
        assert!(matches!(result, Err(Error::Operands { .. })), "{i}");
    }
    assert!(matches!(t.input(&[0.0; 5], 2, 3), Err(Error::Length { .. })));
    assert!(matches!(t.backward(x), Err(Error::Operands { .. })));
    assert!(matches!(t.gradient(x), Err(Error::Operands { .. })));
    assert!(matches!(t.number(x), Err(Error::Operands { .. })));
    t.start();
    assert!(matches!(t.mean(x), Err(Error::Operands { .. })), "a value of an earlier step");
}
