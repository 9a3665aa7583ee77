//! One chart: axes, lines, a legend beside it.

use super::canvas::{self, Bitmap, Drawn, Picture};
use super::colour::LINES;
use super::scale::Scale;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const SIZE: (u32, u32) = (840, 460);
/// The least width of a legend, and the most letters of a name in it.
const LEGEND: (u32, usize) = (150, 24);
/// Of axes.
pub(super) const GREY: RGBColor = RGBColor(90, 90, 90);

/// A dimension of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    label: String,
    logarithmic: bool,
}

impl Axis {
    /// With even ticks.
    pub fn linear(label: &str) -> Self {
        Self { label: label.into(), logarithmic: false }
    }
    /// With ticks at powers of ten.
    pub fn logarithmic(label: &str) -> Self {
        Self { label: label.into(), logarithmic: true }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Style {
    Line,
    Marked,
    Guide,
    Faint,
}

/// A named line.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Its points; those that are not finite, or not positive on a logarithmic axis, are left out.
    pub points: Vec<(f64, f64)>,
    /// Which colour it has; by its place when `None`.
    pub colour: Option<usize>,
    style: Style,
}

impl Series {
    /// A line.
    pub fn line(name: &str, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), points, colour: None, style: Style::Line }
    }
    /// A line with a mark at every point.
    pub fn marked(name: &str, points: Vec<(f64, f64)>) -> Self {
        Self { style: Style::Marked, ..Self::line(name, points) }
    }
    /// A thin grey line to compare others with.
    pub fn guide(name: &str, points: Vec<(f64, f64)>) -> Self {
        Self { style: Style::Guide, ..Self::line(name, points) }
    }
    /// A thin, pale line without a name, in the colour of that number, behind others.
    pub fn faint(colour: usize, points: Vec<(f64, f64)>) -> Self {
        Self { style: Style::Faint, colour: Some(colour), ..Self::line("", points) }
    }
    /// In the colour of that number.
    pub fn coloured(self, colour: usize) -> Self {
        Self { colour: Some(colour), ..self }
    }
}

/// A chart to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Above it.
    pub title: String,
    /// Its lines.
    pub series: Vec<Series>,
    x: Axis,
    y: Axis,
    size: (u32, u32),
    legend: bool,
}

impl Figure {
    /// Without lines yet.
    pub fn new(title: String, x: Axis, y: Axis) -> Self {
        Self { title, series: Vec::new(), x, y, size: SIZE, legend: true }
    }

    /// Of another size than the usual one.
    pub fn sized(self, width: u32, height: u32) -> Self {
        Self { size: (width, height), ..self }
    }

    /// Without names of its lines beside it.
    pub fn without_legend(self) -> Self {
        Self { legend: false, ..self }
    }

    /// As the text of an SVG file.
    ///
    /// # Errors
    /// What the drawing library says.
    pub fn svg(&self) -> Result<String, String> {
        canvas::svg(self)
    }

    /// As the bytes of a PNG file, twice the size.
    ///
    /// # Errors
    /// What the drawing library says.
    pub fn png(&self) -> Result<Vec<u8>, String> {
        canvas::png(self)
    }

    fn kept(&self, points: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let fits = |v: f64, axis: &Axis| v.is_finite() && (!axis.logarithmic || v > 0.0);
        points.iter().copied().filter(|(x, y)| fits(*x, &self.x) && fits(*y, &self.y)).collect()
    }

    /// The width of the legend.
    fn beside(&self) -> u32 {
        let letters = self.series.iter().map(|s| s.name.chars().count().min(LEGEND.1)).max().unwrap_or(0);
        if self.legend { LEGEND.0.max(46 + 8 * letters as u32) } else { 0 }
    }

