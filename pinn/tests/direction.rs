//! Training of directions: it learns, resumes to the same bits, and refuses what cannot be.

use resolvent::direction::Model;
use resolvent_datasets::{Maker, Recipe};
use resolvent_pinn::Error;
use resolvent_pinn::direction::{DirectionConfig, DirectionTraining, evaluate, train};
use resolvent_pinn::run::{End, Start, Training};
use serde_json::json;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

fn samples(folder: &Path, family: &str, dim: &str, count: usize) -> PathBuf {
    let path = folder.join(format!("{family}{dim}.h5"));
    let settings = [("family", family), ("n", "10"), ("dim", dim), ("m", "60"), ("theta", "5")];
    let recipe = Recipe::new(Maker::named("directions").unwrap(), 3, Some(count), &settings).unwrap();
    let _ = recipe.make(&path, &mut |_| ControlFlow::Continue(())).unwrap();
    path
}

fn config(data: &[&Path], more: &str) -> DirectionConfig {
    let data: Vec<String> = data.iter().map(|p| p.display().to_string()).collect();
    let text = format!("kind = \"direction\"\nname = \"test\"\nseed = 4\ndata = {data:?}\n{more}");
    DirectionConfig::parse(&text, &[]).unwrap()
}

const SMALL: &str = "[network]\nbefore = 1\ncoarse = 1\nafter = 1\nchannels = 6\n\
    [train]\nsteps = 40\nbatch = 4\nahead = 2\nrate = { kind = \"constant\", first = 3e-3 }\n\
    [log]\nevery = 2\nerrors = 10\ncheckpoint = 7\n";

fn go(config: &DirectionConfig, folder: &Path, start: Start, end: bool) -> resolvent_pinn::Result<End> {
    train(config, folder, start, &json!({}), &mut |_| {
        if end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .map(|o| o.end)
}

#[test]
fn the_residual_left_falls_and_any_end_comes_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    // Two files, one of them among solids, in turn.
    let [a, b] = ["box", "smoke"].map(|family| samples(folder.path(), family, "2", 30));
    for left in ["residual", "energy"] {
        any_end_comes_to_the_same_bits(&config(
            &[&a, &b],
            &SMALL.replace("[train]", &format!("[train]\nleft = {left:?}")),
        ));
    }
}

fn any_end_comes_to_the_same_bits(config: &DirectionConfig) {
    let folder = tempfile::tempdir().unwrap();
    let before = {
        let mut training = DirectionTraining::new(config).unwrap();
        for _ in 0..4 {
            training.advance().unwrap();
        }
        training.loss()
    };
    let whole = folder.path().join("whole");
    assert_eq!(go(config, &whole, Start::New, false).unwrap(), End::Done);
    let errors = evaluate(&whole).unwrap();
    assert!(errors[0].relative_l2.powi(2) < 0.9 * before, "{errors:?}, {before}");
    // Ended after every step, on another number of threads.
    let parts = folder.path().join("parts");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    pool.install(|| {
        let mut start = Start::New;
        while go(config, &parts, start, true).unwrap() != End::Done {
            start = Start::Resume;
        }
    });
    let read = |run: &Path| fs::read(run.join("model.safetensors")).unwrap();
    assert!(read(&whole) == read(&parts));
    let model = Model::load(&whole.join("model.safetensors")).unwrap();
    assert_eq!(model.steps(), 40);
    assert!(model.trained_on().contains("box 10 × 10, 29 samples; smoke"), "{}", model.trained_on());
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let flat = samples(folder.path(), "box", "2", 12);
    let refused = |config: &DirectionConfig, what: &str| {
        let e = DirectionTraining::new(config).err().expect("it is refused");
        assert!(e.to_string().contains(what), "{what}: {e}");
    };
    refused(&config(&[], ""), "`data` names no file");
    refused(&config(&[&flat], "[train]\nbatch = 12\n"), "has 11 samples to train on");
    refused(&config(&[&flat], "[train]\nbatch = 0\n"), "at least one sample");
    refused(&config(&[&flat], "[train]\nheld_out = 1.0\n"), "a share from 0");
    refused(&config(&[&flat], "[network]\nchannels = 0\n"), "0 channels");
    refused(&config(&[&flat], "[network]\nchannels = 999\n"), "999 channels");
    refused(
        &config(&[&flat, &samples(folder.path(), "box", "3", 12)], "[train]\nbatch = 2\n"),
        "another dimension",
    );
    refused(
        &config(&[&samples(folder.path(), "channels", "2", 12)], "[train]\nbatch = 2\n"),
        "for every face",
    );
    refused(&config(&[&folder.path().join("no.h5")], ""), "no.h5");
    let e = DirectionConfig::parse("kind = \"direction\"\ndata = []\n[train]\nstep = 3\n", &[]).unwrap_err();
    assert!(matches!(&e, Error::Config { .. }) && e.to_string().contains("did you mean `steps`?"), "{e}");
    // A rate that blows up ends the run, and says where.
    let text = "[network]\nchannels = 2\n[train]\nbatch = 2\nrate = { kind = \"constant\", first = 1e30 }\n";
    let end = go(&config(&[&flat], text), &folder.path().join("run"), Start::New, false);
    match end {
        Ok(End::NotFinite(what)) => assert!(what.contains("not finite"), "{what}"),
        other => panic!("{other:?}"),
    }
}
