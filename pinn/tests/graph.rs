//! Training of graph solvers: it learns, resumes to the same bits, and refuses what cannot be.

use resolvent_datasets::graph::{Column, Graph, GraphSet, Schema, value_iteration};
use resolvent_datasets::{Maker, Recipe};
use resolvent_pinn::Error;
use resolvent_pinn::config::AnyConfig;
use resolvent_pinn::graph::{GraphConfig, GraphEvaluation, GraphTask, GraphTraining, Table, evaluate, train};
use resolvent_pinn::run::{End, Start, Training};
use serde_json::json;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

fn made(folder: &Path, maker: &str, count: usize, settings: &[(&str, &str)]) -> PathBuf {
    let path = folder.join(format!("{maker}.h5"));
    let recipe = Recipe::new(Maker::named(maker).unwrap(), 3, Some(count), settings).unwrap();
    let _ = recipe.make(&path, &mut |_| ControlFlow::Continue(())).unwrap();
    path
}

fn config(task: &str, data: Option<&Path>, more: &str) -> resolvent_pinn::Result<GraphConfig> {
    let data = data.map_or(String::new(), |p| format!("data = {:?}\n", p.display().to_string()));
    GraphConfig::parse(
        &format!("kind = \"graph\"\nname = \"test\"\nseed = 4\ntask = \"{task}\"\n{data}{more}"),
        &[],
    )
}

const SMALL: &str = "[network]\nheads = 6\nmessages = 1\nhidden = 8\ngamma = 0.8\n\
    [train]\nsteps = 24\nbatch = 6\nrate = { kind = \"constant\", first = 5e-3 }\n\
    [test]\nsizes = [10, 20]\nactions = [3]\ngraphs = 2\n[log]\nevery = 2\nerrors = 6\ncheckpoint = 7\n";

