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

#[test]
fn no_text_names_the_host_of_a_registry() {
    // Written in two parts, so that this file does not find itself.
    let hosts = [
        concat!("index.crates", ".io"),
        concat!("static.crates", ".io"),
        concat!("registry.npmjs", ".org"),
        concat!("files.pythonhosted", ".org"),
        concat!("proxy.golang", ".org"),
    ];
    let mut found = Vec::new();
    for file in files() {
        let Ok(text) = std::fs::read_to_string(crate::root().join(&file)) else { continue };
        let names = |line: &&str| hosts.iter().any(|host| line.contains(host));
        found.extend(text.lines().filter(names).map(|line| format!("{file}: {}", line.trim())));
    }
    assert_none(found, "leave to cargo where packages come from");
}

#[test]
fn every_dependency_comes_from_the_public_registry() {
    const PUBLIC: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let mut found = Vec::new();
    for file in files().into_iter().filter(|file| file.ends_with("Cargo.lock")) {
        let text = read(&file);
        let elsewhere = text.lines().filter(|line| line.starts_with("source = ") && *line != PUBLIC);
        found.extend(elsewhere.map(|line| format!("{file}: {line}")));
    }
    for file in files().into_iter().filter(|file| file.contains(".cargo/config")) {
        let text = read(&file);
        let redirects = |line: &&str| ["[source", "[registr"].iter().any(|table| line.trim_start().starts_with(table));
        found.extend(text.lines().filter(redirects).map(|line| format!("{file}: {line}")));
    }
    assert_none(found, "these point to a mirror or a repository: a setting of one machine, or a fork");
}

#[test]
fn unsafe_code_stands_in_one_place_and_says_why_it_is_sound() {
    // The allowance, written in two parts, so that this file does not find itself.
    let allowance = concat!("(unsafe", "_code");
    let found: Vec<_> = files()
        .into_iter()
        .filter(|file| file.ends_with(".rs") && !file.starts_with("guest-sdk/"))
        .filter(|file| read(file).contains(allowance))
        .collect();
    assert_eq!(found, ["host/crates/runtime/src/code.rs"], "do without, or write a decision");
    assert!(read(&found[0]).contains("// SAFETY: "));
}
