//! Whatever proposes, a solve ends with the right status, at a cost that is bounded by conjugate gradients and the proposals.

use proptest::prelude::*;
use resolvent::direction::{Architecture, Dcdm, Masked, Model};
use resolvent::{
    Boundary, Cg, FlexibleCg, Grid, Host, Hybrid, LinearOperator, Map, Operator, Poisson, Price, Report,
    Result, Shape, Status, Stop,
};
use resolvent_datasets::random::Stream;
use resolvent_tests::noise;
use std::sync::Mutex;

/// Proposals in a row that may fail to halve the residual.
const PATIENCE: usize = 8;
const STOP: Stop = Stop { rtol: 1e-6, atol: 0.0, max_steps: 100_000, max_time: None };

fn grid(dim: usize, [nx, ny, nz]: [usize; 3]) -> Grid {
    if dim == 2 { Grid::new_2d(nx, ny).unwrap() } else { Grid::new_3d(nx, ny, nz).unwrap() }
}

/// A solve with the proposals of `m`, and what it may cost.
fn solve(
    a: &dyn LinearOperator<Host<f64>>,
    m: &dyn Operator<Host<f64>>,
    b: &[f64],
    memory: usize,
) -> (Report, Report, Vec<f64>) {
    let (space, n) = (Host::<f64>::new(), b.len());
    let mut x = vec![0.0; n];
    let plain = Cg::unpreconditioned(&space, n, STOP).unwrap().solve(&space, a, None, b, &mut x).unwrap();
    let mut loops = FlexibleCg::with_memory(&space, n, STOP, memory).unwrap().with_patience(PATIENCE);
    let mut x = vec![0.0; n];
    (loops.solve(&space, a, Some(m), b, &mut x).unwrap(), plain, x)
}

/// A solve of conjugate gradients with the proposals of `m` besides.
fn besides(a: &dyn LinearOperator<Host<f64>>, m: &dyn Operator<Host<f64>>, b: &[f64], price: f64) {
    let (space, n) = (Host::<f64>::new(), b.len());
    let mut x = vec![0.0; n];
    let plain = Cg::unpreconditioned(&space, n, STOP).unwrap().solve(&space, a, None, b, &mut x).unwrap();
    let mut hybrid = Hybrid::new(&space, n, STOP, Price::Given(price)).unwrap();
    x.fill(0.0);
    let report = hybrid.solve(&space, a, None, Some(m), b, &mut x).unwrap();
    is_right(a, b, &x, &report);
    assert!(report.asked <= report.steps && report.fallbacks <= report.asked);
    if report.asked == 0 {
        assert_eq!(report.steps, plain.steps);
    }
    // Steps that ask take at least the way down of steepest descent.
    let most = 4 * plain.steps + 20;
    assert!(report.steps <= most, "{} steps, where conjugate gradients take {}", report.steps, plain.steps);
}

fn sound(a: &dyn LinearOperator<Host<f64>>, m: &dyn Operator<Host<f64>>, b: &[f64], memory: usize) {
    let (report, plain, x) = solve(a, m, b, memory);
    is_right(a, b, &x, &report);
    // Each halving costs at most so many proposals; the residual may have grown before the first.
    let halvings = (1.0 / STOP.rtol).log2().ceil() as usize + 8;
    let most = 2 * plain.steps + 20 + PATIENCE * halvings;
    assert!(report.steps <= most, "{} steps, where conjugate gradients take {}", report.steps, plain.steps);
}

fn is_right(a: &dyn LinearOperator<Host<f64>>, b: &[f64], x: &[f64], report: &Report) {
    assert_eq!(report.status, Status::Converged);
    let mut r = vec![0.0; b.len()];
    a.apply(&Host::new(), x, &mut r).unwrap();
    let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|v| v * v).sum::<f64>().sqrt();
    let residual = norm(&mut r.iter().zip(b).map(|(r, b)| b - r));
    let size = norm(&mut b.iter().copied());
    // b − Ax as this test sums it differs in rounding.
    assert!(residual <= report.target + 1e-12 * size, "{residual:e} {:e}", report.target);
}

/// Proposes by the number of the call whatever a stream of numbers makes of the residual and of what it proposed before.
struct Adversary {
    n: usize,
    stream: Stream,
    calls: Mutex<(u64, Vec<f64>)>,
}

impl Map for Adversary {
    fn shape(&self) -> Shape {
        Shape::square(self.n)
    }
}

