//! Exchange files: the round trip, and files cut or damaged at any byte.

use proptest::prelude::*;
use resolvent::{Csr, Grid, Map, Properties};
use resolvent_datasets::exchange::{Exchange, read, write};
use resolvent_datasets::{Error, ErrorKind, Family, LinearSystem, Parameters, RhsKind};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.psys");
    (folder, path)
}

fn bits(v: &[f64]) -> Vec<u64> {
    v.iter().map(|v| v.to_bits()).collect()
}

/// Tridiagonal, of `n` rows, whose last off-diagonal entries are left out for an odd number of entries.
fn system(n: u32, odd: bool) -> Exchange {
    let mut entries: Vec<(u32, u32, f64)> = (0..n).map(|i| (i, i, 2.0 + f64::from(i) / 3.0)).collect();
    (1..n).for_each(|i| entries.extend([(i, i - 1, -1.0), (i - 1, i, -1.0)]));
    if odd == entries.len().is_multiple_of(2) {
        entries.pop();
    }
    let n = n as usize;
    Exchange {
        matrix: Csr::from_triplets(n, n, &entries).unwrap(),
        noise: (0..n).map(|i| 1.0 / (i + 3) as f64).collect(),
        smooth: (0..n).map(|i| -(i as f64)).collect(),
        grid: None,
    }
}

#[test]
fn systems_read_back_to_the_bit() {
    let (_folder, path) = place();
    // Padding follows an odd number of offsets or columns.
    for (n, odd) in [(1, true), (2, true), (2, false), (5, true), (5, false), (6, false)] {
        let cells: Vec<u32> = (0..n).rev().collect();
        for grid in [None, Some(Grid::new_2d(3, 2).unwrap()), Some(Grid::new_3d(2, 3, 2).unwrap())] {
            let system = Exchange { grid: grid.map(|g| (g, cells.clone())), ..system(n, odd) };
            write(&path, &system).unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().len() % 4, 0);
            let back = read(&path).unwrap();
            assert_eq!(back.matrix, system.matrix);
            assert_eq!(bits(back.matrix.values()), bits(system.matrix.values()));
            assert_eq!(bits(&back.noise), bits(&system.noise));
            assert_eq!(bits(&back.smooth), bits(&system.smooth));
            assert_eq!(back.grid, system.grid);
        }
    }
}

#[test]
fn the_bytes_are_as_documented() {
    let (_folder, path) = place();
    let matrix = Csr::from_triplets(2, 2, &[(0, 0, 4.0), (1, 0, 5.0), (1, 1, 6.0)]).unwrap();
    let grid = Some((Grid::new_2d(3, 2).unwrap(), vec![1, 5]));
    write(&path, &Exchange { matrix, noise: vec![0.5, 1.5], smooth: vec![2.5, 3.5], grid }).unwrap();
    let mut expected = b"PSYSv1\0\0".to_vec();
    [2i64, 3, 2, 3, 2, 1, 1, 0].iter().for_each(|v| expected.extend(v.to_le_bytes()));
    [0i32, 1, 3, 0, 0, 0, 1, 0].iter().for_each(|v| expected.extend(v.to_le_bytes()));
    [4.0f64, 5.0, 6.0, 0.5, 1.5, 2.5, 3.5].iter().for_each(|v| expected.extend(v.to_le_bytes()));
    [1i32, 5].iter().for_each(|v| expected.extend(v.to_le_bytes()));
    assert_eq!(std::fs::read(&path).unwrap(), expected);
}

#[test]
fn a_family_can_be_exchanged() {
    let (_folder, path) = place();
    let p = Family::named("spheres").unwrap().problem(Parameters::new(8)).unwrap();
    let (noise, smooth) = (p.system(RhsKind::Noise).unwrap(), p.system(RhsKind::Smooth).unwrap());
    let system = Exchange {
        matrix: noise.matrix.clone(),
        noise: noise.rhs.clone().unwrap(),
        smooth: smooth.rhs.unwrap(),
        grid: noise.grid.clone(),
    };
    write(&path, &system).unwrap();
    let back = LinearSystem::read(&path).unwrap();
    assert_eq!(back.matrix, noise.matrix);
    assert_eq!(back.matrix.properties(), Properties::SYMMETRIC);
    assert_eq!((back.rhs, back.grid), (noise.rhs, noise.grid));
}

/// Where the parts of the file below start: n = 3, 7 entries, a grid.
const OFFSETS: usize = 72;
const COLUMNS: usize = OFFSETS + 16;
const VALUES: usize = COLUMNS + 32;
const NOISE: usize = VALUES + 56;
const SMOOTH: usize = NOISE + 24;
const CELLS: usize = SMOOTH + 24;

fn valid(path: &Path) -> Vec<u8> {
    let grid = Some((Grid::new_2d(2, 2).unwrap(), vec![0, 1, 3]));
    write(path, &Exchange { grid, ..system(3, true) }).unwrap();
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(bytes.len(), CELLS + 12);
    bytes
}

