//! The way in: for whoever opens the address in a browser, and for tools that read the document.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::Serialize;

use crate::router::{API, Api};

#[derive(Serialize)]
struct Pointer {
    name: &'static str,
    api: &'static str,
    openapi: &'static str,
}

/// `/`: where everything is. The dashboard will stand here.
pub(crate) async fn index() -> impl IntoResponse {
    Json(Pointer { name: "windlass", api: API, openapi: "/api/v1/openapi.json" })
}

/// `/api/v1/openapi.json`.
pub(crate) async fn document(State(api): State<Api>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], api.document.clone())
}
