//! What a configuration may ask for, and what is refused with the mend.

use resolvent_datasets::dataset::{Axis, Description, Field, Precision, Writer};
use resolvent_pinn::{Config, Error, Problem, Term};
use std::path::Path;

const BOX: &str = r#"
kind = "pinn"

[equation]
coordinates = ["t", "x"]
unknowns = ["u"]
residuals = ["u_t - u_xx"]

[domain]
t = [0, 1]
x = [0, 1]

[[condition]]
on = "boundary"
is = "u"
points = 16

[[condition]]
on = "t = 0"
is = "u - sin(pi*x)"
points = 16

[network]
layers = [8, 8]

[train]
points = 32
precision = "f64"
"#;

const PLANE: &str = r#"
kind = "pinn"

[equation]
coordinates = ["x", "y"]
unknowns = ["u"]
residuals = ["u_xx + u_yy"]

[domain]
x = [0, 2]
y = [0, 1]

[domain.shape]
difference = [
    { box = [[0, 0], [2, 1]] },
    { name = "hole", center = [0.5, 0.5], radius = 0.25 },
]

[[condition]]
on = "hole"
is = "n_x*u_x + n_y*u_y - 1"
points = 64

[[condition]]
on = "x = 0"
is = "u"
points = 16

[network]
layers = [8]

[train]
points = 32
precision = "f64"
"#;

fn made(text: &str) -> Result<Problem, Error> {
    Problem::new(&Config::parse(text, &[]).unwrap())
}

/// The sentence with which a text is refused, at the latest when its points are drawn.
fn refusal(text: &str) -> String {
    let trainer = made(text).and_then(|p| p.trainer::<f64>());
    trainer.err().unwrap_or_else(|| panic!("this is not refused:\n{text}")).to_string()
}

/// Refusals of a text in which one place is another.
fn refusals(base: &str, cases: &[(&str, &str, &str, &str)]) {
    for (from, to, what, mend) in cases {
        assert!(base.contains(from), "{from}");
        let got = refusal(&base.replacen(from, to, 1));
        assert!(got.contains(what) && got.contains(mend), "{to}: {got}");
    }
}

fn residuals(problem: &Problem, text: &str, points: &[f64]) -> Vec<f64> {
    let formula = problem.scope().formula(&[text]).unwrap();
    let mut trainer = problem.trainer::<f64>().unwrap();
    let mut out = vec![0.0; points.len() / problem.domain().dimension()];
    let term = Term { residual: &formula, points, data: &[], weights: None };
    trainer.residuals(term, &mut out).unwrap();
    out
}

#[test]
fn what_is_wrong_with_a_box_is_told() {
    assert!(made(BOX).unwrap().trainer::<f64>().is_ok());
    refusals(
        BOX,
        &[
            ("[8, 8]", "[8, 8]\nactivation = \"relu\"", "`relu`", "use tanh, sin, swish"),
            ("[8, 8]", "[8, 8]\nperiodic = { x = 2 }", "`x`, which is not periodic", "periodic = [\"x\"]"),
            ("t = [0, 1]", "t = [0, 1]\nperiodic = [\"y\"]", "no coordinate `y`", "did you mean"),
            ("x = [0, 1]\n", "", "`x` has no interval", "give one: x = [0, 1]"),
            ("x = [0, 1]\n", "z = [0, 1]\n", "no coordinate or key `z`", "did you mean"),
            ("x = [0, 1]\n", "x = [1, 0]\n", "from 1 to 0", "below the upper one"),
            ("points = 32", "points = 0", "train.points: 0", "use 1 to"),
            ("points = 16", "points = 1000000000000", "`boundary`: 1000000000000", "use 1 to"),
            ("points = 32", "points = 32\nsampling = \"sobel\"", "sobel", "sobol"),
            ("\"boundary\"", "\"bondary\"", "no part", "did you mean `boundary`?"),
            ("is = \"u\"", "integral = \"u\"", "no value", "value = 1"),
            ("is = \"u\"\n", "", "what must hold?", "`is` or `integral`"),
            ("\"u\"\npoints = 16", "\"u_x\"\nhard = true", "not an unknown less its value", "`u - (…)`"),
            ("is = \"u\"", "is = \"u - 1 + x\"\nhard = true", "not an unknown less", "`u - (…)`"),
            (
                "on = \"boundary\"",
                "on = \"interior\"\nhard = true",
                "vanishes there alone",
                "known by formulas",
            ),
            ("\"u - sin(pi*x)\"", "\"u - sinn(pi*x)\"", "no function `sinn`", "did you mean `sin`?"),
            ("[train]", "[train]\nadaptive = { candidates = 0 }", "candidates: 0", "use 1 to"),
            ("[8, 8]", "[8, 8]\nfourier = { count = 0, sigma = 1.0 }", "count 0", "use 1 to 10,000"),
            ("[8, 8]", "[8, 8]\nfourier = { count = 4, sigma = -1.0 }", "sigma -1", "positive"),
        ],
    );
    let twice = BOX.replace("points = 16", "hard = true");
    assert!(refusal(&twice).contains("hard conditions with different values"));
    let harmonics = BOX.replace("[8, 8]", "[8, 8]\nperiodic = { x = 0 }");
    let harmonics = harmonics.replace("t = [0, 1]", "t = [0, 1]\nperiodic = [\"x\"]");
    assert!(refusal(&harmonics.replace("\"boundary\"", "\"x = 0\"")).contains("0 harmonics"));
}

