//! Errors as they leave the house: problem documents (RFC 9457).
//!
//! Only what is in a [`Problem`] is ever serialised. The cause of an error is logged here, once, and stays here.

use std::error::Error;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use windlass_model::JobId;
use windlass_store::StoreError;

use crate::code::ErrorCode;

/// The content type of a problem document.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// What a handler answers if it cannot do what it was asked. Boxed, so that a `Result` stays small.
#[derive(Debug)]
pub(crate) struct ApiError(Box<Fault>);

#[derive(Debug)]
struct Fault {
    code: ErrorCode,
    detail: String,
    errors: Vec<FieldError>,
    nearest: Vec<String>,
    index: Option<usize>,
    job_id: Option<JobId>,
    headers: Vec<(HeaderName, HeaderValue)>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// Where: the keys and indexes that lead to the field, joined by `/` as in a JSON pointer. In a batch it starts with the
    /// job's index. For a query it is the parameter's name. Empty: the body as a whole.
    #[schema(example = "args/columns/0")]
    pub(crate) field: String,
    /// What is wrong there, in words.
    #[schema(example = "\"pric\" is not one of the columns")]
    pub(crate) message: String,
}

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// A URI that stands for the kind of problem: `urn:windlass:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:windlass:problem:task_not_found")]
    kind: String,
    /// What the code means, the same for each occurrence.
    #[schema(example = "There is no such task")]
    title: &'static str,
    /// The status of the answer.
    #[schema(example = 404)]
    status: u16,
    /// What went wrong, for programs.
    code: ErrorCode,
    /// What went wrong this time, for people.
    #[schema(example = "There is no task `export-cvs`; did you mean `export-csv`?")]
    detail: String,
    /// What is wrong with which field; empty if the problem is not about fields.
    errors: Vec<FieldError>,
    /// With `task_not_found`: the tasks with the most similar names, the most similar first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    nearest: Vec<String>,
    /// In a batch: the index, from 0, of the job that is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    index: Option<usize>,
    /// With `duplicate_job`: the job that holds the unique key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Uuid, required = false, nullable = false)]
    job_id: Option<JobId>,
}

impl FieldError {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

impl ApiError {
    /// An error with a text for people. The text is made of checked parts, never of an inner error.
    pub(crate) fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self(Box::new(Fault {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            nearest: Vec::new(),
            index: None,
            job_id: None,
            headers: Vec::new(),
            source: None,
        }))
    }

    /// An error about fields. The first one becomes the detail, so that a client that shows only that names a field too.
    pub(crate) fn fields(code: ErrorCode, errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [] => code.title().to_owned(),
            [only] => only.to_string(),
            [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
        };
        let mut error = Self::new(code, detail);
        error.0.errors = errors;
        error
    }

    /// A parameter of the query, or a header that acts as one, has a wrong value.
    pub(crate) fn wrong_parameter(name: &str, message: impl Into<String>) -> Self {
        Self::fields(ErrorCode::InvalidQuery, vec![FieldError::new(name, message)])
    }

    /// The daemon failed; the client learns that and no more.
    pub(crate) fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorCode::Internal, "The daemon failed. The cause is in its log.").because(source)
    }

    /// Keeps the cause for the log.
    pub(crate) fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds what is wrong with which field.
    pub(crate) fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.0.errors = errors;
        self
    }

    /// Says which job stands against it.
    pub(crate) fn with_job(mut self, job: JobId) -> Self {
        self.0.job_id = Some(job);
        self
    }

    /// Adds names that may have been meant.
    pub(crate) fn with_nearest(mut self, nearest: Vec<String>) -> Self {
        self.0.nearest = nearest;
        self
    }

    /// Says which job of a batch is at fault.
    pub(crate) fn with_index(mut self, index: usize) -> Self {
        self.0.index = Some(index);
        self
    }

    /// Says which job of a batch is at fault, when its own body was read alone: `line` is its line, from 1.
    pub(crate) fn in_line(mut self, index: usize, line: usize) -> Self {
        for error in &mut self.0.errors {
            let separator = if error.field.is_empty() { "" } else { "/" };
            error.field = format!("{index}{separator}{}", error.field);
        }
        self.0.detail = format!("Line {line}: {}", self.0.detail);
        self.with_index(index)
    }

    /// Says which job of a batch is at fault, when the batch was read as one array: the path to the field begins with it.
    pub(crate) fn in_array(self) -> Self {
        let path = self.0.errors.first().map(|error| error.field.as_str()).unwrap_or_default();
        match path.split('/').next().and_then(|first| first.parse().ok()) {
            Some(index) => self.with_index(index),
            None => self,
        }
    }

    /// Adds a header to the answer.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Says after how many seconds another try makes sense.
    pub(crate) fn with_retry_after(self, seconds: u32) -> Self {
        self.with_header(RETRY_AFTER, seconds.into())
    }

    /// The code.
    #[cfg(test)]
    pub(crate) fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The text for people.
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// What is wrong with which field.
    #[cfg(test)]
    pub(crate) fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.field.as_str() {
            "" => f.write_str(&self.message),
            field => write!(f, "`{field}`: {}", self.message),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } => {
                Self::new(ErrorCode::DatabaseUnavailable, "The database does not answer. Try again in a moment.")
                    .with_retry_after(1)
                    .because(error)
            }
            StoreError::Statement { .. } | StoreError::Corrupt { .. } => Self::internal(error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Fault { code, detail, errors, nearest, index, job_id, headers, source } = *self.0;
        if let Some(source) = source {
            let code = code.as_str();
            tracing::error!(
                error = &*source as &(dyn Error + 'static),
                code,
                "A request failed with `{code}`: {source}"
            );
        }
        let problem = Problem {
            kind: format!("urn:windlass:problem:{}", code.as_str()),
            title: code.title(),
            status: code.status().as_u16(),
            code,
            detail,
            errors,
            nearest,
            index,
            job_id,
        };
        let mut response = (code.status(), axum::Json(problem)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        response.headers_mut().extend(headers);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn document(error: ApiError) -> serde_json::Value {
        let response = error.into_response();
        assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM_JSON);
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    #[tokio::test]
    async fn a_problem_says_its_code_and_names_each_field() {
        let errors = vec![FieldError::new("delay_ms", "too long"), FieldError::new("tags/3", "empty")];
        insta::assert_json_snapshot!(document(ApiError::fields(ErrorCode::InvalidRequest, errors)).await, @r#"
        {
          "code": "invalid_request",
          "detail": "`delay_ms`: too long (and 1 more)",
          "errors": [
            {
              "field": "delay_ms",
              "message": "too long"
            },
            {
              "field": "tags/3",
              "message": "empty"
            }
          ],
          "status": 422,
          "title": "A field is unknown, missing or has a wrong value",
          "type": "urn:windlass:problem:invalid_request"
        }
        "#);
    }

    #[tokio::test]
    async fn the_cause_of_an_error_stays_in_the_house() {
        let document = document(ApiError::internal("the password is swordfish")).await;
        assert!(!document.to_string().contains("swordfish"), "{document}");
        assert_eq!(document["code"], "internal");
    }

    #[tokio::test]
    async fn a_database_that_does_not_answer_is_a_503_that_says_when_to_come_back() {
        let error = StoreError::Corrupt { column: "state", found: "purple".to_owned() };
        assert_eq!(ApiError::from(error).code(), ErrorCode::Internal);
        let response = ApiError::new(ErrorCode::Overloaded, "").with_retry_after(1).into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "1");
    }
}
