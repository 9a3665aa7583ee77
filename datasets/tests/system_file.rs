//! Systems in HDF5: what is read is what was written, and nothing malformed gets through.

use hdf5::types::VarLenUnicode;
use hdf5::{File, H5Type};
use resolvent_datasets::{
    Error, ErrorKind, Family, LinearSystem, Parameters, RhsKind, read_solution, system_file, write_solution,
};
use std::path::{Path, PathBuf};

fn system() -> LinearSystem {
    let problem = Family::named("spheres").unwrap().problem(Parameters::new(5).seed(2)).unwrap();
    let system = problem.system(RhsKind::Noise).unwrap();
    let x = (0..system.matrix.rows()).map(|i| 1.0 / (i + 1) as f64).collect();
    LinearSystem { solution: Some(x), ..system }
}

#[test]
fn a_system_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.h5");
    let written = system();
    written.write(&path).unwrap();
    let read = LinearSystem::read(&path).unwrap();
    assert_eq!(read.matrix, written.matrix);
    assert_eq!((&read.rhs, &read.solution, &read.grid), (&written.rhs, &written.solution, &written.grid));
    let sorted = |meta: &[(String, String)]| {
        let mut meta = meta.to_vec();
        meta.sort();
        meta
    };
    assert_eq!(sorted(&read.meta), sorted(&written.meta));
    // Written again over the first, and without the optional parts.
    LinearSystem::from(written.matrix.clone()).write(&path).unwrap();
    let read = LinearSystem::read(&path).unwrap();
    assert!(read.rhs.is_none() && read.solution.is_none() && read.grid.is_none() && read.meta.is_empty());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(read_solution(&path).unwrap_err().kind(), ErrorKind::Input);
}

#[test]
fn a_solution_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let (x, grid) = (system().solution.unwrap(), system().grid);
    let grid = grid.as_ref().map(|(g, c)| (*g, &c[..]));
    for name in ["x.h5", "x.mtx"] {
        let path = folder.path().join(name);
        write_solution(&path, &x, grid).unwrap();
        assert_eq!(read_solution(&path).unwrap(), x);
    }
    assert!(matches!(system_file::read(&folder.path().join("x.h5")), Err(Error::Malformed { .. })));
}

/// The 2 × 2 matrix [[2, −1], [−1, 2]] with b, before someone spoils it.
struct Draft {
    _folder: tempfile::TempDir,
    path: PathBuf,
    file: Option<File>,
}

impl Draft {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.h5");
        let file = File::create(&path).unwrap();
        let draft = Self { _folder: folder, path, file: Some(file) };
        draft.put("indptr", &[0i64, 2, 4]);
        draft.put("indices", &[0i32, 1, 0, 1]);
        draft.put("data", &[2.0f64, -1.0, -1.0, 2.0]);
        draft.put("b", &[1.0f64, 2.0]);
        draft
    }
    fn file(&self) -> &File {
        self.file.as_ref().unwrap()
    }
    fn put<T: H5Type>(&self, name: &str, values: &[T]) {
        let _ = self.file().unlink(name);
        self.file().new_dataset_builder().with_data(values).create(name).unwrap();
    }
    fn label(&self, name: &str, value: &str) {
        let text: VarLenUnicode = value.parse().unwrap();
        self.file().new_attr::<VarLenUnicode>().create(name).unwrap().write_scalar(&text).unwrap();
    }
    fn read(mut self) -> Result<LinearSystem, Error> {
        self.file.take().unwrap().close().unwrap();
        system_file::read(&self.path)
    }
}

#[test]
fn what_others_write_is_read() {
    let plain = Draft::new().read().unwrap();
    assert_eq!((plain.matrix.get(0, 1), plain.rhs), (-1.0, Some(vec![1.0, 2.0])));
    let spoil: [fn(&Draft); 6] = [
        |d| d.put("indptr", &[0u16, 2, 4]),
        |d| d.put("indices", &[0i64, 1, 0, 1]),
        |d| d.put("data", &[2.0f32, -1.0, -1.0, 2.0]),
        |d| d.put("shape", &[2i64, 2]),
        // Unsorted, and an entry in two parts.
        |d| {
            d.put("indptr", &[0i64, 3, 5]);
            d.put("indices", &[1i32, 0, 0, 1, 0]);
            d.put("data", &[-1.0f64, 1.5, 0.5, 2.0, -1.0]);
        },
        |d| d.label("format", "csr"),
    ];
    for change in spoil {
        let draft = Draft::new();
        change(&draft);
        assert_eq!(draft.read().unwrap().matrix, plain.matrix);
    }
}

