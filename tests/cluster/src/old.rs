//! A server of a version that is not supported any more, as far as a client gets to see it: its greeting.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use anyhow::Result;

/// Listens until the test's process ends, and lets everybody in as version 14.9.
pub fn old_server() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || listener.incoming().flatten().try_for_each(greet));
    Ok(address)
}

/// The messages are those of <https://www.postgresql.org/docs/current/protocol-message-formats.html>.
fn greet(mut client: TcpStream) -> Result<()> {
    let mut length = [0; 4];
    client.read_exact(&mut length)?;
    let mut startup = vec![0; u32::from_be_bytes(length).saturating_sub(4).try_into()?];
    client.read_exact(&mut startup)?;
    let mut greeting = Vec::new();
    // AuthenticationOk, ParameterStatus, BackendKeyData, ReadyForQuery.
    for (kind, body) in [(b'R', &[0; 4][..]), (b'S', b"server_version\x0014.9\0"), (b'K', &[1; 8]), (b'Z', b"I")] {
        greeting.push(kind);
        greeting.extend(u32::try_from(body.len() + 4)?.to_be_bytes());
        greeting.extend(body);
    }
    client.write_all(&greeting)?;
    // Until the client has seen enough.
    client.read_to_end(&mut startup)?;
    Ok(())
}
