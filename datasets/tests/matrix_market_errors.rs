//! Every way a Matrix Market file can be wrong is one sentence that names the file, the line and the mend.

use resolvent_datasets::matrix_market::{read_columns, read_matrix, read_vector, write_matrix, write_vector};
use resolvent_datasets::{Error, ErrorKind};
use std::path::Path;

const REAL: &str = "%%MatrixMarket matrix coordinate real general\n";
const FIRST: &str = "the first line must read `%%MatrixMarket matrix coordinate|array real|integer|pattern \
                     general|symmetric|skew-symmetric`";

/// Reads `content` and compares the message after the file's name.
fn assert_message<T>(
    content: impl AsRef<[u8]>,
    read: impl FnOnce(&Path) -> Result<T, Error>,
    expected: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.mtx");
    std::fs::write(&path, &content).unwrap();
    let e = read(&path).err().unwrap_or_else(|| panic!("this was read, not refused: {expected}"));
    assert!(matches!(&e, Error::Malformed { path: p, .. } if *p == path), "{e}");
    assert_eq!(e.kind(), ErrorKind::Input);
    assert_eq!(e.to_string(), format!("{}, {expected}", path.display()));
}

fn refused(content: impl AsRef<[u8]>, expected: &str) {
    assert_message(content, read_matrix, expected);
}

#[test]
fn first_lines() {
    let first = |what: &str| format!("line 1: {what}; {FIRST}");
    let stranger = first("this is not a Matrix Market file");
    for content in
        [&b""[..], b"\n", b"\x89HDF\r\n\x1a\n", b"%%MatrixMarke", b"1 1 1\n", b"% comment\n%%MatrixMarket"]
    {
        refused(content, &stranger);
    }
    refused("%%MatrixMarket matrix coordinate real", &first("the first line has 4 words instead of 5"));
    refused(
        "%%MatrixMarket matrix coordinate real general x",
        &first("the first line has 6 words instead of 5"),
    );
    refused("%%MatrixMarket vector array real general", &first("it holds a `vector`, not a matrix"));
    refused("%%MatrixMarket matrix sparse real general", &first("`sparse` is no layout"));
    refused("%%MatrixMarket matrix array quad general", &first("`quad` is no field"));
    refused("%%MatrixMarket matrix array real lower", &first("`lower` is no symmetry"));
    refused("%%MatrixMarket matrix array pattern general", &first("an array cannot be a pattern"));
    refused(
        "%%MatrixMarket matrix coordinate pattern skew-symmetric",
        &first("a pattern cannot be skew-symmetric: it has no signs"),
    );
    refused(
        "%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 0\n",
        "line 1: the matrix is complex; only real matrices can be read: split it first",
    );
    refused(
        "%%MatrixMarket matrix coordinate real hermitian\n1 1 1\n1 1 1\n",
        "line 1: the matrix is hermitian; write `symmetric` in the first line if it is real",
    );
}

#[test]
fn size_lines() {
    let sized = |size: &str| format!("{REAL}% a comment\n{size}\n1 1 1\n");
    let meaning = "the line must read `rows columns entries`";
    refused(REAL, "line 1: the file ends before its size line; add a line `rows columns entries`");
    refused(
        "%%MatrixMarket matrix array real general\n%\n",
        "line 2: the file ends before its size line; add a line `rows columns`",
    );
    refused(sized("1 1"), &format!("line 3: 2 of 3 numbers are there; {meaning}"));
    refused(sized("1 1 1 1"), &format!("line 3: more than 3 numbers are there; {meaning}"));
    refused([REAL.as_bytes(), b"1 1 \xff\n"].concat(), &format!("line 2: this is not text; {meaning}"));
    let count = "write a whole number without sign that fits 64 bits";
    for word in ["-1", "1.0", "one", "18446744073709551616"] {
        refused(sized(&format!("1 {word} 1")), &format!("line 3: `{word}` is no count; {count}"));
    }
    let long = "9".repeat(50);
    refused(sized(&format!("1 1 {long}")), &format!("line 3: `{}...` is no count; {count}", &long[..37]));
    refused(sized("0 1 1"), "line 3: the matrix is 0 × 1; it needs a row and a column");
    refused(sized("1 0 0"), "line 3: the matrix is 1 × 0; it needs a row and a column");
    refused(
        sized("4294967296 1 1"),
        "line 3: the matrix is 4294967296 × 1, more than a 32-bit index counts; mend the size line, or use a smaller \
         matrix",
    );
    refused(
        "%%MatrixMarket matrix coordinate real symmetric\n2 3 1\n1 1 1\n",
        "line 2: a matrix of 2 × 3 cannot be symmetric; write `general` in the first line, or mend the sizes",
    );
}

