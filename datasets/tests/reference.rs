//! Reference solutions: exact solutions, orders, conserved quantities, and the accuracy that they state.

#[path = "reference/cavity.rs"]
mod cavity;
#[path = "reference/generation.rs"]
mod generation;
#[path = "reference/python.rs"]
mod python;

use resolvent_datasets::Error;
use resolvent_datasets::reference::{REFERENCES, Range, Settings, Solved, solve};
use std::f64::consts::{PI, TAU};

fn settings(name: &str, set: &[(&str, &str)]) -> Settings {
    set.iter().fold(Settings::of(name).unwrap(), |s, (name, value)| s.set(name, value).unwrap())
}

fn solved(name: &str, set: &[(&str, &str)]) -> Solved {
    solve(&settings(name, set)).unwrap()
}

/// The relative L2 difference.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let d: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    (d / b.iter().map(|b| b * b).sum::<f64>()).sqrt()
}

/// Equations stepped in time, small: settings, and two numbers of steps of which both are accurate but for time.
const STEPPED: [(&str, &[(&str, &str)], [&str; 3]); 5] = [
    (
        "allen-cahn",
        &[("n", "64"), ("times", "2"), ("end", "0.25"), ("nu", "0.01"), ("refine", "4")],
        ["20", "40", "320"],
    ),
    ("kdv", &[("n", "64"), ("times", "2"), ("end", "0.2")], ["40", "80", "640"]),
    (
        "kuramoto-sivashinsky",
        &[("n", "128"), ("refine", "1"), ("times", "2"), ("end", "10")],
        ["320", "640", "2560"],
    ),
    (
        "gray-scott",
        &[("n", "32"), ("times", "2"), ("end", "40"), ("dv", "1e-4"), ("refine", "4")],
        ["10", "20", "80"],
    ),
    (
        "turbulence",
        &[("n", "32"), ("refine", "2"), ("times", "2"), ("end", "1"), ("nu", "0.02"), ("peak", "3")],
        ["20", "40", "160"],
    ),
];

#[test]
fn time_is_stepped_with_order_four() {
    for (name, set, steps) in STEPPED {
        let at_end = |steps| {
            let s = settings(name, set).set("steps", steps).unwrap();
            solve(&s).unwrap().snapshot(0, 1).to_vec()
        };
        let [coarse, fine, exact] = steps.map(at_end);
        let (coarse, fine) = (difference(&coarse, &exact), difference(&fine, &exact));
        let order = (coarse / fine).log2();
        assert!((3.6..4.6).contains(&order), "{name}: order {order}, errors {coarse:e} {fine:e}");
        assert!(fine > 1e-13, "{name}: rounding alone");
    }
}

#[test]
fn space_is_resolved_faster_than_by_any_power() {
    // Twice the modes square the error at least, and the errors fall far.
    let set = [("times", "2"), ("end", "0.3"), ("steps", "400"), ("n", "32")];
    let at_end = |refine| {
        let s = settings("kdv", &set).set("refine", refine).unwrap();
        solve(&s).unwrap().snapshot(0, 1).to_vec()
    };
    let exact = at_end("8");
    let errors = ["1", "2", "4"].map(|r| difference(&at_end(r), &exact));
    assert!(errors[0] < 0.3 && errors[1] < errors[0].powf(1.5) && errors[2] < 1e-9, "{errors:?}");
}

#[test]
fn the_stated_accuracy_bounds_the_error() {
    for (name, set, steps) in STEPPED {
        let stated = solve(&settings(name, set).set("steps", steps[1]).unwrap()).unwrap();
        let better = settings(name, set).set("steps", steps[2]).unwrap();
        let better = better.set("refine", if name == "turbulence" { "3" } else { "5" });
        let better = solve(&better.unwrap()).unwrap();
        for field in 0..stated.layout.fields.len() {
            let error = difference(stated.field(0, 1, field), better.field(0, 1, field));
            assert!(error <= stated.accuracy, "{name}, field {field}: {error:e} > {:e}", stated.accuracy);
        }
        assert!(stated.accuracy < 0.05, "{name}: {:e} says nothing", stated.accuracy);
    }
}

