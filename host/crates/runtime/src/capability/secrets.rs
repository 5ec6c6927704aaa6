//! Secrets: values that come from the daemon's environment or from a file, by name. Denied by default: a guest gets one only
//! where `[env]` or `[config]` of its grants file refers to it, and one that is bound to origins not even then.
//!
//! ```toml
//! [secret.stripe]
//! env = "STRIPE_KEY"                    # or file = "stripe.key", under the data directory
//! http = ["https://api.stripe.com"]     # the guest holds a placeholder, the host puts the value into headers sent there
//!
//! [env]
//! API_KEY = { secret = "stripe" }
//! ```
//!
//! A value is in no answer, log, error or debug text. It is read when the plugin is loaded.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use http::HeaderValue;
use serde::{Serialize, Serializer};
use serde_json::json;
use toml::{Table, Value};
use uuid::Uuid;

use crate::capability::placeholders::Placeholders;
use crate::capability::redaction::Redactor;
use crate::egress::origin::{Host, OriginPattern, Scheme};
use crate::grants::{GrantFault, Surroundings};

/// How large a value may be: keys and certificates are smaller.
const BYTES_MAX: u64 = 64 * 1_024;

/// A value that cannot be shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Arc<str>);

impl Secret {
    pub(crate) fn new(value: String) -> Self {
        Self(value.into())
    }

    /// The value, for the two places that need it: the guest that was granted it, and a request's header.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[secret]")
    }
}

/// Where a value comes from.
#[derive(Clone, Debug)]
enum Source {
    Variable(String),
    File(String),
}

/// One `[secret.NAME]`.
#[derive(Clone, Debug)]
struct SecretGrant {
    source: Source,
    value: Secret,
    /// Where the host puts it in. Without any the guest holds the value itself.
    http: Vec<OriginPattern>,
}

/// All `[secret.…]` of a grants file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets(BTreeMap<String, SecretGrant>);

/// The secrets of one attempt.
#[derive(Clone, Default)]
pub(crate) struct Handout {
    /// What the guest gets for each name.
    texts: BTreeMap<String, String>,
    pub(crate) redactor: Redactor,
    pub(crate) placeholders: Arc<Placeholders>,
}

impl Secrets {
    pub(crate) fn parse(value: &Value, around: &Surroundings<'_>, faults: &mut Vec<GrantFault>) -> Self {
        let Some(table) = value.as_table() else {
            faults.push(GrantFault::wrong("secret", "it must be a table for each secret: [secret.NAME]"));
            return Self::default();
        };
        let mut secrets = BTreeMap::new();
        for (name, value) in table {
            let key = format!("secret.{name}");
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
                faults.push(GrantFault::wrong(&key, "a name has 1 to 64 letters, digits, `-` and `_`"));
            }
            let Some(entry) = value.as_table() else {
                faults.push(GrantFault::wrong(key, "it must be a table: [secret.NAME]"));
                continue;
            };
            if let Some(grant) = SecretGrant::parse(&key, entry, around, faults) {
                secrets.insert(name.clone(), grant);
            }
        }
        Self(secrets)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The origins to which secrets are bound, with their keys in the grants file.
    pub(crate) fn bound(&self) -> impl Iterator<Item = (String, &OriginPattern)> {
        let numbered = |(name, grant): (&String, &SecretGrant)| (name.clone(), grant.http.len());
        let keys = self
            .0
            .iter()
            .map(numbered)
            .flat_map(|(name, count)| (1..=count).map(move |place| format!("secret.{name}.http {place}")));
        keys.zip(self.0.values().flat_map(|grant| &grant.http))
    }

    /// Makes new placeholders for an attempt.
    pub(crate) fn hand_out(&self) -> Handout {
        if self.0.is_empty() {
            return Handout::default();
        }
        let mut placeholders = Placeholders::default();
        let mut texts = BTreeMap::new();
        for (name, grant) in &self.0 {
            let text = if grant.http.is_empty() {
                grant.value.reveal().to_owned()
            } else {
                let placeholder = format!("windlass_secret_{name}_{}", Uuid::new_v4().simple());
                placeholders.add(&placeholder, name, grant.value.clone(), grant.http.clone());
                placeholder
            };
            texts.insert(name.clone(), text);
        }
        let values = self.0.iter().map(|(name, grant)| (name.as_str(), grant.value.reveal()));
        Handout { texts, redactor: Redactor::new(values), placeholders: Arc::new(placeholders) }
    }

    /// For people: where they come from and where they go.
    pub(crate) fn shown(&self) -> serde_json::Value {
        let shown = self.0.iter().map(|(name, grant)| {
            let mut entry = match &grant.source {
                Source::Variable(variable) => json!({ "env": variable }),
                Source::File(path) => json!({ "file": path }),
            };
            if !grant.http.is_empty() {
                entry["http"] = json!(grant.http);
            }
            (name.clone(), entry)
        });
        serde_json::Value::Object(shown.collect())
    }
}

impl Handout {
    /// What the guest gets for a secret's name.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.texts.get(name).map_or("", String::as_str)
    }
}

