//! Every method × every class of system: the status, or the error, each must return, and whether that is true.
//!
//! The table in the documentation of `resolvent::krylov` is drawn from this one. On failure the whole of it is printed.

use faer::Mat;
use resolvent::compose::{Constants, NullSpace};
use resolvent::direct::{SparseCholesky, SparseLdlt, SparseLu};
use resolvent::precond::Jacobi;
use resolvent::{
    Bicgstab, BlockCg, Cg, Csr, DeflatedCg, Error, Fgmres, FlexibleCg, Gmres, Host, Hybrid, LinearOperator,
    Lsqr, Map, Minres, Price, Properties, Refinement, Report, Result, Status, Stop,
};
use resolvent_tests::matrices::{convection, grid_laplacian, indefinite, scaled};
use resolvent_tests::{noise, plain};

/// Unknowns of the classes that are known by their spectrum.
const N: usize = 40;

/// What is known of a null space.
enum Null {
    Nothing,
    Constants,
    Vectors(Vec<Vec<f64>>),
}

/// A class: its matrix, what is known of its null space, a right-hand side, and when to stop.
struct Class {
    name: &'static str,
    a: Csr<f64>,
    null: Null,
    b: Vec<f64>,
    stop: Stop,
}

impl Class {
    fn operator(&self) -> Box<dyn LinearOperator<Host<f64>> + '_> {
        match &self.null {
            Null::Nothing => Box::new(&self.a),
            Null::Constants => Box::new(Constants::new(&self.a)),
            Null::Vectors(v) => {
                let v: Vec<&[f64]> = v.iter().map(Vec::as_slice).collect();
                Box::new(NullSpace::new(&Host::<f64>::new(), &self.a, &v).unwrap())
            }
        }
    }
}

/// A full matrix, stored by rows.
fn full(rows: usize, cols: usize, f: impl Fn(usize, usize) -> f64) -> Csr<f64> {
    let entries: Vec<_> =
        (0..rows * cols).map(|e| ((e / cols) as u32, (e % cols) as u32, f(e / cols, e % cols))).collect();
    Csr::from_triplets(rows, cols, &entries).unwrap()
}

/// QDQᵀ for a random orthogonal Q, made exactly symmetric; with Q.
fn symmetric(eigenvalues: &[f64]) -> (Csr<f64>, Mat<f64>) {
    let n = eigenvalues.len();
    let v = noise::<f64>(n * n, 1);
    let q = Mat::from_fn(n, n, |i, j| v[i * n + j]).qr().compute_Q();
    let d = Mat::from_fn(n, n, |i, j| if i == j { eigenvalues[i] } else { 0.0 });
    let a = &q * d * q.transpose();
    (full(n, n, |i, j| 0.5 * (a[(i, j)] + a[(j, i)])).assume(Properties::SYMMETRIC), q)
}

/// Eigenvalues from 1 to 5, the first of which `special` replaces.
fn spectrum(special: &[f64]) -> Vec<f64> {
    let rest = (special.len()..N).map(|i| 1.0 + i as f64 / 10.0);
    special.iter().copied().chain(rest).collect()
}

fn times(a: &dyn LinearOperator<Host<f64>>, x: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; a.shape().rows];
    a.apply(&Host::new(), x, &mut y).unwrap();
    y
}

