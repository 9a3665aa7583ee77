use super::*;
use crate::fixed_point::{FixedPointOptions, Iteration};
use crate::learn::Random;
use crate::{Dense, Error, Host, Map, Operator, Properties, Shape, Status};

type Boxed<'a> = Box<dyn LinearOperator<Host<f64>> + 'a>;

fn noise(n: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed, "noise");
    (0..n).map(|_| random.normal()).collect()
}

/// x = tanh(W x + U θ), W of norm about 0.6.
struct Bent {
    w: Vec<f64>,
    u: Vec<f64>,
    n: usize,
    p: usize,
}

impl Bent {
    fn new(n: usize, p: usize) -> Self {
        let scale = 0.3 / (n as f64).sqrt();
        Self { w: noise(n * n, 1).iter().map(|v| scale * v).collect(), u: noise(n * p, 2), n, p }
    }
    fn inner(&self, x: &[f64], theta: &[f64], i: usize) -> f64 {
        let w: f64 = (0..self.n).map(|j| self.w[i * self.n + j] * x[j]).sum();
        w + (0..self.p).map(|j| self.u[i * self.p + j] * theta[j]).sum::<f64>()
    }
    fn slope(&self, x: &[f64], theta: &[f64], i: usize) -> f64 {
        1.0 - self.inner(x, theta, i).tanh().powi(2)
    }
    fn solve(&self, theta: &[f64]) -> Vec<f64> {
        let mut x = vec![0.0; self.n];
        for _ in 0..200 {
            x = (0..self.n).map(|i| self.inner(&x, theta, i).tanh()).collect();
        }
        x
    }
}

impl Parametric<Host<f64>> for Bent {
    fn unknowns(&self) -> usize {
        self.n
    }
    fn parameters(&self) -> usize {
        self.p
    }
    fn evaluate(&self, _: &Host<f64>, x: &[f64], theta: &[f64], y: &mut [f64]) -> Result<()> {
        (0..self.n).for_each(|i| y[i] = self.inner(x, theta, i).tanh());
        Ok(())
    }
    fn jacobian<'a>(&'a self, _: &'a Host<f64>, x: &'a [f64], theta: &'a [f64]) -> Result<Boxed<'a>> {
        let of = |i, j| self.slope(x, theta, i) * self.w[i * self.n + j];
        Ok(Box::new(Dense::from_fn(self.n, self.n, of)?))
    }
    fn sensitivity<'a>(&'a self, _: &'a Host<f64>, x: &'a [f64], theta: &'a [f64]) -> Result<Boxed<'a>> {
        let of = |i, j| self.slope(x, theta, i) * self.u[i * self.p + j];
        Ok(Box::new(Dense::from_fn(self.n, self.p, of)?))
    }
}

/// The same as a root: x − T = 0.
struct AsRoot(Bent);

impl Parametric<Host<f64>> for AsRoot {
    fn unknowns(&self) -> usize {
        self.0.n
    }
    fn parameters(&self) -> usize {
        self.0.p
    }
    fn evaluate(&self, space: &Host<f64>, x: &[f64], theta: &[f64], y: &mut [f64]) -> Result<()> {
        self.0.evaluate(space, x, theta, y)?;
        y.iter_mut().zip(x).for_each(|(y, x)| *y = x - *y);
        Ok(())
    }
    fn jacobian<'a>(&'a self, space: &'a Host<f64>, x: &'a [f64], theta: &'a [f64]) -> Result<Boxed<'a>> {
        Ok(Box::new(crate::IdentityMinus::new(self.0.jacobian(space, x, theta)?)?))
    }
    fn sensitivity<'a>(&'a self, space: &'a Host<f64>, x: &'a [f64], theta: &'a [f64]) -> Result<Boxed<'a>> {
        Ok(Box::new(crate::Scaled::new(-1.0, self.0.sensitivity(space, x, theta)?)?))
    }
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|v| v * v).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied())
}

/// The gradient of v·x(θ) by central differences of order 4.
fn differences(bent: &Bent, theta: &[f64], v: &[f64]) -> Vec<f64> {
    let value = |theta: &[f64]| bent.solve(theta).iter().zip(v).map(|(x, v)| x * v).sum::<f64>();
    let at = |k: usize, h: f64| {
        let mut moved = theta.to_vec();
        moved[k] += h;
        value(&moved)
    };
    let h = 1e-3;
    (0..theta.len())
        .map(|k| (8.0 * (at(k, h) - at(k, -h)) - (at(k, 2.0 * h) - at(k, -2.0 * h))) / (12.0 * h))
        .collect()
}

