//! `solve`.

use super::{Bench, read};

const KEYS: [&str; 21] = [
    "schema",
    "status",
    "steps",
    "residual",
    "true_residual",
    "target",
    "setup_seconds",
    "solve_seconds",
    "unknowns",
    "nonzeros",
    "peak_rss_bytes",
    "method",
    "precond",
    "precision",
    "device",
    "threads",
    "problem",
    "n",
    "seed",
    "fallbacks",
    "rhs_norm",
];

#[test]
fn every_family_is_solved_and_described() {
    let bench = Bench::new();
    for family in resolvent_datasets::FAMILIES.iter() {
        let run = bench.run(&format!("solve --problem {} --n 12 --seed 3 --json", family.name)).expect(0);
        let json = run.json();
        for key in KEYS {
            assert!(!json[key].is_null(), "{}: {key} in {json}", family.name);
        }
        let among_solids = ["smoke", "gyroid", "spheres", "dam"].contains(&family.name);
        let precond = if among_solids { "learned" } else { "multigrid" };
        assert_eq!((json["status"].as_str(), json["precond"].as_str()), (Some("converged"), Some(precond)));
        assert_eq!((json["n"].as_u64(), json["seed"].as_u64()), (Some(12), Some(3)));
        assert!(json["true_residual"].as_f64().unwrap() <= 1e-8);
        assert!(run.err.is_empty(), "{}", run.err);
    }
}

#[test]
fn every_method_and_preconditioner_agrees() {
    let bench = Bench::new();
    let mut first: Option<Vec<f64>> = None;
    for method in ["auto", "cg", "fcg"] {
        for precond in ["auto", "none", "jacobi", "mic", "chebyshev", "multigrid", "learned"] {
            let line = format!(
                "solve --problem spheres --n 10 --method {method} --precond {precond} --rtol 1e-11 --output x.mtx --quiet"
            );
            bench.run(&line).expect(0);
            let x = resolvent_datasets::matrix_market::read_vector(&bench.path("x.mtx")).unwrap();
            let first = first.get_or_insert_with(|| x.clone());
            let largest = first.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            assert!(x.iter().zip(&*first).all(|(a, b)| (a - b).abs() < 1e-8 * largest), "{method} {precond}");
        }
    }
}

#[test]
fn outputs_are_written_in_every_format() {
    let bench = Bench::new();
    for output in ["x.h5", "x.mtx", "x.vti"] {
        bench.run(&format!("solve --problem gyroid --n 12 --output {output}")).expect(0);
    }
    bench.run("solve --problem box --n 8 --dim 2 --history h.csv --plot p.svg").expect(0);
    bench.run("solve --problem box --n 8 --dim 2 --plot p.png").expect(0);
    assert_eq!(bench.names(), ["h.csv", "p.png", "p.svg", "x.h5", "x.mtx", "x.vti"]);
    let history = read(&bench.path("h.csv"));
    assert!(history.starts_with("step,residual\n0,") && history.lines().count() > 3, "{history}");
    assert!(read(&bench.path("p.svg")).contains("residual"));
    assert!(std::fs::read(bench.path("p.png")).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn an_earlier_result_is_a_start() {
    let bench = Bench::new();
    for output in ["x.h5", "x.mtx"] {
        bench.run(&format!("solve --problem dam --n 12 --output {output}")).expect(0);
        let json = bench.run(&format!("solve --problem dam --n 12 --start {output} --json")).expect(0).json();
        assert_eq!(json["steps"], 0);
    }
    bench.run("solve --problem dam --n 10 --start x.h5").expect(5).says(&["entries"]);
}

#[test]
fn a_budget_that_is_too_small_is_not_converged() {
    let bench = Bench::new();
    let run =
        bench.run("solve --problem box --n 16 --precond none --max-steps 3 --output x.mtx --json").expect(3);
    let json = run.json();
    assert_eq!((json["status"].as_str(), json["steps"].as_u64()), (Some("max_steps"), Some(3)));
    assert!(json["advice"].as_str().unwrap().contains("max_steps"));
    assert_eq!(bench.names(), ["x.mtx"]);
    bench
        .run("solve --problem box --n 48 --precond none --max-seconds 0")
        .expect(3)
        .says(&["budget of time"]);
}

#[test]
fn the_number_of_threads_changes_no_digit() {
    let bench = Bench::new();
    let residual = |threads: usize| {
        let line = format!("solve --problem spheres --n 24 --json --threads {threads}");
        let json = bench.run(&line).expect(0).json();
        assert_eq!(json["threads"], threads);
        json["true_residual"].as_f64().unwrap().to_bits()
    };
    let one = residual(1);
    assert!([2, 4].into_iter().all(|threads| residual(threads) == one));
}

#[cfg(unix)]
#[test]
fn an_interrupt_keeps_the_last_iterate() {
    use std::process::{Command, Stdio};
    let bench = Bench::new();
    let child = Command::new(env!("CARGO_BIN_EXE_resolvent"))
        .current_dir(bench.folder.path())
        .args(
            "solve --problem box --n 64 --precond none --rtol 0 --atol 0 --max-steps 10000000 --output x.h5"
                .split(' '),
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    // With a target of zero the iteration may also have found out that it goes no further.
    assert!(matches!(output.status.code(), Some(130 | 3)), "{output:?}");
    assert_eq!(bench.names(), ["x.h5"]);
}
