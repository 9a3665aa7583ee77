//! A field as colours, from blue through white to red.

use super::colour::Colours;

/// At most so many cells along each side; of a larger field, every n-th is shown.
const SIDE: usize = 160;
/// Pixels of a cell.
const CELL: usize = 3;

/// A picture of values row by row.
pub struct Heat<'a> {
    /// What is seen.
    pub title: &'a str,
    /// What runs across, and what runs up.
    pub axes: [&'a str; 2],
    /// How many values a row has.
    pub width: usize,
    /// Row by row, the topmost first.
    pub values: &'a [f64],
}

impl Heat<'_> {
    /// Cells across and down, and the colour of each; grey where a value is not finite.
    fn cells(&self) -> (usize, usize, Vec<[u8; 3]>) {
        let width = self.width.max(1);
        let height = self.values.len() / width;
        let (w, h) = (width.min(SIDE), height.min(SIDE));
        let pick = |i: usize, n: usize, all: usize| i * all / n;
        let shown: Vec<f64> =
            (0..w * h).map(|i| self.values[pick(i / w, h, height) * width + pick(i % w, w, width)]).collect();
        let (low, high) = self.range();
        let colour = |v: f64| {
            let part = if high > low { (v - low) / (high - low) } else { 0.5 + 0.0 * v };
            Colours::Diverging.at(part)
        };
        (w, h, shown.into_iter().map(colour).collect())
    }

    fn range(&self) -> (f64, f64) {
        let finite = self.values.iter().filter(|v| v.is_finite());
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)))
    }

    /// As SVG.
    pub fn svg(&self) -> String {
        use std::fmt::Write;
        let (w, h, cells) = self.cells();
        let (width, height) = (w * CELL, h * CELL);
        let (low, high) = self.range();
        let escaped = |t: &str| t.replace('&', "&amp;").replace('<', "&lt;");
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <text x=\"4\" y=\"14\">{}</text>\n<text x=\"4\" y=\"{}\">{} across, {} up; {low:.4} to {high:.4}</text>\n\
             <g shape-rendering=\"crispEdges\">\n",
            width.max(240),
            height + 40,
            escaped(self.title),
            height + 34,
            escaped(self.axes[0]),
            escaped(self.axes[1]),
        );
        for (y, row) in cells.chunks(w.max(1)).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|a, b| a == b) {
                let [r, g, b] = run[0];
                let (at, down, wide) = (x * CELL, y * CELL + 20, run.len() * CELL);
                let _ = writeln!(
                    svg,
                    "<rect x=\"{at}\" y=\"{down}\" width=\"{wide}\" height=\"{CELL}\" fill=\"#{r:02x}{g:02x}{b:02x}\"/>"
                );
                x += run.len();
            }
        }
        svg.push_str("</g>\n</svg>\n");
        svg
    }

    /// As PNG, without words.
    ///
    /// # Errors
    /// What the encoder says, of a picture without a cell.
    pub fn png(&self) -> Result<Vec<u8>, String> {
        let (w, h, cells) = self.cells();
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, (w * CELL) as u32, (h * CELL) as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut pixels = Vec::with_capacity(3 * w * h * CELL * CELL);
        for row in cells.chunks(w.max(1)) {
            let line: Vec<u8> = row.iter().flat_map(|c| [*c; CELL].concat()).collect();
            (0..CELL).for_each(|_| pixels.extend_from_slice(&line));
        }
        let mut writer = encoder.write_header().map_err(|e| e.to_string())?;
        writer.write_image_data(&pixels).map_err(|e| e.to_string())?;
        writer.finish().map_err(|e| e.to_string())?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_range_are_blue_and_red() {
        let heat = Heat { title: "u", axes: ["x", "y"], width: 2, values: &[-1.0, 0.0, f64::NAN, 1.0] };
        let (w, h, cells) = heat.cells();
        assert_eq!((w, h), (2, 2));
        assert_eq!(cells, [[33, 102, 172], [255; 3], [128; 3], [178, 24, 43]]);
        assert!(heat.svg().contains("#2166ac"));
        assert!(heat.png().unwrap().starts_with(b"\x89PNG"));
    }
}
