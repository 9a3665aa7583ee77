//! Matrix Market files: what is read is what was written, and nothing malformed gets through.

use proptest::prelude::*;
use resolvent::{Csr, Map};
use resolvent_datasets::matrix_market::{read_columns, read_matrix, read_vector, write_matrix, write_vector};
use resolvent_datasets::{Error, ErrorKind};
use std::path::PathBuf;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn with(&self, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join("a.mtx");
        std::fs::write(&path, content).unwrap();
        path
    }
}

fn entries(a: &Csr<f64>) -> Vec<(usize, u32, f64)> {
    (0..a.rows()).flat_map(|r| a.row(r).0.iter().zip(a.row(r).1).map(move |(c, v)| (r, *c, *v))).collect()
}

#[test]
fn every_layout_field_and_symmetry_is_read() {
    let folder = Folder::new();
    let read = |content: &str| entries(&read_matrix(&folder.with(content)).unwrap());
    let head = |rest: &str| format!("%%MatrixMarket matrix {rest}\n");
    let general = [(0, 0, 1.5), (0, 1, -2.0), (1, 1, 3e-5)];
    assert_eq!(read(&(head("coordinate real general") + "2 2 3\n1 1 1.5\n2 2 3e-5\n1 2 -2\n")), general);
    let wild = "%%matrixmarket MATRIX Coordinate Real General\r\n% a comment\r\n\r\n 2  2\t3 \r\n1 1 1.5\r\n% another\r\n2 2 3D-5\r\n1 2 -2";
    assert_eq!(read(wild), general);
    assert_eq!(read(&(head("coordinate integer general") + "1 2 1\n1 2 7\n")), [(0, 1, 7.0)]);
    let mirrored = [(0, 0, 4.0), (0, 1, 1.0), (1, 0, 1.0)];
    assert_eq!(read(&(head("coordinate real symmetric") + "2 2 2\n1 1 4\n2 1 1\n")), mirrored);
    assert_eq!(
        read(&(head("coordinate real skew-symmetric") + "2 2 1\n2 1 5\n")),
        [(0, 1, -5.0), (1, 0, 5.0)]
    );
    assert_eq!(read(&(head("coordinate pattern symmetric") + "2 2 1\n2 1\n")), [(0, 1, 1.0), (1, 0, 1.0)]);
    assert_eq!(
        read(&(head("array real general") + "2 2\n1\n2\n0\n4\n")),
        [(0, 0, 1.0), (1, 0, 2.0), (1, 1, 4.0)]
    );
    assert_eq!(read(&(head("array real symmetric") + "2 2\n1\n2\n3\n")).len(), 4);
    assert_eq!(read(&(head("array real skew-symmetric") + "3 3\n1\n2\n3\n")).len(), 6);
    // Entries at the same place are added.
    assert_eq!(read(&(head("coordinate real general") + "1 1 2\n1 1 1\n1 1 2\n")), [(0, 0, 3.0)]);
    let symmetric = read_matrix(&folder.with(head("coordinate real symmetric") + "1 1 1\n1 1 1\n")).unwrap();
    assert!(symmetric.properties().symmetric);
}

