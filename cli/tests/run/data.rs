//! `data`, `doctor`, `completions` and `man`.

use super::Bench;
use resolvent_datasets::reference::REFERENCES;
use resolvent_datasets::{FAMILIES, MAKERS};

#[test]
fn what_is_made_can_be_inspected_checked_and_solved() {
    let bench = Bench::new();
    for file in ["s.h5", "s.mtx"] {
        let made = bench
            .run(&format!("data make spheres --n 8 --seed 2 --rhs-kind noise --out {file} --json"))
            .expect(0);
        let unknowns = made.json()["unknowns"].clone();
        let shown = bench.run(&format!("data inspect {file} --json")).expect(0).json();
        assert_eq!((&shown["rows"], shown["symmetric"].as_bool()), (&unknowns, Some(true)));
        assert!(bench.run(&format!("data inspect {file}")).expect(0).out.contains("matrix"));
        let checked = bench.run(&format!("data check {file} --json")).expect(0).json();
        assert_eq!(checked["ok"], true);
    }
    let direct = bench.run("solve --problem spheres --n 8 --seed 2 --rhs-kind noise --json").expect(0).json();
    let stored = bench.run("solve --system s.h5 --json").expect(0).json();
    assert_eq!(stored["precond"], "learned");
    assert_eq!((&stored["steps"], &stored["true_residual"]), (&direct["steps"], &direct["true_residual"]));
    let market = bench.run("solve --matrix s.mtx --rhs s_b.mtx --json").expect(0).json();
    assert_eq!((market["precond"].as_str(), &market["unknowns"]), (Some("none"), &direct["unknowns"]));
}

#[test]
fn what_can_be_made_is_listed() {
    let bench = Bench::new();
    let list = bench.run("data list").expect(0).out;
    let json = bench.run("data list --json").expect(0).json();
    for (kind, count) in
        [("families", FAMILIES.len()), ("references", REFERENCES.len()), ("sets", MAKERS.len())]
    {
        let named = json[kind].as_array().unwrap();
        assert_eq!(named.len(), count, "{kind}");
        for item in named {
            let name = item["name"].as_str().unwrap();
            assert!(list.lines().any(|l| l.starts_with(name)), "{name}");
        }
    }
}

#[test]
fn a_damaged_file_is_a_finding() {
    let bench = Bench::new();
    bench.run("data make box --n 4 --out s.h5").expect(0);
    let bytes = std::fs::read(bench.path("s.h5")).unwrap();
    bench.file("cut.h5", &bytes[..bytes.len() / 2]);
    let run = bench.run("data check cut.h5").expect(5);
    assert!(run.out.contains("problem: cut.h5"), "{}", run.out);
}

#[test]
fn the_machine_is_described() {
    let bench = Bench::new();
    let json = bench.run("doctor --json --threads 1").expect(0).json();
    assert_eq!(json["threads"], 1);
    assert!(json["bandwidth_bytes_per_second"].as_f64().unwrap() > 1e8);
    assert!(bench.run("doctor").expect(0).out.contains("HDF5"));
}

#[test]
fn completions_and_manual_pages_are_made() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(bench.run(&format!("completions {shell}")).expect(0).out.contains("resolvent"));
    }
    assert!(bench.run("man").expect(0).out.contains(".TH resolvent"));
    bench.run("man --out pages").expect(0);
    assert!(bench.path("pages/resolvent-solve.1").exists());
    assert!(bench.run("--help").expect(0).out.contains("Exit codes"));
}