#[test]
fn korteweg_and_de_vries_conserve_mass_momentum_and_energy() {
    let c = 0.0025;
    let kdv = solved("kdv", &[("n", "128"), ("times", "5"), ("steps", "1000")]);
    let n = 128.0;
    let sums = |index: usize| {
        let u = kdv.snapshot(0, index);
        // u_x of a trigonometric polynomial, by its coefficients.
        let slope: f64 = (1..64)
            .map(|k| {
                let part = |f: fn(f64) -> f64| {
                    u.iter().enumerate().map(|(j, u)| u * f(TAU * k as f64 * j as f64 / n)).sum::<f64>() / n
                };
                2.0 * (PI * k as f64).powi(2) * (part(f64::sin).powi(2) + part(f64::cos).powi(2))
            })
            .sum();
        let mean = |p: i32| u.iter().map(|u| u.powi(p)).sum::<f64>() / n;
        [mean(1), mean(2), mean(3) / 3.0 - c * slope]
    };
    let start = sums(0);
    for index in 1..5 {
        for (now, then) in sums(index).iter().zip(&start) {
            assert!((now - then).abs() < 1e-7, "{:?} {start:?}", sums(index));
        }
    }
}

#[test]
fn cole_hopf_agrees_with_its_heat_equation_solved_by_series() {
    // φ = exp(−∫u₀/2ν) obeys the heat equation: a cosine series whose coefficients are Bessel functions I_k(1/2πν).
    let nu = 0.05f64;
    let burgers = solved("burgers", &[("n", "41"), ("times", "6"), ("nu", "0.05")]);
    let z = 1.0 / (2.0 * PI * nu);
    let bessel = |k: i32| {
        let m = 400;
        (0..m)
            .map(|i| {
                let a = TAU * f64::from(i) / f64::from(m);
                (z * a.cos()).exp() * (f64::from(k) * a).cos()
            })
            .sum::<f64>()
            / f64::from(m)
    };
    let coefficients: Vec<f64> = (0..40).map(bessel).collect();
    for (index, t) in burgers.layout.times.iter().enumerate().skip(1) {
        for (x, u) in burgers.layout.axes[0].points.iter().zip(burgers.snapshot(0, index)) {
            let (mut phi, mut slope) = (coefficients[0], 0.0);
            for (k, c) in coefficients.iter().enumerate().skip(1) {
                let wave = PI * k as f64;
                // e^{−z cos πx} has the coefficients (−1)^k I_k.
                let c = 2.0 * c * (-wave * wave * nu * t).exp() * if k % 2 == 0 { 1.0 } else { -1.0 };
                phi += c * (wave * x).cos();
                slope -= c * wave * (wave * x).sin();
            }
            assert!(
                (u + 2.0 * nu * slope / phi).abs() < 1e-11,
                "x {x}, t {t}: {u} {}",
                -2.0 * nu * slope / phi
            );
        }
    }
}

#[test]
fn turbulence_loses_energy_by_viscosity_alone_and_starts_with_its_spectrum() {
    let nu = 0.01;
    let set = [
        ("n", "64"),
        ("refine", "2"),
        ("times", "201"),
        ("steps", "2"),
        ("end", "1"),
        ("nu", "0.01"),
        ("peak", "4"),
    ];
    let flow = solved("turbulence", &set);
    let mean = |index: usize, field: usize| {
        let f = flow.field(0, index, field);
        f.iter().map(|v| v * v).sum::<f64>() / f.len() as f64
    };
    let energy = |index| 0.5 * (mean(index, 1) + mean(index, 2));
    assert!((energy(0) - 0.5).abs() < 1e-9, "{}", energy(0));
    // Simpson's rule over the enstrophy: dE/dt = −ν mean w².
    let dt = flow.layout.times[1];
    let lost: f64 = (0..200)
        .step_by(2)
        .map(|i| dt / 3.0 * (mean(i, 0) + 4.0 * mean(i + 1, 0) + mean(i + 2, 0)))
        .sum::<f64>()
        * nu;
    assert!(
        lost > 0.05 && (energy(0) - energy(200) - lost).abs() < 1e-7 * lost.max(1.0),
        "{lost} {}",
        energy(0) - energy(200)
    );
    let w = flow.field(0, 0, 0);
    assert!(w.iter().sum::<f64>().abs() < 1e-9 * w.len() as f64);
}

