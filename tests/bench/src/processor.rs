//! Processor time, read from `/proc`: it says more than the clock when others use the same cores.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// How many ticks Linux counts in a second, on every platform that it runs on.
const TICKS: u32 = 100;

/// What `/proc/PID/stat` says of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// Its own, and of those of its children that have ended and were waited for.
    ticks: u64,
}

/// The time that a process and all below it have used so far, in user mode and in the kernel.
pub(crate) fn used(process: u32) -> Duration {
    let stats = all();
    let mut ticks = 0;
    let mut waiting = vec![process];
    while let Some(process) = waiting.pop() {
        ticks += stats.get(&process).map_or(0, |stat| stat.ticks);
        waiting.extend(stats.iter().filter(|(_, stat)| stat.parent == process).map(|(child, _)| *child));
    }
    Duration::from_secs(ticks) / TICKS
}

/// Who started a process.
pub(crate) fn parent(process: u32) -> Result<u32> {
    all().get(&process).map(|stat| stat.parent).with_context(|| format!("there is no process {process}"))
}

fn all() -> BTreeMap<u32, Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let stat = |entry: fs::DirEntry| {
        let process = entry.file_name().to_str()?.parse().ok()?;
        // It may have ended since it was listed.
        Some((process, stat(&fs::read_to_string(entry.path().join("stat")).ok()?)?))
    };
    entries.filter_map(stat).collect()
}

/// The second field is the program's name in brackets, which may hold anything, brackets too.
fn stat(text: &str) -> Option<Stat> {
    let fields: Vec<_> = text.rsplit_once(") ")?.1.split(' ').collect();
    let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
    // Places 14 to 17 of the manual page, counted from its third, are utime, stime, cutime and cstime.
    let ticks = (11..=14).map(number).sum::<Option<u64>>()?;
    Some(Stat { parent: fields.get(1)?.parse().ok()?, ticks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        let text = "42 (a) b (c) S 7 42 42 0 -1 4194304 100 200 0 0 10 20 3 4 20 0 1 0 12345 1000 100\n";
        assert_eq!(stat(text), Some(Stat { parent: 7, ticks: 37 }));
        assert_eq!(stat("42 (sh) S 7"), None);
    }

    #[test]
    fn a_process_has_used_what_its_children_used() {
        let mut busy = std::process::Command::new("sh");
        // Until somebody says that it is enough.
        let mut child = busy.args(["-c", "(while :; do :; done) & read enough; kill $!"]);
        child = child.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
        let mut child = child.spawn().unwrap();
        let before = used(child.id());
        while used(child.id()) < before + Duration::from_millis(20) {
            std::thread::yield_now();
        }
        assert_eq!(parent(child.id()).unwrap(), std::process::id());
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
