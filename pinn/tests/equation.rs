//! Equations as one generic method: their derivatives, what they cost, what is refused.

use rand::{RngExt, SeedableRng};
use resolvent_pinn::expression::{Formula, Scope};
use resolvent_pinn::{
    Algebra, Architecture, Derivative, Differential, Differentiated, Equation, Error, Network, Point,
    Propagator, Real, Residual, Result, Streams, Term,
};

fn along(axes: &[usize]) -> Result<Differential> {
    Ok(Derivative::along(2, axes)?.into())
}

/// Δu + k² u = (k² − 17π²) sin πx sin 4πy.
struct Helmholtz;

impl Equation for Helmholtz {
    fn dimension(&self) -> usize {
        2
    }
    fn derivatives(&self) -> Result<Vec<Differential>> {
        Ok(vec![Differential::laplacian(2)?])
    }
    fn parameters(&self) -> Vec<(String, f64)> {
        vec![("k".into(), 1.5)]
    }
    fn residual<N: Algebra>(&self, at: &Point<'_, N>, r: &mut [N]) {
        let (x, y, k2, pi) =
            (at.coordinate(0), at.coordinate(1), at.parameter(0).powi(2), std::f64::consts::PI);
        let q = (k2 - 17.0 * pi * pi) * (x * pi).sin() * (y * 4.0 * pi).sin();
        r[0] = at.derivative(0, 0) + k2 * at.value(0) - q;
    }
}
const HELMHOLTZ: &[&str] = &["u_xx + u_yy + k^2*u - (k^2 - 17*pi^2)*sin(pi*x)*sin(4*pi*y)"];

/// u_y + u u_x = ν u_xx.
struct Burgers;

impl Equation for Burgers {
    fn dimension(&self) -> usize {
        2
    }
    fn derivatives(&self) -> Result<Vec<Differential>> {
        Ok(vec![along(&[1])?, along(&[0])?, along(&[0, 0])?])
    }
    fn residual<N: Algebra>(&self, at: &Point<'_, N>, r: &mut [N]) {
        let [ut, ux, uxx] = [0, 1, 2].map(|d| at.derivative(0, d));
        r[0] = ut + at.value(0) * ux - uxx * 0.01;
    }
}

/// u_y = ε u_xx + 5 (u − u³).
struct AllenCahn;

impl Equation for AllenCahn {
    fn dimension(&self) -> usize {
        2
    }
    fn derivatives(&self) -> Result<Vec<Differential>> {
        Ok(vec![along(&[1])?, along(&[0, 0])?])
    }
    fn residual<N: Algebra>(&self, at: &Point<'_, N>, r: &mut [N]) {
        let u = at.value(0);
        r[0] = at.derivative(0, 0) - at.derivative(0, 1) * 1e-4 - (u - u.powi(3)) * 5.0;
    }
}

/// u_y + 6 u u_x + u_xxx = 0.
struct KortewegDeVries;

impl Equation for KortewegDeVries {
    fn dimension(&self) -> usize {
        2
    }
    fn derivatives(&self) -> Result<Vec<Differential>> {
        Ok(vec![along(&[1])?, along(&[0])?, along(&[0, 0, 0])?])
    }
    fn residual<N: Algebra>(&self, at: &Point<'_, N>, r: &mut [N]) {
        let [ut, ux, uxxx] = [0, 1, 2].map(|d| at.derivative(0, d));
        r[0] = ut + at.value(0) * ux * 6.0 + uxxx;
    }
}

/// Steady flow in velocity and pressure, with the viscosity to be found.
struct NavierStokes;

impl Equation for NavierStokes {
    fn dimension(&self) -> usize {
        2
    }
    fn unknowns(&self) -> usize {
        3
    }
    fn equations(&self) -> usize {
        3
    }
    fn derivatives(&self) -> Result<Vec<Differential>> {
        Ok(vec![along(&[0])?, along(&[1])?, Differential::laplacian(2)?])
    }
    fn parameters(&self) -> Vec<(String, f64)> {
        vec![("nu".into(), 0.02)]
    }
    fn residual<N: Algebra>(&self, at: &Point<'_, N>, r: &mut [N]) {
        let (nu, [u, v]) = (at.parameter(0), [0, 1].map(|i| at.value(i)));
        let [gu, gv, gp] = [0, 1, 2].map(|i| [0, 1].map(|d| at.derivative(i, d)));
        r[0] = u * gu[0] + v * gu[1] + gp[0] - nu * at.derivative(0, 2);
        r[1] = u * gv[0] + v * gv[1] + gp[1] - nu * at.derivative(1, 2);
        r[2] = gu[0] + gv[1];
    }
}
const NAVIER_STOKES: &[&str] =
    &["u*u_x + v*u_y + p_x - nu*(u_xx + u_yy)", "u*v_x + v*v_y + p_y - nu*(v_xx + v_yy)", "u_x + v_y"];

