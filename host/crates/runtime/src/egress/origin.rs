//! Origins: scheme, host and port, each in one form only, so that two notations of one place cannot be told apart by a rule.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Serialize, Serializer};

/// The longest name that DNS knows.
const NAME_MAX: usize = 253;

/// The host of an origin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Host {
    /// In lower case, without the dot at the end.
    Name(String),
    /// One of version 4 is never in its mapped form.
    Address(IpAddr),
}

impl Host {
    /// Reads a host as it stands in a URL. What a resolver would take for an address though it is not written as one
    /// (`127.1`, `0x7f.1`, `2130706433`) is refused.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(inner) = text.strip_prefix('[') {
            let address: Option<Ipv6Addr> = inner.strip_suffix(']').and_then(|inner| inner.parse().ok());
            let address = address.ok_or_else(|| format!("{text:?} is no address of IPv6"))?;
            return Ok(Self::Address(IpAddr::V6(address).to_canonical()));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Ok(Self::Address(address.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let fits = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_');
        let is_label = |label: &str| (1..=63).contains(&label.len()) && label.chars().all(fits);
        if name.len() > NAME_MAX || !name.split('.').all(is_label) {
            return Err(format!(
                "{text:?} is no host: a name has letters, digits, `-`, `_` and dots (others as xn--…)"
            ));
        }
        if name.rsplit('.').next().is_some_and(is_a_number) {
            return Err(format!("{text:?} looks like an address and is none: write it in full, such as 10.1.2.3"));
        }
        Ok(Self::Name(name))
    }
}

/// Whether a resolver may read this last part of a name as a number.
fn is_a_number(label: &str) -> bool {
    label.bytes().all(|byte| byte.is_ascii_digit())
        || label.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            _ => None,
        }
    }

    fn port(self) -> u16 {
        if self == Self::Http { 80 } else { 443 }
    }

    pub(crate) fn as_str(self) -> &'static str {
        if self == Self::Http { "http" } else { "https" }
    }
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    pub(crate) scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) port: u16,
}

impl Origin {
    /// The origin of a request, from what is really sent.
    pub(crate) fn of(uri: &http::Uri) -> Result<Self, String> {
        let scheme = uri.scheme_str().and_then(Scheme::parse).ok_or("the scheme is neither http nor https")?;
        let authority = uri.authority().ok_or("it has no host")?.as_str();
        Self::from_authority(scheme, authority)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (scheme, authority) = split(text)?;
        Self::from_authority(scheme, authority)
    }

    fn from_authority(scheme: Scheme, authority: &str) -> Result<Self, String> {
        if authority.contains('@') {
            return Err(format!("{authority:?} has a user in it: send one in a header"));
        }
        // Behind the bracket of an address of version 6, or else behind the only colon.
        let name_end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
        let (host, port) = match authority[name_end..].split_once(':') {
            None => (authority, None),
            Some((rest, port)) => (&authority[..name_end + rest.len()], Some(port)),
        };
        let port = match port {
            None => scheme.port(),
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|port| *port > 0).ok_or_else(|| format!("{digits:?} is no port"))?
            }
            Some(other) => return Err(format!("{other:?} is no port")),
        };
        Ok(Self { scheme, host: Host::parse(host)?, port })
    }

    /// Host and port as they stand in a request: the port only if it is not the scheme's own.
    pub(crate) fn authority(&self) -> String {
        if self.port == self.scheme.port() { self.host.to_string() } else { format!("{}:{}", self.host, self.port) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority())
    }
}

/// An origin of a grants file, whose host may be `*.example.com`: all names below it, not itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OriginPattern {
    /// With the host behind `*.` if there is one.
    origin: Origin,
    below: bool,
}

impl OriginPattern {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (scheme, authority) = split(text)?;
        let Some(rest) = authority.strip_prefix("*.") else {
            return Ok(Self { origin: Origin::parse(text)?, below: false });
        };
        let origin = Origin::from_authority(scheme, rest)?;
        match &origin.host {
            Host::Name(name) if name.contains('.') => Ok(Self { origin, below: true }),
            _ => Err(format!("{authority:?}: behind `*.` stands a name of at least two parts")),
        }
    }

    pub(crate) fn matches(&self, origin: &Origin) -> bool {
        let host = match (&self.origin.host, &origin.host) {
            (Host::Name(suffix), Host::Name(name)) if self.below => is_below(name, suffix),
            (own, other) => !self.below && own == other,
        };
        host && self.origin.scheme == origin.scheme && self.origin.port == origin.port
    }

    /// Whether all that the other one matches is matched by this one too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (&self.origin.host, &other.origin.host) {
            (Host::Name(own), Host::Name(name)) if other.below => {
                let host = self.below && (own == name || is_below(name, own));
                host && self.origin.scheme == other.origin.scheme && self.origin.port == other.origin.port
            }
            _ => self.matches(&other.origin),
        }
    }

    pub(crate) fn host(&self) -> &Host {
        &self.origin.host
    }

    /// The one origin that it means, if it means one.
    pub(crate) fn exact(&self) -> Option<&Origin> {
        (!self.below).then_some(&self.origin)
    }
}

