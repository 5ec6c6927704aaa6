//! The query of a URL. Strict: an unknown parameter is refused, because a misspelt filter that is ignored answers with the
//! wrong jobs. All faults are named at once.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::code::ErrorCode;
use crate::problem::{ApiError, FieldError};

/// What can be read from a query.
pub(crate) trait FromParams: Sized {
    /// The parameters that it knows.
    const KNOWN: &'static [&'static str];

    /// Reads them. Faults go to `params`; what stands in their place does not matter.
    fn from_params(params: &mut Params) -> Self;
}

/// The query of a request.
pub(crate) struct Query<T>(pub(crate) T);

/// The parameters of a query, and what is wrong with them.
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
    faults: Vec<FieldError>,
}

impl<S: Send + Sync, T: FromParams> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map_err(|_| {
            ApiError::new(ErrorCode::InvalidQuery, "The query is not made of name=value pairs in UTF-8.")
        })?;
        Params::read(pairs.0).map(Self)
    }
}

impl Params {
    fn read<T: FromParams>(pairs: Vec<(String, String)>) -> Result<T, ApiError> {
        let mut params = Self { pairs, faults: Vec::new() };
        let unknown: Vec<_> = params.pairs.iter().map(|(name, _)| name.as_str()).collect();
        params.faults = unknown
            .into_iter()
            .filter(|name| !T::KNOWN.contains(name))
            .map(|name| FieldError::new(name, unknown_parameter(T::KNOWN)))
            .collect();
        let value = T::from_params(&mut params);
        if params.faults.is_empty() { Ok(value) } else { Err(ApiError::fields(ErrorCode::InvalidQuery, params.faults)) }
    }

    /// A parameter that may be given once.
    pub(crate) fn one<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let mut values = self.pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let first = values.next()?;
        let parsed = match values.next() {
            None => first.parse().map_err(|error: T::Err| error.to_string()),
            Some(_) => Err("is given more than once".to_owned()),
        };
        parsed.map_err(|message| self.fault(name, message)).ok()
    }

    /// A parameter that may be given several times, or once with several values between commas.
    pub(crate) fn many<T: FromStr<Err: Display>>(&mut self, name: &str) -> Vec<T> {
        let values = self.pairs.iter().filter(|(key, _)| key == name).flat_map(|(_, value)| value.split(','));
        let (mut parsed, mut faults) = (Vec::new(), Vec::new());
        for value in values {
            match value.trim().parse() {
                Ok(value) => parsed.push(value),
                Err(error) => faults.push(FieldError::new(name, T::Err::to_string(&error))),
            }
        }
        self.faults.append(&mut faults);
        parsed
    }

    /// Notes that a parameter has a wrong value.
    pub(crate) fn fault(&mut self, name: &str, message: impl Into<String>) {
        self.faults.push(FieldError::new(name, message));
    }
}

fn unknown_parameter(known: &[&str]) -> String {
    match known {
        [] => "unknown parameter: this call takes none".to_owned(),
        known => format!("unknown parameter: this call takes `{}`", known.join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use windlass_model::JobState;

    use super::*;

    #[derive(Debug)]
    struct Sample {
        limit: Option<u16>,
        states: Vec<JobState>,
    }

    impl FromParams for Sample {
        const KNOWN: &'static [&'static str] = &["limit", "state"];

        fn from_params(params: &mut Params) -> Self {
            Self { limit: params.one("limit"), states: params.many("state") }
        }
    }

    async fn read(query: &str) -> Result<Sample, Vec<String>> {
        let (mut parts, ()) = axum::http::Request::get(format!("/?{query}")).body(()).unwrap().into_parts();
        match Query::from_request_parts(&mut parts, &()).await {
            Ok(Query(sample)) => Ok(sample),
            Err(error) => Err(error.errors().iter().map(ToString::to_string).collect()),
        }
    }

    #[tokio::test]
    async fn a_list_may_be_repeated_or_written_with_commas() {
        let sample = read("state=running,retryable&limit=7&state=completed").await.unwrap();
        assert_eq!(sample.limit, Some(7));
        assert_eq!(sample.states, [JobState::Running, JobState::Retryable, JobState::Completed]);
    }

    #[tokio::test]
    async fn every_fault_of_a_query_is_named_at_once() {
        let faults = read("limit=many&state=running,done&sort=up").await.unwrap_err();
        assert_eq!(
            faults,
            [
                "`sort`: unknown parameter: this call takes `limit`, `state`",
                "`limit`: invalid digit found in string",
                "`state`: `done` is no state: scheduled, available, running, retryable, completed, discarded, cancelled",
            ]
        );
    }

    #[tokio::test]
    async fn a_parameter_that_is_given_twice_is_refused() {
        assert_eq!(read("limit=1&limit=2").await.unwrap_err(), ["`limit`: is given more than once"]);
    }
}
