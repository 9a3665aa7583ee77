//! The first file that is read in a process, while other threads are in the HDF5 library.

use resolvent::Csr;
use resolvent_datasets::{LinearSystem, write_solution};
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn the_first_read_leaves_the_writers_beside_it_alone() {
    let folder = tempfile::tempdir().unwrap();
    let system = folder.path().join("system.h5");
    LinearSystem::from(Csr::from_triplets(1, 1, &[(0, 0, 2.0)]).unwrap()).write(&system).unwrap();
    let (done, folder, system) = (AtomicBool::new(false), folder.path(), &system);
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let done = &done;
            scope.spawn(move || {
                let path = folder.join(format!("{writer}.h5"));
                let mut wrote = 0;
                while !done.load(Ordering::Relaxed) || wrote == 0 {
                    write_solution(&path, &[f64::from(wrote)], None).unwrap();
                    let file = hdf5::File::open(&path).unwrap();
                    assert_eq!(file.dataset("x").unwrap().read_raw::<f64>().unwrap(), [f64::from(wrote)]);
                    wrote += 1;
                }
            });
        }
        let read = scope.spawn(move || LinearSystem::read(system).unwrap().matrix);
        let matrix = read.join();
        done.store(true, Ordering::Relaxed);
        let one = Csr::from_triplets(1, 1, &[(0, 0, 2.0)]).unwrap();
        assert_eq!(matrix.unwrap(), one);
    });
}
