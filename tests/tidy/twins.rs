//! What exists for one database exists for the other.

use std::collections::BTreeSet;

use crate::{files, read};

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
    assert_eq!(names("host/crates/store/src/sqlite/sql/"), names("host/crates/store/src/postgres/sql/"));
}

#[test]
fn every_migration_has_a_twin() {
    assert_eq!(names("migrations/sqlite/"), names("migrations/postgres/"));
}

#[test]
fn every_statement_is_in_the_list_that_is_prepared() {
    let list = read("host/crates/store/src/sqlite/statement.rs");
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
    assert_eq!(names("host/crates/store/src/sqlite/sql/"), listed);
}
