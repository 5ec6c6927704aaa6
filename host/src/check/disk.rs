//! Room on the disk.

use std::path::{Path, PathBuf};

use super::findings::Findings;
use crate::settings::{Database, Settings};

/// Below this a few large artifacts fill the disk.
const LEAST: u64 = 1 << 30;

/// Looks at the disk of the data directory, and at that of a SQLite file elsewhere.
pub(super) fn room(findings: &mut Findings, settings: &Settings) {
    let data_dir = there(&settings.data_dir);
    look(findings, "disk", &data_dir);
    if let Database::Sqlite(file) = &settings.database {
        let folder = there(file.parent().unwrap_or(Path::new("")));
        if folder != data_dir {
            look(findings, "disk of the database", &folder);
        }
    }
}

/// The folder itself, or the one above it in which it will be made.
fn there(folder: &Path) -> PathBuf {
    let found = folder.ancestors().find(|folder| folder.is_dir());
    found.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

fn look(findings: &mut Findings, subject: &str, folder: &Path) {
    match rustix::fs::statvfs(folder) {
        Ok(disk) => {
            let size = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
            judge(findings, subject, folder, size(disk.f_bavail), size(disk.f_blocks));
        }
        Err(error) => findings.warning(
            subject,
            format!("cannot see how much room {} has: {error}", folder.display()),
            "see to it that there is room",
        ),
    }
}

fn judge(findings: &mut Findings, subject: &str, folder: &Path, free: u64, all: u64) {
    let percent = free.saturating_mul(100).checked_div(all).unwrap_or(100);
    let gib = free.saturating_mul(10) >> 30;
    let text = format!("{}.{} GiB free ({percent} %) in {}", gib / 10, gib % 10, folder.display());
    if free == 0 {
        findings.fault(subject, text, "make room: nothing can be written");
    } else if free < LEAST || percent < 5 {
        findings.warning(subject, text, "make room: when the disk is full, nothing can be enqueued or finished");
    } else {
        findings.ok(subject, text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::findings::Level;
    use super::*;

    fn level(free: u64, all: u64) -> Level {
        let mut findings = Findings::default();
        judge(&mut findings, "disk", Path::new("data"), free, all);
        findings.0[0].level
    }

    #[test]
    fn little_room_is_a_warning_and_none_a_fault() {
        let gib = 1_u64 << 30;
        assert_eq!(level(50 * gib, 100 * gib), Level::Ok);
        assert_eq!(level(gib - 1, 10 * gib), Level::Warning);
        assert_eq!(level(4 * gib, 100 * gib), Level::Warning);
        assert_eq!(level(0, 100 * gib), Level::Fault);
    }

    #[test]
    fn a_folder_that_will_be_made_is_looked_for_where_it_will_be() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(there(&folder.path().join("not/yet")), folder.path());
        assert_eq!(there(Path::new("not-yet")), Path::new("."));
    }
}
