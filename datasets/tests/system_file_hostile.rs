//! HDF5 files made to do harm are refused in one sentence, before memory is given to them.

use hdf5::File;
use hdf5::plist::dataset_create::{AllocTime, FillTime};
use resolvent_datasets::{Error, ErrorKind, system_file};
use std::path::Path;

#[path = "system_file/diagonal.rs"]
mod diagonal;

use diagonal::{fill, store};

/// Makes a file without one dataset but with something else of that name, and compares the message.
fn refused(name: &str, more: impl FnOnce(&File, &Path), expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.h5");
    let file = File::create(&path).unwrap();
    fill(&file, 100, &[name]);
    more(&file, folder.path());
    drop(file);
    let e = system_file::read(&path).err().unwrap_or_else(|| panic!("read, not refused: {expected}"));
    assert!(matches!(e, Error::Malformed { .. }), "{e}");
    assert_eq!(e.to_string(), format!("{}, {expected}", path.display()));
}

#[test]
fn links_to_other_places() {
    let elsewhere = "`b`: this is a link to another place; store the data themselves under this name";
    refused("b", |f, _| f.link_soft("/data", "b").unwrap(), elsewhere);
    refused("b", |f, _| f.link_soft("/nowhere", "b").unwrap(), elsewhere);
    refused("b", |f, _| f.link_external("other.h5", "/b", "b").unwrap(), elsewhere);
    refused("b", |f, _| f.link_external("/etc/passwd", "/", "b").unwrap(), elsewhere);
    for group in ["grid", "meta"] {
        refused(
            "",
            |f, _| f.link_soft("/", group).unwrap(),
            &format!("`{group}`: this is a link to another place; store the data themselves under this name"),
        );
    }
}

#[test]
fn data_in_other_files() {
    refused(
        "b",
        |f, folder| {
            let other = folder.join("secret.bin");
            std::fs::write(&other, [0; 800]).unwrap();
            let b = f.new_dataset::<f64>().shape(100).external(other.to_str().unwrap(), 0, 800);
            b.create("b").unwrap();
        },
        "dataset `b`: its data lie in another file; store its data in this file",
    );
    refused(
        "b",
        |f, folder| {
            let other = File::create(folder.join("other.h5")).unwrap();
            store(&other, "v", &[1.0; 100]);
            drop(other);
            let b = f.new_dataset::<f64>().shape(100).virtual_map("other.h5", "v", 100, .., 100, ..);
            b.create("b").unwrap();
        },
        "dataset `b`: it is a virtual dataset; store its data in this file",
    );
}

#[test]
fn promises_the_file_does_not_keep() {
    // Never written, so nothing is stored.
    for n in [100usize, 1 << 40] {
        refused(
            "b",
            |f, _| {
                let b =
                    f.new_dataset::<f64>().shape(n).chunk(100).deflate(1).alloc_time(Some(AllocTime::Late));
                b.create("b").unwrap();
            },
            &format!(
                "dataset `b`: it promises {n} numbers, but the file stores 0 bytes for it; write the file again: it may \
                 be cut off or damaged"
            ),
        );
    }
    refused(
        "indptr",
        |f, _| {
            let p = f
                .new_dataset::<i64>()
                .shape(1 << 33)
                .alloc_time(Some(AllocTime::Late))
                .fill_time(FillTime::Never);
            p.create("indptr").unwrap();
        },
        "dataset `indptr`: it promises 8589934592 numbers, but the file stores 0 bytes for it; write the file again: it \
         may be cut off or damaged",
    );
    // A chunk is unpacked as a whole: ten gigabytes of it.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chunk.h5");
    let file = File::create(&path).unwrap();
    fill(&file, 100, &["b"]);
    let b = file.new_dataset::<f64>().shape((0..,)).chunk(1 << 27).deflate(9).create("b").unwrap();
    b.resize(100).unwrap();
    drop((b, file));
    let e = system_file::read(&path).unwrap_err().to_string();
    assert!(e.contains("dataset `b`: it promises 100 numbers, but the file stores 0 bytes"), "{e}");
}

#[test]
fn chunks_larger_than_what_is_stored() {
    // 4 kB of numbers in a chunk of 64 MB that packs to about 64 kB.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.h5");
    // The earliest format, whose headers have no checksums.
    let file = File::with_options().with_fapl(|p| p.libver_earliest()).create(&path).unwrap();
    fill(&file, 512, &["b"]);
    let b = file.new_dataset::<f64>().shape((0..,)).chunk(1 << 23).deflate(9).create("b").unwrap();
    b.resize(512).unwrap();
    b.write(&vec![1.0; 512]).unwrap();
    drop((b, file));
    // It is what gzip can do, so it is read.
    assert_eq!(system_file::read(&path).unwrap().rhs.unwrap(), vec![1.0; 512]);
    // The same with 2 GB claimed for the chunk: its 8 bytes an entry follow its length in the layout.
    let mut bytes = std::fs::read(&path).unwrap();
    let layout = [(1u32 << 23).to_le_bytes(), 8u32.to_le_bytes()].concat();
    let at = bytes.windows(8).position(|w| w == layout).unwrap();
    bytes[at..at + 4].copy_from_slice(&0x0fff_ffffu32.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let e = system_file::read(&path).unwrap_err().to_string();
    assert!(e.contains("dataset `b`: ") && e.contains("it may be cut off or damaged"), "{e}");
}

#[test]
fn filters_that_are_not_known() {
    refused(
        "b",
        |f, _| {
            let b = f.new_dataset_builder().chunk(100).nbit().with_data(&[1.0; 100]);
            b.create("b").unwrap();
        },
        "dataset `b`: its filter NBit is not known here; store it with gzip, lzf, or uncompressed",
    );
}

#[test]
fn files_that_are_no_hdf5() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.h5");
    let text = "this is not an HDF5 file; write it with h5py or `resolvent data make`, or copy it again: its start may be \
                missing";
    for content in [&b""[..], b"\x89HDF\r\n\x1a", b"%%MatrixMarket matrix", &[0; 5000]] {
        std::fs::write(&path, content).unwrap();
        let e = system_file::read(&path).unwrap_err();
        assert_eq!(e.to_string(), format!("{}, the start: {text}", path.display()));
    }
    // The signature alone.
    for start in [0, 512, 1024] {
        let mut content = vec![0u8; start];
        content.extend(b"\x89HDF\r\n\x1a\n");
        std::fs::write(&path, content).unwrap();
        let e = system_file::read(&path).unwrap_err().to_string();
        assert!(e.starts_with(&format!("{}, the superblock: it cannot be read (", path.display())), "{e}");
        assert!(e.ends_with("; copy or write the file again: it may be cut off or damaged"), "{e}");
        assert!(!e.contains('\n'), "{e}");
    }
    for path in [folder.path().join("missing.h5"), folder.path().to_path_buf()] {
        let e = system_file::read(&path).unwrap_err();
        assert!(matches!(&e, Error::Open { path: p, .. } if *p == path), "{e}");
    }
}

#[test]
fn a_file_that_is_being_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.h5");
    fill(&File::create(&path).unwrap(), 10, &[]);
    let writer = std::fs::File::open(&path).unwrap();
    writer.lock().unwrap();
    let e = system_file::read(&path).unwrap_err();
    assert!(matches!(e, Error::Open { .. }) && e.kind() == ErrorKind::Resource, "{e}");
    assert!(e.to_string().contains("another program has it open for writing"), "{e}");
    drop(writer);
    assert!(system_file::read(&path).is_ok());
}
