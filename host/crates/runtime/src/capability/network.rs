//! TCP, by `wasi:sockets`. Denied by default, all of it: the interfaces link, because the standard libraries of most languages
//! import them, and every call is refused. A grant opens outgoing connections to named hosts and ports:
//!
//! ```toml
//! [[tcp]]
//! host = "smtp.example.com"     # or an address, which grants it
//! port = 587                    # or ports = [25, 587]
//! addresses = ["10.0.0.0/8"]    # that may be dialled although they are not public
//! ```
//!
//! Names are resolved here: only granted ones, and only to addresses that may be dialled. A connection is made only to an
//! address that a granted name resolved to in this attempt. UDP, listening and binding to a port stay refused.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::Semaphore;
use toml::Value;
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::sockets::SocketAddrUse;
use windlass_model::TaskName;

use crate::capability::entries::{Entry, entries};
use crate::capability::stdio::GuestLog;
use crate::egress::address::{AddressPolicy, Network};
use crate::egress::client::Egress;
use crate::egress::origin::Host;
use crate::egress::resolve::{Resolve, ResolveFault, dialable};
use crate::grants::GrantFault;

/// Names that one attempt looks up at once; more wait. The resolver's threads are shared by all jobs.
const LOOKUPS: usize = 4;

/// One `[[tcp]]`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TcpRule {
    #[serde(serialize_with = "as_text")]
    pub(crate) host: Host,
    pub(crate) ports: BTreeSet<u16>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<Network>,
}

/// All `[[tcp]]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct TcpGrant(Arc<[TcpRule]>);

impl TcpGrant {
    pub(crate) fn parse(value: &Value, faults: &mut Vec<GrantFault>) -> Self {
        let rules = entries("tcp", value, faults).into_iter();
        Self(rules.filter_map(|entry| TcpRule::parse(&entry, faults)).collect())
    }

    pub(crate) fn rules(&self) -> &[TcpRule] {
        &self.0
    }
}

impl TcpRule {
    pub(crate) fn parse(entry: &Entry<'_>, faults: &mut Vec<GrantFault>) -> Option<Self> {
        entry.only("host, port, ports, addresses", faults);
        let host = entry.text("host", host_of, faults);
        let ports = match (entry.value("port"), entry.value("ports").map(Value::as_array)) {
            (Some(port), None) => port_of(port).map(|port| [port].into()),
            (None, Some(Some(list))) if !list.is_empty() => list.iter().map(port_of).collect(),
            _ => None,
        };
        if ports.is_none() {
            entry.fault("port", "it has either port = 587 or ports = [25, 587], each from 1 to 65535", faults);
        }
        let addresses = entry.list("addresses", str::parse, faults).unwrap_or_default();
        Some(Self { host: host?, ports: ports?, addresses })
    }

    fn policy(&self) -> AddressPolicy {
        let own = match &self.host {
            Host::Address(address) => Some(Network::one(*address)),
            Host::Name(_) => None,
        };
        AddressPolicy::new(self.addresses.iter().copied().chain(own).collect())
    }
}

fn port_of(value: &Value) -> Option<u16> {
    value.as_integer().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)
}

fn as_text<S: serde::Serializer>(host: &Host, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(host)
}

/// What an attempt may connect to so far.
#[derive(Clone)]
pub(crate) struct NetworkAccess {
    grant: TcpGrant,
    egress: Arc<Egress>,
    /// Addresses, with the ports that are granted for the names that led there.
    resolved: Arc<Mutex<BTreeMap<IpAddr, BTreeSet<u16>>>>,
    lookups: Arc<Semaphore>,
    log: GuestLog,
    plugin: TaskName,
}

/// Why a name has no address for a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LookupFault {
    Denied,
    Unknown,
    Later,
}

impl NetworkAccess {
    pub(crate) fn new(grant: TcpGrant, egress: Arc<Egress>, log: GuestLog, plugin: TaskName) -> Self {
        let literals = grant.rules().iter().filter_map(|rule| match &rule.host {
            Host::Address(address) => Some((*address, rule.ports.clone())),
            Host::Name(_) => None,
        });
        let mut resolved: BTreeMap<IpAddr, BTreeSet<u16>> = BTreeMap::new();
        literals.for_each(|(address, ports)| resolved.entry(address).or_default().extend(ports));
        Self {
            grant,
            egress,
            resolved: Arc::new(Mutex::new(resolved)),
            lookups: Arc::new(Semaphore::new(LOOKUPS)),
            log,
            plugin,
        }
    }

