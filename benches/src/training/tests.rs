//! Folders of runs as they are, and as they should not be.

use super::Report;
use crate::folder::Error;
use resolvent_pinn::Config;
use resolvent_pinn::Spectrum;
use resolvent_pinn::density::{Density, LayerDensity};
use resolvent_pinn::evaluation::FieldError;
use resolvent_pinn::run::{Metrics, TermMetrics};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const TEXT: &str = r#"
kind = "pinn"
name = "wave <script>"
[equation]
coordinates = ["x", "y"]
unknowns = ["u"]
residuals = ["u_xx + u_yy"]
[domain]
x = [-1, 1]
y = [-1, 1]
[[condition]]
on = "boundary"
is = "u"
[train]
steps = 40000
"#;

fn lines<T: Serialize>(values: impl Iterator<Item = T>) -> String {
    values.map(|v| serde_json::to_string(&v).unwrap() + "\n").collect()
}

fn metrics(step: u64) -> Metrics {
    let s = step as f64;
    let wave = 1.0 + 0.9 * (s * 0.37).sin();
    let term = |name: &str, loss, weight| TermMetrics { name: name.into(), loss, weight };
    let decay = (-s / 8000.0).exp() + 1e-4;
    Metrics {
        step,
        seconds: 1e-3 * s,
        rate: 1e-3 * 0.9f64.powf(s / 1000.0),
        loss: 3.0 * decay * wave,
        terms: vec![
            term("equation", 2.0 * decay * wave, 1.0),
            term("u < 0 & \"x = -1\"", 0.01 * decay * wave, 1.0 + 80.0 * (1.0 - decay) * wave),
        ],
        errors: if step.is_multiple_of(1000) {
            vec![FieldError { name: "u".into(), relative_l2: decay, max: 2.0 * decay, spectral: None }]
        } else {
            vec![]
        },
        parameters: BTreeMap::from([("k".into(), 1.0 - decay)]),
    }
}

fn density(step: u64) -> Density {
    let bell = |width: f64| -> Vec<f64> {
        let at = |i: i32| (f64::from(i) + 0.5) / 30.0 - 1.0;
        (0..60).map(|i| (-(at(i) / width).powi(2)).exp()).map(|d| if d < 1e-4 { 0.0 } else { d }).collect()
    };
    let layer = |i: usize| LayerDensity {
        layer: format!("hidden_{i}"),
        range: 2e-4 * (1 + i) as f64,
        terms: vec![bell(0.5), bell(if step < 20_000 { 0.05 } else { 0.4 })],
    };
    Density { step, layers: (0..5).map(layer).collect() }
}

fn spectrum(step: u64) -> Spectrum {
    let falling = |top: f64| (0..10).map(|i| top * 0.5f64.powi(i)).collect::<Vec<_>>();
    let mut total = falling(3e3 + step as f64);
    total.push(-2.5);
    Spectrum { step, total, terms: vec![falling(1e3), falling(20.0)] }
}

/// A panel of a disk in a square, with nothing outside.
fn panel() -> String {
    let side: Vec<f64> = (0..41).map(|i| f64::from(i) / 20.0 - 1.0).collect();
    let field = |shift: f64| -> Vec<Option<f64>> {
        let at = |x: f64, y: f64| (x * x + y * y <= 1.0).then(|| (3.1 * x + shift).sin() * (6.2 * y).sin());
        side.iter().flat_map(|y| side.iter().map(move |x| at(*x, *y))).collect()
    };
    json!({
        "axes": ["x", "y"], "coordinates": [side, side], "at": "z = 0.5", "names": ["u", "p<b>"],
        "predicted": [field(0.05), field(0.0)], "exact": [field(0.0), null],
    })
    .to_string()
}

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("config.toml"), Config::parse(TEXT, &[]).unwrap().to_toml()).unwrap();
    folder
}

