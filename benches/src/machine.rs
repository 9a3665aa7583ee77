//! What a measurement was made on and with.

use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

/// What a measurement was made on and with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Of this library.
    pub version: String,
    /// The processor's name.
    pub processor: String,
    /// Threads of the current pool.
    pub threads: usize,
    /// Threads the machine can run at once.
    pub cores: usize,
    /// In bytes; 0 where the system does not tell.
    pub memory: u64,
    /// Operating system and architecture.
    pub system: String,
    /// When, as `YYYY-MM-DD HH:MM` UTC.
    pub date: String,
}

impl Machine {
    /// This one, now.
    pub fn current() -> Self {
        let read = |path: &str, field: &str| {
            let text = std::fs::read_to_string(path).ok()?;
            let line = text.lines().find_map(|l| l.strip_prefix(field))?;
            Some(line.trim_start_matches([' ', '\t', ':']).to_owned())
        };
        let memory = read("/proc/meminfo", "MemTotal:")
            .and_then(|m| m.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()));
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            processor: read("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".into()),
            threads: rayon::current_num_threads(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory: memory.unwrap_or(0) * 1024,
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            date: date(seconds),
        }
    }
}

/// Seconds since 1970 as a date and time in UTC (Hinnant's civil_from_days).
pub fn date(seconds: u64) -> String {
    let (days, rest) = ((seconds / 86_400) as i64, seconds % 86_400);
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", rest / 3600, rest / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00");
        assert_eq!(date(951_782_400), "2000-02-29 00:00");
        assert_eq!(date(1_795_478_399), "2026-11-23 23:59");
    }

    #[test]
    fn this_machine_has_a_processor() {
        assert!(Machine::current().cores >= 1);
    }
}
