//! What a person asks for, and whether it can be meant.

use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use windlass_guest::schemars::{self, JsonSchema};
use windlass_guest::{TaskError, fatal};

/// The longest name of a file, in characters: any file system takes 255 bytes, and a person should be able to read it.
const FILE_NAME_MAX: usize = 100;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {
    /// The file with the records, relative to `/data`: JSON Lines or a JSON array of objects, plain or gzip.
    pub(crate) source: String,
    /// Which columns, in which order. Without it: those of the first record.
    #[serde(default)]
    pub(crate) columns: Option<Vec<String>>,
    /// Which records: those for which all of this holds.
    #[serde(default)]
    pub(crate) filter: Vec<Condition>,
    /// In which order: by the first of these, where that is equal by the second. Without it: as they are in the source.
    #[serde(default)]
    pub(crate) order_by: Vec<Order>,
    /// The name of the file that is made.
    #[serde(default = "default_file_name")]
    pub(crate) file_name: String,
}

/// One condition on a record.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Condition {
    pub(crate) column: String,
    pub(crate) op: Op,
    /// What the column is compared with. Values of different kinds (a number and a text) are not equal, and none is less.
    pub(crate) value: Value,
}

/// How a column is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    /// A text has the value as a part, or an array has it as an element.
    Contains,
}

/// One column by which records are sorted.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    pub(crate) column: String,
    #[serde(default)]
    pub(crate) direction: Direction,
}

/// Nothing, then false and true, numbers, texts, nested values; or the other way round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Direction {
    #[default]
    Asc,
    Desc,
}

fn default_file_name() -> String {
    "export.csv".to_owned()
}

impl Args {
    /// Finds what can be known to be wrong before anything is read. A filter is checked when it is made.
    pub(crate) fn check(&self) -> Result<(), TaskError> {
        check_source(&self.source)?;
        check_file_name(&self.file_name)?;
        if self.columns.as_ref().is_some_and(Vec::is_empty) {
            return Err(fatal("columns: the list is empty; leave it out to get the columns of the first record"));
        }
        Ok(())
    }

    /// Every column that is named somewhere, with the place where.
    pub(crate) fn named_columns(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let columns = self.columns.iter().flatten().map(|column| ("columns", column.as_str()));
        let filter = self.filter.iter().map(|condition| ("filter", condition.column.as_str()));
        let order_by = self.order_by.iter().map(|order| ("order_by", order.column.as_str()));
        columns.chain(filter).chain(order_by)
    }
}

fn check_source(source: &str) -> Result<(), TaskError> {
    let inside = Path::new(source).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if source.is_empty() || !inside {
        return Err(fatal(format!(
            "source: `{source}` is not a path inside /data; it must be relative and without `..`"
        )));
    }
    Ok(())
}

fn check_file_name(name: &str) -> Result<(), TaskError> {
    let found = name.chars().count();
    let fault = if found == 0 {
        "it is empty".to_owned()
    } else if found > FILE_NAME_MAX {
        format!("it has {found} characters, at most {FILE_NAME_MAX} are allowed")
    } else if name.starts_with('.') {
        "it must not start with a dot".to_owned()
    } else if name.chars().any(|c| matches!(c, '/' | '\\') || c.is_control()) {
        "it must be a name without slashes and control characters".to_owned()
    } else {
        return Ok(());
    };
    Err(fatal(format!("file_name: `{}`: {fault}", name.escape_debug())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_with_a_slash_a_dot_first_or_too_long_is_refused() {
        for (name, fault) in [
            ("a/b.csv", "it must be a name without slashes"),
            ("..", "it must not start with a dot"),
            (&"x".repeat(101), "it has 101 characters, at most 100"),
            ("", "it is empty"),
        ] {
            let error = format!("{:?}", check_file_name(name).unwrap_err());
            assert!(error.contains(fault) && error.contains("Fatal"), "{error}");
        }
        assert_eq!(check_file_name("Bestellungen für März.csv"), Ok(()));
    }

    #[test]
    fn a_source_outside_of_data_is_refused() {
        for source in ["/etc/passwd", "../secret", "a/../../b", ""] {
            assert!(check_source(source).is_err(), "{source}");
        }
        assert_eq!(check_source("2026/orders.jsonl"), Ok(()));
    }
}
