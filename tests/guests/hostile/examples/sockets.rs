//! Raw TCP and UDP: connects to, sends to and looks up each of `addresses` (`host:port`), and listens. Says what it could do.

use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

use hostile::Said;
use hostile::serde_json::{Value, json};

fn attempt(args: Value) -> Said {
    let mut done = Vec::new();
    for address in args["addresses"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let mut note = |what: &str, worked: bool| {
            if worked {
                done.push(format!("{what} {address}"));
            }
        };
        // What is written as an address is no question to a name server.
        let is_name = address.chars().next().is_some_and(char::is_alphabetic);
        note("look up", is_name && address.to_socket_addrs().is_ok());
        note("connect", TcpStream::connect(address).is_ok());
        let sent = ["0.0.0.0:0", "[::]:0"]
            .iter()
            .any(|from| UdpSocket::bind(from).is_ok_and(|socket| socket.send_to(b"windlass", address).is_ok()));
        note("send", sent);
    }
    for from in ["0.0.0.0:0", "127.0.0.1:0", "[::1]:0"] {
        if TcpListener::bind(from).is_ok() {
            done.push(format!("listen {from}"));
        }
        if UdpSocket::bind(from).is_ok() {
            done.push(format!("bind {from}"));
        }
    }
    Ok(json!({ "done": done }))
}

hostile::plugin!(attempt);
