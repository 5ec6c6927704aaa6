//! Outgoing HTTP, by `wasi:http/outgoing-handler`. Denied by default: each request must fit one `[[http]]` of the grants file by
//! origin, method and path, and no name may lead to an address that is not public.
//!
//! ```toml
//! [[http]]
//! origin = "https://api.example.com"    # or https://*.example.com
//! methods = ["GET", "POST"]             # GET and HEAD without it
//! paths = ["/v1/*"]                     # all without it; `*` stands for any run of characters
//! addresses = ["10.0.0.0/8"]            # that may be dialled although they are not public
//! ```
//!
//! Bounded: requests at the same time, the size of a response, how long each part of an exchange takes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use http::header::HOST;
use http::{Method, Request, Response, Uri};
use http_body_util::BodyExt;
use serde::Serialize;
use tokio::sync::Semaphore;
use toml::Value;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};
use windlass_model::{TaskName, Timestamp};

use crate::capability::entries::{Entry, entries};
use crate::capability::placeholders::Placeholders;
use crate::capability::stdio::GuestLog;
use crate::egress::address::{AddressPolicy, Network};
use crate::egress::body::{RequestBody, ResponseBody, ResponseBounds};
use crate::egress::client::{Egress, Failure, Times};
use crate::egress::connect::CONNECT_TIME;
use crate::egress::origin::{Host, Origin, OriginPattern};
use crate::egress::path::{PathPattern, canonical};
use crate::grants::GrantFault;
use crate::limits::Limits;
use crate::meter::Usage;
use crate::text;

/// How long a response may keep a guest waiting for its start or its next part, if the guest did not say.
const READ_TIME: Duration = Duration::from_secs(60);

/// How long the body of a refused request is taken in, so that a guest which writes first and then looks sees the refusal and
/// not a broken stream.
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// One `[[http]]`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct HttpRule {
    pub(crate) origin: OriginPattern,
    pub(crate) methods: BTreeSet<String>,
    pub(crate) paths: Vec<PathPattern>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<Network>,
}

/// All `[[http]]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct HttpGrant(Arc<[HttpRule]>);

impl HttpGrant {
    pub(crate) fn parse(value: &Value, faults: &mut Vec<GrantFault>) -> Self {
        let rules = entries("http", value, faults).into_iter();
        Self(rules.filter_map(|entry| HttpRule::parse(&entry, faults)).collect())
    }

    pub(crate) fn rules(&self) -> &[HttpRule] {
        &self.0
    }

    /// Which addresses may be dialled for a request, or what is missing in the grants file.
    fn check(&self, method: &Method, origin: &Origin, path: &str) -> Result<AddressPolicy, String> {
        let of_origin = || self.0.iter().filter(|rule| rule.origin.matches(origin));
        let of_method = || of_origin().filter(|rule| rule.methods.contains(method.as_str()));
        let fitting: Vec<_> = of_method().filter(|rule| rule.paths.iter().any(|p| p.matches(path))).collect();
        if !fitting.is_empty() {
            return Ok(AddressPolicy::new(fitting.into_iter().flat_map(HttpRule::granted).collect()));
        }
        if let Some(rule) = of_method().next() {
            return Err(format!("with {path:?} in the `paths` of its [[http]] for \"{}\"", rule.origin));
        }
        if let Some(rule) = of_origin().next() {
            return Err(format!("with \"{method}\" in the `methods` of its [[http]] for \"{}\"", rule.origin));
        }
        let methods = match *method {
            Method::GET | Method::HEAD => String::new(),
            _ => format!(", methods = [\"{method}\"]"),
        };
        Err(format!("with [[http]] and below it origin = \"{origin}\"{methods}"))
    }
}

impl HttpRule {
    pub(crate) fn parse(entry: &Entry<'_>, faults: &mut Vec<GrantFault>) -> Option<Self> {
        entry.only("origin, methods, paths, addresses", faults);
        let origin = entry.text("origin", OriginPattern::parse, faults);
        let methods = entry.list("methods", method, faults);
        let methods = methods.unwrap_or_else(|| vec!["GET".to_owned(), "HEAD".to_owned()]);
        let paths = entry.list("paths", PathPattern::parse, faults);
        let paths = paths.unwrap_or_else(|| PathPattern::parse("*").into_iter().collect());
        let addresses = entry.list("addresses", str::parse, faults).unwrap_or_default();
        Some(Self { origin: origin?, methods: methods.into_iter().collect(), paths, addresses })
    }

    /// An origin that is an address grants it.
    fn granted(&self) -> impl Iterator<Item = Network> {
        let own = match self.origin.host() {
            Host::Address(address) => Some(Network::one(*address)),
            Host::Name(_) => None,
        };
        self.addresses.iter().copied().chain(own)
    }
}

