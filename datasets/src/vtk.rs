//! Fields on a grid as VTK image data (`.vti`), which ParaView and VisIt open.
//!
//! Cell data, 64-bit floats, appended as raw little-endian bytes. The origin is 0; a 2-D grid lies in the plane z = 0.
//!
//! # Reference
//! W. Schroeder, K. Martin, B. Lorensen, "The Visualization Toolkit", 4th ed., Kitware 2006, ISBN 978-1-930934-19-1,
//! chapter "VTK file formats".

use crate::{Error, Result, draft};
use resolvent::Grid;
use std::io::Write;
use std::path::Path;

/// Writes fields of one value a cell, each `[grid.cells()]`, on cells of side `h`.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("u.vti");
/// use resolvent::Grid;
/// let grid = Grid::new_2d(2, 2)?;
/// resolvent_datasets::vtk::write(&path, grid, 0.5, &[("u", &[0.0, 1.0, 2.0, 3.0])])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Length`] for a field that does not fit the grid; [`Error::Write`].
pub fn write(path: &Path, grid: Grid, h: f64, fields: &[(&str, &[f64])]) -> Result<()> {
    for (name, values) in fields {
        if values.len() != grid.cells() {
            return Err(Error::Length {
                what: format!("field `{name}`"),
                expected: grid.cells(),
                got: values.len(),
            });
        }
    }
    let [nx, ny, nz] = grid.n();
    let extent = format!("0 {nx} 0 {ny} 0 {}", if grid.dim() == 3 { nz } else { 0 });
    draft::write(path, |w| {
        writeln!(w, r#"<?xml version="1.0"?>"#)?;
        writeln!(
            w,
            r#"<VTKFile type="ImageData" version="1.0" byte_order="LittleEndian" header_type="UInt64">
  <ImageData WholeExtent="{extent}" Origin="0 0 0" Spacing="{h:e} {h:e} {h:e}">
    <Piece Extent="{extent}">
      <PointData/>"#
        )?;
        let active =
            fields.first().map_or(String::new(), |(name, _)| format!(" Scalars=\"{}\"", escaped(name)));
        writeln!(w, "      <CellData{active}>")?;
        for (at, (name, _)) in fields.iter().enumerate() {
            let offset = at * (8 + 8 * grid.cells());
            let name = escaped(name);
            writeln!(
                w,
                r#"        <DataArray type="Float64" Name="{name}" NumberOfComponents="1" format="appended" offset="{offset}"/>"#
            )?;
        }
        write!(w, "      </CellData>\n    </Piece>\n  </ImageData>\n  <AppendedData encoding=\"raw\">\n_")?;
        for (_, values) in fields {
            w.write_all(&(8 * values.len() as u64).to_le_bytes())?;
            values.iter().try_for_each(|v| w.write_all(&v.to_le_bytes()))?;
        }
        writeln!(w, "\n  </AppendedData>\n</VTKFile>")
    })
}

fn escaped(name: &str) -> String {
    name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
