//! What stands in files.

use crate::{assert_none, files, read};

#[test]
fn every_module_says_what_it_is() {
    let starts = |file: &String| {
        let text = read(file);
        text.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| line.starts_with("//!"))
    };
    let found: Vec<_> = files().into_iter().filter(|file| file.ends_with(".rs")).filter(|file| !starts(file)).collect();
    assert_none(found, "start these with `//!`");
}

#[test]
fn every_statement_and_migration_says_what_it_does() {
    let found: Vec<_> = files()
        .into_iter()
        .filter(|file| file.ends_with(".sql"))
        .filter(|file| !read(file).starts_with("-- "))
        .collect();
    assert_none(found, "start these with a comment");
}

#[test]
fn no_text_names_a_place_on_one_machine() {
    // Written in two parts, so that this file does not find itself.
    let places = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];
    let mut found = Vec::new();
    for file in files() {
        let Ok(text) = std::fs::read_to_string(crate::root().join(&file)) else { continue };
        let names = |line: &str| places.iter().any(|place| line.contains(place));
        found
            .extend(text.lines().enumerate().filter(|(_, line)| names(line)).map(|(n, _)| format!("{file}:{}", n + 1)));
    }
    assert_none(found, "write these paths relative to something");
}

#[test]
fn the_changelog_has_a_place_for_what_is_not_released() {
    assert!(read("CHANGELOG.md").contains("\n## [Unreleased]\n"), "add `## [Unreleased]` to CHANGELOG.md");
}
