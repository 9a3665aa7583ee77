//! Algebraic multigrid: what a cycle must be, and how many steps it must save, on matrices of many kinds.

use proptest::prelude::*;
use resolvent::amg::{AmgOptions, Coarsening, Cycle, Smoother};
use resolvent::compose::{Constants, NullSpace};
use resolvent::plan::{Method, Plan};
use resolvent::{
    Amg, Boundary, Cg, Csr, Error, FlexibleCg, Grid, Host, LinearOperator, Map, Matrix, Operator, Poisson,
    Positivity, Properties, Report, Status, Stencil, Stop,
};
use resolvent_tests::matrices::{convection, elasticity, grid_laplacian, random_graph, rigid_body_modes};
use resolvent_tests::noise;

const SMOOTHERS: [Smoother; 4] =
    [Smoother::GaussSeidel, Smoother::L1Jacobi, Smoother::Spai0, Smoother::Chebyshev { degree: 2 }];

fn options(smoother: Smoother, cycle: Cycle, coarsening: Coarsening, sweeps: usize) -> AmgOptions {
    let mut options = AmgOptions::default();
    (options.smoother, options.cycle, options.coarsening) = (smoother, cycle, coarsening);
    (options.sweeps, options.direct) = (sweeps, 40);
    options
}

fn solve(a: &dyn LinearOperator<Host<f64>>, m: &Amg<f32>, rtol: f64) -> Report {
    let (space, n) = (Host::<f64>::new(), a.shape().rows);
    let (b, mut x) = (noise::<f64>(n, 5), vec![0.0; n]);
    let stop = Stop { max_steps: 500, ..Stop::rtol(rtol) };
    if m.options().cycle == Cycle::K {
        FlexibleCg::new(&space, n, stop).unwrap().solve(&space, a, Some(m), &b, &mut x).unwrap()
    } else {
        Cg::new(&space, n, stop).unwrap().solve(&space, a, Some(m), &b, &mut x).unwrap()
    }
}

fn steps(a: &Csr<f64>, options: AmgOptions) -> usize {
    let report = solve(a, &Amg::new(a, options).unwrap(), 1e-8);
    assert_eq!(report.status, Status::Converged, "{options:?}: {report:?}");
    report.steps
}

/// ⟨Mx, y⟩ = ⟨x, My⟩, linearity and xᵀMx > 0.
fn check_cycle(a: &Csr<f64>, options: AmgOptions) {
    let m = Amg::<f64>::new(a, options).unwrap();
    assert_eq!(m.properties(), Properties::SPD);
    let (space, n) = (Host::<f64>::new(), a.rows());
    let apply = |x: &[f64]| {
        let mut y = vec![f64::NAN; n];
        let product = m.apply_dot(&space, x, &mut y).unwrap();
        let dot: f64 = x.iter().zip(&y).map(|(x, y)| x * y).sum();
        assert!((product - dot).abs() <= 1e-10 * dot.abs());
        y
    };
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let (x, y) = (noise::<f64>(n, 1), noise::<f64>(n, 2));
    let (mx, my) = (apply(&x), apply(&y));
    let scale = dot(&mx, &mx).sqrt() * dot(&y, &y).sqrt();
    assert!((dot(&mx, &y) - dot(&x, &my)).abs() <= 1e-11 * scale, "{options:?}");
    assert!(dot(&mx, &x) > 0.0, "{options:?}");
    let sum: Vec<f64> = x.iter().zip(&y).map(|(x, y)| 3.0 * x - y).collect();
    let msum = apply(&sum);
    let norm = dot(&msum, &msum).sqrt();
    let off = (0..n).map(|i| (msum[i] - 3.0 * mx[i] + my[i]).powi(2)).sum::<f64>().sqrt();
    assert!(off <= 1e-10 * norm, "{options:?}: {off:e} of {norm:e}");
}

#[test]
fn a_cycle_is_linear_symmetric_and_positive() {
    let a = grid_laplacian(63, 41, |_, _| 1.0, 1.0);
    for smoother in SMOOTHERS {
        for cycle in [Cycle::V, Cycle::W] {
            for coarsening in [Coarsening::Smoothed, Coarsening::Plain] {
                for sweeps in [1, 2] {
                    check_cycle(&a, options(smoother, cycle, coarsening, sweeps));
                }
            }
        }
    }
}

