//! Operators made of operators, and the preconditioners that are ones, against the entries of their matrices: every one × every
//! space × ragged sizes.

use faer::{Mat, Side};
use resolvent::compose::{Constants, Equilibration, NullSpace};
use resolvent::precond::{Chebyshev, ChebyshevOptions, IncompleteCholesky, IncompleteOptions, Jacobi};
use resolvent::{
    Assume, Cast, Csr, Dense, Diagonal, Gram, Host, Identity, IdentityMinus, LinearOperator, Map, Product,
    Properties, Scalar, Scaled, Shifted, Space, Sum, Transpose,
};
use resolvent_tests::entries::Entries;
use resolvent_tests::{matrices, noise, plain};

/// A space, and what a matrix is there.
trait Home: Space + Sized {
    const NAME: &'static str;
    type Matrix: LinearOperator<Self>;
    fn matrix(a: &Mat<f64>, properties: Properties) -> Self::Matrix;
}

impl Home for Host<f64> {
    const NAME: &'static str = "the host, f64";
    type Matrix = Dense<f64>;
    fn matrix(a: &Mat<f64>, properties: Properties) -> Dense<f64> {
        Dense::from_mat(a.clone()).unwrap().assume(properties)
    }
}

impl Home for Host<f32> {
    const NAME: &'static str = "the host, f32";
    type Matrix = Csr<f32>;
    fn matrix(a: &Mat<f64>, properties: Properties) -> Csr<f32> {
        sparse(a, |v| v as f32).assume(properties)
    }
}

impl<T: Scalar> Home for plain::Space<T> {
    const NAME: &'static str = "plain loops";
    type Matrix = plain::Dense<T>;
    fn matrix(a: &Mat<f64>, properties: Properties) -> plain::Dense<T> {
        let row = |r: usize| (0..a.ncols()).map(|c| T::of(a[(r, c)])).collect();
        plain::Dense::new((0..a.nrows()).map(row).collect(), properties)
    }
}

fn sparse<T: Scalar>(a: &Mat<f64>, of: impl Fn(f64) -> T) -> Csr<T> {
    let (rows, cols) = (a.nrows(), a.ncols());
    let entry = |e: usize| ((e / cols) as u32, (e % cols) as u32, of(a[(e / cols, e % cols)]));
    Csr::from_triplets(rows, cols, &(0..rows * cols).map(entry).collect::<Vec<_>>()).unwrap()
}

/// Noise that f32 holds.
fn random(rows: usize, cols: usize, seed: u64) -> Mat<f64> {
    let v = noise::<f32>(rows * cols, seed);
    Mat::from_fn(rows, cols, |r, c| f64::from(v[r * cols + c]))
}

fn identity(n: usize) -> Mat<f64> {
    Mat::identity(n, n)
}

/// Symmetric, with a diagonal that outweighs its rows.
fn definite(n: usize, seed: u64) -> Mat<f64> {
    let a = random(n, n, seed);
    let even = |r: usize, c: usize| if r < c { a[(r, c)] } else { a[(c, r)] };
    Mat::from_fn(n, n, |r, c| if r == c { 4.0 * n as f64 + a[(r, r)] } else { even(r, c) })
}

/// The graph Laplacian of a path with one edge more: constants are its null space.
fn laplacian(n: usize) -> Mat<f64> {
    let mut a = Mat::zeros(n, n);
    for (i, j) in (1..n).map(|i| (i - 1, i)).chain([(0, n - 1)]).filter(|(i, j)| i != j) {
        a[(i, i)] += 1.5;
        a[(j, j)] += 1.5;
        a[(i, j)] -= 1.5;
        a[(j, i)] -= 1.5;
    }
    a
}

fn conforms<S: Home>(space: &S, name: &str, a: &dyn LinearOperator<S>, matrix: Mat<f64>, rounding: f64) {
    let name = format!("{name}, {}×{}, {}", matrix.nrows(), matrix.ncols(), S::NAME);
    Entries { name, space, a, matrix, rounding }.all();
}

