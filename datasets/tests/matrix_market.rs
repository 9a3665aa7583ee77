//! Matrix Market files: what is written reads back to the bit, and what others write is understood.

use proptest::prelude::*;
use resolvent::{Csr, Map, Properties};
use resolvent_datasets::matrix_market::{read_columns, read_matrix, read_vector, write_matrix, write_vector};
use std::path::PathBuf;
use tempfile::TempDir;

fn file(content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mtx");
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

fn matrix(content: impl AsRef<[u8]>) -> Csr<f64> {
    let (_folder, path) = file(content);
    read_matrix(&path).unwrap()
}

/// Offsets, columns and the bits of the values.
fn parts(a: &Csr<f64>) -> (usize, usize, Vec<usize>, Vec<u32>, Vec<u64>) {
    let bits = a.values().iter().map(|v| v.to_bits()).collect();
    (a.rows(), a.cols(), a.offsets().to_vec(), a.columns().to_vec(), bits)
}

fn dense(a: &Csr<f64>) -> Vec<Vec<f64>> {
    (0..a.rows()).map(|r| (0..a.cols()).map(|c| a.get(r, c)).collect()).collect()
}

/// Writes and reads back; also gives the text.
fn round_trip(a: &Csr<f64>) -> (Csr<f64>, String) {
    let (_folder, path) = file("");
    write_matrix(&path, a).unwrap();
    (read_matrix(&path).unwrap(), std::fs::read_to_string(&path).unwrap())
}

const EXTREMES: [f64; 10] = [
    f64::MAX,
    f64::MIN,
    f64::MIN_POSITIVE,
    5e-324,
    -5e-324,
    0.1,
    -1.0 / 3.0,
    f64::EPSILON,
    9_007_199_254_740_993.0,
    1e23,
];

#[test]
fn a_general_matrix_reads_back_to_the_bit() {
    let entries: Vec<(u32, u32, f64)> =
        EXTREMES.iter().enumerate().map(|(i, v)| (i as u32 % 3, i as u32 % 7, *v)).collect();
    let a = Csr::from_triplets(3, 7, &entries).unwrap();
    let (b, text) = round_trip(&a);
    assert!(text.starts_with("%%MatrixMarket matrix coordinate real general\n3 7 10\n"), "{text}");
    assert_eq!(parts(&a), parts(&b));
    assert_eq!(b.properties(), Properties::NONE);
}

#[test]
fn a_symmetric_matrix_is_stored_by_its_lower_triangle() {
    let entries = [(0, 0, 2.5), (1, 0, -0.1), (0, 1, -0.1), (2, 2, 1e-300), (1, 2, 7.0), (2, 1, 7.0)];
    let a = Csr::from_triplets(3, 3, &entries).unwrap();
    let (b, text) = round_trip(&a);
    assert_eq!(
        text,
        "%%MatrixMarket matrix coordinate real symmetric\n3 3 4\n1 1 2.5e0\n2 1 -1e-1\n3 2 7e0\n3 3 1e-300\n"
    );
    assert_eq!(parts(&a), parts(&b));
    assert_eq!(b.properties(), Properties::SYMMETRIC);
}

#[test]
fn zeros_that_break_the_symmetry_of_storage_are_kept() {
    // A stored zero whose mirror image is not stored, and one whose mirror image has the other sign.
    for entries in [vec![(0, 1, 0.0), (1, 1, 1.0)], vec![(0, 1, 0.0), (1, 0, -0.0)]] {
        let a = Csr::from_triplets(2, 2, &entries).unwrap();
        assert!(a.is_symmetric(0.0));
        assert_eq!(parts(&a), parts(&round_trip(&a).0));
    }
}

#[test]
fn a_vector_reads_back_to_the_bit() {
    let (_folder, path) = file("");
    write_vector(&path, &EXTREMES).unwrap();
    let bits = |v: &[f64]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&read_vector(&path).unwrap()), bits(&EXTREMES));
}

