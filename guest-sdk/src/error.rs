//! How an attempt ends when it does not end well.
//!
//! ```
//! use std::time::Duration;
//! use windlass_guest::{OrFatal, TaskError, fatal, snooze};
//!
//! fn read(path: &str) -> Result<String, TaskError> {
//!     if path.is_empty() {
//!         return Err(fatal("the path is empty")); // never again
//!     }
//!     if path == "later" {
//!         return Err(snooze(Duration::from_secs(60))); // not now; costs no attempt
//!     }
//!     let text = std::fs::read_to_string(path)?; // any error: another attempt after a delay
//!     let _number: i64 = text.trim().parse().or_fatal()?; // an error that no second attempt mends
//!     Ok(text)
//! }
//! # assert!(read("").is_err());
//! ```

use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use crate::bindings;

/// How an attempt ends when it does not end well. Made by [`retryable`], [`fatal`], [`snooze`], [`cancelled`], or by `?`.
///
/// It is no [`Error`] itself, so that every other error can become one by `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskError(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Retryable(String),
    Fatal(String),
    Snooze(Duration),
    Cancelled,
}

/// It did not work this time: the attempt counts, and the job runs again after a delay, until its attempts are spent.
#[must_use]
pub fn retryable(message: impl Display) -> TaskError {
    TaskError(Kind::Retryable(message.to_string()))
}

/// It will never work: the job is discarded at once.
#[must_use]
pub fn fatal(message: impl Display) -> TaskError {
    TaskError(Kind::Fatal(message.to_string()))
}

/// Not now: the job runs again after this time (whole milliseconds), and the attempt does not count.
#[must_use]
pub fn snooze(span: Duration) -> TaskError {
    TaskError(Kind::Snooze(span))
}

/// The handler stopped because the job was cancelled; see [`Job::is_cancelled`](crate::Job::is_cancelled).
#[must_use]
pub fn cancelled() -> TaskError {
    TaskError(Kind::Cancelled)
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for TaskError {
    /// Another attempt may pass. The message has the error and all its sources. Takes every error that is `Send` and `Sync`, boxed
    /// ones and `anyhow`'s too; a `Box<dyn Error>` without these goes by `map_err(retryable)`.
    fn from(error: E) -> Self {
        retryable(chain(&*error.into()))
    }
}

/// Makes the error of a result fatal.
pub trait OrFatal<T> {
    /// The value, or an error that no second attempt would mend.
    fn or_fatal(self) -> Result<T, TaskError>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> OrFatal<T> for Result<T, E> {
    fn or_fatal(self) -> Result<T, TaskError> {
        self.map_err(|error| fatal(chain(&*error.into())))
    }
}

/// An error and its sources, as one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

impl From<TaskError> for bindings::TaskError {
    fn from(error: TaskError) -> Self {
        match error.0 {
            Kind::Retryable(message) => Self::Retryable(message),
            Kind::Fatal(message) => Self::Fatal(message),
            Kind::Snooze(span) => Self::Snooze(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
            Kind::Cancelled => Self::Cancelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);

    impl Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("line 3 is no number")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    fn outer() -> Result<(), Outer> {
        "x".parse::<i32>().map(drop).map_err(Outer)
    }

    #[test]
    fn an_error_that_is_passed_on_is_retryable_and_tells_its_sources() {
        fn passes_on() -> Result<(), TaskError> {
            Ok(outer()?)
        }
        let text = "line 3 is no number: invalid digit found in string";
        assert_eq!(passes_on(), Err(retryable(text)));
        assert_eq!(outer().or_fatal(), Err(fatal(text)));
    }

    #[test]
    fn a_boxed_error_tells_its_sources_too() {
        fn passes_on() -> Result<(), TaskError> {
            outer().map_err(|error| -> Box<dyn Error + Send + Sync> { error.into() })?;
            Ok(())
        }
        assert_eq!(passes_on(), Err(retryable("line 3 is no number: invalid digit found in string")));
    }

    #[test]
    fn a_snooze_is_told_in_whole_milliseconds() {
        let wire = bindings::TaskError::from(snooze(Duration::from_micros(1_500)));
        assert!(matches!(wire, bindings::TaskError::Snooze(1)));
        let wire = bindings::TaskError::from(snooze(Duration::MAX));
        assert!(matches!(wire, bindings::TaskError::Snooze(u64::MAX)));
    }

    #[test]
    fn an_error_can_be_made_fatal() {
        let result: Result<i32, _> = "x".parse::<i32>().or_fatal();
        assert_eq!(result, Err(fatal("invalid digit found in string")));
    }

    #[test]
    fn a_text_can_be_an_error() {
        fn fails() -> Result<(), TaskError> {
            Err("no")?;
            Ok(())
        }
        assert_eq!(fails(), Err(retryable("no")));
    }
}