/// Classes known by their spectrum, or full of noise.
fn full_classes() -> Vec<Class> {
    let stop = Stop { max_steps: 5000, ..Stop::rtol(1e-8) };
    let class = |name, a: &Csr<f64>, null, b| Class { name, a: a.clone(), null, b, stop };
    let (b, v) = (noise::<f64>(N, 2), noise::<f64>(N * N, 3));
    let half = noise::<f64>(N / 2, 2);
    let definite = symmetric(&spectrum(&[])).0.assume(Properties::SPD);
    let (semidefinite, q) = symmetric(&spectrum(&[0.0, 0.0]));
    let semidefinite = semidefinite.assume(Properties::SEMIDEFINITE);
    let reached = times(&semidefinite, &b);
    let known = || Null::Vectors((0..2).map(|j| (0..N).map(|i| q[(i, j)]).collect()).collect());
    let mixed = symmetric(&spectrum(&[-3.0, -2.0, -1.0])).0;
    let skewed = full(N, N, |i, j| v[i * N + j] / 8.0 + if i == j { 3.0 } else { 0.0 });
    let wide = full(N / 2, N, |i, j| v[i * N + j]);
    let tall = full(N, N / 2, |i, j| v[i * N + j]);
    let singular = symmetric(&spectrum(&[0.0, 0.0, -1.0])).0;
    let in_range = times(&singular, &b);
    let near = symmetric(&spectrum(&[1e-6])).0.assume(Properties::SPD);
    let bad = full(N, N, |i, j| {
        let scale = |i: usize| 10f64.powi(i as i32 % 4 - 2);
        scale(i) * scale(j) * if i == j { 2.0 } else { 1.0 / (2.0 * N as f64) }
    });
    vec![
        class("SPD", &definite, Null::Nothing, b.clone()),
        class("semidefinite", &semidefinite, known(), reached),
        class("semidefinite, inconsistent", &semidefinite, known(), b.clone()),
        class("indefinite", &mixed, Null::Nothing, b.clone()),
        class("nonsymmetric", &skewed, Null::Nothing, b.clone()),
        class("wide", &wide, Null::Nothing, half),
        class("tall", &tall, Null::Nothing, b.clone()),
        class("singular, consistent", &singular, Null::Nothing, in_range),
        class("singular, inconsistent", &singular, Null::Nothing, b.clone()),
        class("nearly singular", &near, Null::Nothing, b.clone()),
        class("badly scaled", &bad.assume(Properties::SPD), Null::Nothing, b),
    ]
}

/// Classes of sparse matrices, most of them on a grid.
fn sparse_classes() -> Vec<Class> {
    let stop = Stop { max_steps: 2000, ..Stop::rtol(1e-9) };
    let class = |name, a: &Csr<f64>, null, b| Class { name, a: a.clone(), null, b, stop };
    let laplacian = |shift| grid_laplacian(12, 10, |_, _| 1.0, shift);
    let (definite, semidefinite) = (laplacian(1.0), laplacian(0.0));
    let singular = semidefinite.clone().assume(Properties::SYMMETRIC);
    let entry = |e: u32| (e / 4, e * 17 % 40, f64::from(e * 31 % 13) - 6.0);
    let tall = Csr::from_triplets(90, 40, &(0..360).map(entry).collect::<Vec<_>>()).unwrap();
    let reached = |a: &Csr<f64>| times(a, &noise::<f64>(a.cols(), 3));
    let b = noise::<f64>(definite.rows(), 1);
    let bad = scaled(&definite, |i| 10f64.powi((i % 7) as i32 - 3));
    vec![
        class("SPD, grid", &definite, Null::Nothing, b.clone()),
        class("semidefinite, grid", &semidefinite, Null::Constants, reached(&semidefinite)),
        class("semidefinite, inconsistent, grid", &semidefinite, Null::Constants, b.clone()),
        class("indefinite, grid", &indefinite(11), Null::Nothing, noise(121, 1)),
        class("nonsymmetric, grid", &convection(12, 10, 2.0), Null::Nothing, b.clone()),
        class("tall, consistent", &tall, Null::Nothing, reached(&tall)),
        class("tall, sparse", &tall, Null::Nothing, noise(90, 1)),
        class("singular, consistent, grid", &singular, Null::Nothing, reached(&singular)),
        class("singular, inconsistent, grid", &singular, Null::Nothing, b.clone()),
        // The least residual that f64 allows is above the target.
        class("nearly singular, grid", &laplacian(1e-9), Null::Nothing, b.clone()),
        class("badly scaled, grid", &bad, Null::Nothing, b),
    ]
}

