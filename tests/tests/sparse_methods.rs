//! Sparse matrices of every class under every method, preconditioners and factorisations too, and the status or the error
//! each must return.

use resolvent::compose::Constants;
use resolvent::direct::{Analysis, SparseCholesky, SparseLdlt, SparseLu};
use resolvent::ordering::{Permutation, nested_dissection};
use resolvent::precond::Jacobi;
use resolvent::{
    Bicgstab, Boundary, Cg, Csr, Error, Fgmres, FlexibleCg, Gmres, Grid, Host, LinearOperator, Lsqr, Map,
    Minres, Operator, Poisson, Properties, Refinement, Report, Status, Stencil, Stop,
};
use resolvent_tests::matrices::{convection, grid_laplacian};
use resolvent_tests::noise;

const METHODS: [&str; 12] = [
    "cg",
    "cg+jacobi",
    "fcg",
    "minres",
    "minres+jacobi",
    "gmres",
    "gmres+jacobi",
    "fgmres+jacobi",
    "bicgstab",
    "lsqr",
    "cholesky",
    "lu",
];

/// A class: its name, the matrix, a right-hand side, and what each of [`METHODS`] returns.
struct Class {
    name: &'static str,
    a: Csr<f64>,
    b: Vec<f64>,
    /// Constants are its null space, and the operator says so.
    constants: bool,
    expected: [&'static str; 12],
}

/// Symmetric, with eigenvalues of both signs.
fn indefinite(n: usize) -> Csr<f64> {
    let a = grid_laplacian(n, n, |_, _| 1.0, 1.0);
    let mut entries = Vec::new();
    for i in 0..a.rows() {
        let (c, v) = a.row(i);
        c.iter().zip(v).for_each(|(c, v)| entries.push((i as u32, *c, *v)));
        entries.push((i as u32, i as u32, -1.1));
    }
    Csr::from_triplets(a.rows(), a.rows(), &entries).unwrap().assume(Properties::SYMMETRIC)
}

/// A product with noise: a right-hand side that can be reached.
fn reached(a: &Csr<f64>) -> Vec<f64> {
    let mut b = vec![0.0; a.rows()];
    a.apply(&Host::<f64>::new(), &noise::<f64>(a.cols(), 3), &mut b).unwrap();
    b
}

fn with_diagonal(a: &Csr<f64>, f: impl Fn(usize) -> f64) -> Csr<f64> {
    let mut entries = Vec::new();
    for i in 0..a.rows() {
        let (c, v) = a.row(i);
        c.iter().zip(v).for_each(|(c, v)| entries.push((i as u32, *c, f(i) * v * f(*c as usize))));
    }
    Csr::from_triplets(a.rows(), a.rows(), &entries).unwrap().assume(a.properties())
}

fn classes() -> Vec<Class> {
    let definite = grid_laplacian(12, 10, |_, _| 1.0, 1.0);
    let semidefinite = grid_laplacian(12, 10, |_, _| 1.0, 0.0);
    let skewed = convection(12, 10, 2.0);
    let tall = Csr::from_triplets(
        90,
        40,
        &(0..360)
            .map(|e| ((e / 4) as u32, (e * 17 % 40) as u32, f64::from((e * 31 % 13) as u32) - 6.0))
            .collect::<Vec<_>>(),
    )
    .unwrap();
    let class = |name, a: &Csr<f64>, b: Vec<f64>, expected| Class {
        name,
        a: a.clone(),
        b,
        constants: false,
        expected,
    };
    let ok = "converged";
    let p = "property";
    let n = definite.rows();
    let claimless = semidefinite.clone().assume(Properties::SYMMETRIC);
    vec![
        class("definite", &definite, noise(n, 1), [ok; 12]),
        Class {
            constants: true,
            ..class(
                "semidefinite",
                &semidefinite,
                reached(&semidefinite),
                [ok, ok, ok, ok, ok, ok, ok, ok, ok, ok, "pivot", "any"],
            )
        },
        Class {
            constants: true,
            ..class(
                "semidefinite, inconsistent",
                &semidefinite,
                noise(n, 1),
                [
                    "inconsistent",
                    "inconsistent",
                    "inconsistent",
                    "inconsistent",
                    "inconsistent",
                    "inconsistent",
                    "inconsistent",
                    "inconsistent",
                    "inconsistent",
                    "least_squares",
                    "pivot",
                    "any",
                ],
            )
        },
        class(
            "singular, consistent",
            &claimless,
            reached(&claimless),
            [p, p, p, ok, ok, ok, ok, ok, ok, ok, "pivot", "any"],
        ),
        class(
            "singular, inconsistent",
            &claimless,
            noise(n, 1),
            [
                p,
                p,
                p,
                "inconsistent",
                "stagnated",
                "inconsistent",
                "stagnated",
                "stagnated",
                "any",
                "least_squares",
                "pivot",
                "any",
            ],
        ),
        class(
            "indefinite",
            &indefinite(11),
            noise(121, 1),
            [p, p, p, ok, ok, ok, ok, ok, "any", ok, "pivot", ok],
        ),
        class("not symmetric", &skewed, noise(n, 1), [p, p, p, p, p, ok, ok, ok, ok, ok, "any", ok]),
        class(
            "rectangular",
            &tall,
            noise(90, 1),
            [p, p, p, p, p, "length", "length", "length", "length", "least_squares", "length", "length"],
        ),
        class(
            "rectangular, consistent",
            &tall,
            reached(&tall),
            [p, p, p, p, p, "length", "length", "length", "length", ok, "length", "length"],
        ),
        // The least residual that f64 allows is above the target.
        class(
            "nearly singular",
            &grid_laplacian(12, 10, |_, _| 1.0, 1e-9),
            noise(n, 1),
            [
                "stagnated",
                "stagnated",
                "stagnated",
                "any",
                "any",
                "stagnated",
                "stagnated",
                "stagnated",
                "any",
                "any",
                "stagnated",
                "stagnated",
            ],
        ),
        class(
            "badly scaled",
            &with_diagonal(&definite, |i| 10f64.powi((i % 7) as i32 - 3)),
            noise(n, 1),
            ["any", ok, "any", "any", ok, "any", ok, ok, "any", "any", ok, ok],
        ),
    ]
}

fn name(result: Result<Report, Error>) -> &'static str {
    match result {
        Ok(report) => {
            let within = report.true_residual <= report.target;
            assert_eq!(report.status == Status::Converged, within, "{report:?}");
            report.status.name()
        }
        Err(Error::Property { .. }) => "property",
        Err(Error::Length { .. }) => "length",
        Err(Error::Pivot { .. }) => "pivot",
        Err(Error::Singular { .. }) => "singular",
        Err(other) => panic!("{other}"),
    }
}

