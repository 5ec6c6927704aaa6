//! The client that all jobs share: its connections, its TLS, its threads.
//!
//! Connections are pooled by scheme, host, port and by the addresses that may be dialled for them: those to public addresses
//! are shared by all plugins, those to granted ones by plugins with the same grant.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::warn;
use wasmtime_wasi_http::Error;

use crate::egress::address::AddressPolicy;
use crate::egress::body::{self, RequestBody};
use crate::egress::connect::{ConnectFault, Connector};
use crate::egress::resolve::{Resolve, ResolveFault, SystemResolver};
use crate::error::RuntimeError;
use crate::text;
use crate::threads::GuestThreads;

/// How long a connection is kept for the next request. As most servers keep theirs, or shorter.
const IDLE: Duration = Duration::from_secs(60);

/// How many connections to one place are kept for later.
const IDLE_PER_HOST: usize = 32;

/// How large the headers of a response may be, about: hyper looks after it has read, so by HTTP/1.1 twice as much may be taken.
/// Servers that send more than 16 KiB are rare.
const HEADER_BYTES: usize = 64 * 1_024;

/// How many pools for granted addresses are kept. Each distinct list of addresses has one; more are only met after many
/// changes of grants files, and then the oldest go.
const POOLS: usize = 64;

/// How the sandbox reaches the network.
#[derive(Clone, Debug)]
pub struct EgressSettings {
    /// Certificates (PEM) of authorities that are trusted beside the system's. None by default.
    pub extra_roots: Option<PathBuf>,
    /// Finds the addresses of names. The system's resolver by default.
    pub resolver: Arc<dyn Resolve>,
}

impl Default for EgressSettings {
    fn default() -> Self {
        Self { extra_roots: None, resolver: Arc::new(SystemResolver) }
    }
}

/// How long the parts of an exchange may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) connect: Duration,
    /// From the connection, or from the last part of the request, to the start of the response.
    pub(crate) first_byte: Duration,
}

/// Why there is no response: what the guest is told, and what its log.
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) reason: String,
    /// The address that would have had to be granted.
    pub(crate) prohibited: Option<std::net::IpAddr>,
}

type Pool = Client<Connector, RequestBody>;

/// The client.
pub(crate) struct Egress {
    threads: GuestThreads,
    tls: ClientConfig,
    resolver: Arc<dyn Resolve>,
    public: Pool,
    granted: Mutex<BTreeMap<AddressPolicy, (Pool, Instant)>>,
}

impl Egress {
    pub(crate) fn start(settings: &EgressSettings) -> Result<Self, RuntimeError> {
        let tls = tls(settings)?;
        let resolver = Arc::clone(&settings.resolver);
        let public = pool(Connector::new(tls.clone(), Arc::clone(&resolver), AddressPolicy::default()));
        Ok(Self { threads: GuestThreads::start_egress()?, tls, resolver, public, granted: Mutex::default() })
    }

    pub(crate) fn resolver(&self) -> &Arc<dyn Resolve> {
        &self.resolver
    }

    /// Runs work on the threads of the network. It is stopped if the handle is dropped.
    pub(crate) fn spawn<F>(&self, work: F) -> tokio_util::task::AbortOnDropHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.threads.spawn(work)
    }

    /// Sends a request and waits for the head of its response. Stopped, with its connection, when the future is dropped.
    pub(crate) async fn send(
        &self,
        policy: &AddressPolicy,
        request: Request<RequestBody>,
        moved: watch::Receiver<Instant>,
        times: Times,
    ) -> Result<Response<Incoming>, Failure> {
        let exchange = exchange(self.pool(policy), request, moved, times);
        self.spawn(exchange).await.unwrap_or_else(|panic| {
            Err(Failure { error: Error::InternalError(None), reason: panic.to_string(), prohibited: None })
        })
    }

    fn pool(&self, policy: &AddressPolicy) -> Pool {
        if policy.is_public_only() {
            return self.public.clone();
        }
        let mut granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        if granted.len() >= POOLS && !granted.contains_key(policy) {
            let oldest = granted.iter().min_by_key(|(_, (_, used))| *used).map(|(policy, _)| policy.clone());
            oldest.map(|policy| granted.remove(&policy));
        }
        let make = || pool(Connector::new(self.tls.clone(), Arc::clone(&self.resolver), policy.clone()));
        let (pool, used) = granted.entry(policy.clone()).or_insert_with(|| (make(), Instant::now()));
        *used = Instant::now();
        pool.clone()
    }
}

