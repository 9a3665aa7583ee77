//! Training: what it reaches, what it resumes, what it refuses.

use resolvent::learn::{Checkpoint, Schedule, State};
use resolvent_pinn::balance::{Average, GradientStatistics};
use resolvent_pinn::expression::Scope;
use resolvent_pinn::{
    Architecture, Balance, Causal, Cloud, Coupling, Error, Feature, Given, Network, Objective, Real, Trainer,
    TrainerOptions,
};

fn line<T: Real>(n: usize, low: f64, high: f64) -> Given<T> {
    let points = (0..n).map(|i| T::of(low + (high - low) * (i as f64 + 0.5) / n as f64)).collect();
    Given(Cloud { points, data: vec![] })
}

fn network(dim: usize, gated: bool) -> Network {
    let features = Feature::standardised(&vec![0.0; dim], &vec![0.6; dim]);
    Network::new(Architecture { gated, features, ..Architecture::dense(dim, &[12, 12], 1) }).unwrap()
}

/// u″ = −π² sin πx on (−1, 1), u = 0 at the ends: the sine.
fn poisson<T: Real>(options: TrainerOptions) -> Trainer<T> {
    let scope = Scope::new(&["x"], &["u"]).unwrap();
    let equation = scope.formula(&["u_xx + pi^2*sin(pi*x)"]).unwrap();
    let ends = Given(Cloud { points: vec![T::of(-1.0), T::of(1.0)], data: vec![] });
    let objectives = vec![
        Objective::new("equation", equation, line(40, -1.0, 1.0)),
        Objective::new("ends", scope.formula(&["u"]).unwrap(), ends).factor(2.0),
    ];
    Trainer::new(network(1, true), objectives, &[], options).unwrap()
}

fn fixed() -> TrainerOptions {
    let schedule = Schedule::Constant { rate: 5e-3 };
    TrainerOptions { schedule, resample: 0, seed: 3, ..TrainerOptions::default() }
}

fn steps(n: usize, mut step: impl FnMut() -> resolvent_pinn::Result<()>) {
    (0..n).for_each(|_| step().unwrap());
}

#[test]
fn every_rule_of_balance_learns_the_sine() {
    let average = Average { every: 10, keep: 0.9 };
    for balance in [
        Balance::Fixed,
        Balance::GradientStatistics(GradientStatistics::published()),
        Balance::GradientStatistics(GradientStatistics::as_written()),
        Balance::GradientNorm(average),
        Balance::TangentKernel(average),
    ] {
        let mut trainer = poisson::<f64>(TrainerOptions { balance, ..fixed() });
        for _ in 0..300 {
            trainer.step().unwrap();
        }
        // The weights of the written rule are large, and what is left falls slowly.
        for _ in 0..600 {
            trainer.quasi_newton().unwrap();
        }
        let term = Scope::new(&["x"], &["u"]).unwrap().formula(&["u - sin(pi*x)"]).unwrap();
        let points: Vec<f64> = (0..21).map(|i| f64::from(i) / 10.0 - 1.0).collect();
        let mut rest = vec![0.0; 21];
        let term = resolvent_pinn::Term { residual: &term, points: &points, data: &[], weights: None };
        trainer.residuals(term, &mut rest).unwrap();
        let worst = rest.iter().fold(0.0f64, |w, r| w.max(r.abs()));
        assert!(worst < 2e-3, "{balance:?}: {worst}");
        assert_eq!(trainer.weights()[1] == 1.0, balance == Balance::Fixed);
    }
}

#[test]
fn a_training_goes_on_to_the_same_bits_from_any_step() {
    fn bits<T: Real>(t: &Trainer<T>) -> Vec<u64> {
        t.parameters().iter().map(|p| p.f64().to_bits()).collect()
    }
    fn check<T: Real>(options: &TrainerOptions, stops: &[u64]) {
        let go = |trainer: &mut Trainer<T>, to: u64| {
            while trainer.steps() < to {
                if trainer.steps() < 25 {
                    trainer.step().unwrap();
                } else {
                    trainer.quasi_newton().unwrap();
                }
            }
        };
        let mut whole = poisson::<T>(options.clone());
        go(&mut whole, 40);
        for &stop in stops {
            let mut first = poisson::<T>(options.clone());
            go(&mut first, stop);
            let mut checkpoint = Checkpoint::new("pinn", "test", stop);
            first.store("", &mut checkpoint);
            let mut second = poisson::<T>(options.clone());
            second.restore("", &mut checkpoint).unwrap();
            checkpoint.finish().unwrap();
            assert_eq!(second.steps(), stop);
            go(&mut second, 40);
            assert!(bits(&whole) == bits(&second), "{stop}");
            assert_eq!(whole.weights(), second.weights());
        }
    }
    let balance = Balance::GradientStatistics(GradientStatistics::published());
    let options = TrainerOptions { balance, ..fixed() };
    check::<f32>(&options, &[0, 1, 10, 13, 24, 25, 26, 33]);
    check::<f64>(&options, &[7, 30]);
    // Weights of the points that L-BFGS began with are kept; at every sixth step it begins anew.
    let causal = Some(Causal { axis: 0, range: [-1.0, 1.0], slabs: 4, tolerance: 0.01 });
    check::<f64>(&TrainerOptions { causal, redraw: 6, ..options }, &[7, 26, 29, 30, 31]);
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let scope = Scope::new(&["x", "t"], &["u"]).unwrap();
            let points: Vec<f32> = (0..6000).map(|i| ((i * i) as f32 * 0.37).sin()).collect();
            let given = |points: Vec<f32>| Given(Cloud { points, data: vec![] });
            let objectives = vec![
                Objective::new(
                    "equation",
                    scope.formula(&["u_t + u*u_x - 0.01*u_xx"]).unwrap(),
                    given(points),
                ),
                Objective::new("start", scope.formula(&["u + sin(pi*x)"]).unwrap(), given(vec![0.5; 200])),
            ];
            let causal = Some(Causal { axis: 1, range: [-1.0, 1.0], slabs: 8, tolerance: 0.1 });
            let balance = Balance::GradientStatistics(GradientStatistics::published());
            let options = TrainerOptions { balance, causal, ..fixed() };
            let mut trainer = Trainer::<f32>::new(network(2, false), objectives, &[], options).unwrap();
            steps(12, || trainer.step().map(|_| ()));
            (trainer.parameters().to_vec(), trainer.weights().to_vec(), trainer.losses().to_vec())
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(4));
}

