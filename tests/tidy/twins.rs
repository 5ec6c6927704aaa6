//! What exists for one database exists for the other.

use std::collections::BTreeSet;

use crate::{assert_none, files, read};

fn names(folder: &str) -> BTreeSet<String> {
    let names: BTreeSet<_> = files()
        .iter()
        .filter_map(|file| file.strip_prefix(folder))
        .map(str::to_owned)
        .filter(|name| !name.contains('/'))
        .collect();
    assert!(!names.is_empty(), "there is nothing in {folder}");
    names
}

#[test]
fn every_statement_has_a_twin() {
    assert_eq!(names("host/crates/store/statements/sqlite/"), names("host/crates/store/statements/postgres/"));
}

#[test]
fn every_migration_has_a_twin() {
    assert_eq!(names("migrations/sqlite/"), names("migrations/postgres/"));
}

#[test]
fn every_statement_is_in_the_list_that_is_prepared() {
    let list = read("host/crates/store/src/statement.rs");
    let listed: BTreeSet<_> = list
        .split("statements! {")
        .nth(1)
        .unwrap()
        .split('}')
        .next()
        .unwrap()
        .split_whitespace()
        .map(|name| format!("{name}.sql"))
        .collect();
    assert_eq!(names("host/crates/store/statements/sqlite/"), listed);
}

#[test]
fn a_statement_that_differs_from_its_twin_says_why() {
    // Parameters are written in two ways, which is no difference.
    let body = |text: &str| {
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with("--")).collect();
        lines.join("\n").replace('$', "?")
    };
    let (here, there) = ("host/crates/store/statements/sqlite/", "host/crates/store/statements/postgres/");
    let differs = |name: &String| {
        let (sqlite, postgres) = (read(&format!("{here}{name}")), read(&format!("{there}{name}")));
        body(&sqlite) != body(&postgres) && !sqlite.contains("-- Differs from postgres: ")
    };
    let found: Vec<_> = names(here).into_iter().filter(differs).map(|name| format!("{here}{name}")).collect();
    assert_none(found, "say `-- Differs from postgres: …` at the head of these, or make them alike");
}
