//! Incomplete factorisations on matrices of many kinds.

use proptest::prelude::*;
use resolvent::ordering::{Permutation, reverse_cuthill_mckee};
use resolvent::precond::{IncompleteCholesky, IncompleteLu, IncompleteOptions, spai0};
use resolvent::{Bicgstab, Cg, Csr, Error, Gmres, Host, LinearOperator, Operator, Properties, Status, Stop};
use resolvent_tests::matrices::{convection, elasticity, grid_laplacian, random_graph};
use resolvent_tests::noise;

fn cg(a: &Csr<f64>, m: &dyn LinearOperator<Host<f64>>) -> usize {
    let (space, n) = (Host::<f64>::new(), a.rows());
    let (b, mut x) = (noise::<f64>(n, 2), vec![0.0; n]);
    let stop = Stop { max_steps: 3000, ..Stop::rtol(1e-8) };
    let report = Cg::new(&space, n, stop).unwrap().solve(&space, a, Some(m), &b, &mut x).unwrap();
    assert_eq!(report.status, Status::Converged, "{report:?}");
    report.steps
}

fn cholesky(a: &Csr<f64>, options: IncompleteOptions) -> IncompleteCholesky<f64> {
    IncompleteCholesky::new(a, options).unwrap()
}

#[test]
fn smaller_thresholds_take_fewer_steps() {
    let a = grid_laplacian(60, 50, |i, j| 1.0 + ((i * 7 + j * 3) % 10) as f64, 1.0);
    let plain = cg(&a, &cholesky(&a, IncompleteOptions::plain()));
    let mut before = (plain, 0);
    for threshold in [3e-2, 1e-2, 1e-3] {
        let m = cholesky(&a, IncompleteOptions::with_threshold(threshold));
        let steps = cg(&a, &m);
        assert!(steps < before.0 && m.nonzeros() > before.1, "{threshold}: {steps} after {before:?}");
        before = (steps, m.nonzeros());
    }
    assert!(3 * before.0 < plain, "{before:?} {plain}");
}

/// With all fill kept the factorisation is that of Cholesky.
#[test]
fn no_threshold_and_no_limit_is_exact() {
    let a = random_graph(120, 3);
    let options = {
        let mut o = IncompleteOptions::with_threshold(1e-300);
        o.fill = 120;
        o
    };
    let m = cholesky(&a, options);
    assert_eq!(m.shift(), 0.0);
    let (space, b) = (Host::<f64>::new(), noise::<f64>(120, 1));
    let (mut x, mut ax) = (vec![0.0; 120], vec![0.0; 120]);
    m.apply(&space, &b, &mut x).unwrap();
    a.apply(&space, &x, &mut ax).unwrap();
    assert!(ax.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-8));
}

#[test]
fn a_breakdown_is_shifted_away() {
    // Stiff bending: not an M-matrix.
    let (a, _) = elasticity(40, 8, 1e-3);
    let m = cholesky(&a, IncompleteOptions::with_threshold(5e-2));
    let steps = cg(&a, &m);
    assert!(steps < 1500, "{steps}");
    // A matrix with large couplings of both signs, definite all the same.
    let n = 40;
    let mut entries = Vec::new();
    for i in 0..n as u32 {
        entries.push((i, i, 4.1));
        for (d, v) in [(1u32, 2.6), (2, -0.9), (7, 1.2)] {
            if i + d < n as u32 {
                entries.extend([(i, i + d, v), (i + d, i, v)]);
            }
        }
    }
    let a = Csr::from_triplets(n, n, &entries).unwrap().assume(Properties::SYMMETRIC);
    let m = cholesky(&a, IncompleteOptions::with_threshold(0.5));
    assert!(m.shift() > 0.0);
}

#[test]
fn an_incomplete_lu_helps_what_is_not_symmetric() {
    let a = convection(60, 50, 4.0);
    let (space, n) = (Host::<f64>::new(), a.rows());
    let b = noise::<f64>(n, 4);
    let stop = Stop { max_steps: 2000, ..Stop::rtol(1e-9) };
    let m = IncompleteLu::<f32>::new(&a).unwrap();
    assert_eq!(m.shift(), 0.0);
    let run = |m: Option<&dyn LinearOperator<Host<f64>>>| {
        let mut x = vec![0.0; n];
        let stabilised = Bicgstab::new(&space, n, stop).unwrap().solve(&space, &a, m, &b, &mut x).unwrap();
        let mut x = vec![0.0; n];
        let mut gmres = Gmres::new(&space, n, stop).unwrap();
        let general = gmres.solve(&space, &a, m, &b, &mut x).unwrap();
        assert_eq!((stabilised.status, general.status), (Status::Converged, Status::Converged));
        [stabilised.steps, general.steps]
    };
    let (with, without) = (run(Some(&m)), run(None));
    assert!(2 * with[0] < without[0] && 2 * with[1] < without[1], "{with:?} {without:?}");
}

