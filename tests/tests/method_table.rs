//! Every method × every class of system: the status, or the error, each must return.
//!
//! The table in the documentation of `resolvent::krylov` is this one. On failure the whole of it is printed.

use faer::Mat;
use resolvent::compose::NullSpace;
use resolvent::{
    Bicgstab, BlockCg, Cg, DeflatedCg, Dense, Error, Fgmres, FlexibleCg, Gmres, Host, LinearOperator, Lsqr,
    Map, Minres, Properties, Report, Result, Status, Stop,
};
use resolvent_tests::{noise, plain};

const N: usize = 40;

/// A class: its operator, with a right-hand side of its own.
struct Class {
    name: &'static str,
    a: Box<dyn LinearOperator<Host<f64>>>,
    b: Vec<f64>,
}

/// QDQᵀ for a random orthogonal Q, made exactly symmetric; with Q.
fn symmetric(eigenvalues: &[f64], seed: u64) -> (Dense<f64>, Mat<f64>) {
    let n = eigenvalues.len();
    let v = noise::<f64>(n * n, seed);
    let q = Mat::from_fn(n, n, |i, j| v[i * n + j]).qr().compute_Q();
    let d = Mat::from_fn(n, n, |i, j| if i == j { eigenvalues[i] } else { 0.0 });
    let a = &q * d * q.transpose();
    (Dense::from_fn(n, n, |i, j| 0.5 * (a[(i, j)] + a[(j, i)])).unwrap().checked_symmetric(), q)
}

fn times(a: &dyn LinearOperator<Host<f64>>, x: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; a.shape().rows];
    a.apply(&Host::new(), x, &mut y).unwrap();
    y
}

/// Eigenvalues from 1 to 5, the first of which `special` replaces.
fn spectrum(special: &[f64]) -> Vec<f64> {
    let rest = (special.len()..N).map(|i| 1.0 + i as f64 / 10.0);
    special.iter().copied().chain(rest).collect()
}

fn classes() -> Vec<Class> {
    let space = Host::<f64>::new();
    let column = |q: &Mat<f64>, j: usize| (0..N).map(|i| q[(i, j)]).collect::<Vec<_>>();
    let mut classes = Vec::new();
    let mut class = |name, a: Box<dyn LinearOperator<Host<f64>>>, b| classes.push(Class { name, a, b });

    let (a, _) = symmetric(&spectrum(&[]), 1);
    class("SPD", Box::new(a.assume(Properties::SPD)), noise(N, 2));

    let (a, q) = symmetric(&spectrum(&[0.0, 0.0]), 1);
    let b = times(&a, &noise(N, 2));
    let (u, v) = (column(&q, 0), column(&q, 1));
    let known = || {
        let a = symmetric(&spectrum(&[0.0, 0.0]), 1).0.assume(Properties::SEMIDEFINITE);
        NullSpace::new(&space, a, &[&u, &v]).unwrap()
    };
    class("semidefinite", Box::new(known()), b);
    class("semidefinite, inconsistent", Box::new(known()), noise(N, 2));

    let (a, _) = symmetric(&spectrum(&[-3.0, -2.0, -1.0]), 1);
    class("indefinite", Box::new(a), noise(N, 2));

    let v = noise::<f64>(N * N, 3);
    let entry = |i: usize, j: usize| v[i * N + j] / 8.0 + if i == j { 3.0 } else { 0.0 };
    class("nonsymmetric", Box::new(Dense::from_fn(N, N, entry).unwrap()), noise(N, 2));

    let wide = Dense::from_fn(N / 2, N, |i, j| v[i * N + j]).unwrap();
    class("wide", Box::new(wide), noise(N / 2, 2));
    let tall = Dense::from_fn(N, N / 2, |i, j| v[i * N + j]).unwrap();
    class("tall", Box::new(tall), noise(N, 2));

    // Nobody knows the null space.
    let (a, _) = symmetric(&spectrum(&[0.0, 0.0, -1.0]), 1);
    let b = times(&a, &noise(N, 2));
    class("singular, consistent", Box::new(a.clone()), b);
    class("singular, inconsistent", Box::new(a), noise(N, 2));

    let (a, _) = symmetric(&spectrum(&[1e-6]), 1);
    class("nearly singular", Box::new(a.assume(Properties::SPD)), noise(N, 2));

    let a = Dense::from_fn(N, N, |i, j| {
        let scale = |i: usize| 10f64.powi(i as i32 % 4 - 2);
        scale(i) * scale(j) * if i == j { 2.0 } else { 1.0 / (2.0 * N as f64) }
    });
    class("badly scaled", Box::new(a.unwrap().assume(Properties::SPD)), noise(N, 2));
    classes
}

const METHODS: [&str; 9] =
    ["Cg", "FlexibleCg", "DeflatedCg", "BlockCg", "Minres", "Gmres", "Fgmres", "Bicgstab", "Lsqr"];