#[test]
fn vectors_are_read_in_every_way_scipy_writes_them() {
    let folder = Folder::new();
    let head = |rest: &str| format!("%%MatrixMarket matrix {rest}\n");
    let vector = |content: String| read_vector(&folder.with(content)).unwrap();
    assert_eq!(vector(head("array real general") + "3 1\n1\n2\n3\n"), [1.0, 2.0, 3.0]);
    assert_eq!(vector(head("array real general") + "1 3\n1\n2\n3\n"), [1.0, 2.0, 3.0]);
    assert_eq!(vector(head("coordinate real general") + "3 1 1\n2 1 5\n"), [0.0, 5.0, 0.0]);
    let two = folder.with(head("array real general") + "2 2\n1\n2\n3\n4\n");
    assert_eq!(read_columns(&two).unwrap(), [[1.0, 2.0], [3.0, 4.0]]);
    assert!(matches!(read_vector(&two), Err(Error::Malformed { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_is_written_is_read_back_bit_for_bit(
        rows in 1usize..12,
        cols in 1usize..12,
        seeds in prop::collection::vec((any::<u32>(), any::<u32>(), any::<f64>()), 0..40),
        mirror in any::<bool>(),
    ) {
        let folder = Folder::new();
        let path = folder.0.path().join("a.mtx");
        let cols = if mirror { rows } else { cols };
        let mut triplets = Vec::new();
        let mut taken = std::collections::BTreeSet::new();
        for (r, c, v) in seeds {
            let (r, c) = (r % rows as u32, c % cols as u32);
            let v = if v.is_finite() { v } else { 1.0 };
            if taken.insert((r, c)) && (!mirror || r == c || taken.insert((c, r))) {
                triplets.push((r, c, v));
                if mirror && r != c {
                    triplets.push((c, r, v));
                }
            }
        }
        let a = Csr::from_triplets(rows, cols, &triplets).unwrap();
        write_matrix(&path, &a).unwrap();
        prop_assert_eq!(&read_matrix(&path).unwrap(), &a);
        let v: Vec<f64> = triplets.iter().map(|t| t.2).chain([0.0]).collect();
        write_vector(&path, &v).unwrap();
        let back = read_vector(&path).unwrap();
        prop_assert!(v.iter().zip(&back).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
}

#[test]
fn every_fault_is_named_with_its_line_and_its_mend() {
    let folder = Folder::new();
    let general = "%%MatrixMarket matrix coordinate real general\n";
    let cases: [(String, &str, &str); 29] = [
        (String::new(), "line 1", "not a Matrix Market file"),
        ("%%MatrixMarket matrix coordinate real\n".into(), "line 1", "4 words instead of 5"),
        ("%%MatrixMarket vector coordinate real general\n".into(), "line 1", "`vector`"),
        ("%%MatrixMarket matrix sparse real general\n".into(), "line 1", "`sparse` is no layout"),
        (
            "%%MatrixMarket matrix coordinate quaternion general\n".into(),
            "line 1",
            "`quaternion` is no field",
        ),
        ("%%MatrixMarket matrix coordinate complex general\n".into(), "line 1", "complex"),
        ("%%MatrixMarket matrix coordinate real odd\n".into(), "line 1", "`odd` is no symmetry"),
        ("%%MatrixMarket matrix coordinate real hermitian\n".into(), "line 1", "hermitian"),
        ("%%MatrixMarket matrix array pattern general\n".into(), "line 1", "cannot be a pattern"),
        ("%%MatrixMarket matrix coordinate pattern skew-symmetric\n".into(), "line 1", "no signs"),
        (general.into(), "line 1", "ends before its size line"),
        (format!("{general}% only a comment\n"), "line 2", "ends before its size line"),
        (format!("{general}2 2\n"), "line 2", "2 of 3 numbers"),
        (format!("{general}2 2 1 1\n1 1 1\n"), "line 2", "more than 3"),
        (format!("{general}2 -2 1\n1 1 1\n"), "line 2", "`-2` is no count"),
        (format!("{general}0 2 0\n"), "line 2", "0 × 2"),
        (format!("{general}5000000000 2 1\n1 1 1\n"), "line 2", "32-bit"),
        (
            "%%MatrixMarket matrix coordinate real symmetric\n1 2 1\n1 1 1\n".into(),
            "line 2",
            "cannot be symmetric",
        ),
        (format!("{general}2 2 1000\n1 1 1\n"), "line 2", "promises 1000 entries"),
        (format!("{general}4000000 4000000 1\n1 1 1\n"), "line 2", "leave most"),
        (format!("{general}2 2 2\n1 1 1.00000\n"), "line 3", "ends after 1 of 2"),
        (format!("{general}2 2 1\n1 1 1\n2 2 1\n"), "line 4", "goes on after its 1 entries"),
        (format!("{general}2 2 1\n3 1 1\n"), "line 3", "the row is `3`"),
        (format!("{general}2 2 1\n1 0 1\n"), "line 3", "the column is `0`"),
        (format!("{general}2 2 1\n1 1 one\n"), "line 3", "`one` is no number"),
        (format!("{general}2 2 1\n1 1 inf\n"), "line 3", "finite"),
        (format!("{general}2 2 1\n1 1\n"), "line 2", "room"),
        (
            "%%MatrixMarket matrix coordinate real symmetric\n2 2 1\n1 2 1\n".into(),
            "line 3",
            "above the diagonal",
        ),
        (
            "%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n1 1 1\n".into(),
            "line 3",
            "on the diagonal",
        ),
    ];
    for (content, line, what) in cases {
        let e = read_matrix(&folder.with(&content)).unwrap_err();
        let text = e.to_string();
        assert!(matches!(e, Error::Malformed { .. }) && e.kind() == ErrorKind::Input, "{text}");
        assert!(
            text.contains("a.mtx") && text.contains(line) && text.contains(what),
            "{content:?} gives: {text}"
        );
        assert!(text.contains("; "), "no mend: {text}");
    }
    let large = folder.with(format!("{general}1 1 2\n1 1 1e308\n1 1 1e308\n"));
    assert!(read_matrix(&large).unwrap_err().to_string().contains("their sum is wrong"));
    let e = read_matrix(&folder.0.path().join("none.mtx")).unwrap_err();
    assert!(matches!(e, Error::Open { .. }) && e.kind() == ErrorKind::Resource);
    assert!(read_matrix(folder.0.path()).is_err());
}

#[test]
fn a_file_cut_anywhere_is_complete_or_an_error() {
    let folder = Folder::new();
    let whole = "%%MatrixMarket matrix coordinate real symmetric\n% made by hand\n3 3 4\n1 1 2.5\n2 1 -1.25\n2 2 2.5\n3 3 1e-3\n";
    let expected = read_matrix(&folder.with(whole)).unwrap();
    for length in 0..whole.len() {
        match read_matrix(&folder.with(&whole[..length])) {
            // The last number may be cut to another number; what stands before must be there.
            Ok(a) => assert!(length + 5 >= whole.len() && a.nonzeros() == expected.nonzeros(), "{length}"),
            Err(e) => assert!(matches!(e, Error::Malformed { .. }), "{length}: {e}"),
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_an_error() {
    let folder = Folder::new();
    let whole = b"%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 1.5\n2 2 2.5\n".to_vec();
    for at in 0..whole.len() {
        for byte in [0u8, 0xff, b'9', b'\n', b'-'] {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            // Any answer but a panic or an abort.
            let _ = read_matrix(&folder.with(&bytes));
        }
    }
}
