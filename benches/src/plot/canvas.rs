//! What every picture is drawn on: SVG whose lines may lie between pixels, or PNG of twice the size.

use super::font;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use plotters::coord::Shift;
use plotters::prelude::*;

/// Parts of a pixel that SVG is drawn to.
const FINE: u32 = 4;
/// How much larger PNG is.
const LARGE: u32 = 2;

/// What drawing on `DB` gives.
pub(super) type Drawn<T, DB> = Result<T, DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// Colours in a rectangle of the canvas, which the library cannot draw in few words.
pub(super) struct Bitmap {
    /// Left, top, width and height on the canvas.
    pub place: [i32; 4],
    /// Colours across.
    pub columns: usize,
    /// Row by row from above.
    pub colours: Vec<[u8; 3]>,
}

/// Something to be drawn.
pub(super) trait Picture {
    /// Width and height.
    fn size(&self) -> (u32, u32);
    /// Draws all but the bitmaps, at `scale` times the size.
    fn draw<DB: DrawingBackend>(&self, root: &DrawingArea<DB, Shift>, scale: u32) -> Drawn<Vec<Bitmap>, DB>;
}

/// As the text of an SVG file.
pub(super) fn svg(picture: &impl Picture) -> Result<String, String> {
    font::register();
    let (width, height) = picture.size();
    let (fine_width, fine_height) = (FINE * width, FINE * height);
    let mut text = String::new();
    let bitmaps = {
        let root = SVGBackend::with_string(&mut text, (fine_width, fine_height)).into_drawing_area();
        let draw = || {
            root.fill(&WHITE)?;
            let bitmaps = picture.draw(&root, FINE)?;
            root.present().map(|()| bitmaps)
        };
        draw().map_err(|e| e.to_string())?
    };
    // Names may hold what XML forbids.
    text.retain(|c| c == '\n' || (c >= ' ' && !matches!(c, '\u{FFFE}' | '\u{FFFF}')));
    let fine = format!("width=\"{fine_width}\" height=\"{fine_height}\"");
    let mut text = text.replacen(&fine, &format!("width=\"{width}\" height=\"{height}\""), 1);
    if let Some(end) = text.rfind("</svg>") {
        let images = bitmaps.iter().map(Bitmap::element).collect::<Result<String, String>>()?;
        text.insert_str(end, &images);
    }
    Ok(text)
}

/// As the bytes of a PNG file.
pub(super) fn png(picture: &impl Picture) -> Result<Vec<u8>, String> {
    font::register();
    let (width, height) = picture.size();
    let (width, height) = (LARGE * width, LARGE * height);
    let mut pixels = vec![0u8; (3 * width * height) as usize];
    let bitmaps = {
        let root = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
        let draw = || {
            root.fill(&WHITE)?;
            let bitmaps = picture.draw(&root, LARGE)?;
            root.present().map(|()| bitmaps)
        };
        draw().map_err(|e| e.to_string())?
    };
    bitmaps.iter().for_each(|b| b.paint(&mut pixels, [width, height]));
    font::png(&pixels, width, height)
}

impl Bitmap {
    fn rows(&self) -> usize {
        self.colours.len() / self.columns.max(1)
    }

    /// As an element of SVG, which holds its own bytes.
    fn element(&self) -> Result<String, String> {
        let [left, top, width, height] = self.place;
        if self.colours.is_empty() || width <= 0 || height <= 0 {
            return Ok(String::new());
        }
        let bytes = font::png(self.colours.as_flattened(), self.columns as u32, self.rows() as u32)?;
        Ok(format!(
            "<image x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\" href=\"data:image/png;base64,{}\"/>\n",
            BASE64_STANDARD.encode(bytes)
        ))
    }

    fn paint(&self, pixels: &mut [u8], [across, down]: [u32; 2]) {
        let [left, top, width, height] = self.place;
        let rows = self.rows();
        if rows == 0 {
            return;
        }
        for y in 0..height {
            for x in 0..width {
                let (px, py) = (left + x, top + y);
                if px < 0 || py < 0 || px >= across as i32 || py >= down as i32 {
                    continue;
                }
                let column = x as usize * self.columns / width as usize;
                let row = y as usize * rows / height as usize;
                let at = 3 * (py as usize * across as usize + px as usize);
                pixels[at..at + 3].copy_from_slice(&self.colours[row * self.columns + column]);
            }
        }
    }
}
