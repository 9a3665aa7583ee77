use super::super::tests::batch;
use super::*;
use crate::Stop;
use crate::learn::Random;
use proptest::prelude::*;

const ACTIVATIONS: [Activation; 5] = [
    Activation::Identity,
    Activation::Tanh,
    Activation::Relu,
    Activation::LeakyRelu(0.1),
    Activation::Softplus,
];

fn options(gamma: f64, activation: Activation, rtol: f64) -> EquilibriumOptions {
    EquilibriumOptions { gamma, activation, stop: Stop { max_steps: 200_000, ..Stop::rtol(rtol) } }
}

fn normals(n: usize, scale: f64, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed, "normals");
    (0..n).map(|_| scale * random.normal()).collect()
}

/// W x + b of one head, from the definition: A and the skew part.
fn inside(
    graphs: &Graphs,
    numbers: &[f64],
    [heads, head]: [usize; 2],
    m: f64,
    x: &[f64],
    b: &[f64],
) -> Vec<f64> {
    let of = |v: &[f64], i: usize| v[i * heads + head];
    let mut z: Vec<f64> = (0..graphs.nodes()).map(|i| (1.0 - m) * of(x, i) + of(b, i)).collect();
    for (e, [i, j]) in graphs.ends().iter().enumerate() {
        let [alpha, beta, s] = [0, 1, 2].map(|part| numbers[e * 3 * heads + part * heads + head]);
        let (i, j) = (*i as usize, *j as usize);
        let ax = alpha * of(x, i) - beta * of(x, j);
        z[i] -= alpha * ax;
        z[j] += beta * ax;
        z[i] += s * of(x, j);
        z[j] -= s * of(x, i);
    }
    z
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// One x for any numbers, from anywhere; an error of at most what is left over m.
    #[test]
    fn there_is_one_x_whatever_the_numbers(
        n in 1usize..12, degree in 0usize..4, seed in 0u64..1000, gamma in 0.0f64..0.97,
        scale in prop::sample::select(vec![0.0, 0.1, 1.0, 3.0]),
        which in 0..ACTIVATIONS.len(),
    ) {
        let (graphs, heads, activation) = (batch(&[n], degree, seed), 2, ACTIVATIONS[which]);
        // A system that is solved once may have weights of any size.
        let scale = if activation == Activation::Identity { scale * 100.0 } else { scale };
        let numbers = normals(graphs.edges() * 3 * heads, scale, seed);
        let b = normals(n * heads, 1.0, seed ^ 1);
        let solve = |start: f64| {
            let mut x = normals(n * heads, start, seed ^ 2);
            let report = Monotone::new(options(gamma, activation, 1e-11)).unwrap().solve(&graphs, &numbers, &b, &mut x);
            (x, report.unwrap().status)
        };
        let ((x, one), (y, two)) = (solve(0.0), solve(10.0));
        prop_assert!(one == Status::Converged && two == Status::Converged, "{one:?} {two:?}");
        let size = x.iter().fold(1.0, |m: f64, v| m.max(v.abs()));
        let m = 1.0 - gamma;
        for head in 0..heads {
            let z = inside(&graphs, &numbers, [heads, head], m, &x, &b);
            let (mut left, mut apart) = (0.0, 0.0);
            for (i, z) in z.iter().enumerate() {
                let at = i * heads + head;
                left += (activation.value(*z) - x[at]).powi(2);
                apart += (x[at] - y[at]).powi(2);
            }
            let most = 1e-8 * (1.0 + scale * scale) * size;
            prop_assert!(left.sqrt() < most, "{left:e}, {activation:?}");
            prop_assert!(apart.sqrt() <= 2.0 * most / m, "{apart:e}, {activation:?}");
        }
    }
}