/// The last row is coupled to the first: in one block of rows and in several.
#[test]
fn a_cycle_on_a_ring_is_symmetric() {
    for n in [300u32, 5000] {
        let couplings = (0..n).flat_map(|i| {
            let j = (i + 1) % n;
            [(i, i, 1.0), (j, j, 1.001), (i, j, -1.0), (j, i, -1.0)]
        });
        let a = Csr::from_triplets(n as usize, n as usize, &couplings.collect::<Vec<_>>()).unwrap();
        let a = a.assume(Properties::SPD);
        for smoother in SMOOTHERS {
            for sweeps in [1, 2] {
                check_cycle(&a, options(smoother, Cycle::V, Coarsening::Smoothed, sweeps));
            }
        }
    }
}

#[test]
fn steps_hardly_grow_with_the_size() {
    // Steps that each may take on 40² and on 160² unknowns: what was measured, and two.
    for (cycle, coarsening, most) in [
        (Cycle::V, Coarsening::Smoothed, [14, 20]),
        (Cycle::W, Coarsening::Smoothed, [13, 15]),
        (Cycle::K, Coarsening::Plain, [21, 25]),
    ] {
        for (n, most) in [40, 160].into_iter().zip(most) {
            let a = grid_laplacian(n, n, |_, _| 1.0, 1.0);
            let taken = steps(&a, options(Smoother::GaussSeidel, cycle, coarsening, 1));
            assert!(taken <= most, "{cycle:?} {coarsening:?} on {n}²: {taken} steps");
        }
    }
}

#[test]
fn every_smoother_converges_and_more_sweeps_save_steps() {
    let a = grid_laplacian(90, 70, |_, _| 1.0, 1.0);
    for smoother in SMOOTHERS {
        let one = steps(&a, options(smoother, Cycle::V, Coarsening::Smoothed, 1));
        let two = steps(&a, options(smoother, Cycle::V, Coarsening::Smoothed, 2));
        assert!(one <= 24 && two < one, "{smoother:?}: {one} and {two} steps");
    }
}

/// Inclusions 10⁶ times as conductive as what is around them.
#[test]
fn jumps_do_not_hurt() {
    let (nx, ny) = (120, 110);
    let inside = |i: usize| (i % nx / 9).is_multiple_of(2) && (i / nx / 7).is_multiple_of(2);
    let k = |i| if inside(i) { 1e6 } else { 1.0 };
    let a = grid_laplacian(nx, ny, |i, j| 2.0 * k(i) * k(j) / (k(i) + k(j)), 1.0);
    for (cycle, coarsening, most) in [(Cycle::V, Coarsening::Smoothed, 32), (Cycle::K, Coarsening::Plain, 44)]
    {
        let taken = steps(&a, options(Smoother::GaussSeidel, cycle, coarsening, 1));
        assert!(taken <= most, "{cycle:?}: {taken} steps");
    }
}

/// Couplings along y a thousandth of those along x.
#[test]
fn aggregates_follow_the_strong_couplings() {
    let a = grid_laplacian(100, 100, |i, j| if j == i + 1 { 1.0 } else { 1e-3 }, 1.0);
    let m = Amg::<f32>::new(&a, options(Smoother::GaussSeidel, Cycle::V, Coarsening::Smoothed, 1)).unwrap();
    // Three nodes of a line to an aggregate, not nine.
    let ratio = m.complexity().levels[0].rows as f64 / m.complexity().levels[1].rows as f64;
    assert!((2.0..4.5).contains(&ratio), "{}", m.complexity());
    let report = solve(&a, &m, 1e-8);
    assert!(report.status == Status::Converged && report.steps <= 30, "{report:?}");
}

#[test]
fn rigid_body_modes_make_elasticity_converge() {
    let (a, places) = elasticity(70, 40, 10.0);
    let mut chosen = options(Smoother::GaussSeidel, Cycle::V, Coarsening::Smoothed, 1);
    chosen.block = 2;
    let modes = rigid_body_modes(&places);
    let modes: Vec<&[f64]> = modes.iter().map(|m| &m[..]).collect();
    let with = solve(&a, &Amg::with_near_null_space(&a, &modes, chosen).unwrap(), 1e-8);
    let without = solve(&a, &Amg::new(&a, chosen).unwrap(), 1e-8);
    assert_eq!((with.status, without.status), (Status::Converged, Status::Converged));
    assert!(with.steps <= 26 && 3 * with.steps < 2 * without.steps, "{} {}", with.steps, without.steps);
}

