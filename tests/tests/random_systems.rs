//! Random systems, fair and hostile: `Converged` is only said of a residual that plain loops confirm.

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use proptest::prelude::*;
use resolvent::{Cg, Csr, Error, Host, Properties, Report, Status, Stop};
use resolvent_tests::plain::{self, Dense};

type Entries = Vec<(u32, u32, f64)>;

fn solve(a: &Csr<f64>, b: &[f64], x: &mut [f64], rtol: f64) -> Report {
    let space = Host::<f64>::new();
    let stop = Stop { max_steps: 2000, ..Stop::rtol(rtol) };
    Cg::unpreconditioned(&space, b.len(), stop).unwrap().solve(&space, a, None, b, x).unwrap()
}

/// `Converged` means a plain residual within the target, up to the rounding of the two sums.
fn honest(a: &Csr<f64>, b: &[f64], x: &[f64], report: &Report) -> Result<(), TestCaseError> {
    if report.status == Status::Converged {
        let residual = plain::residual(a, x, b);
        let largest = a.values().iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let rounding = 1e-13 * (largest * plain::norm(x) * a.rows() as f64 + plain::norm(b));
        prop_assert!(residual <= report.target + rounding, "{residual:e} above {:e}", report.target);
    }
    Ok(())
}

/// n and up to 4n couplings (row, column, value) off the diagonal.
fn couplings() -> impl Strategy<Value = (usize, Entries)> {
    (1usize..60).prop_flat_map(|n| {
        let entry = (0..n as u32, 0..n as u32, -2.0..2.0f64);
        (Just(n), prop::collection::vec(entry, 0..4 * n))
    })
}

fn vector(n: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-1.0..1.0f64, n)
}

/// Symmetric, with diagonals `shift` above the sum of the couplings, rows and columns scaled by powers of ten.
fn dominant() -> impl Strategy<Value = (Csr<f64>, Vec<f64>)> {
    (couplings(), 0.01..1.0f64).prop_flat_map(|((n, entries), shift)| {
        (prop::collection::vec(-2i32..3, n), vector(n)).prop_map(move |(powers, b)| {
            let mut all = Entries::new();
            for &(r, c, v) in entries.iter().filter(|e| e.0 != e.1) {
                let scale = 10f64.powi(powers[r as usize] + powers[c as usize]);
                let own = |i: u32| v.abs() * 10f64.powi(2 * powers[i as usize]);
                all.extend([(r, c, v * scale), (c, r, v * scale), (r, r, own(r)), (c, c, own(c))]);
            }
            all.extend((0..n).map(|i| (i as u32, i as u32, shift * 10f64.powi(2 * powers[i]))));
            (Csr::from_triplets(n, n, &all).unwrap(), b)
        })
    })
}

/// GᵀG + shift.
fn gram() -> impl Strategy<Value = (Csr<f64>, Vec<f64>)> {
    (couplings(), 0.05..2.0f64).prop_flat_map(|((n, entries), shift)| {
        vector(n).prop_map(move |b| {
            let mut g = vec![vec![0.0; n]; n];
            entries.iter().for_each(|(r, c, v)| g[*r as usize][*c as usize] = *v);
            let mut all = Entries::new();
            for r in 0..n {
                for c in 0..n {
                    let sum: f64 = g.iter().map(|row| row[r] * row[c]).sum();
                    all.push((r as u32, c as u32, sum + if r == c { shift } else { 0.0 }));
                }
            }
            (Csr::from_triplets(n, n, &all).unwrap(), b)
        })
    })
}