#[test]
fn formulas_satisfy_their_equations() {
    // Fourth-order differences on the stored grid.
    let h = |n: usize, length: f64| length / (n - 1) as f64;
    let second = |f: &dyn Fn(isize) -> f64, h: f64| {
        (-f(-2) + 16.0 * f(-1) - 30.0 * f(0) + 16.0 * f(1) - f(2)) / (12.0 * h * h)
    };
    let first = |f: &dyn Fn(isize) -> f64, h: f64| (f(-2) - 8.0 * f(-1) + 8.0 * f(1) - f(2)) / (12.0 * h);
    let n = 401;
    let helmholtz = solved("helmholtz", &[("n", "401"), ("a", "2"), ("b", "3"), ("k", "2")]);
    let (u, q) = (helmholtz.field(0, 0, 0), helmholtz.field(0, 0, 1));
    for (i, j) in [(100, 130), (250, 77)] {
        let at = |di: isize, dj: isize| u[(i as isize + di) as usize * n + (j as isize + dj) as usize];
        let laplacian = second(&|d| at(d, 0), h(n, 2.0)) + second(&|d| at(0, d), h(n, 2.0));
        assert!((laplacian + 4.0 * at(0, 0) - q[i * n + j]).abs() < 1e-4, "{laplacian}");
    }
    let check = |name: &str,
                 set: &[(&str, &str)],
                 residual: &dyn Fn(&dyn Fn(isize, isize) -> f64, f64, f64) -> f64| {
        let s = [("n", "401"), ("times", "401")].iter().chain(set).copied().collect::<Vec<_>>();
        let s = settings(name, &s);
        let s = if s.reference().random { s.samples(3).unwrap() } else { s };
        let solved = solve(&s).unwrap();
        let (dt, dx) =
            (solved.layout.times[1], solved.layout.axes[0].points[1] - solved.layout.axes[0].points[0]);
        for sample in 0..solved.layout.samples {
            for (i, j) in [(100isize, 130isize), (250, 77)] {
                let at = |di: isize, dj: isize| solved.field(sample, (i + di) as usize, 0)[(j + dj) as usize];
                let r = residual(&at, dt, dx);
                assert!(r.abs() < 1e-3, "{name}, trajectory {sample}: {r}");
            }
        }
    };
    check("wave", &[("c", "2")], &|u, dt, dx| second(&|d| u(d, 0), dt) - 4.0 * second(&|d| u(0, d), dx));
    check("heat", &[("alpha", "0.1")], &|u, dt, dx| first(&|d| u(d, 0), dt) - 0.1 * second(&|d| u(0, d), dx));
    check("advection", &[("beta", "3")], &|u, dt, dx| {
        first(&|d| u(d, 0), dt) + 3.0 * first(&|d| u(0, d), dx)
    });
    let klein = solved("klein-gordon", &[("n", "401"), ("times", "401")]);
    for (i, j) in [(100isize, 130isize), (250, 77)] {
        let u = |di: isize, dj: isize| klein.field(0, (i + di) as usize, 0)[(j + dj) as usize];
        let f = klein.field(0, i as usize, 1)[j as usize];
        let r = second(&|d| u(d, 0), 1.0 / 400.0) - second(&|d| u(0, d), 1.0 / 400.0) + u(0, 0).powi(3) - f;
        assert!(r.abs() < 1e-3, "{r}");
    }
}