#[test]
fn parameters_of_equations_are_learnt() {
    // u″ + k u = 0 with u = cos 2x known: k = 4.
    let mut scope = Scope::new(&["x"], &["u"]).unwrap();
    scope.trainable("k", 1.0).unwrap();
    let data = scope.formula(&["u - cos(2*x)"]).unwrap();
    let objectives = vec![
        Objective::new("equation", scope.formula(&["u_xx + k*u"]).unwrap(), line(50, -1.0, 1.0)),
        Objective::new("data", data, line(30, -1.0, 1.0)),
    ];
    let mut trainer = Trainer::<f64>::new(network(1, false), objectives, scope.trained(), fixed()).unwrap();
    steps(200, || trainer.step().map(|_| ()));
    steps(300, || trainer.quasi_newton().map(|_| ()));
    let (name, k) = trainer.trained().next().unwrap();
    assert!(name == "k" && (k - 4.0).abs() < 1e-2, "{k}");
}

/// The gradient of term 1, whose points are coupled, against differences of `loss` at the values of u on its points.
fn check_coupled(trainer: &mut Trainer<f64>, points: &[f64], loss: &dyn Fn(&[f64]) -> f64) {
    let before = trainer.parameters().to_vec();
    trainer.step().unwrap();
    // The gradient was that at `before`.
    let row = trainer.gradients()[before.len()..2 * before.len()].to_vec();
    let u = Scope::new(&["x"], &["u"]).unwrap().formula(&["u"]).unwrap();
    let mut propagator = resolvent_pinn::Propagator::new(network(1, false)).unwrap();
    let mut at = |parameters: &[f64]| {
        let mut values = vec![0.0; points.len()];
        let term = resolvent_pinn::Term { residual: &u, points, data: &[], weights: None };
        propagator.residuals(parameters, term, &mut values).unwrap();
        loss(&values)
    };
    assert!((trainer.losses()[1] - at(&before)).abs() < 1e-12 * (1.0 + at(&before)));
    for i in (0..before.len()).step_by(7) {
        let (mut up, mut down) = (before.clone(), before.clone());
        (up[i], down[i]) = (up[i] + 1e-6, down[i] - 1e-6);
        let difference = (at(&up) - at(&down)) / 2e-6;
        assert!((difference - row[i]).abs() < 1e-6 * (1.0 + row[i].abs()), "{i}: {difference} {}", row[i]);
    }
}

#[test]
fn values_and_slopes_at_the_two_ends_of_a_period_become_equal() {
    // u″ = −4 sin 2x on a period π with u(0) = 0: sin 2x, if its ends are joined.
    let scope = Scope::new(&["x"], &["u"]).unwrap();
    let ends = Given(Cloud { points: vec![0.0, std::f64::consts::PI], data: vec![] });
    let start = Given(Cloud { points: vec![0.0], data: vec![] });
    let mut joined = Objective::new("joined", scope.formula(&["u"]).unwrap(), ends.clone());
    joined.coupling = Some(Coupling::Pairs);
    let equation = || scope.formula(&["u_xx + 4*sin(2*x)"]).unwrap();
    let inside = || line(40, 0.0, std::f64::consts::PI);
    let objectives = vec![Objective::new("equation", equation(), inside()), joined];
    let mut trainer = Trainer::<f64>::new(network(1, false), objectives, &[], fixed()).unwrap();
    steps(10, || trainer.step().map(|_| ()));
    check_coupled(&mut trainer, &[0.0, std::f64::consts::PI], &|u| (u[0] - u[1]).powi(2));

    let mut joined = Objective::new("joined", scope.formula(&["u", "u_x"]).unwrap(), ends);
    joined.coupling = Some(Coupling::Pairs);
    let objectives = vec![
        Objective::new("equation", equation(), inside()),
        joined,
        Objective::new("start", scope.formula(&["u"]).unwrap(), start),
    ];
    let mut trainer = Trainer::<f64>::new(network(1, false), objectives, &[], fixed()).unwrap();
    steps(50, || trainer.step().map(|_| ()));
    steps(400, || trainer.quasi_newton().map(|_| ()));
    let rest = scope.formula(&["u - sin(2*x)"]).unwrap();
    let points = [0.0, 0.4, 1.3, 2.2, 3.1];
    let mut values = [1.0; 5];
    let term = resolvent_pinn::Term { residual: &rest, points: &points, data: &[], weights: None };
    trainer.residuals(term, &mut values).unwrap();
    assert!(values.iter().all(|v| v.abs() < 1e-3), "{values:?}");
}

