//! The floors: who may depend on whom, and on what.

use std::collections::BTreeSet;

use crate::{assert_none, files, read, root};

/// Each package with all that it may depend on, inside and outside the workspace. A new line here is the third kind of change:
/// the commit says why the dependency is worth its weight.
const FLOORS: &[(&str, &str, &[&str])] = &[
    ("windlass-model", "host/crates/model", &["jiff", "serde", "serde_json", "thiserror", "uuid"]),
    (
        "windlass-store",
        "host/crates/store",
        &["async-trait", "serde", "serde_json", "sqlx", "thiserror", "tracing", "uuid", "windlass-model"],
    ),
    (
        "windlass-runtime",
        "host/crates/runtime",
        &[
            "async-trait",
            "bytes",
            "futures-util",
            "jsonschema",
            "mime_guess",
            "notify",
            "object_store",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
            "tokio",
            "tokio-util",
            "toml",
            "tracing",
            "wasmtime",
            "wasmtime-wasi",
            "windlass-model",
        ],
    ),
    (
        "windlass-engine",
        "host/crates/engine",
        &[
            "async-trait",
            "bytes",
            "fastrand",
            "futures-util",
            "thiserror",
            "tokio",
            "tokio-util",
            "tracing",
            "uuid",
            "windlass-model",
            "windlass-store",
        ],
    ),
    (
        "windlass-api",
        "host/crates/api",
        &[
            "axum",
            "bytes",
            "futures-util",
            "percent-encoding",
            "serde",
            "serde_json",
            "serde_path_to_error",
            "strsim",
            "thiserror",
            "tokio",
            "tracing",
            "utoipa",
            "utoipa-axum",
            "windlass-engine",
            "windlass-model",
            "windlass-store",
        ],
    ),
    (
        "windlass",
        "host",
        &[
            "anyhow",
            "async-trait",
            "axum",
            "bytes",
            "clap",
            "futures-util",
            "indicatif",
            "reqwest",
            "serde",
            "serde_json",
            "tempfile",
            "thiserror",
            "tokio",
            "tokio-util",
            "toml",
            "tracing",
            "tracing-subscriber",
            "windlass-api",
            "windlass-engine",
            "windlass-model",
            "windlass-runtime",
            "windlass-store",
        ],
    ),
    (
        "windlass-guest",
        "guest-sdk",
        &["schemars", "serde", "serde_json", "serde_path_to_error", "windlass-guest-macros", "wit-bindgen"],
    ),
    ("windlass-guest-macros", "guest-sdk/macros", &["proc-macro2", "quote", "syn"]),
    ("xtask", "xtask", &["anyhow", "clap", "serde_json"]),
    ("windlass-tests", "tests", &[]),
];

fn manifest(folder: &str) -> toml::Table {
    read(&format!("{folder}/Cargo.toml")).parse().unwrap()
}

#[test]
fn each_package_depends_on_its_own_floor_and_those_below() {
    let mut found = Vec::new();
    for (name, folder, allowed) in FLOORS {
        let manifest = manifest(folder);
        assert_eq!(manifest["package"]["name"].as_str(), Some(*name));
        let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table).cloned().unwrap_or_default();
        let used: BTreeSet<_> = dependencies.keys().map(String::as_str).collect();
        let allowed: BTreeSet<_> = allowed.iter().copied().collect();
        found.extend(used.difference(&allowed).map(|dependency| format!("{name} uses {dependency}")));
        found.extend(allowed.difference(&used).map(|dependency| format!("{name} does not use {dependency}")));
    }
    assert_none(found, "the list of floors and the manifests differ: mend one of them, and say why in the commit");
}

#[test]
fn every_package_of_the_workspace_has_a_floor() {
    let manifests = files().into_iter().filter(|file| file.ends_with("/Cargo.toml"));
    let known = |file: &String| FLOORS.iter().any(|(_, folder, _)| *file == format!("{folder}/Cargo.toml"));
    let found: Vec<_> = manifests
        .filter(|file| !file.starts_with("plugins/") && !file.starts_with("tests/guests/"))
        .filter(|file| !known(file))
        .collect();
    assert_none(found, "these packages have no line in the list of floors");
}

#[test]
fn every_package_takes_the_lints_of_the_workspace() {
    let mut found = Vec::new();
    for (name, folder, _) in FLOORS {
        let inherits = manifest(folder)["lints"].get("workspace").and_then(toml::Value::as_bool) == Some(true);
        // Generated bindings need `unsafe`, so the SDK has the same list with `deny` in place of `forbid`.
        if !inherits && *name != "windlass-guest" {
            found.push((*name).to_owned());
        }
    }
    assert_none(found, "write `[lints] workspace = true`");
    assert!(root().join("clippy.toml").exists());
}
