//! Which records are written.

use serde_json::Value;
use serde_json::value::RawValue;
use windlass_guest::{OrFatal, TaskError, fatal};

use crate::cell::Key;
use crate::columns::{Projection, Values};
use crate::request::{Condition, Op};

/// All conditions, which a record must meet.
pub(crate) struct Filter(Vec<Test>);

struct Test {
    slot: usize,
    op: Op,
    wanted: Key,
}

impl Filter {
    pub(crate) fn new(conditions: &[Condition], projection: &mut Projection) -> Result<Self, TaskError> {
        let tests = conditions.iter().map(|condition| {
            check(condition)?;
            let value = serde_json::value::to_raw_value(&condition.value).or_fatal()?;
            Ok(Test {
                slot: projection.slot(&condition.column),
                op: condition.op,
                wanted: Key::of(Some(&value)).or_fatal()?,
            })
        });
        tests.collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn holds(&self, values: &Values<'_>) -> Result<bool, serde_json::Error> {
        for test in &self.0 {
            if !test.holds(values[test.slot])? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Refuses what could never hold, which nobody means.
pub(crate) fn check(condition: &Condition) -> Result<(), TaskError> {
    let (column, op) = (&condition.column, condition.op);
    let needed = match (op, &condition.value) {
        (Op::Lt | Op::Le | Op::Gt | Op::Ge, Value::Null | Value::Array(_) | Value::Object(_)) => {
            "a number, a text or a boolean"
        }
        (Op::Contains, Value::Null) => "a text, or an element of an array",
        _ => return Ok(()),
    };
    let op = format!("{op:?}").to_lowercase();
    Err(fatal(format!("filter: `{op}` on `{column}` needs {needed}, not {}", condition.value)))
}

impl Test {
    fn holds(&self, value: Option<&RawValue>) -> Result<bool, serde_json::Error> {
        let found = Key::of(value)?;
        let comparable = found.is_same_kind(&self.wanted);
        Ok(match self.op {
            Op::Eq => found == self.wanted,
            Op::Ne => found != self.wanted,
            Op::Lt => comparable && found < self.wanted,
            Op::Le => comparable && found <= self.wanted,
            Op::Gt => comparable && found > self.wanted,
            Op::Ge => comparable && found >= self.wanted,
            Op::Contains => match (&found, &self.wanted) {
                (Key::Text(found), Key::Text(wanted)) => found.contains(wanted),
                (Key::Nested(found), wanted) if found.starts_with('[') => has_element(found, wanted)?,
                _ => false,
            },
        })
    }
}

fn has_element(array: &str, wanted: &Key) -> Result<bool, serde_json::Error> {
    let elements: Vec<&RawValue> = serde_json::from_str(array)?;
    for element in elements {
        if Key::of(Some(element))? == *wanted {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(record: &str, op: &str, value: Value) -> bool {
        let condition = serde_json::json!({"column": "a", "op": op, "value": value});
        let mut projection = Projection::new();
        let filter = Filter::new(&[serde_json::from_value(condition).unwrap()], &mut projection).unwrap();
        filter.holds(&projection.read(record).unwrap()).unwrap()
    }

    #[test]
    fn each_operation_compares_as_it_says() {
        for (op, less, same, more) in [
            ("eq", false, true, false),
            ("ne", true, false, true),
            ("lt", true, false, false),
            ("le", true, true, false),
            ("gt", false, false, true),
            ("ge", false, true, true),
        ] {
            let found = [r#"{"a":-1.5}"#, r#"{"a":3.0}"#, r#"{"a":20}"#].map(|record| holds(record, op, 3.into()));
            assert_eq!(found, [less, same, more], "{op} on numbers");
            let found = [r#"{"a":"A"}"#, r#"{"a":"b"}"#, r#"{"a":"c"}"#].map(|record| holds(record, op, "b".into()));
            assert_eq!(found, [less, same, more], "{op} on texts");
        }
    }

    #[test]
    fn contains_looks_for_a_part_or_an_element() {
        assert!(holds(r#"{"a":"Windlass"}"#, "contains", "lass".into()));
        assert!(!holds(r#"{"a":"Windlass"}"#, "contains", "LASS".into()));
        assert!(holds(r#"{"a":["x", 2]}"#, "contains", "x".into()));
        assert!(holds(r#"{"a":["x", 2]}"#, "contains", 2.into()));
        assert!(!holds(r#"{"a":["xy"]}"#, "contains", "x".into()));
        assert!(!holds(r#"{"a":12}"#, "contains", "1".into()));
    }

    #[test]
    fn values_of_different_kinds_are_not_equal_and_none_is_less() {
        assert!(!holds(r#"{"a":"3"}"#, "eq", 3.into()));
        assert!(!holds(r#"{"a":"3"}"#, "gt", 3.into()));
        assert!(!holds(r#"{"a":null}"#, "lt", 3.into()));
        assert!(holds(r#"{"b":1}"#, "eq", Value::Null), "what is not there is null");
    }

    #[test]
    fn a_condition_that_could_never_hold_is_refused() {
        let condition = Condition { column: "a".to_owned(), op: Op::Lt, value: Value::Null };
        assert_eq!(check(&condition), Err(fatal("filter: `lt` on `a` needs a number, a text or a boolean, not null")));
    }
}
