//! Of a solver of graphs: errors over the size, a graph that comes to rest, weights between nodes, classes.

use super::illustration::{Illustration, Section};
use super::record::Record;
use crate::plot::{Axis, Cell, Colours, Figure, Map, Series, Sheet};
use crate::report::escaped;
use resolvent_pinn::graph::{Curves, Table, Transitions};
use std::fmt::Write;

/// Pixels of the side of a plane, about.
const SIDE: usize = 200;
/// Classes that are drawn, at most.
const CLASSES: usize = 40;

/// What the evaluation shows.
pub(super) fn section(record: &Record) -> Section {
    let heading = "What it is worth";
    let Some(evaluation) = &record.evaluation else {
        let text = "The evaluation is made when all steps are done.".into();
        return Section { heading, text, illustrations: vec![] };
    };
    let mut illustrations = vec![];
    if let Some(curves) = &evaluation.curves {
        let caption = "What is compared with is thin and grey. Look where a line of its own colour crosses the grey one it belongs to: there the network is worth nothing.";
        illustrations.push(lines("evaluation", curves, caption));
    }
    if let Some(curves) = &evaluation.convergence {
        let caption = "How far one graph is from rest after each sweep. A straight line is linear convergence; it may be steeper than γ, which bounds it, since a sweep uses what is new, and since weights may sum to less than 1.";
        illustrations.push(lines("convergence", curves, caption));
    }
    if let Some(transitions) = &evaluation.transitions {
        illustrations.push(weights(transitions));
    }
    illustrations.extend(evaluation.tables.iter().filter_map(confusion));
    Section { heading, text: String::new(), illustrations }
}

/// The tables of the evaluation.
pub(super) fn tables(record: &Record) -> String {
    let mut out = String::new();
    for table in record.evaluation.iter().flat_map(|e| &e.tables) {
        let _ = write!(out, "<h2>{}</h2>\n<p>{}</p>\n", escaped(&table.title), escaped(&table.text));
        out.push_str("<div class=scroll><table><tr>");
        table.columns.iter().for_each(|c| {
            let _ = write!(out, "<th>{}", escaped(c));
        });
        for row in &table.rows {
            out.push_str("</tr>\n<tr>");
            row.iter().for_each(|v| {
                let _ = write!(out, "<td>{}", Table::number(*v));
            });
        }
        out.push_str("</tr></table></div>\n");
    }
    out
}

fn lines(name: &str, curves: &Curves, caption: &str) -> Illustration {
    let values = || curves.lines.iter().flat_map(|l| &l.points).map(|p| p[1]);
    let (low, high) = values().fold((f64::INFINITY, 0.0f64), |(l, h), v| (l.min(v), h.max(v)));
    let y =
        if low > 0.0 && high > 30.0 * low { Axis::logarithmic(&curves.y) } else { Axis::linear(&curves.y) };
    let mut figure = Figure::new(curves.title.clone(), Axis::linear(&curves.x), y);
    for line in &curves.lines {
        let points: Vec<(f64, f64)> = line.points.iter().map(|p| (p[0], p[1])).collect();
        figure.series.push(match (line.guide, points.len() <= 40) {
            (true, _) => Series::guide(&line.name, points),
            (false, true) => Series::marked(&line.name, points),
            (false, false) => Series::line(&line.name, points),
        });
    }
    Illustration::chart(name, figure, caption)
}

fn weights(transitions: &Transitions) -> Illustration {
    let caption = "The weights of the systems on one graph, averaged over heads. A row belongs to the node whose x is made, its columns to those it is made of; a row that is dark all along takes nothing from others. Look whether weights tell edges apart: rows of one colour are those of a mere average.";
    let most = transitions.values.iter().copied().fold(0.0, f64::max);
    matrix(
        "transitions",
        "weights",
        transitions.nodes,
        &transitions.values,
        most,
        ["taken from", "made"],
        caption,
    )
}

/// Of a table of classes.
fn confusion(table: &Table) -> Option<Illustration> {
    let classes = table.columns.len().checked_sub(1)?;
    if table.title != "Confusion" || classes > CLASSES || table.rows.len() != classes {
        return None;
    }
    let share = |row: &Vec<f64>| {
        let sum: f64 = row[1..].iter().sum();
        row[1..].iter().map(move |v| v / sum.max(1.0)).collect::<Vec<_>>()
    };
    if table.rows.iter().any(|r| r.len() != classes + 1) {
        return None;
    }
    let values: Vec<f64> = table.rows.iter().flat_map(share).collect();
    let caption = "The part of the graphs of each class that was said to be of which: all of it should be on the diagonal.";
    Some(matrix("confusion", "classes", classes, &values, 1.0, ["said", "true"], caption))
}

/// A square matrix as colours, every entry a square of its own.
fn matrix(
    name: &str,
    title: &str,
    n: usize,
    values: &[f64],
    most: f64,
    axes: [&str; 2],
    caption: &str,
) -> Illustration {
    let cells = (SIDE / n.max(1)).max(1);
    let at = |k: usize| (k as f64 + 0.5) / cells as f64 - 0.5;
    let side: Vec<f64> = (0..n * cells).map(at).collect();
    let entry = |i: usize, j: usize| values.get(i / cells * n + j / cells).copied().unwrap_or(f64::NAN);
    let map = Map {
        title: title.into(),
        axes: axes.map(Into::into),
        values: (0..side.len())
            .flat_map(|i| (0..side.len()).map(move |j| (i, j)))
            .map(|(i, j)| entry(i, j))
            .collect(),
        coordinates: [side.clone(), side],
        range: [0.0, most],
        colours: Colours::Rising,
        to_scale: true,
    };
    let sheet = Sheet { legend: vec![], columns: 1, cells: vec![Cell::Map(map)] };
    Illustration::sheet(name, sheet, caption)
}