#[test]
fn promises_a_file_cannot_keep() {
    let promise = |count: &str, room: usize| {
        format!(
            "line 2: the size line promises {count} entries, but the rest of the file has room for at most {room}; mend \
             the size line, or copy the file again: it may be cut off"
        )
    };
    refused(format!("{REAL}2 2 2\n1 1 1\n"), &promise("2", 1));
    refused(format!("{REAL}2 2 18446744073709551615\n1 1 1\n"), &promise("18446744073709551615", 1));
    refused("%%MatrixMarket matrix coordinate pattern general\n9 9 3\n1 1\n2 2\n", &promise("3", 2));
    let array =
        |symmetry: &str| format!("%%MatrixMarket matrix array real {symmetry}\n4294967295 4294967295\n1\n");
    refused(array("general"), &promise("18446744065119617025", 1));
    refused(array("symmetric"), &promise("9223372034707292160", 1));
    refused(array("skew-symmetric"), &promise("9223372030412324865", 1));
    refused(
        format!("{REAL}2000000 2000000 1\n1 1 1\n"),
        "line 2: 1 entries leave most of a 2000000 × 2000000 matrix empty; mend the size line, or remove the empty rows \
         and columns",
    );
}

#[test]
fn entries() {
    let one = |entry: &str| format!("{REAL}2 3 1\n\n{entry}\n        ");
    let meaning = "the line must read `row column value`";
    refused(one("1 1"), &format!("line 4: 2 of 3 numbers are there; {meaning}"));
    refused(one("1 1 1 1"), &format!("line 4: more than 3 numbers are there; {meaning}"));
    refused(
        [REAL.as_bytes(), b"1 1 1\n1 1 \xff\n"].concat(),
        &format!("line 3: this is not text; {meaning}"),
    );
    for word in ["0", "3", "-1", "x", "1.0", "4294967297"] {
        refused(
            one(&format!("{word} 1 1")),
            &format!("line 4: the row is `{word}`; rows run from 1 to 2, as the size line says"),
        );
    }
    refused(one("2 4 1"), "line 4: the column is `4`; columns run from 1 to 3, as the size line says");
    for word in ["x", "1,5", "0x10", "1e", "--1", "1d", "D"] {
        refused(
            one(&format!("1 1 {word}")),
            &format!("line 4: `{word}` is no number; write a decimal number such as -1.5e-3"),
        );
    }
    for word in ["nan", "inf", "-Infinity", "1e999", "1D999"] {
        refused(
            one(&format!("1 1 {word}")),
            &format!("line 4: the value is {word}; every value must be a finite number"),
        );
    }
    let pattern = "%%MatrixMarket matrix coordinate pattern general\n2 2 1\n";
    refused(
        format!("{pattern}1 1 1\n"),
        "line 3: more than 2 numbers are there; the line must read `row column`",
    );
    refused(format!("{pattern}1\n\n\n"), "line 3: 1 of 2 numbers are there; the line must read `row column`");
    let array = "%%MatrixMarket matrix array real general\n2 1\n1\n";
    refused(format!("{array}2 3\n"), "line 4: more than 1 numbers are there; the line must read `value`");
    refused(format!("{array}x\n"), "line 4: `x` is no number; write a decimal number such as -1.5e-3");
}