fn run(method: &str, class: &Class) -> Result<Report, Error> {
    let (space, n) = (Host::<f64>::new(), class.a.rows());
    let wrapped = Constants::new(class.a.clone());
    let a: &dyn LinearOperator<Host<f64>> = if class.constants { &wrapped } else { &class.a };
    let stop = Stop { max_steps: 2000, ..Stop::rtol(1e-9) };
    let (b, mut x) = (&class.b[..], vec![0.0; class.a.cols()]);
    let jacobi = || Jacobi::new(&space, &class.a.diagonal());
    match method {
        "cg" => Cg::unpreconditioned(&space, n, stop)?.solve(&space, a, None, b, &mut x),
        "cg+jacobi" if !a.properties().admits_cg() => {
            Cg::new(&space, n, stop)?.solve(&space, a, None, b, &mut x)
        }
        "cg+jacobi" => Cg::new(&space, n, stop)?.solve(&space, a, Some(&jacobi()?), b, &mut x),
        "fcg" => FlexibleCg::new(&space, n, stop)?.solve(&space, a, None, b, &mut x),
        "minres+jacobi" if a.properties().symmetric => {
            Minres::new(&space, n, stop)?.solve(&space, a, Some(&jacobi()?), b, &mut x)
        }
        "minres" | "minres+jacobi" => Minres::new(&space, n, stop)?.solve(&space, a, None, b, &mut x),
        "gmres+jacobi" if a.shape().is_square() => {
            Gmres::with_restart(&space, n, stop, 150)?.solve(&space, a, Some(&jacobi()?), b, &mut x)
        }
        "gmres" | "gmres+jacobi" => {
            Gmres::with_restart(&space, n, stop, 150)?.solve(&space, a, None, b, &mut x)
        }
        "fgmres+jacobi" if a.shape().is_square() => {
            Fgmres::with_restart(&space, n, stop, 150)?.solve(&space, a, Some(&jacobi()?), b, &mut x)
        }
        "fgmres+jacobi" => Fgmres::with_restart(&space, n, stop, 150)?.solve(&space, a, None, b, &mut x),
        "bicgstab" => Bicgstab::new(&space, n, stop)?.solve(&space, a, None, b, &mut x),
        "lsqr" => Lsqr::new(&space, a.shape(), stop)?.solve(&space, a, b, &mut x),
        "cholesky" => {
            let m = SparseCholesky::new(&class.a)?;
            Refinement::new(&space, n, stop)?.solve(&space, a, Some(&m), b, &mut x)
        }
        "lu" => {
            let m = SparseLu::new(&class.a)?;
            Refinement::new(&space, n, stop)?.solve(&space, a, Some(&m), b, &mut x)
        }
        other => panic!("{other}"),
    }
}

#[test]
fn every_method_says_what_the_table_says() {
    let mut wrong = String::new();
    for class in classes() {
        for (method, expected) in METHODS.iter().zip(class.expected) {
            let got = name(run(method, &class));
            // Rounding decides; whatever it says must agree with the true residual, which `name` checks.
            if expected != "any" && got != expected {
                wrong += &format!("{method} on {}: {got}, not {expected}\n", class.name);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

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
    let (one, two) = (indefinite(30), with_diagonal(&indefinite(30), |i| 1.0 + 0.1 * (i % 3) as f64));
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
