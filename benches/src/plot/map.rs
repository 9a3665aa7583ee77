//! Values over a plane as colours, with axes and a bar that says what the colours mean.

use super::canvas::{self, Bitmap, Drawn, Picture};
use super::chart::{GREY, shortened};
use super::colour::Colours;
use super::scale::Scale;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Colours across, and up.
const SIDE: usize = 200;
/// Steps of a range of colours.
const LEVELS: f64 = 255.0;
/// Pixels around the plane: left, right (for the bar), above, below.
const AROUND: [u32; 4] = [54, 74, 30, 44];

/// A field over two coordinates.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// Above it.
    pub title: String,
    /// What runs across, and what runs up.
    pub axes: [String; 2],
    /// The coordinates along each, ascending, not always evenly.
    pub coordinates: [Vec<f64>; 2],
    /// Row by row from below; grey where they are no numbers.
    pub values: Vec<f64>,
    /// What the first and the last colour stand for.
    pub range: [f64; 2],
    /// The colours between.
    pub colours: Colours,
    /// Height and width of the plane have the ratio of its coordinates.
    pub to_scale: bool,
}

impl Map {
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

    /// The colours of the plane row by row from above, `SIDE` each way.
    fn plane(&self) -> Vec<[u8; 3]> {
        let [x, y] = &self.coordinates;
        if x.is_empty() || y.is_empty() || self.values.len() < x.len() * y.len() {
            return vec![];
        }
        let across: Vec<_> = (0..SIDE).map(|i| between(x, (i as f64 + 0.5) / SIDE as f64)).collect();
        let up: Vec<_> = (0..SIDE).map(|i| between(y, (i as f64 + 0.5) / SIDE as f64)).collect();
        let [low, high] = self.range;
        let mut colours = Vec::with_capacity(SIDE * SIDE);
        for (j, v) in up.iter().rev() {
            for (i, u) in &across {
                let value =
                    |i: usize, j: usize| self.values[j.min(y.len() - 1) * x.len() + i.min(x.len() - 1)];
                let mix = |a: f64, b: f64, s: f64| a + (b - a) * s;
                let below = mix(value(*i, *j), value(i + 1, *j), *u);
                let above = mix(value(*i, j + 1), value(i + 1, j + 1), *u);
                let mut mixed = mix(below, above, *v);
                if !mixed.is_finite() {
                    // At the edge of what is known the nearest value stands for itself.
                    mixed = value(i + usize::from(*u > 0.5), j + usize::from(*v > 0.5));
                }
                let part = if high > low { (mixed - low) / (high - low) } else { mixed * 0.0 };
                colours.push(self.colours.at((part * LEVELS).round() / LEVELS));
            }
        }
        colours
    }
}

/// The place of a part of the whole way along ascending coordinates: the one below, and the way to the next.
fn between(along: &[f64], part: f64) -> (usize, f64) {
    let (first, last) = (along[0], along[along.len() - 1]);
    let at = first + (last - first) * part;
    let i = along.partition_point(|v| *v <= at).clamp(1, along.len().max(2) - 1) - 1;
    let Some(next) = along.get(i + 1) else { return (i, 0.0) };
    let share = (at - along[i]) / (next - along[i]);
    (i, if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 })
}

impl Picture for Map {
    fn size(&self) -> (u32, u32) {
        let [left, right, above, below] = AROUND;
        let length = |v: &[f64]| v.last().zip(v.first()).map_or(1.0, |(l, f)| (l - f).abs());
        let ratio = length(&self.coordinates[1]) / length(&self.coordinates[0]);
        let tall = if self.to_scale && ratio.is_finite() { ratio.clamp(0.25, 1.6) } else { 0.9 };
        (left + 180 + right, above + (180.0 * tall) as u32 + below)
    }

