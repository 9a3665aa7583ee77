//! What every operator must be, checked on vectors of noise. Each check panics with the case and what differs.

use crate::cases::Case;
use crate::{noise, plain};
use resolvent::{Error, Host, LinearOperator, Positivity, Scalar};

/// An operator under test.
pub struct Subject<'a, T: Scalar> {
    /// The case it comes from.
    pub case: &'a Case,
    /// The operator.
    pub a: &'a dyn LinearOperator<Host<T>>,
    /// Whether it promises not to look at a vector's entries in cells that take no part, NaN included.
    pub ignores_inactive: bool,
    /// Which cells carry an unknown.
    active: Vec<bool>,
}

impl<'a, T: Scalar> Subject<'a, T> {
    /// Of a case, in one precision.
    pub fn new(case: &'a Case, a: &'a dyn LinearOperator<Host<T>>) -> Self {
        Self { case, a, ignores_inactive: case.ignores_inactive(), active: case.plain.active() }
    }

    fn n(&self) -> usize {
        self.active.len()
    }

    fn fail(&self, what: &str, detail: impl std::fmt::Display) -> ! {
        panic!("{} in {}: {what}: {detail}", self.case.name, T::NAME)
    }

    /// Noise; 0 in cells that take no part.
    fn clean(&self, seed: u64) -> Vec<T> {
        let v = noise::<T>(self.n(), seed);
        v.into_iter().zip(&self.active).map(|(v, on)| if *on { v } else { T::of(0.0) }).collect()
    }

    /// Noise; NaN where the operator promises not to look.
    fn dirty(&self, seed: u64) -> Vec<T> {
        let v = self.clean(seed);
        let rubbish = if self.ignores_inactive { T::nan() } else { T::of(0.0) };
        v.into_iter().zip(&self.active).map(|(v, on)| if *on { v } else { rubbish }).collect()
    }

    fn apply(&self, x: &[T]) -> Vec<T> {
        let mut y = vec![T::nan(); self.n()];
        self.a.apply(&Host::new(), x, &mut y).unwrap_or_else(|e| self.fail("apply", e));
        y
    }

    fn close(&self, what: &str, got: &[T], expected: &[f64], scale: &[f64]) {
        for c in 0..self.n() {
            // A row rounds at most once for each of its entries and each of its coefficients.
            let tolerance = 16.0 * T::EPSILON * scale[c];
            if !within(got[c].f64() - expected[c], tolerance) {
                self.fail(what, format!("cell {c} is {}, but {} is expected", got[c], expected[c]));
            }
        }
    }

    fn near(&self, what: &str, got: f64, expected: f64, scale: f64) {
        if !within(got - expected, 64.0 * T::EPSILON * scale) {
            self.fail(what, format!("{got:e}, but {expected:e} is expected"));
        }
    }

    /// Ax is that of the plain loops; y is overwritten, NaN included; cells that take no part get 0.
    pub fn product(&self) {
        let x = self.dirty(1);
        let (expected, scale) = self.case.plain.apply(&x);
        let y = self.apply(&x);
        self.close("apply", &y, &expected, &scale);
        if (0..self.n()).any(|c| !self.active[c] && y[c] != T::of(0.0)) {
            self.fail("apply", "a cell that takes no part is not 0");
        }
    }

    /// ⟨Ax, y⟩ = ⟨x, Ay⟩, and the transpose is the operator.
    pub fn symmetry(&self) {
        if !self.a.properties().symmetric {
            self.fail("properties", "a Laplacian claims to be symmetric");
        }
        let (x, y) = (self.clean(2), self.clean(3));
        let (ax, ay) = (self.apply(&x), self.apply(&y));
        let (_, scale) = self.case.plain.apply(&x);
        let scale: f64 = scale.iter().zip(&y).map(|(s, y)| s * y.f64().abs()).sum();
        self.near("⟨Ax, y⟩ = ⟨x, Ay⟩", plain::dot(&ax, &y), plain::dot(&x, &ay), scale);
        let mut t = vec![T::nan(); self.n()];
        self.a.apply_transpose(&Host::new(), &x, &mut t).unwrap_or_else(|e| self.fail("apply_transpose", e));
        if t != ax {
            self.fail("apply_transpose", "differs from apply");
        }
    }

    /// xᵀAx > 0 where definiteness is claimed, else ≥ 0.
    pub fn positivity(&self) {
        let claim = self.a.properties().positivity;
        for seed in 4..7 {
            let x = self.clean(seed);
            let (_, scale) = self.case.plain.apply(&x);
            let scale: f64 = scale.iter().zip(&x).map(|(s, x)| s * x.f64().abs()).sum();
            let product = plain::dot(&x, &self.apply(&x));
            let sound = match claim {
                Positivity::Definite => product > 0.0,
                _ => product >= -16.0 * T::EPSILON * scale,
            };
            if !sound || claim == Positivity::Unknown {
                self.fail("positivity", format!("xᵀAx = {product:e}, claimed {claim:?}"));
            }
        }
    }

    /// `apply_dot` is `apply` and then `dot`.
    pub fn product_with_dot(&self) {
        let x = self.clean(7);
        let y = self.apply(&x);
        let mut z = vec![T::nan(); self.n()];
        let dot = self.a.apply_dot(&Host::new(), &x, &mut z).unwrap_or_else(|e| self.fail("apply_dot", e));
        if y != z {
            self.fail("apply_dot", "its product differs from apply");
        }
        let scale: f64 = x.iter().zip(&y).map(|(x, y)| (x.f64() * y.f64()).abs()).sum();
        self.near("apply_dot", dot, plain::dot(&x, &y), scale);
    }

