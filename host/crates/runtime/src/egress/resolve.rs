//! Names to addresses, by the host.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::egress::address::AddressPolicy;
use crate::egress::origin::Host;

/// How long a name may take. Shorter than a connection may take, and longer than a resolver's own second try.
const TIME: Duration = Duration::from_secs(10);

/// How many addresses of a name are looked at: none of them may be the way to make the host dial thousands.
const ADDRESSES: usize = 32;

/// Finds the addresses of names.
#[async_trait]
pub trait Resolve: fmt::Debug + Send + Sync {
    /// The addresses of a name, in the order in which they are to be tried. The name is in lower case, without a dot at its
    /// end, and no address.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's own resolver: its hosts file, its name servers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect())
    }
}

/// Why there is nothing to dial.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ResolveFault {
    #[error("`{name}` has no address")]
    Unknown { name: String },
    #[error("`{name}` was not resolved in {} s", TIME.as_secs())]
    Timeout { name: String },
    #[error("`{host}` {} {address}, {why}", if matches!(host, Host::Name(_)) { "resolves to" } else { "is" })]
    Prohibited { host: Host, address: IpAddr, why: &'static str },
}

/// The addresses of a host that may be dialled, at least one.
pub(crate) async fn dialable(
    resolver: &Arc<dyn Resolve>,
    host: &Host,
    port: u16,
    policy: &AddressPolicy,
) -> Result<Vec<SocketAddr>, ResolveFault> {
    let found = match host {
        Host::Address(address) => vec![*address],
        Host::Name(name) => match tokio::time::timeout(TIME, resolver.resolve(name)).await {
            Ok(Ok(found)) if !found.is_empty() => found,
            Ok(_) => return Err(ResolveFault::Unknown { name: name.clone() }),
            Err(_) => return Err(ResolveFault::Timeout { name: name.clone() }),
        },
    };
    let (mut checked, mut fault) = (Vec::new(), None);
    for address in found.into_iter().take(ADDRESSES).map(|address| address.to_canonical()) {
        match policy.check(address) {
            Ok(()) => checked.push(SocketAddr::new(address, port)),
            Err(why) => fault = fault.or(Some(ResolveFault::Prohibited { host: host.clone(), address, why })),
        }
    }
    match fault {
        Some(fault) if checked.is_empty() => Err(fault),
        _ => Ok(checked),
    }
}