/// Two unknowns and every function that numbers have.
struct Functions;

impl Equation for Functions {
    fn dimension(&self) -> usize {
        2
    }
    fn unknowns(&self) -> usize {
        2
    }
    fn derivatives(&self) -> Result<Vec<Differential>> {
        Ok(vec![along(&[0])?])
    }
    fn residual<N: Algebra>(&self, at: &Point<'_, N>, r: &mut [N]) {
        let ([u, v], [ux, vx]) = ([0, 1].map(|i| at.value(i)), [0, 1].map(|i| at.derivative(i, 0)));
        let square = u * u + v * v + 1.0;
        let waves = u.sin() * ux.cos() + (v * u).tanh() / square + (-ux).exp();
        let roots = square.ln() + (square + ux * ux).sqrt() - vx.abs() + square.powf(-1.5) + square.powi(-2);
        r[0] = waves + roots + u.min(v) * ux.max(vx) + (u - 0.1).if_below(v, u * 2.0, v / 3.0 - 1.0);
    }
}
const FUNCTIONS: &[&str] =
    &["sin(u)*cos(u_x) + tanh(v*u)/s + exp(-u_x) + log(s) + sqrt(s + u_x^2) - abs(v_x) \
    + s^(-1.5) + s^(-2) + min(u, v)*max(u_x, v_x) + where(u - 0.1 < v, 2*u, v/3 - 1)"];

fn scope(unknowns: &[&str], trained: &[(String, f64)]) -> Scope {
    let mut scope = Scope::new(&["x", "y"], unknowns).unwrap();
    trained.iter().for_each(|(name, value)| scope.trainable(name, *value).unwrap());
    if unknowns.len() == 2 {
        scope.define("s", "u^2 + v^2 + 1").unwrap();
    }
    scope
}

fn network(outputs: usize) -> Network {
    Network::new(Architecture::dense(2, &[12, 12], outputs)).unwrap()
}

/// Residuals, and the gradient of their mean square by the network and the trained parameters.
fn evaluate<T: Real>(
    residual: &dyn Residual<T>,
    outputs: usize,
    own: &[(String, f64)],
) -> (Vec<f64>, Vec<f64>) {
    let network = network(outputs);
    let mut parameters: Vec<T> = network.initial(3);
    // Streams of a size that every part of an equation feels.
    parameters.iter_mut().for_each(|p| *p *= T::of(1.5));
    parameters.extend(own.iter().map(|p| T::of(p.1)));
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let n = 333;
    let points: Vec<T> = (0..2 * n).map(|_| T::of(2.0 * random.random::<f64>() - 1.0)).collect();
    let term = Term { residual, points: &points, data: &[], weights: None };
    let mut propagator = Propagator::new(network).unwrap();
    let mut r = vec![T::of(0.0); residual.equations() * n];
    propagator.residuals(&parameters, term, &mut r).unwrap();
    let (mut loss, mut gradient) = ([0.0], vec![T::of(0.0); parameters.len()]);
    propagator.gradients(&parameters, &[term], &mut loss, &mut gradient).unwrap();
    (r.iter().map(|v| v.f64()).collect(), gradient.iter().map(|v| v.f64()).collect())
}

