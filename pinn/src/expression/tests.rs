//! What text means, against the same formulas in Rust and against differences.

use super::{Mistake, Scope};
use crate::{Derivative, Differential, Error, Linearised, Residual, Sample};
use proptest::prelude::*;
use std::f64::consts::PI;

fn scope() -> Scope {
    let mut scope = Scope::new(&["x", "y", "t"], &["u", "v", "u_hat"]).unwrap();
    scope.parameter("k", 2.0).unwrap();
    scope.trainable("nu", 0.1).unwrap();
    scope.column("measured").unwrap();
    scope.define("q(a, b)", "k*a - b^2").unwrap();
    scope.define("bump", "exp(-(x^2 + y^2))").unwrap();
    scope.exact("u", "sin(pi*x)*exp(-t) + x^3*y").unwrap();
    scope
}

fn value(text: &str, [x, y, t]: [f64; 3]) -> f64 {
    let mut out = [0.0];
    scope().function(text).unwrap().evaluate(&[x, y, t], &mut out).unwrap();
    out[0]
}

fn mistake(result: Result<impl Sized, Error>) -> Mistake {
    match result.err() {
        Some(Error::Expression(m)) => m,
        other => panic!("{other:?}"),
    }
}

#[test]
fn text_means_what_the_same_formula_in_rust_does() {
    let [x, y, t] = [0.3, -0.7, 1.25f64];
    let pairs: [(&str, f64); 26] = [
        ("1 + 2*3 - 4/8", 6.5),
        ("-2^2", -4.0),
        ("2^3^2", 512.0),
        ("2**-1", 0.5),
        ("1 - 2 - 3", -4.0),
        ("8/4/2", 1.0),
        ("-x*-y", x * y),
        ("(x + y)*(x - y)", x * x - y * y),
        (".5e1 + 1.E-1", 5.1),
        ("sin(pi*x) + cos(2*y)*tan(t)", (PI * x).sin() + (2.0 * y).cos() * t.tan()),
        ("asin(x) + acos(x) + atan(y)", x.asin() + x.acos() + y.atan()),
        ("sinh(x) + cosh(y) + tanh(t)", x.sinh() + y.cosh() + t.tanh()),
        ("exp(x) + log(t) + sqrt(t)", x.exp() + t.ln() + t.sqrt()),
        ("abs(y) + sign(y) + sign(x - x)", -y - 1.0),
        ("t^x", t.powf(x)),
        ("t^-3 + t^0.5", t.powi(-3) + t.sqrt()),
        ("atan2(y, x)", y.atan2(x)),
        ("min(x, y, t) + max(x, y, t)", y + t),
        ("where(x < y, 1, 2)", 2.0),
        ("where(x >= 0.3 and not t <= 1, 1, 2)", 1.0),
        ("where(x > 1 or t > 1 and y > 0, 1, 2)", 2.0),
        ("q(x, t) + q(1, 2)", 2.0 * x - t * t + 2.0 - 4.0),
        ("bump", (-(x * x + y * y)).exp()),
        ("exact_u", (PI * x).sin() * (-t).exp() + x.powi(3) * y),
        ("exact_u_xx", -PI * PI * (PI * x).sin() * (-t).exp() + 6.0 * x * y),
        ("exact_u_x_y - exact_u_t", 3.0 * x * x + (PI * x).sin() * (-t).exp()),
    ];
    for (text, expected) in pairs {
        let got = value(text, [x, y, t]);
        assert!((got - expected).abs() <= 1e-14 * (1.0 + expected.abs()), "{text}: {got}, not {expected}");
    }
}

#[test]
fn blocks_of_any_length_agree_with_single_points() {
    let f = scope().function("where(x < 0.5, sin(20*x)*y, tanh(t)^3) + k").unwrap();
    for n in [0usize, 1, 7, 8, 255, 256, 257, 1000] {
        let points: Vec<f64> = (0..3 * n).map(|i| (i * 37 % 101) as f64 / 101.0).collect();
        let mut all = vec![0.0; n];
        f.evaluate(&points, &mut all).unwrap();
        for (p, all) in all.iter().enumerate() {
            let mut one = [0.0];
            f.evaluate(&[points[p], points[n + p], points[2 * n + p]], &mut one).unwrap();
            assert!((one[0] - all).abs() < 1e-14, "{n} {p}");
        }
        let single: Vec<f32> = points.iter().map(|p| *p as f32).collect();
        let mut out = vec![0.0f32; n];
        f.evaluate(&single, &mut out).unwrap();
        assert!(out.iter().zip(&all).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-4));
    }
    assert!(matches!(f.evaluate(&[0.0f64; 4], &mut [0.0; 2]), Err(Error::Length { .. })));
}

