//! Outgoing HTTP: what is granted goes out, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use windlass_model::{AttemptOutcome, ErrorKind, LogStream};
use windlass_runtime::RuntimeSettings;

use crate::bench::{Bench, Recorder, failed, guest_bytes, job, output};
use crate::server::{Certificate, Names, Server};

/// A sandbox with the guest `web` and these grants.
pub(crate) async fn web(grants: &str, set: impl FnOnce(&mut RuntimeSettings)) -> Bench {
    let bench = Bench::bounded(set);
    put(&bench, "web", grants);
    bench.runtime.load_all().await;
    assert!(!bench.runtime.loaded().is_empty(), "{}", bench.load_error("web"));
    bench
}

/// Puts the guest with its grants, and says of what is not granted that nothing is.
fn put(bench: &Bench, name: &str, grants: &str) {
    let http = if grants.contains("[[http]]") { "" } else { "http = []\n" };
    let config = if grants.contains("[config]") { "" } else { "config = {}\n" };
    bench.put(&format!("{name}.toml"), format!("{http}{config}{grants}").as_bytes());
    bench.put(&format!("{name}.wasm"), &guest_bytes("web"));
}

pub(crate) async fn run(bench: &Bench, args: Value) -> (Value, Vec<String>) {
    run_as(bench, "web", args).await
}

async fn run_as(bench: &Bench, name: &str, args: Value) -> (Value, Vec<String>) {
    let (outcome, host) = bench.run(name, &args.to_string()).await;
    (serde_json::from_str(output(&outcome)).unwrap(), host_lines(&host))
}

/// What the daemon remarked in the log.
pub(crate) fn host_lines(host: &Recorder) -> Vec<String> {
    host.lines().into_iter().filter(|(stream, _)| *stream == LogStream::Host).map(|(_, line)| line).collect()
}

fn request(url: impl Into<String>) -> Value {
    json!({ "do": "request", "url": url.into() })
}

fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap_or_else(|| panic!("no body: {answer}"))).unwrap()
}

/// That a request was denied, and the one line that tells why.
#[track_caller]
fn denied((answer, lines): &(Value, Vec<String>)) -> String {
    assert_eq!(answer["error"], "ErrorCode::HttpRequestDenied", "{answer} {lines:?}");
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    line.clone()
}

#[tokio::test]
async fn a_granted_request_goes_out_and_is_answered() {
    let server = Server::start().await;
    let bench = web(&format!("[[http]]\norigin = '{}'", server.origin()), |_| {}).await;
    let (answer, lines) = run(&bench, request(format!("{}/v1/x?y=1", server.origin()))).await;
    assert_eq!((&answer["status"], &lines), (&json!(200), &Vec::new()));
    let seen = body(&answer);
    assert_eq!(
        (&seen["method"], &seen["path"], &seen["version"]),
        (&json!("GET"), &json!("/v1/x"), &json!("HTTP/1.1"))
    );
    assert_eq!(seen["host"], server.address.to_string());
    // An address in another notation is the same address.
    let mapped = format!("http://[::ffff:127.0.0.1]:{}/", server.port());
    let (answer, _) = run(&bench, request(mapped)).await;
    assert_eq!(body(&answer)["host"], server.address.to_string());
}

