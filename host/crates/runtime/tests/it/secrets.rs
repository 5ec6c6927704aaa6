//! Secrets, config values and wasi:logging: who sees a value, and who does not.

use std::ffi::OsString;

use serde_json::{Value, json};
use windlass_model::{ErrorKind, LogStream};
use windlass_runtime::RuntimeSettings;

use crate::bench::{Bench, failed, guest_bytes, output};
use crate::http::{run, web};
use crate::server::Server;

const VALUE: &str = "hunter2-\"quoted\"";
const TOKEN: &str = "tok_4711";

fn variable(name: &str) -> Option<OsString> {
    match name {
        "THE_VALUE" => Some(VALUE.into()),
        "THE_TOKEN" => Some(TOKEN.into()),
        _ => None,
    }
}

fn with_variables(settings: &mut RuntimeSettings) {
    settings.variable = variable;
}

#[tokio::test]
async fn a_guest_has_the_value_and_nobody_reads_it_in_what_the_guest_tells() {
    let grants = "[env]\nKEY = { secret = 'key' }\n[secret.key]\nenv = 'THE_VALUE'";
    let bench = web(grants, with_variables).await;
    let (outcome, host) = bench.run("web", r#"{"do":"tell","name":"KEY","fail":false}"#).await;
    assert_eq!(output(&outcome), format!(r#"{{"length":{},"value":"[secret key]"}}"#, VALUE.len()));
    assert_eq!(host.reports()[0].status_info.as_deref(), Some("info [secret key]"));
    let lines: Vec<_> = host.lines().into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines[..3], ["out [secret key]", "err [secret key]", "TRACE context: [secret key]"]);
    assert!(!lines.concat().contains("hunter2"), "{lines:?}");
    let (outcome, _) = bench.run("web", r#"{"do":"tell","name":"KEY","fail":true}"#).await;
    assert_eq!(failed(outcome, ErrorKind::Fatal), "failed with [secret key]");
    let shown = serde_json::to_string(&bench.info("web").unwrap()).unwrap();
    assert!(shown.contains(r#""secret":{"key":{"env":"THE_VALUE"}}"#) && !shown.contains("hunter2"), "{shown}");
}

/// A guest whose `KEY` is bound to the first server, with both servers granted.
async fn bound(one: &Server, other: &Server) -> Bench {
    let grants = format!(
        "[env]\nKEY = {{ secret = 'token' }}\n[secret.token]\nenv = 'THE_TOKEN'\nhttp = ['{one}']\n\
         [[http]]\norigin = '{one}'\n[[http]]\norigin = '{other}'",
        one = one.origin(),
        other = other.origin()
    );
    web(&grants, with_variables).await
}

fn with_header(url: &str, value: &str) -> Value {
    json!({ "do": "request", "url": url, "headers": [["authorization", value]] })
}

fn authorization(answer: &Value) -> String {
    let seen: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    seen["authorization"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_bound_secret_is_put_in_by_the_host_and_only_for_its_origin() {
    let (one, other) = (Server::start().await, Server::start().await);
    let bench = bound(&one, &other).await;
    let (answer, lines) = run(&bench, with_header(&one.origin(), "Bearer {KEY}")).await;
    // The server tells what it got; that is taken out of what is told on.
    assert_eq!(authorization(&answer), "Bearer [secret token]", "{lines:?}");
    let (answer, _) = run(&bench, with_header(&one.origin(), "Basic {basic KEY}")).await;
    assert_eq!(authorization(&answer), "Basic dXNlcjp0b2tfNDcxMQ==");
    let (answer, lines) = run(&bench, with_header(&other.origin(), "Bearer {KEY}")).await;
    assert_eq!(answer["error"], "ErrorCode::HttpRequestDenied");
    let line = format!(
        "Denied: GET {}: the secret `token` is not bound to {}: the operator binds it with `http` under [secret.token].",
        other.origin(),
        other.origin()
    );
    assert_eq!(lines, [line]);
    let (answer, _) = run(&bench, with_header(&format!("{}/?key={{KEY}}", one.origin()), "x")).await;
    assert_eq!(answer["error"], "ErrorCode::HttpRequestDenied");
    assert_eq!((one.requests(), other.requests()), (2, 0));
}

#[tokio::test]
async fn a_guest_holds_a_placeholder_that_is_new_for_each_attempt() {
    let server = Server::start().await;
    let bench = bound(&server, &server).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let (answer, _) = run(&bench, json!({ "do": "tell", "name": "KEY", "fail": false })).await;
        held.push(answer["value"].as_str().unwrap().to_owned());
    }
    assert!(held.iter().all(|text| text.starts_with("windlass_secret_token_") && !text.contains(TOKEN)), "{held:?}");
    assert_ne!(held[0], held[1]);
    // The one of an earlier attempt is worth nothing.
    let (answer, _) = run(&bench, with_header(&server.origin(), &held[0])).await;
    assert_eq!(authorization(&answer), held[0]);
}

#[tokio::test]
async fn config_values_are_found_by_their_keys_and_no_others() {
    let bench = Bench::bounded(|_| {});
    std::fs::write(bench.path("data").join("token"), "from a file\n").unwrap();
    bench.put(
        "web.toml",
        b"http = []\n[config]\nregion = 'north'\ntoken = { secret = 't' }\n[secret.t]\nfile = 'token'",
    );
    bench.put("web.wasm", &guest_bytes("web"));
    bench.runtime.load_all().await;
    let get = async |key: &str| run(&bench, json!({ "do": "config", "key": key })).await.0;
    assert_eq!(get("region").await, "north");
    assert_eq!(get("token").await, "[secret t]");
    assert_eq!(get("other").await, Value::Null);
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_a_fault_that_names_it_and_mends_itself() {
    let bench = Bench::bounded(|_| {});
    bench.put("web.toml", b"http = []\nconfig = {}\n[secret.t]\nfile = 'token'");
    bench.put("web.wasm", &guest_bytes("web"));
    bench.runtime.load_all().await;
    let found = bench.load_error("web");
    assert!(found.contains("`secret.t`: the file `") && found.contains("could not be read"), "{found}");
    std::fs::write(bench.path("data").join("token"), "value").unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let watching = tokio::spawn(bench.runtime.clone().watch(stop.clone()));
    bench.until("the plugin is loaded", |bench| !bench.runtime.loaded().is_empty()).await;
    stop.cancel();
    watching.await.unwrap();
}

#[tokio::test]
async fn a_guest_logs_with_level_and_context() {
    let bench = web("", |_| {}).await;
    let (_, host) = bench.run("web", r#"{"do":"log","context":"db","message":"two\nlines"}"#).await;
    let lines = host.lines();
    let expected = [(LogStream::Stdout, "TRACE db: two"), (LogStream::Stdout, "lines")];
    assert_eq!(lines[..2], expected.map(|(stream, line)| (stream, line.to_owned())));
    let warned: Vec<_> =
        lines.iter().filter(|(stream, _)| *stream == LogStream::Stderr).map(|(_, line)| line.as_str()).collect();
    assert_eq!(warned, ["WARN db: two", "lines", "ERROR db: two", "lines", "CRITICAL db: two", "lines"]);
    let (_, host) = bench.run("web", r#"{"do":"log","context":"","message":"x"}"#).await;
    assert_eq!(host.lines()[2].1, "INFO x");
}
