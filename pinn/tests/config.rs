//! Configurations as people write them, rightly and wrongly.

use resolvent_pinn::config::{BalanceKind, NetworkKind, Precision};
use resolvent_pinn::{Config, Error};

const HELMHOLTZ: &str = r#"
kind = "pinn"
name = "helmholtz"
seed = 1

[equation]
coordinates = ["x", "y"]
unknowns = ["u"]
parameters = { k = 1.0 }
residuals = ["u_xx + u_yy + k^2*u - q(x,y)"]
define = { "q(x,y)" = "(k^2 - 17*pi^2)*sin(pi*x)*sin(4*pi*y)" }
exact = { u = "sin(pi*x)*sin(4*pi*y)" }

[domain]
x = [-1, 1]
y = [-1, "2/2"]
periodic = []

[[condition]]
on = "boundary"
is = "u - exact_u"
points = 512

[network]
kind = "gated"
layers = [50, 50, 50]
activation = "tanh"

[balance]
kind = "gradient-statistics"
every = 10
keep = 0.9

[train]
optimizer = "adam"
steps = 40000
points = 128
precision = "f32"
"#;

fn what(text: &str) -> String {
    Config::parse(text, &[]).unwrap_err().to_string()
}

#[test]
fn the_example_of_the_manual_is_read_and_written_whole() {
    let config = Config::parse(HELMHOLTZ, &[]).unwrap();
    assert_eq!(config.network.kind, NetworkKind::Gated);
    assert_eq!(config.balance.kind, BalanceKind::GradientStatistics);
    assert_eq!((config.train.steps, config.train.precision), (40_000, Precision::F32));
    assert_eq!(config.conditions[0].points, 512);
    let text = config.to_toml();
    assert!(text.contains("resample = 1") && text.contains("[train.rate]"), "{text}");
    assert_eq!(Config::parse(&text, &[]).unwrap(), config);
    let one = HELMHOLTZ.to_string() + "[data]\nfile = \"a.h5\"\n";
    let two = HELMHOLTZ.to_string() + "[[data]]\nfile = \"a.h5\"\n[[data]]\nfile = \"b.h5\"\n";
    for (text, count) in [(one, 1), (two, 2)] {
        let config = Config::parse(&text, &[]).unwrap();
        assert_eq!(config.data.len(), count);
        assert_eq!(Config::parse(&config.to_toml(), &[]).unwrap(), config);
    }
}

#[test]
fn unknown_keys_are_named_with_the_nearest() {
    let wrong = |from: &str, to: &str| {
        assert!(HELMHOLTZ.contains(from));
        what(&HELMHOLTZ.replacen(from, to, 1))
    };
    for (from, to, expected) in [
        ("[network]", "[netwrok]", "there is no key `netwrok`; did you mean `network`?"),
        ("layers =", "layer =", "there is no key `layer`; did you mean `layers`?"),
        ("seed = 1", "sede = 1", "there is no key `sede`; did you mean `seed`?"),
        ("optimizer =", "optimiser =", "did you mean `optimizer`?"),
        ("\"gated\"", "\"gatd\"", "there is no value `gatd`; did you mean `gated`?"),
        ("\"gradient-statistics\"", "\"statistics\"", "known are fixed, gradient-statistics"),
        ("points = 512", "pionts = 512", "did you mean `points`?"),
        ("kind = \"pinn\"", "kind = \"pin\"", "did you mean `pinn`?"),
    ] {
        let got = wrong(from, to);
        assert!(got.contains(expected), "{to}: {got}");
    }
    let got = wrong("steps = 40000", "steps = \"many\"");
    assert!(got.contains("steps") && got.contains("mend the value"), "{got}");
    let got = wrong("unknowns = [\"u\"]", "");
    assert!(got.contains("missing field `unknowns`"), "{got}");
    let got = wrong("[domain]", "[domain");
    assert!(got.contains("mend the text"), "{got}");
}

#[test]
fn values_are_changed_from_outside() {
    let sets = ["train.steps=7", "network.activation=sin", "equation.parameters.k=2.5", "data.file = 'a.h5'"];
    let config = Config::parse(HELMHOLTZ, &sets.map(String::from)).unwrap();
    assert_eq!((config.train.steps, config.network.activation.as_str()), (7, "sin"));
    assert_eq!(config.data[0].file.to_str(), Some("a.h5"));
    for wrong in ["train.steps", "=3", "seed.deeper=1"] {
        let e = Config::parse(HELMHOLTZ, &[wrong.to_string()]).unwrap_err();
        assert!(matches!(&e, Error::Config { .. }) && e.to_string().contains("--set"), "{wrong}: {e}");
    }
    let e = Config::parse(HELMHOLTZ, &["train.stpes=3".to_string()]).unwrap_err();
    assert!(e.to_string().contains("did you mean `steps`?"), "{e}");
}

#[test]
fn files_are_found_beside_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.toml");
    let text = HELMHOLTZ.replace("name = \"helmholtz\"", "") + "[data]\nfile = \"u.h5\"\n";
    std::fs::write(&path, text).unwrap();
    let config = Config::load(&path, &[]).unwrap();
    assert_eq!(config.name, "case");
    assert_eq!(config.data[0].file, folder.path().join("u.h5"));
    let missing = folder.path().join("none.toml");
    assert!(matches!(Config::load(&missing, &[]), Err(Error::File { .. })));
    std::fs::write(&path, "kind = 3").unwrap();
    let e = Config::load(&path, &[]).unwrap_err();
    assert!(e.to_string().contains("case.toml"), "{e}");
}