fn is_below(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'))
}

fn split(text: &str) -> Result<(Scheme, &str), String> {
    let shape = || format!("{text:?} is no origin, such as \"https://api.example.com\"");
    let (scheme, authority) = text.split_once("://").ok_or_else(shape)?;
    let scheme = Scheme::parse(scheme).ok_or_else(shape)?;
    if authority.contains(['/', '?', '#', '\\']) {
        return Err(format!("{text:?} has more than scheme, host and port: paths stand under `paths`"));
    }
    Ok((scheme, authority))
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let below = if self.below { "*." } else { "" };
        write!(f, "{}://{below}{}", self.origin.scheme.as_str(), self.origin.authority())
    }
}

impl Serialize for OriginPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::of(&text.parse().unwrap()).unwrap()
    }

    #[test]
    fn an_origin_has_one_form() {
        for text in ["https://API.example.com", "https://api.example.com.", "https://api.example.com:443/x?y"] {
            assert_eq!(origin(text).to_string(), "https://api.example.com", "{text}");
        }
        assert_eq!(origin("http://[::FFFF:127.0.0.1]:8080").to_string(), "http://127.0.0.1:8080");
        assert_eq!(origin("http://[0:0::1]").to_string(), "http://[::1]");
    }

    #[test]
    fn an_address_in_an_odd_notation_is_no_host() {
        let odd = [
            "127.1",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "0177.0.0.1",
            "127.0.0.01",
            "1.2.3.4.5",
            "a.0x",
            "256.0.0.1",
        ];
        for text in
            odd.into_iter().chain(["127.1.", "[127.0.0.1]", "[::1%25eth0]", "[::1", "::1", "a..b", ".a", "", "a b"])
        {
            assert!(Host::parse(text).is_err(), "{text}");
        }
        // With one dot at its end it is the same address to a resolver.
        assert!(Host::parse("127.0.0.1.").is_err());
        for text in
            ["ex%61mple.com", "exämple.com", "user@example.com", "example.com:0", "example.com:99999", "a:+1", "a:1:2"]
        {
            assert!(Origin::parse(&format!("https://{text}")).is_err(), "{text}");
        }
    }

    #[test]
    fn a_star_means_the_names_below_and_not_the_name() {
        let pattern = OriginPattern::parse("https://*.example.com").unwrap();
        assert!(
            pattern.matches(&origin("https://a.example.com")) && pattern.matches(&origin("https://a.b.example.com"))
        );
        for other in
            ["https://example.com", "https://badexample.com", "http://a.example.com", "https://a.example.com:8443"]
        {
            assert!(!pattern.matches(&origin(other)), "{other}");
        }
        for text in
            ["https://*.com", "https://*", "https://a.*.com", "https://*.10.0.0.1", "https://a/b", "ftp://a", "a"]
        {
            assert!(OriginPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pattern_covers_what_lies_in_it() {
        let pattern = |text: &str| OriginPattern::parse(text).unwrap();
        let wide = pattern("https://*.example.com");
        assert!(wide.covers(&pattern("https://a.example.com")) && wide.covers(&pattern("https://*.a.example.com")));
        assert!(wide.covers(&wide) && !pattern("https://a.example.com").covers(&wide));
        assert!(!pattern("https://example.com").covers(&wide));
    }

    proptest! {
        #[test]
        fn whatever_is_taken_for_a_name_is_never_an_address_to_a_resolver(text in "[0-9a-fx.]{1,20}") {
            if let Ok(Host::Name(name)) = Host::parse(&text) {
                // What getaddrinfo and inet_aton would take: up to four numbers, decimal, octal or hexadecimal.
                let last = name.rsplit('.').next().unwrap();
                prop_assert!(!last.bytes().all(|byte| byte.is_ascii_digit()));
                prop_assert!(!(last.starts_with("0x") && last[2..].bytes().all(|byte| byte.is_ascii_hexdigit())));
            }
        }

        #[test]
        fn reading_an_origin_twice_changes_nothing(host in "[a-zA-Z0-9-]{1,9}(\\.[a-zA-Z]{2,5})?", port in 1_u16..) {
            let text = format!("http://{host}:{port}");
            if let Ok(first) = Origin::parse(&text) {
                prop_assert_eq!(&Origin::parse(&first.to_string()).unwrap(), &first);
            }
        }
    }
}
