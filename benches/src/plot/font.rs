//! The typeface of the charts, embedded so that they look the same everywhere, and the encoding of bitmaps.

use plotters::style::{FontStyle, register_font};
use std::sync::Once;

/// Makes the typeface known, once.
pub(super) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // A face that cannot be read leaves the charts without text, which their tests see.
        let _ = register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular());
    });
}

/// 8-bit red, green, blue as the bytes of a PNG file.
pub(super) fn png(pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut encode = || -> Result<(), png::EncodingError> {
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header()?.write_image_data(pixels)
    };
    encode().map_err(|e| e.to_string())?;
    Ok(bytes)
}
