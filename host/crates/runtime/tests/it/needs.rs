//! A plugin that wants more than it has.

use std::ffi::OsString;

use crate::bench::{Bench, guest_bytes, output};

fn variable(name: &str) -> Option<OsString> {
    (name == "API_KEY").then(|| "value".into())
}

#[tokio::test]
async fn a_plugin_that_wants_more_than_it_has_loads_when_the_lines_that_are_told_are_pasted() {
    let bench = Bench::bounded(|settings| settings.variable = variable);
    std::fs::create_dir(bench.path("data").join("data")).unwrap();
    bench.put("wanting.wasm", &guest_bytes("wanting"));
    bench.runtime.load_all().await;
    assert!(bench.runtime.loaded().is_empty());
    let told = bench.load_error("wanting");
    let (first, lines) = told.split_once('\n').unwrap();
    assert_eq!(
        first,
        "`wanting` wants more than its grants file wanting.toml gives. Paste into it what you agree with:"
    );
    // There is no file yet: all lines are the file.
    bench.put("wanting.toml", lines.as_bytes());
    bench.runtime.load_all().await;
    assert!(!bench.runtime.loaded().is_empty(), "{told}\n{}", bench.load_error("wanting"));
    let (outcome, _) = bench.run("wanting", "{}").await;
    assert_eq!(output(&outcome), r#"{"region":"north"}"#);
}

#[tokio::test]
async fn a_plugin_that_can_send_requests_loads_when_the_operator_said_something_of_it() {
    let bench = Bench::bounded(|_| {});
    bench.put("web.wasm", &guest_bytes("web"));
    bench.runtime.load_all().await;
    let told = bench.load_error("web");
    assert!(told.contains("\nhttp = []   # ") && told.contains("\nconfig = {}   # "), "{told}");
    assert!(!told.contains("enqueue"), "what a guest never calls it does not import: {told}");
    bench.put("web.toml", told.split_once('\n').unwrap().1.as_bytes());
    bench.runtime.load_all().await;
    assert!(!bench.runtime.loaded().is_empty());
}
