//! Sparse factorisations against the matrix they are of, their orders, and what each says of a matrix it cannot take.

use resolvent::direct::{Analysis, SparseCholesky, SparseLdlt, SparseLu};
use resolvent::ordering::{Permutation, nested_dissection};
use resolvent::{Boundary, Csr, Error, Grid, Host, LinearOperator, Operator, Poisson, Properties, Stencil};
use resolvent_tests::matrices::{convection, grid_laplacian, indefinite, scaled};
use resolvent_tests::noise;

/// A body in space is dissected, with less fill than minimum degree leaves.
#[test]
fn large_bodies_are_dissected() {
    let grid = Grid::new_3d(28, 28, 28).unwrap();
    let stencil = Stencil::from(Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3]).unwrap());
    let a = stencil.to_csr().unwrap().0.assume(Properties::SPD);
    let order = nested_dissection(&a).unwrap();
    let (chosen, degree) = (Analysis::new(&a).unwrap(), Analysis::with_minimum_degree(&a).unwrap());
    assert!(chosen.flops() < 0.9 * degree.flops(), "{:e} {:e}", chosen.flops(), degree.flops());
    assert_eq!(chosen.fill(), Analysis::with_order(&a, &order).unwrap().fill());
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(one.install(|| nested_dissection(&a).unwrap()), order);
    let (space, b) = (Host::<f64>::new(), noise::<f64>(a.rows(), 2));
    let (mut x, mut ax) = (vec![0.0; a.rows()], vec![0.0; a.rows()]);
    SparseCholesky::with_analysis(chosen, &a).unwrap().apply(&space, &b, &mut x).unwrap();
    a.apply(&space, &x, &mut ax).unwrap();
    assert!(ax.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-10));
    let short = Permutation::identity(3);
    assert!(matches!(Analysis::with_order(&a, &short), Err(Error::Length { .. })));
}

/// Factorisations against the matrix: A (A⁻¹ b) = b.
#[test]
fn factorisations_solve_and_take_new_values() {
    let space = Host::<f64>::new();
    let check = |a: &Csr<f64>, m: &dyn LinearOperator<Host<f64>>, transpose: bool| {
        let (b, mut x, mut ax) = (noise::<f64>(a.rows(), 8), vec![0.0; a.rows()], vec![0.0; a.rows()]);
        if transpose {
            m.apply_transpose(&space, &b, &mut x).unwrap();
            a.transpose().apply(&space, &x, &mut ax).unwrap();
        } else {
            m.apply(&space, &b, &mut x).unwrap();
            a.apply(&space, &x, &mut ax).unwrap();
        }
        let off = ax.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 1e-9, "{off:e}");
    };
    let (one, two) =
        (grid_laplacian(40, 31, |_, _| 1.0, 1.0), grid_laplacian(40, 31, |i, _| 1.0 + i as f64, 2.0));
    let mut cholesky = SparseCholesky::new(&one).unwrap();
    check(&one, &cholesky, false);
    cholesky.update_values(&two).unwrap();
    check(&two, &cholesky, true);
    assert!(cholesky.analysis().fill() > one.nonzeros() / 2 && cholesky.analysis().flops() > 1e4);
    let (one, two) = (indefinite(30), scaled(&indefinite(30), |i| 1.0 + 0.1 * (i % 3) as f64));
    let mut ldlt = SparseLdlt::new(&one).unwrap();
    check(&one, &ldlt, false);
    ldlt.update_values(&two).unwrap();
    check(&two, &ldlt, true);
    let (one, two) = (convection(30, 31, 2.0), convection(30, 31, 5.0));
    let mut lu = SparseLu::new(&one).unwrap();
    check(&one, &lu, false);
    check(&one, &lu, true);
    lu.update_values(&two).unwrap();
    check(&two, &lu, false);
    let other = grid_laplacian(31, 30, |_, _| 1.0, 1.0);
    assert!(matches!(lu.update_values(&other), Err(Error::Structure { .. })));
    assert!(matches!(ldlt.update_values(&other), Err(Error::Length { .. } | Error::Structure { .. })));
    // Rows 1 and 2 have one column between them.
    let short = Csr::from_triplets(3, 3, &[(0, 0, 1.0), (0, 1, 1.0), (1, 2, 1.0), (2, 2, 1.0)]).unwrap();
    match SparseLu::new(&short) {
        Err(Error::StructuralRank { rank: 2, size: 3, rows }) => assert_eq!(rows, [1, 2]),
        other => panic!("{:?}", other.map(|_| ())),
    }
    // The row of a negative pivot is that of the matrix.
    for (nx, ny, row) in [(40, 31, 3usize), (40, 31, 500), (40, 31, 1200), (200, 150, 21_000)] {
        let bad = grid_laplacian(nx, ny, |_, _| 1e-6, 1e-6);
        let mut entries = vec![(row as u32, row as u32, -5.0)];
        for i in 0..bad.rows() {
            bad.row(i).0.iter().zip(bad.row(i).1).for_each(|(c, v)| entries.push((i as u32, *c, *v)));
        }
        let bad = Csr::from_triplets(nx * ny, nx * ny, &entries).unwrap();
        match SparseCholesky::new(&bad) {
            Err(Error::Pivot { row: at, .. }) => assert_eq!(at, row),
            other => panic!("{:?}", other.map(|_| ())),
        }
    }
}