    /// `update_apply_dot` is `axpby`, `apply`, `dot`; with β = 0 what p held, NaN included, is not read.
    pub fn update(&self) {
        for (beta, rubbish) in [(0.0, true), (0.7, false), (-1.0, false)] {
            let beta = T::of(beta);
            let z = self.clean(8);
            let mut p = if rubbish { vec![T::nan(); self.n()] } else { self.clean(9) };
            let sum = |c: usize| if rubbish { z[c] } else { z[c] + beta * p[c] };
            let expected: Vec<T> = (0..self.n()).map(sum).collect();
            let mut q = vec![T::nan(); self.n()];
            let dot = self.a.update_apply_dot(&Host::new(), &z, beta, &mut p, &mut q);
            let dot = dot.unwrap_or_else(|e| self.fail("update_apply_dot", e));
            for c in 0..self.n() {
                let scale = z[c].f64().abs() + expected[c].f64().abs();
                if !within(p[c].f64() - expected[c].f64(), 4.0 * T::EPSILON * scale) {
                    self.fail("update_apply_dot", format!("p[{c}] is {}, not {}", p[c], expected[c]));
                }
            }
            let (product, scale) = self.case.plain.apply(&p);
            self.close("update_apply_dot, q", &q, &product, &scale);
            let scale: f64 = p.iter().zip(&q).map(|(p, q)| (p.f64() * q.f64()).abs()).sum();
            self.near("update_apply_dot, p·q", dot, plain::dot(&p, &q), scale);
        }
    }

    /// P is idempotent, leaves the range of A alone, removes what A ignores, and clears cells that take no part.
    pub fn projection(&self) {
        let space = Host::<T>::new();
        let project = |v: &[T]| {
            let mut v = v.to_vec();
            self.a.project(&space, &mut v).unwrap_or_else(|e| self.fail("project", e));
            v
        };
        let as_f64 = |v: &[T]| v.iter().map(|v| v.f64()).collect::<Vec<_>>();
        let rubbish: Vec<T> = noise(self.n(), 10);
        let once = project(&rubbish);
        if (0..self.n()).any(|c| !self.active[c] && once[c] != T::of(0.0)) {
            self.fail("project", "a cell that takes no part is not 0");
        }
        let size = vec![4.0; self.n()];
        self.close("project twice", &project(&once), &as_f64(&once), &size);
        let clean = self.clean(10);
        let (_, scale) = self.case.plain.apply(&clean);
        let shift = 8.0 * self.largest();
        let shifted: Vec<f64> = scale.iter().map(|s| s + shift).collect();
        self.close("A P = A", &self.apply(&once), &as_f64(&self.apply(&clean)), &shifted);
        let ax = self.apply(&clean);
        let total: f64 = scale.iter().sum::<f64>() / self.n() as f64;
        let allowed: Vec<f64> = scale.iter().map(|s| s + 4.0 * total).collect();
        self.close("P A = A", &project(&ax), &as_f64(&ax), &allowed);
        let (x, y) = (noise::<T>(self.n(), 11), noise::<T>(self.n(), 12));
        let (px, py) = (project(&x), project(&y));
        self.near("⟨Px, y⟩ = ⟨x, Py⟩", plain::dot(&px, &y), plain::dot(&x, &py), 4.0 * self.n() as f64);
    }

    /// The largest row of |A|.
    fn largest(&self) -> f64 {
        self.case.plain.apply(&vec![T::of(1.0); self.n()]).1.into_iter().fold(0.0, f64::max)
    }

    /// Every vector of the wrong length is refused.
    pub fn lengths(&self) {
        let (space, n) = (Host::<T>::new(), self.n());
        let fits = || vec![T::of(0.0); n];
        for wrong in [n - 1, n + 1] {
            let other = || vec![T::of(0.0); wrong];
            let results = [
                self.a.apply(&space, &other(), &mut fits()),
                self.a.apply(&space, &fits(), &mut other()),
                self.a.apply_transpose(&space, &other(), &mut fits()),
                self.a.apply_transpose(&space, &fits(), &mut other()),
                self.a.apply_dot(&space, &other(), &mut fits()).map(drop),
                self.a.apply_dot(&space, &fits(), &mut other()).map(drop),
                self.a.update_apply_dot(&space, &other(), T::of(1.0), &mut fits(), &mut fits()).map(drop),
                self.a.update_apply_dot(&space, &fits(), T::of(1.0), &mut other(), &mut fits()).map(drop),
                self.a.update_apply_dot(&space, &fits(), T::of(1.0), &mut fits(), &mut other()).map(drop),
                self.a.project(&space, &mut other()),
            ];
            for (i, result) in results.into_iter().enumerate() {
                if !matches!(result, Err(Error::Length { .. })) {
                    self.fail("lengths", format!("call {i} with {wrong} entries gave {result:?}"));
                }
            }
        }
    }

    /// All of the above.
    pub fn all(&self) {
        self.product();
        self.symmetry();
        self.positivity();
        self.product_with_dot();
        self.update();
        self.projection();
        self.lengths();
    }
}

/// False for a NaN.
fn within(difference: f64, tolerance: f64) -> bool {
    difference.abs() <= tolerance
}