fn apart(a: &[f64], b: &[f64]) -> f64 {
    let size = a.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    assert!(size > 1e-3 && a.len() == b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / size
}

/// The text's residuals and gradients, in both precisions.
fn agrees_with_text<E: Equation>(equation: E, texts: &[&str]) {
    fn check<T: Real, E: Equation>(equation: &Differentiated<E>, formula: &Formula) {
        let (outputs, own) = (equation.equation().unknowns(), equation.equation().parameters());
        let (r, gradient) = evaluate::<T>(equation, outputs, &own);
        let (r_text, gradient_text) = evaluate::<T>(formula, outputs, &own);
        assert!(apart(&r_text, &r) < 30.0 * T::EPSILON, "{}", apart(&r_text, &r));
        assert!(
            apart(&gradient_text, &gradient) < 100.0 * T::EPSILON,
            "{}",
            apart(&gradient_text, &gradient)
        );
        own.iter().rev().zip(gradient.iter().rev()).for_each(|(_, g)| assert!(*g != 0.0));
    }
    let unknowns = &["u", "v", "p"][..equation.unknowns()];
    let formula = scope(unknowns, &equation.parameters()).formula(texts).unwrap();
    let equation = Differentiated::new(equation).unwrap();
    assert_eq!(Residual::<f64>::streams(&equation).count(), Residual::<f64>::streams(&formula).count());
    check::<f32, E>(&equation, &formula);
    check::<f64, E>(&equation, &formula);
}

#[test]
fn one_method_gives_what_text_gives() {
    agrees_with_text(Helmholtz, HELMHOLTZ);
    agrees_with_text(Burgers, &["u_y + u*u_x - 0.01*u_xx"]);
    agrees_with_text(AllenCahn, &["u_y - 1e-4*u_xx - 5*(u - u^3)"]);
    agrees_with_text(KortewegDeVries, &["u_y + 6*u*u_x + u_xxx"]);
    agrees_with_text(NavierStokes, NAVIER_STOKES);
    agrees_with_text(Functions, FUNCTIONS);
}

/// A network whose every stream is a trained number: the equation alone is differentiated. With one linear layer,
/// u_o = b_o + Σ w x, a change of a parameter is a change of u and its first derivatives only; so the gradient by parameters
/// of a whole network is what finite differences check, on the plain values of the same method.
fn agrees_with_differences<E: Equation + Copy>(equation: E) {
    let residual = Differentiated::new(equation).unwrap();
    let (streams, own) = (Residual::<f64>::streams(&residual).clone(), equation.parameters());
    let derivatives = equation.derivatives().unwrap();
    let outputs = equation.unknowns();
    let network = network(outputs);
    let mut parameters: Vec<f64> = network.initial(5);
    parameters.iter_mut().for_each(|p| *p *= 1.5);
    let (n, points) = (3, [0.3, -0.45, 0.8, 0.21, -0.7, 0.55]);
    let mut propagator = Propagator::new(network).unwrap();
    // By hand: streams of the network into the method on plain values.
    let mut losses = |parameters: &[f64], own: &[f64]| {
        let k = streams.count();
        let mut values = vec![0.0; outputs * k * n];
        propagator.values(parameters, &streams, &points, &mut values).unwrap();
        let mut sum = 0.0;
        for p in 0..n {
            let of = |o: usize, s: usize| values[(o * k + s) * n + p];
            let places: Vec<usize> = derivatives.iter().map(|d| streams.position(d).unwrap()).collect();
            let read: Vec<f64> = (0..outputs)
                .flat_map(|o| [0].into_iter().chain(places.iter().copied()).map(move |s| (o, s)))
                .map(|(o, s)| of(o, s))
                .collect();
            let mut r = vec![0.0; equation.equations()];
            let x = [points[p], points[n + p]];
            equation.residual(&Point::new(&x, &read, derivatives.len(), own, &[]), &mut r);
            sum += r.iter().map(|r| r * r).sum::<f64>() / n as f64;
        }
        sum
    };
    let own: Vec<f64> = own.iter().map(|p| p.1).collect();
    let all = [&parameters[..], &own[..]].concat();
    let mut expected = vec![0.0; all.len()];
    for (i, e) in expected.iter_mut().enumerate() {
        let mut at = |step: f64| {
            let mut moved = all.clone();
            moved[i] += step;
            let (network, own) = moved.split_at(parameters.len());
            losses(network, own)
        };
        let h = 1e-5;
        *e = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
    }
    let value = losses(&parameters, &own);
    let term = Term { residual: &residual, points: &points, data: &[], weights: None };
    let (mut loss, mut gradient) = ([0.0], vec![0.0; all.len()]);
    propagator_of(outputs).gradients(&all, &[term], &mut loss, &mut gradient).unwrap();
    assert!((loss[0] - value).abs() < 1e-12 * value, "{} is not {value}", loss[0]);
    assert!(apart(&expected, &gradient) < 1e-7, "{}", apart(&expected, &gradient));
}

fn propagator_of(outputs: usize) -> Propagator<f64> {
    Propagator::new(network(outputs)).unwrap()
}

/// One equation by reference, so that it can be used twice.
macro_rules! differences {
    ($($equation:ident),+) => {$(
        impl Clone for $equation {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl Copy for $equation {}
    )+
        #[test]
        fn every_gradient_is_that_of_finite_differences_of_plain_values() {
            $(agrees_with_differences($equation);)+
        }
    };
}
differences!(Helmholtz, Burgers, AllenCahn, KortewegDeVries, NavierStokes, Functions);

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let equation = Differentiated::new(NavierStokes).unwrap();
        let own = NavierStokes.parameters();
        pool.install(|| [evaluate::<f32>(&equation, 3, &own), evaluate::<f64>(&equation, 3, &own)])
    };
    let one = run(1);
    assert!(one == run(2) && one == run(4));
}

