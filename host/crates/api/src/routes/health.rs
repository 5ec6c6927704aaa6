//! Probes.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::jobs::stopping;
use crate::code::ErrorCode;
use crate::problem::{ApiError, Problem};
use crate::router::Api;

/// How long the database may take to answer a probe: below the usual patience of those who probe.
const PING_LIMIT: Duration = Duration::from_millis(900);

/// The answer to a probe.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
pub(crate) struct HealthView {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

const OK: HealthView = HealthView { status: "ok" };

/// Says that the daemon lives
///
/// It answers as long as the process serves requests, whatever the state of the database.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "health",
    operation_id = "healthz",
    responses((status = 200, description = "The daemon lives.", body = HealthView)),
)]
pub(crate) async fn healthz() -> Json<HealthView> {
    Json(OK)
}

/// Says whether the daemon can take requests
///
/// Not while the database does not answer, and not once a shutdown has begun.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    operation_id = "readyz",
    responses(
        (status = 200, description = "The database answers.", body = HealthView),
        (status = 503, description = "The database does not answer, or the daemon is shutting down.",
            body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn readyz(State(api): State<Api>) -> Result<Json<HealthView>, ApiError> {
    if api.handle.stopping().is_cancelled() {
        return Err(stopping());
    }
    let answered = tokio::time::timeout(PING_LIMIT, api.handle.directory().ping()).await;
    answered.map_err(|_| {
        let detail = "The database did not answer in time.";
        ApiError::new(ErrorCode::DatabaseUnavailable, detail).with_retry_after(1)
    })??;
    Ok(Json(OK))
}
