//! Runs in folders: ended anywhere, taken up again, damaged, compared.

use resolvent_pinn::density::Density;
use resolvent_pinn::run::{Against, End, Metrics, RunFolder, Start, evaluate, train};
use resolvent_pinn::{Config, Error, Spectrum};
use serde_json::{Value, json};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

const WAVE: &str = r#"
kind = "pinn"
name = "wave"
seed = 5
[equation]
coordinates = ["t", "x"]
unknowns = ["u"]
parameters = { c = { initial = 0.8, trainable = true } }
residuals = "u_tt - c^2*u_xx"
exact = { u = "sin(pi*x)*cos(pi*t)" }
[domain]
t = [0, 1]
x = [-1, 1]
[[condition]]
on = "t = 0"
is = ["u - exact_u", "u_t"]
points = 32
[[condition]]
on = "boundary"
is = "u"
points = 16
[network]
layers = [10, 10]
[balance]
kind = "gradient-statistics"
[train]
steps = 30
lbfgs = 10
points = 64
[log]
every = 4
errors = 8
checkpoint = 9
densities = 2
spectra = 1
"#;

fn config(text: &str) -> Config {
    Config::parse(text, &[]).unwrap()
}

fn go(config: &Config, folder: &Path, start: Start, end: bool) -> Result<End, Error> {
    train(config, folder, start, &json!({}), &mut |_| {
        if end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .map(|o| o.end)
}

/// The lines of a file, without times.
fn lines(folder: &Path, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.join(name)).unwrap();
    let strip = |line: &str| {
        let mut value: Value = serde_json::from_str(line).unwrap();
        value.as_object_mut().unwrap().remove("seconds");
        value
    };
    text.lines().map(strip).collect()
}

fn last(folder: &Path) -> Vec<u8> {
    let name = fs::read_to_string(folder.join("checkpoints/latest")).unwrap();
    fs::read(folder.join("checkpoints").join(name.trim())).unwrap()
}

#[test]
fn a_run_ended_after_every_step_comes_to_the_same_bits() {
    for precision in ["f32", "f64"] {
        let config = config(&WAVE.replace("[train]", &format!("[train]\nprecision = \"{precision}\"")));
        let folder = tempfile::tempdir().unwrap();
        let (whole, pieces) = (folder.path().join("whole"), folder.path().join("pieces"));
        assert_eq!(go(&config, &whole, Start::New, false).unwrap(), End::Done);
        assert_eq!(go(&config, &pieces, Start::New, true).unwrap(), End::Interrupted);
        let mut starts = 1;
        while go(&config, &pieces, Start::Resume, true).unwrap() != End::Done {
            starts += 1;
        }
        assert_eq!(starts, 39);
        assert!(last(&whole) == last(&pieces));
        for name in ["metrics.jsonl", "gradients.jsonl", "spectra.jsonl"] {
            assert_eq!(lines(&whole, name), lines(&pieces, name), "{name}");
        }
        assert!(whole.join("DONE").exists() && pieces.join("DONE").exists());
    }
}

#[test]
fn a_run_that_was_killed_goes_on_from_its_last_checkpoint() {
    let config = config(WAVE);
    let folder = tempfile::tempdir().unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    go(&config, &whole, Start::New, false).unwrap();
    go(&config, &killed, Start::New, false).unwrap();
    // As if it had been killed after step 30, in the middle of a line and of a checkpoint.
    fs::write(killed.join("checkpoints/latest"), "step-27.safetensors\n").unwrap();
    fs::write(killed.join("checkpoints/step-36.safetensors.1.part"), "half").unwrap();
    fs::remove_file(killed.join("DONE")).unwrap();
    let metrics = fs::read_to_string(killed.join("metrics.jsonl")).unwrap();
    fs::write(killed.join("metrics.jsonl"), metrics + "{\"step\": 31, \"lo").unwrap();
    assert_eq!(go(&config, &killed, Start::Resume, false).unwrap(), End::Done);
    assert!(last(&whole) == last(&killed));
    assert_eq!(lines(&whole, "metrics.jsonl"), lines(&killed, "metrics.jsonl"));
}

#[test]
fn the_folder_tells_all_that_its_page_shows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let about = json!({ "machine": "this" });
    let outcome =
        train(&config(WAVE), &path, Start::New, &about, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((outcome.steps, outcome.errors.len(), outcome.parameters.len()), (40, 1, 1));
    let read = |name: &str| fs::read_to_string(path.join(name)).unwrap();
    let metrics: Vec<Metrics> =
        read("metrics.jsonl").lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let steps: Vec<u64> = metrics.iter().map(|m| m.step).collect();
    assert_eq!(steps, [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 39]);
    assert!(metrics[2].errors.len() == 1 && metrics[1].errors.is_empty());
    let names: Vec<&str> = metrics[0].terms.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["equation", "t = 0", "boundary"]);
    assert!(metrics[10].parameters["c"] != 0.8);
    let density: Density = serde_json::from_str(read("gradients.jsonl").lines().last().unwrap()).unwrap();
    assert_eq!((density.step, density.layers.len(), density.layers[0].terms.len()), (39, 3, 3));
    let spectrum: Spectrum = serde_json::from_str(read("spectra.jsonl").lines().next().unwrap()).unwrap();
    assert_eq!((spectrum.step, spectrum.total.len(), spectrum.terms.len()), (39, 11, 3));
    assert!(spectrum.total[0] > spectrum.total[9] && spectrum.total[10] < spectrum.total[9]);
    let environment: Value = serde_json::from_str(&read("environment.json")).unwrap();
    assert_eq!((&environment["machine"], &environment["seed"]), (&json!("this"), &json!(5)));
    let errors = evaluate(&path, Against::default()).unwrap();
    assert_eq!(errors, outcome.errors);
}