fn pool(connector: Connector) -> Pool {
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .http1_max_buf_size(HEADER_BYTES)
        .http2_max_header_list_size(HEADER_BYTES as u32)
        .build(connector)
}

async fn exchange(
    pool: Pool,
    mut request: Request<RequestBody>,
    moved: watch::Receiver<Instant>,
    times: Times,
) -> Result<Response<Incoming>, Failure> {
    let mut connected = capture_connection(&mut request);
    let late = async {
        let connecting = connected.wait_for_connection_metadata();
        if tokio::time::timeout(times.connect, connecting).await.is_err() {
            return (Error::ConnectionTimeout, times.connect, "no connection");
        }
        let start = Instant::now();
        loop {
            let due = start.max(*moved.borrow()) + times.first_byte;
            if due <= Instant::now() {
                return (Error::HttpResponseTimeout, times.first_byte, "no response");
            }
            tokio::time::sleep_until(due).await;
        }
    };
    tokio::select! {
        biased;
        response = pool.request(request) => response.map_err(|error| Failure::of(&error)),
        (error, span, what) = late => {
            let reason = format!("{what} in {}", text::span(span));
            Err(Failure { error, reason, prohibited: None })
        }
    }
}

impl Failure {
    fn of(error: &ClientError) -> Self {
        let mut prohibited = None;
        let told = if let Some(fault) = cause::<ConnectFault>(error) {
            match fault {
                ConnectFault::Resolve(ResolveFault::Prohibited { address, .. }) => {
                    prohibited = Some(*address);
                    Error::HttpRequestDenied
                }
                ConnectFault::Resolve(ResolveFault::Timeout { .. }) => Error::DnsTimeout,
                ConnectFault::Resolve(ResolveFault::Unknown { .. }) => Error::DnsError { rcode: None, info_code: None },
                ConnectFault::Timeout => Error::ConnectionTimeout,
                ConnectFault::Dial { source, .. } => match source.kind() {
                    std::io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
                    std::io::ErrorKind::TimedOut => Error::ConnectionTimeout,
                    _ => Error::DestinationUnavailable,
                },
                ConnectFault::Uri(_) => Error::HttpRequestUriInvalid,
            }
        } else if let Some(error) = cause::<rustls::Error>(error) {
            match error {
                rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
                    Error::TlsCertificateError
                }
                _ => Error::TlsProtocolError,
            }
        } else if let Some(error) = cause::<hyper::Error>(error) {
            body::fault(error)
        } else {
            Error::ConnectionTerminated
        };
        let reason = cause::<ConnectFault>(error).map_or_else(|| text::chain(error), |fault| text::chain(fault));
        Self { error: told, reason, prohibited }
    }
}

/// The first cause of a type. An error of I/O hides what it was made of from its chain.
fn cause<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let inner = error.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref());
        next = inner.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| error.source());
    }
    None
}

/// The system's authorities and those of the operator, read once.
fn tls(settings: &EgressSettings) -> Result<ClientConfig, RuntimeError> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        warn!("Some of the system's certificate authorities could not be read: {error}");
    }
    roots.add_parsable_certificates(system.certs);
    if let Some(path) = &settings.extra_roots {
        let fault = |source: crate::error::Source| RuntimeError::Roots { path: path.clone(), source };
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| fault(error.into()))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| fault(error.into()))?;
            roots.add(certificate).map_err(|error| fault(error.into()))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let versions = versions.map_err(|error| RuntimeError::Engine(error.into()))?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}
