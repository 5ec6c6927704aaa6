//! The grants without which a task cannot work.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// The grants without which a task cannot work, for the attribute `task`. They are shown to the operator, who gives them in the
/// plugin's grants file or does not; a daemon puts the task in service when all are given.
///
/// ```
/// # use windlass_guest::Wants;
/// let wants = Wants::new()
///     .env("REGION", "north")
///     .secret("api-key")
///     .http("https://api.example.com", &["GET", "POST"], &["/v1/*"]);
/// # assert_eq!(serde_json::to_value(wants).unwrap()["secret"], serde_json::json!(["api-key"]));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Wants(Map<String, Value>);

impl Wants {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A value of the environment, with an example for the operator.
    #[must_use]
    pub fn env(self, name: &str, example: &str) -> Self {
        self.named("env", name, example)
    }

    /// A config value (`wasi:config`), with an example for the operator.
    #[must_use]
    pub fn config(self, key: &str, example: &str) -> Self {
        self.named("config", key, example)
    }

    /// A secret, by the name under which values refer to it.
    #[must_use]
    pub fn secret(self, name: &str) -> Self {
        self.listed("secret", name.into())
    }

    /// A directory to read, at this path of the guest's.
    #[must_use]
    pub fn read_directory(self, guest: &str) -> Self {
        self.listed("directory", json!({ "guest": guest, "mode": "read" }))
    }

    /// A directory to read and write, at this path of the guest's.
    #[must_use]
    pub fn write_directory(self, guest: &str) -> Self {
        self.listed("directory", json!({ "guest": guest, "mode": "write" }))
    }

    /// Requests to an origin, such as `https://api.example.com`, with these methods, to these paths, in which `*` stands for any
    /// run of characters.
    #[must_use]
    pub fn http(self, origin: &str, methods: &[&str], paths: &[&str]) -> Self {
        self.listed("http", json!({ "origin": origin, "methods": methods, "paths": paths }))
    }

    /// Connections to a port of a host.
    #[must_use]
    pub fn tcp(self, host: &str, port: u16) -> Self {
        self.listed("tcp", json!({ "host": host, "port": port }))
    }

    /// To enqueue jobs of another task.
    #[must_use]
    pub fn enqueue(self, task: &str) -> Self {
        self.listed("enqueue", task.into())
    }

    fn listed(mut self, section: &str, value: Value) -> Self {
        if let Value::Array(list) = self.0.entry(section).or_insert_with(|| json!([])) {
            list.push(value);
        }
        self
    }

    fn named(mut self, section: &str, name: &str, value: &str) -> Self {
        if let Value::Object(values) = self.0.entry(section).or_insert_with(|| json!({})) {
            values.insert(name.to_owned(), value.into());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wants_have_the_shape_of_a_grants_file() {
        let wants = Wants::new()
            .env("A", "1")
            .env("B", "2")
            .config("c", "3")
            .secret("s")
            .read_directory("/in")
            .write_directory("/out2")
            .http("https://a.example", &["GET"], &["*"])
            .tcp("smtp.example.com", 587)
            .enqueue("next");
        let expected = json!({
            "env": { "A": "1", "B": "2" },
            "config": { "c": "3" },
            "secret": ["s"],
            "directory": [{ "guest": "/in", "mode": "read" }, { "guest": "/out2", "mode": "write" }],
            "http": [{ "origin": "https://a.example", "methods": ["GET"], "paths": ["*"] }],
            "tcp": [{ "host": "smtp.example.com", "port": 587 }],
            "enqueue": ["next"],
        });
        assert_eq!(serde_json::to_value(wants).unwrap(), expected);
    }
}