#[test]
fn a_mistake_is_pointed_at() {
    let s = scope();
    for (text, at, says) in [
        ("u_xx + sinn(x)", 7, "did you mean `sin`?"),
        ("u + zeta", 4, "there is no name `zeta`"),
        ("u_xz", 0, "is no coordinate"),
        ("u_xxxxx", 0, "order 5"),
        ("2 x", 2, "an operator is missing"),
        ("u = 1", 2, "no `=`"),
        ("(u + 1", 6, "a `)` is missing"),
        ("u + 1)", 5, "was not opened"),
        ("u +", 3, "complete the expression"),
        ("u + $", 4, "means nothing here"),
        ("sin", 0, "needs its argument"),
        ("sin(x, y)", 0, "takes 1 arguments, not 2"),
        ("min()", 0, "of nothing"),
        ("q", 0, "write `q(a, b)`"),
        ("where(x, 1, 2)", 6, "compare it"),
        ("1 + (x < 2)", 2, "where a number is needed"),
        ("where(0 < x < 1, 1, 2)", 12, "do not chain"),
        ("u + 1e999", 4, "is no number"),
        ("exact_v", 0, "has no exact solution"),
    ] {
        let m = mistake(s.formula(&[text]));
        assert!(m.at == at && m.to_string().contains(says), "{text}: {m}");
    }
    let shown = mistake(s.formula(&["u + zeta"])).to_string();
    assert!(shown.ends_with("  u + zeta\n      ^"), "{shown}");
    for text in ["u", "nu", "measured"] {
        assert!(mistake(s.function(text)).mend.contains("may occur here"));
    }
}

#[test]
fn names_are_checked() {
    let of = |c: &[&str], u: &[&str]| mistake(Scope::new(c, u));
    assert!(of(&["x"], &["x"]).what.contains("taken"));
    assert!(of(&["sin"], &[]).what.contains("taken"));
    assert!(of(&["1x"], &[]).what.contains("no name"));
    assert!(of(&["x", "xi"], &[]).what.contains("begin alike"));
    let mut s = scope();
    assert!(mistake(s.parameter("k", 1.0)).what.contains("taken"));
    assert!(mistake(s.trainable("mu", f64::NAN)).mend.contains("finite"));
    assert!(mistake(s.define("f(", "1")).what.contains("no end"));
    assert!(mistake(s.define("f(1)", "1")).what.contains("no name"));
    assert!(mistake(s.exact("w", "x")).what.contains("no unknown"));
    assert!(mistake(s.exact("v", "x +")).mend.contains("complete"));
    s.define("loop", "loop + 1").unwrap();
    assert!(mistake(s.formula(&["loop"])).to_string().contains("must not use itself"));
    s.define("wrong(z)", "z + )").unwrap();
    let m = mistake(s.formula(&["u - wrong(2)"]));
    assert!(m.at == 4 && m.what.contains("character 4"), "{m}");
}

#[test]
fn size_and_depth_are_limited() {
    let s = scope();
    let deep = format!("{}x{}", "(".repeat(200), ")".repeat(200));
    assert!(mistake(s.formula(&[&deep])).what.contains("nests deeper"));
    let long = vec!["x"; 20_000].join("+");
    assert!(mistake(s.formula(&[&long])).what.contains("longer"));
    // A long chain is no deep one.
    let chain = vec!["x"; 4000].join("+");
    assert!((value(&chain, [0.5, 0.0, 0.0]) - 2000.0).abs() < 1e-9);
    let mut s = Scope::new(&["x"], &["u"]).unwrap();
    s.define("f0(a)", "a*u_x + sin(a)").unwrap();
    for i in 1..20 {
        s.define(&format!("f{i}(a)"), &format!("f{j}(a + {i})*f{j}(a*{i})", j = i - 1)).unwrap();
    }
    assert!(mistake(s.formula(&["f19(x)"])).what.contains("operations"));
}