fn method(text: &str) -> Result<String, String> {
    match Method::from_bytes(text.as_bytes()) {
        Ok(Method::CONNECT) => Err("CONNECT makes tunnels, which no rule could look into".to_owned()),
        Ok(_) if text == text.to_ascii_uppercase() => Ok(text.to_owned()),
        _ => Err(format!("{text:?} is no method in capitals, such as \"GET\"")),
    }
}

/// A guest's way to the client.
pub(crate) struct HttpAccess {
    pub(crate) grant: HttpGrant,
    pub(crate) egress: Arc<Egress>,
    pub(crate) placeholders: Arc<Placeholders>,
    pub(crate) log: GuestLog,
    /// Whose grants file it is.
    pub(crate) plugin: TaskName,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) response_max: u64,
    pub(crate) running: Arc<Semaphore>,
    pub(crate) usage: Arc<Usage>,
}

type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl WasiHttpHooks for HttpAccess {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        match self.prepare(request, options.unwrap_or_default()) {
            Ok(exchange) => Box::new(exchange.run()),
            Err((error, body)) => Box::new(refuse(error, body)),
        }
    }
}

async fn refuse(error: Error, mut body: WasiBody) -> Sent {
    let drained = async { while let Some(Ok(_)) = body.frame().await {} };
    let _ = tokio::time::timeout(DRAIN_TIME, drained).await;
    Err(error)
}

/// A request that was checked.
struct Exchange {
    request: Request<WasiBody>,
    policy: AddressPolicy,
    times: Times,
    bounds: ResponseBounds,
    egress: Arc<Egress>,
    log: GuestLog,
    /// Method and origin.
    told: String,
    /// Whose grants file it is.
    plugin: TaskName,
    response_max: u64,
}

impl HttpAccess {
    pub(crate) fn semaphore(limits: &Limits) -> Arc<Semaphore> {
        Arc::new(Semaphore::new(limits.http_requests))
    }

    fn prepare(&self, request: Request<WasiBody>, options: RequestOptions) -> Result<Exchange, (Error, WasiBody)> {
        let (mut head, body) = request.into_parts();
        let deny = |line: String| {
            self.log.remark(line);
            Error::HttpRequestDenied
        };
        let origin = match Origin::of(&head.uri) {
            Ok(origin) => origin,
            Err(why) => return Err((deny(format!("Denied: a request to a place that is none: {why}.")), body)),
        };
        let told = format!("{} {origin}", head.method);
        let path = match canonical(head.uri.path()) {
            Ok(path) => path,
            Err(why) => return Err((deny(format!("Denied: {told}: its path is refused: {why}.")), body)),
        };
        let policy = match self.grant.check(&head.method, &origin, &path) {
            Ok(policy) => policy,
            Err(missing) => {
                let plugin = &self.plugin;
                let line = format!("Denied: {told}{path}. The operator grants it in {plugin}.toml {missing}.");
                return Err((deny(line), body));
            }
        };
        if let Err(misplaced) = self.placeholders.fill(&origin, &head.uri, &mut head.headers) {
            return Err((deny(format!("Denied: {told}: {misplaced}.")), body));
        }
        let Ok(permit) = Arc::clone(&self.running).try_acquire_owned() else {
            self.log
                .remark(format!("Refused: {told}: too many requests at the same time; read or drop the others first."));
            return Err((Error::ConnectionLimitReached, body));
        };
        let Some(uri) = sent_uri(&origin, &head.uri) else { return Err((Error::HttpRequestUriInvalid, body)) };
        head.uri = uri;
        // The client writes it from the origin; what the guest called it does not go out.
        head.headers.remove(HOST);
        self.usage.http_request();
        let left = self.deadline.map_or(Duration::MAX, |deadline| deadline.since((self.clock)()));
        let times = Times {
            connect: options.connect_timeout.unwrap_or(CONNECT_TIME).min(CONNECT_TIME).min(left),
            first_byte: options.first_byte_timeout.unwrap_or(READ_TIME).min(left),
        };
        let (max, log, about) = (self.response_max, self.log.clone(), told.clone());
        let too_large = move || {
            log.remark(format!("Stopped: {about}: the response is larger than its limit of {}.", text::size(max)));
        };
        let bounds = ResponseBounds {
            max,
            between: options.between_bytes_timeout.unwrap_or(READ_TIME).min(left),
            usage: Arc::clone(&self.usage),
            _permit: permit,
            too_large: Box::new(too_large),
        };
        Ok(Exchange {
            request: Request::from_parts(head, body),
            policy,
            times,
            bounds,
            egress: Arc::clone(&self.egress),
            log: self.log.clone(),
            told,
            plugin: self.plugin.clone(),
            response_max: max,
        })
    }
}

