//! A small system, dataset by dataset, for tests that spoil it.

use hdf5::{Group, H5Type};

/// A dataset of one dimension.
pub fn store<T: H5Type>(root: &Group, name: &str, values: &[T]) {
    root.new_dataset_builder().with_data(values).create(name).unwrap();
}

/// A diagonal matrix of `n` rows and b, all but the datasets in `less`.
pub fn fill(root: &Group, n: usize, less: &[&str]) {
    let count: Vec<i64> = (0..=n as i64).collect();
    let ones = vec![1.0f64; n];
    for (name, v) in [("indptr", &count[..]), ("indices", &count[..n])] {
        if !less.contains(&name) {
            store(root, name, v);
        }
    }
    for name in ["data", "b"] {
        if !less.contains(&name) {
            store(root, name, &ones);
        }
    }
}