/// With every file that a finished run has.
fn full() -> TempDir {
    let folder = folder();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "environment.json",
        &json!({ "seed": 0, "machine": { "processor": "<b>fast" }, "data": [] }).to_string(),
    );
    write("metrics.jsonl", &lines((0..40_000).step_by(10).map(metrics)));
    write("gradients.jsonl", &lines([13_332, 26_665, 39_999].into_iter().map(density)));
    write("spectra.jsonl", &lines([9_999, 19_999, 39_999].into_iter().map(spectrum)));
    write("panel.json", &panel());
    write("DONE", "40000 steps\n");
    folder
}

fn page(folder: &Path) -> String {
    let path = Report::read(folder).unwrap().write().unwrap();
    fs::read_to_string(path).unwrap()
}

/// Every picture is XML, fetches nothing and stands in the page.
fn check(folder: &Path, page: &str) -> usize {
    let mut count = 0;
    for entry in fs::read_dir(folder.join("plots")).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(path.extension().unwrap(), "svg", "{path:?}");
        let svg = fs::read_to_string(&path).unwrap();
        let tree = roxmltree::Document::parse(&svg).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        assert_eq!(tree.root_element().tag_name().name(), "svg");
        for node in tree.descendants() {
            for a in node.attributes().filter(|a| a.name().ends_with("href")) {
                assert!(a.value().starts_with("data:image/png;base64,"), "{}", a.value());
            }
        }
        assert!(page.contains(&svg), "{path:?} is not in the page");
        count += 1;
    }
    let foreign = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for word in ["http:", "https:", "src=", "<script", "@import", "url("] {
        assert!(!foreign.contains(word), "{word}");
    }
    assert!(page.len() < 2_000_000, "{}", page.len());
    assert!(
        fs::read_dir(folder).unwrap().all(|f| !f.unwrap().file_name().to_string_lossy().contains("part"))
    );
    count
}

#[test]
fn a_finished_run_is_shown_whole_and_in_order() {
    let folder = full();
    let page = page(folder.path());
    assert_eq!(check(folder.path(), &page), 11);
    let order = [
        "Training of <code>wave &lt;script&gt;",
        "Finished: 40000 steps in 40.0 s; seed 0, f32, dense network",
        "relative L2 error of u",
        "<h2>Fields",
        "<h2>Losses",
        "<h2>Weights",
        "<h2>Errors over the steps",
        "<h2>Gradients by layer",
        "<h2>Curvature",
        "<h2>Learning rate",
        "<h2>Configuration",
        "<h2>Environment",
        "machine.processor<dd>&lt;b&gt;fast",
    ];
    let places: Vec<usize> = order.iter().map(|o| page.find(o).unwrap_or_else(|| panic!("{o}"))).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert_eq!(page.matches("<figure>").count(), 11);
    assert!(page.contains("not convex here") && page.contains("step 39000"));
    // Names are text and not markup.
    assert!(page.contains("u &lt; 0 &amp; ") && !page.contains("<b>fast") && !page.contains("p<b>"));
    // Written again, the same.
    assert_eq!(self::page(folder.path()), page);
}

#[test]
fn a_run_that_has_just_begun_says_so() {
    let folder = folder();
    let text = page(folder.path());
    assert!(
        text.contains("Not finished: no step of 40000") && text.contains("No step has been written down yet")
    );
    assert_eq!(check(folder.path(), &text), 0);
    fs::write(folder.path().join("metrics.jsonl"), lines([metrics(0)].into_iter())).unwrap();
    let text = page(folder.path());
    assert!(text.contains("at step 1 of 40000"));
    check(folder.path(), &text);
    fs::create_dir(folder.path().join("checkpoints")).unwrap();
    fs::write(folder.path().join("checkpoints/latest"), "step-250.safetensors\n").unwrap();
    assert!(page(folder.path()).contains("at step 250 of 40000"));
    fs::write(folder.path().join("DONE"), "300 steps\n").unwrap();
    assert!(page(folder.path()).contains("Finished after 300 of at most 40000"));
}

