//! Files that should never have been put into the plugins directory.

use std::fs;

use serde_json::{Value, json};

use super::yard::Yard;
use crate::daemon::guest;

/// How large a component may be.
const LARGEST: usize = 64 << 20;

fn bytes_of(name: &str) -> Vec<u8> {
    fs::read(guest(name)).unwrap()
}

/// Waits until each of these plugins is refused, and returns why.
async fn refusals(yard: &Yard, names: &[String]) -> Vec<String> {
    let mut said = Vec::new();
    for name in names {
        let path = format!("/api/v1/tasks/{name}");
        let task =
            yard.daemon.until_at(&path, |task| !task["load_error"].is_null() || !task["version"].is_null()).await;
        assert_eq!(task["version"], Value::Null, "{name} is in service");
        said.push(task["load_error"]["message"].as_str().unwrap().to_owned());
    }
    said
}

#[tokio::test]
async fn a_file_that_is_no_plugin_is_refused_in_plain_words() {
    let yard = Yard::of(&[]).await;
    let cases = [
        ("core_module", "the file is a core module, not a component: build it for wasm32-wasip2"),
        ("describe_fetches", "its `args_schema` is not a JSON Schema that can be used"),
        ("describe_floods", "its `describe` failed: too much data"),
        ("describe_grows", "its `describe` failed: it wanted more memory than its limit of 256 MiB"),
        ("describe_nests", "`describe` did not return a description as JSON"),
        ("describe_spins", "its `describe` took longer than 10 s"),
        ("describe_traps", "its `describe` failed: wasm trap: wasm `unreachable`"),
        ("large_memory", "its memories start with 3 GiB, more than its limit of 256 MiB: raise `limits.memory_bytes`"),
        ("large_table", "exceeds the limit of 200000"),
        ("many_instances", "exceeds"),
        ("many_memories", "exceeds"),
        ("many_tables", "exceeds"),
        (
            "next_contract",
            "the component imports `windlass:task/job@2.0.0`; this host speaks windlass:task 1.x: a newer daemon is needed",
        ),
        ("no_execute", "does not export `execute:"),
        ("other_shape", "imports something in another shape than this host offers it"),
        ("unknown_import", "the component imports `evil:host/shell@1.0.0`, which is neither WASI nor windlass:task"),
        ("wrong_error", "does not export `execute:"),
        ("wrong_type", "does not export `execute:"),
    ];
    for (name, _) in cases {
        yard.daemon.deploy(name, &bytes_of(name));
    }
    let names = cases.map(|(name, _)| name.to_owned());
    let said = refusals(&yard, &names).await;
    let wrong: Vec<_> = cases.iter().zip(said).filter(|((_, text), said)| !said.contains(text)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    // A job for one of them waits; whoever asks for one that never was is told so.
    let (status, problem) = yard.daemon.post("/api/v1/jobs", &json!({ "task": "nobody", "args": {} })).await;
    assert_eq!((status, &problem["code"]), (404, &json!("task_not_found")), "{problem}");
    yard.close().await;
}

#[tokio::test]
async fn a_component_that_is_cut_off_anywhere_and_bytes_of_chance_are_refused() {
    let yard = Yard::of(&[]).await;
    let whole = bytes_of("hello");
    let mut broken: Vec<Vec<u8>> = Vec::new();
    // Every length at the start, where each byte has a meaning of its own, then some in each part of the file.
    broken.extend((0..24).map(|length| whole[..length].to_vec()));
    broken.extend((1..40).map(|part| whole[..whole.len() * part / 40].to_vec()));
    broken.push(whole[..whole.len() - 1].to_vec());
    // Chance that repeats, with the right first bytes and without.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..20 {
        let mut bytes = if round % 2 == 0 { whole[..8].to_vec() } else { Vec::new() };
        for _ in 0..500 << (round / 4) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            bytes.push((state >> 56) as u8);
        }
        broken.push(bytes);
    }
    let names: Vec<_> = (0..broken.len()).map(|number| format!("broken-{number}")).collect();
    for (name, bytes) in names.iter().zip(&broken) {
        yard.daemon.deploy(name, bytes);
    }
    for ((name, bytes), said) in names.iter().zip(&broken).zip(refusals(&yard, &names).await) {
        let plain = match bytes.len() {
            0..8 => said == "the file is not WebAssembly",
            // The smallest component there can be is a whole one.
            8 => said.contains("does not export `execute:"),
            _ => said == "the file is not WebAssembly" || said.contains("the component is broken"),
        };
        assert!(
            plain || bytes.len() > 8 && said.contains("does not export `execute:"),
            "{name} of {}: {said}",
            bytes.len()
        );
    }
    yard.close().await;
}

#[tokio::test]
async fn a_component_of_64_mib_is_loaded_and_one_byte_more_is_refused() {
    let yard = Yard::of(&[]).await;
    let hello = bytes_of("hello");
    yard.daemon.deploy("largest", &padded(&hello, LARGEST));
    yard.daemon.deploy("larger", &padded(&hello, LARGEST + 1));
    let said = refusals(&yard, &["larger".to_owned()]).await;
    assert!(said[0].contains("more than the 64 MiB that a component may have"), "{said:?}");
    let task = yard.daemon.until_at("/api/v1/tasks/largest", |task| !task["version"].is_null()).await;
    assert_eq!(task["version"]["bytes"], LARGEST);
    let ending = yard.run_for("largest", json!({ "name": "Ada" }), 10_000).await;
    assert_eq!(ending.output, json!({ "greeting": "Hello, Ada!" }));
    yard.close().await;
}

/// A component with a section behind its end that means nothing, so that it has so many bytes.
fn padded(component: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = component.to_vec();
    // The kind of the section, its length in five bytes, the length of its empty name.
    let rest = length - component.len() - 1 - 5;
    bytes.push(0);
    bytes.extend((0..5).map(|part| ((rest >> (7 * part)) & 0x7f) as u8 | if part < 4 { 0x80 } else { 0 }));
    bytes.resize(length, 0);
    bytes
}