#[test]
fn causal_weights_need_a_time() {
    assert!(made(&format!("{BOX}\n[causal]")).unwrap().trainer::<f64>().is_ok());
    let text = BOX.replace("t = [0, 1]", "t = [0, 1]\ntime = \"none\"") + "\n[causal]";
    assert!(refusal(&text).contains("time"), "{}", refusal(&text));
    let text = format!("{BOX}\n[causal]\nslabs = 0");
    assert!(refusal(&text).contains("slabs"), "{}", refusal(&text));
}

#[test]
fn what_is_wrong_with_a_shape_is_told() {
    refusals(
        PLANE,
        &[
            ("radius = 0.25", "radius = 0.25, box = [[0, 0], [1, 1]]", "not one thing", "give one of"),
            ("center = [0.5, 0.5], radius = 0.25", "", "not one thing", "give one of"),
            (", radius = 0.25", "", "half of a shape", "center with radius"),
            (
                "center = [0.5, 0.5], radius = 0.25",
                "normal = [1, 0]",
                "half of a shape",
                "normal with offset",
            ),
            ("radius = 0.25", "radius = -1", "-1", ";"),
            ("center = [0.5, 0.5]", "center = [0.5]", "", ";"),
            (
                "{ box = [[0, 0], [2, 1]] },",
                "{ name = \"hole\", box = [[0, 0], [2, 1]] },",
                "two shapes",
                "name",
            ),
            ("on = \"hole\"", "on = \"hule\"", "no part", "did you mean `hole`?"),
        ],
    );
    let nothing = PLANE.find("difference").unwrap();
    let end = PLANE.find("[[condition]]").unwrap();
    let text = format!("{}difference = []\n\n{}", &PLANE[..nothing], &PLANE[end..]);
    assert!(refusal(&text).contains("a difference of nothing"));
}

#[test]
fn a_hole_has_its_normals() {
    let problem = made(PLANE).unwrap();
    assert_eq!(problem.domain().part("hole").unwrap().measure().round(), 2.0);
    // u = x: its slope along the outward normal of the domain, which points into the hole, is (0.5 − x)/r.
    let exact = PLANE
        .replace("residuals", "ansatz = { u = \"x\" }\nresiduals")
        .replace("n_y*u_y - 1", "n_y*u_y - (0.5 - x)/0.25");
    let mut trainer = made(&exact).unwrap().trainer::<f64>().unwrap();
    trainer.step().unwrap();
    assert!(trainer.losses().iter().all(|l| *l < 1e-20), "{:?}", trainer.losses());
    let inward = exact.replace("(0.5 - x)", "(x - 0.5)");
    let mut trainer = made(&inward).unwrap().trainer::<f64>().unwrap();
    trainer.step().unwrap();
    assert!(trainer.losses()[1] > 0.1);
}

