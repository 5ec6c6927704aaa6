//! What a component says of itself.

use schemars::{JsonSchema, schema_for};
use serde::Serialize;

use crate::wants::Wants;

/// What holds for a job that does not say otherwise; from the arguments of the attribute `task`.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Defaults {
    /// The queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<&'static str>,
    /// Smaller runs first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i16>,
    /// How many attempts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// How long one may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// How long it waits between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
    /// What no two of its jobs may be at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique: Option<Unique>,
}

/// How long a job waits between attempts, in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub enum Backoff {
    /// From the first delay, doubling, to the longest.
    Doubling {
        /// The first.
        base_ms: u64,
        /// The longest.
        max_ms: u64,
    },
    /// These, one after the other.
    Delays {
        /// The delays.
        delays_ms: &'static [u64],
    },
}

/// What no two jobs may be at the same time.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Unique {
    /// What is compared; the arguments if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<&'static str>,
}

/// Called by the expansion of `task`.
impl Defaults {
    /// Sets a backoff that doubles.
    #[must_use]
    pub const fn backoff(self, base_ms: u64, max_ms: u64) -> Self {
        Self { backoff: Some(Backoff::Doubling { base_ms, max_ms }), ..self }
    }

    /// Sets a backoff of fixed delays.
    #[must_use]
    pub const fn delays(self, delays_ms: &'static [u64]) -> Self {
        Self { backoff: Some(Backoff::Delays { delays_ms }), ..self }
    }

    /// Makes jobs unique by this key, or by their arguments.
    #[must_use]
    pub const fn unique(self, key: Option<&'static str>) -> Self {
        Self { unique: Some(Unique { key }), ..self }
    }
}

#[derive(Serialize)]
struct Description<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    version: &'a str,
    args_schema: schemars::Schema,
    output_schema: schemars::Schema,
    defaults: Defaults,
    #[serde(skip_serializing_if = "Option::is_none")]
    wants: Option<Wants>,
}

/// Describes a task as JSON. Called by the expansion of `task`.
#[must_use]
pub fn describe<A: JsonSchema, O: JsonSchema>(
    title: &str,
    description: &str,
    version: &str,
    defaults: Defaults,
    wants: Option<Wants>,
) -> String {
    let description = Description {
        title,
        description,
        version,
        args_schema: schema_for!(A),
        output_schema: schema_for!(O),
        defaults,
        wants,
    };
    serde_json::to_string(&description).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[derive(serde::Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Args {
        /// Who is greeted.
        #[expect(dead_code, reason = "only its schema counts")]
        name: String,
    }

    #[test]
    fn a_description_has_the_texts_both_schemas_and_the_defaults_that_were_given() {
        let defaults =
            Defaults { queue: Some("exports"), timeout_ms: Some(600_000), ..Defaults::default() }.backoff(20, 100);
        let found: Value =
            serde_json::from_str(&describe::<Args, ()>("Greets", "Kindly.", "1.2.3", defaults, None)).unwrap();
        assert_eq!([&found["title"], &found["description"], &found["version"]], ["Greets", "Kindly.", "1.2.3"]);
        let name = json!({"type": "string", "description": "Who is greeted."});
        assert_eq!(found["args_schema"]["properties"]["name"], name);
        assert_eq!(found["args_schema"]["additionalProperties"], false);
        assert_eq!(found["output_schema"]["type"], "null");
        let backoff = json!({"base_ms": 20, "max_ms": 100});
        assert_eq!(found["defaults"], json!({"queue": "exports", "timeout_ms": 600_000, "backoff": backoff}));
    }

    #[test]
    fn delays_and_uniqueness_are_written_as_the_daemon_reads_them() {
        let of = |defaults: Defaults| {
            let found: Value = serde_json::from_str(&describe::<(), ()>("", "", "1.0.0", defaults, None)).unwrap();
            found["defaults"].clone()
        };
        let defaults = Defaults::default().delays(&[0, 5_000]).unique(None);
        assert_eq!(of(defaults), json!({ "backoff": { "delays_ms": [0, 5_000] }, "unique": {} }));
        assert_eq!(of(Defaults::default().unique(Some("all"))), json!({ "unique": { "key": "all" } }));
    }

    #[test]
    fn a_function_without_a_doc_comment_has_no_title() {
        let found: Value =
            serde_json::from_str(&describe::<(), ()>("", "", "1.0.0", Defaults::default(), None)).unwrap();
        assert_eq!(found.get("title"), None);
        assert_eq!(found["defaults"], json!({}));
    }

    #[test]
    fn what_a_task_wants_stands_beside_what_it_is() {
        let wants = Wants::new().enqueue("next");
        let text = describe::<(), ()>("", "", "1.0.0", Defaults::default(), Some(wants));
        let found: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(found["wants"], json!({ "enqueue": ["next"] }));
    }
}