    fn draw<DB: DrawingBackend>(&self, root: &DrawingArea<DB, Shift>, scale: u32) -> Drawn<Vec<Bitmap>, DB> {
        let [left, right, above, below] = AROUND.map(|a| a * scale);
        let font = |size: u32| ("sans-serif", size * scale).into_font();
        let ends = |axis: usize| {
            let along = &self.coordinates[axis];
            Scale::exactly(along.first().copied().unwrap_or(0.0), along.last().copied().unwrap_or(1.0))
        };
        let centred = TextStyle::from(font(14)).pos(Pos::new(HPos::Center, VPos::Center));
        let mut chart = ChartBuilder::on(root)
            .margin_top(above)
            .margin_right(right)
            .margin_left(6 * scale)
            .x_label_area_size(below)
            .y_label_area_size(left - 6 * scale)
            .build_cartesian_2d(ends(0), ends(1))?;
        chart
            .configure_mesh()
            .x_desc(shortened(&self.axes[0], 24))
            .y_desc(shortened(&self.axes[1], 16))
            .axis_desc_style(font(13))
            .label_style(font(11))
            .x_labels(5)
            .y_labels(5)
            .disable_mesh()
            .axis_style(GREY.stroke_width(scale))
            .draw()?;
        let (columns, rows) = chart.plotting_area().get_pixel_range();
        let (width, height) = (columns.end - columns.start, rows.end - rows.start);
        let s = scale as i32;
        let origin = root.get_base_pixel();
        let at = |x: i32, y: i32| (x - origin.0, y - origin.1);
        root.draw(&Text::new(
            shortened(&self.title, 26),
            at((columns.start + columns.end) / 2, rows.start - 14 * s),
            centred,
        ))?;
        let plane = Bitmap {
            place: [columns.start + 1, rows.start, width - 1, height],
            columns: SIDE,
            colours: self.plane(),
        };
        let bar_left = columns.end + 10 * s;
        let count = LEVELS as usize + 1;
        let bar = Bitmap {
            place: [bar_left, rows.start, 10 * s, height],
            columns: 1,
            colours: (0..count).rev().map(|i| self.colours.at(i as f64 / LEVELS)).collect(),
        };
        let bounds = Scale::exactly(self.range[0], self.range[1]);
        let style = TextStyle::from(font(11)).pos(Pos::new(HPos::Left, VPos::Center));
        for (tick, label) in bounds.labelled(6) {
            let y = bounds.pixel(tick, (rows.end, rows.start));
            let (from, to) = (at(bar_left + 10 * s, y), at(bar_left + 13 * s, y));
            root.draw(&PathElement::new([from, to], GREY.stroke_width(scale)))?;
            root.draw(&Text::new(label, at(bar_left + 15 * s, y), style.clone()))?;
        }
        Ok(vec![plane, bar])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: Vec<f64>, coordinates: [Vec<f64>; 2]) -> Map {
        Map {
            title: "u".into(),
            axes: ["x".into(), "y".into()],
            coordinates,
            values,
            range: [0.0, 1.0],
            colours: Colours::Rising,
            to_scale: true,
        }
    }

    #[test]
    fn rows_go_up_and_coordinates_need_not_be_even() {
        // The upper row is 1, the lower 0; x is dense at the left, where one value is none.
        let map = map(vec![0.0, 0.0, 0.0, f64::NAN, 1.0, 1.0], [vec![0.0, 0.1, 1.0], vec![0.0, 1.0]]);
        let plane = map.plane();
        assert_eq!(plane.len(), SIDE * SIDE);
        let rising = |p| Colours::Rising.at(p);
        assert_eq!(plane[SIDE - 1], rising(254.0 / 255.0));
        assert_eq!(plane[SIDE * SIDE - 1], rising(1.0 / 255.0));
        assert_eq!(plane[0], [128; 3]);
        let unknown = plane[..SIDE].iter().filter(|c| **c == [128; 3]).count();
        assert_eq!(unknown, SIDE / 20, "half of the first tenth");
    }

    #[test]
    fn no_value_and_one_value_are_drawn() {
        for (values, coordinates) in [
            (vec![], [vec![], vec![]]),
            (vec![1.0], [vec![0.5], vec![0.5]]),
            (vec![f64::INFINITY; 4], [vec![0.0, 0.0], vec![1.0, 1.0]]),
        ] {
            let map = Map { range: [2.0, 2.0], ..map(values, coordinates) };
            assert!(map.svg().unwrap().contains("<svg"));
            assert!(map.png().unwrap().starts_with(b"\x89PNG"));
        }
    }
}
