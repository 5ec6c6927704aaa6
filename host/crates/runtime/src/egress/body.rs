//! Bodies on their way: counted, bounded, timed. Nothing is collected.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::meter::Usage;

/// A request's body as the guest writes it.
pub(crate) struct RequestBody {
    inner: WasiBody,
    usage: Arc<Usage>,
    /// When a part was last taken: the server cannot answer before it has the whole.
    moved: watch::Sender<Instant>,
}

impl RequestBody {
    pub(crate) fn new(inner: WasiBody, usage: Arc<Usage>) -> (Self, watch::Receiver<Instant>) {
        let (moved, seen) = watch::channel(Instant::now());
        (Self { inner, usage, moved }, seen)
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            self.usage.written(data.len() as u64);
        }
        self.moved.send_replace(Instant::now());
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// What holds for a response's body.
pub(crate) struct ResponseBounds {
    /// How many bytes it may have.
    pub(crate) max: u64,
    /// How long its next part may take.
    pub(crate) between: Duration,
    pub(crate) usage: Arc<Usage>,
    /// Given back when the body is read or dropped.
    pub(crate) _permit: OwnedSemaphorePermit,
    /// Told once if it is too large.
    pub(crate) too_large: Box<dyn Fn() + Send>,
}

/// A response's body as the guest reads it.
pub(crate) struct ResponseBody {
    inner: Incoming,
    left: u64,
    bounds: Option<ResponseBounds>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl ResponseBody {
    pub(crate) fn new(inner: Incoming, bounds: ResponseBounds) -> Self {
        Self { inner, left: bounds.max, bounds: Some(bounds), timer: None }
    }

    fn frame(&mut self, frame: Option<Result<Frame<Bytes>, hyper::Error>>) -> Option<Result<Frame<Bytes>, Error>> {
        let bounds = self.bounds.as_ref()?;
        let (frame, is_last) = match frame {
            None => (None, true),
            Some(Err(error)) => (Some(Err(fault(&error))), true),
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                bounds.usage.read(bytes);
                match self.left.checked_sub(bytes) {
                    Some(left) => {
                        self.left = left;
                        (Some(Ok(frame)), false)
                    }
                    None => {
                        (bounds.too_large)();
                        (Some(Err(Error::HttpResponseBodySize(Some(bounds.max)))), true)
                    }
                }
            }
        };
        if is_last {
            self.bounds = None;
        }
        frame
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        let Some(between) = this.bounds.as_ref().map(|bounds| bounds.between) else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(context) {
            this.timer = None;
            return Poll::Ready(this.frame(frame));
        }
        let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(between)));
        ready!(timer.as_mut().poll(context));
        this.bounds = None;
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.bounds.is_none() || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// What a guest is told of an error of the protocol.
pub(crate) fn fault(error: &hyper::Error) -> Error {
    if error.is_incomplete_message() || error.is_body_write_aborted() {
        Error::ConnectionTerminated
    } else if error.is_parse_too_large() {
        Error::HttpResponseHeaderSectionSize(None)
    } else if error.is_timeout() {
        Error::ConnectionReadTimeout
    } else {
        Error::HttpProtocolError
    }
}
