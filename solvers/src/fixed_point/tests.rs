use super::*;
use crate::learn::Random;
use crate::{Csr, Error, Host, Map, Shape, Stop};

/// x ↦ φ(γ A x) + b with the tangent hyperbolic or nothing for φ, for blocks of a block-diagonal A.
struct Affine {
    a: Csr<f64>,
    b: Vec<f64>,
    bend: bool,
}

impl Map for Affine {
    fn shape(&self) -> Shape {
        Shape::square(self.b.len())
    }
}

impl Operator<Host<f64>> for Affine {
    fn apply(&self, space: &Host<f64>, x: &[f64], y: &mut [f64]) -> Result<()> {
        self.a.apply(space, x, y)?;
        for (y, b) in y.iter_mut().zip(&self.b) {
            *y = if self.bend { y.tanh() } else { *y } + b;
        }
        Ok(())
    }
}

/// Blocks of these sizes, each with its spectral radius bound by its own factor.
fn blocks(sizes: &[(usize, f64)], bend: bool, seed: u64) -> (Affine, Segments) {
    let mut random = Random::new(seed, "blocks");
    let (mut entries, mut first) = (Vec::new(), 0);
    for &(n, factor) in sizes {
        for i in 0..n {
            let row: Vec<f64> = (0..3).map(|_| random.uniform()).collect();
            let sum: f64 = row.iter().sum();
            for (k, v) in row.iter().enumerate() {
                let j = (i * 7 + 3 * k + 1) % n;
                entries.push(((first + i) as u32, (first + j) as u32, factor * v / sum));
            }
        }
        first += n;
    }
    let lengths: Vec<usize> = sizes.iter().map(|s| s.0).collect();
    let mut random = Random::new(seed, "constants");
    let b = (0..first).map(|_| random.normal()).collect();
    (
        Affine { a: Csr::from_triplets(first, first, &entries).unwrap(), b, bend },
        Segments::new(&lengths).unwrap(),
    )
}

fn residual(map: &Affine, x: &[f64], segments: &Segments, s: usize) -> (f64, f64) {
    let mut y = vec![0.0; x.len()];
    map.apply(&Host::new(), x, &mut y).unwrap();
    let of = |v: &dyn Fn(usize) -> f64| segments.range(s).map(|i| v(i) * v(i)).sum::<f64>().sqrt();
    (of(&|i| y[i] - x[i]), of(&|i| x[i]))
}

const METHODS: [Iteration; 6] = [
    Iteration::PICARD,
    Iteration::Picard { damping: 0.7 },
    Iteration::Anderson(Anderson { window: 5, damping: 1.0, ridge: 1e-12, restart: None }),
    Iteration::Anderson(Anderson { window: 3, damping: 0.8, ridge: 0.0, restart: Some(9) }),
    Iteration::Broyden { window: 12 },
    Iteration::Broyden { window: 2 },
];

#[test]
fn every_system_of_a_batch_ends_within_its_target_and_as_it_would_alone() {
    let space = Host::<f64>::new();
    for bend in [false, true] {
        let sizes = [(40, 0.9), (1, 0.5), (0, 0.0), (7, 0.1), (5000, 0.95)];
        let (map, segments) = blocks(&sizes, bend, 3);
        for iteration in METHODS {
            let options = FixedPointOptions::rtol(1e-9).iteration(iteration);
            let mut solver = FixedPoint::batch(&space, segments.clone(), options).unwrap();
            let mut x = vec![0.0; segments.len()];
            let report = solver.solve(&space, &map, &mut x).unwrap();
            assert_eq!(report.status, Status::Converged, "{iteration:?}");
            for (s, outcome) in solver.outcomes().iter().enumerate() {
                let (residual, size) = residual(&map, &x, &segments, s);
                assert!(outcome.converged && residual <= 1e-9 * size, "{iteration:?} {s} {outcome:?}");
                assert!(outcome.steps <= report.steps);
            }
            // The last system decides how long the batch takes; the third has nothing to do.
            assert!(solver.outcomes()[3].steps < solver.outcomes()[4].steps);
            assert_eq!(solver.outcomes()[2].steps, 0);
            let (alone, whole) = blocks(&sizes[..1], bend, 3);
            let mut solo = FixedPoint::new(&space, whole.len(), options).unwrap();
            let mut y = vec![0.0; 40];
            let lone = solo.solve(&space, &alone, &mut y).unwrap();
            assert_eq!(lone.steps, solver.outcomes()[0].steps, "{iteration:?}");
            assert_eq!(y, x[..40], "{iteration:?}");
        }
    }
}

#[test]
fn accelerated_methods_take_fewer_steps() {
    let space = Host::<f64>::new();
    let (map, segments) = blocks(&[(400, 0.99)], false, 5);
    let steps = |iteration| {
        let stop = Stop { max_steps: 5000, ..Stop::rtol(1e-8) };
        let mut solver =
            FixedPoint::new(&space, segments.len(), FixedPointOptions { iteration, stop }).unwrap();
        let mut x = vec![0.0; 400];
        let report = solver.solve(&space, &map, &mut x).unwrap();
        assert_eq!(report.status, Status::Converged, "{iteration:?}");
        assert_eq!(solver.history().len(), report.steps + 1);
        (report.steps, solver.rate().unwrap())
    };
    let (picard, rate) = steps(Iteration::PICARD);
    assert!((rate - 0.99).abs() < 2e-3, "{rate}");
    for iteration in [Iteration::default(), Iteration::Broyden { window: 20 }] {
        let taken = steps(iteration).0;
        assert!(3 * taken < picard, "{iteration:?}: {taken} of {picard}");
    }
}

