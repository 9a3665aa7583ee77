//! Systems in HDF5: the round trip, what other writers may store, and every way a file can break the schema.

use hdf5::types::{VarLenAscii, VarLenUnicode};
use hdf5::{File, Group, H5Type};
use resolvent::{Csr, Grid, Map, Properties};
use resolvent_datasets::system_file::{read, write, write_solution};
use resolvent_datasets::{Error, ErrorKind, LinearSystem};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.h5");
    (folder, path)
}

fn store<T: H5Type>(root: &Group, name: &str, values: &[T]) {
    root.new_dataset_builder().with_data(values).create(name).unwrap();
}

fn label(root: &Group, name: &str, value: &str) {
    let value: VarLenUnicode = value.parse().unwrap();
    root.new_attr::<VarLenUnicode>().create(name).unwrap().write_scalar(&value).unwrap();
}

/// The matrix [2 −1 0; −1 2 0; 0 0 4] with b and x, on a grid of 2 × 2 cells; without the datasets in `less`.
fn fill(root: &Group, less: &[&str]) {
    let wanted = |name: &&str| !less.contains(name);
    let integers: [(&str, &[i64]); 3] =
        [("indptr", &[0, 2, 4, 5]), ("indices", &[0, 1, 0, 1, 2]), ("shape", &[3, 3])];
    integers.iter().filter(|(name, _)| wanted(name)).for_each(|(name, v)| store(root, name, v));
    let reals: [(&str, &[f64]); 3] =
        [("data", &[2.0, -1.0, -1.0, 2.0, 4.0]), ("b", &[1.0, 2.0, 3.0]), ("x", &[0.5, 0.25, 0.75])];
    reals.iter().filter(|(name, _)| wanted(name)).for_each(|(name, v)| store(root, name, v));
    if wanted(&"grid") {
        let grid = root.create_group("grid").unwrap();
        store(&grid, "n", &[2i64, 2]);
        store(&grid, "cells", &[0i64, 1, 3]);
    }
}

fn make(path: &Path, less: &[&str], more: impl FnOnce(&File)) {
    let file = File::create(path).unwrap();
    fill(&file, less);
    more(&file);
}

fn bits(v: &[f64]) -> Vec<u64> {
    v.iter().map(|v| v.to_bits()).collect()
}

#[test]
fn a_system_reads_back_to_the_bit() {
    let values = [f64::MAX, f64::MIN_POSITIVE, -0.0, 5e-324, 0.1, -1e-300];
    let matrix = Csr::new(3, 4, vec![0, 2, 2, 6], vec![1, 3, 0, 1, 2, 3], values.to_vec()).unwrap();
    let system = LinearSystem {
        matrix: matrix.clone(),
        rhs: Some(vec![1.0 / 3.0, -0.0, f64::MIN]),
        solution: Some(vec![1e-310, 2.0, 3.0, f64::EPSILON]),
        grid: Some((Grid::new_3d(2, 3, 1).unwrap(), vec![5, 0, 3])),
        meta: vec![
            ("family".into(), "näme".into()),
            ("seed".into(), "7".into()),
            ("empty".into(), "".into()),
        ],
    };
    let (folder, path) = place();
    write(&path, &system).unwrap();
    let back = read(&path).unwrap();
    assert_eq!(back.matrix, matrix);
    assert_eq!(bits(back.matrix.values()), bits(&values));
    assert_eq!(back.matrix.properties(), Properties::NONE);
    assert_eq!(bits(&back.rhs.unwrap()), bits(system.rhs.as_ref().unwrap()));
    assert_eq!(bits(&back.solution.unwrap()), bits(system.solution.as_ref().unwrap()));
    assert_eq!(back.grid, system.grid);
    let mut meta = system.meta.clone();
    meta.sort();
    assert_eq!(back.meta, meta);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");

    // Over an existing file, and with nothing but the matrix.
    let bare = LinearSystem::from(Csr::from_triplets(2, 2, &[(0, 1, 3.0), (1, 0, 3.0)]).unwrap());
    write(&path, &bare).unwrap();
    let back = read(&path).unwrap();
    assert_eq!(back.matrix, bare.matrix);
    assert_eq!(back.matrix.properties(), Properties::SYMMETRIC);
    assert!(back.rhs.is_none() && back.solution.is_none() && back.grid.is_none() && back.meta.is_empty());
}

