use super::*;
use crate::learn::{Activation, Random, Tape};
use crate::{Dense, Error, Host, Operator, Status, Stop};
use proptest::prelude::*;

/// Edges between random nodes of every graph; some repeat, some end where they start, the last node of each has none.
pub(super) fn batch(nodes: &[usize], degree: usize, seed: u64) -> Graphs {
    let mut random = Random::new(seed, "edges");
    let (mut edges, mut first) = (Vec::new(), 0);
    for &n in nodes {
        for i in 0..n.saturating_sub(1) {
            for _ in 0..degree {
                let j = (random.uniform() * n as f64) as u32;
                edges.push([first + i as u32, first + j.min(n as u32 - 1)]);
            }
        }
        first += n as u32;
    }
    // Not sorted by source.
    let middle = edges.len() / 2;
    edges.rotate_left(middle);
    Graphs::new(nodes, &edges).unwrap()
}

/// Weights that sum to at most 1 at every source, constants and a cotangent.
fn data(graphs: &Graphs, heads: usize, seed: u64) -> [Vec<f64>; 3] {
    let mut random = Random::new(seed, "data");
    let weights = graphs.ends().iter().flat_map(|e| {
        let degree = graphs.out_degree(e[0] as usize) as f64;
        (0..heads).map(|_| random.uniform() / degree).collect::<Vec<_>>()
    });
    let weights = weights.collect();
    let mut normal = || (0..graphs.nodes() * heads).map(|_| random.normal()).collect();
    [weights, normal(), normal()]
}

/// γA of one head.
fn matrix(graphs: &Graphs, weights: &[f64], heads: usize, head: usize, gamma: f64) -> Vec<f64> {
    let n = graphs.nodes();
    let mut a = vec![0.0; n * n];
    for (e, [i, j]) in graphs.ends().iter().enumerate() {
        a[*i as usize * n + *j as usize] += gamma * weights[e * heads + head];
    }
    a
}

/// (I − M)⁻¹ b by Neumann's series in extended steps: doubling.
fn dense_solve(m: &[f64], n: usize, b: &[f64], transposed: bool) -> Vec<f64> {
    let of = |i: usize, j: usize| if transposed { m[j * n + i] } else { m[i * n + j] };
    let a = Dense::from_fn(n, n, |i, j| f64::from(u8::from(i == j)) - of(i, j)).unwrap();
    let mut x = vec![0.0; n];
    let mut gmres = crate::Gmres::with_restart(&Host::new(), n, Stop::rtol(1e-14), n.max(1)).unwrap();
    let _ = gmres.solve(&Host::new(), &a, None, b, &mut x).unwrap();
    let mut y = vec![0.0; n];
    a.apply(&Host::new(), &x, &mut y).unwrap();
    let worst = y.iter().zip(b).map(|(y, b)| (y - b).abs()).fold(0.0, f64::max);
    assert!(worst < 1e-11, "the reference itself: {worst:e}");
    x
}

fn options(gamma: f64, activation: Activation) -> EquilibriumOptions {
    let stop = Stop { max_steps: 5000, ..Stop::rtol(1e-13) };
    EquilibriumOptions { gamma, activation, stop }
}