fn go(config: &GraphConfig, folder: &Path, start: Start, end: bool) -> resolvent_pinn::Result<End> {
    train(config, folder, start, &json!({}), &mut |_| {
        if end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .map(|o| o.end)
}

/// Rings of four to eight nodes, in every other of which one node is marked.
fn rings() -> GraphSet<f64> {
    let schema = Schema { node: [vec![Column::new("mark", "1", 1.0)], vec![]], ..Schema::default() };
    let mut set = GraphSet::new(schema.clone());
    for i in 0..40u32 {
        let n = 4 + i / 2 % 5;
        let edges = (0..n).flat_map(|j| [[j, (j + 1) % n], [(j + 1) % n, j]]).collect();
        let mut ring = Graph::zeros(n as usize, edges, &schema);
        ring.node.features[(i as usize % 4, 0)] = f64::from(i % 2);
        set.push(&ring).unwrap();
    }
    set.labels = Some((0..40).map(|i| i % 2).collect());
    set.folds = Some((0..40).map(|i| i / 2 % 3).collect());
    set
}

/// The same checkpoint, whole or ended after every step on another number of threads.
fn any_end_comes_to_the_same_bits(config: &GraphConfig, folder: &Path) -> PathBuf {
    let (whole, parts) = (folder.join("whole"), folder.join("parts"));
    assert_eq!(go(config, &whole, Start::New, false).unwrap(), End::Done);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    pool.install(|| {
        let mut start = Start::New;
        while go(config, &parts, start, true).unwrap() != End::Done {
            start = Start::Resume;
        }
    });
    let last = |run: &Path| {
        fs::read(run.join(format!("checkpoints/step-{}.safetensors", config.train.steps))).unwrap()
    };
    assert!(last(&whole) == last(&parts));
    whole
}

fn tables(run: &Path) -> Vec<Table> {
    let text = fs::read_to_string(run.join("evaluation.json")).unwrap();
    serde_json::from_str::<GraphEvaluation>(&text).unwrap().tables
}

#[test]
fn values_are_learnt_and_any_end_comes_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    // Processes that are made, drawn anew every five steps.
    let text = SMALL.replace("batch = 6", "batch = 6\nfresh = 5");
    let config = config("value-iteration", None, &text).unwrap();
    let before = {
        let mut training = GraphTraining::new(&config).unwrap();
        training.advance().unwrap();
        training.loss()
    };
    let run = any_end_comes_to_the_same_bits(&config, folder.path());
    let (errors, evaluation) = evaluate(&run, None).unwrap();
    assert!(errors[0].name == "value" && errors[0].relative_l2 < 0.7, "{errors:?} after a loss of {before}");
    // A row for each cell, with what does not need a network.
    let table = &tables(&run)[0];
    assert_eq!((table.columns.len(), table.rows.len()), (8, 2));
    assert_eq!(evaluation.tables[0].rows, table.rows);
    assert!(table.rows.iter().all(|r| r[3] < 0.2 && (0.5..=1.0).contains(&r[5]) && r[7] > 1.0), "{table}");
    assert_eq!(evaluation.transitions.unwrap().values.len(), 100);
    let rest = &evaluation.convergence.unwrap().lines[0].points;
    assert!(rest.last().unwrap()[1] < 1e-12, "{rest:?}");

    // Another set, and graphs without a file.
    let path = made(folder.path(), "value-iteration", 7, &[("states", "12"), ("actions", "4")]);
    let (_, other) = evaluate(&run, Some(&path)).unwrap();
    assert_eq!(other.tables[0].rows[0][..2], [12.0, 4.0]);
    let graph = value_iteration::Processes::default().graph(1, 0).unwrap();
    let mut training = GraphTraining::load(&run).unwrap();
    let answer = training.answers(std::slice::from_ref(&graph)).unwrap();
    assert!(answer[0].len() == graph.nodes && answer[0].iter().all(|v| v.is_finite()));
    let odd = Graph::zeros(3, vec![[0, 1]], &resolvent_datasets::graph::pore_network::schema());
    let e = training.answers(&[odd]).unwrap_err();
    assert!(e.to_string().contains("5 features on nodes and 3 on edges; use 1 and 1"), "{e}");
}

/// Of graphs that are made and stay for five steps, and of a file whose graphs return in another order.
#[test]
fn graphs_start_from_where_they_rested_and_any_end_comes_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path(), "value-iteration", 20, &[("states", "12"), ("actions", "4")]);
    for (name, data) in [("made", None), ("read", Some(&path))] {
        let text = SMALL.replace("batch = 6", "batch = 6\nfresh = 5\nwarm = true");
        let warm = config("value-iteration", data.map(PathBuf::as_path), &text).unwrap();
        let cold = config(
            "value-iteration",
            data.map(PathBuf::as_path),
            &text.replace("warm = true", "warm = false"),
        );
        let run = any_end_comes_to_the_same_bits(&warm, &folder.path().join(name));
        let other = folder.path().join(format!("{name}, cold"));
        go(&cold.unwrap(), &other, Start::New, false).unwrap();
        let error = |run: &Path| evaluate(run, None).unwrap().0[0].relative_l2;
        assert!((error(&run) - error(&other)).abs() < 1e-3, "{} {}", error(&run), error(&other));
    }
}

#[test]
fn pressures_are_learnt_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path(), "pore-network", 20, &[("pores", "20..30")]);
    let text = SMALL
        .replace("gamma = 0.8", "gamma = 0.8\ntransition = \"absorbing\"")
        .replace("steps = 24", "steps = 200");
    let config = config("pore-network", Some(&path), &text).unwrap();
    let run = folder.path().join("run");
    assert_eq!(go(&config, &run, Start::New, false).unwrap(), End::Done);
    let (errors, _) = evaluate(&run, None).unwrap();
    assert!(errors[0].name == "pressure" && errors[0].relative_l2 < 0.5, "{errors:?}");
    let table = &tables(&run)[0];
    assert!(
        table.rows.iter().all(|r| (r[3] - r[1] / r[2]).abs() < 1e-12 && r[4] > 0.0 && r[5] > 0.0),
        "{table}"
    );
}

#[test]
fn classes_are_learnt_in_folds_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rings.h5");
    rings().write(&path).unwrap();
    let config = config("classification", Some(&path), &SMALL.replace("5e-3", "2e-2")).unwrap();
    let run = any_end_comes_to_the_same_bits(&config, folder.path());
    let tables = tables(&run);
    let [step, mean, deviation, worst] = tables[0].rows[0][..] else { panic!("{}", tables[0]) };
    assert!(mean > 0.95 && deviation < 0.1 && worst > 0.8 && step <= 24.0, "{}", tables[0]);
    assert!(tables[0].text.contains("right for 0.500"), "{}", tables[0]);
    // Every graph is held out once.
    let confusion: f64 = tables[1].rows.iter().flat_map(|r| &r[1..]).sum();
    assert_eq!(confusion, 40.0);
    let (_, other) = evaluate(&run, Some(&path)).unwrap();
    assert_eq!(other.tables[0].title, "Confusion");
}