#[test]
fn what_is_larger_than_a_block_reads_back() {
    let n = 300_000usize;
    let triplets: Vec<(u32, u32, f64)> = (0..n as u32).map(|i| (i, i, f64::from(i) + 0.5)).collect();
    let matrix = Csr::from_triplets(n, n, &triplets).unwrap();
    let rhs: Vec<f64> = (0..n).map(|i| 1.0 / (i + 1) as f64).collect();
    let (_folder, path) = place();
    write(&path, &LinearSystem { rhs: Some(rhs.clone()), ..matrix.clone().into() }).unwrap();
    let back = read(&path).unwrap();
    assert_eq!((back.matrix, back.rhs.unwrap()), (matrix, rhs));
}

#[test]
fn the_file_of_these_tests_is_valid() {
    let (_folder, path) = place();
    make(&path, &[], |_| ());
    let system = read(&path).unwrap();
    assert_eq!(system.matrix.row(1), (&[0, 1][..], &[-1.0, 2.0][..]));
    assert_eq!(system.matrix.properties(), Properties::SYMMETRIC);
    assert_eq!(system.grid.unwrap().1, [0, 1, 3]);
    // Only the matrix is needed; without a shape it is square.
    make(&path, &["b", "x", "grid", "shape"], |_| ());
    let system = read(&path).unwrap();
    assert_eq!((system.matrix.rows(), system.matrix.cols()), (3, 3));
    assert!(system.rhs.is_none() && system.solution.is_none() && system.grid.is_none());
}

#[test]
fn any_width_of_number_and_any_order_are_taken() {
    let (_folder, path) = place();
    make(&path, &["indptr", "indices", "data", "shape", "b"], |f| {
        store(f, "indptr", &[0u8, 2, 4, 5]);
        // Unsorted, and (1, 1) in two parts.
        store(f, "indices", &[1u16, 0, 1, 1, 2]);
        store(f, "data", &[1i8, 2, 3, 4, 5]);
        f.new_attr::<u32>().shape(2).create("shape").unwrap().write(&[3u32, 3]).unwrap();
        store(f, "b", &[1.5f32, 0.1, 2.0]);
    });
    let system = read(&path).unwrap();
    assert_eq!(*system.matrix.offsets(), [0, 2, 3, 4][..]);
    assert_eq!(system.matrix.columns(), [0, 1, 1, 2]);
    assert_eq!(system.matrix.values(), [2.0, 1.0, 7.0, 5.0]);
    assert_eq!(system.rhs.unwrap(), [1.5, f64::from(0.1f32), 2.0]);
}

#[test]
fn compressed_and_chunked_data_are_taken() {
    let (_folder, path) = place();
    let n = 700_000usize;
    let long: Vec<f64> = (0..n).map(|i| (i % 100) as f64).collect();
    make(&path, &["indptr", "indices", "shape", "data", "b", "x", "grid"], |f| {
        let of = |chunk: usize| f.new_dataset_builder().chunk(chunk);
        let indptr: Vec<i64> = (0..=n as i64).collect();
        of(1000).deflate(4).with_data(&indptr).create("indptr").unwrap();
        let indices: Vec<i32> = (0..n as i32).collect();
        of(100_000).shuffle().deflate(9).with_data(&indices).create("indices").unwrap();
        // One chunk for all, larger than what is read at a time.
        of(n).lzf().with_data(&long).create("data").unwrap();
        of(4096).fletcher32().with_data(&long).create("b").unwrap();
    });
    let system = read(&path).unwrap();
    assert_eq!(system.matrix.values(), long);
    assert_eq!(system.matrix.columns().last(), Some(&(n as u32 - 1)));
    assert_eq!(system.rhs.unwrap(), long);
}

#[test]
fn strings_of_any_kind_are_taken() {
    let (_folder, path) = place();
    make(&path, &[], |f| {
        let ascii = VarLenAscii::from_ascii("system").unwrap();
        f.new_attr::<VarLenAscii>().create("resolvent_schema").unwrap().write_scalar(&ascii).unwrap();
        f.new_attr::<u8>().create("version").unwrap().write_scalar(&1).unwrap();
        let meta = f.create_group("meta").unwrap();
        let fixed = hdf5::types::FixedAscii::<8>::from_ascii("short").unwrap();
        meta.new_attr::<hdf5::types::FixedAscii<8>>().create("a").unwrap().write_scalar(&fixed).unwrap();
        let fixed: hdf5::types::FixedUnicode<8> = "größe".parse().unwrap();
        meta.new_attr::<hdf5::types::FixedUnicode<8>>().create("b").unwrap().write_scalar(&fixed).unwrap();
    });
    let meta = read(&path).unwrap().meta;
    assert_eq!(meta, [("a".into(), "short".into()), ("b".into(), "größe".into())]);
}

