//! Python with numpy, scipy, h5py, safetensors and the_well, in a virtual environment of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGES: [&str; 4] = ["numpy", "scipy", "h5py", "safetensors"];
/// What it makes dummy files with needs numpy and h5py alone; the rest of it would bring torch.
const ALONE: &str = "the_well==1.2.0";

/// The interpreter of the virtual environment, made when it is not there; `None` without `python3`.
pub fn python() -> Option<PathBuf> {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("python3 is not on this machine: nothing was tested");
        return None;
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let (folder, marker) = (target.join("python"), target.join("python/complete"));
    // One process at a time; the lock ends with the file.
    let lock = File::create(target.join("python.lock")).unwrap();
    lock.lock().unwrap();
    let interpreter = folder.join("bin/python");
    let packages = [&PACKAGES[..], &[ALONE]].concat().join(" ");
    if fs::read_to_string(&marker).unwrap_or_default() != packages {
        let _ = fs::remove_dir_all(&folder);
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        succeed(Command::new(&interpreter).args(install).args(PACKAGES));
        succeed(Command::new(&interpreter).args(install).args(["--no-deps", ALONE]));
        fs::write(&marker, packages).unwrap();
    }
    Some(interpreter)
}

pub fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}\n{}{}", text(&output.stdout), text(&output.stderr));
}
