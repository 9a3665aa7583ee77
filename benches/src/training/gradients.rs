//! Gradients by layer, and the curvature of the loss.

use super::illustration::{Illustration, Section};
use super::record::Record;
use crate::plot::{Axis, Cell, Figure, Series, Sheet};
use resolvent_pinn::density::{Density, LayerDensity};

/// Layers shown, so that the page stays small.
const LAYERS: usize = 12;

/// The densities of every layer at the last look and at the first.
pub(super) fn densities(record: &Record) -> Section {
    let mut section = Section { heading: "Gradients by layer", text: String::new(), illustrations: vec![] };
    let Some(last) = record.densities.last() else {
        section.text = "No look at the gradients has been taken: log.densities is their number.".into();
        return section;
    };
    section.illustrations.push(Illustration::sheet(
        "gradients_last",
        sheet(record, last),
        format!(
            "At step {}: how the entries of ∇(λL) of every term are distributed over the weights of each layer (densities, logarithmic). Terms in balance have curves of one width; a term whose curve is a spike at zero beside a wide one is not being learnt.{}",
            last.step,
            if last.layers.len() > LAYERS { format!(" The first {LAYERS} of {} layers.", last.layers.len()) } else { String::new() },
        ),
    ));
    if let Some(first) = record.densities.first().filter(|f| f.step != last.step) {
        section.illustrations.push(Illustration::sheet(
            "gradients_first",
            sheet(record, first),
            format!("The same at step {}, the first look: compare the widths with those above.", first.step),
        ));
    }
    section
}

fn sheet(record: &Record, density: &Density) -> Sheet {
    let terms = density.layers.iter().map(|l| l.terms.len()).max().unwrap_or(0);
    let cells: Vec<Cell> = density.layers.iter().take(LAYERS).map(|l| Cell::Chart(chart(l))).collect();
    let columns = if cells.len() <= 4 { cells.len() } else { cells.len().div_ceil(cells.len().div_ceil(4)) };
    Sheet { legend: (0..terms).map(|i| record.term(i)).collect(), columns, cells }
}

fn chart(layer: &LayerDensity) -> Figure {
    let axis = Axis::logarithmic("density");
    let mut figure = Figure::new(layer.layer.clone(), Axis::linear("∂(λL)/∂w"), axis);
    let positive = layer.terms.iter().flatten().copied().filter(|d| d.is_finite() && *d > 0.0);
    let floor = 0.5 * positive.fold(f64::INFINITY, f64::min);
    for (i, bins) in layer.terms.iter().enumerate() {
        figure.series.push(Series::line("", outline(bins, layer.range, floor)).coloured(i));
    }
    figure.sized(240, 220).without_legend()
}

/// The outline of a histogram; an empty bin is at the floor.
fn outline(bins: &[f64], range: f64, floor: f64) -> Vec<(f64, f64)> {
    let width = 2.0 * range / bins.len().max(1) as f64;
    let edges = |i: usize| (i as f64 * width - range, (i + 1) as f64 * width - range);
    bins.iter()
        .enumerate()
        .flat_map(|(i, d)| {
            let (left, right) = edges(i);
            let d = d.max(floor);
            [(left, d), (right, d)]
        })
        .collect()
}

/// The largest eigenvalue over the steps, and the largest at the last look.
pub(super) fn curvature(record: &Record) -> Section {
    let mut section = Section { heading: "Curvature", text: String::new(), illustrations: vec![] };
    let Some(last) = record.spectra.last() else {
        section.text = "No look at the Hessian has been taken: log.spectra is their number, and each costs a few hundred gradients.".into();
        return section;
    };
    let course = |f: &dyn Fn(&resolvent_pinn::Spectrum) -> Option<f64>| -> Vec<(f64, f64)> {
        record.spectra.iter().filter_map(|s| f(s).map(|v| (s.step as f64, v))).collect()
    };
    let axis = Axis::logarithmic("σ_max");
    let mut figure = Figure::new("Largest eigenvalue of the Hessian".into(), Axis::linear("step"), axis);
    for i in 0..last.terms.len() {
        let points = course(&|s| s.terms.get(i)?.first().copied());
        figure.series.push(Series::marked(&record.term(i), points).coloured(i));
    }
    let total = course(&|s| s.total.first().copied());
    figure.series.push(Series::marked("total, weighted", total).coloured(6));
    section.illustrations.push(Illustration::chart(
        "curvature",
        figure,
        "The largest eigenvalue of the Hessian of every unweighted term, and in black of the weighted loss. Plain gradient descent is stable only for rates below 2/σ_max; a term far above the others makes the problem stiff.",
    ));
    let axis = Axis::logarithmic("eigenvalue");
    let title = format!("Top eigenvalues at step {}", last.step);
    let mut figure = Figure::new(title, Axis::linear("number"), axis).sized(840, 380);
    let counted = |v: &[f64]| v.iter().enumerate().map(|(i, v)| ((i + 1) as f64, *v)).collect::<Vec<_>>();
    for (i, values) in last.terms.iter().enumerate() {
        figure.series.push(Series::marked(&record.term(i), counted(values)).coloured(i));
    }
    // The last of the total is the smallest.
    let (top, smallest) = match last.total.split_last() {
        Some((smallest, top)) if !top.is_empty() => (top, Some(*smallest)),
        _ => (&last.total[..], None),
    };
    figure.series.push(Series::marked("total, weighted", counted(top)).coloured(6));
    let most = smallest.filter(|s| s.is_finite()).map_or(String::new(), |s| {
        format!(
            " The smallest of the weighted loss is {s:.2e}{}.",
            if s < 0.0 { ": not convex here" } else { "" }
        )
    });
    section.illustrations.push(Illustration::chart(
        "eigenvalues",
        figure,
        format!(
            "The largest eigenvalues of the Hessian, in order, at the last look. A steep fall says that a few directions carry the curvature.{most}"
        ),
    ));
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlines_have_both_edges_of_every_bin() {
        let points = outline(&[0.0, 2.0], 1.0, 0.5);
        assert_eq!(points, [(-1.0, 0.5), (0.0, 0.5), (0.0, 2.0), (1.0, 2.0)]);
        assert!(outline(&[], 1.0, 0.5).is_empty());
    }
}