#[test]
fn hard_conditions_hold_exactly_on_their_faces_and_nowhere_else() {
    let hard = BOX.replace("points = 16", "hard = true").replace("is = \"u\"", "is = \"u - sin(pi*x)\"");
    let problem = made(&hard).unwrap();
    assert_eq!(problem.trainer::<f64>().unwrap().objectives().len(), 1);
    // t, then x.
    let faces = [0.0, 0.0, 0.3, 0.9, 0.7, 0.2, 0.8, 0.0, 1.0, 1.0];
    let rest = residuals(&problem, "u - sin(pi*x)", &faces);
    assert!(rest.iter().all(|r| r.abs() < 1e-15), "{rest:?}");
    // The last time is no boundary.
    let inside = residuals(&problem, "u - sin(pi*x)", &[1.0, 0.3, 0.4, 0.7]);
    assert!(inside.iter().all(|r| r.abs() > 1e-6), "{inside:?}");
    // One face of each.
    let one = BOX.replace("is = \"u\"", "is = \"u - t*x\"\nhard = true").replace("\"boundary\"", "\"x = 1\"");
    let rest = residuals(&made(&one).unwrap(), "u - t*x", &[0.1, 0.9, 0.5, 1.0, 1.0, 0.0]);
    assert!(rest[0] == 0.0 && rest[1] == 0.0 && rest[2].abs() > 1e-6, "{rest:?}");
}

#[test]
fn surfaces_of_shapes_can_be_hard() {
    let hard = PLANE
        .replace("is = \"n_x*u_x + n_y*u_y - 1\"", "is = \"u - x*y\"\nhard = true")
        .replace("is = \"u\"", "is = \"u - x*y\"\nhard = true");
    let problem = made(&hard).unwrap();
    assert_eq!(problem.trainer::<f64>().unwrap().objectives().len(), 1);
    // x, then y: three points of the hole and one of the face, then one inside.
    let (s, x, y) = (0.5f64.sqrt() / 4.0, 0.5, 0.5);
    let points = [x + 0.25, x, x - s, 0.0, 1.5, y, y - 0.25, y + s, 0.7, 0.5];
    let rest = residuals(&problem, "u - x*y", &points);
    assert!(rest[..4].iter().all(|r| r.abs() < 1e-15) && rest[4].abs() > 1e-6, "{rest:?}");
    // The equation sees the derivatives of the whole.
    let mut trainer = problem.trainer::<f64>().unwrap();
    trainer.step().unwrap();
    assert!(trainer.loss().is_finite() && trainer.loss() > 0.0);
}

#[test]
fn a_periodic_pair_is_a_condition() {
    let text = BOX.replace("\"boundary\"", "\"periodic x\"").replace("is = \"u\"", "is = [\"u\", \"u_x\"]");
    // Of period 1 in x, and not.
    let losses = |u: &str| {
        let with = text.replace("residuals", &format!("ansatz = {{ u = \"{u}\" }}\nresiduals"));
        let mut trainer = made(&with).unwrap().trainer::<f64>().unwrap();
        trainer.step().unwrap();
        assert_eq!(trainer.terms()[1].points.len(), 2 * 2 * 16);
        trainer.losses().to_vec()
    };
    assert!(losses("exp(t)*cos(2*pi*x)")[1] < 1e-20);
    // The values differ by 1, the slopes by 2.
    assert!((losses("t + x^2")[1] - 5.0).abs() < 1e-12);
}

