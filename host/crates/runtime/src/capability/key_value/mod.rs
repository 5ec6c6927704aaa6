//! Key-value stores: what the jobs of a plugin keep for one another, in the daemon's database. Denied by default; granted by name,
//! each with a bound:
//!
//! ```toml
//! [[keyvalue]]
//! name = "default"
//! bytes = 10485760      # at most; 10 MiB if it is not said
//! ```
//!
//! A store belongs to its task: two plugins that were granted the same name have two stores. What is set is durable when the call
//! returns, and an attempt that lost its job changes nothing.

mod bucket;
mod wasi;

use serde::Serialize;
use toml::Value;
use windlass_model::{KeyValueAct, KeyValueAnswer, KeyValueCall};

pub(crate) use self::wasi::add_to_linker;

use crate::capability::entries::{Entry, entries};
use crate::grants::GrantFault;

/// How many bytes a store's name may have.
const NAME_MAX: usize = 128;

/// How much a store may hold if the grant does not say.
const BYTES_DEFAULT: u64 = 10 * 1_024 * 1_024;

/// The most that a grant may give. What is larger belongs into a database or a file, not beside the queue.
const BYTES_MAX: u64 = 1_024 * 1_024 * 1_024;

/// The stores that a plugin may use.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct KeyValueGrant(Vec<StoreGrant>);

/// One `[[keyvalue]]` of a grants file.
#[derive(Clone, Debug, Serialize)]
struct StoreGrant {
    name: String,
    bytes: u64,
}

impl KeyValueGrant {
    pub(crate) fn parse(value: &Value, faults: &mut Vec<GrantFault>) -> Self {
        let mut stores: Vec<StoreGrant> = Vec::new();
        for entry in entries("keyvalue", value, faults) {
            let Some(store) = StoreGrant::parse(&entry, faults) else { continue };
            if stores.iter().any(|other| other.name == store.name) {
                let message = format!("two stores cannot both be `{}`", store.name);
                entry.fault("name", &message, faults);
            }
            stores.push(store);
        }
        Self(stores)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How much the store of this name may hold, if it was granted.
    pub(crate) fn bytes(&self, name: &str) -> Option<u64> {
        self.0.iter().find(|store| store.name == name).map(|store| store.bytes)
    }
}

impl StoreGrant {
    fn parse(entry: &Entry<'_>, faults: &mut Vec<GrantFault>) -> Option<Self> {
        entry.only("name, bytes", faults);
        let name = entry.text("name", store_name, faults);
        let bytes = match entry.value("bytes").map(as_bytes) {
            None => Some(BYTES_DEFAULT),
            Some(bytes) => bytes,
        };
        if bytes.is_none() {
            entry.fault("bytes", &format!("it must be a number from 1 to {BYTES_MAX}"), faults);
        }
        Some(Self { name: name?, bytes: bytes? })
    }
}

fn as_bytes(value: &Value) -> Option<u64> {
    value.as_integer().and_then(|bytes| u64::try_from(bytes).ok()).filter(|bytes| (1..=BYTES_MAX).contains(bytes))
}

fn store_name(raw: &str) -> Result<String, String> {
    if (1..=NAME_MAX).contains(&raw.len()) && !raw.contains(char::is_control) {
        return Ok(raw.to_owned());
    }
    Err(format!("it must be a string of 1 to {NAME_MAX} bytes, without control characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(text: &str) -> (KeyValueGrant, Vec<String>) {
        let table: toml::Table = text.parse().unwrap();
        let mut faults = Vec::new();
        let grant = KeyValueGrant::parse(&table["keyvalue"], &mut faults);
        (grant, faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_store_is_granted_by_name_with_a_bound() {
        let (grant, faults) = grant("[[keyvalue]]\nname = 'default'\n[[keyvalue]]\nname = 'cache'\nbytes = 5");
        assert!(faults.is_empty());
        assert_eq!((grant.bytes("default"), grant.bytes("cache")), (Some(BYTES_DEFAULT), Some(5)));
        assert_eq!(grant.bytes("other"), None);
    }

    #[test]
    fn every_fault_of_a_store_is_named() {
        let text = "[[keyvalue]]\nname = ''\nbytes = 0\nsize = 1\n[[keyvalue]]\n[[keyvalue]]\nname = 'a'\n[[keyvalue]]\nname = 'a'";
        assert_eq!(
            grant(text).1,
            [
                "`keyvalue 1.size` is unknown here, the keys are: name, bytes",
                "`keyvalue 1.name`: it must be a string of 1 to 128 bytes, without control characters",
                "`keyvalue 1.bytes`: it must be a number from 1 to 1073741824",
                "`keyvalue 2.name`: it is missing",
                "`keyvalue 4.name`: two stores cannot both be `a`",
            ]
        );
        assert_eq!(grant("keyvalue = 'a'").1, ["`keyvalue`: it must be a list: [[keyvalue]]"]);
    }
}