/// Makes a file and compares the message after its name.
fn refused(less: &[&str], more: impl FnOnce(&File), expected: &str) {
    let (_folder, path) = place();
    make(&path, less, more);
    let e = read(&path).err().unwrap_or_else(|| panic!("this was read, not refused: {expected}"));
    assert!(matches!(&e, Error::Malformed { path: p, .. } if *p == path), "{e}");
    assert_eq!(e.kind(), ErrorKind::Input);
    let text = e.to_string();
    let text = text.strip_prefix(&format!("{}, ", path.display())).unwrap();
    assert_eq!(text, expected);
}

#[test]
fn missing_datasets() {
    for name in ["indptr", "indices", "data"] {
        let mend = "store the matrix as `indptr`, `indices` and `data`, as scipy.sparse.csr_matrix has them";
        refused(&[name], |_| (), &format!("dataset `{name}`: there is no such dataset; {mend}"));
    }
    for (name, other) in [("n", "cells"), ("cells", "n")] {
        refused(
            &["grid"],
            |f| store(&f.create_group("grid").unwrap(), other, &[1i64, 2, 3]),
            &format!("dataset `grid/{name}`: there is no such dataset; store `n` and `cells`, or no `grid`"),
        );
    }
}

#[test]
fn wrong_types_and_shapes() {
    let whole = |name: &str, what: &str| format!("dataset `{name}`: it holds floats; store integers: {what}");
    refused(
        &["indptr"],
        |f| store(f, "indptr", &[0.0f64, 2.0, 4.0, 5.0]),
        &whole("indptr", "row bounds run from 0 to 5, the length of `data`"),
    );
    refused(
        &["indices"],
        |f| store(f, "indices", &[0.0f32; 5]),
        &whole("indices", "columns run from 0 to 2"),
    );
    refused(
        &["grid"],
        |f| {
            let grid = f.create_group("grid").unwrap();
            store(&grid, "n", &[2.0f64, 2.0]);
            store(&grid, "cells", &[0i64, 1, 3]);
        },
        &whole("grid/n", "sides are at least 1"),
    );
    refused(
        &["data"],
        |f| store(f, "data", &[true, false, true, false, true]),
        "dataset `data`: its type is bool; store integers or floats",
    );
    let text: VarLenUnicode = "two".parse().unwrap();
    refused(
        &["b"],
        |f| store(f, "b", &[text.clone(), text.clone(), text.clone()]),
        "dataset `b`: its type is unicode (var len); store integers or floats",
    );
    refused(
        &["data"],
        |f| {
            let data = f.new_dataset::<f64>().shape((5, 1)).create("data").unwrap();
            data.write_raw(&[1.0f64; 5]).unwrap();
        },
        "dataset `data`: it has 2 dimensions; store it with one dimension",
    );
    refused(
        &["b"],
        |f| f.new_dataset::<f64>().create("b").unwrap().write_scalar(&1.0f64).unwrap(),
        "dataset `b`: it has 0 dimensions; store it with one dimension",
    );
    refused(
        &["data"],
        |f| drop(f.create_group("data").unwrap()),
        "dataset `data`: it cannot be opened (not a dataset); make it a dataset of numbers",
    );
    refused(
        &["grid"],
        |f| store(f, "grid", &[2i64, 2]),
        "`grid`: this is no group, or a damaged one; make it a group",
    );
}

#[test]
fn wrong_lengths() {
    refused(
        &["indices"],
        |f| store(f, "indices", &[0i32; 4]),
        "dataset `indices`: it has 4 numbers instead of 5; give it one number for each of `data`",
    );
    refused(
        &["b"],
        |f| store(f, "b", &[1.0; 4]),
        "dataset `b`: it has 4 numbers instead of 3; give it one number for each row of the matrix",
    );
    refused(
        &["x"],
        |f| store(f, "x", &[1.0; 2]),
        "dataset `x`: it has 2 numbers instead of 3; give it one number for each column of the matrix",
    );
    refused(
        &["indptr"],
        |f| store(f, "indptr", &[0i64]),
        "dataset `indptr`: it has 1 numbers; a matrix needs a row",
    );
    refused(
        &["grid"],
        |f| {
            let grid = f.create_group("grid").unwrap();
            store(&grid, "n", &[2i64, 2]);
            store(&grid, "cells", &[0i64, 1]);
        },
        "dataset `grid/cells`: it has 2 numbers instead of 3; give it the cell of each row of the matrix",
    );
}

