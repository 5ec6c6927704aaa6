//! A call that does not exist is a problem document too, never a page.

use axum::http::{Method, Uri};

use crate::code::ErrorCode;
use crate::problem::ApiError;

/// No such path.
pub(crate) fn not_found(uri: &Uri) -> ApiError {
    let shown: String = uri.path().chars().take(200).collect();
    ApiError::new(
        ErrorCode::NotFound,
        format!("There is nothing at `{shown}`. The calls are listed in /api/v1/openapi.json."),
    )
}

/// The path exists, the method does not. The router adds the `Allow` header.
pub(crate) async fn method_not_allowed(method: Method, uri: Uri) -> ApiError {
    let shown: String = uri.path().chars().take(200).collect();
    ApiError::new(ErrorCode::MethodNotAllowed, format!("`{shown}` does not take {method}; see the header Allow."))
}
