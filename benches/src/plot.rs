//! Pictures: charts, heat maps and sheets of them; of benchmarks, residuals over steps and seconds, and time over size.

mod canvas;
mod chart;
mod colour;
mod font;
mod heat;
mod map;
mod scale;
mod sheet;

pub use chart::{Axis, Figure, Series};
pub use colour::Colours;
pub use heat::Heat;
pub use map::Map;
pub use sheet::{Cell, Sheet};

use crate::Measurement;

/// The residual of each method at one size, over seconds of solve.
pub fn residual_over_time(rows: &[Measurement], n: usize) -> Figure {
    residuals(rows, n, "seconds of solve", |_, seconds| seconds)
}

/// The residual of each method at one size, over steps.
pub fn residual_over_steps(rows: &[Measurement], n: usize) -> Figure {
    residuals(rows, n, "steps", |share, _| share)
}

fn residuals(rows: &[Measurement], n: usize, label: &str, x: impl Fn(f64, f64) -> f64) -> Figure {
    let mut figure = Figure::new(
        format!("{}: residual, n = {n}", rows.first().map_or("", |m| &m.problem)),
        Axis::linear(label),
        Axis::logarithmic("‖b − Ax‖ / ‖b‖"),
    );
    for m in rows.iter().filter(|m| m.n == n && !m.history.is_empty()) {
        let last = (m.history.len() - 1).max(1) as f64;
        let points =
            m.history.iter().enumerate().map(|(i, (t, r))| (x(m.steps as f64 * i as f64 / last, *t), *r));
        figure.series.push(Series::line(&m.method, points.collect()));
    }
    figure.order_by(rows);
    figure
}

/// Seconds of set-up and solve over unknowns, with a line of proportional growth.
pub fn scaling(rows: &[Measurement]) -> Figure {
    let mut figure = Figure::new(
        format!("{}: time to the target, set-up included", rows.first().map_or("", |m| &m.problem)),
        Axis::logarithmic("unknowns"),
        Axis::logarithmic("seconds"),
    );
    for method in methods(rows) {
        let of = rows.iter().filter(|m| m.method == method && m.converged());
        let points: Vec<_> = of.map(|m| (m.unknowns as f64, m.total.median)).collect();
        if !points.is_empty() {
            figure.series.push(Series::marked(&method, points));
        }
    }
    let all = || figure.series.iter().flat_map(|s| s.points.iter().copied());
    let (low, high) = all().fold((f64::INFINITY, 0.0f64), |(l, h), (x, _)| (l.min(x), h.max(x)));
    let fastest = all().map(|(x, y)| y / x).fold(f64::INFINITY, f64::min);
    if high > low {
        let guide = vec![(low, 0.6 * fastest * low), (high, 0.6 * fastest * high)];
        figure.series.push(Series::guide("∝ unknowns", guide));
    }
    figure
}

/// Steps over unknowns.
pub fn steps(rows: &[Measurement]) -> Figure {
    let mut figure = Figure::new(
        format!("{}: steps to the target", rows.first().map_or("", |m| &m.problem)),
        Axis::logarithmic("unknowns"),
        Axis::logarithmic("steps"),
    );
    for method in methods(rows) {
        let of = rows.iter().filter(|m| m.method == method && m.converged());
        let points: Vec<_> = of.map(|m| (m.unknowns as f64, m.steps.max(1) as f64)).collect();
        if !points.is_empty() {
            figure.series.push(Series::marked(&method, points));
        }
    }
    figure
}

/// One residual history over steps.
pub fn history(title: &str, residuals: &[f64], target: f64) -> Figure {
    let mut figure = Figure::new(title.into(), Axis::linear("steps"), Axis::logarithmic("‖b − Ax‖"));
    let points = residuals.iter().enumerate().map(|(i, r)| (i as f64, *r)).collect();
    figure.series.push(Series::line("residual", points));
    let last = residuals.len().saturating_sub(1).max(1) as f64;
    if target > 0.0 {
        figure.series.push(Series::guide("target", vec![(0.0, target), (last, target)]));
    }
    figure
}

/// The methods in the order of their first rows.
fn methods(rows: &[Measurement]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for m in rows {
        if !names.contains(&m.method) {
            names.push(m.method.clone());
        }
    }
    names
}

impl Figure {
    /// Gives every method the colour it has in the other figures of the same rows.
    fn order_by(&mut self, rows: &[Measurement]) {
        let names = methods(rows);
        for s in &mut self.series {
            s.colour = names.iter().position(|n| *n == s.name);
        }
    }
}
