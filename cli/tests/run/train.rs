//! `train`, `eval` and the page of a run.

use super::Bench;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

const SINE: &str = r#"
kind = "pinn"
[equation]
coordinates = ["x"]
unknowns = ["u"]
residuals = "u_xx + pi^2*sin(pi*x)"
exact = { u = "sin(pi*x)" }
[domain]
x = [-1, 1]
[[condition]]
on = "boundary"
is = "u"
points = 2
hard = true
[network]
layers = [12, 12]
[train]
steps = 50
lbfgs = 150
points = 64
precision = "f64"
"#;

#[test]
fn an_equation_is_trained_evaluated_and_shown() {
    let bench = Bench::new();
    bench.file("sine.toml", SINE);
    let json = bench.run("train sine.toml --json").expect(0).json();
    assert_eq!((json["kind"].as_str(), json["name"].as_str()), (Some("pinn"), Some("sine")));
    let error = json["errors"]["u"]["relative_l2"].as_f64().unwrap();
    assert!(error < 1e-3, "{error}");
    assert_eq!(json["run_dir"], "runs/sine");
    let run = bench.path("runs/sine");
    for file in
        ["config.toml", "environment.json", "metrics.jsonl", "report.html", "DONE", "plots/losses.svg"]
    {
        assert!(run.join(file).is_file(), "{file}");
    }
    let again = bench.run("eval runs/sine --json").expect(0).json();
    assert_eq!(again["errors"], json["errors"]);
    bench.run("eval runs/sine --output u.h5").expect(0);
    let itself = bench.run("eval runs/sine --data u.h5 --json").expect(0).json();
    assert!(itself["errors"]["u"]["relative_l2"].as_f64().unwrap() < 1e-12);
    fs::remove_file(run.join("report.html")).unwrap();
    bench.run("report runs/sine").expect(0);
    assert!(run.join("report.html").is_file());
    // The next run has a folder of its own.
    let next = bench.run("train sine.toml --json --set train.steps=1 --set train.lbfgs=0").expect(0).json();
    assert_eq!(next["run_dir"], "runs/sine-2");
}

#[test]
fn equations_are_known_by_name() {
    let bench = Bench::new();
    let list = bench.run("train --list").expect(0).out;
    assert!(list.lines().any(|l| l.starts_with("helmholtz ")), "{list}");
    let json = bench.run("train --list --json").expect(0).json();
    assert_eq!(json["equations"].as_array().unwrap().len(), list.lines().count());
    bench.run("train helmholtz --set train.steps=3 --out run").expect(0);
    assert!(bench.path("run/DONE").is_file());
}

#[test]
fn what_cannot_be_trained_is_told_with_its_mend() {
    let bench = Bench::new();
    bench.file("sine.toml", SINE);
    bench.file("key.toml", SINE.replace("layers", "layer"));
    bench.file("text.toml", SINE.replace("pi^2*sin", "pi^2*sinn"));
    bench.file("nan.toml", SINE.replace("pi^2*sin(pi*x)", "log(x)"));
    bench.file("data.toml", SINE.to_string() + "[data]\nfile = \"none.h5\"\n");
    for (line, code, words) in [
        ("train", 2, "give CONFIG.toml"),
        ("train helmholz", 2, "did you mean `helmholtz`?"),
        ("train none.toml", 6, "none.toml"),
        ("train key.toml", 5, "did you mean `layers`?"),
        ("train text.toml", 5, "did you mean `sin`?"),
        ("train sine.toml --set train.points=0", 5, "use 1 to"),
        ("train sine.toml --set train.points=1000000000000", 5, "use 1 to"),
        ("train sine.toml --set equation.residuals=u_xxxxx", 5, "orders"),
        ("train nan.toml", 4, "`equation` is not finite"),
        ("train data.toml", 6, "none.h5"),
        ("train --resume nowhere", 5, "holds no run"),
        ("eval nowhere", 5, "holds no run"),
    ] {
        let run = bench.run(line).expect(code);
        assert!(run.err.contains(words), "{line}: {}", run.err);
    }
    bench.run("train sine.toml --set train.steps=1 --set train.lbfgs=0 --out one").expect(0);
    let run = bench.run("train sine.toml --out one").expect(5);
    assert!(run.err.contains("--resume"), "{}", run.err);
    let run = bench.run("train sine.toml --resume one").expect(5);
    assert!(run.err.contains("--changed"), "{}", run.err);
    bench.run("train sine.toml --resume one --changed").expect(0);
}

