//! Makes connections: resolves, checks, dials what was checked, then TLS.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::egress::address::AddressPolicy;
use crate::egress::origin::Origin;
use crate::egress::resolve::{Resolve, ResolveFault, dialable};
use crate::error::Source;

/// How long name, connection and TLS may take together, whoever waits for them.
pub(crate) const CONNECT_TIME: Duration = Duration::from_secs(30);

/// After which time the next address is tried beside the one that does not answer. As RFC 8305 recommends.
const NEXT_ADDRESS: Duration = Duration::from_millis(250);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectFault {
    #[error("the request's place is none: {0}")]
    Uri(String),
    #[error(transparent)]
    Resolve(#[from] ResolveFault),
    #[error("no connection to {address}")]
    Dial {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("no connection in {} s", CONNECT_TIME.as_secs())]
    Timeout,
}

/// Connects for one address policy.
#[derive(Clone)]
pub(crate) struct Connector(HttpsConnector<Dialer>);

/// The part below TLS.
#[derive(Clone)]
struct Dialer {
    resolver: Arc<dyn Resolve>,
    policy: AddressPolicy,
}

type Connecting<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl Connector {
    pub(crate) fn new(tls: ClientConfig, resolver: Arc<dyn Resolve>, policy: AddressPolicy) -> Self {
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_all_versions();
        Self(https.wrap_connector(Dialer { resolver, policy }))
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Source;
    type Future = Connecting<Self::Response, Source>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Source>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(CONNECT_TIME, self.0.call(uri));
        Box::pin(async move { connecting.await.unwrap_or_else(|_| Err(ConnectFault::Timeout.into())) })
    }
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectFault;
    type Future = Connecting<Self::Response, ConnectFault>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectFault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { resolver, policy } = self.clone();
        Box::pin(async move {
            let origin = Origin::of(&uri).map_err(ConnectFault::Uri)?;
            let addresses = dialable(&resolver, &origin.host, origin.port, &policy).await?;
            dial(addresses).await
        })
    }
}

/// Dials all of them, each a little later than the one before; the first that answers is taken.
async fn dial(addresses: Vec<SocketAddr>) -> Result<TokioIo<TcpStream>, ConnectFault> {
    let mut dialled: FuturesUnordered<_> = addresses.into_iter().zip(0_u32..).map(dial_one).collect();
    let mut fault = ConnectFault::Timeout;
    while let Some(connected) = dialled.next().await {
        match connected {
            Ok(stream) => return Ok(TokioIo::new(stream)),
            Err(failed) => fault = failed,
        }
    }
    Err(fault)
}

async fn dial_one((address, place): (SocketAddr, u32)) -> Result<TcpStream, ConnectFault> {
    tokio::time::sleep(NEXT_ADDRESS * place).await;
    let fault = |source| ConnectFault::Dial { address, source };
    let stream = TcpStream::connect(address).await.map_err(fault)?;
    // Requests are written whole; waiting for more would only delay them.
    stream.set_nodelay(true).map_err(fault)?;
    Ok(stream)
}
