//! What any linear operator must be, by the entries of the matrix it stands for, in any space.

use crate::noise;
use faer::{Mat, Side};
use resolvent::{Error, LinearOperator, Positivity, Scalar, Shape, Space};

/// An operator under test, and its matrix. Each check panics with the name and what differs.
pub struct Entries<'a, S: Space> {
    /// Which operator, in which space.
    pub name: String,
    /// Where it works.
    pub space: &'a S,
    /// The operator.
    pub a: &'a dyn LinearOperator<S>,
    /// Its matrix.
    pub matrix: Mat<f64>,
    /// Its rounding, in units of that of a product with the matrix.
    pub rounding: f64,
}

impl<S: Space> Entries<'_, S> {
    fn shape(&self) -> Shape {
        Shape { rows: self.matrix.nrows(), cols: self.matrix.ncols() }
    }

    fn vector(&self, values: &[S::Scalar]) -> S::Buf {
        let mut v = self.space.zeros(values.len()).unwrap();
        self.space.upload(values, &mut v).unwrap();
        v
    }

    /// What nobody may read.
    fn unread(&self, n: usize) -> S::Buf {
        self.vector(&vec![S::Scalar::of(f64::NAN); n])
    }

    fn values(&self, v: &S::Slice) -> Vec<f64> {
        let mut values = vec![S::Scalar::of(0.0); self.space.len(v)];
        self.space.download(v, &mut values).unwrap();
        values.iter().map(|v| v.f64()).collect()
    }

    fn noise(&self, n: usize, seed: u64) -> (S::Buf, Vec<f64>) {
        let values = noise::<S::Scalar>(n, seed);
        (self.vector(&values), values.iter().map(|v| v.f64()).collect())
    }

    /// Mx and the scale of its rounding, for M the matrix or its transpose.
    fn times(&self, x: &[f64], transposed: bool) -> (Vec<f64>, Vec<f64>) {
        let Shape { rows, cols } = self.shape();
        let entry = |r: usize, c: usize| if transposed { self.matrix[(c, r)] } else { self.matrix[(r, c)] };
        let (rows, cols) = if transposed { (cols, rows) } else { (rows, cols) };
        // Parts of a composition cancel, so that a small entry may round like the largest.
        let largest = (0..rows).flat_map(|r| (0..cols).map(move |c| (r, c))).map(|(r, c)| entry(r, c).abs());
        let largest = largest.fold(1.0, f64::max) * x.iter().map(|x| x.abs()).sum::<f64>();
        let y = (0..rows).map(|r| (0..cols).map(|c| entry(r, c) * x[c]).sum()).collect();
        (y, vec![largest; rows])
    }

    fn close(&self, what: &str, got: &[f64], expected: &[f64], scale: &[f64]) {
        assert_eq!(got.len(), expected.len(), "{}: {what}", self.name);
        for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
            let allowed = self.rounding * S::Scalar::EPSILON * scale[i];
            // Not `>`: a NaN fails too.
            let within = (got - expected).abs() <= allowed;
            assert!(within, "{}: {what}: entry {i} is {got:e}, not {expected:e}", self.name);
        }
    }

    fn near(&self, what: &str, got: f64, x: &[f64], y: &[f64]) {
        let expected: f64 = x.iter().zip(y).map(|(x, y)| x * y).sum();
        let scale: f64 =
            x.iter().map(|x| x.abs()).sum::<f64>() * y.iter().fold(0.0, |m: f64, y| m.max(y.abs()));
        let within = (got - expected).abs() <= self.rounding * S::Scalar::EPSILON * scale;
        assert!(within, "{}: {what}: {got:e}, not {expected:e}", self.name);
    }

    /// Ax and Aᵀx, and that what the result held is not read.
    pub fn products(&self) {
        let Shape { rows, cols } = self.shape();
        assert_eq!(self.a.shape(), self.shape(), "{}", self.name);
        let ((x, u), mut y) = (self.noise(cols, 1), self.unread(rows));
        self.a.apply(self.space, &x, &mut y).unwrap();
        let (expected, scale) = self.times(&u, false);
        self.close("apply", &self.values(&y), &expected, &scale);
        let ((x, u), mut y) = (self.noise(rows, 2), self.unread(cols));
        self.a.apply_transpose(self.space, &x, &mut y).unwrap();
        let (expected, scale) = self.times(&u, true);
        self.close("apply_transpose", &self.values(&y), &expected, &scale);
    }

    /// The fused products, of a square operator.
    pub fn fused(&self) {
        let n = self.shape().rows;
        if !self.shape().is_square() {
            return;
        }
        let ((x, u), mut y) = (self.noise(n, 3), self.unread(n));
        let dot = self.a.apply_dot(self.space, &x, &mut y).unwrap();
        let (expected, scale) = self.times(&u, false);
        self.close("apply_dot", &self.values(&y), &expected, &scale);
        self.near("the product of apply_dot", dot, &u, &self.values(&y));
        for beta in [0.0, 0.7] {
            let ((z, u), (mut p, w), mut q) = (self.noise(n, 4), self.noise(n, 5), self.unread(n));
            if beta == 0.0 {
                p = self.unread(n);
            }
            let dot = self.a.update_apply_dot(self.space, &z, S::Scalar::of(beta), &mut p, &mut q).unwrap();
            let sum: Vec<f64> = u.iter().zip(&w).map(|(u, w)| u + beta * w).collect();
            let scale: Vec<f64> = u.iter().zip(&w).map(|(u, w)| u.abs() + w.abs()).collect();
            let p = self.values(&p);
            self.close("update_apply_dot, p", &p, &sum, &scale);
            let (expected, scale) = self.times(&p, false);
            self.close("update_apply_dot, q", &self.values(&q), &expected, &scale);
            self.near("update_apply_dot, p·q", dot, &p, &self.values(&q));
        }
    }

    /// What the operator claims is true of the matrix, by its eigenvalues.
    pub fn claims(&self) {
        let (n, claims) = (self.shape().rows, self.a.properties());
        if claims.symmetric {
            assert!(self.shape().is_square(), "{}", self.name);
            let largest = (0..n).map(|i| self.matrix[(i, i)].abs()).fold(1.0, f64::max);
            let allowed = self.rounding * S::Scalar::EPSILON * largest;
            let even = |r: usize, c: usize| (self.matrix[(r, c)] - self.matrix[(c, r)]).abs() <= allowed;
            assert!((0..n).all(|r| (0..r).all(|c| even(r, c))), "{}: symmetric?", self.name);
        }
        if claims.positivity == Positivity::Unknown {
            return;
        }
        let even = Mat::from_fn(n, n, |r, c| 0.5 * (self.matrix[(r, c)] + self.matrix[(c, r)]));
        let eigenvalues = even.self_adjoint_eigenvalues(Side::Lower).unwrap();
        let largest = eigenvalues.iter().fold(0.0, |m: f64, e| m.max(e.abs()));
        let zero = 1e-12 * largest.max(f64::MIN_POSITIVE);
        let sound = match claims.positivity {
            Positivity::Definite => eigenvalues.iter().all(|e| *e > zero),
            _ => eigenvalues.iter().all(|e| *e > -zero),
        };
        assert!(sound, "{}: {:?}? {eigenvalues:?}", self.name, claims.positivity);
        let nullity = eigenvalues.iter().filter(|e| e.abs() <= zero).count();
        self.projection(nullity);
    }

    /// P is the projection that removes the null space of a symmetric operator: PP = P, AP = A = PA, and its trace.
    fn projection(&self, nullity: usize) {
        let n = self.shape().rows;
        let project = |v: &[f64]| {
            let mut buffer = self.vector(&v.iter().map(|v| S::Scalar::of(*v)).collect::<Vec<_>>());
            self.a.project(self.space, &mut buffer).unwrap();
            self.values(&buffer)
        };
        let mut trace = 0.0;
        for i in 0..n {
            let unit: Vec<f64> = (0..n).map(|j| if i == j { 1.0 } else { 0.0 }).collect();
            let once = project(&unit);
            trace += once[i];
            self.close("project twice", &project(&once), &once, &vec![1.0; n]);
            let ((image, scale), whole) = (self.times(&once, false), self.times(&unit, false).0);
            self.close("A after a projection", &image, &whole, &scale);
            self.close("a projection after A", &project(&whole), &whole, &scale);
        }
        let expected = (n - nullity) as f64;
        assert!((trace - expected).abs() < 1e-3, "{}: the rank of project is {trace}", self.name);
    }

    /// Vectors of the wrong length are refused.
    pub fn lengths(&self) {
        let (Shape { rows, cols }, space) = (self.shape(), self.space);
        let refused = |result: resolvent::Result<()>| matches!(result, Err(Error::Length { .. }));
        let v = |n: usize| space.zeros(n).unwrap();
        for (longer, other) in [(1, 0), (0, 1)] {
            let (x, mut y) = (v(cols + longer), v(rows + other));
            assert!(refused(self.a.apply(space, &x, &mut y)), "{}", self.name);
            let (x, mut y) = (v(rows + longer), v(cols + other));
            assert!(refused(self.a.apply_transpose(space, &x, &mut y)), "{}: transpose", self.name);
        }
    }

    /// All of the above.
    pub fn all(&self) {
        self.products();
        self.fused();
        self.claims();
        self.lengths();
    }
}
