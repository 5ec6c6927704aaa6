//! What a process has used, as Linux tells it.

use std::fs;

/// In how many ticks of `/proc/PID/stat` a second has passed. Linux tells every program 100, whatever it counts in itself
/// (USER_HZ, <https://man7.org/linux/man-pages/man7/time.7.html>).
const TICKS_PER_SECOND: f64 = 100.0;

/// What a process has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Processor time, of the program and of the kernel for it, in seconds. In steps of 10 ms.
    pub(crate) cpu_seconds: f64,
    /// The kernel's part of it.
    pub(crate) system_seconds: f64,
    /// Memory now, in MiB.
    pub(crate) resident_mib: f64,
    /// The most memory at any time, in MiB.
    pub(crate) peak_mib: f64,
}

impl Usage {
    /// Of a process; nothing where there is no such file, as on other systems than Linux.
    pub(crate) fn of(process: &str) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let (user, system) = ticks(&stat)?;
        Some(Self {
            cpu_seconds: (user + system) / TICKS_PER_SECOND,
            system_seconds: system / TICKS_PER_SECOND,
            resident_mib: mebibytes(&status, "VmRSS:")?,
            peak_mib: mebibytes(&status, "VmHWM:")?,
        })
    }

    /// Of this process.
    pub(crate) fn own() -> Option<Self> {
        Self::of("self")
    }
}

/// The fields `utime` and `stime`. The name of the program, in brackets, may have spaces and brackets in it.
fn ticks(stat: &str) -> Option<(f64, f64)> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Some((times.next()?.ok()?, times.next()?.ok()?))
}

fn mebibytes(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes / 1_024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_bracket_shifts_no_field() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 100 1000 10 18446744073709551615";
        assert_eq!(ticks(stat), Some((250.0, 50.0)));
    }

    #[test]
    fn a_process_that_works_uses_time_and_memory() {
        let before = Usage::own().unwrap();
        let mut sum = 0_u64;
        while Usage::own().unwrap().cpu_seconds <= before.cpu_seconds {
            sum = sum.wrapping_mul(31).wrapping_add(7);
        }
        let after = Usage::own().unwrap();
        assert!(after.resident_mib > 0.0 && after.peak_mib >= after.resident_mib, "{after:?} {sum}");
        assert!(Usage::of("0").is_none());
    }
}
