//! Plugins that look for a way to the network.

use std::net::{TcpListener, UdpSocket};

use serde_json::json;

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