const SIZES: [(usize, usize); 5] = [(1, 1), (2, 3), (7, 4), (33, 17), (40, 41)];

/// Every composition of operators of a space; `m` × `n` where it need not be square, else n × n.
fn compositions<S: Home>(space: &S, (m, n): (usize, usize)) {
    let (tall, other, wide) = (random(m, n, 1), random(m, n, 2), random(n, m, 3));
    let (square, spd, more) = (random(n, n, 4), definite(n, 5), definite(n, 6));
    let free = |a: &Mat<f64>| S::matrix(a, Properties::NONE);
    let known = |a: &Mat<f64>| S::matrix(a, Properties::SPD);
    let rounding = 16.0 + 4.0 * (m + n) as f64;
    let check = |name: &str, a: &dyn LinearOperator<S>, matrix: Mat<f64>| {
        conforms(space, name, a, matrix, rounding);
    };
    check("matrix", &free(&tall), tall.clone());
    check("definite matrix", &known(&spd), spd.clone());
    check("transpose", &Transpose(free(&tall)), tall.transpose().to_owned());
    check("transpose of a definite one", &Transpose(known(&spd)), spd.clone());
    check("sum", &Sum::new(space, free(&tall), free(&other)).unwrap(), &tall + &other);
    check("sum of definite ones", &Sum::new(space, known(&spd), known(&more)).unwrap(), &spd + &more);
    check("sum of two kinds", &Sum::new(space, free(&square), known(&more)).unwrap(), &square + &more);
    for s in [0.75, -0.5, 0.0] {
        check("shift", &Shifted::new(free(&square), s).unwrap(), &square + identity(n) * faer::Scale(s));
        check("definite shift", &Shifted::new(known(&spd), s).unwrap(), &spd + identity(n) * faer::Scale(s));
    }
    for c in [2.5, -1.5] {
        check("scaling", &Scaled::new(c, free(&tall)).unwrap(), &tall * faer::Scale(c));
        check("definite scaling", &Scaled::new(c, known(&spd)).unwrap(), &spd * faer::Scale(c));
    }
    check("scaling by zero", &Scaled::new(0.0, known(&spd)).unwrap(), Mat::zeros(n, n));
    check("Gram", &Gram::new(space, free(&tall)).unwrap(), tall.transpose() * &tall);
    check(
        "Gram of the transpose",
        &Gram::new(space, Transpose(free(&tall))).unwrap(),
        &tall * tall.transpose(),
    );
    check("identity", &Identity::new(n), identity(n));
    check("identity minus", &IdentityMinus::new(free(&square)).unwrap(), identity(n) - &square);
    check("identity minus a definite one", &IdentityMinus::new(known(&spd)).unwrap(), identity(n) - &spd);
    let relaxation = IdentityMinus::new(Scaled::new(0.25, free(&square)).unwrap()).unwrap();
    check("identity minus a scaling", &relaxation, identity(n) - &square * faer::Scale(0.25));
    check("product", &Product::new(space, free(&tall), free(&wide)).unwrap(), &tall * &wide);
    check("claim", &Assume::new(free(&spd), Properties::SPD), spd.clone());
    check(
        "box of a sum",
        &(Box::new(Sum::new(space, &free(&tall), &free(&other)).unwrap()) as Box<_>),
        &tall + &other,
    );
}

/// What knows a null space, alone and inside.
fn singular<S: Home>(space: &S, n: usize) {
    let l = laplacian(n);
    let inner = || S::matrix(&l, Properties::SEMIDEFINITE);
    let rounding = 16.0 + 8.0 * n as f64;
    let check = |name: &str, a: &dyn LinearOperator<S>, matrix: Mat<f64>| {
        conforms(space, name, a, matrix, rounding);
    };
    check("constants", &Constants::new(inner()), l.clone());
    check("scaled constants", &Scaled::new(3.0, Constants::new(inner())).unwrap(), &l * faer::Scale(3.0));
    check(
        "shifted constants",
        &Shifted::new(Constants::new(inner()), 0.5).unwrap(),
        &l + identity(n) * faer::Scale(0.5),
    );
    check("transposed constants", &Transpose(Constants::new(inner())), l.clone());
    let definite = definite(n, 7);
    let sum = Sum::new(space, Constants::new(inner()), S::matrix(&definite, Properties::SPD)).unwrap();
    check("constants and a definite one", &sum, &l + &definite);
    if n > 1 {
        let mut ones = space.zeros(n).unwrap();
        space.fill(S::Scalar::of(2.0), &mut ones).unwrap();
        check("null space", &NullSpace::new(space, inner(), &[&ones]).unwrap(), l.clone());
    }
}

