//! Several charts and maps side by side as one picture.

use super::canvas::{self, Bitmap, Drawn, Picture};
use super::chart::{Figure, series_colour, shortened};
use super::map::Map;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// One picture of a [`Sheet`].
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Lines.
    Chart(Figure),
    /// Colours.
    Map(Map),
}

/// Pictures in rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// Names of the lines of all charts, in the order of their colours; none for no legend.
    pub legend: Vec<String>,
    /// Pictures in a row.
    pub columns: usize,
    /// Row by row.
    pub cells: Vec<Cell>,
}

/// Pixels of a row of the legend.
const LINE: u32 = 24;
/// Pixels that a name of the legend takes at least.
const NAME: u32 = 140;

impl Sheet {
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

    fn cell(&self) -> (u32, u32) {
        let sizes = self.cells.iter().map(|c| match c {
            Cell::Chart(f) => f.size(),
            Cell::Map(m) => m.size(),
        });
        sizes.fold((1, 1), |(w, h), (a, b)| (w.max(a), h.max(b)))
    }

    fn width(&self) -> u32 {
        self.cell().0 * self.columns.clamp(1, self.cells.len().max(1)) as u32
    }

    /// Names in a row of the legend.
    fn names(&self) -> usize {
        (self.width() / NAME).max(1) as usize
    }
}

impl Picture for Sheet {
    fn size(&self) -> (u32, u32) {
        let rows = self.cells.len().div_ceil(self.columns.max(1)).max(1) as u32;
        let legend = self.legend.len().div_ceil(self.names()) as u32;
        (self.width(), rows * self.cell().1 + legend * LINE)
    }

    fn draw<DB: DrawingBackend>(&self, root: &DrawingArea<DB, Shift>, scale: u32) -> Drawn<Vec<Bitmap>, DB> {
        let s = scale as i32;
        let style =
            TextStyle::from(("sans-serif", 13 * scale).into_font()).pos(Pos::new(HPos::Left, VPos::Center));
        let names = self.names();
        for (i, name) in self.legend.iter().enumerate() {
            let x = (12 + NAME as i32 * (i % names) as i32) * s;
            let y = (LINE as i32 / 2 + LINE as i32 * (i / names) as i32) * s;
            let line = PathElement::new([(x, y), (x + 20 * s, y)], series_colour(i).stroke_width(2 * scale));
            root.draw(&line)?;
            root.draw(&Text::new(shortened(name, 14), (x + 26 * s, y), style.clone()))?;
        }
        let top = self.legend.len().div_ceil(names) as i32 * LINE as i32;
        let (width, height) = self.cell();
        let mut bitmaps = vec![];
        for (i, cell) in self.cells.iter().enumerate() {
            let (row, column) = (i / self.columns.max(1), i % self.columns.max(1));
            let left = (column as u32 * width * scale) as i32;
            let upper = top * s + (row as u32 * height * scale) as i32;
            let (w, h) = match cell {
                Cell::Chart(f) => f.size(),
                Cell::Map(m) => m.size(),
            };
            let place = (left..left + (w * scale) as i32, upper..upper + (h * scale) as i32);
            let area = root.clone().shrink((place.0.start, place.1.start), (w * scale, h * scale));
            bitmaps.extend(match cell {
                Cell::Chart(f) => f.draw(&area, scale)?,
                Cell::Map(m) => m.draw(&area, scale)?,
            });
        }
        Ok(bitmaps)
    }
}
