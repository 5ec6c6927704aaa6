//! Plugins that look for a way to the network.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::yard::Yard;

#[tokio::test]
async fn raw_sockets_of_every_kind_are_denied() {
    let yard = Yard::of(&["sockets"]).await;
    // Somebody listens, so that a connection would succeed, and can say that nobody came.
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    for listener in [tcp.set_nonblocking(true), udp.set_nonblocking(true)] {
        listener.unwrap();
    }
    let mut addresses = Vec::new();
    for port in [tcp.local_addr().unwrap().port(), udp.local_addr().unwrap().port()] {
        for host in
            ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.1", "0.0.0.0", "localhost", "2130706433", "0x7f.1"]
        {
            addresses.push(format!("{host}:{port}"));
        }
    }
    addresses.extend(["169.254.169.254:80", "10.0.0.1:80", "192.0.2.1:443"].map(str::to_owned));
    addresses.push(yard.daemon.url.trim_start_matches("http://").to_owned());
    let ending = yard.run_for("sockets", json!({ "addresses": addresses }), 20_000).await;
    assert_eq!((ending.state.as_str(), &ending.output), ("completed", &json!({ "done": [] })), "{}", ending.message);
    assert!(tcp.accept().is_err(), "somebody connected");
    assert!(udp.recv(&mut [0; 64]).is_err(), "somebody sent something");
    yard.close().await;
}

/// A web server that answers `/away` with a redirect, all else with 200, and counts who came.
struct Web {
    address: SocketAddr,
    came: Arc<AtomicUsize>,
}

impl Web {
    fn start(away: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, came) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let counter = came.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counter.fetch_add(1, Ordering::SeqCst);
                let mut stream = stream;
                let mut head = [0; 4_096];
                let read = stream.read(&mut head).unwrap_or(0);
                let status = match head[..read].starts_with(b"GET /away") {
                    true => format!("302 Found\r\nlocation: {away}"),
                    false => "200 OK".to_owned(),
                };
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { address, came }
    }
}

#[tokio::test]
async fn no_name_no_notation_and_no_redirect_leads_to_an_address_inside() {
    let inside = Web::start("http://127.0.0.1:1/".to_owned());
    let granted = Web::start(format!("http://{}/", inside.address));
    let port = inside.address.port();
    // One server is granted by its address. The other is granted by names that lead to this machine, which is no grant of the address.
    let names = ["localhost", "localhost.localdomain", "ip6-localhost"].map(|name| format!("{name}:{port}"));
    let origins = names.iter().cloned().chain([granted.address.to_string()]);
    let grants: String = origins.map(|origin| format!("[[http]]\norigin = \"http://{origin}\"\n\n")).collect();
    let yard = Yard::granted(&[("fetch", &grants)]).await;
    let hosts = [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "0",
        "0.0.0.0",
        "127.0.0.2",
        "127.0.0.1.",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "LOCALHOST",
        "localhost.",
        "localhost%00.example.com",
        "127.0.0.1%23.example.com",
        "user@127.0.0.1",
        "169.254.169.254",
        "metadata",
    ];
    let inside_by: Vec<_> = hosts.iter().map(|host| format!("{host}:{port}")).chain(names).collect();
    let ending = yard.run_for("fetch", json!({ "path": "/", "authorities": inside_by }), 60_000).await;
    assert_eq!(ending.state, "completed", "{}", ending.message);
    for authority in &inside_by {
        let answer = &ending.output[authority];
        assert!(answer["error"].is_string() && answer["status"].is_null(), "{authority}: {answer}");
    }
    // The one that is granted answers, and where it sends us is looked at again.
    let authority = granted.address.to_string();
    let ending = yard.run("fetch", json!({ "path": "/", "authorities": [authority] })).await;
    assert_eq!(ending.output[&authority]["status"], 200, "{}", ending.output);
    let ending = yard.run("fetch", json!({ "path": "/away", "authorities": [authority] })).await;
    let answer = &ending.output[&authority];
    assert_eq!(
        (&answer["status"], &answer["authority"]),
        (&Value::Null, &json!(inside.address.to_string())),
        "{answer}"
    );
    assert_eq!((inside.came.load(Ordering::SeqCst), granted.came.load(Ordering::SeqCst)), (0, 2));
    yard.close().await;
}
