//! One chart: axes, lines, a legend beside it.

use super::font;
use super::scale::Scale;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Okabe and Ito's colours, which people with any colour vision tell apart.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];
const SIZE: (u32, u32) = (840, 460);
const LEGEND: u32 = 150;
const GREY: RGBColor = RGBColor(90, 90, 90);

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
}

type Drawn<E> = Result<(), DrawingAreaErrorKind<E>>;

impl Figure {
    /// Without lines yet.
    pub fn new(title: String, x: Axis, y: Axis) -> Self {
        Self { title, series: Vec::new(), x, y }
    }

    /// As the text of an SVG file.
    ///
    /// # Errors
    /// What the drawing library says.
    pub fn svg(&self) -> Result<String, String> {
        font::register();
        let mut text = String::new();
        {
            let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
            self.draw(&root, 1).and_then(|()| root.present()).map_err(|e| e.to_string())?;
        }
        Ok(text)
    }

    /// As the bytes of a PNG file, twice the size.
    ///
    /// # Errors
    /// What the drawing library says.
    pub fn png(&self) -> Result<Vec<u8>, String> {
        font::register();
        let (width, height) = (2 * SIZE.0, 2 * SIZE.1);
        let mut pixels = vec![0u8; (3 * width * height) as usize];
        {
            let root = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
            self.draw(&root, 2).and_then(|()| root.present()).map_err(|e| e.to_string())?;
        }
        font::png(&pixels, width, height)
    }

    fn draw<DB: DrawingBackend>(&self, root: &DrawingArea<DB, Shift>, scale: u32) -> Drawn<DB::ErrorType> {
        root.fill(&WHITE)?;
        let lines: Vec<Vec<(f64, f64)>> = self.series.iter().map(|s| self.kept(&s.points)).collect();
        let all = || lines.iter().flatten().copied();
        let x = Scale::around(all().map(|p| p.0), self.x.logarithmic);
        let y = Scale::around(all().map(|p| p.1), self.y.logarithmic);
        self.lines(root, x, y, &lines, scale)
    }

    fn kept(&self, points: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let fits = |v: f64, axis: &Axis| v.is_finite() && (!axis.logarithmic || v > 0.0);
        points.iter().copied().filter(|(x, y)| fits(*x, &self.x) && fits(*y, &self.y)).collect()
    }

    fn lines<DB: DrawingBackend>(
        &self,
        root: &DrawingArea<DB, Shift>,
        x: Scale,
        y: Scale,
        lines: &[Vec<(f64, f64)>],
        scale: u32,
    ) -> Drawn<DB::ErrorType> {
        let s = scale as f64;
        let font = |size: f64| ("sans-serif", size * s).into_font();
        let (plot, legend) = root.split_horizontally((SIZE.0 - LEGEND) * scale);
        let mut chart = ChartBuilder::on(&plot)
            .caption(&self.title, font(17.0))
            .margin(10 * scale)
            .x_label_area_size(44 * scale)
            .y_label_area_size(66 * scale)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .x_desc(&self.x.label)
            .y_desc(&self.y.label)
            .axis_desc_style(font(14.0))
            .label_style(font(12.0))
            .x_labels(8)
            .y_labels(8)
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.10).stroke_width(scale))
            .axis_style(GREY.stroke_width(scale))
            .draw()?;
        for (number, (series, points)) in self.series.iter().zip(lines).enumerate() {
            let colour = self.colour(number);
            let width = if series.style == Style::Guide { scale } else { 2 * scale };
            chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(width)))?;
            if series.style == Style::Marked {
                let mark = |p: &(f64, f64)| Circle::new(*p, 4 * scale as i32, colour.filled());
                chart.draw_series(points.iter().map(mark))?;
            }
            let top = (50 + 24 * number as i32) * scale as i32;
            let (left, right) = (6 * scale as i32, 30 * scale as i32);
            legend.draw(&PathElement::new([(left, top), (right, top)], colour.stroke_width(width)))?;
            if series.style == Style::Marked {
                legend.draw(&Circle::new(((left + right) / 2, top), 4 * scale as i32, colour.filled()))?;
            }
            let style = TextStyle::from(font(13.0)).pos(Pos::new(HPos::Left, VPos::Center));
            legend.draw(&Text::new(series.name.clone(), (right + 6 * scale as i32, top), style))?;
        }
        Ok(())
    }

    fn colour(&self, number: usize) -> RGBColor {
        match self.series[number].style {
            Style::Guide => RGBColor(150, 150, 150),
            _ => COLOURS[self.series[number].colour.unwrap_or(number) % COLOURS.len()],
        }
    }
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
