//! What `inspect` says of a file, and each thing that `check` finds.

use resolvent::{Csr, Grid};
use resolvent_datasets::exchange::Exchange;
use resolvent_datasets::inspect::DatasetSummary;
use resolvent_datasets::{
    Error, ErrorKind, FAMILIES, Family, Finding, LinearSystem, Parameters, Severity, check, exchange, inspect,
};

fn matrix(n: usize, entries: &[(u32, u32, f64)]) -> Csr<f64> {
    Csr::from_triplets(n, n, entries).unwrap()
}

fn with_b(matrix: Csr<f64>, b: &[f64]) -> LinearSystem {
    LinearSystem { rhs: Some(b.to_vec()), ..matrix.into() }
}

#[test]
fn hdf5_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.hdf5");
    let system = LinearSystem {
        solution: Some(vec![0.0; 2]),
        grid: Some((Grid::new_2d(2, 1).unwrap(), vec![0, 1])),
        meta: vec![("family".into(), "box".into())],
        ..with_b(matrix(2, &[(0, 0, 1.0), (1, 1, 2.0)]), &[1.0, 2.0])
    };
    system.write(&path).unwrap();
    let found = inspect(&path).unwrap();
    let size = std::fs::metadata(&path).unwrap().len();
    assert_eq!((found.format, found.file_size), ("hdf5", size));
    assert_eq!((found.rows, found.cols, found.nonzeros), (2, 2, 2));
    assert!(found.symmetric && found.rhs && found.solution);
    assert_eq!(found.grid.as_deref(), Some(&[2, 1][..]));
    assert_eq!(found.meta, [("family".into(), "box".into())]);
    let names: Vec<_> = found.datasets.iter().map(|d| (d.name.as_str(), d.len, d.kind.as_str())).collect();
    let expected = [
        ("b", 2, "float64"),
        ("data", 2, "float64"),
        ("indices", 2, "int32"),
        ("indptr", 3, "int64"),
        ("shape", 2, "int64"),
        ("x", 2, "float64"),
        ("grid/cells", 2, "int64"),
        ("grid/n", 2, "int64"),
    ];
    assert_eq!(names, expected);
    let text = found.to_string();
    let head = format!(
        "format    hdf5, {size} bytes\nmatrix    2 × 2, 2 entries\nsymmetric yes\nb         yes\nx         yes\ngrid      2 × \
         1\nfamily    box\ndataset   b: 2 × float64\n"
    );
    assert!(text.starts_with(&head), "{text}");
    assert_eq!(text.lines().count(), 15);
    let first = DatasetSummary { name: "b".into(), len: 2, kind: "float64".into() };
    assert_eq!(found.datasets[0], first);
}

#[test]
fn other_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.mtx");
    LinearSystem::from(Csr::from_triplets(2, 3, &[(0, 2, 1.0)]).unwrap()).write(&path).unwrap();
    let found = inspect(&path).unwrap();
    assert_eq!((found.format, found.rows, found.cols, found.nonzeros), ("matrix_market", 2, 3, 1));
    assert!(!found.symmetric && !found.rhs && !found.solution && found.grid.is_none());
    assert!(found.datasets.is_empty() && found.meta.is_empty());
    let path = folder.path().join("s.psys");
    let (noise, smooth) = (vec![1.0], vec![2.0]);
    exchange::write(&path, &Exchange { matrix: matrix(1, &[(0, 0, 1.0)]), noise, smooth, grid: None })
        .unwrap();
    let found = inspect(&path).unwrap();
    assert_eq!((found.format, found.rhs), ("exchange", true));
    assert!(found.to_string().contains("x         no\n"), "{found}");
}

#[test]
fn what_cannot_be_read_is_an_error_of_inspect() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.h5");
    assert!(matches!(inspect(&path), Err(Error::Open { .. })));
    std::fs::write(&path, "no").unwrap();
    assert!(matches!(inspect(&path), Err(Error::Malformed { .. })));
    assert!(matches!(inspect(&folder.path().join("s.txt")), Err(Error::Format { .. })));
}

/// Severities and texts.
fn found(system: &LinearSystem) -> Vec<(Severity, String)> {
    system.check().into_iter().map(|Finding { severity, text }| (severity, text)).collect()
}

fn note(text: &str) -> (Severity, String) {
    (Severity::Note, text.into())
}

