//! What the operator says about the limits of all plugins: `[limits.default]` and `[limits.max]` of `windlass.toml`.

use toml::Value;
use windlass_runtime::{GrantFault, LimitChanges, Limits};

/// The two tables, each value in its range.
#[derive(Clone, Debug, Default)]
pub(crate) struct LimitTables {
    default: LimitChanges,
    max: LimitChanges,
}

impl LimitTables {
    pub(super) fn parse(value: Option<&Value>, file: &str, faults: &mut Vec<String>) -> Self {
        let (mut tables, mut found) = (Self::default(), Vec::new());
        match value.map(Value::as_table) {
            None => (),
            Some(None) => {
                found.push(GrantFault::wrong("limits", "it has two tables: [limits.default] and [limits.max]"));
            }
            Some(Some(table)) => {
                for (key, value) in table {
                    match key.as_str() {
                        "default" => tables.default = LimitChanges::parse(value, "limits.default", &mut found),
                        "max" => tables.max = LimitChanges::parse(value, "limits.max", &mut found),
                        _ => found.push(GrantFault::unknown(format!("limits.{key}"), "default, max")),
                    }
                }
            }
        }
        faults.extend(found.iter().map(|fault| format!("{file}: {fault}")));
        tables
    }

    /// The limits of a plugin that says nothing, and the ceiling.
    pub(super) fn settle(&self, faults: &mut Vec<String>) -> (Limits, Limits) {
        let mut found = Vec::new();
        let settled = LimitChanges::settle(&self.default, &self.max, &mut found);
        faults.extend(found.iter().map(ToString::to_string));
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(text: &str) -> (Limits, Limits, Vec<String>) {
        let table: toml::Table = text.parse().unwrap();
        let mut faults = Vec::new();
        let tables = LimitTables::parse(table.get("limits"), "windlass.toml", &mut faults);
        let (default, ceiling) = tables.settle(&mut faults);
        (default, ceiling, faults)
    }

    #[test]
    fn every_fault_of_both_tables_is_named() {
        let (_, _, faults) = settle(
            "[limits.default]\nhandles = 50\ncolour = 1\n[limits.max]\nhandles = 40\nlog_bytes = 0\n[limits.least]\na = 1",
        );
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert!(faults[0].starts_with("windlass.toml: `limits.default.colour` is unknown here, the keys are: "));
        assert_eq!(faults[1], "windlass.toml: `limits.least` is unknown here, the keys are: default, max");
        assert_eq!(faults[2], "windlass.toml: `limits.max.log_bytes`: 0 is not between 1024 and 1073741824");
        assert_eq!(faults[3], "`limits.default.handles`: 50 is more than `limits.max.handles`, which is 40");
    }

    #[test]
    fn what_is_not_set_is_as_it_is_built_in() {
        let (default, ceiling, faults) = settle("");
        assert_eq!((default, ceiling, faults.len()), (Limits::default(), Limits::ceiling(), 0));
    }
}
