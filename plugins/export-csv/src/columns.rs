//! The columns of records: which there are, and of each record the wanted ones.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use windlass_guest::{TaskError, fatal};

use crate::request::Args;

/// How many names are remembered beside those asked for: where each record has keys of its own, names must not fill the memory.
const NAMES_MAX: usize = 4_096;
/// How many of them an error tells.
const NAMES_TOLD: usize = 50;

/// The columns seen so far.
pub(crate) struct Census {
    /// In the order in which they were met.
    names: Vec<String>,
    /// How many of them the first record has, once it was read.
    first: Option<usize>,
    seen: HashSet<String>,
    /// Those asked for that no record had yet.
    missing: HashSet<String>,
}

impl Census {
    pub(crate) fn new(args: &Args) -> Self {
        let missing = args.named_columns().map(|(_, name)| name.to_owned()).collect();
        Self { names: Vec::new(), first: None, seen: HashSet::new(), missing }
    }

    /// Looks at a record. It is also read to its end, so that a broken one is found before anything is written.
    pub(crate) fn look(&mut self, record: &str) -> Result<(), serde_json::Error> {
        let mut json = serde_json::Deserializer::from_str(record);
        (&mut json).deserialize_map(&mut *self)?;
        self.first.get_or_insert(self.names.len());
        json.end()
    }

    /// The names that the first record does not have, as far as they were remembered.
    pub(crate) fn later(&self) -> &[String] {
        &self.names[self.first.unwrap_or(0)..]
    }

    /// The columns of the file, or what is wrong with those asked for. Where there are no records, nothing is missing.
    pub(crate) fn columns(mut self, args: &Args) -> Result<Vec<String>, TaskError> {
        let Some(first) = self.first else { return Ok(args.columns.clone().unwrap_or_default()) };
        if let Some((place, name)) = args.named_columns().find(|(_, name)| self.missing.contains(*name)) {
            let mut known = self.names[..self.names.len().min(NAMES_TOLD)].join(", ");
            if self.names.len() > NAMES_TOLD {
                known.push_str(", and more");
            }
            return Err(fatal(format!("{place}: no record has a column `{name}`; there are: {known}")));
        }
        if let Some(columns) = &args.columns {
            return Ok(columns.clone());
        }
        if first == 0 {
            return Err(fatal("columns: the first record is empty, so they must be named"));
        }
        self.names.truncate(first);
        Ok(self.names)
    }

    fn see(&mut self, name: &str) {
        if self.seen.contains(name) {
            return;
        }
        self.missing.remove(name);
        if self.first.is_none() || self.names.len() < NAMES_MAX {
            self.names.push(name.to_owned());
            self.seen.insert(name.to_owned());
        }
    }
}

impl<'de> Visitor<'de> for &mut Census {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut record: M) -> Result<(), M::Error> {
        while record.next_key_seed(Name(|name: &str| self.see(name)))?.is_some() {
            record.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// The columns that are wanted of each record. Each has a slot; the same name twice has one.
pub(crate) struct Projection {
    slots: HashMap<String, usize>,
}

/// A record's values, by slot, as they stand in its text.
pub(crate) type Values<'a> = Vec<Option<&'a RawValue>>;

impl Projection {
    pub(crate) fn new() -> Self {
        Self { slots: HashMap::new() }
    }

    pub(crate) fn slot(&mut self, name: &str) -> usize {
        let next = self.slots.len();
        *self.slots.entry(name.to_owned()).or_insert(next)
    }

    pub(crate) fn read<'a>(&self, record: &'a str) -> Result<Values<'a>, serde_json::Error> {
        let mut json = serde_json::Deserializer::from_str(record);
        let values = (&mut json).deserialize_map(self)?;
        json.end()?;
        Ok(values)
    }
}

impl<'de> Visitor<'de> for &Projection {
    type Value = Values<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut record: M) -> Result<Values<'de>, M::Error> {
        let mut values = vec![None; self.slots.len()];
        while let Some(slot) = record.next_key_seed(Name(|name: &str| self.slots.get(name).copied()))? {
            match slot {
                // Of a key that comes twice, the last counts, as in every JSON parser.
                Some(slot) => values[slot] = Some(record.next_value()?),
                None => _ = record.next_value::<IgnoredAny>()?,
            }
        }
        Ok(values)
    }
}

/// Reads a key without keeping it.
struct Name<F>(F);

impl<'de, T, F: FnOnce(&str) -> T> DeserializeSeed<'de> for Name<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<T, F: FnOnce(&str) -> T> Visitor<'_> for Name<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
        Ok((self.0)(name))
    }
}
