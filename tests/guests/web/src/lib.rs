//! Reaches for the network in every way that a test needs: `{"do": "request", "url": "…"}`.

mod http;
mod imports;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

use serde::Deserialize;
use serde_json::{Value, json};
use windlass_guest::schemars::{self, JsonSchema};
use windlass_guest::{Job, TaskError, fatal, task};

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Args {
    /// Sends a request and returns status, version of the body and errors.
    Request(http::Wish),
    /// Sends a request and, when it is answered by a redirect, the next.
    Follow(http::Wish),
    /// Sends the same request so many times at once, and looks at the answers only then.
    Flock { wish: http::Wish, count: usize },
    /// Reports step 1, sends a request and waits for it.
    Wait(http::Wish),
    /// Connects, writes `send`, reads to the end.
    Tcp { host: String, port: u16, send: String },
    /// Resolves a name.
    Resolve { name: String },
    /// Sends a datagram.
    Udp { to: String },
    /// Waits for connections.
    Listen { at: String },
    /// Reads a config value.
    Config { key: String },
    /// Writes a line by wasi:logging, at each level.
    Log { context: String, message: String },
    /// Tells the value of the environment by all ways: prints it to both streams, reports it, logs it, fails with it or returns it.
    Tell { name: String, fail: bool },
}

/// Web
#[task]
fn web(job: &Job, args: Args) -> Result<Value, TaskError> {
    match args {
        Args::Request(wish) => Ok(http::send(&wish)),
        Args::Follow(wish) => Ok(http::follow(wish)),
        Args::Flock { wish, count } => Ok(http::flock(&wish, count)),
        Args::Wait(wish) => {
            job.progress().step(1).info("Waiting").report();
            Ok(http::send(&wish))
        }
        Args::Tcp { host, port, send } => Ok(tcp(&host, port, &send)),
        Args::Resolve { name } => Ok(told(
            (name.as_str(), 0)
                .to_socket_addrs()
                .map(|found| json!(found.map(|address| address.ip().to_string()).collect::<Vec<_>>())),
        )),
        Args::Udp { to } => {
            Ok(told(UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.send_to(b"x", to)).map(|sent| json!(sent))))
        }
        Args::Listen { at } => Ok(told(TcpListener::bind(at).map(|_| json!("listening")))),
        Args::Config { key } => Ok(json!(imports::config(&key))),
        Args::Log { context, message } => {
            imports::log(&context, &message);
            Ok(Value::Null)
        }
        Args::Tell { name, fail } => tell(job, &name, fail),
    }
}

fn tcp(host: &str, port: u16, send: &str) -> Value {
    let exchange = || {
        let mut stream = TcpStream::connect((host, port))?;
        stream.write_all(send.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(json!(answer))
    };
    told(exchange())
}

fn told(result: std::io::Result<Value>) -> Value {
    match result {
        Ok(value) => json!({ "ok": value }),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

#[expect(clippy::disallowed_methods, reason = "a guest has no settings; its environment is what was granted")]
fn tell(job: &Job, name: &str, fail: bool) -> Result<Value, TaskError> {
    let value = std::env::var(name).unwrap_or_default();
    println!("out {value}");
    eprintln!("err {value}");
    imports::log("context", &value);
    job.progress().step(1).info(format!("info {value}")).report();
    if fail { Err(fatal(format!("failed with {value}"))) } else { Ok(json!({ "value": value, "length": value.len() })) }
}