#[test]
fn numbers_that_make_no_matrix() {
    for (v, word) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        for name in ["b", "x"] {
            refused(
                &[name],
                |f| store(f, name, &[1.0, v, 3.0]),
                &format!("dataset `{name}`: number 1 is {word}; every value must be a finite number"),
            );
        }
        refused(
            &["data"],
            |f| store(f, "data", &[1.0, 2.0, 3.0, 4.0, v]),
            &format!("dataset `data`: number 4 is {word}; every value must be a finite number"),
        );
    }
    let indptr = |v: [i64; 4], expected: &str| {
        refused(&["indptr"], |f| store(f, "indptr", &v), &format!("dataset `indptr`: {expected}"));
    };
    let bounds = "row bounds run from 0 to 5, the length of `data`";
    indptr([0, 4, 2, 5], "it falls after row 1; row bounds must not fall");
    indptr([1, 2, 4, 5], &format!("it runs from 1 to 5; {bounds}"));
    indptr([0, 2, 4, 4], &format!("it runs from 0 to 4; {bounds}"));
    indptr([0, 2, 4, 6], &format!("number 3 is 6; {bounds}"));
    indptr([0, -2, 4, 5], &format!("number 1 is -2; {bounds}"));
    for bad in [3, -1, i64::MAX] {
        refused(
            &["indices"],
            |f| store(f, "indices", &[0, 1, 0, bad, 2]),
            &format!("dataset `indices`: number 3 is {bad}; columns run from 0 to 2"),
        );
    }
    refused(
        &["indices", "data"],
        |f| {
            store(f, "indices", &[0i32, 0, 1, 2, 2]);
            store(f, "data", &[1.7e308, 1.7e308, 1.0, 1.0, 1.0]);
        },
        "dataset `data`: it makes no matrix: matrix values: entry 0 is inf; every entry must be finite; store each entry \
         once, and finite",
    );
}

#[test]
fn shapes() {
    let shape = |v: &[i64], expected: &str| refused(&["shape"], |f| store(f, "shape", v), expected);
    let mend = "store rows and columns, both at least 1";
    shape(&[3], &format!("`shape`: the shape is [3]; {mend}"));
    shape(&[3, 3, 1], &format!("`shape`: the shape is [3, 3, 1]; {mend}"));
    shape(&[3, 0], &format!("`shape`: the shape is [3, 0]; {mend}"));
    shape(&[3, -3], &format!("`shape`: the shape is [3, -3]; {mend}"));
    shape(
        &[4, 3],
        "`shape`: the shape says 4 × 3, `indptr` has 3 rows; give `indptr` one number more than there are rows",
    );
    shape(&[1; 17], "dataset `shape`: it has 17 numbers; store rows and columns");
    shape(
        &[3, 1 << 32],
        "dataset `indptr`: the matrix is 3 × 4294967296, more than a 32-bit index counts; use a smaller matrix",
    );
    refused(
        &["shape"],
        |f| store(f, "shape", &[3.0f64, 3.0]),
        "dataset `shape`: it holds floats; store integers: store rows and columns",
    );
    refused(
        &["shape"],
        |f| label(f, "shape", "3x3"),
        "attribute `shape`: these are not a few integers; store one integer or a few",
    );
}

#[test]
fn grids() {
    let grid = |n: &[i64], cells: [i64; 3], expected: &str| {
        refused(
            &["grid"],
            |f| {
                let grid = f.create_group("grid").unwrap();
                store(&grid, "n", n);
                store(&grid, "cells", &cells);
            },
            expected,
        );
    };
    let sides = "store the cells along x, y and, in 3-D, z";
    grid(&[4], [0; 3], &format!("dataset `grid/n`: it has 1 numbers; {sides}"));
    grid(&[1; 4], [0; 3], &format!("dataset `grid/n`: it has 4 numbers; {sides}"));
    grid(&[2, -2], [0; 3], "dataset `grid/n`: number 1 is -2; sides are at least 1");
    grid(
        &[2, 0],
        [0; 3],
        &format!("dataset `grid/n`: grid [2, 0, 1]: every side needs at least one cell; {sides}"),
    );
    grid(
        &[1 << 20, 1 << 20],
        [0; 3],
        &format!(
            "dataset `grid/n`: grid [1048576, 1048576, 1]: more cells than a 32-bit index counts; use a coarser grid; \
             {sides}"
        ),
    );
    grid(&[2, 2], [0, 4, 1], "dataset `grid/cells`: number 1 is 4; cells run from 0 to 3");
    grid(&[2, 2], [0, 1, -1], "dataset `grid/cells`: number 2 is -1; cells run from 0 to 3");
}

