//! A connection to a daemon that costs as little as can be: on a machine with few processors whoever measures takes from what is
//! measured. One task drives it and asks; bodies are made before and shared.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;

use crate::BenchError;

/// How much of a refusal is shown.
const SHOWN: usize = 500;

/// One connection, with one request at a time.
pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: http1::Connection<TokioIo<TcpStream>, Full<Bytes>>,
    host: HeaderValue,
}

/// A request, ready to be sent any number of times.
#[derive(Clone)]
pub(crate) struct Call {
    method: Method,
    uri: Uri,
    body: Bytes,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn get(path: &str) -> Self {
        Self::new(Method::GET, path, Bytes::new())
    }

    pub(crate) fn post(path: &str, body: impl Into<Bytes>) -> Self {
        Self::new(Method::POST, path, body.into())
    }

    pub(crate) fn patch(path: &str, body: impl Into<Bytes>) -> Self {
        Self::new(Method::PATCH, path, body.into())
    }

    /// `path` is one of our own, or has an id in it: it is always one.
    fn new(method: Method, path: &str, body: Bytes) -> Self {
        Self { method, uri: Uri::try_from(path).unwrap_or_default(), body }
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.uri)
    }
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, BenchError> {
        let what = format!("on {address}");
        let stream = TcpStream::connect(address).await.map_err(BenchError::connection(&what))?;
        stream.set_nodelay(true).map_err(BenchError::connection(&what))?;
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await.map_err(BenchError::connection(&what))?;
        let host = HeaderValue::try_from(address.to_string()).map_err(BenchError::connection(&what))?;
        Ok(Self { sender, driver, host })
    }

    /// Asks, and reads the whole answer, whatever it is.
    pub(crate) async fn ask(&mut self, call: &Call) -> Result<Answer, BenchError> {
        let mut request = Request::new(Full::new(call.body.clone()));
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = call.uri.clone();
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        if !call.body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let answer = async {
            let response = self.sender.send_request(request).await?;
            let status = response.status().as_u16();
            Ok(Answer { status, body: response.into_body().collect().await?.to_bytes() })
        };
        let answer: Result<_, hyper::Error> = tokio::select! {
            // First what was asked: the connection may end with the answer.
            biased;
            answer = answer => answer,
            ended = &mut self.driver => match ended {
                Err(error) => Err(error),
                Ok(()) => {
                    let closed = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
                    return Err(BenchError::connection(&call.to_string())(closed));
                }
            },
        };
        answer.map_err(BenchError::connection(&call.to_string()))
    }

    /// Asks for what must be granted, and reads it as JSON.
    pub(crate) async fn demand<T: DeserializeOwned>(&mut self, call: &Call) -> Result<T, BenchError> {
        let answer = self.ask(call).await?;
        if !(200..300).contains(&answer.status) {
            return Err(answer.refusal(call));
        }
        serde_json::from_slice(&answer.body).map_err(BenchError::connection(&call.to_string()))
    }
}

impl Answer {
    /// As an error.
    pub(crate) fn refusal(&self, call: &Call) -> BenchError {
        let body = String::from_utf8_lossy(&self.body[..self.body.len().min(SHOWN)]).into_owned();
        BenchError::Refused { what: call.to_string(), status: self.status, body }
    }
}
