//! Systems to and from files of any format, told by their extensions.

use resolvent::{Csr, Grid};
use resolvent_datasets::system::rhs_path;
use resolvent_datasets::{
    Error, ErrorKind, Format, LinearSystem, Parameters, RhsKind, make, matrix_market, write_solution,
};
use std::path::Path;

fn refused_format<T>(result: Result<T, Error>, known: &str) {
    let e = result.err().expect("this must be refused");
    assert!(matches!(e, Error::Format { .. }) && e.kind() == ErrorKind::Usage, "{e}");
    let text = e.to_string();
    assert!(
        text.ends_with(&format!(": the extension does not say the format; use one of {known}")),
        "{text}"
    );
}

#[test]
fn extensions_say_the_format() {
    for (name, format) in [
        ("a.h5", Format::Hdf5),
        ("A.HDF5", Format::Hdf5),
        ("b.c.mtx", Format::MatrixMarket),
        ("a.psys", Format::Exchange),
        ("a.bin", Format::Exchange),
        ("a.Vti", Format::Vtk),
    ] {
        assert_eq!(Format::of(Path::new(name)).unwrap(), format, "{name}");
    }
    for name in ["", "a", ".h5", "a.h5.gz", "a.txt", "mtx"] {
        refused_format(Format::of(Path::new(name)), ".h5, .hdf5, .mtx, .psys, .bin, .vti (fields only)");
    }
}

#[test]
fn formats_that_hold_no_system_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    refused_format(LinearSystem::read(&path("a.vti")), "a system's: .h5, .hdf5, .mtx, .psys, .bin");
    let system = LinearSystem::from(Csr::from_triplets(1, 1, &[(0, 0, 1.0)]).unwrap());
    for name in ["a.vti", "a.psys"] {
        refused_format(system.write(&path(name)), ".h5, .hdf5, .mtx");
        // Before anything is made: this size would be refused too.
        refused_format(make("box", Parameters::new(0), None, &path(name)), ".h5, .hdf5, .mtx");
    }
    refused_format(write_solution(&path("x.psys"), &[1.0], None), ".h5, .hdf5, .mtx, .vti");
    refused_format(
        write_solution(&path("x.vti"), &[1.0], None),
        ".h5, .hdf5, .mtx: these unknowns lie on no grid",
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_made_system_is_the_one_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["s.h5", "s.mtx"] {
        let path = folder.path().join(name);
        let made = make("smoke", Parameters::new(6).seed(2).frame(3), None, &path).unwrap();
        let b = (name == "s.mtx").then(|| rhs_path(&path));
        let back = LinearSystem::read_with_rhs(&path, b.as_deref()).unwrap();
        assert_eq!(back.matrix, made.matrix);
        assert_eq!(back.rhs, made.rhs);
        if name == "s.h5" {
            assert_eq!(back.grid, made.grid);
            let meta = |name: &str| back.meta.iter().find(|m| m.0 == name).map(|m| m.1.as_str());
            assert_eq!(
                (meta("rhs"), meta("frame")),
                (Some("flow"), Some("3")),
                "the default kind is the first"
            );
        }
    }
    let path = folder.path().join("other.h5");
    let made = make("box", Parameters::new(4).dim(2), Some(RhsKind::Manufactured), &path).unwrap();
    assert_eq!(LinearSystem::read(&path).unwrap().solution, made.solution);
    assert!(made.solution.is_some());
    for (name, parameters, rhs) in [
        ("bix", Parameters::new(4), None),
        ("box", Parameters::new(1), None),
        ("box", Parameters::new(4), Some(RhsKind::Flow)),
    ] {
        let path = folder.path().join("never.h5");
        assert_eq!(make(name, parameters, rhs, &path).unwrap_err().kind(), ErrorKind::Usage);
        assert!(!path.exists());
    }
}

#[test]
fn the_right_hand_side_lies_beside_its_matrix() {
    assert_eq!(rhs_path(Path::new("d/a.mtx")), Path::new("d/a_b.mtx"));
    assert_eq!(rhs_path(Path::new("a.b.mtx")), Path::new("a.b_b.mtx"));
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a.mtx"), folder.path().join("other.mtx"));
    let matrix = Csr::from_triplets(2, 2, &[(0, 0, 1.0), (1, 1, 1.0)]).unwrap();
    LinearSystem::from(matrix.clone()).write(&a).unwrap();
    assert!(!rhs_path(&a).exists(), "without b there is no file of it");
    assert!(LinearSystem::read_with_rhs(&a, None).unwrap().rhs.is_none());
    matrix_market::write_vector(&b, &[1.0, 2.0]).unwrap();
    assert_eq!(LinearSystem::read_with_rhs(&a, Some(&b)).unwrap().rhs.unwrap(), [1.0, 2.0]);
    matrix_market::write_vector(&b, &[1.0, 2.0, 3.0]).unwrap();
    let e = LinearSystem::read_with_rhs(&a, Some(&b)).unwrap_err();
    assert_eq!(
        e.to_string(),
        format!(
            "{}, size line: the right-hand side has 3 entries, the matrix 2 rows; use the right-hand side of this matrix",
            b.display()
        )
    );
}

#[test]
fn solutions_are_written_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let x = [0.1, -1e-300];
    let mtx = folder.path().join("x.mtx");
    write_solution(&mtx, &x, None).unwrap();
    assert_eq!(matrix_market::read_vector(&mtx).unwrap(), x);
    let h5 = folder.path().join("x.h5");
    write_solution(&h5, &x, Some((Grid::new_2d(1, 2).unwrap(), &[0, 1]))).unwrap();
    let file = hdf5::File::open(&h5).unwrap();
    assert_eq!(file.dataset("x").unwrap().read_raw::<f64>().unwrap(), x);
}

#[test]
fn a_refusal_of_the_solver_keeps_its_words() {
    let inner =
        resolvent::Error::Parameter {
            name: "rtol", value: -1.0, needs: "a finite tolerance ≥ 0 is needed"
        };
    let text = inner.to_string();
    let e = Error::from(inner);
    assert!(matches!(e, Error::Solver(_)) && e.kind() == ErrorKind::Usage);
    assert_eq!(e.to_string(), text);
    let e = Error::Memory { what: "a field", bytes: 8 };
    assert_eq!(
        e.to_string(),
        "cannot allocate 8 bytes for a field; use a smaller problem or a machine with more memory"
    );
}
