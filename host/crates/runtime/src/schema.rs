//! The JSON Schema of a task's arguments.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;
use windlass_model::JsonText;

use crate::error::LoadFault;
use crate::port::ArgsFault;
use crate::text;

/// How many faults are told at once.
const FAULTS: usize = 20;

/// How long one fault's text may be: it repeats the faulty value.
const MESSAGE_MAX: usize = 500;

/// A schema that arguments can be checked against.
pub(crate) struct ArgsSchema(Validator);

impl ArgsSchema {
    /// Reads a schema. References to other documents are refused: nothing is fetched.
    pub(crate) fn parse(schema: &JsonText) -> Result<Self, LoadFault> {
        let fault = |message: String| LoadFault::Schema { message: text::kept(&message, MESSAGE_MAX) };
        let schema: Value = serde_json::from_str(schema.as_str()).map_err(|error| fault(error.to_string()))?;
        jsonschema::options()
            // Linear in the length of the text: arguments come from outside.
            .with_pattern_options(PatternOptions::regex())
            .build(&schema)
            .map(Self)
            .map_err(|error| fault(error.to_string()))
    }

    pub(crate) fn check(&self, args: &JsonText) -> Result<(), Vec<ArgsFault>> {
        let args: Value = serde_json::from_str(args.as_str()).map_err(|error| vec![whole(error.to_string())])?;
        let found: Vec<_> = self
            .0
            .iter_errors(&args)
            .take(FAULTS)
            .map(|error| ArgsFault {
                pointer: error.instance_path().to_string(),
                message: text::kept(&error.to_string(), MESSAGE_MAX),
            })
            .collect();
        if found.is_empty() { Ok(()) } else { Err(found) }
    }
}

/// Checks arguments of a task that has no schema.
pub(crate) fn check_object(args: &JsonText) -> Result<(), Vec<ArgsFault>> {
    if args.is_object() { Ok(()) } else { Err(vec![whole("the arguments are a JSON object".to_owned())]) }
}

fn whole(message: String) -> ArgsFault {
    ArgsFault { pointer: String::new(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> JsonText {
        JsonText::parse(text).unwrap()
    }

    #[test]
    fn every_fault_is_named_with_its_place() {
        let schema = r#"{"type":"object","required":["source"],"properties":{"columns":{"items":{"type":"string"}}}}"#;
        let schema = ArgsSchema::parse(&json(schema)).unwrap();
        assert_eq!(schema.check(&json(r#"{"source":"a"}"#)), Ok(()));
        let faults = schema.check(&json(r#"{"columns":["a",5]}"#)).unwrap_err();
        let mut said: Vec<_> = faults.iter().map(|fault| (fault.pointer.as_str(), fault.message.as_str())).collect();
        said.sort_unstable();
        assert_eq!(said, [("", "\"source\" is a required property"), ("/columns/1", "5 is not of type \"string\"")]);
    }

    #[test]
    fn a_schema_that_refers_to_another_document_is_refused() {
        let fault = ArgsSchema::parse(&json(r#"{"$ref":"https://example.com/schema.json"}"#)).err().unwrap();
        assert!(matches!(fault, LoadFault::Schema { .. }));
    }

    #[test]
    fn a_schema_that_is_none_is_refused() {
        assert!(ArgsSchema::parse(&json(r#"{"type":"strnig"}"#)).is_err());
    }

    #[test]
    fn a_long_value_is_not_repeated_in_full() {
        let schema =
            ArgsSchema::parse(&json(r#"{"type":"object","additionalProperties":{"type":"integer"}}"#)).unwrap();
        let faults = schema.check(&json(&format!(r#"{{"a":"{}"}}"#, "x".repeat(5_000)))).unwrap_err();
        assert!(faults[0].message.len() <= MESSAGE_MAX);
    }
}