#[test]
fn linear_equilibria_and_gradients_are_those_of_dense_solves() {
    for (heads, gamma) in [(1, 0.5), (3, 0.9), (8, 0.99), (17, 0.0)] {
        let graphs = batch(&[9, 0, 1, 30, 2], 4, heads as u64);
        let [weights, b, cotangent] = data(&graphs, heads, 3);
        let mut solver = Equilibrium::new(options(gamma, Activation::Identity)).unwrap();
        let n = graphs.nodes();
        let mut x = vec![0.0; n * heads];
        assert_eq!(solver.solve(&graphs, &weights, &b, &mut x).unwrap().status, Status::Converged);
        assert_eq!(solver.steps().len(), 5);
        let (mut s, mut gradient) = (vec![0.0; n * heads], vec![0.0; weights.len()]);
        let report = solver.adjoint(&graphs, &weights, &b, &x, &cotangent, &mut s, &mut gradient).unwrap();
        assert_eq!(report.status, Status::Converged);
        for head in 0..heads {
            let m = matrix(&graphs, &weights, heads, head, gamma);
            let of = |v: &[f64]| v.iter().skip(head).step_by(heads).copied().collect::<Vec<_>>();
            let close = |got: &[f64], want: &[f64], what: &str| {
                let scale = want.iter().fold(1e-300, |m: f64, v| m.max(v.abs()));
                let worst = got.iter().zip(want).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(worst < 1e-8 * scale, "{what}, {heads} heads, γ {gamma}: {worst:e} of {scale:e}");
            };
            let exact = dense_solve(&m, n, &of(&b), false);
            close(&of(&x), &exact, "x");
            let adjoint = dense_solve(&m, n, &of(&cotangent), true);
            close(&of(&s), &adjoint, "the gradient by b");
            let by_weights: Vec<f64> = graphs
                .ends()
                .iter()
                .map(|[i, j]| gamma * adjoint[*i as usize] * exact[*j as usize])
                .collect();
            close(&of(&gradient), &by_weights, "the gradient by the weights");
        }
    }
}

#[test]
fn gradients_on_a_tape_are_those_of_differences() {
    for activation in [Activation::Identity, Activation::Tanh, Activation::LeakyRelu(0.1)] {
        let (graphs, heads) = (batch(&[5, 1, 4], 3, 1), 3);
        let [weights, b, cotangent] = data(&graphs, heads, 5);
        let mut tape = Tape::<f64>::new();
        let mut run = |weights: &[f64], b: &[f64]| {
            tape.start();
            let w = tape.variable(weights, graphs.edges(), heads).unwrap();
            let b = tape.variable(b, graphs.nodes(), heads).unwrap();
            let x = tape.equilibrium(&graphs, w, b, options(0.8, activation)).unwrap();
            let value: f64 = tape.value(x).unwrap().iter().zip(&cotangent).map(|(x, c)| x * c).sum();
            tape.backward_from(x, &cotangent).unwrap();
            (value, tape.gradient(w).unwrap().to_vec(), tape.gradient(b).unwrap().to_vec())
        };
        let (_, by_weights, by_b) = run(&weights, &b);
        let h = 1e-5;
        for k in 0..weights.len() {
            let mut moved = weights.clone();
            moved[k] += h;
            let above = run(&moved, &b).0;
            moved[k] -= 2.0 * h;
            let difference = (above - run(&moved, &b).0) / (2.0 * h);
            assert!((difference - by_weights[k]).abs() < 1e-8 * (1.0 + difference.abs()), "{activation:?}");
        }
        for k in 0..b.len() {
            let mut moved = b.clone();
            moved[k] += h;
            let above = run(&weights, &moved).0;
            moved[k] -= 2.0 * h;
            let difference = (above - run(&weights, &moved).0) / (2.0 * h);
            assert!((difference - by_b[k]).abs() < 1e-8 * (1.0 + difference.abs()), "{activation:?}");
        }
    }
}

/// Several blocks, more nodes than one has, and single precision.
#[test]
fn large_graphs_have_the_same_bits_for_any_number_of_threads() {
    let (graphs, heads) = (batch(&[100_000, 300], 3, 7), 2);
    let [weights, b, cotangent] = data(&graphs, heads, 8);
    let single = |v: &[f64]| v.iter().map(|v| *v as f32).collect::<Vec<_>>();
    let (weights, b, cotangent) = (single(&weights), single(&b), single(&cotangent));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let stop = Stop::rtol(1e-5);
            let mut solver =
                Equilibrium::new(EquilibriumOptions { gamma: 0.9, stop, ..EquilibriumOptions::default() })
                    .unwrap();
            let mut x = vec![0.0; b.len()];
            let report = solver.solve(&graphs, &weights, &b, &mut x).unwrap();
            assert_eq!(report.status, Status::Converged);
            let (mut s, mut gradient) = (vec![0.0; b.len()], vec![0.0; weights.len()]);
            let _ = solver.adjoint(&graphs, &weights, &b, &x, &cotangent, &mut s, &mut gradient).unwrap();
            (x, s, gradient)
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(4));
    // At rest: the residual of a few nodes by hand.
    for node in [0, 5_000, 99_998, 99_999, 100_100] {
        let mut sum = [0.0; 2];
        for (e, [i, j]) in graphs.ends().iter().enumerate() {
            if *i as usize == node {
                (0..2).for_each(|k| sum[k] += f64::from(weights[e * 2 + k] * one.0[*j as usize * 2 + k]));
            }
        }
        for k in 0..2 {
            let rest = f64::from(b[node * 2 + k]) + 0.9 * sum[k] - f64::from(one.0[node * 2 + k]);
            assert!(rest.abs() < 1e-4, "{node}: {rest:e}");
        }
    }
}

