//! Training of cycles: it resumes to the same bits, and refuses what cannot be.

use resolvent::Tuning;
use resolvent_pinn::cycle::{Cycle, CycleConfig, train};
use resolvent_pinn::run::{End, Start};
use serde_json::json;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

fn config(more: &str) -> CycleConfig {
    CycleConfig::parse(&format!("kind = \"cycle\"\nname = \"test\"\ndim = 2\n{more}"), &[]).unwrap()
}

const SMALL: &str = "[train]\nsteps = 4\nbatch = 1\n[log]\ncheckpoint = 3\n";

fn go(config: &CycleConfig, folder: &Path, start: Start, end: bool) -> resolvent_pinn::Result<End> {
    train(config, folder, start, &json!({}), &mut |_| {
        if end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .map(|o| o.end)
}

#[test]
fn any_end_comes_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(SMALL);
    let whole = folder.path().join("whole");
    assert_eq!(go(&config, &whole, Start::New, false).unwrap(), End::Done);
    // Ended after every step, on another number of threads.
    let parts = folder.path().join("parts");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    pool.install(|| {
        let mut start = Start::New;
        while go(&config, &parts, start, true).unwrap() != End::Done {
            start = Start::Resume;
        }
    });
    let read = |run: &Path| fs::read(run.join("model.safetensors")).unwrap();
    assert!(read(&whole) == read(&parts));
    let learned = Tuning::load(&whole.join("model.safetensors"), 2).unwrap();
    assert_ne!(learned, Tuning::CLASSICAL);
    let lines = fs::read_to_string(whole.join("metrics.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 4);
    // Killed after the checkpoint of step 3: what came after it is done again.
    let killed = folder.path().join("killed");
    assert_eq!(go(&config, &killed, Start::New, false).unwrap(), End::Done);
    fs::write(killed.join("checkpoints/latest"), "step-3.safetensors").unwrap();
    fs::remove_file(killed.join("model.safetensors")).unwrap();
    assert_eq!(go(&config, &killed, Start::Resume, false).unwrap(), End::Done);
    assert!(read(&whole) == read(&killed));
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let refused = |text: &str, what: &str| {
        let mut config = config("");
        match text {
            "dim" => config.dim = 4,
            "batch" => config.train.batch = 0,
            _ => config.train.rate = -1.0,
        }
        let e = Cycle::new(&config).err().expect("it is refused").to_string();
        assert!(e.contains(what), "{text}: {e}");
    };
    refused("dim", "grids have 2 or 3 dimensions");
    refused("batch", "a step needs a geometry at least");
    refused("rate", "a rate is a positive number");
    let e = CycleConfig::parse("kind = \"cycle\"\ndim = 2\n[train]\nstep = 4", &[]).unwrap_err().to_string();
    assert!(e.contains("`steps`"), "{e}");
}