/// `+J`: preconditioned by the diagonal. `Window`: flexible conjugate gradients that keep three directions and lose patience.
/// `Hybrid`: with what the diagonal proposes besides, always asked. The factorisations are refined.
const METHODS: [&str; 18] = [
    "Cg", "Cg+J", "FlexCg", "Window+J", "Hybrid+J", "DeflCg", "BlockCg", "Minres", "Minres+J", "Gmres",
    "Gmres+J", "Fgmres", "Fgmres+J", "Bicgstab", "Lsqr", "Cholesky", "Ldlt", "Lu",
];

fn solve(method: &str, class: &Class, x: &mut [f64]) -> Result<Report> {
    let (space, operator, b) = (Host::<f64>::new(), class.operator(), &class.b[..]);
    let (a, n, stop) = (&*operator, b.len(), class.stop);
    let refined = |m: &dyn LinearOperator<Host<f64>>, x: &mut [f64]| {
        Refinement::new(&space, n, stop)?.solve(&space, a, Some(m), b, x)
    };
    let jacobi = match class.a.shape().is_square() && method.ends_with("+J") {
        true => Some(Jacobi::new(&space, &class.a.diagonal())?),
        false => None,
    };
    let m = jacobi.as_ref().map(|m| m as &dyn LinearOperator<Host<f64>>);
    match method.trim_end_matches("+J") {
        "Cg" if m.is_some() => Cg::new(&space, n, stop)?.solve(&space, a, m, b, x),
        "Cg" => Cg::unpreconditioned(&space, n, stop)?.solve(&space, a, None, b, x),
        "FlexCg" => FlexibleCg::new(&space, n, stop)?.solve(&space, a, None, b, x),
        "Window" => {
            let mut cg = FlexibleCg::with_memory(&space, n, stop, 3)?.with_patience(50);
            cg.solve(&space, a, m.map(|m| m as _), b, x)
        }
        "Hybrid" => {
            let mut cg = Hybrid::new(&space, n, stop, Price::Given(0.0))?;
            cg.solve(&space, a, None, m.map(|m| m as _), b, x)
        }
        "DeflCg" => {
            let mut cg = DeflatedCg::new(&space, n, stop)?;
            let first = cg.solve(&space, a, None, b, &mut vec![0.0; x.len()])?;
            // What it learnt must not change how the next one ends.
            let second = cg.solve(&space, a, None, b, x)?;
            if class.is_decided() {
                assert_eq!(first.status.name(), second.status.name(), "{}", class.name);
            }
            Ok(second)
        }
        "BlockCg" => {
            let mut y = x.to_vec();
            Ok(BlockCg::new(&space, n, 2, stop)?.solve(&space, a, None, &[b, b], &mut [x, &mut y])?[1])
        }
        "Minres" => Minres::new(&space, n, stop)?.solve(&space, a, m, b, x),
        "Gmres" => Gmres::with_restart(&space, n, stop, n)?.solve(&space, a, m, b, x),
        "Fgmres" => Fgmres::with_restart(&space, n, stop, n)?.solve(&space, a, m.map(|m| m as _), b, x),
        "Bicgstab" => Bicgstab::new(&space, n, stop)?.solve(&space, a, None, b, x),
        "Lsqr" => Lsqr::new(&space, a.shape(), stop)?.solve(&space, a, b, x),
        "Cholesky" => refined(&SparseCholesky::new(&class.a)?, x),
        "Ldlt" => refined(&SparseLdlt::new(&class.a)?, x),
        "Lu" => refined(&SparseLu::new(&class.a)?, x),
        other => unreachable!("{other}"),
    }
}