#[test]
fn an_order_saves_steps_on_a_mesh_numbered_at_random() {
    let a = grid_laplacian(60, 50, |_, _| 1.0, 1.0);
    let mut random: Vec<u32> = (0..3000).collect();
    let keys = noise::<f64>(3000, 11);
    random.sort_by(|i, j| keys[*i as usize].total_cmp(&keys[*j as usize]));
    let random = Permutation::new(random).unwrap();
    let a = a.permuted(&random, &random).unwrap();
    let order = reverse_cuthill_mckee(&a).unwrap();
    let ordered = IncompleteCholesky::<f64>::with_order(&a, &order, IncompleteOptions::plain()).unwrap();
    let (with, without) = (cg(&a, &ordered), cg(&a, &cholesky(&a, IncompleteOptions::plain())));
    assert!(5 * with < 4 * without, "{with} {without}");
    let mut bad = a.to_sprs();
    *bad.get_mut(70, 70).unwrap() = -1.0;
    let bad = Csr::from_sprs(&bad).unwrap().assume(Properties::SYMMETRIC);
    let refused = IncompleteCholesky::<f64>::with_order(&bad, &order, IncompleteOptions::plain());
    assert!(matches!(refused, Err(Error::Pivot { row: 70, .. })));
}

#[test]
fn every_pool_gives_the_same_bits() {
    let (a, b) = (convection(150, 140, 2.0), noise::<f64>(21_000, 3));
    let symmetric = grid_laplacian(150, 140, |_, _| 1.0, 1.0);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (mut z, mut y) = (vec![0.0; b.len()], vec![0.0; b.len()]);
            IncompleteLu::<f64>::new(&a).unwrap().apply(&Host::new(), &b, &mut z).unwrap();
            cholesky(&symmetric, IncompleteOptions::with_threshold(1e-2))
                .apply(&Host::new(), &b, &mut y)
                .unwrap();
            (z, y)
        })
    };
    let one = run(1);
    assert!(run(2) == one && run(4) == one);
}

#[test]
fn what_cannot_be_factorised_is_said() {
    let hollow = Csr::from_triplets(2, 2, &[(0, 1, 1.0), (1, 0, 1.0)]).unwrap();
    assert!(matches!(IncompleteLu::<f64>::new(&hollow), Err(Error::Pivot { row: 0, .. })));
    assert!(matches!(spai0(&Host::<f64>::new(), &hollow), Err(Error::Pivot { row: 0, .. })));
    let wide = Csr::from_triplets(1, 2, &[(0, 0, 1.0)]).unwrap();
    assert!(matches!(IncompleteLu::<f64>::new(&wide), Err(Error::Length { .. })));
    let a = grid_laplacian(4, 4, |_, _| 1.0, 1.0);
    for threshold in [-1.0, f64::NAN, 2.0] {
        let refused = IncompleteCholesky::<f64>::new(&a, IncompleteOptions::with_threshold(threshold));
        assert!(matches!(refused, Err(Error::Parameter { name: "threshold", .. })));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// A full pattern leaves nothing to drop.
    #[test]
    fn dense_patterns_are_factorised_exactly(n in 1usize..24, seed in any::<u64>()) {
        let v = noise::<f64>(n * n, seed);
        let entry = |i: usize, j: usize| if i == j { 2.0 * n as f64 } else { v[i * n + j] };
        let entries: Vec<_> =
            (0..n * n).map(|e| ((e / n) as u32, (e % n) as u32, entry(e / n, e % n))).collect();
        let a = Csr::from_triplets(n, n, &entries).unwrap();
        let m = IncompleteLu::<f64>::new(&a).unwrap();
        let (space, b) = (Host::<f64>::new(), noise::<f64>(n, 1));
        let (mut x, mut ax) = (vec![0.0; n], vec![0.0; n]);
        m.apply(&space, &b, &mut x).unwrap();
        a.apply(&space, &x, &mut ax).unwrap();
        prop_assert!(ax.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-10));
    }

    /// Whatever breaks down is mended by a shift, and the result is positive definite.
    #[test]
    fn thresholds_never_cost_definiteness(n in 2usize..200, seed in any::<u64>(), threshold in 1e-4f64..0.9) {
        let a = random_graph(n, seed);
        let m = cholesky(&a, IncompleteOptions::with_threshold(threshold));
        let (space, r, mut z) = (Host::<f64>::new(), noise::<f64>(n, 1), vec![0.0; n]);
        let product = m.apply_dot(&space, &r, &mut z).unwrap();
        prop_assert!(product > 0.0);
    }
}