/// Cg agrees with a Cholesky factorisation.
fn agrees(a: &Csr<f64>, b: &[f64]) -> Result<(), TestCaseError> {
    let n = b.len();
    let a = a.clone().checked_symmetric(1e-12);
    prop_assert!(resolvent::Map::properties(&a).symmetric);
    let a = a.assume(Properties::SPD);
    let (mut x, rtol) = (vec![0.0; n], 1e-10);
    let report = solve(&a, b, &mut x, rtol);
    prop_assert_eq!(report.status, Status::Converged, "{:?}", report);
    honest(&a, b, &x, &report)?;
    let dense = Dense::from_csr(&a).to_faer();
    let exact = dense.llt(Side::Lower).unwrap().solve(Mat::from_fn(n, 1, |i, _| b[i]));
    let error: Vec<f64> = (0..n).map(|i| x[i] - exact[(i, 0)]).collect();
    // ‖x − x*‖ ≤ ‖A⁻¹‖ ‖r‖.
    let smallest = dense.self_adjoint_eigenvalues(Side::Lower).unwrap()[0];
    let bound = 1.1 * report.target / smallest + 1e-9 * plain::norm(&x);
    prop_assert!(plain::norm(&error) <= bound, "{:e} above {:e}", plain::norm(&error), bound);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn dominant_systems_are_solved((a, b) in dominant()) {
        agrees(&a, &b)?;
    }

    #[test]
    fn gram_systems_are_solved((a, b) in gram()) {
        agrees(&a, &b)?;
    }

    /// Symmetric of any sign, said to be positive definite.
    #[test]
    fn an_indefinite_matrix_is_never_called_solved_when_it_is_not(
        ((n, entries), diagonal, b) in couplings().prop_flat_map(|(n, e)| (Just((n, e)), vector(n), vector(n)))
    ) {
        let mut all: Entries = entries.iter().flat_map(|&(r, c, v)| [(r, c, v), (c, r, v)]).collect();
        all.extend((0..n).map(|i| (i as u32, i as u32, 3.0 * diagonal[i])));
        let a = Csr::from_triplets(n, n, &all).unwrap().assume(Properties::SPD);
        let mut x = vec![0.0; n];
        let report = solve(&a, &b, &mut x, 1e-8);
        honest(&a, &b, &x, &report)?;
        prop_assert!(!matches!(report.status, Status::NonFinite | Status::Inconsistent { .. }), "{report:?}");
    }

    /// Of no symmetry, said to be positive definite.
    #[test]
    fn a_matrix_without_symmetry_is_never_called_solved_when_it_is_not(
        ((n, entries), b) in couplings().prop_flat_map(|(n, e)| (Just((n, e)), vector(n)))
    ) {
        let mut all = entries;
        all.extend((0..n).map(|i| (i as u32, i as u32, 2.0)));
        let a = Csr::from_triplets(n, n, &all).unwrap();
        let space = Host::<f64>::new();
        let mut cg = Cg::new(&space, n, Stop::default()).unwrap();
        let refused = cg.solve(&space, &a, None, &b, &mut vec![0.0; n]);
        let is_refused = matches!(refused, Err(Error::Property { .. }));
        prop_assert!(is_refused, "{refused:?}");
        let a = a.assume(Properties::SPD);
        let mut x = vec![0.0; n];
        let report = solve(&a, &b, &mut x, 1e-8);
        honest(&a, &b, &x, &report)?;
    }

    /// Laplacians of graphs: singular, consistent or not.
    #[test]
    fn a_singular_matrix_is_never_called_solved_when_it_is_not(
        ((n, entries), b, consistent) in couplings().prop_flat_map(|(n, e)| (Just((n, e)), vector(n), any::<bool>()))
    ) {
        let mut all = Entries::new();
        for &(r, c, v) in entries.iter().filter(|e| e.0 != e.1) {
            let v = v.abs();
            all.extend([(r, c, -v), (c, r, -v), (r, r, v), (c, c, v)]);
        }
        let a = Csr::from_triplets(n, n, &all).unwrap();
        let b = if consistent { Dense::from_csr(&a).times(&b) } else { b };
        let mut x = vec![0.0; n];
        for claim in [Properties::SPD, Properties::SEMIDEFINITE] {
            let report = solve(&a.clone().assume(claim), &b, &mut x, 1e-8);
            honest(&a, &b, &x, &report)?;
            // A residual below the part of b along the constants would be a lie.
            let outside = b.iter().sum::<f64>().abs() / (n as f64).sqrt();
            if outside > 1e-6 * plain::norm(&b) {
                prop_assert_ne!(report.status, Status::Converged);
            }
            x.fill(0.0);
        }
    }

    #[test]
    fn numbers_that_are_not_finite_are_found(
        (a, b) in dominant(), at in any::<prop::sample::Index>(),
        bad in prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY])
    ) {
        let (n, a) = (b.len(), a.assume(Properties::SPD));
        let mut wrong = b.clone();
        wrong[at.index(n)] = bad;
        let mut x = vec![0.0; n];
        prop_assert_eq!(solve(&a, &wrong, &mut x, 1e-8).status, Status::NonFinite);
        let mut start = vec![0.0; n];
        start[at.index(n)] = bad;
        prop_assert_eq!(solve(&a, &vec![1.0; n], &mut start, 1e-8).status, Status::NonFinite);
        let mut values = a.values().to_vec();
        let index = at.index(values.len());
        values[index] = bad;
        let made = Csr::new(n, n, a.offsets().to_vec(), a.columns().to_vec(), values);
        let found = matches!(made, Err(Error::Value { index: i, .. }) if i == index);
        prop_assert!(found, "{made:?}");
    }

    /// Entries so large or so small that squares leave the range of f64.
    #[test]
    fn extreme_scales_are_never_called_solved_when_they_are_not(
        (a, b) in dominant(), left in -290i32..290, right in -290i32..290
    ) {
        let scale = |v: &[f64], power: i32| -> Vec<f64> { v.iter().map(|v| v * 10f64.powi(power)).collect() };
        let n = b.len();
        let values = scale(a.values(), left);
        let a = Csr::new(n, n, a.offsets().to_vec(), a.columns().to_vec(), values).unwrap().assume(Properties::SPD);
        let b = scale(&b, right);
        let mut x = vec![0.0; n];
        let report = solve(&a, &b, &mut x, 1e-8);
        if report.status == Status::Converged {
            let (residual, b) = (plain::residual(&a, &x, &b), plain::norm(&b));
            prop_assert!(residual <= 1.001e-8 * b, "{residual:e} of {b:e}: {report:?}");
        }
    }
}