#[test]
fn every_fault_is_named_with_its_place_and_its_mend() {
    type Fault = (fn(&Draft), &'static str, &'static str);
    let cases: [Fault; 27] = [
        (|d| d.file().unlink("data").unwrap(), "dataset `data`", "no such dataset"),
        (|d| d.put("indptr", &[0.0f64, 2.0, 4.0]), "dataset `indptr`", "holds floats"),
        (|d| d.put("indptr", &[0i64, 3, 2]), "dataset `indptr`", "runs from 0 to 2"),
        (|d| d.put("indptr", &[0i64, 5, 4]), "dataset `indptr`", "number 1 is 5"),
        (|d| d.put("indptr", &[1i64, 2, 4]), "dataset `indptr`", "runs from 1"),
        (|d| d.put("indptr", &[0i64, -2, 4]), "dataset `indptr`", "number 1 is -2"),
        (|d| d.put("indptr", &[0i64, 3, 2, 4]), "dataset `indptr`", "falls after row 1"),
        (|d| d.put("indices", &[0i32, 1, 0]), "dataset `indices`", "3 numbers instead of 4"),
        (|d| d.put("indices", &[0i32, 1, 0, 2]), "dataset `indices`", "number 3 is 2"),
        (|d| d.put("indices", &[0i32, 1, 0, -1]), "dataset `indices`", "number 3 is -1"),
        (|d| d.put("data", &[2.0, -1.0, f64::NAN, 2.0]), "dataset `data`", "number 2 is NaN"),
        (|d| d.put("b", &[1.0f64]), "dataset `b`", "1 numbers instead of 2"),
        (|d| d.put("b", &[1.0, f64::INFINITY]), "dataset `b`", "number 1 is inf"),
        (|d| d.put("x", &[1.0f64; 3]), "dataset `x`", "3 numbers instead of 2"),
        (|d| d.put("shape", &[2i64]), "`shape`", "[2]"),
        (|d| d.put("shape", &[2i64, 0]), "`shape`", "[2, 0]"),
        (|d| d.put("shape", &[3i64, 2]), "`shape`", "the shape says 3 × 2"),
        (|d| d.label("resolvent_schema", "field"), "attribute `resolvent_schema`", "holds a `field`"),
        (|d| d.label("format", "csc"), "attribute `format`", "`csc`"),
        (
            |d| d.file().new_attr::<i64>().create("version").unwrap().write_scalar(&9).unwrap(),
            "attribute `version`",
            "[9]",
        ),
        (|d| d.label("version", "one"), "attribute `version`", "integers"),
        (
            |d| {
                d.file().unlink("b").unwrap();
                d.file().new_dataset::<f64>().shape((2, 1)).create("b").unwrap();
            },
            "dataset `b`",
            "2 dimensions",
        ),
        (
            |d| {
                d.file().unlink("b").unwrap();
                d.file().create_group("b").unwrap();
            },
            "`b`",
            "cannot be opened",
        ),
        (
            |d| {
                d.file().unlink("b").unwrap();
                d.file().link_soft("/data", "b").unwrap();
            },
            "`b`",
            "link to another place",
        ),
        (
            |d| {
                d.file().unlink("b").unwrap();
                let texts: [VarLenUnicode; 2] = ["1".parse().unwrap(), "2".parse().unwrap()];
                d.file().new_dataset_builder().with_data(&texts).create("b").unwrap();
            },
            "dataset `b`",
            "its type is",
        ),
        // A dataset that promises what the file does not hold.
        (
            |d| {
                d.file().unlink("b").unwrap();
                d.file().new_dataset::<f64>().chunk(1024).shape(1_000_000_000_000usize).create("b").unwrap();
            },
            "dataset `b`",
            "promises 1000000000000 numbers",
        ),
        (
            |d| {
                let grid = d.file().create_group("grid").unwrap();
                grid.new_dataset_builder().with_data(&[1i64, 2]).create("n").unwrap();
                grid.new_dataset_builder().with_data(&[0i64, 2]).create("cells").unwrap();
            },
            "dataset `grid/cells`",
            "number 1 is 2",
        ),
    ];
    for (number, (spoil, place, what)) in cases.into_iter().enumerate() {
        let draft = Draft::new();
        spoil(&draft);
        let e = draft.read().unwrap_err();
        let text = e.to_string();
        assert!(matches!(e, Error::Malformed { .. }) && e.kind() == ErrorKind::Input, "{number}: {text}");
        assert!(text.contains("s.h5") && text.contains(place) && text.contains(what), "{number}: {text}");
        assert!(text.contains("; "), "no mend: {text}");
    }
}

fn try_read(path: &Path, bytes: &[u8]) -> Result<LinearSystem, Error> {
    std::fs::write(path, bytes).unwrap();
    system_file::read(path)
}

#[test]
fn a_truncated_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.h5");
    system().write(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let cut = folder.path().join("cut.h5");
    for length in (0..whole.len()).step_by(1 + whole.len() / 150) {
        let e = try_read(&cut, &whole[..length]).expect_err("a part cannot be the whole");
        assert!(e.kind() == ErrorKind::Input, "{length}: {e}");
    }
}

#[test]
fn a_damaged_file_never_ends_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.h5");
    system().write(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let damaged = folder.path().join("damaged.h5");
    let mut state = 1u64;
    for _ in 0..400 {
        let mut bytes = whole.clone();
        for _ in 0..3 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Metadata lie at the start: damage it more often.
            let range = if state & 1 == 0 { whole.len().min(2048) } else { whole.len() };
            let at = (state >> 33) as usize % range;
            bytes[at] ^= 1 << (state >> 20 & 7);
        }
        // Any answer but a panic or an abort.
        if let Ok(system) = try_read(&damaged, &bytes) {
            assert!(system.matrix.values().iter().all(|v| v.is_finite()));
        }
    }
}
