//! `bench` and `report`.

use super::{Bench, read};

#[test]
fn a_benchmark_ends_in_tables_pictures_and_a_page() {
    let bench = Bench::new();
    let run = bench.run("bench poisson --problem dam --sizes 12,8 --repeat 2 --rhs 3 --out o").expect(0);
    assert!(
        run.out.contains("multigrid") && run.out.contains("learned") && run.out.lines().count() == 14,
        "{}",
        run.out
    );
    for file in
        ["bench.json", "table.csv", "table.md", "scaling.svg", "residual.svg", "steps.svg", "report.html"]
    {
        assert!(!read(&bench.path(&format!("o/{file}"))).is_empty(), "{file}");
    }
    let page = read(&bench.path("o/report.html"));
    assert!(
        page.contains("<svg") && !page.contains("http://") || page.contains("www.w3.org"),
        "not self-contained"
    );
    assert!(!page.contains("<script") && !page.contains("src="));
    assert_eq!(read(&bench.path("o/table.csv")).lines().count(), 13);
    std::fs::remove_file(bench.path("o/report.html")).unwrap();
    bench.run("report o").expect(0);
    assert_eq!(read(&bench.path("o/report.html")), page);
}

#[test]
fn json_is_one_object_with_every_measurement() {
    let bench = Bench::new();
    let json = bench
        .run("bench poisson --problem box --sizes 8 --methods cg,multigrid-f64 --json --out o")
        .expect(0)
        .json();
    let rows = json["measurements"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(row["status"], "converged");
        assert!(
            row["bytes_per_unknown"].as_f64().unwrap() > 0.0
                && row["true_residual"].as_f64().unwrap() <= 1e-8
        );
        assert_eq!(row["reached"].as_array().unwrap().len(), 3);
    }
}

#[test]
fn a_resumed_benchmark_measures_only_what_is_missing() {
    let bench = Bench::new();
    bench.run("bench poisson --problem box --sizes 8 --methods cg --out o").expect(0);
    let first = read(&bench.path("o/measurements.jsonl"));
    let run = bench.run("bench poisson --problem box --sizes 8 --methods cg,mic --out o --resume").expect(0);
    assert!(!run.err.contains(" cg ") && run.err.contains(" mic "), "{}", run.err);
    let second = read(&bench.path("o/measurements.jsonl"));
    assert!(second.starts_with(&first) && second.lines().count() == 2);
    bench.run("bench poisson --problem box --sizes 8 --methods mic --out o").expect(0);
    assert_eq!(read(&bench.path("o/measurements.jsonl")).lines().count(), 1);
}

#[test]
fn a_system_from_a_file_is_compared_too() {
    let bench = Bench::new();
    bench.run("data make aniso --n 8 --out a.mtx").expect(0);
    let run = bench.run("bench system a.mtx --rhs a_b.mtx --repeat 1").expect(0);
    assert!(run.out.contains("mic") && !run.out.contains("multigrid"), "{}", run.out);
    assert!(bench.path("runs/bench-a/report.html").exists());
}

#[test]
fn a_method_that_fails_is_a_row() {
    let bench = Bench::new();
    bench.run("data make box --n 6 --out a.mtx").expect(0);
    let run = bench.run("bench system a.mtx --methods multigrid,jacobi --repeat 1 --out o").expect(0);
    assert!(run.out.contains("needs a grid") && run.out.contains("converged"), "{}", run.out);
    let none =
        bench.run("bench poisson --problem box --sizes 16 --methods cg --max-steps 2 --out o").expect(3);
    assert!(none.out.contains("budget of steps"), "{}", none.out);
}

#[test]
fn report_writes_the_page_of_a_run_too() {
    let bench = Bench::new();
    bench.file(
        "config.toml",
        "kind = \"pinn\"\nname = \"line\"\n[equation]\ncoordinates = [\"x\"]\nunknowns = [\"u\"]\nresiduals = [\"u_x - 1\"]\n[domain]\nx = [0, 1]\n",
    );
    let json = bench.run("report . --json").expect(0).json();
    assert_eq!((json["schema"].as_u64(), json["kind"].as_str()), (Some(1), Some("run")));
    assert!(read(&bench.path("report.html")).contains("Not finished"));
    bench.file("config.toml", "kind = \"pin\"");
    let run = bench.run("report .").expect(5);
    assert!(run.err.contains("config.toml") && run.err.contains("pinn"), "{}", run.err);
}
