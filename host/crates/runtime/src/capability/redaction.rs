//! Takes the values of secrets out of what a guest tells people: log, progress, errors, output.
//!
//! It finds a value as it is, as JSON writes it, and each longer line of one that has several. What a guest does to a value
//! before it tells it (encodes it, splits it) is not found: a guest that must not know a value gets it bound to origins.

use std::sync::Arc;

use serde_json::Value;
use windlass_model::{AttemptError, AttemptOutcome, JsonText};

/// Lines of a value that are shorter are words that may stand anywhere.
const LINE_MIN: usize = 8;

/// Replaces values by `[secret NAME]`. The default one knows none.
#[derive(Clone, Default)]
pub(crate) struct Redactor(Arc<[(String, String)]>);

impl Redactor {
    pub(crate) fn new<'a>(values: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut found: Vec<(String, String)> = Vec::new();
        for (name, value) in values {
            let told = format!("[secret {name}]");
            let escaped = Value::from(value).to_string();
            found.push((value.to_owned(), told.clone()));
            found.push((escaped[1..escaped.len() - 1].to_owned(), told.clone()));
            let lines = value.lines().map(str::trim).filter(|line| line.len() >= LINE_MIN);
            found.extend(lines.map(|line| (line.to_owned(), told.clone())));
        }
        // The longest first, so that no part of a value is left when another one lies in it.
        found.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        found.dedup_by(|(a, _), (b, _)| a == b);
        Self(found.into())
    }

    /// How long the longest value is.
    pub(crate) fn longest(&self) -> usize {
        self.0.first().map_or(0, |(value, _)| value.len())
    }

    pub(crate) fn text(&self, mut text: String) -> String {
        for (value, told) in &*self.0 {
            if text.contains(value.as_str()) {
                text = text.replace(value.as_str(), told);
            }
        }
        text
    }

    pub(crate) fn outcome(&self, outcome: AttemptOutcome) -> AttemptOutcome {
        if self.0.is_empty() {
            return outcome;
        }
        match outcome {
            AttemptOutcome::Completed(output) => AttemptOutcome::Completed(self.json(output)),
            AttemptOutcome::Failed(error) => {
                AttemptOutcome::Failed(AttemptError { message: self.text(error.message), ..error })
            }
            AttemptOutcome::HostFault(message) => AttemptOutcome::HostFault(self.text(message)),
            other => other,
        }
    }

    /// Looks into the strings of a document, however they are written.
    fn json(&self, document: JsonText) -> JsonText {
        let Ok(mut value) = serde_json::from_str::<Value>(document.as_str()) else { return document };
        if self.value(&mut value) { JsonText::trusted(value.to_string()) } else { document }
    }

    /// Says whether something was found.
    fn value(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => {
                let told = self.text(text.clone());
                let found = told != *text;
                *text = told;
                found
            }
            Value::Array(items) => items.iter_mut().fold(false, |found, item| self.value(item) | found),
            Value::Object(fields) => {
                let mut found = fields.values_mut().fold(false, |found, field| self.value(field) | found);
                for name in fields.keys().cloned().collect::<Vec<_>>() {
                    let told = self.text(name.clone());
                    if told != name {
                        found = true;
                        if let Some(field) = fields.remove(&name) {
                            fields.insert(told, field);
                        }
                    }
                }
                found
            }
            Value::Number(number) => {
                let text = number.to_string();
                let Some((_, told)) = self.0.iter().find(|(secret, _)| *secret == text) else { return false };
                *value = Value::String(told.clone());
                true
            }
            Value::Null | Value::Bool(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_as_it_is_as_json_and_by_its_lines() {
        let redactor = Redactor::new([("pem", "-----BEGIN-----\nab\"cdefgh\n"), ("pin", "4711")].into_iter());
        assert_eq!(redactor.text("x ab\"cdefgh y 4711".to_owned()), "x [secret pem] y [secret pin]");
        let escaped = serde_json::to_string("-----BEGIN-----\nab\"cdefgh\n").unwrap();
        assert_eq!(redactor.text(escaped), "\"[secret pem]\"");
        assert_eq!(redactor.text("nothing".to_owned()), "nothing");
    }

    #[test]
    fn an_output_stays_json_and_as_it_was_if_nothing_is_found() {
        let redactor = Redactor::new([("pin", "4711"), ("word", "größe")].into_iter());
        let told = |text: &str| redactor.json(JsonText::parse(text).unwrap()).as_str().to_owned();
        assert_eq!(told(r#"{"b":1.50, "a":[47110]}"#), r#"{"b":1.50, "a":[47110]}"#);
        assert_eq!(
            told(r#"{"4711":[4711,"gr\u00f6\u00dfe!"]}"#),
            r#"{"[secret pin]":["[secret pin]","[secret word]!"]}"#
        );
    }

    #[test]
    fn a_value_within_another_leaves_no_rest() {
        let redactor = Redactor::new([("short", "abc"), ("long", "xabcx")].into_iter());
        assert_eq!(redactor.text("xabcx abc".to_owned()), "[secret long] [secret short]");
    }
}