#[test]
fn what_cannot_be_is_refused_and_what_grows_is_said() {
    assert!(matches!(Graphs::new(&[2, 2], &[[0, 2]]), Err(Error::Value { index: 0, .. })));
    assert!(matches!(Graphs::new(&[2], &[[0, 1], [1, 2]]), Err(Error::Value { index: 1, .. })));
    assert!(matches!(Graphs::new(&[usize::MAX, 2], &[]), Err(Error::Parameter { .. })));
    let empty = Graphs::new(&[], &[]).unwrap();
    let new = |gamma| Equilibrium::<f64>::new(EquilibriumOptions { gamma, ..EquilibriumOptions::default() });
    assert_eq!(new(0.5).unwrap().solve(&empty, &[], &[], &mut []).unwrap().status, Status::Converged);
    for gamma in [1.0, -0.1, f64::NAN] {
        assert!(matches!(new(gamma), Err(Error::Parameter { name: "gamma", .. })));
    }
    let loops = Graphs::new(&[1], &[[0, 0]]).unwrap();
    let mut solver = new(0.5).unwrap();
    let grown = solver.solve(&loops, &[4.0], &[1.0], &mut [0.0]).unwrap();
    assert!(matches!(grown.status, Status::Expanding { .. }), "{grown:?}");
    let wrong = solver.solve(&loops, &[f64::NAN], &[1.0], &mut [0.0]).unwrap();
    assert_eq!(wrong.status, Status::NonFinite);
    assert!(matches!(solver.solve(&loops, &[0.5, 0.5], &[1.0], &mut [0.0]), Err(Error::Length { .. })));
    let mut tape = Tape::<f64>::new();
    tape.start();
    let (w, b) = (tape.variable(&[4.0], 1, 1).unwrap(), tape.variable(&[1.0], 1, 1).unwrap());
    let refused = tape.equilibrium(&loops, w, b, EquilibriumOptions::default());
    assert!(matches!(refused, Err(Error::Diverged { .. })));
    let b = tape.variable(&[1.0, 2.0], 2, 1).unwrap();
    let refused = tape.equilibrium(&loops, w, b, EquilibriumOptions::default());
    assert!(matches!(refused, Err(Error::Operands { .. })));
}

proptest! {
    /// The bound on what is left holds for any substochastic weights and any graph.
    #[test]
    fn the_last_change_bounds_the_error(
        n in 1usize..20, degree in 0usize..5, seed in 0u64..1000, gamma in 0.0f64..0.97,
    ) {
        let graphs = batch(&[n], degree, seed);
        let [weights, b, _] = data(&graphs, 2, seed);
        let solve = |rtol| {
            let options = EquilibriumOptions { stop: Stop { max_steps: 3000, ..Stop::rtol(rtol) }, ..options(gamma, Activation::Tanh) };
            let mut x = b.clone();
            let report = Equilibrium::new(options).unwrap().solve(&graphs, &weights, &b, &mut x).unwrap();
            prop_assert!(report.status == Status::Converged);
            Ok((x, report.residual))
        };
        let (exact, _) = solve(1e-14)?;
        let (rough, change) = solve(1e-3)?;
        let error = exact.iter().zip(&rough).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        prop_assert!(error <= gamma / (1.0 - gamma) * change + 1e-12, "{error:e} {change:e}");
    }
}