/// Diagonals, and what is made of a diagonal.
fn diagonals<S: Home>(space: &S, n: usize) {
    let entries: Vec<f64> = (0..n).map(|i| 0.25 + (i % 5) as f64).collect();
    let of = |v: &[f64]| v.iter().map(|v| S::Scalar::of(*v)).collect::<Vec<_>>();
    let matrix = |f: &dyn Fn(usize) -> f64| Mat::from_fn(n, n, |r, c| if r == c { f(r) } else { 0.0 });
    let check =
        |name: &str, a: &dyn LinearOperator<S>, matrix: Mat<f64>| conforms(space, name, a, matrix, 64.0);
    check("diagonal", &Diagonal::new(space, &of(&entries)).unwrap(), matrix(&|i| entries[i]));
    let signed: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { 1.5 } else { -0.5 }).collect();
    check("diagonal of both signs", &Diagonal::new(space, &of(&signed)).unwrap(), matrix(&|i| signed[i]));
    check("Jacobi", &Jacobi::new(space, &of(&entries)).unwrap(), matrix(&|i| 1.0 / entries[i]));
    let scale = |i: usize| 2f64.powi(i as i32 % 7 - 3);
    let even = definite(n, 8);
    let uneven = Mat::from_fn(n, n, |r, c| even[(r, c)] * scale(r) * scale(c));
    let scales: Vec<f64> = (0..n).map(|i| 1.0 / scale(i)).collect();
    let scaling = Equilibration::new(space, &scales, &scales).unwrap();
    let rounding = 16.0 + 8.0 * n as f64;
    let inner = S::matrix(&uneven, Properties::SPD);
    conforms(space, "equilibrated", &scaling.on(inner).unwrap(), even, rounding);
}

/// The polynomial on every eigenvector, from what is known of Chebyshev's: with λ an eigenvalue of D⁻¹A and k the degree,
/// 1 − λ p(λ) = T(k+1)((θ − λ)/δ) / T(k+1)(θ/δ).
fn polynomials<S: Home>(space: &S, n: usize) {
    let a = definite(n, 9);
    let root: Vec<f64> = (0..n).map(|i| a[(i, i)].sqrt()).collect();
    let scaled = Mat::from_fn(n, n, |r, c| a[(r, c)] / (root[r] * root[c]));
    let eigen = scaled.self_adjoint_eigen(Side::Lower).unwrap();
    let (lambda, u) = (eigen.S(), eigen.U());
    let largest = 1.1 * lambda[n - 1];
    let diagonal: Vec<S::Scalar> = (0..n).map(|i| S::Scalar::of(a[(i, i)])).collect();
    for degree in [0, 1, 4] {
        let mut options = ChebyshevOptions::default();
        (options.degree, options.ratio, options.largest) = (degree, 8.0, Some(largest));
        let m = Chebyshev::new(space, S::matrix(&a, Properties::SPD), &diagonal, options).unwrap();
        let [low, high] = m.interval();
        let (theta, delta) = (0.5 * (low + high), 0.5 * (high - low));
        let t = |x: f64| (1..=degree).fold((1.0, x), |(before, now), _| (now, 2.0 * x * now - before)).1;
        let p = |l: f64| (1.0 - t((theta - l) / delta) / t(theta / delta)) / l;
        let inner = Mat::from_fn(n, n, |i, j| p(lambda[j]) * u[(i, j)]) * u.transpose();
        let matrix = Mat::from_fn(n, n, |r, c| inner[(r, c)] / (root[r] * root[c]));
        conforms(space, &format!("Chebyshev of degree {degree}"), &m, matrix, 64.0 + 8.0 * n as f64);
    }
}