#[test]
fn skew_entries_have_mirror_images_of_the_other_sign() {
    let a = matrix("%%MatrixMarket matrix coordinate real skew-symmetric\n3 3 2\n2 1 4\n3 2 -0.5\n");
    assert_eq!(dense(&a), [[0.0, -4.0, 0.0], [4.0, 0.0, 0.5], [0.0, -0.5, 0.0]]);
    assert_eq!(a.properties(), Properties::NONE);
    assert_eq!(parts(&a), parts(&round_trip(&a).0));
}

#[test]
fn a_pattern_has_ones() {
    let a = matrix("%%MatrixMarket matrix coordinate pattern general\n2 3 2\n1 3\n2 1\n");
    assert_eq!(dense(&a), [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]);
    let a = matrix("%%MatrixMarket matrix coordinate pattern symmetric\n2 2 2\n1 1\n2 1\n");
    assert_eq!(dense(&a), [[1.0, 1.0], [1.0, 0.0]]);
}

#[test]
fn arrays_run_down_the_columns() {
    let a = matrix("%%MatrixMarket matrix array real general\n2 3\n1\n2\n3\n0\n5\n6\n");
    assert_eq!(dense(&a), [[1.0, 3.0, 5.0], [2.0, 0.0, 6.0]]);
    assert_eq!(a.nonzeros(), 5);
    let a = matrix("%%MatrixMarket matrix array real symmetric\n3 3\n1\n2\n3\n4\n5\n6\n");
    assert_eq!(dense(&a), [[1.0, 2.0, 3.0], [2.0, 4.0, 5.0], [3.0, 5.0, 6.0]]);
    let a = matrix("%%MatrixMarket matrix array integer skew-symmetric\n3 3\n1\n2\n3\n");
    assert_eq!(dense(&a), [[0.0, -1.0, -2.0], [1.0, 0.0, -3.0], [2.0, 3.0, 0.0]]);
    let a = matrix("%%MatrixMarket matrix array real skew-symmetric\n1 1\n");
    assert_eq!((a.rows(), a.nonzeros()), (1, 0));
}

#[test]
fn integers_and_fortran_exponents_are_numbers() {
    let a = matrix("%%MatrixMarket matrix coordinate integer general\n1 2 2\n1 1 -12\n1 2 +7\n");
    assert_eq!(dense(&a), [[-12.0, 7.0]]);
    let a = matrix("%%MatrixMarket matrix array double general\n1 4\n1.5D+03\n-2d-1\n1E2\n.5\n");
    assert_eq!(dense(&a), [[1500.0, -0.2, 100.0, 0.5]]);
}

#[test]
fn capitals_comments_blank_lines_and_any_end_of_line_are_taken() {
    let plain = "%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 1.5\n2 2 -2\n";
    let odd = "%%matrixMARKET  MATRIX\tCoordinate Real GENERAL\n% a comment\n\n%\n  2 2   2\n\n1\t1 1.5 \n% in between\n2 2 -2";
    let expected = parts(&matrix(plain));
    assert_eq!(parts(&matrix(odd)), expected);
    assert_eq!(parts(&matrix(odd.replace('\n', "\r\n"))), expected);
    assert_eq!(parts(&matrix(odd.replace("% in", "  % in"))), expected);
    assert_eq!(parts(&matrix(plain.replace('\n', "\r\n"))), expected);
    assert_eq!(parts(&matrix(plain.replace("2 2 2\n", "% no text: \u{e4}\n2 2 2\n"))), expected);
    let mut latin = plain.as_bytes().to_vec();
    latin.splice(46..46, *b"% \xe4\xff\n");
    assert_eq!(parts(&matrix(latin)), expected);
}

#[test]
fn entries_at_the_same_place_are_added() {
    let a = matrix("%%MatrixMarket matrix coordinate real symmetric\n2 2 4\n2 1 1\n1 1 2\n2 1 0.5\n1 1 3\n");
    assert_eq!(dense(&a), [[5.0, 1.5], [1.5, 0.0]]);
}