/// The origin in its one form, with path and query as the guest wrote them: they were judged, and a server may look at each byte.
fn sent_uri(origin: &Origin, uri: &Uri) -> Option<Uri> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Uri::builder().scheme(origin.scheme.as_str()).authority(origin.authority()).path_and_query(path).build().ok()
}

impl Exchange {
    async fn run(self) -> Sent {
        let (head, body) = self.request.into_parts();
        let (body, moved) = RequestBody::new(body, Arc::clone(&self.bounds.usage));
        let request = Request::from_parts(head, body);
        let response = match self.egress.send(&self.policy, request, moved, self.times).await {
            Ok(response) => response,
            Err(failure) => {
                self.log.remark(line(&self.told, &self.plugin, &failure));
                return Err(failure.error);
            }
        };
        let (head, body) = response.into_parts();
        let length =
            head.headers.get(http::header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        // The answer to a HEAD has the length of what it does not bring.
        if http_body::Body::size_hint(&body).exact().or(length).is_some_and(|length: u64| length > self.response_max)
            && !http_body::Body::is_end_stream(&body)
        {
            (self.bounds.too_large)();
            return Err(Error::HttpResponseBodySize(Some(self.response_max)));
        }
        let body = ResponseBody::new(body, self.bounds).boxed_unsync();
        Ok((Response::from_parts(head, body), Box::new(std::future::ready(Ok(())))))
    }
}

fn line(told: &str, plugin: &TaskName, failure: &Failure) -> String {
    let reason = &failure.reason;
    match failure.prohibited {
        Some(address) => format!(
            "Denied: {told}: {reason}. The operator grants it in {plugin}.toml with addresses = [\"{}\"] in its [[http]].",
            Network::one(address)
        ),
        None => format!("Failed: {told}: {reason}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(text: &str) -> (HttpGrant, Vec<String>) {
        let table: toml::Table = text.parse().unwrap();
        let mut faults = Vec::new();
        let grant = HttpGrant::parse(&table["http"], &mut faults);
        (grant, faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_fault_of_a_rule_is_named() {
        let text = r#"
            [[http]]
            origin = "api.example.com"
            methods = ["get", "CONNECT"]
            paths = ["v1", "/a/../b"]
            addresses = ["10.0.0.1/8"]
            port = 5
        "#;
        let (_, faults) = grant(text);
        let keys: Vec<_> = faults.iter().map(|fault| fault.split('`').nth(1).unwrap()).collect();
        assert_eq!(
            keys,
            [
                "http 1.port",
                "http 1.origin",
                "http 1.methods 1",
                "http 1.methods 2",
                "http 1.paths 1",
                "http 1.paths 2",
                "http 1.addresses 1"
            ]
        );
        assert_eq!(grant("http = []").1, Vec::<String>::new());
        assert_eq!(grant("http = 5").1, ["`http`: it must be a list: [[http]]"]);
    }

    #[test]
    fn what_does_not_fit_a_rule_is_told_with_what_would() {
        let (grant, faults) = grant(
            "[[http]]\norigin = 'https://api.example.com'\npaths = ['/v1/*']\n\
             [[http]]\norigin = 'http://127.0.0.1:8080'\nmethods = ['POST']\naddresses = ['10.0.0.0/8']",
        );
        assert!(faults.is_empty(), "{faults:?}");
        let check = |method: &str, uri: &str| {
            let uri: Uri = uri.parse().unwrap();
            let path = canonical(uri.path()).unwrap();
            grant.check(&Method::from_bytes(method.as_bytes()).unwrap(), &Origin::of(&uri).unwrap(), &path)
        };
        assert!(check("GET", "https://api.example.com/v1/x").unwrap().is_public_only());
        let local = check("POST", "http://127.0.0.1:8080/").unwrap();
        assert!(local.check("127.0.0.1".parse().unwrap()).is_ok() && local.check("10.1.1.1".parse().unwrap()).is_ok());
        assert!(local.check("127.0.0.2".parse().unwrap()).is_err());
        assert_eq!(
            check("GET", "https://api.example.com/v2").unwrap_err(),
            "with \"/v2\" in the `paths` of its [[http]] for \"https://api.example.com\""
        );
        assert_eq!(
            check("PUT", "https://api.example.com/v1/x").unwrap_err(),
            "with \"PUT\" in the `methods` of its [[http]] for \"https://api.example.com\""
        );
        assert_eq!(
            check("PUT", "http://api.example.com/").unwrap_err(),
            "with [[http]] and below it origin = \"http://api.example.com\", methods = [\"PUT\"]"
        );
    }
}
