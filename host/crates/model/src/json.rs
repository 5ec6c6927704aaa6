//! JSON that passes through untouched.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A JSON text that is known to be well-formed and is handed on byte for byte: never a parsed tree, so that numbers and the
/// order of keys stay as the sender wrote them. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct JsonText(Arc<str>);

/// A text that is not JSON.
#[derive(Debug, thiserror::Error)]
#[error("this is not JSON")]
pub struct JsonTextError(#[source] serde_json::Error);

impl JsonText {
    /// Checks that a text is JSON.
    pub fn parse(text: &str) -> Result<Self, JsonTextError> {
        serde_json::from_str::<&RawValue>(text).map(|raw| Self(raw.get().into())).map_err(JsonTextError)
    }

    /// Takes a text that this program itself wrote as JSON, or read back from where it had kept it.
    #[must_use]
    pub fn trusted(text: String) -> Self {
        Self(text.into())
    }

    /// The empty object, `{}`.
    #[must_use]
    pub fn empty_object() -> Self {
        Self("{}".into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the value is an object. Looks at the first character: the text is known to be JSON.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.0.trim_start().starts_with('{')
    }
}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for JsonText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(raw.get().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_the_order_of_keys_pass_through_unchanged() {
        let text = r#"{"b": 1.10, "a": 12345678901234567890123}"#;
        let json: JsonText = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&json).unwrap(), text);
    }

    #[test]
    fn a_text_that_is_not_json_is_refused() {
        assert!(JsonText::parse("{").is_err());
        assert!(JsonText::parse("").is_err());
        assert!(JsonText::parse("{} {}").is_err());
    }

    #[test]
    fn only_an_object_is_an_object() {
        assert!(JsonText::parse(" {\"a\": 1}").unwrap().is_object());
        assert!(!JsonText::parse("[{}]").unwrap().is_object());
    }
}
