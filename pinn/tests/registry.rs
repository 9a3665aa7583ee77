//! Every equation of the registry says what it means, and can be trained.

use resolvent_pinn::config::{BalanceConfig, Number, ParameterConfig, Precision};
use resolvent_pinn::registry::{self, Entry};
use resolvent_pinn::{Config, Problem, Real, Residual};
use std::collections::BTreeMap;

fn config(entry: &Entry) -> Config {
    Config::parse(entry.toml, &[]).unwrap_or_else(|e| panic!("{}: {e}", entry.name))
}

fn problem(config: &Config) -> Problem {
    Problem::new(config).unwrap_or_else(|e| panic!("{}: {e}", config.name))
}

/// With few points, so that a step is quick.
fn small(entry: &Entry) -> Config {
    let mut config = config(entry);
    config.train.points = config.train.points.min(64);
    config.conditions.iter_mut().for_each(|c| c.points = c.points.min(32));
    config
}

#[test]
fn names_are_unique_and_in_order() {
    let all = registry::all();
    assert!(all.windows(2).all(|w| w[0].name < w[1].name));
    for entry in all {
        assert_eq!(config(entry).name, entry.name);
        assert!(!entry.summary.is_empty() && registry::find(entry.name).unwrap() == entry);
    }
}

#[test]
fn every_text_is_a_problem_whose_solution_is_known() {
    for entry in registry::all() {
        let config = config(entry);
        problem(&config);
        let known = |u: &String| config.equation.exact.contains_key(u);
        assert!(config.equation.reference.is_some() || config.equation.unknowns.iter().all(known));
        // What is written out whole means the same.
        assert_eq!(Config::parse(&config.to_toml(), &[]).unwrap(), config, "{}", entry.name);
    }
}

/// √L of every term where each unknown is its exact solution plus `extra`, whatever the network gives.
fn rest(mut config: Config, extra: &str) -> Vec<(String, f64)> {
    let equation = &mut config.equation;
    equation.ansatz =
        equation.exact.iter().map(|(unknown, text)| (unknown.clone(), format!("{text} + {extra}"))).collect();
    let first = equation.parameters.clone();
    for (name, parameter) in &mut equation.parameters {
        if let ParameterConfig::Learnt { .. } = parameter {
            *parameter = first[&format!("{name}_exact")].clone();
        }
    }
    config.conditions.iter_mut().for_each(|c| c.hard = false);
    (config.balance, config.causal) = (BalanceConfig::default(), None);
    config.network.layers = vec![4];
    let mut trainer = problem(&config).trainer::<f64>().unwrap();
    trainer.step().unwrap();
    let names = trainer.objectives().iter().map(|o| o.name.clone());
    names.zip(trainer.losses().iter().map(|l| l.sqrt())).collect()
}

#[test]
fn exact_solutions_meet_every_equation_and_condition_and_others_do_not() {
    let manufactured = registry::all().iter().map(config).filter(|c| !c.equation.exact.is_empty());
    for config in manufactured {
        let name = config.name.clone();
        for (term, rest) in rest(config.clone(), "0") {
            assert!(rest < 1e-10, "{name}, {term}: {rest:e}");
        }
        let bump = format!("0.1*exp(0.3*({}))", config.equation.coordinates.join(" + 0.7*"));
        let wrong = rest(config, &bump);
        assert!(wrong.iter().all(|(_, rest)| *rest > 1e-6), "{name}: {wrong:?}");
    }
}

#[test]
fn equations_carry_the_fewest_streams() {
    for (name, expected) in [
        ("advection", 3),
        ("heat", 4),
        ("poisson-1d", 3),
        ("poisson-2d", 4),
        ("helmholtz", 4),
        ("poisson-5d", 7),
        ("poisson-10d", 12),
        ("burgers", 4),
        ("allen-cahn", 4),
        ("kdv", 5),
        ("kuramoto-sivashinsky", 6),
        ("cavity", 4),
        ("cavity-streamfunction", 8),
    ] {
        let config = config(registry::find(name).unwrap());
        let formula = problem(&config).scope().formula(&config.equation.residuals.all()).unwrap();
        assert_eq!(Residual::<f64>::streams(&formula).count(), expected, "{name}");
    }
}

fn three_steps<T: Real>(problem: &Problem) {
    let mut trainer = problem.trainer::<T>().unwrap();
    for _ in 0..3 {
        trainer.step().unwrap_or_else(|e| panic!("{}: {e}", problem.config().name));
    }
    assert!(trainer.losses().iter().all(|l| l.is_finite() && *l > 0.0));
    assert!(trainer.parameters().iter().all(|p| p.f64().is_finite()));
}

#[test]
fn every_one_is_trained() {
    for entry in registry::all() {
        let config = small(entry);
        let problem = problem(&config);
        match config.train.precision {
            Precision::F32 => three_steps::<f32>(&problem),
            Precision::F64 => three_steps::<f64>(&problem),
        }
    }
}

#[test]
fn references_are_those_of_the_equations() {
    // Coarse, so that they are made at once.
    let coarse = |name: &str| -> BTreeMap<&str, f64> {
        let settings: &[(&str, f64)] = match name {
            "burgers" => &[("n", 9.0), ("times", 3.0)],
            "cavity" => &[("n", 5.0), ("degree", 20.0)],
            "kuramoto-sivashinsky" => &[("n", 64.0), ("times", 3.0), ("steps", 100.0)],
            _ => &[("n", 64.0), ("times", 3.0), ("steps", 100.0), ("refine", 1.0)],
        };
        settings.iter().copied().collect()
    };
    for entry in registry::all() {
        let mut config = small(entry);
        let Some(reference) = &mut config.equation.reference else { continue };
        for (key, value) in coarse(reference.name.as_deref().unwrap()) {
            reference.settings.insert(key.into(), Number::Value(value));
        }
        let folder = tempfile::tempdir().unwrap();
        let problem = problem(&config);
        let mut trainer = problem.trainer::<f64>().unwrap();
        let evaluation = problem.evaluation(folder.path()).unwrap_or_else(|e| panic!("{}: {e}", entry.name));
        let errors = evaluation.errors(&mut trainer).unwrap();
        assert!(
            !errors.is_empty() && errors.iter().all(|e| e.relative_l2 > 0.1),
            "{}: {errors:?}",
            entry.name
        );
    }
}