const SOLVERS: [Linear; 3] = [Linear::Gmres { restart: 30 }, Linear::Bicgstab, Linear::Lsqr];

#[test]
fn gradients_of_fixed_points_and_roots_are_those_of_differences() {
    let (space, n, p) = (Host::new(), 24, 5);
    let (theta, v) = (noise(p, 3), noise(n, 4));
    let bent = Bent::new(n, p);
    let x = bent.solve(&theta);
    let expected = differences(&bent, &theta, &v);
    let root = AsRoot(Bent::new(n, p));
    for linear in SOLVERS {
        let options = ImplicitOptions::linear(linear);
        for (equation, map) in
            [(Equation::FixedPoint, &bent as &dyn Parametric<Host<f64>>), (Equation::Root, &root)]
        {
            let mut implicit = Implicit::new(&space, equation, n, options).unwrap();
            let mut gradient = vec![f64::NAN; p];
            let report = implicit.reverse(&space, map, &x, &theta, &v, None, &mut gradient).unwrap();
            assert!(report.status.is_solved(), "{linear:?} {report:?}");
            assert!(distance(&gradient, &expected) < 1e-9, "{linear:?} {equation:?}");
            // Forward: ⟨v, dx⟩ = ⟨gradient, dθ⟩.
            let tangent = noise(p, 7);
            let mut change = vec![f64::NAN; n];
            let _ = implicit.forward(&space, map, &x, &theta, &tangent, None, &mut change).unwrap();
            let (one, two): (f64, f64) = (
                change.iter().zip(&v).map(|(a, b)| a * b).sum(),
                gradient.iter().zip(&tangent).map(|(a, b)| a * b).sum(),
            );
            assert!((one - two).abs() < 1e-9 * two.abs(), "{linear:?}");
        }
    }
}

/// T = x − τ (A x + x³ − θ), the gradient of an energy: its Jacobian is symmetric, and I − T′ positive definite.
struct Energy {
    a: Dense<f64>,
    n: usize,
}

const TAU: f64 = 0.15;

impl Energy {
    fn new(n: usize) -> Self {
        let a = Dense::from_fn(n, n, |i, j| match i.abs_diff(j) {
            0 => 2.0,
            1 => -0.7,
            _ => 0.0,
        });
        Self { a: a.unwrap(), n }
    }
    fn solve(&self, theta: &[f64]) -> Vec<f64> {
        let (mut x, mut y) = (vec![0.0; self.n], vec![0.0; self.n]);
        for _ in 0..400 {
            self.evaluate(&Host::new(), &x, theta, &mut y).unwrap();
            std::mem::swap(&mut x, &mut y);
        }
        x
    }
}

impl Parametric<Host<f64>> for Energy {
    fn unknowns(&self) -> usize {
        self.n
    }
    fn parameters(&self) -> usize {
        self.n
    }
    fn evaluate(&self, space: &Host<f64>, x: &[f64], theta: &[f64], y: &mut [f64]) -> Result<()> {
        self.a.apply(space, x, y)?;
        (0..self.n).for_each(|i| y[i] = x[i] - TAU * (y[i] + x[i].powi(3) - theta[i]));
        Ok(())
    }
    fn jacobian<'a>(&'a self, _: &'a Host<f64>, x: &'a [f64], _: &'a [f64]) -> Result<Boxed<'a>> {
        let of = |i: usize, j: usize| {
            f64::from(u8::from(i == j)) * (1.0 - 3.0 * TAU * x[i] * x[i]) - TAU * self.a.mat()[(i, j)]
        };
        let t = Dense::from_fn(self.n, self.n, of)?;
        Ok(Box::new(crate::Assume::new(t, Properties::SYMMETRIC)))
    }
    fn sensitivity<'a>(&'a self, _: &'a Host<f64>, _: &'a [f64], _: &'a [f64]) -> Result<Boxed<'a>> {
        let of = |i, j| if i == j { TAU } else { 0.0 };
        Ok(Box::new(crate::Assume::new(Dense::from_fn(self.n, self.n, of)?, Properties::SYMMETRIC)))
    }
}