impl SecretGrant {
    fn parse(key: &str, entry: &Table, around: &Surroundings<'_>, faults: &mut Vec<GrantFault>) -> Option<Self> {
        for name in entry.keys().filter(|name| !["env", "file", "http"].contains(&name.as_str())) {
            faults.push(GrantFault::unknown(format!("{key}.{name}"), "env, file, http"));
        }
        let found =
            match (entry.get("env").map(Value::as_str), entry.get("file").map(Value::as_str)) {
                (Some(Some(variable)), None) => {
                    from_variable(variable, around).map(|v| (Source::Variable(variable.to_owned()), v))
                }
                (None, Some(Some(path))) => from_file(path, around.base).map(|v| (Source::File(path.to_owned()), v)),
                _ => Err("it has exactly one of `env` (a variable of the daemon) and `file` (a path), as a string"
                    .to_owned()),
            };
        let http = entry.get("http").map(|list| origins(key, list, faults)).unwrap_or_default();
        let found = found.and_then(|(source, value)| match check(&value, !http.is_empty()) {
            Ok(()) => Ok((source, value)),
            Err(why) => Err(why),
        });
        match found {
            Ok((source, value)) => Some(Self { source, value: Secret::new(value), http }),
            Err(message) => {
                faults.push(GrantFault::NoSecret { key: key.to_owned(), message });
                None
            }
        }
    }
}

fn from_variable(name: &str, around: &Surroundings<'_>) -> Result<String, String> {
    let value = (around.variable)(name)
        .ok_or_else(|| format!("the daemon's environment has no `{name}`: set it and start the daemon anew"))?;
    value.into_string().map_err(|_| format!("the variable `{name}` is not UTF-8"))
}

fn from_file(path: &str, base: &Path) -> Result<String, String> {
    let place = base.join(path);
    let fault = |error: std::io::Error| format!("the file `{}` could not be read: {error}", place.display());
    let file = std::fs::File::open(&place).map_err(fault)?;
    // A pipe or a device would keep the load waiting.
    if !file.metadata().map_err(fault)?.is_file() {
        return Err(format!("`{}` is not a file", place.display()));
    }
    let mut value = String::new();
    file.take(BYTES_MAX + 1).read_to_string(&mut value).map_err(fault)?;
    let end = value.strip_suffix('\n').map_or(value.len(), |rest| rest.strip_suffix('\r').unwrap_or(rest).len());
    value.truncate(end);
    Ok(value)
}

/// The message never repeats the value.
fn check(value: &str, in_headers: bool) -> Result<(), String> {
    if value.is_empty() {
        return Err("its value is empty".to_owned());
    }
    if value.len() as u64 > BYTES_MAX {
        return Err("its value has more than 64 KiB".to_owned());
    }
    if value.contains('\0') {
        return Err("its value has a NUL".to_owned());
    }
    if in_headers && (!value.is_ascii() || HeaderValue::from_str(value).is_err() || value.trim() != value) {
        return Err("with `http` it goes into headers, and its value is not one line of visible ASCII".to_owned());
    }
    Ok(())
}

fn origins(key: &str, list: &Value, faults: &mut Vec<GrantFault>) -> Vec<OriginPattern> {
    let Some(list) = list.as_array().filter(|list| !list.is_empty()) else {
        let message = "it is a list of origins, such as [\"https://api.example.com\"]";
        faults.push(GrantFault::wrong(format!("{key}.http"), message));
        return Vec::new();
    };
    let mut origins = Vec::new();
    for (place, text) in list.iter().enumerate() {
        let parsed = text.as_str().ok_or_else(|| "an origin is a string: put it in quotes".to_owned());
        match parsed.and_then(OriginPattern::parse).and_then(sendable) {
            Ok(origin) => origins.push(origin),
            Err(message) => faults.push(GrantFault::wrong(format!("{key}.http {}", place + 1), message)),
        }
    }
    origins
}

/// A secret is sent to a place that is named in full, and not in the clear.
fn sendable(pattern: OriginPattern) -> Result<OriginPattern, String> {
    let Some(origin) = pattern.exact() else {
        return Err("a secret is bound to hosts in full: name each".to_owned());
    };
    let is_loopback = matches!(&origin.host, Host::Address(address) if address.is_loopback());
    if origin.scheme == Scheme::Http && !is_loopback {
        return Err(
            "a secret is sent by https alone, or by http to an address of loopback such as 127.0.0.1".to_owned()
        );
    }
    Ok(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_itself_in_no_way() {
        let secret = Secret::new("hunter2".to_owned());
        let told = format!("{secret} {secret:?} {:#?} {}", Some(&secret), serde_json::to_string(&secret).unwrap());
        assert!(!told.contains("hunter2"), "{told}");
        let around = Surroundings::usual(Path::new("/"), |_| Some("hunter2".into()));
        let table: Table = "[s]\nenv = 'X'\nhttp = ['https://a.example']".parse().unwrap();
        let mut faults = Vec::new();
        let secrets = Secrets::parse(&Value::Table(table), &around, &mut faults);
        assert!(faults.is_empty(), "{faults:?}");
        let told = format!("{secrets:?} {}", secrets.shown());
        assert!(!told.contains("hunter2"), "{told}");
        assert_eq!(secrets.shown(), json!({"s": {"env": "X", "http": ["https://a.example"]}}));
        // Each attempt has a placeholder of its own, and it is not the value.
        let (one, two) = (secrets.hand_out(), secrets.hand_out());
        assert!(one.text("s").starts_with("windlass_secret_s_") && one.text("s") != two.text("s"));
    }

    #[test]
    fn a_value_that_cannot_be_used_is_refused_without_being_told() {
        for (value, bound) in [("", false), ("a\0b", false), ("two\nlines", true), (" padded", true), ("größe", true)]
        {
            let why = check(value, bound).unwrap_err();
            assert!(value.is_empty() || !why.contains(value), "{why}");
        }
        assert_eq!(check("two\nlines", false), Ok(()));
        assert!(check(&"x".repeat(BYTES_MAX as usize + 1), false).is_err());
    }
}
