//! Tells whether two JSON texts say the same.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use windlass_model::JsonText;

/// What is nested deeper counts as it is written: whoever sends a million brackets must not cost a stack frame for each.
const MAX_DEPTH: u8 = 32;

/// The SHA-256 of a JSON text in hexadecimal, the same for any order of keys and any white space.
///
/// Numbers count as they are written: 1.0 is not 1, and no digit of a long one is lost.
#[must_use]
pub fn fingerprint(json: &JsonText) -> String {
    let mut canonical = String::with_capacity(json.as_str().len());
    write(json.as_str(), MAX_DEPTH, &mut canonical);
    Sha256::digest(canonical).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a value with sorted keys and without white space between its parts.
fn write(text: &str, depth: u8, out: &mut String) {
    let text = text.trim();
    if depth == 0 {
        out.push_str(text);
    } else if let Ok(object) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) {
        for (key, value) in object {
            out.push(',');
            write_string(&key, out);
            out.push(':');
            write(value.get(), depth - 1, out);
        }
        out.push('}');
    } else if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(text) {
        for value in list {
            out.push(',');
            write(value.get(), depth - 1, out);
        }
        out.push(']');
    } else if let Ok(string) = serde_json::from_str::<String>(text) {
        write_string(&string, out);
    } else {
        out.push_str(text);
    }
}

/// One character may be written in several ways: as itself or escaped.
fn write_string(string: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(string).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        fingerprint(&JsonText::parse(text).unwrap())
    }

    #[test]
    fn order_and_white_space_do_not_count() {
        assert_eq!(
            of(r#"{"a":[1,{"c":"\u00e4","b":null}],"b":2}"#),
            of(r#" { "b" : 2, "a" : [1, {"b": null, "c": "ä"}] }"#)
        );
    }

    #[test]
    fn a_million_brackets_are_no_danger() {
        let nested = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
        assert_ne!(of(&nested), of("[]"));
    }

    #[test]
    fn whatever_differs_counts() {
        let texts = [
            r#"{"a":1}"#,
            r#"{"a":1.0}"#,
            r#"{"a":"1"}"#,
            r#"{"a":[1]}"#,
            r#"{"a":{"a":1}}"#,
            r#"{"a":12345678901234567890123}"#,
            r#"{"a":12345678901234567890124}"#,
            r#"{"a":1,"b":1}"#,
            r#"{"a":[[],1]}"#,
            r#"{"a":[[1]]}"#,
            "[]",
            "{}",
            "null",
            r#""""#,
        ];
        let prints: std::collections::BTreeSet<_> = texts.iter().map(|text| of(text)).collect();
        assert_eq!(prints.len(), texts.len());
    }
}
