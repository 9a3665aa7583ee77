//! VTK image data: the bytes are parsed back as a reader of the format would.

use resolvent::Grid;
use resolvent_datasets::{Error, ErrorKind, vtk, write_solution};
use std::path::Path;

/// What a file says.
#[derive(Debug, PartialEq)]
struct Image {
    extent: Vec<usize>,
    spacing: Vec<f64>,
    active: Option<String>,
    fields: Vec<(String, Vec<f64>)>,
}

/// The value of an attribute in the first element of this name after `from`.
fn attribute(text: &str, element: &str, name: &str) -> Option<String> {
    let start = text.find(&format!("<{element}"))?;
    let tag = &text[start..start + text[start..].find('>')?];
    let value = &tag[tag.find(&format!(" {name}=\""))? + name.len() + 3..];
    let value = &value[..value.find('"')?];
    Some(value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}

fn parse(path: &Path) -> Image {
    let bytes = std::fs::read(path).unwrap();
    let mark = b"<AppendedData encoding=\"raw\">\n_";
    let at = bytes.windows(mark.len()).position(|w| w == mark).unwrap();
    let (header, data) = (std::str::from_utf8(&bytes[..at]).unwrap(), &bytes[at + mark.len()..]);
    assert!(header.starts_with("<?xml version=\"1.0\"?>\n<VTKFile "), "{header}");
    let of = |element: &str, name: &str| attribute(header, element, name).unwrap();
    assert_eq!((of("VTKFile", "type"), of("VTKFile", "version")), ("ImageData".into(), "1.0".into()));
    assert_eq!(of("VTKFile", "byte_order"), "LittleEndian");
    assert_eq!(of("VTKFile", "header_type"), "UInt64");
    assert_eq!(of("ImageData", "Origin"), "0 0 0");
    assert_eq!(of("ImageData", "WholeExtent"), of("Piece", "Extent"));
    let extent: Vec<usize> = of("Piece", "Extent").split(' ').map(|n| n.parse().unwrap()).collect();
    let spacing = of("ImageData", "Spacing").split(' ').map(|n| n.parse().unwrap()).collect();
    let word = |at: usize| u64::from_le_bytes(data[at..at + 8].try_into().unwrap());
    let (mut fields, mut end) = (Vec::new(), 0);
    for part in header.match_indices("<DataArray").map(|(at, _)| &header[at..]) {
        let of = |name: &str| attribute(part, "DataArray", name).unwrap();
        assert_eq!((of("type"), of("format")), ("Float64".into(), "appended".into()));
        assert_eq!(of("NumberOfComponents"), "1");
        let offset: usize = of("offset").parse().unwrap();
        assert_eq!(offset, end, "arrays follow each other");
        let count = word(offset) as usize / 8;
        let values = (0..count).map(|i| f64::from_bits(word(offset + 8 + 8 * i))).collect();
        fields.push((of("Name"), values));
        end = offset + 8 + 8 * count;
    }
    assert_eq!(&data[end..], b"\n  </AppendedData>\n</VTKFile>\n");
    // Every element that opens closes.
    for element in ["VTKFile", "ImageData", "Piece", "CellData"] {
        let all = String::from_utf8_lossy(&bytes);
        let closes = all.matches(&format!("</{element}>")).count();
        assert_eq!(
            (
                header.matches(&format!("<{element} ")).count()
                    + header.matches(&format!("<{element}>")).count(),
                closes
            ),
            (1, 1),
            "{element}"
        );
    }
    Image { extent, spacing, active: attribute(header, "CellData", "Scalars"), fields }
}

#[test]
fn fields_are_read_back_in_two_and_three_dimensions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.vti");
    for (grid, extent) in [
        (Grid::new_2d(3, 2).unwrap(), [0, 3, 0, 2, 0, 0]),
        (Grid::new_3d(3, 2, 4).unwrap(), [0, 3, 0, 2, 0, 4]),
    ] {
        let u: Vec<f64> = (0..grid.cells()).map(|i| 1.0 / (i + 1) as f64).collect();
        // Bytes that look like the end of the data, and no number.
        let end = f64::from_le_bytes(*b"</Append");
        let v: Vec<f64> = (0..grid.cells()).map(|i| [end, f64::NAN, -0.0, 5e-324][i % 4]).collect();
        vtk::write(&path, grid, 0.1, &[("u", &u), ("v", &v)]).unwrap();
        let image = parse(&path);
        assert_eq!(image.extent, extent);
        assert_eq!(image.spacing, [0.1; 3]);
        assert_eq!(image.active.as_deref(), Some("u"));
        let bits = |v: &[f64]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!((image.fields[0].0.as_str(), bits(&image.fields[0].1)), ("u", bits(&u)));
        assert_eq!((image.fields[1].0.as_str(), bits(&image.fields[1].1)), ("v", bits(&v)));
    }
}

#[test]
fn names_are_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.vti");
    let name = "a < b & \"c\" > d&lt; größe";
    vtk::write(&path, Grid::new_2d(1, 1).unwrap(), 1.0, &[(name, &[3.0])]).unwrap();
    let image = parse(&path);
    assert_eq!(image.fields, [(name.to_owned(), vec![3.0])]);
    assert_eq!(image.active.as_deref(), Some(name));
}

#[test]
fn a_grid_without_fields_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.vti");
    vtk::write(&path, Grid::new_2d(2, 2).unwrap(), 0.5, &[]).unwrap();
    let image = parse(&path);
    assert_eq!((image.fields, image.active), (vec![], None));
}

#[test]
fn a_solution_fills_its_cells() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.vti");
    let grid = Grid::new_2d(4, 2).unwrap();
    write_solution(&path, &[1.0, 2.0, 3.0], Some((grid, &[7, 0, 4]))).unwrap();
    let image = parse(&path);
    assert_eq!(image.fields, [("x".to_owned(), vec![2.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 1.0])]);
    assert_eq!(image.spacing, [0.25; 3]);
}

#[test]
fn fields_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.vti");
    let grid = Grid::new_2d(2, 2).unwrap();
    let e = vtk::write(&path, grid, 0.5, &[("u", &[0.0; 4]), ("v", &[0.0; 5])]).unwrap_err();
    assert_eq!(e.to_string(), "field `v` has 5 entries, but 4 are needed to write it");
    assert!(matches!(e, Error::Length { expected: 4, got: 5, .. }) && e.kind() == ErrorKind::Input);
    assert!(!path.exists());
    let e = write_solution(&path, &[1.0, 2.0], Some((grid, &[0]))).unwrap_err();
    assert_eq!(e.to_string(), "x has 2 entries, but 1 are needed to write it");
    let e = write_solution(&path, &[1.0], Some((grid, &[4]))).unwrap_err();
    assert_eq!(e.to_string(), "the grid has 4 entries, but 5 are needed to write it");
    let nowhere = folder.path().join("no/f.vti");
    let e = vtk::write(&nowhere, grid, 0.5, &[]).unwrap_err();
    assert!(matches!(&e, Error::Write { path, .. } if *path == nowhere), "{e}");
}
