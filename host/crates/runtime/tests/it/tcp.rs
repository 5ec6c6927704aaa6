//! TCP and names: what is granted is reached, and nothing else.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use windlass_model::AttemptOutcome;

use crate::bench::{Bench, Recorder, job};
use crate::http::{run, web};
use crate::server::Names;

/// Sends back the first bytes that come, and closes.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 100];
            if let Ok(read) = stream.read(&mut buffer).await {
                let _ = stream.write_all(&buffer[..read]).await;
            }
        }
    });
    address
}

async fn connect(bench: &Bench, host: &str, port: u16) -> (Value, Vec<String>) {
    run(bench, json!({ "do": "tcp", "host": host, "port": port, "send": "hello" })).await
}

#[tokio::test]
async fn a_granted_address_and_port_are_reached_and_no_other() {
    let (granted, other) = (echo().await, echo().await);
    let bench = web(&format!("[[tcp]]\nhost = '127.0.0.1'\nport = {}", granted.port()), |_| {}).await;
    assert_eq!(connect(&bench, "127.0.0.1", granted.port()).await, (json!({ "ok": "hello" }), Vec::new()));
    let (answer, lines) = connect(&bench, "127.0.0.1", other.port()).await;
    assert!(answer["error"].is_string(), "{answer}");
    let line = format!(
        "Denied: TCP to {other}. The operator grants it in web.toml with [[tcp]] and below it host = \"127.0.0.1\", port = {}.",
        other.port()
    );
    assert_eq!(lines, [line]);
    assert!(connect(&bench, "127.0.0.2", granted.port()).await.0["error"].is_string());
}

#[tokio::test]
async fn a_granted_name_is_resolved_by_the_host_and_its_addresses_are_reached() {
    let server = echo().await;
    let names = Names::with(&[
        ("mail.example.test", &[&["127.0.0.1"]]),
        ("inside.example.test", &[&["127.0.0.1"]]),
        ("other.example.test", &[&["127.0.0.1"]]),
    ]);
    let grants = format!(
        "[[tcp]]\nhost = 'mail.example.test'\nports = [{port}]\naddresses = ['127.0.0.0/8']\n\
         [[tcp]]\nhost = 'inside.example.test'\nport = {port}",
        port = server.port()
    );
    let bench = web(&grants, |settings| settings.egress.resolver = names.clone()).await;
    // Before the name was resolved its address is nothing that may be dialled.
    assert!(connect(&bench, "127.0.0.1", server.port()).await.0["error"].is_string());
    assert_eq!(connect(&bench, "MAIL.example.test", server.port()).await.0, json!({ "ok": "hello" }));
    assert!(connect(&bench, "mail.example.test", 25).await.0["error"].is_string());
    let (answer, lines) = connect(&bench, "inside.example.test", server.port()).await;
    assert!(answer["error"].is_string(), "{answer}");
    let line = "Denied: `inside.example.test` resolves to 127.0.0.1, a loopback address. The operator grants it in web.toml with \
                addresses = [\"127.0.0.1\"] in its [[tcp]].";
    assert_eq!(lines, [line]);
    let (answer, lines) = run(&bench, json!({ "do": "resolve", "name": "other.example.test" })).await;
    assert!(answer["error"].is_string(), "{answer}");
    assert!(lines[0].starts_with("Denied: the name \"other.example.test\". The operator grants it"), "{lines:?}");
    assert_eq!(names.asked("other.example.test"), 0);
}

#[tokio::test]
async fn nothing_but_outgoing_tcp_is_ever_granted() {
    let server = echo().await;
    for grants in [format!("[[tcp]]\nhost = '127.0.0.1'\nport = {}", server.port()), String::new()] {
        let bench = web(&grants, |_| {}).await;
        for args in [
            json!({ "do": "udp", "to": server.to_string() }),
            json!({ "do": "listen", "at": "127.0.0.1:0" }),
            json!({ "do": "listen", "at": "0.0.0.0:0" }),
            json!({ "do": "resolve", "name": "localhost" }),
        ] {
            let (answer, _) = run(&bench, args.clone()).await;
            assert!(answer["error"].is_string(), "{args} {answer}");
        }
    }
    let bench = web("", |_| {}).await;
    assert!(connect(&bench, "127.0.0.1", server.port()).await.0["error"].is_string());
}

#[tokio::test]
async fn a_guest_that_waits_for_a_socket_is_interrupted_and_its_connection_dropped() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let bench = web(&format!("[[tcp]]\nhost = '127.0.0.1'\nport = {port}"), |_| {}).await;
    let args = json!({ "do": "tcp", "host": "127.0.0.1", "port": port, "send": "hello" });
    let (host, interrupt) = (Arc::<Recorder>::default(), CancellationToken::new());
    let running = bench.interruptible(job("web", &args.to_string()), &host, interrupt.clone());
    let silence = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut [0; 5]).await.unwrap();
        // Now it waits for an answer.
        interrupt.cancel();
        let end = stream.read(&mut [0; 1]).await;
        assert!(matches!(end, Ok(0) | Err(_)), "the connection is still there");
    };
    let (report, ()) = tokio::join!(running, silence);
    assert!(matches!(report.outcome, AttemptOutcome::Interrupted), "{:?}", report.outcome);
}