#[test]
fn columns_are_right_hand_sides() {
    let (_folder, path) = file("%%MatrixMarket matrix array real general\n3 2\n1\n2\n3\n4\n5\n6\n");
    assert_eq!(read_columns(&path).unwrap(), [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let (_folder, path) = file("%%MatrixMarket matrix coordinate real general\n3 1 2\n3 1 7\n3 1 1\n");
    assert_eq!(read_vector(&path).unwrap(), [0.0, 0.0, 8.0]);
    let (_folder, path) = file("%%MatrixMarket matrix array real general\n1 3\n1\n2\n3\n");
    assert_eq!(read_vector(&path).unwrap(), [1.0, 2.0, 3.0]);
    let (_folder, path) = file("%%MatrixMarket matrix array real general\n1 1\n4\n");
    assert_eq!(read_vector(&path).unwrap(), [4.0]);
}

/// Entries whose values are any finite number, at places that may repeat in no row.
fn any_matrix() -> impl Strategy<Value = Csr<f64>> {
    (1usize..9, 1usize..9)
        .prop_flat_map(|(rows, cols)| {
            let entries = proptest::collection::btree_map(
                (0..rows as u32, 0..cols as u32),
                any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |v| v.is_finite()),
                0..24,
            );
            (Just((rows, cols)), entries, any::<bool>())
        })
        .prop_map(|((rows, cols), entries, mirrored)| {
            let mut all: Vec<(u32, u32, f64)> = Vec::new();
            for ((r, c), v) in entries {
                if !mirrored || rows != cols {
                    all.push((r, c, v));
                } else if r >= c {
                    all.push((r, c, v));
                    if r > c {
                        all.push((c, r, v));
                    }
                }
            }
            Csr::from_triplets(rows, cols, &all).unwrap()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_matrix_reads_back_to_the_bit(a in any_matrix()) {
        prop_assert_eq!(parts(&a), parts(&round_trip(&a).0));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        start in 0usize..4,
        rest in proptest::collection::vec(prop_oneof![
            Just(b'\n'), Just(b' '), Just(b'%'), Just(b'-'), Just(b'.'), b'0'..=b'9', any::<u8>()
        ], 0..120)
    ) {
        let banners = [
            "", "%%MatrixMarket matrix coordinate real symmetric\n",
            "%%MatrixMarket matrix array real general\n", "%%MatrixMarket matrix coordinate pattern general\n",
        ];
        let mut content = banners[start].as_bytes().to_vec();
        content.extend(rest);
        let (_folder, path) = file(content);
        let _ = read_matrix(&path);
        let _ = read_columns(&path);
    }
}

#[test]
fn a_file_cut_anywhere_is_refused_unless_nothing_is_missing() {
    // The last number has one digit, so that only the last end of line may go.
    for whole in [
        "%%MatrixMarket matrix coordinate real general\n% a comment\n3 3 3\n1 1 1.25e-3\n2 3 -4\n3 3 7\n",
        "%%MatrixMarket matrix coordinate real symmetric\r\n3 3 3\r\n1 1 1.25e-3\r\n3 2 -4\r\n3 3 7\r\n",
        "%%MatrixMarket matrix coordinate pattern general\n3 3 3\n1 1\n2 3\n3 3\n",
        "%%MatrixMarket matrix array real general\n2 2\n1.5\n-2\n3e5\n4\n",
    ] {
        let (_folder, path) = file(whole);
        let expected = parts(&read_matrix(&path).unwrap());
        let content = whole.trim_ascii_end().len();
        for end in 0..whole.len() {
            std::fs::write(&path, &whole[..end]).unwrap();
            match read_matrix(&path) {
                Ok(a) => {
                    assert!(end >= content, "the first {end} bytes of\n{whole}");
                    assert_eq!(parts(&a), expected);
                }
                Err(e) => {
                    assert!(end < content, "the first {end} bytes of\n{whole}\n{e}");
                    assert!(matches!(e, resolvent_datasets::Error::Malformed { .. }), "{e}");
                }
            }
        }
    }
}
