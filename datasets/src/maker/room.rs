//! Memory and disk: what is needed, what is there.

use super::Recipe;
use crate::{Error, Result};
use serde::Serialize;
use std::fmt;
use std::path::Path;

/// What making a set takes, in bytes. Displayed, it is a clause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Of memory.
    pub memory: u64,
    /// Of disk, for the file.
    pub file: u64,
    /// Of disk beside it, until it is complete.
    pub beside: u64,
    /// What to make smaller when it does not fit.
    #[serde(skip)]
    pub mend: &'static str,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "about {} of memory and {} of disk", Bytes(self.memory), Bytes(self.file))?;
        if self.beside > 0 {
            write!(f, ", and {} of disk until it is complete", Bytes(self.beside))?;
        }
        Ok(())
    }
}

/// A size with its unit.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b if b < 1 << 20 => write!(f, "{} KiB", b.div_ceil(1 << 10)),
            b if b < 1 << 30 => write!(f, "{:.0} MiB", b as f64 / f64::from(1 << 20)),
            b => write!(f, "{:.1} GiB", b as f64 / f64::from(1 << 30)),
        }
    }
}

/// The memory that can still be had without swapping, in bytes; `None` where the system does not tell.
pub fn memory_available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let free = line.split_whitespace().next()?.parse::<u64>().ok()? * 1024;
    let number = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let limit = number("/sys/fs/cgroup/memory.max");
    let used = number("/sys/fs/cgroup/memory.current").unwrap_or(0);
    Some(limit.map_or(free, |limit| free.min(limit.saturating_sub(used))))
}

/// What can be written into the folder of a file, in bytes; `None` where the system does not tell.
pub fn disk_available(path: &Path) -> Option<u64> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    #[cfg(unix)]
    {
        let stat = rustix::fs::statvfs(folder).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}

/// Refuses what does not fit.
pub(super) fn check(recipe: &Recipe, cost: &Cost, path: &Path) -> Result<()> {
    let disk = cost.file.saturating_add(cost.beside);
    for (what, needed, available) in
        [("memory", cost.memory, memory_available()), ("disk", disk, disk_available(path))]
    {
        if let Some(available) = available.filter(|a| *a < needed) {
            return Err(Error::Room {
                what,
                maker: recipe.maker().name,
                needed: Bytes(needed).to_string(),
                available: Bytes(available).to_string(),
                mend: cost.mend,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_a_clause() {
        let cost = Cost { memory: 3 << 29, file: 5 << 20, beside: 2000, mend: "" };
        assert_eq!(
            cost.to_string(),
            "about 1.5 GiB of memory and 5 MiB of disk, and 2 KiB of disk until it is complete"
        );
    }

    #[test]
    fn the_system_tells() {
        assert!(memory_available().is_none_or(|b| b > 1 << 20));
        assert!(disk_available(Path::new("x.h5")).is_none_or(|b| b > 1 << 10));
    }
}