#[test]
fn other_ways_come_to_the_same_gradient() {
    let (space, n) = (Host::new(), 30);
    let energy = Energy::new(n);
    let (theta, v) = (noise(n, 5), noise(n, 6));
    let x = energy.solve(&theta);
    let gradient = |options: ImplicitOptions| {
        let mut implicit = Implicit::new(&space, Equation::FixedPoint, n, options).unwrap();
        let mut gradient = vec![f64::NAN; n];
        let _ = implicit.reverse(&space, &energy, &x, &theta, &v, None, &mut gradient).unwrap();
        gradient
    };
    let exact = gradient(ImplicitOptions::linear(Linear::Minres));
    for linear in SOLVERS {
        assert!(distance(&gradient(ImplicitOptions::linear(linear)), &exact) < 1e-8, "{linear:?}");
    }
    // Each error falls as its formula says.
    let errors = |derivatives: [Derivative; 3]| {
        derivatives.map(|d| distance(&gradient(ImplicitOptions::derivative(d)), &exact))
    };
    let damped = errors([5, 20, 80].map(|steps| Derivative::Damped { steps, damping: 0.8 }));
    assert!(damped[0] < 0.7 && damped[1] < 0.2 * damped[0] && damped[2] < 2e-3 * damped[1], "{damped:?}");
    let unrolled = errors([5, 40, 160].map(|steps| Derivative::Unrolled { steps }));
    assert!(unrolled[1] < 0.1 * unrolled[0] && unrolled[2] < 1e-8, "{unrolled:?}");
    let options = FixedPointOptions::rtol(1e-13).iteration(Iteration::default());
    let nudged =
        errors([4e-1, 4e-2, 4e-3].map(|strength| Derivative::Nudged { strength: TAU * strength, options }));
    assert!((60.0..140.0).contains(&(nudged[0] / nudged[1])), "an error of β²: {nudged:?}");
    assert!(nudged[2] < 1e-4, "{nudged:?}");
}

/// Theorem 1 of the reference: the error of the derivative is at most in proportion to that of x; unrolling as many steps is
/// worse.
#[test]
fn the_error_is_in_proportion_to_that_of_the_solution() {
    let (space, n) = (Host::new(), 20);
    let energy = Energy::new(n);
    let (theta, v) = (noise(n, 8), noise(n, 9));
    let exact = energy.solve(&theta);
    let mut implicit = Implicit::new(&space, Equation::FixedPoint, n, ImplicitOptions::default()).unwrap();
    let mut gradient = |x: &[f64]| {
        let mut gradient = vec![f64::NAN; n];
        let _ = implicit.reverse(&space, &energy, x, &theta, &v, None, &mut gradient).unwrap();
        gradient
    };
    let truth = gradient(&exact);
    let (mut x, mut y) = (vec![0.0; n], vec![0.0; n]);
    let mut ratios = Vec::new();
    for step in 1..60 {
        energy.evaluate(&space, &x, &theta, &mut y).unwrap();
        std::mem::swap(&mut x, &mut y);
        let (of_x, of_gradient) = (distance(&x, &exact), distance(&gradient(&x), &truth));
        if of_x < 0.3 && of_x > 1e-9 {
            ratios.push(of_gradient / of_x);
            let mut unrolled = vec![f64::NAN; n];
            let options = ImplicitOptions::derivative(Derivative::Unrolled { steps: step });
            let mut other = Implicit::new(&space, Equation::FixedPoint, n, options).unwrap();
            let _ = other.reverse(&space, &energy, &x, &theta, &v, None, &mut unrolled).unwrap();
            assert!(distance(&unrolled, &truth) > of_gradient, "{step}");
        }
    }
    let most = ratios.iter().copied().fold(0.0, f64::max);
    assert!(ratios.len() > 10 && most < 10.0, "{ratios:?}");
}