/// How it ended in a word, after a look at whether it is true.
fn ending(method: &str, class: &Class) -> String {
    let mut x = vec![0.0; class.a.cols()];
    match solve(method, class, &mut x) {
        Err(Error::Property { .. }) => R.into(),
        Err(Error::Length { .. }) => X.into(),
        Err(Error::Pivot { .. }) => P.into(),
        Err(Error::Singular { .. }) => Z.into(),
        Err(other) => format!("{other:?}"),
        Ok(report) => {
            let r: Vec<f64> = times(&class.a, &x).iter().zip(&class.b).map(|(y, b)| b - y).collect();
            let (norm, residual) = (|v: &[f64]| plain::norm(v), plain::norm(&r));
            let mut g = vec![0.0; x.len()];
            class.a.apply_transpose(&Host::new(), &r, &mut g).unwrap();
            let at = format!("{method} on {}: {report:?}", class.name);
            assert!(
                (residual - report.true_residual).abs() <= 1e-6 * residual + 1e-13 * norm(&class.b),
                "{at}"
            );
            match report.status {
                Status::Converged => assert!(residual <= 1.001 * report.target, "{at}, {residual:e}"),
                Status::LeastSquares { .. } => {
                    let size = norm(class.a.values());
                    assert!(norm(&g) <= 1.001 * class.stop.rtol * size * residual, "{at}, {:e}", norm(&g));
                }
                _ => assert!(residual > report.target, "{at}"),
            }
            report.status.name().into()
        }
    }
}

const C: &str = "converged";
const I: &str = "inconsistent";
const L: &str = "least_squares";
const B: &str = "breakdown";
const S: &str = "stagnated";
const R: &str = "refused";
const X: &str = "not square";
const P: &str = "pivot";
const Z: &str = "singular";
/// Rounding decides; whatever is said must be true.
const A: &str = "any";

/// A row for each class, a column for each of [`METHODS`]. `refused`: [`Error::Property`]; `not square`: [`Error::Length`];
/// `pivot`: [`Error::Pivot`]; `singular`: [`Error::Singular`].
#[rustfmt::skip]
const TABLE: &[(&str, [&str; 18])] = &[
    // Cg, Cg+J, FlexCg, Window+J, Hybrid+J, DeflCg, BlockCg, Minres, Minres+J, Gmres, Gmres+J, Fgmres, Fgmres+J, Bicgstab, Lsqr, Cholesky, Ldlt, Lu
    ("SPD",                               [C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C]),
    ("semidefinite",                      [C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, A, A, A]),
    ("semidefinite, inconsistent",        [I, I, I, I, I, I, I, I, I, I, I, I, I, I, L, A, A, A]),
    ("indefinite",                        [R, R, R, R, R, R, R, C, C, C, C, C, C, C, C, P, C, C]),
    ("nonsymmetric",                      [R, R, R, R, R, R, R, R, R, C, C, C, C, C, C, A, A, C]),
    ("wide",                              [R, R, R, R, R, R, R, R, R, X, X, X, X, X, C, X, X, X]),
    ("tall",                              [R, R, R, R, R, R, R, R, R, X, X, X, X, X, L, X, X, X]),
    ("singular, consistent",              [R, R, R, R, R, R, R, C, C, C, C, C, C, C, C, P, A, A]),
    ("singular, inconsistent",            [R, R, R, R, R, R, R, I, S, I, S, I, S, B, L, P, A, A]),
    ("nearly singular",                   [C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C]),
    ("badly scaled",                      [C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C]),
    ("SPD, grid",                         [C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C]),
    ("semidefinite, grid",                [C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, P, A, A]),
    ("semidefinite, inconsistent, grid",  [I, I, I, I, I, I, I, I, I, I, I, I, I, I, L, P, A, A]),
    ("indefinite, grid",                  [R, R, R, R, R, R, R, C, C, C, C, C, C, A, C, P, C, C]),
    ("nonsymmetric, grid",                [R, R, R, R, R, R, R, R, R, C, C, C, C, C, C, A, A, C]),
    ("tall, consistent",                  [R, R, R, R, R, R, R, R, R, X, X, X, X, X, C, X, X, X]),
    ("tall, sparse",                      [R, R, R, R, R, R, R, R, R, X, X, X, X, X, L, X, X, X]),
    ("singular, consistent, grid",        [R, R, R, R, R, R, R, C, C, C, C, C, C, C, C, P, A, A]),
    ("singular, inconsistent, grid",      [R, R, R, R, R, R, R, I, S, I, S, I, S, A, L, P, A, A]),
    ("nearly singular, grid",             [S, S, S, A, A, A, A, A, A, S, S, S, S, A, A, S, A, S]),
    ("badly scaled, grid",                [A, C, A, A, A, A, A, A, C, A, C, A, C, A, A, C, A, C]),
];