#[tokio::test]
async fn what_is_not_granted_is_denied_and_the_log_says_what_would_grant_it() {
    let server = Server::start().await;
    let origin = server.origin();
    let bench = web(&format!("[[http]]\norigin = '{origin}'\npaths = ['/v1/*']"), |_| {}).await;
    let post = json!({ "do": "request", "url": format!("{origin}/v1/x"), "method": "POST", "body": 200_000 });
    assert_eq!(
        denied(&run(&bench, post).await),
        format!(
            "Denied: POST {origin}/v1/x. The operator grants it in web.toml with \"POST\" in the `methods` of its [[http]] for \
             \"{origin}\"."
        )
    );
    let line = denied(&run(&bench, request(format!("{origin}/v2?key=hidden"))).await);
    assert!(line.contains("with \"/v2\" in the `paths` of its [[http]]") && !line.contains("hidden"), "{line}");
    let line = denied(&run(&bench, request("https://other.example.test/")).await);
    let expected =
        "The operator grants it in web.toml with [[http]] and below it origin = \"https://other.example.test\".";
    assert!(line.ends_with(expected), "{line}");
    for path in ["/v1/../v2", "/v1/%2e%2e/v2", "/v1//x", "/v1/%2f"] {
        assert!(
            denied(&run(&bench, request(format!("{origin}{path}"))).await).contains("its path is refused"),
            "{path}"
        );
    }
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_plugin_without_grants_reaches_nothing() {
    let server = Server::start().await;
    let bench = web("", |_| {}).await;
    denied(&run(&bench, request(server.origin())).await);
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_granted_name_that_leads_to_an_address_inside_is_denied_unless_the_address_is_granted() {
    let server = Server::start().await;
    let names = Names::with(&[
        ("inside.example.test", &[&["127.0.0.1"]]),
        ("mapped.example.test", &[&["::ffff:127.0.0.1"]]),
        ("cloud.example.test", &[&["169.254.169.254"]]),
        ("nat.example.test", &[&["64:ff9b::7f00:1"]]),
    ]);
    let url = |name: &str| format!("http://{name}.example.test:{}", server.port());
    let grants = |rest: &str| {
        let rule = |name: &&str| format!("[[http]]\norigin = '{}'\n{rest}\n", url(name));
        ["inside", "mapped", "cloud", "nat"].iter().map(rule).collect::<String>()
    };
    let bench = web(&grants(""), |settings| settings.egress.resolver = names.clone()).await;
    for (name, why) in [
        ("inside", "resolves to 127.0.0.1, a loopback address"),
        ("mapped", "resolves to 127.0.0.1, a loopback address"),
        ("cloud", "resolves to 169.254.169.254, a metadata address of a cloud"),
        ("nat", "resolves to 64:ff9b::7f00:1, an address that carries one of IPv4 (NAT64)"),
    ] {
        let line = denied(&run(&bench, request(url(name))).await);
        assert!(line.contains(why), "{line}");
        assert!(line.contains("with addresses = [\""), "{line}");
    }
    assert_eq!(server.requests(), 0);
    let bench = web(&grants("addresses = ['127.0.0.1']"), |settings| settings.egress.resolver = names.clone()).await;
    for (name, goes) in [("inside", true), ("mapped", true), ("cloud", false), ("nat", false)] {
        let (answer, _) = run(&bench, request(url(name))).await;
        assert_eq!(answer["status"] == 200, goes, "{name} {answer}");
    }
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_dialled() {
    let server = Server::start().await;
    // Whoever asks a second time is led elsewhere; and of two addresses the one that is not granted is never dialled.
    let names = Names::with(&[("twice.example.test", &[&["10.1.2.3", "127.0.0.1"], &["169.254.169.254"]])]);
    let url = format!("http://twice.example.test:{}", server.port());
    let grants = format!("[[http]]\norigin = '{url}'\naddresses = ['127.0.0.1']");
    let bench = web(&grants, |settings| settings.egress.resolver = names.clone()).await;
    let (answer, lines) = run(&bench, request(&url)).await;
    assert_eq!(body(&answer)["host"], format!("twice.example.test:{}", server.port()), "{lines:?}");
    assert_eq!(names.asked("twice.example.test"), 1);
}

#[tokio::test]
async fn a_redirect_is_a_request_of_the_guests_own() {
    let (public, inside) = (Server::start().await, Server::start().await);
    let bench = web(&format!("[[http]]\norigin = '{}'", public.origin()), |_| {}).await;
    let to = |to: String| json!({ "do": "follow", "url": format!("{}/redirect?{to}", public.origin()) });
    let (answer, _) = run(&bench, request(format!("{}/redirect?{}", public.origin(), inside.origin()))).await;
    assert_eq!(answer["status"], 302, "the host follows none");
    let (answer, _) = run(&bench, to(format!("{}/there", public.origin()))).await;
    assert_eq!(body(&answer)["path"], "/there");
    let line = denied(&run(&bench, to(format!("{}/there", inside.origin()))).await);
    assert!(line.contains(&inside.origin()), "{line}");
    denied(&run(&bench, to("http://169.254.169.254/latest/meta-data".to_owned())).await);
    assert_eq!(inside.requests(), 0);
}

#[tokio::test]
async fn an_address_in_an_odd_notation_slips_past_no_rule() {
    let server = Server::start().await;
    let (port, names) = (server.port(), Names::with(&[]));
    let grants =
        format!("[[http]]\norigin = 'http://*.example.test:{port}'\n[[http]]\norigin = 'http://127.0.0.2:{port}'");
    let bench = web(&grants, |settings| settings.egress.resolver = names.clone()).await;
    let odd = [
        "127.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "127.0.0.1.",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "localhost",
    ];
    for host in odd.into_iter().chain(["LOCALHOST.", "127.0.0.1", "a.example.test@127.0.0.1", "0", "[::ffff:7f00:1]"]) {
        let (answer, lines) = run(&bench, request(format!("http://{host}:{port}/"))).await;
        // What is no authority at all is refused before it is a request.
        let refused = [
            json!("ErrorCode::HttpRequestDenied"),
            json!("authority refused"),
            json!("ErrorCode::HttpRequestUriInvalid"),
        ];
        assert!(refused.contains(&answer["error"]), "{host} {answer} {lines:?}");
    }
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_connection_is_used_again_but_never_by_a_plugin_that_was_not_granted_its_address() {
    let server = Server::start().await;
    let names = Names::with(&[("inside.example.test", &[&["127.0.0.1"]])]);
    let url = format!("http://inside.example.test:{}/", server.port());
    let bench = Bench::bounded(|settings| settings.egress.resolver = names.clone());
    let rule = format!("[[http]]\norigin = 'http://inside.example.test:{}'\n", server.port());
    put(&bench, "granted", &format!("{rule}addresses = ['127.0.0.0/8']"));
    put(&bench, "also", &format!("{rule}addresses = ['127.0.0.0/8']"));
    put(&bench, "not", &rule);
    bench.runtime.load_all().await;
    let client = async |name: &str| body(&run_as(&bench, name, request(&url)).await.0)["client"].clone();
    let first = client("granted").await;
    assert_eq!((client("granted").await, client("also").await), (first.clone(), first), "one connection for all");
    let line = denied(&run_as(&bench, "not", request(&url)).await);
    assert!(line.contains("resolves to 127.0.0.1"), "{line}");
}

async fn secure(protocols: &[&str], trust: bool) -> (Value, Vec<String>) {
    let certificate = Certificate::new(protocols);
    let server = Server::secure(&certificate).await;
    let names = Names::with(&[("api.example.test", &[&["127.0.0.1"]])]);
    let url = format!("https://api.example.test:{}", server.port());
    let grants = format!("[[http]]\norigin = '{url}'\naddresses = ['127.0.0.1']");
    let bench = web(&grants, |settings| {
        settings.egress.resolver = names.clone();
        settings.egress.extra_roots = trust.then(|| certificate.file.clone());
    })
    .await;
    run(&bench, request(url)).await
}

#[tokio::test]
async fn a_secure_origin_is_spoken_to_in_the_protocol_that_it_offers() {
    let (answer, lines) = secure(&["h2", "http/1.1"], true).await;
    assert_eq!(body(&answer)["version"], "HTTP/2.0", "{lines:?}");
    let (answer, _) = secure(&["http/1.1"], true).await;
    assert_eq!(body(&answer)["version"], "HTTP/1.1");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let (answer, lines) = secure(&["h2"], false).await;
    assert_eq!(answer["error"], "ErrorCode::TlsCertificateError");
    assert!(lines[0].contains("invalid peer certificate"), "{lines:?}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_ends_at_the_guests_time_out_and_at_the_jobs_deadline() {
    let server = Server::start().await;
    let bench = web(&format!("[[http]]\norigin = '{}'", server.origin()), |_| {}).await;
    let slow = format!("{}/slow", server.origin());
    let (answer, lines) = run(&bench, json!({ "do": "request", "url": slow, "first_byte_ms": 50 })).await;
    assert_eq!(answer["error"], "ErrorCode::HttpResponseTimeout");
    assert_eq!(lines, [format!("Failed: GET {}: no response in 50 ms.", server.origin())]);
    server.given_up().await;
    let (answer, _) =
        run(&bench, json!({ "do": "request", "url": format!("{}/drip", server.origin()), "between_bytes_ms": 50 }))
            .await;
    assert_eq!((&answer["bytes"], &answer["broken"]), (&json!(16_384), &json!("connection read timeout")));

    let mut bound = job("web", &json!({ "do": "request", "url": slow }).to_string());
    bound.timeout = Some(Duration::from_millis(300));
    let report = bench.attempt(bound, &Arc::default()).await;
    failed(report.outcome, ErrorKind::Timeout);
}

#[tokio::test]
async fn a_guest_that_waits_for_a_server_is_interrupted_and_its_connection_dropped() {
    let server = Server::start().await;
    let bench = web(&format!("[[http]]\norigin = '{}'", server.origin()), |_| {}).await;
    let (host, interrupt) = (Arc::<Recorder>::default(), CancellationToken::new());
    let args = json!({ "do": "wait", "url": format!("{}/slow", server.origin()) });
    let cancel = async {
        host.started().await;
        while server.requests() == 0 {
            tokio::task::yield_now().await;
        }
        interrupt.cancel();
    };
    let running = bench.interruptible(job("web", &args.to_string()), &host, interrupt.clone());
    let (report, ()) = tokio::join!(running, cancel);
    assert!(matches!(report.outcome, AttemptOutcome::Interrupted), "{:?}", report.outcome);
    server.given_up().await;
}

#[tokio::test]
async fn a_response_that_is_too_large_ends_in_an_error_and_a_line_in_the_log() {
    let server = Server::start().await;
    let grants = format!("[[http]]\norigin = '{}'", server.origin());
    let bench = web(&grants, |settings| settings.limits.http_response_bytes = 200_000).await;
    let (answer, lines) = run(&bench, request(format!("{}/endless", server.origin()))).await;
    let broken = answer["broken"].as_str().unwrap();
    assert!(broken.starts_with("HTTP response body size exceeds limit"), "{broken}");
    assert!(answer["bytes"].as_u64().unwrap() <= 200_000);
    let line = format!("Stopped: GET {}: the response is larger than its limit of 195.4 KiB.", server.origin());
    assert_eq!(lines.as_slice(), std::slice::from_ref(&line));
    // One that says so is not even begun.
    let (answer, lines) = run(&bench, request(format!("{}/long", server.origin()))).await;
    assert!(answer["error"].as_str().unwrap().starts_with("ErrorCode::HttpResponseBodySize("), "{answer}");
    assert_eq!(lines, [line]);
    let (answer, _) = run(&bench, request(format!("{}/big-header", server.origin()))).await;
    assert!(answer["error"].as_str().unwrap().starts_with("ErrorCode::HttpResponseHeaderSectionSize("), "{answer}");
}

#[tokio::test]
async fn requests_at_the_same_time_are_bounded() {
    let server = Server::start().await;
    let grants = format!("[[http]]\norigin = '{}'", server.origin());
    let bench = web(&grants, |settings| settings.limits.http_requests = 2).await;
    let flock = json!({ "do": "flock", "count": 4, "wish": { "url": format!("{}/drip", server.origin()) } });
    let (answer, lines) = run(&bench, flock).await;
    let limit = "ErrorCode::ConnectionLimitReached";
    assert_eq!(answer, json!(["200", "200", limit, limit]));
    assert_eq!(lines.len(), 2);
}

#[tokio::test]
async fn a_body_is_sent_as_it_is_written() {
    let server = Server::start().await;
    let bench = web(&format!("[[http]]\norigin = '{}'\nmethods = ['POST']", server.origin()), |_| {}).await;
    let post = json!({ "do": "request", "url": server.origin(), "method": "POST", "body": 3_000_000 });
    let (answer, lines) = run(&bench, post).await;
    assert_eq!(body(&answer)["bytes"], 3_000_000, "{lines:?}");
}

#[tokio::test]
async fn a_name_without_an_address_and_a_port_without_a_server_are_told() {
    let grants = "[[http]]\norigin = 'http://none.example.test'\n[[http]]\norigin = 'http://127.0.0.1:1'";
    let bench = web(grants, |settings| settings.egress.resolver = Names::with(&[])).await;
    let (answer, lines) = run(&bench, request("http://none.example.test/")).await;
    assert!(answer["error"].as_str().unwrap().starts_with("ErrorCode::DnsError"), "{answer}");
    assert_eq!(lines, ["Failed: GET http://none.example.test: `none.example.test` has no address."]);
    let (answer, lines) = run(&bench, request("http://127.0.0.1:1/")).await;
    assert_eq!(answer["error"], "ErrorCode::ConnectionRefused", "{lines:?}");
}