    /// Opens to a guest what it was granted.
    pub(crate) fn grant(&self, wasi: &mut WasiCtxBuilder) {
        if self.grant.rules().is_empty() {
            return;
        }
        let access = self.clone();
        wasi.allow_tcp(true).socket_addr_check(move |address, wanted| {
            let is_allowed = access.check(address, wanted);
            Box::pin(async move { is_allowed })
        });
    }

    fn check(&self, address: SocketAddr, wanted: SocketAddrUse) -> bool {
        match wanted {
            // Asked by the system before it connects: any address, any port.
            SocketAddrUse::TcpBind => address.ip().is_unspecified() && address.port() == 0,
            SocketAddrUse::TcpConnect => {
                let resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
                let found =
                    resolved.get(&address.ip().to_canonical()).is_some_and(|ports| ports.contains(&address.port()));
                drop(resolved);
                if !found {
                    self.deny(&format!("TCP to {address}"), &address.ip().to_string(), Some(address.port()));
                }
                found
            }
            _ => false,
        }
    }

    /// Starts to look up a name.
    pub(crate) fn look_up(
        &self,
        name: &str,
    ) -> Result<impl Future<Output = Result<Vec<IpAddr>, LookupFault>> + Send + use<>, LookupFault> {
        let host = host_of(name);
        let rules: Vec<_> = host
            .iter()
            .flat_map(|host| self.grant.rules().iter().filter(move |rule| rule.host == *host))
            .cloned()
            .collect();
        if rules.is_empty() {
            self.deny(&format!("the name {name:?}"), name, None);
            return Err(LookupFault::Denied);
        }
        let (access, resolver) = (self.clone(), Arc::clone(self.egress.resolver()));
        let looking = self.egress.spawn(async move { access.resolve(&resolver, &rules).await });
        Ok(async move { looking.await.unwrap_or(Err(LookupFault::Later)) })
    }

    async fn resolve(&self, resolver: &Arc<dyn Resolve>, rules: &[TcpRule]) -> Result<Vec<IpAddr>, LookupFault> {
        let _permit = self.lookups.acquire().await;
        let (mut addresses, mut fault) = (Vec::new(), LookupFault::Unknown);
        for rule in rules {
            match dialable(resolver, &rule.host, 0, &rule.policy()).await {
                Ok(found) => {
                    let mut resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
                    for address in found.iter().map(SocketAddr::ip) {
                        resolved.entry(address).or_default().extend(&rule.ports);
                        if !addresses.contains(&address) {
                            addresses.push(address);
                        }
                    }
                }
                Err(found @ ResolveFault::Prohibited { address, .. }) => {
                    let (plugin, network) = (&self.plugin, Network::one(address));
                    self.log.remark(format!(
                        "Denied: {found}. The operator grants it in {plugin}.toml with addresses = [\"{network}\"] in its [[tcp]]."
                    ));
                    fault = LookupFault::Denied;
                }
                Err(ResolveFault::Timeout { .. }) => fault = LookupFault::Later,
                Err(ResolveFault::Unknown { .. }) => (),
            }
        }
        if addresses.is_empty() { Err(fault) } else { Ok(addresses) }
    }

    fn deny(&self, what: &str, host: &str, port: Option<u16>) {
        let plugin = &self.plugin;
        let port = port.map_or_else(|| "port = …".to_owned(), |port| format!("port = {port}"));
        self.log.remark(format!(
            "Denied: {what}. The operator grants it in {plugin}.toml with [[tcp]] and below it host = {host:?}, {port}."
        ));
    }
}

/// A host without the brackets that a URL would need.
fn host_of(text: &str) -> Result<Host, String> {
    match text.parse::<std::net::Ipv6Addr>() {
        Ok(address) => Host::parse(&format!("[{address}]")),
        Err(_) => Host::parse(text),
    }
}