impl Class {
    /// Whether rounding has no say in how deflated conjugate gradients end.
    fn is_decided(&self) -> bool {
        TABLE.iter().any(|(name, row)| *name == self.name && row[5] != A)
    }
}

#[test]
fn every_method_ends_every_class_as_it_must() {
    let (mut printed, mut same) =
        (format!("{:34}{}\n", "", METHODS.map(|m| format!("{m:>14}")).concat()), true);
    let classes: Vec<Class> = full_classes().into_iter().chain(sparse_classes()).collect();
    assert!(classes.iter().map(|c| c.name).eq(TABLE.iter().map(|(name, _)| *name)));
    for (class, (name, expected)) in classes.iter().zip(TABLE) {
        let found = METHODS.map(|method| ending(method, class));
        same &= found.iter().zip(expected).all(|(found, expected)| found == expected || *expected == A);
        printed += &format!("{name:34}{}\n", found.map(|f| format!("{f:>14}")).concat());
    }
    assert!(same, "what was found:\n{printed}");
}

#[test]
fn every_method_runs_on_any_space() {
    let rows =
        |r: usize| (0..N).map(move |c| if r == c { 3.0 } else { 1.0 / (1.0 + r.abs_diff(c) as f64).powi(2) });
    let a = plain::Dense::new((0..N).map(|r| rows(r).collect()).collect(), Properties::SPD);
    let (s, b, stop) = (plain::Space::<f64>::new(), noise::<f64>(N, 1), Stop::rtol(1e-10));
    let check = |name: &str, solve: &mut dyn FnMut(&mut Vec<f64>) -> Result<Report>| {
        let mut x = vec![0.0; N];
        let report = solve(&mut x).unwrap();
        assert_eq!(report.status, Status::Converged, "{name}: {report:?}");
        let r: Vec<f64> = a.times(&x).iter().zip(&b).map(|(y, b)| b - y).collect();
        assert!(plain::norm(&r) <= 1.01e-10 * plain::norm(&b), "{name}");
    };
    check("Minres", &mut |x| Minres::new(&s, N, stop)?.solve(&s, &a, None, &b, x));
    check("Gmres", &mut |x| Gmres::new(&s, N, stop)?.solve(&s, &a, None, &b, x));
    check("Fgmres", &mut |x| Fgmres::new(&s, N, stop)?.solve(&s, &a, None, &b, x));
    check("Bicgstab", &mut |x| Bicgstab::new(&s, N, stop)?.solve(&s, &a, None, &b, x));
    check("Lsqr", &mut |x| Lsqr::new(&s, a.shape(), stop)?.solve(&s, &a, &b, x));
    check("FlexibleCg", &mut |x| FlexibleCg::with_memory(&s, N, stop, 4)?.solve(&s, &a, Some(&a), &b, x));
    check("Hybrid", &mut |x| {
        Hybrid::new(&s, N, stop, Price::Given(0.0))?.solve(&s, &a, None, Some(&a), &b, x)
    });
    check("DeflatedCg", &mut |x| DeflatedCg::new(&s, N, stop)?.solve(&s, &a, None, &b, x));
    check("BlockCg", &mut |x| Ok(BlockCg::new(&s, N, 1, stop)?.solve(&s, &a, None, &[&b], &mut [x])?[0]));
}