#[test]
#[cfg(unix)]
fn an_interrupted_training_goes_on_to_the_same_bits() {
    let bench = Bench::new();
    bench.file("sine.toml", SINE.replace("steps = 50", "steps = 1500").replace("lbfgs = 150", "lbfgs = 0"));
    bench.run("train sine.toml --out whole").expect(0);
    let mut child = Command::new(env!("CARGO_BIN_EXE_resolvent"))
        .current_dir(bench.folder.path())
        .args(["train", "sine.toml", "--out", "cut", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Once it has begun.
    let metrics = bench.path("cut/metrics.jsonl");
    while !metrics.exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let code = child.wait().unwrap().code();
    // On a fast machine it may be done already.
    assert!(matches!(code, Some(130 | 0)), "{code:?}");
    bench.run("train --resume cut").expect(0);
    let last = |run: &str| fs::read(bench.path(run).join("checkpoints/step-1500.safetensors")).unwrap();
    assert!(last("whole") == last("cut"));
}

const DIRECTION: &str = r#"
kind = "direction"
data = ["samples.h5"]
[network]
channels = 4
[train]
steps = 12
batch = 5
rate = { kind = "constant", first = 3e-3 }
[log]
every = 3
errors = 6
checkpoint = 5
"#;

#[test]
fn directions_are_trained_resumed_and_solved_with() {
    let bench = Bench::new();
    bench
        .run("data make directions --set n=12 --set dim=2 --set m=40 --samples 60 --out samples.h5")
        .expect(0);
    bench.file("direction.toml", DIRECTION);
    let json = bench.run("train direction.toml --out whole --json").expect(0).json();
    assert_eq!((json["kind"].as_str(), json["steps"].as_u64()), (Some("direction"), Some(12)));
    let left = json["errors"]["held-out residual"]["relative_l2"].as_f64().unwrap();
    assert!(left > 0.0 && left < 1.0, "{left}");
    let model = bench.path("whole/model.safetensors");
    for file in ["config.toml", "metrics.jsonl", "report.html", "DONE", "plots/losses.svg"] {
        assert!(bench.path("whole").join(file).is_file(), "{file}");
    }
    let again = bench.run("eval whole --json").expect(0).json();
    assert_eq!(again["errors"], json["errors"]);
    // A run that ends early and goes on comes to the same bits.
    bench.run("train direction.toml --out parts --set train.steps=7").expect(0);
    bench.run("train direction.toml --resume parts --changed").expect(0);
    assert!(fs::read(&model).unwrap() == fs::read(bench.path("parts/model.safetensors")).unwrap());

    let solve =
        "solve --problem box --n 20 --dim 2 --method directions --model whole/model.safetensors --json";
    let json = bench.run(solve).expect(0).json();
    assert_eq!((json["status"].as_str(), json["method"].as_str()), (Some("converged"), Some("directions")));
    let solve = "solve --problem box --n 20 --dim 2 --method hybrid --model whole/model.safetensors --json";
    let json = bench.run(&format!("{solve} --price 0.1")).expect(0).json();
    assert_eq!((json["method"].as_str(), json["precond"].as_str()), (Some("hybrid"), Some("multigrid")));
    assert!(json["asked"].as_u64().unwrap() >= 1, "{json}");
    bench.run(&solve.replace("hybrid", "cg")).expect(2);
    bench.run("solve --problem box --n 8 --method cg --price 1").expect(2).says(&["--price", "hybrid"]);
    let comparison = "bench poisson --problem box --dim 2 --sizes 16 --repeat 1";
    let run = bench
        .run(&format!("{comparison} --methods dcdm,hybrid,amg --model dcdm=whole/model.safetensors --out o"))
        .expect(0);
    assert_eq!(run.out.matches("converged").count(), 3, "{}", run.out);
    for (methods, model, says) in [
        ("dcdm", "", "dcdm needs a network"),
        ("linear", "", "linear needs a network"),
        ("linear", " --model linear=whole/model.safetensors", "that network is a `dcdm`"),
        ("cg", " --model cg=whole/model.safetensors", "dcdm, linear and hybrid have networks"),
    ] {
        let run = bench.run(&format!("{comparison} --methods {methods}{model} --out refused"));
        run.expect(2).says(&[says]);
        assert!(!bench.path("refused").exists());
    }
    let solve = "solve --problem box --n 8 --dim 3 --method directions --model whole/model.safetensors";
    bench.run(solve).expect(5).says(&["model.safetensors", "the model is for 2-D grids"]);
    let json = bench.run("solve --problem box --n 12 --method directions --json").expect(0).json();
    assert_eq!((json["status"].as_str(), json["fallbacks"].as_u64()), (Some("converged"), Some(0)));
    bench.run("solve --problem box --dim 2 --n 8 --method directions").expect(5).says(&["3-D", "--model"]);
    bench.run("solve --problem box --n 8 --model whole/model.safetensors").expect(2);
    fs::write(&model, "broken").unwrap();
    bench.run(solve).expect(5).says(&["model.safetensors", "safetensors file"]);
}

const GRAPH: &str = r#"
kind = "graph"
task = "value-iteration"
[network]
heads = 4
messages = 1
hidden = 6
gamma = 0.8
[train]
steps = 9
batch = 4
[test]
sizes = [8, 12]
actions = [3]
graphs = 2
[log]
every = 2
errors = 4
checkpoint = 4
"#;

#[test]
fn solvers_of_graphs_are_trained_resumed_and_evaluated() {
    let bench = Bench::new();
    bench.file("graph.toml", GRAPH);
    let json = bench.run("train graph.toml --out whole --json").expect(0).json();
    assert_eq!((json["kind"].as_str(), json["steps"].as_u64()), (Some("graph"), Some(9)));
    assert!(json["errors"]["value"]["relative_l2"].as_f64().unwrap() > 0.0);
    for file in [
        "config.toml",
        "evaluation.json",
        "report.html",
        "DONE",
        "plots/evaluation.svg",
        "plots/convergence.svg",
        "plots/transitions.svg",
    ] {
        assert!(bench.path("whole").join(file).is_file(), "{file}");
    }
    let page = fs::read_to_string(bench.path("whole/report.html")).unwrap();
    assert!(page.contains("Values of states") && page.contains("one step ahead"));
    bench.run("train graph.toml --out parts --set train.steps=5").expect(0);
    bench.run("train graph.toml --resume parts --changed").expect(0);
    let last = |run: &str| fs::read(bench.path(run).join("checkpoints/step-9.safetensors")).unwrap();
    assert!(last("whole") == last("parts"));

    let json = bench.run("eval whole --json").expect(0).json();
    assert_eq!(json["tables"][0]["rows"].as_array().unwrap().len(), 2);
    bench
        .run("data make value-iteration --samples 3 --set states=9 --set actions=2 --out other.h5")
        .expect(0);
    let text = bench.run("eval whole --data other.h5").expect(0).out;
    assert!(text.contains("Values of states") && text.contains("| 9 | 2 |"), "{text}");
    bench.run("data make pore-network --samples 3 --set pores=9 --out pores.h5").expect(0);
    bench.run("eval whole --data pores.h5").expect(5).says(&["5 features on nodes"]);
    bench.run("eval whole --output x.h5").expect(2);
    bench.file("task.toml", GRAPH.replace("value-iteration", "values"));
    bench.run("train task.toml").expect(2).says(&["known are", "pore-network"]);
}

#[test]
fn cycles_are_trained_resumed_and_solved_with() {
    let bench = Bench::new();
    bench.file("cycle.toml", "kind = \"cycle\"\ndim = 2\n[train]\nsteps = 3\nbatch = 1\n");
    let json = bench.run("train cycle.toml --out whole --json").expect(0).json();
    assert_eq!((json["kind"].as_str(), json["steps"].as_u64()), (Some("cycle"), Some(3)));
    for file in ["config.toml", "metrics.jsonl", "report.html", "DONE", "plots/losses.svg"] {
        assert!(bench.path("whole").join(file).is_file(), "{file}");
    }
    let model = bench.path("whole/model.safetensors");
    bench.run("train cycle.toml --out parts --set train.steps=3").expect(0);
    assert!(fs::read(&model).unwrap() == fs::read(bench.path("parts/model.safetensors")).unwrap());
    bench.run("eval whole").expect(2).says(&["--precond learned"]);

    // With the numbers that come with the program, and with these.
    for dim in [2, 3] {
        let solve = format!("solve --problem spheres --n 16 --dim {dim} --precond learned --json");
        let json = bench.run(&solve).expect(0).json();
        assert_eq!((json["status"].as_str(), json["precond"].as_str()), (Some("converged"), Some("learned")));
    }
    let solve = "solve --problem spheres --n 16 --precond learned --model whole/model.safetensors --dim";
    bench.run(&format!("{solve} 2")).expect(0);
    bench.run(&format!("{solve} 3")).expect(5).says(&["model.safetensors", "it is for 2-D"]);
    fs::write(&model, "broken").unwrap();
    bench.run(&format!("{solve} 2")).expect(5).says(&["model.safetensors", "safetensors file"]);
}