#[test]
fn darcy_in_a_uniform_medium_is_the_series_of_the_square() {
    let darcy = solved("darcy", &[("n", "32"), ("refine", "4"), ("high", "2"), ("low", "2"), ("f", "3")]);
    let exact = |x: f64, y: f64| {
        (1..200)
            .step_by(2)
            .flat_map(|k| (1..200).step_by(2).map(move |l| (f64::from(k), f64::from(l))))
            .map(|(k, l)| {
                16.0 / (PI.powi(4) * k * l * (k * k + l * l)) * (k * PI * x).sin() * (l * PI * y).sin()
            })
            .sum::<f64>()
            * 1.5
    };
    for (i, j) in [(15, 16), (3, 20), (31, 0)] {
        let x = |i: usize| (i as f64 + 0.5) / 32.0;
        let (u, e) = (darcy.field(0, 0, 1)[i * 32 + j], exact(x(i), x(j)));
        // The mean over a cell is smaller than the value at its centre: by h²/24 Δu, and Δu = −f/a.
        let e = e - 1.5 / (24.0 * 32.0 * 32.0);
        assert!((u - e).abs() < 2e-4 * 0.11, "({i}, {j}): {u} {e}");
    }
    let rough = solved("darcy", &[("n", "32")]);
    let a = rough.field(0, 0, 0);
    let high = a.iter().filter(|a| **a == 12.0).count();
    assert!(a.iter().all(|a| *a == 12.0 || *a == 3.0) && (200..824).contains(&high), "{high}");
    assert!(rough.accuracy > 1e-6 && rough.accuracy < 0.02, "{}", rough.accuracy);
}

#[test]
fn poisson_of_the_box_is_its_manufactured_solution() {
    let error = |n: &str| {
        let poisson = solved("poisson", &[("n", n)]);
        assert!(poisson.accuracy < 1e-10);
        let n: usize = n.parse().unwrap();
        let problem = resolvent_datasets::Family::named("box")
            .unwrap()
            .problem(resolvent_datasets::Parameters::new(n).dim(2))
            .unwrap();
        let exact = problem.exact().unwrap().unwrap();
        let u = poisson.field(0, 0, 0);
        (0..n * n).map(|at| (u[at] - exact[at / n + n * (at % n)]).abs()).fold(0.0, f64::max)
    };
    let order = (error("16") / error("32")).log2();
    assert!((order - 2.0).abs() < 0.2, "{order}");
}

#[test]
fn settings_are_refused_with_the_mend() {
    for r in &REFERENCES {
        let of = || Settings::of(r.name).unwrap();
        for s in r.settings {
            let bad = match s.range {
                Range::Real(_, high) => (2.0 * high + 1.0).to_string(),
                Range::Whole(_, high) | Range::Even(_, high) => (high + 1).to_string(),
                Range::Choice(_) => "nothing".into(),
            };
            let e = of().set(s.name, &bad).unwrap_err();
            assert!(matches!(&e, Error::Setting { .. }), "{e}");
            assert!(e.to_string().contains("give "), "{e}");
            assert!(matches!(of().set(s.name, "NaN"), Err(Error::Setting { .. })), "{} {}", r.name, s.name);
        }
        assert!(matches!(of().set("nn", "1"), Err(Error::Unknown { .. })));
        assert!(matches!(of().samples(0), Err(Error::Setting { .. })));
        assert_eq!(of().samples(2).is_ok(), r.random, "{}", r.name);
    }
    assert!(Settings::of("burger").unwrap_err().to_string().contains("did you mean `burgers`?"));
    for (name, set) in [
        ("turbulence", ("peak", "100")),
        ("gray-scott", ("refine", "1")),
        ("cavity", ("degree", "17")),
        ("kdv", ("refine", "1")),
    ] {
        let s = settings(name, &[set]);
        let s = if name == "kdv" {
            s.set("n", "16").unwrap()
        } else if name == "gray-scott" {
            s.set("n", "16").unwrap()
        } else {
            s
        };
        assert!(matches!(solve(&s), Err(Error::Setting { .. })), "{name}");
    }
}

#[test]
fn numbers_that_overflow_are_an_error() {
    let s = settings("kdv", &[("n", "64"), ("times", "11"), ("steps", "2"), ("c", "1e-5"), ("end", "1000")]);
    let e = solve(&s).err().unwrap();
    assert!(matches!(&e, Error::Unstable { .. }), "{e}");
    assert!(e.to_string().contains("use more `steps`"), "{e}");
}