/// The streams of a residual at random points, with what it makes of them.
fn linearise(
    texts: &[&str],
    outputs: usize,
    streams: &[f64],
    points: &[f64],
    unknowns: &[f64],
    t: usize,
) -> (Vec<f64>, Vec<f64>) {
    let formula = scope().formula(texts).unwrap();
    let count = Residual::<f64>::streams(&formula).count();
    let e = texts.len();
    let (mut residuals, mut partials) =
        (vec![0.0; e * t], vec![0.0; e * (outputs * count + unknowns.len()) * t]);
    let data = vec![0.25; t];
    let at = Sample { t, points, data: &data, outputs: streams, stride: count * t, unknowns };
    let mut out = Linearised {
        t,
        outputs,
        streams: count,
        unknowns: unknowns.len(),
        residuals: &mut residuals,
        partials: &mut partials,
    };
    formula.linearise(&at, &mut out);
    (residuals, partials)
}

#[test]
fn derivatives_by_streams_and_parameters_agree_with_differences() {
    let texts = [
        "u_t + u*u_x + v*u_y - nu*(u_xx + u_yy) - measured",
        "v^2*sin(u*x) + exp(nu*v)/(2 + cos(u_x)) + where(u > v, u^3, atan2(v, 3))",
        "tan(u/9) + asin(v/9) + acos(v/9) + atan(u) + sinh(u) + cosh(v) + tanh(u*v) + sqrt(5 + u) + log(6 + v)",
        "abs(u)*v + (2 + nu)^u + min(u, v) + u_hat",
    ];
    let formula = scope().formula(&texts).unwrap();
    let count = Residual::<f64>::streams(&formula).count();
    let (t, outputs) = (5, 3);
    let noise = |n: usize, s: usize| -> Vec<f64> {
        (0..n).map(|i| ((i * 7919 + s * 104_729) % 1009) as f64 / 504.5 - 1.0).collect()
    };
    let (streams, points) = (noise(outputs * count * t, 1), noise(3 * t, 2));
    let unknowns = [0.3];
    let at = |streams: &[f64], unknowns: &[f64]| linearise(&texts, outputs, streams, &points, unknowns, t);
    let (residuals, partials) = at(&streams, &unknowns);
    let columns = outputs * count + 1;
    let h = 1e-6;
    for column in 0..columns {
        let moved = |by: f64| {
            let (mut s, mut p) = (streams.clone(), unknowns);
            if column < outputs * count {
                s[column * t..][..t].iter_mut().for_each(|v| *v += by);
            } else {
                p[0] += by;
            }
            at(&s, &p).0
        };
        let (up, down) = (moved(h), moved(-h));
        for e in 0..texts.len() {
            for p in 0..t {
                let difference = (up[e * t + p] - down[e * t + p]) / (2.0 * h);
                let got = partials[(e * columns + column) * t + p];
                assert!(
                    (difference - got).abs() < 1e-7 * (1.0 + got.abs()),
                    "{e} {column} {p}: {got} {difference}"
                );
            }
        }
    }
    assert!(residuals.iter().all(|r| r.is_finite()));
}

#[test]
fn a_combination_used_as_a_whole_is_one_stream() {
    let s = scope();
    let count = |texts: &[&str]| Residual::<f64>::streams(&s.formula(texts).unwrap()).count();
    assert_eq!(count(&["u_xx + u_yy - u"]), 4, "u, u_x, u_y, Δu");
    assert_eq!(count(&["u_t - k*(u_xx + u_yy) + u_x*u"]), 5);
    assert_eq!(count(&["u_xx + 3*u_yy", "u - v"]), 4);
    assert_eq!(count(&["u*(u_xx - u_yy)"]), 4, "a common factor that varies");
    assert_eq!(count(&["u_xx + u_yy", "v_xx + v_yy - u"]), 4);
    assert_eq!(count(&["u_xx + x*u_yy"]), 5, "no constant ratio");
    assert_eq!(count(&["u_xx + u_yy", "v_xx - v_yy"]), 5, "two ratios");
    assert_eq!(count(&["(u_xx + u_yy)^2"]), 5, "not linear");
    assert_eq!(count(&["u - measured"]), 1);
    let combined = s.formula(&["2*u_xx + 6*u_yy"]).unwrap();
    let second = |axis| Derivative::along(3, &[axis, axis]).unwrap();
    let expected = Differential::new(&[(1.0, second(0)), (3.0, second(1))]).unwrap();
    let streams = Residual::<f64>::streams(&combined);
    let other = Differential::new(&[(1.0 / 3.0, second(0)), (1.0, second(1))]).unwrap();
    assert!(streams.position(&expected).or(streams.position(&other)).is_some(), "{streams:?}");
}

