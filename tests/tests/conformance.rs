//! Every structured operator against plain loops: each kind × ragged grids × every boundary × f32 and f64.

use resolvent::{Csr, Host, LinearOperator, Map, Operator, Positivity, Properties, Stencil};
use resolvent_tests::cases::cases;
use resolvent_tests::check::Subject;
use resolvent_tests::plain::{self, Dense};
use resolvent_tests::{noise, spectrum};

#[test]
fn every_operator_conforms_in_f64() {
    for case in cases() {
        Subject::<f64>::new(&case, &case.stencil).all();
        Subject::<f64>::new(&case, case.stencil.double()).product();
    }
}

#[test]
fn every_operator_conforms_in_f32() {
    for case in cases() {
        Subject::<f32>::new(&case, &*case.single).all();
    }
}

#[test]
fn which_cells_take_part_and_what_is_singular_agree_with_the_plain_reference() {
    for case in cases() {
        let active = case.plain.active();
        assert_eq!(case.stencil.active(), active.iter().filter(|on| **on).count(), "{}", case.name);
        assert!((0..active.len()).all(|c| case.stencil.is_active(c) == active[c]), "{}", case.name);
        let (part, grounded) = case.plain.parts();
        let floating = (0..active.len()).any(|c| part[c] == c && active[c] && !grounded[c]);
        assert_eq!(case.stencil.is_singular(), floating, "{}", case.name);
        assert_eq!(case.single.properties(), case.stencil.properties(), "{}", case.name);
        let dense = case.plain.dense();
        let diagonal = case.stencil.diagonal();
        assert!((0..active.len()).all(|c| close(diagonal[c], dense[c][c])), "{}", case.name);
    }
}

/// A claim of definiteness must be that of the eigenvalues, also where parts without a prescribed value lie beside others.
#[test]
fn claims_of_definiteness_are_true() {
    let mut seen = [0; 2];
    for case in cases().iter().filter(|c| c.plain.grid.cells() <= 60) {
        let eigenvalues = spectrum::eigenvalues(&spectrum::matrix::<f64>(&case.stencil));
        let largest = eigenvalues.last().copied().unwrap_or(0.0);
        let zero = eigenvalues.iter().filter(|e| e.abs() <= 1e-12 * largest).count();
        assert_eq!(zero, case.plain.nullity(), "{}: {eigenvalues:?}", case.name);
        let definite = case.stencil.properties().positivity == Positivity::Definite;
        assert_eq!(definite, zero == 0, "{}", case.name);
        seen[usize::from(definite)] += 1;
    }
    assert!(seen[0] > 100 && seen[1] > 100, "{seen:?}");
}

#[test]
fn the_matrix_of_a_stencil_has_the_entries_of_the_plain_reference() {
    for case in cases().iter().filter(|c| c.plain.grid.cells() <= 561) {
        let (matrix, cells) = case.stencil.to_csr().unwrap();
        assert_eq!(matrix.rows(), case.stencil.active(), "{}", case.name);
        assert_eq!(matrix.nonzeros(), case.stencil.nonzeros(), "{}", case.name);
        let dense = case.plain.dense();
        let mut number = vec![None; dense.len()];
        cells.iter().enumerate().for_each(|(r, c)| number[*c as usize] = Some(r));
        for (c, row) in dense.iter().enumerate() {
            for (other, value) in row.iter().enumerate() {
                let got = number[c].zip(number[other]).map_or(0.0, |(r, s)| matrix.get(r, s));
                assert!(close(got, *value), "{}: ({c}, {other}) is {got}, not {value}", case.name);
            }
        }
        assert!(matrix.is_symmetric(1e-14), "{}", case.name);
    }
}

#[test]
fn a_matrix_is_recognised_as_the_operator_it_came_from() {
    // Two cells on a ring are neighbours twice, which a box without rings says with one stronger coupling.
    for case in cases().iter().filter(|c| !c.is_periodic()) {
        let (matrix, cells) = case.stencil.to_csr().unwrap();
        let again = Stencil::from_csr(case.plain.grid, &matrix, &cells)
            .unwrap_or_else(|e| panic!("{}: {e}", case.name));
        assert_eq!(again.active(), case.stencil.active(), "{}", case.name);
        let mut subject = Subject::<f64>::new(case, &again);
        subject.ignores_inactive &= matches!(again, Stencil::Flags(_));
        subject.product();
        subject.product_with_dot();
        subject.update();
        let kind = |a: &Stencil| std::mem::discriminant(a);
        let large = case.plain.grid.n()[..case.plain.grid.dim()].iter().all(|n| *n >= 3);
        if large && matches!(case.stencil, Stencil::Poisson(_)) {
            assert_eq!(kind(&again), kind(&case.stencil), "{}", case.name);
        }
    }
}

#[test]
fn a_sparse_matrix_conforms_to_the_dense_one() {
    let space = Host::<f64>::new();
    for case in cases().iter().filter(|c| c.plain.grid.cells() <= 561) {
        let (matrix, _) = case.stencil.to_csr().unwrap();
        let n = matrix.rows();
        let (dense, x, z) = (Dense::from_csr(&matrix), noise::<f64>(n, 1), noise::<f64>(n, 2));
        let (expected, mut y) = (dense.times(&x), vec![f64::NAN; n]);
        matrix.apply(&space, &x, &mut y).unwrap();
        assert!(near(&y, &expected), "{}", case.name);
        let mut t = vec![f64::NAN; n];
        matrix.apply_transpose(&space, &x, &mut t).unwrap();
        assert_eq!(t, y, "{}", case.name);
        let dot = matrix.apply_dot(&space, &x, &mut t).unwrap();
        assert_eq!(t, y, "{}", case.name);
        assert!(
            (dot - plain::dot(&x, &y)).abs() <= 1e-12 * plain::norm(&x) * plain::norm(&y),
            "{}",
            case.name
        );
        let (mut p, mut q) = (vec![f64::NAN; n], vec![f64::NAN; n]);
        matrix.update_apply_dot(&space, &z, 0.0, &mut p, &mut q).unwrap();
        assert_eq!(p, z, "{}", case.name);
        assert!(near(&q, &dense.times(&z)), "{}", case.name);
    }
}

#[test]
fn a_matrix_without_symmetry_has_its_own_transpose() {
    let rows: Vec<Vec<f64>> = (0..23).map(|r| noise(23, r)).collect();
    let entries: Vec<_> = (0..23u32)
        .flat_map(|r| (0..23u32).map(move |c| (r, c)))
        .filter(|(r, c)| (r + 2 * c) % 3 != 1)
        .map(|(r, c)| (r, c, rows[r as usize][c as usize]))
        .collect();
    let a = Csr::from_triplets(23, 23, &entries).unwrap();
    assert_eq!(a.properties(), Properties::NONE);
    let (dense, transposed) = (Dense::from_csr(&a), Dense::from_csr(&a.transpose()));
    let x = noise::<f64>(23, 99);
    let mut y = vec![f64::NAN; 23];
    a.apply_transpose(&Host::new(), &x, &mut y).unwrap();
    assert!(near(&y, &transposed.times(&x)));
    let other: Vec<f64> = (0..23).map(|c| (0..23).map(|r| dense.rows()[r][c] * x[r]).sum::<f64>()).collect();
    assert!(near(&y, &other));
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-14 * (a.abs() + b.abs())
}

fn near(a: &[f64], b: &[f64]) -> bool {
    let difference: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    plain::norm(&difference) <= 1e-13 * plain::norm(b)
}