#[test]
fn parameters_that_are_not_trained_keep_their_first_values() {
    let equation = Differentiated::new(Helmholtz).unwrap();
    let (trained, gradient) = evaluate::<f64>(&equation, 1, &Helmholtz.parameters());
    let (fixed, shorter) = evaluate::<f64>(&equation, 1, &[]);
    assert!(trained == fixed && gradient[..shorter.len()] == shorter && shorter.len() + 1 == gradient.len());
    let (other, _) = evaluate::<f64>(&equation, 1, &[("k".into(), 2.0)]);
    assert!(other != fixed);
}

/// An equation that is wrong in one way.
#[derive(Clone, Copy)]
enum Wrong {
    Coordinate,
    Unknown,
    Derivative,
    Parameter,
    Data,
    Unwritten,
    Independent,
    Twice,
    Value,
    NoDimension,
    TooMany,
    OtherDimension,
}

impl Equation for Wrong {
    fn dimension(&self) -> usize {
        if let Self::NoDimension = self { 0 } else { 2 }
    }
    fn unknowns(&self) -> usize {
        if let Self::TooMany = self { 100 } else { 1 }
    }
    fn derivatives(&self) -> Result<Vec<Differential>> {
        Ok(match self {
            Self::Twice => vec![along(&[0])?, along(&[0])?],
            Self::Value => vec![Derivative::value(2).into()],
            Self::OtherDimension => vec![Derivative::along(3, &[2])?.into()],
            _ => vec![along(&[0])?],
        })
    }
    fn residual<N: Algebra>(&self, at: &Point<'_, N>, r: &mut [N]) {
        let u = at.value(0);
        match self {
            Self::Coordinate => r[0] = u * at.coordinate(2),
            Self::Unknown => r[0] = u * at.value(1),
            Self::Derivative => r[0] = u * at.derivative(0, 1),
            Self::Parameter => r[0] = u * at.parameter(0),
            Self::Data => r[0] = u - at.data(0),
            Self::Unwritten => {}
            Self::Independent => r[0] = at.coordinate(0) - 1.0,
            _ => r[0] = u,
        }
    }
}

#[test]
fn what_contradicts_itself_is_refused_with_the_mend() {
    let message = |wrong: Wrong| match Differentiated::new(wrong) {
        Err(e @ Error::Equation { .. }) => e.to_string(),
        other => panic!("{:?}", other.map(|_| ())),
    };
    for (wrong, part) in [
        (Wrong::Coordinate, "reads coordinate 2, but has 2"),
        (Wrong::Unknown, "reads unknown 1, but has 1"),
        (Wrong::Derivative, "reads derivative of an unknown 1, but has 1"),
        (Wrong::Parameter, "reads parameter 0, but has 0"),
        (Wrong::Data, "reads column of data 0, but has 0"),
        (Wrong::Unwritten, "residual 0 is not written"),
        (Wrong::Independent, "residual 0 depends on no unknown"),
        (Wrong::Twice, "list each derivative once"),
        (Wrong::Value, "at.value"),
        (Wrong::NoDimension, "no coordinates"),
        (Wrong::TooMany, "split it"),
    ] {
        let message = message(wrong);
        assert!(message.contains(part), "{message}");
    }
    assert!(matches!(Differentiated::new(Wrong::OtherDimension), Err(Error::Derivative { .. })));
}

#[test]
fn a_network_with_too_few_outputs_is_refused() {
    let (equation, points) = (Differentiated::new(NavierStokes).unwrap(), [0.5, 0.5]);
    let text = scope(&["u", "v", "p"], &NavierStokes.parameters()).formula(NAVIER_STOKES).unwrap();
    let mut propagator = propagator_of(1);
    let mut parameters: Vec<f64> = propagator.network().initial(0);
    parameters.push(0.1);
    for residual in [&equation as &dyn Residual<f64>, &text] {
        let term = Term { residual, points: &points, data: &[], weights: None };
        let refused = propagator.residuals(&parameters, term, &mut [0.0; 3]).unwrap_err();
        assert!(matches!(refused, Error::Network { .. }), "{refused}");
    }
    assert_eq!(Streams::value(2).count(), 1);
}