#[test]
fn a_ridge_a_preconditioner_and_a_warm_start() {
    let (space, n) = (Host::new(), 40);
    let energy = Energy::new(n);
    let (theta, v) = (noise(n, 5), noise(n, 6));
    let x = energy.solve(&theta);
    let run = |options: ImplicitOptions, twice: bool| {
        let mut implicit = Implicit::new(&space, Equation::FixedPoint, n, options).unwrap();
        let mut gradient = vec![f64::NAN; n];
        let mut report = implicit.reverse(&space, &energy, &x, &theta, &v, None, &mut gradient).unwrap();
        if twice {
            report = implicit.reverse(&space, &energy, &x, &theta, &v, None, &mut gradient).unwrap();
        }
        (gradient, report)
    };
    let (plain, first) = run(ImplicitOptions::default(), false);
    let (again, second) = run(ImplicitOptions { warm: true, ..ImplicitOptions::default() }, true);
    assert!(first.steps > 5 && second.steps == 0 && again == plain, "{first:?} {second:?}");
    let ridge = |ridge| {
        let linear = Linear::Gmres { restart: 60 };
        run(ImplicitOptions::derivative(Derivative::Solve { linear, ridge }), false).0
    };
    let errors = [1e-2, 1e-3].map(|r| distance(&ridge(r), &plain));
    assert!((5.0..15.0).contains(&(errors[0] / errors[1])), "{errors:?}");
    // The exact inverse as preconditioner: one step.
    let jacobian = energy.jacobian(&space, &x, &theta).unwrap();
    let mut columns = vec![0.0; n * n];
    for j in 0..n {
        let mut unit = vec![0.0; n];
        unit[j] = 1.0;
        let mut gmres = crate::Gmres::new(&space, n, crate::Stop::rtol(1e-14)).unwrap();
        let minus = crate::IdentityMinus::new(&*jacobian).unwrap();
        let _ = gmres.solve(&space, &minus, None, &unit, &mut columns[j * n..(j + 1) * n]).unwrap();
    }
    let inverse = Dense::from_fn(n, n, |i, j| columns[j * n + i]).unwrap();
    let mut implicit = Implicit::new(&space, Equation::FixedPoint, n, ImplicitOptions::default()).unwrap();
    let mut gradient = vec![f64::NAN; n];
    let report = implicit.reverse(&space, &energy, &x, &theta, &v, Some(&inverse), &mut gradient).unwrap();
    assert!(report.steps <= 2 && report.status == Status::Converged, "{report:?}");
    assert!(distance(&gradient, &plain) < 1e-8);
}

#[test]
fn what_cannot_be_is_refused() {
    let space = Host::<f64>::new();
    let new = |equation, derivative| {
        Implicit::new(&space, equation, 3, ImplicitOptions::derivative(derivative)).map(drop)
    };
    let solve = |ridge| Derivative::Solve { linear: Linear::Cg, ridge };
    assert!(matches!(new(Equation::Root, solve(f64::NAN)), Err(Error::Parameter { name: "ridge", .. })));
    let unrolled = Derivative::Unrolled { steps: 3 };
    assert!(matches!(new(Equation::Root, unrolled), Err(Error::Parameter { name: "derivative", .. })));
    let damped = Derivative::Damped { steps: 3, damping: 0.0 };
    assert!(matches!(new(Equation::FixedPoint, damped), Err(Error::Parameter { name: "damping", .. })));
    let nudged = Derivative::Nudged { strength: 0.0, options: FixedPointOptions::default() };
    assert!(matches!(new(Equation::FixedPoint, nudged), Err(Error::Parameter { name: "strength", .. })));
    let (bent, theta, x) = (Bent::new(4, 2), [0.1, 0.2], [0.0; 4]);
    let run = |derivative, forward: bool| {
        let options = ImplicitOptions::derivative(derivative);
        let mut implicit = Implicit::new(&space, Equation::FixedPoint, 4, options).unwrap();
        if forward {
            implicit.forward(&space, &bent, &x, &theta, &[1.0; 2], None, &mut [0.0; 4]).map(drop)
        } else {
            implicit.reverse(&space, &bent, &x, &theta, &[1.0; 4], None, &mut [0.0; 2]).map(drop)
        }
    };
    assert!(matches!(run(unrolled, true), Err(Error::Parameter { name: "derivative", .. })));
    let nudged = Derivative::Nudged { strength: 0.1, options: FixedPointOptions::default() };
    assert!(matches!(run(nudged, false), Err(Error::Property { .. })));
    assert!(matches!(run(solve(0.0), false), Err(Error::Property { .. })), "CG on what is not symmetric");
    let mut implicit = Implicit::new(&space, Equation::FixedPoint, 4, ImplicitOptions::default()).unwrap();
    let short = implicit.reverse(&space, &bent, &x[1..], &theta, &[1.0; 4], None, &mut [0.0; 2]);
    assert!(matches!(short, Err(Error::Length { .. })));
    assert_eq!(Map::shape(&Energy::new(3).a), Shape::square(3));
}