#[test]
fn what_is_published_is_what_nothing_else_said() {
    let text = |more: &str| config("value-iteration", None, more).unwrap();
    let plain = text("");
    assert_eq!(
        (plain.network.heads, plain.network.gamma, plain.train.steps, plain.train.batch),
        (64, 0.5, 5000, 64)
    );
    let changed = text("[network]\ngamma = 0.9\n[train]\nrate = { first = 2e-3 }\n");
    assert_eq!((changed.network.heads, changed.network.gamma, changed.train.rate.every), (64, 0.9, 32));
    assert_eq!(GraphConfig::parse(&changed.to_toml(), &[]).unwrap(), changed);
    for (name, task) in GraphTask::ALL {
        let published = GraphConfig { seed: 4, name: "test".into(), ..GraphConfig::published(task) };
        assert_eq!(config(name, None, "").unwrap(), published);
        let any = AnyConfig::parse(&published.to_toml(), &[]).unwrap();
        assert_eq!(any, AnyConfig::Graph(Box::new(published)));
    }
}

#[test]
fn the_examples_can_be_trained() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for (name, _) in GraphTask::ALL {
        let file = match name {
            "value-iteration" => "graph-values",
            "pore-network" => "graph-pores",
            _ => "graph-classes",
        };
        let config = GraphConfig::load(&examples.join(format!("{file}.toml")), &[]).unwrap();
        assert_eq!(config.name, file);
        assert_ne!(config.network, GraphConfig::published(config.task).network);
        if config.data.is_none() {
            GraphTraining::new(&config).unwrap();
        }
    }
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |config: resolvent_pinn::Result<GraphConfig>, what: &str| {
        let e = config.and_then(|c| GraphTraining::new(&c).map(drop)).expect_err("it is refused");
        assert!(e.to_string().contains(what), "{what}: {e}");
    };
    let values = |more: &str| config("value-iteration", None, more);
    refused(config("value-iterations", None, ""), "did you mean `value-iteration`?");
    refused(GraphConfig::parse("kind = \"graph\"\n", &[]), "`task` is missing");
    refused(values("[network]\nhead = 3\n"), "did you mean `heads`?");
    refused(values("[network]\nheads = 0\n"), "heads");
    refused(values("[network]\nmessages = 65\n"), "at most 64");
    refused(values("[network]\ngamma = 1.0\n"), "below 1");
    refused(values("[network]\ntransition = \"clipped\"\n"), "clip, sigmoid, softmax, absorbing");
    refused(values("[network]\nactivation = \"relux\"\n"), "leaky-relu");
    refused(values("[network]\nouter = \"gelu\"\n"), "slope is above 1");
    refused(values("[train]\nbatch = 0\n"), "at least one graph");
    refused(values("[train]\nfresh = 0\n"), "one step between draws");
    refused(values("[train]\nheld_out = 1.0\n"), "a share from 0");
    refused(values("[train]\nrate = { first = -1.0 }\n"), "not negative");
    refused(config("classification", None, ""), "data make mutag");
    let one = made(folder.path(), "value-iteration", 1, &[("states", "8"), ("actions", "2")]);
    refused(config("value-iteration", Some(&one), ""), "no graph is left to train on");
    refused(config("classification", Some(&one), ""), "have no classes");
    let file = folder.path().join("rings.h5");
    rings().write(&file).unwrap();
    refused(config("pore-network", Some(&file), ""), "have no target");
    let folds = GraphSet { folds: Some(vec![5000; 40]), ..rings() };
    folds.write(&file).unwrap();
    refused(config("classification", Some(&file), ""), "too many folds");
    refused(config("pore-network", Some(&folder.path().join("no.h5")), ""), "no.h5");
    // A rate that blows up ends the run, and says where.
    let text = SMALL.replace("5e-3", "1e38");
    let end = go(&values(&text).unwrap(), &folder.path().join("run"), Start::New, false);
    match end {
        Ok(End::NotFinite(what)) => assert!(what.contains("not finite"), "{what}"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(evaluate(&folder.path().join("run"), None), Err(Error::Training { .. })));
}