#[test]
fn too_few_and_too_many_entries() {
    refused(
        format!("{REAL}2 2 2\n% the rest is a comment, and so no entry\n1 1 1\n"),
        "line 4: the file ends after 1 of 2 entries; copy it again: it may be cut off",
    );
    refused(
        "%%MatrixMarket matrix array real general\n2 2\n1.5\n2.5\n3.5\n",
        "line 5: the file ends after 3 of 4 entries; copy it again: it may be cut off",
    );
    refused(
        format!("{REAL}2 2 1\n1 1 1\n%\n2 2 1\n"),
        "line 5: the file goes on after its 1 entries; mend the count in the size line, or remove the rest",
    );
}

#[test]
fn entries_outside_the_stored_triangle() {
    let mend = "store each pair once, below the diagonal, or write `general` in the first line";
    refused(
        "%%MatrixMarket matrix coordinate real symmetric\n2 2 2\n1 1 1\n1 2 1\n",
        &format!("line 4: entry (1, 2) lies above the diagonal of a symmetric matrix; {mend}"),
    );
    let skew = "%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n";
    refused(
        format!("{skew}1 2 1\n"),
        &format!("line 3: entry (1, 2) lies above the diagonal of a symmetric matrix; {mend}"),
    );
    refused(
        format!("{skew}2 2 1\n"),
        &format!("line 3: entry (2, 2) lies on the diagonal of a symmetric matrix; {mend}"),
    );
}

#[test]
fn sums_that_overflow() {
    let twice = format!("{REAL}1 1 2\n1 1 1.7e308\n1 1 1.7e308\n");
    refused(
        &twice,
        "entries at the same place: their sum is wrong: matrix values: entry 0 is inf; every entry must be finite; store \
         each entry once",
    );
    assert_message(
        &twice,
        read_columns,
        "entries at the same place: their sum is too large at (1, 1); store each entry once",
    );
    // Back to finite is no excuse: the order of addition would decide.
    let thrice = format!("{REAL}1 1 3\n1 1 1.7e308\n1 1 1.7e308\n1 1 -1.7e308\n");
    assert_message(
        thrice,
        read_vector,
        "entries at the same place: their sum is too large at (1, 1); store each entry once",
    );
}

#[test]
fn right_hand_sides() {
    let dense = "write dense right-hand sides as an array";
    assert_message(
        "%%MatrixMarket matrix array real symmetric\n1 1\n1\n",
        read_columns,
        "line 2: the columns of a symmetric matrix are no right-hand sides; write them as general",
    );
    assert_message(
        format!("{REAL}1000000000 1 1\n1 1 1\n"),
        read_columns,
        &format!("line 2: 1 entries are too few for 1 columns of 1000000000; {dense}"),
    );
    assert_message(
        format!("{REAL}1 2000000 1\n1 1 1\n"),
        read_columns,
        &format!("line 2: 1 entries are too few for 2000000 columns of 1; {dense}"),
    );
    assert_message(
        "%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n4\n",
        read_vector,
        "size line: there are 2 columns where one vector is wanted; keep one column",
    );
    // What is wrong with a matrix is wrong with a vector.
    assert_message("", read_vector, &format!("line 1: this is not a Matrix Market file; {FIRST}"));
}

#[test]
fn files_that_cannot_be_opened_or_written() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.mtx");
    for path in [missing.as_path(), folder.path()] {
        for e in [read_matrix(path).err(), read_columns(path).err(), read_vector(path).err()] {
            let e = e.unwrap();
            assert!(matches!(&e, Error::Open { path: p, .. } if p == path), "{e}");
            assert_eq!(e.kind(), ErrorKind::Resource);
        }
    }
    let nowhere = folder.path().join("no/such/folder.mtx");
    let a = resolvent::Csr::from_triplets(1, 1, &[(0, 0, 1.0)]).unwrap();
    for e in [write_matrix(&nowhere, &a).err(), write_vector(&nowhere, &[1.0]).err()] {
        let e = e.unwrap();
        assert!(matches!(&e, Error::Write { path, .. } if *path == nowhere), "{e}");
        assert_eq!(e.kind(), ErrorKind::Resource);
    }
}