/// A sheet that nothing holds: its rigid motions are the null space of the matrix, and near it on every level.
#[test]
fn a_floating_body_is_solved_beside_its_rigid_motions() {
    let (a, places) = elasticity(40, 25, 0.0);
    let modes = rigid_body_modes(&places);
    let modes: Vec<&[f64]> = modes.iter().map(|m| &m[..]).collect();
    let (space, n) = (Host::<f64>::new(), a.rows());
    let mut chosen = options(Smoother::GaussSeidel, Cycle::V, Coarsening::Smoothed, 1);
    chosen.block = 2;
    let m = Amg::<f64>::with_near_null_space(&a, &modes, chosen).unwrap();
    let floating = NullSpace::new(&space, a.assume(Properties::SEMIDEFINITE), &modes).unwrap();
    let mut exact = noise::<f64>(n, 4);
    floating.project(&space, &mut exact).unwrap();
    let (mut b, mut x) = (vec![0.0; n], vec![0.0; n]);
    floating.apply(&space, &exact, &mut b).unwrap();
    let mut cg = Cg::new(&space, n, Stop { max_steps: 60, ..Stop::rtol(1e-10) }).unwrap();
    let report = cg.solve(&space, &floating, Some(&m), &b, &mut x).unwrap();
    assert_eq!(report.status, Status::Converged, "{report:?}");
    let norm = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
    let off: Vec<f64> = x.iter().zip(&exact).map(|(x, e)| x - e).collect();
    assert!(norm(&off) <= 1e-6 * norm(&exact), "{:e}", norm(&off) / norm(&exact));
    // A force that pushes the whole body cannot be balanced.
    let pushed: Vec<f64> = b.iter().zip(modes[0]).map(|(b, t)| b + 0.1 * t).collect();
    let report = cg.solve(&space, &floating, Some(&m), &pushed, &mut x).unwrap();
    assert!(matches!(report.status, Status::Inconsistent { .. }), "{report:?}");
}

#[test]
fn a_singular_matrix_is_solved_in_its_range() {
    let a = grid_laplacian(80, 60, |_, _| 1.0, 0.0);
    let n = a.rows();
    for chosen in [AmgOptions::default(), AmgOptions::plain()] {
        let m = Amg::<f32>::new(&a, chosen).unwrap();
        let singular = Constants::new(a.clone());
        let space = Host::<f64>::new();
        let (mut b, mut x) = (noise::<f64>(n, 3), vec![0.0; n]);
        let mean = b.iter().sum::<f64>() / n as f64;
        b.iter_mut().for_each(|b| *b -= mean);
        let mut cg = FlexibleCg::new(&space, n, Stop { max_steps: 60, ..Stop::rtol(1e-8) }).unwrap();
        let report = cg.solve(&space, &singular, Some(&m), &b, &mut x).unwrap();
        assert_eq!(report.status, Status::Converged, "{report:?}");
        assert!(report.steps <= 22, "{report:?}");
        assert!(x.iter().sum::<f64>().abs() <= 1e-8 * x.iter().map(|x| x.abs()).sum::<f64>());
    }
}

#[test]
fn every_pool_makes_the_same_cycle() {
    let matrices = [random_graph(6000, 4), grid_laplacian(130, 90, |_, _| 1.0, 1.0)];
    let cycles = [
        AmgOptions::default(),
        AmgOptions::plain(),
        options(Smoother::Chebyshev { degree: 3 }, Cycle::W, Coarsening::Smoothed, 1),
    ];
    for a in &matrices {
        for chosen in cycles {
            let run = || {
                let m = Amg::<f32>::new(a, chosen).unwrap();
                let mut z = vec![0.0; a.rows()];
                m.apply(&Host::<f64>::new(), &noise::<f64>(a.rows(), 9), &mut z).unwrap();
                (z.iter().map(|z| z.to_bits()).collect::<Vec<_>>(), m.complexity())
            };
            let on =
                |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run);
            let one = on(1);
            assert!([2, 4, 8].into_iter().all(|t| on(t) == one), "{chosen:?}");
        }
    }
}