#[test]
fn a_learnt_field_is_compared_with_itself_through_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    go(&config(WAVE), &path, Start::New, false).unwrap();
    let (file, picture) = (folder.path().join("u.h5"), folder.path().join("u.vti"));
    evaluate(&path, Against { export: Some((&file, 21)), ..Against::default() }).unwrap();
    let errors = evaluate(&path, Against { data: Some(&file), ..Against::default() }).unwrap();
    assert!(errors[0].relative_l2 < 1e-14, "{errors:?}");
    evaluate(&path, Against { export: Some((&picture, 11)), ..Against::default() }).unwrap();
    let head = fs::read(&picture).unwrap()[..200].to_vec();
    assert!(String::from_utf8_lossy(&head).contains("VTKFile"));
    let names: Vec<String> =
        fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    for (file, n) in [("u.txt", 11), ("u.h5", 1), ("u.h5", 1 << 20)] {
        let file = folder.path().join(file);
        let e = evaluate(&path, Against { export: Some((&file, n)), ..Against::default() }).unwrap_err();
        assert!(matches!(e, Error::Training { .. }), "{e}");
    }
}

#[test]
fn other_folders_and_changed_configurations_are_refused() {
    let config = config(WAVE);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let refused = |r: Result<End, Error>, what: &str| match r {
        Err(e @ Error::Training { .. }) => assert!(e.to_string().contains(what), "{e}"),
        other => panic!("{what}: {other:?}"),
    };
    refused(go(&config, &path, Start::Resume, false), "holds no run");
    go(&config, &path, Start::New, true).unwrap();
    refused(go(&config, &path, Start::New, false), "holds a run");
    let mut other = config.clone();
    other.train.points = 65;
    refused(go(&other, &path, Start::Resume, false), "`points = 64` is now `points = 65`");
    let mut longer = config.clone();
    longer.train.steps = 33;
    assert_eq!(go(&longer, &path, Start::ResumeChanged, false).unwrap(), End::Done);
    assert!(RunFolder::open(&path).unwrap().config().unwrap().contains("\nsteps = 33\n"));
    let mut wider = longer.clone();
    wider.network.layers = vec![11, 10];
    let e = go(&wider, &path, Start::ResumeChanged, false).unwrap_err();
    assert!(e.to_string().contains("hidden_0.weight"), "{e}");
    fs::write(path.join("checkpoints/latest"), "step-1.safetensors").unwrap();
    fs::write(path.join("checkpoints/step-1.safetensors"), "broken").unwrap();
    assert!(matches!(go(&longer, &path, Start::Resume, false), Err(Error::Solver(_))));
}

#[test]
fn a_run_that_is_not_finite_is_back_at_its_last_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    // c falls from 0.8 by about the rate each step and its root is then that of a negative number.
    let text = WAVE
        .replace("u_tt - c^2*u_xx\"", "[sqrt(c - 0.7)]\"")
        .replace("\"[sqrt(c - 0.7)]\"", "[\"u_tt - c^2*u_xx\", \"3 + 100*sqrt(c - 0.7)\"]")
        .replace("[train]", "[train]\nrate = { kind = \"constant\", first = 0.004 }");
    let outcome = train(&config(&text), &path, Start::New, &json!({}), &mut |_| ControlFlow::Continue(()));
    let outcome = outcome.unwrap();
    let End::NotFinite(what) = &outcome.end else { panic!("{outcome:?}") };
    assert!(what.contains("`equation`") && what.contains("learning rate"), "{what}");
    assert!(outcome.steps > 0 && outcome.steps.is_multiple_of(9), "{outcome:?}");
    assert!(!path.join("DONE").exists());
}
