//! What changes over the steps: losses, weights, errors, learnt parameters, the learning rate.

use super::illustration::{Illustration, Section};
use super::record::Record;
use super::thinning::{medians, thinned};
use crate::plot::{Axis, Figure, Series};

/// Points of a line at most.
const MOST: usize = 400;
/// Stretches that a noisy line is smoothed over.
const STRETCHES: usize = 100;
/// A line of so few points has a mark at each.
const MARKED: usize = 40;
/// From this ratio of the largest to the smallest on, an axis is logarithmic.
const SPAN: f64 = 30.0;

/// A named line in the colour of a number.
struct Course {
    name: String,
    colour: usize,
    points: Vec<(f64, f64)>,
}

/// The loss of each term, and their weighted sum.
pub(super) fn losses(record: &Record) -> Section {
    let mut figure = Figure::new("Losses".into(), Axis::linear("step"), Axis::logarithmic("loss"));
    let mut courses = vec![];
    for (i, name) in record.terms().into_iter().enumerate() {
        let points = record.course(|m| m.terms.get(i).map(|t| t.loss));
        courses.push(Course { name, colour: i, points });
    }
    let total = record.course(|m| Some(m.loss));
    courses.push(Course { name: "total, weighted".into(), colour: 6, points: total });
    let noisy = noisy(&mut figure, courses);
    let mut caption = String::from(
        "The mean squared residual of every term, unweighted, and in black the weighted sum that is minimised. Look for a term that stays behind while the others fall: it is the one that the sum neglects.",
    );
    if noisy {
        caption += " Pale: every look, extremes kept; strong: medians of neighbouring looks.";
    }
    if record.about.adam < record.about.all {
        caption += &format!(" L-BFGS begins at step {}.", record.about.adam);
    }
    section("Losses", record, vec![Illustration::chart("losses", figure, caption)])
}

/// λ of each term.
pub(super) fn weights(record: &Record) -> Section {
    let terms = record.terms();
    let courses: Vec<_> = (0..terms.len())
        .map(|i| {
            let points = record.course(|m| m.terms.get(i).map(|t| t.weight));
            Course { name: terms[i].clone(), colour: i, points }
        })
        .collect();
    let values = || courses.iter().flat_map(|c| &c.points).map(|p| p.1);
    if !terms.is_empty() && courses.iter().all(|c| c.points.iter().all(|p| p.1 == c.points[0].1)) {
        let each: Vec<String> =
            courses.iter().filter_map(|c| c.points.first().map(|p| format!("{}: {}", c.name, p.1))).collect();
        let text = format!("The weights λ did not change: {}.", each.join(", "));
        return Section { heading: "Weights", text, illustrations: vec![] };
    }
    let axis = spanning(values(), "λ");
    let mut figure = Figure::new("Weights".into(), Axis::linear("step"), axis);
    let noisy = noisy(&mut figure, courses);
    let mut caption = String::from(
        "The weight λ of every term of the loss as the balancing sets it; the equation is the measure of the others. A weight that settles says by how much the term's gradient was too small; one that keeps growing, that the term is still neglected.",
    );
    if noisy {
        caption += " Pale: every look; strong: medians of neighbouring looks.";
    }
    section("Weights", record, vec![Illustration::chart("weights", figure, caption)])
}

/// Errors and learnt parameters.
pub(super) fn errors(record: &Record) -> Section {
    let mut illustrations = vec![];
    let names = record.measured();
    if !names.is_empty() {
        let axis = Axis::logarithmic("‖u − û‖₂ / ‖u‖₂");
        let mut figure = Figure::new("Relative error".into(), Axis::linear("step"), axis);
        for (i, name) in names.iter().enumerate() {
            let of = |m: &resolvent_pinn::run::Metrics| {
                m.errors.iter().find(|e| e.name == *name).map(|e| e.relative_l2)
            };
            figure.series.push(line(name, record.course(of)).coloured(i));
        }
        illustrations.push(Illustration::chart(
            "errors",
            figure,
            "The relative L2 error of every quantity whose solution is known. It should fall with the losses; where it stays while they fall, the terms are out of balance or the points too few.",
        ));
    }
    let learnt: Vec<String> =
        record.metrics.last().map_or(vec![], |m| m.parameters.keys().cloned().collect());
    if !learnt.is_empty() {
        let courses = learnt.iter().map(|n| record.course(|m| m.parameters.get(n).copied()));
        let mut figure = Figure::new("Learnt parameters".into(), Axis::linear("step"), Axis::linear("value"));
        for (i, (name, course)) in learnt.iter().zip(courses).enumerate() {
            figure.series.push(line(name, course).coloured(i));
        }
        illustrations.push(Illustration::chart(
            "parameters",
            figure,
            "The parameters of the equation that are learnt with the network. Trust them where they have become level; a drift at the end asks for more steps.",
        ));
    }
    let mut section = section("Errors over the steps", record, illustrations);
    if names.is_empty() {
        section.text = "No error was measured, since no solution is known: give one under equation.exact or equation.reference.".into();
    }
    section
}

/// The learning rate.
pub(super) fn rate(record: &Record) -> Section {
    let adam = record.about.adam;
    let course = record.course(|m| (m.step < adam).then_some(m.rate));
    let axis = spanning(course.iter().map(|p| p.1), "learning rate");
    let mut figure =
        Figure::new("Learning rate".into(), Axis::linear("step"), axis).sized(840, 300).without_legend();
    figure.series.push(Series::line("learning rate", thinned(&course, MOST)));
    let caption = "The learning rate of Adam; the noise of the losses falls with it.";
    section("Learning rate", record, vec![Illustration::chart("rate", figure, caption)])
}

/// A section that says so when there is nothing to show yet.
fn section(heading: &'static str, record: &Record, illustrations: Vec<Illustration>) -> Section {
    if record.metrics.is_empty() {
        return Section { heading, text: "No step has been written down yet.".into(), illustrations: vec![] };
    }
    Section { heading, text: String::new(), illustrations }
}

/// A line, with marks where its points are few.
fn line(name: &str, course: Vec<(f64, f64)>) -> Series {
    let points = thinned(&course, MOST);
    if points.len() <= MARKED { Series::marked(name, points) } else { Series::line(name, points) }
}

/// Adds named lines in numbered colours. Of long ones the medians are strong, and everything is pale behind them; whether
/// there is one.
fn noisy(figure: &mut Figure, courses: Vec<Course>) -> bool {
    let mut strong = vec![];
    let mut noisy = false;
    for Course { name, colour, points: course } in courses {
        let points = thinned(&course, MOST);
        match medians(&course, STRETCHES) {
            Some(course) => {
                noisy = true;
                figure.series.push(Series::faint(colour, points));
                strong.push(Series::line(&name, course).coloured(colour));
            }
            None => strong.push(Series::line(&name, points).coloured(colour)),
        }
    }
    figure.series.extend(strong);
    noisy
}

/// Logarithmic where all values are positive and span much.
fn spanning(values: impl Iterator<Item = f64>, label: &str) -> Axis {
    let (low, high) = values
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low > 0.0 && high > SPAN * low { Axis::logarithmic(label) } else { Axis::linear(label) }
}
