//! Files: the same bytes however they come about.

use super::settings;
use resolvent_datasets::Error;
use resolvent_datasets::reference::{REFERENCES, Settings, Written, size, solve, write};
use std::fs;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

const ALWAYS: resolvent_datasets::reference::Watch<'static> = &|_| ControlFlow::Continue(());

/// Every solution, small.
fn small(name: &str) -> Settings {
    let set: &[(&str, &str)] = match name {
        "cavity" => &[("n", "17"), ("degree", "24")],
        "gray-scott" => &[("n", "32"), ("times", "4"), ("end", "60"), ("refine", "1"), ("steps", "10")],
        "turbulence" => &[("n", "32"), ("times", "4"), ("peak", "2"), ("end", "1"), ("refine", "1")],
        "kuramoto-sivashinsky" => &[("n", "96"), ("times", "4"), ("end", "2"), ("steps", "20")],
        "poisson" | "darcy" => &[("n", "16")],
        "helmholtz" => &[("n", "32")],
        _ => &[("n", "32"), ("times", "4")],
    };
    let s = settings(name, set).seed(5);
    if s.reference().random { s.samples(19).unwrap() } else { s }
}

#[test]
fn every_solution_has_the_same_bytes_on_one_thread_and_on_three_and_when_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    for r in &REFERENCES {
        let s = small(r.name);
        let path = |what: &str| folder.path().join(format!("{}-{what}.h5", r.name));
        let on = |threads: usize, file: &str| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| write(&s, &path(file), ALWAYS)).unwrap()
        };
        let (one, three) = (on(1, "one"), on(3, "three"));
        assert_eq!(one, three, "{}", r.name);
        let bytes = fs::read(path("one")).unwrap();
        assert!(bytes == fs::read(path("three")).unwrap(), "{}", r.name);
        // Stopped again and again, each time a little later.
        let resumed = path("resumed");
        let mut allowed = 0;
        let mut stops = 0;
        loop {
            let left = AtomicUsize::new(allowed);
            let watch = |_| {
                let left = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |l| l.checked_sub(1));
                if left.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            match write(&s, &resumed, &watch).unwrap() {
                Written::Done { .. } => break,
                Written::Interrupted { progress } => assert!((0.0..=1.0).contains(&progress), "{progress}"),
            }
            assert!(!resumed.exists(), "no partial file under the final name");
            stops += 1;
            allowed = 3 * allowed + 1;
        }
        assert!(stops > 0, "{} was never stopped", r.name);
        assert!(bytes == fs::read(&resumed).unwrap(), "{} after {stops} stops", r.name);
        assert!(!folder.path().join(format!("{}-resumed.h5.unfinished", r.name)).exists());
    }
}

#[test]
fn another_command_does_not_go_on_with_a_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kdv.h5");
    let s = small("kdv");
    let calls = AtomicUsize::new(0);
    let watch = |_| {
        if calls.fetch_add(1, Ordering::Relaxed) < 700 {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    };
    let Written::Interrupted { progress } = write(&s, &path, &watch).unwrap() else {
        panic!("it ran to the end")
    };
    assert!(progress > 0.2 && path.with_extension("h5.unfinished").exists(), "{progress}");
    let e = write(&s.clone().seed(6), &path, ALWAYS).unwrap_err();
    assert!(matches!(&e, Error::Unfinished { .. }) && e.to_string().contains("remove it"), "{e}");
    assert!(matches!(write(&s, &path, ALWAYS).unwrap(), Written::Done { .. }));
}

#[test]
fn sizes_are_those_of_the_numbers_handed_out() {
    for r in &REFERENCES {
        let s = small(r.name);
        let (size, layout) = size(&s).unwrap();
        let solved = solve(&s).unwrap();
        assert_eq!((size.bytes as usize, &layout), (8 * solved.values.len(), &solved.layout), "{}", r.name);
        assert!(solved.values.iter().all(|v| v.is_finite()) && size.memory > 0, "{}", r.name);
        assert!(solved.accuracy.is_finite() && solved.accuracy > 0.0, "{}: {}", r.name, solved.accuracy);
    }
}

#[test]
fn trajectories_depend_on_the_seed_and_their_number_alone() {
    for r in REFERENCES.iter().filter(|r| r.random) {
        let s = small(r.name);
        let (many, few) = (solve(&s).unwrap(), solve(&s.clone().samples(2).unwrap()).unwrap());
        let other = solve(&s.clone().samples(2).unwrap().seed(9)).unwrap();
        assert_eq!(many.snapshot(1, 0), few.snapshot(1, 0), "{}", r.name);
        if r.name != "poisson" {
            assert_ne!(many.snapshot(1, 0), many.snapshot(2, 0), "{}", r.name);
            assert_ne!(many.snapshot(1, 0), other.snapshot(1, 0), "{}", r.name);
        }
    }
}