fn problem(text: &str) -> (Severity, String) {
    (Severity::Problem, text.into())
}

const SPD: [(u32, u32, f64); 4] = [(0, 0, 2.0), (0, 1, -1.0), (1, 0, -1.0), (1, 1, 2.0)];

#[test]
fn a_sound_system_has_no_findings() {
    assert_eq!(found(&with_b(matrix(2, &SPD), &[1.0, 1.0])), []);
    for family in &FAMILIES {
        let p = Family::named(family.name).unwrap().problem(Parameters::new(8)).unwrap();
        for kind in family.rhs {
            let findings = found(&p.system(*kind).unwrap());
            let null = note("every row sums to zero: constants are in the null space");
            let expected = if family.name == "neumann" { vec![null] } else { vec![] };
            assert_eq!(findings, expected, "{} {kind}", family.name);
        }
    }
}

#[test]
fn every_finding() {
    let b = [1.0, 1.0];
    let wide = Csr::from_triplets(2, 3, &[(0, 0, 1.0)]).unwrap();
    assert_eq!(found(&wide.into()), [problem("the matrix is not square: 2 × 3")]);
    assert_eq!(found(&matrix(2, &SPD).into()), [note("there is no right-hand side")]);
    let rounded = matrix(2, &[(0, 0, 2.0), (0, 1, -1.0), (1, 0, -1.0 - 1e-15), (1, 1, 2.0)]);
    assert_eq!(
        found(&with_b(rounded, &b)),
        [note("the matrix is symmetric up to rounding only, not to the last bit")]
    );
    let skewed = matrix(2, &[(0, 0, 2.0), (0, 1, -1.0), (1, 1, 2.0)]);
    assert_eq!(
        found(&with_b(skewed, &b)),
        [note("the matrix is not symmetric: conjugate gradients do not apply")]
    );
    let indefinite = matrix(2, &[(0, 0, 2.0), (1, 1, -0.5)]);
    assert_eq!(
        found(&with_b(indefinite, &b)),
        [note("diagonal entry 1 is -5e-1: the matrix is not positive definite")]
    );
    let empty = matrix(4, &[(0, 0, 2.0), (2, 2, 0.0), (3, 3, 1.0)]);
    assert_eq!(
        found(&with_b(empty, &[1.0; 4])),
        [
            problem("2 rows are empty or zero, row 1 first: the matrix is singular"),
            note("diagonal entry 1 is 0e0: the matrix is not positive definite"),
        ]
    );
}

#[test]
fn constants_in_the_null_space() {
    let null = || note("every row sums to zero: constants are in the null space");
    let chain = || matrix(2, &[(0, 0, 1.0), (0, 1, -1.0), (1, 0, -1.0), (1, 1, 1.0)]);
    assert_eq!(found(&with_b(chain(), &[1.0, -1.0])), [null()]);
    assert_eq!(
        found(&with_b(chain(), &[2.0, 1.0])),
        [problem("b has the mean 1.5e0, but no x reaches it; subtract it"), null()]
    );
    assert_eq!(found(&chain().into()), [note("there is no right-hand side"), null()]);
    // Its range is spanned by (2, −1), not by the vectors of mean zero.
    let walk = matrix(2, &[(0, 0, 2.0), (0, 1, -2.0), (1, 0, -1.0), (1, 1, 1.0)]);
    assert_eq!(
        found(&with_b(walk, &[2.0, -1.0])),
        [note("the matrix is not symmetric: conjugate gradients do not apply"), null()]
    );
}

#[test]
fn a_malformed_file_is_a_finding_and_a_missing_one_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.mtx");
    std::fs::write(&path, "%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 x\n").unwrap();
    let findings = check(&path).unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].severity, Severity::Problem);
    assert!(findings[0].text.contains("line 3: `x` is no number"), "{}", findings[0].text);
    LinearSystem::from(matrix(2, &SPD)).write(&path).unwrap();
    let texts: Vec<String> = check(&path).unwrap().into_iter().map(|f| f.text).collect();
    assert_eq!(texts, ["there is no right-hand side"]);
    let e = check(&folder.path().join("missing.mtx")).unwrap_err();
    assert!(matches!(e, Error::Open { .. }) && e.kind() == ErrorKind::Resource);
    let e = check(&folder.path().join("s.vti")).unwrap_err();
    assert!(matches!(e, Error::Format { .. }) && e.kind() == ErrorKind::Usage);
}