    fn lines<DB: DrawingBackend>(
        &self,
        root: &DrawingArea<DB, Shift>,
        x: Scale,
        y: Scale,
        lines: &[Vec<(f64, f64)>],
        scale: u32,
    ) -> Drawn<(), DB> {
        let s = scale as f64;
        let font = |size: f64| ("sans-serif", size * s).into_font();
        let (plot, legend) = root.split_horizontally((self.size.0 - self.beside()) * scale);
        let small = self.size.0 < 500;
        let [caption, left, below, labels] = if small { [13, 56, 40, 5] } else { [17, 66, 44, 8] };
        let mut chart = ChartBuilder::on(&plot)
            .caption(&self.title, font(f64::from(caption)))
            .margin(10 * scale)
            .x_label_area_size(below * scale)
            .y_label_area_size(left * scale)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .x_desc(&self.x.label)
            .y_desc(&self.y.label)
            .axis_desc_style(font(if small { 12.0 } else { 14.0 }))
            .label_style(font(if small { 11.0 } else { 12.0 }))
            .x_labels(labels as usize)
            .y_labels(labels as usize)
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.10).stroke_width(scale))
            .axis_style(GREY.stroke_width(scale))
            .draw()?;
        let mut named = 0;
        for (number, (series, points)) in self.series.iter().zip(lines).enumerate() {
            let colour = self.colour(number);
            let width = if matches!(series.style, Style::Guide | Style::Faint) { scale } else { 2 * scale };
            chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(width)))?;
            if series.style == Style::Marked {
                let mark = |p: &(f64, f64)| Circle::new(*p, 4 * scale as i32, colour.filled());
                chart.draw_series(points.iter().map(mark))?;
            }
            if series.name.is_empty() || !self.legend {
                continue;
            }
            let top = (50 + 24 * named) * scale as i32;
            named += 1;
            let (left, right) = (6 * scale as i32, 30 * scale as i32);
            legend.draw(&PathElement::new([(left, top), (right, top)], colour.stroke_width(width)))?;
            if series.style == Style::Marked {
                legend.draw(&Circle::new(((left + right) / 2, top), 4 * scale as i32, colour.filled()))?;
            }
            let style = TextStyle::from(font(13.0)).pos(Pos::new(HPos::Left, VPos::Center));
            let name = shortened(&series.name, LEGEND.1);
            legend.draw(&Text::new(name, (right + 6 * scale as i32, top), style))?;
        }
        Ok(())
    }

    fn colour(&self, number: usize) -> RGBAColor {
        let series = &self.series[number];
        let colour = series_colour(series.colour.unwrap_or(number));
        match series.style {
            Style::Guide => RGBColor(150, 150, 150).mix(1.0),
            Style::Faint => colour.mix(0.3),
            _ => colour,
        }
    }
}

impl Picture for Figure {
    fn size(&self) -> (u32, u32) {
        self.size
    }

    fn draw<DB: DrawingBackend>(&self, root: &DrawingArea<DB, Shift>, scale: u32) -> Drawn<Vec<Bitmap>, DB> {
        let lines: Vec<Vec<(f64, f64)>> = self.series.iter().map(|s| self.kept(&s.points)).collect();
        let all = || lines.iter().flatten().copied();
        let x = Scale::around(all().map(|p| p.0), self.x.logarithmic);
        let y = Scale::around(all().map(|p| p.1), self.y.logarithmic);
        self.lines(root, x, y, &lines, scale)?;
        Ok(vec![])
    }
}

/// The colour of a line; paler ones when all have been used.
pub(super) fn series_colour(number: usize) -> RGBAColor {
    LINES[number % LINES.len()].mix(if (number / LINES.len()).is_multiple_of(2) { 1.0 } else { 0.5 })
}

/// At most so many letters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.into();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept.trim_end().to_owned() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_without_points_is_drawn() {
        let mut figure = Figure::new("empty".into(), Axis::linear("x"), Axis::logarithmic("y"));
        assert!(figure.svg().unwrap().contains("empty"));
        figure.series.push(Series::line("nothing", vec![(f64::NAN, 1.0), (1.0, 0.0)]));
        figure.series.push(Series::marked("one", vec![(1.0, 1.0)]));
        assert!(figure.svg().unwrap().contains("one"));
    }
}
