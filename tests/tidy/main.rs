//! Rules about the tree that no linter has. Each test names the file and the remedy.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

mod floors;
mod licences;
mod names;
mod text;
mod twins;

use std::path::PathBuf;
use std::process::Command;

/// The root of the checkout.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every file that git knows or would add, relative to the root.
fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(listed.status.success(), "git does not list the files");
    let listed = String::from_utf8(listed.stdout).unwrap();
    let files: Vec<_> = listed.lines().filter(|file| root().join(file).is_file()).map(str::to_owned).collect();
    assert!(files.len() > 100, "git lists only {} files", files.len());
    files
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap()
}

/// Fails with all that was found, each on a line.
fn assert_none(found: Vec<String>, remedy: &str) {
    assert!(found.is_empty(), "{remedy}:\n  {}", found.join("\n  "));
}