#[test]
fn new_values_in_the_same_pattern_are_taken() {
    let a = grid_laplacian(60, 50, |_, _| 1.0, 1.0);
    let scaled = grid_laplacian(60, 50, |_, _| 7.0, 7.0);
    let space = Host::<f64>::new();
    let r = noise::<f64>(a.rows(), 2);
    let apply = |m: &Amg<f64>| {
        let mut z = vec![0.0; r.len()];
        m.apply(&space, &r, &mut z).unwrap();
        z
    };
    for chosen in [AmgOptions::default(), AmgOptions::plain()] {
        let mut m = Amg::<f64>::new(&a, chosen).unwrap();
        m.update_values(&scaled).unwrap();
        let fresh = apply(&Amg::<f64>::new(&scaled, chosen).unwrap());
        let norm = fresh.iter().map(|z| z * z).sum::<f64>().sqrt();
        let off = apply(&m).iter().zip(&fresh).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        assert!(off <= 1e-9 * norm, "{off:e}");
        let other = grid_laplacian(50, 60, |_, _| 1.0, 1.0);
        assert!(matches!(m.update_values(&other), Err(Error::Structure { .. })));
        let small = grid_laplacian(5, 6, |_, _| 1.0, 1.0);
        assert!(matches!(m.update_values(&small), Err(Error::Length { .. })));
    }
    // Other jumps than the interpolation was made for cost steps, not correctness.
    let jumps = grid_laplacian(60, 50, |i, _| if i % 60 < 30 { 1e3 } else { 1.0 }, 1.0);
    let mut m = Amg::<f32>::new(&a, AmgOptions::default()).unwrap();
    m.update_values(&jumps).unwrap();
    let report = solve(&jumps, &m, 1e-8);
    assert!(report.status == Status::Converged && report.steps <= 30, "{report:?}");
}

#[test]
fn complexities_are_small() {
    let a = grid_laplacian(200, 150, |_, _| 1.0, 1.0);
    for (chosen, most) in [(AmgOptions::default(), 1.45), (AmgOptions::plain(), 1.3)] {
        let complexity = Amg::<f32>::new(&a, chosen).unwrap().complexity();
        assert!(complexity.operator() < most && complexity.grid() < 1.3, "{complexity}");
        assert_eq!(complexity.levels[0].nonzeros, a.nonzeros());
        assert!(complexity.levels.windows(2).all(|w| w[1].rows < w[0].rows));
        assert!(complexity.to_string().contains("operator complexity"));
        let matrix = 12 * a.nonzeros() + 8 * a.rows();
        assert!((complexity.bytes as f64) < 1.6 * matrix as f64, "{complexity}");
    }
}

