//! HDF5 files cut off or damaged at any byte are read or refused: never a crash, a loop without end, a trace of the HDF5
//! library or memory by the gigabyte.

use hdf5::File;
use resolvent::{Csr, Grid};
use resolvent_datasets::{Error, LinearSystem, check, inspect, system_file};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[path = "system_file/diagonal.rs"]
mod diagonal;

use diagonal::fill;

/// Three valid files: as this crate writes it, in chunks that are packed, and in the newest format of the library.
fn valid(folder: &Path) -> Vec<PathBuf> {
    let path = |name: &str| folder.join(name);
    let triplets: Vec<(u32, u32, f64)> = (0..40).map(|i| (i / 2, i % 20, f64::from(i))).collect();
    let system = LinearSystem {
        rhs: Some(vec![1.0; 20]),
        solution: Some(vec![2.0; 20]),
        grid: Some((Grid::new_2d(5, 4).unwrap(), (0..20).collect())),
        meta: vec![("family".into(), "box".into())],
        ..Csr::from_triplets(20, 20, &triplets).unwrap().into()
    };
    system_file::write(&path("plain.h5"), &system).unwrap();
    let file = File::create(path("packed.h5")).unwrap();
    fill(&file, 64, &["data", "b"]);
    let of = || file.new_dataset_builder().chunk(16);
    of().shuffle().deflate(6).with_data(&[1.0; 64]).create("data").unwrap();
    of().lzf().with_data(&[1.0; 64]).create("b").unwrap();
    drop(file);
    let newest = File::with_options().with_fapl(|p| p.libver_latest()).create(path("newest.h5")).unwrap();
    fill(&newest, 64, &["data"]);
    newest.new_dataset_builder().chunk(16).fletcher32().with_data(&[1.0; 64]).create("data").unwrap();
    drop(newest);
    ["plain.h5", "packed.h5", "newest.h5"].map(path).into()
}

/// Reads content, now and then in every way there is; `true` when it was read.
fn try_all(path: &Path, content: &[u8], number: usize) -> bool {
    std::fs::write(path, content).unwrap();
    let read = system_file::read(path);
    if let Err(e) = &read {
        let text = e.to_string();
        assert!(!text.contains('\n') && text.contains("damaged.h5"), "{text}");
        assert!(matches!(e, Error::Malformed { .. }), "{text}");
    }
    // The file has the same bytes, so these find the same.
    if number.is_multiple_of(8) {
        assert_eq!(inspect(path).is_ok(), read.is_ok());
        assert!(check(path).is_ok());
    }
    read.is_ok()
}

/// Peak address space in MB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmPeak:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kb| kb >> 10)
}

/// Cuts every file at many lengths and damages it at every byte.
fn damage(number: usize) {
    // In memory where that can be: thousands of files are written.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let content = std::fs::read(&valid(folder.path())[number]).unwrap();
    let path = folder.path().join("damaged.h5");
    assert!(try_all(&path, &content, 0));
    let before = peak();
    for end in (0..content.len()).step_by(41) {
        assert!(!try_all(&path, &content[..end], end / 41), "the first {end} of {} bytes", content.len());
    }
    let (mut refused, mut tried) = (0, 0);
    for at in 0..content.len() {
        // Little can go wrong in the middle of unused space.
        let around = &content[at.saturating_sub(24)..content.len().min(at + 24)];
        if around.iter().all(|byte| *byte == 0) && !at.is_multiple_of(16) {
            continue;
        }
        tried += 1;
        let mut damaged = content.clone();
        // All bits of a byte, one bit, or the largest number, in turn.
        match at % 3 {
            0 => damaged[at] = !damaged[at],
            1 => damaged[at] ^= 1 << (at / 3 % 8),
            _ => damaged[at] = if damaged[at] == 0xff { 0x7f } else { 0xff },
        }
        refused += usize::from(!try_all(&path, &damaged, at));
    }
    assert!(refused > tried / 20 && tried > 1000, "only {refused} of {tried} damaged files were refused");
    if let (Some(before), Some(after)) = (before, peak()) {
        assert!(after < before + 512, "{} MB were asked for", after - before);
    }
}

/// What the next test runs in a process of its own.
#[test]
#[ignore = "run by `damaged_files_are_read_or_refused_in_silence`"]
fn damage_in_this_process() {
    if let Ok(number) = std::env::var("RESOLVENT_DAMAGE") {
        damage(number.parse().unwrap());
    }
}

#[test]
fn damaged_files_are_read_or_refused_in_silence() {
    let children: Vec<_> = (0..3)
        .map(|number| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "damage_in_this_process", "--ignored", "--nocapture"])
                .env("RESOLVENT_DAMAGE", number.to_string())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let started = Instant::now();
    for (number, mut child) in children.into_iter().enumerate() {
        while child.try_wait().unwrap().is_none() {
            if started.elapsed() > Duration::from_secs(120) {
                child.kill().unwrap();
                panic!("file {number}: some damage makes the reader run for ever");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "file {number}: {}\n{errors}", output.status);
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
        assert_eq!(errors, "", "file {number}");
    }
}
