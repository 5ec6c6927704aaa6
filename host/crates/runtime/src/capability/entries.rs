//! Lists of tables in a grants file (`[[http]]`, `[[directory]]`): each key is read once, and every fault is named.

use toml::{Table, Value};

use crate::grants::GrantFault;

/// One table of a list.
pub(crate) struct Entry<'a> {
    /// `http 2`: the section, and the place from 1.
    key: String,
    table: &'a Table,
}

/// The tables of a section. An empty list grants nothing, and says that the operator knows.
pub(crate) fn entries<'a>(section: &str, value: &'a Value, faults: &mut Vec<GrantFault>) -> Vec<Entry<'a>> {
    let Some(list) = value.as_array() else {
        faults.push(GrantFault::wrong(section, format!("it must be a list: [[{section}]]")));
        return Vec::new();
    };
    let mut found = Vec::new();
    for (place, entry) in list.iter().enumerate() {
        let key = format!("{section} {}", place + 1);
        match entry.as_table() {
            Some(table) => found.push(Entry { key, table }),
            None => faults.push(GrantFault::wrong(key, format!("it must be a table: [[{section}]]"))),
        }
    }
    found
}

impl Entry<'_> {
    /// Refuses other keys than these, which are parted by `, `.
    pub(crate) fn only(&self, known: &'static str, faults: &mut Vec<GrantFault>) {
        for name in self.table.keys().filter(|name| !known.split(", ").any(|key| key == *name)) {
            faults.push(GrantFault::unknown(self.key(name), known));
        }
    }

    /// A string that must be there.
    pub(crate) fn text<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
        faults: &mut Vec<GrantFault>,
    ) -> Option<T> {
        let parsed = match self.table.get(name) {
            None => Err("it is missing".to_owned()),
            Some(value) => value.as_str().ok_or_else(|| "it is a string: put it in quotes".to_owned()).and_then(parse),
        };
        self.taken(name, parsed, faults)
    }

    /// A list of strings; `None` if there is no such key.
    pub(crate) fn list<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
        faults: &mut Vec<GrantFault>,
    ) -> Option<Vec<T>> {
        let Some(list) = self.table.get(name)?.as_array() else {
            faults.push(GrantFault::wrong(self.key(name), "it is a list of strings"));
            return Some(Vec::new());
        };
        let parse = |value: &Value| {
            value.as_str().ok_or_else(|| "it is a string: put it in quotes".to_owned()).and_then(&parse)
        };
        let parsed = list.iter().zip(1..).map(|(value, place)| (format!("{name} {place}"), parse(value)));
        Some(parsed.filter_map(|(name, parsed)| self.taken(&name, parsed, faults)).collect())
    }

    /// A value of whatever kind.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.table.get(name)
    }

    /// Names a fault of one of its keys.
    pub(crate) fn fault(&self, name: &str, message: &str, faults: &mut Vec<GrantFault>) {
        faults.push(GrantFault::wrong(self.key(name), message));
    }

    fn taken<T>(&self, name: &str, parsed: Result<T, String>, faults: &mut Vec<GrantFault>) -> Option<T> {
        parsed.map_err(|message| faults.push(GrantFault::wrong(self.key(name), message))).ok()
    }

    /// How one of its keys is called in a fault: `http 2.origin`.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.key)
    }
}