fn solve(method: &str, a: &dyn LinearOperator<Host<f64>>, b: &[f64], x: &mut [f64]) -> Result<Report> {
    let (space, n) = (Host::<f64>::new(), b.len());
    let stop = Stop { max_steps: 5000, ..Stop::rtol(1e-8) };
    match method {
        "Cg" => Cg::new(&space, n, stop)?.solve(&space, a, None, b, x),
        "FlexibleCg" => FlexibleCg::new(&space, n, stop)?.solve(&space, a, None, b, x),
        "DeflatedCg" => {
            let mut cg = DeflatedCg::new(&space, n, stop)?;
            let first = cg.solve(&space, a, None, b, &mut vec![0.0; x.len()])?;
            // What it learnt must not change how the next one ends.
            let second = cg.solve(&space, a, None, b, x)?;
            assert_eq!(first.status.name(), second.status.name());
            Ok(second)
        }
        "BlockCg" => {
            let mut y = x.to_vec();
            Ok(BlockCg::new(&space, n, 2, stop)?.solve(&space, a, None, &[b, b], &mut [x, &mut y])?[1])
        }
        "Minres" => Minres::new(&space, n, stop)?.solve(&space, a, None, b, x),
        "Gmres" => Gmres::with_restart(&space, n, stop, N)?.solve(&space, a, None, b, x),
        "Fgmres" => Fgmres::with_restart(&space, n, stop, N)?.solve(&space, a, None, b, x),
        "Bicgstab" => Bicgstab::new(&space, n, stop)?.solve(&space, a, None, b, x),
        "Lsqr" => Lsqr::new(&space, a.shape(), stop)?.solve(&space, a, b, x),
        other => unreachable!("{other}"),
    }
}

/// How it ended in a word, after a look at whether it is true.
fn ending(method: &str, class: &Class) -> String {
    let mut x = vec![0.0; class.a.shape().cols];
    match solve(method, &class.a, &class.b, &mut x) {
        Err(Error::Property { .. }) => "refused".into(),
        Err(Error::Length { .. }) => "not square".into(),
        Err(other) => format!("{other:?}"),
        Ok(report) => {
            let r: Vec<f64> = times(&class.a, &x).iter().zip(&class.b).map(|(y, b)| b - y).collect();
            let norm = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
            let (residual, mut g) = (norm(&r), vec![0.0; x.len()]);
            class.a.apply_transpose(&Host::new(), &r, &mut g).unwrap();
            let at = format!("{method} on {}: {report:?}", class.name);
            assert!(
                (residual - report.true_residual).abs() <= 1e-6 * residual + 1e-13 * norm(&class.b),
                "{at}"
            );
            match report.status {
                Status::Converged => assert!(residual <= 1.001 * report.target, "{at}, {residual:e}"),
                Status::LeastSquares { .. } => assert!(norm(&g) <= 1e-6 * residual, "{at}, {:e}", norm(&g)),
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
const R: &str = "refused";
const X: &str = "not square";

/// A row for each class, a column for each of [`METHODS`]. `refused`: [`Error::Property`]; `not square`: [`Error::Length`].
#[rustfmt::skip]
const TABLE: &[(&str, [&str; 9])] = &[
    // Cg, FlexibleCg, DeflatedCg, BlockCg, Minres, Gmres, Fgmres, Bicgstab, Lsqr
    ("SPD",                         [C, C, C, C, C, C, C, C, C]),
    ("semidefinite",                [C, C, C, C, C, C, C, C, C]),
    ("semidefinite, inconsistent",  [I, I, I, I, I, I, I, I, L]),
    ("indefinite",                  [R, R, R, R, C, C, C, C, C]),
    ("nonsymmetric",                [R, R, R, R, R, C, C, C, C]),
    ("wide",                        [R, R, R, R, R, X, X, X, C]),
    ("tall",                        [R, R, R, R, R, X, X, X, L]),
    ("singular, consistent",        [R, R, R, R, C, C, C, C, C]),
    ("singular, inconsistent",      [R, R, R, R, I, I, I, B, L]),
    ("nearly singular",             [C, C, C, C, C, C, C, C, C]),
    ("badly scaled",                [C, C, C, C, C, C, C, C, C]),
];

#[test]
fn every_method_ends_every_class_as_it_must() {
    let classes = classes();
    let found: Vec<(&str, Vec<String>)> =
        classes.iter().map(|c| (c.name, METHODS.iter().map(|m| ending(m, c)).collect())).collect();
    let mut printed = format!("{:28}{}\n", "", METHODS.map(|m| format!("{m:>16}")).concat());
    for (name, row) in &found {
        printed += &format!("{name:28}{}\n", row.iter().map(|s| format!("{s:>16}")).collect::<String>());
    }
    let same = found.len() == TABLE.len()
        && found
            .iter()
            .zip(TABLE)
            .all(|((name, row), (expected, statuses))| name == expected && row == statuses);
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
    check("DeflatedCg", &mut |x| DeflatedCg::new(&s, N, stop)?.solve(&s, &a, None, &b, x));
    check("BlockCg", &mut |x| Ok(BlockCg::new(&s, N, 1, stop)?.solve(&s, &a, None, &[&b], &mut [x])?[0]));
}
