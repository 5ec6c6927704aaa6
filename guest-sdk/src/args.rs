//! From the text that the daemon hands in to the handler's types, and back.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Job, TaskError, bindings, fatal};

/// Runs a handler. Called by the expansion of `task`.
pub fn run<A, O>(
    job_id: String,
    args_json: &str,
    handler: impl FnOnce(&Job, A) -> Result<O, TaskError>,
) -> Result<String, bindings::TaskError>
where
    A: DeserializeOwned,
    O: Serialize,
{
    let args = parse(args_json)?;
    let output = handler(&Job::new(job_id), args)?;
    serde_json::to_string(&output)
        .map_err(|error| fatal(format!("the output cannot be written as JSON: {error}")).into())
}

fn parse<A: DeserializeOwned>(args_json: &str) -> Result<A, TaskError> {
    let mut deserializer = serde_json::Deserializer::from_str(args_json);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        match path.as_str() {
            "." => fatal(format!("the arguments do not fit: {}", error.inner())),
            path => fatal(format!("the argument `{path}` does not fit: {}", error.inner())),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Args {
        #[expect(dead_code, reason = "only whether it parses counts")]
        columns: Vec<String>,
    }

    #[test]
    fn an_output_of_nothing_is_null() {
        let output = run("id".to_owned(), "[1]", |job, args: Vec<u8>| {
            assert_eq!((job.id(), args), ("id", vec![1]));
            Ok(())
        });
        assert!(matches!(output.as_deref(), Ok("null")));
    }

    #[test]
    fn arguments_that_do_not_fit_are_fatal_before_the_handler_runs() {
        let output = run("id".to_owned(), "{}", |_, _: Args| -> Result<(), _> { unreachable!("it must not run") });
        let Err(bindings::TaskError::Fatal(message)) = output else { panic!("not fatal: {output:?}") };
        assert!(message.starts_with("the arguments do not fit: missing field `columns`"), "{message}");
    }

    #[test]
    fn an_argument_that_does_not_fit_is_named() {
        let error = parse::<Args>(r#"{"columns": ["a", 1]}"#).unwrap_err();
        let expected =
            "the argument `columns[1]` does not fit: invalid type: integer `1`, expected a string at line 1 column 19";
        assert_eq!(error, fatal(expected));
    }
}