#[test]
fn labels() {
    refused(
        &[],
        |f| label(f, "resolvent_schema", "solution"),
        "attribute `resolvent_schema`: the file holds a `solution`; a `system` is needed",
    );
    refused(
        &[],
        |f| f.new_attr::<i64>().create("resolvent_schema").unwrap().write_scalar(&1).unwrap(),
        "attribute `resolvent_schema`: this is not a string; store one string in UTF-8",
    );
    let version = |v: i64| {
        refused(
            &[],
            |f| f.new_attr::<i64>().create("version").unwrap().write_scalar(&v).unwrap(),
            &format!(
                "attribute `version`: the version is [{v}]; this program reads version 1; use a newer one, or write the \
                 file again"
            ),
        );
    };
    version(2);
    version(-1);
    let few = "attribute `version`: these are not a few integers; store one integer or a few";
    refused(&[], |f| label(f, "version", "1"), few);
    refused(
        &[],
        |f| f.new_attr::<i64>().shape(17).create("version").unwrap().write(&[1i64; 17]).unwrap(),
        few,
    );
    for name in ["format", "h5sparse_format"] {
        refused(
            &[],
            |f| label(f, name, "csc"),
            &format!("attribute `{name}`: the matrix is stored as `csc`; store it with `.tocsr()`"),
        );
    }
    refused(
        &[],
        |f| {
            let meta = f.create_group("meta").unwrap();
            meta.new_attr::<f64>().create("seed").unwrap().write_scalar(&1.0).unwrap();
        },
        "attribute `seed` of `meta`: this is not a string; store one string in UTF-8",
    );
}

#[test]
fn files_that_are_solutions_are_told_from_systems() {
    let (_folder, path) = place();
    let grid = Grid::new_2d(3, 2).unwrap();
    write_solution(&path, &[1.5, -2.5], Some((grid, &[1, 4]))).unwrap();
    let file = File::open(&path).unwrap();
    assert_eq!(file.dataset("x").unwrap().read_raw::<f64>().unwrap(), [1.5, -2.5]);
    assert_eq!(file.dataset("grid/n").unwrap().read_raw::<i64>().unwrap(), [3, 2]);
    assert_eq!(file.dataset("grid/cells").unwrap().read_raw::<i64>().unwrap(), [1, 4]);
    drop(file);
    let e = read(&path).unwrap_err().to_string();
    assert!(
        e.ends_with("attribute `resolvent_schema`: the file holds a `solution`; a `system` is needed"),
        "{e}"
    );
    write_solution(&path, &[1.0], None).unwrap();
    assert!(!File::open(&path).unwrap().link_exists("grid"));
}

#[test]
fn systems_that_do_not_fit_together_are_not_written() {
    let (folder, path) = place();
    let matrix = Csr::from_triplets(2, 3, &[(0, 0, 1.0), (1, 2, 1.0)]).unwrap();
    let bare = LinearSystem::from(matrix);
    let grid = Grid::new_2d(2, 2).unwrap();
    let systems = [
        ("b", 2, LinearSystem { rhs: Some(vec![0.0; 5]), ..bare.clone() }),
        ("x", 3, LinearSystem { solution: Some(vec![0.0; 5]), ..bare.clone() }),
        ("cells", 2, LinearSystem { grid: Some((grid, vec![0; 5])), ..bare.clone() }),
    ];
    for (name, expected, system) in systems {
        let e = write(&path, &system).unwrap_err();
        assert_eq!(e.to_string(), format!("{name} has 5 entries, but {expected} are needed to write it"));
        assert!(matches!(e, Error::Length { got: 5, .. }) && e.kind() == ErrorKind::Input);
    }
    let nul = LinearSystem { meta: vec![("a".into(), "b\0c".into())], ..bare.clone() };
    let e = write(&path, &nul).unwrap_err();
    assert!(matches!(&e, Error::Write { path: p, .. } if *p == path), "{e}");
    assert!(e.to_string().contains("a label holds a zero byte"), "{e}");
    let e = write(&folder.path().join("no/s.h5"), &bare).unwrap_err();
    assert!(matches!(e, Error::Write { .. }) && e.kind() == ErrorKind::Resource, "{e}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left of a failed write");
}
