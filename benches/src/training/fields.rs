//! Exact, predicted and their difference, side by side.

use super::illustration::{Illustration, Section};
use super::record::Record;
use crate::plot::{Axis, Cell, Colours, Figure, Map, Series, Sheet};
use resolvent_pinn::evaluation::Panel;

/// Fields shown on the page, so that it stays small.
const FIELDS: usize = 6;

/// A picture of each quantity.
pub(super) fn section(record: &Record) -> Section {
    let heading = "Fields";
    let Some(panel) = &record.panel else {
        let text = "The fields are drawn when the run ends or is interrupted.".into();
        return Section { heading, text, illustrations: vec![] };
    };
    let mut text = String::new();
    if !panel.at.is_empty() {
        text = format!("At {}.", panel.at);
    }
    if panel.names.len() > FIELDS {
        text += &format!(" The first {FIELDS} of {} quantities.", panel.names.len());
    }
    let illustrations = (0..panel.names.len().min(FIELDS)).map(|i| match panel.axes.len() {
        1 => along(panel, i),
        _ => over(panel, i),
    });
    Section { heading, text, illustrations: illustrations.collect() }
}

fn file(number: usize) -> String {
    format!("field_{}", number + 1)
}

/// |u − û|.
fn error(exact: &[f64], predicted: &[f64]) -> Vec<f64> {
    exact.iter().zip(predicted).map(|(e, p)| (e - p).abs()).collect()
}

/// Over one coordinate, as lines.
fn along(panel: &Panel, i: usize) -> Illustration {
    let (name, x) = (&panel.names[i], &panel.coordinates[0]);
    let points = |v: &[f64]| x.iter().copied().zip(v.iter().copied()).collect::<Vec<_>>();
    let chart = |title: String, axis: Axis| {
        Cell::Chart(Figure::new(title, Axis::linear(&panel.axes[0]), axis).sized(470, 320).without_legend())
    };
    let exact = panel.exact.get(i).and_then(Option::as_ref);
    let mut cells = vec![chart(name.clone(), Axis::linear(name))];
    if exact.is_some() {
        cells.push(chart(format!("|{name} exact − predicted|"), Axis::linear("error")));
    }
    if let Cell::Chart(figure) = &mut cells[0] {
        if let Some(exact) = exact {
            figure.series.push(Series::line("exact", points(exact)).coloured(6));
        }
        figure.series.push(Series::line("predicted", points(&panel.predicted[i])).coloured(1));
    }
    if let (Some(Cell::Chart(figure)), Some(exact)) = (cells.get_mut(1), exact) {
        figure.series.push(Series::line("error", points(&error(exact, &panel.predicted[i]))).coloured(3));
    }
    let caption = match exact {
        Some(_) => format!(
            "{name} over {}: the solution in black under the prediction in orange, and how far they are apart. Look where the error is largest: at an end it is the condition, inside it is the equation that is not met.",
            panel.axes[0]
        ),
        None => format!("{name} over {}, as the network predicts it; no solution is known.", panel.axes[0]),
    };
    let sheet = Sheet { legend: vec![], columns: 2, cells };
    Illustration::sheet(file(i), sheet, caption)
}

/// Over two coordinates, as colours.
fn over(panel: &Panel, i: usize) -> Illustration {
    let (name, predicted) = (&panel.names[i], &panel.predicted[i]);
    let exact = panel.exact.get(i).and_then(Option::as_ref);
    let (range, colours, beyond) = shared_range(exact, predicted);
    let map = |title: String, values: Vec<f64>, range: [f64; 2], colours: Colours| {
        Cell::Map(Map {
            title,
            axes: [panel.axes[0].clone(), panel.axes[1].clone()],
            coordinates: [panel.coordinates[0].clone(), panel.coordinates[1].clone()],
            values,
            range,
            colours,
            // Time has another unit than space.
            to_scale: !panel.axes.iter().any(|a| a == "t"),
        })
    };
    let mut cells = vec![];
    if let Some(exact) = exact {
        cells.push(map(format!("{name}, exact"), exact.clone(), range, colours));
    }
    cells.push(map(format!("{name}, predicted"), predicted.clone(), range, colours));
    let mut caption = match exact {
        None => format!("{name} as the network predicts it; no solution is known."),
        Some(exact) => {
            let error = error(exact, predicted);
            let most = bounds(&error).map_or(0.0, |b| b[1]);
            cells.push(map(format!("|{name} exact − predicted|"), error, [0.0, most], Colours::Rising));
            format!(
                "{name}: the solution, the prediction in the same colours, and the size of their difference, at most {most:.2e}. An error along the boundary is a condition that is not met; one inside, the equation."
            )
        }
    };
    if beyond {
        caption += " Predictions beyond the range of the solution have its outermost colours.";
    }
    if predicted.iter().any(|v| !v.is_finite()) {
        caption += " Grey is outside the domain, or no number.";
    }
    Illustration::sheet(file(i), Sheet { legend: vec![], columns: 3, cells }, caption)
}

/// The range and the colours of both, and whether the prediction goes far beyond what the solution spans.
fn shared_range(exact: Option<&Vec<f64>>, predicted: &[f64]) -> ([f64; 2], Colours, bool) {
    let own = bounds(predicted).unwrap_or([0.0, 1.0]);
    let known = exact.and_then(|e| bounds(e));
    let joined = known.map_or(own, |k| [k[0].min(own[0]), k[1].max(own[1])]);
    let beyond = known.is_some_and(|k| k[1] > k[0] && joined[1] - joined[0] > 2.0 * (k[1] - k[0]));
    let [low, high] = if beyond { known.unwrap_or(joined) } else { joined };
    let most = high.max(-low);
    if low < 0.0 && high > 0.0 && (-low).min(high) > 0.1 * most {
        ([-most, most], Colours::Diverging, beyond)
    } else {
        ([low, high], Colours::Rising, beyond)
    }
}

/// The smallest and the largest finite value.
fn bounds(values: &[f64]) -> Option<[f64; 2]> {
    let finite = values.iter().copied().filter(|v| v.is_finite());
    let [low, high] = finite.fold([f64::INFINITY, f64::NEG_INFINITY], |[l, h], v| [l.min(v), h.max(v)]);
    (low <= high).then_some([low, high])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_fields_have_one_range_unless_the_prediction_has_run_away() {
        let exact = vec![-1.0, 0.5, f64::NAN];
        assert_eq!(shared_range(Some(&exact), &[-1.1, 0.0]), ([-1.1, 1.1], Colours::Diverging, false));
        assert_eq!(shared_range(Some(&exact), &[-90.0, 0.0]), ([-1.0, 1.0], Colours::Diverging, true));
        assert_eq!(shared_range(None, &[0.0, 2.0]), ([0.0, 2.0], Colours::Rising, false));
        assert_eq!(shared_range(None, &[f64::NAN]), ([0.0, 1.0], Colours::Rising, false));
    }
}
