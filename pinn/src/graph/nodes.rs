//! Answers on nodes beside the simple ones.

use super::config::{GraphTask, GraphTest};
use super::evaluation::{Answers, Curves, Line, Table, answers};
use super::samples::Set;
use super::training::GraphTraining;
use crate::Result;
use rayon::prelude::*;
use resolvent_datasets::graph::value_iteration::{
    Processes, greedy_accuracy, look_ahead_accuracy, mean_error, policy_accuracy, relative_error,
};
use resolvent_datasets::graph::{Graph, pore_network};
use std::time::Instant;

/// The seed of the graphs that are tested on: others than any that are trained on or held out.
const SEED: u64 = 0x7E57;

/// Graphs of one kind, a row of the table.
struct Cell {
    /// What the row begins with.
    key: Vec<f64>,
    graphs: Vec<Graph<f64>>,
    discount: f64,
}

/// The table of a task's cells, or of one set, and its curves over the size.
pub(super) fn table(training: &mut GraphTraining, set: Option<&Set>) -> Result<(Table, Option<Curves>)> {
    let (task, test) = (training.config().task, training.config().test.clone());
    let cells = match set {
        Some(set) => vec![of_set(set, task)],
        None => cells(task, &test)?,
    };
    let mut rows = vec![];
    for cell in &cells {
        let found = answers(training, &cell.graphs)?;
        let measured = match task {
            GraphTask::ValueIteration => values(cell, &found),
            _ => pressures(cell, &found)?,
        };
        rows.push([cell.key.clone(), measured].concat());
    }
    let table = match task {
        GraphTask::ValueIteration => Table {
            title: "Values of states".into(),
            text: "Mean of |V̂ − V| / |V|, beside that of always predicting the graph's true mean; part of the states whose best action \
                   is found, beside looking one step ahead and choosing the largest reward.".into(),
            columns: words(&[
                "states", "actions", "error", "of the mean", "accuracy", "one step ahead", "greedy", "sweeps",
            ]),
            rows,
        },
        _ => Table {
            title: "Pressures of pores".into(),
            text: "Mean square error over pores whose pressure is not given, beside that of p = 1 − y; milliseconds a network, all \
                   of the cell at once, beside our linear solver, which is exact.".into(),
            columns: words(&[
                "pores", "error", "of a line", "ratio", "ms", "ms of the linear solver", "sweeps",
            ]),
            rows,
        },
    };
    let curves = set.is_none().then(|| curves(task, &table, &test));
    Ok((table, curves))
}

/// The smallest graph that is tested on.
pub(super) fn example(training: &GraphTraining) -> Result<Option<Graph<f64>>> {
    let test = &training.config().test;
    let Some(least) = test.sizes.iter().min() else { return Ok(None) };
    let few =
        GraphTest { sizes: vec![*least], actions: test.actions.iter().copied().take(1).collect(), graphs: 1 };
    Ok(cells(training.config().task, &few)?.pop().and_then(|mut c| c.graphs.pop()))
}

fn cells(task: GraphTask, test: &GraphTest) -> Result<Vec<Cell>> {
    let make = |key: Vec<f64>,
                one: &(dyn Fn(usize) -> resolvent_datasets::Result<Graph<f64>> + Sync)|
     -> Result<Cell> {
        let graphs = (0..test.graphs).into_par_iter().map(one).collect::<Result<_, _>>()?;
        Ok(Cell { key, graphs, discount: Processes::default().discount })
    };
    let mut cells = vec![];
    for &n in &test.sizes {
        if task == GraphTask::PoreNetwork {
            cells.push(make(vec![n as f64], &|i| pore_network::network(SEED, i, n..=n))?);
            continue;
        }
        for &k in test.actions.iter().filter(|k| **k < n) {
            let processes = Processes { states: n..=n, actions: k..=k, ..Processes::default() };
            // Every cell has graphs of its own.
            let seed = SEED ^ ((n as u64) << 32) ^ ((k as u64) << 48);
            cells.push(make(vec![n as f64, k as f64], &|i| processes.graph(seed, i))?);
        }
    }
    Ok(cells)
}

/// All of a set; its row begins with the means over its graphs.
fn of_set(set: &Set, task: GraphTask) -> Cell {
    let n = set.graphs.len().max(1) as f64;
    let nodes = set.graphs.iter().map(|g| g.nodes).sum::<usize>() as f64;
    let edges = set.graphs.iter().map(|g| g.edges.len()).sum::<usize>() as f64;
    let key = match task {
        GraphTask::ValueIteration => vec![nodes / n, edges / nodes.max(1.0)],
        _ => vec![nodes / n],
    };
    let discount = set.discount.unwrap_or(Processes::default().discount);
    Cell { key, graphs: set.graphs.clone(), discount }
}

fn values(cell: &Cell, found: &Answers) -> Vec<f64> {
    let n = cell.graphs.len().max(1) as f64;
    let mut sums = [0.0; 5];
    for (graph, v) in cell.graphs.iter().zip(&found.values) {
        let each = [
            relative_error(graph, v),
            mean_error(graph),
            policy_accuracy(graph, cell.discount, v),
            look_ahead_accuracy(graph, cell.discount),
            greedy_accuracy(graph, cell.discount),
        ];
        sums.iter_mut().zip(each).for_each(|(s, e)| *s += e / n);
    }
    [&sums[..], &[found.sweeps as f64]].concat()
}

fn pressures(cell: &Cell, found: &Answers) -> Result<Vec<f64>> {
    let n = cell.graphs.len().max(1) as f64;
    let (mut error, mut line) = (0.0, 0.0);
    for (graph, p) in cell.graphs.iter().zip(&found.values) {
        error += pore_network::mean_square_error(graph, p) / n;
        line += pore_network::mean_square_error(graph, &pore_network::linear_pressure(graph)) / n;
    }
    let start = Instant::now();
    for graph in &cell.graphs {
        pore_network::solved_pressure(graph)?;
    }
    let linear = start.elapsed().as_secs_f64();
    Ok(vec![error, line, error / line, 1e3 * found.seconds / n, 1e3 * linear / n, found.sweeps as f64])
}

fn curves(task: GraphTask, table: &Table, test: &GraphTest) -> Curves {
    let line = |name: String, column: usize, guide: bool, of: Option<usize>| {
        let rows = table.rows.iter().filter(|r| of.is_none_or(|k| r[1] == k as f64));
        Line { name, points: rows.map(|r| [r[0], r[column]]).collect(), guide }
    };
    let lines = match task {
        GraphTask::ValueIteration => {
            let each = test.actions.iter().flat_map(|k| {
                let (name, mean) = (format!("{k} actions"), format!("mean of the graph, {k}"));
                [line(name, 2, false, Some(*k)), line(mean, 3, true, Some(*k))]
            });
            each.collect()
        }
        _ => vec![line("trained".into(), 1, false, None), line("p = 1 − y".into(), 2, true, None)],
    };
    let y = if task == GraphTask::ValueIteration { "|V̂ − V| / |V|" } else { "mean square error" };
    Curves { title: "Error against the size of the graph".into(), x: "nodes".into(), y: y.into(), lines }
}

/// Names of columns.
pub(super) fn words(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}