impl Operator<Host<f64>> for Adversary {
    fn apply(&self, _: &Host<f64>, r: &[f64], z: &mut [f64]) -> Result<()> {
        let mut calls = self.calls.lock().unwrap();
        let (call, before) = &mut *calls;
        let n = self.n as u64;
        let noise = |i: usize| self.stream.normal(1000 + *call * n + i as u64);
        for i in 0..self.n {
            z[i] = match (16.0 * self.stream.uniform(*call)) as usize {
                0 => 0.0,
                1 => f64::NAN,
                2 => {
                    if i == 0 {
                        f64::INFINITY
                    } else {
                        r[i]
                    }
                }
                3 => -r[i],
                // What was proposed before, and nothing is left of it.
                4 | 5 => before[i],
                6 => 1e-300 * r[i],
                7 => 1e300 * r[i],
                8 => noise(i),
                // Almost orthogonal to the residual.
                9 => (if i.is_multiple_of(2) { r[(i + 1) % self.n] } else { -r[i - 1] }) + 1e-7 * r[i],
                10 => {
                    if i == *call as usize % self.n {
                        1.0
                    } else {
                        0.0
                    }
                }
                11 => f64::MIN_POSITIVE * noise(i),
                12 => r[i].signum(),
                13 => r[i] + 1e3 * noise(i),
                14 => r[self.n - 1 - i],
                _ => r[i],
            };
        }
        before.copy_from_slice(z);
        before.iter_mut().for_each(|b| *b = if b.is_finite() { *b } else { 1.0 });
        *call += 1;
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(7_000))]

    #[test]
    fn adversaries_cost_time_and_no_more(
        dim in 2usize..4, n in [1usize..8, 1usize..7, 1usize..5], seed in any::<u64>(), memory in 1usize..5,
    ) {
        let grid = grid(dim, n);
        let a = Poisson::new(grid, [[Boundary::DIRICHLET; 2], [Boundary::Neumann; 2], [Boundary::Neumann; 2]]).unwrap();
        let b: Vec<f64> = noise(grid.cells(), seed);
        let adversary = || {
            let calls = Mutex::new((0, vec![1.0; b.len()]));
            Adversary { n: b.len(), stream: Stream::new(seed, "adversary"), calls }
        };
        sound(&a, &adversary(), &b, memory);
        besides(&a, &adversary(), &b, [0.0, 0.05, 0.5][memory % 3]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn weights_cost_time_and_no_more(
        dim in 2usize..4, n in [1usize..8, 1usize..7, 1usize..4], seed in any::<u64>(), kind in 0usize..8,
        channels in 1usize..4,
    ) {
        let grid = grid(dim, n);
        let architecture = if channels > 1 {
            Architecture::Dcdm(Dcdm { dim, before: 1, coarse: 1, after: 1, channels })
        } else {
            Architecture::Masked(Masked { dim, levels: 2 })
        };
        let model = Model::new(architecture, seed).unwrap();
        let stream = Stream::new(seed, "weights");
        let weight = |i: usize, w: f32| match kind {
            0 => 0.0,
            1 => f32::NAN,
            2 => if i.is_multiple_of(97) { f32::INFINITY } else { w },
            3 => w,
            4 => 1e18 * w,
            5 => 1e-18 * w,
            6 => stream.normal(i as u64) as f32,
            _ => -w.abs(),
        };
        let weights: Vec<f32> =
            model.parameters().values().iter().enumerate().map(|(i, w)| weight(i, *w)).collect();
        let model = model.with_weights(&weights, "nothing", 0).unwrap();
        let a = Poisson::new(grid, [[Boundary::Neumann, Boundary::DIRICHLET_NODE]; 3]).unwrap();
        let b: Vec<f64> = noise(grid.cells(), seed);
        let proposal = model.on(&a.clone().into()).unwrap();
        sound(&a, &proposal, &b, 2);
        besides(&a, &proposal, &b, 0.1);
    }
}

#[test]
fn a_semidefinite_operator_is_solved_in_its_range() {
    let grid = Grid::new_2d(9, 7).unwrap();
    let a = Poisson::new(grid, [[Boundary::Neumann; 2]; 3]).unwrap();
    let model = Model::new(Architecture::Dcdm(Dcdm::small(2)), 3).unwrap();
    let mut b: Vec<f64> = noise(grid.cells(), 4);
    let mean = b.iter().sum::<f64>() / b.len() as f64;
    b.iter_mut().for_each(|b| *b -= mean);
    sound(&a, &model.on(&a.clone().into()).unwrap(), &b, 2);
}
