//! Files in the layout of the published systems: read back, and refused when damaged.

use resolvent::{Grid, Map, Matrix};
use resolvent_datasets::{Error, Family, LinearSystem, Parameters, RhsKind, dcdm};
use std::path::Path;

/// Writes a system over all cells of its cube as the authors do: empty rows where there is no unknown.
fn write(folder: &Path, system: &LinearSystem, width: usize) {
    let (grid, cells) = system.grid.as_ref().unwrap();
    let (rows, a) = (grid.cells(), &system.matrix);
    let header = [rows, rows, a.nonzeros(), rows, rows].map(|v| v as i32);
    let mut bytes: Vec<u8> = header.iter().flat_map(|v| v.to_le_bytes()).collect();
    for v in a.values() {
        if width == 8 { bytes.extend(v.to_le_bytes()) } else { bytes.extend((*v as f32).to_le_bytes()) }
    }
    let mut next = 0;
    for cell in 0..rows as u32 {
        bytes.extend((a.offsets().at(next) as i32).to_le_bytes());
        next += usize::from(cells.get(next) == Some(&cell));
    }
    for c in a.columns() {
        bytes.extend((cells[*c as usize] as i32).to_le_bytes());
    }
    std::fs::write(folder.join("matrixA_1.bin"), bytes).unwrap();
    let mut b = vec![0.0; rows];
    system.rhs.as_ref().unwrap().iter().zip(cells).for_each(|(v, c)| b[*c as usize] = *v);
    let mut bytes = (rows as u64).to_le_bytes().to_vec();
    bytes.extend(b.iter().flat_map(|v| v.to_le_bytes()));
    std::fs::write(folder.join("div_v_star_1.bin"), bytes).unwrap();
}

#[test]
fn published_systems_are_read_on_their_cube() {
    let folder = tempfile::tempdir().unwrap();
    let (matrix, rhs) = (folder.path().join("matrixA_1.bin"), folder.path().join("div_v_star_1.bin"));
    let problem = Family::named("smoke").unwrap().problem(Parameters::new(12).seed(2)).unwrap();
    let system = problem.system(RhsKind::Flow).unwrap();
    assert!(system.matrix.rows() < 12 * 12 * 12, "there are solids");
    for width in [8, 4] {
        write(folder.path(), &system, width);
        let read = LinearSystem::read_with_rhs(&matrix, Some(&rhs)).unwrap();
        assert_eq!(
            (read.matrix.offsets(), read.matrix.columns()),
            (system.matrix.offsets(), system.matrix.columns())
        );
        assert_eq!(read.matrix.values(), system.matrix.values());
        assert_eq!((&read.rhs, &read.grid), (&system.rhs, &system.grid));
        let placed = read.place().unwrap();
        assert!(matches!(placed.matrix, Matrix::Structured(_)), "{:?}", placed.remark);
        assert_eq!(placed.matrix.shape().rows, Grid::new_3d(12, 12, 12).unwrap().cells());
    }
}

#[test]
fn damage_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let problem = Family::named("box").unwrap().problem(Parameters::new(3).dim(3)).unwrap();
    let system = problem.system(RhsKind::Noise).unwrap();
    write(folder.path(), &system, 8);
    let (matrix, rhs) = (folder.path().join("matrixA_1.bin"), folder.path().join("div_v_star_1.bin"));
    let whole = std::fs::read(&matrix).unwrap();
    let refused = |bytes: &[u8], place: &str| {
        std::fs::write(&matrix, bytes).unwrap();
        match dcdm::read(&matrix) {
            Err(e @ Error::Malformed { .. }) => assert!(e.to_string().contains(place), "{place}: {e}"),
            other => panic!("{place}: {other:?}"),
        }
    };
    for end in [0, 19, 20, whole.len() / 2, whole.len() - 1] {
        refused(&whole[..end], "header");
    }
    let change = |at: usize, value: i32| {
        let mut bytes = whole.clone();
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        bytes
    };
    refused(&change(0, -1), "header");
    refused(&change(4, 26), "header");
    refused(&change(8, i32::MAX), "header");
    let starts = 20 + 8 * system.matrix.nonzeros();
    refused(&change(starts + 4, -7), "row starts");
    refused(&change(starts + 4, i32::MAX), "row starts");
    refused(&change(starts + 4 * 27, 27), "columns");
    refused(&change(starts + 4 * 27, -1), "columns");
    let b = std::fs::read(&rhs).unwrap();
    for bytes in [&b[..3], &b[..b.len() - 8], &b[8..]] {
        std::fs::write(&rhs, bytes).unwrap();
        assert!(matches!(dcdm::read_vector(&rhs), Err(Error::Malformed { .. })));
    }
}