#[test]
fn what_cannot_be_understood_is_left_out_and_named() {
    let folder = full();
    let path = |name: &str| folder.path().join(name);
    let mut text = lines((0..3).map(metrics));
    text += "{\"step\": \"many\"}\n\u{0}\n";
    text += &lines([metrics(4)].into_iter()).replace(&metrics(4).loss.to_string(), "null");
    let cut = lines([metrics(5)].into_iter());
    text += &cut[..cut.len() / 2];
    fs::write(path("metrics.jsonl"), text).unwrap();
    fs::write(path("gradients.jsonl"), b"\xff\xfe\n").unwrap();
    fs::write(path("spectra.jsonl"), "{\"step\":1,\"total\":[null,null],\"terms\":[[],[null]]}\n").unwrap();
    fs::write(path("panel.json"), panel().replace("\"axes\":[\"x\",\"y\"]", "\"axes\":[\"x\"]")).unwrap();
    fs::write(path("environment.json"), "{").unwrap();
    let page = page(folder.path());
    assert!(page.contains("metrics.jsonl: 2 lines could not be understood"));
    assert!(page.contains("gradients.jsonl: one line") && page.contains("environment.json: left out"));
    assert!(page.contains("panel.json: its lengths do not fit") && page.contains("is not a finite number"));
}

#[test]
fn numbers_of_any_size_are_drawn() {
    let folder = full();
    let hostile = |step: u64| {
        let mut m = metrics(step);
        m.loss = [f64::NAN, f64::MAX, f64::MIN_POSITIVE, -1.0][step as usize % 4];
        m.rate = [0.0, f64::MAX, 5e-324][step as usize % 3];
        m.terms.iter_mut().for_each(|t| t.weight = [1e308, -1e308, 0.0][step as usize % 3]);
        m.parameters.insert("k".into(), [1e16, 1e16 + 2.0][step as usize % 2]);
        m.terms.truncate(1 + step as usize % 2);
        m
    };
    fs::write(folder.path().join("metrics.jsonl"), lines((0..700).map(hostile))).unwrap();
    let mut density = density(7);
    density.layers[0] =
        LayerDensity { layer: "\u{1}&<".into(), range: f64::NAN, terms: vec![vec![], vec![f64::NAN]] };
    density.layers[1].range = 0.0;
    density.layers.extend((0..20).map(|i| LayerDensity { layer: format!("{i}"), range: 1.0, terms: vec![] }));
    fs::write(folder.path().join("gradients.jsonl"), lines([density].into_iter())).unwrap();
    let one = json!({
        "axes": ["x"], "coordinates": [[0.0, 1.0, 2.0]], "at": "", "names": ["u", "v"],
        "predicted": [[null, 1e300, -1e300], [0, 0, 0]], "exact": [[1, 2, null]],
    });
    fs::write(folder.path().join("panel.json"), one.to_string()).unwrap();
    let page = page(folder.path());
    check(folder.path(), &page);
}

#[test]
fn a_folder_without_a_configuration_is_refused() {
    let folder = TempDir::new().unwrap();
    let refused = |folder: &Path| Report::read(folder).unwrap_err();
    let e = refused(folder.path());
    assert!(matches!(e, Error::Read { .. }) && e.to_string().contains("give the folder"), "{e}");
    fs::write(folder.path().join("config.toml"), TEXT.replace("steps", "stepz")).unwrap();
    let e = refused(folder.path());
    assert!(matches!(e, Error::Configuration { .. }), "{e}");
    assert!(e.to_string().contains("stepz") && e.to_string().contains("config.toml"), "{e}");
}

#[test]
fn a_place_that_cannot_be_written_to_is_named() {
    let folder = folder();
    fs::write(folder.path().join("plots"), "a file").unwrap();
    let e = Report::read(folder.path()).unwrap().write().unwrap_err();
    assert!(matches!(e, Error::Write { .. }) && e.to_string().contains("plots"), "{e}");
    assert!(!folder.path().join("report.html").exists());
}
