//! Small valid files of every kind people have.

use hdf5::types::{FixedAscii, VarLenUnicode};
use hdf5::{File, Location};
use resolvent::{Csr, Grid};
use resolvent_datasets::{LinearSystem, system_file};
use std::path::{Path, PathBuf};

pub fn label(location: &Location, name: &str, text: &str) {
    let text: VarLenUnicode = text.parse().unwrap();
    location.new_attr::<VarLenUnicode>().create(name).unwrap().write_scalar(&text).unwrap();
}

/// Writes each of the files and says where they are.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let path = |name: &str| folder.join(name);
    let triplets: Vec<(u32, u32, f64)> = (0..40).map(|i| (i / 2, i % 20, f64::from(i))).collect();
    let system = LinearSystem {
        rhs: Some(vec![1.0; 20]),
        grid: Some((Grid::new_2d(5, 4).unwrap(), (0..20).collect())),
        meta: vec![("family".into(), "box".into())],
        ..Csr::from_triplets(20, 20, &triplets).unwrap().into()
    };
    system_file::write(&path("system.h5"), &system).unwrap();
    for newest in [false, true] {
        let create = |name: &str| {
            let name = format!("{name}-{}.h5", if newest { "newest" } else { "earliest" });
            File::with_options()
                .with_fapl(|p| if newest { p.libver_latest() } else { p.libver_earliest() })
                .create(path(&name))
                .unwrap()
        };
        pdebench(&create("pdebench"));
        well(&create("well"));
        packed(&create("packed"));
        texts(&create("texts"));
        nested(&create("nested"));
    }
    let mat = File::with_options().with_fcpl(|p| p.userblock(512)).create(path("level73.h5")).unwrap();
    matlab(&mat);
    drop(mat);
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    all.sort();
    all
}

fn pdebench(file: &File) {
    let values = ndarray::Array3::from_shape_fn((4, 8, 16), |(i, j, k)| (100 * i + 10 * j + k) as f32);
    let of = file.new_dataset_builder().chunk((1, 8, 8)).shuffle().deflate(4);
    of.with_data(&values).create("tensor").unwrap();
    file.new_dataset_builder().with_data(&[0.5f32; 16]).create("x-coordinate").unwrap();
    file.new_dataset_builder().with_data(&[0.25f32; 9]).create("t-coordinate").unwrap();
    file.new_attr::<f64>().create("Nu").unwrap().write_scalar(&0.01).unwrap();
    label(file, "config", "sim:\n  nu: 0.01\n  name: burgers\n");
}

fn well(file: &File) {
    label(file, "dataset_name", "dummy");
    label(file, "grid_type", "cartesian");
    file.new_attr::<i64>().create("n_trajectories").unwrap().write_scalar(&2).unwrap();
    let fields = file.create_group("t0_fields").unwrap();
    let names: Vec<VarLenUnicode> = ["density", "energy"].map(|s| s.parse().unwrap()).into();
    fields.new_attr::<VarLenUnicode>().shape(2).create("field_names").unwrap().write(&names).unwrap();
    for name in ["density", "energy"] {
        let values = ndarray::Array4::from_shape_fn((2, 3, 4, 4), |(i, ..)| i as f32);
        let field = fields.new_dataset_builder().with_data(&values).create(name).unwrap();
        field.new_attr::<bool>().shape(2).create("dim_varying").unwrap().write(&[true, true]).unwrap();
        field.new_attr::<bool>().create("time_varying").unwrap().write_scalar(&true).unwrap();
    }
    let dimensions = file.create_group("dimensions").unwrap();
    for (name, n) in [("time", 3), ("x", 4), ("y", 4)] {
        dimensions.new_dataset_builder().with_data(&vec![1.0f32; n]).create(name).unwrap();
    }
}

/// Every filter and every index of chunks.
fn packed(file: &File) {
    let values: Vec<f64> = (0..64).map(f64::from).collect();
    let of = || file.new_dataset_builder().chunk(16);
    of().lzf().with_data(&values).create("lzf").unwrap();
    of().fletcher32().with_data(&values).create("fletcher32").unwrap();
    of().shuffle().deflate(9).with_data(&values).create("deflate").unwrap();
    let grows = file.new_dataset::<i32>().shape((0.., 0..)).chunk((4, 4)).deflate(1).create("grows").unwrap();
    grows.resize((8, 8)).unwrap();
    grows.write(&ndarray::Array2::<i32>::ones((8, 8))).unwrap();
    let longer = file.new_dataset::<u8>().shape(0..).chunk(32).create("longer").unwrap();
    longer.resize(100).unwrap();
    longer.write(&[7u8; 100]).unwrap();
}

fn texts(file: &File) {
    let words: Vec<VarLenUnicode> = ["a", "größe", "", "four"].map(|s| s.parse().unwrap()).into();
    file.new_dataset_builder().with_data(&words).create("words").unwrap();
    let fixed = [FixedAscii::<8>::from_ascii("one").unwrap(), FixedAscii::from_ascii("two").unwrap()];
    file.new_dataset_builder().with_data(&fixed).create("fixed").unwrap();
    for i in 0..20 {
        label(file, &format!("attribute {i}"), &"text ".repeat(i));
    }
}

fn nested(file: &File) {
    let mut group = file.create_group("g").unwrap();
    for level in 0..6 {
        group.new_dataset_builder().with_data(&[f64::from(level); 5]).create("v").unwrap();
        group.new_attr::<i32>().create("level").unwrap().write_scalar(&level).unwrap();
        group = group.create_group("g").unwrap();
    }
    for i in 0..40 {
        group.create_group(&format!("many {i}")).unwrap();
    }
}

fn matlab(file: &File) {
    let class = |location: &Location, name: &str| {
        let name = FixedAscii::<6>::from_ascii(name).unwrap();
        location.new_attr::<FixedAscii<6>>().create("MATLAB_class").unwrap().write_scalar(&name).unwrap();
    };
    let values = ndarray::Array2::<f64>::eye(8);
    let x = file.new_dataset_builder().chunk((2, 8)).deflate(3).with_data(&values);
    class(&x.create("usol").unwrap(), "double");
    let text: Vec<u16> = "burgers".encode_utf16().collect();
    class(&file.new_dataset_builder().with_data(&text).create("name").unwrap(), "char");
}
