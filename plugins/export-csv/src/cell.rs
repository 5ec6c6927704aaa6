//! One value of a record: the text that stands for it in the file, and the key by which it is compared and sorted.
//!
//! Values stay the text that they were in the source until here, so that a number is written as it was read: `1.10` and
//! `123456789012345678901` are not made into the nearest binary number.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What is compared. The order of the variants is the order of the kinds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Key {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    /// An array or object, as compact JSON.
    Nested(String),
}

/// A number with a total order: first by its double in bits that sort as it does, then, where two integers have the same
/// double, by the integer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Number(u64, i128);

impl Key {
    /// The key of a value; what a record does not have counts as null.
    pub(crate) fn of(value: Option<&RawValue>) -> Result<Self, serde_json::Error> {
        let Some(value) = value else { return Ok(Self::Null) };
        let raw = value.get();
        Ok(match raw.as_bytes().first() {
            Some(b'n') | None => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'"') => Self::Text(string(raw)?.into_owned()),
            Some(b'[' | b'{') => Self::Nested(compact(raw)),
            Some(_) => Self::Number(Number::of(raw)?),
        })
    }

    pub(crate) const fn is_same_kind(&self, other: &Self) -> bool {
        matches!(
            (self, other),
            (Self::Null, Self::Null)
                | (Self::Bool(_), Self::Bool(_))
                | (Self::Number(_), Self::Number(_))
                | (Self::Text(_), Self::Text(_))
                | (Self::Nested(_), Self::Nested(_))
        )
    }

    /// The bytes that it holds beside itself.
    pub(crate) const fn heap(&self) -> usize {
        match self {
            Self::Text(text) | Self::Nested(text) => text.capacity(),
            Self::Null | Self::Bool(_) | Self::Number(_) => 0,
        }
    }
}

impl Number {
    fn of(raw: &str) -> Result<Self, serde_json::Error> {
        // Rust's own parser: it rounds rightly, and takes what is too large as infinite.
        let double: f64 = raw.parse().map_err(serde::de::Error::custom)?;
        let double = double + 0.0; // -0 is 0
        let integer = raw.parse().unwrap_or(double as i128); // the cast saturates
        let bits = double.to_bits();
        let sorted = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
        Ok(Self(sorted, integer))
    }
}

/// The text of a value in the file: of a string its content, of null nothing, of the rest its JSON.
pub(crate) fn text(value: Option<&RawValue>) -> Result<Cow<'_, str>, serde_json::Error> {
    let Some(value) = value else { return Ok(Cow::Borrowed("")) };
    let raw = value.get();
    Ok(match raw.as_bytes().first() {
        Some(b'n') | None => Cow::Borrowed(""),
        Some(b'"') => string(raw)?,
        Some(b'[' | b'{') => Cow::Owned(compact(raw)),
        Some(_) => Cow::Borrowed(raw),
    })
}

/// The content of a JSON string.
fn string(raw: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
        _ => serde_json::from_str(raw).map(Cow::Owned),
    }
}

/// JSON without the white space between its parts.
fn compact(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in raw.chars() {
        if !in_string && matches!(c, ' ' | '\t' | '\r' | '\n') {
            continue;
        }
        in_string ^= c == '"' && !escaped;
        escaped = in_string && c == '\\' && !escaped;
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        serde_json::from_str(json).unwrap()
    }

    fn key(json: &str) -> Key {
        Key::of(Some(&raw(json))).unwrap()
    }

    #[test]
    fn a_value_is_written_as_it_was_read() {
        for (json, expected) in [
            ("null", ""),
            ("true", "true"),
            ("1.10", "1.10"),
            ("123456789012345678901234", "123456789012345678901234"),
            (r#""plain""#, "plain"),
            (r#""a \"b\"\n\u00fc""#, "a \"b\"\n\u{fc}"),
            (r#"{ "b" : [ 1, 2 ], "a": "x \" , y" }"#, r#"{"b":[1,2],"a":"x \" , y"}"#),
        ] {
            assert_eq!(text(Some(&raw(json))).unwrap(), expected);
        }
        assert_eq!(text(None).unwrap(), "");
    }

    #[test]
    fn values_have_a_total_order() {
        let sorted = [
            "null",
            "false",
            "true",
            "-1e400",
            "-2.5",
            "-1",
            "0",
            "0.5",
            "9007199254740992",
            "9007199254740993",
            "1e300",
            "\"\"",
            "\"10\"",
            "\"9\"",
            "\"a\"",
            "[1]",
        ];
        for pair in sorted.windows(2) {
            assert!(key(pair[0]) < key(pair[1]), "{} before {}", pair[0], pair[1]);
        }
        assert_eq!(key("1"), key("1.0"));
        assert_eq!(key("0"), key("-0.0"));
        assert_eq!(key("100"), key("1e2"));
    }
}
