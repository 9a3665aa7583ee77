//! Chunks that are not packed are read from where they lie, and have the numbers that the library reads.

use hdf5::File;
use ndarray::Array3;
use resolvent_datasets::foreign::Source;
use std::ops::Range;
use std::path::Path;

const SHAPE: (usize, usize, usize) = (3, 40, 1500);

fn write(path: &Path, userblock: u64, newest: bool, packed: bool) {
    let mut options = File::with_options();
    options.with_fcpl(|p| p.userblock(userblock));
    if newest {
        options.with_fapl(|p| p.libver_latest());
    }
    let file = options.create(path).unwrap();
    let of = file.new_dataset::<f32>().shape(SHAPE).chunk((1, 16, 600));
    let of = if packed { of.deflate(1) } else { of };
    let u = of.create("u").unwrap();
    let values = Array3::from_shape_fn(SHAPE, |(i, j, k)| (100_000 * i + 2000 * j + k) as f32);
    u.write(&values).unwrap();
}

#[test]
fn any_box_has_the_numbers_that_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("u.h5");
    let boxes: [[Range<usize>; 3]; 7] = [
        [0..3, 0..40, 0..1500],
        [1..2, 16..32, 600..1200],
        [0..1, 3..29, 0..600],
        [0..2, 0..17, 0..1500],
        [2..3, 32..40, 1200..1500],
        [1..3, 39..40, 5..1499],
        [0..3, 20..21, 599..602],
    ];
    for (userblock, newest, packed) in
        [(0, false, false), (512, false, false), (0, true, false), (512, true, true)]
    {
        write(&path, userblock, newest, packed);
        let source = Source::open(&path).unwrap();
        let u = source.dataset("u").unwrap().unwrap();
        for part in &boxes {
            let mut values = vec![0.0f32; part.iter().map(Range::len).product()];
            u.read(part, &mut values).unwrap();
            let mut values = values.into_iter();
            for i in part[0].clone() {
                for (j, k) in part[1].clone().flat_map(|j| part[2].clone().map(move |k| (j, k))) {
                    let expected = (100_000 * i + 2000 * j + k) as f32;
                    assert_eq!(values.next(), Some(expected), "{part:?} at {i}, {j}, {k}");
                }
            }
        }
    }
}

#[test]
fn chunks_cut_off_with_their_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("u.h5");
    write(&path, 0, false, false);
    let source = Source::open(&path).unwrap();
    let u = source.dataset("u").unwrap().unwrap();
    let mut values = vec![0.0f32; 3 * 40 * 1500];
    u.read(&[0..3, 0..40, 0..1500], &mut values).unwrap();
    // Another program cuts the file off while it is open here.
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(100_000).unwrap();
    let e = u.read(&[0..3, 0..40, 0..1500], &mut values).unwrap_err().to_string();
    assert!(e.contains("u.h5") && !e.contains('\n'), "{e}");
}