#[test]
fn integrals_are_met_and_their_gradient_is_that_of_differences() {
    // u″ = 0 with ∫ u = 3 and u(−1) = 0: u = 1.5 (x + 1).
    let scope = Scope::new(&["x"], &["u"]).unwrap();
    let n = 16;
    let mut mean = Objective::new("mean", scope.formula(&["u"]).unwrap(), line(n, -1.0, 1.0));
    mean.coupling = Some(Coupling::Integral { weights: vec![2.0 / n as f64; n], value: 3.0 });
    let start = Given(Cloud { points: vec![-1.0], data: vec![] });
    let objectives = vec![
        Objective::new("equation", scope.formula(&["u_xx"]).unwrap(), line(30, -1.0, 1.0)),
        mean,
        Objective::new("start", scope.formula(&["u"]).unwrap(), start),
    ];
    let mut trainer = Trainer::<f64>::new(network(1, false), objectives, &[], fixed()).unwrap();
    steps(50, || trainer.step().map(|_| ()));
    let points: Vec<f64> = (0..n).map(|i| -1.0 + 2.0 * (i as f64 + 0.5) / n as f64).collect();
    let mean = |u: &[f64]| (u.iter().sum::<f64>() * 2.0 / n as f64 - 3.0).powi(2);
    check_coupled(&mut trainer, &points, &mean);
    steps(200, || trainer.quasi_newton().map(|_| ()));
    let line = scope.formula(&["u - 1.5*(x + 1)"]).unwrap();
    let points = [-0.9, -0.3, 0.4, 0.95];
    let mut rest = [0.0; 4];
    let term = resolvent_pinn::Term { residual: &line, points: &points, data: &[], weights: None };
    trainer.residuals(term, &mut rest).unwrap();
    assert!(rest.iter().all(|r| r.abs() < 1e-2), "{rest:?}");
}

#[test]
fn what_is_not_finite_is_named_and_nothing_is_changed() {
    let mut scope = Scope::new(&["x"], &["u"]).unwrap();
    scope.trainable("a", 0.0).unwrap();
    // The logarithm of what is negative; a root whose slope at 0 is not finite.
    for (text, what, place) in [("log(x)*u", "loss", None), ("1 + sqrt(a)", "gradient", Some("a"))] {
        let objectives = vec![
            Objective::new("equation", scope.formula(&["u_x"]).unwrap(), line::<f64>(9, 0.0, 1.0)),
            Objective::new("wrong", scope.formula(&[text]).unwrap(), line(9, -1.0, -0.5)),
        ];
        let mut trainer = Trainer::new(network(1, false), objectives, scope.trained(), fixed()).unwrap();
        let before = trainer.parameters().to_vec();
        let Err(Error::NotFinite { step: 0, what: got, term, layer }) = trainer.step() else {
            panic!("{text}")
        };
        assert_eq!((got, term.as_str(), layer.as_deref()), (what, "wrong", place));
        assert_eq!(trainer.parameters(), before);
    }
}

#[test]
fn impossible_trainings_are_refused() {
    let scope = Scope::new(&["x"], &["u"]).unwrap();
    let objective = || Objective::new("equation", scope.formula(&["u_x"]).unwrap(), line::<f64>(9, 0.0, 1.0));
    let new = |objectives, options| Trainer::<f64>::new(network(1, false), objectives, &[], options);
    let refused = |r: Result<Trainer<f64>, Error>| matches!(r, Err(Error::Training { .. }));
    assert!(refused(new(vec![], fixed())));
    assert!(refused(new(vec![objective().factor(0.0)], fixed())));
    let balance = Balance::GradientNorm(Average { every: 0, keep: 0.0 });
    assert!(refused(new(vec![objective()], TrainerOptions { balance, ..fixed() })));
    let nothing = Given(Cloud { points: vec![], data: vec![] });
    let empty = Objective::new("equation", scope.formula(&["u_x"]).unwrap(), nothing);
    let mut trainer = new(vec![empty], fixed()).unwrap();
    assert!(matches!(trainer.step(), Err(Error::Training { .. })));
}
