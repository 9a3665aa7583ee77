//! What is in a set of graphs, and what is wrong with it.

use super::{Column, Columns, GraphSet};
use crate::inspect::{Finding, Severity};
use resolvent::Scalar;
use serde::Serialize;
use std::fmt;

/// What a set of graphs holds. Displayed, it is a short table; serialised, an object.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// `resolvent-graphs`.
    pub format: &'static str,
    /// How many graphs.
    pub graphs: usize,
    /// Nodes in all.
    pub nodes: usize,
    /// Edges in all.
    pub edges: usize,
    /// The fewest and the most nodes of a graph.
    pub nodes_of_a_graph: [usize; 2],
    /// Every column: where it is, its name, its unit, and the range of its stored values.
    pub columns: Vec<ColumnSummary>,
    /// How many graphs each class has.
    pub classes: Option<Vec<usize>>,
    /// How many graphs each fold has.
    pub folds: Option<Vec<usize>>,
    /// Where it comes from.
    pub meta: Vec<(String, String)>,
}

/// A column of features or targets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnSummary {
    /// `node features`, `graph targets`, ….
    pub of: String,
    /// Its name.
    pub name: String,
    /// Of value × scale.
    pub unit: String,
    /// Smallest and largest stored value.
    pub range: [f64; 2],
}

impl<T: Scalar> GraphSet<T> {
    /// What the set holds.
    pub fn summary(&self) -> Summary {
        let sizes = || self.node_offsets.windows(2).map(|w| w[1] - w[0]);
        let mut columns = Vec::new();
        for (of, (level, names)) in self.levels().into_iter().zip(self.schema.levels()) {
            for ((array, names), kind) in
                Columns::both(of).into_iter().zip(names).zip(["features", "targets"])
            {
                for (Column { name, unit, .. }, column) in names.iter().zip(array.columns()) {
                    let range = column.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[a, b], v| {
                        [a.min(v.f64()), b.max(v.f64())]
                    });
                    let (name, unit) = (name.clone(), unit.clone());
                    columns.push(ColumnSummary { of: format!("{level} {kind}"), name, unit, range });
                }
            }
        }
        Summary {
            format: super::file::SCHEMA,
            graphs: self.len(),
            nodes: sizes().sum(),
            edges: self.edges.len(),
            nodes_of_a_graph: [sizes().min().unwrap_or(0), sizes().max().unwrap_or(0)],
            columns,
            classes: self.labels.as_deref().map(tally),
            folds: self.folds.as_deref().map(tally),
            meta: self.meta.clone(),
        }
    }

    /// What stands in the way of training on it: nothing found is an empty list. Isolated nodes are no fault.
    pub fn check(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut say = |severity, text: String| found.push(Finding { severity, text });
        if let Err(e) = self.check_shape() {
            say(Severity::Problem, e.to_string());
            return found;
        }
        if self.is_empty() {
            say(Severity::Problem, "there is no graph".into());
        }
        let empty = self.node_offsets.windows(2).filter(|w| w[0] == w[1]).count();
        if empty > 0 {
            say(Severity::Note, format!("{empty} graphs have no node"));
        }
        let mut targets = self.labels.is_some();
        for (of, (level, names)) in self.levels().into_iter().zip(self.schema.levels()) {
            targets |= !names[1].is_empty();
            for ((array, names), kind) in
                Columns::both(of).into_iter().zip(names).zip(["features", "targets"])
            {
                for (column, values) in names.iter().zip(array.columns()) {
                    if let Some(row) = values.iter().position(|v| !v.is_finite()) {
                        let text =
                            format!("{level} {kind}, column `{}`: row {row} is not finite", column.name);
                        say(Severity::Problem, text);
                    }
                }
            }
        }
        if !targets {
            say(Severity::Note, "there is neither a target nor a class to be found".into());
        }
        for (what, numbers) in [("class", &self.labels), ("fold", &self.folds)] {
            if let Some(empty) = numbers.as_deref().and_then(|n| tally(n).iter().position(|n| *n == 0)) {
                say(Severity::Note, format!("{what} {empty} has no graph"));
            }
        }
        found
    }
}

/// How often each number up to the largest appears; numbers beyond the count of graphs are counted as the last.
fn tally(numbers: &[u32]) -> Vec<usize> {
    let most = numbers.iter().map(|n| *n as usize).max().unwrap_or(0).min(numbers.len());
    let mut counts = vec![0; most + 1];
    numbers.iter().for_each(|n| counts[(*n as usize).min(most)] += 1);
    counts
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "format    {}", self.format)?;
        let [least, most] = self.nodes_of_a_graph;
        writeln!(f, "graphs    {}, of {least} to {most} nodes", self.graphs)?;
        writeln!(f, "nodes     {}", self.nodes)?;
        writeln!(f, "edges     {}", self.edges)?;
        for c in &self.columns {
            let unit = if c.unit == "1" { String::new() } else { format!(", scaled to {}", c.unit) };
            writeln!(f, "{:<14} {}: {:.4e} to {:.4e}{unit}", c.of, c.name, c.range[0], c.range[1])?;
        }
        for (what, counts) in [("classes", &self.classes), ("folds", &self.folds)] {
            if let Some(counts) = counts {
                writeln!(f, "{what:<9} {counts:?}")?;
            }
        }
        self.meta.iter().try_for_each(|(name, value)| writeln!(f, "{name:<9} {value}"))
    }
}
