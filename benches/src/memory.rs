//! How much memory this process uses, where the system tells.

/// The most memory the process has had resident since it started or since [`reset_peak`], in bytes. `None` where the
/// system does not tell.
pub fn peak() -> Option<u64> {
    status("VmHWM:")
}

/// The memory the process has resident now, in bytes.
pub fn resident() -> Option<u64> {
    status("VmRSS:")
}

/// Starts [`peak`] again from what is resident now. Whether the system can do that.
pub fn reset_peak() -> bool {
    std::fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// The memory that can still be had without swapping, in bytes: what the system has free or this process's control group
/// allows, whichever is less.
pub fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let free = line.split_whitespace().next()?.parse::<u64>().ok()? * 1024;
    let number = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let limit =
        number("/sys/fs/cgroup/memory.max").or_else(|| number("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
    let used = number("/sys/fs/cgroup/memory.current")
        .or_else(|| number("/sys/fs/cgroup/memory/memory.usage_in_bytes"));
    let left = limit.map(|limit| limit.saturating_sub(used.unwrap_or(0)));
    Some(left.map_or(free, |left| left.min(free)))
}

fn status(field: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix(field))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn touched_memory_is_seen() {
        let Some(before) = super::resident() else { return };
        let touched = vec![1u8; 32 << 20];
        assert!(super::resident().unwrap() >= before + (24 << 20), "{}", touched.len());
        assert!(super::peak().unwrap() >= super::resident().unwrap());
    }
}
