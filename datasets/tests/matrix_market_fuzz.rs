//! The Matrix Market reader against files that are nearly right: it never panics, never asks for much memory, says what is
//! wrong in one clean sentence, and what it accepts is written and read back to the bit.
//!
//! Files are mutated from those in `matrix_market_fuzz/corpus`, by a seeded mutator that knows lines, words and banners. A
//! million executions take a few minutes:
//!
//! ```sh
//! cargo test --release -p resolvent-datasets --test matrix_market_fuzz -- --ignored --nocapture
//! ```
//!
//! `RESOLVENT_FUZZ_SEED` and `RESOLVENT_FUZZ_RUNS` choose other files. A file that fails is printed as a byte string: put
//! it into the corpus with the mend.

#[path = "matrix_market_fuzz/memory.rs"]
mod memory;
#[path = "matrix_market_fuzz/mutation.rs"]
mod mutation;

use mutation::Numbers;
use resolvent::Csr;
use resolvent_datasets::matrix_market::{read_columns, read_matrix, read_vector, write_matrix};
use resolvent_datasets::{Error, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// What reading may have allocated at once: a million rows and columns that are empty, or 16 million zeros of a right-hand
/// side, which a short file may promise; and this much for each of its bytes.
const PROMISES: usize = 160 << 20;
const A_BYTE: usize = 64;

/// Every file of the corpus, in the order of their names.
fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matrix_market_fuzz/corpus");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    let files: Vec<Vec<u8>> = paths.iter().map(|p| std::fs::read(p).unwrap()).collect();
    assert!(files.len() > 20);
    files
}

/// What came of a file.
#[derive(Debug, Default)]
struct Tally {
    matrices: usize,
    vectors: usize,
    refused: usize,
    most: usize,
}

fn same(a: &Csr<f64>, b: &Csr<f64>) -> bool {
    a == b && a.values().iter().zip(b.values()).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// One clean sentence that names the file.
fn check_message(e: &Error, path: &Path) {
    let text = e.to_string();
    assert!(matches!(e, Error::Malformed { .. }) && e.kind() == ErrorKind::Input, "{e:?}");
    assert!(text.starts_with(&path.display().to_string()), "{text}");
    assert!(text.len() < path.as_os_str().len() + 400, "too long: {text}");
    assert!(!text.chars().any(char::is_control), "control characters in {text:?}");
}

/// Reads one file in every way.
fn read(path: &Path, again: &Path, bytes: &[u8], tally: &mut Tally) {
    std::fs::write(path, bytes).unwrap();
    let most = memory::most_of(|| match read_matrix(path) {
        Ok(a) => {
            tally.matrices += 1;
            assert!(a.values().iter().all(|v| v.is_finite()));
            if a.rows().max(a.cols()) < 10_000 {
                write_matrix(again, &a).unwrap();
                assert!(same(&read_matrix(again).unwrap(), &a), "it does not read back");
            }
        }
        Err(e) => {
            tally.refused += 1;
            check_message(&e, path);
        }
    });
    tally.most = tally.most.max(most);
    let limit = PROMISES + A_BYTE * bytes.len();
    assert!(most <= limit, "{most} bytes for a matrix");
    let most = memory::most_of(|| {
        match (read_columns(path), read_vector(path)) {
            (Ok(columns), vector) => {
                tally.vectors += 1;
                assert!(columns.iter().flatten().all(|v| v.is_finite()));
                let one = columns.len() == 1 || columns.iter().all(|c| c.len() == 1);
                assert!(vector.is_ok() == one);
            }
            (Err(e), vector) => {
                check_message(&e, path);
                check_message(&vector.unwrap_err(), path);
            }
        };
    });
    tally.most = tally.most.max(most);
    assert!(most <= 2 * limit, "{most} bytes for the columns, twice");
}

/// Runs `runs` mutated files.
fn fuzz(seed: u64, runs: u64) -> Tally {
    let (corpus, folder, mut tally) = (corpus(), tempfile::tempdir().unwrap(), Tally::default());
    let (path, again) = (folder.path().join("fuzz.mtx"), folder.path().join("again.mtx"));
    for run in 0..runs {
        let whole = corpus.get(run as usize);
        let bytes = whole.cloned().unwrap_or_else(|| mutation::file(&corpus, &mut Numbers::new(seed, run)));
        let done = catch_unwind(AssertUnwindSafe(|| read(&path, &again, &bytes, &mut tally)));
        assert!(done.is_ok(), "run {run} of seed {seed}: b\"{}\"", bytes.escape_ascii());
    }
    tally
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |v| v.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

#[test]
fn mutated_files_are_read_or_refused() {
    let tally = fuzz(1, 3_000);
    // The mutator keeps some files right and breaks others.
    assert!(tally.matrices > 200 && tally.vectors > 100 && tally.refused > 300, "{tally:?}");
}

#[test]
#[ignore = "a million files take some minutes in release; the command is above"]
fn a_million_mutated_files_are_read_or_refused() {
    let (seed, runs) = (number("RESOLVENT_FUZZ_SEED", 2), number("RESOLVENT_FUZZ_RUNS", 1_000_000));
    let tally = fuzz(seed, runs);
    println!(
        "{runs} files: {} matrices, {} of right-hand sides, {} refused; at most {} MiB at once",
        tally.matrices,
        tally.vectors,
        tally.refused,
        tally.most >> 20
    );
}