/// Overwrites bytes and compares the message after the file's name.
fn refused(at: usize, bytes: &[u8], expected: &str) {
    let (_folder, path) = place();
    let mut content = valid(&path);
    content[at..at + bytes.len()].copy_from_slice(bytes);
    std::fs::write(&path, content).unwrap();
    let e = read(&path).err().unwrap_or_else(|| panic!("read, not refused: {expected}"));
    assert!(matches!(e, Error::Malformed { .. }) && e.kind() == ErrorKind::Input, "{e}");
    let mend = "make the file again: it may be cut off or of another format";
    assert_eq!(e.to_string(), format!("{}, {expected}; {mend}", path.display()));
}

#[test]
fn every_part_is_checked() {
    refused(0, b"PSYSv2", "byte 0: this is not a PSYSv1 file");
    let header = |word: usize, value: i64, expected: &str| {
        refused(8 * (word + 1), &value.to_le_bytes(), &format!("header: {expected}"));
    };
    header(0, -1, "the number of unknowns is -1, more than the file can hold");
    header(0, 1 << 40, "the number of unknowns is 1099511627776, more than the file can hold");
    header(0, 0, "there are no unknowns");
    header(1, i64::MAX, "the number of entries is 9223372036854775807, more than the file can hold");
    header(2, 4, "the grid has 4 dimensions instead of 2 or 3");
    header(3, -2, "nx is -2, more than the file can hold");
    header(4, 1 << 33, "ny is 8589934592, more than the file can hold");
    header(3, 0, "grid [0, 2, 1]: every side needs at least one cell");
    refused(8 * 2, &100i64.to_le_bytes(), "columns: the file ends at byte 236 before this array does at 488");
    refused(OFFSETS + 4, &(-1i32).to_le_bytes(), "offsets: entry 1 is outside the 7 entries");
    refused(OFFSETS + 4, &8i32.to_le_bytes(), "offsets: entry 1 is outside the 7 entries");
    let matrix = |at: usize, bytes: &[u8], expected: &str| refused(at, bytes, &format!("matrix: {expected}"));
    matrix(OFFSETS, &1i32.to_le_bytes(), "CSR matrix, row 0: the first offset must be 0");
    let falls = "its offset is larger than the next one; offsets must not fall";
    matrix(OFFSETS + 4, &6i32.to_le_bytes(), &format!("CSR matrix, row 1: {falls}"));
    let order = "its columns must strictly ascend and be less than the number of columns";
    matrix(COLUMNS, &3i32.to_le_bytes(), &format!("CSR matrix, row 0: {order}"));
    matrix(COLUMNS + 24, &(-1i32).to_le_bytes(), &format!("CSR matrix, row 2: {order}"));
    let finite = "every entry must be finite";
    matrix(VALUES + 8, &f64::NAN.to_le_bytes(), &format!("matrix values: entry 1 is NaN; {finite}"));
    refused(NOISE + 16, &f64::NEG_INFINITY.to_le_bytes(), "noise: entry 2 is -inf");
    refused(SMOOTH, &f64::NAN.to_le_bytes(), "smooth: entry 0 is NaN");
    refused(CELLS + 4, &4i32.to_le_bytes(), "cells: entry 1 is 4, outside the grid");
    refused(CELLS, &(-1i32).to_le_bytes(), "cells: entry 0 is -1, outside the grid");
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let (_folder, path) = place();
    let content = valid(&path);
    for end in 0..content.len() {
        std::fs::write(&path, &content[..end]).unwrap();
        let e = read(&path).err().unwrap_or_else(|| panic!("the first {end} bytes were read"));
        assert!(matches!(e, Error::Malformed { .. }), "{e}");
        assert_eq!(e.to_string().contains("this is not a PSYSv1 file"), end < 72, "{end}: {e}");
    }
}

proptest! {
    #[test]
    fn damaged_bytes_are_read_or_refused(damage in proptest::collection::vec((0usize..CELLS + 12, any::<u8>()), 1..6)) {
        let (_folder, path) = place();
        let mut content = valid(&path);
        damage.into_iter().for_each(|(at, byte)| content[at] = byte);
        std::fs::write(&path, content).unwrap();
        if let Err(e) = read(&path) {
            prop_assert!(matches!(e, Error::Malformed { .. }), "{}", e);
        }
    }
}

#[test]
fn what_does_not_fit_is_not_written() {
    let (folder, path) = place();
    let refused = |system: Exchange, expected: &str| {
        let e = write(&path, &system).unwrap_err();
        assert_eq!(e.to_string(), expected);
        assert!(matches!(e, Error::Length { .. }));
        assert!(!path.exists());
    };
    let fit = || system(3, true);
    refused(Exchange { noise: vec![], ..fit() }, "noise has 0 entries, but 3 are needed to write it");
    refused(Exchange { smooth: vec![0.0; 4], ..fit() }, "smooth has 4 entries, but 3 are needed to write it");
    let grid = Some((Grid::new_2d(2, 2).unwrap(), vec![0]));
    refused(Exchange { grid, ..fit() }, "cells has 1 entries, but 3 are needed to write it");
    let matrix = Csr::from_triplets(3, 2, &[]).unwrap();
    refused(
        Exchange { matrix, ..fit() },
        "the columns of the matrix has 2 entries, but 3 are needed to write it",
    );
    let e = write(&folder.path().join("no/s.psys"), &fit()).unwrap_err();
    assert!(matches!(e, Error::Write { .. }), "{e}");
    let e = read(&path).unwrap_err();
    assert!(matches!(&e, Error::Open { path: p, .. } if *p == path), "{e}");
}