proptest! {
    /// No text makes it panic, and a mistake is within the text.
    #[test]
    fn any_text_is_read_or_refused(text in "[uvxyt_0-9a-z+*/^(),.<>= -]{0,60}") {
        match scope().formula(&[&text]) {
            Ok(_) => {}
            Err(Error::Expression(m)) => prop_assert!(m.at <= text.chars().count()),
            Err(Error::Derivative { .. }) => {}
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

#[test]
fn an_ansatz_is_differentiated_with_the_network_in_it() {
    use crate::{Architecture, Network, Propagator, Term};
    let mut scope = Scope::new(&["x", "y"], &["u", "v"]).unwrap();
    scope.ansatz("u", "sin(x*y) + x*(1 - x)*u*exp(y) + v").unwrap();
    let plain = Scope::new(&["x", "y"], &["u", "v"]).unwrap();
    let network = Network::new(Architecture::dense(2, &[7], 2)).unwrap();
    let parameters: Vec<f64> = network.initial(4);
    let mut propagator = Propagator::new(network).unwrap();
    let mut value = |scope: &Scope, text: &str, at: [f64; 2]| {
        let formula = scope.formula(&[text]).unwrap();
        let mut r = [0.0];
        let term = Term { residual: &formula, points: &at, data: &[], weights: None };
        propagator.residuals(&parameters, term, &mut r).unwrap();
        r[0]
    };
    let at = [0.3, -0.6];
    let whole = "sin(x*y) + x*(1 - x)*u*exp(y) + v";
    assert!((value(&scope, "u", at) - value(&plain, whole, at)).abs() < 1e-14);
    // On the faces the network has no part in it but for v, whose own name is bare.
    assert!((value(&scope, "u - v", [0.0, 0.4])).abs() < 1e-14);
    let h = 1e-4;
    let moved = |dx: f64, dy: f64| [at[0] + dx * h, at[1] + dy * h];
    let mut u = |dx: f64, dy: f64| value(&scope, "u", moved(dx, dy));
    let xx = (u(1.0, 0.0) - 2.0 * u(0.0, 0.0) + u(-1.0, 0.0)) / (h * h);
    let xy = (u(1.0, 1.0) - u(1.0, -1.0) - u(-1.0, 1.0) + u(-1.0, -1.0)) / (4.0 * h * h);
    let y = (u(0.0, 1.0) - u(0.0, -1.0)) / (2.0 * h);
    for (text, expected) in
        [("u_xx", xx), ("u_xy", xy), ("u_y", y), ("u_xx + 2*u_xy - u*u_y", xx + 2.0 * xy - u(0.0, 0.0) * y)]
    {
        let got = value(&scope, text, at);
        assert!((got - expected).abs() < 1e-6, "{text}: {got} {expected}");
    }
    // A Laplacian stays one stream beside the first derivatives.
    let laplacian = scope.formula(&["u_xx + u_yy"]).unwrap();
    assert!(Residual::<f64>::streams(&laplacian).count() <= 6);
    let mut high = Scope::new(&["x"], &["u"]).unwrap();
    high.ansatz("u", "x*u_x").unwrap();
    assert!(mistake(high.formula(&["u_xxxx"])).what.contains("order 5"));
    assert!(mistake(high.ansatz("u", "u")).what.contains("already"));
    assert!(mistake(high.ansatz("w", "u")).what.contains("no unknown"));
}
