//! Whether the memory of ended instances is kept and cleaned for the next, in place of being given back to the system.
//!
//! Cleaning goes by what the kernel says was written (`PAGEMAP_SCAN`), which makes an instance several times cheaper. But wasmtime
//! 48.0.8 asks for pages that are present, and overlooks one that was written and then swapped out: the next instance would find
//! what an earlier job left there. So this is for machines and groups that never swap, and looked into at each start.

use std::fs;
use std::path::Path;

use wasmtime::PoolingAllocationConfig;

/// What the operator says about the memory of ended instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemoryReuse {
    /// It is kept where that is safe.
    #[default]
    Auto,
    /// It is given back to the system after each attempt.
    Off,
}

impl MemoryReuse {
    /// Says yes, or why not. The second is for the log.
    pub(crate) fn decide(self) -> Result<(), String> {
        if self == Self::Off {
            return Err("memory_reuse is \"off\"".to_owned());
        }
        if !PoolingAllocationConfig::is_pagemap_scan_available() {
            return Err("the kernel cannot tell which pages were written: it takes Linux 6.7 or later".to_owned());
        }
        never_swaps(Path::new("/"))
    }
}

/// Looks below `root` whether no page of this process is ever swapped out, and says why not.
fn never_swaps(root: &Path) -> Result<(), String> {
    let read = |path: &str| fs::read_to_string(root.join(path)).map_err(|error| (path.to_owned(), error));
    let unknown = |(path, error): (String, std::io::Error)| {
        format!("it cannot be seen whether this machine swaps: /{path} cannot be read: {error}")
    };
    // One line above the list.
    if read("proc/swaps").map_err(unknown)?.lines().count() <= 1 {
        return Ok(());
    }
    // Of a group below another one the smaller limit holds. Only version 2 of groups has this limit.
    let own = read("proc/self/cgroup").unwrap_or_default();
    let own = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let forbids = |group: &Path| {
        let limit = root.join("sys/fs/cgroup").join(group).join("memory.swap.max");
        fs::read_to_string(limit).is_ok_and(|limit| limit.trim() == "0")
    };
    if Path::new(own).ancestors().any(forbids) {
        return Ok(());
    }
    Err("this machine swaps, and a page that was swapped out would not be cleaned: turn swap off, or set memory.swap.max = 0 for the \
         daemon's group (MemorySwapMax=0 of systemd)"
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Filename\tType\tSize\tUsed\tPriority\n";

    /// A machine whose daemon is in the group a/b.
    fn machine(swaps: &str, limits: &[(&str, &str)]) -> Result<(), String> {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("proc/swaps", swaps);
        put("proc/self/cgroup", "1:name=old:/\n0::/a/b\n");
        limits.iter().for_each(|(group, limit)| put(&format!("sys/fs/cgroup/{group}/memory.swap.max"), limit));
        never_swaps(root.path())
    }

    #[test]
    fn memory_is_kept_only_where_no_page_of_the_daemon_is_swapped() {
        let swaps = format!("{HEAD}/dev/sda2 partition 1 0 -2\n");
        assert_eq!(machine(HEAD, &[]), Ok(()));
        assert_eq!(machine(&swaps, &[("a/b", "0\n")]), Ok(()));
        assert_eq!(machine(&swaps, &[("a/b", "max\n"), ("a", "0\n")]), Ok(()), "the group above forbids it");
        for limits in [&[][..], &[("a/b", "max\n")], &[("a/b", "4096\n")], &[("a/c", "0\n")]] {
            assert!(machine(&swaps, limits).unwrap_err().contains("memory.swap.max = 0"), "{limits:?}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_not_believed() {
        let root = tempfile::tempdir().unwrap();
        assert!(never_swaps(root.path()).unwrap_err().contains("/proc/swaps cannot be read"));
    }

    #[test]
    fn the_operator_may_forbid_it() {
        assert_eq!(MemoryReuse::Off.decide(), Err("memory_reuse is \"off\"".to_owned()));
    }
}