fn everything<S: Home>(space: &S) {
    for size in SIZES {
        compositions(space, size);
        singular(space, size.1);
        diagonals(space, size.1);
        polynomials(space, size.1);
    }
}

#[test]
fn every_composition_conforms_on_the_host() {
    everything(&Host::<f64>::new());
    everything(&Host::<f32>::new());
}

#[test]
fn every_composition_conforms_in_plain_loops() {
    everything(&plain::Space::<f64>::new());
    everything(&plain::Space::<f32>::new());
}

#[test]
fn operators_of_lower_precision_conform() {
    let space = Host::<f64>::new();
    // Rounding is that of f32.
    let coarse = |n: usize| f64::from(f32::EPSILON) / f64::EPSILON * (16.0 + 4.0 * n as f64);
    for (m, n) in SIZES {
        let (tall, spd) = (random(m, n, 1), definite(n, 5));
        let cast = Cast::new(<Host<f32> as Home>::matrix(&tall, Properties::NONE)).unwrap();
        conforms(&space, "cast", &cast, tall, coarse(m + n));
        let cast = Cast::new(<Host<f32> as Home>::matrix(&spd, Properties::SPD)).unwrap();
        assert_eq!(cast.properties(), Properties::SPD);
        // The matrix was rounded, so it is no longer symmetric to the last bit of f64.
        let rounded = Mat::from_fn(n, n, |r, c| f64::from(spd[(r, c)] as f32));
        conforms(&space, "definite cast", &cast, rounded, coarse(2 * n));
    }
}

/// Without fill to drop, on a tree, incomplete factorisations are complete; elsewhere they are symmetric and positive, and
/// modified ones keep the row sums of the matrix.
#[test]
fn incomplete_factorisations_conform() {
    let space = Host::<f64>::new();
    for n in [1, 2, 7, 33] {
        let path = Mat::from_fn(n, n, |r, c| match r.abs_diff(c) {
            0 => 2.5 + (r % 3) as f64,
            1 => -1.0,
            _ => 0.0,
        });
        let entries: Vec<_> =
            (0..n * n).map(|e| (e / n, e % n)).filter(|(r, c)| path[(*r, *c)] != 0.0).collect();
        let entries: Vec<_> = entries.into_iter().map(|(r, c)| (r as u32, c as u32, path[(r, c)])).collect();
        let a = Csr::from_triplets(n, n, &entries).unwrap();
        let inverse = faer::linalg::solvers::DenseSolveCore::inverse(&path.partial_piv_lu());
        for options in [IncompleteOptions::plain(), IncompleteOptions::default()] {
            let m = IncompleteCholesky::<f64>::new(&a, options).unwrap();
            conforms(&space, "incomplete factors of a path", &m, inverse.clone(), 64.0 + 8.0 * n as f64);
        }
    }
    for (nx, ny) in [(3, 2), (7, 5), (11, 6)] {
        let (n, a) = (nx * ny, matrices::grid_laplacian(nx, ny, |i, _| 1.0 + (i % 3) as f64, 1.0));
        let mut options = IncompleteOptions::default();
        (options.relaxation, options.safety) = (1.0, 0.0);
        for options in [IncompleteOptions::plain(), IncompleteOptions::default(), options] {
            let m = IncompleteCholesky::<f64>::new(&a, options).unwrap();
            let matrix = resolvent_tests::spectrum::matrix::<f64>(&m);
            conforms(&space, "incomplete factors of a grid", &m, matrix, 1e3);
            let (mut sums, mut ones) = (vec![0.0; n], vec![0.0; n]);
            if options.relaxation == 1.0 {
                resolvent::Operator::apply(&a, &space, &vec![1.0; n], &mut sums).unwrap();
                resolvent::Operator::apply(&m, &space, &sums, &mut ones).unwrap();
                assert!(ones.iter().all(|v| (v - 1.0).abs() < 1e-10), "{nx}×{ny}: {ones:?}");
            }
        }
    }
}
