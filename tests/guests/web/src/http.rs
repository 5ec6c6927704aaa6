//! Requests by wasi:http.

use serde::Deserialize;
use serde_json::{Value, json};
use wasip2::http::outgoing_handler::{self, ErrorCode, FutureIncomingResponse};
use wasip2::http::types::{Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme};
use wasip2::io::streams::StreamError;
use windlass_guest::schemars::{self, JsonSchema};

/// A request. `{NAME}` in its URL and headers stands for a value of the environment, `{basic NAME}` for that of a user with it.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    url: String,
    #[serde(default = "get")]
    method: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    /// Bytes of `x` to be sent, in pieces.
    #[serde(default)]
    body: usize,
    connect_ms: Option<u64>,
    first_byte_ms: Option<u64>,
    between_bytes_ms: Option<u64>,
}

fn get() -> String {
    "GET".to_owned()
}

pub(crate) fn send(wish: &Wish) -> Value {
    match start(wish).and_then(|pending| finish(&pending)) {
        Ok((value, _)) => value,
        Err(error) => json!({ "error": error }),
    }
}

/// As any client would: a redirect is a request of the guest's own.
pub(crate) fn follow(mut wish: Wish) -> Value {
    for _ in 0..5 {
        match start(&wish).and_then(|pending| finish(&pending)) {
            Ok((_, Some(location))) => wish.url = location,
            Ok((value, None)) => return value,
            Err(error) => return json!({ "error": error, "url": wish.url }),
        }
    }
    Value::Null
}

pub(crate) fn flock(wish: &Wish, count: usize) -> Value {
    let started: Vec<_> = (0..count).map(|_| start(wish)).collect();
    // Responses are held, so that none is given back before all are there.
    let heads: Vec<_> = started.iter().map(|pending| pending.as_ref().map_err(Clone::clone).and_then(head)).collect();
    json!(
        heads
            .iter()
            .map(|head| head.as_ref().map_or_else(Clone::clone, |head| head.status().to_string()))
            .collect::<Vec<_>>()
    )
}

fn start(wish: &Wish) -> Result<FutureIncomingResponse, String> {
    let fields = Fields::new();
    for (name, value) in &wish.headers {
        fields.append(name, filled(value).as_bytes()).map_err(|error| format!("header: {error:?}"))?;
    }
    let url = filled(&wish.url);
    let (scheme, rest) = url.split_once("://").unwrap_or(("", &url));
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    let request = OutgoingRequest::new(fields);
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let method = match wish.method.as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        other => Method::Other(other.to_owned()),
    };
    let refused = |what: &str| format!("{what} refused");
    request.set_method(&method).map_err(|()| refused("method"))?;
    request.set_scheme(Some(&scheme)).map_err(|()| refused("scheme"))?;
    request.set_authority(Some(authority)).map_err(|()| refused("authority"))?;
    request.set_path_with_query(Some(path)).map_err(|()| refused("path"))?;
    let options = RequestOptions::new();
    let nanos = |ms: Option<u64>| ms.map(|ms| ms * 1_000_000);
    options.set_connect_timeout(nanos(wish.connect_ms)).map_err(|()| refused("options"))?;
    options.set_first_byte_timeout(nanos(wish.first_byte_ms)).map_err(|()| refused("options"))?;
    options.set_between_bytes_timeout(nanos(wish.between_bytes_ms)).map_err(|()| refused("options"))?;
    let body = request.body().map_err(|()| refused("body"))?;
    let pending = outgoing_handler::handle(request, Some(options)).map_err(|error| format!("{error:?}"))?;
    write(body, wish.body)?;
    Ok(pending)
}

#[expect(clippy::disallowed_methods, reason = "a guest has no settings; its environment is what was granted")]
fn filled(text: &str) -> String {
    let Some((before, rest)) = text.split_once('{') else { return text.to_owned() };
    let Some((name, after)) = rest.split_once('}') else { return text.to_owned() };
    let value = match name.strip_prefix("basic ") {
        Some(name) => base64(format!("user:{}", std::env::var(name).unwrap_or_default()).as_bytes()),
        None => std::env::var(name).unwrap_or_default(),
    };
    format!("{before}{value}{after}")
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63] as char;
            text.push(if place <= group.len() { digit } else { '=' });
        }
    }
    text
}

fn write(body: OutgoingBody, bytes: usize) -> Result<(), String> {
    {
        let stream = body.write().map_err(|()| "no stream".to_owned())?;
        let piece = [b'x'; 4_096];
        let mut left = bytes;
        while left > 0 {
            let part = left.min(piece.len());
            match stream.blocking_write_and_flush(&piece[..part]) {
                Ok(()) => left -= part,
                // The answer tells why.
                Err(StreamError::Closed) => break,
                Err(error) => return Err(format!("{error:?}")),
            }
        }
    }
    let _ = OutgoingBody::finish(body, None);
    Ok(())
}

fn head(pending: &FutureIncomingResponse) -> Result<IncomingResponse, String> {
    pending.subscribe().block();
    let told = |error: ErrorCode| format!("{error:?}");
    pending.get().ok_or("not ready")?.map_err(|()| "taken")?.map_err(told)
}

/// What came, and where a redirect leads.
fn finish(pending: &FutureIncomingResponse) -> Result<(Value, Option<String>), String> {
    let response = head(pending)?;
    let status = response.status();
    let location =
        response.headers().get("location").into_iter().next().and_then(|value| String::from_utf8(value).ok());
    let body = response.consume().map_err(|()| "no body")?;
    let stream = body.stream().map_err(|()| "no stream")?;
    let (mut text, mut bytes, mut error) = (Vec::new(), 0, None);
    loop {
        match stream.blocking_read(65_536) {
            Ok(part) => {
                bytes += part.len();
                if text.len() < 4_096 {
                    text.extend_from_slice(&part);
                }
            }
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(failed)) => {
                let code = wasip2::http::types::http_error_code(&failed);
                error = Some(code.map_or_else(|| failed.to_debug_string(), |code| format!("{code:?}")));
                break;
            }
        }
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let location = location.filter(|_| (300..400).contains(&status));
    Ok((json!({ "status": status, "body": text, "bytes": bytes, "broken": error }), location))
}