#[test]
fn gradients_are_those_of_differences() {
    for activation in ACTIVATIONS {
        // Repeated edges, a loop, a node alone.
        let graphs = Graphs::new(&[4, 1, 2], &[[0, 1], [1, 2], [2, 0], [0, 1], [2, 2], [5, 6]]).unwrap();
        let heads = 3;
        let data = [normals(graphs.edges() * 3 * heads, 0.7, 1), normals(graphs.nodes() * heads, 1.0, 2)];
        let cotangent = normals(graphs.nodes() * heads, 1.0, 3);
        let mut tape = Tape::<f64>::new();
        let mut run = |data: &[Vec<f64>; 2]| {
            tape.start();
            let w = tape.variable(&data[0], graphs.edges(), 3 * heads).unwrap();
            let b = tape.variable(&data[1], graphs.nodes(), heads).unwrap();
            let x = tape.monotone_equilibrium(&graphs, w, b, options(0.8, activation, 1e-13)).unwrap();
            let value: f64 = tape.value(x).unwrap().iter().zip(&cotangent).map(|(x, c)| x * c).sum();
            tape.backward_from(x, &cotangent).unwrap();
            (value, [w, b].map(|v| tape.gradient(v).unwrap().to_vec()))
        };
        let (_, gradients) = run(&data);
        let h = 1e-5;
        for part in 0..2 {
            for k in 0..data[part].len() {
                let mut at = |h: f64| {
                    let mut moved = data.clone();
                    moved[part][k] += h;
                    run(&moved).0
                };
                let difference = (at(h) - at(-h)) / (2.0 * h);
                let error = (difference - gradients[part][k]).abs();
                assert!(error < 1e-7 * (1.0 + difference.abs()), "{activation:?} {part} {k}: {error:e}");
            }
        }
    }
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads_and_a_start_at_rest_takes_no_step() {
    let (graphs, heads) = (batch(&[20_000, 300, 0, 1], 3, 7), 11);
    let single = |v: Vec<f64>| v.iter().map(|v| *v as f32).collect::<Vec<_>>();
    let numbers = single(normals(graphs.edges() * 3 * heads, 0.5, 1));
    let b = single(normals(graphs.nodes() * heads, 1.0, 2));
    let run = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let mut solver = Monotone::new(options(0.9, Activation::Identity, 1e-5)).unwrap();
            let mut x = vec![0.0; b.len()];
            assert_eq!(solver.solve(&graphs, &numbers, &b, &mut x).unwrap().status, Status::Converged);
            assert_eq!(solver.steps().len(), 4);
            let (mut s, mut gradient) = (vec![0.0; b.len()], vec![0.0; numbers.len()]);
            let _ = solver.adjoint(&graphs, &numbers, &b, &x, &b, &mut s, &mut gradient).unwrap();
            let again = solver.solve(&graphs, &numbers, &b, &mut x.clone()).unwrap();
            assert!(again.steps <= 1, "{again:?}");
            (x, s, gradient)
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(3));
}

#[test]
fn what_cannot_be_is_refused() {
    let new = |activation| Monotone::<f64>::new(options(0.5, activation, 1e-6));
    for steep in [Activation::Swish, Activation::Sin, Activation::Gelu, Activation::LeakyRelu(2.0)] {
        assert!(matches!(new(steep), Err(Error::Unsuited { .. })));
    }
    assert!(matches!(
        Monotone::<f64>::new(options(1.0, Activation::Identity, 1e-6)),
        Err(Error::Parameter { name: "gamma", .. })
    ));
    let loops = Graphs::new(&[1], &[[0, 0]]).unwrap();
    let mut solver = new(Activation::Tanh).unwrap();
    let wrong = solver.solve(&loops, &[f64::NAN, 1.0, 0.0], &[1.0], &mut [0.0]).unwrap();
    assert_eq!(wrong.status, Status::NonFinite);
    assert!(matches!(solver.solve(&loops, &[1.0], &[1.0], &mut [0.0]), Err(Error::Length { .. })));
    let empty = Graphs::new(&[], &[]).unwrap();
    assert_eq!(solver.solve(&empty, &[], &[], &mut []).unwrap().status, Status::Converged);
    let mut tape = Tape::<f64>::new();
    tape.start();
    let numbers = tape.variable(&[f64::NAN, 1.0, 0.0], 1, 3).unwrap();
    let b = tape.variable(&[1.0], 1, 1).unwrap();
    let refused = tape.monotone_equilibrium(&loops, numbers, b, EquilibriumOptions::default());
    assert!(matches!(refused, Err(Error::Diverged { .. })));
    let refused = tape.monotone_equilibrium(&loops, b, b, EquilibriumOptions::default());
    assert!(matches!(refused, Err(Error::Operands { .. })));
}