#[test]
fn a_matrix_that_is_not_symmetric_claims_nothing_and_is_reduced() {
    let a = convection(60, 50, 3.0);
    let m = Amg::<f64>::new(&a, AmgOptions::default()).unwrap();
    assert_eq!(m.properties(), Properties::NONE);
    // The stationary iteration x ← x + M (b − Ax) converges.
    let (space, n) = (Host::<f64>::new(), a.rows());
    let (b, mut x, mut r, mut z) = (noise::<f64>(n, 1), vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let norm = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
    for _ in 0..30 {
        a.apply(&space, &x, &mut r).unwrap();
        r.iter_mut().zip(&b).for_each(|(r, b)| *r = b - *r);
        m.apply(&space, &r, &mut z).unwrap();
        x.iter_mut().zip(&z).for_each(|(x, z)| *x += z);
    }
    assert!(norm(&r) < 1e-6 * norm(&b), "{:e}", norm(&r) / norm(&b));
}

#[test]
fn sizes_outside_the_range_of_f32_are_scaled() {
    let a = grid_laplacian(30, 30, |_, _| 1.0, 1.0);
    let m = Amg::<f32>::new(&a, AmgOptions::default()).unwrap();
    let (space, r) = (Host::<f64>::new(), noise::<f64>(a.rows(), 6));
    let apply = |scale: f64| {
        let scaled: Vec<f64> = r.iter().map(|r| scale * r).collect();
        let mut z = vec![0.0; r.len()];
        m.apply(&space, &scaled, &mut z).unwrap();
        z
    };
    let plain = apply(1.0);
    for scale in [1e-200, 1e150] {
        let z = apply(scale);
        let close = |(a, b): (&f64, &f64)| (a / scale - b).abs() <= 1e-4 * b.abs().max(1e-3);
        assert!(z.iter().zip(&plain).all(close), "{scale:e}");
    }
    assert!(apply(0.0).iter().all(|z| *z == 0.0));
}

#[test]
fn what_cannot_be_done_is_said() {
    let a = grid_laplacian(6, 5, |_, _| 1.0, 1.0);
    let new = |a: &Csr<f64>, options| Amg::<f64>::new(a, options).map(|m| m.properties());
    let with = |change: &dyn Fn(&mut AmgOptions)| {
        let mut options = AmgOptions::default();
        change(&mut options);
        new(&a, options)
    };
    assert!(matches!(with(&|o| o.block = 4), Err(Error::Parameter { name: "block", .. })));
    assert!(matches!(with(&|o| o.sweeps = 0), Err(Error::Parameter { name: "sweeps", .. })));
    assert!(matches!(with(&|o| o.strength = f64::NAN), Err(Error::Parameter { name: "strength", .. })));
    let none = Smoother::Chebyshev { degree: 0 };
    assert!(matches!(with(&|o| o.smoother = none), Err(Error::Parameter { name: "degree", .. })));
    let wide = Csr::from_triplets(1, 2, &[(0, 0, 1.0)]).unwrap();
    assert!(matches!(new(&wide, AmgOptions::default()), Err(Error::Length { .. })));
    let hollow = Csr::from_triplets(2, 2, &[(0, 1, 1.0), (1, 0, 1.0)]).unwrap();
    assert!(matches!(new(&hollow, AmgOptions::default()), Err(Error::Pivot { row: 0, .. })));
    let negative = Csr::from_triplets(1, 1, &[(0, 0, -1.0)]).unwrap();
    assert_eq!(new(&negative, AmgOptions::default()).unwrap(), Properties::NONE);
    let claimed = negative.assume(Properties::SPD);
    assert!(matches!(new(&claimed, AmgOptions::default()), Err(Error::Pivot { row: 0, .. })));
    let near =
        |vectors: &[&[f64]]| Amg::<f64>::with_near_null_space(&a, vectors, AmgOptions::default()).map(|_| ());
    assert!(matches!(near(&[]), Err(Error::Parameter { .. })));
    assert!(matches!(near(&[&[1.0; 3]]), Err(Error::Length { .. })));
    let mut bad = vec![1.0; 30];
    bad[7] = f64::INFINITY;
    assert!(matches!(near(&[&bad]), Err(Error::Value { index: 7, .. })));
    let empty = Csr::<f64>::from_triplets(0, 0, &[]).unwrap().assume(Properties::SPD);
    assert!(new(&empty, AmgOptions::default()).is_ok());
    // An empty row is left alone.
    let gap = Csr::from_triplets(3, 3, &[(0, 0, 2.0), (2, 2, 4.0)]).unwrap().assume(Properties::SEMIDEFINITE);
    let m = Amg::<f64>::new(&gap, AmgOptions::default()).unwrap();
    assert_eq!(m.properties().positivity, Positivity::Semidefinite);
    let mut z = [f64::NAN; 3];
    m.apply(&Host::<f64>::new(), &[2.0, 0.0, 4.0], &mut z).unwrap();
    assert_eq!(z, [1.0, 0.0, 1.0]);
}

/// Bytes of what `auto` makes, over those of the matrix: 12 an entry and 8 a row.
#[test]
fn what_auto_makes_is_small_beside_the_matrix() {
    let flexible = Plan { method: Method::FlexibleCg, ..Plan::default() };
    let box_3d = Poisson::new(Grid::new_3d(30, 30, 30).unwrap(), [[Boundary::DIRICHLET; 2]; 3]).unwrap();
    let cases = [
        (Plan::default(), Stencil::from(box_3d).to_csr().unwrap().0),
        (flexible, grid_laplacian(150, 130, |_, _| 1.0, 1.0)),
        (flexible, grid_laplacian(150, 130, |i, j| 10f64.powi((i * 31 + j * 17) as i32 % 5 - 2), 1.0)),
        (flexible, elasticity(60, 50, 1.0).0),
        (Plan::default(), convection(260, 250, 2.0)),
    ];
    for (plan, a) in cases {
        let matrix = (12 * a.nonzeros() + 8 * a.rows()) as f64;
        let solver = plan.set_up(&Matrix::from_sparse(a), Stop::default()).unwrap();
        let bytes = solver.complexity().expect("a hierarchy").bytes as f64;
        assert!(bytes <= 1.6 * matrix, "{:.2}: {}", bytes / matrix, solver.reason());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Graphs without geometry, conductances over decades, nodes numbered at random.
    #[test]
    fn random_graphs_are_solved(n in 2usize..1500, seed in any::<u64>(), kind in 0usize..3) {
        let a = random_graph(n, seed);
        let chosen = match kind {
            0 => options(Smoother::GaussSeidel, Cycle::V, Coarsening::Smoothed, 1),
            1 => options(Smoother::L1Jacobi, Cycle::W, Coarsening::Smoothed, 1),
            _ => options(Smoother::GaussSeidel, Cycle::K, Coarsening::Plain, 1),
        };
        let report = solve(&a, &Amg::new(&a, chosen).unwrap(), 1e-8);
        prop_assert_eq!(report.status, Status::Converged);
        prop_assert!(report.steps <= 90, "{} steps", report.steps);
    }
}
