//! `windlass plugin check`: what a component needs is known before it is served.

use std::path::Path;

use serde_json::{Value, json};

use crate::command_line::{text, windlass};
use crate::daemon::guest;

/// Checks a file, and returns the exit code and what was found.
fn check(file: &Path, flags: &[&str]) -> (Option<i32>, Value) {
    let data = tempfile::tempdir().unwrap();
    let own = ["plugin", "check", file.to_str().unwrap(), "--json", "--data-dir", data.path().to_str().unwrap()];
    let output = windlass(&[&own, flags].concat());
    let answer = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0, "nothing is left behind");
    (output.status.code(), answer)
}

#[test]
fn a_plugin_that_fits_shows_what_it_imports_takes_and_says() {
    let (code, found) = check(&guest("hello"), &[]);
    assert_eq!((code, &found["fits"], &found["faults"]), (Some(0), &json!(true), &json!([])), "{found}");
    let imports = found["imports"].as_array().unwrap();
    assert!(imports.iter().any(|import| import["name"] == "windlass:task/job@1.0.0"), "{found}");
    assert!(imports.iter().all(|import| import["is_offered"] == true), "{found}");
    assert_eq!(found["pool"]["memories"], 1, "{found}");
    assert!(found["pool"]["memory_bytes"].as_u64().unwrap() >= 65_536, "{found}");
    assert_eq!(found["description"]["args_schema"]["properties"]["name"]["type"], "string", "{found}");
    assert_eq!(found["limits"]["memory_bytes"], 256 << 20, "{found}");
}

#[test]
fn what_a_plugin_lacks_is_told_as_lines_that_make_it_fit() {
    let folder = tempfile::tempdir().unwrap();
    let grants = folder.path().join("keeper.toml");
    let (code, found) = check(&guest("keeper"), &[]);
    assert_eq!((code, &found["fits"]), (Some(1), &json!(false)), "{found}");
    assert_eq!(found["faults"], json!(["it wants more than its grants file gives"]));
    std::fs::write(&grants, found["lacking"].as_str().unwrap()).unwrap();
    let (code, found) = check(&guest("keeper"), &["--grants", grants.to_str().unwrap()]);
    assert_eq!((code, &found["fits"]), (Some(0), &json!(true)), "{found}");
    std::fs::write(&grants, "keyvalue = []\ncolour = 1\n[limits]\nmemory_bytes = 1").unwrap();
    let (_, found) = check(&guest("keeper"), &["--grants", grants.to_str().unwrap()]);
    let faults = found["faults"][0].as_str().unwrap();
    assert!(
        faults.contains("`colour` is unknown here") && faults.contains("`limits.memory_bytes`: 1 is not"),
        "{found}"
    );
}

#[test]
fn what_is_no_plugin_is_told_with_all_that_is_known_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("odd.wasm");
    let foreign = r#"(component (import "wasi:nn/graph@0.2.0" (instance (export "load" (func)))))"#;
    std::fs::write(&file, wat::parse_str(foreign).unwrap()).unwrap();
    let (code, found) = check(&file, &[]);
    assert_eq!((code, found["faults"].as_array().unwrap().len()), (Some(1), 1), "{found}");
    assert_eq!(found["imports"], json!([{ "name": "wasi:nn/graph@0.2.0", "is_offered": false }]));
    assert!(found["faults"][0].as_str().unwrap().contains("which this host does not offer"), "{found}");
    std::fs::write(&file, wat::parse_str("(module)").unwrap()).unwrap();
    assert!(check(&file, &[]).1["faults"][0].as_str().unwrap().contains("build it for wasm32-wasip2"));
    let (_, found) = check(&folder.path().join("gone.wasm"), &["--grants", "none.toml"]);
    assert_eq!(found["faults"].as_array().unwrap().len(), 2, "{found}");
    let output = windlass(&["plugin", "check", guest("keeper").to_str().unwrap()]);
    let said = text(&output.stdout);
    for part in ["imports\n", "takes of the pool\n", "lacks these lines in keeper.toml\n", "It cannot be served:\n"] {
        assert!(said.contains(part), "{said}");
    }
}