#[test]
fn affine_maps_are_solved_by_krylov_methods_contracting_or_not() {
    let space = Host::<f64>::new();
    let (map, segments) = blocks(&[(300, 1.3)], false, 9);
    for iteration in [Iteration::Gmres { restart: 150 }, Iteration::Bicgstab] {
        let options = FixedPointOptions::rtol(1e-9).iteration(iteration);
        let mut solver = FixedPoint::new(&space, 300, options).unwrap();
        let mut x = vec![0.5; 300];
        let report = solver.solve(&space, &map, &mut x).unwrap();
        assert_eq!(report.status, Status::Converged, "{iteration:?}");
        let (residual, _) = residual(&map, &x, &segments, 0);
        assert!(residual <= report.target * (1.0 + 1e-6) && solver.outcomes()[0].converged);
    }
    let mut x = vec![0.5; 300];
    let options = FixedPointOptions::rtol(1e-10).iteration(Iteration::PICARD);
    let report = FixedPoint::new(&space, 300, options).unwrap().solve(&space, &map, &mut x).unwrap();
    let Status::Expanding { growth } = report.status else { panic!("{report:?}") };
    assert!(growth > 1e8 && report.status.to_string().contains("does not contract"));
    assert!(x.iter().all(|x| x.is_finite()), "the best iterate is kept");
}

/// Far from its fixed points the map throws x away; the accelerated methods go back and find one all the same.
#[test]
fn a_wild_map_costs_time_and_leaves_the_best_iterate() {
    struct Wild;
    impl Map for Wild {
        fn shape(&self) -> Shape {
            Shape::square(2)
        }
    }
    impl Operator<Host<f64>> for Wild {
        fn apply(&self, _: &Host<f64>, x: &[f64], y: &mut [f64]) -> Result<()> {
            y[0] = x[0] - 0.4 * (x[0].powi(3) - 2.0 * x[1]);
            y[1] = x[1] - 0.4 * (x[1].exp() - x[0] - 1.0);
            Ok(())
        }
    }
    let space = Host::<f64>::new();
    for iteration in METHODS {
        let mut solver =
            FixedPoint::new(&space, 2, FixedPointOptions::rtol(1e-8).iteration(iteration)).unwrap();
        for start in [[1.5, 1.0], [30.0, -7.0], [-3.0, 6.0]] {
            let mut x = start;
            let report = solver.solve(&space, &Wild, &mut x).unwrap();
            let mut y = [0.0; 2];
            Wild.apply(&space, &x, &mut y).unwrap();
            let residual = (y[0] - x[0]).hypot(y[1] - x[1]);
            assert!((residual - report.true_residual).abs() <= 1e-12 * residual.max(1.0), "{iteration:?}");
            let least = solver.history().iter().copied().fold(f64::INFINITY, f64::min);
            assert!(report.true_residual <= least, "{iteration:?}");
            if report.status == Status::Converged {
                assert!(residual <= report.target);
            }
        }
    }
}

#[test]
fn budgets_the_caller_and_wrong_input_stop_it() {
    let space = Host::<f64>::new();
    let (map, _) = blocks(&[(30, 0.99)], false, 2);
    let stop = Stop { max_steps: 4, ..Stop::rtol(1e-12) };
    for iteration in METHODS {
        let mut solver = FixedPoint::new(&space, 30, FixedPointOptions { iteration, stop }).unwrap();
        let report = solver.solve(&space, &map, &mut vec![0.0; 30]).unwrap();
        assert_eq!((report.status, report.steps), (Status::MaxSteps, 4), "{iteration:?}");
        let mut watch =
            |p: &Progress| if p.step == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let report = solver.solve_watched(&space, &map, &mut vec![0.0; 30], &mut watch).unwrap();
        assert_eq!((report.status, report.steps), (Status::Interrupted, 2));
        let report = solver.solve(&space, &map, &mut vec![f64::NAN; 30]).unwrap();
        assert_eq!(report.status, Status::NonFinite);
        assert!(matches!(solver.solve(&space, &map, &mut vec![0.0; 29]), Err(Error::Length { .. })));
    }
    let new =
        |iteration| FixedPoint::new(&space, 3, FixedPointOptions::default().iteration(iteration)).map(drop);
    for wrong in [
        Iteration::Picard { damping: 0.0 },
        Iteration::Picard { damping: f64::NAN },
        Iteration::Broyden { window: 0 },
        Iteration::Gmres { restart: 0 },
        Iteration::Anderson(Anderson { window: 0, ..Anderson::default() }),
        Iteration::Anderson(Anderson { ridge: -1.0, ..Anderson::default() }),
        Iteration::Anderson(Anderson { damping: f64::INFINITY, ..Anderson::default() }),
        Iteration::Anderson(Anderson { restart: Some(0), ..Anderson::default() }),
    ] {
        assert!(matches!(new(wrong), Err(Error::Parameter { .. })), "{wrong:?}");
    }
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let sizes: Vec<(usize, f64)> = (0..60).map(|i| (100 + 37 * i % 4000, 0.9)).collect();
    let (map, segments) = blocks(&sizes, true, 8);
    let run = |threads: usize, iteration| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let space = Host::new();
            let options = FixedPointOptions::rtol(1e-8).iteration(iteration);
            let mut x = vec![0.0; segments.len()];
            let mut solver = FixedPoint::batch(&space, segments.clone(), options).unwrap();
            let _ = solver.solve(&space, &map, &mut x).unwrap();
            x
        })
    };
    for iteration in METHODS {
        let one = run(1, iteration);
        assert!(one == run(2, iteration) && one == run(4, iteration), "{iteration:?}");
    }
}
