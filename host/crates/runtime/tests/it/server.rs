//! A real HTTP server on the loopback, plain or with TLS, and a resolver that answers as a test says.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use windlass_runtime::Resolve;

use crate::bench::LONG;

/// Stops when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Seen>,
    accepting: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    requests: AtomicUsize,
    /// Requests to `/slow` that were given up by the client.
    given_up: watch::Sender<usize>,
}

/// A certificate for `api.example.test`, and where it can be read as an authority.
pub(crate) struct Certificate {
    pub(crate) file: PathBuf,
    config: ServerConfig,
    _dir: tempfile::TempDir,
}

impl Certificate {
    /// `protocols` is what the server offers by ALPN.
    pub(crate) fn new(protocols: &[&str]) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["api.example.test".to_owned()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("authority.pem");
        std::fs::write(&file, made.cert.pem()).unwrap();
        let key = made.signing_key.serialize_der().try_into().unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Self { file, config, _dir: dir }
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(None).await
    }

    pub(crate) async fn secure(certificate: &Certificate) -> Self {
        Self::with(Some(TlsAcceptor::from(Arc::new(certificate.config.clone())))).await
    }

    async fn with(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, seen) = (listener.local_addr().unwrap(), Arc::new(Seen::default()));
        let accepting = tokio::spawn(accept(listener, tls, Arc::clone(&seen)));
        Self { address, seen, accepting }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn requests(&self) -> usize {
        self.seen.requests.load(SeqCst)
    }

    /// Waits until a client gave up a request to `/slow`.
    pub(crate) async fn given_up(&self) {
        let mut given_up = self.seen.given_up.subscribe();
        let waited = tokio::time::timeout(LONG, given_up.wait_for(|count| *count > 0)).await;
        waited.expect("the client gave up").unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, seen: Arc<Seen>) {
    loop {
        let Ok((stream, client)) = listener.accept().await else { continue };
        let (tls, seen) = (tls.clone(), Arc::clone(&seen));
        tokio::spawn(async move {
            let serve = service_fn(move |request| answer(request, client, Arc::clone(&seen)));
            let builder = Builder::new(TokioExecutor::new());
            // A client that goes away is what some tests want.
            let _ = match tls {
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => builder.serve_connection(TokioIo::new(stream), serve).await,
                    Err(_) => Ok(()),
                },
                None => builder.serve_connection(TokioIo::new(stream), serve).await,
            };
        });
    }
}

type Body = UnsyncBoxBody<Bytes, Infallible>;

struct GivenUp(Arc<Seen>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.given_up.send_modify(|count| *count += 1);
    }
}

async fn answer(request: Request<Incoming>, client: SocketAddr, seen: Arc<Seen>) -> Result<Response<Body>, Infallible> {
    seen.requests.fetch_add(1, SeqCst);
    let (head, body) = request.into_parts();
    let response = Response::builder();
    Ok(match head.uri.path() {
        "/slow" => {
            let _guard = GivenUp(seen);
            std::future::pending().await
        }
        "/redirect" => {
            let to = head.uri.query().unwrap_or_default();
            response.status(302).header("location", to).body(Empty::new().boxed_unsync()).unwrap()
        }
        "/drip" => response.body(stream(1)).unwrap(),
        "/endless" => response.body(stream(usize::MAX)).unwrap(),
        "/long" => response.body(Full::new(Bytes::from(vec![b'x'; 300_000])).boxed_unsync()).unwrap(),
        "/big-header" => response.header("x-big", "x".repeat(300_000)).body(Empty::new().boxed_unsync()).unwrap(),
        path => {
            let bytes = body.collect().await.map_or(0, |body| body.to_bytes().len());
            let header =
                |name: &str| head.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            let told = json!({
                "version": format!("{:?}", head.version),
                "method": head.method.as_str(),
                "path": path,
                "host": header("host"),
                "authorization": header("authorization"),
                "bytes": bytes,
                "client": client.port(),
            });
            response.body(Full::new(Bytes::from(told.to_string())).boxed_unsync()).unwrap()
        }
    })
}

/// So many pieces, and then nothing more, without an end.
fn stream(pieces: usize) -> Body {
    let stream = futures_util::stream::unfold(0, move |sent| async move {
        if sent == pieces {
            std::future::pending::<()>().await;
        }
        Some((Ok(Frame::data(Bytes::from(vec![b'x'; 16_384]))), sent + 1))
    });
    StreamBody::new(stream).boxed_unsync()
}

/// Answers with what a test put in; each name's answers in turn, the last one again and again.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<BTreeMap<String, Answers>>);

/// What a name is answered with, and how often it was asked for.
type Answers = (Vec<Vec<IpAddr>>, usize);

impl Names {
    pub(crate) fn with(names: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        let names = names.iter().map(|(name, answers)| ((*name).to_owned(), (answers.iter().map(parse).collect(), 0)));
        Arc::new(Self(Mutex::new(names.collect())))
    }

    /// How often a name was asked for.
    pub(crate) fn asked(&self, name: &str) -> usize {
        self.0.lock().unwrap().get(name).map_or(0, |(_, asked)| *asked)
    }
}

#[async_trait::async_trait]
impl Resolve for Names {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        if name == "silent.example.test" {
            tokio::time::sleep(Duration::MAX).await;
        }
        let mut names = self.0.lock().unwrap();
        let (answers, asked) = names.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        let answer = answers[(*asked).min(answers.len() - 1)].clone();
        *asked += 1;
        Ok(answer)
    }
}
