//! Names and lengths of files.

use crate::{assert_none, files, read};

/// Names that say nothing of what is inside.
const FORBIDDEN: [&str; 7] = ["util", "utils", "common", "helper", "helpers", "misc", "manager"];

/// How many lines a file may have, tests at its end not counted.
const LONGEST: usize = 500;

/// How the names of source files end.
const SOURCES: [&str; 5] = [".rs", ".ts", ".mjs", ".svelte", ".css"];

/// All that may stand at the top.
const TOP: [&str; 18] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "clippy.toml",
    "guest-sdk",
    "host",
    "migrations",
    "plugins",
    "rustfmt.toml",
    "tests",
    "wit",
    "xtask",
];

#[test]
fn no_file_or_folder_has_a_name_that_says_nothing() {
    let says_nothing = |part: &str| FORBIDDEN.contains(&part.split('.').next().unwrap_or_default());
    let found: Vec<_> = files().into_iter().filter(|file| file.split('/').any(says_nothing)).collect();
    assert_none(found, "name these after what is in them");
}

#[test]
fn no_source_file_is_longer_than_its_limit() {
    let mut found = Vec::new();
    let is_source = |file: &String| SOURCES.iter().any(|end| file.ends_with(end));
    for file in files().into_iter().filter(is_source) {
        let text = read(&file);
        // Only the module of tests ends what counts, not an item that is there for tests alone.
        let lines = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default().lines().count();
        if lines > LONGEST {
            found.push(format!("{file}: {lines} lines"));
        }
    }
    assert_none(found, "look for the second subject in these files, and give it a file of its own");
}

#[test]
fn the_top_level_holds_what_the_layout_shows_and_nothing_else() {
    let mut tops: Vec<_> = files().iter().map(|file| file.split('/').next().unwrap_or_default().to_owned()).collect();
    tops.sort();
    tops.dedup();
    let found: Vec<_> = tops.into_iter().filter(|top| !top.starts_with('.') && !TOP.contains(&top.as_str())).collect();
    assert_none(found, "these do not belong at the top");
}

#[test]
fn no_module_has_a_name_that_says_nothing() {
    let named = |line: &str| {
        let rest =
            line.trim_start().trim_start_matches("pub").trim_start_matches("(crate)").trim_start_matches("(super)");
        let name = rest.trim_start().strip_prefix("mod ")?.split([';', '{', ' ']).next()?;
        FORBIDDEN.contains(&name).then(|| name.to_owned())
    };
    let mut found = Vec::new();
    for file in files().into_iter().filter(|file| file.ends_with(".rs")) {
        found.extend(read(&file).lines().filter_map(named).map(|name| format!("{file}: mod {name}")));
    }
    assert_none(found, "name these after what is in them");
}