#[test]
fn an_integral_is_a_condition() {
    let text = BOX.replace("is = \"u\"\npoints = 16", "integral = \"u^2\"\nvalue = \"1/2\"\npoints = 24");
    let text = text.replace("\"boundary\"", "\"t = 0\"");
    let exact = text.replace("residuals", "ansatz = { u = \"sin(pi*x)\" }\nresiduals");
    let mut trainer = made(&exact).unwrap().trainer::<f64>().unwrap();
    trainer.step().unwrap();
    // ∫ sin² πx = 1/2, though the equation does not hold.
    assert!(trainer.losses()[1] < 1e-24 && trainer.losses()[0] > 1.0, "{:?}", trainer.losses());
    let mut trainer = made(&text).unwrap().trainer::<f64>().unwrap();
    for _ in 0..200 {
        trainer.step().unwrap();
    }
    let first = trainer.losses()[1];
    assert!(first.is_finite());
    let none = text.replace("points = 24", "points = 0");
    assert!(refusal(&none).contains("use 1 to"));
}

/// Values of `u` on a grid of t and x, or at points of x and y.
fn file(path: &Path, axes: Vec<Axis>, field: &str) {
    let names: Vec<String> = axes.iter().map(|a| a.name.clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let region: Vec<_> = axes.iter().map(|a| 0..a.len).collect();
    let count = axes.iter().map(|a| a.len).product();
    let mut description = Description::new("test");
    description.fields.push(Field::new(field, Precision::F64, &names));
    description.axes = axes;
    let mut writer = Writer::create(path, &description).unwrap();
    writer.write(field, &region, &vec![0.5; count]).unwrap();
    writer.finish().unwrap();
}

#[test]
fn data_must_be_of_the_equation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.h5");
    let line: Vec<f64> = (0..5).map(|i| f64::from(i) / 4.0).collect();
    let with = |more: &str| format!("{BOX}\n[data]\nfile = '{}'\n{more}", path.display());
    assert!(refusal(&with("")).contains("data.h5"));

    file(&path, vec![Axis::time(&line), Axis::space("x", &line)], "u");
    assert!(made(&with("")).unwrap().trainer::<f64>().is_ok());
    assert!(refusal(&with("points = 0")).contains("use 1 to"));
    assert!(refusal(&with("only = 0")).contains("only"));
    assert!(refusal(&with("points = 4\nnoise = 0.1")).contains("only = 1000"));
    assert!(refusal(&with("fields = { w = \"u\" }")).contains("`w`"));
    assert!(refusal(&with("fields = { u = \"w\" }")).contains("no name `w`"));

    file(&path, vec![Axis::time(&line), Axis::space("y", &line)], "u");
    let got = refusal(&with(""));
    assert!(got.contains("but the equation t, x") && got.contains("name them alike"), "{got}");

    file(&path, vec![Axis::time(&line), Axis::space("x", &line)], "temperature");
    let got = refusal(&with(""));
    assert!(got.contains("no field is named like an unknown") && got.contains("temperature = "), "{got}");
}

#[test]
fn a_cloud_must_have_the_points_of_space() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cloud.h5");
    let base = PLANE.replace("[domain]", &format!("[domain]\ncloud = '{}'", path.display()));
    let shape = base.find("[domain.shape]").unwrap();
    let conditions = base.find("[[condition]]").unwrap();
    let network = base.find("[network]").unwrap();
    let text = format!(
        "{}[[condition]]\non = \"interior\"\nis = \"u\"\npoints = 2\n{}",
        &base[..shape.min(conditions)],
        &base[network..]
    );
    let line: Vec<f64> = (0..5).map(|i| f64::from(i) / 4.0).collect();
    file(&path, vec![Axis::space("x", &line), Axis::space("y", &line)], "u");
    assert!(refusal(&text).contains("no cloud of points"), "{}", refusal(&text));
    file(&path, vec![Axis::points(5, &[("x", &line), ("z", &line)])], "u");
    assert!(refusal(&text).contains("its points have no `y`"), "{}", refusal(&text));
    file(&path, vec![Axis::points(5, &[("x", &line), ("y", &line)])], "u");
    assert!(made(&text).unwrap().trainer::<f64>().is_ok());
    // A boundary needs points of its own, and a hard condition a function that vanishes there.
    assert!(refusal(&text.replace("\"interior\"", "\"boundary\"")).contains("no boundary points"));
    assert!(refusal(&text.replace("is = \"u\"", "is = \"u\"\nhard = true")).contains("vanishes there alone"));
}
