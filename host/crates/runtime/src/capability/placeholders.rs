//! Placeholders: what a guest holds in place of a secret that is bound to origins, and how the host puts the value in.
//!
//! The value goes into header values alone, wherever the placeholder stands in one, also inside the base64 of
//! `Authorization: Basic`. A placeholder anywhere else in the head of a request, or in a request to another origin, is refused:
//! it would be sent as it is and be silently wrong. Bodies are not looked into; a placeholder there stays one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, HeaderValue, Uri};

use crate::capability::secrets::Secret;
use crate::egress::origin::{Origin, OriginPattern};

/// The placeholders of one attempt.
#[derive(Default)]
pub(crate) struct Placeholders(Vec<Placeholder>);

struct Placeholder {
    text: String,
    name: String,
    value: Secret,
    http: Vec<OriginPattern>,
}

/// Why a request with a placeholder is not sent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misplaced {
    #[error("the secret `{name}` is not bound to {origin}: the operator binds it with `http` under [secret.{name}]")]
    Origin { name: String, origin: String },
    #[error("the secret `{name}` stands in the path: it is put into headers alone")]
    Path { name: String },
    #[error("with the secret `{name}` put in, a header cannot be sent")]
    Header { name: String },
}

impl Placeholders {
    pub(crate) fn add(&mut self, text: &str, name: &str, value: Secret, http: Vec<OriginPattern>) {
        self.0.push(Placeholder { text: text.to_owned(), name: name.to_owned(), value, http });
    }

    /// Puts the values in.
    pub(crate) fn fill(&self, origin: &Origin, uri: &Uri, headers: &mut HeaderMap) -> Result<(), Misplaced> {
        for placeholder in &self.0 {
            let name = || placeholder.name.clone();
            if uri.path_and_query().is_some_and(|path| path.as_str().contains(&placeholder.text)) {
                return Err(Misplaced::Path { name: name() });
            }
            for value in headers.values_mut() {
                let Some(filled) = placeholder.filled(value.as_bytes()) else { continue };
                if !placeholder.http.iter().any(|bound| bound.matches(origin)) {
                    return Err(Misplaced::Origin { name: name(), origin: origin.to_string() });
                }
                *value = HeaderValue::from_bytes(&filled).map_err(|_| Misplaced::Header { name: name() })?;
                // Kept out of debug texts and of the compression's table of HTTP/2.
                value.set_sensitive(true);
            }
        }
        Ok(())
    }
}

impl Placeholder {
    /// A header's value with the secret put in; `None` if the placeholder is not there.
    fn filled(&self, value: &[u8]) -> Option<Vec<u8>> {
        let text = std::str::from_utf8(value).ok()?;
        if text.contains(&self.text) {
            return Some(text.replace(&self.text, self.value.reveal()).into_bytes());
        }
        let (scheme, encoded) = text.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = String::from_utf8(BASE64.decode(encoded.trim()).ok()?).ok()?;
        let filled = decoded.contains(&self.text).then(|| decoded.replace(&self.text, self.value.reveal()))?;
        Some(format!("{scheme} {}", BASE64.encode(filled)).into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(header: &str, uri: &str) -> Result<String, Misplaced> {
        let mut placeholders = Placeholders::default();
        let bound = vec![OriginPattern::parse("https://api.example.com").unwrap()];
        placeholders.add("PLACE", "key", Secret::new("hunter2".to_owned()), bound);
        let uri: Uri = uri.parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_str(header).unwrap());
        placeholders.fill(&Origin::of(&uri).unwrap(), &uri, &mut headers)?;
        Ok(headers["authorization"].to_str().unwrap().to_owned())
    }

    #[test]
    fn the_value_is_put_into_headers_of_its_origin() {
        let uri = "https://API.example.com:443/v1";
        assert_eq!(fill("PLACE", uri).unwrap(), "hunter2");
        assert_eq!(fill("Bearer PLACE", uri).unwrap(), "Bearer hunter2");
        let basic = format!("Basic {}", BASE64.encode("user:PLACE"));
        assert_eq!(fill(&basic, uri).unwrap(), format!("Basic {}", BASE64.encode("user:hunter2")));
        assert_eq!(fill("Basic !!", uri).unwrap(), "Basic !!");
    }

    #[test]
    fn a_placeholder_at_another_place_is_refused() {
        let basic = format!("basic {}", BASE64.encode("user:PLACE"));
        for header in ["PLACE", "Bearer PLACE", &basic] {
            for uri in ["https://other.example.com", "http://api.example.com", "https://api.example.com:8443"] {
                assert!(matches!(fill(header, uri), Err(Misplaced::Origin { .. })), "{header} {uri}");
            }
        }
        assert!(matches!(fill("x", "https://api.example.com/?key=PLACE"), Err(Misplaced::Path { .. })));
        assert_eq!(fill("x", "https://other.example.com").unwrap(), "x");
    }
}
